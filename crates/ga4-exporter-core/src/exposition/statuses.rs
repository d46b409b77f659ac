//! The families on the state of reports: whether they are up, why not, and when they were polled.

use super::{
    PropertyRow,
    page::{Kind, Page},
};
use crate::{names::Reason, store::ReportState, time::unix_seconds};

pub(super) fn render(page: &mut Page<'_>, rows: &[PropertyRow<'_>]) {
    let statuses = statuses(rows);
    let help = "Whether the last poll of the report succeeded (1) or failed (0); 0 until the first one has finished.";
    each(page, &statuses, ("google_analytics_report_up", help), |status| Some(f64::from(u8::from(status.is_up))));
    failures(page, &statuses);
    let help = "Unix time at which the request for the current values was sent; absent before the first success.";
    each(page, &statuses, ("google_analytics_report_last_success_timestamp_seconds", help), |status| {
        status.last_success
    });
    let help = "Unix time at which the last request for the report was sent; absent before the first one.";
    each(page, &statuses, ("google_analytics_report_last_attempt_timestamp_seconds", help), |status| {
        status.last_attempt
    });
    let help = "Duration of the last poll of the report, including all its requests and the wait for an access token.";
    each(page, &statuses, ("google_analytics_report_duration_seconds", help), |status| status.took);
    let help = "Current interval between two polls of the report; longer than configured when the quota requires it.";
    each(page, &statuses, ("google_analytics_report_interval_seconds", help), |status| Some(status.interval));
}

fn each(
    page: &mut Page<'_>,
    statuses: &[Status<'_>],
    (name, help): (&str, &str),
    value: fn(&Status<'_>) -> Option<f64>,
) {
    page.family(name, help, Kind::Gauge);
    for status in statuses {
        if let Some(value) = value(status) {
            page.labelled_sample(status.property, [("report", status.report)].into_iter(), value);
        }
    }
}

fn failures(page: &mut Page<'_>, statuses: &[Status<'_>]) {
    let help =
        "Why the report is failing; absent while it is not; always 1. docs/FAILURES.md has a remedy for each reason.";
    page.family("google_analytics_report_failure", help, Kind::Gauge);
    for status in statuses {
        if let Some(reason) = status.reason {
            let labels = [("report", status.report), ("reason", reason.as_str())];
            page.labelled_sample(status.property, labels.into_iter(), 1.0);
        }
    }
}

/// The status of one report of one property. Times are in Unix seconds, durations in seconds.
struct Status<'a> {
    /// The property's rendered label.
    property: &'a str,
    report: &'a str,
    is_up: bool,
    reason: Option<Reason>,
    last_success: Option<f64>,
    last_attempt: Option<f64>,
    took: Option<f64>,
    interval: f64,
}

impl<'a> Status<'a> {
    fn new(property: &'a str, report: &'a ReportState) -> Self {
        Self {
            property,
            report: report.name.as_str(),
            is_up: report.is_up(),
            reason: report.reason(),
            last_success: report.last_success.map(unix_seconds),
            last_attempt: report.last_attempt.map(|attempt| unix_seconds(attempt.sent_at)),
            took: report.last_attempt.map(|attempt| attempt.took.as_secs_f64()),
            interval: report.interval.as_secs_f64(),
        }
    }
}

fn statuses<'a>(rows: &'a [PropertyRow<'a>]) -> Vec<Status<'a>> {
    let mut statuses = Vec::with_capacity(rows.iter().map(|row| row.reports.len()).sum());
    for row in rows {
        statuses.extend(row.reports.iter().map(|report| Status::new(&row.label, report)));
    }
    statuses
}
