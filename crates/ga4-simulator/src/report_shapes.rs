//! Changes good reports to the shapes of recorded answers, with the requested headers and ranges.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{report::add_headers, validate::Plan};

/// How a good report is changed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ReportShape {
    /// The kind, and the quota if it was requested.
    KindAlone,
    KindAndMetadata,
    KindAndEmptyMetadata,
    HeadersWithoutRows,
    /// If there are several ranges, only the first has rows.
    FirstRangeOnly,
    /// Ranges in reverse order, the first one with zeros.
    RangesReversed,
    MetadataFlags,
    /// `rowCount` includes rows beyond the limit.
    MoreRowsThanShown,
    /// Six buckets, including zeros.
    SixBuckets,
    OldZoneName,
    OtherRowAlone,
    OtherRowsAmongRows,
    RowCountWithoutRows,
    ValuesWithoutHeaders,
    RowsWithoutHeaders,
    NothingAtAll,
    WithoutKind,
    OtherKind,
    OtherHeaders,
}

impl ReportShape {
    /// Changes a report for a plan.
    pub(super) fn change(self, body: Map<String, Value>, plan: &Plan) -> Value {
        let mut report = body;
        match self {
            Self::NothingAtAll => report.clear(),
            Self::WithoutKind => drop(report.remove("kind")),
            Self::OtherKind => set(&mut report, "kind", json!("analyticsData#runPivotReport")),
            Self::KindAlone => keep(&mut report, &["kind", "propertyQuota"]),
            Self::KindAndMetadata => keep(&mut report, EMPTY),
            Self::KindAndEmptyMetadata => {
                keep(&mut report, EMPTY);
                set(&mut report, "metadata", json!({}));
            }
            Self::HeadersWithoutRows => {
                keep(&mut report, EMPTY);
                add_headers(&mut report, plan);
            }
            Self::FirstRangeOnly => first_range_only(&mut report, plan),
            Self::RangesReversed => ranges_reversed(&mut report, plan),
            Self::MetadataFlags => add_flags(&mut report),
            Self::MoreRowsThanShown => {
                let rows = report.get("rowCount").and_then(Value::as_u64).unwrap_or(0);
                set(&mut report, "rowCount", json!(rows + 2));
            }
            Self::SixBuckets => set(&mut report, "propertyQuota", six_buckets()),
            Self::OldZoneName => put_metadata(&mut report, json!({"currencyCode": "INR", "timeZone": "Asia/Calcutta"})),
            Self::OtherRowAlone => {
                keep(&mut report, EMPTY);
                add_headers(&mut report, plan);
                add_row(&mut report, plan, "(other)");
                put_metadata(&mut report, json!({"dataLossFromOtherRow": true}));
            }
            Self::OtherRowsAmongRows => {
                add_headers(&mut report, plan);
                for value in ["(other)", "(not set)"] {
                    add_row(&mut report, plan, value);
                }
                put_metadata(&mut report, json!({"dataLossFromOtherRow": true}));
            }
            Self::RowCountWithoutRows => {
                keep(&mut report, EMPTY);
                set(&mut report, "rowCount", json!(1));
            }
            Self::ValuesWithoutHeaders => {
                keep(&mut report, EMPTY);
                set(&mut report, "rows", json!([{"metricValues": [{"value": "5"}]}]));
                set(&mut report, "rowCount", json!(1));
            }
            Self::RowsWithoutHeaders => {
                report.remove("metricHeaders");
                report.remove("dimensionHeaders");
            }
            Self::OtherHeaders => {
                add_headers(&mut report, plan);
                set(&mut report, "metricHeaders", json!([{"name": "transactions", "type": "TYPE_INTEGER"}]));
            }
        }
        Value::Object(report)
    }
}

fn keep(report: &mut Map<String, Value>, wanted: &[&str]) {
    report.retain(|name, _| wanted.contains(&name.as_str()));
}

fn set(object: &mut Map<String, Value>, name: &str, value: Value) {
    object.insert(String::from(name), value);
}

fn put_metadata(report: &mut Map<String, Value>, fields: Value) {
    let metadata = report.entry("metadata").or_insert_with(|| json!({}));
    if let (Some(metadata), Value::Object(fields)) = (metadata.as_object_mut(), fields) {
        metadata.extend(fields);
    }
}

