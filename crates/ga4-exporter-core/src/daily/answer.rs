//! What an answer says of the days that were asked for.
//!
//! Stricter than what is exported: a row that cannot be read makes the whole answer worthless, since what is stored stays.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use thiserror::Error as ThisError;

use super::{
    DailyRows, Key, Span, Table, Values, is_settled,
    table::{DATE, MetricColumn, NumberKind},
};

use ga4_drop_baseline::calendar::Zone;

use crate::{
    chain::one_line,
    report::{Metric, ReportQuality, Unit},
    translate::{self, check_headers, is_restricted, number_in, sampled_ratio},
    wire::response::{ReportResponse, ResponseRow},
};

/// The days of one answer.
#[derive(Clone, Debug, PartialEq)]
pub struct DailyAnswer {
    /// The rows of each day; of a table without dimensions there is one of each day that was asked for.
    pub rows: DailyRows,
    /// How many rows Google has of each day that has any.
    counts: BTreeMap<Date, u32>,
    /// How many rows have come, and how many there are.
    received: usize,
    existing: Option<usize>,
    /// What Google says of the values, all days together.
    pub quality: ReportQuality,
    /// For each metric, whether the account's role hides it: its values are unknown.
    pub hidden: Vec<bool>,
    /// IANA name of the property's zone; empty where Google does not say it.
    pub time_zone: String,
    /// The property's currency; empty where Google does not say it.
    pub currency: String,
}

/// What is remembered of a day that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// How many rows Google had of it; 0 where nothing happened.
    pub row_count: u32,
    /// Whether Google had stopped revising it.
    pub settled: bool,
    /// The part of the events that was read, from 0 to 1.
    pub sampled_ratio: f64,
    /// Whether rows of few users may be withheld.
    pub thresholded: bool,
    /// Whether rows were merged into `(other)`.
    pub data_loss: bool,
    /// IANA name of the zone that the day is of.
    pub time_zone: String,
}

/// Why an answer is not what was asked for.
#[derive(Debug, Eq, PartialEq, ThisError)]
pub enum AnswerError {
    /// It is another report, or a number of it cannot be read.
    #[error(transparent)]
    Report(#[from] translate::TranslateError),
    /// A dimension of a row is a number, a list or another thing than a text.
    #[error("a dimension of a row is not a text")]
    NotAText,
    /// Not a date, or not one of those that were asked for.
    #[error("it has a row for a day that was not asked for: `{0}`")]
    NoSuchDay(String),
    /// Two rows for the same day and dimensions.
    #[error("it has two rows for the same dimensions on {0}")]
    DuplicateRow(Date),
    /// The number of rows is another on the next page, so that a row may be missing or there twice.
    #[error("the number of its rows changed while they were read")]
    RowsChanged,
}

impl DailyAnswer {
    /// What a response says of the days of this span.
    ///
    /// # Errors
    /// It is not the report that was asked for: nothing of it is used.
    pub fn read(table: &Table, span: Span, response: &ReportResponse) -> Result<Self, AnswerError> {
        let dimensions = table.dimensions().iter().map(|column| column.api_name.as_str());
        let metrics = || table.metrics().iter().map(|column| column.metric.api_name.as_str());
        check_headers(response, [DATE].into_iter().chain(dimensions), metrics())?;
        let metadata = &response.metadata;
        let units = units(table, response);
        let mut answer = Self {
            rows: DailyRows::new(),
            counts: BTreeMap::new(),
            received: response.rows.len(),
            // A number of rows that no machine can count to is none that has come.
            existing: usize::try_from(response.row_count).ok(),
            quality: ReportQuality {
                sampled_ratio: sampled_ratio(metadata),
                thresholded: metadata.subject_to_thresholding,
                data_loss: metadata.data_loss_from_other_row,
                restricted: units.contains(&None),
            },
            hidden: units.iter().map(Option::is_none).collect(),
            time_zone: metadata.time_zone.clone(),
            currency: metadata.currency_code.clone(),
        };
        for row in &response.rows {
            let (key, values) = read_row(table, span, row, &units)?;
            let date = key.date;
            if answer.rows.insert(key, values).is_some() {
                return Err(AnswerError::DuplicateRow(date));
            }
            *answer.counts.entry(date).or_default() += 1;
        }
        if table.dimensions().is_empty() {
            let zeros: Values = units.iter().map(|unit| unit.map(|_| 0.0)).collect();
            for date in span.dates() {
                answer.rows.entry(Key { date, dimensions: Vec::new() }).or_insert_with(|| zeros.clone());
            }
        }
        Ok(answer)
    }

