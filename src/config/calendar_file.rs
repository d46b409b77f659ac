//! An iCalendar file that a quiet day is told by.
//!
//! Knows how it is named and how much is read of it. Refuses to know what is in it, and where its path begins.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use super::reader::quoted;
use crate::calendar::{icalendar, quiet_days::Entry};

/// Whether a text is the name of such a file, rather than a day.
pub fn is_meant(text: &str) -> bool {
    text.trim_end().to_ascii_lowercase().ends_with(".ics")
}

/// The days in a file; `text` is what messages call it, and `base` says where relative paths begin.
///
/// # Errors
/// What is wrong with it, a message for each mistake.
pub fn read(path: &Path, text: &str, base: &str) -> Result<Entry, Vec<String>> {
    let bytes = contents(path).map_err(|error| {
        let wrong = format!(
            "cannot read the calendar {} ({error}); give the path of a readable file, relative to {base}",
            quoted(text)
        );
        vec![wrong]
    })?;
    if bytes.len() as u64 > MAX_CALENDAR_BYTES {
        let most = MAX_CALENDAR_BYTES >> 10;
        let wrong =
            format!("the calendar {} is larger than {most} KiB, the most that is read; leave out events", quoted(text));
        return Err(vec![wrong]);
    }
    match icalendar::days(&bytes) {
        Ok(days) => Ok(Entry::Calendar { path: path.to_owned(), days }),
        Err(mistakes) => {
            let messages = mistakes.iter().map(|mistake| format!("calendar {}, {mistake}", quoted(text)));
            let more = mistakes.len().saturating_sub(MAX_MISTAKES);
            let rest = (more > 0).then(|| format!("calendar {}: {more} more events; mend these first", quoted(text)));
            Err(messages.take(MAX_MISTAKES).chain(rest).collect())
        }
    }
}

/// What is in a file, or more than is read of it.
fn contents(path: &Path) -> io::Result<Vec<u8>> {
    // A pipe would keep the exporter waiting.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_CALENDAR_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The largest calendar, in bytes: some thousands of events.
const MAX_CALENDAR_BYTES: u64 = 1 << 20;

/// How many of a calendar's mistakes are told.
const MAX_MISTAKES: usize = 20;
