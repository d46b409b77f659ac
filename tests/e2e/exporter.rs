//! The exporter as a child process.

use std::{env, fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use ga4_simulator::Simulator;
use reqwest::{Client, header::ACCEPT};
use tempfile::TempDir;

use crate::process::{Process, eventually};

/// A serving exporter.
pub(crate) struct Exporter {
    pub(crate) process: Process,
    /// `127.0.0.1:PORT`
    pub(crate) address: String,
    client: Client,
    /// Its files, as long as it runs.
    #[expect(dead_code, reason = "held, not read")]
    directory: Option<TempDir>,
}

/// The binary; with no more of an environment than a search path and an empty home.
pub(crate) fn binary(home: &Path) -> Command {
    let path = env::var("E2E_EXPORTER").unwrap_or_else(|_| env!("CARGO_BIN_EXE_google_analytics_exporter").to_owned());
    let mut command = Command::new(path);
    command.env_clear().env("HOME", home).env("TMPDIR", home).current_dir(home);
    command.env("PATH", env::var_os("PATH").unwrap_or_default());
    command
}

/// The binary, with flags to serve what a simulator offers. `directory` gets the files that it needs.
pub(crate) fn serving(simulator: &Simulator, directory: &Path, config: &str) -> Command {
    let key = directory.join("key.json");
    fs::write(&key, simulator.key_file_json()).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(directory.join("config.yml"), config).unwrap();
    let mut command = binary(directory);
    command.args(["--config.file", "config.yml", "--google.credentials-file", "key.json"]);
    command.args(["--google.data-api-url", simulator.base_url(), "--google.admin-api-url", simulator.base_url()]);
    command.args(["--web.listen-address", "127.0.0.1:0"]);
    command
}

impl Exporter {
    /// Starts it with a configuration, and waits until it listens.
    pub(crate) async fn start(simulator: &Simulator, config: &str) -> Self {
        Self::start_with(simulator, config, &[]).await
    }

    /// The same with further flags.
    pub(crate) async fn start_with(simulator: &Simulator, config: &str, flags: &[&str]) -> Self {
        let directory = TempDir::new().unwrap();
        let process = Process::start(serving(simulator, directory.path(), config).args(flags));
        Self { directory: Some(directory), ..Self::of(process).await }
    }

    /// One that was started; waits until it listens.
    pub(crate) async fn of(mut process: Process) -> Self {
        let address = process.shows("the address of the exporter", |_, stderr| address_in(stderr)).await;
        Self { process, address, client: client(), directory: None }
    }

    /// One that was started to listen there, and whose log nobody reads.
    pub(crate) fn unread(process: Process, address: String) -> Self {
        Self { process, address, client: client(), directory: None }
    }

    /// A page, and what kind it is.
    pub(crate) async fn page(&self, path: &str, accept: &str) -> (String, String) {
        let request = self.client.get(format!("http://{}{path}", self.address)).header(ACCEPT, accept);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
        (content_type, response.text().await.unwrap())
    }

    /// `/metrics` in the classic text format.
    pub(crate) async fn metrics(&self) -> String {
        self.page("/metrics", CLASSIC).await.1
    }

    /// Waits until every report has had an outcome.
    pub(crate) async fn ready(&self) {
        let url = format!("http://{}/-/ready", self.address);
        eventually("readiness", async || {
            let response = self.client.get(&url).send().await.map_err(|error| error.to_string())?;
            let status = response.status();
            if status == 200 { Ok(()) } else { Err(response.text().await.unwrap_or_default()) }
        })
        .await;
    }
}

/// A client for plain HTTP on this machine.
pub(crate) fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().tls_certs_only([]).build().unwrap()
}

/// The first address that a log says to be listening on.
fn address_in(text: &str) -> Option<String> {
    let (_, after) = text.split_once("listening on http://")?;
    let (address, _) = after.split_once('/')?;
    Some(address.to_owned())
}

pub(crate) const CLASSIC: &str = "text/plain;version=0.0.4";

pub(crate) const OPENMETRICS: &str = "application/openmetrics-text;version=1.0.0";
