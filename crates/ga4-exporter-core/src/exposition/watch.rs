//! The families of the drop alert: windows against their expectation, and the baseline that it comes from.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    PropertyRow,
    page::{Kind, Page},
};
use ga4_drop_baseline::{WindowCount, YesterdayView};

use crate::{
    report::{Brings, Report},
    store::{Usual, Watched},
};

pub(super) fn render(page: &mut Page, reports: &[Arc<Report>], rows: &[PropertyRow<'_>], now: Timestamp) {
    if !reports.iter().any(|report| report.is_history()) {
        return;
    }
    if let Some(minutes) = reports.iter().find(|report| report.brings == Brings::Minutes) {
        windows(page, minutes, rows, now);
        evidence(page, rows, now);
    }
    yesterdays(page, rows, now);
    baselines(page, rows, now);
}

fn windows(page: &mut Page, minutes: &Report, rows: &[PropertyRow<'_>], now: Timestamp) {
    let help = format!(
        "Pages and app screens viewed in the last whole minutes (GA4 screenPageViews by minutesAgo), as far as they were \
         seen; windows overlap, so not to be summed; cached, polled every {}.",
        humantime::format_duration(minutes.interval)
    );
    each_window(page, rows, now, ("window_pageviews", &help), |_, count| Some(count.pageviews));
    let help = "Pageviews that are usual in the same minutes, by the property's last weeks.";
    each_window(page, rows, now, ("window_expected_pageviews", help), |_, count| Some(count.expected));
    let help = "Pageviews below which the same minutes hardly ever fall by chance; absent while realtime and processed \
                figures differ too much.";
    each_window(page, rows, now, ("window_expected_low_pageviews", help), |watched, count| {
        watched.assessment.is_fit.then_some(count.low)
    });
}

fn evidence(page: &mut Page, rows: &[PropertyRow<'_>], now: Timestamp) {
    let help = "What speaks for a drop of traffic in the last hours' minutes, by a sequential test; 1 is enough to page when \
                it stays for 6 minutes.";
    page.family("google_analytics_drop_evidence_ratio", help, Kind::Gauge);
    for (row, watched) in watched(rows, now) {
        page.expires(watched.expires_at);
        if let Some(evidence) = watched.assessment.evidence.filter(|_| watched.assessment.is_fit) {
            page.sample(&row.label, evidence);
        }
    }
}

fn each_window(
    page: &mut Page,
    rows: &[PropertyRow<'_>],
    now: Timestamp,
    (name, help): (&str, &str),
    value: fn(&Watched, &WindowCount) -> Option<f64>,
) {
    page.family(&format!("google_analytics_{name}"), help, Kind::Gauge);
    for (row, watched) in watched(rows, now) {
        page.expires(watched.expires_at);
        for count in &watched.assessment.windows {
            if let Some(value) = value(watched, count) {
                page.sample(&row.with("window", count.window.name), value);
            }
        }
    }
}

fn yesterdays(page: &mut Page, rows: &[PropertyRow<'_>], now: Timestamp) {
    let help =
        "Pageviews that are usual on a day like yesterday, by the weeks before it; from 12 hours after midnight on.";
    each_yesterday(page, rows, now, ("yesterday_expected_pageviews", help), |yesterday| yesterday.expected);
    let help =
        "Pageviews below which a day like yesterday hardly ever falls by chance; from 12 hours after midnight on.";
    each_yesterday(page, rows, now, ("yesterday_expected_low_pageviews", help), |yesterday| yesterday.low);
}

fn each_yesterday(
    page: &mut Page,
    rows: &[PropertyRow<'_>],
    now: Timestamp,
    (name, help): (&str, &str),
    value: fn(&YesterdayView) -> f64,
) {
    page.family(&format!("google_analytics_{name}"), help, Kind::Gauge);
    for (row, usual) in usual(rows, now) {
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

fn baselines(page: &mut Page, rows: &[PropertyRow<'_>], now: Timestamp) {
    let help = "Length of the history (GA4 screenPageViews by dateHour, asked for once a day) that the baseline is made of; \
                under two weeks there is no baseline.";
    each_baseline(page, rows, now, ("baseline_history_seconds", help), |usual| Some(usual.history_seconds));
    let help = "Level of the last week by that of all weeks of the baseline.";
    each_baseline(page, rows, now, ("baseline_level_ratio", help), |usual| usual.level);
    let help = "Median of realtime pageviews by expected ones over the last 24 hours; expectations follow it from 0.75 to \
                1.25, and outside 0.6 to 1.4 for a day there is no bound.";
    page.family("google_analytics_baseline_calibration_ratio", help, Kind::Gauge);
    for (row, watched) in watched(rows, now) {
        if let Some(ratio) = watched.assessment.calibration_ratio {
            page.expires(watched.expires_at);
            page.sample(&row.label, ratio);
        }
    }
    let help = "Whether today is one of the configured quiet days, in the property's time zone.";
    page.family("google_analytics_quiet_day", help, Kind::Gauge);
    for (row, usual) in usual(rows, now) {
        if let Some(day) = usual.day.filter(|day| day.until > now) {
            page.expires(day.until);
            page.sample(&row.label, f64::from(u8::from(day.is_quiet)));
        }
    }
}

fn each_baseline(
    page: &mut Page,
    rows: &[PropertyRow<'_>],
    now: Timestamp,
    (name, help): (&str, &str),
    value: fn(&Usual) -> Option<f64>,
) {
    page.family(&format!("google_analytics_{name}"), help, Kind::Gauge);
    for (row, usual) in usual(rows, now) {
        page.expires(usual.expires_at);
        if let Some(value) = value(usual) {
            page.sample(&row.label, value);
        }
    }
}

fn watched<'a>(
    rows: &'a [PropertyRow<'a>],
    now: Timestamp,
) -> impl Iterator<Item = (&'a PropertyRow<'a>, &'a Watched)> {
    let watched = |row: &'a PropertyRow<'a>| Some((row, row.state.watched.as_deref()?));
    rows.iter().filter_map(watched).filter(move |(_, watched)| watched.expires_at > now)
}

fn usual<'a>(rows: &'a [PropertyRow<'a>], now: Timestamp) -> impl Iterator<Item = (&'a PropertyRow<'a>, &'a Usual)> {
    let usual = |row: &'a PropertyRow<'a>| Some((row, row.state.usual.as_deref()?));
    rows.iter().filter_map(usual).filter(move |(_, usual)| usual.expires_at > now)
}
