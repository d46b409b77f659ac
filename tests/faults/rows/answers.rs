//! Answers that are no report, and refusals.

use ga4_simulator::{Effect, Method, Refusal};

use super::{BACK_OFF, HOUR, REALTIME_STALE, TRAFFIC_STALE, failing, row};
use crate::{
    row::{Expected, Lasts, Others, Place, Row, Setting},
    trouble::Trouble,
};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = empty();
    rows.extend(no_reports());
    rows.extend(refusals());
    rows.extend(server_errors());
    rows
}

/// Answers as Google words them where nothing happened: zero, and no failure.
fn empty() -> Vec<Row> {
    let nothing =
        |name, method, body: &str| row(name, Trouble::Report(method, Effect::Raw(200, body.to_owned())), HOUR);
    vec![
        nothing(
            "nobody is active: `kind` and nothing else",
            Method::RunRealtimeReport,
            r#"{"kind": "analyticsData#runRealtimeReport"}"#,
        ),
        nothing(
            "no data: no headers, no rows and no zone",
            Method::RunReport,
            r#"{"kind": "analyticsData#runReport", "metadata": {}}"#,
        ),
    ]
}

fn no_reports() -> Vec<Row> {
    let protocol =
        |name, effect| Row { expected: backing_off(&["protocol"]), ..row(name, Trouble::Reports(effect), HOUR) };
    vec![
        protocol("HTTP 200 with a page of HTML", Effect::Html),
        protocol("half of the JSON", Effect::Truncated),
        protocol("another kind of answer", Effect::WrongKind),
        protocol("other metrics than asked for", Effect::NoMetricHeaders),
        protocol("a count of -1", Effect::MetricValues("-1".to_owned())),
        protocol("a count of NaN", Effect::MetricValues("NaN".to_owned())),
        protocol("a count of 1e308", Effect::MetricValues("1e308".to_owned())),
        Row {
            setting: Setting { place: Place::LittleMemory, ..Setting::usual() },
            ..protocol("a body without an end", Effect::Endless)
        },
    ]
}

fn refusals() -> Vec<Row> {
    let denied = |name, reason, trouble| Row {
        expected: [failing(reason, REALTIME_STALE, (5, 8), 610), failing(reason, TRAFFIC_STALE, (5, 8), 610)],
        ..row(name, trouble, HOUR)
    };
    vec![
        Row {
            expected: [
                failing(&["invalid_request"], REALTIME_STALE, (1, 2), 3610),
                failing(&["invalid_request"], TRAFFIC_STALE, (1, 2), 3610),
            ],
            ..row("400, the request is refused", Trouble::Reports(Effect::Refuse(Refusal::InvalidArgument)), HOUR)
        },
        row("401, once, since all tokens are revoked", Trouble::TokensRevoked, Lasts::Minutes(20)),
        Row {
            // Each attempt is two: with the token, and with another.
            expected: [
                failing(&["unauthenticated"], REALTIME_STALE, (24, 50), BACK_OFF),
                failing(&["unauthenticated"], TRAFFIC_STALE, (24, 50), BACK_OFF),
            ],
            ..row("401, whatever the token", Trouble::Reports(Effect::Refuse(Refusal::Unauthenticated)), HOUR)
        },
        denied("403, the property is revoked", &["no_access"], Trouble::NoAccess),
        Row {
            others: Others::Same,
            ..denied(
                "403, the API is disabled",
                &["api_disabled"],
                Trouble::DataApi(Effect::Refuse(Refusal::ServiceDisabled)),
            )
        },
        Row {
            others: Others::Same,
            ..denied(
                "403, the token lacks the scope",
                &["insufficient_scope"],
                Trouble::DataApi(Effect::Refuse(Refusal::InsufficientScope)),
            )
        },
        Row {
            others: Others::Same,
            ..denied(
                "403, the account may not use the Cloud project",
                &["cloud_project"],
                Trouble::DataApi(named(403, "USER_PROJECT_DENIED")),
            )
        },
        Row {
            others: Others::Same,
            ..denied(
                "403, the organization's perimeter",
                &["perimeter"],
                Trouble::DataApi(named(403, "SECURITY_POLICY_VIOLATED")),
            )
        },
    ]
}

/// A refusal with a reason, as Google's front end words it.
fn named(code: u16, cause: &str) -> Effect {
    let details = format!(r#"[{{"reason": "{cause}", "metadata": {{"consumer": "projects/12"}}}}]"#);
    Effect::Raw(code, format!(r#"{{"error": {{"code": {code}, "message": "Refused.", "details": {details}}}}}"#))
}

fn server_errors() -> Vec<Row> {
    let stopped = |name, refusal| Row {
        expected: [
            failing(&["server_error"], REALTIME_STALE, (8, 9), 3610),
            failing(&["server_error"], TRAFFIC_STALE, (8, 9), 3610),
        ],
        signs: &["core/server_errors", "realtime/server_errors"],
        ..row(name, Trouble::Reports(Effect::Refuse(refusal)), HOUR)
    };
    vec![
        stopped("500", Refusal::Internal),
        stopped("503", Refusal::Unavailable),
        Row {
            expected: backing_off(&["server_error"]),
            ..row("502 of a proxy of Google's", Trouble::Reports(Effect::Raw(502, "<html>".to_owned())), HOUR)
        },
        Row {
            expected: backing_off(&["server_error"]),
            ..row("499, Google gives the request up", Trouble::Reports(Effect::Raw(499, CANCELLED.to_owned())), HOUR)
        },
        Row {
            expected: backing_off(&["server_error"]),
            ..row("409, Google breaks the request off", Trouble::Reports(Effect::Raw(409, ABORTED.to_owned())), HOUR)
        },
        Row {
            expected: [super::UNTOUCHED_REALTIME, failing(&["server_error"], TRAFFIC_STALE, (8, 9), 3610)],
            signs: &["core/server_errors"],
            ..row(
                "503 of one report only",
                Trouble::Report(Method::RunReport, Effect::Refuse(Refusal::Unavailable)),
                HOUR,
            )
        },
    ]
}

/// Both reports fail for an hour, with a pause of five minutes at most.
pub(super) fn backing_off(reasons: &'static [&'static str]) -> [Expected; 2] {
    [failing(reasons, REALTIME_STALE, (12, 25), BACK_OFF), failing(reasons, TRAFFIC_STALE, (12, 25), BACK_OFF)]
}

const CANCELLED: &str = r#"{"error": {"code": 499, "message": "The operation was cancelled.", "status": "CANCELLED"}}"#;

const ABORTED: &str = r#"{"error": {"code": 409, "message": "The operation was aborted.", "status": "ABORTED"}}"#;
