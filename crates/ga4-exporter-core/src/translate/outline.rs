//! What an answer says of itself, whatever its values are.

use super::{TranslateError, check_headers, is_restricted, quality, quota};
use crate::{
    report::{Report, ReportQuality, Unit},
    wire::response::{PropertyQuota, ReportResponse},
};

/// What is known of a report for a property after one request that wanted hardly any rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// How many rows there are.
    pub rows: u64,
    /// How far its values can be trusted; nothing is said of realtime ones.
    pub quality: ReportQuality,
    /// The metrics that Google hides from the account, by our names.
    pub restricted: Vec<String>,
    /// The metrics whose unit is not the one that Google says: our name, our unit, and Google's type.
    pub other_units: Vec<(String, Unit, String)>,
    /// What is left of the quota.
    pub quota: Option<PropertyQuota>,
}

/// The outline of an answer.
///
/// # Errors
/// It is not the answer to this report.
pub fn outline(report: &Report, response: &ReportResponse) -> Result<Outline, TranslateError> {
    let metrics = report.metrics.iter().map(|metric| metric.api_name.as_str());
    check_headers(response, report.columns(), metrics)?;
    let restricted = report.metrics.iter().filter(|metric| is_restricted(&response.metadata, metric.api_name.as_str()));
    Ok(Outline {
        rows: u64::try_from(response.row_count).map_err(|_| TranslateError::Truncated)?.max(response.rows.len() as u64),
        quality: quality(report, &response.metadata),
        restricted: restricted.map(|metric| metric.name.to_string()).collect(),
        other_units: other_units(report, response),
        quota: quota(response)?,
    })
}

/// Only custom metrics have a unit of the configuration. Google has no type for ratios.
fn other_units(report: &Report, response: &ReportResponse) -> Vec<(String, Unit, String)> {
    let metrics = report.metrics.iter().zip(&response.metric_headers);
    let others = metrics.filter(|(metric, header)| {
        let is_custom = metric.api_name.as_str().contains(':');
        let said = Unit::of_google_type(&header.value_type);
        is_custom && said.is_some_and(|said| said != metric.unit && (metric.unit, said) != (Unit::Ratio, Unit::Plain))
    });
    others.map(|(metric, header)| (metric.name.to_string(), metric.unit, header.value_type.clone())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::{BaselineSettings, Definition, Metric, ReportSettings, definition_for_tests};

    #[test]
    fn every_built_in_report_has_an_outline() {
        let reports = [
            (Report::traffic(&ReportSettings::traffic()), json!([{"name": "dateRange"}])),
            (Report::realtime(&ReportSettings::realtime(), true), json!([{"name": "dateRange"}])),
            (Report::baseline(&BaselineSettings::default()), json!([{"name": "dateHour"}])),
        ];
        for (report, dimensions) in reports {
            let metrics: Vec<_> = report.metrics.iter().map(|metric| json!({"name": metric.api_name})).collect();
            let body = json!({"dimensionHeaders": dimensions, "metricHeaders": metrics, "rows": [{}], "rowCount": 1200,
                "metadata": {"schemaRestrictionResponse": {"activeMetricRestrictions": [{"metricName": "screenPageViews"}]}}});
            let outline = outline(&report, &serde_json::from_value(body).unwrap()).unwrap();
            assert_eq!((outline.rows, outline.restricted), (1200, vec!["pageviews".to_owned()]), "{}", report.name);
            let other = json!({"dimensionHeaders": [{"name": "city"}], "rows": [{}]});
            assert!(super::outline(&report, &serde_json::from_value(other).unwrap()).is_err(), "{}", report.name);
            let empty = super::outline(&report, &ReportResponse::default()).unwrap();
            assert_eq!((empty.rows, empty.quota), (0, None));
        }
    }

    #[test]
    fn units_are_compared_with_googles_types() {
        for (unit, google_type, is_other) in [
            (Unit::Minutes, "TYPE_SECONDS", true),
            (Unit::Plain, "TYPE_HOURS", true),
            (Unit::Seconds, "TYPE_STANDARD", true),
            (Unit::Plain, "TYPE_CURRENCY", true),
            (Unit::Minutes, "TYPE_MINUTES", false),
            (Unit::Plain, "TYPE_FLOAT", false),
            (Unit::Ratio, "TYPE_FLOAT", false),
            (Unit::Minutes, "TYPE_NEW", false),
            (Unit::Minutes, "", false),
        ] {
            let definition = definition_for_tests();
            let api_name = "customEvent:wait".parse().unwrap();
            let metric = Metric { unit, api_name, ..definition.metrics[0].clone() };
            let report = Report::new(Definition { metrics: vec![metric], ..definition }).unwrap();
            let body = json!({"metricHeaders": [{"name": "customEvent:wait", "type": google_type}]});
            let outline = outline(&report, &serde_json::from_value(body).unwrap()).unwrap();
            let expected = [("pageviews".to_owned(), unit, google_type.to_owned())];
            assert_eq!(outline.other_units, if is_other { &expected[..] } else { &[] }, "{unit:?} {google_type}");
        }
    }
}
