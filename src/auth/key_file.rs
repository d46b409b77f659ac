//! Credential files: a service account's key, or what `gcloud auth application-default login` writes.
//!
//! Every problem with such a file is one sentence that names the file and the remedy, and never quotes its content.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use gcp_auth::CustomServiceAccount;
use reqwest::{Url, header::HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use thiserror::Error as ThisError;

use self::problem::Problem;
use super::{GOOGLE_TOKEN_URI, pem};
use ga4_exporter_core::shown::{self, ShownPath};

use crate::files::{self, Hangs};

mod problem;

/// The content of a credential file.
#[derive(Debug)]
pub enum KeyFile {
    /// A service account's key.
    ServiceAccount(ServiceAccount),
    /// A user's refresh token.
    AuthorizedUser(AuthorizedUser),
}

/// A service account's key, ready to sign.
pub struct ServiceAccount {
    /// The account's e-mail address.
    pub email: String,
    /// The key's id, for the JWT's header; absent only in files that were not made by Google.
    pub key_id: Option<String>,
    /// The token endpoint for assertions.
    pub token_uri: Url,
    /// The Cloud project that requests count against, if it is not the account's own.
    pub quota_project: Option<String>,
    /// Holds and validates the private key.
    pub signer: Box<CustomServiceAccount>,
}

/// A user's refresh token, as gcloud stores it.
#[derive(Debug)]
pub struct AuthorizedUser {
    /// The OAuth client that the user consented to.
    pub client_id: String,
    /// That client's secret.
    pub client_secret: SecretString,
    /// The refresh token.
    pub refresh_token: SecretString,
    /// The token endpoint.
    pub token_uri: Url,
    /// The Cloud project that requests count against.
    pub quota_project: Option<String>,
}

/// What is wrong with a credential file, and what to do about it.
#[derive(Debug, ThisError)]
#[error("credentials file {}: {problem}", ShownPath(path))]
pub struct KeyFileError {
    path: PathBuf,
    problem: Problem,
}

impl KeyFileError {
    /// Whether the only problem is a disk that hangs.
    pub(super) fn is_passing(&self) -> bool {
        matches!(&self.problem, Problem::Unreadable(error) if error.kind() == io::ErrorKind::TimedOut)
    }
}

impl KeyFile {
    /// Reads and validates a credential file.
    ///
    /// # Errors
    /// One sentence that names the file and what to do.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let read = read_limited(path).and_then(|bytes| Self::from_bytes(&bytes));
        read.map_err(|problem| KeyFileError { path: path.to_owned(), problem })
    }

    /// Returns the error for a file that cannot be read in time.
    pub(super) fn hangs(path: PathBuf, hangs: Hangs) -> KeyFileError {
        KeyFileError { path, problem: Problem::Unreadable(hangs.into()) }
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Problem> {
        let text = as_text(bytes)?;
        let value: Value = match serde_json::from_str(text) {
            Ok(value) => value,
            Err(error) => return Err(not_json(text, &error)),
        };
        if value.as_str().is_some_and(|inner| inner.trim_start().starts_with('{')) {
            return Err(Problem::JsonInText);
        }
        let Value::Object(_) = value else { return Err(Problem::NotAnObject) };
        match value.get("type").and_then(Value::as_str) {
            Some("service_account") => ServiceAccount::from_json(&value).map(Self::ServiceAccount),
            Some("authorized_user") => AuthorizedUser::from_json(&value).map(Self::AuthorizedUser),
            Some("external_account") => Err(Problem::ExternalAccount("external_account")),
            Some("external_account_authorized_user") => {
                Err(Problem::ExternalAccount("external_account_authorized_user"))
            }
            Some("impersonated_service_account") => Err(Problem::Impersonated),
            Some("gdch_service_account") => Err(Problem::DistributedCloud),
            Some(_) => Err(Problem::OtherType),
            None if value.get("installed").is_some() || value.get("web").is_some() => Err(Problem::OAuthClient),
            // google-auth requires only these fields.
            None if value.get("private_key").is_some() && value.get("client_email").is_some() => {
                ServiceAccount::from_json(&value).map(Self::ServiceAccount)
            }
            None => Err(Problem::NoType),
        }
    }
}

impl ServiceAccount {
    fn from_json(value: &Value) -> Result<Self, Problem> {
        let email = text(value, "client_email")?;
        let private_key = pem::pkcs8(text(value, "private_key")?).map_err(Problem::Pem)?;
        let token_uri = url(text(value, "token_uri")?, "token_uri")?;
        // Passes on only validated fields, so that nothing else in the file can interfere or leak.
        let minimal = json!({
            "client_email": email, "private_key": private_key.expose_secret(), "token_uri": token_uri.as_str(),
        });
        let signer = CustomServiceAccount::from_json(&minimal.to_string()).map_err(|_| Problem::DamagedKey)?.into();
        let key_id = text(value, "private_key_id").ok().map(str::to_owned);
        Ok(Self { email: email.to_owned(), key_id, token_uri, quota_project: quota_project(value), signer })
    }
}

impl AuthorizedUser {
    fn from_json(value: &Value) -> Result<Self, Problem> {
        let token_uri = text(value, "token_uri").unwrap_or(GOOGLE_TOKEN_URI);
        Ok(Self {
            client_id: of_user(value, "client_id")?.to_owned(),
            client_secret: of_user(value, "client_secret")?.into(),
            refresh_token: of_user(value, "refresh_token")?.into(),
            token_uri: url(token_uri, "token_uri")?,
            quota_project: quota_project(value),
        })
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount").field("email", &self.email).finish_non_exhaustive()
    }
}

fn read_limited(path: &Path) -> Result<Vec<u8>, Problem> {
    shown::checked(path).map_err(Problem::NotAPath)?;
    if path.is_dir() {
        return Err(Problem::Directory);
    }
    let bytes = files::read(path, MAX_BYTES).map_err(Problem::Unreadable)?;
    // gcloud's databases are larger than any key.
    if bytes.starts_with(SQLITE) {
        return Err(Problem::GcloudDatabase);
    }
    if bytes.len() as u64 > MAX_BYTES { Err(Problem::TooLarge) } else { Ok(bytes) }
}

/// The text of a file, without byte order marks and other additions of editors.
fn as_text(bytes: &[u8]) -> Result<&str, Problem> {
    let has_zeros_at = |offset: usize| {
        let half = bytes.iter().skip(offset).step_by(2);
        bytes.len() >= 4 && half.clone().filter(|byte| **byte == 0).count() * 2 > half.count()
    };
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || has_zeros_at(0) || has_zeros_at(1) {
        return Err(Problem::Utf16);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::Binary)?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(Problem::Empty);
    }
    if text.contains('\0') { Err(Problem::Binary) } else { Ok(text) }
}

