//! Checks that an answer's quota is plausible.

use super::TranslateError;
use crate::{
    names::Bucket,
    wire::response::{PropertyQuota, QuotaStatus, ReportResponse},
};

/// Returns the quota of an answer, if it has one. What is left may be negative, down to minus the size of the bucket.
///
/// # Errors
/// A bucket has more than the largest documented size: nothing of the answer is used, since planning with it could stop a
/// report for hours.
pub fn quota(response: &ReportResponse) -> Result<Option<PropertyQuota>, TranslateError> {
    let Some(quota) = &response.property_quota else { return Ok(None) };
    for (bucket, status, size) in buckets(quota) {
        let is_possible =
            |status: QuotaStatus| (0..=size).contains(&status.consumed) && (-size..=size).contains(&status.remaining);
        if !status.is_none_or(is_possible) {
            return Err(TranslateError::Quota(bucket));
        }
    }
    Ok(Some(quota.clone()))
}

/// The buckets with their sizes for Analytics 360
/// (developers.google.com/analytics/devguides/reporting/data/v1/quotas).
fn buckets(quota: &PropertyQuota) -> [(Bucket, Option<QuotaStatus>, i64); 6] {
    [
        (Bucket::Day, quota.tokens_per_day, 2_000_000),
        (Bucket::Hour, quota.tokens_per_hour, 400_000),
        (Bucket::ProjectHour, quota.tokens_per_project_per_hour, 140_000),
        (Bucket::Concurrent, quota.concurrent_requests, 50),
        (Bucket::ServerErrors, quota.server_errors_per_project_per_hour, 50),
        (Bucket::Thresholded, quota.potentially_thresholded_requests_per_hour, 120),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(bucket: &str, consumed: i64, remaining: i64) -> Result<Option<PropertyQuota>, TranslateError> {
        let body = json!({"propertyQuota": {bucket: {"consumed": consumed, "remaining": remaining}}});
        quota(&serde_json::from_value(body).unwrap())
    }

    #[test]
    fn no_bucket_has_more_than_its_size() {
        for (bucket, name, size) in [
            (Bucket::Day, "tokensPerDay", 2_000_000),
            (Bucket::Hour, "tokensPerHour", 400_000),
            (Bucket::ProjectHour, "tokensPerProjectPerHour", 140_000),
            (Bucket::Concurrent, "concurrentRequests", 50),
            (Bucket::ServerErrors, "serverErrorsPerProjectPerHour", 50),
            (Bucket::Thresholded, "potentiallyThresholdedRequestsPerHour", 120),
        ] {
            for (consumed, remaining) in [(0, 0), (size, size), (1, -1), (0, size)] {
                assert!(read(name, consumed, remaining).is_ok(), "{name} {consumed} {remaining}");
            }
            for (consumed, remaining) in
                [(size + 1, 0), (1 << 62, 0), (-1, 0), (0, size + 1), (0, 1 << 62), (0, i64::MIN)]
            {
                assert_eq!(
                    read(name, consumed, remaining),
                    Err(TranslateError::Quota(bucket)),
                    "{name} {consumed} {remaining}"
                );
            }
        }
    }

    #[test]
    fn a_quota_that_was_not_asked_for_is_none() {
        assert_eq!(quota(&ReportResponse::default()), Ok(None));
    }
}