fn rows(report: &mut Map<String, Value>) -> Vec<Value> {
    match report.remove("rows") {
        Some(Value::Array(rows)) => rows,
        _ => Vec::new(),
    }
}

fn list<'a>(object: &'a mut Value, name: &str) -> &'a mut [Value] {
    object.get_mut(name).and_then(Value::as_array_mut).map_or(&mut [], Vec::as_mut_slice)
}

fn set_rows(report: &mut Map<String, Value>, rows: Vec<Value>) {
    if rows.is_empty() {
        report.remove("rowCount");
        return;
    }
    set(report, "rowCount", json!(rows.len()));
    set(report, "rows", Value::Array(rows));
}

fn first_range_only(report: &mut Map<String, Value>, plan: &Plan) {
    let mut rows = rows(report);
    rows.retain(|row| plan.ranges.len() < 2 || is_of_range(row, plan, 0));
    set_rows(report, rows);
}

/// Sets the rows of the first range to 0, with one for each row of another range, as in recordings with dimensions.
fn ranges_reversed(report: &mut Map<String, Value>, plan: &Plan) {
    let mut rows = rows(report);
    rows.reverse();
    if let (Some(first), true) = (plan.ranges.first(), plan.ranges.len() > 1) {
        rows.retain(|row| !is_of_range(row, plan, 0));
        let mut zeros: Vec<Value> = Vec::new();
        for row in &rows {
            let mut zero = row.clone();
            if let Some(range) = list(&mut zero, "dimensionValues").last_mut() {
                *range = json!({"value": first.name});
            }
            list(&mut zero, "metricValues").fill(json!({"value": "0"}));
            if !zeros.contains(&zero) {
                zeros.push(zero);
            }
        }
        rows.extend(zeros);
    }
    set_rows(report, rows);
}

fn is_of_range(row: &Value, plan: &Plan, range: usize) -> bool {
    let last = row["dimensionValues"].as_array().and_then(|values| values.last());
    last.and_then(|value| value["value"].as_str()) == plan.ranges.get(range).map(|range| range.name.as_str())
}

/// Adds a row with this value in all requested dimensions, and 1 for every metric.
fn add_row(report: &mut Map<String, Value>, plan: &Plan, value: &str) {
    let mut columns = vec![json!({ "value": value }); plan.dimensions.len()];
    if let (Some(first), true) = (plan.ranges.first(), plan.ranges.len() > 1) {
        columns.push(json!({"value": first.name}));
    }
    let metrics = vec![json!({"value": "1"}); plan.metrics.len()];
    let mut row = Map::new();
    for (name, values) in [("dimensionValues", columns), ("metricValues", metrics)] {
        if !values.is_empty() {
            set(&mut row, name, Value::Array(values));
        }
    }
    let mut rows = rows(report);
    rows.push(Value::Object(row));
    set_rows(report, rows);
}

fn add_flags(report: &mut Map<String, Value>) {
    put_metadata(
        report,
        json!({
            "dataLossFromOtherRow": true,
            "subjectToThresholding": true,
            "samplingMetadatas": [{"samplesReadCount": "42103", "samplingSpaceSize": "1204500"}],
            "schemaRestrictionResponse": {
                "activeMetricRestrictions": [
                    {"metricName": "purchaseRevenue", "restrictedMetricTypes": ["REVENUE_DATA"]},
                ],
            },
            "dataTruncationReasons": [{
                "dataTruncationType": "DATA_TRUNCATION_TYPE_PROPERTY",
                "dataTruncationMessage": "Data before the retention date is not available.",
                "dataTruncationDate": "2023-09-01",
            }],
        }),
    );
}

fn six_buckets() -> Value {
    json!({
        "tokensPerDay": {"consumed": 1, "remaining": 199_999},
        "tokensPerHour": {"consumed": 1, "remaining": 39_999},
        "concurrentRequests": {"consumed": 0, "remaining": 10},
        "serverErrorsPerProjectPerHour": {"consumed": 0, "remaining": 10},
        "potentiallyThresholdedRequestsPerHour": {"consumed": 0, "remaining": 120},
        "tokensPerProjectPerHour": {"consumed": 1, "remaining": 13_999},
    })
}

/// The fields of an empty core report.
const EMPTY: &[&str] = &["kind", "metadata", "propertyQuota"];
