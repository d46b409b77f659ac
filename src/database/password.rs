//! Passwords that are not in the URL: PGPASSWORD, and the file that PGPASSFILE names.
//!
//! As libpq reads them (postgresql.org/docs/current/libpq-pgpass.html), except that a group may read the file: Kubernetes, and
//! systemd from 254 on, pass secrets with the mode 0440. What is configured goes before both.

use std::{
    ffi::OsString,
    fmt, io,
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use thiserror::Error as ThisError;

use ga4_exporter_core::shown::ShownPath;

use crate::files;

/// What the environment says of databases.
#[derive(Clone, Debug, Default)]
pub struct DatabaseEnvironment {
    /// PGPASSWORD.
    pub password: Option<SecretString>,
    /// PGPASSFILE.
    pub password_file: Option<PathBuf>,
    /// PGSSLROOTCERT.
    pub root_certificates: Option<PathBuf>,
}

/// Whose password it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Account<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) database: &'a str,
    pub(super) user: &'a str,
}

/// Why a file of passwords cannot be used.
#[derive(Debug, ThisError)]
pub enum PasswordError {
    /// It is not there, or may not be read.
    #[error("cannot read the password file {path}, which PGPASSFILE names")]
    Unreadable {
        /// The file, as it is shown.
        path: String,
        /// The system's error.
        #[source]
        cause: io::Error,
    },
    /// Every user of the machine can read it.
    #[error("every user of this machine can read the password file {0}; run: chmod 600 {0}")]
    WorldReadable(String),
}

impl DatabaseEnvironment {
    /// Those of a process with this environment.
    pub fn of(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        Self {
            password: set("PGPASSWORD").map(|value| value.to_string_lossy().into_owned().into()),
            password_file: set("PGPASSFILE").map(PathBuf::from),
            root_certificates: set("PGSSLROOTCERT").map(PathBuf::from),
        }
    }
}

/// The password of an account in a file; `None` when the file has none for it.
///
/// # Errors
/// The file cannot be used.
pub(super) fn in_file(path: &Path, account: Account<'_>) -> Result<Option<SecretString>, PasswordError> {
    let shown = || ShownPath(path).to_string();
    let unreadable = |cause| PasswordError::Unreadable { path: shown(), cause };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if is_open_to_others(&metadata) {
        return Err(PasswordError::WorldReadable(shown()));
    }
    let bytes = files::read(path, MAX_BYTES).map_err(unreadable)?;
    Ok(find(&String::from_utf8_lossy(&bytes), account))
}

fn find(text: &str, account: Account<'_>) -> Option<SecretString> {
    let port = account.port.to_string();
    let wanted = [account.host, &port, account.database, account.user];
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut found = lines.filter_map(|line| {
        let fields = fields(line);
        let (password, patterns) = fields.split_last().filter(|(_, patterns)| patterns.len() == wanted.len())?;
        let matches = patterns.iter().zip(wanted).all(|(pattern, value)| pattern == "*" || pattern == value);
        matches.then(|| SecretString::from(password.clone()))
    });
    found.next()
}

/// The parts between colons; the last one has all that follows. A backslash escapes a colon or a backslash.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut characters) = (Vec::new(), String::new(), line.chars());
    while let Some(character) = characters.next() {
        match character {
            '\\' => field.extend(characters.next()),
            ':' if fields.len() < 4 => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    fields.push(field);
    fields
}

#[cfg(unix)]
fn is_open_to_others(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    metadata.mode() & FOR_OTHERS != 0
}

impl fmt::Display for Account<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}:{}/{}", self.user, self.host, self.port, self.database)
    }
}

/// Read, write and search for others.
const FOR_OTHERS: u32 = 0o007;

const MAX_BYTES: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use secrecy::ExposeSecret;
    use tempfile::TempDir;

    use super::*;

    const ACCOUNT: Account<'_> = Account { host: "db", port: 5432, database: "ga", user: "exporter" };

    #[test]
    fn the_first_line_that_matches_counts() {
        for (text, expected) in [
            ("db:5432:ga:exporter:secret", Some("secret")),
            ("# db:5432:ga:exporter:no\nother:*:*:*:no\n*:*:*:exporter:yes\ndb:5432:ga:exporter:late", Some("yes")),
            (r"db:5432:ga:exporter:a\:b\\c:d", Some(r"a:b\c:d")),
            ("db:5433:ga:exporter:no", None),
            ("db:5432:ga:exporter", None),
            ("", None),
        ] {
            let found = find(text, ACCOUNT);
            assert_eq!(found.as_ref().map(|secret| secret.expose_secret()), expected, "{text}");
        }
    }

    #[test]
    fn a_file_that_everybody_can_read_is_refused() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("pgpass");
        fs::write(&path, "*:*:*:*:secret\n").unwrap();
        let read = |mode| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            in_file(&path, ACCOUNT)
        };
        for mode in [0o644, 0o604, 0o606] {
            let error = read(mode).unwrap_err().to_string();
            assert!(error.contains("chmod 600") && !error.contains("secret:"), "{error}");
        }
        for mode in [0o600, 0o400, 0o440, 0o640] {
            assert_eq!(read(mode).unwrap().unwrap().expose_secret(), "secret", "{mode:o}");
        }
        assert!(in_file(&directory.path().join("none"), ACCOUNT).is_err());
    }
}
