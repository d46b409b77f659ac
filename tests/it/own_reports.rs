//! Reports of one's own and presets: what is requested, exported, dropped and logged.

use std::time::Duration;

use ga4_simulator::{Account, Effect, Fault, Method, Property, World};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::{Metrics, NEWS, SHOP, Setup};

/// A little after noon in Berlin.
pub(crate) const NOON: &str = "2026-11-23T11:30:00Z";

/// Every preset, and three reports of one's own; asked for once.
const EVERY_PRESET: &str = r"
properties: [313110001]
quota: {share: 100%}
baseline: {enabled: false}
reports:
  realtime: {enabled: false}
  traffic: {enabled: false}
  pages: {preset: pages, interval: 24h}
  landing_pages: {preset: landing_pages, interval: 24h}
  sources: {preset: sources, interval: 24h}
  channels: {preset: channels, interval: 24h}
  countries: {preset: countries, interval: 24h, limit: 5}
  devices: {preset: devices, interval: 24h}
  events: {preset: events, interval: 24h}
  realtime_pages: {preset: realtime_pages, interval: 24h}
  realtime_countries: {preset: realtime_countries, interval: 24h, limit: 3}
  realtime_events: {preset: realtime_events, interval: 24h}
  checkout:
    dimensions: {device: deviceCategory}
    metrics: {pageviews: screenPageViews, revenue: totalRevenue}
    filter: {dimension: pagePath, begins_with: /}
    interval: 24h
  engagement:
    metrics: [bounceRate, averageSessionDuration, screenPageViewsPerSession, sessions]
    date_range: trailing_7d
    interval: 24h
  mobile_cities:
    dimensions: [city]
    metrics: {visitors: totalUsers}
    date_range: {from: 2026-11-01, to: 2026-11-07}
    filter:
      and: [{dimension: deviceCategory, in: [mobile, tablet]}, {metric: totalUsers, at_least: 1}]
    order_by: [-visitors]
    limit: 3
    interval: 24h
";

const ALL: [&str; 13] = [
    "pages",
    "landing_pages",
    "sources",
    "channels",
    "countries",
    "devices",
    "events",
    "realtime_pages",
    "realtime_countries",
    "realtime_events",
    "checkout",
    "engagement",
    "mobile_cities",
];

/// A property whose numbers stand still.
pub(crate) fn still_world() -> World {
    let start: Timestamp = NOON.parse().unwrap();
    let silence = start - SignedDuration::from_mins(3);
    let shop = Property::new(SHOP, "Shop")
        .time_zone("Europe/Berlin")
        .currency("EUR")
        .pageviews_per_hour(2_400.0)
        .outage(silence, start + SignedDuration::from_hours(9));
    World::new(7).account(Account::new("104112001", "Example").property(shop))
}

/// Reports of their own alone.
pub(crate) fn config(reports: &str) -> String {
    format!(
        "discovery: {{enabled: true}}\nquota: {{share: 100%}}\nbaseline: {{enabled: false}}\nreports:\n  realtime: {{enabled: false}}\n  \
         traffic: {{enabled: false}}\n{reports}"
    )
}

/// The series of a family of a property.
pub(crate) fn series<'a>(metrics: &'a Metrics, property: &str, end: &str) -> Vec<(&'a str, f64)> {
    let beginning = format!("google_analytics_{end}{{property_id=\"{property}\"");
    metrics
        .0
        .iter()
        .filter(|(series, _)| series.starts_with(&beginning))
        .map(|(series, value)| (&**series, *value))
        .collect()
}

#[tokio::test]
async fn every_preset_and_three_reports_of_ones_own() {
    let pair = Setup::of(still_world()).config(EVERY_PRESET).starting_at(NOON).start().await;
    pair.until("all reports", |metrics| ALL.iter().all(|report| metrics.is_up(SHOP, report))).await;
    let (_, text) = pair.get("/metrics").await;
    let of_reports = |line: &&str| {
        let name = line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ");
        let counts = ["report_rows", "report_truncated", "report_data_loss", "report_restricted"];
        ALL.iter().copied().chain(counts).any(|part| name.starts_with(&format!("google_analytics_{part}")))
    };
    let golden: String = text.lines().filter(of_reports).map(|line| format!("{line}\n")).collect();
    insta::assert_snapshot!(golden);
    let config = pair.get("/config").await.1;
    assert!(config.contains("mobile_cities:") && config.contains("dimensionFilter"), "{config}");
}

