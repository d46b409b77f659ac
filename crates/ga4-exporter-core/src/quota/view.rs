//! The buckets of one property as the metrics show them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    names::Bucket,
    wire::response::{PropertyQuota, QuotaStatus},
};

/// The buckets of one property and category at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct QuotaView {
    /// Tokens left, by bucket.
    pub tokens: Vec<TokenBucket>,
    /// What is left of the buckets that do not count tokens.
    pub others: Vec<Remaining>,
    /// The closed buckets, and until when they are closed.
    pub closed: BTreeMap<Bucket, Timestamp>,
}

/// A token bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenBucket {
    /// Its size, in tokens, as Google documents it.
    pub limit: f64,
    /// What is left of it.
    pub remaining: Remaining,
}

/// What is left of a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Remaining {
    /// Which bucket.
    pub bucket: Bucket,
    /// How much is left; 0 while the bucket is closed.
    pub value: f64,
    /// When this expires.
    pub holds_until: Timestamp,
}

impl QuotaView {
    pub(super) fn new(
        reported: Option<(&PropertyQuota, Timestamp)>,
        closed: BTreeMap<Bucket, Timestamp>,
        premium: bool,
    ) -> Self {
        let remaining = |bucket: Bucket| {
            if let Some(until) = closed.get(&bucket) {
                return Some(Remaining { bucket, value: 0.0, holds_until: *until });
            }
            let (quota, holds_until) = reported?;
            Some(Remaining { bucket, value: number(reported_status(bucket, quota)?.remaining), holds_until })
        };
        let token_bucket = |(bucket, _): &(Bucket, i64)| {
            Some(TokenBucket { limit: size_of(*bucket, premium), remaining: remaining(*bucket)? })
        };
        let tokens = TOKEN_BUCKETS.iter().filter_map(token_bucket).collect();
        let others = OTHER_BUCKETS.iter().filter_map(|bucket| remaining(*bucket)).collect();
        Self { tokens, others, closed }
    }
}

/// Returns the documented size of a token bucket, in tokens; 0 for other buckets.
pub(super) fn size_of(bucket: Bucket, premium: bool) -> f64 {
    let factor = if premium { PREMIUM_FACTOR } else { 1 };
    let limit = TOKEN_BUCKETS.iter().find(|(known, _)| *known == bucket).map_or(0, |(_, limit)| *limit);
    number(limit * factor)
}

/// What is left of a bucket according to Google.
pub(super) fn left_of(bucket: Bucket, quota: &PropertyQuota) -> Option<f64> {
    reported_status(bucket, quota).map(|status| number(status.remaining))
}

/// Whether this is more than a standard property can have, which makes it one of Analytics 360.
pub(super) fn is_premium(quota: &PropertyQuota) -> bool {
    TOKEN_BUCKETS
        .iter()
        .any(|(bucket, limit)| reported_status(*bucket, quota).is_some_and(|status| status.remaining > *limit))
}

/// What a request has cost, in tokens: the same of every bucket, but for those that Google leaves out.
pub(super) fn cost(quota: &PropertyQuota) -> u32 {
    let consumed =
        TOKEN_BUCKETS.iter().filter_map(|(bucket, _)| reported_status(*bucket, quota)).map(|status| status.consumed);
    consumed.max().and_then(|tokens| u32::try_from(tokens).ok()).unwrap_or_default()
}

/// Counts stay far below 2^53, so f64 is exact. Google may send −1 for an empty bucket.
fn number(count: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "see above")]
    let number = count.max(0) as f64;
    number
}

/// Returns the status of this bucket in Google's answer; `None` if the answer has none.
fn reported_status(bucket: Bucket, quota: &PropertyQuota) -> Option<QuotaStatus> {
    match bucket {
        Bucket::Day => quota.tokens_per_day,
        Bucket::Hour => quota.tokens_per_hour,
        Bucket::ProjectHour => quota.tokens_per_project_per_hour,
        Bucket::Concurrent => quota.concurrent_requests,
        Bucket::ServerErrors => quota.server_errors_per_project_per_hour,
        Bucket::Thresholded => quota.potentially_thresholded_requests_per_hour,
        Bucket::ClientErrors | Bucket::Unknown => None,
    }
}

/// The token buckets and their sizes for a standard property.
pub(crate) const TOKEN_BUCKETS: &[(Bucket, i64)] =
    &[(Bucket::Day, 200_000), (Bucket::Hour, 40_000), (Bucket::ProjectHour, 14_000)];

const OTHER_BUCKETS: &[Bucket] = &[Bucket::Concurrent, Bucket::ServerErrors, Bucket::Thresholded];

/// The factor by which the buckets of Analytics 360 are larger.
const PREMIUM_FACTOR: i64 = 10;
