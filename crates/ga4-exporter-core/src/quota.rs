//! The ledger of Google's quota buckets: what is left, what was spent, and what is closed until when.
//!
//! Knows the buckets of each property and category (developers.google.com/analytics/devguides/reporting/data/v1/quotas),
//! how long each kind of failure closes a bucket, what each report costs, and how often it may be polled. Refuses to know
//! requests and the runtime. Invariants: while a bucket is closed, [`Ledger::admit_poll`] admits only the trial request for
//! that property and category; no more than the share of a token bucket is spent, as far as costs are known.
//!
//! `account` holds the buckets of one property and category, `spending` the tokens spent, `cost` the cost of a report, `budget`
//! the tokens that an hour allows, `pacing` the intervals that fit the budget, and `outlook` the same before the first request,
//! `allowance` the tokens that one command may spend.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use account::{Account, Closure, Reported, SavedClosure};
pub use allowance::{Allowance, Overspent, refill};
pub use budget::{Budget, Limit};
pub use cost::{ASSUMED, Cost};
pub use outlook::{BucketOutlook, Outlook, ReportOutlook};
pub use pacing::{Demand, Pacing};
pub use share::Share;
pub use spending::Spending;
pub(crate) use view::TOKEN_BUCKETS;
pub use view::{QuotaView, Remaining, TokenBucket};

use ga4_drop_baseline::calendar::next_pacific_midnight;

use crate::{
    names::{Bucket, Category, PropertyId, ReportName},
    time::later,
    wire::response::PropertyQuota,
};

mod account;
mod allowance;
mod budget;
mod cost;
mod outlook;
mod pacing;
mod share;
mod spending;
mod view;

/// The buckets of all properties.
#[derive(Debug, Default)]
pub struct Ledger {
    /// The share of each token bucket that may be spent.
    share: Share,
    accounts: HashMap<(PropertyId, Category), Account>,
}

/// The state of a property and category that survives a restart.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Remembered {
    /// The tokens spent.
    pub spending: Spending,
    /// Whether its buckets have the sizes of Analytics 360.
    pub premium: bool,
    /// The buckets that Google closed, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    closed: BTreeMap<String, SavedClosure>,
}

/// A poll that is due.
#[derive(Clone, Copy, Debug)]
pub struct DuePoll<'a> {
    /// The report.
    pub report: &'a ReportName,
    /// How many requests it takes.
    pub requests: u32,
    /// Whether it continues when ordinary reports must pause.
    pub essential: bool,
}

/// The cost of a poll.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Spent {
    /// The tokens that Google charged.
    pub tokens: u32,
    /// Whether all its requests were answered, so that the figure is complete.
    pub whole: bool,
    /// Whether an answer could not be read, or may have been lost.
    pub unread: bool,
}

/// Whether a request may be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Admission {
    /// Yes.
    Open,
    /// Yes, but only this one: it tests whether the bucket has been refilled.
    Trial,
    /// Not before this time.
    Closed {
        /// When to ask again.
        until: Timestamp,
        /// The bucket that is closed longest.
        bucket: Bucket,
        /// Our own limit that closed it; `None` if Google closed it.
        limit: Option<Limit>,
    },
}

impl Ledger {
    /// Creates a ledger with this share.
    pub fn new(share: Share) -> Self {
        Self { share, accounts: HashMap::new() }
    }

    /// Changes the share.
    pub fn set_share(&mut self, share: Share) {
        self.share = share;
    }

    /// Decides whether a poll may be sent now, given closed buckets and its possible cost. After [`Admission::Open`] and
    /// [`Admission::Trial`] the caller sends it and reports the outcome, ending with [`settle`](Self::settle).
    pub fn admit_poll(
        &mut self,
        property: PropertyId,
        category: Category,
        wanted: DuePoll<'_>,
        now: Timestamp,
    ) -> Admission {
        let share = self.share;
        let closed = self.admit(property, category, now);
        if let Admission::Closed { .. } = closed {
            return closed;
        }
        let is_trial = self.accounts.get(&(property, category)).is_some_and(|account| account.trial_until.is_some());
        let account = self.account(property, category);
        account.spending.pass(now);
        // A poll that costs more than the whole share goes alone.
        let tokens = account.cost(wanted.report).largest(wanted.requests).min(account.most(share));
        let kept_back = match account.reserve(now) {
            Some(bucket) if !wanted.essential => Some((Limit::Reserve(bucket), later(now, RESERVE_PAUSE))),
            _ => account.overdrawn(tokens.into(), share, now),
        };
        if let Some((limit, until)) = kept_back {
            if is_trial {
                account.trial_until = None;
            }
            return Admission::Closed { until, bucket: limit.bucket(), limit: Some(limit) };
        }
        account.on_their_way.insert(wanted.report.clone(), tokens);
        if is_trial { Admission::Trial } else { Admission::Open }
    }

