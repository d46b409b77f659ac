//! The list of quiet days, and the calendars that it names.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use super::{
    super::{
        reader::{Reader, quoted},
        yaml::{Node, Value},
    },
    path,
};
use crate::calendar::{
    icalendar,
    quiet_days::{Entry, QuietDays},
};

/// Reads the list at `key`; the paths of calendars begin at `base`.
pub(super) fn quiet_days(reader: &mut Reader<'_>, node: &Node, key: &str, base: &Path) -> QuietDays {
    let items = reader.list(node, key, "[12-25, 2026-04-03]");
    if items.len() > MAX_ENTRIES {
        let message = format!(
            "`{key}` has {} entries; keep at most {MAX_ENTRIES}, and write days in a row as `2026-12-24..2027-01-02`",
            items.len()
        );
        reader.error(node.position, message);
        return QuietDays::default();
    }
    let key = format!("{key}[]");
    QuietDays::new(items.iter().filter_map(|item| entry(reader, item, &key, base)).collect())
}

fn entry(reader: &mut Reader<'_>, item: &Node, key: &str, base: &Path) -> Option<Entry> {
    match &item.value {
        Value::Scalar(_, text) if text.contains("://") => {
            let wrong =
                format!("`{key}`: {} is an address; fetch the calendar and give the path of the file", quoted(text));
            reader.error(item.position, wrong);
            None
        }
        Value::Scalar(_, text) if text.trim_end().to_ascii_lowercase().ends_with(".ics") => {
            let wrong = |message| reader.error(item.position, format!("`{key}`: {message}"));
            calendar(text.trim(), base).map_err(|messages| messages.into_iter().for_each(wrong)).ok()
        }
        Value::Scalar(..) | Value::Sequence(_) | Value::Mapping(_) => {
            reader.parsed(item, key, "2026-04-03", |text| text.parse::<Entry>().map_err(|error| error.to_string()))
        }
    }
}

/// The days of an iCalendar file.
fn calendar(text: &str, base: &Path) -> Result<Entry, Vec<String>> {
    let path = path(text, base).map_err(|wrong| vec![wrong])?;
    let bytes = contents(&path).map_err(|error| {
        let wrong = format!(
            "cannot read the calendar {} ({error}); give the path of a readable file, relative to this file's directory",
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
        Ok(days) => Ok(Entry::Calendar { path, days }),
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

/// How many entries the list may have.
const MAX_ENTRIES: usize = 1000;

/// The largest calendar, in bytes: some thousands of events.
const MAX_CALENDAR_BYTES: u64 = 1 << 20;

/// How many of a calendar's mistakes are told.
const MAX_MISTAKES: usize = 20;
