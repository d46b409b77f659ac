//! Core reports: Google's JSON.

use serde_json::json;

use crate::{
    reports::{WINDOWS, bench, request},
    support::{SHOP, send},
};

#[tokio::test]
async fn the_json_is_googles() {
    let bench = bench().await;
    let mut body = request(&["screenPageViews", "bounceRate"], &[], &[("yesterday", "yesterday")]);
    body["metricAggregations"] = json!(["TOTAL", "MAXIMUM", "MINIMUM"]);
    let answer = bench.report(body).await.body;
    assert_eq!(answer["kind"], "analyticsData#runReport");
    assert_eq!(answer["rowCount"], 1);
    assert_eq!(answer["metadata"], json!({"currencyCode": "EUR", "timeZone": "Europe/Berlin"}));
    assert_eq!(
        answer["metricHeaders"],
        json!([{"name": "screenPageViews", "type": "TYPE_INTEGER"}, {"name": "bounceRate", "type": "TYPE_FLOAT"}])
    );
    let row = &answer["rows"][0];
    assert!(row.get("dimensionValues").is_none() && answer.get("dimensionHeaders").is_none());
    assert_eq!((&answer["totals"][0], &answer["maximums"][0], &answer["minimums"][0]), (row, row, row));
    assert!(answer.get("propertyQuota").is_none());
}

#[tokio::test]
async fn totals_name_their_range_and_ratios_are_ratios_of_sums() {
    let bench = bench().await;
    let mut body = request(&["engagedSessions", "sessions", "engagementRate"], &["country"], &WINDOWS[..2]);
    body["metricAggregations"] = json!(["TOTAL"]);
    let answer = bench.report(body).await.body;
    let totals = answer["totals"].as_array().unwrap();
    assert_eq!(totals.len(), 2);
    assert_eq!(totals[1]["dimensionValues"], json!([{"value": "RESERVED_TOTAL"}, {"value": "date_range_1"}]));
    let number = |index: usize| totals[1]["metricValues"][index]["value"].as_str().unwrap().parse::<f64>().unwrap();
    assert!((number(2) - number(0) / number(1)).abs() < 1e-12);
}

#[tokio::test]
async fn a_batch_holds_five_reports_of_one_property() {
    let bench = bench().await;
    let path = format!("/v1beta/properties/{SHOP}:batchRunReports");
    let own = |property: &str| {
        let mut body = request(&["sessions"], &[], &[("yesterday", "yesterday")]);
        body["property"] = json!(property);
        body
    };
    let mine = format!("properties/{SHOP}");
    let good = send(bench.post(&path, &json!({"requests": [own(""), own(&mine), own(""), own(""), own("")]}))).await;
    assert_eq!((good.status, &good.body["kind"]), (200, &json!("analyticsData#batchRunReports")));
    assert_eq!(good.body["reports"].as_array().unwrap().len(), 5);
    assert_eq!(good.body["reports"][4]["kind"], "analyticsData#runReport");
    let many = send(bench.post(&path, &json!({"requests": vec![own(""); 6]}))).await;
    assert_eq!((many.status, &many.body["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
    assert_eq!(many.message(), "Batch requests are limited to 5 requests.\n  This batch request contains 6 requests.");
    for nothing in [json!({}), json!({"requests": []})] {
        let answer = send(bench.post(&path, &nothing)).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.message(), "The batchRunReportsRequest must contain at least one runReportRequest.");
    }
    let foreign = send(bench.post(&path, &json!({"requests": [own("properties/1")]}))).await;
    assert_eq!(foreign.status, 400);
}

#[tokio::test]
async fn enumerations_can_be_numbers() {
    let bench = bench().await;
    let body = request(&["sessions", "keyEvents"], &[], &[("yesterday", "yesterday")]);
    let path = format!("/v1beta/properties/{SHOP}:runReport?%24alt=json%3Benum-encoding%3Dint");
    let answer = send(bench.post(&path, &body)).await.body;
    let header = |index: usize| answer["metricHeaders"][index]["type"].clone();
    assert_eq!((header(0), header(1)), (json!(1), json!(2)));
    let property = bench.get(&format!("/v1beta/properties/{SHOP}?$alt=json;enum-encoding=int")).await.body;
    assert_eq!((&property["serviceLevel"], &property["displayName"]), (&json!(1), &json!("Shop")));
}