#[tokio::test]
async fn rows_add_up_to_what_really_happened() {
    let reports = "  devices: {preset: devices, interval: 24h}\n  countries: {preset: countries, interval: 24h, limit: 10000, max_series: 20000}\n";
    let pair = Setup::of(still_world()).config(&config(reports)).starting_at(NOON).start().await;
    let metrics =
        pair.until("both", |metrics| metrics.is_up(SHOP, "devices") && metrics.is_up(SHOP, "countries")).await;
    let asked_at = pair.requests(Method::RunReport, SHOP)[0].answered_at.unwrap();
    let truth = pair.simulator.truth(SHOP).unwrap().days_ago(0, 0, asked_at);
    let sum = |end: &str| series(&metrics, SHOP, end).iter().map(|(_, value)| value).sum::<f64>();
    let number = |count: u64| f64::from(u32::try_from(count).unwrap());
    assert_eq!(sum("devices_pageviews"), number(truth.pageviews()));
    assert_eq!(sum("devices_sessions"), number(truth.sessions()));
    assert!(sum("countries_sessions") >= number(truth.sessions()) && truth.sessions() > 0);
    assert_eq!(metrics.of(SHOP, "report_truncated", "report=\"countries\""), Some(0.0));
}

#[tokio::test]
async fn what_is_asked_for_is_what_was_written() {
    let reports = "  checkout:
    dimensions: {device: deviceCategory}
    metrics: {pageviews: screenPageViews, revenue: totalRevenue}
    date_range: {from: 3daysAgo, to: today}
    filter: {and: [{dimension: pagePath, begins_with: /}, {metric: sessions, at_least: 1}]}
    order_by: [-revenue]
    limit: 50
    interval: 24h
    properties: [313110001]
";
    let pair = Setup::new().config(&config(reports)).start().await;
    pair.until("up", |metrics| metrics.is_up(SHOP, "checkout")).await;
    let body = pair.requests(Method::RunReport, SHOP)[0].body.clone();
    assert_eq!(
        body,
        json!({
            "dimensions": [{"name": "deviceCategory"}],
            "metrics": [{"name": "screenPageViews"}, {"name": "totalRevenue"}],
            "dateRanges": [{"startDate": "3daysAgo", "endDate": "today", "name": "checkout"}],
            "dimensionFilter": {"filter": {"fieldName": "pagePath",
                "stringFilter": {"matchType": "BEGINS_WITH", "value": "/", "caseSensitive": true}}},
            "metricFilter": {"filter": {"fieldName": "sessions",
                "numericFilter": {"operation": "GREATER_THAN_OR_EQUAL", "value": {"int64Value": "1"}}}},
            "orderBys": [{"metric": {"metricName": "totalRevenue"}, "desc": true}, {"dimension": {"dimensionName": "deviceCategory"}}],
            "limit": 50,
            "returnPropertyQuota": true,
        })
    );
    assert_eq!(pair.count(Method::RunReport, NEWS), 0, "it is not for this one");
}

#[tokio::test]
async fn rows_beyond_the_limits_are_dropped_counted_and_told() {
    let reports = "  events: {preset: events, interval: 24h}\n  devices: {preset: devices, interval: 24h, max_series: 4}\n\
                   limits: {series_per_property: 8}\n";
    let pair = Setup::of(still_world()).config(&config(reports)).starting_at(NOON).start().await;
    let metrics = pair.until("both", |metrics| metrics.is_up(SHOP, "events") && metrics.is_up(SHOP, "devices")).await;
    let shown = |end: &str| series(&metrics, SHOP, end).len();
    let (events, devices) = (shown("events_events") + shown("events_active_users"), 3 * shown("devices_sessions"));
    assert!(events + devices <= 8 && devices <= 4 && events + devices > 0, "{events} {devices}");
    let dropped = metrics.of(SHOP, "report_rows_dropped", "report=\"devices\"").unwrap();
    assert!(dropped >= 2.0, "{dropped}");
    assert!(metrics.own("series_dropped_total{reason=\"limit\"}").unwrap() > 0.0);
    let page = pair.get("/").await.1;
    assert!(page.contains("not exported"), "{page}");
}

/// Filters of every kind that keep some rows of a property, short and as Google's own JSON.
const FILTERS: &[&str] = &[
    "{dimension: deviceCategory, equals: mobile}",
    "{dimension: deviceCategory, not_equals: MOBILE, case_sensitive: false}",
    "{dimension: pagePath, begins_with: /prod}",
    "{dimension: pagePath, ends_with: s}",
    "{dimension: pagePath, contains: o}",
    "{dimension: pagePath, regex: '^/(blog|cart)'}",
    "{dimension: pagePath, full_regex: '/[a-z]*'}",
    "{dimension: countryId, in: [DE, US, 'a, \"b\"', '']}",
    "{dimension: hour, greater_than: -1}",
    "{dimension: hour, at_least: 0.0}",
    "{dimension: hour, less_than: 1e3}",
    "{dimension: hour, at_most: 23}",
    "{dimension: hour, between: [0, 23.5]}",
    "{not: {dimension: city, empty: true}}",
    "{metric: sessions, '>': 0}",
    "{metric: sessions, '!=': 0}",
    "{metric: bounceRate, between: [0, 1]}",
    "{metric: average_session_duration_seconds, '>=': 0.5}",
    "{and: [{or: [{not: {and: [{dimension: city, equals: Rome}, {not: {dimension: city, empty: true}}]}}]}, {metric: pageviews, '>=': 1}]}",
    r#"{"filter": {"fieldName": "pagePath", "stringFilter": {"value": "/CART"}}}"#,
    r#"{"andGroup": {"expressions": [{"notExpression": {"filter": {"fieldName": "city", "emptyFilter": {}}}},
        {"orGroup": {"expressions": [{"filter": {"fieldName": "hour", "betweenFilter":
            {"fromValue": {"int64Value": "0"}, "toValue": {"doubleValue": 23.5}}}}]}}]}}"#,
    r#"{"dimensionFilter": {"filter": {"fieldName": "countryId", "inListFilter": {"values": ["DE"], "caseSensitive": true}}},
        "metricFilter": {"filter": {"fieldName": "sessions", "numericFilter": {"operation": "GREATER_THAN", "value": {"int64Value": 0}}}}}"#,
];

