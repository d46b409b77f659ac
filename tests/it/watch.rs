//! The last minutes against what is usual: asked for, published, and not forgotten.

use ga4_simulator::{Account, Effect, Fault, Method, Property, Request, World};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Metrics, NEWS, Pair, SHOP, START, Setup, world};

/// Every report once, and then not again for hours.
const ONCE: &str = "{discovery: {enabled: true}, reports: {realtime: {interval: 24h}, traffic: {interval: 24h}}}";

const EVERY_SECOND: &str =
    "{discovery: {enabled: true}, quota: {share: 100%}, reports: {realtime: {interval: 1s}, traffic: {interval: 24h}}}";

/// The labels of the only monitor.
const MONITOR: &str = "monitor=\"pageviews\"";

fn window(metrics: &Metrics, property: &str, family: &str, window: &str) -> Option<f64> {
    metrics.of(property, &format!("monitor_{family}"), &format!("{MONITOR},window=\"{window}\""))
}

fn learning_until(metrics: &Metrics) -> Option<f64> {
    metrics.of(SHOP, "monitor_learning_until_timestamp_seconds", "monitor=\"pageviews\"")
}

async fn watched(pair: &Pair, property: &str) -> Metrics {
    pair.until("a window", |metrics| window(metrics, property, "expected_low_events", "10m").is_some()).await
}

fn start() -> Timestamp {
    START.parse().unwrap()
}

fn before_start(duration: SignedDuration) -> Timestamp {
    start() - duration
}

fn is_for_minutes(request: &Request) -> bool {
    request.body["dimensions"] == json!([{"name": "minutesAgo"}])
}

#[tokio::test]
async fn hours_before_the_property_was_made_are_no_history() {
    let shop = Property::new(SHOP, "Shop").created(before_start(SignedDuration::from_hours(24 * 20)));
    let world = World::new(5).account(Account::new("104112001", "Example").property(shop));
    // `keepEmptyRows` may bring zeros of the weeks before.
    let zeros = Fault::new(Effect::ZeroHours(24 * 40)).on(Method::RunReport);
    let pair = Setup::of(world).config(ONCE).fault(zeros).start().await;
    let metrics = pair.until("its history", |metrics| metrics.has(SHOP, "monitor_history_seconds")).await;
    assert_eq!(metrics.of(SHOP, "monitor_history_seconds", MONITOR), Some(14.0 * 86_400.0), "two whole weeks");
}

#[tokio::test]
async fn the_first_answers_are_held_against_eight_weeks_of_history() {
    let pair = Setup::new().config(ONCE).start().await;
    let metrics = watched(&pair, SHOP).await;
    let history =
        pair.requests(Method::RunReport, SHOP).into_iter().find(|request| request.body["dimensions"] != json!(null));
    let history = history.unwrap().body;
    assert_eq!(history["dimensions"], json!([{"name": "dateHour"}]));
    assert_eq!(history["metrics"], json!([{"name": "screenPageViews"}]));
    assert_eq!(history["dateRanges"].as_array().unwrap().len(), 1);
    let minutes: Vec<Request> =
        pair.requests(Method::RunRealtimeReport, SHOP).into_iter().filter(is_for_minutes).collect();
    assert_eq!(
        minutes[0].body,
        json!({
            "dimensions": [{"name": "minutesAgo"}],
            "metrics": [{"name": "screenPageViews"}],
            "minuteRanges": [{"startMinutesAgo": 29, "endMinutesAgo": 0, "name": "minutes"}],
            "returnPropertyQuota": true,
        })
    );
    let truth = pair.simulator.truth(SHOP).unwrap();
    let asked_at = minutes[0].answered_at.unwrap();
    for (name, oldest) in [("10m", 10), ("30m", 29)] {
        let count = u32::try_from(truth.minutes_ago(oldest, 1, asked_at).pageviews()).unwrap();
        assert_eq!(window(&metrics, SHOP, "events", name), Some(f64::from(count)), "{name}");
        let expected = window(&metrics, SHOP, "expected_events", name).unwrap();
        let low = window(&metrics, SHOP, "expected_low_events", name).unwrap();
        assert!((0.5..2.0).contains(&(f64::from(count) / expected)), "{name}: {count} of {expected}");
        assert!(low > 0.0 && low < expected / 3.0, "{name}: in the first hours only outages: {low} of {expected}");
    }
    assert_eq!(window(&metrics, SHOP, "events", "2h"), None);
    assert_eq!(metrics.of(SHOP, "monitor_history_seconds", MONITOR), Some(56.0 * 86_400.0));
    assert_eq!(metrics.of(SHOP, "quiet_day", ""), Some(0.0));
    let level = metrics.of(SHOP, "monitor_level_ratio", MONITOR).unwrap();
    assert!((0.8..1.2).contains(&level), "{level}");
    assert!(metrics.is_up(SHOP, "baseline"));
    let left = learning_until(&metrics).unwrap() - start().duration_since(Timestamp::UNIX_EPOCH).as_secs_f64();
    assert!((170.0 * 60.0..=180.0 * 60.0).contains(&left), "three hours from the first minute on: {left} s");
}

