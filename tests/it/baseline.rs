//! The command `baseline`: what it prints, and what it says of wrong input.

use std::{
    fs,
    process::{Command, Output},
};

use tempfile::TempDir;

/// A directory with histories in it.
struct Directory(TempDir);

impl Directory {
    fn with(file: &str, text: &str) -> Self {
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join(file), text).unwrap();
        Self(directory)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_google_analytics_exporter"));
        command.current_dir(self.0.path()).arg("baseline").args(arguments).output().unwrap()
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// This number of weeks up to the first hours of 2026-01-05, more by day, fewer on weekends, never twice the same.
pub(crate) fn history(weeks: i64) -> String {
    let end = jiff::civil::date(2026, 1, 5).at(0, 0, 0, 0);
    let mut text = "local_time,pageviews\n".to_owned();
    for hour in (1..=weeks * 168).rev().map(|ago| end - jiff::SignedDuration::from_hours(ago)) {
        let by_day = 80 + 25 * (12 - (i64::from(hour.hour()) - 14).abs());
        let by_week = if hour.weekday().to_monday_one_offset() > 5 { by_day / 2 } else { by_day };
        let noise = (i64::from(hour.day()) * 7 + i64::from(hour.hour()) * 13) % 11 - 5;
        text.push_str(&format!("{},{}\n", hour.strftime("%Y-%m-%dT%H:%M"), by_week + noise));
    }
    text
}

#[test]
fn the_next_day_is_printed_and_nothing_else() {
    let directory = Directory::with("history.csv", &history(8));
    let run = directory.run(&["--history", "history.csv", "--at", "2026-01-05T06:00", "--step", "1h"]);
    assert!(run.status.success(), "{run:?}");
    assert_eq!(text(&run.stderr), "");
    insta::assert_snapshot!(text(&run.stdout));
    let run = directory.run(&["--history", "history.csv", "--at", "2026-01-05T06:00"]);
    assert_eq!(text(&run.stdout).lines().count(), 290);
}

#[test]
fn without_two_settled_weeks_there_is_only_the_header() {
    let directory = Directory::with("history.csv", &history(2));
    // The last day has not settled, so that it is a day less than two weeks.
    let run = directory.run(&["--history", "history.csv", "--at", "2026-01-05T06:00"]);
    assert!(run.status.success(), "{run:?}");
    assert_eq!(text(&run.stdout), "time,expected,expected_low\n");
    assert!(text(&run.stderr).starts_with("there is no baseline: "), "{run:?}");
    let run = directory.run(&["--history", "history.csv", "--at", "2026-01-06T06:00"]);
    assert_eq!((text(&run.stdout).lines().count(), text(&run.stderr)), (290, ""));
}

#[test]
fn wrong_input_is_refused_with_what_is_right() {
    let bad = "local_time,pageviews\n2025-11-10T00:00,1\n2025-11-10T00:30,1\n";
    let directory = Directory::with("bad.csv", bad);
    let at = "2026-01-05T06:00";
    for (arguments, message) in [
        (
            ["--history", "none.csv", "--at", at],
            "error: none.csv cannot be read: No such file or directory (os error 2)\n",
        ),
        (
            ["--history", "bad.csv", "--at", at],
            "error: bad.csv: line 3: 2025-11-10T00:30 is not on the hour; each line is one hour, like 2025-11-10T00:00\n",
        ),
        (
            ["--history", "bad.csv", "--at", "2026-01-05T06:00Z"],
            "error: invalid value '2026-01-05T06:00Z' for '--at <TIME>': `2026-01-05T06:00Z` is not a local time; write it \
             like 2026-01-05T06:00 or 2026-01-05 06:00, without a zone\n\nFor more information, try '--help'.\n",
        ),
    ] {
        let run = directory.run(&arguments);
        assert_eq!((run.status.code(), text(&run.stderr), text(&run.stdout)), (Some(64), message, ""));
    }
    let run = directory.run(&["--history", "bad.csv", "--at", at, "--step", "0"]);
    let message = "error: invalid value '0' for '--step <DURATION>': it must be whole minutes, from 1m to 24h, like 5m\n\n\
                   For more information, try '--help'.\n";
    assert_eq!((run.status.code(), text(&run.stderr), text(&run.stdout)), (Some(64), message, ""));
}