    /// Whether these are all rows.
    pub fn is_whole(&self) -> bool {
        self.existing.is_some_and(|existing| existing <= self.received)
    }

    /// How many rows have come.
    pub fn received(&self) -> usize {
        self.received
    }

    /// The rows that follow in the same answer.
    ///
    /// # Errors
    /// It has a row that has come already, or counts other rows than the pages before.
    pub fn append(&mut self, next: Self) -> Result<(), AnswerError> {
        if next.existing != self.existing {
            return Err(AnswerError::RowsChanged);
        }
        for (key, values) in next.rows {
            let date = key.date;
            if self.rows.insert(key, values).is_some() {
                return Err(AnswerError::DuplicateRow(date));
            }
        }
        for (date, count) in next.counts {
            *self.counts.entry(date).or_default() += count;
        }
        self.received += next.received;
        self.quality.restricted |= next.quality.restricted;
        self.hidden.iter_mut().zip(next.hidden).for_each(|(own, other)| *own |= other);
        self.quality.sampled_ratio = self.quality.sampled_ratio.min(next.quality.sampled_ratio);
        self.quality.thresholded |= next.quality.thresholded;
        self.quality.data_loss |= next.quality.data_loss;
        Ok(())
    }

    /// Whether a shorter span would have brought more: rows were left out or merged, or not all events were read.
    pub fn is_too_coarse(&self) -> bool {
        !self.is_whole() || self.quality.data_loss || self.quality.sampled_ratio < 1.0
    }

    /// What to remember of each day of the span, which was asked for at this time.
    pub fn marks(&self, span: Span, zone: &Zone, asked_at: Timestamp) -> BTreeMap<Date, Mark> {
        let mark = |date: Date| Mark {
            row_count: self.counts.get(&date).copied().unwrap_or_default(),
            settled: is_settled(date, zone, asked_at),
            sampled_ratio: self.quality.sampled_ratio,
            thresholded: self.quality.thresholded,
            data_loss: self.quality.data_loss,
            time_zone: zone.name().to_owned(),
        };
        span.dates().map(|date| (date, mark(date))).collect()
    }
}

/// What the numbers of each metric are in, as far as the answer says; none where Google hides them from the account.
fn units(table: &Table, response: &ReportResponse) -> Vec<Option<Unit>> {
    let google_type = |index: usize| response.metric_headers.get(index).map_or("", |header| header.value_type.as_str());
    let is_hidden = |metric: &Metric| is_restricted(&response.metadata, metric.api_name.as_str());
    let metrics = table.metrics().iter().map(|column| &column.metric).enumerate();
    metrics.map(|(index, metric)| (!is_hidden(metric)).then(|| metric.unit_in(google_type(index)))).collect()
}

fn read_row(
    table: &Table,
    span: Span,
    row: &ResponseRow,
    units: &[Option<Unit>],
) -> Result<(Key, Values), AnswerError> {
    let (date, dimensions) = row.dimension_values.split_first().ok_or(translate::TranslateError::RowLength)?;
    if dimensions.len() != table.dimensions().len() || row.metric_values.len() != table.metrics().len() {
        return Err(translate::TranslateError::RowLength.into());
    }
    if row.dimension_values.iter().any(|cell| cell.is_broken) {
        return Err(AnswerError::NotAText);
    }
    let parsed = Date::strptime("%Y%m%d", &date.value).ok().filter(|date| span.contains(*date));
    let date = parsed.ok_or_else(|| AnswerError::NoSuchDay(one_line(&date.value, SHOWN_CHARACTERS)))?;
    let values = table
        .metrics()
        .iter()
        .zip(&row.metric_values)
        .zip(units)
        .map(|((column, cell), unit)| unit.map(|unit| number(column, unit, &cell.value)).transpose());
    let values = values.collect::<Result<Values, _>>()?;
    Ok((Key { date, dimensions: dimensions.iter().map(|cell| storable(&cell.value)).collect() }, values))
}

/// Integers may come with fractions where Google estimates.
fn number(column: &MetricColumn, unit: Unit, text: &str) -> Result<f64, translate::TranslateError> {
    let number = number_in(&column.metric, unit, text)?;
    Ok(match column.kind {
        NumberKind::Integer => number.round(),
        // 0 is one number, whatever its sign.
        NumberKind::Float => number + 0.0,
    })
}

/// A text without NUL characters, which PostgreSQL does not store: `␀0` stands for them, and `␀␀` for a `␀`. So two texts
/// that differ stay two.
fn storable(text: &str) -> String {
    text.replace('␀', "␀␀").replace('\0', "␀0")
}

const SHOWN_CHARACTERS: usize = 40;

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::{Value, json};