#[tokio::test]
async fn quiet_days_are_announced_a_week_ahead() {
    let config = "{discovery: {enabled: true}, baseline: {quiet_days: [2025-11-26, 11-28]}}";
    let pair = Setup::new().config(config).start().await;
    let metrics = pair.until("the day", |metrics| metrics.of(SHOP, "quiet_day", "").is_some()).await;
    let ahead = |labels| metrics.of(SHOP, "quiet_day_ahead_timestamp_seconds", labels);
    let midnight =
        |text: &str| Some(text.parse::<Timestamp>().unwrap().duration_since(Timestamp::UNIX_EPOCH).as_secs_f64());
    // In Berlin.
    assert_eq!(ahead("date=\"2026-11-28\",source=\"configured\""), midnight("2026-11-27T23:00:00Z"));
    assert_eq!(ahead("date=\"2026-11-26\",source=\"last_year\""), midnight("2026-11-25T23:00:00Z"));
}

#[tokio::test]
async fn after_three_hours_nothing_is_left_to_learn() {
    let pair = Setup::new().config(EVERY_SECOND).start().await;
    let metrics = watched(&pair, SHOP).await;
    assert!(learning_until(&metrics).is_some());
    pair.advance(3 * 3600 + 60);
    let metrics = pair.until("later minutes", |metrics| learning_until(metrics).is_none()).await;
    assert!(metrics.has(SHOP, "report_up"));
    let metrics = watched(&pair, SHOP).await;
    assert_eq!(learning_until(&metrics), None);
}

#[tokio::test]
async fn yesterday_is_held_against_its_expectation_from_noon_on() {
    let hourly = "{discovery: {enabled: true}, reports: {realtime: {interval: 1h}, traffic: {interval: 24h}}}";
    // 10:00 in Berlin.
    let pair = Setup::new().config(hourly).start().await;
    let metrics = watched(&pair, SHOP).await;
    assert!(!metrics.has(SHOP, "yesterday_expected_pageviews"));
    pair.advance(2 * 3600 + 5);
    let metrics = pair.until("noon", |metrics| metrics.has(SHOP, "yesterday_expected_pageviews")).await;
    let of = |family: &str| metrics.of(SHOP, family, "").unwrap();
    let (actual, expected, low) =
        (of("yesterday_pageviews"), of("yesterday_expected_pageviews"), of("yesterday_expected_low_pageviews"));
    assert!((0.7..1.4).contains(&(actual / expected)), "{actual} of {expected}");
    assert!(low > 0.3 * expected && low <= 0.7 * expected, "{low} of {expected}");
    pair.advance(12 * 3600);
    pair.until("midnight", |metrics| !metrics.has(SHOP, "yesterday_expected_pageviews")).await;
}

