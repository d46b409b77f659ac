//! From traffic to the page: the exporter, a real Prometheus with the rules that are shipped, a real Alertmanager with
//! the example's configuration, and somebody on call.
//!
//! Everything takes its real time but the traffic, whose outage is short, and what alerts and notifications wait for
//! (see `Prometheus::alerting` and `Alertmanager::notifying`).

use std::{collections::BTreeSet, time::Duration};

use ga4_simulator::{Account, Effect, Fault, Method, Property, Refusal, Simulator, World};
use tempfile::TempDir;

use crate::{
    alertmanager::Alertmanager,
    demo::demo_with,
    exporter::Exporter,
    process::within,
    prometheus::Prometheus,
    webhook::{Told, Webhook},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes 20 minutes, and needs prometheus and alertmanager: make test runs it"]
async fn what_happens_pages_once_and_late_data_does_not() {
    let webhook = Webhook::start().await;
    let alertmanager = Alertmanager::notifying(&webhook).await;
    let directory = TempDir::new().unwrap();
    let demo = demo_with(directory.path(), &["--demo.outage", "9m"]).await;
    let simulator = Simulator::on_loopback(seven_sites(), || google_analytics_exporter::clock::Clock::system().now())
        .await
        .unwrap();
    let sites = Exporter::start(&simulator, "{discovery: {enabled: true}, reports: {realtime: {interval: 15s}}}").await;
    let prometheus = Prometheus::alerting(&[&demo.address, &sites.address], &alertmanager.address).await;

    // They share no property, so that each sees only its own.
    tokio::join!(
        an_outage_of_one_property(demo, &prometheus, &webhook),
        an_outage_of_googles(&simulator, &prometheus, &webhook),
        a_property_that_falls_silent(&simulator, &prometheus, &webhook),
    );
    println!("{}", webhook.log());
}

/// The demo's property that stops: one page, its end, and no page from an exporter that is dead.
async fn an_outage_of_one_property(demo: Exporter, prometheus: &Prometheus, webhook: &Webhook) {
    within(minutes(17), "the page", async || {
        let is_drop = |told: &Told| told.alert == "GoogleAnalyticsTrafficDrop" && told.status == "firing";
        if pages(webhook).iter().any(is_drop) { Ok(()) } else { Err(webhook.log()) }
    })
    .await;
    within(minutes(10), "the end of the page", async || if has_ended(webhook) { Ok(()) } else { Err(webhook.log()) })
        .await;
    only_the_stopping_property_paged(webhook);

    let ended = demo.process.stopped_by("KILL").await;
    assert_eq!(ended.code(), None, "it was killed");
    within(minutes(5), "the exporter's absence", async || {
        let is_down = |told: &Told| told.alert == "GoogleAnalyticsExporterDown" && told.status == "firing";
        if all_pages(webhook).iter().any(is_down) { Ok(()) } else { Err(webhook.log()) }
    })
    .await;
    let after = pages(webhook);
    let firing = after.iter().filter(|told| told.status == "firing");
    assert_eq!(firing.map(|told| &told.group).collect::<BTreeSet<_>>().len(), 1);
    assert!(has_ended(webhook), "a dead exporter is no drop of traffic: {}", webhook.log());
    let drops = format!("count(ALERTS{{alertname=~\"{DROPS}\",property_id=\"{}\"}})", World::DEMO_STOPPING);
    assert!(prometheus.query(&drops).await.is_empty(), "a drop without figures");
}

/// Google refuses everything on six properties: late data, and no drop.
async fn an_outage_of_googles(simulator: &Simulator, prometheus: &Prometheus, webhook: &Webhook) {
    watched(prometheus, 6.0, OUTAGE).await;
    for id in SITES {
        let unavailable = Fault::new(Effect::Refuse(Refusal::Unavailable)).property(id.to_string());
        simulator.inject(unavailable.on(Method::RunReport).on(Method::RunRealtimeReport));
    }
    within(minutes(8), "late data", async || {
        let is_stale = |told: &Told| told.alert == "GoogleAnalyticsStale" && told.status == "firing";
        let stale = webhook.told().into_iter().filter(is_stale).map(|told| told.property);
        if stale.collect::<BTreeSet<_>>().len() == 6 { Ok(()) } else { Err(webhook.log()) }
    })
    .await;
    let drops = format!("count(count_over_time(ALERTS{{alertname=~\"{DROPS}\",property_id=~\"{OUTAGE}\"}}[15m]))");
    assert!(prometheus.query(&drops).await.is_empty(), "late data is no drop");
    let paged = all_pages(webhook).into_iter().filter(|told| SITES.iter().any(|id| told.property == id.to_string()));
    assert_eq!(paged.count(), 0, "{}", webhook.log());
}

/// Google's shortest answer: its kind and nothing else. That is no traffic, and it pages.
async fn a_property_that_falls_silent(simulator: &Simulator, prometheus: &Prometheus, webhook: &Webhook) {
    watched(prometheus, 1.0, SILENT).await;
    let empty = Fault::play("rt-empty-kind-only").expect("it was recorded").property(SILENT);
    simulator.inject(empty);
    within(minutes(10), "the page of no traffic", async || {
        let is_silent = |told: &Told| {
            told.alert == "GoogleAnalyticsNoTraffic" && told.property == SILENT && told.status == "firing"
        };
        if all_pages(webhook).iter().any(is_silent) { Ok(()) } else { Err(webhook.log()) }
    })
    .await;
    let zero = format!("google_analytics_realtime_pageviews{{property_id=\"{SILENT}\"}}");
    assert_eq!(prometheus.value(&zero).await, Ok(0.0));
    let up = format!("min(google_analytics_report_up{{property_id=\"{SILENT}\"}})");
    assert_eq!(prometheus.value(&up).await, Ok(1.0), "an empty answer is no failure");
}

/// Waits until this many of these properties have a bound.
async fn watched(prometheus: &Prometheus, count: f64, properties: &str) {
    let bounds =
        format!("count(google_analytics_monitor_expected_low_events{{window=\"10m\",property_id=~\"{properties}\"}})");
    within(minutes(3), "bounds", async || match prometheus.value(&bounds).await {
        Ok(value) if (value - count).abs() < 0.5 => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

/// What woke somebody up.
fn all_pages(webhook: &Webhook) -> Vec<Told> {
    webhook.told().into_iter().filter(|told| told.path == "/on-call").collect()
}

/// The pages about the demo's properties.
fn pages(webhook: &Webhook) -> Vec<Told> {
    let is_other = |told: &Told| told.property.is_empty() || told.property == SILENT;
    all_pages(webhook).into_iter().filter(|told| !is_other(told)).collect()
}

/// Whether every page about a property was resolved, with none after that.
fn has_ended(webhook: &Webhook) -> bool {
    let pages: Vec<Told> = pages(webhook).into_iter().filter(|told| !told.property.is_empty()).collect();
    let is_over = |told: &Told| {
        let last = pages.iter().rfind(|other| other.alert == told.alert && other.property == told.property);
        last.is_some_and(|last| last.status == "resolved")
    };
    !pages.is_empty() && pages.iter().all(is_over)
}

fn only_the_stopping_property_paged(webhook: &Webhook) {
    let groups: BTreeSet<(String, String)> =
        pages(webhook).into_iter().map(|told| (told.group, told.property)).collect();
    let properties: Vec<&str> = groups.iter().map(|(_, property)| property.as_str()).collect();
    assert_eq!(properties, [World::DEMO_STOPPING], "{}", webhook.log());
}

/// Six properties for an outage of Google's, and one that falls silent.
fn seven_sites() -> World {
    let site = |id: String| Property::new(id.clone(), format!("Site {id}")).steady().pageviews_per_hour(3_000.0);
    let ids = SITES.iter().map(ToString::to_string).chain([SILENT.to_owned()]);
    World::new(3).account(ids.fold(Account::new("104112001", "Example"), |account, id| account.property(site(id))))
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_mins(minutes)
}

const SITES: [u32; 6] = [81, 82, 83, 84, 85, 86];

/// The same for PromQL.
const OUTAGE: &str = "8[1-6]";

const SILENT: &str = "91";

const DROPS: &str = "GoogleAnalytics(TrafficDrop.*|NoTraffic)";
