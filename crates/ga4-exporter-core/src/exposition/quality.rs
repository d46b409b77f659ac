//! The families on data quality according to Google (sampling, thresholds, `(other)` and restrictions), and on the numbers of
//! received and dropped rows.

use jiff::Timestamp;

use super::{
    PropertyRow,
    page::{Kind, Page},
};
use crate::{
    names::ReportName,
    report::{ReportQuality, RowCounts},
};

pub(super) fn render(page: &mut Page<'_>, rows: &[PropertyRow<'_>], now: Timestamp) {
    // Of the built-in reports, traffic and baseline have a quality.
    let (mut qualities, mut counts) = (Vec::with_capacity(2 * rows.len()), Vec::new());
    for row in rows {
        for report in row.reports {
            let Some(snapshot) = report.values(now) else { continue };
            let (property, report, expires_at) = (row.label.as_str(), &report.name, snapshot.expires_at);
            qualities.extend(snapshot.quality.map(|details| ReportRow { property, report, expires_at, details }));
            counts.extend(snapshot.values.row_counts().map(|details| ReportRow {
                property,
                report,
                expires_at,
                details,
            }));
        }
    }
    families(page, &FAMILIES, &qualities);
    families(page, &ROW_FAMILIES, &counts);
}

fn families<T>(page: &mut Page<'_>, families: &[Family<T>], rows: &[ReportRow<'_, T>]) {
    for (name, help, value) in families {
        page.family(name, help, Kind::Gauge);
        for ReportRow { property, report, expires_at, details } in rows {
            page.expires(*expires_at);
            page.labelled_sample(property, [("report", report.as_str())].into_iter(), value(details));
        }
    }
}

/// Details of the values of a report of a property. They hold as long as the values do.
struct ReportRow<'a, T> {
    /// The property's rendered label.
    property: &'a str,
    report: &'a ReportName,
    expires_at: Timestamp,
    details: T,
}

/// Name, HELP and value.
type Family<T> = (&'static str, &'static str, fn(&T) -> f64);

const ROW_FAMILIES: [Family<RowCounts>; 3] = [
    (
        "google_analytics_report_rows",
        "Rows in Google's last answer to the report, including those that were dropped.",
        |counts| number(counts.received),
    ),
    (
        "google_analytics_report_rows_dropped",
        "Rows of Google's last answer to the report that are not exported: over max_series, invalid or duplicate.",
        |counts| number(counts.dropped),
    ),
    (
        "google_analytics_report_truncated",
        "Whether the report's limit cut off rows: Google has more (rowCount) than it sent.",
        |counts| f64::from(u8::from(counts.is_truncated())),
    ),
];

fn number(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 rows")]
    let number = count as f64;
    number
}

const FAMILIES: [Family<ReportQuality>; 4] = [
    (
        "google_analytics_report_sampled_ratio",
        "Fraction of the events that Google read for the report; below 1 its values are estimates \
         (samplesReadCount / samplingSpaceSize, the lowest of its date ranges).",
        |quality| quality.sampled_ratio,
    ),
    (
        "google_analytics_report_thresholded",
        "Whether Google may have withheld data to protect small groups of users (subjectToThresholding); values may be too low.",
        |quality| f64::from(u8::from(quality.thresholded)),
    ),
    (
        "google_analytics_report_data_loss",
        "Whether Google merged rows of the report into (other) because there were too many (dataLossFromOtherRow).",
        |quality| f64::from(u8::from(quality.data_loss)),
    ),
    (
        "google_analytics_report_restricted",
        "Whether the account's role hides a metric of the report (activeMetricRestrictions); that metric is absent.",
        |quality| f64::from(u8::from(quality.restricted)),
    ),
];
