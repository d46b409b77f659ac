//! The figures of a run as a file for node_exporter's textfile collector: nobody scrapes a job that ends.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use jiff::Timestamp;

use ga4_exporter_core::shard::Shard;

/// The figures of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// When it ended.
    pub at: Timestamp,
    /// Whether every property has the days that are asked for every time.
    pub is_success: bool,
    /// How many properties do not.
    pub failed: usize,
    /// How many rows it touched.
    pub rows_changed: usize,
    /// How many tokens it spent.
    pub tokens: u64,
}

/// Writes or replaces the file. Readers see either the old file or the new one, whole.
///
/// # Errors
/// It cannot be written.
pub fn write(path: &Path, figures: &Figures, shard: Shard) -> io::Result<()> {
    let before = fs::read_to_string(path).ok().and_then(|text| last_success(&text)).unwrap_or_default();
    let text = text(figures, before, shard);
    let mut beside = path.as_os_str().to_owned();
    // node_exporter reads only files that end in `.prom`.
    beside.push(".new");
    let mut file = fs::File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

fn text(figures: &Figures, before: f64, shard: Shard) -> String {
    let success = if figures.is_success { crate::clock::unix_seconds(figures.at).floor() } else { before };
    let whole = |number: usize| number.to_string();
    let label = if shard.count() > 1 { format!("{{shard=\"{shard}\"}}") } else { String::new() };
    [
        (
            LAST_SUCCESS,
            "When sync last brought every property up to date, at least its last days; 0 before the first time.",
            success.to_string(),
        ),
        (
            "google_analytics_sync_last_run_successful",
            "Whether the last run of sync brought every property up to date, at least its last days.",
            u8::from(figures.is_success).to_string(),
        ),
        (
            "google_analytics_sync_properties_failed",
            "Properties that the last run of sync did not bring up to date.",
            whole(figures.failed),
        ),
        (
            "google_analytics_sync_rows_changed",
            "Rows that the last run of sync inserted, updated or deleted.",
            whole(figures.rows_changed),
        ),
        (
            "google_analytics_sync_tokens_spent",
            "Tokens of Google's quota that the last run of sync spent.",
            figures.tokens.to_string(),
        ),
    ]
    .map(|(name, help, value)| format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name}{label} {value}\n"))
    .concat()
}

/// What the last file says of the last success.
fn last_success(text: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(LAST_SUCCESS))?;
    line.rsplit(' ').next()?.parse().ok().filter(|seconds: &f64| seconds.is_finite() && *seconds >= 0.0)
}

const LAST_SUCCESS: &str = "google_analytics_sync_last_success_timestamp_seconds";

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn figures(second: i64, is_success: bool) -> Figures {
        let at = Timestamp::from_second(second).unwrap();
        Figures { at, is_success, failed: usize::from(!is_success), rows_changed: 12, tokens: 34 }
    }

    #[test]
    fn the_last_success_outlives_failures() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("sync.prom");
        let value = |name: &str| {
            let text = fs::read_to_string(&path).unwrap();
            let line = text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
            line.split_once(' ').unwrap().1.to_owned()
        };
        for (second, is_success, expected) in [
            (1_000, false, "0"),
            (2_000, true, "2000"),
            (3_000, false, "2000"),
            (1_764_000_000, true, "1764000000"),
            (1_764_000_001, false, "1764000000"),
        ] {
            write(&path, &figures(second, is_success), Shard::default()).unwrap();
            assert_eq!(value(LAST_SUCCESS), expected);
            assert_eq!(value("google_analytics_sync_last_run_successful"), u8::from(is_success).to_string());
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn shards_have_series_of_their_own() {
        let text = text(&figures(5, true), 0.0, "1/3".parse().unwrap());
        assert!(text.contains("\ngoogle_analytics_sync_rows_changed{shard=\"1/3\"} 12\n"), "{text}");
        assert_eq!(last_success(&text), Some(5.0));
    }
}
