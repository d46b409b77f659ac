//! Finds the credentials: flag, configuration, GOOGLE_APPLICATION_CREDENTIALS, gcloud's file, metadata server.

use std::{
    env, fmt, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use reqwest::header::HeaderValue;
use thiserror::Error as ThisError;
use tracing::{info, warn};

use super::{
    failure::Signer,
    fingerprint::Fingerprint,
    key_file::{self, KeyFile},
    metadata::{HostError, MetadataServer, Platform},
};
use ga4_exporter_core::shown::{self, NotAPath, ShownPath};

use crate::{
    files::{Aside, LOOK_DEADLINE, READ_DEADLINE},
    transport::{Transport, is_exposed},
};

/// Credentials, and where they were found.
#[derive(Debug)]
pub struct Credentials {
    /// The credentials.
    pub source: CredentialsSource,
    /// The file that it came from; it is read again when it changes.
    pub file: Option<PathBuf>,
    /// The file's fingerprint before it was read.
    pub fingerprint: Option<Fingerprint>,
    /// GOOGLE_CLOUD_QUOTA_PROJECT: the Cloud project that requests count against, instead of the file's.
    pub quota_project: Option<String>,
}

/// The source of tokens.
#[derive(Debug)]
pub enum CredentialsSource {
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
    /// GOOGLE_CLOUD_QUOTA_PROJECT: the Cloud project that requests count against.
    pub quota_project: Option<String>,
    /// CLOUDSDK_CONFIG: gcloud's directory, unless it is in the home directory.
    pub gcloud_directory: Option<PathBuf>,
    /// HOME.
    pub home: Option<PathBuf>,
    /// Where the process runs.
    pub platform: Platform,
}

/// Why there are no credentials.
#[derive(Debug, ThisError)]
pub enum CredentialsError {
    /// The file that was found or named cannot be used.
    #[error(transparent)]
    File(#[from] key_file::KeyFileError),
    /// The value is not a path.
    #[error("{place}: {problem}")]
    NotAPath {
        /// The flag, configuration key or variable.
        place: &'static str,
        /// Why not.
        problem: NotAPath,
    },
    /// The quota project is not valid.
    #[error("GOOGLE_CLOUD_QUOTA_PROJECT is not the id of a Cloud project; give an id like `my-project`, or unset it")]
    QuotaProject,
    /// GCE_METADATA_HOST cannot be used.
    #[error(transparent)]
    MetadataHost(#[from] HostError),
    /// No credentials were found.
    #[error(
        "no Google credentials found; looked at (1) --google.credentials-file and google.credentials_file in the \
         configuration: not set, (2) GOOGLE_APPLICATION_CREDENTIALS: not set, (3) {}: no such file, (4) the metadata \
         server of Google Cloud: no answer; create a service account's key of type JSON, and give its path in (1)",
        ShownPath(gcloud)
    )]
    Nothing {
        /// Where gcloud's file was expected.
        gcloud: PathBuf,
    },
}

impl CredentialsError {
    /// Whether the only problem is a disk that hangs.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::File(error) if error.is_passing())
    }
}

impl Credentials {
    /// Checks all places in order; the first that has something decides. `named` is the flag's or the configuration's file. In
    /// Google Cloud the metadata server is used without a probe: it may not be ready yet.
    ///
    /// # Errors
    /// A file cannot be used, or no credentials were found.
    pub async fn find(
        named: Option<&Path>,
        environment: &Environment,
        transport: &Transport,
        aside: &Aside,
    ) -> Result<Self, CredentialsError> {
        let quota_project = environment.valid_quota_project()?;
        if let Some((path, place)) = environment.named_file(named) {
            shown::checked(path).map_err(|problem| CredentialsError::NotAPath { place, problem })?;
            return Ok(Self { quota_project, ..Self::read_aside(path.to_owned(), aside).await? });
        }
        let gcloud = environment.gcloud_file();
        let file = gcloud.clone();
        if aside.run(LOOK_DEADLINE, move || file.exists()).await.unwrap_or(false) {
            return Ok(Self { quota_project, ..Self::read_aside(gcloud, aside).await? });
        }
        let server = MetadataServer::new(&environment.platform)?;
        if environment.platform.has_metadata_server() {
            info!("no credentials configured, requesting tokens from the metadata server of Google Cloud");
        } else if !server.is_there(transport).await {
            return Err(CredentialsError::Nothing { gcloud });
        }
        Ok(Self { source: CredentialsSource::MetadataServer(server), file: None, fingerprint: None, quota_project })
    }

