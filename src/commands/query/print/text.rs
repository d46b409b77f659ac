//! Prints lines and tables for people.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use ga4_exporter_core::{
    report::{Report, Unit},
    shown,
};

use super::super::ask::Answered;
use crate::commands::screen::{Align, Screen};

/// Prints the answer of a property: a line for each metric, or a table if there are dimensions. `named` adds the
/// property's name, for a query of several properties.
pub(super) fn block(
    screen: Screen,
    report: &Report,
    answered: &Answered,
    named: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    if named {
        writeln!(out, "{}", screen.bold(&title(answered)))?;
    }
    if report.dimensions.is_empty() { lines(report, answered, out) } else { table(screen, report, answered, out) }
}

fn title(answered: &Answered) -> String {
    let id = answered.property_id;
    let name = shown::name(&answered.property_name);
    let dates = match answered.dates {
        Some((from, to)) if from == to => format!(", {from}"),
        Some((from, to)) => format!(", {from} to {to}"),
        None => String::new(),
    };
    if name.is_empty() { format!("property {id}{dates}") } else { format!("{name} ({id}){dates}") }
}

fn lines(report: &Report, answered: &Answered, out: &mut dyn Write) -> io::Result<()> {
    let row = answered.rows.first();
    for (index, metric) in report.metrics.iter().enumerate() {
        let value = row.and_then(|row| row.metric(index));
        let unit = currency(answered, index).map(|code| format!(" {code}")).unwrap_or_default();
        writeln!(out, "{}: {}{unit}", metric.name, number(value))?;
    }
    Ok(())
}

fn table(screen: Screen, report: &Report, answered: &Answered, out: &mut dyn Write) -> io::Result<()> {
    if answered.rows.is_empty() {
        return out.write_all(b"no rows\n");
    }
    let dimensions = report.dimensions.iter().map(|dimension| (dimension.label.to_string(), Align::Left));
    let metrics = report.metrics.iter().enumerate().map(|(index, metric)| {
        let unit = currency(answered, index).map(|code| format!(" ({code})")).unwrap_or_default();
        (format!("{}{unit}", metric.name), Align::Right)
    });
    let header: Vec<_> = dimensions.chain(metrics).collect();
    let rows = answered.rows.iter().map(|row| {
        let texts = row.dimensions().map(Cow::Borrowed);
        texts.chain(row.metrics().map(|value| Cow::Owned(number(value)))).collect()
    });
    screen.print_table(&header, rows.chain(total(report, answered)), out)
}

/// Returns the total line, if sums are meaningful. One row needs no total.
fn total<'a>(report: &Report, answered: &'a Answered) -> Option<Vec<Cow<'a, str>>> {
    let totals = answered.totals.as_ref().filter(|_| answered.rows.len() > 1)?;
    let blank = report.dimensions.iter().skip(1).map(|_| Cow::Borrowed(""));
    let sums = totals.iter().map(|sum| Cow::Owned(sum.map(|sum| number(Some(sum))).unwrap_or_default()));
    Some([Cow::Borrowed("total")].into_iter().chain(blank).chain(sums).collect())
}

fn currency(answered: &Answered, index: usize) -> Option<&str> {
    let is_amount = answered.units.get(index) == Some(&Unit::Currency);
    Some(answered.currency.as_str()).filter(|code| is_amount && !code.is_empty())
}

/// Formats a number with the decimals that people read, or `-` if Google hides it from the account.
fn number(value: Option<f64>) -> String {
    let Some(value) = value else { return "-".to_owned() };
    let text = format!("{value:.4}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_long_as_they_have_to_be() {
        for (value, expected) in [
            (Some(12345.0), "12345"),
            (Some(0.0), "0"),
            (Some(-0.000_01), "0"),
            (Some(0.498_512_3), "0.4985"),
            (Some(10.5), "10.5"),
            (Some(1e15), "1000000000000000"),
            (None, "-"),
        ] {
            assert_eq!(number(value), expected);
        }
    }
}
