//! Answers that are no report, and refusals.

use google_analytics_exporter::simulator::{Effect, Method, Refusal};

use super::{BACK_OFF, HOUR, REALTIME_STALE, TRAFFIC_STALE, failing, row};
use crate::{
    row::{Expected, Lasts, Others, Place, Row, Setting},
    trouble::Trouble,
};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = no_reports();
    rows.extend(refusals());
    rows.extend(server_errors());
    rows
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
        row("401, once, since all tokens are taken back", Trouble::TokensRevoked, Lasts::Minutes(20)),
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
    ]
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
