//! Both formats of `/metrics`, read by others' parsers.

use std::{env, fs, io::Write, path::Path, process::Command, process::Stdio};

use ga4_simulator::{Bucket, Effect, Fault, Method, Refusal, Simulator, World};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    exporter::{CLASSIC, Exporter, OPENMETRICS},
    process::eventually,
    worlds::{SILENT, Standstill},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs promtool and Python: make test runs it"]
async fn a_healthy_world_is_read_alike_in_both_formats() {
    let standstill = Standstill::new();
    let simulator = standstill.simulator().await;
    let exporter = Exporter::start(&simulator, ONCE).await;
    exporter.ready().await;
    let samples = accepted(&exporter).await;
    let pageviews = samples.iter().filter(|sample| sample["name"] == "google_analytics_today_pageviews");
    assert_eq!(pageviews.count(), standstill.ids().len());
    let silent = find(&samples, "google_analytics_today_pageviews", SILENT);
    assert_eq!(silent["value"], 0.0);
    let shop = find(&samples, "google_analytics_property_info", "71");
    assert_eq!(shop["labels"]["property_name"], "Café \"Zoë\" \\ Shop");
    let lines = find(&samples, "google_analytics_property_info", "72");
    assert_eq!(lines["labels"]["property_name"], "two lines, {braces}", "a name is one line");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs promtool and Python: make test runs it"]
async fn a_world_full_of_failures_is_read_alike_in_both_formats() {
    let standstill = Standstill::demo();
    let simulator = standstill.simulator().await;
    for (fault, property) in standstill.ids().into_iter().enumerate() {
        break_one(&simulator, fault, property);
    }
    let exporter = Exporter::start(&simulator, ONCE).await;
    exporter.ready().await;
    let samples = accepted(&exporter).await;
    let failures = samples.iter().filter(|sample| sample["name"] == "google_analytics_report_failure");
    let mut reasons: Vec<&str> = failures.map(|sample| sample["labels"]["reason"].as_str().unwrap()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    assert_eq!(
        reasons,
        [
            "api_disabled",
            "connection",
            "invalid_request",
            "no_access",
            "protocol",
            "quota_day",
            "quota_hour",
            "server_error"
        ]
    );
    find(&samples, "google_analytics_quota_closed_until_timestamp_seconds", "313110006");
}

/// The classic page as promtool and both pages as `prometheus_client` see them. Reports that come once a day may come
/// between one page and the other, so that it takes another look then.
pub(crate) async fn accepted(exporter: &Exporter) -> Vec<Value> {
    eventually("the same samples in both formats", async || {
        let (classic_type, classic) = exporter.page("/metrics", CLASSIC).await;
        let (openmetrics_type, openmetrics) = exporter.page("/metrics", OPENMETRICS).await;
        assert!(classic_type.starts_with("text/plain; version=0.0.4"), "{classic_type}");
        assert!(openmetrics_type.starts_with("application/openmetrics-text; version=1.0.0"), "{openmetrics_type}");
        without_findings(&classic);
        parsed(&classic, &openmetrics)
    })
    .await
}

/// The sample of a property.
#[track_caller]
pub(crate) fn find<'a>(samples: &'a [Value], name: &str, property: &str) -> &'a Value {
    let of_property = |sample: &&Value| sample["name"] == name && sample["labels"]["property_id"] == property;
    samples.iter().find(of_property).unwrap_or_else(|| panic!("no {name} of {property}"))
}

/// `promtool check metrics` says nothing.
#[track_caller]
fn without_findings(classic: &str) {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = command.spawn().unwrap();
    promtool.stdin.take().unwrap().write_all(classic.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!((output.status.code(), said.as_str()), (Some(0), ""));
}

/// The samples, if they are the same in both formats.
fn parsed(classic: &str, openmetrics: &str) -> Result<Vec<Value>, String> {
    let python = env::var_os("E2E_PYTHON").expect("make test sets E2E_PYTHON, the interpreter with prometheus_client");
    let directory = TempDir::new().unwrap();
    let (old, new) = (directory.path().join("classic"), directory.path().join("openmetrics"));
    fs::write(&old, classic).unwrap();
    fs::write(&new, openmetrics).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/formats.py");
    let output = Command::new(python).arg(script).args([old, new]).output().unwrap();
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Something else goes wrong with each property; the last but one has neither traffic nor failures.
fn break_one(simulator: &Simulator, number: usize, property: &str) {
    let effects = [
        Effect::Html,
        Effect::Reset,
        Effect::Refuse(Refusal::ServiceDisabled),
        Effect::Refuse(Refusal::Internal),
        Effect::Refuse(Refusal::InvalidArgument),
        Effect::Refuse(Refusal::Exhausted(Bucket::Day)),
        Effect::UnknownFields,
    ];
    assert_eq!(World::DEMO_FORBIDDEN, "313110008", "the eighth needs no fault");
    let Some(effect) = effects.get(number) else { return };
    let fault = Fault::new(effect.clone()).property(property);
    if *effect == Effect::Reset {
        // So there are values of one report beside the failure of another.
        simulator.inject(fault.on(Method::RunReport));
        let hour = Effect::Refuse(Refusal::Exhausted(Bucket::Hour));
        simulator.inject(Fault::new(hour).property(property).on(Method::RunRealtimeReport));
    } else {
        simulator.inject(fault.on(Method::RunReport).on(Method::RunRealtimeReport));
    }
}

/// So rarely that nothing changes while it is looked at.
const ONCE: &str = "reports: {realtime: {interval: 1h}, traffic: {interval: 1h}}\n";
