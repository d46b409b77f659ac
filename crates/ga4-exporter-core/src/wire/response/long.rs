//! The answer to a request with a `limit` of its own.

use serde::Deserialize;

use super::{
    Header, MAX_CELLS, Metadata, PropertyQuota, ReportResponse, ResponseRow, at_most, integer, null_as_default,
};

/// A [`ReportResponse`] of up to [`LONGEST`] rows instead of 10,000.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Body")]
pub struct LongResponse(pub ReportResponse);

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    #[serde(deserialize_with = "null_as_default")]
    kind: String,
    #[serde(deserialize_with = "at_most::<_, _, MAX_CELLS>")]
    dimension_headers: Vec<Header>,
    #[serde(deserialize_with = "at_most::<_, _, MAX_CELLS>")]
    metric_headers: Vec<Header>,
    #[serde(deserialize_with = "at_most::<_, _, LONGEST>")]
    rows: Vec<ResponseRow>,
    #[serde(deserialize_with = "integer")]
    row_count: i64,
    #[serde(deserialize_with = "null_as_default")]
    metadata: Metadata,
    property_quota: Option<PropertyQuota>,
}

impl From<Body> for LongResponse {
    fn from(body: Body) -> Self {
        let Body { kind, dimension_headers, metric_headers, rows, row_count, metadata, property_quota } = body;
        Self(ReportResponse { kind, dimension_headers, metric_headers, rows, row_count, metadata, property_quota })
    }
}

/// The most rows that Google answers one request with, whatever its `limit`.
pub const LONGEST: usize = 250_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_more_rows_and_the_same_fields() {
        let rows = |count: usize| vec!["{}"; count].join(",");
        let of = |count| {
            let body = format!(
                r#"{{"kind": "k", "rows": [{}], "rowCount": "7", "metadata": {{"timeZone": "Asia/Tokyo"}},
                    "metricHeaders": [{{"name": "n", "type": "TYPE_FLOAT"}}], "propertyQuota": {{"tokensPerDay": {{}}}}}}"#,
                rows(count)
            );
            serde_json::from_str::<LongResponse>(&body).map(|response| response.0)
        };
        let response = of(10_001).unwrap();
        assert_eq!((response.kind.as_str(), response.rows.len(), response.row_count), ("k", 10_001, 7));
        assert_eq!((response.metadata.time_zone.as_str(), response.metric_headers.len()), ("Asia/Tokyo", 1));
        assert_eq!(response.metric_headers[0].value_type, "TYPE_FLOAT");
        assert!(response.property_quota.unwrap().tokens_per_day.is_some());
        assert!(of(LONGEST).is_ok() && of(LONGEST + 1).is_err());
    }
}
