//! The request messages of the Data API v1beta (google/analytics/data/v1beta/{data,analytics_data_api}.proto).

use super::wire::{
    Enumeration,
    Kind::{self, Double, Enum, Flag, Int32, Int64, List, Text},
    Message,
};

/// `RunReportRequest`
pub(super) static RUN_REPORT: Message = message(
    "RunReportRequest",
    &[
        ("property", Text),
        ("dimensions", List(&Kind::Message(&DIMENSION))),
        ("metrics", List(&Kind::Message(&METRIC))),
        ("dateRanges", List(&Kind::Message(&DATE_RANGE))),
        ("dimensionFilter", Kind::Message(&FILTER_EXPRESSION)),
        ("metricFilter", Kind::Message(&FILTER_EXPRESSION)),
        ("offset", Int64),
        ("limit", Int64),
        ("metricAggregations", List(&Enum(&METRIC_AGGREGATION))),
        ("orderBys", List(&Kind::Message(&ORDER_BY))),
        ("currencyCode", Text),
        ("cohortSpec", Kind::Message(&COHORT_SPEC)),
        ("keepEmptyRows", Flag),
        ("returnPropertyQuota", Flag),
        ("comparisons", List(&Kind::Message(&COMPARISON))),
    ],
);

/// `BatchRunReportsRequest`
pub(super) static BATCH_RUN_REPORTS: Message =
    message("BatchRunReportsRequest", &[("property", Text), ("requests", List(&Kind::Message(&RUN_REPORT)))]);

/// `RunRealtimeReportRequest`
pub(super) static RUN_REALTIME_REPORT: Message = message(
    "RunRealtimeReportRequest",
    &[
        ("property", Text),
        ("dimensions", List(&Kind::Message(&DIMENSION))),
        ("metrics", List(&Kind::Message(&METRIC))),
        ("dimensionFilter", Kind::Message(&FILTER_EXPRESSION)),
        ("metricFilter", Kind::Message(&FILTER_EXPRESSION)),
        ("limit", Int64),
        ("metricAggregations", List(&Enum(&METRIC_AGGREGATION))),
        ("orderBys", List(&Kind::Message(&ORDER_BY))),
        ("returnPropertyQuota", Flag),
        ("minuteRanges", List(&Kind::Message(&MINUTE_RANGE))),
    ],
);

/// `CheckCompatibilityRequest`
pub(super) static CHECK_COMPATIBILITY: Message = message(
    "CheckCompatibilityRequest",
    &[
        ("property", Text),
        ("dimensions", List(&Kind::Message(&DIMENSION))),
        ("metrics", List(&Kind::Message(&METRIC))),
        ("dimensionFilter", Kind::Message(&FILTER_EXPRESSION)),
        ("metricFilter", Kind::Message(&FILTER_EXPRESSION)),
        ("compatibilityFilter", Enum(&COMPATIBILITY)),
    ],
);

static DIMENSION: Message =
    message("Dimension", &[("name", Text), ("dimensionExpression", Kind::Message(&DIMENSION_EXPRESSION))]);

static DIMENSION_EXPRESSION: Message = message(
    "DimensionExpression",
    &[
        ("lowerCase", Kind::Message(&CASE_EXPRESSION)),
        ("upperCase", Kind::Message(&CASE_EXPRESSION)),
        ("concatenate", Kind::Message(&CONCATENATE_EXPRESSION)),
    ],
);

static CASE_EXPRESSION: Message = message("CaseExpression", &[("dimensionName", Text)]);

static CONCATENATE_EXPRESSION: Message =
    message("ConcatenateExpression", &[("dimensionNames", List(&Text)), ("delimiter", Text)]);

static METRIC: Message = message("Metric", &[("name", Text), ("expression", Text), ("invisible", Flag)]);

static DATE_RANGE: Message = message("DateRange", &[("startDate", Text), ("endDate", Text), ("name", Text)]);

static MINUTE_RANGE: Message =
    message("MinuteRange", &[("startMinutesAgo", Int32), ("endMinutesAgo", Int32), ("name", Text)]);

static FILTER_EXPRESSION: Message = Message {
    name: "FilterExpression",
    fields: &[
        ("andGroup", Kind::Message(&FILTER_EXPRESSION_LIST)),
        ("orGroup", Kind::Message(&FILTER_EXPRESSION_LIST)),
        ("notExpression", Kind::Message(&FILTER_EXPRESSION)),
        ("filter", Kind::Message(&FILTER)),
    ],
    one_of: Some(("expr", &["andGroup", "orGroup", "notExpression", "filter"])),
};

static FILTER_EXPRESSION_LIST: Message =
    message("FilterExpressionList", &[("expressions", List(&Kind::Message(&FILTER_EXPRESSION)))]);

static FILTER: Message = Message {
    name: "Filter",
    fields: &[
        ("fieldName", Text),
        ("stringFilter", Kind::Message(&STRING_FILTER)),
        ("inListFilter", Kind::Message(&IN_LIST_FILTER)),
        ("numericFilter", Kind::Message(&NUMERIC_FILTER)),
        ("betweenFilter", Kind::Message(&BETWEEN_FILTER)),
        ("emptyFilter", Kind::Message(&EMPTY_FILTER)),
    ],
    one_of: Some(("one_filter", &["stringFilter", "inListFilter", "numericFilter", "betweenFilter", "emptyFilter"])),
};

