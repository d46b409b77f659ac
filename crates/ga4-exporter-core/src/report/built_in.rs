//! The built-in reports: values of the same type as any other.

use std::time::Duration;

use super::{
    BaselineSettings, Brings, Filter, Priority, Report, ReportSettings, Scope, Window,
    fields::{self, Field},
};
use crate::{names::Category, wire::request::Name};

impl Report {
    /// The built-in report `realtime`: the last 30 minutes, and the five last whole ones; `by_minute` too where a baseline
    /// waits for them.
    pub fn realtime(settings: &ReportSettings, by_minute: bool) -> Self {
        let brings = if by_minute { Brings::Minutes } else { Brings::ValuesOnly };
        Self { category: Category::Realtime, brings, ..Self::counting(REALTIME, settings, fields::REALTIME) }
            .over(Window::of_realtime())
    }

    /// The built-in report `traffic`: today, yesterday, and the 7 and 28 days before today.
    pub fn traffic(settings: &ReportSettings) -> Self {
        Self::counting(TRAFFIC, settings, fields::TRAFFIC).over(Window::of_traffic())
    }

    /// The built-in report `baseline`: pageviews by hour, for what is usual. It has no families: its values are shown as what
    /// follows from them.
    pub fn baseline(settings: &BaselineSettings) -> Self {
        let BaselineSettings { weeks, ref quiet_days, stale_after, .. } = *settings;
        Self {
            interval: DAY,
            stale_after,
            priority: Priority::Ordinary,
            brings: Brings::History { weeks, quiet_days: quiet_days.clone() },
            ..Self::counting(BASELINE, &ReportSettings::traffic(), &[])
        }
        .of(&[fields::PAGEVIEWS])
        .over(vec![Window::history(weeks)])
    }

    /// A core report on those of the known fields that the settings have, over no windows yet.
    fn counting(name: &str, settings: &ReportSettings, known: &[Field]) -> Self {
        let wanted = |field: &&Field| settings.metrics.contains(&field.name);
        let fields: Vec<Field> = known.iter().filter(wanted).copied().collect();
        Self {
            name: name.parse().expect(WELL_FORMED),
            category: Category::Core,
            priority: Priority::Essential,
            scope: Scope::All,
            interval: settings.interval,
            stale_after: settings.stale_after,
            dimensions: Vec::new(),
            metrics: Vec::new(),
            windows: Vec::new(),
            filter: Filter::default(),
            order: Vec::new(),
            limit: None,
            max_series: usize::MAX,
            families: Vec::new(),
            brings: Brings::ValuesOnly,
        }
        .of(&fields)
    }

    fn of(self, fields: &[Field]) -> Self {
        Self { metrics: fields.iter().map(Field::metric).collect(), ..self }
    }

    fn over(self, windows: Vec<Window>) -> Self {
        Self { windows, ..self }.with_families()
    }
}

/// A field of Google's in a request.
pub(super) fn name(text: &str) -> Name {
    Name { name: text.parse().expect(WELL_FORMED) }
}

/// The name of the report on the last minutes.
pub const REALTIME: &str = "realtime";

/// The name of the report on days.
pub const TRAFFIC: &str = "traffic";

/// The name of the report on the hours of the last weeks.
pub const BASELINE: &str = "baseline";

const DAY: Duration = Duration::from_hours(24);

const WELL_FORMED: &str = "the built-in names are well formed: see the tests";

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::report::{Request, StaleAfter};

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
    fn the_second_request_of_realtime_is_by_minute_and_the_history_by_hour() {
        let minutes = Report::realtime(&settings(&["pageviews"]), true).minutes_request();
        assert_eq!(
            serde_json::to_string(&minutes.unwrap()).unwrap(),
            r#"{"dimensions":[{"name":"minutesAgo"}],"metrics":[{"name":"screenPageViews"}],"minuteRanges":[{"startMinutesAgo":29,"endMinutesAgo":0,"name":"minutes"}],"returnPropertyQuota":true}"#
        );
        let Request::Core(hours) = Report::baseline(&BaselineSettings::default()).request(Some(date(2026, 3, 1)))
        else {
            panic!("not core")
        };
        assert_eq!(
            serde_json::to_string(&hours).unwrap(),
            r#"{"dimensions":[{"name":"dateHour"}],"metrics":[{"name":"screenPageViews"}],"dateRanges":[{"startDate":"2026-01-01","endDate":"2026-02-27","name":"history"}],"keepEmptyRows":true,"returnPropertyQuota":true}"#
        );
    }

    #[test]
    fn every_built_in_name_is_well_formed() {
        for report in [Report::realtime(&ReportSettings::realtime(), true), Report::traffic(&ReportSettings::traffic())]
        {
            assert!(report.is_essential() && !report.families.is_empty());
        }
        let baseline = Report::baseline(&BaselineSettings::default());
        assert!(!baseline.is_essential() && baseline.families.is_empty());
        assert_eq!(baseline.metrics.len(), 1);
    }
}
