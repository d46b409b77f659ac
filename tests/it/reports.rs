//! What is asked of Google, and that what comes back is what is shown.

use ga4_simulator::{Account, Effect, Fault, Method, Property, Tally, World};
use serde_json::json;

use crate::support::{NEWS, REPORTS, SHOP, Setup};

/// Every minute and day window with its oldest and newest unit.
const DAYS: [(&str, i32, i32); 4] =
    [("today", 0, 0), ("yesterday", 1, 1), ("trailing_7d", 7, 1), ("trailing_28d", 28, 1)];

/// The configuration that asks once and then not again for hours.
const ONCE: &str = "{discovery: {enabled: true}, reports: {realtime: {interval: 24h}, traffic: {interval: 24h}}, baseline: {enabled: false}}";

#[tokio::test]
async fn each_report_is_one_request() {
    let pair = Setup::new().config(ONCE).start().await;
    pair.all_up(&[SHOP, NEWS]).await;
    for property in [SHOP, NEWS] {
        assert_eq!(pair.count(Method::RunRealtimeReport, property), 1);
        assert_eq!(pair.count(Method::RunReport, property), 1);
    }
    assert_eq!(
        pair.requests(Method::RunRealtimeReport, SHOP)[0].body,
        json!({
            "metrics": [{"name": "screenPageViews"}, {"name": "activeUsers"}, {"name": "eventCount"}, {"name": "keyEvents"}],
            "minuteRanges": [
                {"startMinutesAgo": 29, "endMinutesAgo": 0, "name": "realtime"},
                {"startMinutesAgo": 5, "endMinutesAgo": 1, "name": "realtime_5m"},
            ],
            "returnPropertyQuota": true,
        })
    );
}

#[tokio::test]
async fn dates_are_googles_until_the_zone_is_known_and_absolute_from_then_on() {
    let pair = Setup::new().start().await;
    pair.all_up(&[SHOP]).await;
    pair.next_request(Method::RunReport, SHOP).await;
    let ranges = |index: usize| pair.requests(Method::RunReport, SHOP)[index].body["dateRanges"].clone();
    assert_eq!(
        ranges(0),
        json!([
            {"startDate": "today", "endDate": "today", "name": "today"},
            {"startDate": "yesterday", "endDate": "yesterday", "name": "yesterday"},
            {"startDate": "7daysAgo", "endDate": "yesterday", "name": "trailing_7d"},
            {"startDate": "28daysAgo", "endDate": "yesterday", "name": "trailing_28d"},
        ])
    );
    assert_eq!(
        ranges(1),
        json!([
            {"startDate": "2026-11-23", "endDate": "2026-11-23", "name": "today"},
            {"startDate": "2026-11-22", "endDate": "2026-11-22", "name": "yesterday"},
            {"startDate": "2026-11-16", "endDate": "2026-11-22", "name": "trailing_7d"},
            {"startDate": "2026-10-26", "endDate": "2026-11-22", "name": "trailing_28d"},
        ])
    );
}

#[tokio::test]
async fn every_value_is_the_true_one() {
    let pair = Setup::new().config(ONCE).start().await;
    let metrics = pair.all_up(&[SHOP, NEWS]).await;
    for property in [SHOP, NEWS] {
        let truth = pair.simulator.truth(property).unwrap();
        let asked_at = pair.requests(Method::RunReport, property)[0].answered_at.unwrap();
        for (window, first, last) in DAYS {
            let expected = days(&truth.days_ago(first, last, asked_at));
            for (metric, value) in expected {
                assert_eq!(metrics.of(property, &format!("{window}_{metric}"), ""), Some(value), "{window} {metric}");
            }
        }
        let asked_at = pair.requests(Method::RunRealtimeReport, property)[0].answered_at.unwrap();
        let (half_hour, minutes) = (truth.minutes_ago(29, 0, asked_at), truth.minutes_ago(5, 1, asked_at));
        for (metric, value) in [
            ("realtime_pageviews", half_hour.pageviews()),
            ("realtime_active_users", half_hour.active_users()),
            ("realtime_events", half_hour.events()),
            ("realtime_key_events", half_hour.key_events()),
            ("realtime_5m_pageviews", minutes.pageviews()),
            ("realtime_5m_active_users", minutes.active_users()),
        ] {
            assert_eq!(metrics.of(property, metric, ""), Some(number(value)), "{metric}");
        }
        assert!(half_hour.pageviews() > minutes.pageviews() && minutes.pageviews() > 0, "the world has traffic");
    }
}

#[tokio::test]
async fn zero_traffic_is_zero_and_not_absent() {
    let silent = Property::new(SHOP, "Silent").time_zone("Europe/Berlin").without_traffic();
    let world = World::new(1).account(Account::new("104112001", "Example").property(silent));
    let pair = Setup::of(world).start().await;
    let metrics = pair.all_up(&[SHOP]).await;
    let values: Vec<(&String, &f64)> = metrics
        .0
        .iter()
        .filter(|(series, _)| {
            ["realtime_", "today_", "yesterday_", "trailing_"]
                .iter()
                .any(|window| series.starts_with(&format!("google_analytics_{window}")))
        })
        .collect();
    assert_eq!(values.len(), 6 + 4 * 8);
    assert!(values.iter().all(|(_, value)| **value == 0.0), "{values:?}");
}

