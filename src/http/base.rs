//! The external URL of the exporter, and the prefix of the paths that it serves.
//!
//! Both mean the same as Prometheus' flags of these names. Ignores headers such as `X-Forwarded-*`: what a proxy adds has to be
//! configured.

use std::{fmt, str::FromStr};

use reqwest::Url;
use thiserror::Error as ThisError;

/// The external URL, if it is configured.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ExternalUrl(Option<Url>);

impl FromStr for ExternalUrl {
    type Err = ExternalUrlError;

    /// The empty text means none, as in Prometheus.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        let url: Url = text.parse().map_err(|_| ExternalUrlError::Malformed)?;
        if !["http", "https"].contains(&url.scheme()) || !url.has_host() {
            return Err(ExternalUrlError::Malformed);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ExternalUrlError::User);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(ExternalUrlError::Query);
        }
        prefix_of(url.path())?;
        Ok(Self(Some(url)))
    }
}

impl fmt::Display for ExternalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |url| url.fmt(f))
    }
}

/// Why a text cannot be the external URL. The text is not repeated: it may contain a password.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
pub enum ExternalUrlError {
    /// Not absolute, without a host, or in quotes.
    #[error("it must be an http or https URL with a host, like https://monitoring.example.com/ga, without quotes")]
    Malformed,
    /// With a user or a password.
    #[error("it must not have a user or password; leave out what stands before the `@`")]
    User,
    /// With a query or fragment.
    #[error("it must not have a query or fragment; leave out the `?` or `#` and what follows")]
    Query,
    /// With a path that cannot be a prefix.
    #[error(transparent)]
    Path(#[from] RoutePrefixError),
}

/// The prefix of all paths, if it is configured.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RoutePrefix(Option<String>);

impl FromStr for RoutePrefix {
    type Err = RoutePrefixError;

    /// Slashes at both ends are ignored, and the empty text means none, as in Prometheus.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() { Ok(Self(None)) } else { prefix_of(text).map(|prefix| Self(Some(prefix))) }
    }
}

impl fmt::Display for RoutePrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |prefix| write!(f, "{prefix}/"))
    }
}

/// Why a text cannot be a path prefix.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
#[error(
    "the path `{0}` may only have letters, digits and some of `-._~:@!$&()*+,;=` between single slashes, and no `.` or `..` \
     alone; write it like `/ga`"
)]
pub struct RoutePrefixError(String);

/// Both together.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Base {
    external: Option<Url>,
    /// `/ga`, or empty.
    prefix: String,
}

/// The meaning of a path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Place<'a> {
    /// An endpoint: its path without the prefix.
    Endpoint(&'a str),
    /// The root or the prefix itself: where the status page is.
    Elsewhere(String),
    /// Outside of the prefix.
    Nowhere,
}

impl Base {
    /// The path of the external URL is the default of the prefix.
    pub fn new(external: ExternalUrl, prefix: RoutePrefix) -> Self {
        let external = external.0;
        let of_external = || external.as_ref().and_then(|url| prefix_of(url.path()).ok()).unwrap_or_default();
        let prefix = prefix.0.unwrap_or_else(of_external);
        Self { external, prefix }
    }

    /// The prefix of the served paths, such as `/ga`; may be empty.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The prefix in external URLs: a proxy may add another one.
    pub fn external_prefix(&self) -> &str {
        self.external.as_ref().map_or(&self.prefix, |url| url.path().trim_end_matches('/'))
    }

    /// The scheme, if it is known.
    pub fn scheme(&self) -> Option<&str> {
        self.external.as_ref().map(Url::scheme)
    }

    /// The host, with its port unless that is the scheme's default, if it is known.
    pub fn host(&self) -> Option<String> {
        let url = self.external.as_ref()?;
        let host = url.host_str()?;
        Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }

    /// Resolves a path.
    pub(super) fn place<'a>(&self, path: &'a str) -> Place<'a> {
        if self.prefix.is_empty() {
            return Place::Endpoint(path);
        }
        match path.strip_prefix(self.prefix.as_str()) {
            Some("") => Place::Elsewhere(format!("{}/", self.external_prefix())),
            Some(rest) if rest.starts_with('/') => Place::Endpoint(rest),
            // As in Prometheus, the prefix of the routes: this request did not come through the proxy's path.
            _ if path == "/" => Place::Elsewhere(format!("{}/", self.prefix)),
            Some(_) | None => Place::Nowhere,
        }
    }
}

