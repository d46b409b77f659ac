//! One event, and the days that it takes.

use std::{
    cmp::{max, min},
    collections::BTreeSet,
};

use jiff::{
    SignedDuration, Span,
    civil::{Date, DateTime, Time},
};

use super::{
    Mistake,
    frame::{self, Frame},
    property::Property,
    recurrence::Budget,
    rule::Rule,
};
use crate::calendar::quiet_days::{Days, MOST_IN_A_ROW};

/// An event, as far as it concerns days.
#[derive(Debug)]
pub(super) struct Event {
    line: usize,
    pub(super) uid: Option<String>,
    /// The date of the occurrence, of the events with the same uid, that this one stands for.
    pub(super) instead_of: Option<Date>,
    /// None if it is cancelled.
    occurrences: Option<Occurrences>,
}

/// When an event takes place, as its own clock shows it.
#[derive(Debug)]
struct Occurrences {
    start: DateTime,
    length: SignedDuration,
    rule: Option<Rule>,
    added: Vec<DateTime>,
    left_out: BTreeSet<Date>,
}

impl Event {
    /// Reads an event that begins in this line; `zone` is that of the calendar.
    pub(super) fn new(line: usize, properties: &[Property], zone: Option<&str>) -> Result<Self, Mistake> {
        let properties = Properties(properties);
        let instead_of = properties.single("RECURRENCE-ID")?.map(|property| replaced(property, zone)).transpose()?;
        let uid = properties.single("UID")?.map(|property| property.value.clone());
        let status = properties.single("STATUS")?;
        let is_cancelled = status.is_some_and(|property| property.value.eq_ignore_ascii_case("CANCELLED"));
        let occurrences = if is_cancelled { None } else { Some(Occurrences::new(line, &properties, zone)?) };
        Ok(Self { line, uid, instead_of, occurrences })
    }

    /// The days of all its occurrences but those of the dates that are replaced.
    pub(super) fn days(&self, replaced: &BTreeSet<Date>, budget: &mut Budget) -> Result<Vec<Days>, Mistake> {
        let Some(event) = &self.occurrences else { return Ok(Vec::new()) };
        let dates = match &event.rule {
            Some(rule) => rule.dates(event.start, budget).map_err(|_| {
                Mistake::new(
                    self.line,
                    "the calendar comes to too many days with this event; end it with `UNTIL`, or \
                                         remove events that mean no quiet days",
                )
            })?,
            None => vec![event.start.date()],
        };
        let recurring = dates.into_iter().map(|date| date.to_datetime(event.start.time()));
        let starts = recurring.chain(event.added.iter().copied());
        let kept = starts.filter(|start| !event.left_out.contains(&start.date()) && !replaced.contains(&start.date()));
        Ok(kept.filter_map(|start| covered(start, event.length)).collect())
    }
}

impl Occurrences {
    fn new(line: usize, properties: &Properties<'_>, zone: Option<&str>) -> Result<Self, Mistake> {
        let no_start = || {
            Mistake::new(line, "this event has no `DTSTART`; add its first day, such as `DTSTART;VALUE=DATE:20261225`")
        };
        let property = properties.single("DTSTART")?.ok_or_else(no_start)?;
        let (frame, start) = Frame::new(property, zone).map_err(|wrong| property.mistake(wrong))?;
        if let Some(property) = properties.single("EXRULE")? {
            return Err(property.mistake("such rules are out of use; write the dates that are left out as `EXDATE`"));
        }
        let rule = properties.single("RRULE")?.map(|property| {
            let until = |text: &str| frame.shown_until(property, text);
            Rule::new(&property.value, until).map_err(|wrong| property.mistake(wrong))
        });
        let added = properties.times("RDATE", &frame)?;
        let left_out = properties.times("EXDATE", &frame)?;
        Ok(Self {
            start,
            length: length(line, properties, &frame, start)?,
            rule: rule.transpose()?,
            added,
            left_out: left_out.into_iter().map(DateTime::date).collect(),
        })
    }
}

