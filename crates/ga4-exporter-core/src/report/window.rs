//! What a request covers, and what its parts are called.

use jiff::{ToSpan, civil::Date};

use super::fields::{self, Field};
use crate::wire::request::{DateRange, MinuteRange};

/// One range of a request and the name space of its metrics.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// What the request and the answer call the range; also the beginning of the families' names.
    pub name: &'static str,
    /// What it covers.
    pub range: Range,
    /// The same in words, for HELP.
    pub(super) meaning: &'static str,
    /// The fields that are exported of it.
    pub(super) exported: &'static [Field],
}

/// What a window covers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Range {
    /// Minutes before now, inclusive: from the oldest to the newest.
    Minutes(u32, u32),
    /// Days before the property's today, inclusive: from the oldest to the newest.
    Days(u32, u32),
}

impl Window {
    /// Whole weeks up to the day before yesterday, which has settled, and a little more: a site may have no traffic in the
    /// first hours of a week.
    pub(super) fn history(weeks: usize) -> Self {
        let days = u32::try_from(weeks * 7 + SPARE_DAYS).unwrap_or(u32::MAX);
        let range = Range::Days(days.saturating_add(SETTLED_DAYS_AGO - 1), SETTLED_DAYS_AGO);
        Self { name: "history", range, meaning: "", exported: &[] }
    }

    pub(super) fn date_range(&self, today: Option<Date>) -> DateRange {
        let (oldest, newest) = self.range.bounds();
        DateRange { start_date: day(oldest, today), end_date: day(newest, today), name: self.name }
    }

    pub(super) fn minute_range(&self) -> MinuteRange {
        let (oldest, newest) = self.range.bounds();
        MinuteRange { start_minutes_ago: oldest, end_minutes_ago: newest, name: self.name }
    }
}

impl Range {
    fn bounds(self) -> (u32, u32) {
        match self {
            Self::Days(oldest, newest) | Self::Minutes(oldest, newest) => (oldest, newest),
        }
    }
}

/// A day before `today`, as an absolute date where that is possible.
fn day(before: u32, today: Option<Date>) -> String {
    let absolute = today.and_then(|today| today.checked_sub(i64::from(before).days()).ok());
    match (absolute, before) {
        (Some(date), _) => date.to_string(),
        (None, 0) => "today".to_owned(),
        (None, 1) => "yesterday".to_owned(),
        (None, _) => format!("{before}daysAgo"),
    }
}

/// The last day that is settled when it is asked for: the one before yesterday (support.google.com/analytics/answer/11198161).
pub const SETTLED_DAYS_AGO: u32 = 2;

/// Beyond the whole weeks.
const SPARE_DAYS: usize = 2;

/// Those of the report `realtime`.
pub(super) const REALTIME_WINDOWS: &[Window] = &[
    Window {
        name: "realtime",
        range: Range::Minutes(29, 0),
        meaning: "in the last 30 minutes",
        exported: fields::REALTIME,
    },
    Window {
        name: "realtime_5m",
        range: Range::Minutes(5, 1),
        meaning: "in the five minutes before the current one",
        exported: fields::REALTIME_5M,
    },
];

/// That of its second request.
pub(super) const MINUTES: Window = Window { name: "minutes", range: Range::Minutes(29, 0), meaning: "", exported: &[] };

/// Those of the report `traffic`.
pub(super) const TRAFFIC_WINDOWS: &[Window] = &[
    Window {
        name: "today",
        range: Range::Days(0, 0),
        meaning: "today in the property's time zone, as far as Google has processed it",
        exported: fields::TRAFFIC,
    },
    Window {
        name: "yesterday",
        range: Range::Days(1, 1),
        meaning: "yesterday in the property's time zone",
        exported: fields::TRAFFIC,
    },
    Window {
        name: "trailing_7d",
        range: Range::Days(7, 1),
        meaning: "in the 7 days up to yesterday in the property's time zone",
        exported: fields::TRAFFIC,
    },
    Window {
        name: "trailing_28d",
        range: Range::Days(28, 1),
        meaning: "in the 28 days up to yesterday in the property's time zone",
        exported: fields::TRAFFIC,
    },
];
