//! An iCalendar file that names quiet days.
//!
//! Knows how it is named and how much is read of it. Refuses to know what is in it, and where its path begins.

use std::path::Path;

use regex::Regex;

use super::reader::quoted;
use ga4_drop_baseline::calendar::{
    icalendar::{self, Budget, Calendar, Selection},
    quiet_days::Entry,
};

use crate::files;

/// Whether a text is the name of such a file, rather than a day.
pub fn is_meant(text: &str) -> bool {
    text.trim_end().to_ascii_lowercase().ends_with(".ics")
}

/// A calendar that was read, and what is doubtful about it.
#[derive(Debug)]
pub struct Found {
    /// Its days, as an entry of the list of quiet days.
    pub entry: Entry,
    /// A message for each event that is left out and each pattern that matches none.
    pub warnings: Vec<String>,
}

/// The days of the events in a file that are chosen; `text` is what messages call it, and `base` says where relative
/// paths begin. What cannot be read in it costs no more than its event. All calendars share the budget.
///
/// # Errors
/// There is no such file, or it is too large.
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
