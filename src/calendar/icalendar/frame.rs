//! Dates and times of an event, as one clock shows them.

use std::str::FromStr;

use jiff::{
    SignedDuration, Span, SpanRelativeTo,
    civil::{Date, DateTime, Time},
};

use super::{elided, property::Property};
use crate::calendar::Zone;

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
pub(super) struct Frame {
    /// Its zone; none where times mean those of any clock, and for whole days.
    zone: Option<String>,
    is_all_day: bool,
}

impl Frame {
    /// The clock of the property with which an event begins, and what it shows then. Times in UTC are taken to that of
    /// the calendar.
    pub(super) fn new(start: &Property, calendar_zone: Option<&str>) -> Result<(Self, DateTime), String> {
        let value = value(start, &start.value)?;
        let zone = match value {
            Value::Date(_) => None,
            Value::Local(_) => start.parameter("TZID"),
            Value::Utc(_) => Some(calendar_zone.unwrap_or(UTC)),
        };
        let frame = Self { zone: zone.map(str::to_owned), is_all_day: matches!(value, Value::Date(_)) };
        let shown = frame.shown(start, &start.value)?;
        Ok((frame, shown))
    }

    /// Whether the event is one of whole days.
    pub(super) fn is_all_day(&self) -> bool {
        self.is_all_day
    }

    /// What the event's clock shows at one of a property's values.
    pub(super) fn shown(&self, property: &Property, text: &str) -> Result<DateTime, String> {
        let zone = self.zone.as_deref();
        match (value(property, text)?, property.parameter("TZID"), zone) {
            (Value::Date(date), ..) => Ok(date.to_datetime(Time::midnight())),
            (Value::Local(time), Some(theirs), Some(ours)) if theirs != ours => converted(time, theirs, ours),
            (Value::Utc(time), _, Some(ours)) => converted(time, UTC, ours),
            (Value::Local(time) | Value::Utc(time), ..) => Ok(time),
        }
    }

    /// The same of a value in a rule, where a date means all of it.
    pub(super) fn shown_until(&self, property: &Property, text: &str) -> Result<DateTime, String> {
        match text.parse()? {
            Value::Date(date) => Ok(date.to_datetime(Time::MAX)),
            Value::Local(_) | Value::Utc(_) => self.shown(property, text),
        }
    }
}

impl FromStr for Value {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("`{}` is no date or time; write `20261225`, `20261225T080000` or `20261225T080000Z`", elided(text))
        };
        let (date, time) = text.split_once('T').map_or((text, None), |(date, time)| (date, Some(time)));
        let [century, year, month, day] = *pairs(date).ok_or_else(wrong)? else { return Err(wrong()) };
        let date = Date::new(i16::from(century) * 100 + i16::from(year), month, day).map_err(|_| wrong())?;
        let Some(time) = time else { return Ok(Self::Date(date)) };
        let (time, is_utc) = time.strip_suffix('Z').map_or((time, false), |time| (time, true));
        let [hour, minute, second] = *pairs(time).ok_or_else(wrong)? else { return Err(wrong()) };
        let time = date.to_datetime(Time::new(hour, minute, second, 0).map_err(|_| wrong())?);
        Ok(if is_utc { Self::Utc(time) } else { Self::Local(time) })
    }
}

/// Reads a value of the type DURATION.
pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    let wrong = || format!("`{}` is no length of an event; write for example `P1D` or `PT24H`", elided(text));
    // What jiff reads beyond the standard's letters would be read by nothing else.
    let is_known = text.bytes().all(|byte| byte.is_ascii_digit() || b"+PWDTHMS".contains(&byte));
    let span: Span = Some(text).filter(|_| is_known).and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
    if span.get_months() != 0 {
        return Err(wrong());
    }
    span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())
}

/// Reads a value of a property, whose parameter may say of which type it is.
fn value(property: &Property, text: &str) -> Result<Value, String> {
    let value: Value = text.parse()?;
    match (property.parameter("VALUE").map(str::to_ascii_uppercase).as_deref(), value) {
        (None, _) | (Some("DATE"), Value::Date(_)) | (Some("DATE-TIME"), Value::Local(_) | Value::Utc(_)) => Ok(value),
        (Some(kind), _) => {
            Err(format!("`{text}` is not of the type `{}`; write `VALUE=DATE` or `VALUE=DATE-TIME`", elided(kind)))
        }
    }
}

/// What the clock of one zone shows when that of another shows a time.
fn converted(time: DateTime, from: &str, to: &str) -> Result<DateTime, String> {
    let zone = |name| {
        Zone::named(name).map_err(|_| {
            format!(
                "the time zone `{}` is not known here; write its name in the database, such as `Europe/Berlin`",
                elided(name)
            )
        })
    };
    let moment =
        time.to_zoned(zone(from)?.rules).map_err(|_| format!("`{time}` is out of range; write another time"))?;
    Ok(moment.with_time_zone(zone(to)?.rules).datetime())
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
