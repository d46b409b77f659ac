//! The bodies that Google's APIs answer with.
//!
//! Read like proto3 JSON: unknown fields are ignored, and missing, empty and `null` fields are the same. `translate` decides
//! whether an answer matches the request. `listing` and `admin` read the Admin API's bodies. Invariant: the size of an answer
//! is limited while it is read: more rows or headers than any request can have are an error before they use memory, and a row
//! keeps no more cells than that.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, SeqAccess, Visitor},
};

pub use long::{LONGEST, LongResponse};
pub use row::{ResponseRow, Value};

use crate::shown::name;

mod long;
mod row;

/// `RunReportResponse` and `RunRealtimeReportResponse`; the latter has no metadata.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ReportResponse {
    /// `analyticsData#runReport` or `analyticsData#runRealtimeReport`, which identifies a report.
    #[serde(deserialize_with = "null_as_default")]
    pub kind: String,
    /// The dimensions of each row, in order.
    #[serde(deserialize_with = "at_most::<_, _, MAX_CELLS>")]
    pub dimension_headers: Vec<Header>,
    /// The metrics of each row, in order.
    #[serde(deserialize_with = "at_most::<_, _, MAX_CELLS>")]
    pub metric_headers: Vec<Header>,
    /// Only combinations that had events; empty if there were none.
    #[serde(deserialize_with = "at_most::<_, _, MAX_ROWS>")]
    pub rows: Vec<ResponseRow>,
    /// The total number of rows, regardless of the limit.
    #[serde(deserialize_with = "integer")]
    pub row_count: i64,
    /// Metadata of the whole answer.
    #[serde(deserialize_with = "null_as_default")]
    pub metadata: Metadata,
    /// What is left of the quota, if requested.
    pub property_quota: Option<PropertyQuota>,
}

/// The name of a dimension or metric column.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Header {
    /// As in the request.
    #[serde(deserialize_with = "null_as_default")]
    pub name: String,
    /// `MetricType` of a metric, such as `TYPE_INTEGER`; dimensions have none.
    #[serde(rename = "type", deserialize_with = "null_as_default")]
    pub value_type: String,
}

/// `ResponseMetaData`, as far as it is used.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// ISO 4217 code of the property's currency.
    #[serde(deserialize_with = "shown_name")]
    pub currency_code: String,
    /// IANA name of the property's time zone.
    #[serde(deserialize_with = "shown_name")]
    pub time_zone: String,
    /// Whether rows were merged into `(other)`.
    #[serde(deserialize_with = "null_as_default")]
    pub data_loss_from_other_row: bool,
    /// Whether rows with few users may be withheld.
    #[serde(deserialize_with = "null_as_default")]
    pub subject_to_thresholding: bool,
    /// One per range, if the values are estimates.
    #[serde(deserialize_with = "at_most::<_, _, MAX_CELLS>")]
    pub sampling_metadatas: Vec<Sampling>,
    /// What the account's role hides.
    #[serde(deserialize_with = "null_as_default")]
    pub schema_restriction_response: Restrictions,
    /// Google's words on why there are no rows; mostly empty.
    #[serde(deserialize_with = "null_as_default")]
    pub empty_reason: String,
    /// Which data Google no longer has.
    #[serde(deserialize_with = "at_most::<_, _, MAX_CELLS>")]
    pub data_truncation_reasons: Vec<Truncation>,
}

/// `DataTruncationReason`, as far as it is used.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Truncation {
    /// Google's words.
    #[serde(deserialize_with = "null_as_default")]
    pub data_truncation_message: String,
}

/// `SamplingMetadata`: how many of the events were read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Sampling {
    /// Events that were read.
    #[serde(deserialize_with = "integer")]
    pub samples_read_count: i64,
    /// All events.
    #[serde(deserialize_with = "integer")]
    pub sampling_space_size: i64,
}

/// `SchemaRestrictionResponse`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Restrictions {
    /// The requested metrics that are hidden from the account: Google sends zeros for them.
    #[serde(deserialize_with = "at_most::<_, _, MAX_CELLS>")]
    pub active_metric_restrictions: Vec<Restriction>,
}

/// `ActiveMetricRestriction`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Restriction {
    /// As in the request.
    #[serde(deserialize_with = "null_as_default")]
    pub metric_name: String,
}

/// `PropertyQuota`: the buckets of the request's category.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase", default)]
pub struct PropertyQuota {
    /// Tokens of the property and day.
    pub tokens_per_day: Option<QuotaStatus>,
    /// Tokens of the property and hour.
    pub tokens_per_hour: Option<QuotaStatus>,
    /// Tokens of the Cloud project, the property and the hour.
    pub tokens_per_project_per_hour: Option<QuotaStatus>,
    /// Requests at the same time.
    pub concurrent_requests: Option<QuotaStatus>,
    /// 500 and 503 answers of the Cloud project, the property and the hour.
    pub server_errors_per_project_per_hour: Option<QuotaStatus>,
    /// Requests with demographic dimensions in the hour.
    pub potentially_thresholded_requests_per_hour: Option<QuotaStatus>,
}

/// `QuotaStatus`: one bucket.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default)]
pub struct QuotaStatus {
    /// What this request cost.
    #[serde(deserialize_with = "integer")]
    pub consumed: i64,
    /// What was left after it.
    #[serde(deserialize_with = "integer")]
    pub remaining: i64,
}

