//! The client: one typed method for each of the Data API's.

use std::{fmt, sync::Arc};

use reqwest::{
    Url,
    header::{CONTENT_TYPE, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use tracing::debug;

use ga4_exporter_core::{
    chain::one_line,
    names::{Api, Method, PropertyId},
    wire::{
        ApiError,
        request::{RunRealtimeReportRequest, RunReportRequest},
        response::ReportResponse,
        without_lone_halves,
    },
};

use crate::{
    auth::{Token, Tokens, Unavailable},
    clock::monotonic,
    observer::Observer,
    secrets::hidden,
    transport::{self, Answer, Longest, SMALL_BYTES, Transport},
    workers::Workers,
};

/// Sends requests to Google; cheap to clone, and all clones share their connections and the token.
#[derive(Clone)]
pub struct Client {
    transport: Transport,
    tokens: Tokens,
    observer: Arc<dyn Observer>,
    endpoints: Endpoints,
    /// Parse large answers.
    parsers: Arc<Workers>,
}

/// Base URLs of Google's APIs.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// The Data API; by default [`DATA_API_URL`].
    pub data: Url,
    /// The Admin API; by default [`ADMIN_API_URL`].
    pub admin: Url,
}

impl Client {
    /// Creates a client for these endpoints.
    pub fn new(transport: Transport, tokens: Tokens, observer: Arc<dyn Observer>, endpoints: Endpoints) -> Self {
        let parsers = Arc::new(Workers::start("parse", PARSERS));
        Self { transport, tokens, observer, endpoints, parsers }
    }

    /// `properties.runReport`. `accept` translates the report for the caller, or says why it does not match the request.
    ///
    /// # Errors
    /// See [`ApiError`]; an answer that is not a report, or that is not accepted, is [`ApiError::Protocol`].
    pub async fn run_report<T, E: fmt::Display>(
        &self,
        property: PropertyId,
        request: &RunReportRequest,
        accept: impl Fn(ReportResponse) -> Result<T, E>,
    ) -> Result<T, ApiError> {
        let accept = |response: ReportResponse| {
            expect_kind(&response.kind, "analyticsData#runReport")?;
            accept(response).map_err(|error| error.to_string())
        };
        self.post(Method::RunReport, property, request, accept).await
    }

    /// `properties.runRealtimeReport`, as [`Client::run_report`].
    ///
    /// # Errors
    /// See [`ApiError`]; an answer that is not a report, or that is not accepted, is [`ApiError::Protocol`].
    pub async fn run_realtime_report<T, E: fmt::Display>(
        &self,
        property: PropertyId,
        request: &RunRealtimeReportRequest,
        accept: impl Fn(ReportResponse) -> Result<T, E>,
    ) -> Result<T, ApiError> {
        let accept = |response: ReportResponse| {
            expect_kind(&response.kind, "analyticsData#runRealtimeReport")?;
            accept(response).map_err(|error| error.to_string())
        };
        self.post(Method::RunRealtimeReport, property, request, accept).await
    }

    /// Returns the e-mail address of the account, if it is known.
    pub fn account(&self) -> Option<Arc<str>> {
        self.tokens.account()
    }

    pub(super) async fn post<R: DeserializeOwned + Send + 'static, T>(
        &self,
        method: Method,
        property: PropertyId,
        request: &impl Serialize,
        accept: impl Fn(R) -> Result<T, String>,
    ) -> Result<T, ApiError> {
        self.post_long(method, longest(method), property, request, accept).await
    }

    /// The same where the answer may be of another length than is usual for the method.
    pub(super) async fn post_long<R: DeserializeOwned + Send + 'static, T>(
        &self,
        method: Method,
        longest: Longest,
        property: PropertyId,
        request: &impl Serialize,
        accept: impl Fn(R) -> Result<T, String>,
    ) -> Result<T, ApiError> {
        let path = format!("v1beta/properties/{property}:{method}");
        let body = serde_json::to_vec(request).expect("texts, numbers and lists always serialise");
        self.call(method, &Call { path: &path, query: &[], body: Some(body), longest }, accept).await
    }

    pub(super) async fn get<R: DeserializeOwned + Send + 'static, T>(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        accept: impl Fn(R) -> Result<T, String>,
    ) -> Result<T, ApiError> {
        self.call(method, &Call { path, query, body: None, longest: longest(method) }, accept).await
    }

    /// Sends a request. If Google refuses the token, renews it once and sends the request again.
    async fn call<R: DeserializeOwned + Send + 'static, T>(
        &self,
        method: Method,
        call: &Call<'_>,
        accept: impl Fn(R) -> Result<T, String>,
    ) -> Result<T, ApiError> {
        let url = self.endpoints.url(method.api(), call.path);
        let token = self.tokens.token().await?;
        match self.observed(method, &url, call, &token, &accept).await {
            Err(ApiError::Unauthenticated(message)) => match self.tokens.renewed(&token).await {
                Ok(token) => self.observed(method, &url, call, &token, &accept).await,
                Err(_) => Err(ApiError::Unauthenticated(message)),
            },
            result => result,
        }
    }

    async fn observed<R: DeserializeOwned + Send + 'static, T>(
        &self,
        method: Method,
        url: &Url,
        call: &Call<'_>,
        token: &Token,
        accept: &impl Fn(R) -> Result<T, String>,
    ) -> Result<T, ApiError> {
        let started = monotonic();
        let result = match self.exchange(url, call, token).await {
            Ok(answer) => self.read(&answer, url, token, accept).await,
            Err(error) => Err(error),
        };
        self.observer.request(method, started.elapsed(), result.as_ref().err().map(ApiError::reason));
        result
    }

    async fn exchange(&self, url: &Url, call: &Call<'_>, token: &Token) -> Result<Answer, ApiError> {
        let client = self.transport.for_url(url);
        let mut request = match call.body.clone() {
            Some(body) => client.post(url.clone()).header(CONTENT_TYPE, JSON).body(body),
            None => client.get(url.clone()).query(call.query),
        };
        request = request.bearer_auth(token.secret.expose_secret());
        if let Some(project) = &token.quota_project {
            request = request.header("x-goog-user-project", project);
        }
        let deadline = self.transport.deadlines.request;
        let deadline = if call.longest == Longest::Page { PAGE_DEADLINES * deadline } else { deadline };
        Ok(self.transport.send(request, deadline, call.longest).await?)
    }

    /// Reads an answer's body, or the error in it.
    async fn read<R: DeserializeOwned + Send + 'static, T>(
        &self,
        answer: &Answer,
        url: &Url,
        token: &Token,
        accept: &impl Fn(R) -> Result<T, String>,
    ) -> Result<T, ApiError> {
        let host = url.host_str().unwrap_or_default();
        // The answer may echo the request.
        let words = || hidden(&String::from_utf8_lossy(&answer.body), &sent(url, token).iter().collect::<Vec<_>>());
        let result = if answer.status.is_success() {
            parsed(answer, &self.parsers).await.and_then(accept).map_err(ApiError::Protocol)
        } else {
            Err(ApiError::from_answer(answer.status.as_u16(), words().as_bytes(), host))
        };
        if let Err(error @ ApiError::Protocol(_)) = &result {
            debug!(%error, status = %answer.status, body = beginning(&words()), "an answer that is not what was asked for");
        }
        result
    }
}

