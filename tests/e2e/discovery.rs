//! Real Prometheus servers that find the properties by `/sd` and share them.

use std::{collections::BTreeSet, fs, path::Path};

use tempfile::TempDir;

use crate::{
    exporter::{Exporter, binary},
    process::{Process, eventually},
    prometheus::Prometheus,
};

/// The configuration that is shipped, for a Prometheus that is number `shard` of two: with the relabelling that is a comment in it,
/// this exporter's address and shorter intervals.
fn shared(address: &str, shard: usize) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus/prometheus-probe.yml");
    let shipped = fs::read_to_string(path).unwrap();
    let (before, sharing) = shipped.split_once("      # Several Prometheus servers share the properties").unwrap();
    let rules = sharing
        .lines()
        .filter_map(|line| line.strip_prefix("      # "))
        .filter(|line| line.starts_with("- ") || line.starts_with("  "));
    let mut config = before.to_owned();
    for rule in rules {
        config.push_str(&format!("      {rule}\n"));
    }
    assert!(config.contains("modulus: 2") && config.contains("regex: \"0\""), "{config}");
    let config = config.replace("regex: \"0\"", &format!("regex: \"{shard}\""));
    let (without_alerting, scraping) = config.split_once("alerting:").unwrap();
    let (_, scraping) = scraping.split_once("scrape_configs:").unwrap();
    let config = format!("{without_alerting}scrape_configs:{scraping}");
    config
        .replace("localhost:9674", address)
        .replace("scrape_interval: 30s", "scrape_interval: 1s\n  scrape_timeout: 1s")
        .replace("refresh_interval: 1m", "refresh_interval: 1s")
        .replace("  - rules/*.yml", "  []")
}

/// The properties that a Prometheus has as targets that answer.
async fn targets(prometheus: &Prometheus) -> BTreeSet<String> {
    let up = prometheus.query("up{job=\"google_analytics_properties\"} == 1").await;
    up.iter().map(|series| series.label("property_id").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs prometheus: make test runs it"]
async fn two_prometheus_servers_share_the_properties_of_the_demo() {
    let home = TempDir::new().unwrap();
    let demo = Process::start(binary(home.path()).args(["demo", "--web.listen-address", "127.0.0.1:0"]));
    let exporter = Exporter::of(demo).await;
    exporter.ready().await;
    let (_, json) = exporter.page("/sd", "application/json").await;
    let listed: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    let all: BTreeSet<String> =
        listed.iter().map(|group| group["labels"]["__param_target"].as_str().unwrap().to_owned()).collect();
    assert_eq!(all.len(), 8);

    let first = Prometheus::configured(&shared(&exporter.address, 0)).await;
    let second = Prometheus::configured(&shared(&exporter.address, 1)).await;
    eventually("all targets", async || {
        let (ours, theirs) = (targets(&first).await, targets(&second).await);
        let both: BTreeSet<String> = ours.union(&theirs).cloned().collect();
        if both == all && !ours.is_empty() && !theirs.is_empty() && ours.is_disjoint(&theirs) {
            Ok(())
        } else {
            Err(format!("{ours:?} and {theirs:?}"))
        }
    })
    .await;

    for prometheus in [&first, &second] {
        let ours = targets(prometheus).await;
        eventually("the series of its own properties", async || {
            let series = prometheus.query("google_analytics_report_up{report=\"realtime\"}").await;
            let known: BTreeSet<String> = series.iter().map(|one| one.label("property_id").to_owned()).collect();
            let odd = series.iter().any(|one| !one.label("exported_property_id").is_empty());
            if known == ours && !odd { Ok(()) } else { Err(format!("{series:?}")) }
        })
        .await;
        let job = "google_analytics_report_up{job=\"google_analytics\"}";
        assert!(prometheus.query(job).await.is_empty(), "the exporter's own scrape has no property");
        let own = "google_analytics_exporter_properties{job=\"google_analytics\"}";
        eventually("the exporter's own series", async || prometheus.value(own).await).await;
        assert_eq!(prometheus.value(own).await, Ok(8.0));
        assert!(prometheus.query("google_analytics_exporter_properties{job!=\"google_analytics\"}").await.is_empty());
        // A target for each property, all at the same address.
        assert_eq!(prometheus.value("count(count by (instance) (up))").await, Ok(1.0));
    }
}
