//! Where the database is, as people write it: `sqlite:PATH`, or the URL of a PostgreSQL server as libpq reads it.
//!
//! Knows which parts of such a URL tokio-postgres does not know, and what they mean: `sslmode` and `sslrootcert`. Refuses to
//! know the environment. Invariant: what is shown of a location has no password.

use std::{
    convert::Infallible,
    fmt,
    net::IpAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use thiserror::Error as ThisError;
use tokio_postgres::config::{Host, SslMode};

use ga4_exporter_core::shown;

/// A location as it was written. A password in it is never shown.
#[derive(Clone, Eq, PartialEq)]
pub struct DatabaseUrl(String);

/// A location that can be opened.
#[derive(Clone, Debug)]
pub enum Location {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<DatabaseServer>),
}

/// A PostgreSQL server and how it is reached.
#[derive(Clone)]
pub struct DatabaseServer {
    /// Everything that tokio-postgres knows itself.
    pub(super) config: tokio_postgres::Config,
    /// How its identity is checked.
    pub(super) trust: Trust,
    /// The certificates that are trusted, instead of the system's.
    pub(super) root_certificates: Option<PathBuf>,
    /// What messages call it: the URL without its password.
    shown: String,
}

/// How the identity of the server is checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Trust {
    /// Not at all: the connection is not encrypted.
    Plain,
    /// Its certificate is signed by a trusted authority, for any name.
    Chain,
    /// Its certificate is signed by a trusted authority, for the server's name.
    ChainAndName,
}

/// Why a location cannot be opened.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
pub enum LocationError {
    /// Neither SQLite nor PostgreSQL.
    #[error(
        "it is neither a SQLite file nor a PostgreSQL server; write it like `sqlite:google_analytics.db` or \
         `postgres://user@host/database`"
    )]
    Scheme,
    /// The path is empty.
    #[error("the path of the SQLite file is missing; write it like `sqlite:google_analytics.db`")]
    Path,
    /// The URL is malformed.
    #[error("it cannot be read as the URL of a PostgreSQL server: {0}; write it like `postgres://user@host/database`")]
    Url(String),
    /// The host is missing.
    #[error(
        "it names no host; write it like `postgres://user@host/database`, or `postgres:///database?host=/var/run/postgresql` \
         for a Unix socket"
    )]
    Host,
    /// A mode that may fall back to a connection without encryption.
    #[error(
        "sslmode={0} falls back to a connection without encryption, which an attacker on the network can force; write \
         sslmode=verify-full, or sslmode=disable on a network that you trust"
    )]
    Opportunistic(String),
    /// A mode that libpq does not have.
    #[error("sslmode={0} does not exist; it may be verify-full, verify-ca, require or disable")]
    Mode(String),
    /// A password on the command line, where `ps` shows it.
    #[error(
        "the password in it is readable by everybody on this machine; leave it out, and give it as PGPASSWORD, in the file that \
         PGPASSFILE names, or in `sync.database` of the configuration"
    )]
    Password,
}

impl DatabaseUrl {
    /// Whether the server's name is not checked though its certificate is: only libpq's `require` hides that.
    pub fn is_lax(&self) -> bool {
        split_query(&self.0).1.split('&').any(|part| part == "sslmode=require")
    }

    /// The default: a file in the working directory.
    pub fn default_file() -> Self {
        Self(format!("{SQLITE}{DEFAULT_FILE}"))
    }

    /// The same with a path that is absolute if `base` is, where a relative path begins.
    ///
    /// # Errors
    /// The path is empty or is not UTF-8.
    pub fn based(self, base: &Path) -> Result<Self, LocationError> {
        let Some(path) = self.0.strip_prefix(SQLITE) else { return Ok(self) };
        if path.is_empty() {
            return Err(LocationError::Path);
        }
        let joined = base.join(path);
        joined.to_str().map(|path| Self(format!("{SQLITE}{path}"))).ok_or(LocationError::Path)
    }

    /// The location.
    ///
    /// # Errors
    /// The location is malformed.
    pub fn location(&self) -> Result<Location, LocationError> {
        if let Some(path) = self.0.strip_prefix(SQLITE) {
            if path.is_empty() || path.contains('\0') {
                return Err(LocationError::Path);
            }
            return Ok(Location::Sqlite(PathBuf::from(path)));
        }
        if !POSTGRES.iter().any(|scheme| self.0.starts_with(scheme)) {
            return Err(LocationError::Scheme);
        }
        server(&self.0).map(|server| Location::Postgres(Box::new(server)))
    }
}

impl FromStr for DatabaseUrl {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_password(&self.0))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Location {
    /// Makes sure that it has no password: on a command line everybody can read it.
    ///
    /// # Errors
    /// It has one.
    pub fn without_password(self) -> Result<Self, LocationError> {
        match &self {
            Self::Postgres(server) if server.config.get_password().is_some() => Err(LocationError::Password),
            Self::Postgres(_) | Self::Sqlite(_) => Ok(self),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{SQLITE}{}", shown::ShownPath(path)),
            Self::Postgres(server) => server.fmt(f),
        }
    }
}