impl From<transport::TransportError> for ApiError {
    fn from(error: transport::TransportError) -> Self {
        match error {
            transport::TransportError::Timeout(_) | transport::TransportError::TooSlow => {
                Self::Timeout(Box::new(error))
            }
            transport::TransportError::Connection { .. } | transport::TransportError::NoTrust(_) => {
                Self::Connection(Box::new(error))
            }
            transport::TransportError::TooLarge(_) | transport::TransportError::Undecodable(_) => {
                Self::Protocol(error.to_string())
            }
        }
    }
}

impl From<Unavailable> for ApiError {
    fn from(unavailable: Unavailable) -> Self {
        let remedy = match &unavailable {
            Unavailable::Failed(failure) => Some(failure.remedy()),
            Unavailable::Pending | Unavailable::RenewedAlready => None,
        };
        Self::NoCredentials { remedy, cause: Box::new(unavailable) }
    }
}

impl Endpoints {
    /// The address of a path below the base. Parses the host only once, when the program starts.
    fn url(&self, api: Api, path: &str) -> Url {
        let base = if api == Api::Admin { &self.admin } else { &self.data };
        let path = format!("{}/{path}", base.path().trim_end_matches('/'));
        let mut url = base.clone();
        url.set_path(&path);
        url
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A URL may contain a password.
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// A request without its method and token.
struct Call<'a> {
    path: &'a str,
    query: &'a [(&'a str, &'a str)],
    body: Option<Vec<u8>>,
    longest: Longest,
}

/// Parses the JSON of a body. A large one is parsed aside, so that serving and polling continue. The transport's budget limits
/// how many wait for that.
async fn parsed<R: DeserializeOwned + Send + 'static>(answer: &Answer, parsers: &Workers) -> Result<R, String> {
    if answer.body.len() <= SMALL_BYTES {
        return parse(&answer.body);
    }
    // Keeps its part of the budget until it is parsed.
    let aside = answer.clone();
    parsers.run(move || parse(&aside.body)).await
}

/// The secrets of a request: the token, and the user and password of the URL.
fn sent(url: &Url, token: &Token) -> Vec<SecretString> {
    let mut secrets = vec![token.secret.clone()];
    if let Some(password) = url.password() {
        secrets.push(password.into());
        secrets.push(format!("{}:{password}", url.username()).into());
    }
    secrets
}

