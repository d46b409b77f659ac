//! The exporter as a child process of its own, so that its memory and CPU time are nobody else's.

use std::{
    env,
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use flate2::read::GzDecoder;
use ga4_simulator::Simulator;
use google_analytics_exporter::clock::monotonic;
use tempfile::TempDir;

use crate::scraper::Scraper;

/// Ended when it is dropped.
pub(crate) struct Exporter {
    child: Child,
    /// Where it serves.
    pub(crate) address: SocketAddr,
    _directory: TempDir,
}

impl Exporter {
    /// Starts it with the key of a simulator, which serves everything but the Data API: that may be elsewhere.
    pub(crate) fn start(simulator: &Simulator, data_api_url: &str, configuration: &str) -> Self {
        let directory = TempDir::new().expect("there is room for temporary files");
        let (key, file) = (directory.path().join("key.json"), directory.path().join("configuration.yml"));
        fs::write(&key, simulator.key_file_json()).expect("there is room for a key");
        fs::write(&file, configuration).expect("there is room for a configuration");
        let mut child = Command::new(binary())
            .args([OsStr::new("--google.credentials-file"), key.as_os_str()])
            .args([OsStr::new("--config.file"), file.as_os_str()])
            .args(["--google.data-api-url", data_api_url, "--google.admin-api-url", simulator.base_url()])
            .args(["--web.listen-address", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary is built");
        let mut lines = BufReader::new(child.stderr.take().expect("it is a pipe")).lines();
        let address = lines.find_map(|line| {
            let line = line.ok()?;
            let (_, after) = line.split_once("listening on http://")?;
            after.split(['/', '"']).next()?.parse().ok()
        });
        // The rest of the log is read and forgotten, so that the pipe never fills.
        thread::spawn(move || lines.for_each(drop));
        Self { child, address: address.expect("the log tells the address"), _directory: directory }
    }

    /// The metrics, as Prometheus asks for them.
    pub(crate) fn metrics(&self) -> String {
        let mut scraper = Scraper::connect(self.address, "/metrics", "gzip");
        let mut text = String::new();
        GzDecoder::new(scraper.get()).read_to_string(&mut text).expect("it is packed text");
        text
    }

    /// Waits until this many reports are up; false when they are not in time.
    pub(crate) fn until_up(&self, reports: usize, pause: Duration, time: Duration) -> bool {
        let deadline: Instant = monotonic() + time;
        while monotonic() < deadline {
            let text = self.metrics();
            let is_up = |line: &&str| line.starts_with("google_analytics_report_up{") && line.ends_with(" 1");
            if text.lines().filter(is_up).count() == reports {
                return true;
            }
            thread::sleep(pause);
        }
        println!("not all of {reports} reports came up within {time:?}");
        false
    }

    /// Resident memory, in megabytes.
    pub(crate) fn megabytes(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux tells it");
        line.trim().trim_end_matches(" kB").parse::<f64>().expect("it is a number") * 1024.0 / 1e6
    }

    /// CPU time since its start.
    pub(crate) fn cpu(&self) -> Duration {
        cpu_of(&self.child.id().to_string())
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPU time of a process, user's and system's; the kernel counts it in hundredths of seconds.
pub(crate) fn cpu_of(process: &str) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("it runs");
    let (_, after_name) = stat.rsplit_once(") ").expect("the name is in parentheses");
    let ticks = after_name.split(' ').skip(11).take(2).map(|field| field.parse::<u32>().expect("it is a number"));
    TICK * ticks.sum::<u32>()
}

/// The binary that users get, which `make bench` names. What cargo builds for benches unwinds when it panics, and is larger for
/// it.
pub(crate) fn binary() -> String {
    env::var("E2E_EXPORTER").unwrap_or_else(|_| env!("CARGO_BIN_EXE_google_analytics_exporter").to_owned())
}

const TICK: Duration = Duration::from_millis(10);
