//! CPU time of polling, against a bare loop that sends the same requests at the same times to the same server.

use std::{
    env, fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use ga4_simulator::{Effect, Fault, Method, Simulator};
use google_analytics_exporter::clock::monotonic;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    bare::{ARGUMENT, Planned},
    canned::{Asked, Canned},
    child::Exporter,
    simulated::simulator,
    table::Table,
};

/// A thousand properties, so often that the noise of the counter does not matter; and a few with the largest report.
pub(crate) async fn compare(table: &mut Table) {
    let all = "reports: {realtime: {interval: 10s}, traffic: {interval: 150s}}";
    let without = "reports: {realtime: {interval: 10s}, traffic: {interval: 150s}}\nbaseline: {enabled: false}";
    for (what, config, count) in [("realtime and traffic", without, 2), ("with the drop alert", all, 3)] {
        compare_with(&simulator(PROPERTIES).await, config, count * PROPERTIES, what, table).await;
    }
    let simulator = simulator(WITH_MANY_ROWS).await;
    simulator.inject(Fault::new(Effect::Raw(200, many_rows().to_string())).on(Method::RunReport));
    compare_with(&simulator, MANY_ROWS, WITH_MANY_ROWS, "10,000 rows with three labels", table).await;
}

/// Compares polling of that many reports.
async fn compare_with(simulator: &Simulator, config: &str, reports: usize, what: &str, table: &mut Table) {
    let canned = Canned::start(simulator.base_url(), Duration::ZERO).await;
    let exporter = Exporter::start(simulator, &canned.url, config);
    exporter.until_up(reports, Duration::from_secs(1), Duration::from_secs(120));
    let (mut ours, mut bare) = (Spent::default(), Spent::default());
    let mut plan = Vec::new();
    for round in 0..=ROUNDS {
        canned.note();
        let (start, before) = (monotonic(), exporter.cpu());
        // What the exporter asked in the round before: so both work at the same time, and disturb each other alike.
        if round > 0 {
            bare.add(replay(&plan), reports_in(&plan));
        }
        // A replay ends with its last request.
        thread::sleep(ROUND.saturating_sub(start.elapsed()));
        let cpu = exporter.cpu() - before;
        plan = noted(&canned, start);
        if round > 0 {
            ours.add(cpu, reports_in(&plan));
        }
    }
    println!(
        "{what}: {} reports, exporter {:.0} µs of CPU for each; bare loop {:.0} µs",
        ours.reports,
        ours.each(),
        bare.each()
    );
    let (ours, bare) = (ours.each(), bare.each());
    let row = format!("polling, {what}: CPU per report by a bare reqwest+serde loop's");
    table.row(&row, ours / bare, "", ..=1.5);
    table.row(&format!("polling, {what}: CPU per report"), ours, "µs", ..);
}

/// An answer of as many rows as Google sends by default.
fn many_rows() -> Value {
    let row = |row: u32| {
        let device = if row.is_multiple_of(2) { "desktop" } else { "mobile" };
        let path = format!("/products/category-{}/item-{row}", row % 50);
        let labels = ["www.example.com", &path, device].map(|text| json!({"value": text}));
        let cells = [row * 7919 % 100_000, row % 977].map(|count| json!({"value": count.to_string()}));
        json!({"dimensionValues": labels, "metricValues": cells})
    };
    json!({
        "kind": "analyticsData#runReport",
        "dimensionHeaders": [{"name": "hostName"}, {"name": "pagePath"}, {"name": "deviceCategory"}],
        "metricHeaders": [{"name": "screenPageViews"}, {"name": "activeUsers"}],
        "rows": (0..10_000).map(row).collect::<Vec<_>>(),
        "rowCount": 10_000,
        "metadata": {"timeZone": "Europe/Berlin", "currencyCode": "EUR"},
    })
}

#[derive(Default)]
struct Spent {
    cpu: Duration,
    reports: usize,
}

impl Spent {
    fn add(&mut self, cpu: Duration, reports: usize) {
        self.cpu += cpu;
        self.reports += reports;
    }

    /// Microseconds for each report.
    fn each(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / crate::number(self.reports as u64)
    }
}

/// How many reports these requests are for: the pageviews by minute are asked for after the values, and are of the same
/// report.
fn reports_in(plan: &[Planned]) -> usize {
    plan.iter()
        .filter(|request| request.body.pointer("/dimensions/0/name").is_none_or(|name| name != "minutesAgo"))
        .count()
}

/// What was asked since then, to be asked again.
pub(crate) fn noted(canned: &Canned, start: Instant) -> Vec<Planned> {
    canned.noted().into_iter().map(|asked| planned(&canned.url, start, asked)).collect()
}

fn planned(url: &str, start: Instant, asked: Asked) -> Planned {
    let body = serde_json::from_slice(&asked.body).expect("the exporter sends JSON");
    Planned { after: asked.at - start, url: format!("{url}{}", asked.path), body }
}

/// CPU time of a loop that sends these.
pub(crate) fn replay(plan: &[Planned]) -> Duration {
    let directory = TempDir::new().expect("there is room for temporary files");
    let file = directory.path().join("requests");
    let lines = plan.iter().map(|request| serde_json::to_string(request).expect("it is JSON") + "\n");
    fs::write(&file, lines.collect::<String>()).expect("there is room for it");
    let program = env::current_exe().expect("it runs");
    let output = Command::new(program).arg(ARGUMENT).arg(&file).output().expect("it runs again");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("it prints a number");
    Duration::from_millis(text.trim().parse().expect("it prints a number"))
}

const PROPERTIES: usize = 1_000;

const WITH_MANY_ROWS: usize = 20;

const MANY_ROWS: &str = "\
baseline: {enabled: false}
limits: {series: 1000000, series_per_property: 20000}
reports:
  realtime: {enabled: false}
  traffic: {enabled: false}
  pages:
    dimensions: [hostName, pagePath, deviceCategory]
    metrics: [screenPageViews, activeUsers]
    limit: 10000
    max_series: 20000
    interval: 10s
";

const ROUNDS: u32 = 3;

/// Two intervals, so that as many reports are due in each round.
const ROUND: Duration = Duration::from_secs(20);
