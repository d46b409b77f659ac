//! The log: logfmt or JSON on stderr.
//!
//! Knows only the tracing subscriber. Libraries are logged from warnings on, whatever the level; gcp_auth is not
//! logged at all, since it prints the responses of the token endpoint. Invariant: no task waits for the reader of
//! stderr, except for up to one second when the process ends.

use std::{fmt, panic, str::FromStr, time::Duration};

use tracing::{Level, error, level_filters::LevelFilter, warn};
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, registry, util::SubscriberInitExt};

pub use lines::Lines;

mod lines;

/// The format of the log.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LogFormat {
    /// `key=value` pairs.
    #[default]
    Logfmt,
    /// JSON, one object per line.
    Json,
}

/// The lowest severity that is logged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LogLevel(Level);

impl LogLevel {
    /// The default level: what an operator should know.
    pub const INFO: Self = Self(Level::INFO);
}

impl FromStr for LogLevel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "debug" => Ok(Self(Level::DEBUG)),
            "info" => Ok(Self(Level::INFO)),
            "warn" => Ok(Self(Level::WARN)),
            "error" => Ok(Self(Level::ERROR)),
            _ => Err("use debug, info, warn or error".to_owned()),
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.as_str().to_ascii_lowercase())
    }
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "logfmt" => Ok(Self::Logfmt),
            "json" => Ok(Self::Json),
            _ => Err("use logfmt or json".to_owned()),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Json { "json" } else { "logfmt" })
    }
}

/// A started log. On drop, writes the queued lines for up to one second.
#[derive(Debug)]
#[must_use = "it writes what still waits when it is dropped"]
pub struct Log(Lines);

impl Log {
    /// Returns the queue of the log.
    pub fn lines(&self) -> Lines {
        self.0.clone()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.0.flush(LONGEST_FLUSH);
    }
}

/// Starts logging, once per process; panics are logged too. If stderr can no longer be written (it is closed, or its
/// disk or pipe is full), lines are dropped and counted.
pub fn start(level: LogLevel, format: LogFormat) -> Log {
    let lines = Lines::default();
    let filter = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target(env!("CARGO_PKG_NAME"), level.0)
        .with_target("gcp_auth", LevelFilter::OFF);
    let layer = match format {
        LogFormat::Logfmt => {
            let layer = tracing_logfmt::builder().with_target(false).layer();
            layer.with_writer(lines.clone()).log_internal_errors(false).boxed()
        }
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_target(false)
            .with_writer(lines.clone())
            .log_internal_errors(false)
            .boxed(),
    };
    // This can fail only if a test has already started the log, and then that log is used.
    let _ = registry().with(layer.with_filter(filter)).try_init();
    // If the thread cannot start, lines are counted as dropped once the queue is full.
    let _ = lines.write_to_stderr(|count| warn!(count, "log lines dropped because stderr was not read"));
    let last_words = lines.clone();
    panic::set_hook(Box::new(move |panic| {
        error!(%panic, "the exporter has a defect and exits; please report it");
        last_words.flush(LONGEST_FLUSH);
    }));
    Log(lines)
}

/// Writes to stderr while there is no log: before its start or after its end. Gives up after one second.
pub fn write(text: &str) {
    let lines = Lines::default();
    lines.push(text.as_bytes().to_vec());
    // If stderr is closed, nobody reads the text.
    if lines.write_to_stderr(|_| ()).is_ok() {
        lines.flush(LONGEST_FLUSH);
    }
}

/// How long to wait for the reader of stderr; a working reader is faster.
const LONGEST_FLUSH: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_formats_are_written_as_they_are_read() {
        for level in ["debug", "info", "warn", "error"] {
            assert_eq!(level.parse::<LogLevel>().unwrap().to_string(), level);
        }
        for format in ["logfmt", "json"] {
            assert_eq!(format.parse::<LogFormat>().unwrap().to_string(), format);
        }
        assert!("trace".parse::<LogLevel>().is_err() && "text".parse::<LogFormat>().is_err());
    }
}
