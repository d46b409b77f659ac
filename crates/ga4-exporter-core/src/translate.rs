//! Translates an answer into the values of a report's families.
//!
//! Knows that a valid answer without rows means zero, and that an answer which does not match the request is an error.
//! Refuses to know I/O and time. Invariant: no value is ever guessed: it is in the answer, or its range has no row at all.
//! Google omits the headers of an answer without rows, but never sends other ones; `ga` has checked the `kind`.

use thiserror::Error as ThisError;

pub use outline::{Outline, outline};
pub(crate) use quality::is_restricted;
pub use quality::{quality, sampled_ratio};
pub use quota::quota;
pub use series::{history, minutes};

use crate::{
    chain::one_line,
    names::{ApiName, Bucket},
    report::{Metric, Report, Series, Unit},
    wire::response::{Header, ReportResponse, ResponseRow},
};

mod outline;
mod quality;
mod quota;
mod rows;
mod series;

/// Why an answer does not match the requested report.
#[derive(Debug, Eq, PartialEq, ThisError)]
pub enum TranslateError {
    /// Other metrics than requested, another order, or rows without headers.
    #[error("its metrics are not those asked for")]
    Metrics,
    /// Other dimensions than requested, or rows without headers.
    #[error("its dimensions are not those asked for")]
    Dimensions,
    /// A range that was not requested.
    #[error("it has a row for an unknown range")]
    UnknownRange,
    /// Two rows for one range.
    #[error("it has two rows for the range `{0}`")]
    DuplicateRange(String),
    /// Several rows of an answer without dimensions.
    #[error("it has more than the one row that was asked for")]
    MoreThanOneRow,
    /// Fewer rows than the answer announces.
    #[error("it has only a part of its rows")]
    Truncated,
    /// A row with more or fewer cells than headers.
    #[error("a row has more or fewer cells than there are headers")]
    RowLength,
    /// A minute or an hour that was not requested.
    #[error("it has a row for a time that was not asked for: `{0}`")]
    NoSuchTime(String),
    /// Two rows for one minute or hour.
    #[error("it has two rows for the time `{0}`")]
    DuplicateTime(String),
    /// Not a count, or impossibly large.
    #[error("the value of {0} is not a number from 0 to 10^12")]
    NotACount(String),
    /// Not a number from 0 up, for a duration, a length or a ratio.
    #[error("the value of {0} is not a finite number from 0 up")]
    Negative(String),
    /// Not a number, for a metric that may be negative.
    #[error("the value of {0} is not a finite number")]
    NotANumber(String),
    /// A fraction of a pageview, where only whole ones count.
    #[error("the value of {0} is not a whole number")]
    NotWhole(String),
    /// More tokens than the largest bucket has, or more below zero than that.
    #[error("its quota of {0} is larger than any that Google has")]
    Quota(Bucket),
    /// A metric that Google hides from the account.
    #[error("the account's role hides {0}")]
    Restricted(String),
}

/// Returns the series of an answer, with a value for each of [`Report::families`]. Without dimensions, a range without a row is
/// zero. With dimensions, each row is a series, and an unreadable row is dropped alone. Hidden metrics, for which Google sends
/// zeros, become NaN.
///
/// # Errors
/// The answer does not match the report; nothing of it is used.
pub fn values(report: &Report, response: &ReportResponse) -> Result<Series, TranslateError> {
    let metrics = report.metrics.iter().map(|metric| metric.api_name.as_str());
    check_headers(response, report.columns(), metrics)?;
    if report.is_labelled() {
        return rows::series(report, response);
    }
    let rows = rows_by_window(report, response)?;
    let hidden = hidden(report, response);
    let units = units(report, response);
    let is_hidden = |metric: usize| hidden.get(metric).copied().unwrap_or_default();
    let value = |window, metric| {
        if is_hidden(metric) { Ok(f64::NAN) } else { value(report, &units, &rows, window, metric) }
    };
    report.families.iter().map(|family| value(family.window, family.metric)).collect()
}

/// For each metric, whether Google hides it from the account.
fn hidden(report: &Report, response: &ReportResponse) -> Vec<bool> {
    let is_hidden = |name: &ApiName| is_restricted(&response.metadata, name.as_str());
    report.metrics.iter().map(|metric| is_hidden(&metric.api_name)).collect()
}

/// For each metric, what its numbers are in, as far as the answer says.
fn units(report: &Report, response: &ReportResponse) -> Vec<Unit> {
    let google_type = |index: usize| response.metric_headers.get(index).map_or("", |header| header.value_type.as_str());
    report.metrics.iter().enumerate().map(|(index, metric)| metric.unit_in(google_type(index))).collect()
}

