//! Answers that are split by dimensions: each row becomes series.
//!
//! Every text is a label value, including `(other)` and `(not set)`. An unreadable row is dropped and counted alone, so that
//! one bad row does not discard thousands. Rows beyond `max_series` are dropped and counted, never summed up into another.

use super::{TranslateError, hidden, lacks_rows, number_in, units, window_named};
use crate::{
    report::{Report, Series, series::SeriesBuilder},
    wire::response::{ReportResponse, ResponseRow},
};

/// Returns the series of the rows, whose headers have been checked.
pub(super) fn series(report: &Report, response: &ReportResponse) -> Result<Series, TranslateError> {
    let existing = u64::try_from(response.row_count).unwrap_or_default();
    if response.rows.is_empty() && lacks_rows(response) {
        return Err(TranslateError::Truncated);
    }
    let hidden = hidden(report, response);
    let units = units(report, response);
    let (width, families) = (report.dimensions.len(), report.families.len());
    let mut builder = SeriesBuilder::new(width, families, report.max_series, existing, response.rows.len());
    let mut values = Vec::with_capacity(families);
    for row in &response.rows {
        let window = window_of(report, row)?;
        let families = report.families.iter().enumerate().filter(|(_, family)| family.window == window);
        values.clear();
        let mut is_readable = row.metric_values.len() == report.metrics.len();
        let mut series = 0;
        for (index, family) in families {
            if hidden.get(family.metric).copied().unwrap_or_default() {
                continue;
            }
            series += 1;
            let cell = report.metrics.get(family.metric).zip(row.metric_values.get(family.metric));
            let unit = units.get(family.metric);
            match cell.zip(unit).map(|((metric, cell), unit)| number_in(metric, *unit, &cell.value)) {
                Some(Ok(value)) => values.push((index, value)),
                Some(Err(_)) | None => is_readable = false,
            }
        }
        let labels = row.dimension_values.get(..width);
        let labels = labels.filter(|labels| is_readable && labels.iter().all(|label| !label.is_broken));
        match labels.filter(|_| row.dimension_values.len() == width + usize::from(report.windows.len() > 1)) {
            Some(labels) => builder.add(window, labels.iter().map(|label| label.value.as_str()), &values),
            None => builder.drop_invalid(series),
        }
    }
    Ok(builder.finish())
}

