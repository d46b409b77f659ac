//! A real Prometheus as a child process.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use reqwest::Client;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    exporter::client,
    process::{Process, eventually},
};

/// A Prometheus that scrapes one exporter every second, as the job `exporter`.
pub(crate) struct Prometheus {
    _process: Process,
    url: String,
    client: Client,
    _directory: TempDir,
}

/// A series of an instant query.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Series {
    /// The value of a label; none is empty.
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

impl Prometheus {
    /// Starts it and waits until it is ready.
    pub(crate) async fn scraping(address: &str) -> Self {
        let config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
             scrape_configs:\n  - job_name: exporter\n    static_configs: [{{targets: ['{address}']}}]\n"
        );
        Self::start(TempDir::new().unwrap(), &config).await
    }

    /// One with this configuration.
    pub(crate) async fn configured(config: &str) -> Self {
        Self::start(TempDir::new().unwrap(), config).await
    }

    /// One that evaluates the rules that are shipped, with shorter waits, and sends alerts to this Alertmanager.
    pub(crate) async fn alerting(exporters: &[&str], alertmanager: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let rules = directory.path().join("rules");
        fs::create_dir(&rules).unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/prometheus/rules");
        for entry in fs::read_dir(shipped).unwrap() {
            let path = entry.unwrap().path();
            fs::write(rules.join(path.file_name().unwrap()), shortened(&fs::read_to_string(&path).unwrap())).unwrap();
        }
        let targets = exporters.join("', '");
        let config = format!(
            "global: {{scrape_interval: 5s, evaluation_interval: 5s}}\n\
             rule_files: [rules/*.yml]\n\
             alerting:\n  alertmanagers:\n    - static_configs: [{{targets: ['{alertmanager}']}}]\n\
             scrape_configs:\n  - job_name: google_analytics\n    static_configs: [{{targets: ['{targets}']}}]\n"
        );
        Self::start(directory, &config).await
    }

    async fn start(directory: TempDir, config: &str) -> Self {
        fs::write(directory.path().join("prometheus.yml"), config).unwrap();
        let mut command = Command::new("prometheus");
        command.current_dir(directory.path());
        command.args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0"]);
        let mut process = Process::start(&mut command);
        let url = process.shows("the address of Prometheus", |_, stderr| listening_on(stderr)).await;
        let prometheus = Self { _process: process, url, client: client(), _directory: directory };
        eventually("a ready Prometheus", async || {
            let answer = prometheus.client.get(format!("{}/-/ready", prometheus.url)).send().await;
            answer.and_then(reqwest::Response::error_for_status).map(drop).map_err(|error| error.to_string())
        })
        .await;
        prometheus
    }

    /// An instant query, now.
    pub(crate) async fn query(&self, promql: &str) -> Vec<Series> {
        let answer = self.api("query", &[("query", promql)]).await;
        let series = answer["result"].as_array().expect("a vector").iter().map(|series| {
            let labels = series["metric"].as_object().unwrap().iter();
            let labels = labels.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
            Series { labels: labels.collect(), value: series["value"][1].as_str().unwrap().parse().unwrap() }
        });
        series.collect()
    }

    /// The value of a query with one series.
    pub(crate) async fn value(&self, promql: &str) -> Result<f64, String> {
        let series = self.query(promql).await;
        let [only] = series.as_slice() else { return Err(format!("{promql}: {series:?}")) };
        Ok(only.value)
    }

    /// What a target has said of a metric: TYPE, HELP, UNIT.
    pub(crate) async fn metadata(&self, metric: &str) -> Vec<Value> {
        self.api("targets/metadata", &[("metric", metric)]).await.as_array().expect("a list").clone()
    }

    /// The numbers of its own metrics whose names begin so.
    pub(crate) async fn own(&self, prefix: &str) -> Vec<(String, f64)> {
        let answer = self.client.get(format!("{}/metrics", self.url)).send().await.unwrap();
        let text = answer.text().await.unwrap();
        let samples = text.lines().filter(|line| line.starts_with(prefix)).filter_map(|line| line.rsplit_once(' '));
        samples.map(|(name, value)| (name.to_owned(), value.parse().unwrap())).collect()
    }

    async fn api(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let request = self.client.get(format!("{}/api/v1/{path}", self.url)).query(query);
        let text = request.send().await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["status"], "success", "{query:?}: {answer}");
        answer["data"].clone()
    }
}

/// The rules with a minute for all that an alert waits longer for, before it fires and before it ends. That is all that
/// differs from what is shipped; everything else takes its real time.
fn shortened(rules: &str) -> String {
    let shorter = |line: &str| match line.split_once(':') {
        Some((key, _)) if ["for", "keep_firing_for"].contains(&key.trim()) => format!("{key}: 1m\n"),
        _ => format!("{line}\n"),
    };
    rules.lines().map(shorter).collect()
}

fn listening_on(log: &str) -> Option<String> {
    let line = log.lines().find(|line| line.contains("msg=\"Listening on\""))?;
    let address = line.split(' ').find_map(|field| field.strip_prefix("address="))?;
    Some(format!("http://{address}"))
}
