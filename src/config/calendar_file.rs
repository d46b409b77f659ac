//! An iCalendar file with quiet days.
//!
//! Knows how such a file is named and how much of it is read. Refuses to know its content.

use std::path::Path;

use regex::Regex;

use super::reader::quoted;
use ga4_drop_baseline::calendar::{
    icalendar::{self, Budget, Calendar, Selection},
    quiet_days::Entry,
};

use crate::files;

/// Whether a text names such a file, rather than a day.
pub fn is_meant(text: &str) -> bool {
    text.trim_end().to_ascii_lowercase().ends_with(".ics")
}

/// A calendar and its warnings.
#[derive(Debug)]
pub struct Found {
    /// Its days, as an entry of the quiet days.
    pub entry: Entry,
    /// A message for each skipped event and for each pattern without a match.
    pub warnings: Vec<String>,
}

/// Reads the days of the chosen events in a file; `text` is its name in messages, and `base` the base of relative paths. An
/// unreadable event is skipped alone. All calendars share the budget.
///
/// # Errors
/// The file does not exist, or it is too large.
pub fn read(path: &Path, text: &str, base: &str, selection: &Selection, budget: &mut Budget) -> Result<Found, String> {
    let bytes = files::read(path, MAX_CALENDAR_BYTES).map_err(|error| {
        format!(
            "cannot read the calendar {} ({error}); give the path of a readable file, relative to {base}",
            quoted(text)
        )
    })?;
    if bytes.len() as u64 > MAX_CALENDAR_BYTES {
        let most = MAX_CALENDAR_BYTES >> 10;
        return Err(format!(
            "the calendar {} is larger than {most} KiB, the most that is read; leave out events",
            quoted(text)
        ));
    }
    let Calendar { days, mistakes, unmatched } = icalendar::read(&bytes, selection, budget);
    let name = quoted(text);
    let mut warnings: Vec<String> =
        mistakes.first().iter().map(|mistake| format!("calendar {name}, {mistake}")).collect();
    if mistakes.more() > 0 {
        warnings.push(format!("calendar {name}: {} more problems like these; fix these first", mistakes.more()));
    }
    warnings.extend(unmatched.iter().map(|pattern| {
        format!(
            "calendar {name}: the pattern {} of `include` matches no event; compare it with `SUMMARY` and `CATEGORIES` \
             in the file",
            quoted(pattern)
        )
    }));
    let texts = |patterns: &[Regex]| patterns.iter().map(|pattern| pattern.as_str().to_owned()).collect();
    let entry = Entry::Calendar {
        path: path.to_owned(),
        include: texts(&selection.include),
        exclude: texts(&selection.exclude),
        days,
    };
    Ok(Found { entry, warnings })
}

/// The largest calendar, in bytes: some thousands of events.
const MAX_CALENDAR_BYTES: u64 = 1 << 20;
