//! Reloads that add, change and remove reports of one's own, while somebody scrapes without a pause.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use ga4_simulator::Method;
use tokio::task::JoinSet;

use crate::{
    own_reports::{NOON, config, series, still_world},
    support::{Metrics, Pair, SHOP, Setup},
};

/// What every configuration here has.
const KEPT: &str =
    "  pages: {preset: pages, interval: 24h}\n  realtime_events: {preset: realtime_events, interval: 24h}\n";

/// A report of pageviews by device, of these devices.
fn devices(filter: &str) -> String {
    format!(
        "{KEPT}  changing: {{dimensions: [deviceCategory], metrics: [pageviews], filter: {filter}, interval: 24h}}\n"
    )
}

/// The series whose names end like this.
fn values(metrics: &Metrics, ends: &[&str]) -> Vec<(String, f64)> {
    ends.iter().flat_map(|end| series(metrics, SHOP, end)).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The series of the reports that stay.
fn kept(metrics: &Metrics) -> Vec<(String, f64)> {
    values(metrics, &["pages_pageviews", "pages_active_users", "realtime_events_events"])
}

/// Whether the changing report shows this device.
fn shows(metrics: &Metrics, device: &str) -> bool {
    series(metrics, SHOP, "changing_pageviews").iter().any(|(name, _)| name.contains(device))
}

async fn reload(pair: &Pair, reports: &str) {
    fs::write(pair.directory.path().join("config.yml"), config(reports)).unwrap();
    assert_eq!(pair.post("/-/reload").await.0, 200);
}

/// Somebody who scrapes without a pause.
struct Scraper {
    is_over: Arc<AtomicBool>,
    scrapes: JoinSet<Vec<Metrics>>,
}

impl Scraper {
    fn begin(pair: &Pair) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let (url, over) = (pair.url("/metrics"), Arc::clone(&is_over));
        let mut scrapes = JoinSet::new();
        scrapes.spawn(async move {
            let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
            let mut scrapes = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let response = client.get(&url).send().await.unwrap();
                assert_eq!(response.status().as_u16(), 200);
                scrapes.push(Metrics::parse(&response.text().await.unwrap()));
            }
            scrapes
        });
        Self { is_over, scrapes }
    }

    /// All scrapes, none of which failed.
    async fn end(mut self) -> Vec<Metrics> {
        self.is_over.store(true, Ordering::Relaxed);
        let scrapes = self.scrapes.join_next().await.unwrap().unwrap();
        assert!(scrapes.len() > 10, "{}", scrapes.len());
        scrapes
    }
}

#[tokio::test]
async fn reports_come_change_and_go_and_the_others_stay_as_they_are() {
    let setup = Setup { lifecycle: true, ..Setup::of(still_world()) };
    let pair = setup.config(&config(KEPT)).starting_at(NOON).start().await;
    let metrics =
        pair.until("all", |metrics| metrics.is_up(SHOP, "pages") && metrics.is_up(SHOP, "realtime_events")).await;
    let before = kept(&metrics);
    assert!(before.len() > 3 && !metrics.has(SHOP, "changing_pageviews"), "{before:?}");
    let asked = (pair.count(Method::RunReport, SHOP), pair.count(Method::RunRealtimeReport, SHOP));

    let scraper = Scraper::begin(&pair);
    reload(&pair, &devices("{dimension: deviceCategory, equals: mobile}")).await;
    pair.until("it is added", |metrics| shows(metrics, "mobile")).await;
    reload(&pair, &devices("{dimension: deviceCategory, equals: desktop}")).await;
    pair.until("its filter is another", |metrics| shows(metrics, "desktop")).await;
    reload(&pair, &devices("{not: {dimension: deviceCategory, in: [mobile, desktop]}}")).await;
    pair.until("its filter is turned round", |metrics| {
        shows(metrics, "tablet") && !shows(metrics, "desktop") && !shows(metrics, "mobile")
    })
    .await;
    let renamed = KEPT.to_owned()
        + "  changing: {dimensions: [deviceCategory], metrics: {views: screenPageViews}, interval: 24h, filter: {not: {dimension: \
           deviceCategory, in: [mobile, desktop]}}}\n";
    reload(&pair, &renamed).await;
    pair.until("it has another name, and the same values", |metrics| metrics.has(SHOP, "changing_views")).await;
    reload(&pair, KEPT).await;
    pair.until("it is removed", |metrics| {
        metrics.of(SHOP, "report_up", "report=\"changing\"").is_none() && !metrics.has(SHOP, "changing_views")
    })
    .await;

    let scrapes = scraper.end().await;
    let mut has_changed = false;
    for scrape in &scrapes {
        assert_eq!(kept(scrape), before);
        has_changed |= shows(scrape, "desktop");
        assert!(!shows(scrape, "mobile") || !has_changed, "a row of the old filter beside or after the new one");
    }
    assert!(has_changed);
    let more = (pair.count(Method::RunReport, SHOP) - asked.0, pair.count(Method::RunRealtimeReport, SHOP) - asked.1);
    assert_eq!(more, (3, 0), "one request for each change, and none for what stays");
}

#[tokio::test]
async fn a_reload_under_load_fails_no_scrape_and_interrupts_no_series() {
    let kept = "  pages: {preset: pages, interval: 24h}\n  events: {preset: events, interval: 24h}\n";
    let changing = |limit: usize| format!("{kept}  changing: {{preset: devices, limit: {limit}, interval: 24h}}\n");
    let pair = Setup { lifecycle: true, ..Setup::of(still_world()) }
        .config(&config(&changing(1)))
        .starting_at(NOON)
        .start()
        .await;
    let metrics = pair
        .until("all", |metrics| ["pages", "events", "changing"].iter().all(|report| metrics.is_up(SHOP, report)))
        .await;
    let unchanged = |metrics: &Metrics| {
        values(metrics, &["pages_pageviews", "pages_active_users", "events_events", "events_active_users"])
    };
    let before = unchanged(&metrics);
    let asked = pair.count(Method::RunReport, SHOP);
    assert!(!before.is_empty());
    let scraper = Scraper::begin(&pair);
    for limit in 2..12 {
        reload(&pair, &changing(limit)).await;
        pair.wait_for_many(asked + limit - 1, |request| {
            request.method == Some(Method::RunReport) && request.property.as_deref() == Some(SHOP)
        })
        .await;
    }
    for scrape in &scraper.end().await {
        assert_eq!(unchanged(scrape), before);
    }
    let again = pair.requests(Method::RunReport, SHOP).into_iter().skip(asked);
    assert!(again.into_iter().all(|request| request.body["dateRanges"][0]["name"] == "changing"));
}