    /// Enters the cost of a finished poll.
    pub fn settle(
        &mut self,
        property: PropertyId,
        category: Category,
        report: &ReportName,
        spent: Spent,
        now: Timestamp,
    ) {
        let account = self.account(property, category);
        let reserved = account.on_their_way.remove(report).unwrap_or_default();
        // Assume that Google also charged for an answer that was not read.
        let tokens = if spent.unread { spent.tokens.max(reserved) } else { spent.tokens };
        if tokens > 0 {
            account.spending.spend(tokens, now);
        }
        if spent.tokens > 0 && spent.whole {
            account.costs.entry(report.clone()).or_default().learn(spent.tokens);
        }
    }

    /// Plans the intervals of these reports of one category of a property.
    pub fn pace(&self, property: PropertyId, category: Category, demands: &[&Demand], now: Timestamp) -> Vec<Pacing> {
        let unknown = Account::default();
        let account = self.accounts.get(&(property, category)).unwrap_or(&unknown);
        let costs: Vec<(&Demand, f64)> =
            demands.iter().map(|demand| (*demand, account.cost(&demand.report).average(demand.requests))).collect();
        pacing::pace(&costs, &Budget::new(account, self.share, now))
    }

    /// Returns the state of a property to save, by category.
    pub fn remembered(&self, property: PropertyId) -> BTreeMap<String, Remembered> {
        let of = |category: &Category| {
            let account = self.accounts.get(&(property, *category))?;
            let closed =
                account.closed.iter().map(|(bucket, closure)| (bucket.to_string(), (*closure).into())).collect();
            let remembered = Remembered { spending: account.spending.clone(), premium: account.premium, closed };
            Some((category.to_string(), remembered))
        };
        Category::ALL.iter().filter_map(of).collect()
    }

    /// Restores the saved state of a property.
    pub fn restore(&mut self, property: PropertyId, mut remembered: BTreeMap<String, Remembered>, now: Timestamp) {
        for category in Category::ALL {
            if let Some(remembered) = remembered.remove(category.as_str()) {
                let account = self.account(property, *category);
                account.spending = remembered.spending;
                account.premium |= remembered.premium;
                for bucket in Bucket::ALL {
                    let closure = remembered.closed.get(bucket.as_str()).and_then(|saved| saved.at(now));
                    account.closed.extend(closure.map(|closure| (*bucket, closure)));
                }
            }
        }
    }

    /// Decides whether a request for this property and category may be sent now, given closed buckets. After
    /// [`Admission::Trial`] the caller sends it and reports the outcome.
    fn admit(&mut self, property: PropertyId, category: Category, now: Timestamp) -> Admission {
        let Some(account) = self.accounts.get_mut(&(property, category)) else { return Admission::Open };
        account.closed.retain(|_, closure| closure.until > now || closure.tried_first);
        let Some((bucket, closure)) = account.closed.iter().max_by_key(|(_, closure)| closure.until) else {
            return Admission::Open;
        };
        let (bucket, until) = (*bucket, closure.until);
        if until > now {
            return Admission::Closed { until, bucket, limit: None };
        }
        if account.trial_until.is_some_and(|until| until > now) {
            return Admission::Closed { until: later(now, WAIT_FOR_TRIAL), bucket, limit: None };
        }
        account.trial_until = Some(later(now, TRIAL_LOST));
        Admission::Trial
    }

    /// Enters a successful answer, and what it says is left. The figures hold until `holds_until`. A request that was sent
    /// before
    /// a bucket closed does not reopen that bucket.
    pub fn on_success(
        &mut self,
        property: PropertyId,
        category: Category,
        quota: Option<&PropertyQuota>,
        sent_at: Timestamp,
        holds_until: Timestamp,
    ) {
        let account = self.account(property, category);
        account.trial_until = None;
        account.closed.retain(|_, closure| closure.made_at > sent_at);
        if let Some(quota) = quota {
            account.premium |= view::is_premium(quota);
            // Of two requests in flight, the earlier one may be answered last.
            if account.reported.as_ref().is_none_or(|before| before.sent_at <= sent_at) {
                account.server_errors_since_reported = 0;
                account.reported = Some(Reported { quota: quota.clone(), sent_at, holds_until });
            }
        }
    }

