//! `getMetadata` and `checkCompatibility`: the available fields, and their valid combinations.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    compatibility::go_together,
    errors::ApiError,
    fields::{Category, Dimension, Fields, Metric},
    request::CompatibilityRequest,
    requested, validate,
    world::Property,
};

/// Returns the fields of core reports.
pub(super) fn metadata(property: &Property) -> Value {
    let fields = Fields::new(Category::Core, &property.custom);
    json!({
        "name": format!("properties/{}/metadata", property.id),
        "dimensions": fields.dimensions().map(|field| dimension(field)).collect::<Vec<_>>(),
        "metrics": fields.metrics().map(|field| metric(field)).collect::<Vec<_>>(),
    })
}

/// Returns the fields that can be added to a request, which must itself be compatible.
pub(super) fn compatibility(request: &CompatibilityRequest, property: &Property) -> Result<Value, ApiError> {
    let fields = Fields::new(Category::Core, &property.custom);
    let dimensions = requested::dimensions(&request.dimensions, fields)?;
    let metrics = requested::metrics(&request.metrics, fields)?;
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
    let of_dimension = |field: &Arc<Dimension>| {
        let fits = metrics.iter().all(|metric| field.is_compatible(metric))
            && dimensions.iter().all(|other| go_together(other.class, field.class));
        let verdict = verdict(fits);
        wanted(verdict).then(|| json!({"dimensionMetadata": dimension(field), "compatibility": verdict}))
    };
    let of_metric = |field: &Arc<Metric>| {
        let fits = dimensions.iter().all(|dimension| dimension.is_compatible(field))
            && metrics.iter().all(|other| go_together(other.class, field.class));
        let verdict = verdict(fits);
        wanted(verdict).then(|| json!({"metricMetadata": metric(field), "compatibility": verdict}))
    };
    Ok(json!({
        "dimensionCompatibilities": fields.dimensions().filter_map(of_dimension).collect::<Vec<_>>(),
        "metricCompatibilities": fields.metrics().filter_map(of_metric).collect::<Vec<_>>(),
    }))
}

fn dimension(field: &Dimension) -> Value {
    let mut described = described(&field.name, &field.ui_name, field.category, field.deprecated);
    mark_custom(&mut described, field.is_custom);
    Value::Object(described)
}

fn metric(field: &Metric) -> Value {
    let mut described = described(&field.name, &field.ui_name, field.category, field.deprecated);
    described.insert("type".into(), json!(field.value_type(Category::Core)));
    if let Some(restriction) = field.restriction {
        described.insert("blockedReasons".into(), json!([restriction.blocked_reason()]));
    }
    mark_custom(&mut described, field.is_custom);
    Value::Object(described)
}

/// Marks custom fields; others have no such mark, since proto3 JSON omits what is false.
fn mark_custom(described: &mut Map<String, Value>, is_custom: bool) {
    if is_custom {
        described.insert("customDefinition".into(), json!(true));
    }
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
