//! `getMetadata` and `checkCompatibility`: what may be asked for, and what together.

use serde_json::{Value, json};

use super::{
    errors::ApiError,
    fields::{Category, DIMENSIONS, Dimension, METRICS, Metric},
    request::CompatibilityRequest,
    validate,
};

/// The fields of the core reports.
pub(super) fn metadata(property: &str) -> Value {
    json!({
        "name": format!("properties/{property}/metadata"),
        "dimensions": core_dimensions().map(dimension).collect::<Vec<_>>(),
        "metrics": core_metrics().map(metric).collect::<Vec<_>>(),
    })
}

/// Which fields can be added to a request that is itself compatible.
pub(super) fn compatibility(request: &CompatibilityRequest) -> Result<Value, ApiError> {
    let dimensions = validate::dimensions(&request.dimensions, Category::Core)?;
    let metrics = validate::metrics(&request.metrics, Category::Core)?;
    validate::check_compatible(&dimensions, &metrics)?;
    if request.dimension_filter.is_some() || request.metric_filter.is_some() {
        return Err(ApiError::invalid(
            "This simulator of Google Analytics does not support: filters in checkCompatibility.",
        ));
    }
    let verdict = |fits: bool| if fits { "COMPATIBLE" } else { "INCOMPATIBLE" };
    let wanted = |verdict: &str| {
        matches!(request.compatibility_filter.as_str(), "" | "COMPATIBILITY_UNSPECIFIED")
            || request.compatibility_filter == verdict
    };
    let of_dimension = |field: &'static Dimension| {
        let verdict = verdict(metrics.iter().all(|metric| field.is_compatible(metric)));
        wanted(verdict).then(|| json!({"dimensionMetadata": dimension(field), "compatibility": verdict}))
    };
    let of_metric = |field: &'static Metric| {
        let verdict = verdict(dimensions.iter().all(|dimension| dimension.is_compatible(field)));
        wanted(verdict).then(|| json!({"metricMetadata": metric(field), "compatibility": verdict}))
    };
    Ok(json!({
        "dimensionCompatibilities": core_dimensions().filter_map(of_dimension).collect::<Vec<_>>(),
        "metricCompatibilities": core_metrics().filter_map(of_metric).collect::<Vec<_>>(),
    }))
}

fn core_dimensions() -> impl Iterator<Item = &'static Dimension> {
    DIMENSIONS.iter().filter(|field| Category::Core.offers(field.reports))
}

fn core_metrics() -> impl Iterator<Item = &'static Metric> {
    METRICS.iter().filter(|field| Category::Core.offers(field.reports))
}

fn dimension(field: &Dimension) -> Value {
    json!({
        "apiName": field.name,
        "uiName": field.ui_name,
        "description": format!("{} (simulated).", field.ui_name),
        "category": field.category,
    })
}

fn metric(field: &Metric) -> Value {
    json!({
        "apiName": field.name,
        "uiName": field.ui_name,
        "description": format!("{} (simulated).", field.ui_name),
        "category": field.category,
        "type": field.value_type(Category::Core),
    })
}
