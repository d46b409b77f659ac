//! HTTP to Google: TLS, proxies, deadlines and the size of an answer.
//!
//! Knows how to send one request and read its whole answer within limits. Refuses to know the meaning of requests and answers.
//! Invariant: no request outlives its deadline, no answer exceeds the limit of its kind, and all large answers together stay
//! within a budget; sizes count as decompressed.

use std::{error::Error, net::IpAddr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{
    Client, StatusCode, Url,
    header::{CONNECTION, HeaderMap},
    redirect, retry,
};
use rustls::{ClientConfig, crypto::ring};
use rustls_platform_verifier::Verifier;
use thiserror::Error as ThisError;

use crate::witness::Witness;

use self::budget::{Budget, Part};

pub use self::budget::SMALL_BYTES;

mod budget;
pub mod environment;

/// Sends requests; cheap to clone, and all clones share their connections.
#[derive(Clone, Debug)]
pub struct Transport {
    /// For Google, through the environment's proxy if there is one.
    outside: Client,
    /// For this machine and the metadata server, never through a proxy.
    direct: Client,
    /// Deadlines by kind of request.
    pub deadlines: Deadlines,
    /// The memory for all large answers together.
    budget: Budget,
    /// Compares the dates of Google's answers with the clock, if wanted.
    witness: Option<Witness>,
}

/// Deadlines of requests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Deadlines {
    /// For connecting, including TLS.
    pub connect: Duration,
    /// For a whole request to an API: as long as Google's own clients wait (analytics_data_grpc_service_config.json).
    pub request: Duration,
    /// For a whole request for a token.
    pub token: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), request: Duration::from_secs(60), token: Duration::from_secs(10) }
    }
}

/// The certificate authorities that TLS trusts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Roots {
    /// The certificate authorities that the system trusts.
    System,
    /// None: for plain HTTP on this machine.
    Nobody,
}

/// The longest body of an answer with a status of success, in bytes as decompressed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Longest {
    /// 4 MiB: twice a report of 10,000 rows, the most that Google sends by default.
    Report,
    /// 256 MiB: a page of 250,000 rows of a command, which runs for nothing else.
    Page,
    /// 4 MiB: a page of 200 accounts with 20,000 properties.
    Listing,
    /// 64 KiB: the Admin API's answer on one property has less than a kilobyte.
    Property,
    /// 16 KiB: a token, or a line of the metadata server.
    Token,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed. That of an error may be cut.
    pub body: Bytes,
    /// The body's part of the budget, if it is large.
    #[expect(dead_code, reason = "it counts until it is dropped")]
    pub(crate) part: Option<Arc<Part>>,
}

