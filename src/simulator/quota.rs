//! The quota buckets of every property: per category, with Google's sizes and refills (the quotas page of the Data API).
//!
//! Knows nothing of reports: it admits requests and takes tokens.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde_json::{Map, Value, json};

use super::{fields::Category, random::hash_text};

/// The sizes of the buckets of one category of one property.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct QuotaSizes {
    /// Tokens per property and day; refills at midnight in California.
    pub tokens_per_day: u32,
    /// Tokens per property and hour.
    pub tokens_per_hour: u32,
    /// Tokens per Cloud project, property and hour.
    pub tokens_per_project_per_hour: u32,
    /// Requests in flight.
    pub concurrent_requests: u32,
    /// Answers 500 and 503 per Cloud project, property and hour.
    pub server_errors_per_project_per_hour: u32,
    /// Requests with demographic dimensions, per hour.
    pub potentially_thresholded_requests_per_hour: u32,
}

impl QuotaSizes {
    /// A standard property.
    pub const STANDARD: Self = Self {
        tokens_per_day: 200_000,
        tokens_per_hour: 40_000,
        tokens_per_project_per_hour: 14_000,
        concurrent_requests: 10,
        server_errors_per_project_per_hour: 10,
        potentially_thresholded_requests_per_hour: 120,
    };

    /// A property of Google Analytics 360.
    pub const PREMIUM: Self = Self {
        tokens_per_day: 2_000_000,
        tokens_per_hour: 400_000,
        tokens_per_project_per_hour: 140_000,
        concurrent_requests: 50,
        server_errors_per_project_per_hour: 50,
        potentially_thresholded_requests_per_hour: 120,
    };

    fn of(&self, bucket: Bucket) -> u32 {
        match bucket {
            Bucket::Day => self.tokens_per_day,
            Bucket::Hour => self.tokens_per_hour,
            Bucket::ProjectHour => self.tokens_per_project_per_hour,
            Bucket::Concurrent => self.concurrent_requests,
            Bucket::ServerErrors => self.server_errors_per_project_per_hour,
            Bucket::Thresholded => self.potentially_thresholded_requests_per_hour,
        }
    }
}

/// A quota bucket of a property and category.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Bucket {
    /// `tokensPerDay`
    Day,
    /// `tokensPerHour`
    Hour,
    /// `tokensPerProjectPerHour`
    ProjectHour,
    /// `concurrentRequests`
    Concurrent,
    /// `serverErrorsPerProjectPerHour`
    ServerErrors,
    /// `potentiallyThresholdedRequestsPerHour`
    Thresholded,
}

impl Bucket {
    const ALL: [Self; 6] = [
        Self::Day,
        Self::Hour,
        Self::ProjectHour,
        Self::Concurrent,
        Self::ServerErrors,
        Self::Thresholded,
    ];

    /// The text of the 429. Those of the project's hour, of concurrent and of thresholded requests are quoted by users;
    /// those of the day, the hour and the server errors are modelled on them.
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Day => concat!(
                "Exhausted property tokens per day. These quota tokens will return in under 24 hours. ",
                "To learn more, see https://developers.google.com/analytics/devguides/reporting/data/v1/quotas"
            ),
            Self::Hour => concat!(
                "Exhausted property tokens per hour. These quota tokens will return in under an hour. ",
                "To learn more, see https://developers.google.com/analytics/devguides/reporting/data/v1/quotas"
            ),
            Self::ProjectHour => concat!(
                "Exhausted property tokens for a project per hour. These quota tokens will return in under an hour. ",
                "To learn more, see https://developers.google.com/analytics/devguides/reporting/data/v1/quotas"
            ),
            Self::Concurrent => concat!(
                "Exhausted concurrent requests quota. Please send fewer requests concurrently. ",
                "To learn more, see https://developers.google.com/analytics/devguides/reporting/data/v1/quotas"
            ),
            Self::ServerErrors => concat!(
                "Exhausted server errors for a project per hour. These quota tokens will return in under an hour. ",
                "To learn more, see https://developers.google.com/analytics/devguides/reporting/data/v1/quotas"
            ),
            Self::Thresholded => concat!(
                "Exhausted potentially thresholded requests quota. This quota will refresh in under an hour. ",
                "To learn more, see https://developers.google.com/analytics/devguides/reporting/data/v1/quotas"
            ),
        }
    }

    fn field(self) -> &'static str {
        match self {
            Self::Day => "tokensPerDay",
            Self::Hour => "tokensPerHour",
            Self::ProjectHour => "tokensPerProjectPerHour",
            Self::Concurrent => "concurrentRequests",
            Self::ServerErrors => "serverErrorsPerProjectPerHour",
            Self::Thresholded => "potentiallyThresholdedRequestsPerHour",
        }
    }

    /// Whose used-up amount comes back as a whole, at the end of an hour or a day.
    fn window(self, property: &str, now: Timestamp) -> i64 {
        match self {
            Self::Day => pacific_day(now),
            Self::Concurrent => 0,
            Self::Hour | Self::ProjectHour | Self::ServerErrors | Self::Thresholded => {
                (now.as_second() + hour_offset(property)).div_euclid(3600)
            }
        }
    }
}

