//! Classifies an answer that is an error.
//!
//! Sources: developers.google.com/analytics/devguides/reporting/data/v1/errors, google/rpc/code.proto, and
//! google/api/error_reason.proto for the reasons. The HTTP status decides first, then the reason that Google names, then its
//! text: only the text of a quota error names the bucket.

use http::StatusCode;
use serde::de::IgnoredAny;

use super::{ApiError, ProjectFault, body::GoogleError};
use crate::{chain::one_line, names::Bucket};

impl ApiError {
    /// Returns the error for an answer with this status and body. `api` is the host name of the API.
    pub fn from_answer(status: u16, body: &[u8], api: &str) -> Self {
        let google = GoogleError::read(body);
        let Some(google) = google else { return without_words(status, body) };
        let message = Some(google.message()).filter(|text| !text.is_empty()).unwrap_or_else(|| worded(status));
        let answer = Answer { code: status, google, message, api };
        if status == 401 {
            let lacks_scope = answer.named().filter(|error| matches!(error, Self::InsufficientScope(_)));
            return lacks_scope.unwrap_or(Self::Unauthenticated(answer.message));
        }
        let quota = answer.quota().filter(|_| (400..500).contains(&status));
        if let Some(error) = quota {
            return error;
        }
        match status {
            _ if is_passing(status) => Self::ServerError { status, message: answer.message },
            403 => answer.forbidden(),
            400..=499 => answer.refused(),
            _ => Self::Protocol(format!("status {}", worded(status))),
        }
    }
}

/// An answer without an error of Google's API: from Google's front end, or from a proxy on the way.
fn without_words(status: u16, body: &[u8]) -> ApiError {
    match status {
        401 => ApiError::Unauthenticated(worded(status)),
        // The beginning of an API error that is too long or was cut: it concerns one property.
        429 if is_cut(body) => ApiError::QuotaExhausted { bucket: Bucket::Unknown, message: worded(status) },
        // In no form that is known: a rate of whatever it is. Alone it must not slow down the other properties.
        429 if begins_like_json(body) => ApiError::RateLimited(worded(status)),
        // Google's page for too many requests from one address; errors about buckets are JSON.
        429 => ApiError::AddressLimited(worded(status)),
        _ if is_passing(status) => ApiError::ServerError { status, message: worded(status) },
        _ => ApiError::Protocol(format!("status {} and no error of Google's", worded(status))),
    }
}

/// Whether a body begins like JSON, and does not end so.
fn is_cut(body: &[u8]) -> bool {
    begins_like_json(body) && serde_json::from_slice::<IgnoredAny>(body).is_err()
}

fn begins_like_json(body: &[u8]) -> bool {
    body.trim_ascii_start().first().is_some_and(|byte| b"{[".contains(byte))
}

/// The status with its usual words.
fn worded(status: u16) -> String {
    StatusCode::from_u16(status).map_or_else(|_| status.to_string(), |status| status.to_string())
}

/// Whether the request is fine and can be repeated soon: time-out, ABORTED, CANCELLED, and server errors.
fn is_passing(code: u16) -> bool {
    matches!(code, 408 | 409 | 499 | 500..=599)
}

/// An error of Google's, and the API that sent it.
struct Answer<'a> {
    code: u16,
    google: GoogleError,
    /// Google's text, or that of the status.
    message: String,
    api: &'a str,
}

