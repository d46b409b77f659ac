//! Reports.

use std::time::Duration;

use google_analytics_exporter::{
    report::{Report, ReportSettings, StaleAfter},
    translate,
    wire::response::ReportResponse,
};
use proptest::{collection, prelude::*, sample};
use serde_json::{Value, json};

use crate::json;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_body_is_read_or_refused(body in json::bodies(json::values(KEYS, TEXTS))) {
        if let Ok(response) = serde_json::from_slice(&body) {
            check(&response)?;
        }
    }

    #[test]
    fn any_rows_are_counts_or_refused(rows in collection::vec((sample::select(RANGES), cells()), 0..6)) {
        let rows: Vec<Value> = rows
            .into_iter()
            .map(|(range, cells)| json!({"dimensionValues": [{"value": range}], "metricValues": cells}))
            .collect();
        let body = json!({
            "kind": "analyticsData#runReport",
            "dimensionHeaders": [{"name": "dateRange"}],
            "metricHeaders": [{"name": "screenPageViews"}, {"name": "totalUsers"}],
            "rows": rows,
        });
        check(&serde_json::from_value(body).unwrap())?;
    }
}

fn check(response: &ReportResponse) -> Result<(), TestCaseError> {
    let report = Report::traffic(&ReportSettings {
        enabled: true,
        interval: Duration::from_secs(900),
        stale_after: StaleAfter::Intervals(3.0),
        metrics: vec!["pageviews", "visitors"],
    });
    match translate::values(&report, response) {
        Ok(series) => {
            let values = series.values();
            prop_assert_eq!(values.len(), report.families.len());
            prop_assert!(values.iter().all(|value| value.is_finite() && *value >= 0.0), "{:?}", values);
        }
        Err(error) => prop_assert!(error.to_string().chars().count() < 300, "{}", error),
    }
    Ok(())
}

fn cells() -> impl Strategy<Value = Vec<Value>> {
    let text = prop_oneof![
        4 => any::<u32>().prop_map(|count| count.to_string()),
        1 => any::<f64>().prop_map(|count| count.to_string()),
        1 => sample::select(TEXTS).prop_map(str::to_owned),
    ];
    collection::vec(text.prop_map(|text| json!({"value": text})), 0..4)
}

const RANGES: &[&str] = &["today", "yesterday", "trailing_7d", "trailing_28d", "date_range_0", ""];

const KEYS: &[&str] = &[
    "kind",
    "dimensionHeaders",
    "metricHeaders",
    "rows",
    "rowCount",
    "metadata",
    "propertyQuota",
    "reports",
    "name",
    "dimensionValues",
    "metricValues",
    "value",
    "timeZone",
    "currencyCode",
    "tokensPerDay",
    "tokensPerHour",
    "consumed",
    "remaining",
    "of another version",
];

const TEXTS: &[&str] = &[
    "analyticsData#runReport",
    "analyticsData#runRealtimeReport",
    "screenPageViews",
    "totalUsers",
    "dateRange",
    "today",
    "yesterday",
    "0",
    "12",
    "1.5",
    "-1",
    "NaN",
    "inf",
    "1e999",
    "",
];
