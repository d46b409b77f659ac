//! One token for one set of credentials.
//!
//! The JWT-bearer grant of RFC 7523 as Google has it (developers.google.com/identity/protocols/oauth2/service-account),
//! the refresh-token grant of RFC 6749 §6, and the metadata server. What went wrong is read from Google's `error` and
//! `error_description`, since the status is 400 for everything.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use reqwest::{RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use thiserror::Error as ThisError;

use super::{
    SCOPE,
    credentials::Source,
    key_file::{AuthorizedUser, KeyFile, ServiceAccount},
};
use crate::{
    chain::one_line,
    names::{Reason, TokenReason},
    transport::{self, Answer, Transport},
};

/// What the token endpoint gave.
pub struct Grant {
    /// The access token.
    pub secret: SecretString,
    /// How long it is valid, in seconds from the sending of the request; at least 1.
    pub lifetime_seconds: u32,
    /// The Cloud project that a user's requests are counted on.
    pub quota_project: Option<String>,
}

/// Why there is no token, named by what there is to do.
#[derive(Debug, ThisError)]
pub enum Error {
    /// Set the machine's clock.
    #[error("Google finds the time of the request wrong: {0}")]
    Clock(String),
    /// Create another key.
    #[error("Google refuses the key: {0}")]
    InvalidKey(String),
    /// Create the account again, or use another.
    #[error("Google does not know the account: {0}")]
    UnknownAccount(String),
    /// Allow the account the Analytics scope.
    #[error("the account may not have the Analytics scope: {0}")]
    Scope(String),
    /// Wait: no complete answer in time.
    #[error("the token endpoint does not answer in time")]
    Timeout(#[source] transport::Error),
    /// Look at the network between here and Google.
    #[error("no connection to the token endpoint")]
    Connection(#[source] transport::Error),
    /// Wait: Google's own trouble.
    #[error("the token endpoint failed: {0}")]
    ServerError(String),
    /// Look at what stands between here and Google.
    #[error("the token endpoint's answer is no token: {0}")]
    Protocol(String),
}

impl Error {
    /// The category for metrics.
    pub fn reason(&self) -> TokenReason {
        match self {
            Self::Clock(_) => TokenReason::Clock,
            Self::InvalidKey(_) => TokenReason::InvalidKey,
            Self::UnknownAccount(_) => TokenReason::UnknownAccount,
            Self::Scope(_) => TokenReason::Scope,
            Self::Timeout(_) => TokenReason::Timeout,
            Self::Connection(_) => TokenReason::Connection,
            Self::ServerError(_) => TokenReason::ServerError,
            Self::Protocol(_) => TokenReason::Protocol,
        }
    }

    /// The category among the failures of requests.
    pub fn request_reason(&self) -> Reason {
        match self {
            Self::Clock(_) | Self::InvalidKey(_) | Self::UnknownAccount(_) => Reason::Unauthenticated,
            Self::Scope(_) => Reason::InsufficientScope,
            Self::Timeout(_) => Reason::Timeout,
            Self::Connection(_) => Reason::Connection,
            Self::ServerError(_) => Reason::ServerError,
            Self::Protocol(_) => Reason::Protocol,
        }
    }

    /// What an operator can do about it, as a sentence.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Clock(_) => "set this machine's clock (NTP); Google accepts a few minutes of difference",
            Self::InvalidKey(_) => {
                "the key was deleted, disabled or belongs to another account, or the sign-in was revoked: create a new \
                 key (or sign in again) and replace the file; it is read again by itself"
            }
            Self::UnknownAccount(_) => {
                "the service account was deleted or the file's client_email is wrong: create a service account and a key"
            }
            Self::Scope(_) => "let the account have the scope https://www.googleapis.com/auth/analytics.readonly",
            Self::Timeout(_) | Self::ServerError(_) => "nothing to do but wait; it is tried again",
            Self::Connection(_) => "check DNS, firewall, HTTPS_PROXY and the system's certificate authorities",
            Self::Protocol(_) => "check the key file's token_uri and what stands between here and Google",
        }
    }

    /// The error that an answer other than 2xx tells of.
    fn from_answer(answer: &Answer) -> Self {
        let told: OAuthError = serde_json::from_slice(&answer.body).unwrap_or_default();
        let message = told.text(answer.status);
        let says = |words: &str| told.error_description.contains(words);
        let temporary = ["internal_failure", "server_error", "temporarily_unavailable"];
        let busy = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS].contains(&answer.status);
        if answer.status.is_server_error() || busy || temporary.contains(&told.error.as_str()) {
            return Self::ServerError(message);
        }
        match told.error.as_str() {
            "invalid_grant" if says("short-lived token") || says("iat and exp") => Self::Clock(message),
            "invalid_grant" if says("account not found") || says("Not a valid email") => Self::UnknownAccount(message),
            "invalid_grant" | "invalid_client" | "deleted_client" => Self::InvalidKey(message),
            "unauthorized_client" | "invalid_scope" | "access_denied" | "admin_policy_enforced" => Self::Scope(message),
            _ => Self::Protocol(message),
        }
    }
}

