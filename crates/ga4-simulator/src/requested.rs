//! Looks up the fields that a request names.

use std::sync::Arc;

use super::{
    errors::ApiError,
    fields::{Dimension, Fields, Metric},
    filter::Condition,
    request::{DimensionRequest, FilterExpression, MetricRequest},
    spelling::unknown_field,
};

/// Returns the dimensions of a request.
pub(super) fn dimensions(requested: &[DimensionRequest], known: Fields<'_>) -> Result<Vec<Arc<Dimension>>, ApiError> {
    let mut dimensions: Vec<Arc<Dimension>> = Vec::new();
    for DimensionRequest { name, dimension_expression } in requested {
        if dimension_expression.is_some() {
            return Err(unsupported("dimensionExpression"));
        }
        let dimension = dimension(name, known)?;
        if dimensions.iter().any(|other| other.name == dimension.name) {
            return Err(ApiError::invalid(format!("Found duplicate dimensions: {name}")));
        }
        dimensions.push(dimension);
    }
    Ok(dimensions)
}

/// Returns the metrics of a request.
pub(super) fn metrics(requested: &[MetricRequest], known: Fields<'_>) -> Result<Vec<Arc<Metric>>, ApiError> {
    let mut metrics: Vec<Arc<Metric>> = Vec::new();
    for MetricRequest { name, expression, .. } in requested {
        if !expression.is_empty() {
            return Err(unsupported("metric expression"));
        }
        let metric = metric(name, known)?;
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
    fields: &mut Vec<Arc<Dimension>>,
    known: Fields<'_>,
) -> Result<Option<Condition>, ApiError> {
    let mut number = |name: &str| {
        if known.metric(name).is_some() && known.dimension(name).is_none() {
            return Err(ApiError::invalid("Found duplicate dimensions/metrics."));
        }
        let wanted = dimension(name, known)?;
        let place = fields.iter().position(|field| field.name == wanted.name);
        Ok(place.unwrap_or_else(|| {
            fields.push(wanted);
            fields.len() - 1
        }))
    };
    filter.map(|filter| Condition::compile(filter, &mut number)).transpose()
}

/// Compiles a filter of metrics. Metrics that are not columns are appended to `values`.
pub(super) fn metric_filter(
    filter: Option<&FilterExpression>,
    values: &mut Vec<Arc<Metric>>,
    known: Fields<'_>,
) -> Result<Option<Condition>, ApiError> {
    let mut number = |name: &str| {
        let wanted = metric(name, known)?;
        if wanted.restriction.is_some() {
            // Modelled: Google is known to refuse such filters, but its text is not known.
            return Err(ApiError::invalid(format!("Field {name} is restricted and cannot be used in a filter.")));
        }
        let place = values.iter().position(|field| field.name == wanted.name);
        Ok(place.unwrap_or_else(|| {
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

fn dimension(name: &str, known: Fields<'_>) -> Result<Arc<Dimension>, ApiError> {
    known.dimension(name).cloned().ok_or_else(|| {
        let names = known.dimensions().map(|field| field.name.as_str());
        unknown_field(name, "dimension", known.category, names)
    })
}

fn metric(name: &str, known: Fields<'_>) -> Result<Arc<Metric>, ApiError> {
    known.metric(name).cloned().ok_or_else(|| {
        let names = known.metrics().map(|field| field.name.as_str());
        unknown_field(name, "metric", known.category, names)
    })
}