/// Why there is no complete answer.
#[derive(Debug, ThisError)]
pub enum TransportError {
    /// The HTTP client could not be set up.
    #[error(
        "TLS cannot be set up: the system has no usable certificate authorities; install the package ca-certificates \
         or point SSL_CERT_FILE to a file of trusted certificates"
    )]
    NoTrust(#[source] Box<dyn Error + Send + Sync>),
    /// No complete answer in time.
    #[error("no complete answer within {0:?}")]
    Timeout(Duration),
    /// It was too slow while others waited for its memory.
    #[error("the answer came too slowly while other requests waited")]
    TooSlow,
    /// DNS, TCP or TLS failed, or the connection was cut.
    #[error("the connection to {to} failed")]
    Connection {
        /// Scheme, host and port.
        to: String,
        /// What failed.
        #[source]
        cause: reqwest::Error,
    },
    /// The answer exceeds the limit of its kind.
    #[error("the answer is longer than {0} bytes, the most that is read of its kind")]
    TooLarge(usize),
    /// The body does not match its headers.
    #[error("the answer cannot be decoded")]
    Undecodable(#[source] reqwest::Error),
}

impl Transport {
    /// Sets up TLS and the proxies of the environment (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY).
    ///
    /// # Errors
    /// [`TransportError::NoTrust`] when the system has no certificate authorities.
    pub fn new(roots: Roots, deadlines: Deadlines) -> Result<Self, TransportError> {
        // The provider may already be installed; the program has only this one.
        let _ = ring::default_provider().install_default();
        let trust = match roots {
            Roots::System => Some(trust_of_system().map_err(no_trust)?),
            Roots::Nobody => None,
        };
        let outside = client(trust.clone(), deadlines, true).map_err(no_trust)?;
        let direct = client(trust, deadlines, false).map_err(no_trust)?;
        Ok(Self { outside, direct, deadlines, budget: Budget::new(), witness: None })
    }

    /// The same transport, but comparing the dates of answers with a clock.
    #[must_use]
    pub fn witnessed_by(mut self, witness: Witness) -> Self {
        self.witness = Some(witness);
        self
    }

    /// Returns the client for a request to this address.
    pub fn for_url(&self, url: &Url) -> &Client {
        if is_near(url) { &self.direct } else { &self.outside }
    }

    /// Returns the client that never uses a proxy.
    pub fn direct(&self) -> &Client {
        &self.direct
    }

    /// Sends a request and reads the whole answer, or up to [`LONGEST_ERROR_BYTES`] of an error.
    ///
    /// # Errors
    /// Everything but [`TransportError::NoTrust`].
    pub async fn send(
        &self,
        request: reqwest::RequestBuilder,
        deadline: Duration,
        longest: Longest,
    ) -> Result<Answer, TransportError> {
        let exchange = async {
            let mut response =
                self.head(request).await.map_err(|error| TransportError::from_reqwest(error, deadline))?;
            let status = response.status();
            let headers = std::mem::take(response.headers_mut());
            if status.is_success() {
                let (body, part) = self.read(response, deadline, longest).await?;
                Ok(Answer { status, headers, body, part: part.is_large().then(|| Arc::new(part)) })
            } else {
                let body = read_beginning(response, deadline, LONGEST_ERROR_BYTES.min(longest.bytes())).await?;
                Ok(Answer { status, headers, body, part: None })
            }
        };
        tokio::time::timeout(deadline, exchange).await.unwrap_or(Err(TransportError::Timeout(deadline)))
    }

    /// Sends a request and waits for the head of its answer.
    async fn head(&self, mut request: reqwest::RequestBuilder) -> Result<reqwest::Response, reqwest::Error> {
        let Some(witness) = &self.witness else { return request.send().await };
        if witness.offset().wants_another_connection() {
            request = request.header(CONNECTION, "close");
        }
        let sent_at = witness.now();
        let response = request.send().await?;
        if !is_metadata_server(response.url()) {
            witness.on_answer(&response, sent_at);
        }
        Ok(response)
    }

    /// Reads the whole body, with its part of the budget.
    async fn read(
        &self,
        mut response: reqwest::Response,
        deadline: Duration,
        longest: Longest,
    ) -> Result<(Bytes, Part), TransportError> {
        let (mut body, mut part) = (BytesMut::new(), self.budget.part());
        loop {
            let chunk = tokio::select! {
                chunk = response.chunk() => chunk.map_err(|error| TransportError::from_reqwest(error, deadline))?,
                () = part.overdue(body.len()) => return Err(TransportError::TooSlow),
            };
            let Some(chunk) = chunk else { return Ok((body.freeze(), part)) };
            let length = body.len() + chunk.len();
            if length > longest.bytes() {
                return Err(TransportError::TooLarge(longest.bytes()));
            }
            if longest != Longest::Page && !part.grow(body.len(), length).await {
                return Err(TransportError::TooSlow);
            }
            body.extend_from_slice(&chunk);
        }
    }
}

impl Longest {
    fn bytes(self) -> usize {
        match self {
            Self::Report | Self::Listing => 4 << 20,
            Self::Page => 256 << 20,
            Self::Property => 64 << 10,
            Self::Token => 16 << 10,
        }
    }
}

impl TransportError {
    /// Keeps only the origin of the URL, which holds no secret.
    fn from_reqwest(error: reqwest::Error, deadline: Duration) -> Self {
        let to = error.url().map_or_else(|| "Google".to_owned(), |url| url.origin().ascii_serialization());
        let cause = error.without_url();
        let error = &cause;
        if error.is_timeout() {
            Self::Timeout(deadline)
        } else if error.is_decode() && !was_cut(error) {
            Self::Undecodable(cause)
        } else {
            Self::Connection { to, cause }
        }
    }
}

/// Whether the connection was cut: a body that is cut off cannot be decompressed either.
fn was_cut(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<hyper::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn no_trust(cause: impl Into<Box<dyn Error + Send + Sync>>) -> TransportError {
    TransportError::NoTrust(cause.into())
}

/// Reads the system's certificates, hundreds of files, once for all clients; reqwest would read them for each.
fn trust_of_system() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier::new(Arc::clone(&provider))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// A client that trusts these certificates, or nobody.
fn client(trust: Option<ClientConfig>, deadlines: Deadlines, proxies: bool) -> Result<Client, reqwest::Error> {
    let mut builder = Client::builder()
        // Google compresses its answers only if the user agent says gzip too.
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"), " (gzip)"))
        .connect_timeout(deadlines.connect)
        .redirect(redirect::Policy::none())
        // Who asks decides when to ask again. Else each request is kept as a copy.
        .retry(retry::never())
        // With HTTP/2 all requests would share one connection: a stall would hit all of them, and Google allows only about a
        // hundred requests in flight on it.
        .http1_only()
        .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS);
    builder = match trust {
        Some(config) => builder.tls_backend_preconfigured(config),
        None => builder.tls_certs_only([]),
    };
    if !proxies {
        builder = builder.no_proxy();
    }
    builder.build()
}

/// Reads the body. For an error, reading part of it is enough, since the status counts.
async fn read_beginning(
    mut response: reqwest::Response,
    deadline: Duration,
    most: usize,
) -> Result<Bytes, TransportError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| TransportError::from_reqwest(error, deadline))? {
        body.extend_from_slice(chunk.get(..most - body.len()).unwrap_or(&chunk));
        if body.len() == most {
            break;
        }
    }
    Ok(body.freeze())
}

