//! Values of scalars: durations, and how long values hold.
//!
//! Pure functions from a text to a value or an error; they do not know the key that the text belongs to.

use std::{ops::RangeInclusive, time::Duration};

use super::reader::{listed, quoted};
use ga4_exporter_core::report::{StaleAfter, Unit};

/// A range of durations, with its text for messages.
#[derive(Debug)]
pub(super) struct Limits {
    range: RangeInclusive<Duration>,
    pub(super) words: &'static str,
}

/// Reads `90s`, `15m` or `1h 30m`.
pub(super) fn duration(text: &str, limits: &Limits) -> Result<Duration, String> {
    if is_bare_number(text) {
        return Err(format!("`{text}` has no unit; write `{text}s` for seconds or `{text}m` for minutes"));
    }
    match humantime::parse_duration(text) {
        Ok(duration) if limits.range.contains(&duration) => return Ok(duration),
        Ok(_) | Err(humantime::DurationError::NumberOverflow) => {}
        Err(_) => return Err(format!("`{text}` is not a duration; {EXAMPLES}")),
    }
    // In humantime, this is the only unit whose case matters.
    let months = if text.contains('M') { " (`M` means months, `m` means minutes)" } else { "" };
    Err(format!("`{text}` is out of range; give a duration, {}{months}", limits.words))
}

/// Reads `3x` or a duration.
pub(super) fn stale_after(text: &str) -> Result<StaleAfter, String> {
    if is_bare_number(text) {
        return Err(format!(
            "`{text}` has no unit; write `{text}x` for {text} intervals, or a duration such as `{text}m`"
        ));
    }
    let Some(times) = text.strip_suffix(['x', 'X']).map(str::trim_end).filter(|times| is_bare_number(times)) else {
        return duration(text, &FIXED_STALE_AFTER).map(StaleAfter::Fixed).map_err(|wrong| {
            if wrong.contains("not a duration") {
                format!("`{text}` is neither a number of intervals nor a duration; write for example `3x` or `10m`")
            } else {
                wrong
            }
        });
    };
    match times.parse() {
        Ok(times) if STALE_INTERVALS.contains(&times) => Ok(StaleAfter::Intervals(times)),
        _ => Err(format!(
            "`{text}` is out of range; give from {}x to {}x, or a duration",
            STALE_INTERVALS.start(),
            STALE_INTERVALS.end()
        )),
    }
}

/// Reads the unit of a metric that a property defines itself.
pub(super) fn unit(text: &str) -> Result<Unit, String> {
    let words = || listed(Unit::WORDS.iter().map(|(word, _)| *word));
    Unit::of_word(&text.to_ascii_lowercase())
        .ok_or_else(|| format!("{} is not a unit; use one of {}", quoted(text), words()))
}

/// Writes what [`stale_after`] reads.
pub(super) fn format_stale_after(stale_after: StaleAfter) -> String {
    match stale_after {
        StaleAfter::Intervals(times) => format!("{times}x"),
        StaleAfter::Fixed(duration) => humantime::format_duration(duration).to_string(),
    }
}

/// Digits, perhaps with a point among them.
fn is_bare_number(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(text),
    }
}

const EXAMPLES: &str = "write a number and a unit (s, m, h, d), such as `90s`, `15m` or `1h 30m`";

/// Intervals of reports.
pub(super) const INTERVAL: Limits =
    Limits { range: Duration::from_secs(1)..=Duration::from_hours(24), words: "1s to 24h" };

/// Intervals of the listing.
pub(super) const DISCOVERY_INTERVAL: Limits =
    Limits { range: Duration::from_mins(1)..=Duration::from_hours(24), words: "1m to 24h" };

/// How long values may hold, as a duration: after a month they are meaningless.
pub(super) const FIXED_STALE_AFTER: Limits =
    Limits { range: Duration::from_secs(1)..=Duration::from_hours(30 * 24), words: "1s to 30d" };

/// The same in intervals.
const STALE_INTERVALS: RangeInclusive<f64> = 1.0..=100.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("1h 30m", &INTERVAL), Ok(Duration::from_mins(90)));
        assert_eq!(duration("1500ms", &INTERVAL), Ok(Duration::from_millis(1500)));
        for (text, expected) in [
            ("15", "`15` has no unit; write `15s` for seconds or `15m` for minutes"),
            ("1.5", "`1.5` has no unit"),
            ("", "`` is not a duration"),
            ("soon", "`soon` is not a duration; write a number and a unit"),
            ("-5m", "not a duration"),
            ("0s", "`0s` is out of range; give a duration, 1s to 24h"),
            ("999ms", "out of range"),
            ("25h", "out of range"),
            ("15M", "(`M` means months, `m` means minutes)"),
            ("99999999999999999999s", "out of range"),
        ] {
            let wrong = duration(text, &INTERVAL).unwrap_err();
            assert!(wrong.contains(expected), "{text}: {wrong}");
        }
    }

    #[test]
    fn values_hold_for_intervals_or_for_a_time() {
        for (text, expected) in [
            ("3x", StaleAfter::Intervals(3.0)),
            ("2.5X", StaleAfter::Intervals(2.5)),
            ("1 x", StaleAfter::Intervals(1.0)),
            ("1s", StaleAfter::Fixed(Duration::from_secs(1))),
            ("30d", StaleAfter::Fixed(Duration::from_hours(720))),
        ] {
            assert_eq!(stale_after(text), Ok(expected), "{text}");
        }
        for (text, expected) in [
            ("3", "`3` has no unit; write `3x` for 3 intervals, or a duration such as `3m`"),
            ("0.9x", "`0.9x` is out of range; give from 1x to 100x, or a duration"),
            ("101x", "out of range"),
            ("1e2x", "neither a number of intervals nor a duration"),
            ("NaNx", "neither"),
            ("-3x", "neither"),
            ("x", "neither"),
            ("31d", "`31d` is out of range; give a duration, 1s to 30d"),
        ] {
            let wrong = stale_after(text).unwrap_err();
            assert!(wrong.contains(expected), "{text}: {wrong}");
        }
    }

    #[test]
    fn how_long_values_hold_is_written_as_it_is_read() {
        for text in ["3x", "1.25x", "10m", "1day 2h"] {
            assert_eq!(stale_after(text).map(format_stale_after).as_deref(), Ok(text));
        }
    }
}
