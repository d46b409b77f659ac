//! Core reports: numbers that agree with the truth and with each other.

use std::{collections::BTreeMap, time::Duration};

use ga4_simulator::{Account, Property, World};
use jiff::civil::date;
use serde_json::{Value, json};

use crate::support::{Bench, SHOP, send, shop, world};

pub(crate) async fn bench() -> Bench {
    Bench::new(world(shop())).await
}

fn metrics(names: &[&str]) -> Value {
    names.iter().map(|name| json!({ "name": name })).collect()
}

pub(crate) fn request(names: &[&str], dimensions: &[&str], ranges: &[(&str, &str)]) -> Value {
    let ranges: Value = ranges.iter().map(|(start, end)| json!({"startDate": start, "endDate": end})).collect();
    json!({"metrics": metrics(names), "dimensions": metrics(dimensions), "dateRanges": ranges, "limit": "250000"})
}

pub(crate) const WINDOWS: [(&str, &str); 4] =
    [("today", "today"), ("yesterday", "yesterday"), ("7daysAgo", "yesterday"), ("28daysAgo", "yesterday")];

const ADDITIVE: [&str; 6] =
    ["screenPageViews", "sessions", "newUsers", "engagedSessions", "eventCount", "userEngagementDuration"];

#[tokio::test]
async fn four_windows_in_one_request_are_the_truth() {
    let bench = bench().await;
    let names = [
        "screenPageViews",
        "totalUsers",
        "activeUsers",
        "newUsers",
        "sessions",
        "engagedSessions",
        "eventCount",
        "keyEvents",
    ];
    let answer = bench.report(request(&names, &[], &WINDOWS)).await;
    let truth = bench.simulator.truth(SHOP).unwrap();
    let now = bench.now();
    let mut seen = 0;
    for (dimensions, values) in answer.rows() {
        let (index, days) = match dimensions[0].as_str() {
            "date_range_0" => (0, (0, 0)),
            "date_range_1" => (1, (1, 1)),
            "date_range_2" => (2, (7, 1)),
            "date_range_3" => (3, (28, 1)),
            other => panic!("{other}"),
        };
        seen += 1 << index;
        let tally = truth.days_ago(days.0, days.1, now);
        let expected = [
            tally.pageviews(),
            tally.total_users(),
            tally.active_users(),
            tally.new_users(),
            tally.sessions(),
            tally.engaged_sessions(),
            tally.events(),
            tally.key_events(),
        ];
        assert_eq!(values, expected, "{dimensions:?}");
        assert!(values.iter().all(|value| *value > 0));
        let [pageviews, total, active, new, sessions, ..] = expected;
        assert!(new <= total && active <= total && total <= sessions && sessions <= pageviews);
    }
    assert_eq!(seen, 0b1111);
}

#[tokio::test]
async fn a_range_without_data_has_no_row() {
    let bench = Bench::new(world(shop())).await;
    let (day, now) = (bench.now().to_zoned(jiff::tz::TimeZone::get("Europe/Berlin").unwrap()).date(), bench.now());
    let midnight = day.in_tz("Europe/Berlin").unwrap().timestamp();
    bench.simulator.edit(SHOP, |shop| shop.outage(midnight, now + Duration::from_secs(60)));
    let answer = bench.report(request(&["screenPageViews"], &[], &WINDOWS[..2])).await;
    let rows = answer.rows();
    assert_eq!((rows.len(), rows[0].0[0].as_str()), (1, "date_range_1"));
    assert_eq!(answer.body["rowCount"], 1);
}

#[tokio::test]
async fn rows_of_any_dimensions_add_up() {
    let bench = bench().await;
    let range = [("3daysAgo", "today")];
    let whole = bench.report(request(&ADDITIVE, &[], &range)).await.rows()[0].1.clone();
    for dimensions in [
        &["date"][..],
        &["dateHour"],
        &["hour", "dayOfWeek"],
        &["pagePath", "pageTitle"],
        &["country", "city"],
        &["deviceCategory", "browser", "operatingSystem"],
        &["hostName", "platform"],
        &["sessionDefaultChannelGroup", "sessionSource", "sessionMedium"],
        &["eventName"],
        &["newVsReturning"],
        &["date", "country", "eventName", "newVsReturning"],
        &["userGender", "userAgeBracket"],
    ] {
        let answer = bench.report(request(&ADDITIVE, dimensions, &range)).await;
        let rows = answer.rows();
        let sums = (0..ADDITIVE.len()).map(|index| rows.iter().map(|row| row.1[index]).sum::<u64>());
        assert_eq!(sums.collect::<Vec<_>>(), whole, "{dimensions:?}");
        assert!(rows.len() > 1 || dimensions[0] == "hostName", "{dimensions:?}");
        assert_eq!(answer.body["rowCount"], rows.len());
    }
}

#[tokio::test]
async fn minutes_of_a_day_add_up_to_it() {
    let bench = bench().await;
    let range = [("yesterday", "yesterday")];
    let minutes = bench.report(request(&["screenPageViews"], &["dateHourMinute"], &range)).await.rows();
    let day = bench.report(request(&["screenPageViews"], &[], &range)).await.value();
    assert_eq!(minutes.iter().map(|row| row.1[0]).sum::<u64>(), day);
    assert!(minutes.len() > 1300);
}

