//! Dates and times of an event, converted to one local time.

use std::str::FromStr;

use jiff::{
    SignedDuration, Span, SpanRelativeTo, Timestamp,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};

use super::{elided, property::Property, zone::Zones};

/// A value of the types DATE and DATE-TIME.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Value {
    Date(Date),
    /// A local time; a parameter may name its zone.
    Local(DateTime),
    Utc(DateTime),
}

/// The frame of an event: the local time in which it starts.
#[derive(Debug)]
pub(super) struct Frame<'z> {
    clock: Clock,
    /// Whether the event has whole days although its times are written as midnights of some zone.
    is_rounded: bool,
    /// The time zone of the calendar, if it names one.
    calendar: Option<TimeZone>,
    zones: &'z Zones,
}

/// The kind of an event's times.
#[derive(Clone, Debug)]
enum Clock {
    /// Whole days, in any zone.
    Days,
    /// Times without a zone, in any zone.
    Any,
    /// Times in the zone with this name; `None` if the zone is not known.
    Zone(String, Option<TimeZone>),
}

impl<'z> Frame<'z> {
    /// Returns the frame of an event that starts with this property, and its local start. Times in UTC are converted
    /// to the calendar's zone. `is_rounded` makes the event an all-day event, whatever its times are.
    pub(super) fn new(
        start: &Property,
        calendar: Option<TimeZone>,
        zones: &'z Zones,
        is_rounded: bool,
    ) -> Result<(Self, DateTime), String> {
        let value = value(start, &start.value)?;
        let clock = match (value, start.parameter("TZID")) {
            (Value::Date(_), _) => Clock::Days,
            (Value::Local(_), None) => Clock::Any,
            (Value::Local(_), Some(name)) => Clock::Zone(name.to_owned(), zones.named(name)),
            (Value::Utc(_), _) => Clock::Zone(UTC.to_owned(), Some(calendar.clone().unwrap_or(TimeZone::UTC))),
        };
        let is_rounded = is_rounded && !matches!(clock, Clock::Days);
        let frame = Self { clock, is_rounded, calendar, zones };
        let shown = frame.shown(start, &start.value)?;
        Ok((frame, shown))
    }

    /// Returns the frame of an all-day event.
    pub(super) fn of_days(calendar: Option<TimeZone>, zones: &'z Zones) -> Self {
        Self { clock: Clock::Days, is_rounded: false, calendar, zones }
    }

    /// Returns whether the event is an all-day event.
    pub(super) fn is_all_day(&self) -> bool {
        self.is_rounded || matches!(self.clock, Clock::Days)
    }

    /// Returns the time zone of the event, if it has a known one.
    pub(super) fn zone(&self) -> Option<&TimeZone> {
        match &self.clock {
            Clock::Zone(_, zone) if !self.is_rounded => zone.as_ref(),
            Clock::Zone(..) | Clock::Days | Clock::Any => None,
        }
    }

    /// Converts a value of a property to the event's local time; for all-day events, to midnight.
    pub(super) fn shown(&self, property: &Property, text: &str) -> Result<DateTime, String> {
        let value = value(property, text)?;
        let shown = match (value, property.parameter("TZID"), &self.clock) {
            (Value::Date(date), ..) => return Ok(date.to_datetime(Time::midnight())),
            (Value::Utc(time), _, Clock::Zone(name, zone)) => {
                converted(time, &TimeZone::UTC, known(name, zone.as_ref())?)?
            }
            (Value::Utc(time), ..) => return self.shown_without_zone(time),
            (Value::Local(time), Some(theirs), Clock::Zone(name, zone)) if theirs != name => {
                converted(time, known(theirs, self.zones.named(theirs).as_ref())?, known(name, zone.as_ref())?)?
            }
            (Value::Local(time), ..) => time,
        };
        let is_guess = matches!(value, Value::Utc(_)) && self.calendar.is_none();
        Ok(if self.is_rounded { rounded(shown, is_guess) } else { shown })
    }

    /// Converts a UTC time for an event without a zone. Midnight in UTC is read as the event's own day, because some
    /// programs write days in this way.
    fn shown_without_zone(&self, time: DateTime) -> Result<DateTime, String> {
        let is_day = time.time() == Time::midnight();
        match (&self.calendar, &self.clock) {
            (Some(calendar), _) if !is_day => converted(time, &TimeZone::UTC, calendar),
            (None, Clock::Days) if !is_day => Ok(rounded(time, true)),
            _ => Ok(time),
        }
    }

    /// Converts the end of a rule; a date includes its whole day.
    pub(super) fn shown_until(&self, property: &Property, text: &str) -> Result<DateTime, String> {
        let value: Value = text.parse()?;
        match (value, &self.clock) {
            (Value::Date(date), _) => Ok(date.to_datetime(Time::MAX)),
            // For an unknown zone, one day too many is better than losing the last one.
            (Value::Utc(time), Clock::Zone(_, None)) => Ok(time.saturating_add(FARTHEST_EAST)),
            // UTC is used here only because the standard requires it; the time is then after the last day in any zone.
            (Value::Utc(time), Clock::Days) if self.calendar.is_none() => Ok(time),
            // A time that is out of range does not limit the rule.
            (Value::Local(_) | Value::Utc(_), _) => Ok(self.shown(property, text).unwrap_or(DateTime::MAX)),
        }
    }

