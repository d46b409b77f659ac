//! What a property has: `getMetadata`, and `checkCompatibility` of a request.
//!
//! Both answers list hundreds of fields; only names and a few facts are kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    request::Name,
    response::{at_most, null_as_default},
};

/// The fields that core reports of a property may ask for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Schema {
    /// Every name of a dimension, the old ones included.
    pub dimensions: BTreeSet<String>,
    /// Every name of a metric, and whether Google keeps its values from the account.
    pub metrics: BTreeMap<String, bool>,
}

/// `CheckCompatibilityRequest`: which fields do not go with these?
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CompatibilityRequest {
    /// What the report is split by, or filtered by.
    pub dimensions: Vec<Name>,
    /// What it counts.
    pub metrics: Vec<Name>,
    /// Only those that do not go together are wanted.
    pub compatibility_filter: Incompatible,
}

/// The one filter that is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum Incompatible {
    /// `INCOMPATIBLE`
    #[serde(rename = "INCOMPATIBLE")]
    Only,
}

/// The answer of `getMetadata`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SchemaResponse {
    #[serde(deserialize_with = "at_most::<_, _, MAX_FIELDS>")]
    dimensions: Vec<Field>,
    #[serde(deserialize_with = "at_most::<_, _, MAX_FIELDS>")]
    metrics: Vec<Field>,
}

/// The answer of `checkCompatibility`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CompatibilityResponse {
    #[serde(deserialize_with = "at_most::<_, _, MAX_FIELDS>")]
    dimension_compatibilities: Vec<OfDimension>,
    #[serde(deserialize_with = "at_most::<_, _, MAX_FIELDS>")]
    metric_compatibilities: Vec<OfMetric>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Field {
    #[serde(deserialize_with = "null_as_default")]
    api_name: String,
    #[serde(deserialize_with = "at_most::<_, _, MAX_OLD_NAMES>")]
    deprecated_api_names: Vec<String>,
    #[serde(deserialize_with = "at_most::<_, _, MAX_OLD_NAMES>")]
    blocked_reasons: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OfDimension {
    #[serde(deserialize_with = "null_as_default")]
    dimension_metadata: Field,
    #[serde(deserialize_with = "null_as_default")]
    compatibility: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OfMetric {
    #[serde(deserialize_with = "null_as_default")]
    metric_metadata: Field,
    #[serde(deserialize_with = "null_as_default")]
    compatibility: String,
}

impl Schema {
    /// Reads the answer.
    ///
    /// # Errors
    /// It lists nothing: every property has fields.
    pub fn of(response: SchemaResponse) -> Result<Self, String> {
        let names = |field: &Field| -> Vec<String> {
            [&field.api_name].into_iter().chain(&field.deprecated_api_names).cloned().collect()
        };
        let schema = Self {
            dimensions: response.dimensions.iter().flat_map(names).collect(),
            metrics: response
                .metrics
                .iter()
                .flat_map(|field| names(field).into_iter().map(|name| (name, !field.blocked_reasons.is_empty())))
                .collect(),
        };
        if schema.dimensions.is_empty() || schema.metrics.is_empty() {
            return Err("it lists no dimensions or no metrics".to_owned());
        }
        Ok(schema)
    }
}

impl CompatibilityResponse {
    /// The fields that do not go with the request, by Google's names.
    pub fn incompatible(&self) -> BTreeSet<&str> {
        let dimensions = self.dimension_compatibilities.iter().map(|of| (&of.compatibility, &of.dimension_metadata));
        let metrics = self.metric_compatibilities.iter().map(|of| (&of.compatibility, &of.metric_metadata));
        let all = dimensions.chain(metrics).filter(|(verdict, _)| *verdict == "INCOMPATIBLE");
        all.map(|(_, field)| field.api_name.as_str()).collect()
    }
}

/// Ten times as many as there are.
const MAX_FIELDS: usize = 5_000;

const MAX_OLD_NAMES: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_names_and_blocked_metrics_are_known() {
        let body = r#"{"name": "properties/1/metadata",
            "dimensions": [{"apiName": "pagePath", "uiName": "Page path"}, {"apiName": "customEvent:plan", "customDefinition": true}],
            "metrics": [{"apiName": "keyEvents", "deprecatedApiNames": ["conversions"]},
                {"apiName": "totalRevenue", "blockedReasons": ["NO_REVENUE_METRICS"]}], "comparisons": [{}]}"#;
        let schema = Schema::of(serde_json::from_str(body).unwrap()).unwrap();
        assert!(schema.dimensions.contains("customEvent:plan") && !schema.dimensions.contains("city"));
        let metrics: Vec<_> = schema.metrics.iter().map(|(name, blocked)| (name.as_str(), *blocked)).collect();
        assert_eq!(metrics, [("conversions", false), ("keyEvents", false), ("totalRevenue", true)]);
        for empty in ["{}", r#"{"dimensions": null, "metrics": []}"#] {
            assert!(Schema::of(serde_json::from_str(empty).unwrap()).is_err(), "{empty}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_named() {
        let body = r#"{"dimensionCompatibilities": [{"dimensionMetadata": {"apiName": "itemName"}, "compatibility": "INCOMPATIBLE"},
            {"dimensionMetadata": {"apiName": "city"}, "compatibility": "COMPATIBLE"}],
            "metricCompatibilities": [{"metricMetadata": {"apiName": "sessions"}, "compatibility": "INCOMPATIBLE"}, {}]}"#;
        let response: CompatibilityResponse = serde_json::from_str(body).unwrap();
        assert_eq!(response.incompatible(), ["itemName", "sessions"].into());
        let request = CompatibilityRequest {
            dimensions: vec![Name { name: "itemName".parse().unwrap() }],
            metrics: Vec::new(),
            compatibility_filter: Incompatible::Only,
        };
        let expected = r#"{"dimensions":[{"name":"itemName"}],"metrics":[],"compatibilityFilter":"INCOMPATIBLE"}"#;
        assert_eq!(serde_json::to_string(&request).unwrap(), expected);
    }
}
