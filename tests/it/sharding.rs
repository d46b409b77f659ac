//! Exporters that share the properties between them.

use ga4_simulator::{Account, Method, Property, World};

use crate::support::{EVERY_SECOND, Metrics, Pair, Setup};

/// Twelve properties, of which the configuration names one.
fn properties() -> Vec<String> {
    (0..12).map(|index| format!("{}", 500_000_000 + index)).collect()
}

async fn start(shard: &str) -> Pair {
    let mut account = Account::new("104112001", "Example");
    for id in properties() {
        account = account.property(Property::new(id, "Site").without_traffic());
    }
    let config = format!("{EVERY_SECOND}properties: [500000003]\n");
    let mut setup = Setup::of(World::new(1).account(account)).config(&config);
    setup.shard = shard.parse().unwrap();
    setup.start().await
}

/// How many properties are shown.
fn number_of(metrics: &Metrics) -> f64 {
    let is_shown = |id: &String| {
        metrics.0.contains_key(&format!("google_analytics_report_up{{property_id=\"{id}\",report=\"traffic\"}}"))
    };
    properties().iter().filter(|id| is_shown(id)).map(|_| 1.0).sum()
}

#[tokio::test]
async fn each_property_is_polled_by_one_shard_and_shown_by_no_other() {
    let mut all = Vec::new();
    for shard in ["0/3", "1/3", "2/3"] {
        let pair = start(shard).await;
        // Those that are counted come into the store a moment later.
        let all_known = |metrics: &Metrics| {
            metrics.own("known_properties") == Some(12.0) && metrics.own("properties") == Some(number_of(metrics))
        };
        let metrics = pair.until("all are known", all_known).await;
        let (index, _) = shard.split_once('/').unwrap();
        let labels = format!("google_analytics_exporter_shard_info{{shard=\"{index}\",shards=\"3\"}}");
        assert_eq!(metrics.0.get(&labels), Some(&1.0));
        let is_here = |id: &String| {
            metrics.0.contains_key(&format!("google_analytics_report_up{{property_id=\"{id}\",report=\"traffic\"}}"))
        };
        let here: Vec<String> = properties().into_iter().filter(is_here).collect();
        let ids: Vec<&str> = here.iter().map(String::as_str).collect();
        pair.all_up(&ids).await;
        for id in properties() {
            let asked = pair.count(Method::BatchRunReports, &id) + pair.count(Method::RunReport, &id);
            assert_eq!(asked > 0, here.contains(&id), "shard {shard} and {id}");
        }
        all.extend(here);
    }
    all.sort_unstable();
    assert_eq!(all, properties());
}
