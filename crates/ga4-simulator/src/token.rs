//! Sign-in: the token endpoint of OAuth 2.0, and the tokens that it has issued.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};

use super::{
    errors::{Api, ApiError},
    faults::Method,
    form::Form,
    jwt::{Claims, Flaw, Verifier},
};

/// Issues access tokens and recognizes them.
#[derive(Debug)]
pub(super) struct Tokens {
    verifier: Verifier,
    random: SystemRandom,
    /// In seconds; set by tests.
    lifetime: AtomicI64,
    /// The tokens that may still be valid, by their text.
    live: Mutex<HashMap<String, Grant>>,
}

#[derive(Clone, Copy, Debug)]
struct Grant {
    /// Unix seconds.
    expires: i64,
    analytics: bool,
}

/// An answer of the token endpoint.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TokenAnswer {
    pub(super) http: u16,
    pub(super) body: Value,
}

impl TokenAnswer {
    pub(super) fn error(http: u16, error: &str, description: &str) -> Self {
        Self { http, body: json!({"error": error, "error_description": description}) }
    }
}

impl Tokens {
    pub(super) fn new(verifier: Verifier, lifetime: Duration) -> Self {
        let tokens =
            Self { verifier, random: SystemRandom::new(), lifetime: AtomicI64::new(0), live: Mutex::default() };
        tokens.set_lifetime(lifetime);
        tokens
    }

    pub(super) fn set_lifetime(&self, lifetime: Duration) {
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        self.lifetime.store(seconds, Ordering::Relaxed);
    }

    /// Revokes all tokens issued so far.
    pub(super) fn revoke_all(&self) {
        self.live().clear();
    }

    /// `POST /token`
    pub(super) fn exchange(&self, form: &Form, token_uri: &str, now: Timestamp) -> TokenAnswer {
        let now = now.as_second();
        match form.get("grant_type") {
            Some(JWT_BEARER) => self.by_assertion(form, token_uri, now),
            Some("refresh_token") => self.by_refresh_token(form, now),
            Some(other) => {
                let description = format!("Invalid grant_type: {other}");
                TokenAnswer::error(400, "unsupported_grant_type", &description)
            }
            None => TokenAnswer::error(400, "invalid_request", "Required parameter is missing: grant_type"),
        }
    }

    /// Returns the metadata server's answer for the requested scopes or for its default.
    pub(super) fn by_metadata(&self, scopes: Option<&str>, now: Timestamp) -> Value {
        let scopes = scopes.unwrap_or(DEFAULT_METADATA_SCOPE).replace(',', " ");
        self.grant(&scopes, now.as_second())
    }

    /// Checks the `Authorization` header of a request.
    pub(super) fn authorize(
        &self,
        header: Option<&str>,
        api: Api,
        method: Method,
        base_url: &str,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let header = header.ok_or_else(|| ApiError::missing_token(api, method))?;
        let now = now.as_second();
        let (kind, token) = header.split_once(' ').ok_or_else(ApiError::bad_token)?;
        if !kind.eq_ignore_ascii_case("bearer") {
            return Err(ApiError::bad_token());
        }
        if token.matches('.').count() == 2 && token.starts_with("ey") {
            return self.self_signed(token, api, method, base_url, now);
        }
        let grant = self.live().get(token).copied().filter(|grant| grant.expires > now);
        match grant {
            Some(grant) if grant.analytics => Ok(()),
            Some(_) => Err(ApiError::insufficient_scope(api, method)),
            None => Err(ApiError::bad_token()),
        }
    }

    /// Handles the grant of RFC 7523 with Google's texts, in the order of Google's checks.
    fn by_assertion(&self, form: &Form, token_uri: &str, now: i64) -> TokenAnswer {
        let invalid = |description| TokenAnswer::error(400, "invalid_grant", description);
        let Some(assertion) = form.get("assertion") else {
            return TokenAnswer::error(400, "invalid_request", "Missing required parameter: assertion");
        };
        let claims = match self.verifier.verify(assertion) {
            Ok(claims) => claims,
            Err(Flaw::Signature) => return invalid("Invalid JWT Signature."),
            Err(Flaw::Malformed) => return TokenAnswer::error(400, "invalid_request", "Bad Request"),
        };
        if claims.iss.as_deref() != Some(CLIENT_EMAIL) {
            return invalid("Invalid grant: account not found");
        }
        if !claims.is_timely(now) {
            return invalid(NOT_TIMELY);
        }
        let scope = claims.scope.clone().unwrap_or_default();
        if scope.trim().is_empty() {
            return TokenAnswer::error(400, "invalid_scope", "Empty or missing scope not allowed.");
        }
        if !claims.is_for(&[token_uri, GOOGLE_TOKEN_URI]) {
            return invalid("Invalid JWT: Failed audience check.");
        }
        if claims.sub.as_ref().is_some_and(|sub| *sub != CLIENT_EMAIL) {
            return TokenAnswer::error(
                401,
                "unauthorized_client",
                "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any \
                 of the scopes requested.",
            );
        }
        let is_known = scope.split(' ').all(|scope| SCOPES.contains(&scope));
        let body = if is_known { self.grant(&scope, now) } else { id_token(&scope, now) };
        TokenAnswer { http: 200, body }
    }

