//! A request for a report, checked in Google's order and compiled into a plan that cannot fail any more.
//!
//! Texts that users quote are Google's; the others are modelled on them (marked so where they stand).

use jiff::civil::Date;

use super::{
    errors::ApiError,
    fields::{Category, DIMENSIONS, Dimension, METRICS, Metric},
    filter::Condition,
    ranges::{Range, date_ranges, minute_ranges},
    request::{DimensionRequest, FilterExpression, MetricRequest, OrderBy, ReportRequest},
    spelling::unknown_field,
};

/// A report that can be run.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) category: Category,
    /// The columns of the report.
    pub(super) dimensions: Vec<&'static Dimension>,
    /// Those, and behind them others that only the filter looks at.
    pub(super) fields: Vec<&'static Dimension>,
    pub(super) metrics: Vec<&'static Metric>,
    /// Which of the metrics are not shown.
    pub(super) invisible: Vec<bool>,
    pub(super) ranges: Vec<Range>,
    pub(super) dimension_filter: Option<Condition>,
    pub(super) metric_filter: Option<Condition>,
    pub(super) order: Vec<Order>,
    pub(super) limit: usize,
    pub(super) offset: usize,
    pub(super) keep_empty_rows: bool,
    pub(super) aggregations: Vec<String>,
    /// The currency asked for, if not the property's own.
    pub(super) currency: Option<String>,
    pub(super) return_quota: bool,
}

/// One sort key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Order {
    pub(super) by: OrderKey,
    pub(super) descending: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum OrderKey {
    Metric(usize),
    Dimension(usize, Collation),
    DateRange,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Collation {
    Alphanumeric,
    CaseInsensitive,
    Numeric,
}

/// Checks and compiles a request. `today` is the property's local date, `minutes` the age of its oldest realtime minute.
pub(super) fn plan(request: &ReportRequest, category: Category, today: Date, minutes: i32) -> Result<Plan, ApiError> {
    check_sizes(request, category)?;
    let dimensions = dimensions(&request.dimensions, category)?;
    let metrics = metrics(&request.metrics, category)?;
    let ranges = match category {
        Category::Core => date_ranges(&request.date_ranges, today)?,
        Category::Realtime => minute_ranges(&request.minute_ranges, minutes)?,
    };
    let mut fields = dimensions.clone();
    let dimension_filter = dimension_filter(request.dimension_filter.as_ref(), &mut fields, category)?;
    check_compatible(&fields, &metrics)?;
    Ok(Plan {
        category,
        metric_filter: metric_filter(request.metric_filter.as_ref(), &metrics)?,
        order: order(&request.order_bys, &dimensions, &metrics, ranges.len() > 1)?,
        limit: limit(request.limit)?,
        offset: offset(request.offset)?,
        keep_empty_rows: request.keep_empty_rows,
        aggregations: request.metric_aggregations.clone(),
        currency: currency(&request.currency_code)?,
        return_quota: request.return_property_quota,
        invisible: request.metrics.iter().map(|metric| metric.invisible).collect(),
        dimensions,
        fields,
        metrics,
        ranges,
        dimension_filter,
    })
}

/// The dimensions of a request by name.
pub(super) fn dimensions(
    requested: &[DimensionRequest],
    category: Category,
) -> Result<Vec<&'static Dimension>, ApiError> {
    let mut dimensions: Vec<&'static Dimension> = Vec::new();
    for DimensionRequest { name, dimension_expression } in requested {
        if dimension_expression.is_some() {
            return Err(unsupported("dimensionExpression"));
        }
        let dimension = dimension(name, category)?;
        if dimensions.iter().any(|other| other.name == dimension.name) {
            // Modelled.
            return Err(ApiError::invalid(format!("Found duplicate dimension {name} in the request.")));
        }
        dimensions.push(dimension);
    }
    Ok(dimensions)
}

/// The metrics of a request by name.
pub(super) fn metrics(requested: &[MetricRequest], category: Category) -> Result<Vec<&'static Metric>, ApiError> {
    let mut metrics: Vec<&'static Metric> = Vec::new();
    for MetricRequest { name, expression, .. } in requested {
        if !expression.is_empty() {
            return Err(unsupported("metric expression"));
        }
        let Some(metric) = Metric::find(name, category) else {
            let known = METRICS.iter().filter(|field| category.offers(field.reports));
            return Err(unknown_field(name, "metric", known.map(|field| field.name)));
        };
        if metrics.iter().any(|other| other.name == metric.name) {
            // Modelled.
            return Err(ApiError::invalid(format!("Found duplicate metric {name} in the request.")));
        }
        metrics.push(metric);
    }
    Ok(metrics)
}

/// Refuses dimensions and metrics that do not go together.
pub(super) fn check_compatible(dimensions: &[&'static Dimension], metrics: &[&'static Metric]) -> Result<(), ApiError> {
    let wrong = metrics.iter().find(|metric| dimensions.iter().any(|dimension| !dimension.is_compatible(metric)));
    match wrong {
        Some(metric) => Err(ApiError::invalid(format!(
            "Please remove {} to make the request compatible. The request's dimensions & metrics are incompatible. To \
             learn more, see https://ga-dev-tools.google/ga4/dimensions-metrics-explorer/",
            metric.name
        ))),
        None => Ok(()),
    }
}

