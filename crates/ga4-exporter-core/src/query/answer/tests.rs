use serde_json::{Value, json};

use super::{super::Asked, *};

const FIRST: Page = Page { offset: 0, limit: 250_000 };

fn query(dimensions: &[&str], metrics: &[&str]) -> Query {
    let words = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Asked { dimensions: words(dimensions), metrics: words(metrics), ..Asked::default() }.query().unwrap()
}

fn answered(query: &Query, rows: &[(&[&str], &[&str])], rest: Value) -> Result<QueryAnswer, TranslateError> {
    let cells = |texts: &[&str]| texts.iter().map(|text| json!({"value": text})).collect::<Vec<_>>();
    let rows: Vec<Value> = rows
        .iter()
        .map(|(dimensions, metrics)| json!({"dimensionValues": cells(dimensions), "metricValues": cells(metrics)}))
        .collect();
    let header = |name: &str| json!({"name": name});
    let mut body = json!({
        "dimensionHeaders": query.report().dimensions.iter().map(|one| header(one.api_name.as_str())).collect::<Vec<_>>(),
        "metricHeaders": query.report().metrics.iter().map(|one| header(one.api_name.as_str())).collect::<Vec<_>>(),
        "rowCount": rows.len(), "rows": rows,
    });
    for (key, value) in rest.as_object().unwrap() {
        body[key] = value.clone();
    }
    query.answer(FIRST, serde_json::from_value(body).unwrap())
}

fn metrics_of(answer: &QueryAnswer) -> Vec<Vec<Option<f64>>> {
    answer.rows.iter().map(|row| row.metrics().collect()).collect()
}

fn totals(query: &Query, answer: &QueryAnswer) -> Option<Totals> {
    query.totals(&answer.rows, &answer.quality)
}

