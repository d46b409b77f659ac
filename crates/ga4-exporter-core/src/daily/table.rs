//! What is kept of a report: a table with a row for each day and each combination of its dimensions.
//!
//! Invariant: its names are names that SQLite and PostgreSQL keep whole, and no column has the name of another.

use thiserror::Error as ThisError;

use super::{Span, TableDefinition};
use crate::{
    names::{ApiName, Category, PropertyId, ReportName},
    report::{Filter, MAX_DIMENSIONS, Metric, Report, ReportSettings, Scope},
    wire::{
        request::{DateRange, Name, OrderBy, OrderKey, RunReportRequest, Selection},
        response::LONGEST,
    },
};

/// A table of daily figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    report: ReportName,
    name: String,
    dimensions: Vec<Column>,
    metrics: Vec<MetricColumn>,
    filter: Filter,
    scope: Scope,
}

/// A column of the key: a dimension.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Column {
    /// What it is called in the database.
    pub name: String,
    /// Google's name for it.
    pub api_name: ApiName,
}

/// A column with numbers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MetricColumn {
    /// What it counts; its name is that of the column.
    pub metric: Metric,
    /// What its numbers are.
    pub kind: NumberKind,
}

/// What numbers of a column are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NumberKind {
    /// Whole ones.
    Integer,
    /// Any.
    Float,
}

/// Why a report cannot be kept by days.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
pub enum TableError {
    /// Google has no realtime data of the past.
    #[error("`{0}` is a realtime report, and Google keeps no realtime data; keep a core report instead")]
    Realtime(ReportName),
    /// What `daily` is there for.
    #[error(
        "`{0}` is built in and covers several ranges of days; keep `{DAILY}` instead, which has its metrics by day"
    )]
    BuiltIn(ReportName),
    /// The date is one more.
    #[error(
        "`{report}` looks at {count} dimensions, those of its filter included; with the date, which a table needs, they are more \
         than the {MAX_DIMENSIONS} that Google allows; leave out {}", .count + 1 - MAX_DIMENSIONS
    )]
    TooManyDimensions {
        /// The report.
        report: ReportName,
        /// How many without the date.
        count: usize,
    },
    /// Two columns of a table cannot have one name.
    #[error("`{report}` has two columns called `{column}`; give one of them another name in the configuration")]
    SameColumn {
        /// The report.
        report: ReportName,
        /// The name.
        column: String,
    },
    /// Databases have such a column in every table, or `sync` has.
    #[error("`{report}` has a column called `{column}`, which databases keep for themselves; give it another name")]
    ReservedColumn {
        /// The report.
        report: ReportName,
        /// The name.
        column: String,
    },
    /// PostgreSQL would cut it.
    #[error("`{0}` is too long for the name of a table or column; it may have {1} characters")]
    TooLong(String, usize),
}

impl Table {
    /// The built-in one: the totals of each day.
    pub fn daily() -> Self {
        let totals = Report::traffic(&ReportSettings::traffic());
        Self {
            report: DAILY.parse().expect("the name is well formed: see the tests"),
            name: format!("ga_{DAILY}"),
            dimensions: Vec::new(),
            metrics: totals.metrics.into_iter().map(MetricColumn::new).collect(),
            filter: Filter::default(),
            scope: Scope::All,
        }
    }

    /// The table of a report. Its limit, order, range of days, interval and number of series do not count here.
    ///
    /// # Errors
    /// The report has no days, or the table cannot be.
    pub fn of(report: &Report) -> Result<Self, TableError> {
        let name = report.name.clone();
        if report.category == Category::Realtime {
            return Err(TableError::Realtime(name));
        }
        if report.windows.len() != 1 || report.is_history() {
            return Err(TableError::BuiltIn(name));
        }
        let own = report.dimensions.iter().filter(|dimension| dimension.api_name.as_str() != DATE);
        let dimensions: Vec<Column> = own
            .map(|dimension| Column { name: dimension.label.to_string(), api_name: dimension.api_name.clone() })
            .collect();
        let mut looked_at = report.filter.dimension_names();
        looked_at.extend(dimensions.iter().map(|column| column.api_name.as_str()));
        looked_at.remove(DATE);
        if looked_at.len() + 1 > MAX_DIMENSIONS {
            return Err(TableError::TooManyDimensions { report: name, count: looked_at.len() });
        }
        let table = Self {
            name: format!("ga_report_{name}"),
            dimensions,
            metrics: report.metrics.iter().cloned().map(MetricColumn::new).collect(),
            filter: report.filter.clone(),
            scope: report.scope.clone(),
            report: name,
        };
        table.check()?;
        Ok(table)
    }

    /// The value of the column `report` in `ga_days`.
    pub fn report(&self) -> &ReportName {
        &self.report
    }

    /// What it is called in the database.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key columns after property and day.
    pub fn dimensions(&self) -> &[Column] {
        &self.dimensions
    }

    /// What is counted.
    pub fn metrics(&self) -> &[MetricColumn] {
        &self.metrics
    }

