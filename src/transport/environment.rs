//! Checks the variables for proxies and TLS trust at the start.
//!
//! The libraries that use them ignore invalid values silently, and connections then fail without a cause. Invariant: no
//! message quotes a proxy's address, which may contain a password.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
};

use hyper::Uri;
use thiserror::Error as ThisError;

use ga4_exporter_core::shown::{self, NotAPath, ShownPath};

use crate::files;

/// What is wrong with a variable.
#[derive(Debug, ThisError)]
pub enum EnvironmentError {
    /// Not a valid address of a proxy.
    #[error(
        "{0} is not the address of a proxy; write it like `http://proxy.example:3128` or \
         `http://user:password@proxy.example:3128`, with special characters of the password as %40"
    )]
    Proxy(&'static str),
    /// An unsupported kind of proxy.
    #[error("{0} names a proxy that does not speak HTTP (SOCKS is not supported); name an HTTP proxy, or unset it")]
    ProxyScheme(&'static str),
    /// The value is not a path.
    #[error("{variable}: {problem}")]
    NotAPath {
        /// The variable.
        variable: &'static str,
        /// Why not.
        problem: NotAPath,
    },
    /// There is no such file.
    #[error("SSL_CERT_FILE: cannot read {}; name a file of trusted certificates in PEM, or unset it", ShownPath(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file without certificates.
    #[error(
        "SSL_CERT_FILE: {} has no certificate in PEM, with a line BEGIN CERTIFICATE; name a file that has one",
        ShownPath(.0)
    )]
    NoCertificate(PathBuf),
    /// A file with a byte order mark, after which the first certificate is ignored.
    #[error(
        "SSL_CERT_FILE: {} begins with a byte-order mark, which hides its first certificate; save it as UTF-8 without one",
        ShownPath(.0)
    )]
    ByteOrderMark(PathBuf),
    /// There are no such directories.
    #[error("SSL_CERT_DIR: {} is not a directory; name one with trusted certificates, or unset it", ShownPath(.0))]
    NoDirectory(PathBuf),
}

/// Checks the variables; `value` returns their values.
///
/// # Errors
/// The first invalid variable.
pub fn check(value: impl Fn(&str) -> Option<OsString>) -> Result<(), EnvironmentError> {
    let set = |name: &str| value(name).filter(|value| !value.is_empty());
    // Requests to Google use https only. The first variable that is set counts.
    let proxy = PROXIES.iter().find_map(|name| Some((*name, set(name)?)));
    if let Some((name, address)) = proxy {
        check_proxy(name, &address.to_string_lossy())?;
    }
    if let Some(file) = set("SSL_CERT_FILE") {
        check_certificates(&PathBuf::from(file))?;
    }
    if let Some(directories) = set("SSL_CERT_DIR") {
        let directories = PathBuf::from(directories);
        shown::checked(&directories)
            .map_err(|problem| EnvironmentError::NotAPath { variable: "SSL_CERT_DIR", problem })?;
        if !std::env::split_paths(&directories).any(|directory| directory.is_dir()) {
            return Err(EnvironmentError::NoDirectory(directories));
        }
    }
    Ok(())
}

/// Whether the HTTP client accepts the address.
fn check_proxy(name: &'static str, address: &str) -> Result<(), EnvironmentError> {
    let uri: Uri = address.parse().map_err(|_| EnvironmentError::Proxy(name))?;
    if uri.scheme_str().is_some_and(|scheme| !["http", "https"].contains(&scheme)) {
        return Err(EnvironmentError::ProxyScheme(name));
    }
    let authority = uri.authority().ok_or(EnvironmentError::Proxy(name))?;
    let host_and_port = authority.as_str().rsplit('@').next().unwrap_or_default();
    let has_port = host_and_port.trim_end_matches(|c: char| c != ']' && c != ':').ends_with(':');
    let is_usable = !authority.host().is_empty() && (!has_port || authority.port_u16().is_some_and(|port| port > 0));
    if is_usable { Ok(()) } else { Err(EnvironmentError::Proxy(name)) }
}

