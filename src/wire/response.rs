//! The bodies that Google's APIs answer with.
//!
//! Read as proto3 JSON has it: unknown fields are passed over, and missing, empty and `null` fields are the same.
//! Whether an answer is the one that was asked for is decided by `translate`. The Admin API's bodies are read by
//! `listing` and `admin`.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};

/// `RunReportResponse` and `RunRealtimeReportResponse`; the latter has no metadata.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ReportResponse {
    /// `analyticsData#runReport` or `analyticsData#runRealtimeReport`: proof that this is a report at all.
    #[serde(deserialize_with = "null_as_default")]
    pub kind: String,
    /// The dimensions of each row, in order.
    #[serde(deserialize_with = "null_as_default")]
    pub dimension_headers: Vec<Header>,
    /// The metrics of each row, in order.
    #[serde(deserialize_with = "null_as_default")]
    pub metric_headers: Vec<Header>,
    /// Only combinations that had events; none at all when nothing happened.
    #[serde(deserialize_with = "null_as_default")]
    pub rows: Vec<Row>,
    /// How many rows there are altogether, whatever the limit.
    #[serde(deserialize_with = "integer")]
    pub row_count: i64,
    /// Facts on the data as a whole.
    #[serde(deserialize_with = "null_as_default")]
    pub metadata: Metadata,
    /// What is left of the quota, where it was asked for.
    pub property_quota: Option<PropertyQuota>,
}

/// The name of a dimension or metric column.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Header {
    /// As in the request.
    #[serde(deserialize_with = "null_as_default")]
    pub name: String,
}

/// One row.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Row {
    /// In the order of the dimension headers.
    #[serde(deserialize_with = "null_as_default")]
    pub dimension_values: Vec<Value>,
    /// In the order of the metric headers.
    #[serde(deserialize_with = "null_as_default")]
    pub metric_values: Vec<Value>,
}

/// One cell; numbers are texts too.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Value {
    /// The cell's text.
    #[serde(deserialize_with = "null_as_default")]
    pub value: String,
}

/// `ResponseMetaData`, as far as it is used.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// ISO 4217 code of the property's currency.
    #[serde(deserialize_with = "null_as_default")]
    pub currency_code: String,
    /// IANA name of the property's time zone.
    #[serde(deserialize_with = "null_as_default")]
    pub time_zone: String,
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
    /// What this request took.
    #[serde(deserialize_with = "integer")]
    pub consumed: i64,
    /// What was left after it.
    #[serde(deserialize_with = "integer")]
    pub remaining: i64,
}

/// proto3 JSON: `null` is an accepted way to write the default.
fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + DeserializeOwned,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// proto3 JSON: an integer may be written as a number or as a text.
fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(i64),
        Text(String),
    }
    match Option::<Written>::deserialize(deserializer)? {
        None => Ok(0),
        Some(Written::Number(number)) => Ok(number),
        Some(Written::Text(text)) => text.parse().map_err(serde::de::Error::custom),
    }
}

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
}