/// proto3 JSON: `null` is an accepted way to write the default.
pub(super) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + DeserializeOwned,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A list of at most this many items; the rest of a longer one is not read.
pub(super) fn at_most<'de, D, T, const MOST: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Items<T, const MOST: usize>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Items<T, MOST> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {MOST}")
        }

        fn visit_unit<E>(self) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let mut items = Vec::new();
            while let Some(item) = list.next_element()? {
                if items.len() == MOST {
                    return Err(de::Error::invalid_length(MOST + 1, &self));
                }
                items.push(item);
            }
            Ok(items)
        }
    }

    deserializer.deserialize_any(Items::<T, MOST>(PhantomData))
}

/// A foreign name in a form that is safe to show.
fn shown_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    null_as_default(deserializer).map(|text: String| name(&text))
}

/// proto3 JSON: an integer may be written as a number or as a text, and as `4.0` or `4e0`.
fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    struct Integer;

    impl Visitor<'_> for Integer {
        type Value = i64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an integer")
        }

        fn visit_unit<E>(self) -> Result<i64, E> {
            Ok(0)
        }

        fn visit_i64<E>(self, number: i64) -> Result<i64, E> {
            Ok(number)
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<i64, E> {
            i64::try_from(number).map_err(de::Error::custom)
        }

        fn visit_f64<E: de::Error>(self, number: f64) -> Result<i64, E> {
            whole(number).ok_or_else(|| de::Error::invalid_value(de::Unexpected::Float(number), &self))
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<i64, E> {
            let written_as_float = || text.parse().ok().and_then(whole);
            let number = text.parse().ok().or_else(written_as_float);
            number.ok_or_else(|| de::Error::invalid_value(de::Unexpected::Str(text), &self))
        }
    }

    deserializer.deserialize_any(Integer)
}

/// Returns a float as an integer, if it is one and is exact.
fn whole(number: f64) -> Option<i64> {
    let is_whole = number.fract() == 0.0 && number.abs() <= LARGEST_EXACT;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and within 2^53")]
    is_whole.then_some(number as i64)
}

/// 2^53: every integer up to it is a float.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// The most rows that Google sends to a request without a `limit`.
pub const MAX_ROWS: usize = 10_000;

/// The limit of cells: more than the 10 metrics, or the 9 dimensions and the name of the range, of one request.
const MAX_CELLS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_null_and_unknown_fields_are_tolerated() {
        let response: ReportResponse = serde_json::from_str(
            r#"{"kind": "analyticsData#runReport", "rows": null, "dataTruncationReasons": [{}],
                "metadata": null, "propertyQuota": {"tokensPerDay": {"consumed": "3"}, "tokensPerWeek": {}}}"#,
        )
        .unwrap();
        assert!(response.rows.is_empty());
        let quota = response.property_quota.unwrap();
        assert_eq!(quota.tokens_per_day, Some(QuotaStatus { consumed: 3, remaining: 0 }));
        assert_eq!(quota.tokens_per_hour, None);
    }

    #[test]
    fn a_body_of_another_shape_is_an_error() {
        for body in ["1", r#"{"rows": {}}"#, r#"{"kind": 3}"#, "<html>"] {
            assert!(serde_json::from_str::<ReportResponse>(body).is_err(), "{body}");
        }
    }

    #[test]
    fn integers_come_in_every_form_of_proto3_json() {
        let read = |number: &str| {
            let body = format!(r#"{{"kind": "analyticsData#runReport", "rowCount": {number}}}"#);
            serde_json::from_str::<ReportResponse>(&body).ok().map(|response| response.row_count)
        };
        for (number, expected) in [
            ("4", Some(4)),
            ("\"4\"", Some(4)),
            ("4.0", Some(4)),
            ("4e2", Some(400)),
            ("\"4.0\"", Some(4)),
            ("\"-1e2\"", Some(-100)),
            ("-0.0", Some(0)),
            ("null", Some(0)),
            ("9223372036854775807", Some(i64::MAX)),
            ("\"9223372036854775807\"", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("4.5", None),
            ("\"4.5\"", None),
            ("1e300", None),
            ("\"NaN\"", None),
            ("\"Infinity\"", None),
            ("\"\"", None),
            ("true", None),
        ] {
            assert_eq!(read(number), expected, "{number}");
        }
    }

    #[test]
    fn more_rows_or_cells_than_asked_for_are_an_error() {
        let read = |body: &str| serde_json::from_str::<ReportResponse>(body);
        let rows = |count: usize| format!(r#"{{"rows": [{}]}}"#, vec!["{}"; count].join(","));
        assert_eq!(read(&rows(MAX_ROWS)).unwrap().rows.len(), MAX_ROWS);
        assert!(read(&rows(MAX_ROWS + 1)).is_err());
        let cells = vec!["{}"; MAX_CELLS + 1].join(",");
        for body in [format!(r#"{{"metricHeaders": [{cells}]}}"#), format!(r#"{{"dimensionHeaders": [{cells}]}}"#)] {
            assert!(read(&body).is_err(), "{body}");
        }
        let rows = read(&format!(r#"{{"rows": [{{"dimensionValues": [{cells}]}}, {{}}]}}"#)).unwrap().rows;
        assert_eq!((rows.len(), rows[0].dimension_values.len()), (2, MAX_CELLS), "it is the row that is wrong");
        assert!(read(&format!(r#"{{"rowCount": [{cells}]}}"#)).is_err(), "nothing is kept of it first");
    }

    #[test]
    fn zone_and_currency_are_cut() {
        let long = "E".repeat(1 << 20);
        let body = format!(r#"{{"metadata": {{"timeZone": "{long}", "currencyCode": "E\nU\u202eR"}}}}"#);
        let metadata = serde_json::from_str::<ReportResponse>(&body).unwrap().metadata;
        assert_eq!(metadata.time_zone.chars().count(), 200);
        assert_eq!(metadata.currency_code, "E U R");
    }
}