#[tokio::test]
async fn an_outage_that_has_begun_is_seen_by_the_first_answer() {
    let outage = before_start(SignedDuration::from_mins(15));
    let shop =
        Property::new(SHOP, "Shop").pageviews_per_hour(2_400.0).outage(outage, start() + SignedDuration::from_hours(9));
    let world = World::new(7).account(Account::new("104112001", "Example").property(shop));
    let pair = Setup::of(world).config(ONCE).start().await;
    let metrics = watched(&pair, SHOP).await;
    assert_eq!(window(&metrics, SHOP, "events", "10m"), Some(0.0));
    assert!(window(&metrics, SHOP, "expected_low_events", "10m") > Some(0.0));
    assert_eq!(metrics.of(SHOP, "monitor_dropping", MONITOR), Some(1.0), "in the first hours, too");
    assert_eq!(metrics.of(SHOP, "monitor_drop_ratio", MONITOR), Some(1.0));
}

#[tokio::test]
async fn a_young_property_has_no_bound_and_says_so() {
    let birth = before_start(SignedDuration::from_hours(24 * 11));
    let long_ago = before_start(SignedDuration::from_hours(24 * 400));
    let young = Property::new(SHOP, "Young").pageviews_per_hour(2_400.0).outage(long_ago, birth);
    let news = Property::new(NEWS, "News").pageviews_per_hour(2_400.0);
    let world = World::new(7).account(Account::new("104112001", "Example").property(young).property(news));
    let pair = Setup::of(world).config(ONCE).start().await;
    watched(&pair, NEWS).await;
    let metrics = pair.until("its history", |metrics| metrics.has(SHOP, "monitor_history_seconds")).await;
    let days = metrics.of(SHOP, "monitor_history_seconds", MONITOR).unwrap() / 86_400.0;
    assert!((9.0..=11.0).contains(&days), "{days}");
    assert!(metrics.is_up(SHOP, "baseline") && !metrics.has(SHOP, "monitor_events"));
}

#[tokio::test]
async fn when_only_the_minutes_fail_the_values_stay_and_the_reason_is_told() {
    let refused = Fault::new(Effect::Html).on(Method::RunRealtimeReport).property(SHOP);
    let pair = Setup::new().config(EVERY_SECOND).start().await;
    watched(&pair, SHOP).await;
    // Between a first and a second request.
    loop {
        let request = pair.next_request(Method::RunRealtimeReport, SHOP).await;
        if !is_for_minutes(&request) {
            break;
        }
    }
    pair.simulator.inject(refused);
    let metrics = pair.until("a failure", |metrics| metrics.fails_with(SHOP, "realtime", "protocol")).await;
    assert!(metrics.has(SHOP, "realtime_pageviews") && metrics.is_up(NEWS, "realtime"));
    pair.simulator.clear_faults();
    pair.advance(30);
    pair.until("it works again", |metrics| metrics.is_up(SHOP, "realtime")).await;
}

#[tokio::test]
async fn windows_vanish_with_the_answers_that_they_are_made_of() {
    let pair = Setup::new().config(EVERY_SECOND).start().await;
    watched(&pair, SHOP).await;
    let hang = Fault::new(Effect::Hang).on(Method::RunRealtimeReport).property(SHOP);
    pair.simulator.inject(hang);
    pair.advance(200);
    let metrics = pair.until("gone", |metrics| !metrics.has(SHOP, "monitor_events")).await;
    assert!(!metrics.has(SHOP, "monitor_dropping") && !metrics.has(SHOP, "monitor_drop_ratio"));
    assert!(!metrics.has(SHOP, "monitor_expected_low_events") && metrics.has(SHOP, "monitor_history_seconds"));
    watched(&pair, NEWS).await;
}

