//! Expiry, midnights, zones and clocks.

use std::time::Duration;

use ga4_simulator::{Account, Effect, Fault, Method, Property, Refusal, World};
use google_analytics_exporter::transport::Deadlines;
use jiff::{SignedDuration, Timestamp};

use crate::support::{Metrics, NEWS, SHOP, Setup};

#[tokio::test]
async fn stale_values_are_gone_and_the_status_says_why() {
    let pair = Setup::new().start().await;
    pair.all_up(&[SHOP, NEWS]).await;
    pair.simulator.inject(Fault::new(Effect::Refuse(Refusal::NoAccess)).property(SHOP));
    let metrics = pair.until("refused", |metrics| metrics.fails_with(SHOP, "traffic", "no_access")).await;
    assert!(metrics.has(SHOP, "today_visitors"), "a failure alone takes nothing away");
    pair.until("refused", |metrics| metrics.fails_with(SHOP, "realtime", "no_access")).await;
    pair.advance(121);
    let metrics = pair.until("the neighbour is fresh", |metrics| metrics.has(NEWS, "realtime_pageviews")).await;
    for family in ["realtime_pageviews", "realtime_5m_pageviews", "today_visitors", "trailing_28d_pageviews"] {
        assert!(!metrics.has(SHOP, family), "{family} is stale");
    }
    assert!(metrics.has(SHOP, "property_info") && metrics.has(SHOP, "report_last_success_timestamp_seconds"));
}

#[tokio::test]
async fn age_counts_from_the_sending_of_the_request() {
    let pair = Setup::new().start().await;
    pair.all_up(&[SHOP]).await;
    let slow = Fault::new(Effect::Latency(Duration::from_millis(800))).on(Method::RunReport).property(SHOP).once();
    pair.simulator.inject(slow);
    let sent_at = seconds(pair.next_request(Method::RunReport, SHOP).await.at);
    pair.simulator.inject(Fault::new(Effect::Hang).on(Method::RunReport).property(SHOP));
    let before = success(&pair.metrics().await);
    pair.advance(100);
    let metrics = pair.until("the slow answer", |metrics| success(metrics) > before).await;
    assert!(success(&metrics) < sent_at + 0.3, "not when it came");
    assert!(metrics.has(SHOP, "today_visitors"));
    pair.advance(25);
    assert!(!pair.metrics().await.has(SHOP, "today_visitors"), "125 seconds after the sending");
}

/// The property's midnight comes while Google does not answer: the old day's values vanish, those of minutes stay; then
/// Google answers again, and is asked for the new date.
async fn midnight(zone: &str, midnight: &str, new_date: &str) {
    let midnight: Timestamp = midnight.parse().unwrap();
    let shop = Property::new(SHOP, "Shop").time_zone(zone).pageviews_per_hour(2_000.0);
    let world = World::new(3).account(Account::new("104112001", "Example").property(shop));
    let mut setup = Setup::of(world);
    setup.start = midnight - SignedDuration::from_secs(60);
    setup.deadlines = Deadlines { request: Duration::from_millis(500), ..Deadlines::default() };
    let pair = setup.start().await;
    pair.all_up(&[SHOP]).await;
    let hang = pair.simulator.inject(Fault::new(Effect::Hang).on(Method::RunReport));
    pair.next_request(Method::RunReport, SHOP).await;
    assert!(pair.metrics().await.has(SHOP, "today_pageviews"));

    let left = midnight.duration_since(pair.clock.now());
    pair.clock.advance(left + SignedDuration::from_millis(1));
    let metrics = pair.metrics().await;
    for window in ["today", "yesterday", "trailing_7d", "trailing_28d"] {
        assert!(!metrics.has(SHOP, &format!("{window}_pageviews")), "{zone}: {window} is of another day");
    }
    assert!(metrics.has(SHOP, "realtime_pageviews"), "{zone}: minutes have no date");

    pair.simulator.clear(hang);
    pair.advance(10);
    pair.until("the new day", |metrics| metrics.has(SHOP, "today_pageviews")).await;
    let requests = pair.requests(Method::RunReport, SHOP);
    let answered = requests.iter().rev().find(|request| request.status == Some(200)).unwrap();
    assert_eq!(answered.body["dateRanges"][0]["startDate"], new_date, "{zone}");
}

#[tokio::test]
async fn at_local_midnight_the_old_days_values_vanish_at_once() {
    midnight("Europe/Berlin", "2026-11-23T23:00:00Z", "2026-11-24").await;
    midnight("Asia/Kolkata", "2026-11-23T18:30:00Z", "2026-11-24").await;
}

#[tokio::test]
async fn days_with_a_change_of_the_clocks_end_when_they_end() {
    // Days of 23 and of 25 hours.
    midnight("Europe/Berlin", "2026-03-29T22:00:00Z", "2026-03-30").await;
    midnight("Europe/Berlin", "2026-10-25T23:00:00Z", "2026-10-26").await;
    // Days that begin at 01:00, since midnight is skipped.
    midnight("Africa/Cairo", "2026-04-23T22:00:00Z", "2026-04-24").await;
    midnight("America/Havana", "2026-03-08T05:00:00Z", "2026-03-08").await;
    // A day whose first hour comes twice.
    midnight("America/Havana", "2026-11-01T04:00:00Z", "2026-11-01").await;
}

