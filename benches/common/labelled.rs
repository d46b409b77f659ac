//! A report of one's own with three labels, as many properties have it after a poll.

use std::{sync::Arc, time::Duration};

use ga4_exporter_core::{
    exposition::View,
    names::{Category, PropertyId},
    properties::PropertyInfo,
    report::{
        Addition, Day, Definition, Dimension, Filter, Metric, Priority, Range, Report, Scope, Series, StaleAfter, Unit,
    },
    store::{Attempt, Snapshot, States, Store},
    translate,
    wire::response::ReportResponse,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A view of that many properties with a thousand rows of two metrics each.
pub(crate) fn view(properties: u32, now: Timestamp) -> View {
    let report = Arc::new(report());
    let mut states = States::default();
    for index in 0..properties {
        let id: PropertyId = (500_000_000 + index).to_string().parse().expect("a number is an id");
        states.put(id, &PropertyInfo::default(), [&report]);
        states.update(id, |state| {
            let values = series(&report, index);
            let expires_at = now + SignedDuration::from_hours(1);
            let snapshot = Snapshot { report: Arc::clone(&report), values, quality: None, expires_at };
            let attempt = Attempt { sent_at: now, took: Duration::from_millis(120) };
            state.report_mut(&report.name).expect("it was put there").succeed(attempt, 1, snapshot);
        });
    }
    let store = Store::default();
    store.apply(states.take_change());
    View { reports: vec![report], properties: store.properties(), own: Vec::new() }
}

/// How many bytes a series takes in the store.
pub(crate) fn bytes_of_each(view: &View) -> f64 {
    let reports = view.properties.iter().flat_map(|property| &property.reports);
    let snapshots: Vec<_> = reports.filter_map(|report| report.snapshot.as_ref()).collect();
    let bytes: usize = snapshots.iter().map(|snapshot| snapshot.values.bytes()).sum();
    let series: usize = snapshots.iter().map(|snapshot| snapshot.values.len()).sum();
    bytes as f64 / series as f64
}

fn series(report: &Report, property: u32) -> Series {
    let row = |row: u32| {
        let path = format!("/products/category-{}/item-{row}", (property + row) % 50);
        let device = match row % 3 {
            0 => "desktop",
            1 => "mobile",
            _ => "tablet",
        };
        let labels = ["www.example.com", &path, device];
        let cells = [(row * 7919 % 100_000).to_string(), (row % 977).to_string()];
        json!({"dimensionValues": labels.map(cell), "metricValues": cells.each_ref().map(|text| cell(text))})
    };
    let rows: Vec<Value> = (0..ROWS).map(row).collect();
    let answer = json!({
        "kind": "analyticsData#runReport",
        "dimensionHeaders": [{"name": "hostName"}, {"name": "pagePath"}, {"name": "deviceCategory"}],
        "metricHeaders": [{"name": "screenPageViews"}, {"name": "activeUsers"}],
        "rowCount": ROWS,
        "rows": rows,
    });
    let response: ReportResponse = serde_json::from_value(answer).expect("it is an answer");
    translate::values(report, &response).expect("it is the answer to the report")
}

fn cell(text: &str) -> Value {
    json!({"value": text})
}

fn report() -> Report {
    let dimension = |label: &str, api_name: &str| Dimension {
        label: label.parse().expect("it is a label"),
        api_name: api_name.parse().expect("it is a field"),
    };
    let metric = |name: &str, api_name: &str| Metric {
        name: name.parse().expect("it is a name"),
        api_name: api_name.parse().expect("it is a field"),
        unit: Unit::Plain,
        addition: Addition::Sum,
        is_signed: false,
        meaning: "What it counts".to_owned(),
    };
    Report::new(Definition {
        name: "pages".parse().expect("it is a name"),
        category: Category::Core,
        priority: Priority::Ordinary,
        scope: Scope::All,
        interval: Duration::from_hours(1),
        stale_after: StaleAfter::Intervals(3.0),
        dimensions: vec![
            dimension("host_name", "hostName"),
            dimension("page_path", "pagePath"),
            dimension("device_category", "deviceCategory"),
        ],
        metrics: vec![metric("pageviews", "screenPageViews"), metric("active_users", "activeUsers")],
        range: Range::Days(Day::Ago(0), Day::Ago(0)),
        meaning: "today".to_owned(),
        filter: Filter::default(),
        order: Vec::new(),
        limit: None,
        max_series: usize::MAX,
    })
    .expect("it is a report")
}

const ROWS: u32 = 1_000;
