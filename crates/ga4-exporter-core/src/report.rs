//! A report: one request to Google per interval, compiled to its body, its metric families and their order.
//!
//! Owned data: a built-in report is a value of the same type as any other, and nothing is decided by a report's name.
//! Knows which windows, dimensions and metrics belong together. Refuses to know the network and the time: dates are an
//! argument. Invariant: each row of a snapshot has one value for each of [`Report::families`], in their order.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use jiff::civil::Date;

pub use built_in::{BASELINE, REALTIME, TRAFFIC};
#[cfg(test)]
pub(crate) use definition::tests::checkout as definition_for_tests;
pub use definition::{Definition, DefinitionError, MAX_DIMENSIONS, MAX_METRICS};
pub use draft::{Counted, Draft, Finding, NamingError, Order, Part, Split};
pub use fields::Field;
pub use filter::Filter;
pub use metric::{Addition, Metric, Unit};
pub use preset::Preset;
pub use quality::ReportQuality;
pub use series::{RowCounts, Series};
pub use settings::{BaselineSettings, LEAST_STALE_AFTER, ReportSettings, StaleAfter};
pub use window::{Day, Range, ReportDayError, SETTLED_DAYS_AGO, Window};

use ga4_drop_baseline::calendar::QuietDays;

use crate::{
    names::{ApiName, Category, FamilyName, LabelName, PropertyId, ReportName},
    quota::Demand,
    wire::request::{Name, OrderBy, OrderKey, RunRealtimeReportRequest, RunReportRequest, Selection},
};

mod built_in;
mod definition;
mod draft;
pub mod fields;
pub mod filter;
mod metric;
pub mod preset;
mod quality;
pub mod series;
mod settings;
mod window;

/// A report, ready to be asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The value of the label `report`.
    pub name: ReportName,
    /// Which kind of report it is, and which of Google's quotas it draws on.
    pub category: Category,
    /// Whether it goes on when others leave little of a bucket.
    pub priority: Priority,
    /// Of which properties it is asked for.
    pub scope: Scope,
    /// From one poll to the next.
    pub interval: Duration,
    /// How long its values hold.
    pub stale_after: StaleAfter,
    /// What rows are split by, and which labels these become; none of built-in reports.
    pub dimensions: Vec<Dimension>,
    /// What is asked for, in order; rows have one value for each.
    pub metrics: Vec<Metric>,
    /// The ranges that one request covers.
    pub windows: Vec<Window>,
    /// Which rows it wants.
    pub filter: Filter,
    /// In which order; every dimension that is not in it breaks ties.
    pub order: Vec<OrderBy>,
    /// How many rows it wants at most.
    pub limit: Option<u32>,
    /// How many series it may have at most, where it has dimensions.
    pub max_series: usize,
    /// What is exported, window by window, each in the order of the metrics.
    pub families: Vec<Family>,
    /// What it brings besides the values of its families.
    pub brings: Brings,
}

/// What rows are split by.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dimension {
    /// The label that its values become.
    pub label: LabelName,
    /// Google's name for it.
    pub api_name: ApiName,
}

/// Whether a report goes on when others leave little of a bucket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Priority {
    /// It goes on: alerts on drops look at it.
    Essential,
    /// It gives way.
    Ordinary,
}

/// Of which properties a report is asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scope {
    /// Of every one.
    All,
    /// Of these.
    Only(Arc<BTreeSet<PropertyId>>),
}

/// What a report brings besides the values of its families.
#[derive(Clone, Debug, PartialEq)]
pub enum Brings {
    /// Nothing.
    ValuesOnly,
    /// Pageviews by minute, by a second request: they add up, which users do not.
    Minutes,
    /// Pageviews by hour and no values at all: what the baseline is made of.
    History {
        /// How far back.
        weeks: usize,
        /// Days that are left out.
        quiet_days: QuietDays,
    },
}

/// When a report is due again after it came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rhythm {
    /// Every interval.
    Steady,
    /// Every interval, and when the property's day is over: its values belong to a date.
    Dated,
    /// Once a day, when the property's yesterday has settled.
    Daily,
}

/// One metric family of a report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Family {
    /// The whole name.
    pub name: FamilyName,
    /// The HELP text.
    pub help: String,
    /// Index of its window in [`Report::windows`].
    pub window: usize,
    /// Index of its metric in [`Report::metrics`].
    pub metric: usize,
}

