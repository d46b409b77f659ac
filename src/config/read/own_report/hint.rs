//! What was meant where a report of one's own is written otherwise than here.

use super::super::super::{
    reader::quoted,
    schema,
    yaml::{Kind, Node, Value},
};
use ga4_exporter_core::{
    names::ReportName,
    report::{
        Preset,
        fields::{FieldKind, Standard},
    },
};

/// The message for what cannot be a report; `None` for what can.
pub(super) fn of_value(name: &ReportName, node: &Node) -> Option<String> {
    let is_key = schema::OWN_REPORT.names().any(|key| key == name.as_str());
    let is_report = match &node.value {
        // A report may be called like a key, but then it has keys itself.
        Value::Mapping(entries) => !is_key || has_keys(entries),
        Value::Scalar(Kind::Null, _) => !is_key,
        Value::Scalar(..) | Value::Sequence(_) => false,
    };
    if is_report {
        return None;
    }
    if is_key {
        return Some(format!(
            "`{name}` stands directly under `reports`, and belongs to a report with a name; write `reports: {{my_report: \
             {{{name}: …}}}}`"
        ));
    }
    let preset = if let Value::Scalar(_, text) = &node.value { Preset::named(text) } else { None };
    let written = match preset {
        Some(preset) => format!("`{name}: {{preset: {}}}`", preset.name),
        None => format!("`{name}: {{preset: pages}}`, or `{name}: {{metrics: [pageviews]}}`"),
    };
    Some(format!("`reports.{name}` is {}; write {written}", node.kind()))
}

/// The message for an entry of a list of fields that is a mapping.
pub(super) fn of_entry(entries: &[(Node, Node)], kind: FieldKind, path: &str) -> Option<String> {
    let texts = |(key, value): &(Node, Node)| match (&key.value, &value.value) {
        (Value::Scalar(_, key), Value::Scalar(Kind::String, value)) => Some((key.clone(), value.clone())),
        _ => None,
    };
    let list = path.trim_end_matches("[]");
    let key = if kind == FieldKind::Dimension { "dimensions" } else { "metrics" };
    let (name, field) = texts(entries.first()?)?;
    let is_beginning = Standard::all().any(|field| field.is_custom && field.kind == kind && field.api_name == name);
    let advice = if is_beginning {
        format!("write {} without a blank after the colon", quoted(&format!("{name}:{field}")))
    } else if name == "expression" {
        "expressions are not possible: ask for its metrics, and calculate in PromQL".to_owned()
    } else if name == "name" {
        format!("write {} alone", quoted(&field))
    } else if entries.len() == 1 && name != "field" && name != "unit" {
        format!("names stand in a mapping instead of the list: {}", quoted(&format!("{key}: {{{name}: {field}}}")))
    } else {
        return None;
    };
    Some(format!("an entry of `{list}` is a mapping; {advice}"))
}

/// Whether a range names its first day, as others call it.
pub(super) fn names_first_day(node: &Node) -> bool {
    let is_first = |(key, _): &(Node, Node)| matches!(&key.value, Value::Scalar(_, text) if text.starts_with("start"));
    matches!(&node.value, Value::Mapping(entries) if entries.iter().any(is_first))
}

/// Whether a mapping has keys of a report.
fn has_keys(entries: &[(Node, Node)]) -> bool {
    entries.iter().any(|(key, _)| {
        matches!(&key.value, Value::Scalar(_, text) if schema::OWN_REPORT.names().any(|known| known == text))
    })
}

/// Keys of Google's requests and of other tools, each with what to do.
pub(super) const FOREIGN_KEYS: &[(&str, &str)] = &[
    ("dimensionFilter", "Google's filters stand under `filter`, as in `filter: {dimensionFilter: …}`"),
    ("metricFilter", "Google's filters stand under `filter`, as in `filter: {metricFilter: …}`"),
    ("filters", "write `filter: {and: […]}`"),
    ("dateRanges", "write `date_range: {from: 3daysAgo, to: today}`"),
    ("minuteRanges", "write `realtime: true`, which is on the last 30 minutes"),
    ("orderBys", "write `order_by: [-pageviews, page_path]`"),
    ("order", "write `order_by: [-pageviews, page_path]`"),
    ("sort", "write `order_by: [-pageviews, page_path]`"),
    ("offset", "a report has the first rows of its order: remove it, and raise `limit`"),
    ("keepEmptyRows", "rows in which all is 0 are left out: remove it"),
    ("metricAggregations", "totals are those of a report without dimensions: remove it"),
    ("currencyCode", "amounts are in the property's own currency: remove it"),
    ("cohortSpec", "reports here do not have cohorts: remove it"),
    ("comparisons", "reports here do not have comparisons: write a report for each, with a `filter`"),
    ("dimension", "write `dimensions: [pagePath]`, or for a condition `filter: {dimension: pagePath, …}`"),
    ("metric", "write `metrics: [pageviews]`, or for a condition `filter: {metric: pageviews, …}`"),
    ("labels", "labels follow from the dimensions: write `dimensions: {my_label: pagePath}`"),
    ("name", "the key above is the report's name: remove it"),
    ("help", "HELP follows from the metric: remove it"),
    ("property", "write `properties: [123456789]`"),
    ("property_id", "write `properties: [123456789]`"),
    ("property_ids", "write `properties: [123456789]`"),
];

/// Keys of Google's ranges.
pub(super) const FOREIGN_DATES: &[(&str, &str)] = &[
    ("startDate", "write `from: 3daysAgo`"),
    ("start_date", "write `from: 3daysAgo`"),
    ("start", "write `from: 3daysAgo`"),
    ("endDate", "write `to: today`"),
    ("end_date", "write `to: today`"),
    ("end", "write `to: today`"),
];
