//! Which error means what.
//!
//! Shapes and texts: developers.google.com/analytics/devguides/reporting/data/v1/errors, google/rpc/error_details.proto
//! and google/api/error_reason.proto. The texts of the quota errors carry the only hint at the bucket.

use reqwest::StatusCode;
use serde::Deserialize;
use thiserror::Error as ThisError;

use crate::{
    auth,
    chain::one_line,
    names::{Bucket, PropertyId, Reason},
    transport,
};

/// Why Google did not answer a request, named by what there is to do.
#[derive(Debug, ThisError)]
pub enum Error {
    /// Mend the report's definition, or the property's id.
    #[error("Google refuses the request: {0}")]
    InvalidRequest(String),
    /// Nothing to do at once: the token was renewed, and is still refused.
    #[error("Google does not accept the access token: {0}")]
    Unauthenticated(String),
    /// Give the account access to the property.
    #[error("Google denies access: {0}")]
    NoAccess(String),
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
    /// Wait until the bucket is refilled.
    #[error("quota exhausted: {message}")]
    QuotaExhausted {
        /// The empty bucket.
        bucket: Bucket,
        /// Google's text.
        message: String,
    },
    /// Slow down everything that this Cloud project asks.
    #[error("the Cloud project sends too many requests: {0}")]
    RateLimited(String),
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
    Timeout(#[source] transport::Error),
    /// Look at the network between here and Google.
    #[error("no connection to Google")]
    Connection(#[source] transport::Error),
    /// Look at what stands between here and Google: the answer is not Google's, or not what was asked for.
    #[error("the answer is not what was asked for: {0}")]
    Protocol(String),
    /// Mend the sign-in; nothing was sent.
    #[error("not signed in")]
    NoCredentials(#[source] auth::Unavailable),
}

impl Error {
    /// The category for metrics and for scheduling.
    pub fn reason(&self) -> Reason {
        match self {
            Self::InvalidRequest(_) => Reason::InvalidRequest,
            Self::Unauthenticated(_) => Reason::Unauthenticated,
            Self::NoAccess(_) => Reason::NoAccess,
            Self::ApiDisabled { .. } => Reason::ApiDisabled,
            Self::InsufficientScope(_) => Reason::InsufficientScope,
            Self::QuotaExhausted { bucket, .. } => quota_reason(*bucket),
            Self::RateLimited(_) => Reason::RateLimit,
            Self::ServerError { .. } => Reason::ServerError,
            Self::Timeout(_) => Reason::Timeout,
            Self::Connection(_) => Reason::Connection,
            Self::Protocol(_) => Reason::Protocol,
            Self::NoCredentials(_) => Reason::NoCredentials,
        }
    }

    /// What an operator can do about it, as a sentence. `account` is the e-mail address that signs in, where it is
    /// known.
    pub fn remedy(&self, property: Option<PropertyId>, account: Option<&str>) -> String {
        let account = account.unwrap_or("the account that signs in");
        match self {
            Self::InvalidRequest(_) => "check the property's id and the report's metrics".to_owned(),
            Self::NoAccess(_) => no_access_remedy(property, account),
            Self::ApiDisabled { url, .. } => format!("enable the API at {url} and wait a few minutes"),
            Self::InsufficientScope(_) => format!(
                "sign in with the scope {}: a service account's key needs nothing else, a virtual machine must be \
                 created with that scope, gcloud needs `gcloud auth application-default login --scopes=…`",
                auth::SCOPE
            ),
            Self::QuotaExhausted { bucket: Bucket::Concurrent, .. } => {
                "nothing to do; if it lasts, other tools ask this property at the same time".to_owned()
            }
            Self::QuotaExhausted { .. } => {
                "it refills by itself; if it comes back, poll less often or find out which other tools use this \
                 property's quota"
                    .to_owned()
            }
            Self::RateLimited(_) => {
                "it slows down by itself; other users of this Cloud project may be at work".to_owned()
            }
            Self::Unauthenticated(_) => "check that the key is still listed and enabled for the account".to_owned(),
            Self::ServerError { .. } | Self::Timeout(_) => "nothing to do but wait; it is tried again".to_owned(),
            Self::Connection(_) => "check DNS, firewall and HTTPS_PROXY between here and Google".to_owned(),
            Self::Protocol(_) => {
                "check what stands between here and Google; --log.level=debug shows the answer".to_owned()
            }
            Self::NoCredentials(_) => "mend the sign-in first; the log says what is wrong with it".to_owned(),
        }
    }

    /// The error that an answer with this status and body tells of. `api` is the host name of the API that was asked.
    pub fn from_answer(status: StatusCode, body: &[u8], api: &str) -> Self {
        let google = serde_json::from_slice::<Envelope>(body).ok().map(|envelope| envelope.error);
        let told = google.is_some();
        let google = google.unwrap_or_default();
        let message = google.text(status);
        if status == StatusCode::UNAUTHORIZED {
            return Self::Unauthenticated(message);
        }
        if google.is_rate_limit() {
            return Self::RateLimited(message);
        }
        match status.as_u16() {
            429 => Self::QuotaExhausted { bucket: bucket(&message), message },
            408 => Self::ServerError { status: 408, message },
            500..=599 => Self::ServerError { status: status.as_u16(), message },
            403 if told => google.forbidden(message, api),
            400..=499 if told => Self::InvalidRequest(message),
            _ => Self::Protocol(format!("status {status} and no error of Google's")),
        }
    }
}

impl From<transport::Error> for Error {
    fn from(error: transport::Error) -> Self {
        match error {
            transport::Error::Timeout(_) => Self::Timeout(error),
            transport::Error::Connection { .. } | transport::Error::NoTrust(_) => Self::Connection(error),
            transport::Error::TooLarge | transport::Error::Undecodable(_) => Self::Protocol(error.to_string()),
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
        Bucket::ServerErrors => Reason::ServerError,
        Bucket::Unknown => Reason::QuotaUnknown,
    }
}

fn no_access_remedy(property: Option<PropertyId>, account: &str) -> String {
    let place = property.map_or_else(|| "the property".to_owned(), |id| format!("property {id}"));
    format!(
        "add {account} as Viewer of {place} in Google Analytics under Admin > Property access management, or check the \
         id; it is tried again every 10 minutes"
    )
}

/// The bucket that a 429's text names. The texts are Google's; the order matters, since one contains another.
fn bucket(message: &str) -> Bucket {
    let message = message.to_ascii_lowercase();
    let says = |words: &str| message.contains(words);
    if says("concurrent") {
        Bucket::Concurrent
    } else if says("thresholded") {
        Bucket::Thresholded
    } else if says("server error") {
        Bucket::ServerErrors
    } else if says("project per hour") || says("per project") {
        Bucket::ProjectHour
    } else if says("per hour") || says("hourly") {
        Bucket::Hour
    } else if says("per day") || says("daily") {
        Bucket::Day
    } else {
        Bucket::Unknown
    }
}

/// `{"error": {…}}`, as every Google API answers.
#[derive(Debug, Deserialize)]
struct Envelope {
    error: Status,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    message: Option<String>,
    details: Vec<Detail>,
    /// The older form, which some front ends still answer with.
    errors: Vec<OldError>,
}

/// One of google.rpc's details; only ErrorInfo and Help matter here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Detail {
    reason: String,
    metadata: Metadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    activation_url: Option<String>,
    consumer: Option<String>,
    service: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OldError {
    reason: String,
}

impl Status {
    /// Google's text on one line and of bounded length.
    fn text(&self, status: StatusCode) -> String {
        let text = self.message.as_deref().unwrap_or_default().trim();
        if text.is_empty() {
            return status.to_string();
        }
        one_line(text, MAX_MESSAGE_CHARACTERS)
    }

    fn is_rate_limit(&self) -> bool {
        let old = ["rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded"];
        self.has_reason("RATE_LIMIT_EXCEEDED") || self.errors.iter().any(|error| old.contains(&error.reason.as_str()))
    }

    fn has_reason(&self, reason: &str) -> bool {
        self.details.iter().any(|detail| detail.reason == reason)
    }

    fn forbidden(&self, message: String, api: &str) -> Error {
        let says = |words: &str| message.contains(words);
        if self.has_reason("SERVICE_DISABLED") || says("it is disabled") || says("has not been used in project") {
            let url = self.activation_url(&message, api);
            Error::ApiDisabled { message, url }
        } else if self.has_reason("ACCESS_TOKEN_SCOPE_INSUFFICIENT") || says("insufficient authentication scopes") {
            Error::InsufficientScope(message)
        } else {
            Error::NoAccess(message)
        }
    }

    /// The page that enables the API: told by Google, found in its text, or made of what it tells.
    fn activation_url(&self, message: &str, api: &str) -> String {
        if let Some(url) = self.details.iter().find_map(|detail| detail.metadata.activation_url.clone()) {
            return url;
        }
        let in_text = message.split_whitespace().find(|word| word.starts_with("https://console."));
        if let Some(url) = in_text {
            return url.to_owned();
        }
        let told = |pick: fn(&Metadata) -> &Option<String>| {
            self.details.iter().find_map(|detail| pick(&detail.metadata).as_deref())
        };
        let service = told(|metadata| &metadata.service).unwrap_or(api);
        let project = told(|metadata| &metadata.consumer).and_then(|consumer| consumer.strip_prefix("projects/"));
        let query = project.map(|project| format!("?project={project}")).unwrap_or_default();
        format!("https://console.developers.google.com/apis/api/{service}/overview{query}")
    }
}

/// The longest part of Google's text that is kept.
const MAX_MESSAGE_CHARACTERS: usize = 600;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, body: &str, reason: Reason) -> Error {
        let status = StatusCode::from_u16(status).unwrap();
        let error = Error::from_answer(status, body.as_bytes(), "analyticsdata.googleapis.com");
        assert_eq!(error.reason(), reason, "{error}");
        error
    }

    fn google(code: u16, message: &str, details: &str) -> String {
        format!(r#"{{"error": {{"code": {code}, "message": "{message}", "status": "X", "details": [{details}]}}}}"#)
    }

    #[test]
    fn every_bucket_is_read_from_googles_text() {
        let later = "These quota tokens will return in under an hour.";
        for (message, reason) in [
            ("Exhausted property tokens for a project per hour.", Reason::QuotaProjectHour),
            ("Exhausted property tokens per hour.", Reason::QuotaHour),
            ("Exhausted property tokens per day.", Reason::QuotaDay),
            ("Exhausted concurrent requests quota.", Reason::QuotaConcurrent),
            ("Exhausted potentially thresholded requests quota.", Reason::QuotaThresholded),
            ("Exhausted server errors per project per hour.", Reason::ServerError),
            ("Exhausted something new.", Reason::QuotaUnknown),
        ] {
            check(429, &google(429, &format!("{message} {later}"), ""), reason);
        }
        check(429, "<html>", Reason::QuotaUnknown);
    }

    #[test]
    fn the_kinds_of_403_are_told_apart() {
        check(403, &google(403, "User does not have sufficient permissions for this property.", ""), Reason::NoAccess);
        let disabled = r#"{"reason": "SERVICE_DISABLED", "metadata": {"consumer": "projects/12",
            "service": "analyticsdata.googleapis.com", "activationUrl": "https://console.example/enable"}}"#;
        let error = check(403, &google(403, "It is off.", disabled), Reason::ApiDisabled);
        assert!(error.remedy(None, None).contains("https://console.example/enable"));
        let scope = r#"{"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}"#;
        check(403, &google(403, "Request had insufficient authentication scopes.", scope), Reason::InsufficientScope);
        check(403, &google(403, "Quota exceeded", r#"{"reason": "RATE_LIMIT_EXCEEDED"}"#), Reason::RateLimit);
        check(403, r#"{"error": {"errors": [{"reason": "rateLimitExceeded"}]}}"#, Reason::RateLimit);
        check(403, "<html>forbidden by your proxy</html>", Reason::Protocol);
    }

    #[test]
    fn a_disabled_api_is_pointed_to_even_when_google_gives_no_url() {
        let text = "Google Analytics Data API has not been used in project 7 before or it is disabled.";
        let error = check(403, &google(403, text, ""), Reason::ApiDisabled);
        assert!(error.remedy(None, None).contains("/apis/api/analyticsdata.googleapis.com/overview"));
        let consumer = r#"{"reason": "SERVICE_DISABLED", "metadata": {"consumer": "projects/7"}}"#;
        let error = check(403, &google(403, text, consumer), Reason::ApiDisabled);
        assert!(error.remedy(None, None).contains("?project=7"));
    }

    #[test]
    fn other_statuses() {
        check(400, &google(400, "Field foo is not a valid metric.", ""), Reason::InvalidRequest);
        check(404, &google(404, "Not found.", ""), Reason::InvalidRequest);
        check(404, "<html>", Reason::Protocol);
        check(401, "", Reason::Unauthenticated);
        check(429, &google(429, "Quota exceeded", r#"{"reason": "RATE_LIMIT_EXCEEDED"}"#), Reason::RateLimit);
        for status in [408, 500, 502, 503, 504] {
            check(status, "<html>", Reason::ServerError);
        }
        check(302, "", Reason::Protocol);
    }

    #[test]
    fn no_access_names_the_account_and_the_property() {
        let error = check(403, &google(403, "No.", ""), Reason::NoAccess);
        let remedy = error.remedy(Some("123".parse().unwrap()), Some("exporter@example.iam.gserviceaccount.com"));
        assert!(remedy.contains("add exporter@example.iam.gserviceaccount.com as Viewer of property 123"), "{remedy}");
    }

    #[test]
    fn googles_text_cannot_flood_or_split_the_log() {
        let body = google(400, &format!("a\\nb{}", "x".repeat(10_000)), "");
        let text = check(400, &body, Reason::InvalidRequest).to_string();
        assert!(text.len() < 700 && !text.contains('\n'));
    }
}