/// The body of a report's request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Request {
    /// For `runReport`.
    Core(RunReportRequest),
    /// For `runRealtimeReport`.
    Realtime(RunRealtimeReportRequest),
}

impl Report {
    /// The body to send. `today` is the date in the property's zone, where that is known; without it Google is asked
    /// to count back from its own idea of today.
    pub fn request(&self, today: Option<Date>) -> Request {
        let metrics = self.metrics.iter().map(|metric| Name { name: metric.api_name.clone() }).collect();
        let dimensions = self.dimensions.iter().map(|dimension| Name { name: dimension.api_name.clone() }).collect();
        match self.category {
            Category::Core => Request::Core(RunReportRequest {
                dimensions: if self.is_history() { vec![built_in::name(DATE_HOUR)] } else { dimensions },
                metrics,
                date_ranges: self.windows.iter().filter_map(|window| window.date_range(today)).collect(),
                selection: self.selection(),
                offset: 0,
                keep_empty_rows: self.is_history(),
                return_property_quota: true,
            }),
            Category::Realtime => Request::Realtime(RunRealtimeReportRequest {
                dimensions,
                metrics,
                minute_ranges: self.windows.iter().filter_map(Window::minute_range).collect(),
                selection: self.selection(),
                return_property_quota: true,
            }),
        }
    }

