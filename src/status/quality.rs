//! Remarks on a report's current values: what Google says about their quality, and rows that are not exported.

use jiff::Timestamp;

use super::words;
use ga4_exporter_core::store::ReportState;

/// Returns a short remark for each limitation; none for values that are complete and exact.
pub(super) fn remarks(report: &ReportState, now: Timestamp) -> Vec<String> {
    let Some(snapshot) = report.values(now) else { return Vec::new() };
    let mut remarks = Vec::new();
    if let Some(quality) = &snapshot.quality {
        if quality.sampled_ratio < 1.0 {
            remarks.push(format!("estimated from {} % of the events", words::number(quality.sampled_ratio * 100.0)));
        }
        let said = [
            (quality.thresholded, "rows of few users may be missing"),
            (quality.data_loss, "some rows are merged into (other)"),
            (quality.restricted, "the account's role may not see all metrics"),
        ];
        remarks.extend(said.into_iter().filter(|(holds, _)| *holds).map(|(_, remark)| remark.to_owned()));
    }
    if let Some(counts) = snapshot.values.row_counts() {
        if counts.is_truncated() {
            let existing = usize::try_from(counts.existing).unwrap_or(usize::MAX);
            remarks.push(format!("the first {} of {} rows", words::integer(counts.received), words::integer(existing)));
        }
        if counts.dropped > 0 {
            remarks.push(format!("{} not exported", words::count_of(counts.dropped, "row is", "rows are")));
        }
    }
    remarks
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use ga4_exporter_core::{
        report::{Preset, Report, ReportQuality},
        store::{Attempt, Snapshot, States},
        translate,
    };

    use super::*;

    #[test]
    fn limits_of_trust_are_remarked_as_long_as_the_values_hold() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut definition = Preset::named("pages").unwrap().draft("pages".parse().unwrap()).definition();
        definition.max_series = 2;
        let report = Arc::new(Report::new(definition).unwrap());
        let row = |path: &str| serde_json::json!({"dimensionValues": [{"value": "a"}, {"value": path}], "metricValues": [{"value": "1"}, {"value": "1"}]});
        let answer = serde_json::json!({
            "kind": "analyticsData#runReport", "rowCount": 4321, "rows": [row("/"), row("/b")],
            "dimensionHeaders": [{"name": "hostName"}, {"name": "pagePath"}],
            "metricHeaders": [{"name": "screenPageViews"}, {"name": "activeUsers"}],
        });
        let values = translate::values(&report, &serde_json::from_value(answer).unwrap()).unwrap();
        let mut states = States::default();
        let id = "5".parse().unwrap();
        states.put(id, &Default::default(), &[Arc::clone(&report)]);
        let bad = ReportQuality { sampled_ratio: 0.25, thresholded: true, data_loss: true, restricted: true };
        states.update(id, |state| {
            let attempt = Attempt { sent_at: at(0), took: Duration::ZERO };
            let snapshot = Snapshot { report: Arc::clone(&report), values, quality: Some(bad), expires_at: at(60) };
            state.report_mut(&report.name).unwrap().succeed(attempt, 1, snapshot);
        });
        let state = &states.get(id).unwrap().reports[0];
        assert_eq!(
            remarks(state, at(1)),
            [
                "estimated from 25 % of the events",
                "rows of few users may be missing",
                "some rows are merged into (other)",
                "the account's role may not see all metrics",
                "the first 2 of 4,321 rows",
                "1 row is not exported",
            ]
        );
        assert_eq!(remarks(state, at(60)), Vec::<String>::new());
    }
}
