//! What `sync` keeps, as configured, and which tables that are.

use super::Config;
use crate::database::DatabaseUrl;
use ga4_exporter_core::{
    daily::{DAILY, Table, WantedDays},
    report::Day,
    shown::Shown,
};

/// The settings under `sync`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SyncSettings {
    /// Where the figures go; `None` leaves it to the command line, or to a file in the working directory.
    pub database: Option<DatabaseUrl>,
    /// The first day.
    pub from: Day,
    /// How many days are asked for again every time.
    pub lookback: u16,
    /// What is kept: names of reports, of presets, and `daily`.
    pub reports: Vec<String>,
}

impl SyncSettings {
    /// Which days are wanted.
    pub fn wanted(&self) -> WantedDays {
        WantedDays { from: self.from, to: None, lookback: self.lookback }
    }
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self { database: None, from: Day::Ago(400), lookback: 7, reports: vec![DAILY.to_owned()] }
    }
}

impl Config {
    /// The table of a report, by the report's name: `daily`, one of the file, or a preset.
    ///
    /// # Errors
    /// There is no such report, or it cannot be kept by days; in words.
    pub fn table(&self, name: &str) -> Result<Table, String> {
        if name == DAILY {
            return Ok(Table::daily());
        }
        let Some(report) = self.report_named(name) else {
            let own = self.own_reports.iter().map(|own| own.report.name.to_string());
            let known: Vec<String> = std::iter::once(DAILY.to_owned()).chain(own).collect();
            return Err(format!(
                "there is no report `{}`; use one of {}, or the name of a preset",
                Shown(name),
                known.join(", ")
            ));
        };
        Table::of(&report).map_err(|error| error.to_string())
    }
}

/// Reads `7d` as a number of whole days.
pub fn lookback(text: &str) -> Result<u16, String> {
    let days = text.strip_suffix('d').and_then(|days| days.trim_end().parse().ok());
    days.filter(|days| LOOKBACK.contains(days))
        .ok_or_else(|| format!("`{}` is not possible; give whole days, {LOOKBACK_WORDS}", Shown(text)))
}

/// Google revises days for 3 days, and attributes key events for up to 90 (AttributionSettings of the Admin API).
const LOOKBACK: std::ops::RangeInclusive<u16> = 3..=90;

pub(super) const LOOKBACK_WORDS: &str = "3d to 90d";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn tables_are_found_by_the_names_of_reports() {
        let text =
            "reports:\n  by_device:\n    enabled: false\n    dimensions: [deviceCategory]\n    metrics: [pageviews]\n";
        let config = Config::from_yaml(text, Path::new("x.yml")).unwrap().config;
        for (name, table) in [("daily", "ga_daily"), ("by_device", "ga_report_by_device"), ("pages", "ga_report_pages")]
        {
            assert_eq!(config.table(name).unwrap().name(), table);
        }
        for (name, expected) in [
            ("traffic", "keep `daily` instead"),
            ("realtime", "realtime report"),
            ("realtime_pages", "realtime report"),
            ("baseline", "keep `daily` instead"),
            ("nothing", "use one of daily, by_device, or the name of a preset"),
        ] {
            let error = config.table(name).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_lookback_is_whole_days() {
        assert_eq!(lookback("7d"), Ok(7));
        for text in ["2d", "91d", "7", "7h", "", "-7d", "1w"] {
            assert!(lookback(text).unwrap_err().contains("3d to 90d"), "{text}");
        }
    }
}
