//! What recorded answers make of good ones: the same headers, ranges and properties as were asked for, in another shape.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{report::add_headers, validate::Plan};

/// How a good answer is changed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Shape {
    /// Reports: the kind, and the quota if it was asked for.
    KindAlone,
    KindAndMetadata,
    KindAndEmptyMetadata,
    HeadersWithoutRows,
    /// Of several ranges, only the first has rows.
    FirstRangeOnly,
    /// Ranges in the opposite order, the first one with zeros.
    RangesReversed,
    MetadataFlags,
    /// `rowCount` counts beyond the limit.
    MoreRowsThanShown,
    /// Six buckets, with their zeros.
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
    /// The listing: an account without properties, nulls and keys that nobody knows.
    StrangeKeys,
    UnreadableEntry,
    /// Sign-in: more fields than documented.
    MoreFields,
    LifetimeAsText,
    /// The rest of a token's life, as the metadata server answers from its cache.
    CachedToken,
}

impl Shape {
    /// A report for a plan.
    pub(super) fn of_report(self, body: Map<String, Value>, plan: &Plan) -> Value {
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
            Self::StrangeKeys | Self::UnreadableEntry | Self::MoreFields | Self::LifetimeAsText | Self::CachedToken => {
            }
        }
        Value::Object(report)
    }

    /// A page of the listing.
    pub(super) fn change_listing(self, body: &mut Value) {
        let Some(listing) = body.as_object_mut() else {
            return;
        };
        let accounts = listing.entry("accountSummaries").or_insert_with(|| json!([]));
        let Some(accounts) = accounts.as_array_mut() else {
            return;
        };
        match self {
            Self::StrangeKeys => {
                accounts.iter_mut().for_each(strange_account);
                accounts.insert(0, empty_account());
                set(listing, "nextPageToken", Value::Null);
            }
            Self::UnreadableEntry => {
                let unreadable = json!({"property": 7, "displayName": {"text": "?"}, "parent": null});
                let first = accounts.first_mut().and_then(|account| account.get_mut("propertySummaries"));
                if let Some(properties) = first.and_then(Value::as_array_mut) {
                    properties.insert(0, unreadable);
                }
                accounts.insert(0, json!("accountSummaries/1"));
            }
            _ => {}
        }
    }

    /// An answer of the token endpoint or of the metadata server.
    pub(super) fn change_token(self, body: &mut Value) {
        let Some(token) = body.as_object_mut().filter(|token| token.contains_key("access_token")) else {
            return;
        };
        let lifetime = token.get("expires_in").and_then(Value::as_i64).unwrap_or_default();
        match self {
            Self::MoreFields => {
                let scope = "email https://www.googleapis.com/auth/analytics.readonly";
                set(token, "scope", json!(scope));
                set(token, "refresh_token", json!("1//simulated-refresh-token"));
            }
            Self::LifetimeAsText => set(token, "expires_in", json!(lifetime.to_string())),
            Self::CachedToken => set(token, "expires_in", json!(lifetime.min(3462))),
            _ => {}
        }
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

fn set_rows(report: &mut Map<String, Value>, rows: Vec<Value>) {
    if !rows.is_empty() {
        set(report, "rowCount", json!(rows.len()));
        set(report, "rows", Value::Array(rows));
    } else {
        report.remove("rowCount");
    }
}

fn first_range_only(report: &mut Map<String, Value>, plan: &Plan) {
    let mut rows = rows(report);
    rows.retain(|row| plan.ranges.len() < 2 || is_of_range(row, plan, 0));
    set_rows(report, rows);
}

/// Rows of the first range read 0, and there is one for each row of another range, as in recordings with dimensions.
fn ranges_reversed(report: &mut Map<String, Value>, plan: &Plan) {
    let mut rows = rows(report);
    rows.reverse();
    if let (Some(first), true) = (plan.ranges.first(), plan.ranges.len() > 1) {
        rows.retain(|row| !is_of_range(row, plan, 0));
        let mut zeros: Vec<Value> = Vec::new();
        for row in &rows {
            let mut zero = row.clone();
            if let Some(range) = zero["dimensionValues"].as_array_mut().and_then(|values| values.last_mut()) {
                *range = json!({"value": first.name});
            }
            for value in zero["metricValues"].as_array_mut().into_iter().flatten() {
                *value = json!({"value": "0"});
            }
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

/// A row with this value in all columns that were asked for, and 1 for every metric.
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

fn strange_account(account: &mut Value) {
    let id = last_segment(&account["account"]);
    for property in account["propertySummaries"].as_array_mut().into_iter().flatten() {
        *property = json!({
            "displayName": property["displayName"],
            "property": property["property"],
            "_id": last_segment(&property["property"]),
            "_accountID": id,
        });
    }
    account["_id"] = json!(id);
}

fn empty_account() -> Value {
    json!({
        "account": "accounts/123456789",
        "displayName": "Example Org",
        "name": "accountSummaries/123456789",
        "_id": "123456789",
        "propertySummaries": [],
    })
}

fn last_segment(name: &Value) -> String {
    let name = name.as_str().unwrap_or_default();
    String::from(name.rsplit('/').next().unwrap_or_default())
}

/// What an empty core report has.
const EMPTY: &[&str] = &["kind", "metadata", "propertyQuota"];
