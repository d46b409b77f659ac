//! Dates and times of an event, as one clock shows them.

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
    /// As some clock shows it, which a parameter may name.
    Local(DateTime),
    Utc(DateTime),
}

/// The clock of an event: the one in whose time it begins.
#[derive(Debug)]
pub(super) struct Frame<'z> {
    clock: Clock,
    /// Whether its times are those of whole days, written as midnight of some zone.
    is_rounded: bool,
    /// The zone of the calendar, where it says one.
    calendar: Option<TimeZone>,
    zones: &'z Zones,
}

/// In which zone times are.
#[derive(Clone, Debug)]
enum Clock {
    /// Any: whole days.
    Days,
    /// Any: times that name no zone.
    Any,
    /// The one with this name, if it is known.
    Zone(String, Option<TimeZone>),
}

impl<'z> Frame<'z> {
    /// The clock of the property with which an event begins, and what it shows then. Times in UTC are read on that of the
    /// calendar. `is_rounded` says that the event is one of whole days, whatever its times look like.
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

    /// That of an event of whole days.
    pub(super) fn of_days(calendar: Option<TimeZone>, zones: &'z Zones) -> Self {
        Self { clock: Clock::Days, is_rounded: false, calendar, zones }
    }

    /// Whether the event is one of whole days.
    pub(super) fn is_all_day(&self) -> bool {
        self.is_rounded || matches!(self.clock, Clock::Days)
    }

    /// The zone of its times, if they have one that is known.
    pub(super) fn zone(&self) -> Option<&TimeZone> {
        match &self.clock {
            Clock::Zone(_, zone) if !self.is_rounded => zone.as_ref(),
            Clock::Zone(..) | Clock::Days | Clock::Any => None,
        }
    }

    /// What the event's clock shows at one of a property's values; of whole days, their midnight.
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

    /// What UTC stands for where an event has no zone: its own days, where somebody wrote a day as its midnight in UTC.
    fn shown_without_zone(&self, time: DateTime) -> Result<DateTime, String> {
        let is_day = time.time() == Time::midnight();
        match (&self.calendar, &self.clock) {
            (Some(calendar), _) if !is_day => converted(time, &TimeZone::UTC, calendar),
            (None, Clock::Days) if !is_day => Ok(rounded(time, true)),
            _ => Ok(time),
        }
    }

    /// The same of a value in a rule, where a date means all of it.
    pub(super) fn shown_until(&self, property: &Property, text: &str) -> Result<DateTime, String> {
        let value: Value = text.parse()?;
        match (value, &self.clock) {
            (Value::Date(date), _) => Ok(date.to_datetime(Time::MAX)),
            // Better a day too many than to lose the last one.
            (Value::Utc(time), Clock::Zone(_, None)) => Ok(time.saturating_add(FARTHEST_EAST)),
            // Only the standard asks for UTC where an event has whole days: then it is later than the last by any clock.
            (Value::Utc(time), Clock::Days) if self.calendar.is_none() => Ok(time),
            // Beyond all times is no end.
            (Value::Local(_) | Value::Utc(_), _) => Ok(self.shown(property, text).unwrap_or(DateTime::MAX)),
        }
    }

    /// When the clock of a property with a zone shows its value, or the date where it has none.
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

/// A point in time, or a date where the zone is not known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Moment {
    Date(Date),
    Instant(Timestamp),
}

impl FromStr for Value {
    type Err = String;

    /// Also what other formats of dates write: `2026-12-25T00:00:00.000Z`, times without seconds, and the end of a day.
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
            // Of a leap second.
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

/// Reads a value of the type DURATION.
pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    let wrong = || format!("`{}` is no length of an event; write for example `P1D` or `PT24H`", elided(text));
    let text = text.to_ascii_uppercase();
    // What jiff reads beyond the standard's letters would be read by nothing else.
    let is_known = text.bytes().all(|byte| byte.is_ascii_digit() || b"+PWDTHMS".contains(&byte));
    let span: Span = Some(text).filter(|_| is_known).and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
    if span.get_months() != 0 {
        return Err(wrong());
    }
    span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())
}

/// Reads a value of a property; one that is said to be a date is one, whatever time follows.
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

/// What the clock of one zone shows when that of another shows a time.
fn converted(time: DateTime, from: &TimeZone, to: &TimeZone) -> Result<DateTime, String> {
    let moment = time.to_zoned(from.clone()).map_err(|_| out_of_range(time))?;
    Ok(moment.with_time_zone(to.clone()).datetime())
}

fn out_of_range(time: DateTime) -> String {
    format!("`{time}` is out of range; write another time")
}

/// The midnight that is meant. Where the zone is a guess, as much is before UTC as in New Zealand in summer, and the rest
/// after it.
fn rounded(time: DateTime, is_guess: bool) -> DateTime {
    let half = SignedDuration::from_hours(if is_guess { 13 } else { 12 });
    time.saturating_add(half).date().to_datetime(Time::midnight())
}

/// The numbers of a text that is digits, two by two.
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

/// The zone whose clocks are the farthest ahead.
const FARTHEST_EAST: SignedDuration = SignedDuration::from_hours(14);
