//! Parses an entry of the list of quiet days that is not a file name.

use std::str::FromStr;

use jiff::civil::Date;
use thiserror::Error as ThisError;

use super::{Days, Entry, MOST_IN_A_ROW, YearDays};

/// Why a text is not a quiet day, and what to write instead.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
pub enum EntryError {
    /// The text has no known format.
    #[error(
        "`{0}` is not a day; write `2026-04-03`, `2026-12-24..2027-01-02`, `12-25`, `12-24..01-02`, or the path of an \
         iCalendar file, such as `holidays.ics`"
    )]
    Malformed(String),
    /// The text has the format of a date that does not exist.
    #[error("there is no `{day}` in the calendar; write a day that exists, the month before the day of the month")]
    NoSuchDay {
        /// The date.
        day: String,
    },
    /// Only one end of the range has a year.
    #[error("`{0}` has a year at one end only; write it at both ends, or at neither for days that come every year")]
    YearAtOneEnd(String),
    /// The ends are in the wrong order.
    #[error("`{0}` ends before it begins; write the earlier day first")]
    Reversed(String),
    /// The range is too long for an exception.
    #[error("`{text}` is {count} days long; write the earlier day first, and {MOST_IN_A_ROW} days at most")]
    TooLong {
        /// The range.
        text: String,
        /// Its length.
        count: i32,
    },
}

impl FromStr for Entry {
    type Err = EntryError;

    fn from_str(text: &str) -> Result<Self, EntryError> {
        let (first, last) = match text.split_once("..") {
            Some((first, last)) => (End::new(first.trim(), text)?, End::new(last.trim(), text)?),
            None => (End::new(text, text)?, End::new(text, text)?),
        };
        let (entry, count) = match (first, last) {
            (End::Date(first), End::Date(last)) if last < first => return Err(EntryError::Reversed(text.to_owned())),
            (End::Date(first), End::Date(last)) => (Self::Days(Days { first, last }), Days { first, last }.count()),
            (End::Recurring(first), End::Recurring(last)) => {
                (Self::EachYear(YearDays { first, last }), YearDays { first, last }.count())
            }
            (End::Date(_), End::Recurring(_)) | (End::Recurring(_), End::Date(_)) => {
                return Err(EntryError::YearAtOneEnd(text.to_owned()));
            }
        };
        if count > MOST_IN_A_ROW { Err(EntryError::TooLong { text: text.to_owned(), count }) } else { Ok(entry) }
    }
}

/// A day, or one end of a range.
#[derive(Clone, Copy)]
enum End {
    Date(Date),
    /// A date in [`LEAP_YEAR`].
    Recurring(Date),
}

impl End {
    /// Parses `2026-12-25` or `12-25`; messages quote `whole`.
    fn new(text: &str, whole: &str) -> Result<Self, EntryError> {
        let malformed = || EntryError::Malformed(whole.to_owned());
        let numbers = text.split('-').map(number).collect::<Option<Vec<_>>>().ok_or_else(malformed)?;
        let date = |year, month, day| {
            let part = |value| i8::try_from(value).ok();
            let date = part(month).zip(part(day)).and_then(|(month, day)| Date::new(year, month, day).ok());
            date.ok_or_else(|| EntryError::NoSuchDay { day: text.to_owned() })
        };
        match *numbers {
            [(year, 4), (month, 2), (day, 2)] => Ok(Self::Date(date(year, month, day)?)),
            [(month, 2), (day, 2)] => Ok(Self::Recurring(date(LEAP_YEAR, month, day)?)),
            _ => Err(malformed()),
        }
    }
}

/// Parses a number and returns it with its count of digits.
fn number(text: &str) -> Option<(i16, usize)> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { Some((text.parse().ok()?, text.len())) } else { None }
}

/// A year that has every calendar day.
pub(super) const LEAP_YEAR: i16 = 2024;
