//! A report of one's own: what it asks for, checked by the limits of Google's requests.
//!
//! Refuses to know which fields there are and what goes together: that says Google.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use thiserror::Error as ThisError;

use super::{Brings, Dimension, Filter, Metric, Priority, Range, Report, Scope, StaleAfter, Window, draft::Part};
use crate::{
    names::{ApiName, Category, NameError, ReportName, WindowName},
    wire::{
        request::{OrderBy, OrderKey},
        response::MAX_ROWS,
    },
};

/// What a report is to ask for. Its families begin with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// Its name.
    pub name: ReportName,
    /// Which kind of report it is.
    pub category: Category,
    /// Whether it goes on when others leave little of a bucket.
    pub priority: Priority,
    /// Of which properties it is asked for.
    pub scope: Scope,
    /// From one poll to the next.
    pub interval: Duration,
    /// How long its values hold.
    pub stale_after: StaleAfter,
    /// What its rows are split by; may be none.
    pub dimensions: Vec<Dimension>,
    /// What it counts.
    pub metrics: Vec<Metric>,
    /// The days or minutes that it covers.
    pub range: Range,
    /// The same in words, for HELP.
    pub meaning: String,
    /// Which rows it wants.
    pub filter: Filter,
    /// In which order; empty: the first metric, the greatest first.
    pub order: Vec<OrderBy>,
    /// How many rows at most.
    pub limit: Option<u32>,
    /// How many series at most.
    pub max_series: usize,
}

/// Why there can be no such report.
#[derive(Debug, Eq, PartialEq, ThisError)]
pub enum DefinitionError {
    /// Google calls ranges otherwise.
    #[error("the report's name is not possible; choose another")]
    Name(#[source] NameError),
    /// Google refuses it.
    #[error(
        "{0} dimensions are too many, those of the filter included; keep {MAX_DIMENSIONS}, as many as Google allows"
    )]
    TooManyDimensions(usize),
    /// Google refuses it, and nothing would be exported.
    #[error("{0} metrics are not possible; Google allows 1 to {MAX_METRICS} in a report")]
    Metrics(usize),
    /// A field, with where it stands again.
    #[error("`{0}` stands there twice; remove one")]
    Duplicate(String, Part),
    /// The same label, or the same metric, of two fields, with where the second stands.
    #[error("two fields would be called `{0}`; choose another name for one of them: `{{my_name: …}}`")]
    SameName(String, Part),
    /// The same field in an order.
    #[error("the order is by `{0}` twice; remove one")]
    OrderTwice(String),
    /// Google orders only by what it sends.
    #[error(
        "the order is by `{0}`, which is not among the report's dimensions and metrics; add it there, or order by another"
    )]
    Order(String),
    /// Minutes are realtime's, and days the others'.
    #[error("a realtime report is on minutes, and any other on days; change one of the two")]
    Range,
    /// More than is read of an answer.
    #[error("a limit of {0} rows is not possible; give 1 to {MAX_ROWS}")]
    Limit(u32),
    /// It could export nothing.
    #[error(
        "a row has {metrics} series, one for each metric, and `max_series` allows {max_series}, so nothing would be exported; \
         raise it"
    )]
    MaxSeries {
        /// How many series a row has.
        metrics: usize,
        /// How many series there may be.
        max_series: usize,
    },
}

impl Report {
    /// The report of this definition.
    ///
    /// # Errors
    /// Google would refuse the request, or what it sends could not be exported.
    pub fn new(definition: Definition) -> Result<Self, DefinitionError> {
        if let Some(first) = definition.problems().into_iter().next() {
            return Err(first);
        }
        let name = definition.name.as_str().parse().map_err(DefinitionError::Name)?;
        let exported = definition.metrics.iter().map(|metric| metric.name.clone()).collect();
        let window = Window { name, range: definition.range, meaning: definition.meaning, exported };
        let report = Self {
            name: definition.name,
            category: definition.category,
            priority: definition.priority,
            scope: definition.scope,
            interval: definition.interval,
            stale_after: definition.stale_after,
            dimensions: definition.dimensions,
            metrics: definition.metrics,
            windows: vec![window],
            filter: definition.filter,
            order: definition.order,
            limit: definition.limit,
            max_series: definition.max_series,
            families: Vec::new(),
            brings: Brings::ValuesOnly,
        };
        Ok(report.with_families())
    }
}