#[test]
fn nothing_is_zero_without_dimensions_and_no_rows_with_them() {
    let whole = query(&[], &["pageviews", "visitors"]);
    let answer = whole.answer(FIRST, serde_json::from_str("{}").unwrap()).unwrap();
    assert_eq!(metrics_of(&answer), [[Some(0.0), Some(0.0)]]);
    assert_eq!((answer.received, answer.existing), (0, 0));
    let split = query(&["country"], &["pageviews"]);
    let answer = split.answer(FIRST, serde_json::from_str("{}").unwrap()).unwrap();
    assert!(answer.rows.is_empty());
    assert_eq!(totals(&split, &answer), Some(vec![Some(0.0)]));
    assert_eq!(
        split.answer(FIRST, serde_json::from_str(r#"{"rowCount": 3}"#).unwrap()),
        Err(TranslateError::Truncated)
    );
    let behind = Page { offset: 3, limit: 10 };
    assert!(split.answer(behind, serde_json::from_str(r#"{"rowCount": 3}"#).unwrap()).is_ok(), "a page behind the end");
}

#[test]
fn only_what_adds_up_has_a_total() {
    let split = query(&["country"], &["pageviews", "visitors", "bounceRate", "totalRevenue"]);
    let rows: [(&[&str], &[&str]); 2] =
        [(&["Germany"], &["10", "3", "0.5", "0.1"]), (&["(other)"], &["2", "1", "0.25", "0.2"])];
    let answer = answered(&split, &rows, json!({})).unwrap();
    assert_eq!(totals(&split, &answer), Some(vec![Some(12.0), None, None, Some(0.3)]));
    for quality in [
        QueryQuality { truncated: true, ..answer.quality.clone() },
        QueryQuality { rows_changed: true, ..answer.quality.clone() },
        QueryQuality { unreadable_rows: 1, ..answer.quality.clone() },
    ] {
        assert_eq!(split.totals(&answer.rows, &quality), None, "{quality:?}");
    }
    let users = query(&["country"], &["visitors"]);
    let answer = answered(&users, &[(&["Germany"], &["3"])], json!({})).unwrap();
    assert_eq!(totals(&users, &answer), None);
    let sessions = query(&["pagePath"], &["sessions"]);
    let answer = answered(&sessions, &[(&["/"], &["3"])], json!({})).unwrap();
    assert_eq!(totals(&sessions, &answer), None, "a session has many pages");
    let audiences = query(&["audienceName"], &["pageviews"]);
    let answer = answered(&audiences, &[(&["All"], &["3"])], json!({})).unwrap();
    assert_eq!(totals(&audiences, &answer), None, "audiences overlap");
    let whole = query(&[], &["visitors"]);
    let answer = answered(&whole, &[(&[], &["3"])], json!({})).unwrap();
    assert_eq!(totals(&whole, &answer), Some(vec![Some(3.0)]), "one row is the total, of users too");
}

#[test]
fn units_are_those_of_prometheus_and_of_the_answer() {
    let split = query(&["country"], &["adUnitExposure", "customEvent:wait", "keyEvents"]);
    let headers = json!({"metricHeaders": [{"name": "adUnitExposure", "type": "TYPE_MILLISECONDS"},
        {"name": "customEvent:wait", "type": "TYPE_MINUTES"}, {"name": "keyEvents", "type": "TYPE_FLOAT"}]});
    let answer = answered(&split, &[(&["Germany"], &["1500", "-2", "2.5"])], headers).unwrap();
    assert_eq!(metrics_of(&answer)[0], [Some(1.5), Some(-120.0), Some(2.5)]);
    assert_eq!(answer.units, [Unit::Milliseconds, Unit::Minutes, Unit::Plain]);
}

#[test]
fn what_cannot_be_read_costs_only_itself() {
    let split = query(&["country"], &["pageviews"]);
    let rows: [(&[&str], &[&str]); 4] = [(&["a"], &["1"]), (&["b"], &["NaN"]), (&["c"], &["-1"]), (&["d"], &[""])];
    let answer = answered(&split, &rows, json!({})).unwrap();
    assert_eq!((answer.rows.len(), answer.received, answer.quality.unreadable_rows), (1, 4, 3));
    let whole = query(&[], &["pageviews"]);
    assert!(matches!(answered(&whole, &[(&[], &["NaN"])], json!({})), Err(TranslateError::NotACount(_))));
    assert_eq!(answered(&whole, &[(&[], &["1"]), (&[], &["2"])], json!({})), Err(TranslateError::MoreThanOneRow));
    for odd in [(&["a", "b"][..], &["1"][..]), (&["a"], &["1", "2"]), (&["a"], &[]), (&[], &["1"])] {
        let answer = answered(&split, &[odd, (&["b"], &["2"])], json!({})).unwrap();
        assert_eq!((answer.rows.len(), answer.quality.unreadable_rows), (1, 1), "{odd:?}");
    }
    let other = json!({"metricHeaders": [{"name": "sessions"}]});
    assert_eq!(answered(&split, &[(&["a"], &["1"])], other), Err(TranslateError::Metrics));
}

#[test]
fn what_google_says_of_the_quality_is_noted() {
    let split = query(&["country"], &["pageviews", "totalRevenue"]);
    let metadata = json!({"metadata": {
        "dataLossFromOtherRow": true, "subjectToThresholding": true,
        "samplingMetadatas": [{"samplesReadCount": "1", "samplingSpaceSize": "4"}],
        "schemaRestrictionResponse": {"activeMetricRestrictions": [{"metricName": "totalRevenue"}]},
        "dataTruncationReasons": [{"dataTruncationMessage": "Gone\u{1b}[31m\nsince 2024."}],
        "emptyReason": "Nobody\ncame.",
        "timeZone": "Asia/Tokyo", "currencyCode": "JPY"}});
    let answer = answered(&split, &[(&["Japan"], &["4", "0"])], metadata).unwrap();
    assert_eq!(metrics_of(&answer)[0], [Some(4.0), None], "a hidden metric is not 0");
    assert_eq!((answer.time_zone.as_str(), answer.currency.as_str()), ("Asia/Tokyo", "JPY"));
    let mut quality = answer.quality.clone();
    quality.add(&QueryQuality { unreadable_rows: 2, sampled_ratio: 0.125, ..answer.quality });
    quality.truncated = true;
    let notes = quality.notes().join("\n");
    for part in [
        "12.5 %",
        "thresholding",
        "`(other)`",
        "--limit",
        "hides total_revenue",
        "2 rows cannot be read",
        "Google says: Gone [31m since 2024.",
        "Google says: Nobody came.",
    ] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
    assert_eq!(quality.notes().len(), 8);
}
