//! A report of one's own as YAML.

use std::fmt::{self, Write as _};

use super::{super::OwnReport, Quoted, value};
use ga4_exporter_core::{
    names::Category,
    report::{
        Metric, Range, Report, Scope,
        fields::{self, FieldKind},
    },
    wire::request::OrderKey,
};

/// Everything that it is, whether or not it came from a preset.
pub(super) fn write(own: &OwnReport, out: &mut String) -> fmt::Result {
    let OwnReport { enabled, report } = own;
    writeln!(out, "  {}:\n    enabled: {enabled}", report.name)?;
    if report.category == Category::Realtime {
        writeln!(out, "    realtime: true")?;
    }
    let dimensions: Vec<_> = report
        .dimensions
        .iter()
        .map(|dimension| format!("{}: {}", dimension.label, Quoted(dimension.api_name.as_str())))
        .collect();
    if !dimensions.is_empty() {
        writeln!(out, "    dimensions: {{{}}}", dimensions.join(", "))?;
    }
    let metrics: Vec<_> = report.metrics.iter().map(|one| metric(one, report.category)).collect();
    writeln!(out, "    metrics: {{{}}}", metrics.join(", "))?;
    range(report, out)?;
    filter(report, out)?;
    order(report, out)?;
    if let Some(limit) = report.limit {
        writeln!(out, "    limit: {limit}")?;
    }
    writeln!(out, "    max_series: {}", report.max_series)?;
    writeln!(out, "    interval: {}", humantime::format_duration(report.interval))?;
    writeln!(out, "    stale_after: {}", value::format_stale_after(report.stale_after))?;
    if let Scope::Only(properties) = &report.scope {
        let properties: Vec<_> = properties.iter().map(ToString::to_string).collect();
        writeln!(out, "    properties: [{}]", properties.join(", "))?;
    }
    Ok(())
}

fn metric(metric: &Metric, category: Category) -> String {
    let (name, field) = (&metric.name, metric.api_name.as_str());
    let known = fields::find(FieldKind::Metric, field, category).ok().and_then(|known| known.standard.unit);
    match known {
        Some(_) => format!("{name}: {}", Quoted(field)),
        None => format!("{name}: {{field: {}, unit: {}}}", Quoted(field), metric.unit.word()),
    }
}

fn range(report: &Report, out: &mut String) -> fmt::Result {
    let Some(Range::Days(first, last)) = report.windows.first().map(|window| window.range) else { return Ok(()) };
    let named = Range::NAMED.iter().find(|(_, range)| *range == Range::Days(first, last));
    match named {
        Some((name, _)) => writeln!(out, "    date_range: {name}"),
        None => writeln!(out, "    date_range: {{from: {first}, to: {last}}}"),
    }
}

/// As Google's own JSON, which is YAML too.
fn filter(report: &Report, out: &mut String) -> fmt::Result {
    let (dimensions, metrics) = (report.filter.dimension_filter(), report.filter.metric_filter());
    let parts: Vec<_> = [("dimensionFilter", dimensions), ("metricFilter", metrics)]
        .into_iter()
        .filter_map(|(key, filter)| Some(format!("{key}: {}", filter?)))
        .collect();
    if parts.is_empty() { Ok(()) } else { writeln!(out, "    filter: {{{}}}", parts.join(", ")) }
}

fn order(report: &Report, out: &mut String) -> fmt::Result {
    let orders: Vec<_> = report
        .order
        .iter()
        .map(|order| {
            let (OrderKey::Metric { metric_name: name } | OrderKey::Dimension { dimension_name: name }) = &order.by;
            Quoted(&format!("{}{name}", if order.desc { "-" } else { "" })).to_string()
        })
        .collect();
    if orders.is_empty() { Ok(()) } else { writeln!(out, "    order_by: [{}]", orders.join(", ")) }
}