/// Returns the range of a row, which follows its dimensions if there is more than one range. A row that is too short for it
/// counts for the first one, and is dropped later.
fn window_of(report: &Report, row: &ResponseRow) -> Result<usize, TranslateError> {
    match row.dimension_values.get(report.dimensions.len()) {
        Some(range) if report.windows.len() > 1 => window_named(report, &range.value),
        Some(_) | None => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::values;
    use super::*;
    use crate::report::{Definition, RowCounts, Unit, Window, definition_for_tests};

    fn row(labels: &[&str], cells: &[&str]) -> Value {
        let values = |texts: &[&str]| texts.iter().map(|text| json!({"value": text})).collect::<Vec<_>>();
        json!({"dimensionValues": values(labels), "metricValues": values(cells)})
    }

    fn answer(rows: Value) -> Value {
        json!({
            "kind": "analyticsData#runReport",
            "dimensionHeaders": [{"name": "deviceCategory"}, {"name": "pagePath"}],
            "metricHeaders": [{"name": "screenPageViews", "type": "TYPE_INTEGER"}, {"name": "totalRevenue", "type": "TYPE_CURRENCY"}],
            "rowCount": rows.as_array().unwrap().len(),
            "rows": rows,
        })
    }

    fn report() -> Report {
        Report::new(definition_for_tests()).unwrap()
    }

    fn translated(report: &Report, answer: Value) -> Result<Series, TranslateError> {
        values(report, &serde_json::from_value(answer).unwrap())
    }

    /// Labels and values as a text.
    fn lines(series: &Series) -> Vec<String> {
        let line = |row: crate::report::series::SeriesRow<'_>| {
            let values: Vec<_> =
                (0..2).map(|family| row.value(family).map_or_else(|| "-".to_owned(), |v| v.to_string())).collect();
            format!("{} {}", row.labels().collect::<Vec<_>>().join(","), values.join(" "))
        };
        series.rows().map(line).collect()
    }

    #[test]
    fn every_row_is_series_with_its_labels() {
        let rows = json!([
            row(&["mobile", "/checkout"], &["12", "-3.5"]),
            row(&["(not set)", "(other)"], &["1.5", "0"]),
            row(&["", "/checkout/\"a\"\n"], &["0", "1e3"]),
        ]);
        let series = translated(&report(), answer(rows)).unwrap();
        assert_eq!(
            lines(&series),
            ["mobile,/checkout 12 -3.5", "(not set),(other) 1.5 0", ",/checkout/\"a\"\n 0 1000"]
        );
        let counts = RowCounts { received: 3, existing: 3, ..RowCounts::default() };
        assert_eq!(series.row_counts(), Some(counts));
    }

    #[test]
    fn a_row_that_cannot_be_read_costs_only_itself() {
        let good = row(&["mobile", "/"], &["1", "2"]);
        let odd = [
            "-1",
            "NaN",
            "inf",
            "",
            "1,000",
            "(not set)",
            "1e999",
            " 12",
            "12 ",
            "+5",
            "0x10",
            "1_000",
            "１",
            "1e13",
            "5e",
        ];
        for bad in odd {
            let series = translated(&report(), answer(json!([row(&["desktop", "/"], &[bad, "2"]), good]))).unwrap();
            assert_eq!(lines(&series), ["mobile,/ 1 2"], "{bad}");
            assert_eq!(series.row_counts().unwrap().series_invalid, 2, "{bad}");
        }
        for bad in ["NaN", "-inf", "--1", "-", "- 1", "", " 1", "1e999", "nan", "infinity", "-.5"] {
            let series = translated(&report(), answer(json!([row(&["desktop", "/"], &["1", bad]), good]))).unwrap();
            assert_eq!(lines(&series), ["mobile,/ 1 2"], "{bad}");
        }
        for bad in [
            row(&["desktop"], &["1", "2"]),
            row(&["a", "b", "c"], &["1", "2"]),
            row(&["a", "b"], &["1"]),
            json!({}),
            json!(null),
            json!(7),
            json!([]),
            json!("row"),
            json!({"dimensionValues": [{"value": "a"}, {"value": 5}], "metricValues": [{"value": "1"}, {"value": "2"}]}),
            json!({"dimensionValues": [{"value": "a"}, null], "metricValues": [{"value": "1"}, {"value": "2"}]}),
            json!({"dimensionValues": [{"value": "a"}, {}], "metricValues": [{"value": 1}, {"value": "2"}]}),
            json!({"dimensionValues": [{"value": "a"}, {}], "metricValues": [{}, {"value": "2"}]}),
            row(&["a", "b"], &["1", "2", "3"]),
            row(&["a"; 40], &["1", "2"]),
        ] {
            let series = translated(&report(), answer(json!([bad, good]))).unwrap();
            assert_eq!((lines(&series).len(), series.row_counts().unwrap().dropped), (1, 1), "{bad}");
        }
    }

    #[test]
    fn numbers_are_read_as_google_may_write_them() {
        for (views, revenue, expected) in [
            ("0", "0", "0 0"),
            ("-0", "-0", "0 0"),
            ("1e3", "-1.5e-05", "1000 -0.000015"),
            ("12.75", "1e+15", "12.75 1000000000000000"),
            ("007", "-12345.678901", "7 -12345.678901"),
            ("0.97348484848484851", "0.1", "0.9734848484848485 0.1"),
        ] {
            let series = translated(&report(), answer(json!([row(&["a", "b"], &[views, revenue])]))).unwrap();
            assert_eq!(lines(&series), [format!("a,b {expected}")]);
            let is_negative_zero = |value: &f64| *value == 0.0 && value.is_sign_negative();
            assert!(!series.values().iter().any(is_negative_zero), "{views}");
        }
    }

    #[test]
    fn the_type_of_the_header_is_the_unit_of_the_numbers() {
        for (unit, header, expected) in [
            (Unit::Minutes, "TYPE_SECONDS", 90.0),
            (Unit::Seconds, "TYPE_MILLISECONDS", 0.09),
            (Unit::Hours, "TYPE_MINUTES", 5400.0),
            (Unit::Meters, "TYPE_KILOMETERS", 90_000.0),
            (Unit::Minutes, "TYPE_MINUTES", 5400.0),
            (Unit::Minutes, "TYPE_STANDARD", 5400.0),
            (Unit::Minutes, "TYPE_METERS", 5400.0),
            (Unit::Minutes, "TYPE_NEW", 5400.0),
            (Unit::Minutes, "", 5400.0),
            (Unit::Plain, "TYPE_HOURS", 90.0),
            (Unit::Currency, "TYPE_FLOAT", 90.0),
        ] {
            let mut report = report();
            report.metrics[0].unit = unit;
            let mut answer = answer(json!([row(&["a", "b"], &["90", "0"])]));
            answer["metricHeaders"][0]["type"] = json!(header);
            let value = translated(&report, answer).unwrap().values()[0];
            assert!((value - expected).abs() < 1e-9, "{unit:?} {header}: {value}");
        }
    }

    #[test]
    fn only_counts_have_an_upper_limit() {
        let mut report = report();
        report.metrics[0].unit = Unit::Milliseconds;
        let long = answer(json!([row(&["a", "b"], &["3600000000000000", "1e15"])]));
        assert_eq!(lines(&translated(&report, long).unwrap()), ["a,b 3600000000000 1000000000000000"]);
        let negative = answer(json!([row(&["a", "b"], &["-1", "0"])]));
        assert_eq!(translated(&report, negative).unwrap().row_counts().unwrap().series_invalid, 2);
    }

    #[test]
    fn long_labels_stay_apart_and_whole() {
        let long = "é".repeat(199);
        let label = |end: &str| format!("{long}{end}");
        let (one, other, just) = (label("€€1"), label("€€2"), label("€"));
        let rows =
            json!([row(&["a", &one], &["1", "1"]), row(&["a", &other], &["2", "2"]), row(&["a", &just], &["3", "3"])]);
        let first = translated(&report(), answer(rows)).unwrap();
        let labels: Vec<String> = first.rows().map(|row| row.labels().nth(1).unwrap().to_owned()).collect();
        assert_eq!(labels.iter().map(|label| label.chars().count()).collect::<Vec<_>>(), [200, 200, 200]);
        assert_eq!((labels.len(), &labels[2]), (3, &just));
        // What another text is cut to is a text of its own, too: the second of the two is dropped.
        let rows = json!([row(&["a", &one], &["1", "1"]), row(&["a", &labels[0]], &["9", "9"])]);
        let counts = translated(&report(), answer(rows)).unwrap().row_counts().unwrap();
        assert_eq!((counts.dropped, counts.series_duplicate), (1, 2));
    }

    #[test]
    fn rows_beyond_the_limit_are_counted_and_never_summed() {
        let report = Report::new(Definition { max_series: 4, ..definition_for_tests() }).unwrap();
        let rows: Vec<Value> = (0..10).map(|n| row(&["mobile", &format!("/{n}")], &["1", "1"])).collect();
        let mut answer = answer(Value::from(rows));
        answer["rowCount"] = json!(86);
        let series = translated(&report, answer).unwrap();
        assert_eq!(lines(&series), ["mobile,/0 1 1", "mobile,/1 1 1"]);
        let counts = series.row_counts().unwrap();
        assert_eq!((counts.received, counts.existing, counts.dropped, counts.series_over_limit), (10, 86, 8, 16));
    }

    #[test]
    fn two_rows_with_the_same_labels_are_one() {
        let rows = json!([row(&["a", "b"], &["1", "1"]), row(&["a", "b"], &["2", "2"])]);
        let series = translated(&report(), answer(rows)).unwrap();
        assert_eq!((lines(&series), series.row_counts().unwrap().series_duplicate), (vec!["a,b 1 1".to_owned()], 2));
    }

    #[test]
    fn no_rows_are_no_series() {
        for empty in [json!({"kind": "analyticsData#runReport"}), answer(json!([]))] {
            let series = translated(&report(), empty).unwrap();
            assert!(series.is_empty() && series.is_labelled());
        }
        for count in [3, -1] {
            assert_eq!(translated(&report(), json!({"rowCount": count})), Err(TranslateError::Truncated), "{count}");
        }
        let mut other = answer(json!([row(&["a", "b"], &["1", "1"])]));
        other["dimensionHeaders"] = json!([{"name": "pagePath"}, {"name": "deviceCategory"}]);
        assert_eq!(translated(&report(), other), Err(TranslateError::Dimensions));
    }

    #[test]
    fn ranges_stand_behind_the_dimensions() {
        let mut report = report();
        let yesterday = Window { name: "yesterday".parse().unwrap(), ..report.windows[0].clone() };
        report.windows.push(yesterday);
        report.families[1].window = 1;
        let rows = json!([
            row(&["a", "b", "yesterday"], &["1", "2"]),
            row(&["a", "b", "checkout"], &["3", "4"]),
            row(&["c", "d", "yesterday"], &["5", "6"]),
        ]);
        let mut both = answer(rows);
        both["dimensionHeaders"].as_array_mut().unwrap().push(json!({"name": "dateRange"}));
        assert_eq!(lines(&translated(&report, both.clone()).unwrap()), ["a,b 3 2", "c,d - 6"]);
        both["rows"][2]["dimensionValues"][2]["value"] = json!("date_range_7");
        assert_eq!(translated(&report, both), Err(TranslateError::UnknownRange));
    }

    #[test]
    fn what_google_hides_is_absent() {
        let mut restricted = answer(json!([row(&["a", "b"], &["1", "0"])]));
        restricted["metadata"] =
            json!({"schemaRestrictionResponse": {"activeMetricRestrictions": [{"metricName": "totalRevenue"}]}});
        let series = translated(&report(), restricted).unwrap();
        assert_eq!((lines(&series), series.len()), (vec!["a,b 1 -".to_owned()], 1));
    }
}
