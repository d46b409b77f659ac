//! The private key and the tokens are nowhere to be seen.

use std::time::Duration;

use google_analytics_exporter::simulator::{Effect, Fault, Method, Refusal, Request, Simulator};
use serde_json::Value;

use crate::{
    exporter::{CLASSIC, Exporter},
    worlds::Standstill,
};

#[tokio::test(flavor = "multi_thread")]
async fn no_log_and_no_page_has_the_key_or_a_token() {
    for format in ["logfmt", "json"] {
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
            assert!(!seen.contains(&secret), "{format}: {secret} in {seen}");
        }
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
        simulator.revoke_tokens();
    }
    for effect in [Effect::Refuse(Refusal::Unauthenticated), Effect::Reset, Effect::Html] {
        happens(simulator, effect, Method::RunRealtimeReport).await;
    }
}

/// Injects a fault and waits until it has befallen somebody.
async fn happens(simulator: &Simulator, effect: Effect, method: Method) {
    let of_method = |request: &Request| request.method == Some(method);
    let before = simulator.requests().into_iter().filter(|request| of_method(request)).map(|r| r.number).max();
    let fault = simulator.inject(Fault::new(effect).on(method));
    let later = |request: &Request| of_method(request) && before.is_none_or(|before| request.number > before);
    tokio::time::timeout(Duration::from_secs(60), simulator.wait_for(later)).await.expect("it asks again");
    simulator.clear(fault);
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

const BRISK: &str = "reports: {realtime: {interval: 1s}, traffic: {interval: 1s}}\n";