/// The quota of all properties.
#[derive(Debug, Default)]
pub(super) struct Quota {
    ledgers: Mutex<HashMap<(String, Category), Ledger>>,
}

/// A request's place among the concurrent ones; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    quota: Arc<Quota>,
    property: String,
    category: Category,
    requests: u32,
}

/// What a request is about to use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand<'a> {
    pub(super) property: &'a str,
    pub(super) category: Category,
    pub(super) sizes: QuotaSizes,
    /// 1, or the number of reports in a batch.
    pub(super) requests: u32,
    /// How many of those are potentially thresholded.
    pub(super) thresholded: u32,
}

#[derive(Debug, Default)]
struct Ledger {
    used: HashMap<Bucket, Used>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Used {
    window: i64,
    amount: u32,
}

impl Quota {
    /// Lets a request in, or names the empty bucket.
    pub(super) fn admit(
        self: &Arc<Self>,
        demand: &Demand<'_>,
        now: Timestamp,
    ) -> Result<Slot, Bucket> {
        let left =
            |bucket| self.remaining(demand.property, demand.category, &demand.sizes, bucket, now);
        let empty = [
            Bucket::ServerErrors,
            Bucket::Day,
            Bucket::ProjectHour,
            Bucket::Hour,
        ]
        .into_iter()
        .find(|bucket| left(*bucket) == 0);
        if let Some(bucket) = empty {
            return Err(bucket);
        }
        if left(Bucket::Concurrent) < demand.requests {
            return Err(Bucket::Concurrent);
        }
        if left(Bucket::Thresholded) < demand.thresholded {
            return Err(Bucket::Thresholded);
        }
        let (property, category) = (demand.property, demand.category);
        self.take(property, category, Bucket::Concurrent, demand.requests, now);
        self.take(
            property,
            category,
            Bucket::Thresholded,
            demand.thresholded,
            now,
        );
        Ok(Slot {
            quota: Arc::clone(self),
            property: String::from(property),
            category,
            requests: demand.requests,
        })
    }

    /// Uses up some of a bucket. More than there is empties it.
    pub(super) fn take(
        &self,
        property: &str,
        category: Category,
        bucket: Bucket,
        amount: u32,
        now: Timestamp,
    ) {
        let window = bucket.window(property, now);
        self.with_used(property, category, bucket, |used| {
            if used.window != window {
                *used = Used { window, amount: 0 };
            }
            used.amount = used.amount.saturating_add(amount);
        });
    }

    /// Takes a report's price out of the three buckets that pay for it.
    pub(super) fn charge(&self, property: &str, category: Category, tokens: u32, now: Timestamp) {
        for bucket in [Bucket::Day, Bucket::Hour, Bucket::ProjectHour] {
            self.take(property, category, bucket, tokens, now);
        }
    }

    /// Fills all buckets of a property.
    pub(super) fn refill(&self, property: &str) {
        let mut ledgers = self.ledgers.lock().unwrap_or_else(PoisonError::into_inner);
        for ((id, _), ledger) in &mut *ledgers {
            if id == property {
                ledger
                    .used
                    .retain(|bucket, _| *bucket == Bucket::Concurrent);
            }
        }
    }

    /// What is left in a bucket.
    pub(super) fn remaining(
        &self,
        property: &str,
        category: Category,
        sizes: &QuotaSizes,
        bucket: Bucket,
        now: Timestamp,
    ) -> u32 {
        let window = bucket.window(property, now);
        let mut amount = 0;
        self.with_used(property, category, bucket, |used| {
            if used.window == window {
                amount = used.amount;
            }
        });
        sizes.of(bucket).saturating_sub(amount)
    }

    /// `propertyQuota` as proto3 JSON writes it, after a report that cost `tokens`.
    pub(super) fn report(&self, demand: &Demand<'_>, tokens: u32, now: Timestamp) -> Value {
        let status = |bucket: Bucket| {
            let consumed = match bucket {
                Bucket::Day | Bucket::Hour | Bucket::ProjectHour => tokens,
                Bucket::Thresholded => demand.thresholded,
                Bucket::Concurrent | Bucket::ServerErrors => 0,
            };
            let left = self.remaining(demand.property, demand.category, &demand.sizes, bucket, now);
            let mut status = Map::new();
            for (name, count) in [("consumed", consumed), ("remaining", left)] {
                if count > 0 {
                    status.insert(name.into(), json!(count));
                }
            }
            (String::from(bucket.field()), Value::Object(status))
        };
        Value::Object(Bucket::ALL.map(status).into_iter().collect())
    }

