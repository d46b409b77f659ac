//! `baseline`: prints the traffic expected in the next 24 hours.

use std::{
    fmt,
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use super::{CommandError, print};
use ga4_drop_baseline::{Baseline, Forecast, History, LocalHour};

use ga4_exporter_core::{
    csv::{self, LocalTime},
    shown::ShownPath,
};

use crate::cli::BaselineFlags;

/// Prints one line per step: time, expected count and lower bound. Without a baseline, prints only the header, and
/// the reason on stderr.
///
/// # Errors
/// The history cannot be read.
pub fn run(flags: &BaselineFlags) -> Result<(), CommandError> {
    let history = history(&flags.history)?;
    let settled = LocalHour::settled(flags.at.0.date());
    let rows = match Baseline::fit(&history, settled, ga4_drop_baseline::DEFAULT_WEEKS) {
        Ok(baseline) => Forecast::next_day(&baseline, flags.window, flags.at.0, flags.step),
        Err(none) => {
            // If stderr is closed, nobody reads the reason.
            let _ = writeln!(io::stderr(), "{none}");
            Vec::new()
        }
    };
    print(table(&rows).as_bytes(), &mut io::stdout())
}

/// Reads hourly history from a file.
pub(super) fn history(path: &Path) -> Result<History, CommandError> {
    csv::history(&text(path)?).map_err(|error| in_file(path, &error))
}

/// Reads a file as text; the file may be a pipe.
pub(super) fn text(path: &Path) -> Result<String, CommandError> {
    let wrong = |error: &dyn fmt::Display| CommandError::Usage(format!("{} cannot be read: {error}", ShownPath(path)));
    let file = File::open(path).map_err(|error| wrong(&error))?;
    let mut text = String::new();
    file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(|error| wrong(&error))?;
    if text.len() as u64 > MAX_BYTES {
        let most = MAX_BYTES >> 20;
        return Err(wrong(&format!("it is larger than {most} MiB, the most that is read; leave out years")));
    }
    Ok(text)
}

/// Returns the error for a mistake in a file.
pub(super) fn in_file(path: &Path, error: &csv::CsvError) -> CommandError {
    CommandError::Usage(format!("{}: {error}", ShownPath(path)))
}

fn table(rows: &[Forecast]) -> String {
    let mut text = "time,expected,expected_low\n".to_owned();
    for row in rows {
        text.push_str(&format!("{},{:.6},{:.6}\n", LocalTime(row.time), row.expected, row.low));
    }
    text
}

/// Enough for three years of minutes.
const MAX_BYTES: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_end_is_refused() {
        let error = text(Path::new("/dev/zero")).unwrap_err().to_string();
        assert_eq!(error, "/dev/zero cannot be read: it is larger than 64 MiB, the most that is read; leave out years");
    }
}