impl fmt::Display for DatabaseServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for DatabaseServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("shown", &self.shown).field("trust", &self.trust).finish_non_exhaustive()
    }
}

fn server(url: &str) -> Result<DatabaseServer, LocationError> {
    let (address, query) = split_query(url);
    let (mut mode, mut root_certificates, mut rest) = (None, None, Vec::new());
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let value = || {
            let decoded = form_urlencoded::parse(part.as_bytes()).next();
            decoded.map_or_else(|| value.to_owned(), |(_, value)| value.into_owned())
        };
        match key {
            "sslmode" => mode = Some(value()),
            "sslrootcert" => root_certificates = Some(PathBuf::from(value())),
            _ => rest.push(part),
        }
    }
    let rest = rest.join("&");
    let known = if rest.is_empty() { address } else { format!("{address}?{rest}") };
    let mut config: tokio_postgres::Config =
        known.parse().map_err(|error| LocationError::Url(reason(&error, &known)))?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(LocationError::Host);
    }
    let trust = trust(mode.as_deref(), &config)?;
    config.ssl_mode(if trust == Trust::Plain { SslMode::Disable } else { SslMode::Require });
    Ok(DatabaseServer { config, trust, root_certificates, shown: without_password(&known) })
}

/// Splits a URL before its query, where tokio-postgres does: a `?` before the first `@` belongs to the password.
fn split_query(url: &str) -> (String, &str) {
    let (user, rest) = url.split_once('@').map_or((None, url), |(user, rest)| (Some(user), rest));
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    (user.map_or_else(|| place.to_owned(), |user| format!("{user}@{place}")), query)
}

/// Why a URL cannot be read, without the URL.
fn reason(error: &tokio_postgres::Error, url: &str) -> String {
    let text = ga4_exporter_core::chain::Chain(error).to_string();
    let is_quoted = url.split(['@', ':', '/']).any(|part| part.len() > 3 && text.contains(part));
    if is_quoted { "a part of it is not what it should be".to_owned() } else { text }
}

fn trust(mode: Option<&str>, config: &tokio_postgres::Config) -> Result<Trust, LocationError> {
    let is_near = config.get_hosts().iter().all(is_near) && config.get_hostaddrs().iter().all(IpAddr::is_loopback);
    let only_sockets = config.get_hosts().iter().all(is_socket) && config.get_hostaddrs().is_empty();
    let trust = match mode {
        None if is_near => Trust::Plain,
        None | Some("verify-full") => Trust::ChainAndName,
        Some("verify-ca" | "require") => Trust::Chain,
        Some("disable") => Trust::Plain,
        Some(mode @ ("prefer" | "allow")) => return Err(LocationError::Opportunistic(mode.to_owned())),
        Some(mode) => return Err(LocationError::Mode(shown::name(mode))),
    };
    // As libpq has it: there is nobody on the way of a Unix socket.
    Ok(if only_sockets { Trust::Plain } else { trust })
}

fn is_socket(host: &Host) -> bool {
    match host {
        #[cfg(unix)]
        Host::Unix(_) => true,
        Host::Tcp(_) => false,
    }
}

