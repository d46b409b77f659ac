//! What is known of one property and category: its buckets, what was spent, and what its reports cost.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use jiff::Timestamp;

use super::{Cost, HOUR, Share, Spending, TRIAL_PAUSE};
use crate::{
    names::{Bucket, ReportName},
    time::later,
    wire::response::PropertyQuota,
};

/// The buckets of one property and category.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// What Google has told last.
    pub(super) told: Option<Told>,
    /// The closed buckets.
    pub(super) closed: BTreeMap<Bucket, Closure>,
    /// When 500 and 503 came, within the last hour.
    pub(super) server_errors: VecDeque<Timestamp>,
    /// Server errors since Google told how many are left.
    pub(super) server_errors_since_told: i64,
    /// Until when the one request that tries a closed bucket may be on its way. It may also be lost without a word, when
    /// its property or report goes meanwhile.
    pub(super) trial_until: Option<Timestamp>,
    /// Whether Google has ever told more than a standard property can have.
    pub(super) premium: bool,
    /// What was spent here.
    pub(super) spending: Spending,
    /// What each report costs.
    pub(super) costs: BTreeMap<ReportName, Cost>,
    /// What the polls on their way may cost.
    pub(super) on_their_way: BTreeMap<ReportName, u32>,
}

#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) quota: PropertyQuota,
    /// When the request was sent.
    pub(super) sent_at: Timestamp,
    /// Until when the numbers hold, like all others.
    pub(super) holds_until: Timestamp,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Closure {
    pub(super) until: Timestamp,
    pub(super) made_at: Timestamp,
    /// Whether it has to be tried with one request before others follow.
    pub(super) tried_first: bool,
}

impl Account {
    /// The most that a poll is assumed to cost.
    pub(super) fn most(&self, share: Share) -> u32 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a bucket")]
        let most = share.of(self.size(Bucket::ProjectHour)) as u32;
        most
    }

    pub(super) fn cost(&self, report: &ReportName) -> Cost {
        self.costs.get(report).copied().unwrap_or_default()
    }

    /// What may be spent by what is on its way.
    pub(super) fn reserved(&self) -> u64 {
        self.on_their_way.values().map(|tokens| u64::from(*tokens)).sum()
    }

    /// A trial that told nothing of the bucket leaves it closed until the next.
    pub(super) fn trial_failed(&mut self, now: Timestamp) {
        if self.trial_until.take().is_some() {
            for closure in self.closed.values_mut().filter(|closure| closure.until <= now) {
                closure.until = later(now, TRIAL_PAUSE);
            }
        }
    }

    /// Until when nothing is asked after a server error, if it was not one of the first two in an hour.
    pub(super) fn server_error_pause(&self, now: Timestamp) -> Option<Timestamp> {
        let told = self.told.as_ref().filter(|told| told.holds_until > now);
        let told = told.and_then(|told| told.quota.server_errors_per_project_per_hour);
        let left = told.map(|status| status.remaining - self.server_errors_since_told);
        let errors = self.server_errors.len();
        if left.is_some_and(|left| left <= SERVER_ERRORS_LEFT_AT_STOP) {
            return Some(later(now, HOUR));
        }
        if errors >= SERVER_ERRORS_AT_STOP {
            // From then on the last hour has fewer than that again.
            let decisive = self.server_errors.get(errors - SERVER_ERRORS_AT_STOP).copied().unwrap_or(now);
            return Some(later(decisive, HOUR));
        }
        (errors >= SERVER_ERRORS_AT_SLOW).then(|| later(now, SLOW_PAUSE))
    }
}

/// From this many server errors in an hour on there is one attempt per [`SLOW_PAUSE`].
const SERVER_ERRORS_AT_SLOW: usize = 3;

const SLOW_PAUSE: Duration = Duration::from_mins(5);

/// At this many server errors in an hour nothing is asked until the hour is over; Google blocks at 10.
const SERVER_ERRORS_AT_STOP: usize = 8;

/// The same when Google says that so few are left.
const SERVER_ERRORS_LEFT_AT_STOP: i64 = 2;