/// Parses a body. What is no Unicode in it becomes U+FFFD, so that it costs only the text that it is in.
fn parse<R: DeserializeOwned>(body: &[u8]) -> Result<R, String> {
    // Checked as a whole, which is several times as fast as text by text.
    let body = String::from_utf8_lossy(body);
    let read = |body: &str| serde_json::from_str(body);
    let whole = |error| match without_lone_halves(&body) {
        Some(whole) => read(&whole),
        None => Err(error),
    };
    // The parser's message may quote the answer.
    read(&body)
        .or_else(whole)
        .map_err(|error| format!("not the expected JSON at line {}, column {}", error.line(), error.column()))
}

fn longest(method: Method) -> Longest {
    match method {
        Method::AccountSummaries => Longest::Listing,
        Method::GetProperty => Longest::Property,
        Method::Token => Longest::Token,
        Method::RunReport
        | Method::BatchRunReports
        | Method::RunRealtimeReport
        | Method::GetMetadata
        | Method::CheckCompatibility => Longest::Report,
    }
}

pub(super) fn expect_kind(kind: &str, expected: &str) -> Result<(), String> {
    if kind == expected {
        return Ok(());
    }
    Err(format!("its kind is `{}` and not `{expected}`", one_line(kind, LOGGED_KIND_CHARACTERS)))
}

/// The beginning of a body, for the debug log.
fn beginning(body: &str) -> String {
    one_line(body, LOGGED_CHARACTERS)
}

/// Google's Data API.
pub const DATA_API_URL: &str = "https://analyticsdata.googleapis.com";

/// Google's Admin API.
pub const ADMIN_API_URL: &str = "https://analyticsadmin.googleapis.com";

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Threads that parse large answers: one goes on while the other has the largest.
const PARSERS: usize = 2;

/// How many times as long as others a page of 250,000 rows may take.
const PAGE_DEADLINES: u32 = 5;

const LOGGED_CHARACTERS: usize = 300;

const LOGGED_KIND_CHARACTERS: usize = 60;

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        thread::{self, ThreadId},
    };

    use serde::{Deserialize, Deserializer, de::IgnoredAny};

    use super::*;

    #[test]
    fn what_is_no_unicode_costs_only_its_text() {
        let texts = |body: &[u8]| parse::<Vec<String>>(body).unwrap();
        assert_eq!(texts(b"[\"a\xff\", \"b\"]"), ["a\u{fffd}", "b"]);
        assert_eq!(texts(br#"["a\ud83d", "b"]"#), ["a\u{fffd}", "b"]);
        assert_eq!(texts(b"[\"\xc3\\ud83d\"]"), ["\u{fffd}\u{fffd}"]);
        let error = parse::<Vec<String>>(b"[\n\"a\", \xff]").unwrap_err();
        assert_eq!(error, "not the expected JSON at line 2, column 6");
    }

    #[test]
    fn endpoints_may_have_a_path_and_a_slash() {
        for base in ["http://127.0.0.1:1/ga", "http://127.0.0.1:1/ga/"] {
            let endpoints = Endpoints { data: base.parse().unwrap(), admin: ADMIN_API_URL.parse().unwrap() };
            let url = endpoints.url(Api::Data, "v1beta/properties/1:runReport");
            assert_eq!(url.as_str(), "http://127.0.0.1:1/ga/v1beta/properties/1:runReport");
            let url = endpoints.url(Api::Admin, "v1beta/accountSummaries");
            assert_eq!(url.as_str(), "https://analyticsadmin.googleapis.com/v1beta/accountSummaries");
        }
    }

    /// Any JSON, and the thread that it was parsed on.
    struct ParsedOn(ThreadId);

    impl<'de> Deserialize<'de> for ParsedOn {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            IgnoredAny::deserialize(deserializer).map(|_| Self(thread::current().id()))
        }
    }

    #[tokio::test]
    async fn large_answers_are_parsed_aside_by_the_same_threads() {
        let (here, parsers) = (thread::current().id(), Workers::start("parse", 1));
        let mut threads = BTreeSet::new();
        for (padding, is_large) in [(0, false), (SMALL_BYTES, true), (2 * SMALL_BYTES, true)] {
            let body = format!("{}1", " ".repeat(padding)).into();
            let (status, headers) = (reqwest::StatusCode::OK, reqwest::header::HeaderMap::new());
            let answer = Answer { status, headers, body, part: None };
            let ParsedOn(thread) = parsed(&answer, &parsers).await.unwrap();
            assert_eq!(thread != here, is_large, "{padding} bytes");
            threads.insert(format!("{thread:?}"));
        }
        assert_eq!(threads.len(), 2, "no thread is started for an answer");
    }

    #[test]
    fn logged_bodies_are_short_and_on_one_line() {
        let text = beginning(&"é\n<html>".repeat(100));
        assert!(text.len() < 700 && !text.contains('\n'), "{text}");
    }
}
