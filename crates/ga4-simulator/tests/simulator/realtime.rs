//! Realtime reports: the last thirty minutes of the clock.

use ga4_simulator::{Simulator, World};
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::support::{Answer, Bench, SHOP, shop, world};

fn request(dimensions: &[&str], ranges: Value) -> Value {
    let names = ["screenPageViews", "activeUsers", "eventCount", "keyEvents"];
    let list = |names: &[&str]| -> Value { names.iter().map(|name| json!({ "name": name })).collect() };
    json!({"metrics": list(&names), "dimensions": list(dimensions), "minuteRanges": ranges})
}

fn minutes(start: i32, end: i32) -> Value {
    json!([{"startMinutesAgo": start, "endMinutesAgo": end}])
}

#[track_caller]
fn refused(answer: &Answer, message: &str) {
    assert_eq!((answer.status, answer.message()), (400, message));
}

#[tokio::test]
async fn two_ranges_are_the_truth() {
    let bench = Bench::new(world(shop())).await;
    let ranges = json!([{"name": "half_hour"}, {"name": "five", "startMinutesAgo": 5, "endMinutesAgo": 1}]);
    let answer = bench.realtime(request(&[], ranges)).await;
    assert_eq!(answer.body["kind"], "analyticsData#runRealtimeReport");
    assert_eq!(answer.body["dimensionHeaders"], json!([{"name": "dateRange"}]));
    assert_eq!(answer.body["metricHeaders"][3], json!({"name": "keyEvents", "type": "TYPE_INTEGER"}));
    assert!(answer.body.get("metadata").is_none());
    let truth = bench.simulator.truth(SHOP).unwrap();
    for (name, oldest, newest) in [("half_hour", 29, 0), ("five", 5, 1)] {
        let tally = truth.minutes_ago(oldest, newest, bench.now());
        let row = answer.rows().into_iter().find(|row| row.0[0] == name).unwrap();
        assert_eq!(row.1, [tally.pageviews(), tally.active_users(), tally.events(), tally.key_events()]);
        assert!(tally.pageviews() > 0);
    }
}

#[tokio::test]
async fn one_range_has_no_column_and_the_default_is_half_an_hour() {
    let bench = Bench::new(world(shop())).await;
    let default = bench.realtime(request(&[], Value::Null)).await;
    let asked = bench.realtime(request(&[], minutes(29, 0))).await;
    assert_eq!(default.body, asked.body);
    assert!(default.body.get("dimensionHeaders").is_none());
}

#[tokio::test]
async fn minutes_add_up_to_half_an_hour() {
    let bench = Bench::new(world(shop())).await;
    let whole = bench.realtime(request(&[], Value::Null)).await.rows()[0].1.clone();
    for dimensions in [&["minutesAgo"][..], &["country", "minutesAgo"], &["unifiedScreenName"], &["eventName"]] {
        let rows = bench.realtime(request(dimensions, Value::Null)).await.rows();
        for metric in [0, 2, 3] {
            let sum: u64 = rows.iter().map(|row| row.1[metric]).sum();
            assert_eq!(sum, whole[metric], "{dimensions:?}");
        }
    }
    let rows = bench.realtime(request(&["minutesAgo"], Value::Null)).await.rows();
    let users: u64 = rows.iter().map(|row| row.1[1]).sum();
    assert!(users > whole[1], "users are not additive");
    let mut names: Vec<String> = rows.into_iter().map(|row| row.0[0].clone()).collect();
    names.sort_unstable();
    let expected: Vec<String> = (0..30).map(|minute| format!("{minute:02}")).collect();
    assert_eq!(names, expected);
}

