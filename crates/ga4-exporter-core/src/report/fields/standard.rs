//! The standard fields of the Data API, as `fields/ga4_fields.tsv` of this crate lists them.
//!
//! Knows where a field may be asked for, its unit, and what may be done with its values. Refuses to know what a property has of
//! its own, and what Google has changed since: only Google knows.

use std::sync::LazyLock;

use super::super::metric::{Addition, Unit};
use crate::names::Category;

/// What a field is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum FieldKind {
    /// What rows are split by.
    Dimension,
    /// What is counted.
    Metric,
}

/// A dimension or metric that every property has, or the beginning of the names that properties give to their own.
#[derive(Debug, Eq, PartialEq)]
pub struct Standard {
    /// What it is.
    pub kind: FieldKind,
    /// Google's name for it; without the colon where a property's own name follows.
    pub api_name: &'static str,
    /// Whether a property's own name follows.
    pub is_custom: bool,
    /// What Google Analytics calls it on its pages; empty of custom ones.
    pub ui_name: &'static str,
    /// What Google's numbers are in; `None` of dimensions, and of custom metrics, which have the unit of their registration.
    pub unit: Option<Unit>,
    /// What may be summed; of dimensions nothing.
    pub addition: Addition,
    /// Whether it may be below 0.
    pub is_signed: bool,
    /// Whether it belongs to key events, so that it is `(not set)` for everything else.
    pub is_attributed: bool,
    /// Whether Google may withhold rows with it, and limits requests for it to 120 an hour.
    pub is_thresholded: bool,
    /// Whether it usually has more values than a report without a filter returns.
    pub has_many_values: bool,
    /// Which others it goes together with.
    pub class: Class,
    reports: Reports,
}

/// A name that Google has given up.
#[derive(Debug, Eq, PartialEq)]
pub struct Former {
    /// What it was.
    pub kind: FieldKind,
    /// The old name.
    pub api_name: &'static str,
    /// The name in its place; `None` where nothing has come.
    pub present: Option<&'static str>,
}

/// Fields that go together with the same others: see [`super::compatibility`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Class {
    /// Dates, country, device: with almost everything.
    Common,
    /// Dimensions of an event: pages, names, places.
    Event,
    /// Dimensions of a session or of a user's first visit, that go with demographics.
    Session,
    /// The others of them.
    SessionSource,
    /// Manual terms and contents of a campaign.
    Campaign,
    /// Dimensions of key events, that go with demographics.
    Attribution,
    /// The others of them.
    AttributionSource,
    /// Dimensions of items.
    Item,
    /// Age, gender, interests.
    Demographic,
    /// Dimensions of cohorts, which are asked for otherwise.
    Cohort,
    /// The column of comparisons, which are asked for otherwise.
    Comparison,
    /// Counts of events.
    Events,
    /// Users, sessions and what is made of them.
    Users,
    /// Key events and revenue.
    Revenue,
    /// Quantities of items.
    ItemQuantities,
    /// Revenue of items.
    ItemRevenue,
    /// Costs of advertisements.
    Advertising,
    /// Google Search Console.
    SearchConsole,
    /// Users of cohorts, which are asked for otherwise.
    CohortUsers,
    /// Of a property's own fields, nobody knows.
    Unknown,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reports {
    Core,
    Realtime,
    Both,
}

impl Standard {
    /// Every field, dimensions first, by name.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        FIELDS.standard.iter()
    }

    /// Whether reports of this category can have it.
    pub fn is_in(&self, category: Category) -> bool {
        match self.reports {
            Reports::Both => true,
            Reports::Core => category == Category::Core,
            Reports::Realtime => category == Category::Realtime,
        }
    }

    /// Whether it needs something that no report here has: cohorts or comparisons.
    pub fn is_out_of_reach(&self) -> bool {
        matches!(self.class, Class::Cohort | Class::CohortUsers | Class::Comparison)
    }

    fn read(cells: &[&'static str]) -> Option<Self> {
        let &[kind, api_name, reports, unit, addition, class, marks, ui_name] = cells else { return None };
        let (kind, is_custom) = match kind {
            "dimension" => (FieldKind::Dimension, false),
            "metric" => (FieldKind::Metric, false),
            "custom dimension" => (FieldKind::Dimension, true),
            "custom metric" => (FieldKind::Metric, true),
            _ => return None,
        };
        let has = |mark| marks.split(',').any(|one| one == mark);
        Some(Self {
            kind,
            api_name,
            is_custom,
            ui_name,
            unit: Unit::of_word(unit),
            addition: match addition {
                "sum" => Addition::Sum,
                "ratio" => Addition::Ratio,
                "average" => Addition::Average,
                _ => Addition::Distinct,
            },
            is_signed: has("signed"),
            is_attributed: has("attribution"),
            is_thresholded: has("thresholded"),
            has_many_values: has("many"),
            class: Class::read(class),
            reports: match reports {
                "core" => Reports::Core,
                "realtime" => Reports::Realtime,
                _ => Reports::Both,
            },
        })
    }
}

