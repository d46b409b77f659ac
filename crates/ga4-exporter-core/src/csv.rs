//! Traffic as CSV: lines with a local time and a count.
//!
//! Knows the header lines and the format of times. Refuses to know files, and what the counts are for. Invariant: the
//! result has no duplicate time and no count that is negative, infinite or NaN.

use std::{collections::BTreeMap, fmt};

use ga4_drop_baseline::{History, LocalHour, backtest::Traffic};
use jiff::civil::DateTime;
use thiserror::Error as ThisError;

use crate::shown::Shown;

/// What is wrong with a text.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
#[error("line {line}: {problem}")]
pub struct CsvError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong on it.
    pub problem: Problem,
}

/// What is wrong with a line.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
pub enum Problem {
    /// It is not the expected header.
    #[error("the header must be `{0}`, not `{1}`")]
    Header(&'static str, String),
    /// It does not have two fields.
    #[error("`{0}` is not a time, a comma and a count")]
    Fields(String),
    /// Its first field is not a time.
    #[error("{0}")]
    Time(#[from] TimeError),
    /// Its time is not a full hour.
    #[error("{0} is not on the hour; each line is one hour, like 2025-11-10T00:00")]
    NotOnTheHour(LocalTime),
    /// Its second field is not a count.
    #[error("`{0}` is not a count; it must be a number from 0 on, and hours that are missing have no line")]
    Count(String),
    /// Its time occurs twice.
    #[error("{0} is in line {1} already")]
    Twice(LocalTime, usize),
}

/// A text is not a local time.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
#[error("`{0}` is not a local time; write it like 2026-01-05T06:00 or 2026-01-05 06:00, without a zone")]
pub struct TimeError(String);

/// A local time to the minute: `2026-01-05T06:00`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct LocalTime(pub DateTime);

/// Reads pageviews by hour, under the header `local_time,pageviews`.
///
/// # Errors
/// The first invalid line.
pub fn history(text: &str) -> Result<History, CsvError> {
    let mut lines = BTreeMap::new();
    rows(text, HISTORY)?
        .map(|row| {
            let Row { line, time, count } = row?;
            let error = |problem| CsvError { line, problem };
            let hour = LocalHour::of(time.0);
            if hour.start() != time.0 {
                return Err(error(Problem::NotOnTheHour(time)));
            }
            match lines.insert(hour, line) {
                Some(before) => Err(error(Problem::Twice(time, before))),
                None => Ok((hour, count)),
            }
        })
        .collect()
}

/// Reads pageviews by minute under the header `time,pageviews`, or derives them from half hours under `time,pageviews_30m`.
///
/// # Errors
/// The first invalid line.
pub fn minutes(text: &str) -> Result<Traffic, CsvError> {
    let header = if lines(text).next() == Some(HALF_HOURS) { HALF_HOURS } else { MINUTES };
    let mut lines = BTreeMap::new();
    let mut counts = BTreeMap::new();
    for row in rows(text, header)? {
        let Row { line, time, count } = row?;
        if let Some(before) = lines.insert(time, line) {
            return Err(CsvError { line, problem: Problem::Twice(time, before) });
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1e12")]
        counts.insert(time.0, count.round() as u64);
    }
    Ok(if header == HALF_HOURS { Traffic::of_half_hours(counts) } else { counts.into_iter().collect() })
}

impl LocalTime {
    /// Reads `2026-01-05T06:00`, also with a space in place of the `T`, as databases and spreadsheets write it, and with seconds if
    /// they are 0.
    ///
    /// # Errors
    /// Any other text, including one with a zone.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let spelled = text.replacen(' ', "T", 1);
        let read = SPELLINGS.iter().find_map(|spelling| DateTime::strptime(spelling, &spelled).ok());
        read.map(Self).ok_or_else(|| TimeError(shortened(text)))
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.strftime("%Y-%m-%dT%H:%M").fmt(f)
    }
}

/// One line.
struct Row {
    line: usize,
    time: LocalTime,
    count: f64,
}

/// Returns the lines after this header; empty ones are skipped.
fn rows<'a>(text: &'a str, header: &'static str) -> Result<impl Iterator<Item = Result<Row, CsvError>> + 'a, CsvError> {
    let mut lines = (1..).zip(lines(text));
    let (line, first) = lines.next().unwrap_or((1, ""));
    if first != header {
        return Err(CsvError { line, problem: Problem::Header(header, shortened(first)) });
    }
    let filled = lines.filter(|(_, text)| !text.is_empty());
    Ok(filled.map(|(line, text)| row(line, text).map_err(|problem| CsvError { line, problem })))
}

/// Returns the lines without additions of spreadsheets and editors: a byte-order mark, blanks, Windows line ends.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.trim_start_matches('\u{feff}').lines().map(str::trim)
}

fn row(line: usize, text: &str) -> Result<Row, Problem> {
    let (time, count) = text.split_once(',').ok_or_else(|| Problem::Fields(shortened(text)))?;
    let time = LocalTime::parse(time.trim())?;
    let count = count.trim();
    let number: Option<f64> = count.parse().ok().filter(|number| (0.0..=MOST).contains(number));
    let count = number.ok_or_else(|| Problem::Count(shortened(count)))?;
    Ok(Row { line, time, count })
}

/// Shortens a text for messages: a file may be one very long line, or a key.
fn shortened(text: &str) -> String {
    Shown(text).to_string().chars().take(LONGEST_QUOTE).collect()
}

const HISTORY: &str = "local_time,pageviews";

const MINUTES: &str = "time,pageviews";

const HALF_HOURS: &str = "time,pageviews_30m";

const SPELLINGS: &[&str] = &["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:00"];

/// More pageviews than are possible in an hour.
const MOST: f64 = 1e12;

const LONGEST_QUOTE: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, message: &str) {
        assert_eq!(history(text).unwrap_err().to_string(), message);
    }

    #[test]
    fn hours_are_read_and_those_without_a_line_are_missing() {
        let text = "\u{feff}local_time,pageviews\r\n2025-11-10T00:00,12\r\n2025-11-10T02:00:00, 3.5\r\n\r\n";
        let history = history(text).unwrap();
        let midnight = LocalHour::of(LocalTime::parse("2025-11-10T00:00").unwrap().0);
        let hours: Vec<_> = history.iter().collect();
        assert_eq!(hours, [(midnight, 12.0), (midnight.later(2), 3.5)]);
    }

    #[test]
    fn every_mistake_has_its_line() {
        let header = "the header must be `local_time,pageviews`";
        refused("", &format!("line 1: {header}, not ``"));
        refused("time,pageviews\n", &format!("line 1: {header}, not `time,pageviews`"));
        let text = |line: &str| format!("local_time,pageviews\n2025-11-10T00:00,1\n\n{line}\n");
        let no_time = "is not a local time; write it like 2026-01-05T06:00 or 2026-01-05 06:00, without a zone";
        let no_count = "is not a count; it must be a number from 0 on, and hours that are missing have no line";
        for (line, message) in [
            ("2025-11-10T01:00", "`2025-11-10T01:00` is not a time, a comma and a count".to_owned()),
            ("10.11.2025,1", format!("`10.11.2025` {no_time}")),
            ("2025-11-10T01:00Z,1", format!("`2025-11-10T01:00Z` {no_time}")),
            ("2025-11-10T01:00+01:00,1", format!("`2025-11-10T01:00+01:00` {no_time}")),
            ("2025-11-10 01:00:00 UTC,1", format!("`2025-11-10 01:00:00 UTC` {no_time}")),
            ("2025-11-10 01:00:00+01,1", format!("`2025-11-10 01:00:00+01` {no_time}")),
            ("2025-11-10 01:00:07,1", format!("`2025-11-10 01:00:07` {no_time}")),
            ("2025-02-30T01:00,1", format!("`2025-02-30T01:00` {no_time}")),
            (
                "2025-11-10T01:30,1",
                "2025-11-10T01:30 is not on the hour; each line is one hour, like 2025-11-10T00:00".to_owned(),
            ),
            ("2025-11-10T01:00,-1", format!("`-1` {no_count}")),
            ("2025-11-10T01:00,", format!("`` {no_count}")),
            ("2025-11-10T01:00,NaN", format!("`NaN` {no_count}")),
            ("2025-11-10T01:00,1,2", format!("`1,2` {no_count}")),
            ("2025-11-10T00:00,7", "2025-11-10T00:00 is in line 2 already".to_owned()),
        ] {
            refused(&text(line), &format!("line 4: {message}"));
        }
    }

    #[test]
    fn minutes_are_read_and_half_hours_taken_apart() {
        let count = |text: &str, minute| minutes(text).unwrap().get(LocalTime::parse(minute).unwrap().0);
        let text = "time,pageviews\n2025-11-10T00:00,12\n2025-11-10T00:02,3\n";
        assert_eq!(count(text, "2025-11-10T00:02"), Some(3));
        assert_eq!(count(text, "2025-11-10T00:01"), None);
        let text = "time,pageviews_30m\n2025-11-10T00:00,30\n2025-11-10T00:01,36\n";
        assert_eq!(count(text, "2025-11-10T00:00"), Some(1));
        assert_eq!(count(text, "2025-11-10T00:01"), Some(7));
        let refused = |text: &str| minutes(text).unwrap_err().to_string();
        assert_eq!(refused("a,b\n"), "line 1: the header must be `time,pageviews`, not `a,b`");
        let twice = "time,pageviews_30m\n2025-11-10T00:00,30\n2025-11-10T00:00,30\n";
        assert_eq!(refused(twice), "line 3: 2025-11-10T00:00 is in line 2 already");
    }

    #[test]
    fn foreign_programs_may_have_written_any_of_the_files() {
        for (header, rows) in [
            (MINUTES, "2025-11-10T00:00,30\n2025-11-10T00:01,36\n"),
            (HALF_HOURS, "2025-11-10T00:00,30\n2025-11-10T00:01,36\n"),
            (HISTORY, "2025-11-10T00:00,30\n2025-11-10T01:00,36\n"),
        ] {
            let plain = format!("{header}\n{rows}");
            let windows = plain.replace('\n', "\r\n");
            let read = |text: &str| match header {
                HISTORY => history(text).map(|history| format!("{history:?}")),
                _ => minutes(text).map(|traffic| format!("{traffic:?}")),
            };
            for foreign in [format!("\u{feff}{plain}"), windows.clone(), format!("\u{feff} {windows} \r\n")] {
                assert_eq!(read(&foreign), read(&plain), "{foreign:?}");
            }
            assert!(read(&plain).is_ok(), "{header}");
        }
    }

    #[test]
    fn a_space_may_stand_between_date_and_time_in_any_of_the_files() {
        for (header, rows) in [
            (MINUTES, "2025-11-10T00:00,30\n2025-11-10T00:01:00,36\n"),
            (HALF_HOURS, "2025-11-10T00:00,30\n2025-11-10T00:01:00,36\n"),
            (HISTORY, "2025-11-10T00:00,30\n2025-11-10T01:00:00,36\n"),
        ] {
            let read = |rows: &str| match header {
                HISTORY => format!("{:?}", history(&format!("{header}\n{rows}")).unwrap()),
                _ => format!("{:?}", minutes(&format!("{header}\n{rows}")).unwrap()),
            };
            assert_eq!(read(&rows.replace('T', " ")), read(rows), "{header}");
        }
        assert_eq!(LocalTime::parse("2026-01-05 06:00"), LocalTime::parse("2026-01-05T06:00"));
    }

    #[test]
    fn a_long_line_is_not_repeated_whole() {
        let message = history(&"x".repeat(1000)).unwrap_err().to_string();
        assert!(message.ends_with(&format!("not `{}`", "x".repeat(60))), "{message}");
    }
}
