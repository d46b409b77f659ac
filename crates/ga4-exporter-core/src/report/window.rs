//! What a request covers, and what its parts are called.

use std::{fmt, str::FromStr};

use jiff::{ToSpan, civil::Date};
use thiserror::Error as ThisError;

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
        let five = "in the five whole minutes before the current one";
        vec![
            Self::built_in("realtime", Range::Minutes(29, 0), "in the last 30 minutes", fields::REALTIME),
            Self::built_in("realtime_5m", Range::Minutes(5, 1), five, fields::REALTIME_5M),
        ]
    }

    /// Those of the report `traffic`.
    pub(super) fn of_traffic() -> Vec<Self> {
        [
            ("today", 0, 0, "today in the property's time zone, as far as Google has processed them"),
            ("yesterday", 1, 1, "yesterday in the property's time zone"),
            ("trailing_7d", 7, 1, "in the 7 days that ended yesterday, in the property's time zone"),
            ("trailing_28d", 28, 1, "in the 28 days that ended yesterday, in the property's time zone"),
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

/// Why a text is no day, or two days are no range.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
pub enum ReportDayError {
    /// Not one of Google's ways to write a day.
    #[error("`{0}` is not a day; write `2026-01-31`, `today`, `yesterday` or `3daysAgo`")]
    Malformed(String),
    /// Google refuses it.
    #[error("Google has no reports before {FIRST_DAY} and after {LAST_DAY}; give a day between")]
    OutOfRange,
    /// The first after the last.
    #[error("the range begins after it ends; exchange `{0}` and `{1}`")]
    Backwards(Day, Day),
    /// The same, on some days only.
    #[error(
        "on {today} the range from `{first}` to `{last}` begins after it ends, which Google refuses; change one of the days"
    )]
    BackwardsOn {
        /// On which day.
        today: Date,
        /// Its first day.
        first: Day,
        /// Its last day.
        last: Day,
    },
    /// Google refuses it, on some days only.
    #[error("on {today} `{day}` is before {FIRST_DAY}, and Google has no reports of then; give a later day")]
    TooEarlyOn {
        /// On which day.
        today: Date,
        /// The day that is too early.
        day: Day,
    },
    /// Nothing has happened on such a day.
    #[error("the range begins on {0}, in the future, so its values are 0 until then; give an earlier day")]
    ToCome(Date),
}

impl Range {
    /// The range of all minutes that realtime reports can have.
    pub const LAST_MINUTES: Self = Self::Minutes(29, 0);

    /// The ranges that have a name, as the configuration calls them.
    pub const NAMED: &'static [(&'static str, Self)] = &[
        ("today", Self::Days(Day::Ago(0), Day::Ago(0))),
        ("yesterday", Self::Days(Day::Ago(1), Day::Ago(1))),
        ("trailing_7d", Self::Days(Day::Ago(7), Day::Ago(1))),
        ("trailing_28d", Self::Days(Day::Ago(28), Day::Ago(1))),
    ];

    /// From one day to another.
    ///
    /// # Errors
    /// The range begins after it ends; where only one of the days moves, that is known later.
    pub fn between(first: Day, last: Day) -> Result<Self, ReportDayError> {
        let is_backwards = match (first, last) {
            (Day::Ago(first), Day::Ago(last)) => first < last,
            (Day::On(first), Day::On(last)) => first > last,
            (Day::Ago(_), Day::On(_)) | (Day::On(_), Day::Ago(_)) => false,
        };
        if is_backwards { Err(ReportDayError::Backwards(first, last)) } else { Ok(Self::Days(first, last)) }
    }

    /// What is wrong with it on this day, where one of its days moves. Zones differ by a day, which counts for the range.
    ///
    /// # Errors
    /// Google would refuse it, or nothing can have happened yet.
    pub fn check_on(self, today: Date) -> Result<(), ReportDayError> {
        let Self::Days(first, last) = self else { return Ok(()) };
        let Some(begin) = first.date(today).filter(|begin| *begin >= FIRST_DAY) else {
            return Err(ReportDayError::TooEarlyOn { today, day: first });
        };
        let tomorrow = today.saturating_add(1.day());
        if begin > tomorrow && matches!((first, last), (Day::On(_), Day::On(_))) {
            return Err(ReportDayError::ToCome(begin));
        }
        let is_backwards = last.date(today).is_none_or(|end| begin > end.saturating_add(1.day()));
        if is_backwards { Err(ReportDayError::BackwardsOn { today, first, last }) } else { Ok(()) }
    }

    /// What it covers, for the end of a sentence.
    pub fn meaning(self) -> String {
        let zone = "in the property's time zone";
        match self {
            Self::Minutes(oldest, 0) => format!("in the last {} minutes", oldest + 1),
            Self::Minutes(oldest, newest) => format!("from {oldest} to {newest} minutes ago"),
            Self::Days(first, last) if first == last => format!("{} {zone}", first.words()),
            Self::Days(Day::Ago(first), Day::Ago(1)) => format!("in the {first} days up to yesterday {zone}"),
            Self::Days(first, last) => format!("from {} to {} {zone}", first.words(), last.words()),
        }
    }

    /// Whether it moves on when the property's day is over.
    pub(super) fn follows_today(self) -> bool {
        match self {
            Self::Minutes(..) => false,
            Self::Days(first, last) => [first, last].iter().any(|day| matches!(day, Day::Ago(_))),
        }
    }
}

impl FromStr for Day {
    type Err = ReportDayError;