/// Whether others can read what is sent to this address: plain HTTP that leaves this machine.
pub fn is_exposed(url: &Url) -> bool {
    url.scheme() != "https" && !is_near(url)
}

/// Whether an address is the metadata server's, whose clock is the host's and not Google's.
fn is_metadata_server(url: &Url) -> bool {
    matches!(url.host_str(), Some(METADATA_HOST | METADATA_ADDRESS))
}

/// Whether an address is on this machine or the metadata server's: those never use a proxy.
fn is_near(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => address.is_loopback() || bare == METADATA_ADDRESS,
        Err(_) => host == "localhost" || host.ends_with(".localhost") || host == METADATA_HOST,
    }
}

/// The longest body of an error that is read, in bytes; Google's are a few kilobytes at most.
pub const LONGEST_ERROR_BYTES: usize = 64 << 10;

/// The metadata server's name within Google Cloud.
pub const METADATA_HOST: &str = "metadata.google.internal";

const METADATA_ADDRESS: &str = "169.254.169.254";

/// The most idle connections per host.
const MAX_IDLE_CONNECTIONS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_the_metadata_server_are_asked_directly() {
        for near in [
            "http://127.0.0.1:8080/",
            "http://[::1]/token",
            "http://localhost:1/",
            "http://metadata.google.internal/computeMetadata/v1/",
            "http://169.254.169.254/",
        ] {
            assert!(is_near(&near.parse().unwrap()) && !is_exposed(&near.parse().unwrap()), "{near}");
        }
        for far in ["https://oauth2.googleapis.com/token", "https://10.0.0.1/", "https://localhost.example/"] {
            assert!(!is_near(&far.parse().unwrap()) && !is_exposed(&far.parse().unwrap()), "{far}");
        }
        assert!(is_exposed(&"http://ga.example/".parse().unwrap()));
    }
}