#[tokio::test]
async fn history_is_asked_for_every_morning_and_after_a_move() {
    let daily = "{discovery: {enabled: true}, reports: {realtime: {interval: 1h}, traffic: {interval: 1h}}}";
    let pair = Setup::new().config(daily).start().await;
    watched(&pair, SHOP).await;
    let asked = |pair: &Pair| {
        let is_history = |request: &Request| request.body["dimensions"] == json!([{"name": "dateHour"}]);
        pair.requests(Method::RunReport, SHOP).into_iter().filter(is_history).collect::<Vec<Request>>()
    };
    assert_eq!(asked(&pair).len(), 1);
    // 05:30 in Berlin.
    pair.advance(19 * 3600 + 1800);
    pair.next_request(Method::RunReport, NEWS).await;
    pair.all_up(&[SHOP, NEWS]).await;
    assert_eq!(asked(&pair).len(), 1, "not before six");
    pair.advance(90 * 60);
    let of_morning = |request: &Request| {
        request.property.as_deref() == Some(SHOP) && request.body["dateRanges"][0]["endDate"] == "2026-11-22"
    };
    pair.wait_for_many(1, |request| of_morning(request) && request.body["dimensions"] != json!(null)).await;
    let range = asked(&pair).last().unwrap().body["dateRanges"][0].clone();
    assert_eq!(range["startDate"], "2026-09-26", "eight weeks and two days up to the day before yesterday");
    let before = asked(&pair).len();
    pair.until("the morning's answers", |metrics| {
        let at = metrics.of(SHOP, "report_last_success_timestamp_seconds", "report=\"traffic\"");
        at > Some(before_start(-SignedDuration::from_hours(21)).duration_since(Timestamp::UNIX_EPOCH).as_secs_f64())
    })
    .await;
    pair.simulator.edit(SHOP, |property| property.reporting_zone("America/New_York"));
    pair.advance(3600);
    let is_history = |request: &Request| request.body["dimensions"] == json!([{"name": "dateHour"}]);
    let of_shop = |request: &Request| request.property.as_deref() == Some(SHOP) && is_history(request);
    pair.wait_for_many(before + 1, of_shop).await;
}

#[tokio::test]
async fn after_a_kill_counters_begin_anew_and_minutes_do_not() {
    let storage = TempDir::new().unwrap();
    let setup = || Setup { storage: Some(storage.path().to_owned()), ..Setup::of(world()).config(EVERY_SECOND) };
    let pair = setup().start().await;
    watched(&pair, SHOP).await;
    pair.stop().await;
    let pair = setup().start().await;
    watched(&pair, SHOP).await;
    // No goodbye: what the one before it saved is still there, and older than what was shown last.
    pair.kill().await;
    let hang = Fault::new(Effect::Hang).on(Method::RunRealtimeReport);
    let pair = setup().fault(hang).start().await;
    let metrics = pair.until("the properties", |metrics| metrics.has(SHOP, "report_up")).await;
    assert_eq!(metrics.of(SHOP, "quota_tokens_spent_total", "report=\"realtime\""), Some(0.0));
    let kept = std::fs::read_to_string(storage.path().join(format!("{SHOP}.state"))).unwrap();
    assert!(kept.contains("\"counts\":[") && kept.contains("\"tokens_spent\":{"), "{kept}");
}

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let storage = TempDir::new().unwrap();
    let setup = || Setup { storage: Some(storage.path().to_owned()), ..Setup::of(world()).config(EVERY_SECOND) };
    let pair = setup().start().await;
    for _ in 0..5 {
        watched(&pair, SHOP).await;
        let seen = window(&pair.metrics().await, SHOP, "events", "10m");
        pair.advance(25 * 60);
        pair.until("later minutes", |metrics| window(metrics, SHOP, "events", "10m") != seen).await;
    }
    let before = pair.until("two hours", |metrics| window(metrics, SHOP, "events", "2h").is_some()).await;
    let spent = "report=\"realtime\"";
    let tokens = before.of(SHOP, "quota_tokens_spent_total", spent).unwrap();
    assert!(learning_until(&before).is_some());
    let now = pair.clock.now();
    pair.stop().await;

    let pair = Setup { start: now, ..setup() }.start().await;
    let first = pair.until("the properties", |metrics| metrics.has(SHOP, "report_up")).await;
    assert!(first.of(SHOP, "quota_tokens_spent_total", spent) >= Some(tokens), "a counter goes on");
    let after = pair.until("two hours again", |metrics| window(metrics, SHOP, "events", "2h").is_some()).await;
    assert_eq!(learning_until(&after), learning_until(&before), "what was learnt is not learnt anew");
    let truth = pair.simulator.truth(SHOP).unwrap();
    let count = window(&after, SHOP, "events", "2h").unwrap();
    let two_hours = f64::from(u32::try_from(truth.minutes_ago(121, 2, pair.clock.now()).pageviews()).unwrap());
    assert!((count / two_hours - 1.0).abs() < 0.1, "{count} and not about {two_hours}");
}