impl Answer<'_> {
    /// An exhausted quota, or a rate that is too high.
    fn quota(&self) -> Option<ApiError> {
        let is_old_limit = self.google.has_old_reason(OLD_LIMITS) || (self.code == 403 && self.says(OLD_LIMIT_TEXTS));
        let is_project_rate = self.google.has_cause("RATE_LIMIT_EXCEEDED") || self.says(&["for quota metric"]);
        let is_quota = self.code == 429 || self.google.status() == "RESOURCE_EXHAUSTED";
        if !(is_quota || is_old_limit || is_project_rate) {
            return None;
        }
        let message = self.message.clone();
        // The older form of an error about a bucket has the reason of a rate limit.
        let bucket = bucket(&message);
        let is_rate = is_project_rate || (is_old_limit && bucket == Bucket::Unknown);
        Some(if is_rate { ApiError::RateLimited(message) } else { ApiError::QuotaExhausted { bucket, message } })
    }

    /// A 403: by the reason that Google names, by its text, or else missing access.
    fn forbidden(self) -> ApiError {
        if let Some(error) = self.named().or_else(|| self.worded()) {
            return error;
        }
        let is_other = |cause: &&str| !ACCESS_CAUSES.contains(cause);
        match self.google.causes().find(is_other).map(shown) {
            Some(cause) if !self.says(&["sufficient permissions for this property"]) => {
                ApiError::Denied { cause, message: self.message }
            }
            Some(_) | None => ApiError::NoAccess(self.message),
        }
    }

    /// Any other refusal: by the reason that Google names, or by its canonical code.
    fn refused(self) -> ApiError {
        if let Some(error) = self.named() {
            return error;
        }
        match self.google.status() {
            "UNAVAILABLE" | "ABORTED" | "CANCELLED" | "DEADLINE_EXCEEDED" | "INTERNAL" | "UNKNOWN" | "DATA_LOSS" => {
                ApiError::ServerError { status: self.code, message: self.message }
            }
            "UNAUTHENTICATED" => ApiError::Unauthenticated(self.message),
            "PERMISSION_DENIED" => self.forbidden(),
            _ => ApiError::InvalidRequest(self.message),
        }
    }

    /// Returns the error for the reason that Google names, if it is known.
    fn named(&self) -> Option<ApiError> {
        let error = |cause: &str| match cause {
            "SERVICE_DISABLED" => Some(self.disabled()),
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT" => Some(ApiError::InsufficientScope(self.message.clone())),
            "USER_PROJECT_DENIED" => Some(self.project(ProjectFault::MayNotUse)),
            "CONSUMER_INVALID" | "RESOURCE_PROJECT_INVALID" => Some(self.project(ProjectFault::Invalid)),
            "CONSUMER_SUSPENDED" | "GCP_SUSPENDED" => Some(self.project(ProjectFault::Suspended)),
            "BILLING_DISABLED" => Some(self.project(ProjectFault::NoBilling)),
            "SECURITY_POLICY_VIOLATED" | "ORG_RESTRICTION_VIOLATION" | "RESOURCE_USAGE_RESTRICTION_VIOLATED" => {
                Some(self.perimeter())
            }
            _ => None,
        };
        self.google.causes().find_map(error)
    }

    /// The same by Google's text: older answers and some front ends send nothing else.
    fn worded(&self) -> Option<ApiError> {
        if self.lacks_quota_project()
            || self.says(&["it is disabled", "has not been used in project"])
            || self.google.has_old_reason(&["accessNotConfigured"])
        {
            Some(self.disabled())
        } else if self.says(&["insufficient authentication scopes"]) {
            Some(ApiError::InsufficientScope(self.message.clone()))
        } else if self.says(&["permission to use project", "serviceusage.services.use"]) {
            Some(self.project(ProjectFault::MayNotUse))
        } else if self.says(&["not found or deleted"])
            || (self.says(&["project #"]) && self.says(&["has been deleted"]))
        {
            Some(self.project(ProjectFault::Invalid))
        } else if self.says(&["consumer"]) && self.says(&["has been suspended"]) {
            Some(self.project(ProjectFault::Suspended))
        } else if self.says(&["requires billing to be enabled"]) {
            Some(self.project(ProjectFault::NoBilling))
        } else if self.says(&["prohibited by organization's policy", "vpcservicecontrols"]) {
            Some(self.perimeter())
        } else {
            None
        }
    }

    /// The API is disabled: it has to be enabled, except in gcloud's own project, where that is impossible.
    fn disabled(&self) -> ApiError {
        let message = self.message.clone();
        if !self.lacks_quota_project() {
            return ApiError::ApiDisabled { url: self.activation_url(), message };
        }
        // Google's text then links to gcloud's own project.
        let message = if names_gcloud(&message) {
            "the requests are counted for gcloud's own project".to_owned()
        } else {
            message
        };
        ApiError::CloudProject { fault: ProjectFault::NoQuotaProject, message }
    }

    fn lacks_quota_project(&self) -> bool {
        self.says(&["requires a quota project"])
            || self.google.all_metadata().any(names_gcloud)
            || names_gcloud(&self.message)
    }

    fn project(&self, fault: fn(Option<String>) -> ProjectFault) -> ApiError {
        let consumer = self.google.metadata("consumer").map(|consumer| consumer.trim_start_matches("projects/"));
        let project = consumer.filter(|project| is_plain(project)).map(str::to_owned);
        ApiError::CloudProject { fault: fault(project), message: self.message.clone() }
    }

    fn perimeter(&self) -> ApiError {
        let in_text = || self.message.split_once("UniqueIdentifier: ")?.1.split_whitespace().next();
        let identifier = self.google.metadata("uid").or_else(in_text).map(|text| text.trim_end_matches('.'));
        let identifier = identifier.filter(|identifier| is_plain(identifier)).map(str::to_owned);
        ApiError::Perimeter { message: self.message.clone(), identifier }
    }

    /// Returns the page that enables the API: named by Google, found in its text, or built from its details.
    fn activation_url(&self) -> String {
        let is_console = |word: &&str| word.starts_with("https://console.");
        if let Some(url) = self.google.metadata("activationUrl").filter(is_console) {
            return one_line(url, MAX_URL_CHARACTERS);
        }
        let in_text = self.message.split_whitespace().find(is_console);
        if let Some(url) = in_text {
            return url.to_owned();
        }
        let service = self.google.metadata("service").filter(|service| is_plain(service)).unwrap_or(self.api);
        let project = self.google.metadata("consumer").and_then(|consumer| consumer.strip_prefix("projects/"));
        let project = project.filter(|project| is_plain(project));
        let query = project.map(|project| format!("?project={project}")).unwrap_or_default();
        format!("https://console.developers.google.com/apis/api/{service}/overview{query}")
    }

    /// Whether Google's text contains one of these, ignoring case.
    fn says(&self, words: &[&str]) -> bool {
        let message = self.message.to_lowercase();
        words.iter().any(|words| message.contains(words))
    }
}