/// Recognizes what a text is that is not JSON.
fn not_json(text: &str, error: &serde_json::Error) -> Problem {
    let decoded = || {
        let base64: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let base64 = base64.replace('-', "+").replace('_', "/");
        BASE64_STANDARD.decode(base64).ok()
    };
    let begins = |names: &[&str]| {
        let start: String = text.chars().take(20).collect::<String>().to_ascii_lowercase();
        names.iter().any(|name| start.starts_with(name))
    };
    if begins(&["<!doctype", "<html", "<?xml", "<head"]) {
        Problem::WebPage
    } else if text.contains("ENCRYPTED") && text.contains("-----BEGIN") {
        Problem::EncryptedKey
    } else if text.contains("PRIVATE KEY-----") && !text.starts_with('{') {
        Problem::BareKey
    } else if text.starts_with("-----BEGIN") {
        Problem::PublicKey
    } else if decoded().is_some_and(|bytes| is_encoded_key(&bytes)) {
        Problem::Base64
    } else if !text.contains(char::is_whitespace) && !text.starts_with(['{', '[', '"']) && shown::is_secret(text) {
        Problem::ApiKey
    } else {
        Problem::NotJson { line: error.line(), column: error.column() }
    }
}

/// Whether decoded base64 is the file itself, or a key in another form.
fn is_encoded_key(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    text.starts_with('{') || text.starts_with("-----BEGIN") || bytes.starts_with(&[0x30, 0x82])
}

/// A project that is valid in a header.
fn quota_project(value: &Value) -> Option<String> {
    text(value, "quota_project_id").ok().filter(|project| HeaderValue::from_str(project).is_ok()).map(str::to_owned)
}

fn text<'a>(value: &'a Value, field: &'static str) -> Result<&'a str, Problem> {
    value.get(field).and_then(Value::as_str).filter(|text| !text.trim().is_empty()).ok_or(Problem::Missing(field))
}

fn of_user<'a>(value: &'a Value, field: &'static str) -> Result<&'a str, Problem> {
    text(value, field).map_err(|_| Problem::MissingOfUser(field))
}

fn url(text: &str, field: &'static str) -> Result<Url, Problem> {
    let url = Url::parse(text).map_err(|_| Problem::NotAUrl(field))?;
    let usable = ["http", "https"].contains(&url.scheme()) && url.has_host();
    if usable { Ok(url) } else { Err(Problem::NotAUrl(field)) }
}

/// The largest key file; real ones have about 2,400 bytes.
const MAX_BYTES: u64 = 64 << 10;

/// The beginning of SQLite files.
const SQLITE: &[u8] = b"SQLite format 3\0";

#[cfg(test)]
mod tests;
