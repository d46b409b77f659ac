//! The true numbers, for tests that compare the exporter with them.

use std::sync::Arc;

use jiff::{Timestamp, civil::Date};

use super::{
    dates::{self, Granularity},
    ranges::{Range, Span},
    rows,
    site::Site,
    tally::Tally,
};

/// The true numbers of a property in its current state; after an edit of the property, request a new truth.
#[derive(Clone, Debug)]
pub struct Truth {
    site: Arc<Site>,
}

impl Truth {
    pub(super) fn new(site: Arc<Site>) -> Self {
        Self { site }
    }

    /// Returns the days `first..=last` of the property's zone, as a core report shows them at `now`.
    #[must_use]
    pub fn days(&self, first: Date, last: Date, now: Timestamp) -> Tally {
        let property = &self.site.property;
        let delay = i64::try_from(property.core_delay.as_secs()).unwrap_or(i64::MAX);
        let second = now.as_second();
        let mut sum = Tally::default();
        for day in dates::slices(&property.zone, (first, last), Granularity::Day, second.saturating_sub(delay)) {
            sum.add(&Tally::new(self.site.counts_at(day.from, day.until, second), self.site.regulars()));
        }
        sum
    }

    /// Returns the days from `first` to `last` days ago, where today is 0, as a core report shows them at `now`.
    #[must_use]
    pub fn days_ago(&self, first: i32, last: i32, now: Timestamp) -> Tally {
        let today = self.today(now);
        let before = |days: i32| today.saturating_sub(jiff::Span::new().days(days));
        self.days(before(first), before(last), now)
    }

    /// Returns the clock minutes from `oldest` to `newest` minutes ago, where the current one is 0, as a realtime
    /// report shows them at `now`.
    #[must_use]
    pub fn minutes_ago(&self, oldest: i32, newest: i32, now: Timestamp) -> Tally {
        let span = Span::MinutesAgo(oldest, newest);
        let slice = rows::minutes(oldest.into(), newest.into(), now.as_second());
        let range = Range { name: String::new(), span };
        rows::shown(&range, &self.site, self.tally(slice.from, slice.until))
    }

    /// Returns everything between two times.
    #[must_use]
    pub fn between(&self, from: Timestamp, until: Timestamp) -> Tally {
        self.tally(from.as_second(), until.as_second())
    }

    /// Returns the local date at a time.
    #[must_use]
    pub fn today(&self, now: Timestamp) -> Date {
        dates::today(&self.site.property.zone, now)
    }

    fn tally(&self, from: i64, until: i64) -> Tally {
        Tally::new(self.site.counts(from, until), self.site.regulars())
    }
}