#[tokio::test]
async fn an_answer_that_came_over_midnight_is_asked_for_again() {
    let midnight: Timestamp = "2026-11-23T23:00:00Z".parse().unwrap();
    let pair = Setup::new().starting_at("2026-11-23T22:59:00Z").start().await;
    pair.all_up(&[SHOP]).await;
    let slow = Fault::new(Effect::Latency(Duration::from_millis(700))).on(Method::RunReport).property(SHOP).times(2);
    pair.simulator.inject(slow);
    let request = pair.next_request(Method::RunReport, SHOP).await;
    assert_eq!(request.body["dateRanges"][0]["startDate"], "2026-11-23");
    let before = success(&pair.metrics().await);
    let left = midnight.duration_since(pair.clock.now());
    pair.clock.advance(left + SignedDuration::from_millis(1));
    let again = pair.next_request(Method::RunReport, SHOP).await;
    let after = success(&pair.metrics().await);
    assert!((after - before).abs() < 0.001, "the answer of the old day was taken: {before} {after}");
    assert_eq!(again.body["dateRanges"][0]["startDate"], "2026-11-24");
    pair.until("the new day", |metrics| metrics.has(SHOP, "today_pageviews")).await;
}

#[tokio::test]
async fn a_property_that_moves_to_another_zone_is_asked_for_again_with_its_dates() {
    let hourly = "{discovery: {enabled: true}, reports: {realtime: {interval: 1h}, traffic: {interval: 1h}}, baseline: {enabled: false}}";
    let pair = Setup::new().config(hourly).starting_at("2026-11-23T16:00:00Z").start().await;
    pair.all_up(&[SHOP]).await;
    pair.simulator.edit(SHOP, |property| property.reporting_zone("Asia/Tokyo"));
    pair.advance(3600);
    let moved = |request: &ga4_simulator::Request| {
        request.property.as_deref() == Some(SHOP) && request.body["dateRanges"][0]["startDate"] == "2026-11-24"
    };
    pair.wait_for_many(1, moved).await;
    pair.until("the new zone", |metrics| {
        metrics.0.keys().any(|series| series.contains("property_info") && series.contains("time_zone=\"Asia/Tokyo\""))
    })
    .await;
    pair.all_up(&[SHOP]).await;
}

#[tokio::test]
async fn days_of_an_unknown_zone_end_with_the_soonest_midnight() {
    let slow = "{discovery: {enabled: true}, reports: {traffic: {interval: 15m}}, baseline: {enabled: false}}";
    for effect in [Effect::TimeZone("Mars/Olympus".to_owned()), Effect::NoTimeZone] {
        let setup = Setup::new().config(slow).starting_at("2026-11-23T16:50:00Z");
        let pair = setup.fault(Fault::new(effect.clone()).on(Method::RunReport)).start().await;
        let metrics = pair.all_up(&[SHOP]).await;
        assert!(metrics.has(SHOP, "today_pageviews"), "{effect:?}");
        pair.simulator.clear_faults();
        pair.simulator.inject(Fault::new(Effect::Hang).on(Method::RunReport));
        let midnight: Timestamp = "2026-11-23T17:00:00Z".parse().unwrap();
        pair.clock.advance(midnight.duration_since(pair.clock.now()) - SignedDuration::from_secs(5));
        assert!(pair.metrics().await.has(SHOP, "today_pageviews"), "{effect:?}: it is the same day everywhere");
        pair.advance(6);
        assert!(!pair.metrics().await.has(SHOP, "today_pageviews"), "{effect:?}: somewhere it is another day");
    }
}

#[tokio::test]
async fn dates_of_a_zone_that_was_left_for_an_unknown_one_are_not_shown() {
    let pair = Setup::new().start().await;
    pair.all_up(&[SHOP]).await;
    pair.simulator.inject(Fault::new(Effect::TimeZone("Mars/Olympus".to_owned())).on(Method::RunReport).property(SHOP));
    let is_relative = |request: &ga4_simulator::Request| {
        request.method == Some(Method::RunReport)
            && request.property.as_deref() == Some(SHOP)
            && request.body["dateRanges"][0]["startDate"] == "today"
            && request.status == Some(200)
    };
    let before = pair.simulator.requests().iter().filter(|request| is_relative(request)).count();
    pair.wait_for_many(before + 1, is_relative).await;
    pair.all_up(&[SHOP]).await;
}

#[tokio::test]
async fn after_a_day_of_sleep_what_is_due_runs_once() {
    let hourly = "{discovery: {enabled: true, interval: 24h}, reports: {realtime: {interval: 1h}, traffic: {interval: 1h}}, baseline: {enabled: false}}";
    let pair = Setup::new().config(hourly).start().await;
    pair.all_up(&[SHOP, NEWS]).await;
    let before = pair.count(Method::RunReport, "");
    assert_eq!(before, 2);
    pair.advance(25 * 3600);
    pair.until("fresh after the sleep", |metrics| [SHOP, NEWS].iter().all(|id| metrics.has(id, "today_pageviews")))
        .await;
    let answered =
        |id: &&str| pair.requests(Method::RunReport, id).iter().filter(|request| request.status == Some(200)).count();
    assert_eq!([SHOP, NEWS].iter().map(answered).collect::<Vec<_>>(), [2, 2]);
}

#[tokio::test]
async fn a_clock_that_is_set_back_stops_nothing() {
    let pair = Setup::new().start().await;
    pair.all_up(&[SHOP]).await;
    pair.advance(-7200);
    pair.next_request(Method::RunRealtimeReport, SHOP).await;
    pair.next_request(Method::RunReport, SHOP).await;
}

/// When the request was sent that brought the present values of the traffic report.
fn success(metrics: &Metrics) -> f64 {
    metrics.of(SHOP, "report_last_success_timestamp_seconds", "report=\"traffic\"").unwrap_or_default()
}

fn seconds(at: Timestamp) -> f64 {
    at.duration_since(Timestamp::UNIX_EPOCH).as_secs_f64()
}