impl Definition {
    /// Everything for which there can be no such report; empty where there can.
    pub fn problems(&self) -> Vec<DefinitionError> {
        let mut problems = Vec::new();
        if let Err(error) = self.name.as_str().parse::<WindowName>() {
            problems.push(DefinitionError::Name(error));
        }
        if !(1..=MAX_METRICS).contains(&self.metrics.len()) {
            problems.push(DefinitionError::Metrics(self.metrics.len()));
        }
        let dimensions = || self.dimensions.iter().map(|dimension| dimension.api_name.as_str());
        let metrics = || self.metrics.iter().map(|metric| metric.api_name.as_str());
        let mut looked_at = self.filter.dimension_names();
        looked_at.extend(dimensions());
        if looked_at.len() > MAX_DIMENSIONS {
            problems.push(DefinitionError::TooManyDimensions(looked_at.len()));
        }
        // A custom field may be a dimension and a metric.
        let duplicate = |part: fn(usize) -> Part| {
            move |(index, name): (usize, &str)| DefinitionError::Duplicate(name.to_owned(), part(index))
        };
        problems.extend(duplicates(dimensions()).into_iter().map(duplicate(Part::Dimension)));
        problems.extend(duplicates(metrics()).into_iter().map(duplicate(Part::Metric)));
        let labels = self.dimensions.iter().map(|dimension| (dimension.label.as_str(), &dimension.api_name));
        let names = self.metrics.iter().map(|metric| (metric.name.as_str(), &metric.api_name));
        let same = |part: fn(usize) -> Part| {
            move |(index, name): (usize, &str)| DefinitionError::SameName(name.to_owned(), part(index))
        };
        problems.extend(same_names(labels).into_iter().map(same(Part::Dimension)));
        problems.extend(same_names(names).into_iter().map(same(Part::Metric)));
        problems.extend(self.order.iter().enumerate().filter_map(|(index, order)| {
            let is_there = self.order.iter().take(index).any(|before| before.by == order.by);
            is_there.then(|| DefinitionError::OrderTwice(order.by.name().to_string()))
        }));
        for order in &self.order {
            let is_sent = match &order.by {
                OrderKey::Metric { metric_name } => metrics().any(|name| name == metric_name.as_str()),
                OrderKey::Dimension { dimension_name } => dimensions().any(|name| name == dimension_name.as_str()),
            };
            if !is_sent {
                problems.push(DefinitionError::Order(order.by.name().to_string()));
            }
        }
        if (self.category == Category::Realtime) != matches!(self.range, Range::Minutes(..)) {
            problems.push(DefinitionError::Range);
        }
        let is_possible = |limit: u32| usize::try_from(limit).is_ok_and(|limit| (1..=MAX_ROWS).contains(&limit));
        problems.extend(self.limit.filter(|limit| !is_possible(*limit)).map(DefinitionError::Limit));
        // Without dimensions there is one row, which is not limited.
        let (metrics, max_series) = (self.metrics.len(), self.max_series);
        if max_series == 0 || (!self.dimensions.is_empty() && max_series < metrics) {
            problems.push(DefinitionError::MaxSeries { metrics, max_series });
        }
        problems
    }
}

impl DefinitionError {
    /// Which part of the report is wrong.
    pub fn part(&self) -> Part {
        match self {
            Self::Name(_) | Self::Range => Part::Report,
            Self::Duplicate(_, part) | Self::SameName(_, part) => *part,
            Self::TooManyDimensions(_) => Part::Dimensions,
            Self::Metrics(_) => Part::Metrics,
            Self::Order(_) | Self::OrderTwice(_) => Part::Order,
            Self::Limit(_) => Part::Limit,
            Self::MaxSeries { .. } => Part::MaxSeries,
        }
    }
}

/// The names that come again, once for each time, with their places.
fn duplicates<'a>(names: impl Iterator<Item = &'a str>) -> Vec<(usize, &'a str)> {
    let mut seen = BTreeSet::new();
    names.enumerate().filter(|(_, name)| !seen.insert(*name)).collect()
}

/// The names that two different fields have, with the places of the second ones.
fn same_names<'a>(named: impl Iterator<Item = (&'a str, &'a ApiName)>) -> Vec<(usize, &'a str)> {
    let mut seen: BTreeMap<&str, &ApiName> = BTreeMap::new();
    let mut found = Vec::new();
    for (index, (name, field)) in named.enumerate() {
        if seen.insert(name, field).is_some_and(|other| other != field) {
            found.push((index, name));
        }
    }
    found
}

/// "Requests are limited to 9 dimensions within a nested request."
pub const MAX_DIMENSIONS: usize = 9;

