//! Writing families and samples.
//!
//! Formats: prometheus/docs `exposition_formats.md` (0.0.4) and `open_metrics_spec.md` (1.0).

use std::fmt::Write;

use jiff::Timestamp;

use super::{Format, Rendering};

/// A text under construction, family by family.
pub(super) struct Page<'a> {
    /// What has not been handed on yet.
    text: String,
    /// Receives the text piece by piece; without it the text stays whole.
    sink: Option<Sink<'a>>,
    format: Format,
    valid_until: Option<Timestamp>,
    /// The current family; its header is written with its first sample, so that a family without samples is omitted.
    name: String,
    help: String,
    kind: Kind,
    has_samples: bool,
}

/// Receives a text piece by piece.
type Sink<'a> = &'a mut dyn FnMut(&[u8]);

/// The type of a family.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// A value that goes up and down.
    Gauge,
    /// A value that only increases, or restarts from 0.
    Counter,
    /// Counts by bucket.
    Histogram,
}

impl<'a> Page<'a> {
    /// Creates an empty text with room for the series of this many properties, to avoid reallocation.
    pub(super) fn whole(format: Format, properties: usize) -> Self {
        Self::new(format, INITIAL_CAPACITY + properties.saturating_mul(PER_PROPERTY), None)
    }

    /// Creates an empty text that is handed on piece by piece, so that no more than a piece of it is in memory.
    pub(super) fn in_pieces(format: Format, sink: Sink<'a>) -> Self {
        Self::new(format, INITIAL_CAPACITY, Some(sink))
    }

    fn new(format: Format, capacity: usize, sink: Option<Sink<'a>>) -> Self {
        Self {
            text: String::with_capacity(capacity),
            sink,
            format,
            valid_until: None,
            name: String::new(),
            help: String::new(),
            kind: Kind::Gauge,
            has_samples: false,
        }
    }

    /// Begins a family.
    pub(super) fn family(&mut self, name: &str, help: &str, kind: Kind) {
        name.clone_into(&mut self.name);
        help.clone_into(&mut self.help);
        self.kind = kind;
        self.has_samples = false;
    }

    /// Writes a sample of the current family; `labels` are rendered, without braces.
    pub(super) fn sample(&mut self, labels: &str, value: f64) {
        self.suffixed_sample("", labels, value);
    }

    /// Writes a sample with further labels after these rendered ones.
    pub(super) fn labelled_sample<'l>(
        &mut self,
        rendered: &str,
        labels: impl Iterator<Item = (&'l str, &'l str)>,
        value: f64,
    ) {
        self.begin_sample("");
        self.text.push('{');
        self.text.push_str(rendered);
        for (name, value) in labels {
            self.text.push(',');
            self.text.push_str(name);
            self.text.push_str("=\"");
            push_escaped(&mut self.text, value, true);
            self.text.push('"');
        }
        self.text.push_str("} ");
        push_number(&mut self.text, value);
        self.text.push('\n');
    }

    /// Writes a sample of a part of a histogram.
    pub(super) fn suffixed_sample(&mut self, suffix: &str, labels: &str, value: f64) {
        self.begin_sample(suffix);
        if !labels.is_empty() {
            self.text.push('{');
            self.text.push_str(labels);
            self.text.push('}');
        }
        self.text.push(' ');
        push_number(&mut self.text, value);
        self.text.push('\n');
    }

    /// Notes that a value in the text expires at this time.
    pub(super) fn expires(&mut self, at: Timestamp) {
        self.valid_until = Some(self.valid_until.map_or(at, |present| present.min(at)));
    }

    /// Returns the value of the label `le`: OpenMetrics requires `1.0` where the other format has `1`.
    pub(super) fn bucket_bound(&self, bound: f64) -> String {
        if bound.is_infinite() {
            "+Inf".to_owned()
        } else if self.format == Format::OpenMetrics && bound.fract() == 0.0 {
            format!("{bound:.1}")
        } else {
            bound.to_string()
        }
    }

    /// Returns what has not been handed on.
    pub(super) fn finish(mut self) -> Rendering {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        if let Some(sink) = self.sink {
            sink(self.text.as_bytes());
            self.text.clear();
        }
        Rendering { text: self.text.into_bytes(), valid_until: self.valid_until }
    }

    fn begin_sample(&mut self, suffix: &str) {
        if self.text.len() >= PIECE
            && let Some(sink) = &mut self.sink
        {
            sink(self.text.as_bytes());
            self.text.clear();
        }
        if !self.has_samples {
            self.has_samples = true;
            self.header();
        }
        self.text.push_str(&self.name);
        self.text.push_str(suffix);
    }

    fn header(&mut self) {
        let kind = match self.kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
        };
        let open_metrics = self.format == Format::OpenMetrics;
        let mut name = self.name.as_str();
        if open_metrics && self.kind == Kind::Counter {
            name = name.strip_suffix("_total").unwrap_or(name);
        }
        let text = &mut self.text;
        // Writing to a String cannot fail.
        let _ = write!(text, "# HELP {name} ");
        push_escaped(text, &self.help, open_metrics);
        let _ = writeln!(text, "\n# TYPE {name} {kind}");
        if let Some(unit) = UNITS.iter().find(|unit| open_metrics && has_unit(name, unit)) {
            let _ = writeln!(text, "# UNIT {name} {unit}");
        }
    }
}

