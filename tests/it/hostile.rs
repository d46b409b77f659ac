//! Answers that are meant to take memory, time or the log: refused, and nobody else's trouble.

use std::{future, sync::Arc, time::Duration};

use ga4_simulator::{Account, Effect, Fault, Method, Property, World};
use google_analytics_exporter::transport::{Deadlines, Longest, Roots, Transport};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Semaphore,
    task::JoinSet,
};

use crate::support::{Credentials, NEWS, SHOP, Setup};

/// Both reports of one property are answered with this.
fn on_shop(status: u16, body: String) -> Fault {
    Fault::new(Effect::Raw(status, body)).on(Method::RunReport).on(Method::RunRealtimeReport).property(SHOP)
}

/// `"rows": [{},{},…]` and the like.
fn many(item: &str, bytes: usize) -> String {
    format!("{}{item}", format!("{item},").repeat(bytes / (item.len() + 1)))
}

#[tokio::test]
async fn a_report_of_more_than_was_asked_for_is_none() {
    let kind = r#""kind": "analyticsData#runReport""#;
    for body in [
        format!(r#"{{{kind}, "rows": [{}]}}"#, many("{}", 3 << 20)),
        format!(r#"{{{kind}, "rows": [{}]}}"#, many("{}", 60 << 20)),
        format!(r#"{{{kind}, "rows": [{{"metricValues": [{}]}}]}}"#, many("{}", 3 << 20)),
        format!(r#"{{{kind}, "rowCount": [{}]}}"#, many("{}", 3 << 20)),
        format!(r#"{{{kind}, "metadata": {{"samplingMetadatas": [{}]}}}}"#, many("{}", 3 << 20)),
    ] {
        let pair = Setup::new().fault(on_shop(200, body)).start().await;
        let metrics = pair.until("refused", |metrics| metrics.fails_with(SHOP, "traffic", "protocol")).await;
        assert!(!metrics.has(SHOP, "today_pageviews"));
        pair.all_up(&[NEWS]).await;
    }
}

#[tokio::test]
async fn a_large_report_with_fields_of_tomorrow_is_a_report() {
    let body = format!(
        r#"{{"kind": "analyticsData#runReport", "tomorrow": [{}], "metadata": {{"timeZone": "Europe/Berlin"}}}}"#,
        many(r#"{"a": [1, {}]}"#, 3 << 20)
    );
    let pair =
        Setup::new().fault(Fault::new(Effect::Raw(200, body)).on(Method::RunReport).property(SHOP)).start().await;
    let metrics = pair.until("parsed", |metrics| metrics.is_up(SHOP, "traffic")).await;
    assert_eq!(metrics.of(SHOP, "today_pageviews", ""), Some(0.0));
}

#[tokio::test]
async fn errors_are_read_only_so_far() {
    let error = |code: u16, rest: &str| {
        format!(r#"{{"error": {{"code": {code}, "status": "PERMISSION_DENIED", {rest}, "message": "No."}}}}"#)
    };
    let url = format!("https://console.example/{}", "a".repeat(50_000));
    let disabled =
        format!(r#""details": [{{"reason": "SERVICE_DISABLED", "metadata": {{"activationUrl": "{url}"}}}}]"#);
    for (status, body, reason) in [
        (403, error(403, &format!(r#""details": [{}]"#, many("{}", 50_000))), "no_access"),
        (403, error(403, &format!(r#""details": [{}]"#, many("{}", 8 << 20))), "protocol"),
        (403, error(403, &disabled), "api_disabled"),
        (429, error(429, &format!(r#""details": [{}]"#, many("{}", 8 << 20))), "quota_unknown"),
        (503, many("word", 3 << 20), "server_error"),
    ] {
        let pair = Setup::new().fault(on_shop(status, body)).start().await;
        pair.until(reason, |metrics| metrics.fails_with(SHOP, "traffic", reason)).await;
        let (_, page) = pair.get("/").await;
        assert!(page.len() < 40_000, "{reason}: a page of {} bytes", page.len());
        pair.all_up(&[NEWS]).await;
    }
}

#[tokio::test]
async fn a_token_is_read_only_so_far() {
    let token = format!(r#"{{"access_token": "{}"}}"#, "a".repeat(1 << 20));
    let pair = Setup::new().fault(Fault::new(Effect::Raw(200, token)).on(Method::Token)).start().await;
    let refused = r#"token_refresh_failures_total{reason="protocol"}"#;
    pair.until("refused", |metrics| metrics.own(refused) >= Some(1.0)).await;
}

#[tokio::test]
async fn zones_and_names_are_cut() {
    let (long, other) = ("Z".repeat(1 << 20), "é".repeat(900));
    let report = format!(r#"{{"kind": "analyticsData#runReport", "metadata": {{"timeZone": "{long}"}}}}"#);
    let listing = format!(
        r#"{{"accountSummaries": [{{"account": "accounts/1", "displayName": "{long}", "propertySummaries": [
            {{"property": "properties/{SHOP}", "displayName": "{long}"}},
            {{"property": "properties/{NEWS}", "displayName": "{other}"}}]}}]}}"#
    );
    let pair = Setup::new()
        .fault(Fault::new(Effect::Raw(200, report)).on(Method::RunReport).property(SHOP))
        .fault(Fault::new(Effect::Raw(200, listing)).on(Method::AccountSummaries))
        .start()
        .await;
    pair.until("polled", |metrics| metrics.is_up(SHOP, "traffic") && metrics.is_up(NEWS, "traffic")).await;
    let (_, text) = pair.get("/metrics").await;
    let info = text.lines().filter(|line| line.starts_with("google_analytics_property_info{"));
    let longest = info.map(str::len).max();
    assert!(longest < Some(2000), "{longest:?}");
    let (_, page) = pair.get("/").await;
    assert!(page.len() < 40_000, "a page of {} bytes", page.len());
}

/// The listing's first request gets this page, and those with the tokens that follow what `pages` says.
fn page(next: usize) -> String {
    // What the simulator's own tokens look like.
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    let token = BASE64_URL_SAFE_NO_PAD.encode(format!("accounts from {next}"));
    format!(r#"{{"accountSummaries": [], "nextPageToken": "{token}"}}"#)
}

#[tokio::test]
async fn a_listing_that_leads_in_a_circle_ends() {
    // The first page leads to A, A to B, and B to A.
    let mut world = World::new(1);
    for index in 0..401 {
        world = world.account(Account::new(format!("{}", 1000 + index), "Account"));
    }
    let on = |index, next| Fault::new(Effect::Raw(200, page(next))).on(Method::AccountSummaries).page(index);
    let pair = Setup::of(world).fault(on(0, 200)).fault(on(1, 400)).fault(on(2, 200)).start().await;
    pair.until("refused", |metrics| metrics.own("discovery_up") == Some(0.0)).await;
    assert_eq!(pair.count(Method::AccountSummaries, ""), 3);
}

#[tokio::test]
async fn more_properties_than_allowed_are_refused_as_a_whole() {
    let mut world = World::new(1);
    for index in 0..401 {
        let property = Property::new(format!("{}", 500_000_000 + index), format!("Site {index}"));
        world =
            world.account(Account::new(format!("{}", 1000 + index), "Account").property(property.without_traffic()));
    }
    let config = "{discovery: {enabled: true}, limits: {properties: 400}, reports: {traffic: {interval: 24h}, realtime: {interval: 24h}}}";
    let pair = Setup::of(world).config(config).start().await;
    let metrics = pair.until("refused", |metrics| metrics.own("discovery_up") == Some(0.0)).await;
    assert_eq!(metrics.own("properties"), Some(0.0));
}

#[tokio::test]
async fn an_endpoint_that_echoes_what_it_was_sent_reveals_nothing() {
    let secrets = Setup::new().start().await.simulator.authorized_user_json();
    let user: serde_json::Value = serde_json::from_str(&secrets).unwrap();
    let secrets: Vec<&str> = ["client_secret", "refresh_token"].map(|key| user[key].as_str().unwrap()).to_vec();
    let form = secrets.join("&refresh_token=");
    let echo =
        serde_json::json!({"error": "invalid_grant", "error_description": format!("you sent client_secret={form}")});
    let mut setup = Setup::new().fault(Fault::new(Effect::Raw(400, echo.to_string())).on(Method::Token));
    setup.credentials = Credentials::AuthorizedUser;
    setup.config = Some("properties: [313110001]".to_owned());
    let pair = setup.start().await;
    pair.until("refused", |metrics| metrics.fails_with(SHOP, "traffic", "no_credentials")).await;
    let (_, page) = pair.get("/").await;
    assert!(page.contains("you sent") && secrets.iter().all(|secret| !page.contains(secret)), "{page}");
}

#[tokio::test]
async fn what_google_says_about_the_values_is_exported() {
    let pair = Setup::new().fault(Fault::play("core-metadata-all-flags").unwrap().property(SHOP)).start().await;
    let metrics = pair.until("flags", |metrics| metrics.has(SHOP, "report_sampled_ratio")).await;
    let of = |property, family| metrics.of(property, family, "report=\"traffic\"");
    assert!((of(SHOP, "report_sampled_ratio").unwrap() - 42_103.0 / 1_204_500.0).abs() < 1e-9);
    assert_eq!(of(SHOP, "report_thresholded"), Some(1.0));
    assert_eq!(of(SHOP, "report_data_loss"), Some(1.0));
    assert_eq!(of(SHOP, "report_restricted"), Some(0.0), "only a metric that was not asked for");
    let metrics = pair.until("no flags", |metrics| metrics.is_up(NEWS, "traffic")).await;
    let of = |family| metrics.of(NEWS, family, "report=\"traffic\"");
    assert_eq!(of("report_sampled_ratio"), Some(1.0));
    assert_eq!(["report_thresholded", "report_data_loss", "report_restricted"].map(of), [Some(0.0); 3]);
    assert_eq!(metrics.of(NEWS, "report_sampled_ratio", "report=\"realtime\""), None, "realtime says nothing of it");
}

#[tokio::test]
async fn what_the_account_may_not_see_is_absent_and_not_zero() {
    let body = r#"{"kind": "analyticsData#runReport", "metadata": {"timeZone": "Europe/Berlin", "schemaRestrictionResponse": {
        "activeMetricRestrictions": [{"metricName": "keyEvents", "restrictedMetricTypes": ["REVENUE_DATA"]}]}}}"#;
    let fault = Fault::new(Effect::Raw(200, body.to_owned())).on(Method::RunReport).property(SHOP);
    let pair = Setup::new().fault(fault).start().await;
    let metrics = pair.until("the answer", |metrics| metrics.is_up(SHOP, "traffic")).await;
    assert_eq!(metrics.of(SHOP, "report_restricted", "report=\"traffic\""), Some(1.0));
    assert!(!metrics.has(SHOP, "today_key_events") && !metrics.has(SHOP, "trailing_28d_key_events"));
    assert_eq!(metrics.of(SHOP, "today_pageviews", ""), Some(0.0), "the others are what they are");
}

#[tokio::test]
async fn large_answers_that_stall_hold_up_no_other() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let begun = Arc::new(Semaphore::new(0));
    let counted = Arc::clone(&begun);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let begun = Arc::clone(&counted);
            connections.spawn(async move {
                let mut request = vec![0; 1000];
                let length = stream.read(&mut request).await.unwrap();
                let stalls = request[..length].starts_with(b"GET /stalls");
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 1 << 20);
                stream.write_all(head.as_bytes()).await.unwrap();
                stream.write_all(&vec![b' '; if stalls { 100 << 10 } else { 1 << 20 }]).await.unwrap();
                begun.add_permits(1);
                future::pending::<()>().await;
            });
        }
    });
    let transport = Transport::new(Roots::Nobody, Deadlines::default()).unwrap();
    let send = |path: &str, deadline| {
        let (transport, request) = (transport.clone(), transport.direct().get(format!("{url}{path}")));
        async move { transport.send(request, deadline, Longest::Report).await }
    };
    for _ in 0..100 {
        let stalled = send("stalls", Duration::from_hours(1));
        tasks.spawn(async move { drop(stalled.await) });
    }
    begun.acquire_many(100).await.unwrap().forget();
    let whole = send("whole", Duration::from_secs(60)).await.unwrap();
    assert_eq!(whole.body.len(), 1 << 20);
}
