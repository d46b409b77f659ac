//! `getMetadata` and `checkCompatibility`: the available fields, and their valid combinations.

use serde_json::{Map, Value, json};

use super::{
    compatibility::go_together,
    errors::ApiError,
    fields::{Category, Dimension, Metric},
    request::CompatibilityRequest,
    requested, validate,
};

/// Returns the fields of core reports.
pub(super) fn metadata(property: &str) -> Value {
    json!({
        "name": format!("properties/{property}/metadata"),
        "dimensions": Dimension::all(Category::Core).map(dimension).collect::<Vec<_>>(),
        "metrics": Metric::all(Category::Core).map(metric).collect::<Vec<_>>(),
    })
}

/// Returns the fields that can be added to a request, which must itself be compatible.
pub(super) fn compatibility(request: &CompatibilityRequest) -> Result<Value, ApiError> {
    let dimensions = requested::dimensions(&request.dimensions, Category::Core)?;
    let metrics = requested::metrics(&request.metrics, Category::Core)?;
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
        let fits = metrics.iter().all(|metric| field.is_compatible(metric))
            && dimensions.iter().all(|other| go_together(other.class, field.class));
        let verdict = verdict(fits);
        wanted(verdict).then(|| json!({"dimensionMetadata": dimension(field), "compatibility": verdict}))
    };
    let of_metric = |field: &'static Metric| {
        let fits = dimensions.iter().all(|dimension| dimension.is_compatible(field))
            && metrics.iter().all(|other| go_together(other.class, field.class));
        let verdict = verdict(fits);
        wanted(verdict).then(|| json!({"metricMetadata": metric(field), "compatibility": verdict}))
    };
    Ok(json!({
        "dimensionCompatibilities": Dimension::all(Category::Core).filter_map(of_dimension).collect::<Vec<_>>(),
        "metricCompatibilities": Metric::all(Category::Core).filter_map(of_metric).collect::<Vec<_>>(),
    }))
}

fn dimension(field: &Dimension) -> Value {
    Value::Object(described(field.name, field.ui_name, field.category, field.deprecated))
}

fn metric(field: &Metric) -> Value {
    let mut described = described(field.name, field.ui_name, field.category, field.deprecated);
    described.insert("type".into(), json!(field.value_type(Category::Core)));
    Value::Object(described)
}

fn described(name: &str, ui_name: &str, category: &str, deprecated: Option<&str>) -> Map<String, Value> {
    let mut field = Map::new();
    field.insert("apiName".into(), json!(name));
    field.insert("uiName".into(), json!(ui_name));
    field.insert("description".into(), json!(format!("{ui_name} (simulated).")));
    field.insert("category".into(), json!(category));
    if let Some(deprecated) = deprecated {
        field.insert("deprecatedApiNames".into(), json!([deprecated]));
    }
    field
}