    /// The filter of its report.
    pub(super) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// What its numbers mean.
    pub fn definition(&self) -> TableDefinition {
        TableDefinition::of(self)
    }

    /// Whether it is kept of this property.
    pub fn covers(&self, property: PropertyId) -> bool {
        self.scope.covers(property)
    }

    /// How many days one request asks for at most: with dimensions, long ranges are sampled, lose rows to `(other)`, and have
    /// more rows than an answer may have.
    pub fn longest_span(&self) -> u16 {
        if self.dimensions.is_empty() { YEAR } else { MONTH }
    }

    /// The request for some days, in an order that leaves nothing to chance, without as many rows at its beginning.
    pub fn request(&self, span: Span, offset: u64) -> RunReportRequest {
        let date: ApiName = DATE.parse().expect("the name is well formed: see the tests");
        let dimensions: Vec<ApiName> =
            [date].into_iter().chain(self.dimensions.iter().map(|column| column.api_name.clone())).collect();
        let order = |name: &ApiName| OrderBy { by: OrderKey::Dimension { dimension_name: name.clone() }, desc: false };
        RunReportRequest {
            metrics: self.metrics.iter().map(|column| Name { name: column.metric.api_name.clone() }).collect(),
            date_ranges: vec![DateRange {
                start_date: span.first.to_string(),
                end_date: span.last.to_string(),
                name: DAILY.parse().expect("the name is well formed: see the tests"),
            }],
            selection: Selection {
                dimension_filter: self.filter.dimension_filter(),
                metric_filter: self.filter.metric_filter(),
                order_bys: dimensions.iter().map(order).collect(),
                limit: u32::try_from(LONGEST).ok(),
            },
            offset,
            dimensions: dimensions.into_iter().map(|name| Name { name }).collect(),
            keep_empty_rows: false,
            return_property_quota: true,
        }
    }

    fn check(&self) -> Result<(), TableError> {
        if self.name.len() > LONGEST_NAME {
            let most = LONGEST_NAME + self.report.as_str().len() - self.name.len();
            return Err(TableError::TooLong(self.report.to_string(), most));
        }
        let mut seen = vec!["property_id", DATE];
        let dimensions = self.dimensions.iter().map(|column| column.name.as_str());
        for column in dimensions.chain(self.metrics.iter().map(|column| column.metric.name.as_str())) {
            if seen.contains(&column) {
                return Err(TableError::SameColumn { report: self.report.clone(), column: column.to_owned() });
            }
            if RESERVED_COLUMNS.contains(&column) {
                return Err(TableError::ReservedColumn { report: self.report.clone(), column: column.to_owned() });
            }
            if column.len() > LONGEST_NAME {
                return Err(TableError::TooLong(column.to_owned(), LONGEST_NAME));
            }
            seen.push(column);
        }
        Ok(())
    }
}

impl MetricColumn {
    fn new(metric: Metric) -> Self {
        let kind = if INTEGERS.contains(&metric.api_name.as_str()) { NumberKind::Integer } else { NumberKind::Float };
        Self { metric, kind }
    }
}

/// The name of the built-in table's report.
pub const DAILY: &str = "daily";

/// The dimension of days, such as `20260131`, and the column.
pub(super) const DATE: &str = "date";

/// The longest name of a table or column that PostgreSQL does not cut, in bytes.
const LONGEST_NAME: usize = 63;

/// The key column of a report in PostgreSQL: a hash of the dimensions, since an index holds no long texts.
pub const ROW_KEY: &str = "row_key";

/// What PostgreSQL has in every table (postgresql.org/docs/current/ddl-system-columns.html), and [`ROW_KEY`].
const RESERVED_COLUMNS: [&str; 7] = ["cmax", "cmin", "ctid", ROW_KEY, "tableoid", "xmax", "xmin"];

const YEAR: u16 = 366;

const MONTH: u16 = 31;

/// The metrics of type TYPE_INTEGER
/// (developers.google.com/analytics/devguides/reporting/data/v1/api-schema and `getMetadata`).
const INTEGERS: &[&str] = &[
    "active1DayUsers",
    "active28DayUsers",
    "active7DayUsers",
    "activeUsers",
    "addToCarts",
    "advertiserAdClicks",
    "advertiserAdImpressions",
    "checkouts",
    "crashAffectedUsers",
    "ecommercePurchases",
    "engagedSessions",
    "eventCount",
    "firstTimePurchasers",
    "itemListClickEvents",
    "itemListViewEvents",
    "itemViewEvents",
    "itemsAddedToCart",
    "itemsCheckedOut",
    "itemsClickedInList",
    "itemsClickedInPromotion",
    "itemsPurchased",
    "itemsViewed",
    "itemsViewedInList",
    "itemsViewedInPromotion",
    "newUsers",
    "organicGoogleSearchClicks",
    "organicGoogleSearchImpressions",
    "promotionClicks",
    "promotionViews",
    "publisherAdClicks",
    "publisherAdImpressions",
    "screenPageViews",
    "scrolledUsers",
    "sessions",
    "totalPurchasers",
    "totalUsers",
    "transactions",
];

