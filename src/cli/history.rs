//! The flags of the commands that read history.

use std::{path::PathBuf, str::FromStr, time::Duration};

use clap::{ArgGroup, Args, value_parser};
use jiff::civil::Date;

use super::{AccessFlags, path};

use ga4_drop_baseline::{
    WINDOWS, Window,
    calendar::quiet_days::{Entry, EntryError},
};

use ga4_exporter_core::{
    csv::{LocalTime, TimeError},
    names::PropertyId,
};

use crate::config::calendar_file;

/// The flags of `baseline`.
#[derive(Args, Clone, Debug)]
pub struct BaselineFlags {
    /// CSV of pageviews per hour: lines like `2025-11-10T00:00,1234` under the header `local_time,pageviews`, without lines
    /// for missing hours. Needs at least two weeks; the last eight are used.
    #[arg(long, value_name = "CSV", value_parser = path())]
    pub history: PathBuf,
    /// Local time at which to start, such as 2026-01-05T06:00. Hours of that day and of the day before are ignored, because
    /// Google may still revise them.
    #[arg(long, value_name = "TIME", value_parser = local_time)]
    pub at: LocalTime,
    /// Window to forecast: 10m, 30m, 2h or 6h. It ends at the time of each line.
    #[arg(long, value_name = "WINDOW", default_value = "30m", value_parser = window)]
    pub window: &'static Window,
    /// Time between lines, in whole minutes.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = step)]
    pub step: Duration,
}

/// The flags of `backtest`.
#[derive(Args, Clone, Debug)]
#[command(group(ArgGroup::new("past").required(true).args(["history", "property"])))]
pub struct BacktestFlags {
    /// CSV of pageviews per hour, as for `baseline`; instead of --property.
    #[arg(long, value_name = "CSV", value_parser = path())]
    pub history: Option<PathBuf>,
    /// Property whose pageviews per hour are read from Google.
    #[arg(long, value_name = "ID")]
    pub property: Option<PropertyId>,
    /// Number of weeks to read from Google, 3 to 52.
    #[arg(long, value_name = "NUMBER", default_value_t = 16, value_parser = value_parser!(u16).range(3..=52))]
    pub weeks: u16,
    /// CSV of pageviews per minute of local time under the header `time,pageviews`, or of the half hour that ends with each
    /// minute under `time,pageviews_30m`. Without it, each hour is spread over its minutes.
    #[arg(long, value_name = "CSV", value_parser = path(), conflicts_with = "property")]
    pub realtime: Option<PathBuf>,
    /// SVG file to write: a chart of the traffic, the usual traffic and the pages.
    #[cfg(feature = "picture")]
    #[arg(long, value_name = "FILE", value_parser = path())]
    pub svg: Option<PathBuf>,
    /// First date to replay. Without it, the first date that has a baseline, which takes two settled weeks.
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub from: Option<Date>,
    /// Last date to replay. Without it, the last date that has data.
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub to: Option<Date>,
    /// Day with less traffic than usual, as in baseline.quiet_days: 2026-04-03, 12-25, 2026-12-24..2027-01-02, or an
    /// iCalendar file; may be repeated.
    #[arg(long = "quiet-day", value_name = "DAY")]
    pub quiet_days: Vec<QuietDay>,
    /// Flags for access to Google.
    #[command(flatten)]
    pub access: AccessFlags,
}

/// The value of `--quiet-day`.
#[derive(Clone, Debug)]
pub enum QuietDay {
    /// Quiet days, given as dates.
    Days(Entry),
    /// The path of an iCalendar file that has not been read yet.
    Calendar(PathBuf),
}

impl FromStr for QuietDay {
    type Err = EntryError;

    fn from_str(text: &str) -> Result<Self, EntryError> {
        if calendar_file::is_meant(text) { Ok(Self::Calendar(text.into())) } else { text.parse().map(Self::Days) }
    }
}

fn local_time(text: &str) -> Result<LocalTime, TimeError> {
    LocalTime::parse(text)
}

fn window(text: &str) -> Result<&'static Window, String> {
    Window::named(text).ok_or_else(|| {
        let names: Vec<&str> = WINDOWS.iter().map(|window| window.name).collect();
        format!("use one of {}", names.join(", "))
    })
}

fn date(text: &str) -> Result<Date, &'static str> {
    Date::strptime("%Y-%m-%d", text).map_err(|_| "write it like 2026-01-05")
}

/// Parses a step of whole minutes, because lines show no seconds. The longest step is the printed day.
fn step(text: &str) -> Result<Duration, String> {
    let step = humantime::parse_duration(text).map_err(|_| STEP.to_owned())?;
    let is_whole = step.as_secs().is_multiple_of(60) && step.subsec_nanos() == 0;
    let fits = !step.is_zero() && step <= Duration::from_hours(24);
    if is_whole && fits { Ok(step) } else { Err(STEP.to_owned()) }
}

const STEP: &str = "it must be whole minutes, from 1m to 24h, like 5m";

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::cli::{Cli, Command};

    const RIGHT: &[&str] = &["x", "baseline", "--history", "h.csv", "--at", "2026-01-05T06:00"];

    #[test]
    fn half_hours_every_five_minutes_are_the_default() {
        let cli = Cli::try_parse_from(RIGHT).unwrap();
        let Some(Command::Baseline(flags)) = cli.command else { panic!("{cli:?}") };
        assert_eq!((flags.window.name, flags.step.as_secs()), ("30m", 300));
    }

    #[test]
    fn wrong_values_are_refused_with_what_is_right() {
        let step = "it must be whole minutes, from 1m to 24h, like 5m";
        for (flag, value, expected) in [
            ("--window", "5m", "use one of 10m, 30m, 2h, 6h"),
            ("--step", "0", step),
            ("--step", "0s", step),
            ("--step", "90s", step),
            ("--step", "25h", step),
            ("--step", "soon", step),
        ] {
            let arguments = RIGHT.iter().copied().chain([flag, value]);
            let message = Cli::try_parse_from(arguments).unwrap_err().to_string();
            assert!(message.contains(expected), "{flag} {value}: {message}");
        }
        for (flag, value, expected) in [
            ("--from", "5.1.2026", "write it like 2026-01-05"),
            ("--to", "2026-01-32", "write it like 2026-01-05"),
            ("--quiet-day", "monday", "is not a day; write `2026-04-03`"),
            ("--weeks", "2", "2 is not in 3..=52"),
            ("--property", "7", "cannot be used with"),
        ] {
            let arguments = ["x", "backtest", "--history", "h.csv", flag, value];
            let message = Cli::try_parse_from(arguments).unwrap_err().to_string();
            assert!(message.contains(expected), "{flag} {value}: {message}");
        }
        for arguments in [&["x", "backtest"][..], &["x", "backtest", "--property", "7", "--realtime", "r.csv"]] {
            assert!(Cli::try_parse_from(arguments).is_err(), "{arguments:?}");
        }
        let message = Cli::try_parse_from([&RIGHT[..5], &["6 o'clock"]].concat()).unwrap_err().to_string();
        assert!(message.contains("write it like 2026-01-05T06:00 or 2026-01-05 06:00, without a zone"), "{message}");
    }
}
