//! Quota buckets that are empty, and rates that are too high.

use ga4_simulator::{Bucket, Effect, Method, Refusal};

use super::{HOUR, INTERVAL, REALTIME_STALE, TRAFFIC_STALE, UNTOUCHED_REALTIME, UNTOUCHED_TRAFFIC, failing, row};
use crate::{
    row::{Expected, Lasts, Others, Row, Setting, Values},
    trouble::Trouble,
};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = emptied();
    rows.extend(refused());
    rows.extend(rates());
    rows
}

/// Others empty the bucket; it fills at its time. An interval of `traffic` and the half hour that a bucket is closed are as
/// long as its values hold: what is missing in between is missing for seconds.
fn emptied() -> Vec<Row> {
    let core = |name, bucket, traffic, signs, start| Row {
        expected: [UNTOUCHED_REALTIME, traffic],
        signs,
        setting: Setting { start, ..Setting::usual() },
        ..row(name, Trouble::Emptied(Method::RunReport, bucket), Lasts::UntilRefill(bucket))
    };
    vec![
        core(
            "429, tokens per hour, emptied by others",
            Bucket::Hour,
            failing(&["quota_hour"], Values::Held, (1, 4), TRIAL),
            &["core/hour"],
            USUAL,
        ),
        core(
            "429, tokens per project and hour, emptied by others",
            Bucket::ProjectHour,
            failing(&["quota_project_hour"], Values::Held, (1, 4), TRIAL),
            &["core/project_hour"],
            USUAL,
        ),
        // Eight in the evening in California.
        core(
            "429, tokens per day, emptied by others",
            Bucket::Day,
            failing(&["quota_day"], TRAFFIC_STALE, (1, 1), 310),
            &["core/day"],
            "2026-11-23T04:00:00Z",
        ),
        Row {
            expected: [failing(&["quota_hour"], REALTIME_STALE, (1, 4), TRIAL), UNTOUCHED_TRAFFIC],
            signs: &["realtime/hour"],
            ..row(
                "429, tokens per hour of realtime, emptied by others",
                Trouble::Emptied(Method::RunRealtimeReport, Bucket::Hour),
                Lasts::UntilRefill(Bucket::Hour),
            )
        },
    ]
}

/// Google says so, and goes on saying it.
fn refused() -> Vec<Row> {
    let refused =
        |name, effect, expected, signs, lasts| Row { expected, signs, ..row(name, Trouble::Reports(effect), lasts) };
    let hourly = |reason| -> [Expected; 2] {
        [failing(reason, REALTIME_STALE, (2, 4), TRIAL), failing(reason, TRAFFIC_STALE, (2, 4), TRIAL)]
    };
    let exhausted = |bucket| Effect::Refuse(Refusal::Exhausted(bucket));
    vec![
        refused(
            "429, thresholded requests per hour",
            exhausted(Bucket::Thresholded),
            hourly(&["quota_thresholded"]),
            &["core/thresholded", "realtime/thresholded"],
            HOUR,
        ),
        refused(
            "429, server errors per hour",
            exhausted(Bucket::ServerErrors),
            [
                failing(&["server_error"], REALTIME_STALE, (1, 2), 3610),
                failing(&["server_error"], TRAFFIC_STALE, (1, 2), 3610),
            ],
            &["core/server_errors", "realtime/server_errors"],
            HOUR,
        ),
        refused(
            "429, failed requests",
            Effect::Raw(429, FAILED_REQUESTS.to_owned()),
            [
                failing(&["quota_client_errors"], REALTIME_STALE, (5, 6), 620),
                failing(&["quota_client_errors"], TRAFFIC_STALE, (4, 6), 920),
            ],
            &["core/client_errors", "realtime/client_errors"],
            HOUR,
        ),
        refused(
            "429, a bucket that nobody knows",
            Effect::Raw(429, r#"{"error": {"code": 429, "message": "Too much.", "status": "X"}}"#.to_owned()),
            hourly(&["quota_unknown"]),
            &["core/unknown", "realtime/unknown"],
            HOUR,
        ),
        refused(
            "429, concurrent requests",
            exhausted(Bucket::Concurrent),
            [
                failing(&["quota_concurrent"], REALTIME_STALE, (40, 120), 2 * INTERVAL),
                failing(&["quota_concurrent"], TRAFFIC_STALE, (40, 120), 2 * INTERVAL),
            ],
            &["core/concurrent", "realtime/concurrent"],
            HOUR,
        ),
    ]
}

/// The Cloud project, or this machine's address, as a whole asks too fast.
fn rates() -> Vec<Row> {
    let slowed = |name, effect| Row {
        others: Others::Same,
        expected: [failing(&["rate_limit"], Values::Gone(60, 900), (1, 20), 300), UNTOUCHED_TRAFFIC],
        ..row(name, Trouble::DataApi(effect), Lasts::Minutes(10))
    };
    let too_fast = |name, refusal| slowed(name, Effect::Refuse(refusal));
    vec![
        too_fast("429, the Cloud project's requests per minute", Refusal::RateLimitExceeded),
        too_fast("403, the Cloud project's requests per minute", Refusal::RateLimitExceededForbidden),
        slowed("429 with a page of HTML", Effect::Raw(429, "<html>".to_owned())),
        Row {
            expected: [
                failing(&["rate_limit"], REALTIME_STALE, (5, 16), 680),
                failing(&["rate_limit"], TRAFFIC_STALE, (4, 16), 680),
            ],
            ..row(
                "429, the Cloud project's requests per minute, for one property only",
                Trouble::Reports(Effect::Refuse(Refusal::RateLimitExceeded)),
                HOUR,
            )
        },
    ]
}

const FAILED_REQUESTS: &str = r#"{"error": {"code": 429, "message": "Exhausted client errors quota. These quota tokens will return in under 15 minutes.",
    "status": "RESOURCE_EXHAUSTED"}}"#;

const USUAL: &str = "2026-11-23T09:00:00Z";

/// From one trial of a closed bucket to the next, in seconds; or what is left of the half hour that it is closed first.
const TRIAL: i64 = 1810;