#[tokio::test]
async fn google_understands_every_filter() {
    let report = |(index, filter): (usize, &&str)| {
        format!("  f{index}: {{dimensions: [browser], metrics: [pageviews], filter: {filter}, interval: 24h}}\n")
    };
    let reports: String = FILTERS.iter().enumerate().map(report).collect();
    let pair = Setup::of(still_world()).config(&config(&reports)).starting_at(NOON).start().await;
    let is_asked = |metrics: &Metrics, index: usize| {
        let name = format!("f{index}");
        metrics.is_up(SHOP, &name) || metrics.fails_with(SHOP, &name, "invalid_request")
    };
    let metrics = pair.until("all filters", |metrics| (0..FILTERS.len()).all(|index| is_asked(metrics, index))).await;
    for (index, filter) in FILTERS.iter().enumerate() {
        let shown = series(&metrics, SHOP, &format!("f{index}_pageviews"));
        assert!(!shown.is_empty(), "{filter}: {}", pair.get("/").await.1);
    }
}

#[tokio::test]
async fn what_google_refuses_is_shown_with_its_own_words() {
    let reports = "  items: {dimensions: [itemName], metrics: [events], interval: 24h}\n";
    let pair = Setup::new().config(&config(reports)).start().await;
    pair.until("refused", |metrics| metrics.fails_with(SHOP, "items", "invalid_request")).await;
    let page = pair.get("/").await.1;
    assert!(page.contains("Please remove eventCount to make the request compatible"), "{page}");
}

#[tokio::test]
async fn merged_rows_are_values_and_a_mark() {
    let recorded = Fault::play("history-other-among-rows").unwrap().on(Method::RunReport).property(SHOP);
    let reports = "  pages: {preset: pages, interval: 24h}\n";
    let pair = Setup::new().config(&config(reports)).fault(recorded).start().await;
    let metrics = pair.until("up", |metrics| metrics.is_up(SHOP, "pages")).await;
    assert_eq!(metrics.of(SHOP, "report_data_loss", "report=\"pages\""), Some(1.0));
    let shown = series(&metrics, SHOP, "pages_pageviews");
    for value in ["(other)", "(not set)"] {
        assert!(shown.iter().any(|(series, _)| series.contains(value)), "{value} in {shown:?}");
    }
    assert!(pair.get("/").await.1.contains("merged into (other)"));
}

#[tokio::test]
async fn a_report_of_ten_thousand_rows_is_one_poll() {
    let row = |number: usize| json!({"dimensionValues": [{"value": format!("/page/{number}")}], "metricValues": [{"value": "1"}]});
    let rows: Vec<_> = (0..10_000).map(row).collect();
    let answer = json!({
        "kind": "analyticsData#runReport", "rows": rows, "rowCount": 123_456,
        "dimensionHeaders": [{"name": "pagePath"}], "metricHeaders": [{"name": "screenPageViews", "type": "TYPE_INTEGER"}],
        "metadata": {"timeZone": "Europe/Berlin", "currencyCode": "EUR"},
    });
    let large = Fault::new(Effect::Raw(200, answer.to_string())).on(Method::RunReport).property(SHOP);
    let reports = "  paths: {dimensions: [pagePath], metrics: [pageviews], limit: 10000, max_series: 10000, interval: 24h}\n\
                   limits: {series_per_property: 10000}\n";
    let pair = Setup::new().config(&config(reports)).fault(large).start().await;
    let metrics = pair.until("up", |metrics| metrics.is_up(SHOP, "paths")).await;
    assert_eq!(series(&metrics, SHOP, "paths_pageviews").len(), 10_000);
    assert_eq!(metrics.of(SHOP, "report_truncated", "report=\"paths\""), Some(1.0));
    assert_eq!(pair.count(Method::RunReport, SHOP), 1);
    tokio::time::timeout(Duration::from_secs(30), pair.get("/")).await.unwrap();
}
