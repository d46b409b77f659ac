//! Verifies JSON Web Tokens signed with RS256 as strictly as Google does.

use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    rsa::KeyPair,
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};
use serde::Deserialize;
use serde_json::Value;

/// The public half of the demo key.
#[derive(Debug)]
pub(super) struct Verifier {
    public_key: Vec<u8>,
}

/// The claims of a token.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    #[serde(default)]
    pub(super) iss: Option<String>,
    #[serde(default)]
    pub(super) sub: Option<String>,
    #[serde(default)]
    pub(super) aud: Option<String>,
    #[serde(default)]
    pub(super) scope: Option<String>,
    #[serde(default)]
    pub(super) iat: Option<i64>,
    #[serde(default)]
    pub(super) exp: Option<i64>,
}

/// Why a token is rejected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Flaw {
    /// Not three parts of unpadded base64url with JSON in the first two.
    Malformed,
    /// The algorithm is not RS256, the key id is unknown, or another key signed it.
    Signature,
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    kid: Option<Value>,
}

impl Verifier {
    /// The key that all simulated service accounts use.
    pub(super) fn demo() -> Result<Self, ring::error::KeyRejected> {
        let pair = KeyPair::from_pkcs8(&demo_key_der())?;
        Ok(Self { public_key: pair.public_key().as_ref().to_vec() })
    }

    /// Returns the claims of a correctly signed token. The caller checks the issuer and the validity period.
    pub(super) fn verify(&self, token: &str) -> Result<Claims, Flaw> {
        let (signed, signature) = token.rsplit_once('.').ok_or(Flaw::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Flaw::Malformed)?;
        let (header, claims): (Header, Claims) = (part(header)?, part(claims)?);
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).map_err(|_| Flaw::Malformed)?;
        if header.alg != "RS256" || header.typ.is_some_and(|typ| typ != "JWT") {
            return Err(Flaw::Signature);
        }
        // Without a key id, Google tries all keys of the account.
        if header.kid.is_some_and(|kid| kid != KEY_ID) {
            return Err(Flaw::Signature);
        }
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.public_key)
            .verify(signed.as_bytes(), &signature)
            .map_err(|_| Flaw::Signature)?;
        Ok(claims)
    }
}

impl Claims {
    /// Returns whether the token is valid at this time (Unix seconds). Its lifetime is at most an hour, and some
    /// clock skew is allowed.
    pub(super) fn is_timely(&self, now: i64) -> bool {
        let (Some(iat), Some(exp)) = (self.iat, self.exp) else {
            return false;
        };
        (1..=MAX_LIFETIME_SECONDS).contains(&exp.saturating_sub(iat))
            && iat <= now + SKEW_SECONDS
            && exp > now - SKEW_SECONDS
    }
}

/// Returns the demo key in PEM, as key files contain it.
pub(super) fn demo_key_pem() -> &'static str {
    let begin = DEMO_KEY.find("-----BEGIN").unwrap_or_default();
    DEMO_KEY.split_at(begin).1
}

fn demo_key_der() -> Vec<u8> {
    let lines = demo_key_pem().lines().filter(|line| !line.starts_with("-----"));
    let text: String = lines.collect();
    BASE64_STANDARD.decode(text).unwrap_or_default()
}

fn part<T: for<'de> Deserialize<'de>>(encoded: &str) -> Result<T, Flaw> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Flaw::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| Flaw::Malformed)
}

/// Public on purpose; only the simulator trusts it.
const DEMO_KEY: &str = include_str!("demo_key.pem");

/// The id of the demo key: `private_key_id` of key files, `kid` of tokens.
pub(super) const KEY_ID: &str = "de300000000000000000000000000000000000de";

/// Longest lifetime of RFC 7523 tokens (Google's sign-in documentation).
const MAX_LIFETIME_SECONDS: i64 = 3600;

/// Allowed clock skew.
const SKEW_SECONDS: i64 = 300;
