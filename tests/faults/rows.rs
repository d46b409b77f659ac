//! The table: every row of the failure policy, by subject.

use crate::{
    row::{Expected, Lasts, Others, Row, Setting, Values},
    trouble::Trouble,
};

mod answers;
mod host;
mod network;
mod properties;
mod quotas;
mod sign_in;
mod time;

/// All rows in the order of the table.
pub(crate) fn all() -> Vec<Row> {
    [answers::rows(), quotas::rows(), network::rows(), sign_in::rows(), properties::rows(), time::rows(), host::rows()]
        .into_iter()
        .flatten()
        .collect()
}

/// A row that nobody notices, until it says otherwise.
fn row(name: &'static str, trouble: Trouble, lasts: Lasts) -> Row {
    Row {
        name,
        trouble,
        lasts,
        setting: Setting::usual(),
        expected: [UNTOUCHED_REALTIME, UNTOUCHED_TRAFFIC],
        others: Others::Nothing,
        signs: &[],
    }
}

/// A report that fails for one reason until its values are stale.
const fn failing(reasons: &'static [&'static str], values: Values, requests: (usize, usize), fresh: i64) -> Expected {
    Expected { reasons, values, requests, fresh: Some(fresh) }
}

const UNTOUCHED_REALTIME: Expected = failing(&[], Values::Held, (0, 240), INTERVAL);

const UNTOUCHED_TRAFFIC: Expected = failing(&[], Values::Held, (0, 20), 910);

/// Three intervals after the last success, which was within one before.
const REALTIME_STALE: Values = Values::Gone(110, 190);

/// The same of traffic.
const TRAFFIC_STALE: Values = Values::Gone(1790, 2710);

/// Of realtime, in seconds; and as exactly as it is measured.
const INTERVAL: i64 = 70;

/// The longest back-off, in seconds.
const BACK_OFF: i64 = 310;

const HOUR: Lasts = Lasts::Minutes(60);