/// Normalizes a path to one slash in front and none at the end; the root is empty.
fn prefix_of(path: &str) -> Result<String, RoutePrefixError> {
    let trimmed = path.trim_matches('/');
    if trimmed.is_empty() {
        return Ok(String::new());
    }
    // Clients normalize empty segments and dots, and would request another path.
    let plain = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:@!$&()*+,;=".contains(&byte))
    };
    if trimmed.split('/').all(plain) {
        Ok(format!("/{trimmed}"))
    } else {
        Err(RoutePrefixError(path.chars().take(MAX_QUOTED).collect()))
    }
}

/// How much of a path a message repeats, in characters.
const MAX_QUOTED: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    fn base(external: &str, prefix: &str) -> Base {
        Base::new(external.parse().unwrap(), prefix.parse().unwrap())
    }

    #[test]
    fn the_prefix_is_that_of_the_external_url_unless_it_is_given() {
        for (external, prefix, served, seen) in [
            ("", "", "", ""),
            ("", "/", "", ""),
            ("", "ga", "/ga", "/ga"),
            ("", "//a/b/", "/a/b", "/a/b"),
            ("https://example.com", "", "", ""),
            ("https://example.com/", "", "", ""),
            ("https://example.com/ga/", "", "/ga", "/ga"),
            ("https://example.com/a/b", "", "/a/b", "/a/b"),
            ("https://example.com/ga", "/", "", "/ga"),
            ("https://example.com/ga", "/inside", "/inside", "/ga"),
            (
                "http://k8s/api/v1/services/http:exporter:9674/proxy",
                "/",
                "",
                "/api/v1/services/http:exporter:9674/proxy",
            ),
        ] {
            let base = base(external, prefix);
            assert_eq!((base.prefix(), base.external_prefix()), (served, seen), "{external} {prefix}");
        }
    }

    #[test]
    fn the_host_has_its_port_where_it_is_an_unusual_one() {
        for (external, scheme, host) in [
            ("https://example.com/ga", "https", "example.com"),
            ("https://example.com:443", "https", "example.com"),
            ("http://example.com:9090/", "http", "example.com:9090"),
            ("http://[::1]:9090/", "http", "[::1]:9090"),
            ("HTTPS://EXAMPLE.com", "https", "example.com"),
        ] {
            let base = base(external, "");
            assert_eq!((base.scheme(), base.host().as_deref()), (Some(scheme), Some(host)), "{external}");
        }
        assert_eq!((Base::default().scheme(), Base::default().host()), (None, None));
    }

    #[test]
    fn the_root_and_the_prefix_lead_to_the_status_page() {
        let elsewhere = |path: &str| Place::Elsewhere(path.to_owned());
        let base = base("https://example.com/outside", "/inside");
        for (path, expected) in [
            ("/", elsewhere("/inside/")),
            ("/inside", elsewhere("/outside/")),
            ("/inside/", Place::Endpoint("/")),
            ("/inside/-/healthy", Place::Endpoint("/-/healthy")),
            ("/inside//metrics", Place::Endpoint("//metrics")),
            ("/insider", Place::Nowhere),
            ("/metrics", Place::Nowhere),
            ("/outside/metrics", Place::Nowhere),
            ("", Place::Nowhere),
            ("*", Place::Nowhere),
        ] {
            assert_eq!(base.place(path), expected, "{path}");
        }
        for path in ["/", "/metrics", "*"] {
            assert_eq!(Base::default().place(path), Place::Endpoint(path));
        }
    }

    #[test]
    fn urls_that_cannot_be_are_refused() {
        for (text, expected) in [
            ("example.com/ga", "an http or https URL"),
            ("/ga", "an http or https URL"),
            ("ftp://example.com", "an http or https URL"),
            ("mailto:a@example.com", "an http or https URL"),
            ("https://", "an http or https URL"),
            ("\"https://example.com\"", "without quotes"),
            ("'https://example.com'", "without quotes"),
            ("https://user:geheim@example.com", "must not have a user or password"),
            ("https://user@example.com", "must not have a user or password"),
            ("https://example.com/?a=b", "must not have a query"),
            ("https://example.com/#x", "must not have a query or fragment"),
            ("https://example.com/a//b", "between single slashes"),
            ("https://example.com/a b", "between single slashes"),
            ("https://example.com/\u{e9}", "between single slashes"),
        ] {
            let message = text.parse::<ExternalUrl>().unwrap_err().to_string();
            assert!(message.contains(expected) && !message.contains("geheim"), "{text}: {message}");
        }
    }

    #[test]
    fn prefixes_that_cannot_be_are_refused() {
        for text in
            ["a//b", "/a/../b", "/.", "/a?b", "/a#b", "/a b", "/%61", "/\u{e9}", "\"/a\"", "http://example.com/a"]
        {
            let message = text.parse::<RoutePrefix>().unwrap_err().to_string();
            assert!(message.contains(&format!("`{text}`")), "{text}: {message}");
        }
    }
}
