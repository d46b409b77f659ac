//! How long a rendering is reused, and by whom.

use std::{sync::atomic::Ordering, time::Duration};

use google_analytics_exporter::http::Settings;
use jiff::{SignedDuration, Timestamp};

use crate::support::{Server, scrape, within};

const GZIP: &str = "Accept-Encoding: gzip\r\n";

/// The longest that a text serves after a change: see `patient`.
const HALF_AN_HOUR: SignedDuration = SignedDuration::from_mins(30);

/// Every scrape sees every change.
fn exact(settings: &mut Settings) {
    settings.limits.reuse_changed = Duration::ZERO;
}

#[tokio::test]
async fn an_unchanged_text_is_reused() {
    let server = Server::start();
    for _ in 0..3 {
        server.scrape("").await;
        server.scrape(GZIP).await;
        server.get("/metrics?scope=exporter").await;
        server.scrape("Accept: application/openmetrics-text\r\n").await;
    }
    assert_eq!(server.exporter.rendered(), 3);
}

/// Weaker than it was: every scrape saw every change, until a storm of scrapes rendered everything again after each of them.
#[tokio::test]
async fn a_change_is_seen_when_the_text_before_it_has_served() {
    let server = Server::start();
    let before = server.scrape(GZIP).await.unpacked();
    server.exporter.change();
    assert_eq!(server.scrape(GZIP).await.unpacked(), before);
    server.clock.advance(HALF_AN_HOUR);
    let after = server.scrape(GZIP).await.unpacked();
    assert!(before.ends_with(b"version 0\n") && after.ends_with(b"version 1\n"));
    assert!(server.scrape("").await.text().ends_with("version 1\n"));
}

#[tokio::test]
async fn without_reuse_a_change_is_seen_by_the_next_scrape() {
    let server = Server::with(exact);
    for (number, headers) in ["", GZIP, GZIP, ""].into_iter().enumerate() {
        let answer = server.scrape(headers).await;
        let text = if headers == GZIP { answer.unpacked() } else { answer.body };
        assert!(text.ends_with(format!("version {number}\n").as_bytes()));
        server.exporter.change();
    }
}

#[tokio::test]
async fn the_old_text_serves_while_the_next_is_made() {
    for headers in ["", GZIP] {
        let server = Server::start();
        let old = server.scrape(headers).await.body;
        server.exporter.change();
        server.clock.advance(SignedDuration::from_mins(28));
        let gate = server.exporter.close_gate();
        for _ in 0..3 {
            assert_eq!(server.scrape(headers).await.body, old);
        }
        within(gate.entered).await.unwrap();
        assert_eq!(server.scrape(headers).await.body, old, "nobody waits for the gate");
        // By now it has served for as long as it may.
        server.clock.advance(SignedDuration::from_mins(2));
        let mut late = server.connect().await;
        late.send(&scrape(headers)).await;
        drop(gate.open);
        assert_ne!(late.answer().await.body, old);
        assert_eq!(server.exporter.rendered(), 2);
    }
}

#[tokio::test]
async fn the_old_text_does_not_serve_beyond_a_midnight_while_the_next_is_made() {
    let server = Server::start();
    let midnight = server.clock.now() + SignedDuration::from_mins(29);
    *server.exporter.valid_until.lock().unwrap() = Some(midnight);
    let old = server.scrape("").await.body;
    *server.exporter.valid_until.lock().unwrap() = None;
    server.exporter.change();
    server.clock.advance(SignedDuration::from_mins(28));
    let gate = server.exporter.close_gate();
    assert_eq!(server.scrape("").await.body, old);
    within(gate.entered).await.unwrap();
    server.clock.advance(SignedDuration::from_mins(1));
    let mut late = server.connect().await;
    late.send(&scrape("")).await;
    drop(gate.open);
    assert_ne!(late.answer().await.body, old);
}

#[tokio::test]
async fn an_old_text_is_made_anew() {
    let server = Server::start();
    let first = server.scrape("").await;
    server.clock.advance(SignedDuration::from_hours(1));
    assert_ne!(server.scrape("").await.body, first.body);
    // A clock that is set back makes nothing live longer.
    let second = server.scrape("").await;
    server.clock.advance(SignedDuration::from_hours(-1));
    assert_ne!(server.scrape("").await.body, second.body);
    assert_eq!(server.exporter.rendered(), 3);
}

#[tokio::test]
async fn a_text_is_not_served_after_a_value_in_it_has_expired() {
    let server = Server::start();
    let in_ten_minutes = server.clock.now() + SignedDuration::from_mins(10);
    *server.exporter.valid_until.lock().unwrap() = Some(in_ten_minutes);
    let first = server.scrape("").await;
    assert_eq!(server.scrape("").await.body, first.body);
    server.clock.advance(SignedDuration::from_mins(10));
    assert_ne!(server.scrape("").await.body, first.body);
    // It was already past when that was rendered: it serves nobody else.
    *server.exporter.valid_until.lock().unwrap() = Some(Timestamp::UNIX_EPOCH);
    server.exporter.change();
    server.scrape(GZIP).await;
    server.scrape(GZIP).await;
    assert_eq!(server.exporter.rendered(), 4);
}

#[tokio::test]
async fn concurrent_scrapes_share_a_rendering() {
    let server = Server::start();
    let gate = server.exporter.close_gate();
    let mut clients = Vec::new();
    for number in 0..16 {
        let mut client = server.connect().await;
        client.send(&scrape(if number % 2 == 0 { "" } else { GZIP })).await;
        clients.push(client);
    }
    within(gate.entered).await.unwrap();
    drop(gate.open);
    for mut client in clients {
        let answer = client.answer().await;
        let text = if answer.header("content-encoding").is_some() { answer.unpacked() } else { answer.body };
        assert_eq!(text, b"# Text All rendering 1 version 0\n");
    }
    assert_eq!(server.exporter.rendered(), 1);
}

#[tokio::test]
async fn a_change_during_a_rendering_makes_that_old() {
    let server = Server::with(exact);
    let gate = server.exporter.close_gate();
    let mut early = server.connect().await;
    early.send(&scrape(GZIP)).await;
    within(gate.entered).await.unwrap();
    server.exporter.change();
    let mut late = server.connect().await;
    late.send(&scrape(GZIP)).await;
    drop(gate.open);
    assert!(early.answer().await.unpacked().ends_with(b"version 0\n"));
    assert!(late.answer().await.unpacked().ends_with(b"version 1\n"));
    assert!(server.scrape("").await.text().ends_with("version 1\n"));
}

#[tokio::test]
async fn a_client_that_leaves_does_not_stop_what_others_wait_for() {
    let server = Server::start();
    let gate = server.exporter.close_gate();
    let mut leaver = server.connect().await;
    leaver.send(&scrape(GZIP)).await;
    within(gate.entered).await.unwrap();
    drop(leaver);
    let mut stayer = server.connect().await;
    stayer.send(&scrape(GZIP)).await;
    drop(gate.open);
    assert_eq!(stayer.answer().await.unpacked(), b"# Text All rendering 1 version 0\n");
    assert_eq!(server.exporter.renderings.load(Ordering::SeqCst), 1);
}
