//! The quota of one property and category: its buckets, what was spent, and what its reports cost.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Cost, HOUR, Share, Spending, TRIAL_PAUSE};
use crate::{
    names::{Bucket, ReportName},
    time::later,
    wire::response::PropertyQuota,
};

/// The buckets of one property and category.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// What was left according to Google's last answer.
    pub(super) reported: Option<Reported>,
    /// The closed buckets.
    pub(super) closed: BTreeMap<Bucket, Closure>,
    /// Times of 500 and 503 answers within the last hour.
    pub(super) server_errors: VecDeque<Timestamp>,
    /// Server errors since Google last said how many are left.
    pub(super) server_errors_since_reported: i64,
    /// Until when the trial request of a closed bucket may be in flight. A trial can also be lost, when its property or report
    /// is removed meanwhile.
    pub(super) trial_until: Option<Timestamp>,
    /// Whether Google has ever reported more than a standard property can have.
    pub(super) premium: bool,
    /// What this exporter spent.
    pub(super) spending: Spending,
    /// The cost of each report.
    pub(super) costs: BTreeMap<ReportName, Cost>,
    /// The possible cost of polls in flight.
    pub(super) on_their_way: BTreeMap<ReportName, u32>,
}

#[derive(Clone, Debug)]
pub(super) struct Reported {
    pub(super) quota: PropertyQuota,
    /// When the request was sent.
    pub(super) sent_at: Timestamp,
    /// When the figures expire.
    pub(super) holds_until: Timestamp,
}

/// Since when and until when a bucket is left alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Closure {
    pub(super) until: Timestamp,
    pub(super) made_at: Timestamp,
    /// Whether a trial has to succeed before other requests follow.
    pub(super) tried_first: bool,
}

/// The same as it is saved, in Unix seconds.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct SavedClosure {
    until: i64,
    made_at: i64,
    tried_first: bool,
}

impl From<Closure> for SavedClosure {
    fn from(closure: Closure) -> Self {
        let Closure { until, made_at, tried_first } = closure;
        Self { until: until.as_second(), made_at: made_at.as_second(), tried_first }
    }
}

impl SavedClosure {
    /// The closure, unless it cannot be one: a wrong clock has dated it.
    pub(super) fn at(self, now: Timestamp) -> Option<Closure> {
        let (until, made_at) = (Timestamp::from_second(self.until).ok()?, Timestamp::from_second(self.made_at).ok()?);
        let can_be = made_at <= now && until <= later(now, LONGEST_CLOSURE);
        can_be.then_some(Closure { until, made_at, tried_first: self.tried_first })
    }
}

/// From a refusal to Pacific midnight, on the day on which clocks are set back.
const LONGEST_CLOSURE: Duration = Duration::from_hours(25);

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

    /// The possible cost of everything in flight.
    pub(super) fn reserved(&self) -> u64 {
        self.on_their_way.values().map(|tokens| u64::from(*tokens)).sum()
    }

    /// A trial that says nothing about the bucket leaves it closed until the next one.
    pub(super) fn trial_failed(&mut self, now: Timestamp) {
        if self.trial_until.take().is_some() {
            for closure in self.closed.values_mut().filter(|closure| closure.until <= now) {
                closure.until = later(now, TRIAL_PAUSE);
            }
        }
    }

    /// Returns the end of the pause after a server error; the first two in an hour cause none.
    pub(super) fn server_error_pause(&self, now: Timestamp) -> Option<Timestamp> {
        let reported = self.reported.as_ref().filter(|reported| reported.holds_until > now);
        let reported = reported.and_then(|reported| reported.quota.server_errors_per_project_per_hour);
        let left = reported.map(|status| status.remaining - self.server_errors_since_reported);
        let errors = self.server_errors.len();
        if left.is_some_and(|left| left <= SERVER_ERRORS_LEFT_AT_STOP) {
            return Some(later(now, HOUR));
        }
        if errors >= SERVER_ERRORS_AT_STOP {
            // From then on the last hour has fewer of them.
            let decisive = self.server_errors.get(errors - SERVER_ERRORS_AT_STOP).copied().unwrap_or(now);
            return Some(later(decisive, HOUR));
        }
        (errors >= SERVER_ERRORS_AT_SLOW).then(|| later(now, SLOW_PAUSE))
    }
}

/// From this many server errors in an hour, one attempt per [`SLOW_PAUSE`].
const SERVER_ERRORS_AT_SLOW: usize = 3;

const SLOW_PAUSE: Duration = Duration::from_mins(5);

/// At this many server errors in an hour, no request until the hour is over; Google blocks at 10.
const SERVER_ERRORS_AT_STOP: usize = 8;

/// The same if Google says that only this many are left.
const SERVER_ERRORS_LEFT_AT_STOP: i64 = 2;
