//! The least that polling can be: a loop that sends JSON with reqwest and reads the answers with serde.
//!
//! It runs in a process of its own, sends requests that were noted before at the times at which they came, and prints
//! the CPU time that this took.

use std::{env, fs, hint::black_box, time::Duration};

use google_analytics_exporter::clock::monotonic;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{task::JoinSet, time};

use crate::child::cpu_of;

/// A request and when it is sent, after the start.
#[derive(Deserialize, Serialize)]
pub(crate) struct Planned {
    pub(crate) after: Duration,
    pub(crate) url: String,
    pub(crate) body: Value,
}

/// The arguments that make of this program the loop, if it was started with those.
pub(crate) fn requested() -> Option<String> {
    let mut arguments = env::args().skip_while(|argument| argument != ARGUMENT);
    arguments.nth(1)
}

/// Sends the requests that are in this file, one a line.
pub(crate) async fn run(file: &str) {
    let text = fs::read_to_string(file).expect("the parent has written it");
    let planned: Vec<Planned> = text.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect();
    drop(text);
    let client = crate::client();
    let mut running = JoinSet::new();
    let (before, start) = (cpu_of("self"), monotonic());
    for request in planned {
        time::sleep(request.after.saturating_sub(start.elapsed())).await;
        running.spawn(ask(client.clone(), request));
        while let Some(ended) = running.try_join_next() {
            ended.expect("it does not panic");
        }
    }
    running.join_all().await;
    println!("{}", (cpu_of("self") - before).as_millis());
}

async fn ask(client: reqwest::Client, request: Planned) {
    let body = serde_json::to_vec(&request.body).expect("it was JSON before");
    let response = client.post(request.url).bearer_auth(TOKEN).header("content-type", "application/json").body(body);
    let answer = response.send().await.expect("the server answers").bytes().await.expect("the answer is whole");
    let report: Report = serde_json::from_slice(&answer).expect("the answer is a report");
    black_box(&report);
}

/// A report, as far as anybody would read it.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Report {
    kind: String,
    dimension_headers: Vec<Header>,
    metric_headers: Vec<Header>,
    rows: Vec<Row>,
    row_count: i64,
    metadata: Metadata,
    property_quota: Option<Quota>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "reading it is what takes time")]
struct Header {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Row {
    dimension_values: Vec<Cell>,
    metric_values: Vec<Cell>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "reading it is what takes time")]
struct Cell {
    value: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    currency_code: String,
    time_zone: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Quota {
    tokens_per_day: Bucket,
    tokens_per_hour: Bucket,
    tokens_per_project_per_hour: Bucket,
    concurrent_requests: Bucket,
    server_errors_per_project_per_hour: Bucket,
    potentially_thresholded_requests_per_hour: Bucket,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Bucket {
    consumed: i64,
    remaining: i64,
}

pub(crate) const ARGUMENT: &str = "--bare-loop";

const TOKEN: &str = "as-long-as-such-a-token-is-as-long-as-such-a-token-is-as-long-as-such-a-token-is";
