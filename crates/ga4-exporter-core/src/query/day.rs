//! The days that a question is about, as people write them.
//!
//! Knows the words of Google's dates and the first and last day that Google has. Refuses to know which day it is: that is the
//! property's, and an argument.

use jiff::{ToSpan, civil::Date};
use thiserror::Error as ThisError;

use crate::report::{Day, Range};

/// Why a text is not a day.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
pub enum QueryDayError {
    /// None of the forms.
    #[error("`{0}` is not a date; write `2026-01-31`, `today`, `yesterday` or `7daysAgo`")]
    Malformed(String),
    /// Before Google Analytics has anything, or after it could.
    #[error("{0} is not a day that Google Analytics has; the first is {FIRST_DAY}, and the last {LAST_DAY}")]
    OutOfRange(String),
    /// The range ends before it begins.
    #[error("the dates {from} and {to} are in the wrong order; the range ends before it begins")]
    Reversed {
        /// The first day, as given.
        from: String,
        /// The last day, as given.
        to: String,
    },
    /// An end without a beginning.
    #[error("--to needs --from: the day that the range begins with, such as --from 7daysAgo")]
    NoBeginning,
    /// Minutes have no dates.
    #[error("--realtime is about the last 30 minutes, so --from and --to cannot be used with it")]
    Realtime,
}

/// Reads a day.
///
/// # Errors
/// It is none, or none that Google has.
pub fn day(text: &str) -> Result<Day, QueryDayError> {
    let malformed = || QueryDayError::Malformed(text.chars().take(SHOWN_CHARACTERS).collect());
    match text {
        "today" => return Ok(Day::Ago(0)),
        "yesterday" => return Ok(Day::Ago(1)),
        _ => {}
    }
    if let Some(days) = text.strip_suffix("daysAgo") {
        let is_number = !days.is_empty() && days.bytes().all(|byte| byte.is_ascii_digit());
        let days = days.parse().ok().filter(|_| is_number).ok_or_else(malformed)?;
        return if days <= MOST_DAYS_AGO {
            Ok(Day::Ago(days))
        } else {
            Err(QueryDayError::OutOfRange(text.to_owned()))
        };
    }
    // `Date` reads more forms than Google does.
    let is_plain = text.len() == "2026-01-31".len() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let date: Date = text.parse().ok().filter(|_| is_plain).ok_or_else(malformed)?;
    if (FIRST_DAY..=LAST_DAY).contains(&date) {
        Ok(Day::On(date))
    } else {
        Err(QueryDayError::OutOfRange(text.to_owned()))
    }
}

/// The range from one day to another. A beginning alone ends yesterday; without both it is yesterday.
///
/// # Errors
/// There is an end without a beginning, or one before it.
pub fn range(from: Option<Day>, to: Option<Day>) -> Result<Range, QueryDayError> {
    let (from, to) = match (from, to) {
        (None, Some(_)) => return Err(QueryDayError::NoBeginning),
        (None, None) => (Day::Ago(1), Day::Ago(1)),
        // Today has no yesterday in its range.
        (Some(Day::Ago(0)), None) => (Day::Ago(0), Day::Ago(0)),
        (Some(from), None) => (from, Day::Ago(1)),
        (Some(from), Some(to)) => (from, to),
    };
    let is_reversed = match (from, to) {
        (Day::Ago(first), Day::Ago(last)) => first < last,
        (Day::On(first), Day::On(last)) => first > last,
        // Which comes first depends on the day that it is.
        (Day::Ago(_), Day::On(_)) | (Day::On(_), Day::Ago(_)) => false,
    };
    if is_reversed { Err(reversed(&word(from), &word(to))) } else { Ok(Range::Days(from, to)) }
}

/// The first and the last date of a range where it is this day.
///
/// # Errors
/// The range ends before it begins, or a day is before all that Google has.
pub fn dates(from: Day, to: Day, today: Date) -> Result<(Date, Date), QueryDayError> {
    let (first, last) = (date(from, today)?, date(to, today)?);
    if first > last { Err(reversed(&first.to_string(), &last.to_string())) } else { Ok((first, last)) }
}