    use super::{super::table::tests::checkout, *};
    use crate::translate::TranslateError;

    fn span() -> Span {
        Span { first: date(2026, 1, 30), last: date(2026, 2, 1) }
    }

    fn row(labels: &[&str], cells: &[&str]) -> Value {
        let values = |texts: &[&str]| texts.iter().map(|text| json!({"value": text})).collect::<Vec<_>>();
        json!({"dimensionValues": values(labels), "metricValues": values(cells)})
    }

    fn response(table: &Table, rows: Value) -> Value {
        let name = |name: &str| json!({"name": name});
        let dimensions = table.dimensions().iter().map(|column| name(column.api_name.as_str()));
        let metrics = table.metrics().iter().map(|column| name(column.metric.api_name.as_str()));
        let dimensions: Vec<Value> = [name("date")].into_iter().chain(dimensions).collect();
        json!({
            "kind": "analyticsData#runReport",
            "dimensionHeaders": dimensions,
            "metricHeaders": metrics.collect::<Vec<_>>(),
            "rowCount": rows.as_array().unwrap().len(),
            "rows": rows,
            "metadata": {"timeZone": "Europe/Berlin", "currencyCode": "EUR"},
        })
    }

    fn read(table: &Table, response: Value) -> Result<DailyAnswer, AnswerError> {
        DailyAnswer::read(table, span(), &serde_json::from_value(response).unwrap())
    }

    fn of(table: &Table, rows: Value) -> Result<DailyAnswer, AnswerError> {
        read(table, response(table, rows))
    }

    #[test]
    fn days_without_rows_are_zeros_and_marked_as_such() {
        let table = Table::daily();
        let answer = of(&table, json!([row(&["20260131"], &["9", "5", "5", "1", "6", "4", "30", "1.5"])])).unwrap();
        assert_eq!(answer.rows.len(), 3);
        let zone = Zone::named("Europe/Berlin").unwrap();
        let marks = answer.marks(span(), &zone, "2026-02-04T00:00:00Z".parse().unwrap());
        let counts: Vec<_> = marks.values().map(|mark| (mark.row_count, mark.settled)).collect();
        assert_eq!(counts, [(0, true), (1, true), (0, false)], "the last one is revised for an hour more");
        let values: Vec<_> = answer.rows.values().map(|values| (values[0], values[7])).collect();
        assert_eq!(values, [(Some(0.0), Some(0.0)), (Some(9.0), Some(1.5)), (Some(0.0), Some(0.0))]);
    }

    #[test]
    fn the_shortest_answer_is_zeros_too() {
        let answer = read(&Table::daily(), json!({"kind": "analyticsData#runReport"})).unwrap();
        assert_eq!((answer.rows.len(), answer.is_whole(), answer.is_too_coarse()), (3, true, false));
        let none = read(&checkout(), json!({"kind": "analyticsData#runReport"})).unwrap();
        assert!(none.rows.is_empty());
        assert_eq!(none.marks(span(), &Zone::utc(), Timestamp::UNIX_EPOCH).len(), 3);
    }

    #[test]
    fn rows_have_their_dimensions_and_negative_amounts() {
        let rows = json!([
            row(&["20260130", "mobile", "/checkout"], &["12", "-3.5"]),
            row(&["20260201", "(not set)", "a\u{0}b"], &["1.6", "0"]),
        ]);
        let answer = of(&checkout(), rows).unwrap();
        let lines: Vec<_> = answer
            .rows
            .iter()
            .map(|(key, values)| format!("{} {} {values:?}", key.date, key.dimensions.join(",")))
            .collect();
        assert_eq!(
            lines,
            [
                "2026-01-30 mobile,/checkout [Some(12.0), Some(-3.5)]",
                "2026-02-01 (not set),a␀0b [Some(2.0), Some(0.0)]"
            ]
        );
    }

    #[test]
    fn texts_that_differ_stay_two() {
        let texts = ["a\0", "a␀", "a␀0", "a\0\0", "a␀␀", "a\u{fffd}", "a"];
        let stored: std::collections::BTreeSet<String> = texts.iter().map(|text| storable(text)).collect();
        assert_eq!(stored.len(), texts.len());
        assert!(stored.iter().all(|text| !text.contains('\0')));
        assert_eq!(storable("/päge?x=日本"), "/päge?x=日本");
    }

