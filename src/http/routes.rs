//! Parses requests.
//!
//! Pure: method, path and query in, a [`Route`] out. `answers` does the rest.

use std::{borrow::Cow, fmt, str::FromStr};

use hyper::Method;
use thiserror::Error as ThisError;

use super::{Scope, Settings, base::Place};
use ga4_exporter_core::names::{Handler, PropertyId};

use crate::{documents::Document, status::Selection};

/// The path of the metrics: absolute, plain, and not that of another endpoint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TelemetryPath(String);

impl TelemetryPath {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TelemetryPath {
    fn default() -> Self {
        Self("/metrics".to_owned())
    }
}

impl fmt::Display for TelemetryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TelemetryPath {
    type Err = TelemetryPathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some(rest) = text.strip_prefix('/') else {
            return Err(TelemetryPathError::Relative(text.to_owned()));
        };
        if text.contains('?') {
            return Err(TelemetryPathError::Query(text.to_owned()));
        }
        if OTHER_PATHS.contains(&text) || OTHER_DIRECTORIES.contains(&rest.split('/').next().unwrap_or_default()) {
            return Err(TelemetryPathError::OtherEndpoint(text.to_owned()));
        }
        // Clients normalize empty segments and dots, and would request another path.
        let plain = |segment: &str| {
            !matches!(segment, "" | "." | "..")
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        };
        if rest.split('/').all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(TelemetryPathError::InvalidCharacters(text.to_owned()))
        }
    }
}

/// Why a text cannot be the path of the metrics.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
pub enum TelemetryPathError {
    /// Without a slash in front.
    #[error("the telemetry path `{0}` must start with a slash, like `/metrics`")]
    Relative(String),
    /// With a query.
    #[error("the telemetry path `{0}` must not have a query; remove the `?` and what follows it")]
    Query(String),
    /// That of another endpoint.
    #[error("the telemetry path `{0}` is that of another endpoint; choose another, like `/metrics`")]
    OtherEndpoint(String),
    /// With characters that a client would normalize or escape.
    #[error("the telemetry path `{0}` may only have letters, digits, `-`, `.`, `_` and `~` between single slashes")]
    InvalidCharacters(String),
}

/// The purpose of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Route {
    /// The status page, for this query.
    Status(Selection),
    /// The list of documents.
    Documents,
    /// One document.
    Document(&'static Document),
    /// The metrics.
    Metrics(Scope),
    /// Whether the process is alive.
    Healthy,
    /// Whether a scrape has useful data.
    Ready,
    /// Reload the configuration.
    Reload,
    /// Reloading is not allowed.
    ReloadDisabled,
    /// Show the configuration.
    Config,
    /// The metrics of one property.
    Probe(PropertyId),
    /// The properties as targets.
    Targets,
    /// Redirect to this path.
    Redirect(String),
    /// A probe without a property.
    NoTarget,
    /// Invalid parameters, with the reason.
    BadRequest(Cow<'static, str>),
    /// An unknown path.
    NotFound,
    /// Another method; these are allowed.
    MethodNotAllowed(&'static str),
}

/// Parses a request, below the prefix of all paths.
pub(super) fn route_under(settings: &Settings, method: &Method, path: &str, query: Option<&str>) -> Route {
    match settings.base.place(path) {
        Place::Endpoint(path) => route(method, path, query, &settings.telemetry_path, settings.lifecycle),
        Place::Elsewhere(to) => allowed(method, READ, Route::Redirect(to)),
        Place::Nowhere => Route::NotFound,
    }
}

/// Returns the part of the server that answers a path.
pub(super) fn handler(settings: &Settings, path: &str) -> Handler {
    let Place::Endpoint(path) = settings.base.place(path) else { return Handler::Other };
    match path {
        "/" => Handler::Status,
        "/-/healthy" => Handler::Healthy,
        "/-/ready" => Handler::Ready,
        "/-/reload" => Handler::Reload,
        "/config" => Handler::Config,
        "/probe" => Handler::Probe,
        "/sd" => Handler::Sd,
        path if path == settings.telemetry_path.as_str() => Handler::Metrics,
        path if path.starts_with("/docs/") => Handler::Docs,
        _ => Handler::Other,
    }
}

/// Matches the path exactly: `//metrics` and `/metrics/` are not `/metrics`.
fn route(method: &Method, path: &str, query: Option<&str>, telemetry_path: &TelemetryPath, lifecycle: bool) -> Route {
    let (found, methods) = match path {
        "/" => (Route::Status(Selection::from_query(query.unwrap_or_default())), READ),
        "/-/healthy" => (Route::Healthy, READ),
        "/-/ready" => (Route::Ready, READ),
        "/-/reload" if lifecycle => (Route::Reload, ACT),
        "/-/reload" => (Route::ReloadDisabled, ACT),
        "/config" => (Route::Config, READ),
        "/probe" => (probe(query), READ),
        "/sd" => (Route::Targets, READ),
        path if path == telemetry_path.as_str() => (metrics(query), READ),
        path => match path.strip_prefix("/docs/").map(|name| (name, Document::named(name))) {
            Some(("", _)) => (Route::Documents, READ),
            Some((_, Some(document))) => (Route::Document(document), READ),
            Some((_, None)) | None => return Route::NotFound,
        },
    };
    allowed(method, methods, found)
}

fn allowed(method: &Method, methods: &'static str, found: Route) -> Route {
    if methods.split(", ").any(|allowed| allowed == method.as_str()) { found } else { Route::MethodNotAllowed(methods) }
}

/// Ignores unknown parameters: a scrape configuration may have some for another target.
fn metrics(query: Option<&str>) -> Route {
    match values(query, "scope").as_slice() {
        [] => Route::Metrics(Scope::All),
        [scope] if scope == "exporter" => Route::Metrics(Scope::Exporter),
        [_] => Route::BadRequest("the only value of `scope` is `exporter`".into()),
        _ => Route::BadRequest("give `scope` once".into()),
    }
}

fn probe(query: Option<&str>) -> Route {
    match values(query, "target").as_slice() {
        [] => Route::NoTarget,
        [target] => match target.parse() {
            Ok(property) => Route::Probe(property),
            Err(error) => Route::BadRequest(format!("{error}").into()),
        },
        _ => Route::BadRequest("give `target` once".into()),
    }
}

/// The values of one parameter.
fn values<'a>(query: Option<&'a str>, name: &str) -> Vec<Cow<'a, str>> {
    let parameters = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    parameters.filter(|(parameter, _)| parameter == name).map(|(_, value)| value).collect()
}

