//! A question as it is asked on a command line, and the report that answers it.
//!
//! Knows which parts go together. Refuses to know flags and files. What Google would refuse is refused here, as far as that is
//! known without asking.

use std::{num::NonZeroU64, time::Duration};

use thiserror::Error as ThisError;

use super::{
    Query, condition,
    condition::ParseError,
    day::{self, QueryDayError},
    field,
};
use crate::{
    names::{ApiName, Category, ReportName},
    report::{
        Definition, DefinitionError, Filter, Priority, Range, Report, Scope, StaleAfter,
        fields::{FieldError, FieldKind, Known, find},
        filter::{Expression, FilterError},
    },
    wire::request::{OrderBy, OrderKey},
};

/// What is asked, in the words of whoever asks.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Asked {
    /// What to count; pageviews and visitors where there are none.
    pub metrics: Vec<String>,
    /// What to split rows by.
    pub dimensions: Vec<String>,
    /// The first day.
    pub from: Option<String>,
    /// The last day.
    pub to: Option<String>,
    /// Conditions, all of which have to hold.
    pub filters: Vec<String>,
    /// What to order by; a hyphen before it for descending order.
    pub order: Vec<String>,
    /// How many rows at most.
    pub limit: Option<NonZeroU64>,
    /// About the last 30 minutes instead of days.
    pub realtime: bool,
}

/// Why a question cannot be asked.
#[derive(Debug, ThisError)]
pub enum AskError {
    /// The dates.
    #[error(transparent)]
    Day(#[from] QueryDayError),
    /// A field.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A condition.
    #[error("--filter `{}`: {cause}", shown(.text))]
    Condition {
        /// As it was given.
        text: String,
        /// What is wrong.
        #[source]
        cause: ParseError,
    },
    /// All conditions together.
    #[error("--filter: {0}")]
    Filter(#[from] FilterError),
    /// What to order by is not asked for.
    #[error("--order-by `{}`: the rows have no such column; order by one of {columns}", shown(.text))]
    Order {
        /// As it was given.
        text: String,
        /// What rows can be ordered by.
        columns: String,
    },
    /// Google has no further pages of it.
    #[error("--limit {0} is too much: Google answers a realtime report with {most} rows at most", most = super::PAGE_ROWS)]
    RealtimeLimit(u64),
    /// More than a machine has memory for.
    #[error("--limit {0} is too much; at most {most} rows can be asked for", most = super::MOST_ROWS)]
    Limit(u64),
    /// Anything else that Google would refuse.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
}

impl Asked {
    /// The question.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn query(&self) -> Result<Query, AskError> {
        let category = if self.realtime { Category::Realtime } else { Category::Core };
        let range =
            self.range()?.unwrap_or(if self.realtime { LAST_MINUTES } else { Range::Days(YESTERDAY, YESTERDAY) });
        let known = |kind, texts: &[String]| -> Result<Vec<Known>, FieldError> {
            texts.iter().map(|text| find(kind, text.trim(), category)).collect()
        };
        let usual = || [usual_metrics(category)].concat().into_iter().map(str::to_owned).collect();
        let metrics: Vec<String> = if self.metrics.is_empty() { usual() } else { self.metrics.clone() };
        let (dimensions, metrics) =
            (known(FieldKind::Dimension, &self.dimensions)?, known(FieldKind::Metric, &metrics)?);
        let api_names: Vec<ApiName> = metrics.iter().map(|metric| metric.api_name.clone()).collect();
        let definition = Definition {
            name: name(),
            category,
            priority: Priority::Ordinary,
            scope: Scope::All,
            interval: Duration::MAX,
            stale_after: StaleAfter::Fixed(Duration::MAX),
            metrics: metrics.iter().map(|metric| field::metric(metric, &dimensions)).collect::<Result<_, _>>()?,
            filter: self.filter(&api_names, category)?,
            order: self.order(&dimensions, &metrics)?,
            dimensions: dimensions.iter().map(field::dimension).collect::<Result<_, _>>()?,
            range,
            meaning: String::new(),
            limit: None,
            max_series: usize::MAX,
        };
        self.limited(Report::new(definition)?, None)
    }

    /// The question that a report asks, with the dates, the limit and the further conditions of this one.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn of_report(&self, report: &Report) -> Result<Query, AskError> {
        let is_realtime = report.category == Category::Realtime;
        let range = Self { realtime: is_realtime, ..self.clone() }.range()?;
        let api_names: Vec<ApiName> = report.metrics.iter().map(|metric| metric.api_name.clone()).collect();
        let filter = report.filter.and(&self.filter(&api_names, report.category)?);
        self.limited(Report { filter, ..report.clone() }, range)
    }