/// Asks for a token, within the transport's deadline for that.
///
/// # Errors
/// One for each thing that there is to do.
pub async fn request(source: &Source, transport: &Transport, now: Timestamp) -> Result<Grant, Error> {
    let (request, quota_project) = match source {
        Source::KeyFile(KeyFile::ServiceAccount(account)) => (assertion_request(account, transport, now)?, None),
        Source::KeyFile(KeyFile::AuthorizedUser(user)) => {
            (refresh_request(user, transport), user.quota_project.clone())
        }
        Source::MetadataServer(server) => {
            let request = server.token_request(transport);
            (request.ok_or_else(|| Error::Protocol("the metadata server's address is no URL".to_owned()))?, None)
        }
    };
    let answer = transport.send(request, transport.deadlines.token).await?;
    if !answer.status.is_success() {
        return Err(Error::from_answer(&answer));
    }
    let token = TokenAnswer::read(&answer)?;
    Ok(Grant { secret: token.access_token, lifetime_seconds: token.lifetime, quota_project })
}

fn assertion_request(account: &ServiceAccount, transport: &Transport, now: Timestamp) -> Result<RequestBuilder, Error> {
    let assertion = assertion(account, now)?;
    let form = [("grant_type", JWT_BEARER), ("assertion", assertion.expose_secret())];
    Ok(transport.for_url(&account.token_uri).post(account.token_uri.clone()).form(&form))
}

fn refresh_request(user: &AuthorizedUser, transport: &Transport) -> RequestBuilder {
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", &user.client_id),
        ("client_secret", user.client_secret.expose_secret()),
        ("refresh_token", user.refresh_token.expose_secret()),
    ];
    transport.for_url(&user.token_uri).post(user.token_uri.clone()).form(&form)
}

/// The signed JWT: as good as a password for an hour, hence secret.
fn assertion(account: &ServiceAccount, now: Timestamp) -> Result<SecretString, Error> {
    let header = Header { alg: "RS256", typ: "JWT", kid: account.key_id.as_deref() };
    let claims = Claims {
        iss: &account.email,
        scope: SCOPE,
        aud: account.token_uri.as_str(),
        iat: now.as_second(),
        exp: now.as_second() + LIFETIME_SECONDS,
    };
    let mut jwt = format!("{}.{}", encode(&header), encode(&claims));
    let signature =
        account.signer.signer().sign(jwt.as_bytes()).map_err(|_| Error::InvalidKey("it cannot sign".to_owned()))?;
    jwt.push('.');
    BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut jwt);
    Ok(jwt.into())
}

/// RFC 7515 §2: base64url without padding.
fn encode(part: &impl Serialize) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(part).expect("texts and numbers always serialise"))
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'static str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

/// RFC 6749 §5.2.
#[derive(Default, Deserialize)]
#[serde(default)]
struct OAuthError {
    error: String,
    error_description: String,
}

impl OAuthError {
    /// Google's text on one line and of bounded length.
    fn text(&self, status: StatusCode) -> String {
        let text = match (self.error.as_str(), self.error_description.as_str()) {
            ("", _) => return format!("status {status} and no OAuth error"),
            (error, "") => error.to_owned(),
            (error, description) => format!("{error}: {description}"),
        };
        one_line(&text, MAX_MESSAGE_CHARACTERS)
    }
}

/// RFC 6749 §5.1, validated.
struct TokenAnswer {
    access_token: SecretString,
    lifetime: u32,
}

impl TokenAnswer {
    /// The texts of serde_json's errors are not used: they may quote the token.
    fn read(answer: &Answer) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Raw {
            access_token: SecretString,
            #[serde(default = "default_lifetime")]
            expires_in: f64,
            token_type: Option<String>,
        }
        let raw: Raw =
            serde_json::from_slice(&answer.body).map_err(|_| Error::Protocol("not the JSON of a token".to_owned()))?;
        let secret = raw.access_token.expose_secret();
        if secret.is_empty() || secret.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(Error::Protocol("an access_token that no header can carry".to_owned()));
        }
        if raw.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(Error::Protocol("a token_type other than Bearer".to_owned()));
        }
        if !raw.expires_in.is_finite() || raw.expires_in < 1.0 {
            return Err(Error::Protocol("a token that has expired already".to_owned()));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
        let lifetime = raw.expires_in.min(MAX_LIFETIME_SECONDS) as u32;
        Ok(Self { access_token: raw.access_token, lifetime })
    }
}