/// "Requests are limited to 10 metrics within a nested request."
pub const MAX_METRICS: usize = 10;

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::{
        Addition, Day, Request, Unit,
        filter::{Expression, Match, TextTest},
    };

    fn dimension(label: &str, api_name: &str) -> Dimension {
        Dimension { label: label.parse().unwrap(), api_name: api_name.parse().unwrap() }
    }

    fn metric(name: &str, api_name: &str, unit: Unit) -> Metric {
        Metric {
            name: name.parse().unwrap(),
            api_name: api_name.parse().unwrap(),
            unit,
            addition: Addition::Sum,
            is_signed: unit == Unit::Currency,
            meaning: format!("What {api_name} counts"),
        }
    }

    /// The report of the manual's example: pageviews and revenue of the checkout, by device and path.
    pub(crate) fn checkout() -> Definition {
        let test = TextTest::Matches { how: Match::BeginsWith, value: "/checkout".to_owned(), case_sensitive: true };
        Definition {
            name: "checkout".parse().unwrap(),
            category: Category::Core,
            priority: Priority::Ordinary,
            scope: Scope::All,
            interval: Duration::from_mins(30),
            stale_after: StaleAfter::Intervals(3.0),
            dimensions: vec![dimension("device", "deviceCategory"), dimension("path", "pagePath")],
            metrics: vec![
                metric("pageviews", "screenPageViews", Unit::Plain),
                metric("revenue", "totalRevenue", Unit::Currency),
            ],
            range: Range::Days(Day::Ago(0), Day::Ago(0)),
            meaning: "today in the property's time zone".to_owned(),
            filter: Filter::new(&Expression::Dimension("pagePath".parse().unwrap(), test)).unwrap(),
            order: Vec::new(),
            limit: Some(50),
            max_series: 1000,
        }
    }

    #[test]
    fn a_report_with_dimensions_is_one_request_in_a_stable_order() {
        let Request::Core(request) = Report::new(checkout()).unwrap().request(None) else { panic!("not core") };
        let expected = json!({
            "dimensions": [{"name": "deviceCategory"}, {"name": "pagePath"}],
            "metrics": [{"name": "screenPageViews"}, {"name": "totalRevenue"}],
            "dateRanges": [{"startDate": "today", "endDate": "today", "name": "checkout"}],
            "dimensionFilter": {"filter": {"fieldName": "pagePath",
                "stringFilter": {"matchType": "BEGINS_WITH", "value": "/checkout", "caseSensitive": true}}},
            "orderBys": [
                {"metric": {"metricName": "screenPageViews"}, "desc": true},
                {"dimension": {"dimensionName": "deviceCategory"}},
                {"dimension": {"dimensionName": "pagePath"}},
            ],
            "limit": 50,
            "returnPropertyQuota": true,
        });
        assert_eq!(serde_json::to_value(&request).unwrap(), expected);
    }

    #[test]
    fn a_realtime_report_has_the_same_selection() {
        let path = OrderKey::Dimension { dimension_name: "unifiedScreenName".parse().unwrap() };
        let definition = Definition {
            category: Category::Realtime,
            range: Range::Minutes(29, 0),
            dimensions: vec![dimension("screen", "unifiedScreenName")],
            filter: Filter::verbatim(None, Some(json!({"filter": {}}))),
            order: vec![OrderBy { by: path, desc: false }],
            ..checkout()
        };
        let Request::Realtime(request) = Report::new(definition).unwrap().request(None) else { panic!("not realtime") };
        let body = serde_json::to_value(&request).unwrap();
        assert_eq!(body["minuteRanges"], json!([{"startMinutesAgo": 29, "endMinutesAgo": 0, "name": "checkout"}]));
        assert_eq!(body["orderBys"], json!([{"dimension": {"dimensionName": "unifiedScreenName"}}]));
        assert_eq!((&body["metricFilter"], &body["limit"]), (&json!({"filter": {}}), &json!(50)));
    }

    #[test]
    fn its_families_are_named_after_it_and_say_what_they_count() {
        let report = Report::new(checkout()).unwrap();
        let families: Vec<_> = report.families.iter().map(|family| (family.name.as_str(), &*family.help)).collect();
        assert_eq!(
            families,
            [
                (
                    "google_analytics_checkout_pageviews",
                    "What screenPageViews counts today in the property's time zone (GA4 screenPageViews by deviceCategory, \
                     pagePath, filtered; additive over its labels). Cached; polled every google_analytics_report_interval_seconds."
                ),
                (
                    "google_analytics_checkout_revenue",
                    "What totalRevenue counts today in the property's time zone (GA4 totalRevenue by deviceCategory, \
                     pagePath, filtered; in the property's currency; additive over its labels). Cached; polled every google_analytics_report_interval_seconds."
                ),
            ]
        );
        assert!(!report.is_essential() && report.is_labelled() && report.has_dates());
    }

    #[test]
    fn what_google_would_refuse_is_no_report() {
        let error = |change: fn(&mut Definition)| {
            let mut definition = checkout();
            change(&mut definition);
            Report::new(definition).unwrap_err()
        };
        assert_eq!(error(|report| report.metrics.clear()), DefinitionError::Metrics(0));
        assert_eq!(
            error(|report| report.dimensions =
                (0..9).map(|n| dimension(&format!("d{n}"), &format!("field{n}"))).collect()),
            DefinitionError::TooManyDimensions(10),
            "the filter's is one more"
        );
        let twice = |name: &str, part| DefinitionError::Duplicate(name.to_owned(), part);
        let same = |name: &str, part| DefinitionError::SameName(name.to_owned(), part);
        let third = Part::Dimension(2);
        assert_eq!(error(|report| report.dimensions.push(dimension("other", "pagePath"))), twice("pagePath", third));
        assert_eq!(error(|report| report.dimensions.push(dimension("path", "city"))), same("path", third));
        let error_of_metric = error(|report| report.metrics.push(metric("revenue", "sessions", Unit::Plain)));
        assert_eq!(error_of_metric, same("revenue", Part::Metric(2)));
        assert_eq!(error(|report| report.range = Range::Minutes(29, 0)), DefinitionError::Range);
        assert_eq!(error(|report| report.limit = Some(0)), DefinitionError::Limit(0));
        assert_eq!(error(|report| report.limit = Some(10_001)), DefinitionError::Limit(10_001));
        let too_few = |max_series| DefinitionError::MaxSeries { metrics: 2, max_series };
        assert_eq!(error(|report| report.max_series = 0), too_few(0));
        assert_eq!(error(|report| report.max_series = 1), too_few(1));
        let by = |name: &str| OrderBy { by: OrderKey::Metric { metric_name: name.parse().unwrap() }, desc: true };
        let mut definition = checkout();
        definition.order = vec![by("sessions")];
        assert_eq!(Report::new(definition), Err(DefinitionError::Order("sessions".to_owned())));
        let mut definition = checkout();
        definition.order = vec![by("totalRevenue"), OrderBy { desc: false, ..by("totalRevenue") }];
        assert_eq!(Report::new(definition), Err(DefinitionError::OrderTwice("totalRevenue".to_owned())));
        assert!(matches!(error(|report| report.name = "date_range_0".parse().unwrap()), DefinitionError::Name(_)));
    }

    #[test]
    fn values_of_another_definition_count_only_where_they_are_the_same() {
        let report = Report::new(checkout()).unwrap();
        let place = |change: fn(&mut Definition), family| {
            let mut definition = checkout();
            change(&mut definition);
            report.family_in(&Report::new(definition).unwrap(), family)
        };
        assert_eq!(place(|_| (), 1), Some(1));
        assert_eq!(place(|report| report.metrics.reverse(), 1), Some(0));
        assert_eq!(place(|report| report.metrics[1].name = "sales".parse().unwrap(), 1), Some(1), "under another name");
        assert_eq!(place(|report| report.metrics[0].unit = Unit::Seconds, 0), None);
        assert_eq!(place(|report| report.limit = None, 0), Some(0));
        assert_eq!(place(|report| report.metrics.truncate(1), 1), None);
        assert_eq!(place(|report| report.filter = Filter::default(), 0), None);
        assert_eq!(place(|report| report.dimensions.truncate(1), 0), None);
        assert_eq!(place(|report| report.range = Range::Days(Day::Ago(1), Day::Ago(1)), 0), None);
        assert_eq!(place(|report| report.metrics[0].api_name = "sessions".parse().unwrap(), 0), None);
    }

    #[test]
    fn what_is_read_otherwise_is_asked_for_again() {
        let report = Report::new(checkout()).unwrap();
        let redefines = |change: fn(&mut Definition)| {
            let mut definition = checkout();
            change(&mut definition);
            Report::new(definition).unwrap().redefines(&report)
        };
        assert!(!redefines(|_| ()) && !redefines(|report| report.interval *= 2));
        assert!(!redefines(|report| report.metrics[0].name = "views".parse().unwrap()), "it has the values");
        assert!(redefines(|report| report.metrics[0].unit = Unit::Seconds));
        assert!(redefines(|report| report.max_series = 2000));
        assert!(redefines(|report| report.filter = Filter::default()));
        assert!(redefines(|report| report.limit = Some(60)));
        assert!(redefines(|report| report.dimensions[0].label = "kind".parse().unwrap()));
    }
}
