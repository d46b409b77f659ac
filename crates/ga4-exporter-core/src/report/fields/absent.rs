//! The fields of a report that a property does not have, and how the property gets them.
//!
//! Knows what `getMetadata` lists: all fields of core reports, a property's own included. Of realtime reports it says only
//! whether the property has a custom dimension; [`super::standard`] lists their other fields. Refuses to decide: the request
//! itself shows whether Google has a field.

use std::fmt;

use super::{
    super::Report,
    lookup::{other, word},
    standard::FieldKind,
};
use crate::{names::Category, shown, wire::schema::Schema};

/// A field that a property does not have.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Absent {
    kind: FieldKind,
    name: String,
    /// Fields of the property that may have been meant, as text.
    near: Vec<String>,
}

/// The fields of a report, those of its filter included, that the property does not have, each once.
pub fn absent(report: &Report, schema: &Schema) -> Vec<Absent> {
    let dimensions = report.dimensions.iter().map(|dimension| dimension.api_name.as_str());
    let metrics = report.metrics.iter().map(|metric| metric.api_name.as_str());
    let dimensions = dimensions.chain(report.filter.dimension_names()).map(|name| (FieldKind::Dimension, name));
    let metrics = metrics.chain(report.filter.metric_names()).map(|name| (FieldKind::Metric, name));
    let mut found: Vec<Absent> = Vec::new();
    for (kind, name) in dimensions.chain(metrics) {
        let is_listed = report.category == Category::Core || name.contains(':');
        let is_new = !found.iter().any(|absent| (absent.kind, absent.name.as_str()) == (kind, name));
        if is_listed && is_new && !has(schema, kind, name) {
            found.push(Absent { kind, name: name.to_owned(), near: near(schema, kind, name) });
        }
    }
    found
}

impl Absent {
    /// What to do: the name that was probably meant, and where in Google Analytics to make the field.
    pub fn advice(&self) -> String {
        let made = self.made();
        match self.near.as_slice() {
            [] => made,
            [near] => format!("did you mean {near}? Otherwise {made}"),
            [first, rest @ ..] => format!("did you mean {first} or {}? Otherwise {made}", rest.join(" or ")),
        }
    }

    /// Where a field of this kind is made.
    fn made(&self) -> String {
        let Some((prefix, own)) = self.name.split_once(':') else {
            return format!("replace `{}` with a field that the property has", self.name);
        };
        let (own, word) = (shown::name(own), word(self.kind));
        let definition = |scope: &str| {
            format!("register `{own}` in Google Analytics under Admin > Custom definitions as a custom {word}{scope}")
        };
        match prefix {
            "customEvent" | "averageCustomEvent" | "countCustomEvent" => definition(" of the scope Event"),
            "customUser" => definition(" of the scope User"),
            "customItem" => definition(" of the scope Item"),
            "calcMetric" => format!("create the calculated metric `{own}` under Admin > Custom definitions"),
            "keyEvents" | "sessionKeyEventRate" | "userKeyEventRate" => {
                format!("mark the event `{own}` as a key event in Google Analytics under Admin > Key events")
            }
            "customChannelGroup" | "sessionCustomChannelGroup" | "firstUserCustomChannelGroup" => {
                format!("look up the number of the channel group under Admin > Channel groups: it is not `{own}`")
            }
            _ => format!("replace `{}` with a field that the property has", self.name),
        }
    }
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the property has no {} `{}`", word(self.kind), shown::name(&self.name))
    }
}

fn has(schema: &Schema, kind: FieldKind, name: &str) -> bool {
    match kind {
        FieldKind::Dimension => schema.dimensions.contains(name),
        FieldKind::Metric => schema.metrics.contains_key(name),
    }
}

/// The property's fields that resemble a name, the nearest first.
fn near(schema: &Schema, kind: FieldKind, name: &str) -> Vec<String> {
    if has(schema, other(kind), name) {
        return vec![format!("the {} `{}`", word(other(kind)), shown::name(name))];
    }
    let names: Vec<&str> = match kind {
        FieldKind::Dimension => schema.dimensions.iter().map(String::as_str).collect(),
        FieldKind::Metric => schema.metrics.keys().map(String::as_str).collect(),
    };
    let mut near: Vec<(usize, &str)> =
        names.into_iter().filter_map(|one| distance(name, one).map(|far| (far, one))).collect();
    near.sort_unstable();
    near.into_iter().take(MOST_NEAR).map(|(_, name)| format!("`{}`", shown::name(name))).collect()
}