    /// Reads a day as Google's requests have it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || ReportDayError::Malformed(text.to_owned());
        if let Some(days) = match text {
            "today" => Some("0"),
            "yesterday" => Some("1"),
            _ => text.strip_suffix("daysAgo"),
        } {
            let is_number = !days.is_empty() && days.bytes().all(|byte| byte.is_ascii_digit());
            let days = days.parse().ok().filter(|_| is_number).ok_or_else(malformed)?;
            return if days <= MOST_DAYS_AGO { Ok(Self::Ago(days)) } else { Err(ReportDayError::OutOfRange) };
        }
        let is_date = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let date: Date = text.parse().ok().filter(|_| is_date).ok_or_else(malformed)?;
        if (FIRST_DAY..=LAST_DAY).contains(&date) { Ok(Self::On(date)) } else { Err(ReportDayError::OutOfRange) }
    }
}

impl fmt::Display for Day {
    /// Writes what is read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(None))
    }
}

impl Day {
    /// For people.
    fn words(self) -> String {
        match self {
            Self::Ago(days) if days > 1 => format!("{days} days ago"),
            Self::Ago(_) | Self::On(_) => self.to_string(),
        }
    }

    /// The date, where there is such a one.
    fn date(self, today: Date) -> Option<Date> {
        match self {
            Self::On(date) => Some(date),
            Self::Ago(days) => today.checked_sub(i64::from(days).days()).ok(),
        }
    }

    /// As Google reads it; as an absolute date where that is possible.
    fn text(self, today: Option<Date>) -> String {
        let before = match self {
            Self::On(date) => return date.to_string(),
            Self::Ago(days) => days,
        };
        let absolute = today.and_then(|today| self.date(today));
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

/// The first day that Google takes, and the last: `start_date = … must be greater than 2015-08-13 and less than 3000-01-01`.
const FIRST_DAY: Date = jiff::civil::date(2015, 8, 14);
const LAST_DAY: Date = jiff::civil::date(2999, 12, 31);

/// Further back than the first day, whatever the date.
const MOST_DAYS_AGO: u32 = 100_000;

/// Beyond the whole weeks.
const SPARE_DAYS: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_google_reads_them() {
        for (text, day) in [
            ("today", Day::Ago(0)),
            ("yesterday", Day::Ago(1)),
            ("28daysAgo", Day::Ago(28)),
            ("2026-01-31", Day::On(jiff::civil::date(2026, 1, 31))),
        ] {
            assert_eq!(text.parse(), Ok(day));
            assert_eq!(day.to_string(), text);
        }
        for text in
            ["", "Today", "tomorrow", "daysAgo", "-1daysAgo", "+1daysAgo", "2026-02-30", "20260131", "01/06/2026"]
        {
            assert_eq!(text.parse::<Day>(), Err(ReportDayError::Malformed(text.to_owned())));
        }
        for text in ["2015-08-13", "3000-01-01", "100001daysAgo"] {
            assert_eq!(text.parse::<Day>(), Err(ReportDayError::OutOfRange), "{text}");
        }
    }

    #[test]
    fn ranges_begin_before_they_end() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        for (first, last) in
            [("3daysAgo", "today"), ("today", "today"), ("2026-01-01", "2026-01-02"), ("today", "2026-01-01")]
        {
            assert!(Range::between(day(first), day(last)).is_ok(), "{first} {last}");
        }
        for (first, last) in [("today", "yesterday"), ("2026-01-02", "2026-01-01")] {
            let error = Range::between(day(first), day(last)).unwrap_err().to_string();
            assert_eq!(error, format!("the range begins after it ends; exchange `{first}` and `{last}`"));
        }
    }

    #[test]
    fn where_days_move_a_range_may_be_wrong_on_some_days() {
        let today = jiff::civil::date(2026, 11, 28);
        let check = |first: &str, last: &str| {
            let range = Range::between(first.parse().unwrap(), last.parse().unwrap()).unwrap();
            range.check_on(today).map_err(|error| error.to_string())
        };
        for (first, last) in [
            ("today", "today"),
            ("28daysAgo", "yesterday"),
            ("2026-11-28", "today"),
            ("2026-11-29", "today"),
            ("2026-01-01", "2026-01-31"),
            ("2015-08-14", "yesterday"),
            ("4124daysAgo", "today"),
            ("today", "2026-11-27"),
            ("today", "2999-12-31"),
        ] {
            assert_eq!(check(first, last), Ok(()), "{first} {last}");
        }
        for (first, last, message) in [
            (
                "today",
                "2020-01-01",
                "on 2026-11-28 the range from `today` to `2020-01-01` begins after it ends, which Google refuses; change one \
                 of the days",
            ),
            (
                "2030-01-01",
                "today",
                "on 2026-11-28 the range from `2030-01-01` to `today` begins after it ends, which Google refuses; change one \
                 of the days",
            ),
            (
                "4125daysAgo",
                "today",
                "on 2026-11-28 `4125daysAgo` is before 2015-08-14, and Google has no reports of then; give a later day",
            ),
            (
                "2030-01-01",
                "2030-01-31",
                "the range begins on 2030-01-01, in the future, so its values are 0 until then; give an earlier day",
            ),
        ] {
            assert_eq!(check(first, last), Err(message.to_owned()), "{first} {last}");
        }
        assert_eq!(Range::LAST_MINUTES.check_on(today), Ok(()));
    }

    #[test]
    fn ranges_are_said_in_words() {
        let days = |first: &str, last: &str| Range::Days(first.parse().unwrap(), last.parse().unwrap()).meaning();
        assert_eq!(days("today", "today"), "today in the property's time zone");
        assert_eq!(days("7daysAgo", "yesterday"), "in the 7 days up to yesterday in the property's time zone");
        assert_eq!(days("3daysAgo", "today"), "from 3 days ago to today in the property's time zone");
        assert_eq!(days("3daysAgo", "3daysAgo"), "3 days ago in the property's time zone");
        assert_eq!(Range::LAST_MINUTES.meaning(), "in the last 30 minutes");
    }
}
