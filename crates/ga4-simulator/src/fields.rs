//! The fields of the Data API: 376 standard dimensions and 86 standard metrics with Google's names (`getMetadata` of a
//! property and the pages of the API's schema), and the custom ones of a property.
//!
//! Knows names, types, the reports that accept them, and their compatibility.

use std::sync::{Arc, LazyLock};

use super::{
    columns::{self, Column},
    compatibility,
    custom::{self, CustomFields},
    formulas::{self, Formula},
    tally::Tally,
    value::Value,
};

/// The fields that one kind of report of a property accepts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    pub(super) category: Category,
    custom: &'a CustomFields,
}

/// A dimension of core reports, realtime reports or both.
#[derive(Clone, Debug)]
pub(super) struct Dimension {
    pub(super) name: String,
    pub(super) ui_name: String,
    pub(super) category: &'static str,
    pub(super) reports: Reports,
    /// The name before a rename: listed by `getMetadata`, refused in reports.
    pub(super) deprecated: Option<&'static str>,
    /// Reports with this dimension may withhold rows, and use the quota of potentially thresholded requests.
    pub(super) is_thresholded: bool,
    pub(super) column: Column,
    /// The compatibility class.
    pub(super) class: &'static str,
    pub(super) is_custom: bool,
    /// The values of a custom dimension.
    pub(super) own_values: Vec<String>,
}

/// A metric of core reports, realtime reports or both.
#[derive(Clone, Debug)]
pub(super) struct Metric {
    pub(super) name: String,
    pub(super) ui_name: String,
    pub(super) category: &'static str,
    pub(super) reports: Reports,
    /// The name before a rename, as for dimensions.
    pub(super) deprecated: Option<&'static str>,
    /// The compatibility class, as for dimensions.
    pub(super) class: &'static str,
    pub(super) is_custom: bool,
    /// What hides the values of a custom metric from the account.
    pub(super) restriction: Option<custom::Restriction>,
    pub(super) core_type: &'static str,
    pub(super) formula: Formula,
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

impl<'a> Fields<'a> {
    pub(super) fn new(category: Category, custom: &'a CustomFields) -> Self {
        Self { category, custom }
    }

    /// Returns all dimensions.
    pub(super) fn dimensions(self) -> impl Iterator<Item = &'a Arc<Dimension>> {
        let all = TABLE.dimensions.iter().chain(&self.custom.dimensions);
        all.filter(move |field| self.category.offers(field.reports))
    }

    pub(super) fn dimension(self, name: &str) -> Option<&'a Arc<Dimension>> {
        self.dimensions().find(|field| field.name == name)
    }

    /// Returns all metrics.
    pub(super) fn metrics(self) -> impl Iterator<Item = &'a Arc<Metric>> {
        let all = TABLE.metrics.iter().chain(&self.custom.metrics);
        all.filter(move |field| self.category.offers(field.reports))
    }

    pub(super) fn metric(self, name: &str) -> Option<&'a Arc<Metric>> {
        self.metrics().find(|field| field.name == name)
    }
}

#[cfg(test)]
impl Fields<'static> {
    /// Returns the fields that every property has.
    pub(super) fn standard(category: Category) -> Self {
        static NONE: CustomFields = CustomFields::NONE;
        Self::new(category, &NONE)
    }
}

impl Dimension {
    /// Returns whether the dimension and the metric are compatible.
    pub(super) fn is_compatible(&self, metric: &Metric) -> bool {
        compatibility::go_together(self.class, metric.class)
    }

    fn read(line: &Line) -> Self {
        Self {
            name: line.name.into(),
            ui_name: line.ui_name.into(),
            category: line.category,
            reports: line.reports,
            deprecated: line.deprecated,
            is_thresholded: line.is_thresholded,
            column: columns::of(line.name),
            class: line.class,
            is_custom: false,
            own_values: Vec::new(),
        }
    }
}

impl Metric {
    /// Returns the type in the metric headers. `keyEvents` is fractional in core reports, because attribution may
    /// split an event.
    pub(super) fn value_type(&self, category: Category) -> &'static str {
        match category {
            Category::Core => self.core_type,
            Category::Realtime => "TYPE_INTEGER",
        }
    }

    /// Returns the value in Google's format; 0 if it is hidden from the account.
    pub(super) fn value(&self, tally: &Tally) -> Value {
        if self.restriction.is_some() { Value::whole(0) } else { self.formula.value(tally) }
    }

    fn read(line: &Line) -> Self {
        Self {
            name: line.name.into(),
            ui_name: line.ui_name.into(),
            category: line.category,
            reports: line.reports,
            deprecated: line.deprecated,
            class: line.class,
            is_custom: false,
            restriction: None,
            core_type: line.value_type,
            formula: formulas::of(line.name),
        }
    }
}

/// All standard fields.
struct Table {
    dimensions: Vec<Arc<Dimension>>,
    metrics: Vec<Arc<Metric>>,
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

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let (metrics, dimensions): (Vec<Line>, Vec<Line>) =
        LINES.lines().filter_map(Line::read).partition(|line| line.is_metric);
    Table {
        dimensions: dimensions.iter().map(|line| Arc::new(Dimension::read(line))).collect(),
        metrics: metrics.iter().map(|line| Arc::new(Metric::read(line))).collect(),
    }
});

/// Generated by tests/simulator/fields.py.
const LINES: &str = include_str!("fields.tsv");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_standard_field_is_known() {
        assert_eq!((TABLE.dimensions.len(), TABLE.metrics.len()), (376, 86));
        let counts = |category| {
            let fields = Fields::standard(category);
            (fields.dimensions().count(), fields.metrics().count())
        };
        assert_eq!((counts(Category::Core), counts(Category::Realtime)), ((375, 86), (15, 4)));
        let deprecated = TABLE.dimensions.iter().filter(|field| field.deprecated.is_some()).count();
        assert_eq!((deprecated, TABLE.metrics.iter().filter(|field| field.deprecated.is_some()).count()), (8, 7));
    }

    #[test]
    fn types_are_googles() {
        let type_of =
            |name: &str, category| Fields::standard(category).metric(name).map(|metric| metric.value_type(category));
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
        for metric in &TABLE.metrics {
            let text = metric.value(&tally).text;
            let is_whole = text.bytes().all(|byte| byte.is_ascii_digit());
            assert!(metric.core_type != "TYPE_INTEGER" || is_whole, "{}: {text}", metric.name);
        }
    }
}
