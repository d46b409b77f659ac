//! Why Google did not answer, and what that means for the schedule.
//!
//! Knows every way in which a request fails, and its category. `body` reads what Google says, `verdict` decides which error
//! that is, `remedy` says what an operator can do about it, and `advice` the same to somebody who has asked once.

use std::error::Error as StdError;

use jiff::SignedDuration;
use thiserror::Error as ThisError;

pub use project::ProjectFault;

use crate::names::{Bucket, Reason};

mod advice;
mod body;
mod project;
mod remedy;
mod verdict;

/// Why Google did not answer a request, named by what there is to do.
#[derive(Debug, ThisError)]
pub enum ApiError {
    /// Correct the report's definition, or the property's id.
    #[error("Google refuses the request: {0}")]
    InvalidRequest(String),
    /// Check the key: the token was renewed and is still refused.
    #[error("Google does not accept the access token: {0}")]
    Unauthenticated(String),
    /// Give the account access to the property.
    #[error("Google denies access: {0}")]
    NoAccess(String),
    /// Google denies access and names a cause that this version does not know.
    #[error("Google denies access for the reason {cause}: {message}")]
    Denied {
        /// `reason` of Google's ErrorInfo.
        cause: String,
        /// Google's text.
        message: String,
    },
    /// Enable the API in the account's Cloud project.
    #[error("the API is not enabled: {message}")]
    ApiDisabled {
        /// Google's text.
        message: String,
        /// The page with the button.
        url: String,
    },
    /// Sign in with the Analytics scope.
    #[error("the access token does not cover Google Analytics: {0}")]
    InsufficientScope(String),
    /// Correct the Cloud project that the requests count for.
    #[error("{fault}: {message}")]
    CloudProject {
        /// What is wrong with it.
        fault: ProjectFault,
        /// Google's text.
        message: String,
    },
    /// Have the organization's policy changed.
    #[error("a policy of the Google Cloud organization refuses the request: {message}")]
    Perimeter {
        /// Google's text.
        message: String,
        /// The identifier by which the organization's administrators find the refusal.
        identifier: Option<String>,
    },
    /// Wait until the bucket is refilled.
    #[error("quota exhausted: {message}")]
    QuotaExhausted {
        /// The empty bucket.
        bucket: Bucket,
        /// Google's text.
        message: String,
    },
    /// Slow down all requests of this Cloud project.
    #[error("the Cloud project sends too many requests: {0}")]
    RateLimited(String),
    /// Slow down all requests from this address.
    #[error("too many requests come from this address: {0}")]
    AddressLimited(String),
    /// Try again later.
    #[error("Google failed with status {status}: {message}")]
    ServerError {
        /// The HTTP status.
        status: u16,
        /// Google's text.
        message: String,
    },
    /// Try again later: no complete answer in time.
    #[error("no answer in time")]
    Timeout(#[source] Box<dyn StdError + Send + Sync>),
    /// Look at the network between here and Google.
    #[error("no connection to Google")]
    Connection(#[source] Box<dyn StdError + Send + Sync>),
    /// Check proxies on the way: the answer is not Google's, or does not match the request.
    #[error("the answer is not what was asked for: {0}")]
    Protocol(String),
    /// Raise the limit, or let the account see fewer properties.
    #[error("Google lists more than {most} properties, the most that limits.properties allows")]
    TooManyProperties {
        /// The limit.
        most: usize,
    },
    /// Set this machine's clock: the requested dates are wrong.
    #[error("this machine's clock is {} s {} Google's", .ahead.unsigned_abs().as_secs(), if .ahead.is_negative() { "behind" } else { "ahead of" })]
    Clock {
        /// By how much the clock is ahead; negative where it is behind.
        ahead: SignedDuration,
    },
    /// Fix the sign-in; no request was sent.
    #[error("not signed in")]
    NoCredentials {
        /// What an operator can do about the sign-in, if it has failed.
        remedy: Option<String>,
        /// Why there is no access token.
        #[source]
        cause: Box<dyn StdError + Send + Sync>,
    },
}

impl ApiError {
    /// The category for metrics and for scheduling.
    pub fn reason(&self) -> Reason {
        match self {
            Self::InvalidRequest(_) => Reason::InvalidRequest,
            Self::Unauthenticated(_) => Reason::Unauthenticated,
            Self::NoAccess(_) | Self::Denied { .. } => Reason::NoAccess,
            Self::ApiDisabled { .. } => Reason::ApiDisabled,
            Self::InsufficientScope(_) => Reason::InsufficientScope,
            Self::CloudProject { .. } => Reason::CloudProject,
            Self::Perimeter { .. } => Reason::Perimeter,
            Self::QuotaExhausted { bucket, .. } => quota_reason(*bucket),
            Self::RateLimited(_) | Self::AddressLimited(_) => Reason::RateLimit,
            Self::ServerError { .. } => Reason::ServerError,
            Self::Timeout(_) => Reason::Timeout,
            Self::Connection(_) => Reason::Connection,
            Self::Protocol(_) | Self::TooManyProperties { .. } => Reason::Protocol,
            Self::Clock { .. } => Reason::Clock,
            Self::NoCredentials { .. } => Reason::NoCredentials,
        }
    }
}

fn quota_reason(bucket: Bucket) -> Reason {
    match bucket {
        Bucket::Day => Reason::QuotaDay,
        Bucket::Hour => Reason::QuotaHour,
        Bucket::ProjectHour => Reason::QuotaProjectHour,
        Bucket::Concurrent => Reason::QuotaConcurrent,
        Bucket::Thresholded => Reason::QuotaThresholded,
        Bucket::ClientErrors => Reason::QuotaClientErrors,
        Bucket::ServerErrors => Reason::ServerError,
        Bucket::Unknown => Reason::QuotaUnknown,
    }
}
