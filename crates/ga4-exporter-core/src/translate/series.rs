//! Answers that are split by time: pageviews by minute, and by hour.
//!
//! An invalid value fails the whole answer, since a gap or an error in a time series would go unnoticed. Rows that Google
//! could not assign to an hour are skipped.

use jiff::civil::DateTime;

use super::{TranslateError, check_headers, count, lacks_rows, quality::is_restricted};
use ga4_drop_baseline::{History, LocalHour, MinutesAgo};

use crate::{
    report::{DATE_HOUR, MINUTES_AGO, fields::PAGEVIEWS},
    wire::response::{ReportResponse, ResponseRow},
};

/// Returns pageviews by minutes ago; a minute without a row had none.
///
/// # Errors
/// The answer does not match the request; nothing of it is used.
pub fn minutes(response: &ReportResponse) -> Result<MinutesAgo, TranslateError> {
    let mut minutes = MinutesAgo::default();
    let mut seen = minutes.map(|_| false);
    for row in rows(response, MINUTES_AGO)? {
        let (value, pageviews) = cells(row)?;
        let unknown = || TranslateError::NoSuchTime(super::shown(value));
        let ago: usize = value.parse().map_err(|_| unknown())?;
        let slots = minutes.get_mut(ago).zip(seen.get_mut(ago));
        let (slot, is_known) = slots.ok_or_else(unknown)?;
        if std::mem::replace(is_known, true) {
            return Err(TranslateError::DuplicateTime(super::shown(value)));
        }
        *slot = whole_pageviews(pageviews)?;
    }
    Ok(minutes)
}

/// Returns pageviews by hour of local time; hours without a row and hours before the first pageview are missing.
///
/// # Errors
/// The answer does not match the request; nothing of it is used.
pub fn history(response: &ReportResponse) -> Result<History, TranslateError> {
    let mut history = History::default();
    for row in rows(response, DATE_HOUR)? {
        let (value, pageviews) = cells(row)?;
        if is_no_time(value) {
            continue;
        }
        let hour = LocalHour::of(date_hour(value).ok_or_else(|| TranslateError::NoSuchTime(super::shown(value)))?);
        if history.insert(hour, self::pageviews(pageviews)?).is_some() {
            return Err(TranslateError::DuplicateTime(super::shown(value)));
        }
    }
    // With `keepEmptyRows`, rows of zero also cover the time before the property or its tag existed.
    let begins = history.iter().find(|(_, pageviews)| *pageviews > 0.0).map(|(hour, _)| hour);
    history.retain(|hour| begins.is_some_and(|begins| hour >= begins));
    Ok(history)
}

/// Returns all rows of an answer that has pageviews by this dimension.
fn rows<'a>(response: &'a ReportResponse, dimension: &str) -> Result<&'a [ResponseRow], TranslateError> {
    check_headers(response, [dimension].into_iter(), [PAGEVIEWS.api_name].into_iter())?;
    if lacks_rows(response) {
        return Err(TranslateError::Truncated);
    }
    if is_restricted(&response.metadata, PAGEVIEWS.api_name) {
        return Err(TranslateError::Restricted(PAGEVIEWS.api_name.to_owned()));
    }
    Ok(&response.rows)
}

/// The texts of a row's time and pageviews.
fn cells(row: &ResponseRow) -> Result<(&str, &str), TranslateError> {
    let ([time], [pageviews]) = (row.dimension_values.as_slice(), row.metric_values.as_slice()) else {
        return Err(TranslateError::RowLength);
    };
    Ok((&time.value, &pageviews.value))
}

fn pageviews(text: &str) -> Result<f64, TranslateError> {
    count(text).ok_or_else(|| TranslateError::NotACount(PAGEVIEWS.api_name.to_owned()))
}

