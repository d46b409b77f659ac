//! What becomes of an answer: rows, totals, and how far they can be trusted.
//!
//! Knows what may be summed: never users, and nothing of a report of which rows are missing. A row that cannot be read costs only
//! itself, and is counted. Invariant: nothing is guessed; what Google hides from the account is `None`, and not 0.

use serde::{Serialize, Serializer};

use super::{Page, Query, QueryRows};
use crate::{
    chain::one_line,
    report::{Addition, Metric, Unit},
    translate::{self, TranslateError},
    wire::response::{Metadata, ReportResponse, ResponseRow as WireRow},
};

/// One page of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryAnswer {
    /// The rows, in the order asked for.
    pub rows: QueryRows,
    /// How many rows Google sent, those that cannot be read included.
    pub received: u64,
    /// How many rows there are altogether, as Google says.
    pub existing: u64,
    /// What the numbers are in after conversion, for each metric: seconds and metres, and the property's currency.
    pub units: Vec<Unit>,
    /// What Google says about the values.
    pub quality: QueryQuality,
    /// IANA name of the property's time zone; empty where Google does not say it.
    pub time_zone: String,
    /// ISO 4217 code of the property's currency; empty where Google does not say it.
    pub currency: String,
}

/// For each metric the sum of all rows, where that is true.
pub type Totals = Vec<Option<f64>>;

/// How far the values can be trusted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueryQuality {
    /// Which part of the events was read, from 0 to 1: below 1 the values are estimates.
    pub sampled_ratio: f64,
    /// Whether Google may have withheld rows of few users.
    pub thresholded: bool,
    /// Whether Google has merged rows into `(other)`.
    pub data_loss: bool,
    /// Whether there are more rows than were asked for.
    pub truncated: bool,
    /// The metrics that Google hides from the account, by our names.
    pub restricted: Vec<String>,
    /// How many rows could not be read and are left out.
    pub unreadable_rows: u64,
    /// Whether the number of rows changed while the pages were asked for.
    pub rows_changed: bool,
    /// Google's own words on data that it no longer has.
    pub truncation_messages: Vec<String>,
    /// Google's own words on why there are no rows, if it gives any.
    pub empty_reason: Option<String>,
}

impl QueryQuality {
    /// Adds what is said about another page of the same answer.
    pub fn add(&mut self, page: &Self) {
        self.sampled_ratio = self.sampled_ratio.min(page.sampled_ratio);
        self.thresholded |= page.thresholded;
        self.data_loss |= page.data_loss;
        self.unreadable_rows += page.unreadable_rows;
        if self.empty_reason.is_none() {
            self.empty_reason.clone_from(&page.empty_reason);
        }
        for (own, others) in
            [(&mut self.restricted, &page.restricted), (&mut self.truncation_messages, &page.truncation_messages)]
        {
            for text in others {
                if !own.contains(text) {
                    own.push(text.clone());
                }
            }
        }
    }

    /// The same for people, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.sampled_ratio < 1.0 {
            notes.push(format!(
                "estimates: Google read {:.1} % of the events; ask for fewer days or dimensions for exact numbers",
                100.0 * self.sampled_ratio
            ));
        }
        if self.thresholded {
            notes.push("Google withholds rows of few users (thresholding); the numbers may be too low".to_owned());
        }
        if self.data_loss {
            notes.push(
                "Google merged rows into `(other)`; ask for fewer dimensions or days to see them apart".to_owned(),
            );
        }
        if self.truncated {
            notes.push(
                "there are more rows than the limit allows, so no totals are shown; raise --limit to see them"
                    .to_owned(),
            );
        }
        if !self.restricted.is_empty() {
            notes.push(format!(
                "the account's role hides {}; ask an administrator of the property to lift the restriction on cost or revenue \
                 data",
                self.restricted.join(", ")
            ));
        }
        if self.unreadable_rows > 0 {
            notes.push(format!("{} rows cannot be read, and are left out", self.unreadable_rows));
        }
        if self.rows_changed {
            notes.push(
                "the number of rows changed while they were read: some may be missing or there twice; ask again, or about \
                 days before yesterday"
                    .to_owned(),
            );
        }
        let words = self.truncation_messages.iter().chain(&self.empty_reason);
        notes.extend(words.map(|message| format!("Google says: {message}")));
        notes
    }
}

impl Query {
    /// The rows of a page.
    ///
    /// # Errors
    /// It is not the answer to this question: nothing of it is used.
    pub fn answer(&self, page: Page, response: ReportResponse) -> Result<QueryAnswer, TranslateError> {
        let report = &self.report;
        let dimensions = report.dimensions.iter().map(|dimension| dimension.api_name.as_str());
        let metrics = report.metrics.iter().map(|metric| metric.api_name.as_str());
        translate::check_headers(&response, dimensions, metrics)?;
        let received = response.rows.len() as u64;
        let existing =
            u64::try_from(response.row_count).map_err(|_| TranslateError::Truncated)?.max(page.offset + received);
        if received == 0 && page.offset == 0 && existing > 0 {
            return Err(TranslateError::Truncated);
        }
        let header = |index: usize| response.metric_headers.get(index).map(|header| header.value_type.as_str());
        let units: Vec<Unit> =
            report.metrics.iter().enumerate().map(|(index, metric)| unit(metric, header(index))).collect();
        let quality = self.quality(&response.metadata);
        let hidden = |metric: &Metric| quality.restricted.iter().any(|name| name == metric.name.as_str());
        let columns: Vec<Column<'_>> = report
            .metrics
            .iter()
            .zip(&units)
            .map(|(metric, unit)| Column { metric, unit: *unit, is_hidden: hidden(metric) })
            .collect();
        let mut answer = QueryAnswer {
            rows: QueryRows::new(report.dimensions.len(), columns.len()),
            received,
            existing,
            quality: quality.clone(),
            time_zone: response.metadata.time_zone,
            currency: response.metadata.currency_code,
            units: units.clone(),
        };
        if report.dimensions.is_empty() {
            answer.rows.push([], single(&columns, &response.rows)?);
            return Ok(answer);
        }
        for row in response.rows {
            let is_whole = (row.dimension_values.len(), row.metric_values.len())
                == (report.dimensions.len(), columns.len())
                && row.dimension_values.iter().all(|value| !value.is_broken);
            match numbers(&columns, &row) {
                Ok(metrics) if is_whole => {
                    answer.rows.push(row.dimension_values.iter().map(|one| one.value.as_str()), metrics);
                }
                Ok(_) | Err(_) => answer.quality.unreadable_rows += 1,
            }
        }
        Ok(answer)
    }

