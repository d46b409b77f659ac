//! The bodies that the Data API takes, as far as the exporter asks.
//!
//! Field names and limits: google/analytics/data/v1beta/analytics_data_api.proto and data.proto.

use serde::Serialize;

/// `RunReportRequest`: a report on processed ("core") data.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunReportRequest {
    /// What to split rows by; at most 9.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<Name>,
    /// What to count; 1 to 10.
    pub metrics: Vec<Name>,
    /// Days, inclusive, in the property's time zone; 1 to 4.
    pub date_ranges: Vec<DateRange>,
    /// Whether rows are wanted in which every metric is 0, as far as Google has kept them.
    #[serde(skip_serializing_if = "is_false")]
    pub keep_empty_rows: bool,
    /// Whether the answer says what is left of the quota.
    pub return_property_quota: bool,
}

/// `RunRealtimeReportRequest`: a report on the last 30 minutes.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunRealtimeReportRequest {
    /// What to split rows by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<Name>,
    /// What to count.
    pub metrics: Vec<Name>,
    /// Minutes before now, inclusive; 1 or 2 ranges.
    pub minute_ranges: Vec<MinuteRange>,
    /// Whether the answer says what is left of the quota.
    pub return_property_quota: bool,
}

/// A dimension or a metric by its API name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Name {
    /// As in the API's schema, such as `screenPageViews`.
    pub name: &'static str,
}

/// `DateRange`: days, inclusive, in the property's time zone.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DateRange {
    /// `YYYY-MM-DD`, `NdaysAgo`, `yesterday` or `today`.
    pub start_date: String,
    /// The last day, in the same forms.
    pub end_date: String,
    /// What the answer calls this range.
    pub name: &'static str,
}

/// `MinuteRange`: minutes before now, inclusive; 0 is the current minute, 29 the oldest.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MinuteRange {
    /// The oldest minute of the range.
    pub start_minutes_ago: u32,
    /// The newest minute of the range.
    pub end_minutes_ago: u32,
    /// What the answer calls this range.
    pub name: &'static str,
}

/// proto3 JSON leaves out what has its default.
fn is_false(value: &bool) -> bool {
    !value
}