    async fn read_aside(path: PathBuf, aside: &Aside) -> Result<Self, key_file::KeyFileError> {
        let file = path.clone();
        let read = aside.run(READ_DEADLINE, move || Self::from_file(file)).await;
        read.unwrap_or_else(|hangs| Err(KeyFile::hangs(path, hangs)))
    }

    /// Reads a credential file.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn from_file(path: PathBuf) -> Result<Self, key_file::KeyFileError> {
        // Noted first, so that a file which is replaced while it is read is read again.
        let fingerprint = Fingerprint::of(&path);
        let source = CredentialsSource::KeyFile(KeyFile::read(&path)?);
        if let Some(url) = source.exposed_token_uri() {
            warn!(
                url,
                remedy = "use the token_uri of the file that Google gave you; Google's is https://oauth2.googleapis.com/token",
                "the file's token_uri is not https: the sign-in will be sent there in the clear"
            );
        }
        warn_of_readers(&path);
        Ok(Self { source, file: Some(path), fingerprint, quota_project: None })
    }

    /// The e-mail address of the account, if the credentials have it.
    pub fn account(&self) -> Option<&str> {
        match &self.source {
            CredentialsSource::KeyFile(KeyFile::ServiceAccount(account)) => Some(&account.email),
            CredentialsSource::KeyFile(KeyFile::AuthorizedUser(_)) => None,
            CredentialsSource::MetadataServer(server) => server.email.as_deref(),
        }
    }
}

/// For people: what signs in, and where it was found.
impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.as_deref().map(|file| format!(" by {}", ShownPath(file))).unwrap_or_default();
        match &self.source {
            CredentialsSource::KeyFile(KeyFile::ServiceAccount(account)) => {
                let email = shown::name(&account.email);
                write!(f, "service account {email}{file}")?;
                // NAME@PROJECT.iam.gserviceaccount.com
                match email.split_once('@').and_then(|(_, host)| host.strip_suffix(".iam.gserviceaccount.com")) {
                    Some(project) => write!(f, ", of the Cloud project {project}"),
                    None => Ok(()),
                }
            }
            CredentialsSource::KeyFile(KeyFile::AuthorizedUser(_)) => write!(f, "a user's sign-in{file}"),
            CredentialsSource::MetadataServer(_) => f.write_str("this machine's own account, by the metadata server"),
        }
    }
}

impl Credentials {
    /// The e-mail address of a service account, where one signs in and its address is known.
    pub fn service_account(&self) -> Option<&str> {
        self.account()
    }
}

impl CredentialsSource {
    /// Scheme, host and port of the token endpoint, if it is not protected by TLS.
    fn exposed_token_uri(&self) -> Option<String> {
        let url = match self {
            Self::KeyFile(KeyFile::ServiceAccount(account)) => &account.token_uri,
            Self::KeyFile(KeyFile::AuthorizedUser(user)) => &user.token_uri,
            Self::MetadataServer(_) => return None,
        };
        is_exposed(url).then(|| url.origin().ascii_serialization())
    }

