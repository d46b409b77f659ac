//! What the rows of a table mean: the fields behind its columns, and the filter.
//!
//! A database keeps the definition of each report, as text. If the report's filter changes, or another field gets the name of a
//! column, the stored days no longer mean what new days mean.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Table;
use crate::report::Metric;

/// Everything about a report that its numbers depend on.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct TableDefinition {
    /// Google's names of the dimensions, by column.
    dimensions: BTreeMap<String, String>,
    /// Google's names of the metrics, by column, with the factor between Google's unit and ours if they differ.
    metrics: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dimension_filter: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metric_filter: Option<Value>,
}

impl TableDefinition {
    /// The definition of a table.
    pub(super) fn of(table: &Table) -> Self {
        let dimensions = table.dimensions().iter().map(|column| (column.name.clone(), column.api_name.to_string()));
        let metrics = table.metrics().iter().map(|column| &column.metric);
        let metrics = metrics.map(|metric| (metric.name.to_string(), field(metric)));
        let filter = table.filter();
        let copy = |filter: Option<std::sync::Arc<Value>>| filter.map(|filter| (*filter).clone());
        Self {
            dimensions: dimensions.collect(),
            metrics: metrics.collect(),
            dimension_filter: copy(filter.dimension_filter()),
            metric_filter: copy(filter.metric_filter()),
        }
    }

    /// The definition as JSON, as a database keeps it.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("it has nothing but texts and JSON")
    }

    /// Why days that were stored with an earlier definition must be requested again; `None` if they are still right. A metric that
    /// is no longer wanted changes no other number.
    pub fn difference(&self, earlier: &str) -> Option<String> {
        let Ok(earlier) = serde_json::from_str::<Self>(earlier) else {
            return Some("its earlier definition cannot be read".to_owned());
        };
        if self.dimension_filter != earlier.dimension_filter || self.metric_filter != earlier.metric_filter {
            return Some("its filter has changed".to_owned());
        }
        let changed = |now: &BTreeMap<String, String>, before: &BTreeMap<String, String>| {
            now.iter().find(|(column, field)| before.get(*column) != Some(field)).map(|(column, _)| column.clone())
        };
        let column =
            changed(&self.dimensions, &earlier.dimensions).or_else(|| changed(&self.metrics, &earlier.metrics));
        column.map(|column| format!("its column `{column}` is new, or has another field of Google's"))
    }
}

fn field(metric: &Metric) -> String {
    let factor = metric.unit.factor();
    if (factor - 1.0).abs() < f64::EPSILON {
        metric.api_name.to_string()
    } else {
        format!("{} × {factor}", metric.api_name)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::table::tests::checkout, *};

    #[test]
    fn what_changes_numbers_is_a_difference_and_the_rest_is_none() {
        let now = TableDefinition::of(&checkout());
        let text = now.to_text();
        let beginning = r#"{"dimensions":{"device":"deviceCategory","path":"pagePath"},"metrics":{"pageviews":"screenPageViews","revenue":"totalRevenue"},"dimension_filter":{"#;
        assert!(text.starts_with(beginning), "{text}");
        assert_eq!(now.difference(&text), None);
        for (from, to, expected) in [
            ("/checkout", "/", "its filter has changed"),
            ("dimension_filter", "metric_filter", "its filter has changed"),
            ("\"deviceCategory\"", "\"platform\"", "`device`"),
            ("totalRevenue", "purchaseRevenue", "`revenue`"),
            ("\"revenue\"", "\"amount\"", "`revenue`"),
            ("{\"dimensions\"", "[", "cannot be read"),
        ] {
            let difference = now.difference(&text.replace(from, to));
            assert!(difference.as_ref().is_some_and(|text| text.contains(expected)), "{from}: {difference:?}");
        }
        let more = text.replace("\"metrics\":{", "\"metrics\":{\"events\":\"eventCount\",");
        assert_eq!(now.difference(&more), None, "a metric that is no longer wanted changes no other number");
    }
}
