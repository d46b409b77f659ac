//! The private key and the tokens are nowhere to be seen.

use std::time::Duration;

use ga4_simulator::{Effect, Fault, Method, Refusal, Request, Simulator};
use serde_json::Value;

use crate::{
    exporter::{CLASSIC, Exporter},
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

/// Injects a fault and waits for the request that it spoils.
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
