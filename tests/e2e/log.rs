//! What the log says: at the start, of quotas, and once for what concerns several reports.

use std::fs;

use ga4_simulator::{Bucket, Effect, Fault, Method, Refusal};
use tempfile::TempDir;

use crate::{
    exporter::{Exporter, serving},
    process::Process,
    worlds::Standstill,
};

/// The first line of the log that has all of these.
async fn line_with(exporter: &mut Exporter, words: &[&str]) -> String {
    let has_all = |line: &&str| words.iter().all(|word| line.contains(word));
    let found = |_: &str, log: &str| log.lines().find(has_all).map(str::to_owned);
    exporter.process.shows(&words.join(", "), found).await
}

/// The number of lines from `level` on that have this.
fn count(log: &str, level: &str, part: &str) -> usize {
    log.lines().filter(|line| line.contains(&format!("level={level}")) && line.contains(part)).count()
}

/// A field that counts nothing says nothing.
#[track_caller]
fn has_no_empty_field(log: &str) {
    for line in log.lines() {
        let is_empty = |field: &str| field.ends_with("=0") || field.ends_with("=\"\"") || field.ends_with('=');
        assert!(!line.split(' ').any(is_empty), "{line}");
    }
}

#[tokio::test]
async fn the_start_says_version_configuration_account_properties_plan_address_and_alert() {
    let simulator = Standstill::new().simulator().await;
    let mut exporter = Exporter::start(&simulator, "").await;
    let starting = line_with(&mut exporter, &["level=info", "starting google_analytics_exporter"]).await;
    assert!(starting.contains(concat!("version=", env!("CARGO_PKG_VERSION"))), "{starting}");
    assert!(starting.contains("config=config.yml") && starting.contains("revision="), "{starting}");
    let signed_in = line_with(&mut exporter, &["level=info", "signed in to Google"]).await;
    assert!(signed_in.contains("account=") && signed_in.contains("iam.gserviceaccount.com"), "{signed_in}");
    let exporting = line_with(&mut exporter, &["level=info", "exporting 4 properties"]).await;
    assert!(exporting.contains("Café") && exporting.contains("Nobody"), "{exporting}");
    line_with(&mut exporter, &["level=info", "quota plan fits: 14 % of the daily realtime quota"]).await;
    let ready = line_with(&mut exporter, &["level=info", "drop alert ready for 3 of 4 properties; until "]).await;
    assert!(ready.contains("learning_until=") && ready.contains("not_ready=Nobody"), "{ready}");
    let log = exporter.process.stderr();
    let place = |part: &str| log.find(part).unwrap_or_else(|| panic!("{part}: {log}"));
    assert!(place("starting ") < place("quota plan") && place("quota plan") < place("listening on"), "{log}");
    assert_eq!(count(&log, "info", "quota"), 1, "the plan is one line: {log}");
    has_no_empty_field(&log);
}

#[tokio::test]
async fn configured_properties_are_named_once_google_has_said_their_names() {
    let simulator = Standstill::new().simulator().await;
    let mut exporter = Exporter::start(&simulator, "properties: [{id: 71}, {id: 74}, {id: 75}]").await;
    let exporting = line_with(&mut exporter, &["level=info", "exporting 3 properties"]).await;
    assert!(exporting.contains("Café") && exporting.contains("Nobody, 75"), "{exporting}");
    has_no_empty_field(&exporter.process.stderr());
}

#[tokio::test]
async fn a_property_without_access_is_one_line_and_so_is_its_return() {
    let simulator = Standstill::new().simulator().await;
    simulator.inject(Fault::new(Effect::Refuse(Refusal::NoAccess)).on(Method::RunReport).property("72"));
    simulator.inject(Fault::new(Effect::Refuse(Refusal::NoAccess)).on(Method::RunRealtimeReport).property("72"));
    let mut exporter = Exporter::start(&simulator, "").await;
    exporter.ready().await;
    let line = line_with(&mut exporter, &["level=warn", "cannot read the property", "property=72"]).await;
    assert!(line.contains("property_name=") && line.contains("lines, {braces}") && line.contains("remedy="), "{line}");
    assert!(!line.contains("report="), "it is true of every report: {line}");
    // The line on the drop alert comes when all reports have had an outcome.
    line_with(&mut exporter, &["drop alert ready"]).await;
    let log = exporter.process.stderr();
    assert_eq!(count(&log, "warn", "property=72"), 1, "{log}");
    has_no_empty_field(&log);
}

