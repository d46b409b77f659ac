//! A real Prometheus scrapes the exporter.

use std::collections::{BTreeMap, BTreeSet};

use ga4_simulator::{Bucket, Simulator};

use crate::{
    exporter::Exporter,
    process::eventually,
    prometheus::{Prometheus, Series},
    worlds::{Standstill, truth},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs prometheus: make test runs it"]
async fn prometheus_has_what_is_true_and_finds_nothing_wrong() {
    let standstill = Standstill::new();
    let simulator = standstill.simulator().await;
    let exporter = Exporter::start(&simulator, BRISK).await;
    let prometheus = Prometheus::scraping(&exporter.address).await;
    eventually("the truth in Prometheus", async || values_are_true(&prometheus, &simulator, &standstill).await).await;

    every_family_has_arrived(&prometheus, &exporter).await;
    nothing_was_dropped(&prometheus, &exporter).await;
    info_is_as_configured(&prometheus).await;
    quotas_are_what_google_says(&prometheus, &simulator, &standstill).await;

    assert_eq!(prometheus.value("min_over_time(up{job=\"exporter\"}[5m])").await, Ok(1.0), "a scrape has failed");
    let types = prometheus.metadata("google_analytics_exporter_api_requests").await;
    assert_eq!(types[0]["type"], "counter", "only OpenMetrics names counters without _total");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs prometheus: make test runs it"]
async fn without_google_the_series_end_and_come_back_by_themselves() {
    let standstill = Standstill::new();
    let simulator = standstill.simulator().await;
    let address = simulator.address().to_string();
    let exporter = Exporter::start(&simulator, SOON_STALE).await;
    let prometheus = Prometheus::scraping(&exporter.address).await;
    eventually("the truth in Prometheus", async || values_are_true(&prometheus, &simulator, &standstill).await).await;

    simulator.shutdown().await;
    eventually("the end of the series", async || none(&prometheus.query(TRAFFIC).await)).await;
    let age = "time() - max(google_analytics_report_last_success_timestamp_seconds)";
    let age = prometheus.value(age).await.unwrap();
    assert!((4.0..60.0).contains(&age), "{age} s old: too soon, or only because Prometheus looks back 5 minutes");
    eventually("the failures", async || {
        let failures = prometheus.query("google_analytics_report_failure == 1").await;
        let reasons: BTreeSet<&str> = failures.iter().map(|series| series.label("reason")).collect();
        if failures.len() == 2 * standstill.ids().len() && reasons == BTreeSet::from(["connection"]) {
            Ok(())
        } else {
            Err(format!("{failures:?}"))
        }
    })
    .await;
    assert_eq!(prometheus.value("count(google_analytics_report_up == 0)").await, Ok(8.0));
    assert_eq!(prometheus.value("up").await, Ok(1.0));
    assert_eq!(prometheus.value("count(google_analytics_property_info)").await, Ok(4.0));
    assert_eq!(prometheus.value("google_analytics_exporter_properties").await, Ok(4.0));
    assert_eq!(prometheus.value("count(google_analytics_exporter_build_info)").await, Ok(1.0));

    // It knows nothing of the tokens that its predecessor gave out.
    let simulator = standstill.simulator_at(&address).await;
    eventually("the truth, again", async || values_are_true(&prometheus, &simulator, &standstill).await).await;
    eventually("no failures", async || none(&prometheus.query("google_analytics_report_failure").await)).await;
    assert_eq!(prometheus.value("min(google_analytics_report_up)").await, Ok(1.0));
    assert_eq!(prometheus.value("min_over_time(up[5m])").await, Ok(1.0), "a scrape has failed");
}

/// Every traffic family of every property, and no others.
async fn values_are_true(
    prometheus: &Prometheus,
    simulator: &Simulator,
    standstill: &Standstill,
) -> Result<(), String> {
    let mut seen: BTreeMap<(String, String), f64> = BTreeMap::new();
    for series in prometheus.query(TRAFFIC).await {
        let key = (series.label("property_id").to_owned(), series.label("__name__").to_owned());
        assert_eq!(seen.insert(key, series.value), None, "twice: {series:?}");
    }
    let mut expected = BTreeMap::new();
    for id in standstill.ids() {
        let values = truth(simulator, id);
        expected.extend(values.into_iter().map(|(name, value)| ((id.to_owned(), name), value)));
    }
    let wrong = expected.iter().filter(|(key, value)| seen.get(key) != Some(value));
    let wrong: Vec<_> = wrong.map(|(key, value)| format!("{key:?}: {:?}, not {value}", seen.get(key))).collect();
    let more: Vec<_> = seen.keys().filter(|key| !expected.contains_key(key)).collect();
    if wrong.is_empty() && more.is_empty() { Ok(()) } else { Err(format!("{wrong:#?}; more than is true: {more:?}")) }
}

/// What the exporter's own page names.
async fn every_family_has_arrived(prometheus: &Prometheus, exporter: &Exporter) {
    let page = exporter.metrics().await;
    let names = page.lines().filter(|line| !line.starts_with('#'));
    let names: BTreeSet<&str> = names.filter_map(|line| line.split(['{', ' ']).next()).collect();
    eventually("every family", async || {
        let series = prometheus.query("{job=\"exporter\"}").await;
        let arrived: BTreeSet<&str> = series.iter().map(|series| series.label("__name__")).collect();
        let missing: Vec<_> = names.difference(&arrived).collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("{missing:?}")) }
    })
    .await;
}

