//! The metadata server of Google Cloud: tokens for the service account of the machine itself.
//!
//! Source: cloud.google.com/compute/docs/metadata/querying-metadata and google-auth's compute_engine/_metadata.py.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Url};

use crate::{
    auth::SCOPE,
    transport::{self, METADATA_HOST, Transport},
};

/// A metadata server that has answered.
#[derive(Clone, Debug)]
pub struct MetadataServer {
    base: Url,
    /// The e-mail address of the machine's account, if it says so.
    pub email: Option<String>,
}

impl MetadataServer {
    /// Asks whether there is one, within 3 seconds. `host` is the value of GCE_METADATA_HOST.
    pub async fn find(host: Option<&str>, transport: &Transport) -> Option<Self> {
        let base = Url::parse(&format!("http://{}/", host.unwrap_or(METADATA_HOST))).ok()?;
        let mut server = Self { base, email: None };
        let probe = server.request(transport, "")?;
        let answer = transport.send(probe, PROBE_DEADLINE).await.ok()?;
        let is_genuine = answer.headers.get("Metadata-Flavor").is_some_and(|flavor| flavor == "Google");
        if !answer.status.is_success() || !is_genuine {
            return None;
        }
        server.email = server.ask_email(transport).await;
        Some(server)
    }

    /// The request for a token. The scope is asked for: the machine's default scopes do not cover Analytics.
    pub fn token_request(&self, transport: &Transport) -> Option<RequestBuilder> {
        let request = self.request(transport, &format!("{ACCOUNT}/token"))?;
        Some(request.query(&[("scopes", SCOPE)]))
    }

    async fn ask_email(&self, transport: &Transport) -> Option<String> {
        let request = self.request(transport, &format!("{ACCOUNT}/email"))?;
        let answer = transport.send(request, PROBE_DEADLINE).await.ok().filter(|answer| answer.status.is_success())?;
        let email = std::str::from_utf8(&answer.body).ok()?.trim();
        email.contains('@').then(|| email.chars().filter(|c| !c.is_control()).take(254).collect())
    }

    fn request(&self, transport: &Transport, path: &str) -> Option<RequestBuilder> {
        let url = self.base.join(path).ok()?;
        // The server's host may be set to any name, and a proxy could not reach it.
        Some(transport.direct().request(Method::GET, url).header("Metadata-Flavor", "Google"))
    }
}

impl From<transport::Error> for super::GrantError {
    fn from(error: transport::Error) -> Self {
        match error {
            transport::Error::Timeout(_) => Self::Timeout(error),
            transport::Error::Connection { .. } | transport::Error::NoTrust(_) => Self::Connection(error),
            transport::Error::TooLarge | transport::Error::Undecodable(_) => Self::Protocol(error.to_string()),
        }
    }
}

const ACCOUNT: &str = "computeMetadata/v1/instance/service-accounts/default";

/// How long the probe may take: elsewhere than in Google Cloud the name often leads nowhere.
const PROBE_DEADLINE: Duration = Duration::from_secs(3);
