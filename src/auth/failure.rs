//! Classifies answers that have no access token.
//!
//! Google's `error` and `error_description` decide, since the status is 400 for nearly everything; without them, the status
//! does. Knows the texts of the token endpoint (developers.google.com/identity/protocols/oauth2), of the metadata server and
//! of GKE's. Refuses to know how a token is requested.

use reqwest::StatusCode;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error as ThisError;

use ga4_exporter_core::{
    chain::{one_line, without_markup},
    names::{Reason, TokenReason},
};

use crate::{
    secrets::hidden,
    transport::{self, Answer},
};

mod remedy;

/// Why there is no access token, with the kind of credentials.
#[derive(Debug, ThisError)]
#[error("{}{}{message}", self.headline(), if message.is_empty() { "" } else { ": " })]
pub struct AuthError {
    kind: Kind,
    signer: Signer,
    /// The answer's text: on one line, cut, without secrets. May be empty.
    message: String,
    #[source]
    cause: Option<transport::TransportError>,
}

/// The kind of credentials that sign in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Signer {
    /// A service account's key.
    ServiceAccount,
    /// A user's refresh token.
    AuthorizedUser,
    /// The account of the machine.
    MetadataServer,
}

/// The kind of failure, by what an operator has to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// Set the machine's clock.
    Clock,
    /// Create another key, or sign in again.
    InvalidKey,
    /// Create the account again, or use another.
    UnknownAccount,
    /// Let the pod use the account (GKE).
    NoBinding,
    /// Allow the account the Analytics scope.
    Scope,
    /// Wait, and find out what else requests tokens.
    RateLimit,
    /// A human signs in again.
    Reauthenticate,
    /// Check the file's `token_uri`.
    Audience,
    /// Wait: no complete answer in time.
    Timeout,
    /// Check the network.
    Connection,
    /// Wait: Google failed.
    ServerError,
    /// Check proxies on the way to Google.
    Protocol,
}

