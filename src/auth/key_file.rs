//! Credential files: a service account's key, or what `gcloud auth application-default login` writes.
//!
//! Everything that can be wrong with such a file is one sentence that names the file and what to do, and never quotes
//! what stands in it.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use gcp_auth::CustomServiceAccount;
use reqwest::Url;
use secrecy::SecretString;
use serde_json::{Value, json};
use thiserror::Error as ThisError;

/// What a credential file holds.
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
    /// Where assertions are traded for tokens.
    pub token_uri: Url,
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
    /// Traded for access tokens.
    pub refresh_token: SecretString,
    /// Where it is traded.
    pub token_uri: Url,
    /// The Cloud project that requests are counted on.
    pub quota_project: Option<String>,
}

/// What is wrong with a credential file, and what to do about it.
#[derive(Debug, ThisError)]
#[error("credentials file {}: {problem}", path.display())]
pub struct Error {
    path: PathBuf,
    problem: Problem,
}

/// One sentence each; none of them quotes the file.
#[derive(Debug, ThisError)]
enum Problem {
    #[error("cannot be read ({0}); check the path and that the exporter's user may read it")]
    Unreadable(io::Error),
    #[error("is empty; download the service account's key again, as JSON")]
    Empty,
    #[error("is larger than {MAX_BYTES} bytes, so it is no key; check the path")]
    TooLarge,
    #[error("is a PKCS#12 (P12) key or another binary file; create a key of type JSON instead")]
    Binary,
    #[error("is a bare private key; use the whole JSON file that Google offers when the key is created")]
    BareKey,
    #[error("is not valid JSON (line {line}, column {column}); download the service account's key again, as JSON")]
    NotJson { line: usize, column: usize },
    #[error("is not a JSON object; download the service account's key again, as JSON")]
    NotAnObject,
    #[error(
        "is an OAuth client, which needs a human in front of a browser; create a service account and a JSON key for it"
    )]
    OAuthClient,
    #[error(
        "has the type `external_account` (workload identity federation), which is not supported; use a service \
         account's JSON key"
    )]
    ExternalAccount,
    #[error("has a type that is not supported; use a JSON key of type `service_account`")]
    OtherType,
    #[error("has no `type`; download the service account's key again, as JSON")]
    NoType,
    #[error("lacks `{0}`; download the service account's key again, as JSON")]
    Missing(&'static str),
    #[error("lacks `{0}`; run `gcloud auth application-default login` again")]
    MissingOfUser(&'static str),
    #[error("has a `{0}` that is no http or https URL; download the service account's key again, as JSON")]
    NotAUrl(&'static str),
    #[error(
        "has a damaged `private_key` (wanted: a PKCS#8 PEM of an RSA key of at least 2048 bits); download the key \
         again, as JSON"
    )]
    DamagedKey,
}

impl KeyFile {
    /// Reads and validates a credential file.
    ///
    /// # Errors
    /// One sentence that names the file and what to do.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let read = read_limited(path).and_then(|bytes| Self::from_bytes(&bytes));
        read.map_err(|problem| Error { path: path.to_owned(), problem })
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, Problem> {
        let text = std::str::from_utf8(bytes).map_err(|_| Problem::Binary)?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err(Problem::Empty);
        }
        if text.starts_with("-----BEGIN") {
            return Err(Problem::BareKey);
        }
        if text.contains('\0') {
            return Err(Problem::Binary);
        }
        let value: Value = serde_json::from_str(text)
            .map_err(|error| Problem::NotJson { line: error.line(), column: error.column() })?;
        let Value::Object(_) = value else { return Err(Problem::NotAnObject) };
        match value.get("type").and_then(Value::as_str) {
            Some("service_account") => ServiceAccount::from_json(&value).map(Self::ServiceAccount),
            Some("authorized_user") => AuthorizedUser::from_json(&value).map(Self::AuthorizedUser),
            Some("external_account" | "external_account_authorized_user") => Err(Problem::ExternalAccount),
            Some(_) => Err(Problem::OtherType),
            None if value.get("installed").is_some() || value.get("web").is_some() => Err(Problem::OAuthClient),
            None => Err(Problem::NoType),
        }
    }
}

impl ServiceAccount {
    fn from_json(value: &Value) -> Result<Self, Problem> {
        let email = text(value, "client_email")?;
        let private_key = text(value, "private_key")?;
        let token_uri = url(text(value, "token_uri")?, "token_uri")?;
        // Only what was validated here is handed on, so that nothing else in the file can disturb or leak.
        let minimal = json!({"client_email": email, "private_key": private_key, "token_uri": token_uri.as_str()});
        let signer = CustomServiceAccount::from_json(&minimal.to_string()).map_err(|_| Problem::DamagedKey)?.into();
        let key_id = text(value, "private_key_id").ok().map(str::to_owned);
        Ok(Self { email: email.to_owned(), key_id, token_uri, signer })
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
            quota_project: text(value, "quota_project_id").ok().map(str::to_owned),
        })
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount").field("email", &self.email).finish_non_exhaustive()
    }
}

