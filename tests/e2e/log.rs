//! What the log says of quotas.

use ga4_simulator::{Bucket, Effect, Fault, Method, Refusal};

use crate::{exporter::Exporter, worlds::Standstill};

/// The first line of the log that has all of these.
async fn line_with(exporter: &mut Exporter, words: &[&str]) -> String {
    let has_all = |line: &&str| words.iter().all(|word| line.contains(word));
    let found = |_: &str, log: &str| log.lines().find(has_all).map(str::to_owned);
    exporter.process.shows(&words.join(", "), found).await
}

#[tokio::test]
async fn the_plan_is_told_before_anything_is_spent() {
    let simulator = Standstill::new().simulator().await;
    let mut exporter = Exporter::start(&simulator, "reports: {realtime: {interval: 1s}}").await;
    let traffic = line_with(&mut exporter, &["level=info", "planned for each property", "report=traffic"]).await;
    assert!(traffic.contains("interval=15m") && traffic.contains("tokens_per_hour=40"), "{traffic}");
    let realtime = line_with(&mut exporter, &["level=warn", "cannot be kept", "report=realtime"]).await;
    assert!(realtime.contains("configured=1s") && realtime.contains("share=25%"), "{realtime}");
    let bucket = line_with(&mut exporter, &["level=info", "planned to be spent of the bucket", "category=core"]).await;
    assert!(bucket.contains("percent="), "{bucket}");
    let log = exporter.process.stderr();
    // Polling begins after that.
    assert!(log.find("cannot be kept").unwrap() < log.find("listening on").unwrap(), "{log}");
}

#[tokio::test]
async fn an_empty_bucket_is_told_with_the_time_until_which_it_is_left_alone() {
    let simulator = Standstill::new().simulator().await;
    simulator.inject(Fault::new(Effect::Refuse(Refusal::Exhausted(Bucket::Hour))).on(Method::RunReport));
    let mut exporter = Exporter::start(&simulator, "").await;
    let line = line_with(&mut exporter, &["level=warn", "reason=quota_hour", "report=traffic"]).await;
    let (_, until) = line.split_once("closed_until=").unwrap_or_else(|| panic!("{line}"));
    let until: jiff::Timestamp = until.split(' ').next().unwrap().trim_matches('"').parse().unwrap();
    let minutes = until.duration_since(google_analytics_exporter::clock::Clock::system().now()).as_mins();
    assert!((25..=30).contains(&minutes), "{line}");
}
