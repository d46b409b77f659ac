//! Looks up the fields that a request names.

use super::{
    errors::ApiError,
    fields::{Category, Dimension, Metric},
    filter::Condition,
    request::{DimensionRequest, FilterExpression, MetricRequest},
    spelling::unknown_field,
};

/// Returns the dimensions of a request.
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
            return Err(ApiError::invalid(format!("Found duplicate dimensions: {name}")));
        }
        dimensions.push(dimension);
    }
    Ok(dimensions)
}

/// Returns the metrics of a request.
pub(super) fn metrics(requested: &[MetricRequest], category: Category) -> Result<Vec<&'static Metric>, ApiError> {
    let mut metrics: Vec<&'static Metric> = Vec::new();
    for MetricRequest { name, expression, .. } in requested {
        if !expression.is_empty() {
            return Err(unsupported("metric expression"));
        }
        let metric = metric(name, category)?;
        if metrics.iter().any(|other| other.name == metric.name) {
            let text = format!("Duplicate metrics are not allowed. Found duplicate metrics: {name}");
            return Err(ApiError::invalid(text));
        }
        metrics.push(metric);
    }
    Ok(metrics)
}

/// Compiles a filter of dimensions. Dimensions that are not columns are appended to `fields`.
pub(super) fn dimension_filter(
    filter: Option<&FilterExpression>,
    fields: &mut Vec<&'static Dimension>,
    category: Category,
) -> Result<Option<Condition>, ApiError> {
    let mut number = |name: &str| {
        if Metric::find(name, category).is_some() {
            return Err(ApiError::invalid("Found duplicate dimensions/metrics."));
        }
        let wanted = dimension(name, category)?;
        let known = fields.iter().position(|field| field.name == wanted.name);
        Ok(known.unwrap_or_else(|| {
            fields.push(wanted);
            fields.len() - 1
        }))
    };
    filter.map(|filter| Condition::compile(filter, &mut number)).transpose()
}

/// Compiles a filter of metrics. Metrics that are not columns are appended to `values`.
pub(super) fn metric_filter(
    filter: Option<&FilterExpression>,
    values: &mut Vec<&'static Metric>,
    category: Category,
) -> Result<Option<Condition>, ApiError> {
    let mut number = |name: &str| {
        let wanted = metric(name, category)?;
        let known = values.iter().position(|field| field.name == wanted.name);
        Ok(known.unwrap_or_else(|| {
            values.push(wanted);
            values.len() - 1
        }))
    };
    filter.map(|filter| Condition::compile(filter, &mut number)).transpose()
}

/// Returns the error for features that Google supports and this simulator does not; they are never answered wrongly.
pub(super) fn unsupported(what: &str) -> ApiError {
    ApiError::invalid(format!("This simulator of Google Analytics does not support: {what}."))
}

fn dimension(name: &str, category: Category) -> Result<&'static Dimension, ApiError> {
    Dimension::find(name, category).ok_or_else(|| {
        let known = Dimension::all(category).map(|field| field.name);
        unknown_field(name, "dimension", category, known)
    })
}

fn metric(name: &str, category: Category) -> Result<&'static Metric, ApiError> {
    Metric::find(name, category).ok_or_else(|| {
        let known = Metric::all(category).map(|field| field.name);
        unknown_field(name, "metric", category, known)
    })
}