    #[test]
    fn numbers_are_what_a_column_can_hold() {
        let table = checkout();
        let pageviews = |text: &str| number(&table.metrics()[0], table.metrics()[0].metric.unit, text);
        for (text, expected) in [("0", 0.0), ("1000000000000", 1e12), ("1.5", 2.0), ("0.4", 0.0)] {
            assert_eq!(pageviews(text), Ok(expected), "{text}");
        }
        for text in ["-1", "1e13", "NaN", "inf", "", "1 000", "0x10"] {
            assert!(pageviews(text).is_err(), "{text}");
        }
        let revenue = |text: &str| number(&table.metrics()[1], table.metrics()[1].metric.unit, text);
        assert_eq!(revenue("-12.345"), Ok(-12.345));
        assert_eq!(revenue("-0").map(f64::is_sign_negative), Ok(false), "0 is one number");
    }

    #[test]
    fn what_google_keeps_back_is_unknown_and_not_zero() {
        let mut kept = response(&Table::daily(), json!([]));
        kept["metadata"] =
            json!({"schemaRestrictionResponse": {"activeMetricRestrictions": [{"metricName": "totalUsers"}]}});
        let answer = read(&Table::daily(), kept).unwrap();
        assert!(answer.rows.values().all(|values| values[0] == Some(0.0) && values[1].is_none()));
    }

    #[test]
    fn estimates_and_parts_are_asked_for_again() {
        for (field, value) in [
            ("metadata", json!({"samplingMetadatas": [{"samplesReadCount": "1", "samplingSpaceSize": "2"}]})),
            ("metadata", json!({"dataLossFromOtherRow": true})),
            ("rowCount", json!(2)),
            ("rowCount", json!(-1)),
        ] {
            let mut coarse = response(&checkout(), json!([row(&["20260130", "a", "b"], &["1", "1"])]));
            coarse[field] = value.clone();
            assert!(read(&checkout(), coarse).unwrap().is_too_coarse(), "{value}");
        }
        let mut thresholded = response(&checkout(), json!([]));
        thresholded["metadata"]["subjectToThresholding"] = json!(true);
        let answer = read(&checkout(), thresholded).unwrap();
        assert!(answer.quality.thresholded && !answer.is_too_coarse(), "shorter spans would not help");
    }

    #[test]
    fn pages_are_put_together() {
        let page = |path: &str| {
            let mut page = response(&checkout(), json!([row(&["20260130", "a", path], &["1", "1"])]));
            page["rowCount"] = json!(2);
            read(&checkout(), page).unwrap()
        };
        let mut whole = page("/a");
        assert!(!whole.is_whole());
        let mut fewer = response(&checkout(), json!([row(&["20260130", "a", "/c"], &["1", "1"])]));
        fewer["rowCount"] = json!(1);
        let fewer = read(&checkout(), fewer).unwrap();
        assert_eq!(whole.clone().append(fewer), Err(AnswerError::RowsChanged), "one was skipped where they meet");
        whole.append(page("/b")).unwrap();
        assert!(whole.is_whole() && whole.rows.len() == 2);
        assert_eq!(whole.append(page("/b")), Err(AnswerError::DuplicateRow(date(2026, 1, 30))));
    }

    #[test]
    fn a_row_that_cannot_be_right_spoils_the_answer() {
        let good = row(&["20260130", "a", "b"], &["1", "1"]);
        let refused = |bad: Value| of(&checkout(), json!([good, bad])).unwrap_err();
        for day in ["20260129", "20260202", "2026-01-30", "(other)", "", "20260230"] {
            assert_eq!(refused(row(&[day, "a", "b"], &["1", "1"])), AnswerError::NoSuchDay(day.to_owned()));
        }
        assert_eq!(refused(good.clone()), AnswerError::DuplicateRow(date(2026, 1, 30)));
        for short in [row(&["20260130", "a"], &["1", "1"]), row(&["20260130", "a", "c"], &["1"]), json!({})] {
            assert_eq!(refused(short), AnswerError::Report(TranslateError::RowLength));
        }
        assert!(matches!(
            refused(row(&["20260130", "a", "c"], &["-1", "1"])),
            AnswerError::Report(TranslateError::NotACount(_))
        ));
        let mut broken = good.clone();
        broken["dimensionValues"][1]["value"] = json!(7);
        assert_eq!(of(&checkout(), json!([broken])), Err(AnswerError::NotAText));
        let mut other = response(&checkout(), json!([good]));
        other["dimensionHeaders"][0]["name"] = json!("dateHour");
        assert_eq!(read(&checkout(), other), Err(AnswerError::Report(TranslateError::Dimensions)));
    }
}