fn read_limited(path: &Path) -> Result<Vec<u8>, Problem> {
    let file = File::open(path).map_err(Problem::Unreadable)?;
    let mut bytes = Vec::new();
    let read = file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(Problem::Unreadable)?;
    if read as u64 > MAX_BYTES { Err(Problem::TooLarge) } else { Ok(bytes) }
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

/// The largest file that is taken for a key; real ones have about 2,400 bytes.
const MAX_BYTES: u64 = 64 << 10;

/// Where gcloud's refresh tokens are traded; their files do not say so themselves.
const GOOGLE_TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

#[cfg(test)]
mod tests {
    use super::*;

    /// A key that exists for these tests only.
    const TEST_KEY: &str = include_str!("../../tests/fixtures/keys/test_key.pem");

    fn key(change: impl Fn(&mut Value)) -> Vec<u8> {
        let mut value = json!({
            "type": "service_account", "project_id": "p", "private_key_id": "kid-1", "private_key": TEST_KEY,
            "client_email": "exporter@p.iam.gserviceaccount.com", "token_uri": "https://oauth2.googleapis.com/token",
        });
        change(&mut value);
        value.to_string().into_bytes()
    }

    #[track_caller]
    fn refused(bytes: &[u8], expected: &str) {
        let problem = KeyFile::from_bytes(bytes).unwrap_err();
        let error = Error { path: "/etc/key.json".into(), problem };
        let message = error.to_string();
        assert!(message.starts_with("credentials file /etc/key.json: "), "{message}");
        assert!(message.contains(expected), "{message}");
        assert!(!message.contains("SECRET") && !message.contains('\n'), "{message}");
    }

    #[test]
    fn a_service_accounts_key_is_read() {
        let KeyFile::ServiceAccount(account) = KeyFile::from_bytes(&key(|_| ())).unwrap() else { panic!() };
        assert_eq!(account.email, "exporter@p.iam.gserviceaccount.com");
        assert_eq!(account.key_id.as_deref(), Some("kid-1"));
    }

    #[test]
    fn gclouds_file_is_read() {
        let text = br#"{"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r",
            "quota_project_id": "q"}"#;
        let KeyFile::AuthorizedUser(user) = KeyFile::from_bytes(text).unwrap() else { panic!() };
        assert_eq!(user.token_uri.as_str(), GOOGLE_TOKEN_URI);
        assert_eq!(user.quota_project.as_deref(), Some("q"));
    }

    #[test]
    fn every_wrong_file_is_told_what_it_is() {
        refused(b"", "is empty");
        refused(b" \n", "is empty");
        refused(&[0x30, 0x82, 0x0a, 0xff], "P12");
        refused(b"-----BEGIN PRIVATE KEY-----\nSECRET", "bare private key");
        refused(b"{\"private_key\": \"SECRET", "not valid JSON (line 1");
        refused(b"[\"SECRET\"]", "not a JSON object");
        refused(br#"{"installed": {"client_secret": "SECRET"}}"#, "OAuth client");
        refused(br#"{"web": {"client_secret": "SECRET"}}"#, "OAuth client");
        refused(br#"{"type": "external_account"}"#, "external_account");
        refused(br#"{"type": "SECRET"}"#, "type that is not supported");
        refused(b"{}", "has no `type`");
        refused(br#"{"type": "authorized_user", "client_id": "SECRET"}"#, "lacks `client_secret`; run `gcloud");
    }

    #[test]
    fn every_damaged_key_is_told_what_is_missing() {
        for field in ["client_email", "private_key", "token_uri"] {
            refused(&key(|value| value[field] = Value::Null), &format!("lacks `{field}`"));
            refused(&key(|value| value[field] = json!(" ")), &format!("lacks `{field}`"));
        }
        for uri in ["token SECRET", "ftp://SECRET/", "/token"] {
            refused(&key(|value| value["token_uri"] = json!(uri)), "`token_uri` that is no http or https URL");
        }
        let (half, _) = TEST_KEY.split_at(TEST_KEY.len() / 2);
        for damaged in [half, "SECRET", "-----BEGIN PRIVATE KEY-----\nU0VDUkVU\n-----END PRIVATE KEY-----\n"] {
            refused(&key(|value| value["private_key"] = json!(damaged)), "damaged `private_key`");
        }
    }

    #[test]
    fn files_that_cannot_be_read_are_named() {
        let directory = tempfile::tempdir().unwrap();
        for path in [directory.path().to_owned(), directory.path().join("missing.json")] {
            let message = KeyFile::read(&path).unwrap_err().to_string();
            assert!(message.contains("cannot be read") && message.contains(&path.display().to_string()), "{message}");
        }
        let large = directory.path().join("large.json");
        std::fs::write(&large, vec![b' '; 70_000]).unwrap();
        assert!(KeyFile::read(&large).unwrap_err().to_string().contains("larger than"));
    }

    #[test]
    fn nothing_secret_is_printed() {
        let account = KeyFile::from_bytes(&key(|_| ())).unwrap();
        assert!(!format!("{account:?}").contains("PRIVATE"), "{account:?}");
        let text =
            br#"{"type": "authorized_user", "client_id": "i", "client_secret": "SECRET", "refresh_token": "SECRET"}"#;
        assert!(!format!("{:?}", KeyFile::from_bytes(text).unwrap()).contains("SECRET"));
    }
}