/// Methods of read-only routes, in the form of the header `Allow`.
const READ: &str = "GET, HEAD";

/// Methods of routes that change something.
const ACT: &str = "POST, PUT";

/// Prefixes that the path of the metrics must not have.
const OTHER_DIRECTORIES: &[&str] = &["-", "docs"];

/// Paths that the metrics must not have.
const OTHER_PATHS: &[&str] = &["/", "/config", "/probe", "/sd"];

#[cfg(test)]
mod tests {
    use super::{
        super::{Base, ExternalUrl, Limits},
        *,
    };

    fn ask(method: &str, path: &str, query: Option<&str>) -> Route {
        let method = method.parse().unwrap();
        route(&method, path, query, &TelemetryPath::default(), true)
    }

    #[test]
    fn every_path_has_its_route() {
        for (path, expected) in [
            ("/", Route::Status(Selection::from_query(""))),
            ("/docs/", Route::Documents),
            ("/docs/RUNBOOK.md", Route::Document(Document::named("RUNBOOK.md").unwrap())),
            ("/metrics", Route::Metrics(Scope::All)),
            ("/-/healthy", Route::Healthy),
            ("/-/ready", Route::Ready),
            ("/config", Route::Config),
            ("/sd", Route::Targets),
            ("/-/reload", Route::MethodNotAllowed("POST, PUT")),
            ("//metrics", Route::NotFound),
            ("/metrics/", Route::NotFound),
            ("/Metrics", Route::NotFound),
            ("/%6Detrics", Route::NotFound),
            ("/-/", Route::NotFound),
            ("/docs", Route::NotFound),
            ("/docs/nothing.md", Route::NotFound),
            ("/docs/../Cargo.toml", Route::NotFound),
            ("", Route::NotFound),
            ("*", Route::NotFound),
        ] {
            for method in ["GET", "HEAD"] {
                assert_eq!(ask(method, path, None), expected, "{method} {path}");
            }
        }
    }

