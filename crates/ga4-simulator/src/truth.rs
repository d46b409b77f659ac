//! What really happened, for tests that compare the exporter with it.

use std::sync::Arc;

use jiff::{Timestamp, civil::Date};

use super::{
    dates::{self, Granularity},
    ranges::{Range, Span},
    rows,
    site::Site,
    tally::Tally,
};

/// The true numbers of one property, as it is now; an edit of the property needs a new truth.
#[derive(Clone, Debug)]
pub struct Truth {
    site: Arc<Site>,
}

impl Truth {
    pub(super) fn new(site: Arc<Site>) -> Self {
        Self { site }
    }

    /// The days `first..=last` of the property's zone, as a core report says at `now`.
    #[must_use]
    pub fn days(&self, first: Date, last: Date, now: Timestamp) -> Tally {
        let property = &self.site.property;
        let delay = i64::try_from(property.core_delay.as_secs()).unwrap_or(i64::MAX);
        let now = now.as_second().saturating_sub(delay);
        let mut sum = Tally::default();
        for day in dates::slices(&property.zone, (first, last), Granularity::Day, now) {
            sum.add(&self.tally(day.from, day.until));
        }
        sum
    }

    /// The days from `first` to `last` days before today, today being 0, as a core report says at `now`.
    #[must_use]
    pub fn days_ago(&self, first: i32, last: i32, now: Timestamp) -> Tally {
        let today = self.today(now);
        let before = |days: i32| today.saturating_sub(jiff::Span::new().days(days));
        self.days(before(first), before(last), now)
    }

    /// The minutes of the clock from `oldest` to `newest` before the current one, which is 0, as a realtime report says
    /// at `now`.
    #[must_use]
    pub fn minutes_ago(&self, oldest: i32, newest: i32, now: Timestamp) -> Tally {
        let span = Span::MinutesAgo(oldest, newest);
        let slice = rows::minutes(oldest.into(), newest.into(), now.as_second());
        let range = Range { name: String::new(), span };
        rows::shown(&range, &self.site, self.tally(slice.from, slice.until))
    }

    /// Everything between two instants.
    #[must_use]
    pub fn between(&self, from: Timestamp, until: Timestamp) -> Tally {
        self.tally(from.as_second(), until.as_second())
    }

    /// The local date at an instant.
    #[must_use]
    pub fn today(&self, now: Timestamp) -> Date {
        dates::today(&self.site.property.zone, now)
    }

    fn tally(&self, from: i64, until: i64) -> Tally {
        Tally::new(self.site.counts(from, until), self.site.regulars())
    }
}
