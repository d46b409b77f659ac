//! Runs reports as the Data API does: sorted, cut to the limit, in proto3 JSON (without zeros and empty lists).

use std::{cmp::Ordering, sync::Arc};

use serde_json::{Map, Value, json};

use super::{
    custom, dates,
    fields::{Category, Metric},
    ranges::Span,
    rows::{Row, is_sampled, rows, total},
    site::Site,
    tally::Tally,
    validate::{Collation, OrderKey, Plan},
    value::Value as MetricValue,
};

/// A finished report and its number of rows, which the cost depends on.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) body: Map<String, Value>,
    pub(super) rows: usize,
}

/// Runs a plan at a time (Unix seconds).
pub(super) fn run(plan: &Plan, site: &Site, now: i64) -> Report {
    let all = rows(plan, site, now);
    let mut lines: Vec<Line<'_>> = all.iter().map(|row| Line::new(row, plan)).collect();
    lines.retain(|line| line.is_wanted(plan));
    lines.sort_by(|a, b| a.compare(b, plan));
    let mut body = Map::new();
    if !lines.is_empty() || keeps_headers(plan, site) {
        add_headers(&mut body, plan);
    }
    put(&mut body, "rowCount", json!(lines.len()));
    add_aggregations(&mut body, plan, &all, &lines);
    let shown = lines.iter().skip(plan.offset).take(plan.limit);
    let rows: Vec<Value> = shown.map(|line| line.json(plan)).collect();
    let count = rows.len();
    put(&mut body, "rows", Value::Array(rows));
    let kind = match plan.category {
        Category::Core => {
            put(&mut body, "metadata", metadata(plan, site));
            "analyticsData#runReport"
        }
        Category::Realtime => "analyticsData#runRealtimeReport",
    };
    put(&mut body, "kind", json!(kind));
    Report { body, rows: count }
}

/// Returns whether a report without rows has headers. Only a core report with dimensions does, and only if some of
/// its days are not before the creation of the property.
fn keeps_headers(plan: &Plan, site: &Site) -> bool {
    let property = &site.property;
    let ends_after_creation = |span| match span {
        Span::Days(_, last) => {
            dates::day_start(&property.zone, last.tomorrow().unwrap_or(last)) > property.created.as_second()
        }
        Span::MinutesAgo(..) => false,
    };
    !plan.dimensions.is_empty() && plan.ranges.iter().any(|range| ends_after_creation(range.span))
}

/// Returns the cost. Google's cost is not known in advance; this one is 1 for reports without dimensions, and grows
/// with columns and rows.
pub(super) fn price(plan: &Plan, rows: usize) -> u32 {
    let columns = plan.dimensions.len().saturating_sub(1);
    u32::try_from(1 + columns + rows / 100).unwrap_or(MAX_PRICE).min(MAX_PRICE)
}

/// A row with the values of its metrics.
struct Line<'a> {
    row: &'a Row,
    values: Vec<MetricValue>,
}

impl<'a> Line<'a> {
    fn new(row: &'a Row, plan: &Plan) -> Self {
        let values = plan.values.iter().map(|metric| metric.value(&row.tally)).collect();
        Self { row, values }
    }

    /// Returns whether a row is shown. Rows of zeros are shown only on request; rows for events that did not happen
    /// are never created, since GA does not know them. Without metrics every row is shown.
    fn is_wanted(&self, plan: &Plan) -> bool {
        let text = |index: usize| self.values.get(index).map_or("", |value| value.text.as_str());
        let passes = plan.metric_filter.as_ref().is_none_or(|filter| filter.passes(&text));
        let mut shown = self.values.iter().take(plan.metrics.len());
        passes && (plan.keep_empty_rows || plan.metrics.is_empty() || shown.any(|value| value.number > 0.0))
    }

    /// Compares rows by the requested keys; without any, by the first metric in descending order, as Google does.
    /// Ties are broken by all columns.
    fn compare(&self, other: &Self, plan: &Plan) -> Ordering {
        let asked = plan.order.iter().fold(Ordering::Equal, |so_far, order| {
            so_far.then_with(|| {
                let ordering = self.compare_by(other, order.by);
                if order.descending { ordering.reverse() } else { ordering }
            })
        });
        let usual = || other.compare_by(self, OrderKey::Metric(0));
        let rest = || (&self.row.values, self.row.range).cmp(&(&other.row.values, other.row.range));
        let asked = if plan.order.is_empty() { usual() } else { asked };
        asked.then_with(rest)
    }

    fn compare_by(&self, other: &Self, key: OrderKey) -> Ordering {
        match key {
            OrderKey::Metric(index) => self.number(index).total_cmp(&other.number(index)),
            OrderKey::DateRange => self.row.range.cmp(&other.row.range),
            OrderKey::Dimension(index, collation) => {
                let (a, b) = (self.dimension(index), other.dimension(index));
                match collation {
                    Collation::Alphanumeric => a.cmp(b),
                    Collation::CaseInsensitive => a.to_lowercase().cmp(&b.to_lowercase()),
                    Collation::Numeric => {
                        let number = |text: &str| text.parse().unwrap_or(f64::NEG_INFINITY);
                        number(a).total_cmp(&number(b))
                    }
                }
            }
        }
    }

