//! Signing in: every kind of credentials, every failure, and the way back.

use std::{fs, time::Duration};

use ga4_simulator::{Effect, Fault, Method};
use google_analytics_exporter::{
    auth::{
        credentials::{self, CredentialsSource, Environment},
        metadata::Platform,
    },
    files::Aside,
    transport::{Deadlines, Roots, Transport},
};
use serde_json::{Value, json};

use crate::support::{Credentials, Metrics, NEWS, SHOP, Setup, world};

fn refuse(status: u16, error: &str, description: &str) -> Fault {
    Fault::new(Effect::RefuseToken(status, error.to_owned(), description.to_owned())).on(Method::Token)
}

fn failures(metrics: &Metrics, reason: &str) -> f64 {
    metrics.own(&format!("token_refresh_failures_total{{reason=\"{reason}\"}}")).unwrap()
}

#[tokio::test]
async fn every_kind_of_credentials_signs_in() {
    for credentials in [Credentials::ServiceAccount, Credentials::AuthorizedUser, Credentials::MetadataServer] {
        let pair = Setup { credentials, ..Setup::new() }.start().await;
        pair.all_up(&[SHOP, NEWS]).await;
    }
}

#[tokio::test]
async fn the_metadata_server_is_asked_for_the_scope() {
    let pair = Setup { credentials: Credentials::MetadataServer, ..Setup::new() }.start().await;
    pair.all_up(&[SHOP]).await;
    let asked = pair.requests(Method::MetadataServer, "");
    assert!(
        asked.iter().any(|request| request.query.contains("scopes=") && request.query.contains("analytics.readonly"))
    );
}

#[tokio::test]
async fn failures_have_the_reason_that_google_tells() {
    for (status, error, description, reason) in [
        (400, "invalid_grant", "Invalid JWT Signature.", "invalid_key"),
        (
            400,
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.",
            "clock",
        ),
        (400, "invalid_grant", "Invalid grant: account not found", "unknown_account"),
        (401, "unauthorized_client", "", "scope"),
        (401, "disabled_client", "The OAuth client was disabled.", "unknown_account"),
        (403, "rate_limit_exceeded", "Rate limit exceeded.", "rate_limit"),
        (400, "invalid_grant", "reauth related error (invalid_rapt)", "reauthenticate"),
        (400, "invalid_grant", "Invalid JWT: Failed audience check.", "protocol"),
        (503, "", "", "server_error"),
        (400, "something_else", "", "protocol"),
    ] {
        let pair = Setup::new().fault(refuse(status, error, description)).start().await;
        let metrics = pair.until(reason, |metrics| failures(metrics, reason) >= 1.0).await;
        assert_eq!(metrics.own("token_refreshes_total"), Some(0.0));
        assert_eq!(metrics.own("token_expiry_timestamp_seconds"), None);
    }
}

#[tokio::test]
async fn a_metadata_server_that_is_not_ready_is_waited_for() {
    let brief = Deadlines { token: Duration::from_millis(200), ..Deadlines::default() };
    for (effect, reason) in [
        (Effect::Reset, "connection"),
        (Effect::Raw(503, "<html>Service Unavailable".to_owned()), "server_error"),
        (Effect::Hang, "timeout"),
    ] {
        let late = Fault::new(effect).on(Method::MetadataServer);
        let setup = Setup { credentials: Credentials::MetadataServer, deadlines: brief, ..Setup::new() };
        let mut setup = setup.fault(late);
        setup.properties = vec![SHOP];
        setup.config = Some("{reports: {realtime: {interval: 1s}, traffic: {interval: 1s}}}".to_owned());
        let pair = setup.start().await;
        let waits = |metrics: &Metrics| {
            failures(metrics, reason) >= 1.0 && metrics.fails_with(SHOP, "traffic", "no_credentials")
        };
        pair.until(reason, waits).await;
        pair.simulator.clear_faults();
        pair.all_up(&[SHOP]).await;
        let asked = pair.requests(Method::MetadataServer, "");
        assert!(asked.iter().any(|request| request.path.ends_with("/email")), "{reason}: the account is not known");
    }
}

#[tokio::test]
async fn what_the_metadata_server_says_becomes_the_reason() {
    for (status, page, reason) in [
        (404, "<!DOCTYPE html>\n<title>Error 404 (Not Found)!!1</title>", "unknown_account"),
        (403, "Unable to generate access token; IAM returned 403 Forbidden: Permission denied", "unknown_account"),
        (500, "Internal Server Error", "server_error"),
    ] {
        let fault = Fault::new(Effect::Raw(status, page.to_owned())).on(Method::MetadataServer);
        let setup = Setup { credentials: Credentials::MetadataServer, ..Setup::new() };
        let pair = setup.fault(fault).start().await;
        pair.until(reason, |metrics| failures(metrics, reason) >= 1.0).await;
    }
}

