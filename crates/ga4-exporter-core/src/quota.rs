//! The ledger of Google's quota buckets: what is left, what was spent, and what is closed until when.
//!
//! Knows the buckets of each property and category (developers.google.com/analytics/devguides/reporting/data/v1/quotas),
//! after which failure how long nothing is asked, what each report costs, and how often it may come. Refuses to know requests
//! and the runtime. Invariants: while a bucket is closed, [`Ledger::admit_poll`] lets no request of that property and category
//! through but its trial; and of no bucket of tokens more is spent than the share, as far as costs are known.
//!
//! `account` is what is known of one property and category, `spending` what was spent, `cost` what a report costs, `budget` what may be spent in an hour, `pacing` how often reports may
//! come for that, `outlook` the same before anything was asked, `allowance` what one command may spend.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use account::{Account, Closure, Told};
pub use allowance::{Allowance, Overspent};
pub use budget::{Budget, Limit};
pub use cost::{ASSUMED, Cost};
pub use outlook::{BucketOutlook, Outlook, ReportOutlook};
pub use pacing::{Demand, Pacing};
pub use share::Share;
pub use spending::Spending;
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
    /// Which part of each bucket of tokens may be spent.
    share: Share,
    accounts: HashMap<(PropertyId, Category), Account>,
}

/// What a restart should not forget of a property and category.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Remembered {
    /// What was spent.
    pub spending: Spending,
    /// Whether its buckets are those of Analytics 360.
    pub premium: bool,
}

/// A poll that is due.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Of which report.
    pub report: &'a ReportName,
    /// How many requests it takes.
    pub requests: u32,
    /// Whether it goes on when others must not.
    pub essential: bool,
}

/// What a poll has cost.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Spent {
    /// As Google has told.
    pub tokens: u32,
    /// Whether all its requests were answered, so that this is what it costs.
    pub whole: bool,
    /// Whether there was an answer, or may have been one, that could not be read.
    pub unread: bool,
}

/// Whether a request may be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Admission {
    /// It may.
    Open,
    /// It may, as the only one: it tries whether the bucket has been refilled.
    Trial,
    /// It may not before this time.
    Closed {
        /// When to ask again.
        until: Timestamp,
        /// The bucket that is closed longest.
        bucket: Bucket,
        /// Why it is closed by us; `None` where Google has closed it.
        limit: Option<Limit>,
    },
}

impl Ledger {
    /// A ledger that keeps to this share.
    pub fn new(share: Share) -> Self {
        Self { share, accounts: HashMap::new() }
    }

    /// Takes another share.
    pub fn set_share(&mut self, share: Share) {
        self.share = share;
    }

    /// Whether a poll of a report may be sent now: by what Google has closed, and by what it may cost. After
    /// [`Admission::Open`] and [`Admission::Trial`] the caller sends it and tells how it went, last by
    /// [`settle`](Self::settle).
    pub fn admit_poll(
        &mut self,
        property: PropertyId,
        category: Category,
        wanted: Wanted<'_>,
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
        // What costs more than the whole share goes alone.
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

    /// A poll has ended and has cost so much, as far as Google has told; `whole` when all its requests were answered.
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
        // What was asked and not read has been charged by Google all the same, as far as anybody knows.
        let tokens = if spent.unread { spent.tokens.max(reserved) } else { spent.tokens };
        if tokens > 0 {
            account.spending.spend(tokens, now);
        }
        if spent.tokens > 0 && spent.whole {
            account.costs.entry(report.clone()).or_default().learn(spent.tokens);
        }
    }

    /// How often these reports of one category of a property may be asked for.
    pub fn pace(&self, property: PropertyId, category: Category, demands: &[&Demand], now: Timestamp) -> Vec<Pacing> {
        let unknown = Account::default();
        let account = self.accounts.get(&(property, category)).unwrap_or(&unknown);
        let costs: Vec<(&Demand, f64)> =
            demands.iter().map(|demand| (*demand, account.cost(&demand.report).average(demand.requests))).collect();
        pacing::pace(&costs, &Budget::new(account, self.share, now))
    }

    /// What a restart should not forget of a property, by category.
    pub fn remembered(&self, property: PropertyId) -> BTreeMap<String, Remembered> {
        let of = |category: &Category| {
            let account = self.accounts.get(&(property, *category))?;
            let remembered = Remembered { spending: account.spending.clone(), premium: account.premium };
            Some((category.to_string(), remembered))
        };
        Category::ALL.iter().filter_map(of).collect()
    }

