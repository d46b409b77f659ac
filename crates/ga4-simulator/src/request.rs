//! Requests of the Data API, parsed from the output of [`super::wire`]: typed, with a default for every field.

use serde::Deserialize;
use serde_json::Value;

/// `RunReportRequest` and `RunRealtimeReportRequest`; the schema defines the fields of each.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ReportRequest {
    pub(super) property: String,
    pub(super) dimensions: Vec<DimensionRequest>,
    pub(super) metrics: Vec<MetricRequest>,
    pub(super) date_ranges: Vec<DateRange>,
    pub(super) minute_ranges: Vec<MinuteRange>,
    pub(super) dimension_filter: Option<FilterExpression>,
    pub(super) metric_filter: Option<FilterExpression>,
    pub(super) offset: i64,
    pub(super) limit: i64,
    pub(super) metric_aggregations: Vec<String>,
    pub(super) order_bys: Vec<OrderBy>,
    pub(super) currency_code: String,
    pub(super) cohort_spec: Option<Value>,
    pub(super) keep_empty_rows: bool,
    pub(super) return_property_quota: bool,
    pub(super) comparisons: Vec<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct BatchRequest {
    pub(super) property: String,
    pub(super) requests: Vec<ReportRequest>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CompatibilityRequest {
    pub(super) property: String,
    pub(super) dimensions: Vec<DimensionRequest>,
    pub(super) metrics: Vec<MetricRequest>,
    pub(super) dimension_filter: Option<FilterExpression>,
    pub(super) metric_filter: Option<FilterExpression>,
    pub(super) compatibility_filter: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct DimensionRequest {
    pub(super) name: String,
    pub(super) dimension_expression: Option<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct MetricRequest {
    pub(super) name: String,
    pub(super) expression: String,
    pub(super) invisible: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct DateRange {
    pub(super) start_date: String,
    pub(super) end_date: String,
    pub(super) name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct MinuteRange {
    pub(super) start_minutes_ago: Option<i32>,
    pub(super) end_minutes_ago: Option<i32>,
    pub(super) name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FilterExpression {
    pub(super) and_group: Option<FilterExpressionList>,
    pub(super) or_group: Option<FilterExpressionList>,
    pub(super) not_expression: Option<Box<Self>>,
    pub(super) filter: Option<Filter>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FilterExpressionList {
    pub(super) expressions: Vec<FilterExpression>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Filter {
    pub(super) field_name: String,
    pub(super) string_filter: Option<StringFilter>,
    pub(super) in_list_filter: Option<InListFilter>,
    pub(super) numeric_filter: Option<NumericFilter>,
    pub(super) between_filter: Option<BetweenFilter>,
    pub(super) empty_filter: Option<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct StringFilter {
    pub(super) match_type: String,
    pub(super) value: String,
    pub(super) case_sensitive: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct InListFilter {
    pub(super) values: Vec<String>,
    pub(super) case_sensitive: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct NumericFilter {
    pub(super) operation: String,
    pub(super) value: NumericValue,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct BetweenFilter {
    pub(super) from_value: NumericValue,
    pub(super) to_value: NumericValue,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct NumericValue {
    pub(super) int64_value: Option<f64>,
    pub(super) double_value: Option<f64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct OrderBy {
    pub(super) metric: Option<MetricOrderBy>,
    pub(super) dimension: Option<DimensionOrderBy>,
    pub(super) desc: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct MetricOrderBy {
    pub(super) metric_name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct DimensionOrderBy {
    pub(super) dimension_name: String,
    pub(super) order_type: String,
}

impl NumericValue {
    /// Returns the number, or proto3's default if none is given.
    pub(super) fn number(&self) -> f64 {
        self.int64_value.or(self.double_value).unwrap_or(0.0)
    }
}