/// As many samples as the page has lines, and none that Prometheus would not take.
async fn nothing_was_dropped(prometheus: &Prometheus, exporter: &Exporter) {
    eventually("all samples", async || {
        let page = exporter.metrics().await;
        let lines = page.lines().filter(|line| !line.starts_with('#')).count();
        let scraped = prometheus.value("scrape_samples_scraped").await?;
        let kept = prometheus.value("scrape_samples_post_metric_relabeling").await?;
        // A line that stands there twice is scraped and kept, but is one series.
        let series = prometheus.value("count({job=\"exporter\", __name__!~\"up|scrape_.*\"})").await?;
        let told = format!("{lines} lines, {scraped} scraped, {kept} kept, {series} series");
        let lines: f64 = lines.to_string().parse().unwrap();
        if [scraped, kept, series] == [lines; 3] { Ok(()) } else { Err(told) }
    })
    .await;
    let refused = prometheus.own("prometheus_target_scrapes_").await;
    assert!(refused.len() >= 5, "{refused:?}");
    assert!(refused.iter().all(|(_, count)| *count == 0.0), "{refused:?}");
}

async fn info_is_as_configured(prometheus: &Prometheus) {
    let info = prometheus.query("google_analytics_property_info{property_id=\"71\"}").await;
    let [info] = info.as_slice() else { panic!("{info:?}") };
    for (label, value) in [
        ("property_name", "Café \"Zoë\" \\ Shop"),
        ("account_id", "104112001"),
        ("account_name", "Example \"Group\""),
        ("currency", "EUR"),
        ("site", "a\\b\"c"),
    ] {
        assert_eq!(info.label(label), value, "{label}");
    }
    assert_ne!(info.label("time_zone"), "");
    let join = "sum by (property_name) (google_analytics_today_pageviews * on (property_id) group_left (property_name) \
                topk by (property_id) (1, google_analytics_property_info))";
    assert_eq!(prometheus.query(join).await.len(), 4, "the documented join");
}

/// Polls go on spending, so that each series is right at some moment, not all at one.
async fn quotas_are_what_google_says(prometheus: &Prometheus, simulator: &Simulator, standstill: &Standstill) {
    let mut wanted = BTreeSet::new();
    for id in standstill.ids() {
        for category in ["core", "realtime"] {
            for (bucket, label) in [(Bucket::Day, "day"), (Bucket::Hour, "hour"), (Bucket::ProjectHour, "project_hour")]
            {
                wanted.insert((id, category, label));
                // Others draw on the same buckets.
                simulator.take_core_quota(id, bucket, 123);
            }
        }
    }
    eventually("Google's quotas", async || {
        let series = prometheus.query("google_analytics_quota_tokens_remaining").await;
        let told = |id, category, bucket| {
            let right = |series: &&Series| {
                [series.label("property_id"), series.label("category"), series.label("bucket")]
                    == [id, category, bucket]
            };
            series.iter().find(right).map(|series| series.value)
        };
        wanted.retain(|(id, category, bucket)| {
            let left = left(simulator, id, category, bucket);
            told(*id, *category, *bucket) != Some(f64::from(left))
        });
        if wanted.is_empty() { Ok(()) } else { Err(format!("{wanted:?}")) }
    })
    .await;
    let spent = prometheus.query("google_analytics_quota_tokens_spent_total > 0").await;
    assert_eq!(spent.len(), 3 * standstill.ids().len(), "{spent:?}");
}

fn left(simulator: &Simulator, id: &str, category: &str, bucket: &str) -> u32 {
    let bucket = match bucket {
        "day" => Bucket::Day,
        "hour" => Bucket::Hour,
        _ => Bucket::ProjectHour,
    };
    let left = if category == "core" { simulator.core_quota(id, bucket) } else { simulator.realtime_quota(id, bucket) };
    left.unwrap()
}

fn none(series: &[Series]) -> Result<(), String> {
    if series.is_empty() { Ok(()) } else { Err(format!("{} series, like {:?}", series.len(), series.first())) }
}

const TRAFFIC: &str = "{__name__=~\"google_analytics_(realtime|realtime_5m|today|yesterday|trailing_.+d)_.+\",\
                       __name__!~\".*_expected_.*\"}";

const BRISK: &str = "
properties: [{id: 71, labels: {site: 'a\\b\"c'}}]
discovery: {enabled: true}
stale_after: 1m
quota: {share: 100%}
reports: {realtime: {interval: 3s}, traffic: {interval: 3s}}
";

const SOON_STALE: &str = "
stale_after: 4s
quota: {share: 100%}
reports: {realtime: {interval: 1s}, traffic: {interval: 1s}}
";
