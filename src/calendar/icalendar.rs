//! The days of an iCalendar file (RFC 5545): those of its events.
//!
//! Knows all-day and timed events, how they recur, and what is left out of them. Refuses to know files and the time.
//! Invariant: what is not understood is a mistake with its line; no event is dropped in silence, but for cancelled ones.
//! Written here because the crates that know how events recur bring a second library for dates.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use thiserror::Error as ThisError;

use self::{event::Event, property::Property, recurrence::Budget};
use super::quiet_days::{Days, joined};

mod event;
mod frame;
mod property;
mod recurrence;
mod rule;

/// Something that is wrong in a calendar, or not understood: what, a semicolon, how to mend it.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
#[error("line {line}: {message}")]
pub struct Mistake {
    line: usize,
    message: String,
}

impl Mistake {
    fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }

    /// Where it is, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }
}

/// The days of all events in the bytes of a file, sorted; events that recur for ever do so until 2099.
///
/// An event with times has the days of which it covers at least 20 hours, as its own clock shows them: a day off that is
/// written as 00:00 to 23:59 counts, an evening does not. Times in UTC are read by the clock of the calendar's
/// `X-WR-TIMEZONE`, if it has one.
///
/// # Errors
/// What is wrong, one mistake for each event.
pub fn days(bytes: &[u8]) -> Result<Vec<Days>, Vec<Mistake>> {
    days_within(bytes, Budget::default())
}

/// The same, with no more work than this.
fn days_within(bytes: &[u8], mut budget: Budget) -> Result<Vec<Days>, Vec<Mistake>> {
    let components = events(bytes).map_err(|mistake| vec![mistake])?;
    let mut mistakes = Vec::new();
    let mut events = Vec::new();
    for component in &components {
        match Event::new(component.line, &component.properties, component.zone.as_deref()) {
            Ok(event) => events.push(event),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    let mut replaced: BTreeMap<&str, BTreeSet<Date>> = BTreeMap::new();
    for event in &events {
        if let (Some(uid), Some(date)) = (&event.uid, event.instead_of) {
            replaced.entry(uid).or_default().insert(date);
        }
    }
    let none = BTreeSet::new();
    let mut days = Vec::new();
    for event in &events {
        let replaced = event.uid.as_deref().filter(|_| event.instead_of.is_none()).and_then(|uid| replaced.get(uid));
        match event.days(replaced.unwrap_or(&none), &mut budget) {
            Ok(some) => days.extend(some),
            Err(mistake) => {
                mistakes.push(mistake);
                break;
            }
        }
    }
    if mistakes.is_empty() { Ok(joined(days)) } else { Err(mistakes) }
}

/// The properties of one event, and the zone of the calendar that it is in.
struct Component {
    line: usize,
    properties: Vec<Property>,
    zone: Option<String>,
}

/// The events of all calendars in a file.
fn events(bytes: &[u8]) -> Result<Vec<Component>, Mistake> {
    let mut events: Vec<Component> = Vec::new();
    let mut open: Vec<Property> = Vec::new();
    let mut zone = None;
    let mut is_calendar = false;
    for property in property::properties(bytes) {
        let property = property?;
        let names: Vec<&str> = open.iter().map(|begin| begin.value.as_str()).collect();
        match (property.name.as_str(), names.as_slice()) {
            ("BEGIN", []) if property.value.eq_ignore_ascii_case("VCALENDAR") => {
                (zone, is_calendar) = (None, true);
                open.push(property);
            }
            (_, []) => return Err(Mistake::new(property.line, NO_CALENDAR)),
            ("BEGIN", ["VCALENDAR"]) if property.value.eq_ignore_ascii_case("VEVENT") => {
                events.push(Component { line: property.line, properties: Vec::new(), zone: zone.clone() });
                open.push(property);
            }
            ("BEGIN", _) => open.push(property),
            ("END", [.., last]) if last.eq_ignore_ascii_case(&property.value) => {
                open.pop();
            }
            ("END", [.., last]) => {
                let (last, found) = (elided(last), elided(&property.value));
                let wrong = format!("`END:{found}` where `{last}` is open; write `END:{last}` first");
                return Err(Mistake::new(property.line, wrong));
            }
            ("CALSCALE", ["VCALENDAR"]) if !property.value.eq_ignore_ascii_case("GREGORIAN") => {
                let wrong = format!("the calendar `{}` is not known; only `GREGORIAN` is", elided(&property.value));
                return Err(Mistake::new(property.line, wrong));
            }
            ("X-WR-TIMEZONE", ["VCALENDAR"]) => zone = Some(property.value),
            (_, ["VCALENDAR", "VEVENT"]) => {
                if let Some(event) = events.last_mut() {
                    event.properties.push(property);
                }
            }
            // Other components are no events, and tell nothing about days.
            _ => {}
        }
    }
    match open.pop() {
        Some(begin) => {
            let wrong = format!("`{}` has no end; the file may be cut off: fetch it again", elided(&begin.value));
            Err(Mistake::new(begin.line, wrong))
        }
        None if is_calendar => Ok(events),
        // Empty, as after a download that failed.
        None => Err(Mistake::new(1, NO_CALENDAR)),
    }
}

/// As much of a text as fits into a message; what is cut is never valid, for no valid text is as long.
fn elided(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// How much of the file's own text a message repeats, in characters.
const MAX_QUOTED: usize = 80;

const NO_CALENDAR: &str =
    "this is not an iCalendar file, which begins with `BEGIN:VCALENDAR`; give a file that was exported from a calendar";

#[cfg(test)]
mod tests;
