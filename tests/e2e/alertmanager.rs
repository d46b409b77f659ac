//! A real Alertmanager as a child process, with the example's configuration.

use std::{fs, process::Command};

use tempfile::TempDir;

use crate::{
    exporter::client,
    process::{Process, eventually},
    webhook::Webhook,
};

/// An Alertmanager that notifies a webhook.
pub(crate) struct Alertmanager {
    _process: Process,
    /// `127.0.0.1:PORT`
    pub(crate) address: String,
    _directory: TempDir,
}

impl Alertmanager {
    /// Starts it with `deploy/prometheus/alertmanager.yml`, whose waits are shortened, and waits until it is ready.
    pub(crate) async fn notifying(webhook: &Webhook) -> Self {
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join("alertmanager.yml"), config(&webhook.url)).unwrap();
        let mut command = Command::new("prometheus-alertmanager");
        command.current_dir(directory.path());
        command.args(["--config.file=alertmanager.yml", "--storage.path=data", "--cluster.listen-address="]);
        command.args(["--web.listen-address=127.0.0.1:0", "--log.level=debug"]);
        let mut process = Process::start(&mut command);
        let address = process.shows("the address of Alertmanager", |_, stderr| listening_on(stderr)).await;
        let alertmanager = Self { _process: process, address, _directory: directory };
        let url = format!("http://{}/-/ready", alertmanager.address);
        eventually("a ready Alertmanager", async || {
            let answer = client().get(&url).send().await;
            answer.and_then(reqwest::Response::error_for_status).map(drop).map_err(|error| error.to_string())
        })
        .await;
        alertmanager
    }
}

/// The example with this webhook, and with seconds for minutes of waiting.
fn config(webhook: &str) -> String {
    let example = include_str!("../../deploy/prometheus/alertmanager.yml");
    assert!(example.contains("http://localhost:9095/"), "the example has its webhooks elsewhere");
    let shorter = |line: &str| match line.split_once(':') {
        Some((key, _)) if key.trim() == "group_wait" => format!("{key}: 5s\n"),
        Some((key, _)) if key.trim() == "group_interval" => format!("{key}: 10s\n"),
        _ => format!("{line}\n"),
    };
    example.replace("http://localhost:9095", webhook).lines().map(shorter).collect()
}

fn listening_on(log: &str) -> Option<String> {
    let line = log.lines().find(|line| line.contains("msg=\"Listening on\"") || line.contains("msg=Listening"))?;
    line.split(' ').find_map(|field| field.strip_prefix("address=")).map(str::to_owned)
}
