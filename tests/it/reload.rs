//! Reading the configuration again: all of it or nothing.

use std::{fs, time::Duration};

use ga4_simulator::{Effect, Fault, Method, Refusal};

use crate::support::{EVERY_SECOND, Metrics, NEWS, SHOP, Setup};

#[tokio::test]
async fn a_reload_has_to_be_allowed() {
    let pair = Setup::new().start().await;
    let (status, text) = pair.post("/-/reload").await;
    assert_eq!(status, 403);
    assert!(text.contains("--web.enable-lifecycle"), "{text}");
}

#[tokio::test]
async fn a_good_file_is_taken_and_known_values_stay() {
    let pair = Setup { lifecycle: true, ..Setup::new() }.start().await;
    pair.all_up(&[SHOP, NEWS]).await;
    let new = "{properties: [313110001], reports: {realtime: {enabled: false}, traffic: {interval: 24h, metrics: [visitors]}}}";
    fs::write(pair.directory.path().join("config.yml"), new).unwrap();
    assert_eq!(pair.post("/-/reload").await.0, 200);
    let metrics = pair.until("one property", |metrics| metrics.own("properties") == Some(1.0)).await;
    assert!(metrics.has(SHOP, "today_visitors") && !metrics.has(SHOP, "today_pageviews"));
    assert!(!metrics.has(SHOP, "realtime_pageviews") && !metrics.has(NEWS, "report_up"));
    assert_eq!(metrics.of(SHOP, "report_interval_seconds", "report=\"traffic\""), Some(86_400.0));
    assert!(pair.get("/config").await.1.contains("313110001"));
}

#[tokio::test]
async fn a_bad_file_changes_nothing_and_says_so() {
    let pair = Setup { lifecycle: true, ..Setup::new() }.start().await;
    pair.all_up(&[SHOP, NEWS]).await;
    let before = pair.get("/config").await.1;
    let path = pair.directory.path().join("config.yml");
    fs::write(&path, "{propertys: [1], stale_after: never}").unwrap();
    let (status, text) = pair.post("/-/reload").await;
    assert_eq!(status, 500);
    assert!(text.contains("`propertys`") && text.contains("`stale_after`"), "both mistakes are told: {text}");
    pair.until("noted", |metrics| metrics.own("config_last_reload_successful") == Some(0.0)).await;
    pair.all_up(&[SHOP, NEWS]).await;
    assert_eq!(pair.get("/config").await.1, before);
    fs::write(&path, EVERY_SECOND).unwrap();
    assert_eq!(pair.post("/-/reload").await.0, 200);
    pair.until("good again", |metrics| metrics.own("config_last_reload_successful") == Some(1.0)).await;
}

#[tokio::test]
async fn a_reload_leaves_what_was_refused_waiting() {
    let refused = Fault::new(Effect::Refuse(Refusal::InvalidArgument)).on(Method::RunReport).property(SHOP);
    let pair = Setup { lifecycle: true, ..Setup::new() }.fault(refused).start().await;
    pair.until("refused", |metrics| metrics.fails_with(SHOP, "traffic", "invalid_request")).await;
    let faster = EVERY_SECOND.replace("realtime: {interval: 1s}", "realtime: {interval: 2s}");
    fs::write(pair.directory.path().join("config.yml"), faster).unwrap();
    assert_eq!(pair.post("/-/reload").await.0, 200);
    pair.advance(600);
    for _ in 0..2 {
        pair.next_request(Method::RunReport, NEWS).await;
    }
    assert_eq!(pair.count(Method::RunReport, SHOP), 1);
}

#[tokio::test]
async fn a_reload_while_requests_are_on_their_way_loses_none() {
    let slow = Fault::new(Effect::Latency(Duration::from_millis(300))).on(Method::RunReport);
    let pair = Setup { lifecycle: true, ..Setup::new() }.fault(slow).start().await;
    let path = pair.directory.path().join("config.yml");
    for metrics in ["[visitors]", "[pageviews]", "[visitors, pageviews]"] {
        pair.next_request(Method::RunReport, SHOP).await;
        fs::write(&path, EVERY_SECOND.replace("traffic: {", &format!("traffic: {{metrics: {metrics}, "))).unwrap();
        assert_eq!(pair.post("/-/reload").await.0, 200);
    }
    let both = |metrics: &Metrics| metrics.has(SHOP, "today_visitors") && metrics.has(SHOP, "today_pageviews");
    pair.until("both metrics", both).await;
    pair.all_up(&[SHOP, NEWS]).await;
}

#[tokio::test]
async fn an_unchanged_file_reloads_nothing() {
    let config = format!("{EVERY_SECOND}properties: [999999999]\n");
    let pair = Setup { lifecycle: true, ..Setup::new() }.config(&config).start().await;
    pair.until("listed", |metrics| metrics.own("discovery_up") == Some(1.0)).await;
    pair.until("asked for", |_| pair.count(Method::GetProperty, "999999999") == 1).await;
    pair.advance(120);
    for _ in 0..50 {
        assert_eq!(pair.post("/-/reload").await.0, 200);
    }
    pair.next_request(Method::RunReport, SHOP).await;
    assert_eq!((pair.count(Method::AccountSummaries, ""), pair.count(Method::GetProperty, "999999999")), (1, 1));
}

#[tokio::test]
async fn a_file_that_changes_often_lists_once_a_minute() {
    let pair = Setup { lifecycle: true, ..Setup::new() }.start().await;
    pair.until("listed", |metrics| metrics.own("discovery_up") == Some(1.0)).await;
    let path = pair.directory.path().join("config.yml");
    for number in 0..20 {
        fs::write(&path, format!("{EVERY_SECOND}stale_after: {}h\n", 1 + number)).unwrap();
        assert_eq!(pair.post("/-/reload").await.0, 200);
    }
    pair.next_request(Method::RunReport, SHOP).await;
    assert_eq!(pair.count(Method::AccountSummaries, ""), 1);
    pair.all_up(&[SHOP, NEWS]).await;
    pair.advance(60);
    pair.next_request(Method::AccountSummaries, "").await;
}