fn check_certificates(path: &Path) -> Result<(), EnvironmentError> {
    shown::checked(path).map_err(|problem| EnvironmentError::NotAPath { variable: "SSL_CERT_FILE", problem })?;
    let unreadable = |source| EnvironmentError::Unreadable { path: path.to_owned(), source };
    let bytes = files::read(path, MAX_BYTES).map_err(unreadable)?;
    if bytes.starts_with(BYTE_ORDER_MARK) {
        return Err(EnvironmentError::ByteOrderMark(path.to_owned()));
    }
    let has = |mark: &[u8]| bytes.windows(mark.len()).any(|window| window == mark);
    if has(b"-----BEGIN CERTIFICATE-----") || has(b"-----BEGIN TRUSTED CERTIFICATE-----") {
        Ok(())
    } else {
        Err(EnvironmentError::NoCertificate(path.to_owned()))
    }
}

const PROXIES: &[&str] = &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// The byte order mark that editors on Windows put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How much of a file is read; the system's own have about 250 KB.
const MAX_BYTES: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use ga4_exporter_core::shown::masked;

    use super::*;

    fn checked(variables: &[(&str, &str)]) -> Result<(), String> {
        let value = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        check(value).map_err(|error| {
            let message = error.to_string();
            assert_eq!(masked(&message), message, "nothing of it is taken for a secret");
            message
        })
    }

    #[test]
    fn proxies_that_are_understood_are_let_pass() {
        for address in [
            "http://proxy.example:3128",
            "https://proxy.example",
            "proxy.example:3128",
            "proxy",
            "http://user:p%40ss@10.0.0.1:8080/",
            "http://[::1]:3128",
            "http://[::1]",
            "",
        ] {
            assert_eq!(checked(&[("HTTPS_PROXY", address)]), Ok(()), "{address}");
        }
        // Unused variables do not matter.
        assert_eq!(checked(&[("HTTPS_PROXY", "http://p:1"), ("ALL_PROXY", "socks5://p:1")]), Ok(()));
        assert_eq!(checked(&[("HTTP_PROXY", "::"), ("NO_PROXY", "::")]), Ok(()));
    }

    #[test]
    fn malformed_proxies_are_named_and_not_quoted() {
        for (address, expected) in [
            ("http:/SECRET:3128", "is not the address of a proxy"),
            ("http://user:SECRET@", "is not the address of a proxy"),
            ("http://user:SEC RET@proxy:3128", "is not the address of a proxy"),
            ("http://proxy:SECRET", "is not the address of a proxy"),
            ("http://proxy:99999", "is not the address of a proxy"),
            ("http://proxy:", "is not the address of a proxy"),
            ("http://", "is not the address of a proxy"),
            ("/SECRET", "is not the address of a proxy"),
            ("socks5://user:SECRET@proxy:1080", "SOCKS is not supported"),
        ] {
            for name in PROXIES {
                let message = checked(&[(name, address)]).unwrap_err();
                assert!(message.starts_with(name) && message.contains(expected), "{message}");
                assert!(!message.contains("SECRET"), "{message}");
            }
        }
    }

    #[test]
    fn certificates_that_are_not_there_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("roots.pem");
        let path = file.to_str().unwrap();
        assert!(checked(&[("SSL_CERT_FILE", path)]).unwrap_err().contains("cannot read"));
        std::fs::write(&file, "-----BEGIN PRIVATE KEY-----\n").unwrap();
        assert!(checked(&[("SSL_CERT_FILE", path)]).unwrap_err().contains("roots.pem has no certificate"));
        std::fs::write(&file, "words\n-----BEGIN CERTIFICATE-----\n").unwrap();
        assert_eq!(checked(&[("SSL_CERT_FILE", path)]), Ok(()));
        std::fs::write(&file, "\u{feff}-----BEGIN CERTIFICATE-----\r\n").unwrap();
        assert!(checked(&[("SSL_CERT_FILE", path)]).unwrap_err().contains("roots.pem begins with a byte-order mark"));
        let there = directory.path().to_str().unwrap();
        assert!(checked(&[("SSL_CERT_FILE", there)]).unwrap_err().contains("cannot read"));
        assert_eq!(checked(&[("SSL_CERT_DIR", &format!("/nonexistent:{there}"))]), Ok(()));
        assert!(checked(&[("SSL_CERT_DIR", "/nonexistent")]).unwrap_err().contains("not a directory"));
        for variable in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
            let message = checked(&[(variable, "-----BEGIN CERTIFICATE-----\nMIISECRET")]).unwrap_err();
            assert!(message.contains("looks like the content") && !message.contains("SECRET"), "{message}");
        }
    }
}
