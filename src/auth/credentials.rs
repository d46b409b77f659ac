//! Finding what to sign in with: flag, configuration, GOOGLE_APPLICATION_CREDENTIALS, gcloud's file, metadata server.

use std::{
    env,
    path::{Path, PathBuf},
};

use thiserror::Error as ThisError;

use super::{
    fingerprint::Fingerprint,
    key_file::{self, KeyFile},
    metadata::MetadataServer,
};
use crate::transport::Transport;

/// What to sign in with, and where it was found.
#[derive(Debug)]
pub struct Credentials {
    /// What to sign in with.
    pub source: Source,
    /// The file that it came from; it is read again when it changes.
    pub file: Option<PathBuf>,
    /// What the file looked like before it was read.
    pub fingerprint: Option<Fingerprint>,
}

/// What tokens are asked for with.
#[derive(Debug)]
pub enum Source {
    /// A key or a refresh token.
    KeyFile(KeyFile),
    /// The machine's own account.
    MetadataServer(MetadataServer),
}

/// The parts of the process' environment that decide where credentials are.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// GOOGLE_APPLICATION_CREDENTIALS: a credential file.
    pub application_credentials: Option<PathBuf>,
    /// CLOUDSDK_CONFIG: gcloud's directory, unless it is in the home directory.
    pub gcloud_directory: Option<PathBuf>,
    /// HOME.
    pub home: Option<PathBuf>,
    /// GCE_METADATA_HOST: another metadata server.
    pub metadata_host: Option<String>,
}

/// Why there is nothing to sign in with.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The file that was found or named is of no use.
    #[error(transparent)]
    File(#[from] key_file::Error),
    /// Nothing anywhere.
    #[error(
        "no Google credentials found; looked at (1) --google.credentials-file and google.credentials_file in the \
         configuration: not set, (2) GOOGLE_APPLICATION_CREDENTIALS: not set, (3) {}: no such file, (4) the metadata \
         server of Google Cloud: no answer; create a service account's key of type JSON and name it by (1)",
        gcloud.display()
    )]
    Nothing {
        /// Where gcloud's file would be.
        gcloud: PathBuf,
    },
}

impl Credentials {
    /// Looks at all places in order; the first that has something decides. `named` is the flag's or the
    /// configuration's file.
    ///
    /// # Errors
    /// A file that is of no use, or nothing anywhere.
    pub async fn find(named: Option<&Path>, environment: &Environment, transport: &Transport) -> Result<Self, Error> {
        let named = named.map(Path::to_owned).or_else(|| environment.application_credentials.clone());
        if let Some(path) = named {
            return Ok(Self::from_file(path)?);
        }
        let gcloud = environment.gcloud_file();
        if gcloud.exists() {
            return Ok(Self::from_file(gcloud)?);
        }
        match MetadataServer::find(environment.metadata_host.as_deref(), transport).await {
            Some(server) => Ok(Self { source: Source::MetadataServer(server), file: None, fingerprint: None }),
            None => Err(Error::Nothing { gcloud }),
        }
    }

    /// Reads a credential file.
    ///
    /// # Errors
    /// The file is of no use.
    pub fn from_file(path: PathBuf) -> Result<Self, key_file::Error> {
        // Looked at first: a file that is replaced while it is read is then read once more.
        let fingerprint = Fingerprint::of(&path);
        Ok(Self { source: Source::KeyFile(KeyFile::read(&path)?), file: Some(path), fingerprint })
    }

    /// The e-mail address of the account, where the credentials tell it.
    pub fn account(&self) -> Option<&str> {
        match &self.source {
            Source::KeyFile(KeyFile::ServiceAccount(account)) => Some(&account.email),
            Source::KeyFile(KeyFile::AuthorizedUser(_)) => None,
            Source::MetadataServer(server) => server.email.as_deref(),
        }
    }
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        Self {
            application_credentials: set("GOOGLE_APPLICATION_CREDENTIALS").map(PathBuf::from),
            gcloud_directory: set("CLOUDSDK_CONFIG").map(PathBuf::from),
            home: set("HOME").map(PathBuf::from),
            metadata_host: set("GCE_METADATA_HOST").and_then(|host| host.into_string().ok()),
        }
    }

    fn gcloud_file(&self) -> PathBuf {
        let home = self.home.clone().unwrap_or_else(|| PathBuf::from("/"));
        let directory = self.gcloud_directory.clone().unwrap_or_else(|| home.join(".config/gcloud"));
        directory.join("application_default_credentials.json")
    }
}