#[tokio::test]
async fn filters_agree_with_rows() {
    let bench = bench().await;
    let range = [("7daysAgo", "yesterday")];
    let rows = bench.report(request(&["screenPageViews"], &["country", "eventName"], &range)).await.rows();
    let german: u64 = rows.iter().filter(|row| row.0[0] == "Germany").map(|row| row.1[0]).sum();
    let mut body = request(&["screenPageViews"], &[], &range);
    body["dimensionFilter"] = json!({"filter": {"fieldName": "country", "stringFilter": {"value": "germany"}}});
    assert_eq!(bench.report(body.clone()).await.value(), german);
    body["dimensionFilter"] = json!({ "notExpression": body["dimensionFilter"] });
    let all: u64 = rows.iter().map(|row| row.1[0]).sum();
    assert_eq!(bench.report(body).await.value(), all - german);

    let mut body = request(&["screenPageViews"], &["country"], &range);
    body["metricFilter"] = json!({"filter": {"fieldName": "screenPageViews",
        "numericFilter": {"operation": "LESS_THAN", "value": {"int64Value": german.to_string()}}}});
    let smaller = bench.report(body).await.rows();
    assert!(!smaller.is_empty() && smaller.iter().all(|row| row.1[0] < german));
}

#[tokio::test]
async fn rows_are_sorted_and_cut() {
    let bench = bench().await;
    let mut body = request(&["screenPageViews"], &["pagePath"], &[("yesterday", "yesterday")]);
    let all = bench.report(body.clone()).await.rows();
    let counts: Vec<u64> = all.iter().map(|row| row.1[0]).collect();
    assert!(counts.is_sorted_by(|a, b| a >= b), "{counts:?}");
    body["orderBys"] = json!([{"dimension": {"dimensionName": "pagePath"}, "desc": true}]);
    body["limit"] = json!("3");
    body["offset"] = json!("1");
    let answer = bench.report(body).await;
    let mut paths: Vec<&str> = all.iter().map(|row| row.0[0].as_str()).collect();
    paths.sort_unstable_by(|a, b| b.cmp(a));
    let shown = answer.rows();
    let shown: Vec<&str> = shown.iter().map(|row| row.0[0].as_str()).collect();
    assert_eq!(shown, &paths[1..4]);
    assert_eq!(answer.body["rowCount"], all.len());
}

#[tokio::test]
async fn rows_of_zeros_are_kept_on_request() {
    let bench = bench().await;
    let mut body = request(&["keyEvents"], &["eventName"], &[("yesterday", "yesterday")]);
    assert_eq!(bench.report(body.clone()).await.rows().len(), 1);
    body["keepEmptyRows"] = json!(true);
    assert_eq!(bench.report(body).await.rows().len(), 6);
}

#[tokio::test]
async fn rows_of_what_did_not_happen_are_never_made_up() {
    let bench = Bench::new(world(shop().pageviews_per_hour(6.0))).await;
    let dimensions = ["country", "eventName"];
    let mut body = request(&["eventCount"], &dimensions, &[("yesterday", "yesterday")]);
    body["keepEmptyRows"] = json!(true);
    let rows = bench.report(body).await.rows();
    assert!(rows.len() > 5 && rows.iter().all(|row| row.1[0] > 0));
}

#[tokio::test]
async fn today_grows_and_yesterday_does_not() {
    let mut bench = bench().await;
    let body = || request(&["screenPageViews"], &["date"], &[("yesterday", "today")]);
    let before: BTreeMap<_, _> = bench.report(body()).await.rows().into_iter().collect();
    bench.advance(600);
    let after: BTreeMap<_, _> = bench.report(body()).await.rows().into_iter().collect();
    let (yesterday, today) = (vec![String::from("20260630")], vec![String::from("20260701")]);
    assert_eq!(before[&yesterday], after[&yesterday]);
    assert!(after[&today] > before[&today]);
    bench.advance(12 * 3600);
    bench.sign_in().await;
    let next: BTreeMap<_, _> = bench.report(body()).await.rows().into_iter().collect();
    assert_eq!(next.len(), 2, "{next:?}");
    assert!(next.contains_key(&today) && !next.contains_key(&yesterday));
}

#[tokio::test]
async fn core_reports_can_lag_behind() {
    let bench = Bench::new(world(shop().core_delay(Duration::from_secs(4 * 3600)))).await;
    let day = date(2026, 7, 1);
    let now = bench.now();
    let late = bench.report(request(&["screenPageViews"], &[], &[("today", "today")])).await.value();
    let delayed = bench.simulator.truth(SHOP).unwrap();
    assert_eq!(late, delayed.days_ago(0, 0, now).pageviews());
    bench.simulator.edit(SHOP, |shop| shop.core_delay(Duration::ZERO));
    let truth = bench.simulator.truth(SHOP).unwrap();
    assert_eq!(late, truth.days(day, day, now - Duration::from_secs(4 * 3600)).pageviews());
    assert!(late < truth.days(day, day, now).pageviews());
}

#[tokio::test]
async fn a_thousand_small_properties_are_cheap() {
    let properties = (0..1000).fold(Account::new("1", "Many"), |account, number| {
        account.property(Property::new(format!("{}", 400_000_000 + number), "Small").pageviews_per_hour(3.0))
    });
    let bench = Bench::new(World::new(3).account(properties)).await;
    let mut busy = 0;
    for number in 0..1000 {
        let path = format!("/v1beta/properties/{}:runReport", 400_000_000 + number);
        let answer = send(bench.post(&path, &request(&["screenPageViews"], &[], &WINDOWS))).await;
        busy += usize::from(answer.rows().len() == 4);
    }
    assert!(busy > 900, "{busy}");
}
