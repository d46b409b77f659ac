//! RRULE: how an event recurs.

use std::{collections::BTreeMap, ops::RangeInclusive, str::FromStr};

use jiff::civil::{DateTime, Weekday};

use super::elided;

/// A recurrence rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) frequency: Frequency,
    /// The number of periods from one recurrence to the next.
    pub(super) interval: i32,
    /// The largest number of occurrences.
    pub(super) count: Option<usize>,
    /// The time after which there are no occurrences.
    pub(super) until: Option<DateTime>,
    /// 1 to 12. An empty list matches every month, as for the other lists.
    pub(super) months: Vec<i8>,
    /// Counted from the start of the month or, if negative, from its end.
    pub(super) month_days: Vec<i16>,
    /// Counted from the start or the end of the year.
    pub(super) year_days: Vec<i16>,
    pub(super) weekdays: Vec<OrdinalWeekday>,
    /// Indices into the days of a period, counted from the start or the end.
    pub(super) set_positions: Vec<i16>,
    pub(super) week_start: Weekday,
}

/// The unit of a rule's periods.
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
    /// Its number in the month or year; 0 means every one.
    pub(super) ordinal: i16,
    pub(super) weekday: Weekday,
}

impl Rule {
    /// Parses the rule of an event that starts at `start`; `until` parses the end time.
    ///
    /// Ignores empty parts and extensions, and times of day for all-day events.
    pub(super) fn new(
        text: &str,
        start: DateTime,
        is_all_day: bool,
        until: impl Fn(&str) -> Result<DateTime, String>,
    ) -> Result<Self, String> {
        let mut rule = Self::default();
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        // Some programs repeat the name of the property.
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
            // Many programs read 0 as 1.
            "INTERVAL" => self.interval = number(value, &INTERVALS)?.max(1),
            // Some programs write an unlimited rule in this way.
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
    /// Returns whether weekdays are numbered within the periods.
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

/// Parses a number from 1 to `most` or, counted from the end, from -1 to `-most`.
fn from_either_end(text: &str, most: i16) -> Option<i16> {
    match text.strip_prefix('-') {
        Some(digits) => number(digits, &(1..=most)).map(|number| -number),
        None => number(text.strip_prefix('+').unwrap_or(text), &(1..=most)),
    }
}

/// Parses a number within a range.
fn number<N: FromStr + PartialOrd>(text: &str, range: &RangeInclusive<N>) -> Option<N> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok().filter(|number| range.contains(number)) } else { None }
}

fn list<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    // One more than the maximum is enough to detect a longer list.
    let values: Vec<T> = parts.take(MAX_ENTRIES + 1).map(read).collect::<Option<_>>()?;
    Some(values).filter(|values| values.len() <= MAX_ENTRIES)
}

/// Returns the valid values of a part, for messages.
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

/// Largest number of entries of a list; no list has more distinct values.
const MAX_ENTRIES: usize = 800;

const INTERVALS: RangeInclusive<i32> = 0..=1000;

const COUNTS: RangeInclusive<usize> = 1..=100_000;