/// Checks that the headers match the request; an answer without rows may have none.
pub(crate) fn check_headers<'a>(
    response: &ReportResponse,
    dimensions: impl Iterator<Item = &'a str>,
    metrics: impl Iterator<Item = &'a str>,
) -> Result<(), TranslateError> {
    if !are_those(response, &response.metric_headers, metrics) {
        return Err(TranslateError::Metrics);
    }
    if !are_those(response, &response.dimension_headers, dimensions) {
        return Err(TranslateError::Dimensions);
    }
    Ok(())
}

fn are_those<'a>(response: &ReportResponse, headers: &[Header], asked: impl Iterator<Item = &'a str>) -> bool {
    let are_left_out = response.rows.is_empty() && headers.is_empty();
    are_left_out || headers.iter().map(|header| header.name.as_str()).eq(asked)
}

/// Whether the answer announces more rows than it has.
fn lacks_rows(response: &ReportResponse) -> bool {
    // A number of rows beyond usize is certainly more than were sent.
    usize::try_from(response.row_count).map_or(true, |count| count > response.rows.len())
}

fn rows_by_window<'a>(
    report: &Report,
    response: &'a ReportResponse,
) -> Result<Vec<Option<&'a ResponseRow>>, TranslateError> {
    // A range without a row is zero, but only if no row can have been cut off.
    if lacks_rows(response) && response.rows.len() < report.windows.len() {
        return Err(TranslateError::Truncated);
    }
    let mut rows = vec![None; report.windows.len()];
    for row in &response.rows {
        if row.metric_values.len() != report.metrics.len() {
            return Err(TranslateError::RowLength);
        }
        let index = window_of(report, row)?;
        let slot = rows.get_mut(index).ok_or(TranslateError::UnknownRange)?;
        if slot.replace(row).is_some() {
            let name = report.windows.get(index).map_or("", |window| window.name.as_str());
            return Err(TranslateError::DuplicateRange(name.to_owned()));
        }
    }
    Ok(rows)
}

fn window_of(report: &Report, row: &ResponseRow) -> Result<usize, TranslateError> {
    match row.dimension_values.as_slice() {
        [] if report.windows.len() == 1 => Ok(0),
        [range] if report.windows.len() > 1 => window_named(report, &range.value),
        _ => Err(TranslateError::RowLength),
    }
}

/// The range of this name.
fn window_named(report: &Report, name: &str) -> Result<usize, TranslateError> {
    report.windows.iter().position(|window| window.name.as_str() == name).ok_or(TranslateError::UnknownRange)
}

fn value(
    report: &Report,
    units: &[Unit],
    rows: &[Option<&ResponseRow>],
    window: usize,
    metric: usize,
) -> Result<f64, TranslateError> {
    let Some(row) = rows.get(window).copied().flatten() else { return Ok(0.0) };
    let cell = report.metrics.get(metric).zip(row.metric_values.get(metric)).zip(units.get(metric));
    let ((metric, cell), unit) = cell.ok_or(TranslateError::RowLength)?;
    number_in(metric, *unit, &cell.value)
}

/// Reads a cell of a metric whose numbers are in this unit; returns it in the exported one.
pub(crate) fn number_in(metric: &Metric, unit: Unit, text: &str) -> Result<f64, TranslateError> {
    let name = || metric.api_name.to_string();
    let number = if metric.is_signed {
        finite(text).ok_or_else(|| TranslateError::NotANumber(name()))?
    } else if unit == Unit::Plain {
        count(text).ok_or_else(|| TranslateError::NotACount(name()))?
    } else {
        finite(text).filter(|number| *number >= 0.0).ok_or_else(|| TranslateError::Negative(name()))?
    };
    let exported = number * unit.factor();
    if exported.is_finite() { Ok(exported) } else { Err(TranslateError::NotANumber(name())) }
}

/// Parses a decimal number as Google writes it. Revenue may be negative, and durations and amounts can exceed any count.
fn finite(text: &str) -> Option<f64> {
    let amount = text.strip_prefix('-').unwrap_or(text);
    let is_plain = amount.starts_with(|c: char| c.is_ascii_digit());
    // Adding 0 turns -0 into 0.
    text.parse().ok().map(|number: f64| number + 0.0).filter(|number| is_plain && number.is_finite())
}

/// The same of a plausible size for a count.
fn count(text: &str) -> Option<f64> {
    finite(text).filter(|number| (0.0..=LARGEST_COUNT).contains(number))
}

/// Foreign texts in messages: short, and on one line.
fn shown(text: &str) -> String {
    one_line(text, SHOWN_CHARACTERS)
}

const SHOWN_CHARACTERS: usize = 40;