    /// Goes on with what was saved of a property.
    pub fn restore(&mut self, property: PropertyId, mut remembered: BTreeMap<String, Remembered>) {
        for category in Category::ALL {
            if let Some(remembered) = remembered.remove(category.as_str()) {
                let account = self.account(property, *category);
                account.spending = remembered.spending;
                account.premium |= remembered.premium;
            }
        }
    }

    /// Whether a request on this property and category may be sent now, by what Google has closed. After
    /// [`Admission::Trial`] the caller sends it and tells how it went.
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

    /// A report came, and perhaps what is left. The numbers hold until `holds_until`. A request that was sent before a
    /// bucket was found empty says nothing of that bucket.
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
            account.server_errors_since_told = 0;
            account.told = Some(Told { quota: quota.clone(), sent_at, holds_until });
        }
    }

    /// A request was refused because this bucket is empty.
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

    /// Google failed with 500 or 503: it blocks a project from a property after 10 of those in an hour.
    pub fn on_server_error(&mut self, property: PropertyId, category: Category, now: Timestamp) {
        let account = self.account(property, category);
        account.trial_failed(now);
        account.server_errors_since_told += 1;
        account.server_errors.push_back(now);
        account.server_errors.retain(|at| later(*at, HOUR) > now);
        let Some(until) = account.server_error_pause(now) else { return };
        account.closed.insert(Bucket::ServerErrors, Closure { until, made_at: now, tried_first: false });
    }

    /// A request failed for another reason than a quota.
    pub fn on_other_failure(&mut self, property: PropertyId, category: Category, now: Timestamp) {
        if let Some(account) = self.accounts.get_mut(&(property, category)) {
            account.trial_failed(now);
        }
    }

    /// What is to be shown of one property and category; `None` when nothing was ever told or closed.
    pub fn view(&self, property: PropertyId, category: Category) -> Option<QuotaView> {
        let account = self.accounts.get(&(property, category))?;
        let told = account.told.as_ref().map(|told| (&told.quota, told.holds_until));
        let closed = account.closed.iter().map(|(bucket, closure)| (*bucket, closure.until)).collect();
        Some(QuotaView::new(told, closed, account.premium))
    }

    /// The trial was not sent at all, or is lost.
    pub fn on_not_sent(&mut self, property: PropertyId, category: Category) {
        if let Some(account) = self.accounts.get_mut(&(property, category)) {
            account.trial_until = None;
        }
    }

    /// The clock was set back, and shows this now: what was closed by it stays closed as long as was meant.
    pub fn on_clock_set_back(&mut self, by: SignedDuration, now: Timestamp) {
        let back = |at: Timestamp| at.saturating_sub(by).unwrap_or(at);
        for account in self.accounts.values_mut() {
            for (bucket, closure) in &mut account.closed {
                // The refill of a day has its place in time.
                let is_refill = *bucket == Bucket::Day && closure.until == next_pacific_midnight(closure.made_at);
                closure.until = if is_refill { next_pacific_midnight(now) } else { back(closure.until) };
                closure.made_at = back(closure.made_at);
            }
            account.server_errors.iter_mut().for_each(|at| *at = back(*at));
            account.trial_until = account.trial_until.map(back);
            if let Some(told) = &mut account.told {
                told.sent_at = back(told.sent_at);
                told.holds_until = back(told.holds_until);
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

/// How soon it is looked whether others leave more again.
const RESERVE_PAUSE: Duration = Duration::from_mins(5);

const HOUR: Duration = Duration::from_hours(1);

/// After "too many at once".
const CONCURRENT_PAUSE: Duration = Duration::from_secs(30);

/// Hourly buckets refill "within an hour, not necessarily on the hour boundary".
const REFILL: Duration = Duration::from_mins(30);

/// Failed requests are counted by the quarter of an hour.
const CLIENT_ERRORS_PAUSE: Duration = Duration::from_mins(15);

/// From one trial of a bucket to the next.
const TRIAL_PAUSE: Duration = Duration::from_mins(10);

/// A trial that has not ended by then never will: a request and the wait for its token take less.
const TRIAL_LOST: Duration = Duration::from_mins(3);

/// How soon the others look whether the trial has passed.
const WAIT_FOR_TRIAL: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
