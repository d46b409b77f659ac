//! The families of the drop alert: the verdict of each monitor, what it is made of, and the baseline that it comes from.
//!
//! There is one monitor, of pageviews. The verdict is [`Verdict::of`], and nothing here decides anything.

use std::sync::Arc;

use ga4_drop_baseline::{Verdict, WINDOWS, WindowCount, YesterdayView};
use jiff::Timestamp;

use super::{
    PropertyRow,
    page::{Kind, Page},
};
use crate::{
    report::{Brings, Report},
    store::{Usual, Watched},
    time::unix_seconds,
};

pub(super) fn render(page: &mut Page<'_>, reports: &[Arc<Report>], rows: &[PropertyRow<'_>], now: Timestamp) {
    if !reports.iter().any(|report| report.is_history()) {
        return;
    }
    let (watched, usual) = (MonitorRows::gather(rows, now), usual(rows, now));
    if reports.iter().any(|report| report.brings == Brings::Minutes) {
        verdicts(page, &watched);
        windows(page, &watched);
        learning(page, &watched, now);
    }
    yesterdays(page, &usual, now);
    baselines(page, &watched, &usual, now);
}

fn verdicts(page: &mut Page<'_>, monitors: &MonitorRows<'_>) {
    let help = "1 if the monitor's traffic is dropping (pages after 6 minutes), 0 if not; absent without a verdict, \
                for example without a baseline or in the first hours.";
    each_property(page, monitors, ("dropping", help), |watched| {
        watched.verdict.is_dropping().map(|is_dropping| f64::from(u8::from(is_dropping)))
    });
    let help = "Missing part of the usual traffic, in the window with the deepest drop, from 0.01 to 1; absent unless traffic \
                is dropping.";
    each_property(page, monitors, ("drop_ratio", help), |watched| watched.verdict.drop().map(|drop| drop.depth));
    let help = "Evidence of an ongoing traffic drop (CUSUM log-likelihood ratio over the last 6 hours); 1 or more, \
                sustained for 6 minutes, warrants a page.";
    each_property(page, monitors, ("drop_evidence_ratio", help), |watched| watched.evidence);
}

fn windows(page: &mut Page<'_>, monitors: &MonitorRows<'_>) {
    let help = "Events that the monitor counted in the window, which ends with the last whole minute received (for `pageviews` \
                GA4 screenPageViews by minutesAgo). Windows overlap: do not sum them.";
    each_window(page, monitors, ("events", help), |window| Some(window.count.pageviews));
    let help = "Events usually counted in the same minutes, according to the property's last weeks.";
    each_window(page, monitors, ("expected_events", help), |window| Some(window.count.expected));
    let help = "Lowest count in the same minutes that chance explains; fewer are a drop. Absent while realtime counts are \
                far below processed ones, so that they cannot be compared.";
    each_window(page, monitors, ("expected_low_events", help), |window| window.is_fit.then_some(window.count.low));
}