    fn with_used(
        &self,
        property: &str,
        category: Category,
        bucket: Bucket,
        change: impl FnOnce(&mut Used),
    ) {
        let mut ledgers = self.ledgers.lock().unwrap_or_else(PoisonError::into_inner);
        let ledger = ledgers
            .entry((String::from(property), category))
            .or_default();
        change(ledger.used.entry(bucket).or_default());
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.quota
            .with_used(&self.property, self.category, Bucket::Concurrent, |used| {
                used.amount = used.amount.saturating_sub(self.requests);
            });
    }
}

/// The instant at which the next day begins in California.
pub(super) fn next_pacific_midnight(now: Timestamp) -> Timestamp {
    let local = now.to_zoned(pacific());
    local
        .date()
        .saturating_add(1.day())
        .to_zoned(pacific())
        .map_or(now, |midnight| midnight.timestamp())
}

/// The instant at which a property's hourly buckets refill next: not on the hour, and another one for each property.
pub(super) fn next_refill(property: &str, now: Timestamp) -> Timestamp {
    let shifted = now.as_second() + hour_offset(property);
    let end = (shifted.div_euclid(3600) + 1) * 3600 - hour_offset(property);
    Timestamp::from_second(end).unwrap_or(now)
}

fn hour_offset(property: &str) -> i64 {
    i64::try_from(hash_text(property) % 3600).unwrap_or(0)
}

fn pacific_day(now: Timestamp) -> i64 {
    next_pacific_midnight(now).as_second()
}

fn pacific() -> TimeZone {
    TimeZone::get("America/Los_Angeles").unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand() -> Demand<'static> {
        Demand {
            property: "1",
            category: Category::Core,
            sizes: QuotaSizes::STANDARD,
            requests: 1,
            thresholded: 0,
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_day_refills_at_midnight_in_california_summer_and_winter() {
        for (now, midnight) in [
            ("2026-01-15T07:59:59Z", "2026-01-15T08:00:00Z"),
            ("2026-07-15T07:00:00Z", "2026-07-16T07:00:00Z"),
            ("2026-03-08T08:00:00Z", "2026-03-09T07:00:00Z"),
        ] {
            assert_eq!(next_pacific_midnight(at(now)), at(midnight));
            let quota = Arc::new(Quota::default());
            let left =
                |now| quota.remaining("1", Category::Core, &QuotaSizes::STANDARD, Bucket::Day, now);
            quota.take("1", Category::Core, Bucket::Day, 200_000, at(now));
            assert_eq!(quota.admit(&demand(), at(now)).unwrap_err(), Bucket::Day);
            assert_eq!(left(at(midnight) - 1.seconds()), 0);
            assert_eq!(left(at(midnight)), 200_000);
        }
    }

    #[test]
    fn an_hour_later_the_hourly_buckets_are_full() {
        let now = at("2026-01-15T12:34:56Z");
        let quota = Arc::new(Quota::default());
        quota.charge("1", Category::Core, 14_000, now);
        assert_eq!(
            quota.admit(&demand(), now).unwrap_err(),
            Bucket::ProjectHour
        );
        let refill = next_refill("1", now);
        assert!(refill > now && refill <= now + 1.hours());
        assert!(quota.admit(&demand(), refill).is_ok());
        let other = Demand {
            property: "2",
            ..demand()
        };
        assert!(quota.admit(&other, now).is_ok());
        let realtime = Demand {
            category: Category::Realtime,
            ..demand()
        };
        assert!(quota.admit(&realtime, now).is_ok());
    }

    #[test]
    fn concurrent_requests_are_those_in_flight() {
        let now = at("2026-01-15T12:34:56Z");
        let quota = Arc::new(Quota::default());
        let batch = Demand {
            requests: 5,
            ..demand()
        };
        let first = quota.admit(&batch, now).unwrap();
        let second = quota.admit(&batch, now).unwrap();
        assert_eq!(quota.admit(&demand(), now).unwrap_err(), Bucket::Concurrent);
        drop(first);
        assert!(quota.admit(&batch, now).is_ok());
        drop(second);
    }

    #[test]
    fn server_errors_and_thresholded_requests_have_their_own_buckets() {
        let now = at("2026-01-15T12:34:56Z");
        let quota = Arc::new(Quota::default());
        quota.take("1", Category::Core, Bucket::Thresholded, 120, now);
        assert!(quota.admit(&demand(), now).is_ok());
        let shy = Demand {
            thresholded: 1,
            ..demand()
        };
        assert_eq!(quota.admit(&shy, now).unwrap_err(), Bucket::Thresholded);
        quota.take("1", Category::Core, Bucket::ServerErrors, 10, now);
        assert_eq!(
            quota.admit(&demand(), now).unwrap_err(),
            Bucket::ServerErrors
        );
        quota.refill("1");
        assert!(quota.admit(&shy, now).is_ok());
    }

    #[test]
    fn a_report_tells_what_it_cost_and_omits_zeros() {
        let now = at("2026-01-15T12:34:56Z");
        let quota = Quota::default();
        quota.charge("1", Category::Core, 3, now);
        quota.take("1", Category::Core, Bucket::ServerErrors, 10, now);
        let report = quota.report(&demand(), 3, now);
        assert_eq!(
            report["tokensPerDay"],
            json!({"consumed": 3, "remaining": 199_997})
        );
        assert_eq!(
            report["tokensPerProjectPerHour"],
            json!({"consumed": 3, "remaining": 13_997})
        );
        assert_eq!(report["concurrentRequests"], json!({"remaining": 10}));
        assert_eq!(report["serverErrorsPerProjectPerHour"], json!({}));
    }
}
