//! Between here and Google.

use ga4_simulator::Effect;

use super::{BACK_OFF, HOUR, REALTIME_STALE, TRAFFIC_STALE, UNTOUCHED_TRAFFIC, answers::backing_off, failing, row};
use crate::{
    row::{Expected, Lasts, Others, Place, Row, Setting, Values, Way},
    trouble::Trouble,
};
use std::time::Duration;

pub(super) fn rows() -> Vec<Row> {
    let mut rows = cut();
    rows.extend(slow());
    rows.extend(away());
    rows
}

fn cut() -> Vec<Row> {
    let cut =
        |name, effect| Row { expected: backing_off(&["connection"]), ..row(name, Trouble::Reports(effect), HOUR) };
    vec![
        cut("the connection is reset instead of an answer", Effect::Reset),
        cut("the connection is reset in the middle of a body", Effect::ResetMidBody),
    ]
}

fn slow() -> Vec<Row> {
    let hanging = |name, effect| Row {
        expected: [
            failing(&["timeout"], REALTIME_STALE, (10, 20), BACK_OFF + 60),
            failing(&["timeout"], TRAFFIC_STALE, (10, 20), BACK_OFF + 60),
        ],
        ..row(name, Trouble::Reports(effect), HOUR)
    };
    let late = |name, setting, realtime, seconds| Row {
        expected: [realtime, UNTOUCHED_TRAFFIC],
        setting,
        ..row(name, Trouble::Reports(Effect::Latency(Duration::from_secs(seconds))), HOUR)
    };
    vec![
        hanging("no answer ever comes", Effect::Hang),
        hanging("half of an answer, and no end", Effect::HangMidBody),
        late("answers come after 59 s", Setting::usual(), failing(&[], Values::Held, (29, 61), 130), 59),
        late(
            "answers come after 45 s, and realtime is polled every 10 s",
            Setting { config: EVERY_TEN_SECONDS, intervals: [10, 900], ..Setting::usual() },
            failing(&[], Values::Held, (60, 81), 70),
            45,
        ),
    ]
}

fn away() -> Vec<Row> {
    // Nothing arrives at the simulator.
    let gone = backing_off(&["connection"]).map(|expected| Expected { requests: (0, 0), ..expected });
    let both = backing_off(&["connection", "no_credentials"]);
    let reset = |name, trouble, way, place| Row {
        expected: gone,
        others: Others::Same,
        setting: Setting { way, place, ..Setting::usual() },
        ..row(name, trouble, HOUR)
    };
    let none = |requests| Expected { reasons: &["connection"], values: Values::Never, requests, fresh: None };
    vec![
        reset("nobody listens at the Data API's address", Trouble::Refused, Way::Front, Place::Here),
        reset("Google's certificate has expired", Trouble::ExpiredCertificate, Way::Tls, Place::OwnAuthority),
        Row {
            expected: [none((0, 0)), none((0, 0))],
            others: Others::Same,
            setting: Setting { way: Way::NoName, onset: 60, ..Setting::usual() },
            ..row("DNS does not know the Data API's name", Trouble::Setting, Lasts::Minutes(10))
        },
        Row {
            expected: both,
            others: Others::Same,
            signs: &["`discovery_up` 0", "`token_refresh_failures_total` connection"],
            ..row("every connection to Google is reset", Trouble::Google(Effect::Reset), HOUR)
        },
    ]
}

const EVERY_TEN_SECONDS: &str =
    "discovery: {enabled: true}\nreports: {realtime: {interval: 10s, stale_after: 3m}}\nbaseline: {enabled: false}\n";
