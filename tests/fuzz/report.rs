//! Reports.

use std::{collections::BTreeSet, time::Duration};

use ga4_exporter_core::{
    names::Category,
    report::{
        Addition, Day, Definition, Dimension, Filter, Metric, Priority, Range, Report, ReportSettings, Scope,
        StaleAfter, Unit,
    },
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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_labels_are_distinct_series(rows in collection::vec((labels(), cells()), 0..30)) {
        let labels = |texts: Vec<String>| texts.iter().map(|text| json!({"value": text})).collect::<Vec<_>>();
        let rows: Vec<Value> = rows
            .into_iter()
            .map(|(texts, cells)| json!({"dimensionValues": labels(texts), "metricValues": cells}))
            .collect();
        let body = json!({
            "kind": "analyticsData#runReport",
            "dimensionHeaders": [{"name": "city"}, {"name": "pagePath"}],
            "metricHeaders": [{"name": "sessions"}, {"name": "totalRevenue"}],
            "rowCount": rows.len(),
            "rows": rows,
        });
        check_labelled(&serde_json::from_value(body).unwrap())?;
    }
}

/// Whatever comes, no two series are the same, there are no more than allowed, and every row is accounted for.
fn check_labelled(response: &ReportResponse) -> Result<(), TestCaseError> {
    let report = labelled();
    let Ok(series) = translate::values(&report, response) else { return Ok(()) };
    let labels: Vec<Vec<&str>> = series.rows().map(|row| row.labels().collect()).collect();
    prop_assert_eq!(labels.iter().collect::<BTreeSet<_>>().len(), labels.len());
    prop_assert!(labels.iter().flatten().all(|label| label.chars().count() <= 200));
    prop_assert!(labels.iter().all(|row| row.len() == 2));
    prop_assert!(series.len() <= report.max_series && series.values().iter().all(|value| value.is_finite()));
    prop_assert!(series.rows().all(|row| row.value(0).is_some_and(|sessions| sessions >= 0.0)));
    let counts = series.row_counts().expect("the report has dimensions");
    prop_assert_eq!((counts.received, counts.dropped), (response.rows.len(), response.rows.len() - labels.len()));
    prop_assert_eq!(counts.series_dropped(), 2 * counts.dropped);
    Ok(())
}

/// Sessions and revenue by city and path, at most 20 series.
fn labelled() -> Report {
    let dimension =
        |label: &str, api_name: &str| Dimension { label: label.parse().unwrap(), api_name: api_name.parse().unwrap() };
    let metric = |name: &str, api_name: &str, is_signed| Metric {
        name: name.parse().unwrap(),
        api_name: api_name.parse().unwrap(),
        unit: Unit::Plain,
        addition: Addition::Sum,
        is_signed,
        meaning: String::new(),
    };
    Report::new(Definition {
        name: "places".parse().unwrap(),
        category: Category::Core,
        priority: Priority::Ordinary,
        scope: Scope::All,
        interval: Duration::from_secs(900),
        stale_after: StaleAfter::Intervals(3.0),
        dimensions: vec![dimension("city", "city"), dimension("path", "pagePath")],
        metrics: vec![metric("sessions", "sessions", false), metric("revenue", "totalRevenue", true)],
        range: Range::Days(Day::Ago(0), Day::Ago(0)),
        meaning: String::new(),
        filter: Filter::default(),
        order: Vec::new(),
        limit: None,
        max_series: 20,
    })
    .unwrap()
}

fn labels() -> impl Strategy<Value = Vec<String>> {
    let text = prop_oneof![
        8 => sample::select(&["", "a", "b", "(other)", "(not set)"][..]).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[aä]{190,210}",
    ];
    collection::vec(text, 1..4)
}

fn check(response: &ReportResponse) -> Result<(), TestCaseError> {
    check_labelled(response)?;
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
