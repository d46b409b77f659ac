//! Checks a report request in Google's order and compiles it into a plan that cannot fail.
//!
//! Names and duplicates are checked first, then limits, ranges and counts; only the first mistake is reported. Error
//! texts are Google's if public recordings contain them; the others are modelled on them and marked as such.

use std::sync::Arc;

use jiff::civil::Date;

use super::{
    compatibility,
    errors::ApiError,
    fields::{Category, Dimension, Fields, Metric},
    filter::Condition,
    ranges::{Range, date_ranges, minute_ranges},
    request::{OrderBy, ReportRequest},
    requested::{dimension_filter, dimensions, metric_filter, metrics, unsupported},
};

/// A report that can be run.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) category: Category,
    /// The columns of the report.
    pub(super) dimensions: Vec<Arc<Dimension>>,
    /// The columns, followed by dimensions that only the filter uses.
    pub(super) fields: Vec<Arc<Dimension>>,
    pub(super) metrics: Vec<Arc<Metric>>,
    /// The columns, followed by metrics that only the filter uses.
    pub(super) values: Vec<Arc<Metric>>,
    /// Which of the metrics are hidden.
    pub(super) invisible: Vec<bool>,
    pub(super) ranges: Vec<Range>,
    pub(super) dimension_filter: Option<Condition>,
    pub(super) metric_filter: Option<Condition>,
    pub(super) order: Vec<Order>,
    pub(super) limit: usize,
    pub(super) offset: usize,
    pub(super) keep_empty_rows: bool,
    pub(super) aggregations: Vec<String>,
    /// The requested currency, if it differs from the property's own.
    pub(super) currency: Option<String>,
    pub(super) return_quota: bool,
}

/// A sort key.
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
pub(super) fn plan(request: &ReportRequest, known: Fields<'_>, today: Date, minutes: i32) -> Result<Plan, ApiError> {
    let category = known.category;
    let dimensions = dimensions(&request.dimensions, known)?;
    let metrics = metrics(&request.metrics, known)?;
    let (mut fields, mut values) = (dimensions.clone(), metrics.clone());
    let dimension_filter = dimension_filter(request.dimension_filter.as_ref(), &mut fields, known)?;
    let metric_filter = metric_filter(request.metric_filter.as_ref(), &mut values, known)?;
    let has_column = request.date_ranges.len().max(request.minute_ranges.len()) > 1;
    let order = order(&request.order_bys, &dimensions, &metrics, has_column)?;
    let limit = limit(request.limit)?;
    let offset = offset(request.offset)?;
    check_supported(request)?;
    let ranges = match category {
        Category::Core => date_ranges(&request.date_ranges, today)?,
        Category::Realtime => minute_ranges(&request.minute_ranges, minutes)?,
    };
    check_counts(fields.len(), metrics.len())?;
    check_aggregations(&request.metric_aggregations)?;
    check_compatible(&fields, &metrics)?;
    Ok(Plan {
        category,
        metric_filter,
        order,
        limit,
        offset,
        keep_empty_rows: request.keep_empty_rows,
        aggregations: request.metric_aggregations.clone(),
        currency: currency(&request.currency_code)?,
        return_quota: request.return_property_quota,
        invisible: request.metrics.iter().map(|metric| metric.invisible).collect(),
        dimensions,
        fields,
        metrics,
        values,
        ranges,
        dimension_filter,
    })
}

/// Rejects incompatible dimensions and metrics.
pub(super) fn check_compatible(dimensions: &[Arc<Dimension>], metrics: &[Arc<Metric>]) -> Result<(), ApiError> {
    if dimensions.iter().any(|dimension| dimension.name == "comparison") {
        return Err(ApiError::invalid(
            "Cannot have filter_partition dimension without specifying filter-partitions in the request.",
        ));
    }
    if let Some(name) = misfit(dimensions, metrics) {
        return Err(incompatible("remove", name));
    }
    let needs_campaign = metrics.iter().any(|metric| compatibility::needs_campaign(metric.class));
    if needs_campaign && !dimensions.iter().any(|dimension| compatibility::is_of_campaign(dimension.class)) {
        return Err(incompatible("add", "sessionCampaignName"));
    }
    Ok(())
}

