//! A report as people write it: known fields with names, and what is doubtful about them together.
//!
//! Knows what Google refuses and what is hardly meant, before anything is sent. Refuses to know where a report is written, and
//! what only Google knows.

use std::time::Duration;

use thiserror::Error as ThisError;

use super::{
    Definition, Dimension, Filter, Metric, Priority, Range, Scope, StaleAfter, Unit,
    fields::{FieldKind, Known, Standard, compatibility::excludes, standard::Class},
};
use crate::{
    names::{Category, LabelName, MetricName, NameError, ReportName},
    wire::request::{OrderBy, OrderKey},
};

/// A report as somebody wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Its name.
    pub name: ReportName,
    /// Which kind of report it is.
    pub category: Category,
    /// Of which properties it is asked for.
    pub scope: Scope,
    /// From one poll to the next.
    pub interval: Duration,
    /// How long its values hold.
    pub stale_after: StaleAfter,
    /// What rows are split by; may be none.
    pub dimensions: Vec<Split>,
    /// What is counted.
    pub metrics: Vec<Counted>,
    /// The days or minutes that are covered.
    pub range: Range,
    /// Which rows.
    pub filter: Filter,
    /// The fields that the filter looks at.
    pub filtered: Vec<Known>,
    /// In which order; empty: the first metric, the greatest first.
    pub order: Vec<Order>,
    /// How many rows at most; `None` leaves it to Google.
    pub limit: Option<u32>,
    /// How many series at most.
    pub max_series: usize,
}

/// A dimension and the label that it becomes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Split {
    /// The label.
    pub label: LabelName,
    /// The dimension.
    pub field: Known,
}

/// A metric, the end of its family's name, and its unit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Counted {
    /// The end of the name.
    pub name: MetricName,
    /// The metric.
    pub field: Known,
    /// What Google's numbers are in.
    pub unit: Unit,
}

/// A part of an order, by any name of what it is by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Order {
    /// A label, a metric's name, or Google's name of either.
    pub by: String,
    /// Whether the greatest comes first.
    pub is_descending: bool,
}

/// Something that is wrong or doubtful about a report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// Where.
    pub part: Part,
    /// Whether Google refuses the report; else it may be meant.
    pub is_error: bool,
    /// What it is, a semicolon, and what to do about it.
    pub message: String,
}

/// A part of a report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// The report as a whole.
    Report,
    /// All dimensions.
    Dimensions,
    /// One of the dimensions.
    Dimension(usize),
    /// All metrics.
    Metrics,
    /// One of the metrics.
    Metric(usize),
    /// The filter.
    Filter,
    /// The order.
    Order,
    /// How many rows.
    Limit,
    /// How many series.
    MaxSeries,
}

/// Why a field cannot be called so, or is not complete.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
pub enum NamingError {
    /// The name that was given.
    #[error("{given}{advice}", given = .0, advice = advice(.0))]
    Given(NameError),
    /// The name that follows from Google's.
    #[error(
        "the name `{name}`, which follows from `{field}`, is not possible; choose one of your own: `{{my_name: {field}}}`"
    )]
    Derived {
        /// Google's name.
        field: String,
        /// Ours.
        name: String,
    },
    /// Only a property's owner knows.
    #[error(
        "the unit of `{field}` is not known, since your property defines it; write `{{my_name: {{field: {field}, unit: \
         standard}}}}`, or another unit: {units}",
        units = units()
    )]
    UnitMissing {
        /// Google's name.
        field: String,
    },
    /// There is only one.
    #[error("the unit of `{field}` is `{unit}`; remove `unit`", unit = .unit.word())]
    UnitKnown {
        /// Google's name.
        field: String,
        /// Its unit.
        unit: Unit,
    },
}

impl Split {
    /// A dimension under a label; without one, under the label that follows from Google's name.
    ///
    /// # Errors
    /// It cannot be called so.
    pub fn new(label: Option<&str>, field: Known) -> Result<Self, NamingError> {
        let label = match label {
            Some(given) => given.parse().map_err(NamingError::Given)?,
            None => {
                let name = field.label();
                let field = field.api_name.to_string();
                name.parse().map_err(|_: NameError| NamingError::Derived { field, name })?
            }
        };
        Ok(Self { label, field })
    }
}

