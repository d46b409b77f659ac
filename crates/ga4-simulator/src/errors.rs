//! Google's error answers: status, text and details as the Data and Admin APIs return them.
//!
//! Sources: the error page of the Data API, google/api/error_reason.proto, google/rpc/error_details.proto, and texts
//! that users quote in public issues. Other texts are modelled on these and marked as such.

use serde_json::{Map, Value, json};

use super::{faults::Method, quota::Bucket, wire::Violation};

/// An error answer of an API.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ApiError {
    pub(super) http: u16,
    status: &'static str,
    message: String,
    details: Vec<Value>,
}

/// An error that a test can request; see [`super::Effect::Refuse`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// 400 INVALID_ARGUMENT
    InvalidArgument,
    /// 401 UNAUTHENTICATED
    Unauthenticated,
    /// 403, the account is not a user of the property.
    NoAccess,
    /// 403, the API is not enabled in the Cloud project; the details name the URL that enables it.
    ServiceDisabled,
    /// 403, the token lacks the Analytics scope.
    InsufficientScope,
    /// 404 NOT_FOUND
    NotFound,
    /// 429, an empty quota bucket of the property.
    Exhausted(Bucket),
    /// 429, too many requests per minute from the Cloud project.
    RateLimitExceeded,
    /// The same error with status 403, as the Admin API may answer.
    RateLimitExceededForbidden,
    /// 500 INTERNAL
    Internal,
    /// 503 UNAVAILABLE
    Unavailable,
}

/// The API that answers; errors name it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Api {
    Data,
    Admin,
}

impl Api {
    pub(super) fn service(self) -> &'static str {
        match self {
            Self::Data => "analyticsdata.googleapis.com",
            Self::Admin => "analyticsadmin.googleapis.com",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Data => "Google Analytics Data API",
            Self::Admin => "Google Analytics Admin API",
        }
    }
}

impl ApiError {
    /// Returns the error for a refusal that a test requested.
    pub(super) fn refusal(refusal: Refusal, api: Api, method: Method) -> Self {
        match refusal {
            Refusal::InvalidArgument => Self::invalid("Request contains an invalid argument."),
            Refusal::Unauthenticated => Self::bad_token(),
            Refusal::NoAccess => Self::no_access(api),
            Refusal::ServiceDisabled => Self::service_disabled(api),
            Refusal::InsufficientScope => Self::insufficient_scope(api, method),
            Refusal::NotFound => Self::not_found(),
            Refusal::Exhausted(bucket) => Self::exhausted(bucket),
            Refusal::RateLimitExceeded => Self::rate_limit(429, "RESOURCE_EXHAUSTED", api),
            Refusal::RateLimitExceededForbidden => Self::rate_limit(403, "PERMISSION_DENIED", api),
            Refusal::Internal => Self::new(500, "INTERNAL", "Internal error encountered."),
            Refusal::Unavailable => Self::new(503, "UNAVAILABLE", "The service is currently unavailable."),
        }
    }

