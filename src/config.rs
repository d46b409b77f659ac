//! The configuration file: YAML text → spanned tree → a validated [`Config`].
//!
//! Knows every key, its type, its default and its limits, and says of each mistake where it is and how to mend it.
//! Refuses to know who uses the values: no runtime, no metrics, no Google. Invariant: whoever holds a [`Config`] holds one
//! that can be run as it is, and no mistake of a file hides another.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use regex::Regex;

pub use problem::{Errors, Position, Problem};

use self::{
    reader::Reader,
    yaml::{MAX_BYTES, Node},
};
use ga4_drop_baseline::calendar::Zone;

use crate::{
    files,
    names::{LabelName, PropertyId},
    quota::Share,
    report::{
        BaselineSettings, ReportSettings, StaleAfter,
        fields::{self, Field},
    },
    shown::ShownPath,
};

pub mod calendar_file;
mod problem;
mod read;
mod reader;
mod render;
pub mod schema;
mod value;
mod yaml;

/// What the exporter is told to do.
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
    /// How many properties may be listed, at most.
    pub most_properties: usize,
    /// The report on the last minutes.
    pub realtime: ReportSettings,
    /// The report on days.
    pub traffic: ReportSettings,
    /// The report on the hours of the last weeks, which the drop alert measures by.
    pub baseline: BaselineSettings,
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

/// A property that the file names.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfiguredProperty {
    /// Its number.
    pub id: PropertyId,
    /// Labels of the user's own for the info metric.
    pub labels: BTreeMap<LabelName, String>,
}

/// How properties are found among those that the credentials can see.
#[derive(Clone, Debug)]
pub struct Discovery {
    /// From one listing to the next.
    pub interval: Duration,
    /// Display names that are taken; none means all.
    pub include: Vec<Regex>,
    /// Display names that are left out, included or not.
    pub exclude: Vec<Regex>,
}

/// A configuration and what an operator should be told about it.
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
        self.warnings.iter().map(Problem::to_string).chain(exhausted).collect()
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

impl Discovery {
    /// Whether a property with this display name is exported.
    pub fn selects(&self, display_name: &str) -> bool {
        let any = |patterns: &[Regex]| patterns.iter().any(|pattern| pattern.is_match(display_name));
        !any(&self.exclude) && (self.include.is_empty() || any(&self.include))
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            google: Google::default(),
            properties: Vec::new(),
            discovery: Some(Discovery::default()),
            share: Share::default(),
            most_properties: MOST_PROPERTIES,
            realtime: report(REALTIME_INTERVAL, fields::REALTIME),
            traffic: report(TRAFFIC_INTERVAL, fields::TRAFFIC),
            baseline: BaselineSettings::default(),
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

impl Default for Discovery {
    fn default() -> Self {
        Self { interval: DISCOVERY_INTERVAL, include: Vec::new(), exclude: Vec::new() }
    }
}

/// By the text of the patterns, which is all that tells them apart.
impl PartialEq for Discovery {
    fn eq(&self, other: &Self) -> bool {
        let same = |left: &[Regex], right: &[Regex]| left.iter().map(Regex::as_str).eq(right.iter().map(Regex::as_str));
        self.interval == other.interval && same(&self.include, &other.include) && same(&self.exclude, &other.exclude)
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

/// A report's settings where the file says nothing.
fn report(interval: Duration, known: &[Field]) -> ReportSettings {
    ReportSettings {
        enabled: true,
        interval,
        stale_after: STALE_AFTER,
        metrics: known.iter().map(|field| field.name).collect(),
    }
}

const REQUESTS_PER_PROPERTY: usize = 4;

const MOST_PROPERTIES: usize = 20_000;

const DISCOVERY_INTERVAL: Duration = Duration::from_hours(1);

const REALTIME_INTERVAL: Duration = Duration::from_mins(1);

const TRAFFIC_INTERVAL: Duration = Duration::from_mins(15);

const STALE_AFTER: StaleAfter = StaleAfter::Intervals(3.0);

/// Every holiday comes once in so many days.
pub(crate) const DAYS_AHEAD: i32 = 365;

#[cfg(test)]
mod tests {
    use super::*;

    fn discovery(include: &[&str], exclude: &[&str]) -> Discovery {
        let compiled = |patterns: &[&str]| patterns.iter().map(|pattern| Regex::new(pattern).unwrap()).collect();
        Discovery { include: compiled(include), exclude: compiled(exclude), ..Discovery::default() }
    }

    #[test]
    fn a_property_is_exported_if_it_is_included_and_not_excluded() {
        for (include, exclude, name, expected) in [
            (&[][..], &[][..], "Shop", true),
            (&["^Shop"], &[], "Shop 2", true),
            (&["^Shop"], &[], "Old Shop", false),
            (&["^Blog", "^Shop"], &[], "Shop", true),
            (&["^Shop"], &["(?i)test"], "Shop TEST", false),
            (&[], &["x", "(?i)test"], "tests", false),
            (&[], &["x"], "", true),
        ] {
            assert_eq!(discovery(include, exclude).selects(name), expected, "{name}: {include:?}, {exclude:?}");
        }
    }

    #[test]
    fn discoveries_are_compared_by_their_patterns() {
        assert_eq!(discovery(&["a"], &["b"]), discovery(&["a"], &["b"]));
        assert_ne!(discovery(&["a"], &["b"]), discovery(&["b"], &["a"]));
        assert_ne!(discovery(&["a"], &[]), discovery(&["a", "b"], &[]));
        assert_ne!(discovery(&[], &["a"]), discovery(&[], &[]));
        assert_ne!(Discovery { interval: REALTIME_INTERVAL, ..discovery(&[], &[]) }, discovery(&[], &[]));
    }

    #[test]
    fn given_properties_are_exported_once_and_alone() {
        let ids = ["2", "1", "2"].map(|id| id.parse::<PropertyId>().unwrap());
        let config = Config::default().with_properties(ids);
        assert_eq!(config.properties.iter().map(|property| property.id.as_u64()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(config.discovery, None);
    }
}