#[tokio::test]
async fn elsewhere_no_credentials_are_an_error_at_the_start() {
    let home = tempfile::TempDir::new().unwrap();
    let transport = Transport::new(Roots::Nobody, Deadlines::default()).unwrap();
    let product_name = home.path().join("product_name");
    let platform = Platform { product_name: product_name.clone(), ..Platform::default() };
    let environment = Environment { home: Some(home.path().to_owned()), platform, ..Environment::default() };
    let aside = Aside::start("test");
    let find = async || credentials::Credentials::find(None, &environment, &transport, &aside).await;
    assert!(matches!(find().await, Err(credentials::CredentialsError::Nothing { .. })), "nothing answers here");
    fs::write(&product_name, "Google Compute Engine\n").unwrap();
    let source = find().await.unwrap().source;
    assert!(matches!(source, CredentialsSource::MetadataServer(_)), "{source:?}");
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_and_with_one_everything_goes_on() {
    let mut setup = Setup::new().fault(refuse(503, "", ""));
    setup.properties = vec![SHOP, NEWS];
    let pair = setup
        .config("{quota: {share: 100%}, reports: {realtime: {interval: 1s}, traffic: {interval: 1s}}}")
        .start()
        .await;
    let metrics = pair.until("no credentials", |metrics| metrics.fails_with(SHOP, "traffic", "no_credentials")).await;
    assert_eq!(metrics.own("api_requests_total{api=\"data\",method=\"runReport\"}"), Some(0.0));
    pair.simulator.clear_faults();
    pair.advance(300);
    pair.all_up(&[SHOP, NEWS]).await;
}

#[tokio::test]
async fn tokens_that_live_only_seconds_are_kept_fresh() {
    let pair = Setup::of(world().token_lifetime(Duration::from_secs(2))).start().await;
    let metrics = pair.until("four tokens", |metrics| metrics.own("token_refreshes_total") >= Some(4.0)).await;
    assert_eq!(metrics.own("api_request_failures_total{api=\"data\",reason=\"unauthenticated\"}"), Some(0.0));
    pair.all_up(&[SHOP, NEWS]).await;
    assert!(pair.count(Method::Token, "") < 20, "not in a loop");
}

#[tokio::test]
async fn a_revoked_token_is_renewed() {
    let pair = Setup::new().start().await;
    pair.all_up(&[SHOP]).await;
    pair.simulator.revoke_tokens();
    pair.until("a second token", |metrics| metrics.own("token_refreshes_total") == Some(2.0)).await;
    pair.next_request(Method::RunReport, SHOP).await;
    pair.all_up(&[SHOP]).await;
}

#[tokio::test]
async fn refused_tokens_and_a_dead_key_do_not_make_a_storm() {
    let pair = Setup::new().start().await;
    pair.all_up(&[SHOP, NEWS]).await;
    let before = pair.count(Method::Token, "");
    pair.simulator.inject(refuse(400, "invalid_grant", "Invalid JWT Signature."));
    pair.simulator.revoke_tokens();
    pair.until("refused", |metrics| {
        [SHOP, NEWS].iter().all(|id| {
            metrics.fails_with(id, "traffic", "unauthenticated")
                && metrics.fails_with(id, "realtime", "unauthenticated")
        })
    })
    .await;
    for _ in 0..3 {
        pair.advance(310);
        let sent_at = pair.next_request(Method::RunReport, SHOP).await.at.as_millisecond() / 1000;
        let sent_at = f64::from(u32::try_from(sent_at).unwrap());
        let attempt =
            |metrics: &Metrics| metrics.of(SHOP, "report_last_attempt_timestamp_seconds", "report=\"traffic\"");
        pair.until("it is refused again", |metrics| attempt(metrics) >= Some(sent_at - 1.0)).await;
    }
    let asked = pair.count(Method::Token, "") - before;
    assert!((1..=8).contains(&asked), "{asked} requests for a token in a quarter of an hour");
}

#[tokio::test]
async fn a_clock_that_was_wrong_and_is_set_right_lets_it_sign_in() {
    let wrong = refuse(400, "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes)").once();
    let pair = Setup::new().fault(wrong).start().await;
    pair.until("clock", |metrics| failures(metrics, "clock") >= 1.0).await;
    pair.advance(-86_400);
    pair.all_up(&[SHOP, NEWS]).await;
}

#[tokio::test]
async fn an_expired_token_is_never_sent() {
    let pair = Setup::new().start().await;
    pair.all_up(&[SHOP]).await;
    pair.advance(5 * 3600);
    pair.until("a second token", |metrics| metrics.own("token_refreshes_total") >= Some(2.0)).await;
    pair.all_up(&[SHOP]).await;
    assert!(pair.simulator.requests().iter().all(|request| request.status != Some(401)));
}

#[tokio::test]
async fn a_replaced_key_file_is_read_again() {
    let wrong = include_str!("../fixtures/keys/test_key.pem");
    let pair = Setup::new().start().await;
    pair.all_up(&[SHOP]).await;
    let path = pair.directory.path().join("key.json");
    let right = fs::read_to_string(&path).unwrap();
    let mut key: Value = serde_json::from_str(&right).unwrap();
    key["private_key"] = json!(wrong);
    fs::write(&path, key.to_string()).unwrap();
    pair.until("the other key is refused", |metrics| failures(metrics, "invalid_key") >= 1.0).await;
    fs::write(&path, right).unwrap();
    pair.until("the first key again", |metrics| metrics.own("token_refreshes_total") >= Some(2.0)).await;
}

#[tokio::test]
async fn a_bad_new_key_file_leaves_the_old_key_in_use() {
    let pair = Setup::new().start().await;
    pair.all_up(&[SHOP]).await;
    fs::write(pair.directory.path().join("key.json"), "{\"type\": \"service_account\"}").unwrap();
    pair.until("counted", |metrics| failures(metrics, "invalid_key") >= 1.0).await;
    pair.advance(2 * 3600);
    pair.until("signed in with the old key", |metrics| metrics.own("token_refreshes_total") >= Some(2.0)).await;
    pair.all_up(&[SHOP]).await;
}
