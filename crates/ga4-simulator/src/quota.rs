//! The quota buckets, with Google's sizes and refill times (the quotas page of the Data API).

use jiff::{Timestamp, ToSpan, tz::TimeZone};

use super::random::hash_text;

/// The sizes of the buckets of one category of one property.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct QuotaSizes {
    /// Tokens per property and day; refills at midnight in California.
    pub tokens_per_day: u32,
    /// Tokens per property and hour.
    pub tokens_per_hour: u32,
    /// Tokens per Cloud project, property and hour.
    pub tokens_per_project_per_hour: u32,
    /// Concurrent requests.
    pub concurrent_requests: u32,
    /// Answers with status 500 or 503 per Cloud project, property and hour.
    pub server_errors_per_project_per_hour: u32,
    /// Requests with demographic dimensions per hour.
    pub potentially_thresholded_requests_per_hour: u32,
}

impl QuotaSizes {
    /// A standard property.
    pub const STANDARD: Self = Self {
        tokens_per_day: 200_000,
        tokens_per_hour: 40_000,
        tokens_per_project_per_hour: 14_000,
        concurrent_requests: 10,
        server_errors_per_project_per_hour: 10,
        potentially_thresholded_requests_per_hour: 120,
    };

    /// A property of Google Analytics 360.
    pub const PREMIUM: Self = Self {
        tokens_per_day: 2_000_000,
        tokens_per_hour: 400_000,
        tokens_per_project_per_hour: 140_000,
        concurrent_requests: 50,
        server_errors_per_project_per_hour: 50,
        potentially_thresholded_requests_per_hour: 120,
    };

    pub(super) fn of(&self, bucket: Bucket) -> u32 {
        match bucket {
            Bucket::Day => self.tokens_per_day,
            Bucket::Hour => self.tokens_per_hour,
            Bucket::ProjectHour => self.tokens_per_project_per_hour,
            Bucket::Concurrent => self.concurrent_requests,
            Bucket::ServerErrors => self.server_errors_per_project_per_hour,
            Bucket::Thresholded => self.potentially_thresholded_requests_per_hour,
        }
    }
}

/// A quota bucket of a property and category.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Bucket {
    /// `tokensPerDay`
    Day,
    /// `tokensPerHour`
    Hour,
    /// `tokensPerProjectPerHour`
    ProjectHour,
    /// `concurrentRequests`
    Concurrent,
    /// `serverErrorsPerProjectPerHour`
    ServerErrors,
    /// `potentiallyThresholdedRequestsPerHour`
    Thresholded,
}

impl Bucket {
    pub(super) const ALL: [Self; 6] =
        [Self::Day, Self::Hour, Self::ProjectHour, Self::Concurrent, Self::ServerErrors, Self::Thresholded];

    /// Returns the text of the 429. The texts of the project's hour, of concurrent and of thresholded requests are
    /// quoted by users; those of the day, the hour and the server errors are modelled on them.
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Day => concat!(
                "Exhausted property tokens per day. These quota tokens will return in under 24 hours. ",
                "To learn more, see https://developers.google.com/analytics/devguides/reporting/data/v1/quotas"
            ),
            Self::Hour => concat!(
                "Exhausted property tokens per hour. These quota tokens will return in under an hour. ",
                "To learn more, see https://developers.google.com/analytics/devguides/reporting/data/v1/quotas"
            ),
            Self::ProjectHour => concat!(
                "Exhausted property tokens for a project per hour. These quota tokens will return in under an hour. ",
                "To learn more, see https://developers.google.com/analytics/devguides/reporting/data/v1/quotas"
            ),
            Self::Concurrent => "Exhausted concurrent requests quota.",
            Self::ServerErrors => concat!(
                "Exhausted server errors for a project per hour. These quota tokens will return in under an hour. ",
                "To learn more, see https://developers.google.com/analytics/devguides/reporting/data/v1/quotas"
            ),
            Self::Thresholded => concat!(
                "Exhausted potentially thresholded requests quota. This quota will refresh in under an hour. ",
                "To learn more, see https://developers.google.com/analytics/devguides/reporting/data/v1/quotas"
            ),
        }
    }

    /// Returns the name of the field in `propertyQuota`.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Day => "tokensPerDay",
            Self::Hour => "tokensPerHour",
            Self::ProjectHour => "tokensPerProjectPerHour",
            Self::Concurrent => "concurrentRequests",
            Self::ServerErrors => "serverErrorsPerProjectPerHour",
            Self::Thresholded => "potentiallyThresholdedRequestsPerHour",
        }
    }

    /// Returns the number of the current hour or day, at whose end the bucket refills completely; 0 for concurrent requests.
    pub(super) fn window(self, property: &str, now: Timestamp) -> i64 {
        match self {
            Self::Day => pacific_day(now),
            Self::Concurrent => 0,
            Self::Hour | Self::ProjectHour | Self::ServerErrors | Self::Thresholded => {
                (now.as_second() + hour_offset(property)).div_euclid(3600)
            }
        }
    }
}

/// Returns the next midnight in California.
pub(super) fn next_pacific_midnight(now: Timestamp) -> Timestamp {
    let local = now.to_zoned(pacific());
    local.date().saturating_add(1.day()).to_zoned(pacific()).map_or(now, |midnight| midnight.timestamp())
}

/// Returns the next refill of a property's hourly buckets, which is not on the hour and differs between properties.
pub(super) fn next_refill(property: &str, now: Timestamp) -> Timestamp {
    let shifted = now.as_second() + hour_offset(property);
    let end = (shifted.div_euclid(3600) + 1) * 3600 - hour_offset(property);
    Timestamp::from_second(end).unwrap_or(now)
}

fn hour_offset(property: &str) -> i64 {
    i64::try_from(hash_text(property) % 3600).unwrap_or(0)
}

fn pacific_day(now: Timestamp) -> i64 {
    next_pacific_midnight(now).as_second()
}

fn pacific() -> TimeZone {
    TimeZone::get("America/Los_Angeles").unwrap_or(TimeZone::UTC)
}
