//! A configuration as YAML.

use std::fmt::{self, Write as _};

use super::{Config, SyncSettings, value};
use ga4_drop_baseline::calendar::quiet_days::Entry;

use ga4_exporter_core::report::{self, BaselineSettings, ReportSettings};

mod own_report;

/// Returns the whole configuration with all defaults.
pub(super) fn yaml(config: &Config) -> String {
    let mut text = String::new();
    write(config, &mut text).expect("writing to a string cannot fail");
    text
}

fn write(config: &Config, out: &mut String) -> fmt::Result {
    let google = &config.google;
    writeln!(out, "google:")?;
    match &google.credentials_file {
        Some(path) => writeln!(out, "  credentials_file: {}", Quoted(&path.to_string_lossy()))?,
        None => writeln!(out, "  # credentials_file: not set here; see --google.credentials-file")?,
    }
    match google.max_requests_in_flight {
        Some(most) => writeln!(out, "  max_requests_in_flight: {most}")?,
        None => writeln!(out, "  # max_requests_in_flight: 32, or what the number of properties needs")?,
    }
    writeln!(out, "  max_requests_in_flight_per_property: {}", google.max_requests_in_flight_per_property)?;
    properties(config, out)?;
    discovery(config, out)?;
    writeln!(out, "quota:\n  share: {}\n  commands_share: {}", config.share, config.commands_share)?;
    writeln!(out, "limits:\n  properties: {}", config.most_properties)?;
    writeln!(out, "  series: {}\n  series_per_property: {}", config.series.all, config.series.per_property)?;
    writeln!(out, "reports:")?;
    report(report::REALTIME, &config.realtime, out)?;
    report(report::TRAFFIC, &config.traffic, out)?;
    for own in &config.own_reports {
        own_report::write(own, out)?;
    }
    baseline(&config.baseline, out)?;
    sync(&config.sync, out)
}

fn properties(config: &Config, out: &mut String) -> fmt::Result {
    if config.properties.is_empty() {
        return writeln!(out, "properties: []");
    }
    writeln!(out, "properties:")?;
    for property in &config.properties {
        writeln!(out, "  - id: {}", property.id)?;
        if !property.labels.is_empty() {
            writeln!(out, "    labels:")?;
        }
        for (name, value) in &property.labels {
            writeln!(out, "      {}: {}", Quoted(name.as_str()), Quoted(value))?;
        }
    }
    Ok(())
}

fn discovery(config: &Config, out: &mut String) -> fmt::Result {
    writeln!(out, "discovery:")?;
    let Some(discovery) = &config.discovery else {
        return writeln!(out, "  enabled: false");
    };
    writeln!(out, "  enabled: true\n  interval: {}", humantime::format_duration(discovery.interval))?;
    for (key, patterns) in [("include", &discovery.include), ("exclude", &discovery.exclude)] {
        let patterns: Vec<_> = patterns.iter().map(|pattern| Quoted(pattern.as_str()).to_string()).collect();
        writeln!(out, "  {key}: [{}]", patterns.join(", "))?;
    }
    Ok(())
}

fn report(name: &str, settings: &ReportSettings, out: &mut String) -> fmt::Result {
    writeln!(out, "  {name}:\n    enabled: {}", settings.enabled)?;
    writeln!(out, "    interval: {}", humantime::format_duration(settings.interval))?;
    writeln!(out, "    stale_after: {}", value::format_stale_after(settings.stale_after))?;
    writeln!(out, "    metrics: [{}]", settings.metrics.join(", "))
}

fn baseline(settings: &BaselineSettings, out: &mut String) -> fmt::Result {
    writeln!(out, "baseline:\n  enabled: {}", settings.enabled)?;
    writeln!(out, "  weeks: {}", settings.weeks)?;
    writeln!(out, "  stale_after: {}", value::format_stale_after(settings.stale_after))?;
    let days: Vec<_> = settings.quiet_days.entries().iter().map(quiet_day).collect();
    writeln!(out, "  quiet_days: [{}]", days.join(", "))
}

/// Without the password: readers of this do not need it.
fn sync(settings: &SyncSettings, out: &mut String) -> fmt::Result {
    writeln!(out, "sync:")?;
    match &settings.database {
        Some(database) => writeln!(out, "  database: {}", Quoted(&database.to_string()))?,
        None => writeln!(out, "  # database: not set here; see sync --database")?,
    }
    writeln!(out, "  from: {}\n  lookback: {}d", settings.from, settings.lookback)?;
    writeln!(out, "  reports: [{}]", settings.reports.join(", "))
}

fn quiet_day(entry: &Entry) -> String {
    let name = Quoted(&entry.to_string()).to_string();
    let Entry::Calendar { include, exclude, .. } = entry else { return name };
    let mut keys = String::new();
    for (key, patterns) in [("include", include), ("exclude", exclude)] {
        if !patterns.is_empty() {
            let patterns: Vec<_> = patterns.iter().map(|pattern| Quoted(pattern).to_string()).collect();
            keys += &format!(", {key}: [{}]", patterns.join(", "));
        }
    }
    if keys.is_empty() { name } else { format!("{{calendar: {name}{keys}}}") }
}

/// Quotes a text for YAML.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                ' '..='~' => f.write_char(character)?,
                // Only characters that are safe in terminals and in every YAML parser.
                _ if character.is_alphanumeric() => f.write_char(character)?,
                '\n' => f.write_str("\\n")?,
                _ => write!(f, "\\U{:08X}", u32::from(character))?,
            }
        }
        f.write_char('"')
    }
}
