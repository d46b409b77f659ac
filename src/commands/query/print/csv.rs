//! Comma-separated values as RFC 4180 defines them: one header for all properties, and lines that end in CR LF.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use ::csv::{Terminator, Writer, WriterBuilder};
use ga4_exporter_core::{report::Report, shown};

use super::super::ask::Answered;
use crate::commands::screen::Screen;

pub(super) fn header(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let dimensions = report.dimensions.iter().map(|dimension| dimension.label.as_str());
    let metrics = report.metrics.iter().map(|metric| metric.name.as_str());
    let mut writer = writer(out);
    writer.write_record(["property_id"].into_iter().chain(dimensions).chain(metrics)).map_err(of_io)?;
    writer.flush()
}

/// Prints the rows; values that Google hides from the account are empty fields.
pub(super) fn rows(answered: &Answered, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let id = answered.property_id.to_string();
    let mut writer = writer(out);
    for row in &answered.rows {
        writer.write_field(&id).map_err(of_io)?;
        for value in row.dimensions() {
            // A terminal would interpret control characters in the names of pages.
            let shown = if screen.is_terminal() { Cow::Owned(shown::name(value)) } else { Cow::Borrowed(value) };
            writer.write_field(shown.as_bytes()).map_err(of_io)?;
        }
        for number in row.metrics() {
            writer.write_field(number.map(text).unwrap_or_default()).map_err(of_io)?;
        }
        writer.write_record(None::<&[u8]>).map_err(of_io)?;
    }
    writer.flush()
}

/// Formats a number with all its digits. Zero has no sign.
fn text(number: f64) -> String {
    (if number == 0.0 { 0.0 } else { number }).to_string()
}

fn writer(out: &mut dyn Write) -> Writer<&mut dyn Write> {
    WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out)
}

/// Converts the error and keeps its kind, because callers do not treat a closed pipe as a failure.
fn of_io(error: ::csv::Error) -> io::Error {
    let message = error.to_string();
    let ::csv::ErrorKind::Io(error) = error.into_kind() else { return io::Error::other(message) };
    error
}
