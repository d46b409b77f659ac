//! What can be wrong with a credential file: one sentence each, which says what to do and never quotes the file.

use std::io;

use thiserror::Error as ThisError;

use super::{super::pem, MAX_BYTES};
use ga4_exporter_core::shown::NotAPath;

use crate::auth::GCLOUD_LOGIN;

#[derive(Debug, ThisError)]
pub(super) enum Problem {
    #[error("cannot be read: {0}")]
    NotAPath(NotAPath),
    #[error("cannot be read ({0}); check the path and that the exporter's user may read it")]
    Unreadable(io::Error),
    #[error(
        "is a directory; name the key file in it (Docker makes a directory where the file that it should mount is \
         missing)"
    )]
    Directory,
    #[error("is empty; {DOWNLOAD}")]
    Empty,
    #[error("is larger than {MAX_BYTES} bytes, so it is no key; check the path")]
    TooLarge,
    #[error("is a PKCS#12 (P12) key or another binary file; create a key of type JSON instead")]
    Binary,
    #[error("is a database of gcloud's, not a key; name a service account's JSON key, or run `{GCLOUD_LOGIN}`")]
    GcloudDatabase,
    #[error("is saved as UTF-16, as Windows PowerShell does; save it as UTF-8, or download the key again")]
    Utf16,
    #[error("is encoded in base64; decode it first: `base64 -d FILE > key.json`")]
    Base64,
    #[error("is a web page, not a key; {DOWNLOAD}")]
    WebPage,
    #[error("is a bare private key; use the whole JSON file that Google offers when the key is created")]
    BareKey,
    #[error("is a private key with a passphrase; use the JSON file that Google offers when a key is created")]
    EncryptedKey,
    #[error("is a certificate or a public key; use the JSON file that Google offers when a key is created")]
    PublicKey,
    #[error(
        "is an API key or a token, which cannot read Analytics for long; create a service account and a JSON \
         key for it"
    )]
    ApiKey,
    #[error("is not valid JSON (line {line}, column {column}); {DOWNLOAD}")]
    NotJson { line: usize, column: usize },
    #[error("is JSON within a JSON text; remove the quotes around it and the backslashes, or download the key again")]
    JsonInText,
    #[error("is not a JSON object; {DOWNLOAD}")]
    NotAnObject,
    #[error(
        "is an OAuth client, which needs a human in front of a browser; create a service account and a JSON key for it"
    )]
    OAuthClient,
    #[error(
        "has the type `{0}` (workload or workforce identity federation), which this version does not support yet; use a \
         service account's JSON key, or the metadata server where the exporter runs in Google Cloud"
    )]
    ExternalAccount(&'static str),
    #[error(
        "has the type `impersonated_service_account`, which this version does not support yet; use a JSON key of the \
         service account itself"
    )]
    Impersonated,
    #[error(
        "has the type `gdch_service_account`, which is for Google Distributed Cloud; use a JSON key of type \
         `service_account`"
    )]
    DistributedCloud,
    #[error("has a type that is not supported; use a JSON key of type `service_account`")]
    OtherType,
    #[error("has no `type`; {DOWNLOAD}")]
    NoType,
    #[error("lacks `{0}`; {DOWNLOAD}")]
    Missing(&'static str),
    #[error("lacks `{0}`; run `{GCLOUD_LOGIN}`")]
    MissingOfUser(&'static str),
    #[error("has a `{0}` that is no http or https URL; {DOWNLOAD}")]
    NotAUrl(&'static str),
    #[error("{0}")]
    Pem(pem::PemError),
    #[error("has a damaged `private_key` (wanted: an RSA key of at least 2048 bits in PEM); {DOWNLOAD}")]
    DamagedKey,
}

const DOWNLOAD: &str = "download the service account's key again, as JSON";