    #[test]
    fn other_methods_learn_which_ones_are_allowed() {
        for path in ["/", "/metrics", "/-/healthy", "/-/ready", "/config", "/probe", "/sd"] {
            for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "BREW"] {
                assert_eq!(ask(method, path, None), Route::MethodNotAllowed("GET, HEAD"), "{method} {path}");
            }
        }
        assert_eq!(ask("POST", "/-/reload", None), Route::Reload);
        assert_eq!(ask("PUT", "/-/reload", None), Route::Reload);
        assert_eq!(ask("POST", "/nothing", None), Route::NotFound);
    }

    #[test]
    fn without_lifecycle_a_reload_is_refused_but_the_method_is_checked_first() {
        let ask = |method| route(method, "/-/reload", None, &TelemetryPath::default(), false);
        assert_eq!(ask(&Method::POST), Route::ReloadDisabled);
        assert_eq!(ask(&Method::GET), Route::MethodNotAllowed("POST, PUT"));
    }

    #[test]
    fn the_scope_is_the_exporter_or_all() {
        for (query, expected) in [
            ("", Route::Metrics(Scope::All)),
            ("collect[]=x&debug", Route::Metrics(Scope::All)),
            ("scope=exporter", Route::Metrics(Scope::Exporter)),
            ("a=b&scope=exporter&c", Route::Metrics(Scope::Exporter)),
            ("scope", Route::BadRequest("the only value of `scope` is `exporter`".into())),
            ("scope=", Route::BadRequest("the only value of `scope` is `exporter`".into())),
            ("scope=all", Route::BadRequest("the only value of `scope` is `exporter`".into())),
            ("scope=exporter&scope=exporter", Route::BadRequest("give `scope` once".into())),
        ] {
            assert_eq!(ask("GET", "/metrics", Some(query)), expected, "{query}");
        }
    }

    #[test]
    fn a_probe_is_of_one_property() {
        let shop = Route::Probe("123456789".parse().unwrap());
        for query in ["target=123456789", "a=b&target=123456789&c", "target=properties%2F123456789"] {
            assert_eq!(ask("GET", "/probe", Some(query)), shop, "{query}");
        }
        for query in ["", "Target=123456789"] {
            assert_eq!(ask("GET", "/probe", Some(query)), Route::NoTarget, "{query}");
        }
        for (query, expected) in [
            ("target=123456789&target=123456789", "give `target` once"),
            ("target=", "is not a property"),
            ("target=G-ABC", "Admin > Property"),
            ("target=p123456789", "write 123456789"),
            ("target=http://example.com/", "is not a property"),
        ] {
            let Route::BadRequest(why) = ask("GET", "/probe", Some(query)) else { panic!("{query} is a probe") };
            assert!(why.contains(expected), "{query}: {why}");
        }
    }

    #[test]
    fn all_paths_are_under_the_prefix() {
        let base = Base::new(ExternalUrl::default(), "/a/b/".parse().unwrap());
        let telemetry_path = "/numbers".parse().unwrap();
        let settings = Settings { base, telemetry_path, lifecycle: true, limits: Limits::default() };
        let ask = |method: Method, path: &str| route_under(&settings, &method, path, None);
        for (path, expected) in [
            ("/a/b/", Route::Status(Selection::from_query(""))),
            ("/a/b/numbers", Route::Metrics(Scope::All)),
            ("/a/b/-/healthy", Route::Healthy),
            ("/a/b/docs/", Route::Documents),
            ("/a/b", Route::Redirect("/a/b/".to_owned())),
            ("/", Route::Redirect("/a/b/".to_owned())),
            ("/numbers", Route::NotFound),
            ("/-/healthy", Route::NotFound),
            ("/a", Route::NotFound),
            ("/a/b/metrics", Route::NotFound),
        ] {
            assert_eq!(ask(Method::GET, path), expected, "{path}");
        }
        for (path, expected) in [
            ("/a/b/", Handler::Status),
            ("/a/b/numbers", Handler::Metrics),
            ("/a/b/docs/nothing.md", Handler::Docs),
            ("/a/b/-/reload", Handler::Reload),
            ("/a/b/metrics", Handler::Other),
            ("/", Handler::Other),
            ("*", Handler::Other),
        ] {
            assert_eq!(handler(&settings, path), expected, "{path}");
        }
        assert_eq!(ask(Method::POST, "/a/b/-/reload"), Route::Reload);
        assert_eq!(ask(Method::POST, "/"), Route::MethodNotAllowed("GET, HEAD"));
    }

    #[test]
    fn the_telemetry_path_moves_the_metrics() {
        let path: TelemetryPath = "/a/b.c".parse().unwrap();
        assert_eq!(route(&Method::GET, "/a/b.c", None, &path, false), Route::Metrics(Scope::All));
        assert_eq!(route(&Method::GET, "/metrics", None, &path, false), Route::NotFound);
    }

    #[test]
    fn telemetry_paths_that_cannot_be_are_refused() {
        for (text, expected) in [
            ("", "start with a slash"),
            ("metrics", "start with a slash"),
            ("/metrics?x=y", "must not have a query"),
            ("/", "another endpoint"),
            ("/config", "another endpoint"),
            ("/sd", "another endpoint"),
            ("/-/ready", "another endpoint"),
            ("/-", "another endpoint"),
            ("/docs/metrics", "another endpoint"),
            ("//metrics", "single slashes"),
            ("/metrics/", "single slashes"),
            ("/a/../b", "single slashes"),
            ("/mètrics", "single slashes"),
            ("/a b", "single slashes"),
            ("/a%20b", "single slashes"),
            ("/a#b", "single slashes"),
        ] {
            let message = text.parse::<TelemetryPath>().unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains(&format!("`{text}`")), "{text}: {message}");
        }
    }
}
