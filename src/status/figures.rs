//! Reads the values that the page shows from a property's state.

use ga4_drop_baseline::{TrafficDrop, Verdict};
use jiff::Timestamp;

use ga4_exporter_core::store::{PropertyState, ReportState, Watched};

/// Returns the current value of a metric without labels. `name` is the part of its name after `google_analytics_`.
pub(super) fn value(state: &PropertyState, name: &str, now: Timestamp) -> Option<f64> {
    state.reports.iter().filter_map(|report| report.values(now)).find_map(|snapshot| {
        let is_it = |full: &str| full.strip_prefix("google_analytics_") == Some(name);
        let place = snapshot.report.families.iter().position(|family| is_it(family.name.as_str()))?;
        snapshot.values.value(place)
    })
}

/// Returns the comparison of the last hours with the usual traffic, until it expires.
pub(super) fn watched(state: &PropertyState, now: Timestamp) -> Option<&Watched> {
    state.watched.as_deref().filter(|watched| watched.expires_at > now)
}

/// Returns the ongoing traffic drop; GoogleAnalyticsTrafficDrop pages when it has lasted six minutes.
pub(super) fn drop(state: &PropertyState, now: Timestamp) -> Option<TrafficDrop> {
    watched(state, now).and_then(|watched| Verdict::of(&watched.assessment).drop())
}

/// Returns whether any report fails.
pub(super) fn is_failing(state: &PropertyState) -> bool {
    state.reports.iter().any(|report| report.failure.is_some())
}

/// Returns whether the values of a report are missing or expired. The report on hours has no values and is never
/// late.
pub(super) fn is_late(report: &ReportState, now: Timestamp) -> bool {
    match &report.snapshot {
        Some(snapshot) => report.values(now).is_none() && !snapshot.report.families.is_empty(),
        None => report.has_values,
    }
}

/// Returns whether the property is healthy: no drop, no failure, and every report has current values.
pub(super) fn is_healthy(state: &PropertyState, now: Timestamp) -> bool {
    let is_late = || state.reports.iter().any(|report| is_late(report, now));
    drop(state, now).is_none() && !is_failing(state) && !is_late()
}

/// Returns the name of the property, or its id if the name is not known.
pub(super) fn name(state: &PropertyState) -> String {
    state.info.known_name().map_or_else(|| state.id.to_string(), str::to_owned)
}