impl Counted {
    /// A metric under a name; without one, under the name that follows from Google's. A unit is needed where the property defines
    /// the metric, and nowhere else.
    ///
    /// # Errors
    /// It cannot be called so, or the unit is missing or too much.
    pub fn new(name: Option<&str>, field: Known, unit: Option<Unit>) -> Result<Self, NamingError> {
        let api_name = || field.api_name.to_string();
        let unit = match (field.standard.unit, unit) {
            (Some(known), Some(given)) if known != given => {
                return Err(NamingError::UnitKnown { field: api_name(), unit: known });
            }
            (Some(known), _) => known,
            (None, Some(given)) => given,
            (None, None) => return Err(NamingError::UnitMissing { field: api_name() }),
        };
        let name = match name {
            Some(given) => given.parse().map_err(NamingError::Given)?,
            None => {
                let name = field.metric_name(unit);
                name.parse().map_err(|_: NameError| NamingError::Derived { field: api_name(), name })?
            }
        };
        Ok(Self { name, field, unit })
    }

    /// The metric of a report that is split by these.
    fn metric<'a>(&self, dimensions: impl Iterator<Item = &'a Known>) -> Metric {
        Metric {
            name: self.name.clone(),
            api_name: self.field.api_name.clone(),
            unit: self.unit,
            addition: self.field.addition(dimensions),
            is_signed: self.field.standard.is_signed || self.unit == Unit::Currency,
            meaning: self.field.meaning(),
        }
    }
}

impl Draft {
    /// What the report asks for. An order by something that it does not have is left out: see [`Self::findings`].
    pub fn definition(&self) -> Definition {
        let fields = || self.dimensions.iter().map(|split| &split.field);
        let dimension =
            |split: &Split| Dimension { label: split.label.clone(), api_name: split.field.api_name.clone() };
        Definition {
            name: self.name.clone(),
            category: self.category,
            priority: Priority::Ordinary,
            scope: self.scope.clone(),
            interval: self.interval,
            stale_after: self.stale_after,
            dimensions: self.dimensions.iter().map(dimension).collect(),
            metrics: self.metrics.iter().map(|counted| counted.metric(fields())).collect(),
            range: self.range,
            meaning: self.range.meaning(),
            filter: self.filter.clone(),
            order: self.order.iter().filter_map(|order| self.ordered(order)).collect(),
            limit: self.limit,
            max_series: self.max_series,
        }
    }

    /// Everything that is wrong or doubtful.
    pub fn findings(&self) -> Vec<Finding> {
        let refused = self.definition().problems().into_iter().map(|error| Finding {
            part: error.part(),
            is_error: true,
            message: error.to_string(),
        });
        let mut findings: Vec<Finding> = refused.collect();
        findings.extend(self.order.iter().filter(|order| self.ordered(order).is_none()).map(|order| Finding {
            part: Part::Order,
            is_error: true,
            message: self.order_error(&order.by),
        }));
        findings.extend(self.doubtful_names());
        findings.extend(self.attributions());
        findings.extend(self.exclusions());
        findings.extend(self.lost_rows());
        findings
    }

    fn ordered(&self, order: &Order) -> Option<OrderBy> {
        let is_meant = |own: &str, field: &Known| own == order.by || field.api_name.as_str() == order.by;
        let metric = self.metrics.iter().find(|counted| is_meant(counted.name.as_str(), &counted.field));
        let metric = metric.map(|counted| OrderKey::Metric { metric_name: counted.field.api_name.clone() });
        let by = metric.or_else(|| {
            let split = self.dimensions.iter().find(|split| is_meant(split.label.as_str(), &split.field))?;
            Some(OrderKey::Dimension { dimension_name: split.field.api_name.clone() })
        })?;
        Some(OrderBy { by, desc: order.is_descending })
    }

