//! Reports without data, as recordings of Google show them.

use serde_json::{Value, json};

use crate::{
    reports::{WINDOWS, request},
    support::{Bench, shop, world},
};

async fn silent() -> Bench {
    Bench::new(world(shop().without_traffic())).await
}

fn metadata() -> Value {
    json!({"currencyCode": "EUR", "timeZone": "Europe/Berlin"})
}

fn keys(body: &Value) -> Vec<&String> {
    body.as_object().unwrap().keys().collect()
}

#[tokio::test]
async fn realtime_is_its_kind_alone() {
    let bench = silent().await;
    for dimensions in [json!([]), json!([{"name": "country"}])] {
        for ranges in [json!([]), json!([{"name": "a"}, {"name": "b", "startMinutesAgo": 4}])] {
            let body = json!({"metrics": [{"name": "activeUsers"}], "dimensions": dimensions, "minuteRanges": ranges});
            let answer = bench.realtime(body).await.body;
            assert_eq!(answer, json!({"kind": "analyticsData#runRealtimeReport"}));
        }
    }
    let body = json!({"metrics": [{"name": "activeUsers"}], "returnPropertyQuota": true});
    let answer = bench.realtime(body).await.body;
    assert_eq!(keys(&answer), ["kind", "propertyQuota"]);
    assert_eq!(answer["propertyQuota"]["concurrentRequests"], json!({"consumed": 0, "remaining": 10}));
}

#[tokio::test]
async fn core_reports_without_dimensions_have_no_headers() {
    let bench = silent().await;
    for windows in [&WINDOWS[..1], &WINDOWS] {
        let mut body = request(&["screenPageViews", "totalUsers"], &[], windows);
        body["keepEmptyRows"] = json!(true);
        let answer = bench.report(body.clone()).await.body;
        assert_eq!(answer, json!({"kind": "analyticsData#runReport", "metadata": metadata()}));
        body["returnPropertyQuota"] = json!(true);
        assert_eq!(keys(&bench.report(body).await.body), ["kind", "metadata", "propertyQuota"]);
    }
}

#[tokio::test]
async fn core_reports_with_dimensions_keep_their_headers() {
    let bench = silent().await;
    let answer = bench.report(request(&["eventCount"], &["eventName"], &WINDOWS[..1])).await.body;
    assert_eq!(
        answer,
        json!({
            "dimensionHeaders": [{"name": "eventName"}],
            "metricHeaders": [{"name": "eventCount", "type": "TYPE_INTEGER"}],
            "metadata": metadata(),
            "kind": "analyticsData#runReport",
        })
    );
}

#[tokio::test]
async fn before_the_property_was_created_there_are_no_headers() {
    let created = "2026-06-29T10:00:00Z".parse().unwrap();
    let bench = Bench::new(world(shop().created(created))).await;
    let ask =
        async |first: &str, last: &str| bench.report(request(&["screenPageViews"], &["date"], &[(first, last)])).await;
    let before = ask("28daysAgo", "3daysAgo").await.body;
    assert_eq!(before, json!({"kind": "analyticsData#runReport", "metadata": metadata()}));
    let since = ask("28daysAgo", "today").await;
    let mut days: Vec<String> = since.rows().into_iter().map(|(dimensions, _)| dimensions[0].clone()).collect();
    days.sort_unstable();
    assert_eq!(days, ["20260629", "20260630", "20260701"]);
    let truth = bench.simulator.truth(crate::support::SHOP).unwrap();
    assert_eq!(truth.days_ago(28, 3, bench.now()).pageviews(), 0);
}

#[tokio::test]
async fn a_realtime_range_without_anybody_has_no_row() {
    let bench = Bench::new(world(shop())).await;
    let now = bench.now();
    let since = now - std::time::Duration::from_secs(600);
    bench.simulator.edit(crate::support::SHOP, |shop| shop.outage(since, now));
    let answer = bench
        .realtime(json!({"metrics": [{"name": "activeUsers"}], "metricAggregations": ["TOTAL"],
            "minuteRanges": [{"name": "half_hour"}, {"name": "five", "startMinutesAgo": 5, "endMinutesAgo": 1}]}))
        .await;
    let names: Vec<Vec<String>> = answer.rows().into_iter().map(|(dimensions, _)| dimensions).collect();
    assert_eq!((names, &answer.body["rowCount"]), (vec![vec![String::from("half_hour")]], &json!(1)));
    let totals = answer.body["totals"].as_array().unwrap();
    assert_eq!((totals.len(), &totals[1]), (2, &json!({})));
}

#[tokio::test]
async fn the_aggregate_of_an_empty_report_is_empty() {
    let bench = silent().await;
    let mut body = request(&["sessions"], &[], &WINDOWS[..1]);
    body["metricAggregations"] = json!(["TOTAL", "MINIMUM", "MAXIMUM"]);
    let answer = bench.report(body).await.body;
    for field in ["totals", "minimums", "maximums"] {
        assert_eq!(answer[field], json!([{}]), "{field}");
    }
}
