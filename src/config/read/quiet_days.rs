//! The list of quiet days, and the calendars that it names.

use std::path::Path;

use super::{
    super::{
        calendar_file,
        reader::{Reader, quoted},
        yaml::{Node, Value},
    },
    path,
};
use crate::calendar::quiet_days::{Entry, QuietDays};

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
        Value::Scalar(_, text) if calendar_file::is_meant(text) => {
            let text = text.trim();
            let wrong = |message| reader.error(item.position, format!("`{key}`: {message}"));
            let found = path(text, base).map_err(|wrong| vec![wrong]);
            let calendar = found.and_then(|path| calendar_file::read(&path, text, "this file's directory"));
            calendar.map_err(|messages| messages.into_iter().for_each(wrong)).ok()
        }
        Value::Scalar(..) | Value::Sequence(_) | Value::Mapping(_) => {
            reader.parsed(item, key, "2026-04-03", |text| text.parse::<Entry>().map_err(|error| error.to_string()))
        }
    }
}

/// How many entries the list may have.
const MAX_ENTRIES: usize = 1000;
