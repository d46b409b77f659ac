//! What may be spent of one property and category in an hour, by its tightest bucket.

use jiff::Timestamp;

use super::{Account, HOUR, Share, view};
use ga4_drop_baseline::calendar::next_pacific_midnight;

use crate::{names::Bucket, time::later};

/// How much there is to spend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Tokens an hour, evenly over the time.
    pub tokens_per_hour: f64,
    /// What makes it no more.
    pub limit: Limit,
    /// The bucket of which others have left less than a tenth, if there is one: then only the essential goes on.
    pub reserve: Option<Limit>,
}

/// What keeps reports from their configured pace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit {
    /// This exporter's share of the bucket.
    Share(Bucket),
    /// What others have left of it.
    Reserve(Bucket),
}

impl Limit {
    /// The bucket.
    pub fn bucket(self) -> Bucket {
        match self {
            Self::Share(bucket) | Self::Reserve(bucket) => bucket,
        }
    }

    /// What it does to a report that is due.
    pub fn message(self) -> &'static str {
        match self {
            Self::Share(_) => "the report is held back: it might spend more than our share of the bucket",
            Self::Reserve(_) => "the report is held back: others leave little of the bucket",
        }
    }

    /// What an operator can do about it.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Share(_) => "poll it less often, or raise quota.share",
            Self::Reserve(_) => "find out which other tools use this property's quota",
        }
    }
}

impl Budget {
    /// That of a standard property from which nothing was taken, with a whole day to come.
    pub(super) fn of_a_day(share: Share) -> Self {
        Self::tightest(of_share(&Account::default(), share, 0.0, 24.0), None)
    }

    /// That of a property and category now.
    pub(super) fn new(account: &Account, share: Share, now: Timestamp) -> Self {
        let hours = hours_to_midnight(now);
        let of_share = of_share(account, share, number(account.spending.of_day(now)), hours);
        // What is left of the day has to do for all of it, and a tenth is not ours.
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

/// What our share of each bucket lets be spent in an hour, when so much of the day is spent and this many hours of it are left.
fn of_share(account: &Account, share: Share, spent_of_day: f64, hours: f64) -> impl Iterator<Item = (f64, Limit)> {
    view::TOKEN_BUCKETS.iter().map(move |(bucket, _)| {
        let size = share.of(account.size(*bucket));
        let of_day = || ROOM_OF_DAY * (size - spent_of_day).max(0.0) / hours;
        let per_hour = if *bucket == Bucket::Day { of_day() } else { ROOM_OF_HOUR * size };
        (per_hour, Limit::Share(*bucket))
    })
}

impl Account {
    /// How large a bucket of tokens is.
    pub(super) fn size(&self, bucket: Bucket) -> f64 {
        view::size_of(bucket, self.premium)
    }

    /// What Google said was left of a bucket, as long as that holds and the bucket has not been refilled.
    fn left(&self, bucket: Bucket, now: Timestamp) -> Option<f64> {
        let told = self.told.as_ref()?;
        let refilled =
            if bucket == Bucket::Day { next_pacific_midnight(told.sent_at) } else { later(told.sent_at, HOUR) };
        view::left_of(bucket, &told.quota).filter(|_| told.holds_until.min(refilled) > now)
    }

    /// The bucket of tokens of which less than a tenth is left.
    pub(super) fn reserve(&self, now: Timestamp) -> Option<Bucket> {
        let is_low = |bucket: &Bucket| self.left(*bucket, now).is_some_and(|left| left < RESERVE * self.size(*bucket));
        view::TOKEN_BUCKETS.iter().map(|(bucket, _)| *bucket).find(is_low)
    }

    /// The bucket of which this exporter's share would be overdrawn by this many tokens more, and when that may be otherwise.
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

/// A little more than there are, so that something is left for the last poll.
fn hours_to_midnight(now: Timestamp) -> f64 {
    next_pacific_midnight(now).duration_since(now).as_secs_f64() / 3600.0 + SPARE_HOURS
}

#[expect(clippy::cast_precision_loss, reason = "tokens stay far below 2^53")]
fn number(tokens: u64) -> f64 {
    tokens as f64
}

/// The part of a share that is planned with, since costs vary.
const ROOM_OF_DAY: f64 = 0.9;

/// An hour is also counted up to five minutes longer than it is, and has fewer polls to even their costs out.
const ROOM_OF_HOUR: f64 = 0.7;

/// What is left to others when they leave little.
const RESERVE: f64 = 0.1;

const SPARE_HOURS: f64 = 0.25;
