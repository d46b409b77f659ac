//! The exporter under attack, as a child process.

use std::{
    env, fs,
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use ga4_simulator::{Account, Property, Simulator, World};
use google_analytics_exporter::clock::Clock;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time,
};

/// A program that is being attacked; killed when dropped.
pub(crate) struct Target {
    child: Child,
    /// `127.0.0.1:PORT`
    pub(crate) address: String,
    pub(crate) directory: TempDir,
}

/// A simulator with so many properties, 1001 and up.
pub(crate) async fn simulator(properties: u64) -> Simulator {
    let ids = (0..properties).map(|index| (1001 + index).to_string());
    let account = ids.fold(Account::new("9", "Attacked"), |account, id| {
        let name = format!("Shop {id}");
        account.property(Property::new(id, name).pageviews_per_hour(600.0))
    });
    let world = World::new(7).account(account).log_length(100_000);
    Simulator::on_loopback(world, || Clock::system().now()).await.unwrap()
}

impl Target {
    /// Starts it; stderr goes into a file.
    pub(crate) async fn start(simulator: &Simulator, config: &str) -> Self {
        let directory = TempDir::new().unwrap();
        let log = fs::File::create(directory.path().join("log")).unwrap();
        Self::start_in(directory, simulator, config, Stdio::from(log)).await
    }

    /// The same with this stderr and the files of this directory.
    pub(crate) async fn start_in(directory: TempDir, simulator: &Simulator, config: &str, stderr: Stdio) -> Self {
        // Nothing else says which port it has when nobody reads its log.
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
        let key = directory.path().join("key.json");
        if !key.exists() {
            fs::write(key, simulator.key_file_json()).unwrap();
        }
        fs::write(directory.path().join("config.yml"), config).unwrap();
        let child = program(directory.path())
            .args(["--config.file", "config.yml", "--google.credentials-file", "key.json", "--web.enable-lifecycle"])
            .args(["--google.data-api-url", simulator.base_url(), "--google.admin-api-url", simulator.base_url()])
            .args(["--web.listen-address", &address])
            .stderr(stderr)
            .spawn()
            .unwrap();
        let target = Self { child, address, directory };
        eventually("the program listens", async || TcpStream::connect(&target.address).await.ok().map(drop)).await;
        target
    }

    /// What it answers to a request without a body, head included; `None` where it hangs up.
    pub(crate) async fn ask(&self, method: &str, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(&self.address).await.ok()?;
        let request = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok()?;
        Some(String::from_utf8_lossy(&answer).into_owned()).filter(|answer| !answer.is_empty())
    }

    /// Waits until its metrics have a line that begins with this and has a value that fits.
    pub(crate) async fn shows(&self, series: &str, fits: impl Fn(f64) -> bool) {
        let value = |line: &str| line.strip_prefix(series)?.rsplit(' ').next()?.parse().ok();
        eventually(series, async || {
            self.ask("GET", "/metrics").await?.lines().filter_map(value).any(&fits).then_some(())
        })
        .await;
    }

    /// The most memory that it has had, in MiB.
    pub(crate) fn peak_mebibytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
    }

    /// What it has logged into its file.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Sends SIGTERM, and waits until it has ended by itself.
    pub(crate) async fn stopped(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &id]).status().unwrap().success());
        let status = eventually("its end", async || self.child.try_wait().unwrap()).await;
        assert_eq!(status.signal(), None, "{status}");
        status
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program in a directory, with nothing else of an environment.
pub(crate) fn program(directory: &std::path::Path) -> Command {
    let path = env::var("E2E_EXPORTER").unwrap_or_else(|_| env!("CARGO_BIN_EXE_google_analytics_exporter").to_owned());
    let mut command = Command::new(path);
    command.env_clear().env("HOME", directory).current_dir(directory).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// Asks again and again until there is something.
pub(crate) async fn eventually<T>(what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let found = time::timeout(DEADLINE, async {
        loop {
            if let Ok(Some(found)) = time::timeout(DEADLINE, attempt()).await {
                return found;
            }
            time::sleep(PAUSE).await;
        }
    });
    found.await.unwrap_or_else(|_| panic!("{what}: not within {DEADLINE:?}"))
}

/// The most memory that any of these attacks may cost, in MiB.
pub(crate) const MOST_MEBIBYTES: u64 = 256;

const DEADLINE: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(50);
