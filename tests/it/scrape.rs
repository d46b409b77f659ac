//! What a scrape sees, as a whole.

use ga4_simulator::{Account, Effect, Fault, Method, Property, Refusal, World};
use jiff::{SignedDuration, Timestamp};

use crate::support::{NEWS, SHOP, START, Setup};

/// One property whose numbers stand still, and one without access.
fn still_world(start: &str) -> World {
    let start: Timestamp = start.parse().unwrap();
    let silence = start - SignedDuration::from_mins(3);
    let shop = Property::new(SHOP, "Café \"Zoë\" \\ Shop")
        .time_zone("Europe/Berlin")
        .currency("EUR")
        .pageviews_per_hour(2_400.0)
        .outage(silence, start + SignedDuration::from_hours(9));
    let closed = Property::new(NEWS, "Closed").without_data_access();
    World::new(7).account(Account::new("104112001", "Example").property(shop).property(closed))
}

/// A little after noon in Berlin, so that yesterday is expected to be complete.
const NOON: &str = "2026-11-23T11:30:00Z";

const ONCE: &str = "{discovery: {enabled: true}, reports: {realtime: {interval: 24h}, traffic: {interval: 24h}}}";

/// Leaves out what depends on the moment and on the machine.
fn masked(text: &str) -> String {
    let is_of_the_moment = |series: &str| {
        !series.starts_with('#')
            && (["_timestamp_seconds", "_duration_seconds", "process_", "exporter_web_re"]
                .iter()
                .any(|part| series.contains(part))
                || series.ends_with("exporter_web_connections"))
    };
    let mask = |line: &str| match line.rsplit_once(' ') {
        Some((series, _)) if series.contains("exporter_build_info{") => {
            "google_analytics_exporter_build_info{…} 1\n".to_owned()
        }
        Some((series, _)) if is_of_the_moment(series) => format!("{series} …\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(mask).collect()
}

#[tokio::test]
async fn the_whole_of_metrics() {
    let pair = Setup::of(still_world(NOON)).config(ONCE).starting_at(NOON).start().await;
    pair.until("all outcomes", |metrics| {
        metrics.is_up(SHOP, "realtime")
            && metrics.is_up(SHOP, "traffic")
            && metrics.fails_with(NEWS, "realtime", "no_access")
            && metrics.fails_with(NEWS, "traffic", "no_access")
            && metrics.fails_with(NEWS, "baseline", "no_access")
            && metrics.has(SHOP, "monitor_expected_low_events")
    })
    .await;
    // What the exporter says of itself is at most a second old.
    pair.advance(2);
    let (_, text) = pair.get("/metrics").await;
    insta::assert_snapshot!(masked(&text));
    let again = pair.get("/metrics").await.1;
    assert_eq!(text, again, "nothing has changed, so nothing changes");
}

#[tokio::test]
async fn everything_known_is_there_from_the_first_scrape_on() {
    let mut setup = Setup::new().fault(Fault::new(Effect::Hang));
    setup.properties = vec![SHOP];
    setup.config = None;
    let pair = setup.start().await;
    let metrics = pair.metrics().await;
    for report in ["realtime", "traffic"] {
        assert_eq!(metrics.of(SHOP, "report_up", &format!("report=\"{report}\"")), Some(0.0));
    }
    assert!(metrics.has(SHOP, "property_info") && !metrics.has(SHOP, "report_failure"));
    assert!(metrics.own("build_info{version=\"0.1.0\"").is_none() && metrics.own("properties") == Some(1.0));
}

#[tokio::test]
async fn the_exporters_own_metrics_can_be_had_alone() {
    let pair = Setup::new().start().await;
    pair.all_up(&[SHOP]).await;
    let (status, text) = pair.get("/metrics?scope=exporter").await;
    assert_eq!(status, 200);
    assert!(text.contains("google_analytics_exporter_properties 2") && !text.contains("property_id"));
    assert_eq!(pair.get("/metrics?scope=everything").await.0, 400);
}

#[tokio::test]
async fn it_is_ready_when_every_report_has_had_an_outcome() {
    let hang = Fault::new(Effect::Hang).on(Method::RunReport).property(SHOP);
    let refuse = Fault::new(Effect::Refuse(Refusal::NoAccess)).property(NEWS).on(Method::RunReport);
    let pair = Setup::new().fault(hang).fault(refuse).start().await;
    pair.until("all others", |metrics| {
        metrics.is_up(SHOP, "realtime") && metrics.fails_with(NEWS, "traffic", "no_access")
    })
    .await;
    let (status, text) = pair.get("/-/ready").await;
    assert_eq!(status, 503);
    assert!(text.contains("1 report"), "{text}");
    assert_eq!(pair.get("/-/healthy").await.0, 200);
    pair.advance(60);
    assert_eq!(pair.get("/-/ready").await.0, 200, "after a minute at the latest");
}

#[tokio::test]
async fn it_stays_ready_whatever_happens() {
    let pair = Setup::new().start().await;
    pair.all_up(&[SHOP, NEWS]).await;
    assert_eq!(pair.get("/-/ready").await.0, 200);
    pair.simulator.inject(Fault::new(Effect::Reset));
    pair.until("trouble", |metrics| metrics.fails_with(SHOP, "traffic", "connection")).await;
    assert_eq!(pair.get("/-/ready").await.0, 200);
}

#[tokio::test]
async fn a_scrape_never_asks_google() {
    let pair = Setup::of(still_world(START)).config(ONCE).start().await;
    pair.until("all outcomes", |metrics| {
        let reports = ["realtime", "traffic", "baseline"];
        reports.iter().all(|report| metrics.is_up(SHOP, report) && metrics.fails_with(NEWS, report, "no_access"))
    })
    .await;
    let before = pair.simulator.requests().len();
    for path in ["/metrics", "/", "/config", "/-/ready", "/-/healthy", "/metrics?scope=exporter"] {
        for _ in 0..5 {
            assert_eq!(pair.get(path).await.0, 200);
        }
    }
    assert_eq!(pair.simulator.requests().len(), before);
}