/// Appends `,name="value"` to rendered labels.
pub(super) fn push_label(labels: &mut String, name: &str, value: &str) {
    if !labels.is_empty() {
        labels.push(',');
    }
    labels.push_str(name);
    labels.push_str("=\"");
    push_escaped(labels, value, true);
    labels.push('"');
}

/// Appends a text with escaped backslashes and newlines, and escaped quotes if requested.
fn push_escaped(out: &mut String, text: &str, quotes: bool) {
    // Most texts have none of these. Without an early exit, the processor checks many bytes at once.
    let has_any = text.bytes().fold(false, |found, byte| found | matches!(byte, b'\\' | b'\n' | b'"'));
    if !has_any {
        out.push_str(text);
        return;
    }
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            _ => out.push(character),
        }
    }
}

fn push_number(text: &mut String, value: f64) {
    let is_whole = value.fract() == 0.0;
    if is_whole && value.abs() < LARGEST_EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "an integer in the exact range")]
        let integer = value as i64;
        text.push_str(itoa::Buffer::new().format(integer));
    } else if is_whole {
        push_long(text, value);
    } else if value.is_finite() {
        push_fraction(text, value);
    } else if value.is_nan() {
        text.push_str("NaN");
    } else {
        text.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    }
}

/// Appends the shortest decimal number that is this fraction, without an exponent.
fn push_fraction(text: &mut String, value: f64) {
    let mut buffer = zmij::Buffer::new();
    let shortest = buffer.format_finite(value);
    if shortest.bytes().any(|byte| byte == b'e') {
        push_long(text, value);
    } else {
        text.push_str(shortest);
    }
}

/// Appends a number that would be written with an exponent elsewhere.
fn push_long(text: &mut String, value: f64) {
    // Writing to a String cannot fail.
    let _ = write!(text, "{value}");
}

fn has_unit(name: &str, unit: &str) -> bool {
    name.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_'))
}

/// The units that the names end with.
const UNITS: &[&str] = &["seconds", "bytes", "ratio"];

/// 2^53: up to here every integer is an f64.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

const INITIAL_CAPACITY: usize = 64 << 10;

/// A piece is this long, and at most a sample and a header longer. It fits into the processor's cache.
const PIECE: usize = 48 << 10;

/// Bytes of a property's built-in reports, and some more. Unused memory is never touched.
const PER_PROPERTY: usize = 10 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a parser of the format makes of an escaped label value.
    fn parsed(labels: &str) -> Option<String> {
        let mut characters = labels.strip_prefix("a=\"")?.strip_suffix('"')?.chars();
        let mut value = String::new();
        while let Some(character) = characters.next() {
            match character {
                '\\' => value.push(match characters.next()? {
                    'n' => '\n',
                    other => other,
                }),
                '"' | '\n' => return None,
                _ => value.push(character),
            }
        }
        Some(value)
    }

    proptest! {
        #[test]
        fn every_label_value_survives(value in "(?s).*") {
            let mut labels = String::new();
            push_label(&mut labels, "a", &value);
            prop_assert_eq!(parsed(&labels), Some(value));
        }

        #[test]
        fn every_finite_number_survives(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
            let mut text = String::new();
            push_number(&mut text, value);
            prop_assert_eq!(text.parse::<f64>().unwrap(), value);
            prop_assert!(text.len() <= value.to_string().len(), "{} can be written shorter", text);
            prop_assert!(!text.contains('e') && !text.ends_with(".0"), "{}", text);
        }
    }

    #[test]
    fn numbers_are_written_as_people_write_them() {
        for (value, expected) in [
            (0.0, "0"),
            (1234567.0, "1234567"),
            (0.25, "0.25"),
            (-0.0, "0"),
            (1_764_000_001.234, "1764000001.234"),
            (0.000_000_012_5, "0.0000000125"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (-9_999_999_999_999_998.0, "-9999999999999998"),
            (1e22, "10000000000000000000000"),
            (-3.0, "-3"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ] {
            let mut text = String::new();
            push_number(&mut text, value);
            assert_eq!(text, expected);
        }
    }
}
