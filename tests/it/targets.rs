//! What `/sd` and `/probe` say of the properties.

use ga4_simulator::{Effect, Fault, Method};
use serde_json::Value;

use crate::support::{EVERY_SECOND, Metrics, NEWS, Pair, SHOP, Setup};

/// Every report is polled once.
const ONCE: &str = "{discovery: {enabled: true}, reports: {traffic: {interval: 24h}, realtime: {interval: 24h}}, baseline: {enabled: false}}";

async fn targets(pair: &Pair) -> Vec<Value> {
    let (status, json) = pair.get("/sd").await;
    assert_eq!(status, 200, "{json}");
    serde_json::from_str(&json).unwrap()
}

#[tokio::test]
async fn every_known_property_is_a_target_and_its_probe_has_its_series_and_no_others() {
    let pair = Setup::new().config(ONCE).start().await;
    let all = pair.all_up(&[SHOP, NEWS]).await;
    let targets = targets(&pair).await;
    let of = |name: &str| targets.iter().map(|group| group["labels"][name].clone()).collect::<Vec<_>>();
    assert_eq!(of("__param_target"), [SHOP, NEWS]);
    assert_eq!(of("__metrics_path__"), ["/probe", "/probe"]);
    assert_eq!(of("__meta_google_analytics_property_name"), ["Shop", "News"]);
    assert_eq!(of("__meta_google_analytics_time_zone"), ["Europe/Berlin", "Asia/Kolkata"]);
    assert!(targets.iter().all(|group| pair.url("/sd").contains(group["targets"][0].as_str().unwrap())));

    let (status, text) = pair.get(&format!("/probe?target={SHOP}")).await;
    assert_eq!(status, 200, "{text}");
    let names = |metrics: &Metrics, id: &str| -> Vec<String> {
        let is_of = |series: &&String| series.contains(&format!("{{property_id=\"{id}\""));
        metrics.0.keys().filter(is_of).cloned().collect()
    };
    let probed = Metrics::parse(&text);
    assert_eq!(names(&probed, SHOP), names(&all, SHOP));
    assert_eq!(probed.0.len(), names(&probed, SHOP).len(), "neither another property nor the exporter itself");
    let requests = pair.simulator.requests().len();
    pair.get(&format!("/probe?target={NEWS}")).await;
    assert_eq!(pair.simulator.requests().len(), requests, "a probe asks nothing of Google");
    assert_eq!(pair.get("/probe?target=999999999").await.0, 400);
}

#[tokio::test]
async fn before_the_first_listing_targets_are_unknown_and_after_a_minute_they_are_those_of_the_configuration() {
    let config = format!("{EVERY_SECOND}properties: [{SHOP}]\n");
    let hangs = Fault::new(Effect::Hang).on(Method::AccountSummaries);
    let pair = Setup::new().config(&config).fault(hangs).start().await;
    assert_eq!(pair.get("/sd").await, (503, "The properties are not known yet.\n".to_owned()));
    pair.advance(60);
    let targets = targets(&pair).await;
    assert_eq!(targets.len(), 1);
    assert_eq!(targets[0]["labels"]["__param_target"], SHOP);
}
