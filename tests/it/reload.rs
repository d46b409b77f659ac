//! Reading the configuration again: all of it or nothing.

use std::fs;

use crate::support::{EVERY_SECOND, NEWS, SHOP, Setup};

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