    /// Closes this bucket, because a request was refused for it.
    pub fn on_exhausted(&mut self, property: PropertyId, category: Category, bucket: Bucket, now: Timestamp) {
        let account = self.account(property, category);
        let is_trial = account.trial_until.take().is_some();
        let pause = if is_trial { TRIAL_PAUSE } else { REFILL };
        let (until, tried_first) = match bucket {
            Bucket::Concurrent => (later(now, CONCURRENT_PAUSE), false),
            // A refill that comes a moment after midnight must not cost another day.
            Bucket::Day if is_trial => (next_pacific_midnight(now).min(later(now, pause)), true),
            Bucket::Day => (next_pacific_midnight(now), true),
            Bucket::ClientErrors => (later(now, pause.min(CLIENT_ERRORS_PAUSE)), true),
            Bucket::ServerErrors => (later(now, HOUR), true),
            Bucket::Hour | Bucket::ProjectHour | Bucket::Thresholded | Bucket::Unknown => (later(now, pause), true),
        };
        account.closed.insert(bucket, Closure { until, made_at: now, tried_first });
    }

    /// Counts a 500 or 503: Google blocks a project from a property after 10 of those in an hour.
    pub fn on_server_error(&mut self, property: PropertyId, category: Category, now: Timestamp) {
        let account = self.account(property, category);
        account.trial_failed(now);
        account.server_errors_since_reported += 1;
        account.server_errors.push_back(now);
        account.server_errors.retain(|at| later(*at, HOUR) > now);
        let Some(until) = account.server_error_pause(now) else { return };
        account.closed.insert(Bucket::ServerErrors, Closure { until, made_at: now, tried_first: false });
    }

    /// Enters a request that failed for another reason than a quota.
    pub fn on_other_failure(&mut self, property: PropertyId, category: Category, now: Timestamp) {
        if let Some(account) = self.accounts.get_mut(&(property, category)) {
            account.trial_failed(now);
        }
    }

    /// Returns the view of one property and category for the metrics; `None` if nothing is known yet.
    pub fn view(&self, property: PropertyId, category: Category) -> Option<QuotaView> {
        let account = self.accounts.get(&(property, category))?;
        let reported = account.reported.as_ref().map(|reported| (&reported.quota, reported.holds_until));
        let closed = account.closed.iter().map(|(bucket, closure)| (*bucket, closure.until)).collect();
        Some(QuotaView::new(reported, closed, account.premium))
    }

    /// Ends a trial that was not sent or was lost.
    pub fn on_not_sent(&mut self, property: PropertyId, category: Category) {
        if let Some(account) = self.accounts.get_mut(&(property, category)) {
            account.trial_until = None;
        }
    }

    /// The clock was set back to this time: closures move with it, so that they last as long as intended.
    pub fn on_clock_set_back(&mut self, by: SignedDuration, now: Timestamp) {
        let back = |at: Timestamp| at.saturating_sub(by).unwrap_or(at);
        for account in self.accounts.values_mut() {
            for (bucket, closure) in &mut account.closed {
                // Except the daily refill, which has a fixed time.
                let is_refill = *bucket == Bucket::Day && closure.until == next_pacific_midnight(closure.made_at);
                closure.until = if is_refill { next_pacific_midnight(now) } else { back(closure.until) };
                closure.made_at = back(closure.made_at);
            }
            account.server_errors.iter_mut().for_each(|at| *at = back(*at));
            account.trial_until = account.trial_until.map(back);
            if let Some(reported) = &mut account.reported {
                reported.sent_at = back(reported.sent_at);
                reported.holds_until = back(reported.holds_until);
            }
        }
    }

    /// Forgets a property.
    pub fn remove(&mut self, property: PropertyId) {
        for category in Category::ALL {
            self.accounts.remove(&(property, *category));
        }
    }

    fn account(&mut self, property: PropertyId, category: Category) -> &mut Account {
        self.accounts.entry((property, category)).or_default()
    }
}

/// How long to wait before checking whether others leave more.
const RESERVE_PAUSE: Duration = Duration::from_mins(5);

const HOUR: Duration = Duration::from_hours(1);

/// Pause after too many concurrent requests.
const CONCURRENT_PAUSE: Duration = Duration::from_secs(30);

/// Hourly buckets refill "within an hour, not necessarily on the hour boundary".
const REFILL: Duration = Duration::from_mins(30);

/// Failed requests are counted by the quarter of an hour.
const CLIENT_ERRORS_PAUSE: Duration = Duration::from_mins(15);

/// Time between two trials of a bucket.
const TRIAL_PAUSE: Duration = Duration::from_mins(10);

/// A trial that takes longer than this is lost: a request and the wait for its token take less.
const TRIAL_LOST: Duration = Duration::from_mins(3);

/// How long the other requests wait for the outcome of the trial.
const WAIT_FOR_TRIAL: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