    fn limited(&self, report: Report, range: Option<Range>) -> Result<Query, AskError> {
        let is_realtime = report.category == Category::Realtime;
        let limit = self.limit.map(NonZeroU64::get);
        match limit {
            Some(limit) if is_realtime && limit > super::PAGE_ROWS as u64 => Err(AskError::RealtimeLimit(limit)),
            Some(limit) if limit > super::MOST_ROWS => Err(AskError::Limit(limit)),
            _ => Ok(Query::new(report, range, limit)),
        }
    }

    /// The days, where any are given.
    fn range(&self) -> Result<Option<Range>, QueryDayError> {
        if self.from.is_none() && self.to.is_none() {
            return Ok(None);
        }
        if self.realtime {
            return Err(QueryDayError::Realtime);
        }
        let read = |text: &Option<String>| text.as_deref().map(day::day).transpose();
        day::range(read(&self.from)?, read(&self.to)?).map(Some)
    }

    fn filter(&self, metrics: &[ApiName], category: Category) -> Result<Filter, AskError> {
        let read = |text: &String| {
            condition::condition(text, metrics, category)
                .map_err(|cause| AskError::Condition { text: text.clone(), cause })
        };
        let conditions = self.filters.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        if conditions.is_empty() { Ok(Filter::default()) } else { Ok(Filter::new(&Expression::And(conditions))?) }
    }

    fn order(&self, dimensions: &[Known], metrics: &[Known]) -> Result<Vec<OrderBy>, AskError> {
        let order = |text: &String| {
            let name = text.trim();
            let (desc, name) = name.strip_prefix('-').map_or((false, name), |name| (true, name));
            let metric = metrics.iter().find(|known| is_called(known, FieldKind::Metric, name));
            let dimension = dimensions.iter().find(|known| is_called(known, FieldKind::Dimension, name));
            let by = match (metric, dimension) {
                (Some(metric), _) => OrderKey::Metric { metric_name: metric.api_name.clone() },
                (None, Some(dimension)) => OrderKey::Dimension { dimension_name: dimension.api_name.clone() },
                (None, None) => {
                    let columns = metrics.iter().chain(dimensions).map(|known| format!("`{}`", known.api_name));
                    let columns = columns.collect::<Vec<_>>().join(", ");
                    return Err(AskError::Order { text: text.clone(), columns });
                }
            };
            Ok(OrderBy { by, desc })
        };
        self.order.iter().map(order).collect()
    }
}

/// Whether a field is called so, by our name or by Google's.
fn is_called(known: &Known, kind: FieldKind, name: &str) -> bool {
    let of_any = |category| find(kind, name, category).is_ok_and(|found| found.api_name == known.api_name);
    Category::ALL.iter().any(|category| of_any(*category))
}

/// Returns the default metrics.
fn usual_metrics(category: Category) -> [&'static str; 2] {
    match category {
        Category::Core => ["pageviews", "visitors"],
        // There are no visitors in realtime.
        Category::Realtime => ["pageviews", "active_users"],
    }
}

fn name() -> ReportName {
    NAME.parse().expect("it is well formed: see the tests")
}

fn shown(text: &str) -> String {
    crate::chain::one_line(text, SHOWN_CHARACTERS)
}

const NAME: &str = "query";

const YESTERDAY: crate::report::Day = crate::report::Day::Ago(1);

const LAST_MINUTES: Range = Range::Minutes(29, 0);

const SHOWN_CHARACTERS: usize = 80;

#[cfg(test)]
mod tests;