    fn number(&self, index: usize) -> f64 {
        self.values.get(index).map_or(0.0, |value| value.number)
    }

    fn dimension(&self, index: usize) -> &str {
        self.row.values.get(index).map_or("", String::as_str)
    }

    fn json(&self, plan: &Plan) -> Value {
        let columns = self.row.values.iter().map(String::as_str).collect();
        row_json(plan, columns, self.row.range, &self.values)
    }
}

fn row_json<'a>(plan: &'a Plan, mut columns: Vec<&'a str>, range: usize, values: &[MetricValue]) -> Value {
    if plan.ranges.len() > 1 {
        columns.extend(plan.ranges.get(range).map(|range| range.name.as_str()));
    }
    let dimensions = columns.into_iter().map(|value| json!({ "value": value })).collect();
    let shown = values.iter().zip(&plan.invisible).filter(|(_, invisible)| !**invisible);
    let metrics = shown.map(|(value, _)| json!({"value": value.text})).collect();
    let mut row = Map::new();
    put(&mut row, "dimensionValues", Value::Array(dimensions));
    put(&mut row, "metricValues", Value::Array(metrics));
    Value::Object(row)
}

/// Adds the headers of the requested fields.
pub(super) fn add_headers(body: &mut Map<String, Value>, plan: &Plan) {
    let mut dimensions: Vec<Value> = plan.dimensions.iter().map(|dimension| json!({"name": dimension.name})).collect();
    if plan.ranges.len() > 1 {
        dimensions.push(json!({"name": "dateRange"}));
    }
    let shown = plan.metrics.iter().zip(&plan.invisible).filter(|(_, invisible)| !**invisible);
    let metrics =
        shown.map(|(metric, _)| json!({"name": metric.name, "type": metric.value_type(plan.category)})).collect();
    put(body, "dimensionHeaders", Value::Array(dimensions));
    put(body, "metricHeaders", Value::Array(metrics));
}

/// Adds one row per range for each aggregation; an empty one for a range without data.
fn add_aggregations(body: &mut Map<String, Value>, plan: &Plan, all: &[Row], lines: &[Line<'_>]) {
    for (asked, field, marker) in AGGREGATIONS {
        if !plan.aggregations.iter().any(|aggregation| aggregation == asked) {
            continue;
        }
        let row = |range: usize| {
            if lines.iter().all(|line| line.row.range != range) {
                return json!({});
            }
            let values = match *asked {
                "TOTAL" => metric_values(&plan.metrics, &total(all, range)),
                extreme => extremes(plan, lines, range, extreme == "MAXIMUM"),
            };
            row_json(plan, vec![*marker; plan.dimensions.len()], range, &values)
        };
        put(body, field, (0..plan.ranges.len()).map(row).collect());
    }
}

fn metric_values(metrics: &[Arc<Metric>], tally: &Tally) -> Vec<MetricValue> {
    metrics.iter().map(|metric| metric.value(tally)).collect()
}

fn extremes(plan: &Plan, lines: &[Line<'_>], range: usize, largest: bool) -> Vec<MetricValue> {
    let of = |index: usize| {
        let own = lines.iter().filter(|line| line.row.range == range);
        let values = own.filter_map(|line| line.values.get(index));
        let by = |a: &&MetricValue, b: &&MetricValue| a.number.total_cmp(&b.number);
        if largest { values.max_by(by) } else { values.min_by(by) }
    };
    (0..plan.metrics.len()).filter_map(of).cloned().collect()
}

fn metadata(plan: &Plan, site: &Site) -> Value {
    let property = &site.property;
    let currency = plan.currency.as_ref().unwrap_or(&property.currency);
    let mut metadata = Map::new();
    if let Some(restrictions) = custom::restrictions(&plan.metrics) {
        metadata.insert("schemaRestrictionResponse".into(), restrictions);
    }
    metadata.insert("currencyCode".into(), json!(currency));
    metadata.insert("timeZone".into(), json!(property.zone_name));
    if plan.fields.iter().any(|field| field.is_thresholded) {
        metadata.insert("subjectToThresholding".into(), json!(true));
    }
    let sampled: Vec<Value> = plan.ranges.iter().filter(|range| is_sampled(range, site)).map(|_| sampling()).collect();
    put(&mut metadata, "samplingMetadatas", Value::Array(sampled));
    Value::Object(metadata)
}

/// Half of all events were read.
fn sampling() -> Value {
    json!({"samplesReadCount": "500000", "samplingSpaceSize": "1000000"})
}

/// Writes a field as proto3 JSON does: omits it if it is zero or empty.
fn put(map: &mut Map<String, Value>, name: &str, value: Value) {
    let is_default = value.as_array().is_some_and(Vec::is_empty) || value.as_u64() == Some(0);
    if !is_default {
        map.insert(String::from(name), value);
    }
}

/// The available aggregations, the field of the answer and the value of its dimensions (COUNT is for pivots).
const AGGREGATIONS: &[(&str, &str, &str)] = &[
    ("TOTAL", "totals", "RESERVED_TOTAL"),
    ("MAXIMUM", "maximums", "RESERVED_MAX"),
    ("MINIMUM", "minimums", "RESERVED_MIN"),
];

/// The highest cost of a report, in tokens.
const MAX_PRICE: u32 = 100;