    /// The kind of credentials.
    pub fn signer(&self) -> Signer {
        match self {
            Self::KeyFile(KeyFile::ServiceAccount(_)) => Signer::ServiceAccount,
            Self::KeyFile(KeyFile::AuthorizedUser(_)) => Signer::AuthorizedUser,
            Self::MetadataServer(_) => Signer::MetadataServer,
        }
    }
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty());
        // Text that is not UTF-8 is refused where it is used.
        let text = |name| set(name).map(|value| value.to_string_lossy().into_owned());
        Self {
            application_credentials: set("GOOGLE_APPLICATION_CREDENTIALS").map(PathBuf::from),
            quota_project: text("GOOGLE_CLOUD_QUOTA_PROJECT"),
            gcloud_directory: set("CLOUDSDK_CONFIG").map(PathBuf::from),
            home: set("HOME").map(PathBuf::from),
            platform: Platform {
                metadata_host: text("GCE_METADATA_HOST"),
                is_orchestrated: set("KUBERNETES_SERVICE_HOST").or_else(|| set("K_SERVICE")).is_some(),
                ..Platform::default()
            },
        }
    }

    /// The named file, and where it is named.
    fn named_file<'a>(&'a self, named: Option<&'a Path>) -> Option<(&'a Path, &'static str)> {
        let by_variable = self.application_credentials.as_deref();
        named.map(|path| (path, NAMED)).or_else(|| Some((by_variable?, "GOOGLE_APPLICATION_CREDENTIALS")))
    }

    /// The project as the value of a header.
    fn valid_quota_project(&self) -> Result<Option<String>, CredentialsError> {
        let Some(project) = &self.quota_project else { return Ok(None) };
        let project = project.trim();
        // Domain-scoped projects have a dot and a colon.
        let is_of_id = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        let is_id = !project.is_empty() && project.len() <= MAX_PROJECT_BYTES && project.chars().all(is_of_id);
        let is_id = is_id && HeaderValue::from_str(project).is_ok() && !shown::is_secret(project);
        if is_id { Ok(Some(project.to_owned())) } else { Err(CredentialsError::QuotaProject) }
    }

    fn gcloud_file(&self) -> PathBuf {
        let home = self.home.clone().unwrap_or_else(|| PathBuf::from("/"));
        let directory = self.gcloud_directory.clone().unwrap_or_else(|| home.join(".config/gcloud"));
        directory.join("application_default_credentials.json")
    }
}

/// Warns if any user of the machine can read a key. Groups may: Kubernetes and systemd use them to pass keys.
fn warn_of_readers(path: &Path) {
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if is_for_everybody(mode) {
        warn!(
            file = %ShownPath(path),
            mode = format!("{:04o}", mode & 0o7777),
            "every user of this machine can read the key; run `chmod o-rwx` on the file"
        );
    }
}

/// Whether a mode lets everybody read or write. It does not show who is in the group: see SECURITY.md.
fn is_for_everybody(mode: u32) -> bool {
    mode & FOR_OTHERS != 0
}

/// Read and write for others.
const FOR_OTHERS: u32 = 0o006;

const NAMED: &str = "--google.credentials-file, or google.credentials_file in the configuration";

const MAX_PROJECT_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_quota_project_is_an_id_and_is_not_quoted() {
        let of = |project: &str| {
            let environment = Environment { quota_project: Some(project.to_owned()), ..Environment::default() };
            environment.valid_quota_project().map_err(|error| error.to_string())
        };
        assert_eq!(of("my-project"), Ok(Some("my-project".to_owned())));
        assert_eq!(of(" example.com:my-project\n"), Ok(Some("example.com:my-project".to_owned())));
        assert_eq!(Environment::default().valid_quota_project().unwrap(), None);
        for wrong in [" ", "a b", "{SECRET}", "a\nSECRET", "SECRETé"] {
            let message = of(wrong).unwrap_err();
            assert!(message.contains("GOOGLE_CLOUD_QUOTA_PROJECT") && !message.contains("SECRET"), "{message}");
        }
    }

    #[test]
    fn a_key_is_everybodys_by_its_last_digit() {
        // 0440 is the mode that Kubernetes uses with `fsGroup`, 0644 without a `defaultMode`.
        for (mode, expected) in [(0o400, false), (0o440, false), (0o640, false), (0o644, true), (0o602, true)] {
            assert_eq!(is_for_everybody(0o100_000 | mode), expected, "{mode:o}");
        }
    }

    #[test]
    fn a_token_uri_that_others_can_read_is_noticed() {
        let of = |uri: &str| {
            let file = serde_json::json!({"type": "authorized_user", "client_id": "a", "client_secret": "b",
                "refresh_token": "c", "token_uri": uri});
            let path = tempfile::NamedTempFile::new().unwrap();
            fs::write(path.path(), file.to_string()).unwrap();
            CredentialsSource::KeyFile(KeyFile::read(path.path()).unwrap()).exposed_token_uri()
        };
        assert_eq!(of("http://u:SECRET@sso.example:8080/token"), Some("http://sso.example:8080".to_owned()));
        for private in ["https://sso.example/token", "http://127.0.0.1:9/token", "http://[::1]/", "http://localhost/"] {
            assert_eq!(of(private), None, "{private}");
        }
    }
}
