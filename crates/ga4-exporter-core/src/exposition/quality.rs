//! The families on data quality according to Google (sampling, thresholds, `(other)` and restrictions), and on the numbers of
//! received and dropped rows.

use jiff::Timestamp;

use super::{
    PropertyRow,
    page::{Kind, Page},
};
use crate::report::{ReportQuality, RowCounts};

/// The quality holds as long as the values that it describes.
pub(super) fn render(page: &mut Page, rows: &[PropertyRow<'_>], now: Timestamp) {
    for (name, help, value) in FAMILIES {
        page.family(name, help, Kind::Gauge);
        for row in rows {
            for report in row.reports {
                let Some(snapshot) = report.values(now) else { continue };
                if let Some(quality) = &snapshot.quality {
                    page.expires(snapshot.expires_at);
                    row.sample(page, ("report", report.name.as_str()), value(quality));
                }
            }
        }
    }
}

/// The same for row counts of reports with dimensions.
pub(super) fn rows(page: &mut Page, rows: &[PropertyRow<'_>], now: Timestamp) {
    for (name, help, value) in ROW_FAMILIES {
        page.family(name, help, Kind::Gauge);
        for row in rows {
            for report in row.reports {
                let Some(snapshot) = report.values(now) else { continue };
                if let Some(counts) = snapshot.values.row_counts() {
                    page.expires(snapshot.expires_at);
                    row.sample(page, ("report", report.name.as_str()), value(&counts));
                }
            }
        }
    }
}

/// Name, HELP and value.
type RowFamily = (&'static str, &'static str, fn(&RowCounts) -> f64);

const ROW_FAMILIES: [RowFamily; 3] = [
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

/// Name, HELP and value.
type Family = (&'static str, &'static str, fn(&ReportQuality) -> f64);

const FAMILIES: [Family; 4] = [
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
