//! A real Alertmanager as a child process, with the example's configuration.

use std::{collections::BTreeMap, fs, process::Command};

use serde_json::{Value, json};
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

    /// Sends alerts with these labels, as Prometheus does.
    pub(crate) async fn send(&self, labels: &[BTreeMap<&str, &str>]) {
        let alerts: Vec<Value> = labels.iter().map(|labels| json!({"labels": labels})).collect();
        let request = client().post(self.alerts()).header("content-type", "application/json");
        let answer = request.body(json!(alerts).to_string()).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// The labels of every alert that it knows, and whether another one keeps it silent.
    pub(crate) async fn inhibited(&self) -> Vec<(BTreeMap<String, String>, bool)> {
        let text = client().get(self.alerts()).send().await.unwrap().text().await.unwrap();
        let alerts: Vec<Value> = serde_json::from_str(&text).unwrap();
        let is_inhibited = |alert: &Value| !alert["status"]["inhibitedBy"].as_array().unwrap().is_empty();
        let labels = |alert: &Value| serde_json::from_value(alert["labels"].clone()).unwrap();
        alerts.iter().map(|alert| (labels(alert), is_inhibited(alert))).collect()
    }

    fn alerts(&self) -> String {
        format!("http://{}/api/v2/alerts", self.address)
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