fn check_sizes(request: &ReportRequest, category: Category) -> Result<(), ApiError> {
    let (dimensions, metrics) = (request.dimensions.len(), request.metrics.len());
    if dimensions > MAX_DIMENSIONS {
        return Err(ApiError::invalid(format!(
            "Requests are limited to {MAX_DIMENSIONS} dimensions within a nested request. This request is for \
             {dimensions} dimensions."
        )));
    }
    if metrics > MAX_METRICS {
        return Err(ApiError::invalid(format!(
            "Requests are limited to {MAX_METRICS} metrics within a nested request. This request is for {metrics} \
             metrics."
        )));
    }
    if metrics == 0 {
        // Modelled.
        return Err(ApiError::invalid("Requests must have at least 1 metric. This request is for 0 metrics."));
    }
    if category == Category::Core && request.date_ranges.is_empty() && request.cohort_spec.is_none() {
        // Modelled.
        return Err(ApiError::invalid("Requests must have at least 1 date range, or a cohort specification."));
    }
    if request.date_ranges.len() > MAX_DATE_RANGES {
        // Modelled.
        return Err(ApiError::invalid(format!(
            "Requests are limited to {MAX_DATE_RANGES} dateRanges. This request is for {} dateRanges.",
            request.date_ranges.len()
        )));
    }
    if request.minute_ranges.len() > MAX_MINUTE_RANGES {
        // Modelled.
        return Err(ApiError::invalid(format!(
            "Requests are limited to {MAX_MINUTE_RANGES} minuteRanges. This request is for {} minuteRanges.",
            request.minute_ranges.len()
        )));
    }
    if request.cohort_spec.is_some() {
        return Err(unsupported("cohortSpec"));
    }
    if !request.comparisons.is_empty() {
        return Err(unsupported("comparisons"));
    }
    Ok(())
}

/// What Google can do and this simulator cannot is refused, never answered wrongly.
fn unsupported(what: &str) -> ApiError {
    ApiError::invalid(format!("This simulator of Google Analytics does not support: {what}."))
}

fn dimension(name: &str, category: Category) -> Result<&'static Dimension, ApiError> {
    Dimension::find(name, category).ok_or_else(|| {
        let known = DIMENSIONS.iter().filter(|field| category.offers(field.reports));
        unknown_field(name, "dimension", known.map(|field| field.name))
    })
}

fn dimension_filter(
    filter: Option<&FilterExpression>,
    fields: &mut Vec<&'static Dimension>,
    category: Category,
) -> Result<Option<Condition>, ApiError> {
    let mut number = |name: &str| {
        let wanted = dimension(name, category)?;
        let known = fields.iter().position(|field| field.name == wanted.name);
        Ok(known.unwrap_or_else(|| {
            fields.push(wanted);
            fields.len() - 1
        }))
    };
    filter.map(|filter| Condition::compile(filter, &mut number)).transpose()
}

fn metric_filter(
    filter: Option<&FilterExpression>,
    metrics: &[&'static Metric],
) -> Result<Option<Condition>, ApiError> {
    let mut number = |name: &str| {
        metrics.iter().position(|metric| metric.name == name).ok_or_else(|| {
            // Modelled.
            ApiError::invalid(format!("Field {name} in the metric filter must be one of the request's metrics."))
        })
    };
    filter.map(|filter| Condition::compile(filter, &mut number)).transpose()
}

fn order(
    requested: &[OrderBy],
    dimensions: &[&'static Dimension],
    metrics: &[&'static Metric],
    has_ranges: bool,
) -> Result<Vec<Order>, ApiError> {
    let missing = |name: &str| {
        // Modelled.
        ApiError::invalid(format!("Field {name} in orderBys must be one of the request's dimensions and metrics."))
    };
    let key = |order: &OrderBy| {
        if let Some(by) = &order.metric {
            let index = metrics.iter().position(|metric| metric.name == by.metric_name);
            return index.map(OrderKey::Metric).ok_or_else(|| missing(&by.metric_name));
        }
        let by = order.dimension.as_ref().ok_or_else(|| missing(""))?;
        if has_ranges && by.dimension_name == "dateRange" {
            return Ok(OrderKey::DateRange);
        }
        let collation = match by.order_type.as_str() {
            "CASE_INSENSITIVE_ALPHANUMERIC" => Collation::CaseInsensitive,
            "NUMERIC" => Collation::Numeric,
            _ => Collation::Alphanumeric,
        };
        let index = dimensions.iter().position(|field| field.name == by.dimension_name);
        index.map(|index| OrderKey::Dimension(index, collation)).ok_or_else(|| missing(&by.dimension_name))
    };
    requested.iter().map(|order| Ok(Order { by: key(order)?, descending: order.desc })).collect()
}

/// Google cuts higher limits down to the maximum; here they are refused, so that nobody relies on more.
fn limit(requested: i64) -> Result<usize, ApiError> {
    match usize::try_from(requested) {
        Ok(0) => Ok(DEFAULT_LIMIT),
        Ok(limit @ 1..=MAX_LIMIT) => Ok(limit),
        Ok(_) | Err(_) => {
            Err(ApiError::invalid(format!("Invalid limit: {requested}. The limit must be between 1 and {MAX_LIMIT}.")))
        }
    }
}

fn offset(requested: i64) -> Result<usize, ApiError> {
    usize::try_from(requested)
        .map_err(|_| ApiError::invalid(format!("Invalid offset: {requested}. The offset must not be negative.")))
}

fn currency(code: &str) -> Result<Option<String>, ApiError> {
    if code.is_empty() {
        return Ok(None);
    }
    if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(Some(String::from(code)));
    }
    Err(ApiError::invalid(format!("Invalid currencyCode: {code}.")))
}

/// Google's limits (Data API v1beta, RunReportRequest).
const MAX_DIMENSIONS: usize = 9;
const MAX_METRICS: usize = 10;
const MAX_DATE_RANGES: usize = 4;
const MAX_MINUTE_RANGES: usize = 2;
const DEFAULT_LIMIT: usize = 10_000;
const MAX_LIMIT: usize = 250_000;