    /// The sums of all rows, where they are true: of what adds up, in an answer from which nothing is missing. Without
    /// dimensions the one row is the total, of users too.
    pub fn totals(&self, rows: &QueryRows, quality: &QueryQuality) -> Option<Totals> {
        let report = &self.report;
        if report.dimensions.is_empty() {
            return rows.first().map(|row| row.metrics().collect());
        }
        if quality.truncated || quality.rows_changed || quality.unreadable_rows > 0 {
            return None;
        }
        let total = |(index, metric): (usize, &Metric)| {
            let adds_up = metric.addition == Addition::Sum;
            let sum = || rows.iter().try_fold(0.0, |sum, row| Some(sum + row.metric(index)?));
            adds_up.then(sum).flatten().map(without_noise)
        };
        let totals: Totals = report.metrics.iter().enumerate().map(total).collect();
        totals.iter().any(Option::is_some).then_some(totals)
    }

    fn quality(&self, metadata: &Metadata) -> QueryQuality {
        let said = translate::quality(&self.report, metadata);
        let is_hidden = |metric: &&Metric| translate::is_restricted(metadata, metric.api_name.as_str());
        let messages = metadata.data_truncation_reasons.iter();
        let messages = messages.map(|reason| one_line(&reason.data_truncation_message, MESSAGE_CHARACTERS));
        let empty_reason = one_line(&metadata.empty_reason, MESSAGE_CHARACTERS);
        QueryQuality {
            sampled_ratio: said.sampled_ratio,
            thresholded: said.thresholded,
            data_loss: said.data_loss,
            truncated: false,
            restricted: self.report.metrics.iter().filter(is_hidden).map(|metric| metric.name.to_string()).collect(),
            unreadable_rows: 0,
            rows_changed: false,
            truncation_messages: messages.filter(|message| !message.is_empty()).collect(),
            empty_reason: (!empty_reason.is_empty()).then_some(empty_reason),
        }
    }
}

/// What is to be read from the cells of a metric.
struct Column<'a> {
    metric: &'a Metric,
    unit: Unit,
    is_hidden: bool,
}

/// What the numbers of a metric are in. The answer knows the type of custom metrics, and only we know which are ratios.
fn unit(metric: &Metric, value_type: Option<&str>) -> Unit {
    let said = || value_type.and_then(Unit::of_google_type);
    if metric.unit == Unit::Plain {
        said().unwrap_or(Unit::Plain)
    } else {
        metric.unit_in(value_type.unwrap_or_default())
    }
}

/// The row of an answer without dimensions: none is zero.
fn single(columns: &[Column<'_>], rows: &[WireRow]) -> Result<Vec<Option<f64>>, TranslateError> {
    match rows {
        [] => Ok(columns.iter().map(|column| (!column.is_hidden).then_some(0.0)).collect()),
        [row] if row.dimension_values.is_empty() && row.metric_values.len() == columns.len() => numbers(columns, row),
        [_] => Err(TranslateError::RowLength),
        _ => Err(TranslateError::MoreThanOneRow),
    }
}

fn numbers(columns: &[Column<'_>], row: &WireRow) -> Result<Vec<Option<f64>>, TranslateError> {
    let number = |(column, cell): (&Column<'_>, &crate::wire::response::Value)| {
        if column.is_hidden {
            return Ok(None);
        }
        translate::number_in(column.metric, column.unit, &cell.value).map(Some)
    };
    columns.iter().zip(&row.metric_values).map(number).collect()
}

/// Serializes whole numbers without `.0`, as Google writes them.
pub fn serialize_numbers_compactly<S: Serializer>(numbers: &[Option<f64>], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Number {
        Whole(i64),
        Other(f64),
    }
    let number = |number: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "whole and small enough, as the condition says")]
        if number.fract() == 0.0 && number.abs() < EXACT { Number::Whole(number as i64) } else { Number::Other(number) }
    };
    serializer.collect_seq(numbers.iter().map(|one| one.map(number)))
}

/// Removes floating-point rounding noise from a sum.
fn without_noise(sum: f64) -> f64 {
    let rounded = (sum * FRACTIONS).round() / FRACTIONS;
    if rounded.is_finite() { rounded } else { sum }
}

/// Google sends amounts exact to a millionth.
const FRACTIONS: f64 = 1e6;

/// Below it every whole number is one of f64.
const EXACT: f64 = 9_007_199_254_740_992.0;

const MESSAGE_CHARACTERS: usize = 300;

#[cfg(test)]
mod tests;