/// RFC 6749 §5.1 only recommends `expires_in`; Google's tokens live an hour.
fn default_lifetime() -> f64 {
    3600.0
}

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The longest that Google allows an assertion.
const LIFETIME_SECONDS: i64 = 3600;

/// A token that claims to live longer is renewed as if it lived a day.
const MAX_LIFETIME_SECONDS: f64 = 86_400.0;

const MAX_MESSAGE_CHARACTERS: usize = 400;

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.to_owned().into(),
        }
    }

    #[test]
    fn reasons_are_read_from_googles_texts() {
        for (status, error, description, reason) in [
            (400, "invalid_grant", "Invalid JWT Signature.", TokenReason::InvalidKey),
            (
                400,
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable \
             timeframe. Check your iat and exp values and use a clock with skew",
                TokenReason::Clock,
            ),
            (400, "invalid_grant", "Invalid grant: account not found", TokenReason::UnknownAccount),
            (400, "invalid_grant", "Not a valid email or user ID.", TokenReason::UnknownAccount),
            (400, "invalid_grant", "Token has been expired or revoked.", TokenReason::InvalidKey),
            (401, "invalid_client", "The OAuth client was not found.", TokenReason::InvalidKey),
            (401, "unauthorized_client", "Client is unauthorized", TokenReason::Scope),
            (400, "invalid_scope", "bad", TokenReason::Scope),
            (400, "internal_failure", "", TokenReason::ServerError),
            (500, "", "", TokenReason::ServerError),
            (503, "", "", TokenReason::ServerError),
            (429, "", "", TokenReason::ServerError),
            (400, "something_new", "", TokenReason::Protocol),
            (404, "", "", TokenReason::Protocol),
        ] {
            let body = serde_json::json!({"error": error, "error_description": description}).to_string();
            let error = Error::from_answer(&answer(status, &body));
            assert_eq!(error.reason(), reason, "{status} {body}");
        }
        assert_eq!(Error::from_answer(&answer(502, "<html>")).reason(), TokenReason::ServerError);
    }

    #[test]
    fn only_a_usable_token_is_taken() {
        let read = |body: &str| TokenAnswer::read(&answer(200, body)).map(|token| token.lifetime);
        assert_eq!(read(r#"{"access_token": "a", "expires_in": 3599, "token_type": "Bearer"}"#).unwrap(), 3599);
        assert_eq!(read(r#"{"access_token": "a"}"#).unwrap(), 3600);
        assert_eq!(read(r#"{"access_token": "a", "expires_in": 1e300}"#).unwrap(), 86_400);
        for body in [
            "<html>",
            "{}",
            r#"{"access_token": ""}"#,
            r#"{"access_token": "a\nb"}"#,
            r#"{"access_token": "SECRET", "expires_in": 0}"#,
            r#"{"access_token": "SECRET", "expires_in": "soon"}"#,
            r#"{"access_token": "SECRET", "token_type": "mac"}"#,
        ] {
            let error = read(body).unwrap_err();
            assert_eq!(error.reason(), TokenReason::Protocol);
            assert!(!error.to_string().contains("SECRET"));
        }
    }

    #[test]
    fn the_assertion_has_a_kid_and_no_padding() {
        let key = include_str!("../../tests/fixtures/keys/test_key.pem");
        let file = tempfile::NamedTempFile::new().unwrap();
        let json = serde_json::json!({"type": "service_account", "client_email": "e", "private_key": key,
            "private_key_id": "kid-1", "token_uri": "https://oauth2.googleapis.com/token"});
        std::fs::write(file.path(), json.to_string()).unwrap();
        let KeyFile::ServiceAccount(account) = KeyFile::read(file.path()).unwrap() else { panic!() };
        let jwt = assertion(&account, Timestamp::from_second(1_000_000).unwrap()).unwrap();
        let jwt = jwt.expose_secret();
        assert!(!jwt.contains('='));
        let part = |index: usize| {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(jwt.split('.').nth(index).unwrap()).unwrap();
            String::from_utf8(bytes).unwrap()
        };
        assert_eq!(part(0), r#"{"alg":"RS256","typ":"JWT","kid":"kid-1"}"#);
        assert_eq!(
            part(1),
            r#"{"iss":"e","scope":"https://www.googleapis.com/auth/analytics.readonly","aud":"https://oauth2.googleapis.com/token","iat":1000000,"exp":1003600}"#
        );
    }
}
