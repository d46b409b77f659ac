//! The quota left in the buckets of every property and category.
//!
//! Knows nothing of reports: admits requests and subtracts tokens.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    fields::Category,
    quota::{Bucket, QuotaSizes},
};

/// The quota of all properties.
#[derive(Debug, Default)]
pub(super) struct Quota {
    ledgers: Mutex<HashMap<(String, Category), Ledger>>,
}

/// A slot of the concurrent requests; released on drop.
#[derive(Debug)]
pub(super) struct Slot {
    quota: Arc<Quota>,
    property: String,
    category: Category,
    requests: u32,
}

/// The quota that a request needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand<'a> {
    pub(super) property: &'a str,
    pub(super) category: Category,
    pub(super) sizes: QuotaSizes,
    /// 1, or the number of reports in a batch.
    pub(super) requests: u32,
    /// The number of those that are potentially thresholded.
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
    /// Admits a request, or returns the empty bucket.
    pub(super) fn admit(self: &Arc<Self>, demand: &Demand<'_>, now: Timestamp) -> Result<Slot, Bucket> {
        let left = |bucket| self.remaining(demand.property, demand.category, &demand.sizes, bucket, now);
        let empty = [Bucket::ServerErrors, Bucket::Day, Bucket::ProjectHour, Bucket::Hour]
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
        self.take(property, category, Bucket::Thresholded, demand.thresholded, now);
        Ok(Slot { quota: Arc::clone(self), property: String::from(property), category, requests: demand.requests })
    }

    /// Subtracts an amount from a bucket; a larger amount than is left empties it.
    pub(super) fn take(&self, property: &str, category: Category, bucket: Bucket, amount: u32, now: Timestamp) {
        let window = bucket.window(property, now);
        self.with_used(property, category, bucket, |used| {
            if used.window != window {
                *used = Used { window, amount: 0 };
            }
            used.amount = used.amount.saturating_add(amount);
        });
    }

    /// Subtracts the cost of a report from its three token buckets.
    pub(super) fn charge(&self, property: &str, category: Category, tokens: u32, now: Timestamp) {
        for bucket in [Bucket::Day, Bucket::Hour, Bucket::ProjectHour] {
            self.take(property, category, bucket, tokens, now);
        }
    }

    /// Refills all buckets of a property.
    pub(super) fn refill(&self, property: &str) {
        let mut ledgers = self.ledgers.lock().unwrap_or_else(PoisonError::into_inner);
        for ((id, _), ledger) in &mut *ledgers {
            if id == property {
                ledger.used.retain(|bucket, _| *bucket == Bucket::Concurrent);
            }
        }
    }

    /// Returns what is left in a bucket.
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

    /// Returns `propertyQuota` after a report that cost `tokens`. Unlike in other messages, Google includes zeros here.
    pub(super) fn report(&self, demand: &Demand<'_>, tokens: u32, now: Timestamp) -> Value {
        let status = |bucket: Bucket| {
            let consumed = match bucket {
                Bucket::Day | Bucket::Hour | Bucket::ProjectHour => tokens,
                Bucket::Thresholded => demand.thresholded,
                Bucket::Concurrent | Bucket::ServerErrors => 0,
            };
            let left = self.remaining(demand.property, demand.category, &demand.sizes, bucket, now);
            (String::from(bucket.field()), json!({"consumed": consumed, "remaining": left}))
        };
        Value::Object(Bucket::ALL.map(status).into_iter().collect())
    }

    fn with_used(&self, property: &str, category: Category, bucket: Bucket, change: impl FnOnce(&mut Used)) {
        let mut ledgers = self.ledgers.lock().unwrap_or_else(PoisonError::into_inner);
        let ledger = ledgers.entry((String::from(property), category)).or_default();
        change(ledger.used.entry(bucket).or_default());
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.quota.with_used(&self.property, self.category, Bucket::Concurrent, |used| {
            used.amount = used.amount.saturating_sub(self.requests);
        });
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::{
        super::quota::{next_pacific_midnight, next_refill},
        *,
    };

    fn demand() -> Demand<'static> {
        Demand { property: "1", category: Category::Core, sizes: QuotaSizes::STANDARD, requests: 1, thresholded: 0 }
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
            let left = |now| quota.remaining("1", Category::Core, &QuotaSizes::STANDARD, Bucket::Day, now);
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
        assert_eq!(quota.admit(&demand(), now).unwrap_err(), Bucket::ProjectHour);
        let refill = next_refill("1", now);
        assert!(refill > now && refill <= now + 1.hours());
        assert!(quota.admit(&demand(), refill).is_ok());
        let other = Demand { property: "2", ..demand() };
        assert!(quota.admit(&other, now).is_ok());
        let realtime = Demand { category: Category::Realtime, ..demand() };
        assert!(quota.admit(&realtime, now).is_ok());
    }

    #[test]
    fn concurrent_requests_are_those_in_flight() {
        let now = at("2026-01-15T12:34:56Z");
        let quota = Arc::new(Quota::default());
        let batch = Demand { requests: 5, ..demand() };
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
        let shy = Demand { thresholded: 1, ..demand() };
        assert_eq!(quota.admit(&shy, now).unwrap_err(), Bucket::Thresholded);
        quota.take("1", Category::Core, Bucket::ServerErrors, 10, now);
        assert_eq!(quota.admit(&demand(), now).unwrap_err(), Bucket::ServerErrors);
        quota.refill("1");
        assert!(quota.admit(&shy, now).is_ok());
    }

    #[test]
    fn a_report_says_what_it_cost_with_zeros() {
        let now = at("2026-01-15T12:34:56Z");
        let quota = Quota::default();
        quota.charge("1", Category::Core, 3, now);
        quota.take("1", Category::Core, Bucket::ServerErrors, 10, now);
        let report = quota.report(&demand(), 3, now);
        assert_eq!(report["tokensPerDay"], json!({"consumed": 3, "remaining": 199_997}));
        assert_eq!(report["tokensPerProjectPerHour"], json!({"consumed": 3, "remaining": 13_997}));
        assert_eq!(report["concurrentRequests"], json!({"consumed": 0, "remaining": 10}));
        assert_eq!(report["serverErrorsPerProjectPerHour"], json!({"consumed": 0, "remaining": 0}));
    }
}