    /// The dimensions that an answer has, by Google's names and in their order.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let own = self.dimensions.iter().map(|dimension| dimension.api_name.as_str());
        let hours = self.is_history().then_some(DATE_HOUR);
        // Google adds a column with the range's name when there is more than one range.
        let range = (self.windows.len() > 1).then_some(RANGE_COLUMN);
        own.chain(hours).chain(range)
    }

    /// The body of the second request, where there is one: pageviews by minute.
    pub fn minutes_request(&self) -> Option<RunRealtimeReportRequest> {
        (self.brings == Brings::Minutes).then(|| RunRealtimeReportRequest {
            dimensions: vec![built_in::name(MINUTES_AGO)],
            metrics: vec![built_in::name(fields::PAGEVIEWS.api_name)],
            minute_ranges: Window::minutes().minute_range().into_iter().collect(),
            selection: Selection::default(),
            return_property_quota: true,
        })
    }

    /// Whether it goes on when others leave little of a bucket: what alerts on drops look at.
    pub fn is_essential(&self) -> bool {
        self.priority == Priority::Essential
    }

    /// What it would spend.
    pub fn demand(&self) -> Demand {
        let holds = self.stale_after.for_interval(self.interval);
        Demand {
            report: self.name.clone(),
            interval: self.interval,
            slowest: holds.saturating_sub(LONGEST_REQUEST).max(self.interval),
            requests: self.requests(),
            essential: self.is_essential(),
            daily: self.rhythm() == Rhythm::Daily,
        }
    }

    /// How many requests one poll takes.
    pub fn requests(&self) -> u32 {
        if self.brings == Brings::Minutes { 2 } else { 1 }
    }

    /// Whether it brings the hours that the baseline is made of.
    pub fn is_history(&self) -> bool {
        matches!(self.brings, Brings::History { .. })
    }

    /// Whether its rows have labels.
    pub fn is_labelled(&self) -> bool {
        !self.dimensions.is_empty()
    }

    /// Whether its series are limited: those of built-in reports are a handful.
    pub fn is_limited(&self) -> bool {
        self.max_series < usize::MAX
    }

    /// Whether the dates that it asks for are the property's, so that its day has to be known.
    pub fn has_dates(&self) -> bool {
        self.windows.iter().any(|window| window.range.follows_today())
    }

    /// When it is due again.
    pub fn rhythm(&self) -> Rhythm {
        if self.is_history() {
            Rhythm::Daily
        } else if self.has_dates() {
            Rhythm::Dated
        } else {
            Rhythm::Steady
        }
    }

    /// Whether an older definition asks Google for something else, or reads it otherwise, so that this one is to be asked for at
    /// once.
    pub fn redefines(&self, older: &Self) -> bool {
        // How long a history holds and which days are left out is settled when it comes.
        if self.is_history() {
            return self != older;
        }
        let asked = |report: &Self| {
            let fields = report.metrics.iter().map(|metric| (metric.api_name.clone(), metric.unit));
            let ranges = report.windows.iter().map(|window| window.range);
            let (fields, ranges): (Vec<_>, Vec<_>) = (fields.collect(), ranges.collect());
            (fields, ranges, report.selection(), report.dimensions.clone(), report.max_series)
        };
        self.category != older.category || self.brings != older.brings || asked(self) != asked(older)
    }

    /// Where the values of another definition of a report stand for a family of this one: its place there, if it counts the
    /// same, under whatever name. Of rows that are split or filtered otherwise nothing counts the same.
    pub fn family_in(&self, other: &Self, family: usize) -> Option<usize> {
        let wanted = self.families.get(family)?;
        if (self.category, &self.dimensions, &self.filter) != (other.category, &other.dimensions, &other.filter) {
            return None;
        }
        let is_same = |present: &Family| {
            let metric = |report: &Self, family: &Family| {
                let metric = report.metrics.get(family.metric)?;
                Some((metric.api_name.clone(), metric.unit))
            };
            let range = |report: &Self, family: &Family| Some(report.windows.get(family.window)?.range);
            metric(other, present) == metric(self, wanted) && range(other, present) == range(self, wanted)
        };
        other.families.iter().position(is_same)
    }

    /// Which rows, and in which order: ties have no order of their own, so that without one a limit would cut off others each
    /// time.
    fn selection(&self) -> Selection {
        let mut order_bys = self.order.clone();
        if self.is_labelled() {
            let first = self.metrics.first().filter(|_| order_bys.is_empty());
            order_bys.extend(
                first.map(|metric| OrderBy {
                    by: OrderKey::Metric { metric_name: metric.api_name.clone() },
                    desc: true,
                }),
            );
            for dimension in &self.dimensions {
                let key = OrderKey::Dimension { dimension_name: dimension.api_name.clone() };
                if order_bys.iter().all(|order| order.by != key) {
                    order_bys.push(OrderBy { by: key, desc: false });
                }
            }
        }
        Selection {
            dimension_filter: self.filter.dimension_filter(),
            metric_filter: self.filter.metric_filter(),
            order_bys,
            limit: self.limit,
        }
    }

    /// The families of these windows and metrics.
    fn with_families(mut self) -> Self {
        for (window_index, window) in self.windows.iter().enumerate() {
            for (metric_index, metric) in self.metrics.iter().enumerate() {
                if window.exported.contains(&metric.name) {
                    let family = Family {
                        name: FamilyName::new(&window.name, &metric.name),
                        help: self.help(window, metric),
                        window: window_index,
                        metric: metric_index,
                    };
                    self.families.push(family);
                }
            }
        }
        self
    }

    fn help(&self, window: &Window, metric: &Metric) -> String {
        let dimensions: Vec<&str> = self.dimensions.iter().map(|dimension| dimension.api_name.as_str()).collect();
        let filtered = if self.filter == Filter::default() { "" } else { ", filtered" };
        let split = if dimensions.is_empty() { String::new() } else { format!(" by {}", dimensions.join(", ")) };
        let currency = if metric.unit == Unit::Currency { "; in the property's currency" } else { "" };
        format!(
            "{} {} (GA4 {}{split}{filtered}{currency}{}). Cached; polled every google_analytics_report_interval_seconds.",
            metric.meaning,
            window.meaning,
            metric.api_name,
            metric.addition.words(self.is_labelled())
        )
    }
}

impl Scope {
    /// Whether it has this property.
    pub fn covers(&self, property: PropertyId) -> bool {
        match self {
            Self::All => true,
            Self::Only(properties) => properties.contains(&property),
        }
    }
}

/// The dimension of minutes before now, `00` to `29`.
pub const MINUTES_AGO: &str = "minutesAgo";

/// The dimension of hours in the property's time, such as `2026112313`.
pub const DATE_HOUR: &str = "dateHour";

const RANGE_COLUMN: &str = "dateRange";

/// What a request may take, so that its answer comes before the values before it expire.
const LONGEST_REQUEST: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_hold_for_at_least_two_minutes_unless_told_otherwise() {
        let second = Duration::from_secs(1);
        assert_eq!(StaleAfter::Intervals(3.0).for_interval(second), LEAST_STALE_AFTER);
        assert_eq!(StaleAfter::Intervals(3.0).for_interval(60 * second), 180 * second);
        assert_eq!(StaleAfter::Fixed(2 * second).for_interval(second), 2 * second);
    }
}