/// A family with one series for each property that is watched and has this value.
fn each_property(
    page: &mut Page<'_>,
    monitors: &MonitorRows<'_>,
    (name, help): (&str, &str),
    value: fn(&MonitorRow<'_>) -> Option<f64>,
) {
    page.family(&format!("google_analytics_monitor_{name}"), help, Kind::Gauge);
    for watched in &monitors.properties {
        page.expires(watched.expires_at);
        if let Some(value) = value(watched) {
            page.labelled_sample(watched.property, [MONITOR].into_iter(), value);
        }
    }
}

fn learning(page: &mut Page<'_>, monitors: &MonitorRows<'_>, now: Timestamp) {
    let help = "Until when only near-total outages count as traffic drops, in Unix time: for three hours the exporter learns how \
                realtime figures compare with the history; absent afterwards.";
    page.family("google_analytics_monitor_learning_until_timestamp_seconds", help, Kind::Gauge);
    for watched in &monitors.properties {
        if let Some(until) = watched.learning_until.filter(|until| *until > now) {
            page.expires(watched.expires_at.min(until));
            page.labelled_sample(watched.property, [MONITOR].into_iter(), unix_seconds(until));
        }
    }
}

fn each_window(
    page: &mut Page<'_>,
    monitors: &MonitorRows<'_>,
    (name, help): (&str, &str),
    value: fn(&WindowRow<'_>) -> Option<f64>,
) {
    page.family(&format!("google_analytics_monitor_{name}"), help, Kind::Gauge);
    // They expire with their property's verdict, which is on the page too.
    for window in &monitors.windows {
        if let Some(value) = value(window) {
            let labels = [MONITOR, ("window", window.count.window.name)];
            page.labelled_sample(window.property, labels.into_iter(), value);
        }
    }
}

fn yesterdays(page: &mut Page<'_>, rows: &[UsualRow<'_>], now: Timestamp) {
    let help = "Pageviews usually seen on a day like yesterday, estimated from the weeks before; from 12 hours after midnight.";
    each_yesterday(page, rows, now, ("yesterday_expected_pageviews", help), |yesterday| yesterday.expected);
    let help = "Lowest pageviews that chance explains for a day like yesterday; from 12 hours after midnight.";
    each_yesterday(page, rows, now, ("yesterday_expected_low_pageviews", help), |yesterday| yesterday.low);
}

fn each_yesterday(
    page: &mut Page<'_>,
    rows: &[UsualRow<'_>],
    now: Timestamp,
    (name, help): (&str, &str),
    value: fn(&YesterdayView) -> f64,
) {
    page.family(&format!("google_analytics_{name}"), help, Kind::Gauge);
    for (row, usual) in rows {
        let Some(day) = usual.day.filter(|day| day.until > now) else { continue };
        let Some(yesterday) = day.yesterday else { continue };
        if yesterday.from > now {
            page.expires(yesterday.from);
        } else {
            page.expires(day.until);
            page.sample(&row.label, value(&yesterday));
        }
    }
}

fn baselines(page: &mut Page<'_>, monitors: &MonitorRows<'_>, usual: &[UsualRow<'_>], now: Timestamp) {
    let help = "Length of the history from which the monitor's baseline is computed (for `pageviews` GA4 screenPageViews by \
                dateHour, read once a day); there is no baseline below two weeks.";
    each_baseline(page, usual, ("history_seconds", help), |usual| Some(usual.history_seconds));
    let help = "Traffic level of the last 7 settled days, divided by that of the whole baseline; 1 is unchanged.";
    each_baseline(page, usual, ("level_ratio", help), |usual| usual.level);
    let help = "Median over the last 24 hours of the realtime count divided by the expected one. Expectations follow it from \
                0.75 to 1.05. If it stays below 0.6 for a day, no verdict is given. It falls below 1 during and after \
                a quiet day with less traffic.";
    each_property(page, monitors, ("calibration_ratio", help), |watched| watched.calibration_ratio);
    let help = "Whether today is a configured quiet day (1) or not (0), in the property's time zone.";
    page.family("google_analytics_quiet_day", help, Kind::Gauge);
    for (row, usual) in usual {
        if let Some(day) = usual.day.filter(|day| day.until > now) {
            page.expires(day.until);
            page.sample(&row.label, f64::from(u8::from(day.is_quiet)));
        }
    }
    days_ahead(page, usual, now);
}

fn days_ahead(page: &mut Page<'_>, rows: &[UsualRow<'_>], now: Timestamp) {
    let help = "Beginning of a quiet day within a week, in Unix time; the next one of each source. `configured`: it is in \
                baseline.quiet_days. `last_year`: it was a year ago and is not now, since the configured dates ran out.";
    page.family("google_analytics_quiet_day_ahead_timestamp_seconds", help, Kind::Gauge);
    for (row, usual) in rows {
        let Some(day) = usual.day.filter(|day| day.until > now) else { continue };
        page.expires(day.until);
        for (source, ahead) in [("configured", day.next_quiet), ("last_year", day.next_lapsed)] {
            if let Some(ahead) = ahead {
                let date = ahead.date.to_string();
                let labels = [("date", &*date), ("source", source)];
                page.labelled_sample(&row.label, labels.into_iter(), unix_seconds(ahead.begins));
            }
        }
    }
}

fn each_baseline(
    page: &mut Page<'_>,
    rows: &[UsualRow<'_>],
    (name, help): (&str, &str),
    value: fn(&Usual) -> Option<f64>,
) {
    page.family(&format!("google_analytics_monitor_{name}"), help, Kind::Gauge);
    for (row, usual) in rows {
        page.expires(usual.expires_at);
        if let Some(value) = value(usual) {
            page.labelled_sample(&row.label, [MONITOR].into_iter(), value);
        }
    }
}

/// All properties whose traffic is watched, and their windows.
struct MonitorRows<'a> {
    properties: Vec<MonitorRow<'a>>,
    windows: Vec<WindowRow<'a>>,
}

/// A property whose traffic is watched, and what was seen of it.
struct MonitorRow<'a> {
    /// The property's rendered label.
    property: &'a str,
    expires_at: Timestamp,
    verdict: Verdict,
    evidence: Option<f64>,
    calibration_ratio: Option<f64>,
    learning_until: Option<Timestamp>,
}

/// A window of a property.
struct WindowRow<'a> {
    /// The property's rendered label.
    property: &'a str,
    count: WindowCount,
    is_fit: bool,
}

