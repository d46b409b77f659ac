//! Answers to reports of one's own that are valid and odd: what is exported of them, row by row.

use ga4_simulator::{Effect, Fault, Method};
use serde_json::{Value, json};

use crate::{
    own_reports::{config, series},
    support::{SHOP, Setup},
};

/// A path and revenue by it.
const REPORT: &str =
    "  odd: {dimensions: [pagePath], metrics: {views: screenPageViews, revenue: totalRevenue}, interval: 24h}\n";

fn row(path: &str, views: &str, revenue: &str) -> Value {
    json!({"dimensionValues": [{"value": path}], "metricValues": [{"value": views}, {"value": revenue}]})
}

fn answer(rows: &[Value], metadata: &Value) -> Value {
    json!({
        "kind": "analyticsData#runReport", "rows": rows, "rowCount": rows.len(), "metadata": metadata,
        "dimensionHeaders": [{"name": "pagePath"}],
        "metricHeaders": [{"name": "screenPageViews", "type": "TYPE_INTEGER"}, {"name": "totalRevenue", "type": "TYPE_CURRENCY"}],
    })
}

#[tokio::test]
async fn every_row_that_can_be_read_is_exported_as_it_is() {
    let whole = format!("/{}👩", "a".repeat(198));
    let cut = format!("/{}e\u{301}👩\u{200d}💻", "b".repeat(180)).repeat(2);
    let rows = [
        row("/line\nbreak \"quoted\" back\\slash", "1", "0"),
        row("(other)", "2.5", "-12.75"),
        row("(not set)", "3", "1e3"),
        row("", "4", "0"),
        row(&whole, "5", "0"),
        row(&cut, "6", "0"),
        row("HALF", "7", "0"),
        row("/nan", "NaN", "0"),
        row("/huge", "8", "1e400"),
        row("/blank", "9", ""),
        row("/negative", "-1", "0"),
        json!({"dimensionValues": [{"value": "/short"}], "metricValues": [{"value": "1"}]}),
        json!({"dimensionValues": [{"value": 7}], "metricValues": [{"value": "1"}, {"value": "1"}]}),
        row("(other)", "9", "9"),
    ];
    let metadata = json!({
        "timeZone": "Europe/Berlin", "dataLossFromOtherRow": true, "subjectToThresholding": true,
        "samplingMetadatas": [{"samplesReadCount": "1", "samplingSpaceSize": "4"}],
        "emptyReason": "", "schemaRestrictionResponse": {},
    });
    // Half of an emoji, as in a text that somebody cut.
    let body = answer(&rows, &metadata).to_string().replace("HALF", r"/half\ud83d");
    let odd = Fault::new(Effect::Raw(200, body)).on(Method::RunReport).property(SHOP);
    let pair = Setup::new().config(&config(REPORT)).fault(odd).start().await;
    let metrics = pair.until("up", |metrics| metrics.is_up(SHOP, "odd")).await;

    let of_path = |end: &str, path: &str| metrics.of(SHOP, end, &format!("page_path=\"{path}\""));
    let shown = series(&metrics, SHOP, "odd_views");
    assert_eq!((shown.len(), series(&metrics, SHOP, "odd_revenue").len()), (7, 7), "{shown:?}");
    for (path, views, revenue) in [
        (r#"/line\nbreak \"quoted\" back\\slash"#, 1.0, 0.0),
        ("(other)", 2.5, -12.75),
        ("(not set)", 3.0, 1000.0),
        ("", 4.0, 0.0),
        (&whole, 5.0, 0.0),
        ("/half\u{fffd}", 7.0, 0.0),
    ] {
        assert_eq!((of_path("odd_views", path), of_path("odd_revenue", path)), (Some(views), Some(revenue)), "{path}");
    }
    let (long, value) = shown.iter().find(|(name, _)| name.contains("/bbb")).unwrap();
    let long = long.split_once("page_path=\"").unwrap().1.strip_suffix("\"}").unwrap();
    assert_eq!((long.chars().count(), long.contains('…'), *value), (200, true, 6.0), "{long}");

    let of_report = |end: &str| metrics.of(SHOP, end, "report=\"odd\"");
    assert_eq!((of_report("report_rows"), of_report("report_rows_dropped")), (Some(14.0), Some(7.0)));
    assert_eq!((of_report("report_data_loss"), of_report("report_thresholded")), (Some(1.0), Some(1.0)));
    assert_eq!(of_report("report_sampled_ratio"), Some(0.25));
    assert_eq!(metrics.own("series_dropped_total{reason=\"invalid_value\"}"), Some(12.0));
    assert_eq!(metrics.own("series_dropped_total{reason=\"duplicate\"}"), Some(2.0));
}

#[tokio::test]
async fn what_is_not_said_is_not_made_up() {
    for (body, rows) in [
        (json!({"kind": "analyticsData#runReport"}), 0.0),
        (json!({"kind": "analyticsData#runReport", "rowCount": 0, "metadata": {}, "propertyQuota": {}}), 0.0),
        (json!({"kind": "analyticsData#runReport", "rows": [], "metadata": null, "propertyQuota": null}), 0.0),
        (answer(&[row("/", "1", "1")], &json!({})), 1.0),
    ] {
        let odd = Fault::new(Effect::Raw(200, body.to_string())).on(Method::RunReport).property(SHOP);
        let reports = REPORT.replace("interval: 24h", "interval: 24h, date_range: {from: 2026-11-01, to: 2026-11-07}");
        let pair = Setup::new().config(&config(&reports)).fault(odd).start().await;
        let metrics = pair.until("up", |metrics| metrics.is_up(SHOP, "odd")).await;
        let of_report = |end: &str| metrics.of(SHOP, end, "report=\"odd\"");
        assert_eq!(of_report("report_rows"), Some(rows), "{body}");
        for (end, exact) in
            [("data_loss", 0.0), ("thresholded", 0.0), ("restricted", 0.0), ("truncated", 0.0), ("sampled_ratio", 1.0)]
        {
            assert_eq!(of_report(&format!("report_{end}")), Some(exact), "{end}: {body}");
        }
    }
}

#[tokio::test]
async fn what_is_not_the_answer_fails_and_exports_nothing() {
    let good = answer(&[row("/", "1", "1")], &json!({"timeZone": "Europe/Berlin"}));
    let with = |key: &str, value: Value| {
        let mut other = good.clone();
        other[key] = value;
        other
    };
    let views = json!({"name": "screenPageViews", "type": "TYPE_INTEGER"});
    let revenue = json!({"name": "totalRevenue", "type": "TYPE_CURRENCY"});
    for body in [
        with("metricHeaders", json!([revenue, views])),
        with("metricHeaders", json!([views])),
        with("dimensionHeaders", json!([])),
        with("dimensionHeaders", json!([{"name": "pagePath"}, {"name": "dateRange"}])),
        with("kind", json!("analyticsData#batchRunReports")),
        with("rows", json!([])),
        with("rows", json!({})),
        with("propertyQuota", json!({"tokensPerDay": {"consumed": -5, "remaining": "9999999999"}})),
    ] {
        let odd = Fault::new(Effect::Raw(200, body.to_string())).on(Method::RunReport).property(SHOP);
        let pair = Setup::new().config(&config(REPORT)).fault(odd).start().await;
        let metrics = pair.until("it fails", |metrics| metrics.fails_with(SHOP, "odd", "protocol")).await;
        assert!(series(&metrics, SHOP, "odd_views").is_empty(), "{body}");
    }
}