    /// Returns the instant of a property with a zone, or the date of one without.
    pub(super) fn moment(property: &Property, zones: &Zones) -> Result<Moment, String> {
        let instant = |time: DateTime, zone: &TimeZone| {
            zone.to_timestamp(time).map(Moment::Instant).map_err(|_| out_of_range(time))
        };
        match (value(property, &property.value)?, property.parameter("TZID").map(|name| zones.named(name))) {
            (Value::Date(date), _) => Ok(Moment::Date(date)),
            (Value::Utc(time), _) => instant(time, &TimeZone::UTC),
            (Value::Local(time), Some(Some(zone))) => instant(time, &zone),
            (Value::Local(time), _) => Ok(Moment::Date(time.date())),
        }
    }
}

/// An instant, or a date if the zone is not known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Moment {
    Date(Date),
    Instant(Timestamp),
}

impl FromStr for Value {
    type Err = String;

    /// Also accepts common other formats: `2026-12-25T00:00:00.000Z`, times without seconds, and 24:00.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("`{}` is no date or time; write `20261225`, `20261225T080000` or `20261225T080000Z`", elided(text))
        };
        let (date, time) = match text.split_once(['T', 't', ' ']) {
            Some((date, time)) => (date, Some(time)),
            None => (text, None),
        };
        let [century, year, month, day] = *pairs(&date.replace('-', "")).ok_or_else(wrong)? else {
            return Err(wrong());
        };
        let date = Date::new(i16::from(century) * 100 + i16::from(year), month, day).map_err(|_| wrong())?;
        let Some(time) = time else { return Ok(Self::Date(date)) };
        let (time, is_utc) = time.strip_suffix(['Z', 'z']).map_or((time, false), |time| (time, true));
        let time = time.split_once('.').map_or(time, |(time, _)| time).replace(':', "");
        let (hour, minute, second) = match *pairs(&time).ok_or_else(wrong)? {
            [hour, minute] => (hour, minute, 0),
            // A leap second.
            [hour, minute, 60] => (hour, minute, 59),
            [hour, minute, second] => (hour, minute, second),
            _ => return Err(wrong()),
        };
        let time = match (hour, minute, second) {
            (24, 0, 0) => date.tomorrow().map_err(|_| wrong())?.to_datetime(Time::midnight()),
            _ => date.to_datetime(Time::new(hour, minute, second, 0).map_err(|_| wrong())?),
        };
        Ok(if is_utc { Self::Utc(time) } else { Self::Local(time) })
    }
}

/// Parses a value of the type DURATION.
pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    let wrong = || format!("`{}` is no length of an event; write for example `P1D` or `PT24H`", elided(text));
    let text = text.to_ascii_uppercase();
    // Other designators, which jiff accepts and the standard does not, would not be read by other programs.
    let is_known = text.bytes().all(|byte| byte.is_ascii_digit() || b"+PWDTHMS".contains(&byte));
    let span: Span = Some(text).filter(|_| is_known).and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
    if span.get_months() != 0 {
        return Err(wrong());
    }
    span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())
}

/// Parses a value of a property. A value declared as a date is a date, even if a time follows.
fn value(property: &Property, text: &str) -> Result<Value, String> {
    let value: Value = text.trim().parse()?;
    Ok(match (property.parameter("VALUE"), value) {
        (Some(kind), Value::Local(time) | Value::Utc(time)) if kind.eq_ignore_ascii_case("DATE") => {
            Value::Date(time.date())
        }
        _ => value,
    })
}

fn known<'z>(name: &str, zone: Option<&'z TimeZone>) -> Result<&'z TimeZone, String> {
    zone.ok_or_else(|| {
        format!(
            "the time zone `{}` is not known here; write its name in the database, such as `Europe/Berlin`",
            elided(name)
        )
    })
}

/// Converts a local time of one zone to the local time of another.
fn converted(time: DateTime, from: &TimeZone, to: &TimeZone) -> Result<DateTime, String> {
    let moment = time.to_zoned(from.clone()).map_err(|_| out_of_range(time))?;
    Ok(moment.with_time_zone(to.clone()).datetime())
}

fn out_of_range(time: DateTime) -> String {
    format!("`{time}` is out of range; write another time")
}

/// Rounds to the intended midnight. If the zone is a guess, times up to 13 hours before midnight are rounded up, as in
/// New Zealand in summer; otherwise up to 12 hours.
fn rounded(time: DateTime, is_guess: bool) -> DateTime {
    let half = SignedDuration::from_hours(if is_guess { 13 } else { 12 });
    time.saturating_add(half).date().to_datetime(Time::midnight())
}

/// Parses a text of digits as two-digit numbers.
fn pairs(text: &str) -> Option<Box<[i8]>> {
    let digit =
        |byte: u8| byte.is_ascii_digit().then(|| byte.wrapping_sub(b'0')).and_then(|digit| i8::try_from(digit).ok());
    let pair = |pair: &[u8]| match *pair {
        [tens, ones] => Some(digit(tens)? * 10 + digit(ones)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

const UTC: &str = "UTC";

/// The largest offset from UTC.
const FARTHEST_EAST: SignedDuration = SignedDuration::from_hours(14);
