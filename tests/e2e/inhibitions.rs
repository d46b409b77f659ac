//! Several jobs, clusters and strangers in one Alertmanager: an alert keeps only those of its own job silent.

use std::collections::BTreeMap;

use crate::{alertmanager::Alertmanager, process::eventually, webhook::Webhook};

#[tokio::test]
#[ignore = "needs alertmanager: make test runs it"]
async fn alerts_keep_only_those_of_their_own_job_silent() {
    let webhook = Webhook::start().await;
    let alertmanager = Alertmanager::notifying(&webhook).await;
    let sources = ["DropEverywhere job=shops", "NoTraffic job=blogs property_id=2", "AuthFailing job=news instance=a"];
    let silent = [
        "TrafficDrop job=shops property_id=1",
        "NoTraffic job=shops property_id=2",
        "TrafficDrop job=blogs property_id=2",
        "ReportFailing job=shops property_id=5 report=traffic",
        "Stale job=news property_id=3 report=traffic",
    ];
    let heard = [
        "TrafficDrop job=shops property_id=1 monitor=purchases",
        "TrafficDrop job=shops property_id=1 cluster=b",
        "TrafficDrop job=blogs property_id=1",
        "TrafficDrop job=news property_id=2",
        "Stale job=shops property_id=5 report=traffic",
        "ReportFailing job=shops property_id=5 report=realtime",
        "ReportFailing job=blogs property_id=5 report=traffic",
        "AnothersAlert job=shops property_id=1",
    ];
    let all: Vec<_> = sources.iter().chain(&silent).chain(&heard).map(|text| labels(text)).collect();
    alertmanager.send(&all).await;
    eventually("what is kept silent", async || {
        let known = alertmanager.inhibited().await;
        let is_silent = |text: &&str| {
            let wanted: BTreeMap<String, String> =
                labels(text).into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            known.iter().any(|(labels, is_inhibited)| *labels == wanted && *is_inhibited)
        };
        let found: Vec<&str> = sources.into_iter().chain(silent).chain(heard).filter(is_silent).collect();
        if known.len() == all.len() && found == silent { Ok(()) } else { Err(format!("{found:?} of {known:?}")) }
    })
    .await;
}

/// The labels of an alert that is written as its name and what it has beside the severity; most are of pageviews.
fn labels(text: &str) -> BTreeMap<&str, &str> {
    let mut parts = text.split(' ');
    let name = match parts.next().unwrap() {
        "DropEverywhere" => "GoogleAnalyticsTrafficDropEverywhere",
        "TrafficDrop" => "GoogleAnalyticsTrafficDrop",
        "NoTraffic" => "GoogleAnalyticsNoTraffic",
        "AuthFailing" => "GoogleAnalyticsAuthFailing",
        "Stale" => "GoogleAnalyticsStale",
        "ReportFailing" => "GoogleAnalyticsReportFailing",
        other => other,
    };
    let mut labels = BTreeMap::from([("alertname", name), ("severity", "critical"), ("monitor", "pageviews")]);
    labels.extend(parts.map(|part| part.split_once('=').unwrap()));
    labels
}
