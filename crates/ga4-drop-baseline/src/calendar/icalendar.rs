//! Reads the days of the events of an iCalendar file (RFC 5545).
//!
//! Knows all-day and timed events, their recurrence, their exceptions, and common deviations from the standard.
//! Refuses to know files and the current time. Invariant: an event that cannot be understood is left out and reported
//! as a mistake with its line; no other event is affected. Only cancelled events and events that are not selected are
//! left out silently.
//! This parser exists because the crates that read such files and support recurrence reject more of the published
//! files, and add a second date library with a second time-zone database.

use std::collections::BTreeMap;

use thiserror::Error as ThisError;

pub use self::{budget::Budget, selection::Selection};
use self::{
    component::{Component, Components},
    event::{Context, Event, Replacements},
    selection::Chooser,
    zone::Zones,
};
use super::quiet_days::{Days, joined};

mod budget;
mod component;
mod encoding;
mod event;
mod frame;
mod property;
mod recurrence;
mod rule;
mod selection;
mod zone;

/// The result of reading a calendar.
#[derive(Debug, Default, PartialEq)]
pub struct Calendar {
    /// The days of all selected events, sorted. Events without an end recur until 2099.
    pub days: Vec<Days>,
    /// The parts that could not be understood.
    pub mistakes: Mistakes,
    /// The patterns of [`Selection::include`] that matched no event.
    pub unmatched: Vec<String>,
}

/// A mistake in a calendar: a description, a semicolon, and what to do about it.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
#[error("line {line}: {message}")]
pub struct Mistake {
    line: usize,
    message: String,
}

/// The first mistakes of a file in the order of detection, and the number of further ones.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Mistakes {
    first: Vec<Mistake>,
    more: usize,
}

impl Mistake {
    fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }

    /// Returns the line of the mistake, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Adds to the mistake that the event is left out.
    fn of_event(self) -> Self {
        Self { message: format!("the event is left out: {}", self.message), ..self }
    }
}

impl Mistakes {
    /// Returns the first mistakes.
    pub fn first(&self) -> &[Mistake] {
        &self.first
    }

    /// Returns the number of further mistakes.
    pub fn more(&self) -> usize {
        self.more
    }

    fn push(&mut self, mistake: Mistake) {
        if self.first.len() < MAX_MISTAKES {
            self.first.push(mistake);
        } else {
            self.more += 1;
        }
    }
}

/// Reads the days from the bytes of a file.
///
/// A timed event counts for each day of which it covers at least 20 hours in its own local time: a day off from 00:00
/// to 23:59 counts, an evening does not. Times in UTC are converted to the calendar's `X-WR-TIMEZONE`, if it has one.
///
/// All calendars of a configuration share one budget. Events that exceed it are left out and reported as a mistake.
pub fn read(bytes: &[u8], selection: &Selection, budget: &mut Budget) -> Calendar {
    if budget.read(bytes.len()).is_err() {
        let mut mistakes = Mistakes::default();
        mistakes.push(Mistake::new(1, TOO_LARGE));
        return Calendar { mistakes, ..Calendar::default() };
    }
    budget.halved(|budget| read_within(bytes, selection, budget))
}

/// Reads the days within this budget of work.
fn read_within(bytes: &[u8], selection: &Selection, budget: &mut Budget) -> Calendar {
    let mut mistakes = Mistakes::default();
    let mut chooser = Chooser::new(selection);
    let components = Components::new(bytes, &mut mistakes);
    let events = events(&components, &mut chooser, &mut mistakes, budget);
    let mut replaced: BTreeMap<&str, Replacements<'_>> = BTreeMap::new();
    for event in &events {
        if let (Some(uid), Some(replacement)) = (&event.uid, &event.instead_of) {
            replaced.entry(uid).or_default().add(replacement, event);
        }
    }
    let none = Replacements::default();
    let mut days = Vec::new();
    for event in &events {
        let replaced = event.uid.as_deref().filter(|_| event.instead_of.is_none()).and_then(|uid| replaced.get(uid));
        match event.days(replaced.unwrap_or(&none), budget) {
            Ok(some) => days.extend(some),
            Err(mistake) => mistakes.push(mistake.of_event()),
        }
    }
    Calendar { days: joined(days), mistakes, unmatched: chooser.unmatched() }
}

/// Returns all readable events, including those that are not selected.
fn events(
    components: &Components,
    chooser: &mut Chooser<'_>,
    mistakes: &mut Mistakes,
    budget: &mut Budget,
) -> Vec<Event> {
    let zones = Zones::new(&components.zones);
    let mut calendars = Vec::new();
    for said in &components.calendar_zones {
        let zone = said.as_ref().and_then(|property| zones.named(&property.value));
        if let Some(property) = said.as_ref().filter(|_| zone.is_none()) {
            let wrong = format!(
                "the time zone `{}` is not known here, so UTC is used; write its name in the database, such as \
                 `Europe/Berlin`",
                elided(&property.value)
            );
            mistakes.push(property.mistake(wrong));
        }
        calendars.push(zone);
    }
    let mut events = Vec::new();
    for component in &components.events {
        let calendar = calendars.get(component.calendar).and_then(Option::as_ref);
        let Ok(is_chosen) = chooser.chooses(&texts(component), budget) else {
            mistakes.push(Mistake::new(component.line, TOO_LONG_TEXTS).of_event());
            continue;
        };
        match Event::new(component, is_chosen, Context { calendar, zones: &zones }, mistakes) {
            Ok(event) => events.push(event),
            Err(mistake) if is_chosen => mistakes.push(mistake.of_event()),
            Err(_) => {}
        }
    }
    events
}

/// Returns the summary and the categories of an event.
fn texts(component: &Component) -> Vec<String> {
    let texts = component.properties.iter().map(|property| match property.name.as_str() {
        "SUMMARY" => vec![property.text()],
        "CATEGORIES" => property.texts(),
        _ => Vec::new(),
    });
    texts.flatten().collect()
}

/// Shortens a text for a message. A shortened text is never valid, since no valid text is as long.
fn elided(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Longest part of the file's text that a message quotes, in characters.
const MAX_QUOTED: usize = 80;

const TOO_LARGE: &str =
    "nothing of this calendar is read, for all calendars together have more than 16 MiB; leave out calendars or events";

const TOO_LONG_TEXTS: &str = "the texts of the calendars are too long for the patterns; give fewer patterns or events";

/// The number of mistakes that are stored.
const MAX_MISTAKES: usize = 20;

#[cfg(test)]
mod published;
#[cfg(test)]
mod tests;
