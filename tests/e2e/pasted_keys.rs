//! A key where a path belongs: it is refused, and nothing of it is to be seen anywhere.

use std::{ffi::OsStr, fs, path::Path, process::Command};

use base64::{Engine, prelude::BASE64_STANDARD};
use ga4_simulator::Simulator;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    exporter::{CLASSIC, Exporter, binary, client, serving},
    process::Process,
    worlds::Standstill,
};

#[tokio::test(flavor = "multi_thread")]
async fn on_the_command_line_and_in_the_environment() {
    let simulator = Standstill::new().simulator().await;
    let directory = TempDir::new().unwrap();
    let home = directory.path();
    for (dress, content) in dresses(&simulator) {
        for flag in [
            "--google.credentials-file",
            "--config.file",
            "--storage.path",
            "--google.property",
            "--google.data-api-url",
            "--web.listen-address",
            "--web.telemetry-path",
        ] {
            refused(dress, flag, &content, &mut with(home, [flag, &content])).await;
            refused(dress, flag, &content, &mut with(home, [format!("{flag}={content}")])).await;
        }
        for variable in [
            "GOOGLE_APPLICATION_CREDENTIALS",
            "GOOGLE_CLOUD_QUOTA_PROJECT",
            "CLOUDSDK_CONFIG",
            "GCE_METADATA_HOST",
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
            "HTTPS_PROXY",
        ] {
            refused(dress, variable, &content, with(home, [ANYWHERE]).env(variable, &content)).await;
        }
        refused(dress, "an argument", &content, &mut with(home, [&content])).await;
        for flags in [
            &["--history"][..],
            &["--history", "h.csv", "--realtime"],
            &["--history", "h.csv", "--svg"],
            &["--history", "h.csv", "--quiet-day"],
            &["--property", "7", "--google.credentials-file"],
        ] {
            let arguments = ["backtest"].iter().chain(flags).copied().chain([content.as_str()]);
            refused(dress, "backtest", &content, &mut with(home, arguments)).await;
        }
        let baseline = ["baseline", "--at", "2026-01-05T06:00", "--history", &content];
        refused(dress, "baseline", &content, &mut with(home, baseline)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_configuration_and_in_other_files() {
    let simulator = Standstill::new().simulator().await;
    let directory = TempDir::new().unwrap();
    for (dress, content) in dresses(&simulator) {
        for yaml in configurations(&content) {
            fs::write(directory.path().join("config.yml"), &yaml).unwrap();
            for check in [&["--config.file", "config.yml"][..], &["--config.file", "config.yml", "--config.check"]] {
                refused(dress, &yaml, &content, &mut with(directory.path(), check)).await;
            }
        }
        fs::write(directory.path().join("key.csv"), &content).unwrap();
        let backtest = ["backtest", "--history", "key.csv"];
        refused(dress, "a history", &content, &mut with(directory.path(), backtest)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_runs_in_the_log_and_on_every_page() {
    let simulator = Standstill::new().simulator().await;
    let directory = TempDir::new().unwrap();
    let mut command = serving(&simulator, directory.path(), "{quota: {share: 100%}}\n");
    let mut exporter = Exporter::of(Process::start(command.arg("--web.enable-lifecycle"))).await;
    exporter.ready().await;
    let mut seen = String::new();
    for (dress, content) in dresses(&simulator) {
        for yaml in configurations(&content) {
            fs::write(directory.path().join("config.yml"), &yaml).unwrap();
            let answer = client().post(format!("http://{}/-/reload", exporter.address)).send().await.unwrap();
            assert_eq!(answer.status(), 500, "{dress}: {yaml}");
            seen += &answer.text().await.unwrap();
            exporter.process.signal("HUP");
        }
    }
    // The key file is replaced by one that is no good.
    let (_, content) = dresses(&simulator).remove(0);
    fs::write(directory.path().join("key.json"), serde_json::to_string(&content).unwrap()).unwrap();
    exporter.process.shows("the bad key", |_, stderr| stderr.contains("the old key stays").then_some(())).await;
    for page in ["/metrics", "/", "/config"] {
        seen += &exporter.page(page, CLASSIC).await.1;
    }
    let ended = exporter.process.stopped_by("TERM").await;
    seen += &ended.stdout;
    seen += &ended.stderr;
    assert!(seen.contains("looks like the content of"), "{seen}");
    for (dress, content) in dresses(&simulator) {
        shows_nothing(dress, &seen, &content);
    }
}

/// Configurations with the key in every place that a text may stand in.
fn configurations(content: &str) -> Vec<String> {
    let quoted = Value::from(content);
    let indented = content.replace('\n', "\n    ");
    vec![
        format!("google: {{credentials_file: {quoted}}}\n"),
        format!("google:\n  credentials_file: |\n    {indented}\n"),
        format!("google:\n  credentials_file: {indented}\n"),
        format!("google:\n  credentials_file:\n{content}\n"),
        format!("google: {quoted}\n"),
        format!("google: {{? {quoted} : 1}}\n"),
        format!("google: {{max_requests_in_flight: {quoted}}}\n"),
        format!("baseline: {{quiet_days: [{quoted}]}}\n"),
        format!("reports: {{traffic: {{interval: {quoted}}}}}\n"),
        format!("reports: {{traffic: {{metrics: [{quoted}]}}}}\n"),
        format!("properties: [{quoted}]\n"),
        format!("properties: [{{id: 7, labels: {{key: {quoted}}}}}]\n"),
        format!("discovery: {{include: [{quoted}]}}\n"),
        content.to_owned(),
    ]
}

/// The program with these arguments and nothing else.
fn with(home: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = binary(home);
    command.args(arguments);
    command
}

async fn refused(dress: &str, place: &str, content: &str, command: &mut Command) {
    let ended = Process::start(command).ended().await;
    shows_nothing(&format!("{dress} in {place}"), &format!("{}{}", ended.stdout, ended.stderr), content);
    assert_eq!(ended.code(), Some(64), "{dress} in {place}: {ended:?}");
    assert!(ended.stderr.contains("error: "), "{dress} in {place}: {ended:?}");
}

/// The forms in which people paste a key.
fn dresses(simulator: &Simulator) -> Vec<(&'static str, String)> {
    let key: Value = serde_json::from_str(&simulator.key_file_json()).unwrap();
    let pem = key["private_key"].as_str().unwrap().to_owned();
    vec![
        ("the JSON", serde_json::to_string_pretty(&key).unwrap()),
        ("the JSON on one line", key.to_string()),
        ("the PEM", pem.clone()),
        ("the PEM on one line", pem.replace('\n', "\\n")),
        ("the JSON in base64", BASE64_STANDARD.encode(key.to_string())),
        ("the PEM in base64", BASE64_STANDARD.encode(pem)),
    ]
}

/// Not 16 characters in a row of the key are to be seen, and not those of its base64 either.
#[track_caller]
fn shows_nothing(place: &str, seen: &str, content: &str) {
    let lines = |text: &str| -> Vec<String> {
        let runs = text.split(|c: char| !c.is_ascii_alphanumeric() && !"+/=".contains(c));
        runs.filter(|run| run.len() >= 40).map(str::to_owned).collect()
    };
    let secrets = lines(content);
    assert!(!secrets.is_empty(), "{place} has a key");
    for part in secrets.iter().flat_map(|line| line.as_bytes().chunks(16)).filter(|part| part.len() == 16) {
        let part = String::from_utf8_lossy(part);
        assert!(!seen.contains(part.as_ref()), "{place}: {part} in {seen}");
    }
}

/// Not the default port, which may be in use.
const ANYWHERE: &str = "--web.listen-address=127.0.0.1:0";