#[tokio::test]
async fn the_same_pageviews_reach_the_core_reports() {
    let bench = Bench::new(world(shop())).await;
    let now = bench.now();
    let truth = bench.simulator.truth(SHOP).unwrap();
    let start = now - 29.minutes() - 42.seconds();
    assert_eq!(truth.minutes_ago(29, 0, now).pageviews(), truth.between(start, now).pageviews());
    let shy = Bench::new(world(shop().realtime_ratio(0.5))).await;
    let half = shy.realtime(request(&[], Value::Null)).await.rows()[0].1.clone();
    let whole = truth.between(start, now);
    assert_eq!((half[0], half[2]), (whole.pageviews().div_ceil(2), whole.events() / 2));
}

#[tokio::test]
async fn standard_properties_have_thirty_minutes_and_premium_ones_sixty() {
    let standard = Bench::new(world(shop())).await;
    let answer = standard.realtime(request(&[], minutes(30, 0))).await;
    refused(
        &answer,
        "Invalid minuteRange: this property has realtime data of the last 30 minutes only; startMinutesAgo and \
         endMinutesAgo must be at most 29.",
    );
    let premium = Bench::new(world(shop().premium())).await;
    assert_eq!(premium.realtime(request(&[], minutes(59, 0))).await.status, 200);
    assert_eq!(premium.realtime(request(&[], minutes(60, 0))).await.status, 400);
}

#[tokio::test]
async fn wrong_minutes_and_fields_are_refused() {
    let bench = Bench::new(world(shop())).await;
    for ranges in [minutes(1, 2), minutes(5, -1), json!([{}, {}, {}]), json!([{"name": "date_range_x"}])] {
        assert_eq!(bench.realtime(request(&[], ranges.clone())).await.status, 400, "{ranges}");
    }
    let core_only = json!({"metrics": [{"name": "totalUsers"}]});
    let answer = bench.realtime(core_only).await;
    assert!(answer.message().contains("Field totalUsers is not a valid metric."), "{}", answer.message());
    let answer = bench.realtime(request(&["pagePath"], Value::Null)).await;
    assert!(answer.message().contains("Field pagePath is not a valid dimension."));
    assert!(answer.message().ends_with("/data/v1/realtime-api-schema "), "{}", answer.message());
    let nothing = bench.realtime(json!({})).await;
    refused(&nothing, "Requests require dimensions and/or metrics. Most requests include both.");
    let dates = json!({"metrics": [{"name": "eventCount"}], "dateRanges": []});
    refused(
        &bench.realtime(dates).await,
        "Invalid JSON payload received. Unknown name \"dateRanges\": Cannot find field.",
    );
}

/// The promise of the demo: stopped within two minutes, five whole minutes of nothing after seven and half an hour of nothing
/// after 33, each with a minute to spare for a poll, and back an hour later.
#[tokio::test]
async fn the_demo_property_stops_and_comes_back() {
    for start in ["2026-07-01T10:30:00Z", "2026-12-31T23:59:59Z", "2026-03-29T00:58:31Z"] {
        let start: Timestamp = start.parse().unwrap();
        let simulator = Simulator::on_loopback(World::demo(start), move || start).await.unwrap();
        let truth = simulator.truth(World::DEMO_STOPPING).unwrap();
        let five = |minutes: i64| truth.minutes_ago(5, 1, start + minutes.minutes()).pageviews();
        let thirty = |minutes: i64| truth.minutes_ago(29, 0, start + minutes.minutes()).pageviews();
        assert!(five(2) > 0 && thirty(2) > 0);
        assert_eq!(five(7), 0);
        assert!(thirty(29) > 0);
        assert_eq!(thirty(33), 0);
        assert_eq!(truth.between(start + 2.minutes(), start + 61.minutes()).pageviews(), 0);
        assert!(truth.between(start, start + 1.minute()).pageviews() > 0);
        assert!(truth.between(start + 62.minutes(), start + 63.minutes()).pageviews() > 0);
        let today = truth.days_ago(0, 0, start + 40.minutes());
        assert_eq!(today, truth.days_ago(0, 0, start + 50.minutes()));
    }
}
