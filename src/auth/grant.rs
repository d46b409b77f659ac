//! Requests one access token with one set of credentials.
//!
//! The JWT-bearer grant of RFC 7523 as Google implements it (developers.google.com/identity/protocols/oauth2/service-account),
//! the refresh-token grant of RFC 6749 §6, and the metadata server. Refuses to know what an answer without a token means:
//! see [`super::failure`].

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{
    GOOGLE_TOKEN_URI, SCOPE,
    credentials::CredentialsSource,
    failure::{AuthError, Kind, Signer},
    key_file::{AuthorizedUser, KeyFile, ServiceAccount},
};
use crate::transport::{Answer, Longest, Transport};

/// A token as the token endpoint issued it.
pub struct Grant {
    /// The access token.
    pub secret: SecretString,
    /// Lifetime in seconds, counted from when the request was sent; at least 1.
    pub lifetime_seconds: u32,
    /// The Cloud project that a user's requests count against.
    pub quota_project: Option<String>,
}

/// Requests a token, within the transport's deadline for tokens.
///
/// # Errors
/// One for each thing that there is to do.
pub async fn request(source: &CredentialsSource, transport: &Transport, now: Timestamp) -> Result<Grant, AuthError> {
    let signer = source.signer();
    let (request, sent, quota_project) = match source {
        CredentialsSource::KeyFile(KeyFile::ServiceAccount(account)) => {
            let assertion = assertion(account, now)?;
            (assertion_request(account, &assertion, transport), vec![assertion], account.quota_project.clone())
        }
        CredentialsSource::KeyFile(KeyFile::AuthorizedUser(user)) => {
            let sent = vec![user.client_secret.clone(), user.refresh_token.clone()];
            (refresh_request(user, transport), sent, user.quota_project.clone())
        }
        CredentialsSource::MetadataServer(server) => (server.token_request(transport), Vec::new(), None),
    };
    let answer = transport.send(request, transport.deadlines.token, Longest::Token).await;
    let answer = answer.map_err(|error| AuthError::of_transport(signer, error))?;
    let sent: Vec<&SecretString> = sent.iter().collect();
    if !answer.status.is_success() {
        return Err(AuthError::from_answer(signer, &answer, &sent));
    }
    let token = TokenAnswer::read(signer, &answer, &sent)?;
    Ok(Grant { secret: token.access_token, lifetime_seconds: token.lifetime, quota_project })
}

