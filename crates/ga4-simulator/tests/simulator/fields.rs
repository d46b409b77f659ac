//! Fields beyond those of the exporter: every standard one can be asked for.

use serde_json::{Value, json};

use crate::{
    reports::{bench, request},
    support::Answer,
};

fn first(answer: &Answer, dimension: usize) -> String {
    answer.rows()[0].0[dimension].clone()
}

#[tokio::test]
async fn reports_can_do_without_metrics() {
    let bench = bench().await;
    let answer = bench.report(request(&[], &["deviceCategory"], &[("yesterday", "yesterday")])).await.body;
    assert!(answer.get("metricHeaders").is_none());
    assert_eq!(answer["rowCount"], 3);
    let rows = answer["rows"].as_array().unwrap();
    assert!(rows.iter().all(|row| row.get("metricValues").is_none() && row["dimensionValues"].is_array()), "{rows:?}");
}

#[tokio::test]
async fn filters_may_name_other_fields() {
    let bench = bench().await;
    let yesterday = [("yesterday", "yesterday")];
    let all = bench.report(request(&["sessions"], &["country", "city"], &yesterday)).await.rows();
    let mut body = request(&["sessions"], &["country"], &yesterday);
    body["dimensionFilter"] = json!({"filter": {"fieldName": "city", "stringFilter": {"value": "Berlin"}}});
    let berlin = bench.report(body.clone()).await.rows();
    assert_eq!(berlin.len(), 1);
    assert!(all.iter().any(|row| row.0[1] == "Berlin" && row.1 == berlin[0].1));
    body["metricFilter"] = json!({"filter": {"fieldName": "eventCount", "numericFilter": {"operation": "EQUAL",
        "value": {"int64Value": "0"}}}});
    let none = bench.report(body).await.body;
    assert!(none.get("rows").is_none() && none["metricHeaders"].is_array());
}

#[tokio::test]
async fn fields_that_the_sites_do_not_have_are_not_set_or_zero() {
    let bench = bench().await;
    let yesterday = [("yesterday", "yesterday")];
    let answer = bench.report(request(&["sessions"], &["cm360AccountName"], &yesterday)).await;
    assert_eq!((answer.rows().len(), first(&answer, 0).as_str()), (1, "(not set)"));
    let mut body = request(&["advertiserAdClicks"], &["sessionCampaignName"], &yesterday);
    body["keepEmptyRows"] = json!(true);
    assert_eq!(bench.report(body).await.rows()[0].1[0], 0);
    let answer = bench.report(request(&["sessions"], &["countryId", "continent", "language"], &yesterday)).await;
    assert_eq!(first(&answer, 2), "English");
}

#[tokio::test]
async fn values_have_googles_spelling() {
    let bench = bench().await;
    let names = ["keyEvents", "bounceRate", "totalRevenue", "crashFreeUsersRate", "averageSessionDuration"];
    let answer = bench.report(request(&names, &[], &[("yesterday", "yesterday")])).await.body;
    let value = |index: usize| answer["rows"][0]["metricValues"][index]["value"].as_str().unwrap().to_owned();
    assert!(value(0).bytes().all(|byte| byte.is_ascii_digit()), "whole, though a float: {}", value(0));
    assert!(value(1).len() <= 19, "at most 17 digits: {}", value(1));
    assert!(value(2).split_once('.').is_none_or(|(_, cents)| cents.len() <= 2), "{}", value(2));
    assert_eq!(value(3), "1");
}

#[tokio::test]
async fn realtime_has_its_own_fields() {
    let bench = bench().await;
    let answer = bench
        .realtime(json!({"metrics": [{"name": "keyEvents"}, {"name": "eventCount"}],
            "dimensions": [{"name": "appVersion"}, {"name": "audienceName"}]}))
        .await;
    assert_eq!(answer.rows()[0].0, ["", "(not set)"]);
    assert_eq!(answer.body["metricHeaders"][0], json!({"name": "keyEvents", "type": "TYPE_INTEGER"}));
    for name in ["totalUsers", "conversions"] {
        let answer = bench.realtime(json!({"metrics": [{"name": name}]})).await;
        assert_eq!((answer.status, answer.body["rows"] == Value::Null), (400, true), "{name}");
    }
}