impl Former {
    /// Every name that is gone.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        FIELDS.former.iter()
    }

    fn read(cells: &[&'static str]) -> Option<Self> {
        let (kind, api_name, present) = (cells.first()?, cells.get(1)?, cells.last()?);
        let kind = match *kind {
            "former dimension" => FieldKind::Dimension,
            "former metric" => FieldKind::Metric,
            _ => return None,
        };
        Some(Self { kind, api_name, present: Some(*present).filter(|name| !name.is_empty()) })
    }
}

impl Class {
    fn read(text: &str) -> Self {
        match text {
            "D-COMMON" => Self::Common,
            "D-EVENT" => Self::Event,
            "D-SESSION1" => Self::Session,
            "D-SESSION2" => Self::SessionSource,
            "D-UTM" => Self::Campaign,
            "D-ATTR1" => Self::Attribution,
            "D-ATTR2" | "D-ATTR3" => Self::AttributionSource,
            "D-ITEM" => Self::Item,
            "D-DEMO" => Self::Demographic,
            "D-COHORT" => Self::Cohort,
            "D-COMPARISON" => Self::Comparison,
            "M-EVENT" => Self::Events,
            "M-USER" => Self::Users,
            "M-REV" => Self::Revenue,
            "M-ITEMQ" => Self::ItemQuantities,
            "M-ITEMV" => Self::ItemRevenue,
            "M-ADS" => Self::Advertising,
            "M-GSC" => Self::SearchConsole,
            "M-COHORT" => Self::CohortUsers,
            _ => Self::Unknown,
        }
    }
}

struct Fields {
    standard: Vec<Standard>,
    former: Vec<Former>,
}

static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let lines: Vec<Vec<&str>> = TABLE.lines().map(|line| line.split('\t').collect()).collect();
    Fields {
        standard: lines.iter().filter_map(|cells| Standard::read(cells)).collect(),
        former: lines.iter().filter_map(|cells| Former::read(cells)).collect(),
    }
});

/// Made by `fields/generate.py`.
const TABLE: &str = include_str!("table.tsv");

#[cfg(test)]
mod tests {
    use super::*;

    /// The list that the table is made of.
    const SOURCE: &str = include_str!("../../../fields/ga4_fields.tsv");

    #[test]
    fn every_field_of_the_list_is_known() {
        let count = |kind, is_custom| {
            Standard::all().filter(|field| (field.kind, field.is_custom) == (kind, is_custom)).count()
        };
        assert_eq!((count(FieldKind::Dimension, false), count(FieldKind::Metric, false)), (376, 86));
        assert_eq!((count(FieldKind::Dimension, true), count(FieldKind::Metric, true)), (6, 7));
        for line in SOURCE.lines().skip(1).filter(|line| !line.contains("implicit response column")) {
            let name = line.split('\t').nth(1).unwrap().split(':').next().unwrap();
            let is_known = Standard::all().any(|field| field.api_name == name);
            assert!(is_known || Former::all().any(|former| former.api_name == name), "{line}");
        }
    }

    #[test]
    fn the_table_says_what_the_list_says() {
        for field in Standard::all().filter(|field| !field.is_custom) {
            let is_line = |line: &&str| line.split('\t').nth(1) == Some(field.api_name);
            let line = SOURCE.lines().find(is_line).unwrap();
            let cells: Vec<&str> = line.split('\t').collect();
            assert_eq!(
                (field.is_in(Category::Core), field.is_in(Category::Realtime)),
                (cells[3] == "y", cells[4] == "y"),
                "{line}"
            );
            assert!(cells[5].contains(&format!("ui={}", field.ui_name)), "{line}");
            assert_eq!(
                cells[5].contains("unit=ratio 0..1"),
                field.unit == Some(Unit::Ratio) && !cells[5].contains("scale"),
                "{line}"
            );
            assert_eq!(cells[2] == "TYPE_CURRENCY", field.unit == Some(Unit::Currency), "{line}");
            assert_eq!(field.kind == FieldKind::Metric, field.unit.is_some(), "{line}");
            let is_unclassed = field.class == Class::Unknown;
            assert_eq!(is_unclassed, !cells[5].contains("compat="), "{line}");
        }
    }

    #[test]
    fn every_present_name_of_a_former_field_is_known() {
        let wanted = |former: &Former| {
            Standard::all().any(|field| (Some(field.api_name), field.kind) == (former.present, former.kind))
        };
        assert_eq!(Former::all().count(), 22);
        for former in Former::all().filter(|former| former.present.is_some()) {
            assert!(wanted(former), "{former:?}");
        }
    }
}
