//! A Google that is all numbers: what a request costs, what is left of each bucket, and when nothing answers.

use std::{collections::HashMap, time::Duration};

use ga4_drop_baseline::calendar::next_pacific_midnight;
use ga4_exporter_core::{
    names::{Category, PropertyId},
    wire::response::{PropertyQuota, QuotaStatus},
};
use google_analytics_exporter::clock::later;
use jiff::Timestamp;

/// Numbers that look random and are always the same (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// What Google says to a request.
pub(crate) enum Answer {
    /// The report, with what it cost and what is left.
    Report { quota: PropertyQuota },
    /// The day's bucket is empty.
    DayExhausted,
    /// Nothing at all.
    Nothing,
}

/// When nothing answers.
pub(crate) struct Outage {
    pub(crate) from: Timestamp,
    pub(crate) until: Timestamp,
}

pub(crate) struct Google {
    random: Random,
    pub(crate) outage: Outage,
    /// Somebody else empties the day's bucket of every hundredth property at this time.
    pub(crate) drained_at: Timestamp,
    spent: HashMap<(PropertyId, Category), Spent>,
}

/// What was spent of a property and category, exactly.
#[derive(Default)]
struct Spent {
    day_ends: Option<Timestamp>,
    of_day: u64,
    /// With what each poll of the last hour cost.
    of_hour: std::collections::VecDeque<(Timestamp, u32)>,
    hour: u64,
    most_of_day: u64,
    most_of_hour: u64,
}

impl Google {
    pub(crate) fn new(seed: u64, outage: Outage, drained_at: Timestamp) -> Self {
        Self { random: Random(seed), outage, drained_at, spent: HashMap::new() }
    }

    /// How long an answer takes.
    pub(crate) fn latency(&mut self) -> Duration {
        Duration::from_millis(80 + self.random.below(60))
    }

    /// What comes of a request.
    pub(crate) fn answer(&mut self, property: PropertyId, category: Category, now: Timestamp) -> Answer {
        if now >= self.outage.from && now < self.outage.until {
            return Answer::Nothing;
        }
        let midnight = next_pacific_midnight(now);
        let is_drained = property.as_u64().is_multiple_of(100)
            && now >= self.drained_at
            && next_pacific_midnight(self.drained_at) == midnight;
        if is_drained {
            return Answer::DayExhausted;
        }
        let each = 1 + u32::try_from(self.random.below(3)).expect("below three");
        if property.as_u64().is_multiple_of(LOW) && self.is_drained(now) {
            return Answer::Report { quota: low() };
        }
        let tokens = if property.as_u64().is_multiple_of(DEAR) { each * 30 } else { each };
        let spent = self.spent.entry((property, category)).or_default();
        spent.spend(tokens, midnight, now);
        let left = |size: u64, spent: u64| {
            let remaining = i64::try_from(size - spent).expect("no more than there is");
            Some(QuotaStatus { consumed: tokens.into(), remaining })
        };
        let quota = PropertyQuota {
            tokens_per_day: left(DAY, spent.of_day),
            tokens_per_hour: left(HOUR, spent.hour),
            tokens_per_project_per_hour: left(PROJECT_HOUR, spent.hour),
            ..PropertyQuota::default()
        };
        Answer::Report { quota }
    }

    /// Whether it is the day on which others draw on some properties, after they have.
    fn is_drained(&self, now: Timestamp) -> bool {
        now >= self.drained_at && next_pacific_midnight(self.drained_at) == next_pacific_midnight(now)
    }

    /// The largest part of any bucket that was spent, of the day and of an hour for one project.
    pub(crate) fn largest_parts(&self) -> (f64, f64) {
        let most = |spent: fn(&Spent) -> u64| self.spent.values().map(spent).max().unwrap_or_default();
        (part(most(|spent| spent.most_of_day), DAY), part(most(|spent| spent.most_of_hour), PROJECT_HOUR))
    }
}

impl Spent {
    fn spend(&mut self, tokens: u32, midnight: Timestamp, now: Timestamp) {
        if self.day_ends != Some(midnight) {
            self.day_ends = Some(midnight);
            self.of_day = 0;
        }
        self.of_day += u64::from(tokens);
        self.of_hour.push_back((now, tokens));
        self.hour += u64::from(tokens);
        while let Some((at, tokens)) = self.of_hour.front().copied().filter(|(at, _)| later(*at, AN_HOUR) <= now) {
            let _ = at;
            self.hour -= u64::from(tokens);
            self.of_hour.pop_front();
        }
        self.most_of_day = self.most_of_day.max(self.of_day);
        self.most_of_hour = self.most_of_hour.max(self.hour);
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn part(spent: u64, size: u64) -> f64 {
    spent as f64 / size as f64
}

const AN_HOUR: Duration = Duration::from_hours(1);

/// Every such property is one whose reports cost so much that they cannot all be had at their interval.
pub(crate) const DEAR: u64 = 97;

/// Of every such property others leave a twentieth of the day's bucket.
pub(crate) const LOW: u64 = 89;

fn low() -> PropertyQuota {
    let left =
        |size: u64| Some(QuotaStatus { consumed: 1, remaining: i64::try_from(size / 20).expect("a number of tokens") });
    PropertyQuota { tokens_per_day: left(DAY), ..PropertyQuota::default() }
}

/// The buckets of a standard property.
const DAY: u64 = 200_000;

const HOUR: u64 = 40_000;

const PROJECT_HOUR: u64 = 14_000;