/// Parses whole pageviews: the statistics on minutes count whole ones.
fn whole_pageviews(text: &str) -> Result<u64, TranslateError> {
    let count = pageviews(text)?;
    if count.fract() != 0.0 {
        return Err(TranslateError::NotWhole(PAGEVIEWS.api_name.to_owned()));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number from 0 to 1e12")]
    let whole = count as u64;
    Ok(whole)
}

/// Whether a dimension's value is not a time: empty, `(not set)`, or `(other)`, into which Google merges the rows of a table that
/// has too many (support.google.com/analytics/answer/13331684).
fn is_no_time(value: &str) -> bool {
    value.is_empty() || (value.starts_with('(') && value.ends_with(')'))
}

/// `YYYYMMDDHH`.
fn date_hour(text: &str) -> Option<DateTime> {
    if text.len() != 10 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, month, day) =
        (text.get(..4)?.parse().ok()?, text.get(4..6)?.parse().ok()?, text.get(6..8)?.parse().ok()?);
    DateTime::new(year, month, day, text.get(8..)?.parse().ok()?, 0, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::{Value, json};

    use super::*;

    fn answer(dimension: &str, rows: &[(&str, &str)]) -> Value {
        let rows: Vec<Value> = rows
            .iter()
            .map(|(time, value)| json!({"dimensionValues": [{"value": time}], "metricValues": [{"value": value}]}))
            .collect();
        json!({
            "dimensionHeaders": [{"name": dimension}],
            "metricHeaders": [{"name": "screenPageViews", "type": "TYPE_INTEGER"}],
            "rowCount": rows.len(),
            "rows": rows,
        })
    }

    fn minutes_of(answer: Value) -> Result<MinutesAgo, TranslateError> {
        minutes(&serde_json::from_value(answer).unwrap())
    }

    fn history_of(answer: Value) -> Result<History, TranslateError> {
        history(&serde_json::from_value(answer).unwrap())
    }

    #[test]
    fn minutes_without_a_row_had_no_pageviews() {
        let minutes = minutes_of(answer("minutesAgo", &[("00", "3"), ("29", "7")])).unwrap();
        assert_eq!((minutes[0], minutes[1], minutes[29]), (3, 0, 7));
    }

    #[test]
    fn an_answer_without_rows_is_no_pageviews_by_minute_and_no_hours() {
        for empty in [
            json!({"kind": "analyticsData#runRealtimeReport"}),
            json!({"kind": "analyticsData#runReport", "metadata": {"timeZone": "America/Los_Angeles"}}),
            json!({"metricHeaders": [{"name": "screenPageViews"}]}),
        ] {
            assert_eq!(minutes_of(empty.clone()), Ok([0; 30]), "{empty}");
            assert_eq!(history_of(empty.clone()), Ok(History::default()), "{empty}");
        }
        assert_eq!(minutes_of(answer("minutesAgo", &[])), Ok([0; 30]));
        assert_eq!(history_of(answer("dateHour", &[])), Ok(History::default()));
        assert_eq!(history_of(answer("deviceCategory", &[])), Err(TranslateError::Dimensions));
        assert_eq!(history_of(json!({"metricHeaders": [{"name": "sessions"}]})), Err(TranslateError::Metrics));
        assert_eq!(history_of(json!({"rowCount": 1})), Err(TranslateError::Truncated));
    }

    #[test]
    fn no_count_is_altered() {
        let of_minute = |value| minutes_of(answer("minutesAgo", &[("03", value)])).map(|minutes| minutes[3]);
        let of_hour = |value| {
            let history = history_of(answer("dateHour", &[("2026102501", value)]));
            history.map(|history| history.iter().next().map(|(_, count)| count))
        };
        for (value, minute) in [("4294967295", 1_u64 << 32), ("4294967296", (1 << 32) + 1), ("1e12", 1_000_000_000_001)]
        {
            assert_eq!(of_minute(value).map(|count| count + 1), Ok(minute), "{value}");
        }
        assert_eq!(of_hour("1e12"), Ok(Some(1e12)));
        assert_eq!(of_hour("1.5"), Ok(Some(1.5)));
        assert_eq!(of_minute("1.5"), Err(TranslateError::NotWhole("screenPageViews".to_owned())));
        for value in ["1000000000001", "1e308", "18446744073709551616", "1e999"] {
            assert_eq!(of_minute(value), Err(TranslateError::NotACount("screenPageViews".to_owned())), "{value}");
            assert_eq!(of_hour(value), Err(TranslateError::NotACount("screenPageViews".to_owned())), "{value}");
        }
    }

    #[test]
    fn hours_without_a_row_are_missing() {
        let rows = [("2026102501", "5"), ("2026102504", "0")];
        let history = history_of(answer("dateHour", &rows)).unwrap();
        let hour = |hour| history.get(LocalHour::of(date(2026, 10, 25).at(hour, 0, 0, 0)));
        assert_eq!([1, 2, 4].map(hour), [Some(5.0), None, Some(0.0)]);
    }

    #[test]
    fn hours_before_the_first_pageview_are_missing_whatever_google_says() {
        let rows =
            [("2026102503", "2"), ("2026102501", "0"), ("2026102404", "0"), ("2026102504", "0"), ("2026102506", "1")];
        let history = history_of(answer("dateHour", &rows)).unwrap();
        let hours: Vec<_> = history.iter().map(|(hour, count)| (hour.hour_of_day(), count)).collect();
        assert_eq!(hours, [(3, 2.0), (4, 0.0), (6, 1.0)]);
        assert_eq!(history_of(answer("dateHour", &[("2026102501", "0")])), Ok(History::default()));
    }

    #[test]
    fn what_belongs_to_no_hour_costs_only_itself() {
        let known = ("2026102501", "5");
        for strange in ["(other)", "(not set)", "(data not available)", ""] {
            for value in ["8", "-1", ""] {
                let history = history_of(answer("dateHour", &[(strange, value), known, (strange, value)])).unwrap();
                let hours = [1, 2].map(|hour| history.get(LocalHour::of(date(2026, 10, 25).at(hour, 0, 0, 0))));
                assert_eq!(hours, [Some(5.0), None], "{strange} {value}");
            }
        }
    }

    #[test]
    fn what_was_not_asked_for_is_never_a_count() {
        assert_eq!(minutes_of(json!({"rows": [{}]})), Err(TranslateError::Metrics));
        assert_eq!(minutes_of(answer("minute", &[("00", "3")])), Err(TranslateError::Dimensions));
        for time in ["30", "-1", "", "x", "(other)"] {
            assert_eq!(
                minutes_of(answer("minutesAgo", &[(time, "3")])),
                Err(TranslateError::NoSuchTime(time.to_owned()))
            );
        }
        let twice = minutes_of(answer("minutesAgo", &[("01", "3"), ("1", "3")]));
        assert_eq!(twice, Err(TranslateError::DuplicateTime("1".to_owned())));
        assert_eq!(
            minutes_of(answer("minutesAgo", &[("01", "-3")])),
            Err(TranslateError::NotACount("screenPageViews".to_owned()))
        );
        let mut cut = answer("minutesAgo", &[("01", "3")]);
        cut["rowCount"] = json!(2);
        assert_eq!(minutes_of(cut), Err(TranslateError::Truncated));
        for time in ["2026102524", "2026103200", "202610250", "20261025 1", "(", "２０２６"] {
            assert_eq!(
                history_of(answer("dateHour", &[(time, "3")])),
                Err(TranslateError::NoSuchTime(time.to_owned()))
            );
        }
        let twice = history_of(answer("dateHour", &[("2026102501", "3"), ("2026102501", "3")]));
        assert_eq!(twice, Err(TranslateError::DuplicateTime("2026102501".to_owned())));
    }
}