#[tokio::test]
async fn a_sign_in_that_is_refused_says_whose_and_the_page_says_why_and_what_to_do() {
    let simulator = Standstill::new().simulator().await;
    let refused = Effect::RefuseToken(400, "invalid_grant".to_owned(), "Invalid JWT Signature.".to_owned());
    simulator.inject(Fault::new(refused).on(Method::Token));
    let mut exporter = Exporter::start(&simulator, "").await;
    let line = line_with(&mut exporter, &["level=warn", "cannot sign in to Google", "reason=invalid_key"]).await;
    assert!(line.contains("account=") && line.contains("remedy="), "{line}");
    let (_, page) = exporter.page("/", "text/html").await;
    for part in ["The exporter cannot sign in to Google", "(invalid_key), first", "Invalid JWT Signature.", "To do: "] {
        assert!(page.contains(part), "{part}: {page}");
    }
    has_no_empty_field(&exporter.process.stderr());
}

#[tokio::test]
async fn a_listing_that_fails_is_on_the_page_too() {
    let simulator = Standstill::new().simulator().await;
    simulator.inject(Fault::new(Effect::Refuse(Refusal::ServiceDisabled)).on(Method::AccountSummaries));
    let mut exporter = Exporter::start(&simulator, "").await;
    line_with(&mut exporter, &["level=warn", "cannot be listed", "reason=api_disabled"]).await;
    let (_, page) = exporter.page("/", "text/html").await;
    for part in ["The properties cannot be listed", "(api_disabled), first", "To do: enable the API at "] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("All is well"), "{page}");
}

#[tokio::test]
async fn a_pattern_that_matches_nothing_is_warned_of() {
    let simulator = Standstill::new().simulator().await;
    let config = "discovery: {enabled: true, include: [Café, ^Shpo], exclude: [(?i)test]}";
    let mut exporter = Exporter::start(&simulator, config).await;
    let line = line_with(&mut exporter, &["level=warn", "matches no property that Google lists"]).await;
    assert!(line.contains("include=^Shpo") && line.contains("exclude=(?i)test") && line.contains("remedy="), "{line}");
    exporter.ready().await;
    assert_eq!(count(&exporter.process.stderr(), "warn", "matches no property"), 1);
}

#[tokio::test]
async fn a_report_of_a_property_that_is_not_exported_is_warned_of() {
    let simulator = Standstill::new().simulator().await;
    let config = "reports: {shop: {metrics: [pageviews], properties: [999, 7]}}";
    let mut exporter = Exporter::start(&simulator, config).await;
    let line = line_with(&mut exporter, &["level=warn", "limited to properties that are not exported"]).await;
    assert!(line.contains("ids=\"7, 999\"") && line.contains("reports=shop") && line.contains("remedy="), "{line}");
    exporter.ready().await;
    assert_eq!(count(&exporter.process.stderr(), "warn", "limited to properties"), 1);
}

#[tokio::test]
async fn a_plan_that_does_not_fit_is_one_warning() {
    let simulator = Standstill::new().simulator().await;
    let mut exporter = Exporter::start(&simulator, "reports: {realtime: {interval: 1s}}").await;
    let plan =
        line_with(&mut exporter, &["level=warn", "quota plan does not fit: realtime every 39s instead of 1s"]).await;
    assert!(plan.contains("share=25%") && plan.contains("remedy="), "{plan}");
    let log = exporter.process.stderr();
    // Polling begins after that.
    assert!(log.find("does not fit").unwrap() < log.find("listening on").unwrap(), "{log}");
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

#[tokio::test]
async fn a_configuration_that_can_be_used_again_is_said_to_be_in_use() {
    let simulator = Standstill::new().simulator().await;
    let (directory, config) = (TempDir::new().unwrap(), "properties: [71]");
    let process = Process::start(&mut serving(&simulator, directory.path(), config));
    let mut exporter = Exporter::of(process).await;
    fs::write(directory.path().join("config.yml"), "properties: [oops]").unwrap();
    exporter.process.signal("HUP");
    line_with(&mut exporter, &["level=error", "cannot use the new configuration"]).await;
    fs::write(directory.path().join("config.yml"), config).unwrap();
    exporter.process.signal("HUP");
    line_with(&mut exporter, &["level=info", "it can be used again, and is the one in use"]).await;
}
