//! The days of an iCalendar file (RFC 5545): those of its events.
//!
//! Knows all-day and timed events, how they recur, what is left out of them, and what programs write beside the standard.
//! Refuses to know files and the time. Invariant: what is not understood costs its own event and is a mistake with its
//! line; no event is dropped in silence, but for cancelled ones and those that nobody chose.
//! Written here because the crates that read such files and know how events recur refuse more of what is published, and
//! bring a second library for dates with a second database of zones.

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

/// What was found in a calendar.
#[derive(Debug, Default, PartialEq)]
pub struct Calendar {
    /// The days of all events that were chosen, sorted; events that recur for ever do so until 2099.
    pub days: Vec<Days>,
    /// What was not understood.
    pub mistakes: Mistakes,
    /// The patterns of [`Selection::include`] that matched no event.
    pub unmatched: Vec<String>,
}

/// Something that is wrong in a calendar, or not understood: what, a semicolon, what to do about it.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
#[error("line {line}: {message}")]
pub struct Mistake {
    line: usize,
    message: String,
}

/// The first mistakes of a file, in the order in which they were found, and how many more there are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Mistakes {
    first: Vec<Mistake>,
    more: usize,
}

impl Mistake {
    fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }

    /// Where it is, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The same where it costs the event.
    fn of_event(self) -> Self {
        Self { message: format!("the event is left out: {}", self.message), ..self }
    }
}

impl Mistakes {
    /// The first ones.
    pub fn first(&self) -> &[Mistake] {
        &self.first
    }

    /// How many are not among them.
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

/// The days in the bytes of a file.
///
/// An event with times has the days of which it covers at least 20 hours, as its own clock shows them: a day off that is
/// written as 00:00 to 23:59 counts, an evening does not. Times in UTC are read by the clock of the calendar's
/// `X-WR-TIMEZONE`, if it has one.
///
/// The calendars of one configuration share one budget. What is beyond it is left out, and a mistake says so.
pub fn read(bytes: &[u8], selection: &Selection, budget: &mut Budget) -> Calendar {
    if budget.read(bytes.len()).is_err() {
        let mut mistakes = Mistakes::default();
        mistakes.push(Mistake::new(1, TOO_LARGE));
        return Calendar { mistakes, ..Calendar::default() };
    }
    budget.halved(|budget| read_within(bytes, selection, budget))
}

/// The same, with no more work than this.
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

/// The events that can be read, those that are not chosen included.
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

/// What an event is called, and its categories.
fn texts(component: &Component) -> Vec<String> {
    let texts = component.properties.iter().map(|property| match property.name.as_str() {
        "SUMMARY" => vec![property.text()],
        "CATEGORIES" => property.texts(),
        _ => Vec::new(),
    });
    texts.flatten().collect()
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

const TOO_LARGE: &str =
    "nothing of this calendar is read, for all calendars together have more than 16 MiB; leave out calendars or events";

const TOO_LONG_TEXTS: &str = "the texts of the calendars are too long for the patterns; give fewer patterns or events";

/// How many mistakes are kept.
const MAX_MISTAKES: usize = 20;

#[cfg(test)]
mod published;
#[cfg(test)]
mod tests;
