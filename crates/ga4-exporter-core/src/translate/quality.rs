//! The quality of an answer's values, according to Google.

use crate::{
    report::{Report, ReportQuality},
    wire::response::{Metadata, Sampling},
};

/// Returns the quality of this report's values; realtime ones have none.
pub fn quality(report: &Report, metadata: &Metadata) -> ReportQuality {
    ReportQuality {
        sampled_ratio: sampled_ratio(metadata),
        thresholded: metadata.subject_to_thresholding,
        data_loss: metadata.data_loss_from_other_row,
        restricted: report.metrics.iter().any(|metric| is_restricted(metadata, metric.api_name.as_str())),
    }
}

/// Which part of the events Google has read, from 0 to 1, where they differ the smallest.
pub fn sampled_ratio(metadata: &Metadata) -> f64 {
    metadata.sampling_metadatas.iter().filter_map(ratio).fold(1.0, f64::min)
}

/// Whether Google hides this metric from the account: the answer then has 0 instead of its value.
pub(crate) fn is_restricted(metadata: &Metadata, metric: &str) -> bool {
    let restrictions = &metadata.schema_restriction_response.active_metric_restrictions;
    restrictions.iter().any(|restriction| restriction.metric_name == metric)
}

fn ratio(sampling: &Sampling) -> Option<f64> {
    let Sampling { samples_read_count: read, sampling_space_size: all } = *sampling;
    #[expect(clippy::cast_precision_loss, reason = "a ratio of large counts")]
    let ratio = read as f64 / all as f64;
    (all > 0 && read >= 0).then_some(ratio.min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ReportSettings;

    fn of(metadata: &str) -> ReportQuality {
        quality(&Report::traffic(&ReportSettings::traffic()), &serde_json::from_str(metadata).unwrap())
    }

    #[test]
    fn an_answer_that_says_nothing_is_exact() {
        let exact = ReportQuality { sampled_ratio: 1.0, thresholded: false, data_loss: false, restricted: false };
        for metadata in [
            "{}",
            r#"{"samplingMetadatas": [], "subjectToThresholding": false, "schemaRestrictionResponse": {}}"#,
            r#"{"samplingMetadatas": null, "schemaRestrictionResponse": null, "dataLossFromOtherRow": null}"#,
            r#"{"samplingMetadatas": [{"samplesReadCount": "5", "samplingSpaceSize": "0"}, {}]}"#,
            r#"{"schemaRestrictionResponse": {"activeMetricRestrictions": [{"metricName": "totalRevenue"}]}}"#,
        ] {
            assert_eq!(of(metadata), exact, "{metadata}");
        }
    }

    #[test]
    fn the_worst_range_counts() {
        let quality = of(r#"{"samplingMetadatas": [{"samplesReadCount": "3", "samplingSpaceSize": "4"},
                {"samplesReadCount": 1, "samplingSpaceSize": "4"}, {"samplesReadCount": "9", "samplingSpaceSize": "4"}],
                "subjectToThresholding": true, "dataLossFromOtherRow": true,
                "schemaRestrictionResponse": {"activeMetricRestrictions": [{"metricName": "keyEvents"}]}}"#);
        assert_eq!(
            quality,
            ReportQuality { sampled_ratio: 0.25, thresholded: true, data_loss: true, restricted: true }
        );
    }
}