/// How far a field of a property is from a name; `None` if it is another one. The same name behind another beginning is near.
fn distance(name: &str, one: &str) -> Option<usize> {
    let (prefix, own) = name.split_once(':').unwrap_or(("", name));
    let (other_prefix, other_own) = one.split_once(':').unwrap_or(("", one));
    if prefix.is_empty() != other_prefix.is_empty() {
        return None;
    }
    if prefix != other_prefix {
        return (own == other_own).then_some(1);
    }
    let far = strsim::osa_distance(&own.to_lowercase(), &other_own.to_lowercase());
    (far <= own.chars().count().div_ceil(3)).then_some(far)
}

const MOST_NEAR: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{query::Asked, wire::schema::FieldRestriction};

    fn schema() -> Schema {
        let dimensions = ["country", "date", "customEvent:plan", "customEvent:plan_b", "customUser:tier"];
        let metrics = ["screenPageViews", "totalUsers", "customEvent:score", "keyEvents:purchase"];
        Schema {
            dimensions: dimensions.iter().map(|name| (*name).to_owned()).collect(),
            metrics: metrics.iter().map(|name| ((*name).to_owned(), FieldRestriction::default())).collect(),
        }
    }

    fn of(asked: &Asked) -> Vec<String> {
        let query = asked.query().unwrap();
        let absent = absent(query.report(), &schema());
        absent.iter().map(|absent| format!("{absent}; {}", absent.advice())).collect()
    }

    fn words(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn own_fields_that_exist_pass() {
        let asked = Asked {
            dimensions: words(&["customEvent:plan", "country"]),
            metrics: words(&["customEvent:score", "keyEvents:purchase", "pageviews"]),
            filters: words(&["customUser:tier == gold"]),
            ..Asked::default()
        };
        assert_eq!(of(&asked), [""; 0]);
    }

    #[test]
    fn what_is_missing_has_near_names_and_a_place_to_make_it() {
        for (dimension, expected) in [
            (
                "customEvent:plans",
                "the property has no dimension `customEvent:plans`; did you mean `customEvent:plan` or `customEvent:plan_b`? \
                 Otherwise register `plans` in Google Analytics under Admin > Custom definitions as a custom dimension of the \
                 scope Event",
            ),
            (
                "customUser:plan",
                "the property has no dimension `customUser:plan`; did you mean `customEvent:plan`? Otherwise register `plan` in \
                 Google Analytics under Admin > Custom definitions as a custom dimension of the scope User",
            ),
            (
                "customEvent:score",
                "the property has no dimension `customEvent:score`; did you mean the metric `customEvent:score`? Otherwise \
                 register `score` in Google Analytics under Admin > Custom definitions as a custom dimension of the scope Event",
            ),
            ("city", "the property has no dimension `city`; replace `city` with a field that the property has"),
        ] {
            assert_eq!(of(&Asked { dimensions: words(&[dimension]), ..Asked::default() }), [expected]);
        }
        for (metric, expected) in [
            (
                "keyEvents:purchases",
                "did you mean `keyEvents:purchase`? Otherwise mark the event `purchases` as a key event",
            ),
            ("calcMetric:margin", "create the calculated metric `margin` under Admin > Custom definitions"),
        ] {
            let found = of(&Asked { metrics: words(&[metric]), ..Asked::default() });
            assert!(found.len() == 1 && found[0].contains(expected), "{found:?}");
        }
    }

    #[test]
    fn a_filter_counts_and_a_name_is_said_once() {
        let asked = Asked {
            dimensions: words(&["customEvent:color"]),
            filters: words(&["customEvent:color == red", "customItem:size == 1"]),
            ..Asked::default()
        };
        let found = of(&asked);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[1].contains("`customItem:size`"), "{found:?}");
    }

    #[test]
    fn of_realtime_only_custom_fields_are_known() {
        let asked = Asked {
            realtime: true,
            dimensions: words(&["unifiedScreenName", "customUser:tier", "customUser:level"]),
            ..Asked::default()
        };
        let found = of(&asked);
        assert!(found.len() == 1 && found[0].contains("`customUser:level`"), "{found:?}");
    }
}