impl AuthError {
    pub(super) fn new(signer: Signer, kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, signer, message: message.into(), cause: None }
    }

    /// Creates the error of a request without a complete answer.
    pub(super) fn of_transport(signer: Signer, cause: transport::TransportError) -> Self {
        let kind = match &cause {
            transport::TransportError::Timeout(_) | transport::TransportError::TooSlow => Kind::Timeout,
            transport::TransportError::Connection { .. } | transport::TransportError::NoTrust(_) => Kind::Connection,
            transport::TransportError::TooLarge(_) | transport::TransportError::Undecodable(_) => Kind::Protocol,
        };
        Self { kind, signer, message: String::new(), cause: Some(cause) }
    }

    /// Reads the error in an answer without a token. `sent` are the secrets of the request, which the answer may echo.
    pub(super) fn from_answer(signer: Signer, answer: &Answer, sent: &[&SecretString]) -> Self {
        let complaint = Complaint::read(answer);
        let kind = match signer {
            Signer::MetadataServer if complaint.codes.is_empty() => kind_of_machine(answer.status, &complaint.text),
            Signer::ServiceAccount | Signer::AuthorizedUser | Signer::MetadataServer => complaint.kind(answer.status),
        };
        Self::new(signer, kind, complaint.message(answer.status, sent))
    }

    /// The category for metrics.
    pub fn reason(&self) -> TokenReason {
        match self.kind {
            Kind::Clock => TokenReason::Clock,
            Kind::InvalidKey => TokenReason::InvalidKey,
            Kind::UnknownAccount | Kind::NoBinding => TokenReason::UnknownAccount,
            Kind::Scope => TokenReason::Scope,
            Kind::RateLimit => TokenReason::RateLimit,
            Kind::Reauthenticate => TokenReason::Reauthenticate,
            Kind::Timeout => TokenReason::Timeout,
            Kind::Connection => TokenReason::Connection,
            Kind::ServerError => TokenReason::ServerError,
            Kind::Audience | Kind::Protocol => TokenReason::Protocol,
        }
    }

    /// The category among the failures of API requests.
    pub fn request_reason(&self) -> Reason {
        match self.reason() {
            TokenReason::Clock
            | TokenReason::InvalidKey
            | TokenReason::UnknownAccount
            | TokenReason::Reauthenticate => Reason::Unauthenticated,
            TokenReason::Scope => Reason::InsufficientScope,
            TokenReason::RateLimit => Reason::RateLimit,
            TokenReason::Timeout => Reason::Timeout,
            TokenReason::Connection => Reason::Connection,
            TokenReason::ServerError => Reason::ServerError,
            TokenReason::Protocol => Reason::Protocol,
        }
    }

    /// What an operator can do about it, as a sentence.
    pub fn remedy(&self) -> String {
        remedy::remedy(self.kind, self.signer)
    }

    /// The beginning of the message, before the answer's text.
    fn headline(&self) -> &'static str {
        let is_machine = self.signer == Signer::MetadataServer;
        match self.kind {
            Kind::Clock => "Google finds the time of the request wrong",
            Kind::InvalidKey if self.signer == Signer::ServiceAccount => "Google refuses the key",
            Kind::InvalidKey => "Google refuses the sign-in",
            Kind::UnknownAccount if is_machine => "this machine has no service account, or it has no scopes",
            Kind::UnknownAccount => "Google does not know the account",
            Kind::NoBinding => "this pod may not use its service account",
            Kind::Scope => "the account may not have the Analytics scope",
            Kind::RateLimit => "too many requests for a token",
            Kind::Reauthenticate => "Google wants the user to sign in again",
            Kind::Audience => "Google was asked at another address than it expects",
            Kind::Timeout if is_machine => "the metadata server does not answer in time",
            Kind::Timeout => "the token endpoint does not answer in time",
            Kind::Connection if is_machine => "no connection to the metadata server",
            Kind::Connection => "no connection to the token endpoint",
            Kind::ServerError if is_machine => "the metadata server failed",
            Kind::ServerError => "the token endpoint failed",
            Kind::Protocol if is_machine => "the metadata server's answer is no token",
            Kind::Protocol => "the token endpoint's answer is no token",
        }
    }
}

/// The error in an answer, in the shapes that occur: RFC 6749 §5.2, Google's error object, a list of one of these, a page.
#[derive(Debug, Default)]
struct Complaint {
    /// `error`, `error_subtype`, or the object's `status` and `reason`.
    codes: Vec<String>,
    /// `error_description`, the object's `message`, or the page's text.
    text: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Raw {
    error: Value,
    error_subtype: Value,
    error_description: Value,
}

impl Complaint {
    fn read(answer: &Answer) -> Self {
        let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let value = match value.get(0) {
            Some(first) => first.clone(),
            None => value,
        };
        if !value.is_object() {
            return Self { codes: Vec::new(), text: without_markup(&String::from_utf8_lossy(&answer.body)) };
        }
        let raw: Raw = serde_json::from_value(value).unwrap_or_default();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        if raw.error.is_object() {
            let inner = |key: &str| raw.error.get(key).unwrap_or(&Value::Null);
            let reason = |list: &str| inner(list).as_array()?.iter().find_map(|item| text(item.get("reason")?));
            let codes = [text(inner("status")), reason("errors"), reason("details")].into_iter().flatten().collect();
            return Self { codes, text: text(inner("message")).unwrap_or_default() };
        }
        let codes = [text(&raw.error), text(&raw.error_subtype)].into_iter().flatten();
        let codes = codes.filter(|code| !code.is_empty()).collect();
        Self { codes, text: text(&raw.error_description).unwrap_or_default() }
    }

    /// Google's text, or that there is none.
    fn message(&self, status: StatusCode, sent: &[&SecretString]) -> String {
        let code = self.codes.join(", ");
        let text = self.text.trim();
        let message = match (code.as_str(), text) {
            ("", "") => return format!("status {} without a word", status.as_u16()),
            ("", text) => format!("status {}: {text}", status.as_u16()),
            (code, "") => code.to_owned(),
            (code, text) => format!("{code}: {text}"),
        };
        one_line(&hidden(&message, sent), MAX_MESSAGE_CHARACTERS)
    }

