//! Prints one JSON object, written as the answers arrive.

use std::io::{self, Write};

use ga4_exporter_core::{
    query::{QueryQuality, QueryRows, serialize_numbers_compactly},
    report::{Metric, Report, Unit},
};
use serde::Serialize;

use super::super::ask::{Answered, Failure};

#[derive(Serialize)]
struct Found<'a> {
    property_id: String,
    property_name: &'a str,
    time_zone: &'a str,
    currency: &'a str,
    from: Option<String>,
    to: Option<String>,
    dimensions: Vec<&'a str>,
    metrics: Vec<Column<'a>>,
    rows: &'a QueryRows,
    row_count: u64,
    totals: Option<Sums<'a>>,
    quality: &'a QueryQuality,
}

#[derive(Serialize)]
struct Sums<'a>(#[serde(serialize_with = "serialize_numbers_compactly")] &'a [Option<f64>]);

#[derive(Serialize)]
struct Column<'a> {
    name: &'a str,
    api_name: &'a str,
    unit: Option<&'static str>,
}

pub(super) fn begin(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"{\"results\": [")
}

pub(super) fn result(report: &Report, answered: &Answered, is_first: bool, out: &mut dyn Write) -> io::Result<()> {
    let column = |(metric, unit): (&'_ Metric, &Unit)| -> (String, String, Option<&'static str>) {
        (metric.name.to_string(), metric.api_name.to_string(), word(*unit))
    };
    let columns: Vec<_> = report.metrics.iter().zip(&answered.units).map(column).collect();
    let date = |date: jiff::civil::Date| date.to_string();
    let found = Found {
        property_id: answered.property_id.to_string(),
        property_name: &answered.property_name,
        time_zone: &answered.time_zone,
        currency: &answered.currency,
        from: answered.dates.map(|(from, _)| date(from)),
        to: answered.dates.map(|(_, to)| date(to)),
        dimensions: report.dimensions.iter().map(|dimension| dimension.label.as_str()).collect(),
        metrics: columns.iter().map(|(name, api_name, unit)| Column { name, api_name, unit: *unit }).collect(),
        rows: &answered.rows,
        row_count: answered.row_count,
        totals: answered.totals.as_deref().map(Sums),
        quality: &answered.quality,
    };
    out.write_all(if is_first { b"\n" } else { b",\n" })?;
    serde_json::to_writer(&mut *out, &found)?;
    Ok(())
}

pub(super) fn end(failures: &[Failure], out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"\n], \"failures\": ")?;
    serde_json::to_writer(&mut *out, failures)?;
    out.write_all(b"}\n")
}

/// Returns the unit of the converted values; `None` for counts and values without a unit.
fn word(unit: Unit) -> Option<&'static str> {
    if unit == Unit::Currency { Some("currency") } else { unit.suffix() }
}
