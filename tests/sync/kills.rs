//! The program is killed at any moment and started again: the end is the same as without.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use ga4_simulator::{Account, Effect, Fault, Method, Property, Simulator, World};
use google_analytics_exporter::clock::Clock;
use tempfile::TempDir;

use crate::{server::Server, support::dump};

/// A world whose days end about twelve hours from now, so that none ends while a test runs.
fn world(properties: usize) -> World {
    let hour = Clock::system().now().as_second().rem_euclid(86_400) / 3600;
    // `Etc/GMT-5` is five hours ahead of UTC.
    let ahead = (12 - hour).rem_euclid(24);
    let ahead = if ahead > 12 { ahead - 24 } else { ahead };
    let zone = if ahead >= 0 { format!("Etc/GMT-{ahead}") } else { format!("Etc/GMT+{}", -ahead) };
    let mut account = Account::new("1", "Example");
    for number in 0..properties {
        let property = Property::new(format!("3131100{number:02}"), format!("Site {number}"));
        account = account.property(property.time_zone(&zone).pageviews_per_hour(20.0));
    }
    World::new(11).account(account)
}

pub(crate) struct Program {
    simulator: Simulator,
    directory: TempDir,
}

impl Program {
    pub(crate) async fn new(properties: usize) -> Self {
        let clock = Clock::system();
        let simulator = Simulator::on_loopback(world(properties), move || clock.now()).await.unwrap();
        let directory = TempDir::new().unwrap();
        std::fs::write(directory.path().join("key.json"), simulator.key_file_json()).unwrap();
        simulator.inject(Fault::new(Effect::Latency(Duration::from_millis(10))).on(Method::RunReport));
        Self { simulator, directory }
    }

    pub(crate) fn command(&self, database: &str) -> Command {
        self.arguments(Command::new(PROGRAM), database)
    }

    fn arguments(&self, mut command: Command, database: &str) -> Command {
        command.current_dir(self.directory.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let url = self.simulator.base_url();
        command.args([
            "sync",
            "--database",
            database,
            "--from",
            "400daysAgo",
            "--report",
            "daily",
            "--report",
            "channels",
        ]);
        command.args([
            "--google.data-api-url",
            url,
            "--google.admin-api-url",
            url,
            "--google.credentials-file",
            "key.json",
        ]);
        command
    }

    /// Runs to its end.
    async fn run(&self, database: &str) {
        let mut command = self.command(database);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs on a disk on which no file can have more than this number of bytes; what it prints on stderr.
    async fn on_small_disk(&self, database: &str, bytes: u64) -> String {
        let mut limited = Command::new("prlimit");
        limited.args([&format!("--fsize={bytes}:{bytes}"), "--", PROGRAM]);
        let mut command = self.arguments(limited, database);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Runs, and is killed after this time.
    async fn killed(&self, database: &str, after: Duration) {
        let mut child = self.command(database).stderr(Stdio::null()).spawn().unwrap();
        tokio::time::sleep(after).await;
        let _ = child.kill();
        child.wait().unwrap();
    }
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_google_analytics_exporter");

/// Moments spread over a run, in no order.
fn moments(count: u64, longest: Duration) -> impl Iterator<Item = Duration> {
    let nanoseconds = u64::try_from(longest.as_nanos()).unwrap();
    (0..count).map(move |index| Duration::from_nanos(index.wrapping_mul(0x9e37_79b9_7f4a_7c15) % nanoseconds))
}

async fn sqlite(kills: u64) {
    let program = Program::new(4).await;
    let before = Duration::from_millis(1500);
    program.run("sqlite:truth.db").await;
    let (mut partial, path) = (0, program.directory.path().join("ga.db"));
    let truth = dump(&program.directory.path().join("truth.db"));
    for (index, after) in moments(kills, before).enumerate() {
        program.killed("sqlite:ga.db", after).await;
        if index % 5 == 4 {
            partial += usize::from(path.exists() && dump(&path) != truth);
            program.run("sqlite:ga.db").await;
            assert_eq!(dump(&path), truth, "after {} kills", index + 1);
            std::fs::remove_file(&path).unwrap();
        }
    }
    println!("{kills} kills, {partial} of {} with a part of the truth before the last run", kills / 5);
}

#[tokio::test]
async fn a_run_that_was_killed_goes_on() {
    sqlite(10).await;
}

#[tokio::test]
#[ignore = "needs prlimit: make test runs it"]
async fn a_full_disk_leaves_nothing_half_written() {
    let program = Program::new(4).await;
    program.run("sqlite:truth.db").await;
    let truth = dump(&program.directory.path().join("truth.db"));
    let path = program.directory.path().join("ga.db");
    for bytes in [0, 20_000, 60_000, 90_000] {
        let text = program.on_small_disk("sqlite:ga.db", bytes).await;
        assert!(text.contains("cannot open the database") || text.contains("the database cannot be used"), "{text}");
        let is_whole = || -> rusqlite::Result<i64> {
            let connection = rusqlite::Connection::open(&path)?;
            let halves = "select count(*) from ga_days left join ga_daily using (property_id, date) \
                          where report = 'daily' and ga_daily.date is null";
            connection.query_row(halves, [], |row| row.get(0))
        };
        // There may be no tables yet.
        assert_eq!(is_whole().unwrap_or_default(), 0, "{bytes}");
    }
    program.run("sqlite:ga.db").await;
    assert_eq!(dump(&path), truth);
}

#[tokio::test]
#[ignore = "takes a minute: make test runs it"]
async fn fifty_kills_end_in_the_truth() {
    sqlite(50).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test runs it"]
async fn fifty_kills_end_in_the_truth_in_postgresql_too() {
    let (server, program) = (Server::start(), Program::new(4).await);
    let url = server.socket_url();
    let dump = || {
        ["ga_daily", "ga_report_channels", "ga_properties"]
            .map(|table| server.sql("ga", &format!("select * from {table} order by 1, 2, 3")))
            .concat()
    };
    program.run(&url).await;
    let truth = dump();
    let clear = || server.sql("ga", "truncate ga_daily, ga_report_channels, ga_properties, ga_days");
    clear();
    for (index, after) in moments(50, Duration::from_millis(1500)).enumerate() {
        program.killed(&url, after).await;
        if index % 5 == 4 {
            program.run(&url).await;
            assert_eq!(dump(), truth, "after {} kills", index + 1);
            clear();
        }
    }
}