fn date(day: Day, today: Date) -> Result<Date, QueryDayError> {
    let out_of_range = || QueryDayError::OutOfRange(word(day));
    match day {
        Day::On(date) => Ok(date),
        Day::Ago(days) => {
            let date = today.checked_sub(i64::from(days).days()).map_err(|_| out_of_range())?;
            if date >= FIRST_DAY { Ok(date) } else { Err(out_of_range()) }
        }
    }
}

fn reversed(from: &str, to: &str) -> QueryDayError {
    QueryDayError::Reversed { from: from.to_owned(), to: to.to_owned() }
}

/// A day as it is written.
fn word(day: Day) -> String {
    match day {
        Day::Ago(0) => "today".to_owned(),
        Day::Ago(1) => "yesterday".to_owned(),
        Day::Ago(days) => format!("{days}daysAgo"),
        Day::On(date) => date.to_string(),
    }
}

/// The first day that Google accepts: "must be greater than 2015-08-13 and less than 3000-01-01".
pub const FIRST_DAY: Date = jiff::civil::date(2015, 8, 14);

/// The last one.
pub const LAST_DAY: Date = jiff::civil::date(2999, 12, 31);

/// Three hundred years.
const MOST_DAYS_AGO: u32 = 100_000;

const SHOWN_CHARACTERS: usize = 40;

#[cfg(test)]
mod tests {
    use jiff::civil::date as on;

    use super::*;

    #[test]
    fn days_are_googles_words_and_dates() {
        for (text, expected) in [
            ("today", Day::Ago(0)),
            ("yesterday", Day::Ago(1)),
            ("0daysAgo", Day::Ago(0)),
            ("28daysAgo", Day::Ago(28)),
            ("2026-01-31", Day::On(on(2026, 1, 31))),
        ] {
            assert_eq!(day(text), Ok(expected), "{text}");
        }
        let endless = "9".repeat(5000);
        for text in [
            "",
            "tomorrow",
            "Today",
            "7 daysAgo",
            "daysAgo",
            "-1daysAgo",
            "+1daysAgo",
            "7DaysAgo",
            "31.1.2026",
            "2026-1-31",
            "2026-02-30",
            "20260131",
            "2026-01-31T00:00",
            "2026-01-31'; drop table",
            "\u{1b}[31m",
            &endless,
        ] {
            let error = day(text).unwrap_err().to_string();
            assert!(
                error.ends_with("is not a date; write `2026-01-31`, `today`, `yesterday` or `7daysAgo`"),
                "{error}"
            );
            assert!(error.len() < 300, "{}", error.len());
        }
        for text in ["2015-08-13", "3000-01-01", "0001-01-01", "99999999daysAgo"] {
            assert!(matches!(day(text), Err(QueryDayError::OutOfRange(_))), "{text}");
        }
    }

    #[test]
    fn a_beginning_alone_ends_yesterday() {
        let ago = Day::Ago;
        assert_eq!(range(None, None), Ok(Range::Days(ago(1), ago(1))));
        assert_eq!(range(Some(ago(7)), None), Ok(Range::Days(ago(7), ago(1))));
        assert_eq!(range(Some(ago(0)), None), Ok(Range::Days(ago(0), ago(0))), "today alone is today");
        assert_eq!(range(Some(ago(7)), Some(ago(0))), Ok(Range::Days(ago(7), ago(0))));
        assert_eq!(range(None, Some(ago(1))), Err(QueryDayError::NoBeginning));
        let error = range(Some(ago(1)), Some(ago(7))).unwrap_err().to_string();
        assert_eq!(error, "the dates yesterday and 7daysAgo are in the wrong order; the range ends before it begins");
    }

    #[test]
    fn words_become_dates_of_the_property() {
        let today = on(2026, 3, 1);
        assert_eq!(dates(Day::Ago(7), Day::Ago(1), today), Ok((on(2026, 2, 22), on(2026, 2, 28))));
        assert_eq!(dates(Day::On(on(2026, 1, 1)), Day::Ago(0), today), Ok((on(2026, 1, 1), today)));
        assert!(matches!(dates(Day::On(on(2026, 3, 1)), Day::Ago(1), today), Err(QueryDayError::Reversed { .. })));
        assert!(matches!(dates(Day::Ago(5000), Day::Ago(1), today), Err(QueryDayError::OutOfRange(_))));
    }
}
