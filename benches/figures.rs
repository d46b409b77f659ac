//! The figures of the binary as a whole: start, memory, first full data. Prints a table; asserts nothing.
//!
//! The simulator runs in this process, the exporter as a child of its own, so that the memory is the exporter's.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a bench may fail loudly")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use google_analytics_exporter::{
    clock::{Clock, monotonic},
    simulator::{Account, Effect, Fault, Property, Simulator, World},
    transport::{Deadlines, Roots, Transport},
};
use tempfile::TempDir;

/// How many reports every property has: realtime, traffic and baseline.
const REPORTS: usize = 3;

fn main() {
    // It sets up the process' one TLS provider, which this file's own client needs too.
    Transport::new(Roots::Nobody, Deadlines::default()).expect("without trust there is nothing to load");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        println!("| figure | value |\n|---|---|");
        start_to_first_answer().await;
        for properties in [8, 10, 1_000] {
            memory(properties).await;
        }
        first_full_data(100, Duration::from_millis(100)).await;
    });
}

async fn start_to_first_answer() {
    let simulator = simulator(8).await;
    let directory = TempDir::new().unwrap();
    let mut times = Vec::new();
    for _ in 0..11 {
        let started = monotonic();
        let exporter = Exporter::start(&simulator, directory.path());
        exporter.scrape().await;
        times.push(started.elapsed());
    }
    times.sort();
    println!("| start to first /metrics answer, median of 11 | {:?} |", times.get(5).expect("there are eleven"));
}

async fn memory(properties: usize) {
    let simulator = simulator(properties).await;
    let directory = TempDir::new().unwrap();
    let exporter = Exporter::start(&simulator, directory.path());
    exporter.until_up(REPORTS * properties).await;
    // A few scrapes more, so that their buffers count.
    for _ in 0..3 {
        exporter.scrape().await;
    }
    let text = exporter.scrape().await;
    let resident: f64 = value(&text, "process_resident_memory_bytes").parse().unwrap();
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    println!("| resident memory at {properties} properties ({series} series) | {:.1} MB |", resident / 1e6);
}

async fn first_full_data(properties: usize, latency: Duration) {
    let simulator = simulator(properties).await;
    simulator.inject(Fault::new(Effect::Latency(latency)));
    let directory = TempDir::new().unwrap();
    let started = monotonic();
    let exporter = Exporter::start(&simulator, directory.path());
    exporter.until_up(REPORTS * properties).await;
    println!("| first full data of {properties} properties, each answer after {latency:?} | {:?} |", started.elapsed());
}

async fn simulator(properties: usize) -> Simulator {
    let mut account = Account::new("104112001", "Example");
    for index in 0..properties {
        let property = Property::new((500_000_000 + index).to_string(), format!("Site {index}"));
        account = account.property(property.time_zone("Europe/Berlin").pageviews_per_hour(60.0));
    }
    let clock = Clock::system();
    let simulator = Simulator::on_loopback(World::new(1).account(account), move || clock.now()).await.unwrap();
    // Whatever the simulator computes once for each property is not the exporter's time.
    for index in 0..properties {
        let truth = simulator.truth(&(500_000_000 + index).to_string()).unwrap();
        let _ = truth.days_ago(28, 0, simulator.now());
    }
    simulator
}

/// A child process; ended when it is dropped.
struct Exporter {
    child: Child,
    url: String,
    client: reqwest::Client,
}

impl Exporter {
    fn start(simulator: &Simulator, directory: &Path) -> Self {
        let key = directory.join("key.json");
        fs::write(&key, simulator.key_file_json()).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_google_analytics_exporter"))
            .arg("--google.credentials-file")
            .arg(&key)
            .args(["--google.data-api-url", simulator.base_url(), "--google.admin-api-url", simulator.base_url()])
            .args(["--web.listen-address", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = lines.find_map(|line| Some(line.ok()?.split_once("listening on ")?.1.split('"').next()?.to_owned()));
        // The rest of the log is read and forgotten, so that the pipe never fills.
        std::thread::spawn(move || lines.for_each(drop));
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        Self { child, url: url.expect("the log tells the address"), client }
    }

    async fn scrape(&self) -> String {
        self.client.get(&self.url).send().await.unwrap().text().await.unwrap()
    }

    /// Until so many reports are up.
    async fn until_up(&self, reports: usize) {
        let deadline: Instant = monotonic() + Duration::from_secs(120);
        while monotonic() < deadline {
            let text = self.scrape().await;
            let up =
                text.lines().filter(|line| line.starts_with("google_analytics_report_up{") && line.ends_with(" 1"));
            if up.count() == reports {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        println!("not all reports came up within two minutes");
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn value<'a>(text: &'a str, series: &str) -> &'a str {
    let line = text.lines().find(|line| line.starts_with(series)).expect("the series is there");
    line.rsplit_once(' ').expect("a sample has a value").1
}
