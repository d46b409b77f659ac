//! The private key and the tokens are nowhere to be seen.

use std::{fs, process::Command, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use google_analytics_exporter::simulator::{Effect, Fault, Method, Refusal, Request, Simulator};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    exporter::{CLASSIC, Exporter, binary, client, serving},
    process::{Ended, Process},
    worlds::Standstill,
};

#[tokio::test(flavor = "multi_thread")]
async fn no_logfmt_and_no_page_has_the_key_or_a_token() {
    nothing_has_the_key_or_a_token("logfmt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_json_log_has_the_key_or_a_token() {
    nothing_has_the_key_or_a_token("json").await;
}

/// A key where a path belongs, at the start: it is refused, and nothing of it is said.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_place_of_a_path_is_refused_and_not_printed() {
    let simulator = Standstill::new().simulator().await;
    let directory = TempDir::new().unwrap();
    for (dress, content) in dresses(&simulator) {
        let flag = |name: &str| binary(directory.path()).args([name, &content, ANYWHERE]).ended_by();
        let joined = |name: &str| binary(directory.path()).args([&format!("{name}={content}"), ANYWHERE]).ended_by();
        let variable = |name: &str| binary(directory.path()).arg(ANYWHERE).env(name, &content).ended_by();
        let backtest =
            |arguments: &[&str]| binary(directory.path()).arg("backtest").args(arguments).arg(&content).ended_by();
        let configured = |yaml: String| {
            fs::write(directory.path().join("config.yml"), yaml).unwrap();
            binary(directory.path()).args(["--config.file", "config.yml", ANYWHERE]).ended_by()
        };
        let quoted = Value::from(content.as_str());
        let indented = content.replace('\n', "\n    ");
        for (place, ended) in [
            ("--google.credentials-file", flag("--google.credentials-file").await),
            ("--google.credentials-file=", joined("--google.credentials-file").await),
            ("--config.file", flag("--config.file").await),
            ("--storage.path", flag("--storage.path").await),
            ("--google.property", flag("--google.property").await),
            ("--web.telemetry-path", flag("--web.telemetry-path").await),
            ("an argument", binary(directory.path()).arg(&content).ended_by().await),
            ("GOOGLE_APPLICATION_CREDENTIALS", variable("GOOGLE_APPLICATION_CREDENTIALS").await),
            ("GOOGLE_CLOUD_QUOTA_PROJECT", variable("GOOGLE_CLOUD_QUOTA_PROJECT").await),
            ("CLOUDSDK_CONFIG", variable("CLOUDSDK_CONFIG").await),
            ("GCE_METADATA_HOST", variable("GCE_METADATA_HOST").await),
            ("SSL_CERT_FILE", variable("SSL_CERT_FILE").await),
            ("HTTPS_PROXY", variable("HTTPS_PROXY").await),
            ("backtest --history", backtest(&["--history"]).await),
            ("backtest --realtime", backtest(&["--history", "h.csv", "--realtime"]).await),
            ("backtest --svg", backtest(&["--history", "h.csv", "--svg"]).await),
            ("backtest --quiet-day", backtest(&["--history", "h.csv", "--quiet-day"]).await),
            ("backtest's key", backtest(&["--property", "7", "--google.credentials-file"]).await),
            ("credentials_file, quoted", configured(format!("google: {{credentials_file: {quoted}}}\n")).await),
            (
                "credentials_file, a block",
                configured(format!("google:\n  credentials_file: |\n    {indented}\n")).await,
            ),
            ("credentials_file, bare", configured(format!("google:\n  credentials_file: {indented}\n")).await),
            ("credentials_file, as it is", configured(format!("google:\n  credentials_file:\n{content}\n")).await),
            ("quiet_days", configured(format!("reports: {{baseline: {{quiet_days: [{quoted}]}}}}\n")).await),
            ("a property", configured(format!("properties: [{quoted}]\n")).await),
            ("a key", configured(format!("google: {{? {quoted} : 1}}\n")).await),
            ("the whole file", configured(content.clone()).await),
        ] {
            assert_eq!(ended.code(), Some(64), "{dress} in {place}: {ended:?}");
            assert!(ended.stderr.starts_with("error: ") || ended.stderr.contains("level=info"), "{ended:?}");
            shows_nothing(&format!("{dress} in {place}"), &format!("{}{}", ended.stdout, ended.stderr), &content);
        }
        fs::write(directory.path().join("key.csv"), &content).unwrap();
        let ended = binary(directory.path()).args(["backtest", "--history", "key.csv"]).ended_by().await;
        shows_nothing(&format!("{dress} as a history"), &ended.stderr, &content);
    }
}

/// The same while it runs: neither the log nor a page has any of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_reloaded_key_is_neither_logged_nor_served() {
    let simulator = Standstill::new().simulator().await;
    let directory = TempDir::new().unwrap();
    let mut command = serving(&simulator, directory.path(), BRISK);
    let mut exporter = Exporter::of(Process::start(command.arg("--web.enable-lifecycle"))).await;
    exporter.ready().await;
    let mut seen = String::new();
    for (_, content) in dresses(&simulator) {
        let quoted = Value::from(content.as_str());
        for yaml in [
            format!("google: {{credentials_file: {quoted}}}\n"),
            format!("google:\n  credentials_file:\n{content}\n"),
            format!("reports: {{baseline: {{quiet_days: [{quoted}]}}}}\n"),
            content.clone(),
        ] {
            fs::write(directory.path().join("config.yml"), yaml).unwrap();
            let url = format!("http://{}/-/reload", exporter.address);
            let answer = client().post(url).send().await.unwrap();
            assert_eq!(answer.status(), 500);
            seen += &answer.text().await.unwrap();
            exporter.process.signal("HUP");
        }
        // The key file itself is replaced by what does not belong there.
        fs::write(directory.path().join("key.json"), serde_json::to_string(&content).unwrap()).unwrap();
    }
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

