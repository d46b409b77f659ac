//! The standard fields of the Data API: 376 dimensions and 86 metrics with Google's names (`getMetadata` of a
//! property and the pages of the API's schema).
//!
//! Knows names, types, the reports that accept them, and their compatibility.

use std::sync::LazyLock;

use super::{
    columns::{self, Column},
    compatibility,
    formulas::{self, Formula},
    tally::Tally,
    value::Value,
};

/// A dimension of core reports, realtime reports or both.
#[derive(Debug)]
pub(super) struct Dimension {
    pub(super) name: &'static str,
    pub(super) ui_name: &'static str,
    pub(super) category: &'static str,
    pub(super) reports: Reports,
    /// The name before a rename: listed by `getMetadata`, refused in reports.
    pub(super) deprecated: Option<&'static str>,
    /// Reports with this dimension may withhold rows, and use the quota of potentially thresholded requests.
    pub(super) is_thresholded: bool,
    pub(super) column: Column,
    /// The compatibility class.
    pub(super) class: &'static str,
}

/// A metric of core reports, realtime reports or both.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) ui_name: &'static str,
    pub(super) category: &'static str,
    pub(super) reports: Reports,
    /// The name before a rename, as for dimensions.
    pub(super) deprecated: Option<&'static str>,
    /// The compatibility class, as for dimensions.
    pub(super) class: &'static str,
    core_type: &'static str,
    formula: Formula,
}

/// The reports that accept a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reports {
    Core,
    Realtime,
    Both,
}

/// The two kinds of reports.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Category {
    Core,
    Realtime,
}

impl Category {
    pub(super) fn offers(self, reports: Reports) -> bool {
        match reports {
            Reports::Both => true,
            Reports::Core => self == Self::Core,
            Reports::Realtime => self == Self::Realtime,
        }
    }
}

impl Dimension {
    /// Returns all dimensions that a kind of report accepts.
    pub(super) fn all(category: Category) -> impl Iterator<Item = &'static Self> {
        FIELDS.dimensions.iter().filter(move |field| category.offers(field.reports))
    }

    pub(super) fn find(name: &str, category: Category) -> Option<&'static Self> {
        Self::all(category).find(|field| field.name == name)
    }

    /// Returns whether the dimension and the metric are compatible.
    pub(super) fn is_compatible(&self, metric: &Metric) -> bool {
        compatibility::go_together(self.class, metric.class)
    }

    fn read(line: &Line) -> Self {
        Self {
            name: line.name,
            ui_name: line.ui_name,
            category: line.category,
            reports: line.reports,
            deprecated: line.deprecated,
            is_thresholded: line.is_thresholded,
            column: columns::of(line.name),
            class: line.class,
        }
    }
}

impl Metric {
    /// Returns all metrics that a kind of report accepts.
    pub(super) fn all(category: Category) -> impl Iterator<Item = &'static Self> {
        FIELDS.metrics.iter().filter(move |field| category.offers(field.reports))
    }

    pub(super) fn find(name: &str, category: Category) -> Option<&'static Self> {
        Self::all(category).find(|field| field.name == name)
    }

    /// Returns the type in the metric headers. `keyEvents` is fractional in core reports, because attribution may
    /// split an event.
    pub(super) fn value_type(&self, category: Category) -> &'static str {
        match category {
            Category::Core => self.core_type,
            Category::Realtime => "TYPE_INTEGER",
        }
    }

    /// Returns the value in Google's format.
    pub(super) fn value(&self, tally: &Tally) -> Value {
        self.formula.value(tally)
    }

    fn read(line: &Line) -> Self {
        Self {
            name: line.name,
            ui_name: line.ui_name,
            category: line.category,
            reports: line.reports,
            deprecated: line.deprecated,
            class: line.class,
            core_type: line.value_type,
            formula: formulas::of(line.name),
        }
    }
}

/// All fields.
struct Fields {
    dimensions: Vec<Dimension>,
    metrics: Vec<Metric>,
}

/// A line of the table.
struct Line {
    is_metric: bool,
    name: &'static str,
    value_type: &'static str,
    reports: Reports,
    is_thresholded: bool,
    category: &'static str,
    ui_name: &'static str,
    deprecated: Option<&'static str>,
    class: &'static str,
}

impl Line {
    /// Parses a line; returns `None` for lines that are not fields, such as the header.
    fn read(text: &'static str) -> Option<Self> {
        let mut columns = text.split('\t');
        let mut next = || columns.next();
        Some(Self {
            is_metric: match next()? {
                "metric" => true,
                "dimension" => false,
                _ => return None,
            },
            name: next()?,
            value_type: next()?,
            reports: match next()? {
                "core" => Reports::Core,
                "realtime" => Reports::Realtime,
                _ => Reports::Both,
            },
            is_thresholded: next()? == "thresholded",
            category: next()?,
            ui_name: next()?,
            deprecated: next().filter(|name| !name.is_empty()),
            class: next()?,
        })
    }
}

static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let (metrics, dimensions): (Vec<Line>, Vec<Line>) =
        TABLE.lines().filter_map(Line::read).partition(|line| line.is_metric);
    Fields {
        dimensions: dimensions.iter().map(Dimension::read).collect(),
        metrics: metrics.iter().map(Metric::read).collect(),
    }
});

/// Generated by tests/simulator/fields.py.
const TABLE: &str = include_str!("fields.tsv");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_standard_field_is_known() {
        assert_eq!((FIELDS.dimensions.len(), FIELDS.metrics.len()), (376, 86));
        assert_eq!((Dimension::all(Category::Core).count(), Dimension::all(Category::Realtime).count()), (375, 15));
        assert_eq!((Metric::all(Category::Core).count(), Metric::all(Category::Realtime).count()), (86, 4));
        let deprecated = FIELDS.dimensions.iter().filter(|field| field.deprecated.is_some()).count();
        assert_eq!((deprecated, FIELDS.metrics.iter().filter(|field| field.deprecated.is_some()).count()), (8, 7));
    }

    #[test]
    fn types_are_googles() {
        let type_of = |name: &str, category| Metric::find(name, category).map(|metric| metric.value_type(category));
        for (name, core, realtime) in [
            ("keyEvents", "TYPE_FLOAT", Some("TYPE_INTEGER")),
            ("adUnitExposure", "TYPE_MILLISECONDS", None),
            ("averageSessionDuration", "TYPE_SECONDS", None),
            ("purchaseRevenue", "TYPE_CURRENCY", None),
            ("activeUsers", "TYPE_INTEGER", Some("TYPE_INTEGER")),
        ] {
            assert_eq!(type_of(name, Category::Core), Some(core), "{name}");
            assert_eq!(type_of(name, Category::Realtime), realtime, "{name}");
        }
        assert!(type_of("conversions", Category::Core).is_none(), "deprecated");
    }

    #[test]
    fn whole_types_have_whole_values() {
        let tally = Tally::sample();
        for metric in &FIELDS.metrics {
            let text = metric.value(&tally).text;
            let is_whole = text.bytes().all(|byte| byte.is_ascii_digit());
            assert!(metric.core_type != "TYPE_INTEGER" || is_whole, "{}: {text}", metric.name);
        }
    }
}
