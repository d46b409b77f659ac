//! A report: one request to Google per interval, compiled to its body, its metric families and their order.
//!
//! Knows which windows and fields belong together. Refuses to know the network and the time: dates are an argument.
//! Invariant: the values of a snapshot are in the order of [`Report::families`], one for each.

use std::time::Duration;

use jiff::civil::Date;

pub use fields::Field;
pub use quality::Quality;
pub use settings::{BaselineSettings, LEAST_STALE_AFTER, ReportSettings, StaleAfter};
use window::{MINUTES, REALTIME_WINDOWS, TRAFFIC_WINDOWS};
pub use window::{Range, SETTLED_DAYS_AGO, Window};

use ga4_drop_baseline::calendar::QuietDays;

use crate::{
    names::{Category, ReportName},
    quota::Demand,
    wire::request::{Name, RunRealtimeReportRequest, RunReportRequest},
};

pub mod fields;
mod quality;
mod settings;
mod window;

/// A report, ready to be asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The value of the label `report`.
    pub name: ReportName,
    /// Which of Google's quotas it draws on.
    pub category: Category,
    /// From one poll to the next.
    pub interval: Duration,
    /// How long its values hold.
    pub stale_after: StaleAfter,
    /// What is asked for, in order; rows have one value for each.
    pub fields: Vec<Field>,
    /// The ranges that one request covers.
    pub windows: Vec<Window>,
    /// What is exported, window by window, each in the order of the fields.
    pub families: Vec<Family>,
    /// What it brings besides the values of its families.
    pub brings: Brings,
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
    pub name: String,
    /// The HELP text.
    pub help: String,
    /// Index of its window in [`Report::windows`].
    pub window: usize,
    /// Index of its field in [`Report::fields`].
    pub field: usize,
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
    /// The built-in report `realtime`: the last 30 minutes, and the five last whole ones; `by_minute` too where a baseline
    /// waits for them.
    pub fn realtime(settings: &ReportSettings, by_minute: bool) -> Self {
        let report = Self::compile(REALTIME, Category::Realtime, settings, fields::REALTIME, REALTIME_WINDOWS);
        Self { brings: if by_minute { Brings::Minutes } else { Brings::ValuesOnly }, ..report }
    }

    /// The built-in report `baseline`: pageviews by hour, for what is usual.
    pub fn baseline(settings: &BaselineSettings) -> Self {
        let BaselineSettings { weeks, ref quiet_days, stale_after, .. } = *settings;
        Self {
            name: BASELINE.parse().expect("the built-in names are well formed: see the tests"),
            category: Category::Core,
            interval: DAY,
            stale_after,
            fields: vec![fields::PAGEVIEWS],
            windows: vec![Window::history(weeks)],
            families: Vec::new(),
            brings: Brings::History { weeks, quiet_days: quiet_days.clone() },
        }
    }

    /// The built-in report `traffic`: today, yesterday, and the 7 and 28 days before today.
    pub fn traffic(settings: &ReportSettings) -> Self {
        Self::compile(TRAFFIC, Category::Core, settings, fields::TRAFFIC, TRAFFIC_WINDOWS)
    }

    fn compile(name: &str, category: Category, settings: &ReportSettings, known: &[Field], windows: &[Window]) -> Self {
        let wanted = |field: &&Field| settings.metrics.contains(&field.name);
        let fields: Vec<Field> = known.iter().filter(wanted).copied().collect();
        let mut families = Vec::new();
        for (window_index, window) in windows.iter().enumerate() {
            for (field_index, field) in fields.iter().enumerate() {
                if window.exported.contains(field) {
                    families.push(Family::new(window, window_index, field, field_index, settings.interval));
                }
            }
        }
        Self {
            name: name.parse().expect("the built-in names are well formed: see the tests"),
            category,
            interval: settings.interval,
            stale_after: settings.stale_after,
            fields,
            windows: windows.to_vec(),
            families,
            brings: Brings::ValuesOnly,
        }
    }

    /// The body to send. `today` is the date in the property's zone, where that is known; without it Google is asked
    /// to count back from its own idea of today.
    pub fn request(&self, today: Option<Date>) -> Request {
        let metrics = self.fields.iter().map(|field| Name { name: field.api_name }).collect();
        match self.category {
            Category::Core => Request::Core(RunReportRequest {
                dimensions: if self.is_history() { vec![Name { name: DATE_HOUR }] } else { Vec::new() },
                metrics,
                date_ranges: self.windows.iter().map(|window| window.date_range(today)).collect(),
                keep_empty_rows: self.is_history(),
                return_property_quota: true,
            }),
            Category::Realtime => Request::Realtime(RunRealtimeReportRequest {
                dimensions: Vec::new(),
                metrics,
                minute_ranges: self.windows.iter().map(Window::minute_range).collect(),
                return_property_quota: true,
            }),
        }
    }

    /// The body of the second request, where there is one: pageviews by minute.
    pub fn minutes_request(&self) -> Option<RunRealtimeReportRequest> {
        (self.brings == Brings::Minutes).then(|| RunRealtimeReportRequest {
            dimensions: vec![Name { name: MINUTES_AGO }],
            metrics: vec![Name { name: fields::PAGEVIEWS.api_name }],
            minute_ranges: vec![MINUTES.minute_range()],
            return_property_quota: true,
        })
    }

    /// Whether it goes on when others leave little of a bucket: what alerts on drops look at.
    pub fn is_essential(&self) -> bool {
        [REALTIME, TRAFFIC].contains(&self.name.as_str())
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

    /// Whether the dates that it asks for are the property's, so that its day has to be known.
    pub fn has_dates(&self) -> bool {
        self.windows.iter().any(|window| matches!(window.range, Range::Days(..)))
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
}

impl Family {
    fn new(window: &Window, window_index: usize, field: &Field, field_index: usize, interval: Duration) -> Self {
        let distinct = if field.distinct { "; distinct, so not to be summed" } else { "" };
        Self {
            name: format!("google_analytics_{}_{}", window.name, field.name),
            help: format!(
                "{} {} (GA4 {}{distinct}); cached, polled every {}.",
                field.meaning,
                window.meaning,
                field.api_name,
                humantime::format_duration(interval)
            ),
            window: window_index,
            field: field_index,
        }
    }
}

/// The name of the report on the last minutes.
pub const REALTIME: &str = "realtime";

/// The name of the report on days.
pub const TRAFFIC: &str = "traffic";

/// The name of the report on the hours of the last weeks.
pub const BASELINE: &str = "baseline";

/// The dimension of minutes before now, `00` to `29`.
pub const MINUTES_AGO: &str = "minutesAgo";

/// The dimension of hours in the property's time, such as `2026112313`.
pub const DATE_HOUR: &str = "dateHour";

const DAY: Duration = Duration::from_hours(24);

/// What a request may take, so that its answer comes before the values before it expire.
const LONGEST_REQUEST: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn settings(metrics: &[&'static str]) -> ReportSettings {
        ReportSettings {
            enabled: true,
            interval: Duration::from_secs(900),
            stale_after: StaleAfter::Intervals(3.0),
            metrics: metrics.to_vec(),
        }
    }

    #[test]
    fn traffic_is_one_request_over_four_date_ranges() {
        let report = Report::traffic(&settings(&["pageviews", "visitors"]));
        let Request::Core(request) = report.request(Some(date(2026, 3, 1))) else { panic!("not core") };
        assert_eq!(
            serde_json::to_string(&request).unwrap(),
            r#"{"metrics":[{"name":"screenPageViews"},{"name":"totalUsers"}],"dateRanges":[{"startDate":"2026-03-01","endDate":"2026-03-01","name":"today"},{"startDate":"2026-02-28","endDate":"2026-02-28","name":"yesterday"},{"startDate":"2026-02-22","endDate":"2026-02-28","name":"trailing_7d"},{"startDate":"2026-02-01","endDate":"2026-02-28","name":"trailing_28d"}],"returnPropertyQuota":true}"#
        );
        assert_eq!(report.families.len(), 8);
    }

    #[test]
    fn an_unknown_zone_leaves_the_dates_to_google() {
        let Request::Core(request) = Report::traffic(&settings(&["pageviews"])).request(None) else {
            panic!("not core")
        };
        let dates: Vec<_> = request.date_ranges.iter().map(|r| (&*r.start_date, &*r.end_date)).collect();
        assert_eq!(
            dates,
            [("today", "today"), ("yesterday", "yesterday"), ("7daysAgo", "yesterday"), ("28daysAgo", "yesterday")]
        );
    }

    #[test]
    fn realtime_is_one_request_over_two_minute_ranges() {
        let report = Report::realtime(&settings(&["pageviews", "active_users", "events", "key_events"]), true);
        let Request::Realtime(request) = report.request(None) else { panic!("not realtime") };
        assert_eq!(
            serde_json::to_string(&request.minute_ranges).unwrap(),
            r#"[{"startMinutesAgo":29,"endMinutesAgo":0,"name":"realtime"},{"startMinutesAgo":5,"endMinutesAgo":1,"name":"realtime_5m"}]"#
        );
        let names: Vec<_> = report.families.iter().map(|family| family.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "google_analytics_realtime_pageviews",
                "google_analytics_realtime_active_users",
                "google_analytics_realtime_events",
                "google_analytics_realtime_key_events",
                "google_analytics_realtime_5m_pageviews",
                "google_analytics_realtime_5m_active_users",
            ]
        );
    }

    #[test]
    fn every_built_in_name_is_well_formed() {
        let all = |known: &[Field]| known.iter().map(|field| field.name).collect::<Vec<_>>();
        for report in [
            Report::realtime(&settings(&all(fields::REALTIME)), true),
            Report::traffic(&settings(&all(fields::TRAFFIC))),
        ] {
            assert!(report.fields.iter().all(|field| field.name.parse::<ReportName>().is_ok()));
            assert!(!report.families.is_empty());
        }
    }

    #[test]
    fn values_hold_for_at_least_two_minutes_unless_told_otherwise() {
        let second = Duration::from_secs(1);
        assert_eq!(StaleAfter::Intervals(3.0).for_interval(second), LEAST_STALE_AFTER);
        assert_eq!(StaleAfter::Intervals(3.0).for_interval(60 * second), 180 * second);
        assert_eq!(StaleAfter::Fixed(2 * second).for_interval(second), 2 * second);
    }
}
