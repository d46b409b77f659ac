//! What the page reads from a property's state.

use ga4_drop_baseline::{TrafficDrop, Verdict};
use jiff::Timestamp;

use ga4_exporter_core::store::{PropertyState, ReportState, Watched};

/// The present value of a metric without labels, by the part of its name after `google_analytics_`.
pub(super) fn value(state: &PropertyState, name: &str, now: Timestamp) -> Option<f64> {
    state.reports.iter().filter_map(|report| report.values(now)).find_map(|snapshot| {
        let is_it = |full: &str| full.strip_prefix("google_analytics_") == Some(name);
        let place = snapshot.report.families.iter().position(|family| is_it(family.name.as_str()))?;
        snapshot.values.value(place)
    })
}

/// The last hours against what is usual, as long as that holds.
pub(super) fn watched(state: &PropertyState, now: Timestamp) -> Option<&Watched> {
    state.watched.as_deref().filter(|watched| watched.expires_at > now)
}

/// The drop of traffic that goes on: what GoogleAnalyticsTrafficDrop pages for after six minutes.
pub(super) fn drop(state: &PropertyState, now: Timestamp) -> Option<TrafficDrop> {
    watched(state, now).and_then(|watched| Verdict::of(&watched.assessment).drop())
}

/// Whether a report fails.
pub(super) fn is_failing(state: &PropertyState) -> bool {
    state.reports.iter().any(|report| report.failure.is_some())
}

/// Whether the values of a report are too old, or have not come yet; the report on hours has none.
pub(super) fn is_late(report: &ReportState, now: Timestamp) -> bool {
    match &report.snapshot {
        Some(snapshot) => report.values(now).is_none() && !snapshot.report.families.is_empty(),
        None => report.has_values,
    }
}

/// Whether all is as it should be: no drop, no failure, and every report has present values.
pub(super) fn is_healthy(state: &PropertyState, now: Timestamp) -> bool {
    let is_late = || state.reports.iter().any(|report| is_late(report, now));
    drop(state, now).is_none() && !is_failing(state) && !is_late()
}

/// Its name; an unknown one is the id.
pub(super) fn name(state: &PropertyState) -> String {
    if state.info.name.is_empty() { state.id.to_string() } else { state.info.name.clone() }
}