impl<'a> MonitorRows<'a> {
    fn gather(rows: &'a [PropertyRow<'a>], now: Timestamp) -> Self {
        let (properties, windows) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len() * WINDOWS.len()));
        let mut monitors = Self { properties, windows };
        for row in rows {
            if let Some(watched) = row.state.watched.as_deref().filter(|watched| watched.expires_at > now) {
                monitors.add(&row.label, watched);
            }
        }
        monitors
    }

    fn add(&mut self, property: &'a str, Watched { assessment, expires_at }: &Watched) {
        let is_fit = assessment.is_fit;
        self.properties.push(MonitorRow {
            property,
            expires_at: *expires_at,
            verdict: Verdict::of(assessment),
            evidence: assessment.evidence.filter(|_| is_fit),
            calibration_ratio: assessment.calibration_ratio,
            learning_until: assessment.learning_until,
        });
        self.windows.extend(assessment.windows.iter().map(|count| WindowRow { property, count: *count, is_fit }));
    }
}

/// A property with a history, and what is usual there.
type UsualRow<'a> = (&'a PropertyRow<'a>, Usual);

fn usual<'a>(rows: &'a [PropertyRow<'a>], now: Timestamp) -> Vec<UsualRow<'a>> {
    let mut all = Vec::with_capacity(rows.len());
    let usual = |row: &'a PropertyRow<'a>| Some((row, row.state.usual.as_deref()?.clone()));
    all.extend(rows.iter().filter_map(usual).filter(|(_, usual)| usual.expires_at > now));
    all
}

/// The label of the monitor that is built in.
const MONITOR: (&str, &str) = ("monitor", "pageviews");

#[cfg(test)]
mod tests {
    use ga4_drop_baseline::{Assessment, WINDOWS};
    use proptest::prelude::*;

    use super::*;
    use crate::{
        exposition::{Format, View, render},
        properties::PropertyInfo,
        report::{BaselineSettings, ReportSettings},
        store::{States, Store},
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + second).unwrap()
    }

    /// What `/metrics` says of a property with this assessment, which holds until the 180th second.
    fn text(assessment: &Assessment, now: Timestamp) -> String {
        let minutes = Report::realtime(&ReportSettings::realtime(), true);
        let reports = vec![Arc::new(minutes), Arc::new(Report::baseline(&BaselineSettings::default()))];
        let (mut states, store, id) = (States::default(), Store::default(), "7".parse().unwrap());
        states.put(id, &PropertyInfo::default(), &reports);
        let watched = Watched { assessment: assessment.clone(), expires_at: at(180) };
        states.update(id, |state| state.watched = Some(Arc::new(watched)));
        store.apply(states.take_change());
        let view = View { reports, properties: store.properties(), own: Vec::new() };
        String::from_utf8(render(&view, Format::Text, now).text).unwrap()
    }

    fn value(text: &str, family: &str) -> Option<f64> {
        let series = format!("google_analytics_monitor_{family}{{property_id=\"7\",monitor=\"pageviews\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&series)).map(|value| value.parse().unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_published_is_the_verdict(
            counts in prop::collection::vec((any::<bool>(), 0.0..1000.0_f64), WINDOWS.len()),
            evidence in prop::option::of(0.0..2.0_f64),
            (is_learning, is_fit) in any::<(bool, bool)>(),
        ) {
            let count = |window, pageviews| WindowCount { window, pageviews, expected: 900.0, low: 400.0 };
            let windows = std::iter::zip(WINDOWS, counts).filter(|(_, (is_seen, _))| *is_seen);
            let assessment = Assessment {
                windows: windows.map(|(window, (_, pageviews))| count(window, pageviews)).collect(),
                evidence,
                learning_until: is_learning.then(|| at(600)),
                is_fit,
                ..Assessment::default()
            };
            let published = text(&assessment, at(179));
            let (dropping, ratio) = (value(&published, "dropping"), value(&published, "drop_ratio"));
            match Verdict::of(&assessment) {
                Verdict::Dropping(drop) => prop_assert_eq!((dropping, ratio), (Some(1.0), Some(drop.depth))),
                Verdict::NotDropping => prop_assert_eq!((dropping, ratio), (Some(0.0), None)),
                Verdict::Unknown => prop_assert_eq!((dropping, ratio), (None, None)),
            }
            let stale = text(&assessment, at(180));
            prop_assert!(!stale.contains("monitor_dropping{") && !stale.contains("monitor_drop_ratio{"), "{}", stale);
        }
    }
}
