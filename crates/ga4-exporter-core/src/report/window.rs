//! What a request covers, and what its parts are called.

use jiff::{ToSpan, civil::Date};

use super::fields::{self, Field};
use crate::{
    names::{MetricName, WindowName},
    wire::request::{DateRange, MinuteRange},
};

/// One range of a request and the name space of its metrics.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Window {
    /// What the request and the answer call the range; also the beginning of the families' names.
    pub name: WindowName,
    /// What it covers.
    pub range: Range,
    /// The same in words, for HELP.
    pub meaning: String,
    /// The metrics that are exported of it.
    pub exported: Vec<MetricName>,
}

/// What a window covers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Range {
    /// Minutes before now, inclusive: from the oldest to the newest.
    Minutes(u32, u32),
    /// Days, inclusive: from the first to the last.
    Days(Day, Day),
}

/// A day in the property's time zone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Day {
    /// That many days before the property's today.
    Ago(u32),
    /// A day that stays the same.
    On(Date),
}

impl Window {
    /// Whole weeks up to the day before yesterday, which has settled, and a little more: a site may have no traffic in the
    /// first hours of a week.
    pub(super) fn history(weeks: usize) -> Self {
        let days = u32::try_from(weeks * 7 + SPARE_DAYS).unwrap_or(u32::MAX);
        let first = Day::Ago(days.saturating_add(SETTLED_DAYS_AGO - 1));
        Self::built_in("history", Range::Days(first, Day::Ago(SETTLED_DAYS_AGO)), "", &[])
    }

    /// That of the second request of the report `realtime`.
    pub(super) fn minutes() -> Self {
        Self::built_in("minutes", Range::Minutes(29, 0), "", &[])
    }

    /// Those of the report `realtime`.
    pub(super) fn of_realtime() -> Vec<Self> {
        let five = "in the five minutes before the current one";
        vec![
            Self::built_in("realtime", Range::Minutes(29, 0), "in the last 30 minutes", fields::REALTIME),
            Self::built_in("realtime_5m", Range::Minutes(5, 1), five, fields::REALTIME_5M),
        ]
    }

    /// Those of the report `traffic`.
    pub(super) fn of_traffic() -> Vec<Self> {
        [
            ("today", 0, 0, "today in the property's time zone, as far as Google has processed it"),
            ("yesterday", 1, 1, "yesterday in the property's time zone"),
            ("trailing_7d", 7, 1, "in the 7 days up to yesterday in the property's time zone"),
            ("trailing_28d", 28, 1, "in the 28 days up to yesterday in the property's time zone"),
        ]
        .map(|(name, first, last, meaning)| {
            Self::built_in(name, Range::Days(Day::Ago(first), Day::Ago(last)), meaning, fields::TRAFFIC)
        })
        .into()
    }

    fn built_in(name: &str, range: Range, meaning: &str, exported: &[Field]) -> Self {
        let exported = exported.iter().map(|field| field.metric().name).collect();
        let name = name.parse().expect("the built-in names are well formed: see the tests");
        Self { name, range, meaning: meaning.to_owned(), exported }
    }

    /// What a request on days asks for; `None` of minutes.
    pub(super) fn date_range(&self, today: Option<Date>) -> Option<DateRange> {
        let Range::Days(first, last) = self.range else { return None };
        Some(DateRange { start_date: first.text(today), end_date: last.text(today), name: self.name.clone() })
    }

    /// What a request on minutes asks for; `None` of days.
    pub(super) fn minute_range(&self) -> Option<MinuteRange> {
        let Range::Minutes(oldest, newest) = self.range else { return None };
        Some(MinuteRange { start_minutes_ago: oldest, end_minutes_ago: newest, name: self.name.clone() })
    }
}

impl Range {
    /// Whether it moves on when the property's day is over.
    pub(super) fn follows_today(self) -> bool {
        match self {
            Self::Minutes(..) => false,
            Self::Days(first, last) => [first, last].iter().any(|day| matches!(day, Day::Ago(_))),
        }
    }
}

impl Day {
    /// As Google reads it; as an absolute date where that is possible.
    fn text(self, today: Option<Date>) -> String {
        let before = match self {
            Self::On(date) => return date.to_string(),
            Self::Ago(days) => days,
        };
        let absolute = today.and_then(|today| today.checked_sub(i64::from(before).days()).ok());
        match (absolute, before) {
            (Some(date), _) => date.to_string(),
            (None, 0) => "today".to_owned(),
            (None, 1) => "yesterday".to_owned(),
            (None, _) => format!("{before}daysAgo"),
        }
    }
}

/// The last day that is settled when it is asked for: the one before yesterday (support.google.com/analytics/answer/11198161).
pub const SETTLED_DAYS_AGO: u32 = 2;

/// Beyond the whole weeks.
const SPARE_DAYS: usize = 2;
