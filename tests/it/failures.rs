//! The rows of the failure policy that concern answers: each failure has its own reason, none becomes a number, and none affects
//! another property.

use std::time::Duration;

use ga4_simulator::{Effect, Fault, Method, Refusal};
use google_analytics_exporter::transport::Deadlines;

use crate::support::{NEWS, REPORTS, SHOP, Setup};

/// Both reports of one property go wrong from the first request on.
fn on_shop(effect: Effect) -> Fault {
    Fault::new(effect).on(Method::RunReport).on(Method::RunRealtimeReport).property(SHOP)
}

/// Starts with the fault, and sees: the reason, no values, an untouched neighbour, and recovery once it is over.
async fn check(effect: Effect, reason: &str, recovery_seconds: i64) {
    let deadlines = Deadlines { request: Duration::from_millis(700), ..Deadlines::default() };
    let setup = Setup { deadlines, ..Setup::new() };
    let pair = setup.fault(on_shop(effect.clone())).start().await;
    let what = format!("{effect:?} as {reason}");
    let metrics = pair
        .until(&what, |metrics| {
            REPORTS.iter().all(|report| metrics.fails_with(SHOP, report, reason) && metrics.is_up(NEWS, report))
        })
        .await;
    for family in ["realtime_pageviews", "today_pageviews", "today_visitors", "trailing_28d_visitors"] {
        assert!(!metrics.has(SHOP, family), "{what}: {family} is shown");
        assert!(metrics.of(NEWS, family, "") > Some(0.0), "{what}: {family} of the neighbour");
    }
    pair.simulator.clear_faults();
    pair.advance(recovery_seconds);
    let metrics = pair.all_up(&[SHOP, NEWS]).await;
    assert!(!metrics.has(SHOP, "report_failure"), "{what}: it is over");
}

#[tokio::test]
async fn what_is_not_a_report_is_never_a_number() {
    for effect in [
        Effect::Html,
        Effect::Truncated,
        Effect::WrongKind,
        Effect::NoKind,
        Effect::NoMetricHeaders,
        Effect::Raw(200, "[]".to_owned()),
        Effect::Raw(200, "{}".to_owned()),
        Effect::Raw(200, String::new()),
        Effect::Raw(302, String::new()),
        Effect::MetricValues("-1".to_owned()),
        Effect::MetricValues("NaN".to_owned()),
        Effect::MetricValues("(not set)".to_owned()),
        Effect::MetricValues("1000000000001".to_owned()),
        Effect::MetricValues("1e308".to_owned()),
    ] {
        check(effect, "protocol", 10).await;
    }
}