/// More pageviews, users or events than are possible in any range.
const LARGEST_COUNT: f64 = 1e12;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::report::{ReportSettings, StaleAfter};

    fn traffic() -> Report {
        Report::traffic(&ReportSettings {
            enabled: true,
            interval: Duration::from_secs(900),
            stale_after: StaleAfter::Intervals(3.0),
            metrics: vec!["pageviews", "visitors"],
        })
    }

    fn answer(rows: Value) -> Value {
        json!({
            "kind": "analyticsData#runReport",
            "dimensionHeaders": [{"name": "dateRange"}],
            "metricHeaders": [{"name": "screenPageViews", "type": "TYPE_INTEGER"}, {"name": "totalUsers"}],
            "rows": rows,
        })
    }

    fn row(range: &str, values: &[&str]) -> Value {
        let values: Vec<Value> = values.iter().map(|value| json!({"value": value})).collect();
        json!({"dimensionValues": [{"value": range}], "metricValues": values})
    }

    fn translated(answer: Value) -> Result<Vec<f64>, TranslateError> {
        values(&traffic(), &serde_json::from_value(answer).unwrap()).map(|series| series.values().to_vec())
    }

    #[test]
    fn each_range_has_its_values() {
        let rows =
            json!([row("yesterday", &["20", "2"]), row("today", &["10", "1"]), row("trailing_28d", &["1e3", "4.5"])]);
        assert_eq!(translated(answer(rows)), Ok(vec![10.0, 1.0, 20.0, 2.0, 0.0, 0.0, 1000.0, 4.5]));
    }

    /// One window only, so that Google adds no column.
    fn one_window(answer: Value) -> Result<Vec<f64>, TranslateError> {
        let mut report = traffic();
        report.windows.truncate(1);
        report.families.retain(|family| family.window == 0);
        values(&report, &serde_json::from_value(answer).unwrap()).map(|series| series.values().to_vec())
    }

    #[test]
    fn a_valid_answer_without_rows_is_zero() {
        let headers = answer(json!([]));
        let kind = json!({"kind": "analyticsData#runRealtimeReport"});
        let metadata =
            json!({"kind": "analyticsData#runReport", "metadata": {"timeZone": "Europe/Berlin"}, "rowCount": 0});
        let no_zone = json!({"kind": "analyticsData#runReport", "metadata": {}, "totals": [{}]});
        let quota = json!({"kind": "analyticsData#runReport", "propertyQuota": {"tokensPerDay": {"consumed": 0, "remaining": 9}}});
        let nothing = json!({"kind": "x", "metricHeaders": [], "dimensionHeaders": null, "rows": [], "rowCount": "0"});
        for empty in [headers, kind, metadata, no_zone, quota, nothing] {
            assert_eq!(translated(empty.clone()), Ok(vec![0.0; 8]), "{empty}");
        }
        for one_list in ["dimensionHeaders", "metricHeaders"] {
            let mut half = answer(json!([]));
            half.as_object_mut().unwrap().remove(one_list);
            assert_eq!(translated(half), Ok(vec![0.0; 8]), "without {one_list}");
        }
        assert_eq!(one_window(json!({"kind": "analyticsData#runReport"})), Ok(vec![0.0; 2]));
    }

    #[test]
    fn headers_that_are_there_are_those_asked_for_even_without_rows() {
        let with = |list: &str, names: &[&str]| {
            let headers: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
            let mut answer = json!({"kind": "analyticsData#runReport"});
            answer[list] = Value::from(headers);
            answer
        };
        let metrics: [&[&str]; 4] =
            [&["totalUsers", "screenPageViews"], &["screenPageViews"], &["sessions"], &["screenPageViews", ""]];
        for names in metrics {
            assert_eq!(translated(with("metricHeaders", names)), Err(TranslateError::Metrics), "{names:?}");
        }
        let dimensions: [&[&str]; 3] = [&["date"], &["date", "dateRange"], &["dateRange", "dateRange"]];
        for names in dimensions {
            assert_eq!(translated(with("dimensionHeaders", names)), Err(TranslateError::Dimensions), "{names:?}");
        }
        assert_eq!(one_window(with("dimensionHeaders", &["dateRange"])), Err(TranslateError::Dimensions));
    }

    #[test]
    fn what_google_hides_from_the_account_is_no_zero() {
        let mut restricted = answer(json!([row("today", &["3", "0"])]));
        restricted["metadata"] = json!({"schemaRestrictionResponse": {
            "activeMetricRestrictions": [{"metricName": "totalUsers", "restrictedMetricTypes": ["REVENUE_DATA"]}]}});
        for rows in [json!([row("today", &["3", "0"])]), json!([])] {
            restricted["rows"] = rows;
            let values = translated(restricted.clone()).unwrap();
            let hidden = values.iter().skip(1).step_by(2);
            assert!(hidden.into_iter().all(|value| value.is_nan()), "{values:?}");
            assert!(values.iter().step_by(2).all(|value| value.is_finite()), "{values:?}");
        }
    }

    #[test]
    fn the_largest_count_and_fractions_are_kept_as_they_are() {
        let rows = json!([row("today", &["1000000000000", "1.5"]), row("yesterday", &["4294967296", "0.25"])]);
        assert_eq!(translated(answer(rows)).unwrap()[..4], [1e12, 1.5, 4_294_967_296.0, 0.25]);
    }

    #[test]
    fn ranges_come_in_any_order_and_may_be_missing() {
        let rows = json!([row("trailing_28d", &["0", "0"]), row("today", &["3", "2.5"])]);
        assert_eq!(translated(answer(rows)), Ok(vec![3.0, 2.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]));
    }

    #[test]
    fn more_rows_than_ranges_hide_nothing() {
        let all = ["yesterday", "trailing_28d", "today", "trailing_7d"];
        let mut whole = answer(all.iter().map(|range| row(range, &["1", "1"])).collect());
        whole["rowCount"] = json!(86);
        assert_eq!(translated(whole), Ok(vec![1.0; 8]));
        let mut none = json!({"kind": "analyticsData#runReport", "rowCount": 1});
        assert_eq!(translated(none.clone()), Err(TranslateError::Truncated));
        none["rowCount"] = json!("1");
        assert_eq!(translated(none.clone()), Err(TranslateError::Truncated), "as text");
        none["rowCount"] = json!(-1);
        assert_eq!(translated(none), Err(TranslateError::Truncated), "a number of rows that cannot be");
    }

    #[test]
    fn what_was_not_asked_for_is_never_a_number() {
        let one = |range, values: &[&str]| answer(json!([row(range, values)]));
        let headless = json!({"kind": "analyticsData#runReport", "rows": [row("today", &["5", "5"])], "rowCount": 1});
        assert_eq!(translated(headless), Err(TranslateError::Metrics));
        assert_eq!(translated(json!({"rows": [{}]})), Err(TranslateError::Metrics));
        let mut swapped = answer(json!([]));
        swapped["metricHeaders"] = json!([{"name": "totalUsers"}, {"name": "screenPageViews"}]);
        assert_eq!(translated(swapped), Err(TranslateError::Metrics));
        assert_eq!(translated(one("date_range_0", &["1", "1"])), Err(TranslateError::UnknownRange));
        assert_eq!(translated(one("today", &["1"])), Err(TranslateError::RowLength));
        assert_eq!(translated(one("today", &["1", "1", "1"])), Err(TranslateError::RowLength));
        let twice = answer(json!([row("today", &["1", "1"]), row("today", &["2", "2"])]));
        assert_eq!(translated(twice), Err(TranslateError::DuplicateRange("today".to_owned())));
        let mut half = one("today", &["1", "1"]);
        half["rowCount"] = json!(2);
        assert_eq!(translated(half), Err(TranslateError::Truncated));
        let mut unsplit = one("today", &["1", "1"]);
        unsplit["dimensionHeaders"] = json!([]);
        assert_eq!(translated(unsplit), Err(TranslateError::Dimensions));
        for value in [
            "-1",
            "NaN",
            "inf",
            "",
            "1,000",
            "+1",
            " 1",
            "1e999",
            "(not set)",
            "1000000000001",
            "1e308",
            "18446744073709551616",
        ] {
            let result = translated(one("today", &["1", value]));
            assert_eq!(result, Err(TranslateError::NotACount("totalUsers".to_owned())), "{value}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-zA-Z0-9_.-]{0,12}".prop_map(Value::from),
        ];
        let key = prop_oneof![
            Just("rows"),
            Just("metricValues"),
            Just("dimensionValues"),
            Just("value"),
            Just("metricHeaders"),
            Just("dimensionHeaders"),
            Just("name"),
            Just("kind"),
        ];
        leaf.prop_recursive(5, 60, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(key.clone(), inner, 0..5)
                    .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_rows_make_it_panic(rows in prop::collection::vec(any_json(), 0..3)) {
            if let Ok(response) = serde_json::from_value(answer(Value::from(rows))) {
                let _ = values(&traffic(), &response);
            }
        }

        #[test]
        fn no_answer_makes_it_panic(json in any_json()) {
            if let Ok(response) = serde_json::from_value(json) {
                let _ = values(&traffic(), &response);
            }
        }
    }
}