/// Whether a connection does not leave this machine.
fn is_near(host: &Host) -> bool {
    match host {
        #[cfg(unix)]
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            let bare = name.trim_start_matches('[').trim_end_matches(']');
            bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

/// The URL with stars where its password is. Whatever stands before the last `@` may be one, a `?` and further `@` included.
fn without_password(url: &str) -> String {
    if url.starts_with(SQLITE) {
        return url.to_owned();
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        // A mistyped one.
        return url.rsplit_once('@').map_or_else(|| url.to_owned(), |(_, place)| format!("***@{place}"));
    };
    let (user, rest) = rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let mut text = format!("{scheme}://");
    if let Some(user) = user {
        text.push_str(&match user.split_once([':', '?']) {
            Some((user, _)) => format!("{user}:***@"),
            None => format!("{user}@"),
        });
    }
    text.push_str(place);
    let parts = query.map(|query| {
        let part = |part: &str| match part.split_once('=') {
            Some((key, _)) if key.contains("pass") => format!("{key}=***"),
            Some(_) | None => part.to_owned(),
        };
        query.split('&').map(part).collect::<Vec<_>>().join("&")
    });
    if let Some(parts) = parts {
        text.push('?');
        text.push_str(&parts);
    }
    text
}

const SQLITE: &str = "sqlite:";

const POSTGRES: [&str; 2] = ["postgres://", "postgresql://"];

const DEFAULT_FILE: &str = "google_analytics.db";

#[cfg(test)]
mod tests {
    use super::*;

    fn location(text: &str) -> Result<Location, LocationError> {
        text.parse::<DatabaseUrl>().unwrap().based(Path::new("/etc/ga"))?.location()
    }

    fn postgres(text: &str) -> DatabaseServer {
        match location(text) {
            Ok(Location::Postgres(server)) => *server,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_file_is_relative_to_whoever_names_it() {
        for (text, path) in [("sqlite:ga.db", "/etc/ga/ga.db"), ("sqlite:/var/lib/ga.db", "/var/lib/ga.db")] {
            assert!(matches!(location(text), Ok(Location::Sqlite(found)) if found == Path::new(path)), "{text}");
        }
        assert_eq!(location("sqlite:").unwrap_err(), LocationError::Path);
        for text in ["ga.db", "mysql://h/d", "", "postgres:h"] {
            assert_eq!(location(text).unwrap_err(), LocationError::Scheme, "{text}");
        }
    }

    #[test]
    fn trust_is_whole_where_the_network_is() {
        for (text, expected) in [
            ("postgres://u@db.example.com/ga", Trust::ChainAndName),
            ("postgresql://u@10.0.0.5/ga?sslmode=verify-full", Trust::ChainAndName),
            ("postgres://u@db/ga?sslmode=require", Trust::Chain),
            ("postgres://u@db/ga?connect_timeout=5&sslmode=verify-ca", Trust::Chain),
            ("postgres://u@db/ga?sslmode=disable", Trust::Plain),
            ("postgres://u@localhost/ga", Trust::Plain),
            ("postgres://u@127.0.0.1:5433/ga", Trust::Plain),
            ("postgres://u@[::1]/ga", Trust::Plain),
            ("postgres://u@localhost,db/ga", Trust::ChainAndName),
            ("postgres://u@localhost/ga?sslmode=verify-full", Trust::ChainAndName),
            ("postgres:///ga?host=/var/run/postgresql&user=u", Trust::Plain),
            ("postgres:///ga?host=/var/run/postgresql&sslmode=verify-full", Trust::Plain),
        ] {
            assert_eq!(postgres(text).trust, expected, "{text}");
        }
    }

    #[test]
    fn modes_that_give_in_are_refused() {
        for mode in ["prefer", "allow"] {
            let error = location(&format!("postgres://u@db/ga?sslmode={mode}")).unwrap_err();
            assert!(error.to_string().contains("verify-full"), "{error}");
        }
        assert_eq!(location("postgres://u@db/ga?sslmode=maybe").unwrap_err(), LocationError::Mode("maybe".to_owned()));
        assert_eq!(location("postgres:///ga").unwrap_err(), LocationError::Host);
    }

    #[test]
    fn a_question_mark_in_a_password_begins_no_query() {
        let server = postgres("postgres://u:a?b@db.example/ga?sslmode=disable");
        assert_eq!(server.config.get_password(), Some(b"a?b".as_slice()));
        assert_eq!((server.trust, server.to_string().as_str()), (Trust::Plain, "postgres://u:***@db.example/ga"));
        let url: DatabaseUrl = "postgres://u:a?b@db.example/ga?sslmode=require".parse().unwrap();
        assert!(url.is_lax());
    }

    #[test]
    fn roots_come_from_the_url() {
        let server = postgres("postgres://u@db/ga?sslrootcert=%2Fetc%2Fca.pem&application_name=x");
        assert_eq!(server.root_certificates, Some(PathBuf::from("/etc/ca.pem")));
        assert_eq!(server.config.get_application_name(), Some("x"));
    }

    #[test]
    fn a_password_is_neither_shown_nor_accepted_from_a_command_line() {
        let secret = "s3cr3t";
        for text in [
            "postgres://u:s3cr3t@db/ga",
            "postgres://u:a@s3cr3t@db/ga",
            "postgres://u@db/ga?password=s3cr3t",
            "postgres://u:s3cr3t@db/ga?x=y",
            "postgres://u:s3cr3t@db:port/ga",
            "postgres://u:s3cr3t@[/ga",
            "postgres://u:a?s3cr3t@db/ga",
            "postgres://u:s3cr3t?b@db/ga?application_name=x",
            "postgres://u:a?s3cr3t?b@s3cr3t@db/ga",
            "postgres://u@db/ga?password=s3cr3t@x",
            "postgres:u:s3cr3t@db/ga",
            "u:s3cr3t@db/ga",
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            let mut texts = vec![url.to_string(), format!("{url:?}")];
            match location(text) {
                Ok(found) => {
                    texts.extend([found.to_string(), format!("{found:?}")]);
                    assert_eq!(found.without_password().unwrap_err(), LocationError::Password);
                }
                Err(error) => texts.push(error.to_string()),
            }
            assert!(texts.iter().all(|text| !text.contains(secret)), "{texts:?}");
        }
        location("postgres://u@db/ga").unwrap().without_password().unwrap();
    }
}