#[tokio::test]
async fn rows_without_headers_and_headers_of_something_else_are_no_report() {
    let report = |rest: &str| {
        ["analyticsData#runReport", "analyticsData#runRealtimeReport"].map(|kind| {
            Effect::Raw(200, format!(r#"{{"kind": "{kind}", "metadata": {{"timeZone": "Europe/Berlin"}}, {rest}}}"#))
        })
    };
    for rest in [
        r#""rowCount": 1"#,
        r#""rows": [{"metricValues": [{"value": "5"}]}], "rowCount": 1"#,
        r#""metricHeaders": [{"name": "sessions", "type": "TYPE_INTEGER"}]"#,
        r#""dimensionHeaders": [{"name": "country"}]"#,
    ] {
        let [core, realtime] = report(rest);
        let setup = Setup::new()
            .fault(Fault::new(core).on(Method::RunReport).property(SHOP))
            .fault(Fault::new(realtime).on(Method::RunRealtimeReport).property(SHOP));
        let pair = setup.start().await;
        let metrics =
            pair.until(rest, |metrics| REPORTS.iter().all(|report| metrics.fails_with(SHOP, report, "protocol"))).await;
        assert!(!metrics.has(SHOP, "realtime_pageviews") && !metrics.has(SHOP, "today_pageviews"), "{rest}");
    }
}

#[tokio::test]
async fn an_endless_answer_ends_at_the_limit() {
    // Without the short deadline of the others, which might come first.
    let pair = Setup::new().fault(on_shop(Effect::Endless)).start().await;
    pair.until("an endless body ends", |metrics| metrics.fails_with(SHOP, "traffic", "protocol")).await;
}

#[tokio::test]
async fn refusals_are_told_apart() {
    for (refusal, reason, recovery_seconds) in [
        (Refusal::InvalidArgument, "invalid_request", 3600),
        (Refusal::NotFound, "invalid_request", 3600),
        (Refusal::NoAccess, "no_access", 600),
        (Refusal::ServiceDisabled, "api_disabled", 600),
        (Refusal::InsufficientScope, "insufficient_scope", 600),
        (Refusal::Unauthenticated, "unauthenticated", 20),
        (Refusal::Internal, "server_error", 60),
        (Refusal::Unavailable, "server_error", 60),
    ] {
        check(Effect::Refuse(refusal), reason, recovery_seconds).await;
    }
}

/// An error as Google's front end words it.
fn refused(code: u16, status: &str, message: &str, details: &serde_json::Value) -> Effect {
    let error = serde_json::json!({"details": details, "status": status, "message": message, "code": code});
    Effect::Raw(code, serde_json::json!([{ "error": error }]).to_string())
}

#[tokio::test]
async fn refusals_of_the_cloud_project_have_reasons_of_their_own() {
    for (cause, consumer, reason, remedy) in [
        ("SERVICE_DISABLED", "projects/764086051850", "cloud_project", "set-quota-project"),
        ("USER_PROJECT_DENIED", "projects/shop-1", "cloud_project", "roles/serviceusage.serviceUsageConsumer"),
        ("CONSUMER_INVALID", "projects/shop-1", "cloud_project", "shop-1"),
        ("BILLING_DISABLED", "projects/shop-1", "cloud_project", "billing"),
        ("SECURITY_POLICY_VIOLATED", "projects/shop-1", "perimeter", "VPC Service Controls"),
    ] {
        let details = serde_json::json!([
            {"@type": "type.googleapis.com/google.rpc.Help", "links": [{"url": "https://example.com"}]},
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": cause, "metadata": {"consumer": consumer}},
        ]);
        let effect = refused(403, "PERMISSION_DENIED", "Refused.", &details);
        check(effect.clone(), reason, 600).await;
        let pair = Setup::new().fault(on_shop(effect)).start().await;
        pair.until(cause, |metrics| metrics.fails_with(SHOP, "traffic", reason)).await;
        let (_, page) = pair.get("/").await;
        assert!(page.contains(remedy) && !page.contains("as Viewer") && !page.contains("764086051850"), "{page}");
    }
}

#[tokio::test]
async fn what_passes_is_asked_again_within_minutes() {
    for (status, name) in [(499, "CANCELLED"), (409, "ABORTED"), (408, "DEADLINE_EXCEEDED"), (400, "UNAVAILABLE")] {
        check(refused(status, name, "Try again.", &serde_json::Value::Null), "server_error", 60).await;
    }
    for status in [409, 499, 502, 504] {
        check(Effect::Raw(status, "<html>".to_owned()), "server_error", 60).await;
    }
}

#[tokio::test]
async fn only_500_and_503_count_in_the_budget_of_server_errors() {
    for (status, closes) in [(499, false), (409, false), (502, false), (504, false), (500, true), (503, true)] {
        let pair = Setup::new().fault(on_shop(Effect::Raw(status, "<html>".to_owned()))).start().await;
        let failures = "api_request_failures_total{api=\"data\",reason=\"server_error\"}";
        for of_both in [2.0, 4.0, 6.0] {
            pair.until("both fail", |metrics| metrics.own(failures) >= Some(of_both)).await;
            pair.advance(300);
        }
        let metrics = pair.until("the next failures", |metrics| metrics.own(failures) >= Some(8.0)).await;
        assert_eq!(metrics.has(SHOP, "quota_closed_until_timestamp_seconds"), closes, "{status}");
    }
}

#[tokio::test]
async fn a_network_that_fails_is_told_from_google_that_fails() {
    for (effect, reason) in [
        (Effect::Reset, "connection"),
        (Effect::ResetMidBody, "connection"),
        (Effect::Hang, "timeout"),
        (Effect::HangMidBody, "timeout"),
    ] {
        check(effect, reason, 20).await;
    }
}

#[tokio::test]
async fn a_refused_request_waits_as_long_as_the_policy_says() {
    for (refusal, seconds) in [(Refusal::InvalidArgument, 3200), (Refusal::NoAccess, 530)] {
        let pair = Setup::new().fault(on_shop(Effect::Refuse(refusal))).start().await;
        pair.until("both fail", |metrics| {
            REPORTS.iter().all(|report| metrics.has(SHOP, "report_failure") && !metrics.is_up(SHOP, report))
        })
        .await;
        pair.advance(seconds);
        pair.next_request(Method::RunReport, NEWS).await;
        pair.next_request(Method::RunReport, NEWS).await;
        assert_eq!(pair.count(Method::RunReport, SHOP), 1, "{refusal:?} was asked again too early");
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_request_sent_once_more() {
    let refused = Fault::new(Effect::Refuse(Refusal::Unauthenticated)).on(Method::RunReport).property(SHOP).once();
    let pair = Setup::new().fault(refused).start().await;
    pair.all_up(&[SHOP, NEWS]).await;
    let statuses: Vec<_> = pair.requests(Method::RunReport, SHOP).iter().map(|request| request.status).collect();
    assert_eq!(statuses[..2], [Some(401), Some(200)]);
    assert_eq!(pair.count(Method::Token, ""), 2);
}

#[tokio::test]
async fn a_token_that_is_refused_for_ever_is_not_renewed_for_ever() {
    let fault = on_shop(Effect::Refuse(Refusal::Unauthenticated));
    let pair = Setup::new().fault(fault).start().await;
    pair.until("refused", |metrics| metrics.fails_with(SHOP, "traffic", "unauthenticated")).await;
    for _ in 0..3 {
        pair.next_request(Method::RunReport, NEWS).await;
    }
    assert!(pair.count(Method::Token, "") <= 2, "one token at the start, one renewal");
}

#[tokio::test]
async fn a_hanging_property_holds_up_no_other() {
    let pair = Setup::new().fault(on_shop(Effect::Hang)).start().await;
    for _ in 0..3 {
        pair.next_request(Method::RunReport, NEWS).await;
    }
    let metrics = pair.until("the neighbour", |metrics| metrics.is_up(NEWS, "traffic")).await;
    assert!(!metrics.has(SHOP, "report_failure"), "it has no outcome yet");
    assert_eq!(metrics.of(SHOP, "report_up", "report=\"traffic\""), Some(0.0));
    assert_eq!(pair.count(Method::RunReport, SHOP), 1, "late polls do not pile up");
}

#[tokio::test]
async fn an_answer_that_is_no_report_is_counted_as_such() {
    let fault = Fault::new(Effect::NoMetricHeaders).on(Method::RunReport).property(SHOP);
    let pair = Setup::new().fault(fault).start().await;
    let counted = "api_request_failures_total{api=\"data\",reason=\"protocol\"}";
    pair.until("counted", |metrics| metrics.own(counted) >= Some(1.0)).await;
}

#[tokio::test]
async fn failures_are_counted_by_reason() {
    let fault = Fault::new(Effect::Refuse(Refusal::NoAccess)).on(Method::RunReport).property(SHOP);
    let pair = Setup::new().fault(fault).start().await;
    let metrics = pair
        .until("counted", |metrics| {
            metrics.own("api_request_failures_total{api=\"data\",reason=\"no_access\"}") == Some(1.0)
        })
        .await;
    assert!(metrics.own("api_requests_total{api=\"data\",method=\"runReport\"}") >= Some(2.0));
    assert!(metrics.own("api_request_duration_seconds_count{api=\"data\",method=\"runReport\"}") >= Some(2.0));
    assert_eq!(metrics.own("api_request_failures_total{api=\"data\",reason=\"timeout\"}"), Some(0.0));
}
