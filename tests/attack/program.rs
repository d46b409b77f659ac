//! The exporter under attack, as a child process.

use std::{
    env, fs,
    io::Read,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use flate2::read::GzDecoder;

use ga4_simulator::{Account, Property, Simulator, World};
use google_analytics_exporter::clock::Clock;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time,
};

use crate::dead_mount::DeadMount;

/// A program that is being attacked; killed when dropped.
pub(crate) struct Target {
    child: Child,
    /// `127.0.0.1:PORT`
    pub(crate) address: String,
    /// Unmounted before the directory is removed.
    mount: Option<DeadMount>,
    pub(crate) directory: TempDir,
}

/// A simulator with this number of properties, 1001 and up.
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
        Self::start_in(directory, simulator, config, "info", Stdio::from(log)).await
    }

    /// The same with this stderr, lines of this level, and the files of this directory.
    pub(crate) async fn start_in(
        directory: TempDir,
        simulator: &Simulator,
        config: &str,
        level: &str,
        stderr: Stdio,
    ) -> Self {
        let command = program(directory.path());
        Self::start_as(command, directory, simulator, config, level, stderr).await
    }

    /// The same on a disk that takes this many microseconds for every `fsync`; by strace, which has to be installed.
    pub(crate) async fn start_on_slow_disk(simulator: &Simulator, config: &str, microseconds: u32) -> Self {
        let directory = TempDir::new().unwrap();
        let log = fs::File::create(directory.path().join("log")).unwrap();
        let mut command = Command::new("strace");
        // With `-D` the child is the program itself, and strace its grandchild.
        command.args(["-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync,syncfs"]);
        command.args(["-e", &format!("inject=fsync,fdatasync,syncfs:delay_exit={microseconds}")]).arg(path());
        isolate(&mut command, directory.path());
        Self::start_as(command, directory, simulator, config, "info", Stdio::from(log)).await
    }

    async fn start_as(
        mut command: Command,
        directory: TempDir,
        simulator: &Simulator,
        config: &str,
        level: &str,
        stderr: Stdio,
    ) -> Self {
        // Nothing else says which port it has when nobody reads its log.
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
        fs::create_dir(directory.path().join("keys")).unwrap();
        fs::write(directory.path().join("keys/key.json"), simulator.key_file_json()).unwrap();
        fs::write(directory.path().join("config.yml"), config).unwrap();
        let child = command
            .args(["--config.file", "config.yml", "--google.credentials-file", "keys/key.json"])
            .args(["--google.data-api-url", simulator.base_url(), "--google.admin-api-url", simulator.base_url()])
            .args(["--web.listen-address", &address, "--web.enable-lifecycle", "--storage.path", "states"])
            .args(["--log.level", level])
            .stderr(stderr)
            .spawn()
            .unwrap();
        let mut target = Self { child, address, mount: None, directory };
        eventually("the program listens", async || {
            let ended = target.child.try_wait().unwrap();
            assert!(ended.is_none(), "it has ended: {ended:?}");
            TcpStream::connect(&target.address).await.ok().map(drop)
        })
        .await;
        target
    }

    /// Makes a directory of its own hang, like a dead network mount; false where this user may mount nothing.
    pub(crate) fn hang(&mut self, directory: &str) -> bool {
        self.mount = DeadMount::over(&self.directory.path().join(directory));
        self.mount.is_some()
    }

    /// The directory answers again.
    pub(crate) fn recover(&mut self) {
        self.mount = None;
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

    /// Its metrics as Prometheus gets them: packed, over a connection of their own. The status where that is not 200.
    pub(crate) async fn scrape(&self) -> Result<String, String> {
        let exchange = async {
            let mut stream = TcpStream::connect(&self.address).await?;
            stream.write_all(SCRAPE).await?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await?;
            std::io::Result::Ok(answer)
        };
        let answer = exchange.await.map_err(|error| error.to_string())?;
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").ok_or("no head")?;
        let (head, body) = answer.split_at(end + 4);
        let status = String::from_utf8_lossy(&head[..head.len().min(15)]).trim().to_owned();
        if !status.ends_with(" 200 OK") {
            return Err(status);
        }
        let mut text = String::new();
        GzDecoder::new(body).read_to_string(&mut text).map_err(|error| error.to_string())?;
        Ok(text)
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
        self.mebibytes("VmHWM:")
    }

    /// The memory that it has, in MiB.
    pub(crate) fn resident_mebibytes(&self) -> u64 {
        self.mebibytes("VmRSS:")
    }

    fn mebibytes(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
    }

    /// What it has logged into its file.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        assert!(Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Sends SIGTERM, and waits until it has ended by itself.
    pub(crate) async fn stopped(mut self) -> ExitStatus {
        self.signal("TERM");
        self.ended().await
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
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

/// The program in a directory, with nothing else of an environment but the search path.
pub(crate) fn program(directory: &Path) -> Command {
    let mut command = Command::new(path());
    isolate(&mut command, directory);
    command
}

fn path() -> String {
    env::var("E2E_EXPORTER").unwrap_or_else(|_| env!("CARGO_BIN_EXE_google_analytics_exporter").to_owned())
}

fn isolate(command: &mut Command, directory: &Path) {
    let search = env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("HOME", directory).env("PATH", search).current_dir(directory);
    command.stdin(Stdio::null()).stdout(Stdio::null());
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

const SCRAPE: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n";

const DEADLINE: Duration = Duration::from_secs(60);

const PAUSE: Duration = Duration::from_millis(50);
