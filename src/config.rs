//! The configuration file: YAML text → spanned tree → a validated [`Config`].
//!
//! Knows every key, its type, its default and its limits, and says of each mistake where it is and how to mend it.
//! Refuses to know who uses the values: no runtime, no metrics, no Google. Invariant: whoever holds a [`Config`] holds one
//! that can be run as it is, and no mistake of a file hides another.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;

pub use ga4_exporter_core::properties::{ConfiguredProperty, Discovery};
pub use problem::{Errors, Position, Problem};

use self::{
    reader::Reader,
    yaml::{MAX_BYTES, Node},
};
use ga4_drop_baseline::calendar::Zone;

use ga4_exporter_core::{
    names::PropertyId,
    plan::SeriesLimits,
    quota::Share,
    report::{BaselineSettings, Report, ReportSettings},
    shown::ShownPath,
};

use crate::files;

pub mod calendar_file;
mod plan;
mod problem;
mod read;
mod reader;
mod render;
pub mod schema;
mod value;
mod yaml;

/// The configuration of the exporter.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How Google is reached.
    pub google: Google,
    /// The properties that are exported in any case, in the order of the file.
    pub properties: Vec<ConfiguredProperty>,
    /// How further properties are found; `None` when only the configured ones are exported.
    pub discovery: Option<Discovery>,
    /// Which part of every token bucket of a property may be spent.
    pub share: Share,
    /// The same for one command.
    pub commands_share: Share,
    /// How many properties may be listed, at most.
    pub most_properties: usize,
    /// The report on the last minutes.
    pub realtime: ReportSettings,
    /// The report on days.
    pub traffic: ReportSettings,
    /// The report on the hours of the last weeks, which the drop alert measures by.
    pub baseline: BaselineSettings,
    /// Reports of one's own, by name.
    pub own_reports: Vec<OwnReport>,
    /// How many series these may have.
    pub series: SeriesLimits,
}

/// A report of one's own.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnReport {
    /// Whether it is polled at all.
    pub enabled: bool,
    /// What is asked for.
    pub report: Arc<Report>,
}

/// How Google is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Google {
    /// The key of the service account; `None` leaves it to the places that Google's own tools look in.
    pub credentials_file: Option<PathBuf>,
    /// How many requests may wait for an answer at once; `None` leaves it to the number of properties.
    pub max_requests_in_flight: Option<usize>,
    /// The same for one property.
    pub max_requests_in_flight_per_property: usize,
}

/// A configuration and what an operator should know about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What to run.
    pub config: Config,
    /// What will run, but perhaps not as it was meant; sorted by position.
    pub warnings: Vec<Problem>,
}

impl Loaded {
    /// The warnings as texts, and those that depend on the date: a calendar may have run out.
    pub fn warnings_at(&self, now: Timestamp) -> Vec<String> {
        let BaselineSettings { enabled, quiet_days, .. } = &self.config.baseline;
        // Properties have dates of their own; by a day it does not matter here.
        let today = Zone::utc().date(now);
        let exhausted = quiet_days.exhausted(today, DAYS_AHEAD).filter(|_| *enabled).map(|path| {
            format!(
                "the calendar {} has no quiet day in the {DAYS_AHEAD} days from {today} on; renew the file, or choose other \
                 events in it",
                ShownPath(path)
            )
        });
        // A thousand calendars have warnings without end; the first say what is wrong with them.
        let more = self.warnings.len().saturating_sub(MAX_WARNINGS);
        let more = (more > 0).then(|| format!("{more} more warnings about the configuration; fix these first"));
        let first = self.warnings.iter().take(MAX_WARNINGS).map(Problem::to_string);
        first.chain(more).chain(exhausted.take(MAX_WARNINGS)).collect()
    }
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// The file cannot be read, or everything that is wrong in it.
    pub fn from_file(path: &Path) -> Result<Loaded, Errors> {
        Self::from_file_with(path, &[])
    }

    /// Reads a configuration file whose properties come from elsewhere: from the command line. None means that the file
    /// decides.
    ///
    /// # Errors
    /// The file cannot be read, or everything that is wrong in it, properties of its own included.
    pub fn from_file_with(path: &Path, properties: &[PropertyId]) -> Result<Loaded, Errors> {
        let unreadable = |source| Errors::Unreadable { path: path.to_owned(), source };
        // Absolute, so that the paths in it mean the same wherever they are printed.
        let absolute = std::path::absolute(path).map_err(unreadable)?;
        let bytes = files::read(path, MAX_BYTES).map_err(unreadable)?;
        load(&bytes, path, &directory(&absolute), properties)
    }

    /// Reads the text of a configuration file; `file` is what messages call it and what its paths are relative to.
    ///
    /// # Errors
    /// Everything that is wrong in it.
    pub fn from_yaml(text: &str, file: &Path) -> Result<Loaded, Errors> {
        load(text.as_bytes(), file, &directory(file), &[])
    }

    /// Exports these properties and no others: discovery is off.
    #[must_use]
    pub fn with_properties(self, ids: impl IntoIterator<Item = PropertyId>) -> Self {
        let mut properties: Vec<ConfiguredProperty> = Vec::new();
        for id in ids {
            if properties.iter().all(|known| known.id != id) {
                properties.push(ConfiguredProperty { id, labels: BTreeMap::new() });
            }
        }
        Self { properties, discovery: None, ..self }
    }

    /// The configuration as YAML with every default spelled out; reads back as an equal one.
    pub fn to_yaml(&self) -> String {
        render::yaml(self)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            google: Google::default(),
            properties: Vec::new(),
            discovery: Some(Discovery::default()),
            share: Share::default(),
            commands_share: Share::of_commands(),
            most_properties: MOST_PROPERTIES,
            realtime: ReportSettings::realtime(),
            traffic: ReportSettings::traffic(),
            baseline: BaselineSettings::default(),
            own_reports: Vec::new(),
            series: SeriesLimits::default(),
        }
    }
}

impl Default for Google {
    fn default() -> Self {
        Self {
            credentials_file: None,
            max_requests_in_flight: None,
            max_requests_in_flight_per_property: REQUESTS_PER_PROPERTY,
        }
    }
}

/// Reads the bytes of a file; relative paths in it begin at `base`.
fn load(bytes: &[u8], file: &Path, base: &Path, properties: &[PropertyId]) -> Result<Loaded, Errors> {
    let mut reader = Reader::new(file);
    let root = Node::parse(bytes);
    let config = match root {
        Ok(root) => read::config(&mut reader, &root, base, properties),
        Err(fault) => {
            reader.error(fault.position, fault.message);
            Config::default()
        }
    };
    let warnings = reader.finish()?;
    Ok(Loaded { config, warnings })
}

fn directory(file: &Path) -> PathBuf {
    file.parent().map(Path::to_owned).unwrap_or_default()
}

const REQUESTS_PER_PROPERTY: usize = 4;

const MOST_PROPERTIES: usize = 20_000;

/// How many warnings are shown; the rest is counted.
const MAX_WARNINGS: usize = 100;

/// Every holiday comes once in this many days.
pub(crate) const DAYS_AHEAD: i32 = 365;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_properties_are_exported_once_and_alone() {
        let ids = ["2", "1", "2"].map(|id| id.parse::<PropertyId>().unwrap());
        let config = Config::default().with_properties(ids);
        assert_eq!(config.properties.iter().map(|property| property.id.as_u64()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(config.discovery, None);
    }
}