    fn by_refresh_token(&self, form: &Form, now: i64) -> TokenAnswer {
        if form.get("client_id") != Some(CLIENT_ID) {
            return TokenAnswer::error(401, "invalid_client", "The OAuth client was not found.");
        }
        if form.get("client_secret") != Some(CLIENT_SECRET) {
            return TokenAnswer::error(401, "invalid_client", "Unauthorized");
        }
        if form.get("refresh_token") != Some(REFRESH_TOKEN) {
            return TokenAnswer::error(400, "invalid_grant", "Token has been expired or revoked.");
        }
        let scope = form.get("scope").unwrap_or(READONLY_SCOPE);
        let mut body = self.grant(scope, now);
        if let Some(fields) = body.as_object_mut() {
            fields.insert("scope".into(), json!(scope));
        }
        TokenAnswer { http: 200, body }
    }

    /// AIP-4111: accepts a token that the account signed itself, for an API or with a scope.
    fn self_signed(&self, token: &str, api: Api, method: Method, base_url: &str, now: i64) -> Result<(), ApiError> {
        let claims = self.verifier.verify(token);
        let own = claims.ok().filter(|claims| {
            claims.iss.as_deref() == Some(CLIENT_EMAIL) && claims.sub == claims.iss && claims.is_timely(now)
        });
        let claims = own.ok_or_else(ApiError::bad_token)?;
        let (google, local) = (format!("https://{}/", api.service()), format!("{base_url}/"));
        let for_this = claims.is_for(&[google.as_str(), local.as_str()]);
        match &claims.scope {
            Some(scope) if covers_analytics(scope) => Ok(()),
            Some(_) => Err(ApiError::insufficient_scope(api, method)),
            None if for_this => Ok(()),
            None => Err(ApiError::bad_token()),
        }
    }

    fn grant(&self, scope: &str, now: i64) -> Value {
        let mut noise = [0; 48];
        // Without randomness a token is all zeros, which is still a valid simulated token.
        let _ = self.random.fill(&mut noise);
        let token = format!("ya29.c.{}", BASE64_URL_SAFE_NO_PAD.encode(noise));
        let lifetime = self.lifetime.load(Ordering::Relaxed);
        let grant = Grant { expires: now.saturating_add(lifetime), analytics: covers_analytics(scope) };
        let mut live = self.live();
        if live.len() >= MAX_TOKENS {
            live.retain(|_, grant| grant.expires > now);
        }
        if live.len() >= MAX_TOKENS {
            live.clear();
        }
        live.insert(token.clone(), grant);
        json!({"access_token": token, "expires_in": lifetime, "token_type": "Bearer"})
    }

    fn live(&self) -> MutexGuard<'_, HashMap<String, Grant>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claims {
    fn is_for(&self, audiences: &[&str]) -> bool {
        self.aud.as_ref().is_some_and(|aud| audiences.contains(&aud.as_str()))
    }
}

/// Returns Google's answer if it reads a scope as an unknown audience: an ID token instead of an access token.
fn id_token(audience: &str, now: i64) -> Value {
    let encode = |part: Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
    let header = encode(json!({"alg": "RS256", "typ": "JWT"}));
    let claims = encode(json!({
        "iss": "https://accounts.google.com",
        "aud": audience,
        "email": CLIENT_EMAIL,
        "iat": now,
        "exp": now.saturating_add(3600),
    }));
    let signature = BASE64_URL_SAFE_NO_PAD.encode([0; 256]);
    json!({"id_token": format!("{header}.{claims}.{signature}")})
}

fn covers_analytics(scopes: &str) -> bool {
    scopes.split(' ').any(|scope| [READONLY_SCOPE, FULL_SCOPE].contains(&scope))
}

/// The simulated service account.
pub(super) const CLIENT_EMAIL: &str = "exporter@ga-simulator.iam.gserviceaccount.com";
pub(super) const PROJECT_ID: &str = "ga-simulator";

/// The simulated OAuth client and its user, for authorized_user credentials. Public on purpose.
pub(super) const CLIENT_ID: &str = "314159265358-simulator.apps.googleusercontent.com";
pub(super) const CLIENT_SECRET: &str = "simulated-client-secret";
pub(super) const REFRESH_TOKEN: &str = "1//simulated-refresh-token";

/// Scopes of both APIs (their discovery documents).
const READONLY_SCOPE: &str = "https://www.googleapis.com/auth/analytics.readonly";
const FULL_SCOPE: &str = "https://www.googleapis.com/auth/analytics";

/// Scopes that Google knows, as far as clients request them here; other scopes get no access token.
const SCOPES: &[&str] = &[
    READONLY_SCOPE,
    FULL_SCOPE,
    "https://www.googleapis.com/auth/analytics.edit",
    "https://www.googleapis.com/auth/analytics.manage.users",
    "https://www.googleapis.com/auth/analytics.manage.users.readonly",
    "https://www.googleapis.com/auth/cloud-platform",
    "https://www.googleapis.com/auth/cloud-platform.read-only",
    "https://www.googleapis.com/auth/drive",
    "https://www.googleapis.com/auth/userinfo.email",
    "https://www.googleapis.com/auth/userinfo.profile",
    "openid",
    "email",
    "profile",
];

/// The default scope of a virtual machine's account, which does not include Analytics.
const DEFAULT_METADATA_SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Google's own client libraries send this audience, whatever `token_uri` the key file has.
const GOOGLE_TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

const NOT_TIMELY: &str = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. \
    Check your iat and exp values in the JWT claim.";

/// The number of stored tokens. When it is reached, expired tokens are removed; if there are none, all tokens are removed.
const MAX_TOKENS: usize = 10_000;
