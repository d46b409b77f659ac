//! The request bodies of the Data API, as far as the exporter uses them.
//!
//! Field names and limits: google/analytics/data/v1beta/analytics_data_api.proto and data.proto.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::names::{ApiName, WindowName};

/// `RunReportRequest`: a report on processed ("core") data.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunReportRequest {
    /// What to split rows by; at most 9, those of the filter included.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<Name>,
    /// What to count; 1 to 10.
    pub metrics: Vec<Name>,
    /// Days, inclusive, in the property's time zone; 1 to 4.
    pub date_ranges: Vec<DateRange>,
    /// Which rows, in which order.
    #[serde(flatten)]
    pub selection: Selection,
    /// How many rows come before the first one that is wanted.
    #[serde(skip_serializing_if = "is_zero")]
    pub offset: u64,
    /// Whether to include rows in which every metric is 0, if Google has kept them.
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
    /// Which rows, in which order.
    #[serde(flatten)]
    pub selection: Selection,
    /// Whether the answer says what is left of the quota.
    pub return_property_quota: bool,
}

/// Which rows a request wants, in which order; both kinds of requests have these fields.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Selection {
    /// `FilterExpression` over dimensions, requested or not.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "shared")]
    pub dimension_filter: Option<Arc<Value>>,
    /// `FilterExpression` over metrics of rows, after aggregation.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "shared")]
    pub metric_filter: Option<Arc<Value>>,
    /// Only by requested fields; without it, the first metric in descending order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub order_bys: Vec<OrderBy>,
    /// The most rows; without it, Google sends 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A dimension or a metric by its API name.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Name {
    /// As in the API's schema, such as `screenPageViews`.
    pub name: ApiName,
}

/// `OrderBy`: by one metric or one dimension.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct OrderBy {
    /// The field.
    #[serde(flatten)]
    pub by: OrderKey,
    /// Whether the order is descending.
    #[serde(skip_serializing_if = "is_false")]
    pub desc: bool,
}

/// The field that rows are ordered by.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum OrderKey {
    /// A number.
    Metric {
        /// Google's name of a requested metric.
        metric_name: ApiName,
    },
    /// A text, character by character.
    Dimension {
        /// Google's name of a requested dimension.
        dimension_name: ApiName,
    },
}

impl OrderKey {
    /// The field, by Google's name.
    pub fn name(&self) -> &ApiName {
        let (Self::Metric { metric_name: name } | Self::Dimension { dimension_name: name }) = self;
        name
    }
}

/// `DateRange`: days, inclusive, in the property's time zone.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DateRange {
    /// `YYYY-MM-DD`, `NdaysAgo`, `yesterday` or `today`.
    pub start_date: String,
    /// The last day, in the same forms.
    pub end_date: String,
    /// The name of this range in the answer.
    pub name: WindowName,
}

/// `MinuteRange`: minutes before now, inclusive; 0 is the current minute, 29 the oldest.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MinuteRange {
    /// The oldest minute of the range.
    pub start_minutes_ago: u32,
    /// The newest minute of the range.
    pub end_minutes_ago: u32,
    /// The name of this range in the answer.
    pub name: WindowName,
}

/// proto3 JSON omits default values.
fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Requests share a filter, since it can be long.
pub(super) fn shared<S: Serializer>(filter: &Option<Arc<Value>>, serializer: S) -> Result<S::Ok, S::Error> {
    filter.as_deref().serialize(serializer)
}