/// The properties of an event.
struct Properties<'p>(&'p [Property]);

impl<'p> Properties<'p> {
    /// The one with this name, if there is one.
    fn single(&self, name: &str) -> Result<Option<&'p Property>, Mistake> {
        let mut named = self.0.iter().filter(|property| property.name == name);
        let first = named.next();
        match named.next() {
            Some(second) => Err(second.mistake("this stands twice in one event; keep one of them")),
            None => Ok(first),
        }
    }

    /// The values of all that have this name.
    fn times(&self, name: &str, frame: &Frame) -> Result<Vec<DateTime>, Mistake> {
        let named = self.0.iter().filter(|property| property.name == name);
        let values = named.flat_map(|property| property.value.split(',').map(move |text| (property, text)));
        values.map(|(property, text)| frame.shown(property, text).map_err(|wrong| property.mistake(wrong))).collect()
    }
}

/// The date that an event stands for.
fn replaced(property: &Property, zone: Option<&str>) -> Result<Date, Mistake> {
    if property.parameter("RANGE").is_some() {
        return Err(property.mistake("`RANGE` is not understood; write the events one by one"));
    }
    // By the clock of the event that recurs: this one may have been moved to another.
    let (_, shown) = Frame::new(property, zone).map_err(|wrong| property.mistake(wrong))?;
    Ok(shown.date())
}

/// How long an event is: as it says, or a day, or no time if it begins at one.
fn length(line: usize, properties: &Properties<'_>, frame: &Frame, start: DateTime) -> Result<SignedDuration, Mistake> {
    let (length, property) = match (properties.single("DTEND")?, properties.single("DURATION")?) {
        (Some(_), Some(property)) => {
            return Err(property.mistake("the event has `DTEND` too; keep one of them"));
        }
        (Some(property), None) => {
            let end = frame.shown(property, &property.value).map_err(|wrong| property.mistake(wrong))?;
            (end.duration_since(start), property)
        }
        (None, Some(property)) => {
            (frame::duration(&property.value).map_err(|wrong| property.mistake(wrong))?, property)
        }
        (None, None) => return Ok(if frame.is_all_day() { DAY } else { SignedDuration::ZERO }),
    };
    // Some calendars end an event of one day on the day itself.
    let length = if frame.is_all_day() && length.is_zero() { DAY } else { length };
    if length.is_negative() {
        Err(property.mistake("the event ends before it begins; write the earlier time as `DTSTART`"))
    } else if frame.is_all_day() && length.as_secs() % DAY.as_secs() != 0 {
        Err(property
            .mistake("the event begins with a whole day; give its end as a day too, the first that is not in it"))
    } else if length > DAY * MOST_IN_A_ROW {
        let days = length.as_secs() / DAY.as_secs();
        Err(Mistake::new(
            line,
            format!("this event is {days} days long, and quiet are {MOST_IN_A_ROW} days at most; remove or shorten it"),
        ))
    } else {
        Ok(length)
    }
}

/// The days that belong to an occurrence: those of which it covers most.
fn covered(start: DateTime, length: SignedDuration) -> Option<Days> {
    let end = start.checked_add(length).ok()?;
    let mut days: Option<Days> = None;
    let mut next = Some(start.date());
    while let Some(date) = next.filter(|date| *date <= end.date()) {
        let midnight = date.to_datetime(Time::midnight());
        let part = min(end, midnight.saturating_add(DAY)).duration_since(max(start, midnight));
        if part >= MOST_OF_A_DAY {
            days = Some(Days { first: days.map_or(date, |days| days.first), last: date });
        }
        next = date.checked_add(Span::new().days(1)).ok();
    }
    days
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Who is away for less comes for a part of the day.
const MOST_OF_A_DAY: SignedDuration = SignedDuration::from_hours(20);
