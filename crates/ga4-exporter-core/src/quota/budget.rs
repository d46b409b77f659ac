//! The tokens that may be spent per hour for one property and category, set by its tightest bucket.

use jiff::Timestamp;

use super::{Account, HOUR, Share, view};
use ga4_drop_baseline::calendar::next_pacific_midnight;

use crate::{names::Bucket, time::later};

/// The tokens that may be spent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Tokens per hour, spread evenly.
    pub tokens_per_hour: f64,
    /// What limits it.
    pub limit: Limit,
    /// A bucket of which others have left less than a tenth, if any: then only essential reports continue.
    pub reserve: Option<Limit>,
}

/// Why reports are polled less often than configured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit {
    /// This exporter's share of the bucket.
    Share(Bucket),
    /// What other users have left of it.
    Reserve(Bucket),
}

impl Limit {
    /// The bucket.
    pub fn bucket(self) -> Bucket {
        match self {
            Self::Share(bucket) | Self::Reserve(bucket) => bucket,
        }
    }

    /// Describes its effect on a due report.
    pub fn message(self) -> &'static str {
        match self {
            Self::Share(_) => "not polled: the poll might exceed quota.share",
            Self::Reserve(_) => "not polled: less than 10 % of the bucket is left",
        }
    }

    /// Describes what an operator can do about it.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Share(_) => "poll it less often, or raise quota.share",
            Self::Reserve(_) => "find out which other tools use this property's quota",
        }
    }
}

impl Budget {
    /// The budget of a standard property with full buckets and a whole day ahead.
    pub(super) fn of_a_day(share: Share) -> Self {
        Self::tightest(of_share(&Account::default(), share, 0.0, 24.0), None)
    }

    /// The budget of a property and category now.
    pub(super) fn new(account: &Account, share: Share, now: Timestamp) -> Self {
        let hours = hours_to_midnight(now);
        let of_share = of_share(account, share, number(account.spending.of_day(now)), hours);
        // What is left has to last for the rest of the day, and a tenth stays in reserve.
        let of_others = account
            .left(Bucket::Day, now)
            .map(|left| ((left - RESERVE * account.size(Bucket::Day)).max(0.0) / hours, Limit::Reserve(Bucket::Day)));
        Self::tightest(of_share.chain(of_others), account.reserve(now).map(Limit::Reserve))
    }

    fn tightest(budgets: impl Iterator<Item = (f64, Limit)>, reserve: Option<Limit>) -> Self {
        let tightest = budgets.min_by(|(a, _), (b, _)| a.total_cmp(b));
        let (tokens_per_hour, limit) = tightest.unwrap_or((0.0, Limit::Share(Bucket::Day)));
        Self { tokens_per_hour, limit, reserve }
    }
}

/// The tokens per hour that our share of each bucket allows, given what was spent today and the hours left.
fn of_share(account: &Account, share: Share, spent_of_day: f64, hours: f64) -> impl Iterator<Item = (f64, Limit)> {
    view::TOKEN_BUCKETS.iter().map(move |(bucket, _)| {
        let size = share.of(account.size(*bucket));
        let of_day = || ROOM_OF_DAY * (size - spent_of_day).max(0.0) / hours;
        let per_hour = if *bucket == Bucket::Day { of_day() } else { ROOM_OF_HOUR * size };
        (per_hour, Limit::Share(*bucket))
    })
}

impl Account {
    /// The size of a token bucket.
    pub(super) fn size(&self, bucket: Bucket) -> f64 {
        view::size_of(bucket, self.premium)
    }

    /// What is left of a bucket according to Google, unless that has expired or the bucket has been refilled.
    fn left(&self, bucket: Bucket, now: Timestamp) -> Option<f64> {
        let reported = self.reported.as_ref()?;
        let refilled =
            if bucket == Bucket::Day { next_pacific_midnight(reported.sent_at) } else { later(reported.sent_at, HOUR) };
        view::left_of(bucket, &reported.quota).filter(|_| reported.holds_until.min(refilled) > now)
    }

    /// The token bucket of which less than a tenth is left, if any.
    pub(super) fn reserve(&self, now: Timestamp) -> Option<Bucket> {
        let is_low = |bucket: &Bucket| self.left(*bucket, now).is_some_and(|left| left < RESERVE * self.size(*bucket));
        view::TOKEN_BUCKETS.iter().map(|(bucket, _)| *bucket).find(is_low)
    }

    /// The bucket of which this many more tokens would exceed our share, if any, and when to check again.
    pub(super) fn overdrawn(&self, tokens: u64, share: Share, now: Timestamp) -> Option<(Limit, Timestamp)> {
        let would_be = |spent: u64| number(spent + self.reserved() + tokens);
        let (of_day, of_hour) = (would_be(self.spending.of_day(now)), would_be(self.spending.of_hour(now)));
        let over = |bucket: &Bucket| {
            let size = share.of(self.size(*bucket));
            if *bucket == Bucket::Day { of_day > size } else { of_hour > size }
        };
        let bucket = view::TOKEN_BUCKETS.iter().map(|(bucket, _)| *bucket).find(over)?;
        let eases = if bucket == Bucket::Day { next_pacific_midnight(now) } else { self.spending.hour_eases_at(now) };
        Some((Limit::Share(bucket), eases))
    }
}

/// A little more than the hours left, so that tokens remain for the last poll.
fn hours_to_midnight(now: Timestamp) -> f64 {
    next_pacific_midnight(now).duration_since(now).as_secs_f64() / 3600.0 + SPARE_HOURS
}

#[expect(clippy::cast_precision_loss, reason = "tokens stay far below 2^53")]
fn number(tokens: u64) -> f64 {
    tokens as f64
}

/// The fraction of a share that is planned, since costs vary.
const ROOM_OF_DAY: f64 = 0.9;

/// The same for an hour: it is counted up to five minutes too long, and its fewer polls vary more.
const ROOM_OF_HOUR: f64 = 0.7;

/// The reserve that is left to others when they leave little.
const RESERVE: f64 = 0.1;

const SPARE_HOURS: f64 = 0.25;
