//! A quarter of an hour of everything at once with 1,000 properties, a tenth of which are answered badly: nobody reads the log,
//! the keys are on a mount that hangs, readers are slow. ATTACK_MINUTES changes how long.

use std::{collections::HashMap, env, fs, process::Stdio, time::Duration};

use ga4_simulator::{Effect, Fault, Method, Simulator};
use google_analytics_exporter::clock::{Clock, monotonic};
use tempfile::TempDir;
use tokio::time;

use crate::{
    program::{MOST_MEBIBYTES, Target, simulator},
    troubles::{endless_listing, rows, slow_readers},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
#[ignore = "`make attack` runs it"]
async fn everything_at_once_for_a_quarter_of_an_hour() {
    let minutes = env::var("ATTACK_MINUTES").ok().and_then(|minutes| minutes.parse().ok()).unwrap_or(15);
    let google = simulator(1000).await;
    let (reader, writer) = std::io::pipe().unwrap();
    let config = "discovery:\n  interval: 1m\n";
    let mut target = Target::start_in(TempDir::new().unwrap(), &google, config, "debug", Stdio::from(writer)).await;
    target.shows("google_analytics_exporter_known_properties", |properties| properties >= 1000.0).await;
    google.wait_for_many(1000, |request| request.method == Some(Method::RunRealtimeReport)).await;
    answer_badly(&google);
    if !target.hang("keys") {
        let key = target.directory.path().join("keys/key.json");
        fs::remove_file(&key).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&key).status().unwrap().success());
    }
    let readers = slow_readers(&target.address);
    let mut watch = Watch::default();
    let begun = monotonic();
    let mut next = 1;
    while begun.elapsed() < Duration::from_mins(minutes) {
        time::sleep(Duration::from_secs(1)).await;
        watch.look(&target).await;
        if begun.elapsed() >= Duration::from_mins(next) {
            println!("minute {next}: {}; {} MiB", watch.summary(), target.resident_mebibytes());
            next += 1;
            google.revoke_tokens();
            endless_listing(&google);
            let _ = time::timeout(Duration::from_secs(5), target.ask("POST", "/-/reload")).await;
        }
    }
    let peak = target.peak_mebibytes();
    let stopping = monotonic();
    let status = target.stopped().await;
    println!("{}, SIGTERM took {:?}, {status}, peak {peak} MiB", watch.summary(), stopping.elapsed());
    drop((readers, reader));
    assert!(matches!(status.code(), Some(0 | 1)), "{status}");
    assert!(peak <= MOST_MEBIBYTES, "{peak} MiB");
    assert_eq!(watch.missed, 0);
}

/// To one property in ten: 1001 to 1100.
fn answer_badly(google: &Simulator) {
    let url = "https://console.developers.google.com/".to_owned() + &"x".repeat(50_000);
    for property in 1001..=1100 {
        let effect = match property % 7 {
            0 => Effect::Raw(200, rows("runRealtimeReport", (4 << 20) - 1_000)),
            1 => Effect::Raw(403, serde_json::json!({"error": {"code": 403, "message": url}}).to_string()),
            2 => Effect::Hang,
            3 => Effect::HangMidBody,
            4 => Effect::Endless,
            5 => Effect::Html,
            _ => Effect::Raw(429, "{\"error\":{\"code\":429,\"message\":\"".to_owned() + &"a ".repeat(1 << 20)),
        };
        google.inject(Fault::new(effect).property(property.to_string()));
    }
}

/// What scrapes have shown.
#[derive(Debug, Default)]
struct Watch {
    /// Of good ones, in microseconds.
    times: Vec<u128>,
    refused: HashMap<String, u32>,
    /// Intervals of healthy properties that were missed.
    missed: u64,
    /// The latest answer of a healthy property, in seconds beyond its interval.
    latest: f64,
    lines_dropped: f64,
    scrapes: u32,
}

impl Watch {
    async fn look(&mut self, target: &Target) {
        self.scrapes += 1;
        let asked = monotonic();
        let text = match target.scrape().await {
            Ok(text) => text,
            Err(status) => return *self.refused.entry(status).or_default() += 1,
        };
        self.times.push(asked.elapsed().as_micros());
        // To look at 100,000 lines each second would be an attack as well.
        if self.scrapes.is_multiple_of(15) {
            self.judge(&text);
        }
    }

    fn judge(&mut self, text: &str) {
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
        let now = Clock::system().now().as_second() as f64;
        let value = |line: &str| line.rsplit_once(' ').and_then(|(_, value)| value.parse::<f64>().ok());
        for line in text.lines() {
            if line.starts_with("google_analytics_exporter_log_lines_dropped_total ") {
                self.lines_dropped = value(line).unwrap();
            }
            let Some(labels) = line.strip_prefix(SUCCESS) else { continue };
            let healthy = labels.split_once('"').and_then(|(id, _)| id.parse().ok()).is_some_and(|id: u32| id > 1100);
            if healthy && labels.contains("report=\"realtime\"") {
                let late = now - value(line).unwrap() - 60.0;
                self.latest = self.latest.max(late);
                self.missed += u64::from(late > 60.0);
            }
        }
    }

    fn summary(&self) -> String {
        let mut times = self.times.clone();
        times.sort_unstable();
        let at = |part: usize| times.get(times.len().saturating_sub(1) * part / 1000).copied().unwrap_or_default();
        format!(
            "{} scrapes, µs: median {}, p99 {}, most {}; not answered with 200: {:?}; latest {:.1} s beyond its interval, \
             missed {}; {} lines dropped",
            self.scrapes,
            at(500),
            at(990),
            at(1000),
            self.refused,
            self.latest,
            self.missed,
            self.lines_dropped
        )
    }
}

const SUCCESS: &str = "google_analytics_report_last_success_timestamp_seconds{property_id=\"";
