//! Answers that are split by time: pageviews by minute, and by hour.
//!
//! A bad value fails the whole answer: of a series nothing may be missing or wrong without notice.

use jiff::civil::DateTime;

use super::{Error, count};
use crate::{
    baseline::{History, LocalHour, MinutesAgo},
    ga::response::{ReportResponse, Row},
    report::{DATE_HOUR, MINUTES_AGO, fields::PAGEVIEWS},
};

/// Pageviews by minutes ago; a minute without a row had none.
///
/// # Errors
/// The answer is not the one asked for: nothing of it is used.
pub fn minutes(response: &ReportResponse) -> Result<MinutesAgo, Error> {
    let mut minutes = MinutesAgo::default();
    let mut seen = minutes.map(|_| false);
    for (value, pageviews) in rows(response, MINUTES_AGO)? {
        let unknown = || Error::NoSuchTime(super::shown(value));
        let ago: usize = value.parse().map_err(|_| unknown())?;
        let slots = minutes.get_mut(ago).zip(seen.get_mut(ago));
        let (slot, is_known) = slots.ok_or_else(unknown)?;
        if std::mem::replace(is_known, true) {
            return Err(Error::DuplicateTime(super::shown(value)));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
        let pageviews = pageviews as u32;
        *slot = pageviews;
    }
    Ok(minutes)
}

/// Pageviews by hour of local time; an hour without a row is missing.
///
/// # Errors
/// The answer is not the one asked for: nothing of it is used.
pub fn history(response: &ReportResponse) -> Result<History, Error> {
    let mut history = History::default();
    for (value, pageviews) in rows(response, DATE_HOUR)? {
        // What overflowed Google's tables belongs to no hour.
        if value == OTHER {
            continue;
        }
        let hour = LocalHour::of(date_hour(value).ok_or_else(|| Error::NoSuchTime(super::shown(value)))?);
        if history.get(hour).is_some() {
            return Err(Error::DuplicateTime(super::shown(value)));
        }
        history.insert(hour, pageviews);
    }
    Ok(history)
}

/// Each row's time and pageviews.
fn rows<'a>(
    response: &'a ReportResponse,
    dimension: &str,
) -> Result<impl Iterator<Item = (&'a str, f64)> + use<'a>, Error> {
    let names = |headers: &'a [crate::ga::response::Header]| headers.iter().map(|header| header.name.as_str());
    if !names(&response.metric_headers).eq([PAGEVIEWS.api_name]) {
        return Err(Error::Metrics);
    }
    // An answer without rows need not name its dimensions.
    if !response.rows.is_empty() && !names(&response.dimension_headers).eq([dimension]) {
        return Err(Error::Dimensions);
    }
    if usize::try_from(response.row_count).is_ok_and(|count| count > response.rows.len()) {
        return Err(Error::Truncated);
    }
    let rows: Result<Vec<_>, Error> = response.rows.iter().map(cells).collect();
    Ok(rows?.into_iter())
}

fn cells(row: &Row) -> Result<(&str, f64), Error> {
    let ([time], [pageviews]) = (row.dimension_values.as_slice(), row.metric_values.as_slice()) else {
        return Err(Error::RowLength);
    };
    let pageviews = count(&pageviews.value).ok_or(Error::NotACount(PAGEVIEWS.api_name))?;
    Ok((&time.value, pageviews))
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

/// The overflow row of a table with too many rows
/// (support.google.com/analytics/answer/13331684).
const OTHER: &str = "(other)";

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

    fn minutes_of(answer: Value) -> Result<MinutesAgo, Error> {
        minutes(&serde_json::from_value(answer).unwrap())
    }

    fn history_of(answer: Value) -> Result<History, Error> {
        history(&serde_json::from_value(answer).unwrap())
    }

    #[test]
    fn minutes_without_a_row_had_no_pageviews() {
        let minutes = minutes_of(answer("minutesAgo", &[("00", "3"), ("29", "7")])).unwrap();
        assert_eq!((minutes[0], minutes[1], minutes[29]), (3, 0, 7));
        assert_eq!(minutes_of(json!({"metricHeaders": [{"name": "screenPageViews"}]})), Ok([0; 30]));
    }

    #[test]
    fn hours_without_a_row_are_missing() {
        let rows = [("2026102501", "5"), ("2026102504", "0"), ("(other)", "8")];
        let history = history_of(answer("dateHour", &rows)).unwrap();
        let hour = |hour| history.get(LocalHour::of(date(2026, 10, 25).at(hour, 0, 0, 0)));
        assert_eq!([1, 2, 4].map(hour), [Some(5.0), None, Some(0.0)]);
    }

    #[test]
    fn what_was_not_asked_for_is_never_a_count() {
        assert_eq!(minutes_of(json!({})), Err(Error::Metrics));
        assert_eq!(minutes_of(answer("minute", &[("00", "3")])), Err(Error::Dimensions));
        for time in ["30", "-1", "", "x", "(other)"] {
            assert_eq!(minutes_of(answer("minutesAgo", &[(time, "3")])), Err(Error::NoSuchTime(time.to_owned())));
        }
        let twice = minutes_of(answer("minutesAgo", &[("01", "3"), ("1", "3")]));
        assert_eq!(twice, Err(Error::DuplicateTime("1".to_owned())));
        assert_eq!(minutes_of(answer("minutesAgo", &[("01", "-3")])), Err(Error::NotACount("screenPageViews")));
        let mut cut = answer("minutesAgo", &[("01", "3")]);
        cut["rowCount"] = json!(2);
        assert_eq!(minutes_of(cut), Err(Error::Truncated));
        for time in ["2026102524", "2026103200", "202610250", "20261025 1", "(not set)", "２０２６"] {
            assert_eq!(history_of(answer("dateHour", &[(time, "3")])), Err(Error::NoSuchTime(time.to_owned())));
        }
        let twice = history_of(answer("dateHour", &[("2026102501", "3"), ("2026102501", "3")]));
        assert_eq!(twice, Err(Error::DuplicateTime("2026102501".to_owned())));
    }
}