/// Returns the bucket that the first sentence of a quota error names; what follows says when it is refilled. The order
/// matters, since some texts contain others.
fn bucket(message: &str) -> Bucket {
    let message = message.to_lowercase();
    let first = message.split_once(". ").map_or(message.as_str(), |(first, _)| first);
    let says = |words: &str| first.contains(words);
    if says("concurrent") {
        Bucket::Concurrent
    } else if says("thresholded") {
        Bucket::Thresholded
    } else if says("server error") {
        Bucket::ServerErrors
    } else if says("client error") {
        Bucket::ClientErrors
    } else if says("per day") || says("daily") {
        Bucket::Day
    } else if (says("per hour") || says("hourly")) && says("project") {
        Bucket::ProjectHour
    } else if says("per hour") || says("hourly") {
        Bucket::Hour
    } else if message.contains("in under 24 hours") {
        Bucket::Day
    } else {
        Bucket::Unknown
    }
}

/// Whether a text names one of gcloud's own projects, in which users cannot enable APIs.
fn names_gcloud(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| GCLOUD_PROJECTS.contains(&word))
}

/// Whether a name looks like one of Google's ids or host names, so that it is safe to show.
fn is_plain(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    !name.is_empty() && name.len() <= MAX_NAME_BYTES && name.chars().all(fits)
}

fn shown(cause: &str) -> String {
    one_line(cause, MAX_NAME_BYTES)
}

/// Reasons of rate limits in the older form.
const OLD_LIMITS: &[&str] = &["rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded"];

/// Texts of rate limits in the older form.
const OLD_LIMIT_TEXTS: &[&str] = &["rate limit exceeded", "number of recent failed reporting api requests is too high"];

/// Reasons that access to the property would resolve.
const ACCESS_CAUSES: &[&str] = &["IAM_PERMISSION_DENIED", "PERMISSION_DENIED", "ACCESS_DENIED"];

/// The projects of gcloud's OAuth clients: for Application Default Credentials, and for gcloud itself.
const GCLOUD_PROJECTS: &[&str] = &["764086051850", "32555940559"];

const MAX_NAME_BYTES: usize = 100;

const MAX_URL_CHARACTERS: usize = 300;

#[cfg(test)]
mod tests;