    /// An order by something that the report does not have, with what it has.
    fn order_error(&self, by: &str) -> String {
        let metrics = self.metrics.iter().map(|counted| counted.name.as_str());
        let names: Vec<&str> = metrics.chain(self.dimensions.iter().map(|split| split.label.as_str())).collect();
        let distance = |name: &&&str| strsim::osa_distance(&by.trim().to_lowercase(), name);
        let near = names.iter().min_by_key(distance).filter(|name| distance(name) <= name.len() / 3);
        let advice = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                format!("add it there, or order by one of {}", names.join(", "))
            }
        };
        format!("the order is by `{by}`, which is not among the report's dimensions and metrics; {advice}")
    }

    /// Fields of the property's own that Google can hardly know.
    fn doubtful_names(&self) -> Vec<Finding> {
        let doubtful = self.all_fields().filter_map(|(part, known)| Some((part, known.doubt()?)));
        doubtful.map(|(part, message)| Finding { part, is_error: false, message }).collect()
    }

    /// Every dimension that it looks at, and where.
    fn all_dimensions(&self) -> impl Iterator<Item = (Part, &Known)> {
        let own = self.dimensions.iter().enumerate().map(|(index, split)| (Part::Dimension(index), &split.field));
        let is_own = |known: &Known| self.dimensions.iter().any(|split| split.field.api_name == known.api_name);
        own.chain(self.of_filter(FieldKind::Dimension).filter(move |(_, known)| !is_own(known)))
    }

    /// Every metric that it looks at, and where.
    fn all_metrics(&self) -> impl Iterator<Item = (Part, &Known)> {
        let own = self.metrics.iter().enumerate().map(|(index, counted)| (Part::Metric(index), &counted.field));
        let is_own = |known: &Known| self.metrics.iter().any(|counted| counted.field.api_name == known.api_name);
        own.chain(self.of_filter(FieldKind::Metric).filter(move |(_, known)| !is_own(known)))
    }

    fn all_fields(&self) -> impl Iterator<Item = (Part, &Known)> {
        self.all_dimensions().chain(self.all_metrics())
    }

    fn of_filter(&self, kind: FieldKind) -> impl Iterator<Item = (Part, &Known)> {
        let of_kind = self.filtered.iter().filter(move |known| known.standard.kind == kind);
        of_kind.map(|known| (Part::Filter, known))
    }

    /// Dimensions of key events: of everything else they are `(not set)`, and events cannot be counted by them.
    fn attributions(&self) -> Vec<Finding> {
        let attributed = self.all_dimensions().filter(|(_, known)| known.standard.is_attributed);
        let events = self.all_metrics().find(|(_, known)| known.standard.class == Class::Events);
        let finding = |(part, known): (Part, &Known)| {
            let name = &known.api_name;
            let instead = session_twin(name.as_str()).map_or_else(
                || "use a dimension that begins with `session`".to_owned(),
                |twin| format!("use `{twin}`"),
            );
            let message = match events {
                Some((_, metric)) => format!(
                    "`{name}` belongs to key events, and Google refuses it with `{}`; {instead}",
                    metric.api_name
                ),
                None => format!(
                    "`{name}` belongs to key events, so it is `(not set)` for all other traffic; {instead}, unless key \
                     events are meant"
                ),
            };
            Finding { part, is_error: events.is_some(), message }
        };
        attributed.map(finding).collect()
    }

    /// Pairs that are known not to go together.
    fn exclusions(&self) -> Vec<Finding> {
        let all: Vec<(Part, &Known)> = self.all_fields().collect();
        let mut findings = Vec::new();
        for (index, (_, one)) in all.iter().enumerate() {
            for (part, other) in all.iter().skip(index + 1) {
                let (first, second) = (one.standard, other.standard);
                let is_said = first.is_attributed && second.class == Class::Events;
                if excludes(first.class, second.class) && !is_said && findings.len() < MAX_EXCLUSIONS {
                    let message = format!(
                        "Google is known to refuse `{}` together with `{}`; ask for them in two reports, or try it with \
                         `check`",
                        one.api_name, other.api_name
                    );
                    findings.push(Finding { part: *part, is_error: false, message });
                }
            }
        }
        findings
    }

    /// Rows that are asked for and cannot be shown.
    fn lost_rows(&self) -> Option<Finding> {
        let limit = usize::try_from(self.limit?).ok().filter(|_| !self.dimensions.is_empty())?;
        let series = limit.saturating_mul(self.metrics.len());
        let is_too_much = series > self.max_series && self.max_series >= self.metrics.len() && !self.metrics.is_empty();
        let message = || {
            format!(
                "{limit} rows with {} metrics are {series} series, more than the {} of `max_series`; raise it to {series}, or \
                 lower `limit`",
                self.metrics.len(),
                self.max_series
            )
        };
        is_too_much.then(|| Finding { part: Part::Limit, is_error: false, message: message() })
    }
}

/// The dimension of sessions that says what this one says of key events.
fn session_twin(api_name: &str) -> Option<String> {
    let mut rest = api_name.chars();
    let first = rest.next()?.to_ascii_uppercase();
    let twin = format!("session{first}{}", rest.as_str());
    Standard::all().any(|field| field.api_name == twin).then_some(twin)
}

/// What errors of names do not say themselves.
fn advice(error: &NameError) -> &'static str {
    if matches!(error, NameError::TooLong(_)) { "; shorten it" } else { "" }
}

/// The words for units, for a message.
fn units() -> String {
    Unit::WORDS.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// How many pairs are named: a report that has more is thought over anyway.
const MAX_EXCLUSIONS: usize = 5;

#[cfg(test)]
mod tests;
