//! The configuration file: YAML text → spanned tree → a validated [`Config`].
//!
//! Knows every key, its type, default and limits, and reports each mistake with its place and the correction. Refuses
//! to know the users of the values: no runtime, no metrics, no Google. Invariants: every [`Config`] is valid; no
//! mistake in a file hides another.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;

pub use ga4_exporter_core::properties::{ConfiguredProperty, Discovery};
pub use problem::{Errors, Position, Problem};
pub use sync::SyncSettings;

use self::{
    reader::Reader,
    yaml::{MAX_BYTES, Node},
};
use ga4_drop_baseline::calendar::Zone;

use ga4_exporter_core::{
    names::{PropertyId, ReportName},
    plan::SeriesLimits,
    quota::Share,
    report::{BaselineSettings, Report, ReportSettings, Scope},
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
pub mod sync;
mod value;
mod yaml;

/// The configuration of the exporter.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Access to Google.
    pub google: Google,
    /// The configured properties, in the order of the file.
    pub properties: Vec<ConfiguredProperty>,
    /// How further properties are discovered; `None` if only the configured ones are exported.
    pub discovery: Option<Discovery>,
    /// The share of every token bucket of a property that may be spent.
    pub share: Share,
    /// The same for one command.
    pub commands_share: Share,
    /// The most properties that a listing may have.
    pub most_properties: usize,
    /// The report `realtime`.
    pub realtime: ReportSettings,
    /// The report `traffic`.
    pub traffic: ReportSettings,
    /// The history report that the drop alert is based on.
    pub baseline: BaselineSettings,
    /// Reports of one's own, by name.
    pub own_reports: Vec<OwnReport>,
    /// How many series these may have.
    pub series: SeriesLimits,
    /// What `sync` keeps, and where.
    pub sync: SyncSettings,
}

/// A report of one's own.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnReport {
    /// Whether it is polled at all.
    pub enabled: bool,
    /// What is asked for.
    pub report: Arc<Report>,
}

/// Access to Google.
#[derive(Clone, Debug, PartialEq)]
pub struct Google {
    /// The key of the service account; `None` means the places where Google's own tools look.
    pub credentials_file: Option<PathBuf>,
    /// The limit of requests in flight; `None` derives it from the number of properties.
    pub max_requests_in_flight: Option<usize>,
    /// The same per property.
    pub max_requests_in_flight_per_property: usize,
}

/// A configuration and its warnings.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Doubtful settings, sorted by position.
    pub warnings: Vec<Problem>,
}

impl Loaded {
    /// Returns the warnings as texts, including those that depend on the date: a calendar may have run out.
    pub fn warnings_at(&self, now: Timestamp) -> Vec<String> {
        let BaselineSettings { enabled, quiet_days, .. } = &self.config.baseline;
        // Properties have dates of their own; a day does not matter here.
        let today = Zone::utc().date(now);
        let exhausted = quiet_days.exhausted(today, DAYS_AHEAD).filter(|_| *enabled).map(|path| {
            format!(
                "the calendar {} has no quiet day in the {DAYS_AHEAD} days from {today} on; renew the file, or choose other \
                 events in it",
                ShownPath(path)
            )
        });
        let ranges = self.config.own_reports.iter().filter(|own| own.enabled).flat_map(|own| {
            let wrong = own.report.windows.iter().filter_map(|window| window.range.check_on(today).err());
            wrong.map(|wrong| format!("`reports.{}.date_range`: {wrong}", own.report.name))
        });
        // A thousand calendars may cause very many warnings; the first ones are enough.
        let more = self.warnings.len().saturating_sub(MAX_WARNINGS);
        let more = (more > 0).then(|| format!("{more} more warnings about the configuration; fix these first"));
        let first = self.warnings.iter().take(MAX_WARNINGS).map(Problem::to_string);
        first.chain(more).chain(ranges.take(MAX_WARNINGS)).chain(exhausted.take(MAX_WARNINGS)).collect()
    }
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// The file cannot be read, or all mistakes in it.
    pub fn from_file(path: &Path) -> Result<Loaded, Errors> {
        Self::from_file_with(path, &[])
    }

    /// Reads a configuration file, with properties from the command line instead of its own. Without any, the file decides.
    ///
    /// # Errors
    /// The file cannot be read, or all mistakes in it, including properties of its own.
    pub fn from_file_with(path: &Path, properties: &[PropertyId]) -> Result<Loaded, Errors> {
        let unreadable = |source| Errors::Unreadable { path: path.to_owned(), source };
        // Absolute, so that messages show paths that do not depend on the working directory.
        let absolute = std::path::absolute(path).map_err(unreadable)?;
        let bytes = files::read(path, MAX_BYTES).map_err(unreadable)?;
        load(&bytes, path, &directory(&absolute), properties)
    }

    /// Reads the text of a configuration file; `file` is its name in messages and the base of its relative paths.
    ///
    /// # Errors
    /// All mistakes in it.
    pub fn from_yaml(text: &str, file: &Path) -> Result<Loaded, Errors> {
        load(text.as_bytes(), file, &directory(file), &[])
    }

    /// Exports only these properties, without discovery.
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

    /// The properties that reports are limited to and that are not exported, each with those reports.
    pub fn unexported(&self, is_exported: impl Fn(PropertyId) -> bool) -> BTreeMap<PropertyId, Vec<&ReportName>> {
        let mut unexported: BTreeMap<PropertyId, Vec<&ReportName>> = BTreeMap::new();
        for report in self.own_reports.iter().filter(|own| own.enabled).map(|own| &own.report) {
            let Scope::Only(properties) = &report.scope else { continue };
            for id in properties.iter().filter(|id| !is_exported(**id)) {
                unexported.entry(*id).or_default().push(&report.name);
            }
        }
        unexported
    }

    /// Returns the configuration as YAML with all defaults; reading it gives an equal one.
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
            sync: SyncSettings::default(),
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

/// Reads the bytes of a file; relative paths in it start at `base`.
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

/// Every yearly holiday occurs once in this many days.
pub(crate) const DAYS_AHEAD: i32 = 365;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_google_refuses_today_bring_a_warning() {
        let text = "reports:\n  past: {metrics: [pageviews], date_range: {from: today, to: 2020-01-01}}\n  \
                    off: {metrics: [pageviews], date_range: {from: 5000daysAgo}, enabled: false}\n  \
                    good: {metrics: [pageviews], date_range: {from: 2026-01-01}}\n";
        let loaded = Config::from_yaml(text, Path::new("a.yml")).unwrap();
        let warnings = loaded.warnings_at("2026-11-28T12:00:00Z".parse().unwrap());
        assert_eq!(
            warnings,
            [
                "`reports.past.date_range`: on 2026-11-28 the range from `today` to `2020-01-01` begins after it ends, which \
              Google refuses; change one of the days"
            ]
        );
    }

    #[test]
    fn given_properties_are_exported_once_and_alone() {
        let ids = ["2", "1", "2"].map(|id| id.parse::<PropertyId>().unwrap());
        let config = Config::default().with_properties(ids);
        assert_eq!(config.properties.iter().map(|property| property.id.as_u64()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(config.discovery, None);
    }
}