    fn kind(&self, status: StatusCode) -> Kind {
        let text = self.text.to_lowercase();
        let says = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
        let is = |names: &[&str]| self.codes.iter().any(|code| names.contains(&normal(code).as_str()));
        if is(TOO_OFTEN) || normal(&text).contains("ratelimitexceeded") || status == StatusCode::TOO_MANY_REQUESTS {
            Kind::RateLimit
        } else if is_passing(status) || is(FAILED) {
            Kind::ServerError
        } else if is(SIGN_IN_AGAIN) || says(&["reauth related", "invalid_rapt", "rapt_required"]) {
            Kind::Reauthenticate
        } else if is(REFUSED) && says(&["short-lived token", "iat and exp", "reasonable timeframe"]) {
            Kind::Clock
        } else if is(REFUSED) && says(&["audience"]) {
            Kind::Audience
        } else if is(GONE) || (is(&["invalidgrant"]) && says(NO_SUCH_ACCOUNT)) {
            Kind::UnknownAccount
        } else if is(&["invalidgrant", "invalidclient", "unauthenticated"]) || (is(REFUSED) && says(&["jwt signature"]))
        {
            Kind::InvalidKey
        } else if is(NOT_ALLOWED) {
            Kind::Scope
        } else {
            Kind::Protocol
        }
    }
}

/// Classifies answers of the metadata server without a JSON error: pages, and IAM's texts on GKE.
fn kind_of_machine(status: StatusCode, text: &str) -> Kind {
    let text = text.to_lowercase();
    // GKE answers 500 for what IAM refuses.
    let is_of_iam = text.contains("iam returned 403") || text.contains("iam returned 404");
    if is_of_iam || text.contains("iam.serviceaccounts.getaccesstoken") || text.contains("gaia id not found") {
        Kind::NoBinding
    } else if status == StatusCode::TOO_MANY_REQUESTS || text.contains("iam returned 429") {
        Kind::RateLimit
    } else if is_passing(status) {
        Kind::ServerError
    } else if status == StatusCode::NOT_FOUND {
        Kind::UnknownAccount
    } else if text.contains("scope") {
        Kind::Scope
    } else {
        Kind::Protocol
    }
}

fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || [408, 409, 499].contains(&status.as_u16())
}

/// Normalizes a code, so that `RATE_LIMIT_EXCEEDED` equals `rateLimitExceeded`.
fn normal(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

const TOO_OFTEN: &[&str] =
    &["ratelimitexceeded", "userratelimitexceeded", "resourceexhausted", "quotaexceeded", "slowdown"];

const FAILED: &[&str] = &[
    "internalfailure",
    "servererror",
    "temporarilyunavailable",
    "internal",
    "unavailable",
    "aborted",
    "cancelled",
    "deadlineexceeded",
    "backenderror",
];

const SIGN_IN_AGAIN: &[&str] =
    &["invalidrapt", "raptrequired", "reauthrequired", "loginrequired", "interactionrequired", "consentrequired"];

/// A refused signature or its times: `invalid_grant` of OAuth, `INVALID_ARGUMENT` in Google's error object.
const REFUSED: &[&str] = &["invalidgrant", "invalidargument"];

const GONE: &[&str] = &["disabledclient", "deletedclient", "accountdisabled", "accountdeleted", "notfound"];

const NO_SUCH_ACCOUNT: &[&str] = &[
    "account not found",
    "not a valid email",
    "invalid email",
    "account has been deleted",
    "account has been disabled",
    "account is disabled",
    "account disabled",
    "account deleted",
];

const NOT_ALLOWED: &[&str] = &[
    "unauthorizedclient",
    "invalidscope",
    "accessdenied",
    "adminpolicyenforced",
    "restrictedclient",
    "orginternal",
    "permissiondenied",
];

const MAX_MESSAGE_CHARACTERS: usize = 400;

#[cfg(test)]
mod tests;
