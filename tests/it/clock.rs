//! A clock that is wrong, seen by the dates of Google's answers.

use ga4_simulator::{Effect, Fault, Method};
use jiff::SignedDuration;

use crate::support::{Credentials, Metrics, NEWS, Pair, SHOP, Setup};

/// All of Google's answers are dated this many hours later than the clock.
fn dated(hours: i64) -> Fault {
    Fault::new(Effect::DateAhead(SignedDuration::from_hours(hours)))
}

fn fails_for_the_clock(metrics: &Metrics) -> bool {
    [SHOP, NEWS].iter().all(|id| metrics.fails_with(id, "traffic", "clock"))
}

fn offset(metrics: &Metrics) -> f64 {
    metrics.own("clock_offset_seconds").unwrap()
}

/// Waits until the clock is found wrong: nothing with a date is left, and minutes stay.
async fn until_found(pair: &Pair) -> Metrics {
    let metrics = pair.until("a wrong clock", fails_for_the_clock).await;
    for id in [SHOP, NEWS] {
        for window in ["today", "yesterday", "trailing_7d", "trailing_28d"] {
            assert!(!metrics.has(id, &format!("{window}_pageviews")), "{window} of {id}");
        }
    }
    pair.until("the minutes", |metrics| [SHOP, NEWS].iter().all(|id| metrics.is_up(id, "realtime"))).await
}

#[tokio::test]
async fn a_clock_that_is_wrong_from_the_start_shows_no_day() {
    for (hours, credentials) in [(-24, Credentials::AuthorizedUser), (24, Credentials::MetadataServer)] {
        let setup = Setup { credentials, ..Setup::new() };
        let pair = setup.fault(dated(hours)).start().await;
        let found = pair.until("a wrong clock", |metrics| {
            assert!(
                !metrics.has(SHOP, "today_pageviews") && !metrics.has(NEWS, "today_pageviews"),
                "a wrong day is shown"
            );
            fails_for_the_clock(metrics)
        });
        found.await;
        let metrics = until_found(&pair).await;
        let seconds = -3600.0 * f64::from(i32::try_from(hours).unwrap());
        assert!((offset(&metrics) - seconds).abs() < 60.0, "{}", offset(&metrics));
        pair.simulator.clear_faults();
        let metrics = pair.all_up(&[SHOP, NEWS]).await;
        assert!(metrics.has(SHOP, "today_pageviews") && offset(&metrics).abs() < 1.0, "back by itself");
    }
}

#[tokio::test]
async fn a_clock_that_goes_wrong_takes_the_days_away() {
    let pair = Setup::new().start().await;
    let metrics = pair.all_up(&[SHOP, NEWS]).await;
    assert!(metrics.has(SHOP, "today_pageviews") && offset(&metrics).abs() < 1.0);
    let wrong = pair.simulator.inject(dated(24));
    until_found(&pair).await;
    pair.simulator.clear(wrong);
    pair.all_up(&[SHOP, NEWS]).await;
}

#[tokio::test]
async fn one_connection_is_left_to_ask_over_another() {
    // One report, which is asked for again before anybody else needs a connection.
    let config = "
properties: [313110001]
discovery: {enabled: false}
quota: {share: 100%}
reports:
  realtime: {enabled: false}
  traffic: {interval: 1s}
baseline: {enabled: false}
";
    let pair = Setup::new().config(config).start().await;
    pair.until("up", |metrics| metrics.is_up(SHOP, "traffic")).await;
    pair.simulator.inject(dated(24).on(Method::RunReport));
    pair.until("a wrong clock", |metrics| metrics.fails_with(SHOP, "traffic", "clock")).await;
}

#[tokio::test]
async fn answers_of_a_cache_and_of_one_method_prove_nothing() {
    let pair = Setup::new().fault(Fault::new(Effect::FromCache(86_400))).start().await;
    let metrics = pair.all_up(&[SHOP, NEWS]).await;
    assert_eq!(metrics.own("clock_offset_seconds"), None);
    assert!(metrics.has(SHOP, "today_pageviews"));
    let pair = Setup::new().fault(dated(24).on(Method::RunReport).property(SHOP).times(2)).start().await;
    let metrics = pair.all_up(&[SHOP, NEWS]).await;
    assert!(metrics.has(SHOP, "today_pageviews"));
}