/// The whole of Google's answer where nothing happened, for reports of every kind.
async fn nothing(metadata: &str) -> crate::support::Metrics {
    let answer = |kind: &str, rest: &str| Effect::Raw(200, format!(r#"{{{rest} "kind": "analyticsData#{kind}"}}"#));
    let config = "{discovery: {enabled: true}, reports: {realtime: {interval: 1s}, traffic: {interval: 1s}}}";
    let pair = Setup::new()
        .config(config)
        .fault(Fault::new(answer("runRealtimeReport", "")).on(Method::RunRealtimeReport).property(SHOP))
        .fault(Fault::new(answer("runReport", metadata)).on(Method::RunReport).property(SHOP))
        .start()
        .await;
    let all = ["realtime", "traffic", "baseline"];
    let metrics = pair.until(metadata, |metrics| all.iter().all(|report| metrics.is_up(SHOP, report))).await;
    assert!(!metrics.has(SHOP, "report_failure"), "minutes too");
    metrics
}

#[tokio::test]
async fn an_answer_without_headers_and_rows_is_zero_at_once() {
    for metadata in [r#""metadata": {"currencyCode": "EUR", "timeZone": "Europe/Brussels"},"#, r#""metadata": {},"#, ""]
    {
        let metrics = nothing(metadata).await;
        for family in ["realtime_pageviews", "realtime_5m_pageviews", "realtime_active_users"] {
            assert_eq!(metrics.of(SHOP, family, ""), Some(0.0), "{family} with {metadata}");
        }
        for window in ["today", "yesterday", "trailing_7d", "trailing_28d"] {
            assert_eq!(metrics.of(SHOP, &format!("{window}_pageviews"), ""), Some(0.0), "{window} with {metadata}");
        }
        assert_eq!(
            metrics.of(SHOP, "monitor_history_seconds", "monitor=\"pageviews\""),
            metadata.contains("timeZone").then_some(0.0)
        );
    }
}

#[tokio::test]
async fn an_empty_answer_without_a_zone_leaves_the_last_one() {
    let pair = Setup::new().start().await;
    pair.all_up(&[SHOP]).await;
    let empty = Effect::Raw(200, r#"{"kind": "analyticsData#runReport", "metadata": {}}"#.to_owned());
    pair.simulator.inject(Fault::new(empty).on(Method::RunReport).property(SHOP));
    let metrics = pair.until("empty", |metrics| metrics.of(SHOP, "today_pageviews", "") == Some(0.0)).await;
    let info = metrics.0.keys().find(|series| series.contains("property_info{") && series.contains(SHOP)).unwrap();
    assert!(info.contains("Europe/Berlin") && info.contains("EUR"), "{info}");
    let asked = pair.next_request(Method::RunReport, SHOP).await;
    assert_eq!(asked.body["dateRanges"][0]["startDate"], "2026-11-23", "dates are those of the zone");
}

#[tokio::test]
async fn fields_that_nobody_knows_yet_are_passed_over() {
    let pair = Setup::new().fault(Fault::new(Effect::UnknownFields)).start().await;
    pair.all_up(&[SHOP, NEWS]).await;
}

#[tokio::test]
async fn without_a_zone_in_the_answer_the_dates_stay_googles() {
    let pair = Setup::new().fault(Fault::new(Effect::NoTimeZone)).start().await;
    pair.all_up(&[SHOP]).await;
    pair.next_request(Method::RunReport, SHOP).await;
    let requests = pair.requests(Method::RunReport, SHOP);
    assert_eq!(requests.last().unwrap().body["dateRanges"][0]["startDate"], "today");
}

#[tokio::test]
async fn a_subset_of_the_metrics_is_all_that_is_asked_for_and_shown() {
    let yaml = "{discovery: {enabled: true}, reports: {realtime: {enabled: false}, traffic: {metrics: [visitors]}}, baseline: {enabled: false}}";
    let pair = Setup::new().config(yaml).start().await;
    let metrics = pair.until("traffic up", |metrics| metrics.is_up(SHOP, "traffic")).await;
    let body = &pair.requests(Method::RunReport, SHOP)[0].body;
    assert_eq!(body["metrics"], json!([{"name": "totalUsers"}]));
    assert!(metrics.has(SHOP, "today_visitors") && !metrics.has(SHOP, "today_pageviews"));
    assert_eq!(pair.count(Method::RunRealtimeReport, SHOP), 0);
    assert!(!REPORTS.iter().any(|report| *report == "realtime" && metrics.is_up(SHOP, report)));
}

fn days(tally: &Tally) -> [(&'static str, f64); 8] {
    [
        ("pageviews", number(tally.pageviews())),
        ("visitors", number(tally.total_users())),
        ("active_users", number(tally.active_users())),
        ("new_users", number(tally.new_users())),
        ("sessions", number(tally.sessions())),
        ("engaged_sessions", number(tally.engaged_sessions())),
        ("events", number(tally.events())),
        ("key_events", number(tally.key_events())),
    ]
}

fn number(count: u64) -> f64 {
    u32::try_from(count).unwrap().into()
}
