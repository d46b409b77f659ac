//! What came of a row, and whether that is what has to come of it.

use serde::{Deserialize, Serialize};

use crate::row::{Others, REPORTS, Row, Values};

/// What came of a row. Times are in seconds.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Outcome {
    /// Of realtime and of traffic.
    pub(crate) reports: [Seen; 2],
    /// Closed buckets and for how long they were closed first.
    pub(crate) closed: Vec<(String, i64)>,
    /// What else `/metrics` said.
    pub(crate) signs: Vec<String>,
    /// Whether another property failed, or had no values.
    pub(crate) others_failed: bool,
    /// Whether a poll of another property was late or missing.
    pub(crate) late_others: bool,
    /// How long it lasted.
    pub(crate) lasted: i64,
    /// Requests to the Data API for all properties while it lasted, as the exporter counts them.
    pub(crate) attempts: usize,
    /// Requests for a token while it lasted.
    pub(crate) sign_in: usize,
    /// Requests for the listing, by page.
    pub(crate) listings: usize,
}

/// What was seen of one report of the property.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Seen {
    /// The reasons of its failures in the order of their coming.
    pub(crate) reasons: Vec<String>,
    /// When its values were missing first, since the beginning of the trouble.
    pub(crate) gone_after: Option<i64>,
    /// How long they were missing altogether, until all was well again.
    pub(crate) gone_for: i64,
    /// Requests while it lasted.
    pub(crate) requests: usize,
    /// When values that were asked for after the trouble were there, since its end.
    pub(crate) fresh_after: Option<i64>,
}

impl Outcome {
    pub(crate) fn others(&self) -> Others {
        if self.others_failed || self.late_others { Others::Same } else { Others::Nothing }
    }
}

impl Row {
    /// What is not as expected, in words.
    pub(crate) fn misses(&self, outcome: &Outcome) -> Vec<String> {
        let mut misses = Vec::new();
        for ((report, expected), seen) in REPORTS.iter().zip(&self.expected).zip(&outcome.reports) {
            let mut miss = |what: String| misses.push(format!("{} ({report}): {what}", self.name));
            if seen.reasons != expected.reasons {
                miss(format!("reasons {:?} instead of {:?}", seen.reasons, expected.reasons));
            }
            if !expected.values.allow(seen.gone_after) {
                miss(format!("values gone after {:?} s instead of {:?}", seen.gone_after, expected.values));
            }
            if !expected.requests().contains(&seen.requests) {
                miss(format!("{} requests instead of {:?}", seen.requests, expected.requests()));
            }
            let is_fresh = match (seen.fresh_after, expected.fresh) {
                (Some(seconds), Some(most)) => seconds <= most,
                (seen, expected) => seen.is_none() && expected.is_none(),
            };
            if !is_fresh {
                miss(format!("fresh after {:?} s instead of {:?}", seen.fresh_after, expected.fresh));
            }
        }
        if outcome.others() != self.others {
            misses.push(format!(
                "{}: the other property failed: {}, was late: {}",
                self.name, outcome.others_failed, outcome.late_others
            ));
        }
        for sign in self.signs {
            if !outcome.signs.iter().chain(outcome.closed.iter().map(|(bucket, _)| bucket)).any(|seen| seen == sign) {
                misses.push(format!("{}: no {sign} in {:?} {:?}", self.name, outcome.signs, outcome.closed));
            }
        }
        if self.signs.is_empty() && !(outcome.signs.is_empty() && outcome.closed.is_empty()) {
            misses.push(format!("{}: unexpected {:?} {:?}", self.name, outcome.signs, outcome.closed));
        }
        misses
    }
}

impl Values {
    fn allow(self, gone_after: Option<i64>) -> bool {
        match (self, gone_after) {
            (Self::Held, None) => true,
            (Self::Gone(earliest, latest), Some(seconds)) => (earliest..=latest).contains(&seconds),
            (Self::Never, Some(seconds)) => seconds == 0,
            (Self::Held, Some(_)) | (Self::Gone(..) | Self::Never, None) => false,
        }
    }
}