#[cfg(test)]
pub(super) mod tests {
    use jiff::civil::date;
    use serde_json::json;

    use super::*;
    use crate::report::{BaselineSettings, Definition, Dimension, definition_for_tests};

    fn dimension(label: &str, api_name: &str) -> Dimension {
        Dimension { label: label.parse().unwrap(), api_name: api_name.parse().unwrap() }
    }

    /// By device and path, with a count and an amount.
    pub(crate) fn checkout() -> Table {
        Table::of(&Report::new(definition_for_tests()).unwrap()).unwrap()
    }

    #[test]
    fn the_built_in_table_has_the_columns_of_the_manual() {
        let table = Table::daily();
        assert_eq!((table.name(), table.report().as_str()), ("ga_daily", "daily"));
        let columns: Vec<_> = table.metrics().iter().map(|column| (column.metric.name.as_str(), column.kind)).collect();
        let expected = [
            ("pageviews", NumberKind::Integer),
            ("visitors", NumberKind::Integer),
            ("active_users", NumberKind::Integer),
            ("new_users", NumberKind::Integer),
            ("sessions", NumberKind::Integer),
            ("engaged_sessions", NumberKind::Integer),
            ("events", NumberKind::Integer),
            ("key_events", NumberKind::Float),
        ];
        assert_eq!(columns, expected);
        table.check().unwrap();
    }

    #[test]
    fn a_request_is_by_date_with_the_filter_and_without_the_limit() {
        let span = Span { first: date(2026, 1, 1), last: date(2026, 1, 31) };
        let body = serde_json::to_value(checkout().request(span, 0)).unwrap();
        let expected = json!({
            "dimensions": [{"name": "date"}, {"name": "deviceCategory"}, {"name": "pagePath"}],
            "metrics": [{"name": "screenPageViews"}, {"name": "totalRevenue"}],
            "dateRanges": [{"startDate": "2026-01-01", "endDate": "2026-01-31", "name": "daily"}],
            "dimensionFilter": {"filter": {"fieldName": "pagePath",
                "stringFilter": {"matchType": "BEGINS_WITH", "value": "/checkout", "caseSensitive": true}}},
            "orderBys": [
                {"dimension": {"dimensionName": "date"}},
                {"dimension": {"dimensionName": "deviceCategory"}},
                {"dimension": {"dimensionName": "pagePath"}},
            ],
            "limit": 250_000,
            "returnPropertyQuota": true,
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn what_has_no_days_or_too_many_dimensions_is_refused() {
        let refused = |report: &Report| Table::of(report).unwrap_err().to_string();
        let realtime = refused(&Report::realtime(&ReportSettings::realtime(), false));
        assert!(realtime.contains("realtime report"), "{realtime}");
        let traffic = refused(&Report::traffic(&ReportSettings::traffic()));
        assert!(traffic.contains("keep `daily` instead"), "{traffic}");
        assert!(refused(&Report::baseline(&BaselineSettings::default())).contains("keep `daily` instead"));
        let with = |count: usize| {
            let dimensions = (1..count).map(|n| dimension(&format!("d{n}"), &format!("customEvent:d{n}")));
            Report::new(Definition { dimensions: dimensions.collect(), ..definition_for_tests() }).unwrap()
        };
        // The filter's is one more.
        assert_eq!(Table::of(&with(8)).unwrap().dimensions().len(), 7);
        let many = refused(&with(9));
        assert!(many.contains("looks at 9 dimensions") && many.ends_with("leave out 1"), "{many}");
    }

    #[test]
    fn the_date_is_there_once_and_columns_have_names_of_their_own() {
        let of = |dimensions: Vec<Dimension>| {
            Table::of(&Report::new(Definition { dimensions, ..definition_for_tests() }).unwrap())
        };
        let table = of(vec![dimension("day", "date"), dimension("device", "deviceCategory")]).unwrap();
        assert_eq!(table.dimensions().iter().map(|column| &*column.name).collect::<Vec<_>>(), ["device"]);
        for label in ["date", "revenue"] {
            let error = of(vec![dimension(label, "deviceCategory")]).unwrap_err().to_string();
            assert!(error.contains(&format!("two columns called `{label}`")), "{error}");
        }
        for label in ["ctid", "xmin", "row_key"] {
            let error = of(vec![dimension(label, "deviceCategory")]).unwrap_err().to_string();
            assert!(error.contains(&format!("a column called `{label}`, which databases keep")), "{error}");
        }
        let name = "a".repeat(54).parse().unwrap();
        let error = Table::of(&Report::new(Definition { name, ..definition_for_tests() }).unwrap()).unwrap_err();
        assert!(error.to_string().ends_with("it may have 53 characters"), "{error}");
        assert!(of(vec![dimension(&"a".repeat(64), "deviceCategory")]).unwrap_err().to_string().contains("63"));
    }
}