static STRING_FILTER: Message =
    message("StringFilter", &[("matchType", Enum(&MATCH_TYPE)), ("value", Text), ("caseSensitive", Flag)]);

static IN_LIST_FILTER: Message = message("InListFilter", &[("values", List(&Text)), ("caseSensitive", Flag)]);

static NUMERIC_FILTER: Message =
    message("NumericFilter", &[("operation", Enum(&OPERATION)), ("value", Kind::Message(&NUMERIC_VALUE))]);

static BETWEEN_FILTER: Message = message(
    "BetweenFilter",
    &[("fromValue", Kind::Message(&NUMERIC_VALUE)), ("toValue", Kind::Message(&NUMERIC_VALUE))],
);

static EMPTY_FILTER: Message = message("EmptyFilter", &[]);

static NUMERIC_VALUE: Message = Message {
    name: "NumericValue",
    fields: &[("int64Value", Int64), ("doubleValue", Double)],
    one_of: Some(("one_value", &["int64Value", "doubleValue"])),
};

static ORDER_BY: Message = Message {
    name: "OrderBy",
    fields: &[
        ("metric", Kind::Message(&METRIC_ORDER_BY)),
        ("dimension", Kind::Message(&DIMENSION_ORDER_BY)),
        ("desc", Flag),
    ],
    one_of: Some(("one_order_by", &["metric", "dimension"])),
};

static METRIC_ORDER_BY: Message = message("MetricOrderBy", &[("metricName", Text)]);

static DIMENSION_ORDER_BY: Message =
    message("DimensionOrderBy", &[("dimensionName", Text), ("orderType", Enum(&ORDER_TYPE))]);

static COMPARISON: Message = message(
    "Comparison",
    &[("name", Text), ("dimensionFilter", Kind::Message(&FILTER_EXPRESSION)), ("comparison", Text)],
);

/// Known, but refused when it is used, so its fields do not matter.
static COHORT_SPEC: Message = message(
    "CohortSpec",
    &[
        ("cohorts", List(&Kind::Message(&COHORT))),
        ("cohortsRange", Kind::Message(&COHORTS_RANGE)),
        ("cohortReportSettings", Kind::Message(&COHORT_REPORT_SETTINGS)),
    ],
);

static COHORT: Message =
    message("Cohort", &[("name", Text), ("dimension", Text), ("dateRange", Kind::Message(&DATE_RANGE))]);

static COHORTS_RANGE: Message =
    message("CohortsRange", &[("granularity", Enum(&GRANULARITY)), ("startOffset", Int32), ("endOffset", Int32)]);

static COHORT_REPORT_SETTINGS: Message = message("CohortReportSettings", &[("accumulate", Flag)]);

static METRIC_AGGREGATION: Enumeration = Enumeration {
    name: "MetricAggregation",
    values: &[("METRIC_AGGREGATION_UNSPECIFIED", 0), ("TOTAL", 1), ("MINIMUM", 5), ("MAXIMUM", 6), ("COUNT", 4)],
};

static MATCH_TYPE: Enumeration = Enumeration {
    name: "Filter.StringFilter.MatchType",
    values: &[
        ("MATCH_TYPE_UNSPECIFIED", 0),
        ("EXACT", 1),
        ("BEGINS_WITH", 2),
        ("ENDS_WITH", 3),
        ("CONTAINS", 4),
        ("FULL_REGEXP", 5),
        ("PARTIAL_REGEXP", 6),
    ],
};

static OPERATION: Enumeration = Enumeration {
    name: "Filter.NumericFilter.Operation",
    values: &[
        ("OPERATION_UNSPECIFIED", 0),
        ("EQUAL", 1),
        ("LESS_THAN", 2),
        ("LESS_THAN_OR_EQUAL", 3),
        ("GREATER_THAN", 4),
        ("GREATER_THAN_OR_EQUAL", 5),
    ],
};

static ORDER_TYPE: Enumeration = Enumeration {
    name: "OrderBy.DimensionOrderBy.OrderType",
    values: &[("ORDER_TYPE_UNSPECIFIED", 0), ("ALPHANUMERIC", 1), ("CASE_INSENSITIVE_ALPHANUMERIC", 2), ("NUMERIC", 3)],
};

static GRANULARITY: Enumeration = Enumeration {
    name: "CohortsRange.Granularity",
    values: &[("GRANULARITY_UNSPECIFIED", 0), ("DAILY", 1), ("WEEKLY", 2), ("MONTHLY", 3)],
};

static COMPATIBILITY: Enumeration = Enumeration {
    name: "Compatibility",
    values: &[("COMPATIBILITY_UNSPECIFIED", 0), ("COMPATIBLE", 1), ("INCOMPATIBLE", 2)],
};

const fn message(name: &'static str, fields: &'static [(&'static str, Kind)]) -> Message {
    Message { name, fields, one_of: None }
}
