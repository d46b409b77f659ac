//! How far values can be trusted, as Google says it itself: sampling, thresholds, `(other)` and restrictions.

use jiff::Timestamp;

use super::{
    PropertyRow,
    page::{Kind, Page},
};
use crate::report::Quality;

/// As long as the values hold that this was said about.
pub(super) fn render(page: &mut Page, rows: &[PropertyRow<'_>], now: Timestamp) {
    for (name, help, value) in FAMILIES {
        page.family(name, help, Kind::Gauge);
        for row in rows {
            for report in &row.state.reports {
                let Some(snapshot) = report.values(now) else { continue };
                if let Some(quality) = &snapshot.quality {
                    page.expires(snapshot.expires_at);
                    page.sample(&row.with("report", report.name.as_str()), value(quality));
                }
            }
        }
    }
}

/// Name, HELP and value.
type Family = (&'static str, &'static str, fn(&Quality) -> f64);

const FAMILIES: [Family; 4] = [
    (
        "google_analytics_report_sampled_ratio",
        "Part of the events that Google read for the report, from 0 to 1: below 1 its values are estimates \
         (samplesReadCount / samplingSpaceSize, the least of its date ranges).",
        |quality| quality.sampled_ratio,
    ),
    (
        "google_analytics_report_thresholded",
        "Whether Google may have withheld data of few users from the report (subjectToThresholding): its values may be too low.",
        |quality| f64::from(u8::from(quality.thresholded)),
    ),
    (
        "google_analytics_report_data_loss",
        "Whether Google merged rows of the report into (other), because there were too many (dataLossFromOtherRow).",
        |quality| f64::from(u8::from(quality.data_loss)),
    ),
    (
        "google_analytics_report_restricted",
        "Whether the account's role may not see a metric of the report (activeMetricRestrictions); that metric is absent.",
        |quality| f64::from(u8::from(quality.restricted)),
    ),
];
