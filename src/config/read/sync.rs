//! The keys under `sync`.

use std::path::Path;

use super::super::{
    Config, SyncSettings,
    reader::Reader,
    schema,
    sync::lookback,
    yaml::{Node, Value},
};
use crate::database::DatabaseUrl;
use ga4_exporter_core::report::Day;

/// Reads `sync` of a configuration that has everything else; relative paths begin at `base`.
pub(super) fn sync(reader: &mut Reader<'_>, node: &Node, config: &Config, base: &Path) -> SyncSettings {
    let section = reader.section(node, &schema::SYNC);
    let defaults = SyncSettings::default();
    let database = section.get("database").and_then(|node| database(reader, node, &section.path("database"), base));
    let from = section.get("from").and_then(|node| {
        let day = |text: &str| text.parse::<Day>().map_err(|error| error.to_string());
        reader.parsed(node, &section.path("from"), "2024-01-01", day)
    });
    let lookback =
        section.get("lookback").and_then(|node| reader.parsed(node, &section.path("lookback"), "7d", lookback));
    let reports = section.get("reports").map(|node| {
        let path = section.path("reports");
        let items = reader.list(node, &path, "[daily, pages]");
        let mut names: Vec<String> = Vec::new();
        for item in items {
            let name = |text: &str| {
                if names.iter().any(|known| known == text) {
                    return Err("it stands there twice; remove one".to_owned());
                }
                config.table(text).map(|_| text.to_owned())
            };
            let name = reader.parsed(item, &format!("{path}[]"), "daily", name);
            names.extend(name);
        }
        if items.is_empty() {
            reader.error(node.position, format!("`{path}` is empty; write `[daily]`, or remove the key"));
        }
        names
    });
    SyncSettings {
        database,
        from: from.unwrap_or(defaults.from),
        lookback: lookback.unwrap_or(defaults.lookback),
        reports: reports.unwrap_or(defaults.reports),
    }
}

/// A password in it may look like anything, and is never shown.
fn database(reader: &mut Reader<'_>, node: &Node, path: &str, base: &Path) -> Option<DatabaseUrl> {
    let Value::Scalar(_, text) = &node.value else {
        reader.text(node, path, "sqlite:google_analytics.db")?;
        return None;
    };
    let Ok(url) = text.parse::<DatabaseUrl>();
    match url.based(base).and_then(|url| url.location().map(|_| url)) {
        Ok(url) => Some(url),
        Err(wrong) => {
            reader.error(node.position, format!("`{path}`: {wrong}"));
            None
        }
    }
}