/// Returns the first field that is incompatible with one before it.
fn misfit<'a>(dimensions: &'a [Arc<Dimension>], metrics: &'a [Arc<Metric>]) -> Option<&'a str> {
    let fields = dimensions.iter().map(|field| (field.name.as_str(), field.class));
    let fields: Vec<_> = fields.chain(metrics.iter().map(|field| (field.name.as_str(), field.class))).collect();
    let fits = |place: usize, class: &str| {
        fields.iter().take(place).all(|(_, before)| compatibility::go_together(before, class))
    };
    fields.iter().enumerate().find(|(place, (_, class))| !fits(*place, class)).map(|(_, (name, _))| *name)
}

fn incompatible(what: &str, name: &str) -> ApiError {
    ApiError::invalid(format!(
        "Please {what} {name} to make the request compatible for example. The request's dimensions & metrics are \
         incompatible. To learn more, see https://ga-dev-tools.google/ga4/dimensions-metrics-explorer/"
    ))
}

/// Checks the number of fields. Dimensions that only a filter names count, metrics do not.
fn check_counts(dimensions: usize, metrics: usize) -> Result<(), ApiError> {
    for (count, limit, what) in [(dimensions, MAX_DIMENSIONS, "dimensions"), (metrics, MAX_METRICS, "metrics")] {
        if count > limit {
            return Err(ApiError::invalid(format!(
                "Requests are limited to {limit} {what} within a nested request.\n  This request is for {count} {what}."
            )));
        }
    }
    if dimensions + metrics == 0 {
        return Err(ApiError::invalid("Requests require dimensions and/or metrics. Most requests include both."));
    }
    Ok(())
}

fn check_supported(request: &ReportRequest) -> Result<(), ApiError> {
    if request.cohort_spec.is_some() {
        return Err(unsupported("cohortSpec"));
    }
    if !request.comparisons.is_empty() {
        return Err(unsupported("comparisons"));
    }
    Ok(())
}

/// Rejects COUNT, which is for pivots only.
fn check_aggregations(requested: &[String]) -> Result<(), ApiError> {
    if requested.iter().any(|aggregation| aggregation == "COUNT") {
        return Err(ApiError::invalid("Metric aggregation Count is not supported in ReportRequest."));
    }
    Ok(())
}

fn order(
    requested: &[OrderBy],
    dimensions: &[Arc<Dimension>],
    metrics: &[Arc<Metric>],
    has_column: bool,
) -> Result<Vec<Order>, ApiError> {
    let missing = |name: &str| {
        let text = format!("Field {name} exists in OrderBy but is not defined in input Dimensions/Metrics list");
        ApiError::invalid(text)
    };
    let key = |order: &OrderBy| {
        if let Some(by) = &order.metric {
            let index = metrics.iter().position(|metric| metric.name == by.metric_name);
            return index.map(OrderKey::Metric).ok_or_else(|| missing(&by.metric_name));
        }
        let by = order.dimension.as_ref().ok_or_else(|| missing(""))?;
        if has_column && by.dimension_name == "dateRange" {
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

/// Reduces higher limits silently to the maximum, as Google does; 0 means the default.
fn limit(requested: i64) -> Result<usize, ApiError> {
    match usize::try_from(requested) {
        Ok(0) => Ok(DEFAULT_LIMIT),
        Ok(limit) => Ok(limit.min(MAX_LIMIT)),
        Err(_) => Err(ApiError::invalid(format!("limit must be positive. The API received limit = {requested}"))),
    }
}

fn offset(requested: i64) -> Result<usize, ApiError> {
    let negative = |_| ApiError::invalid(format!("offset must be positive. The API received offset = {requested}"));
    usize::try_from(requested).map_err(negative)
}

fn currency(code: &str) -> Result<Option<String>, ApiError> {
    if code.is_empty() {
        return Ok(None);
    }
    if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(Some(String::from(code)));
    }
    // Modelled.
    Err(ApiError::invalid(format!("Invalid currencyCode: {code}.")))
}

/// Google's limits (Data API v1beta, RunReportRequest).
const MAX_DIMENSIONS: usize = 9;
const MAX_METRICS: usize = 10;
const DEFAULT_LIMIT: usize = 10_000;
const MAX_LIMIT: usize = 250_000;