    /// 400 INVALID_ARGUMENT
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_ARGUMENT", message)
    }

    /// 400 for a body that is not the expected message.
    pub(super) fn bad_request(violations: &[Violation]) -> Self {
        let texts: Vec<&str> = violations.iter().map(|one| one.description.as_str()).collect();
        let fields: Vec<Value> = violations.iter().map(field_violation).collect();
        let details = json!({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": fields});
        Self::invalid(texts.join("\n")).with(details)
    }

    /// 401 without an `Authorization` header.
    pub(super) fn missing_token(api: Api, method: Method) -> Self {
        let message = "Request is missing required authentication credential. Expected OAuth 2 access token, \
            login cookie or other valid authentication credential. See \
            https://developers.google.com/identity/sign-in/web/devconsole-project.";
        let metadata = json!({"service": api.service(), "method": method.rpc()});
        let info = error_info("CREDENTIALS_MISSING", "googleapis.com", metadata);
        Self::new(401, "UNAUTHENTICATED", message).with(info)
    }

    /// 401 for a token that is expired, revoked, damaged or unknown; the details do not say which.
    pub(super) fn bad_token() -> Self {
        let message = "Request had invalid authentication credentials. Expected OAuth 2 access token, \
            login cookie or other valid authentication credential. See \
            https://developers.google.com/identity/sign-in/web/devconsole-project.";
        Self::new(401, "UNAUTHENTICATED", message)
    }

    /// Returns the `WWW-Authenticate` header, which only a 401 has.
    pub(super) fn challenge(&self) -> Option<&'static str> {
        let missing = "Bearer realm=\"https://accounts.google.com/\"";
        let invalid = "Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\"";
        (self.http == 401).then_some(if self.details.is_empty() { invalid } else { missing })
    }

    /// 403 for a property that the caller may not see, or that does not exist.
    pub(super) fn no_access(api: Api) -> Self {
        let message = match api {
            Api::Data => {
                "User does not have sufficient permissions for this property. To learn more about \
                Property ID, see https://developers.google.com/analytics/devguides/reporting/data/v1/property-id."
            }
            Api::Admin => "The caller does not have permission",
        };
        Self::new(403, "PERMISSION_DENIED", message)
    }

    /// 403 for a token without the Analytics scope.
    pub(super) fn insufficient_scope(api: Api, method: Method) -> Self {
        let message = "Request had insufficient authentication scopes.";
        Self::new(403, "PERMISSION_DENIED", message).with(error_info(
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "googleapis.com",
            json!({"service": api.service(), "method": method.rpc()}),
        ))
    }

    /// 404 of the APIs.
    pub(super) fn not_found() -> Self {
        Self::new(404, "NOT_FOUND", "Requested entity was not found.")
    }

    /// 413 for a body that is too large.
    pub(super) fn too_large() -> Self {
        Self::new(413, "INVALID_ARGUMENT", "Request payload size exceeds the limit.")
    }

    /// 429 for an empty bucket.
    pub(super) fn exhausted(bucket: Bucket) -> Self {
        Self::new(429, "RESOURCE_EXHAUSTED", bucket.message())
    }

    /// Returns the body.
    pub(super) fn body(&self) -> Value {
        let mut error = Map::new();
        error.insert("code".into(), json!(self.http));
        error.insert("message".into(), json!(self.message));
        error.insert("status".into(), json!(self.status));
        if !self.details.is_empty() {
            error.insert("details".into(), Value::Array(self.details.clone()));
        }
        json!({ "error": error })
    }

    fn new(http: u16, status: &'static str, message: impl Into<String>) -> Self {
        Self { http, status, message: message.into(), details: Vec::new() }
    }

    fn with(mut self, detail: Value) -> Self {
        self.details.push(detail);
        self
    }

    fn service_disabled(api: Api) -> Self {
        let (service, title) = (api.service(), api.title());
        let url = format!("https://console.developers.google.com/apis/api/{service}/overview?project={PROJECT_NUMBER}");
        let message = format!(
            "{title} has not been used in project {PROJECT_NUMBER} before or it is disabled. Enable it by visiting \
             {url} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to \
             our systems and retry."
        );
        let help = json!({
            "@type": "type.googleapis.com/google.rpc.Help",
            "links": [{"description": "Google developers console API activation", "url": url}],
        });
        let metadata = json!({
            "consumer": format!("projects/{PROJECT_NUMBER}"),
            "service": service,
            "serviceTitle": title,
            "containerInfo": PROJECT_NUMBER,
            "activationUrl": url,
        });
        Self::new(403, "PERMISSION_DENIED", message).with(help).with(error_info(
            "SERVICE_DISABLED",
            "googleapis.com",
            metadata,
        ))
    }

    fn rate_limit(http: u16, status: &'static str, api: Api) -> Self {
        let service = api.service();
        let message = format!(
            "Quota exceeded for quota metric 'Requests' and limit 'Requests per minute' of service '{service}' for \
             consumer 'project_number:{PROJECT_NUMBER}'."
        );
        let metadata = json!({
            "consumer": format!("projects/{PROJECT_NUMBER}"),
            "service": service,
            "quota_location": "global",
            "quota_limit": "RequestsPerMinutePerProject",
            "quota_limit_value": "1200",
            "quota_metric": format!("{service}/requests"),
            "quota_unit": "1/min/{project}",
        });
        Self::new(http, status, message).with(error_info("RATE_LIMIT_EXCEEDED", "googleapis.com", metadata))
    }
}

fn error_info(reason: &str, domain: &str, metadata: Value) -> Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": domain,
        "metadata": metadata,
    })
}

fn field_violation(violation: &Violation) -> Value {
    let description = &violation.description;
    if violation.field.is_empty() {
        return json!({ "description": description });
    }
    json!({"field": violation.field, "description": description})
}

/// The number of the Cloud project that the demo's service account belongs to.
pub(super) const PROJECT_NUMBER: &str = "314159265358";
