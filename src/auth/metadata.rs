//! The metadata server of Google Cloud: tokens for the service account of the machine itself.
//!
//! Source: cloud.google.com/compute/docs/metadata/querying-metadata and google-auth's compute_engine/_metadata.py.

use std::{fs, path::PathBuf, time::Duration};

use reqwest::{Method, RequestBuilder, Url};
use thiserror::Error as ThisError;

use ga4_exporter_core::shown;

use crate::{
    auth::SCOPE,
    transport::{Longest, METADATA_HOST, Transport},
};

/// A metadata server.
#[derive(Clone, Debug)]
pub struct MetadataServer {
    base: Url,
    /// The e-mail address of the machine's account, once it is known.
    pub email: Option<String>,
}

/// Facts about the environment that say where the process runs.
#[derive(Clone, Debug)]
pub struct Platform {
    /// GCE_METADATA_HOST: another metadata server.
    pub metadata_host: Option<String>,
    /// Whether KUBERNETES_SERVICE_HOST or K_SERVICE (Cloud Run) is set.
    pub is_orchestrated: bool,
    /// Where Linux has the machine's product name (DMI).
    pub product_name: PathBuf,
}

/// GCE_METADATA_HOST is not a host.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ThisError)]
#[error("GCE_METADATA_HOST is not a host name; give a name or an address, with a port if need be, or unset it")]
pub struct HostError;

impl Platform {
    /// Whether a metadata server is expected here, so that one that does not answer is only late.
    pub fn has_metadata_server(&self) -> bool {
        let is_google = || fs::read_to_string(&self.product_name).is_ok_and(|name| name.trim().starts_with("Google"));
        self.metadata_host.is_some() || self.is_orchestrated || is_google()
    }
}

impl Default for Platform {
    fn default() -> Self {
        Self { metadata_host: None, is_orchestrated: false, product_name: PRODUCT_NAME.into() }
    }
}

impl MetadataServer {
    /// Returns the metadata server that this platform has or may have, without contacting it.
    ///
    /// # Errors
    /// GCE_METADATA_HOST is not a host.
    pub fn new(platform: &Platform) -> Result<Self, HostError> {
        let host = platform.metadata_host.as_deref().unwrap_or(METADATA_HOST);
        let base = Url::parse(&format!("http://{host}/")).ok().filter(|_| !shown::is_secret(host));
        let base = base.filter(|url| url.path() == "/" && url.username().is_empty() && url.query().is_none());
        Ok(Self { base: base.ok_or(HostError)?, email: None })
    }

    /// Whether it answers within 3 seconds. Any answer counts: it may still be starting.
    pub async fn is_there(&self, transport: &Transport) -> bool {
        let answer = transport.send(self.request(transport, ""), PROBE_DEADLINE, Longest::Token).await;
        answer.is_ok_and(|answer| answer.headers.get("Metadata-Flavor").is_some_and(|flavor| flavor == "Google"))
    }

    /// The request for a token. It names the scope, since the machine's default scopes do not cover Analytics.
    pub fn token_request(&self, transport: &Transport) -> RequestBuilder {
        self.request(transport, &format!("{ACCOUNT}/token")).query(&[("scopes", SCOPE)])
    }

    /// Looks up the e-mail address of the account, unless it is known. Without an answer it stays unknown.
    pub async fn learn_email(&mut self, transport: &Transport) {
        if self.email.is_some() {
            return;
        }
        let request = self.request(transport, &format!("{ACCOUNT}/email"));
        let answer = transport
            .send(request, PROBE_DEADLINE, Longest::Token)
            .await
            .ok()
            .filter(|answer| answer.status.is_success());
        let body = answer.map(|answer| String::from_utf8_lossy(&answer.body).trim().to_owned());
        // GKE sends a text if there is no account.
        let email = body.filter(|text| text.contains('@') && !text.contains(char::is_whitespace));
        self.email = email.map(|text| text.chars().filter(|c| !c.is_control()).take(MAX_EMAIL_CHARACTERS).collect());
    }

    fn request(&self, transport: &Transport, path: &str) -> RequestBuilder {
        let mut url = self.base.clone();
        url.set_path(path);
        // The server's host may be any name, and a proxy could not reach it.
        transport.direct().request(Method::GET, url).header("Metadata-Flavor", "Google")
    }
}

const ACCOUNT: &str = "computeMetadata/v1/instance/service-accounts/default";

const PRODUCT_NAME: &str = "/sys/class/dmi/id/product_name";

/// How long the probe may take: outside Google Cloud the name often does not resolve.
const PROBE_DEADLINE: Duration = Duration::from_secs(3);

const MAX_EMAIL_CHARACTERS: usize = 254;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surroundings_say_where_a_metadata_server_is_due() {
        let directory = tempfile::tempdir().unwrap();
        let product_name = directory.path().join("product_name");
        let elsewhere = Platform { product_name: product_name.clone(), ..Platform::default() };
        assert!(!elsewhere.has_metadata_server());
        assert!(Platform { metadata_host: Some("h".to_owned()), ..elsewhere.clone() }.has_metadata_server());
        assert!(Platform { is_orchestrated: true, ..elsewhere.clone() }.has_metadata_server());
        for (name, is_google) in [("Google Compute Engine\n", true), ("Google\n", true), ("Standard PC\n", false)] {
            fs::write(&product_name, name).unwrap();
            assert_eq!(elsewhere.has_metadata_server(), is_google, "{name}");
        }
    }

    #[test]
    fn its_host_is_a_host_and_is_not_quoted() {
        let of =
            |host: &str| MetadataServer::new(&Platform { metadata_host: Some(host.to_owned()), ..Platform::default() });
        for host in ["metadata.google.internal", "169.254.169.254:80", "[::1]:8080", "localhost"] {
            assert!(of(host).is_ok(), "{host}");
        }
        for wrong in ["{\"type\": 1}", "http://metadata", "a/b", "u:p@h", "eyJ0eXBlIjogInNlcnZpY2VfYWNjb3VudCJ9", "a b"]
        {
            assert_eq!(of(wrong).err(), Some(HostError), "{wrong}");
        }
    }
}
