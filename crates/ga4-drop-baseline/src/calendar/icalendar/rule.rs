//! What RRULE says: how an event recurs.

use std::{collections::BTreeMap, ops::RangeInclusive, str::FromStr};

use jiff::civil::{DateTime, Weekday};

use super::elided;

/// A rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) frequency: Frequency,
    /// Every how many of its periods.
    pub(super) interval: i32,
    /// How many occurrences there are at most.
    pub(super) count: Option<usize>,
    /// After which there are none.
    pub(super) until: Option<DateTime>,
    /// 1 to 12; none means any, as with the others.
    pub(super) months: Vec<i8>,
    /// From the beginning of the month or, below zero, from its end.
    pub(super) month_days: Vec<i16>,
    /// The same of the year.
    pub(super) year_days: Vec<i16>,
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

/// A weekday, such as the fourth Thursday or the last Monday.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct OrdinalWeekday {
    /// Which of the month or year; 0 means each.
    pub(super) ordinal: i16,
    pub(super) weekday: Weekday,
}

impl Rule {
    /// Reads the rule of an event that begins at `start`; `until` reads the time of its end.
    ///
    /// Parts that are empty or of a program's own say nothing about days, and neither do hours of whole days.
    pub(super) fn new(
        text: &str,
        start: DateTime,
        is_all_day: bool,
        until: impl Fn(&str) -> Result<DateTime, String>,
    ) -> Result<Self, String> {
        let mut rule = Self::default();
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        // Some programs write the name twice.
        let text = text.strip_prefix("RRULE:").unwrap_or(text);
        for part in text.split(';').map(str::trim) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (name.trim().to_ascii_uppercase(), value.trim());
            if part.is_empty() || name.starts_with("X-") || (value.is_empty() && part.contains('=') && name != "FREQ") {
                continue;
            }
            let wrong = || format!("`{}` is not understood; {}", elided(part), advice(&name));
            match name.as_str() {
                "UNTIL" => rule.until = Some(until(value)?),
                "BYHOUR" | "BYMINUTE" | "BYSECOND" => {
                    let shown = match name.as_str() {
                        "BYHOUR" => start.hour(),
                        "BYMINUTE" => start.minute(),
                        _ => start.second(),
                    };
                    if !is_all_day && value.parse() != Ok(shown) {
                        return Err(wrong());
                    }
                }
                _ => rule.read(&name, value).ok_or_else(wrong)?,
            }
            if seen.insert(name, value).is_some_and(|before| before != value) {
                return Err(format!("`{}` stands beside another of its kind; keep one of them", elided(part)));
            }
        }
        if seen.contains_key("FREQ") {
            Ok(rule)
        } else {
            Err("there is no `FREQ`; add one, such as `FREQ=YEARLY`".to_owned())
        }
    }

    fn read(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "FREQ" => self.frequency = value.parse().ok()?,
            // None means the same as one to many programs.
            "INTERVAL" => self.interval = number(value, &INTERVALS)?.max(1),
            // How some programs say that there is no end.
            "COUNT" if ["0", "-1"].contains(&value) => self.count = None,
            "COUNT" => self.count = Some(number(value, &COUNTS)?),
            "BYMONTH" => self.months = list(value, |month| number(month, &(1..=12)))?,
            "BYMONTHDAY" => self.month_days = list(value, |day| from_either_end(day, 31))?,
            "BYYEARDAY" => self.year_days = list(value, |day| from_either_end(day, 366))?,
            "BYDAY" => self.weekdays = list(value, |day| day.parse().ok())?,
            "BYSETPOS" => self.set_positions = list(value, |position| from_either_end(position, 366))?,
            "WKST" => self.week_start = weekday(value)?,
            "RSCALE" if value.eq_ignore_ascii_case("GREGORIAN") => {}
            "SKIP" if value.eq_ignore_ascii_case("OMIT") => {}
            _ => return None,
        }
        Some(())
    }
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            frequency: Frequency::Daily,
            interval: 1,
            count: None,
            until: None,
            months: Vec::new(),
            month_days: Vec::new(),
            year_days: Vec::new(),
            weekdays: Vec::new(),
            set_positions: Vec::new(),
            week_start: Weekday::Monday,
        }
    }
}

impl Frequency {
    /// Whether weekdays are numbered within its periods.
    pub(super) fn has_ordinals(self) -> bool {
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
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    // One more is enough to see that there are too many.
    let values: Vec<T> = parts.take(MAX_ENTRIES + 1).map(read).collect::<Option<_>>()?;
    Some(values).filter(|values| values.len() <= MAX_ENTRIES)
}

/// What may stand in a part.
fn advice(name: &str) -> &'static str {
    match name {
        "FREQ" => "write `FREQ=YEARLY`, `MONTHLY`, `WEEKLY` or `DAILY`",
        "INTERVAL" => "write a whole number from 1 to 1000",
        "COUNT" => "write a whole number from 1 to 100000",
        "BYHOUR" | "BYMINUTE" | "BYSECOND" => "leave it out: the event recurs at the time of its `DTSTART`",
        "BYMONTH" => "write months from 1 to 12",
        "BYMONTHDAY" => "write days from 1 to 31, or from -1 to -31 to count from the month's end",
        "BYYEARDAY" => "write days from 1 to 366, or from -1 to -366 to count from the year's end",
        "BYDAY" => "write weekdays such as `MO`, `4TH` or `-1MO`",
        "BYSETPOS" => "write numbers from 1 to 366, or from -1 to -366 to count from the end",
        "WKST" => "write a weekday such as `MO`",
        _ => "write the days in other words, or one by one as `RDATE`",
    }
}

/// The most entries of a list: no list has as many that differ.
const MAX_ENTRIES: usize = 800;

const INTERVALS: RangeInclusive<i32> = 0..=1000;

const COUNTS: RangeInclusive<usize> = 1..=100_000;
