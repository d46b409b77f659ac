//! What RRULE says: how an event recurs.

use std::{collections::BTreeSet, ops::RangeInclusive, str::FromStr};

use jiff::civil::{DateTime, Weekday};

use super::elided;

/// A rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) frequency: Frequency,
    /// Every how many of its periods.
    pub(super) interval: i32,
    pub(super) end: End,
    /// 1 to 12; none means any, as with the others.
    pub(super) months: Vec<i8>,
    /// From the beginning of the month or, below zero, from its end.
    pub(super) month_days: Vec<i16>,
    pub(super) weekdays: Vec<OrdinalWeekday>,
    /// Which of the days of a period, counted in the same way.
    pub(super) set_positions: Vec<i16>,
    pub(super) week_start: Weekday,
}

/// The length of a rule's periods.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// When a rule ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    Never,
    /// After so many occurrences.
    Count(usize),
    /// With the last that is not later.
    Until(DateTime),
}

/// A weekday, such as the fourth Thursday or the last Monday.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct OrdinalWeekday {
    /// Which of the month or year; 0 means each.
    pub(super) ordinal: i16,
    pub(super) weekday: Weekday,
}

impl Rule {
    /// Reads a rule; `until` reads the time of its end.
    pub(super) fn new(text: &str, until: impl Fn(&str) -> Result<DateTime, String>) -> Result<Self, String> {
        let mut rule = Self {
            frequency: Frequency::Daily,
            interval: 1,
            end: End::Never,
            months: Vec::new(),
            month_days: Vec::new(),
            weekdays: Vec::new(),
            set_positions: Vec::new(),
            week_start: Weekday::Monday,
        };
        let mut seen = BTreeSet::new();
        for part in text.split(';') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = name.to_ascii_uppercase();
            let wrong = || format!("`{}` is not understood; {}", elided(part), advice(&name));
            match name.as_str() {
                "FREQ" => rule.frequency = value.parse().map_err(|()| wrong())?,
                "INTERVAL" => rule.interval = number(value, &INTERVALS).ok_or_else(wrong)?,
                "COUNT" => rule.end = End::Count(number(value, &COUNTS).ok_or_else(wrong)?),
                "UNTIL" => rule.end = End::Until(until(value)?),
                "BYMONTH" => rule.months = list(value, |month| number(month, &(1..=12))).ok_or_else(wrong)?,
                "BYMONTHDAY" => rule.month_days = list(value, |day| from_either_end(day, 31)).ok_or_else(wrong)?,
                "BYDAY" => rule.weekdays = list(value, |day| day.parse().ok()).ok_or_else(wrong)?,
                "BYSETPOS" => {
                    rule.set_positions = list(value, |position| from_either_end(position, 366)).ok_or_else(wrong)?;
                }
                "WKST" => rule.week_start = weekday(value).ok_or_else(wrong)?,
                _ => return Err(wrong()),
            }
            if !seen.insert(name) {
                return Err(format!("`{}` stands beside another of its kind; keep one of them", elided(part)));
            }
        }
        rule.checked(&seen)
    }

    /// Whether the parts fit together, where the standard says that they must.
    fn checked(self, seen: &BTreeSet<String>) -> Result<Self, String> {
        let has = |name| seen.contains(name);
        if !has("FREQ") {
            Err("there is no `FREQ`; add one, such as `FREQ=YEARLY`".to_owned())
        } else if has("COUNT") && has("UNTIL") {
            Err("`COUNT` and `UNTIL` exclude each other; keep one of them".to_owned())
        } else if has("BYMONTHDAY") && self.frequency == Frequency::Weekly {
            Err("`BYMONTHDAY` has no meaning with `FREQ=WEEKLY`; write `FREQ=MONTHLY` or `FREQ=YEARLY`".to_owned())
        } else if self.weekdays.iter().any(|day| day.ordinal != 0) && !self.frequency.has_ordinals() {
            Err("a number in `BYDAY` needs `FREQ=MONTHLY` or `FREQ=YEARLY`; remove the number".to_owned())
        } else if has("BYSETPOS") && !["BYMONTH", "BYMONTHDAY", "BYDAY"].into_iter().any(has) {
            Err("`BYSETPOS` selects from the days of another part; add `BYDAY`, for example".to_owned())
        } else {
            Ok(self)
        }
    }
}

impl Frequency {
    fn has_ordinals(self) -> bool {
        matches!(self, Self::Monthly | Self::Yearly)
    }
}

impl FromStr for Frequency {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.to_ascii_uppercase().as_str() {
            "DAILY" => Ok(Self::Daily),
            "WEEKLY" => Ok(Self::Weekly),
            "MONTHLY" => Ok(Self::Monthly),
            "YEARLY" => Ok(Self::Yearly),
            _ => Err(()),
        }
    }
}

impl FromStr for OrdinalWeekday {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (ordinal, name) = text.len().checked_sub(2).and_then(|at| text.split_at_checked(at)).ok_or(())?;
        let ordinal = if ordinal.is_empty() { 0 } else { from_either_end(ordinal, 53).ok_or(())? };
        Ok(Self { ordinal, weekday: weekday(name).ok_or(())? })
    }
}

fn weekday(text: &str) -> Option<Weekday> {
    match text.to_ascii_uppercase().as_str() {
        "MO" => Some(Weekday::Monday),
        "TU" => Some(Weekday::Tuesday),
        "WE" => Some(Weekday::Wednesday),
        "TH" => Some(Weekday::Thursday),
        "FR" => Some(Weekday::Friday),
        "SA" => Some(Weekday::Saturday),
        "SU" => Some(Weekday::Sunday),
        _ => None,
    }
}

/// A number from 1 to the most or, from the end, from -1 to minus the most.
fn from_either_end(text: &str, most: i16) -> Option<i16> {
    match text.strip_prefix('-') {
        Some(digits) => number(digits, &(1..=most)).map(|number| -number),
        None => number(text.strip_prefix('+').unwrap_or(text), &(1..=most)),
    }
}

/// A number in digits within a range.
fn number<N: FromStr + PartialOrd>(text: &str, range: &RangeInclusive<N>) -> Option<N> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok().filter(|number| range.contains(number)) } else { None }
}

fn list<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',').map(read).collect()
}

/// What may stand in a part.
fn advice(name: &str) -> &'static str {
    match name {
        "FREQ" => "write `FREQ=YEARLY`, `MONTHLY`, `WEEKLY` or `DAILY`",
        "INTERVAL" => "write a whole number from 1 to 1000",
        "COUNT" => "write a whole number from 1 to 100000",
        "BYMONTH" => "write months from 1 to 12",
        "BYMONTHDAY" => "write days from 1 to 31, or from -1 to -31 to count from the month's end",
        "BYDAY" => "write weekdays such as `MO`, `4TH` or `-1MO`",
        "BYSETPOS" => "write numbers from 1 to 366, or from -1 to -366 to count from the end",
        "WKST" => "write a weekday such as `MO`",
        _ => "write the days in other words, or one by one as `RDATE`",
    }
}

const INTERVALS: RangeInclusive<i32> = 1..=1000;

const COUNTS: RangeInclusive<usize> = 1..=100_000;
