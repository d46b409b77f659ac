//! The list of quiet days, and its calendars.

use std::path::Path;

use super::{
    super::{
        calendar_file::{self, Found},
        reader::{Reader, quoted},
        schema,
        yaml::{Node, Value},
    },
    path,
};
use ga4_drop_baseline::calendar::{
    icalendar::{Budget, Selection},
    quiet_days::{Entry, QuietDays},
};

/// Reads the list at `key`; `base` is the base of calendars' paths.
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
    let mut budget = Budget::default();
    QuietDays::new(items.iter().filter_map(|item| entry(reader, item, &key, base, &mut budget)).collect())
}

fn entry(reader: &mut Reader<'_>, item: &Node, key: &str, base: &Path, budget: &mut Budget) -> Option<Entry> {
    match &item.value {
        Value::Scalar(_, text) if calendar_file::is_meant(text) || is_address(text) => {
            calendar(reader, item, key, base, &Selection::default(), budget)
        }
        Value::Mapping(_) => chosen(reader, item, base, budget),
        Value::Scalar(..) | Value::Sequence(_) => {
            reader.parsed(item, key, "2026-04-03", |text| text.parse::<Entry>().map_err(|error| error.to_string()))
        }
    }
}

/// Reads a calendar with a selection of events.
fn chosen(reader: &mut Reader<'_>, item: &Node, base: &Path, budget: &mut Budget) -> Option<Entry> {
    let section = reader.section(item, &schema::QUIET_CALENDAR);
    let mut patterns = |key| {
        let Some(node) = section.get(key) else { return Some(Vec::new()) };
        let path = section.path(key);
        if matches!(&node.value, Value::Sequence(items) if items.is_empty()) {
            reader
                .error(node.position, format!("`{path}` is an empty list; write patterns into it, or remove the key"));
            return None;
        }
        Some(super::patterns(reader, node, &path))
    };
    let (include, exclude) = (patterns("include"), patterns("exclude"));
    let Some(node) = section.get("calendar") else {
        let wrong = format!(
            "`{}` is missing; name the file, as in `{{calendar: holidays.ics, include: ['(?i)federal']}}`",
            section.path("calendar")
        );
        reader.error(item.position, wrong);
        return None;
    };
    let selection = Selection { include: include?, exclude: exclude? };
    calendar(reader, node, &section.path("calendar"), base, &selection, budget)
}

/// Reads a calendar from its path.
fn calendar(
    reader: &mut Reader<'_>,
    node: &Node,
    key: &str,
    base: &Path,
    selection: &Selection,
    budget: &mut Budget,
) -> Option<Entry> {
    let text = reader.text(node, key, "holidays.ics")?.trim();
    let found = if is_address(text) {
        Err(format!("{} is an address; fetch the calendar and give the path of the file", quoted(text)))
    } else {
        path(text, base).and_then(|path| calendar_file::read(&path, text, "this file's directory", selection, budget))
    };
    match found {
        Ok(Found { entry, warnings }) => {
            for warning in warnings {
                reader.warn(node.position, format!("`{key}`: {warning}"));
            }
            Some(entry)
        }
        Err(wrong) => {
            reader.error(node.position, format!("`{key}`: {wrong}"));
            None
        }
    }
}

fn is_address(text: &str) -> bool {
    text.contains("://")
}

/// The most entries of the list.
const MAX_ENTRIES: usize = 1000;
