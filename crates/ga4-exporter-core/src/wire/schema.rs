//! What a property has: `getMetadata`, and `checkCompatibility` of a request.
//!
//! Both answers list hundreds of fields; only names and a few facts are kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    request::{Name, shared},
    response::{at_most, null_as_default},
};

/// The fields that core reports of a property may ask for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Schema {
    /// Every name of a dimension, the old ones included.
    pub dimensions: BTreeSet<String>,
    /// Every name of a metric, and which restrictions hide its values from the account.
    pub metrics: BTreeMap<String, FieldRestriction>,
}

/// Why Google hides the values of a metric from an account: restrictions of its role. Google sends 0 for them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct FieldRestriction {
    /// `NO_COST_METRICS`, or a reason that is not known here.
    pub cost: bool,
    /// `NO_REVENUE_METRICS`, or a reason that is not known here.
    pub revenue: bool,
}

/// `CheckCompatibilityRequest`: which fields do not go with these?
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CompatibilityRequest {
    /// What the report is split by.
    pub dimensions: Vec<Name>,
    /// What it counts.
    pub metrics: Vec<Name>,
    /// Its filters, as in the report.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "shared")]
    pub dimension_filter: Option<Arc<Value>>,
    /// The same of metrics.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "shared")]
    pub metric_filter: Option<Arc<Value>>,
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
                .flat_map(|field| {
                    let restriction = FieldRestriction::of(&field.blocked_reasons);
                    names(field).into_iter().map(move |name| (name, restriction))
                })
                .collect(),
        };
        if schema.dimensions.is_empty() || schema.metrics.is_empty() {
            return Err("it lists no dimensions or no metrics".to_owned());
        }
        Ok(schema)
    }
}

impl FieldRestriction {
    /// Whether there is any.
    pub fn is_any(self) -> bool {
        self.cost || self.revenue
    }

    /// The restrictions of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { cost: self.cost || other.cost, revenue: self.revenue || other.revenue }
    }

    fn of(reasons: &[String]) -> Self {
        let has = |reason: &str| reasons.iter().any(|one| one == reason);
        let is_unknown = !reasons.is_empty() && !has(NO_COST) && !has(NO_REVENUE);
        Self { cost: has(NO_COST) || is_unknown, revenue: has(NO_REVENUE) || is_unknown }
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

/// `MetricMetadata.BlockedReason`
const NO_COST: &str = "NO_COST_METRICS";
const NO_REVENUE: &str = "NO_REVENUE_METRICS";

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
                {"apiName": "totalRevenue", "blockedReasons": ["NO_REVENUE_METRICS"]},
                {"apiName": "advertiserAdCost", "blockedReasons": ["NO_COST_METRICS", "NEW"]},
                {"apiName": "other", "blockedReasons": ["NEW"]}], "comparisons": [{}]}"#;
        let schema = Schema::of(serde_json::from_str(body).unwrap()).unwrap();
        assert!(schema.dimensions.contains("customEvent:plan") && !schema.dimensions.contains("city"));
        let hidden = |name: &str| schema.metrics.get(name).map(|hidden| (hidden.cost, hidden.revenue));
        for (name, expected) in [
            ("conversions", Some((false, false))),
            ("keyEvents", Some((false, false))),
            ("totalRevenue", Some((false, true))),
            ("advertiserAdCost", Some((true, false))),
            ("other", Some((true, true))),
            ("sessions", None),
        ] {
            assert_eq!(hidden(name), expected, "{name}");
        }
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
            dimension_filter: None,
            metric_filter: None,
            compatibility_filter: Incompatible::Only,
        };
        let expected = r#"{"dimensions":[{"name":"itemName"}],"metrics":[],"compatibilityFilter":"INCOMPATIBLE"}"#;
        assert_eq!(serde_json::to_string(&request).unwrap(), expected);
    }
}