fn assertion_request(account: &ServiceAccount, assertion: &SecretString, transport: &Transport) -> RequestBuilder {
    let form = [("grant_type", JWT_BEARER), ("assertion", assertion.expose_secret())];
    transport.for_url(&account.token_uri).post(account.token_uri.clone()).form(&form)
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

/// The signed JWT. It works like a password for an hour, so it is secret. Its audience is always Google's own address, as in
/// Google's libraries (google-auth, `service_account.py`): `token_uri` may be a proxy.
fn assertion(account: &ServiceAccount, now: Timestamp) -> Result<SecretString, AuthError> {
    let header = Header { alg: "RS256", typ: "JWT", kid: account.key_id.as_deref() };
    let claims = Claims {
        iss: &account.email,
        scope: SCOPE,
        aud: GOOGLE_TOKEN_URI,
        iat: now.as_second(),
        exp: now.as_second() + LIFETIME_SECONDS,
    };
    let mut jwt = format!("{}.{}", encode(&header), encode(&claims));
    let signature = account.signer.signer().sign(jwt.as_bytes());
    let signature =
        signature.map_err(|_| AuthError::new(Signer::ServiceAccount, Kind::InvalidKey, "it cannot sign".to_owned()))?;
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

/// RFC 6749 §5.1, validated.
struct TokenAnswer {
    access_token: SecretString,
    lifetime: u32,
}

impl TokenAnswer {
    /// Does not use the texts of serde_json's errors, which may quote the token.
    fn read(signer: Signer, answer: &Answer, sent: &[&SecretString]) -> Result<Self, AuthError> {
        let wrong = |kind, what: &str| AuthError::new(signer, kind, what.to_owned());
        let protocol = |what| wrong(Kind::Protocol, what);
        let raw: Raw = serde_json::from_slice(&answer.body).map_err(|_| protocol("it is not the JSON of a token"))?;
        if raw.error.is_some() {
            return Err(AuthError::from_answer(signer, answer, sent));
        }
        let Some(access_token) = raw.access_token.filter(|token| !token.expose_secret().is_empty()) else {
            return Err(match raw.id_token {
                Some(_) => wrong(Kind::Scope, "an id_token came instead of an access token"),
                None => protocol("it has no access_token"),
            });
        };
        if access_token.expose_secret().chars().any(|c| !c.is_ascii_graphic()) {
            return Err(protocol("its access_token cannot be sent in a header"));
        }
        if raw.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(protocol("its token_type is not Bearer"));
        }
        let lifetime = match raw.expires_in {
            Some(Lifetime::Number(seconds)) => seconds,
            Some(Lifetime::Text(text)) => {
                text.trim().parse().map_err(|_| protocol("its expires_in is not a number"))?
            }
            None => DEFAULT_LIFETIME_SECONDS,
        };
        if !lifetime.is_finite() || lifetime < 1.0 {
            return Err(protocol("its token has expired already"));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
        let lifetime = lifetime.min(MAX_LIFETIME_SECONDS) as u32;
        Ok(Self { access_token, lifetime })
    }
}

#[derive(Deserialize)]
struct Raw {
    access_token: Option<SecretString>,
    id_token: Option<SecretString>,
    expires_in: Option<Lifetime>,
    token_type: Option<String>,
    error: Option<serde::de::IgnoredAny>,
}

/// Seconds; some endpoints write them as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Lifetime {
    Number(f64),
    Text(String),
}

/// RFC 6749 §5.1 only recommends `expires_in`; Google's tokens live an hour.
const DEFAULT_LIFETIME_SECONDS: f64 = 3600.0;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The longest that Google allows an assertion.
const LIFETIME_SECONDS: i64 = 3600;

/// A token that claims to live longer is renewed as if it lived a day.
const MAX_LIFETIME_SECONDS: f64 = 86_400.0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::{StatusCode, header::HeaderMap};

    use super::*;
    use ga4_exporter_core::names::TokenReason;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.to_owned().into(),
            part: None,
        }
    }

    #[test]
    fn only_a_usable_token_is_taken() {
        let read =
            |body: &str| TokenAnswer::read(Signer::AuthorizedUser, &answer(200, body), &[]).map(|token| token.lifetime);
        assert_eq!(read(r#"{"access_token": "a", "expires_in": 3599, "token_type": "Bearer"}"#).unwrap(), 3599);
        assert_eq!(read(r#"{"access_token": "a"}"#).unwrap(), 3600);
        assert_eq!(read(r#"{"access_token": "a", "expires_in": null}"#).unwrap(), 3600);
        assert_eq!(read(r#"{"access_token": "a", "expires_in": "3599"}"#).unwrap(), 3599);
        assert_eq!(read(r#"{"access_token": "a", "expires_in": 1e300}"#).unwrap(), 86_400);
        let extra =
            r#"{"access_token": "a", "expires_in": 3920, "scope": "email", "refresh_token": "1//x", "id_token": "i"}"#;
        assert_eq!(read(extra).unwrap(), 3920);
        for body in [
            "<html>",
            "{}",
            r#"{"access_token": ""}"#,
            r#"{"access_token": null}"#,
            r#"{"access_token": "a\nb"}"#,
            r#"{"access_token": "SECRET", "expires_in": 0}"#,
            r#"{"access_token": "SECRET", "expires_in": "0"}"#,
            r#"{"access_token": "SECRET", "expires_in": "soon"}"#,
            r#"{"access_token": "SECRET", "expires_in": "NaN"}"#,
            r#"{"access_token": "SECRET", "expires_in": [1]}"#,
            r#"{"access_token": "SECRET", "token_type": "mac"}"#,
        ] {
            let error = read(body).unwrap_err();
            assert_eq!(error.reason(), TokenReason::Protocol);
            assert!(!error.to_string().contains("SECRET"));
        }
    }

    #[test]
    fn a_token_for_another_scope_is_a_failure_of_the_scope() {
        let body = r#"{"id_token": "SECRET"}"#;
        let error = TokenAnswer::read(Signer::ServiceAccount, &answer(200, body), &[]).map(|_| ()).unwrap_err();
        assert_eq!(error.reason(), TokenReason::Scope);
        assert!(!error.to_string().contains("SECRET"));
        let body = r#"{"error": "invalid_grant", "error_description": "Token has been expired or revoked."}"#;
        let error = TokenAnswer::read(Signer::AuthorizedUser, &answer(200, body), &[]).map(|_| ()).unwrap_err();
        assert_eq!(error.reason(), TokenReason::InvalidKey);
    }

    #[test]
    fn the_assertion_has_a_kid_and_no_padding() {
        let key = include_str!("../../tests/fixtures/keys/test_key.pem");
        let file = tempfile::NamedTempFile::new().unwrap();
        let json = serde_json::json!({"type": "service_account", "client_email": "e", "private_key": key,
            "private_key_id": "kid-1", "token_uri": "https://proxy.example/token"});
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

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_answer_is_a_token_or_an_error_in_few_words(
            status in prop::sample::select(&[200_u16, 400, 401, 403, 429, 500][..]),
            pieces in prop::collection::vec(prop::sample::select(PIECES), 0..20),
        ) {
            let text = pieces.concat();
            for body in [format!("{{\"access_token\": {text}}}"), format!("{{\"error\": {text}}}"), text] {
                let answer = answer(status, &body);
                let read = TokenAnswer::read(Signer::ServiceAccount, &answer, &[]);
                if let Ok(token) = &read {
                    prop_assert!((1..=86_400).contains(&token.lifetime));
                    let secret = token.access_token.expose_secret();
                    prop_assert!(!secret.is_empty() && !secret.contains(char::is_whitespace));
                }
                for error in [read.err(), Some(AuthError::from_answer(Signer::MetadataServer, &answer, &[]))].into_iter().flatten() {
                    let text = error.to_string();
                    prop_assert!(text.chars().count() < 1_000 && !text.contains(char::is_control), "{}", text);
                }
            }
        }
    }

    const PIECES: &[&str] = &[
        "\"a\"",
        "\"\"",
        "null",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "1",
        "-1",
        "1e999",
        "\"3599\"",
        "\"NaN\"",
        "\"\\n\"",
        ", \"expires_in\": ",
        ", \"token_type\": ",
        ", \"error\": ",
        ", \"error_description\": ",
        "\"invalid_grant\"",
        "<html>",
        "<!--",
        "\u{1b}[2J",
        "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"",
    ];
}
