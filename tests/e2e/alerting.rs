//! From traffic to the page: the exporter, a real Prometheus with the rules that are shipped, a real Alertmanager with
//! the example's configuration, and somebody on call.
//!
//! Everything takes its real time but the traffic, whose outage is short, and what alerts and notifications wait for
//! (see `Prometheus::alerting` and `Alertmanager::notifying`).

use std::{collections::BTreeSet, time::Duration};

use google_analytics_exporter::simulator::{Account, Effect, Fault, Method, Property, Refusal, Simulator, World};
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
async fn the_property_that_stops_pages_once_and_the_page_ends() {
    let webhook = Webhook::start().await;
    let alertmanager = Alertmanager::notifying(&webhook).await;
    let directory = TempDir::new().unwrap();
    let exporter = demo_with(directory.path(), &["--demo.outage", "9m"]).await;
    let prometheus = Prometheus::alerting(&exporter.address, &alertmanager.address).await;

    within(minutes(17), "the page", async || {
        let pages = pages(&webhook);
        let is_drop = |told: &Told| told.alert == "GoogleAnalyticsTrafficDrop" && told.status == "firing";
        if pages.iter().any(is_drop) { Ok(()) } else { Err(webhook.log()) }
    })
    .await;
    within(minutes(10), "the end of the page", async || if has_ended(&webhook) { Ok(()) } else { Err(webhook.log()) })
        .await;
    only_the_stopping_property_paged(&webhook);

    let ended = exporter.process.stopped_by("KILL").await;
    assert_eq!(ended.code(), None, "it was killed");
    within(minutes(5), "the exporter's absence", async || {
        let is_down = |told: &Told| told.alert == "GoogleAnalyticsExporterDown" && told.status == "firing";
        if pages(&webhook).iter().any(is_down) { Ok(()) } else { Err(webhook.log()) }
    })
    .await;
    let after: Vec<Told> =
        pages(&webhook).into_iter().filter(|told| told.alert != "GoogleAnalyticsExporterDown").collect();
    assert_eq!(
        after.iter().filter(|told| told.status == "firing").map(|told| &told.group).collect::<BTreeSet<_>>().len(),
        1
    );
    assert!(has_ended(&webhook), "a dead exporter is no drop of traffic: {}", webhook.log());
    let drops = "count(ALERTS{alertname=~\"GoogleAnalytics(TrafficDrop.*|NoTraffic)\"})";
    assert!(prometheus.query(drops).await.is_empty(), "a drop without figures");
    println!("{}", webhook.log());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes 6 minutes, and needs prometheus and alertmanager: make test runs it"]
async fn an_outage_of_googles_is_late_data_and_no_drop() {
    let webhook = Webhook::start().await;
    let alertmanager = Alertmanager::notifying(&webhook).await;
    let simulator =
        Simulator::on_loopback(six_sites(), || google_analytics_exporter::clock::Clock::system().now()).await.unwrap();
    let exporter =
        Exporter::start(&simulator, "{discovery: {enabled: true}, reports: {realtime: {interval: 15s}}}").await;
    let prometheus = Prometheus::alerting(&exporter.address, &alertmanager.address).await;
    let watched = "count(google_analytics_window_expected_low_pageviews{window=\"10m\"})";
    within(minutes(2), "six windows", async || match prometheus.value(watched).await {
        Ok(6.0) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    let unavailable = Fault::new(Effect::Refuse(Refusal::Unavailable));
    simulator.inject(unavailable.on(Method::RunReport).on(Method::RunRealtimeReport));
    within(minutes(8), "late data", async || {
        let stale: BTreeSet<String> = webhook
            .told()
            .into_iter()
            .filter(|told| told.alert == "GoogleAnalyticsStale" && told.status == "firing")
            .map(|told| told.property)
            .collect();
        if stale.len() == 6 { Ok(()) } else { Err(webhook.log()) }
    })
    .await;
    let drops = "count(count_over_time(ALERTS{alertname=~\"GoogleAnalytics(TrafficDrop.*|NoTraffic)\"}[15m]))";
    assert!(prometheus.query(drops).await.is_empty(), "late data is no drop");
    assert!(pages(&webhook).is_empty(), "{}", webhook.log());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes 2 minutes, and needs prometheus and alertmanager: make test runs it"]
async fn the_empty_answers_of_the_real_google_page_no_traffic() {
    let webhook = Webhook::start().await;
    let alertmanager = Alertmanager::notifying(&webhook).await;
    let simulator =
        Simulator::on_loopback(six_sites(), || google_analytics_exporter::clock::Clock::system().now()).await.unwrap();
    let exporter =
        Exporter::start(&simulator, "{discovery: {enabled: true}, reports: {realtime: {interval: 15s}}}").await;
    let prometheus = Prometheus::alerting(&exporter.address, &alertmanager.address).await;
    let watched = "count(google_analytics_window_expected_low_pageviews{window=\"10m\"} > 0)";
    within(minutes(2), "six windows", async || match prometheus.value(watched).await {
        Ok(6.0) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    for (method, body) in [
        (Method::RunRealtimeReport, r#"{"kind": "analyticsData#runRealtimeReport"}"#),
        (Method::RunReport, r#"{"metadata": {"currencyCode": "USD"}, "kind": "analyticsData#runReport"}"#),
    ] {
        simulator.inject(Fault::new(Effect::Raw(200, body.to_owned())).on(method).property(STOPPED));
    }
    within(minutes(17), "the page", async || {
        let is_it = |told: &Told| told.alert == "GoogleAnalyticsNoTraffic" && told.status == "firing";
        if pages(&webhook).iter().any(is_it) { Ok(()) } else { Err(webhook.log()) }
    })
    .await;
    let paged: BTreeSet<String> = pages(&webhook).into_iter().map(|told| told.property).collect();
    assert_eq!(paged.iter().map(String::as_str).collect::<Vec<_>>(), [STOPPED], "{}", webhook.log());
    let failing = prometheus.query("google_analytics_report_failure or google_analytics_report_up == 0").await;
    assert!(failing.is_empty(), "an empty answer is no failure");
    println!("{}", webhook.log());
}

/// What woke somebody up.
fn pages(webhook: &Webhook) -> Vec<Told> {
    webhook.told().into_iter().filter(|told| told.path == "/on-call").collect()
}

/// Whether every page on a property was told to be over, and nothing came after that.
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

/// Six properties, so that many could drop at the same time.
fn six_sites() -> World {
    let site = |id: u32| Property::new(id.to_string(), format!("Site {id}")).steady().pageviews_per_hour(3_000.0);
    let account = (81..87).fold(Account::new("104112001", "Example"), |account, id| account.property(site(id)));
    World::new(3).account(account)
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_mins(minutes)
}

/// The one of the six sites that has no traffic any more.
const STOPPED: &str = "83";
