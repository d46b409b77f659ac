//! Formats numbers and times for people.

use ga4_drop_baseline::calendar::Zone;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

/// Formats a number as `12,345`; fractions are rounded.
pub(super) fn number(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if value <= -0.5 {
        text.push('-');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a count in the same way.
pub(super) fn integer(count: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^53")]
    let value = count as f64;
    number(value)
}

/// Formats a count with its noun: `1 property`, `2 properties`.
pub(super) fn count_of(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", integer(count), if count == 1 { one } else { many })
}

/// Formats a duration: `48 s`, `3 min`, `5 h`, `2 days`.
pub(super) fn span(length: SignedDuration) -> String {
    let seconds = length.as_secs().max(0);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Ends a foreign message with exactly one full stop.
pub(super) fn sentence(message: &str) -> String {
    format!("{}.", message.trim_end_matches('.'))
}

/// Turns a remedy into a sentence.
pub(super) fn to_do(remedy: &str) -> String {
    if remedy.starts_with("nothing to do") { format!("There is {remedy}.") } else { format!("To do: {remedy}.") }
}

/// Formats a past time relative to now.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> Markup {
    html! { time datetime=(at.to_string()) { (span(now.duration_since(at))) " ago" } }
}

/// Formats a future time relative to now.
pub(super) fn until(at: Timestamp, now: Timestamp) -> Markup {
    let left = at.duration_since(now);
    html! {
        time datetime=(at.to_string()) { @if left.as_secs() <= 0 { "now" } @else { "in " (span(left)) } }
    }
}

/// Formats a future time in a time zone and relative to now: `18:52 (Europe/Berlin), in 2 h`. An unknown zone gives
/// UTC.
pub(super) fn local_until(at: Timestamp, zone: &str, now: Timestamp) -> Markup {
    let zone = Zone::named(zone).unwrap_or_else(|_| Zone::utc());
    let local = zone.local_time(at).strftime("%H:%M").to_string();
    html! { (local) " (" (zone.name()) "), " (until(at, now)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_separators() {
        for (value, expected) in [
            (0.0, "0"),
            (999.4, "999"),
            (1000.0, "1,000"),
            (1_234_567.0, "1,234,567"),
            (-1234.0, "-1,234"),
            (-0.2, "0"),
        ] {
            assert_eq!(number(value), expected);
        }
        assert_eq!(count_of(1, "property", "properties"), "1 property");
        assert_eq!(count_of(1001, "property", "properties"), "1,001 properties");
    }

    #[test]
    fn spans_have_two_digits_or_so() {
        for (seconds, expected) in [
            (-5, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7199, "119 min"),
            (7200, "2 h"),
            (172_799, "47 h"),
            (172_800, "2 days"),
        ] {
            assert_eq!(span(SignedDuration::from_secs(seconds)), expected);
        }
    }
}