/// No part of a key is to be seen: 20 characters of it in a row are enough to fail.
#[track_caller]
fn shows_nothing(place: &str, seen: &str, content: &str) {
    let body: Vec<char> = content.chars().filter(|c| c.is_ascii_alphanumeric() || "+/=".contains(*c)).collect();
    // Words like `service_account` may stand in a message; what follows the beginning of the key may not.
    let from = content.find("BEGIN").map_or(0, |at| content.get(..at).unwrap_or_default().len());
    let secret: String = body.iter().skip(from.min(body.len() / 2)).collect();
    let flat: String = seen.chars().filter(|c| c.is_ascii_alphanumeric() || "+/=".contains(*c)).collect();
    for part in secret.as_bytes().chunks(20).filter(|part| part.len() == 20) {
        let part = String::from_utf8_lossy(part);
        let is_word = part.chars().all(|c| c.is_ascii_lowercase());
        assert!(is_word || !flat.contains(part.as_ref()), "{place}: {part} in {seen}");
    }
}

trait Ends {
    /// Runs it to its end.
    fn ended_by(&mut self) -> impl Future<Output = Ended>;
}

impl Ends for Command {
    fn ended_by(&mut self) -> impl Future<Output = Ended> {
        Process::start(self).ended()
    }
}

/// Not the default port, which may be taken.
const ANYWHERE: &str = "--web.listen-address=127.0.0.1:0";

async fn nothing_has_the_key_or_a_token(format: &str) {
    let standstill = Standstill::new();
    let simulator = standstill.simulator().await;
    // Tokens that live for seconds, so that there are many; and Google's displeasure at them.
    simulator.set_token_lifetime(Duration::from_secs(2));
    let flags = ["--log.level", "debug", "--log.format", format, "--web.enable-lifecycle"];
    let mut exporter = Exporter::start_with(&simulator, BRISK, &flags).await;
    exporter.ready().await;
    provoke(&simulator).await;
    exporter.process.shows("failures in the log", |_, stderr| stderr.contains("protocol").then_some(())).await;

    let mut seen = String::new();
    for page in ["/metrics", "/", "/config"] {
        seen += &exporter.page(page, CLASSIC).await.1;
    }
    let ended = exporter.process.stopped_by("TERM").await;
    seen += &ended.stdout;
    seen += &ended.stderr;
    assert!(seen.len() > 10_000, "there is something to look at");
    for secret in secrets(&simulator) {
        assert!(!seen.contains(&secret), "{secret} in {seen}");
    }
}

/// Answers that make a program talk: of sign-in and of reports.
async fn provoke(simulator: &Simulator) {
    let description = "Invalid JWT Signature.".to_owned();
    for effect in [
        Effect::RefuseToken(400, "invalid_grant".to_owned(), description),
        Effect::Raw(200, "{\"access_token\": \"ya29.raw\", \"expires_in\": \"soon\"}".to_owned()),
        Effect::Html,
        Effect::Reset,
    ] {
        happens(simulator, effect, Method::Token).await;
        // The pause grows with failures in a row.
        signs_in(simulator).await;
        simulator.revoke_tokens();
    }
    for effect in [Effect::Refuse(Refusal::Unauthenticated), Effect::Reset, Effect::Html] {
        happens(simulator, effect, Method::RunRealtimeReport).await;
    }
}

/// Injects a fault and waits for the request that it befalls.
async fn happens(simulator: &Simulator, effect: Effect, method: Method) {
    let before = simulator.requests().last().map(|request| request.number);
    simulator.inject(Fault::new(effect).on(method).once());
    in_time(simulator, |request| request.method == Some(method) && Some(request.number) > before).await;
}

/// Waits for the next token.
async fn signs_in(simulator: &Simulator) {
    let before = simulator.requests().last().map(|request| request.number);
    let signed_in = |request: &Request| request.method == Some(Method::Token) && request.status == Some(200);
    in_time(simulator, |request| signed_in(request) && Some(request.number) > before).await;
}

async fn in_time(simulator: &Simulator, wanted: impl Fn(&Request) -> bool) {
    let request = tokio::time::timeout(Duration::from_secs(60), simulator.wait_for(wanted)).await;
    request.expect("the exporter asks again");
}

/// Every line of the key, how tokens of Google's begin, and how a signed assertion does.
fn secrets(simulator: &Simulator) -> Vec<String> {
    let key: Value = serde_json::from_str(&simulator.key_file_json()).unwrap();
    let pem = key["private_key"].as_str().unwrap();
    let mut secrets: Vec<String> = pem.lines().map(str::to_owned).collect();
    assert!(secrets.len() > 20, "a whole key");
    secrets.extend(["ya29.", "eyJ", "Bearer"].map(str::to_owned));
    secrets
}

const BRISK: &str = "{quota: {share: 100%}, reports: {realtime: {interval: 1s}, traffic: {interval: 1s}}}\n";
