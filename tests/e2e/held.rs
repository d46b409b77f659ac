//! What others hold up: a log that nobody reads, files that hang.

use std::{fs, io::Write, net::TcpListener, path::Path, process::Command};

use ga4_simulator::Method;
use tempfile::TempDir;

use crate::{
    exporter::{Exporter, serving},
    process::Process,
    worlds::Standstill,
};

/// An address where nobody listens.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[tokio::test]
async fn a_log_that_nobody_reads_stops_nothing() {
    let simulator = Standstill::new().simulator().await;
    let directory = TempDir::new().unwrap();
    let (_unread, mut stderr) = std::io::pipe().unwrap();
    // Full from the start: not one line fits into it.
    stderr.write_all(&[b'x'; PIPE]).unwrap();
    let address = free_address();
    let mut command = serving(&simulator, directory.path(), EVERY_SECOND);
    command.args(["--web.listen-address", &address, "--log.level", "debug"]);
    let exporter = Exporter::unread(Process::start_into(&mut command, stderr), address);

    exporter.ready().await;
    let polled = simulator.requests().last().map_or(0, |request| request.number);
    let next = simulator.wait_for(|request| request.number > polled && request.method == Some(Method::RunReport));
    assert!(next.await.is_some(), "it polls on");
    assert!(exporter.metrics().await.contains("google_analytics_exporter_log_lines_dropped_total 0\n"));
    let ended = exporter.process.stopped_by("TERM").await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
}

#[tokio::test]
async fn a_mistake_ends_it_though_nobody_reads_it() {
    let directory = TempDir::new().unwrap();
    let (_unread, mut stderr) = std::io::pipe().unwrap();
    stderr.write_all(&[b'x'; PIPE]).unwrap();
    for arguments in [["--config.file", "missing.yml"], ["--no-such-flag", "x"], ["--shard", "x"]] {
        let mut command = crate::exporter::binary(directory.path());
        let stderr = stderr.try_clone().unwrap();
        let ended = Process::start_into(command.args(arguments), stderr).ended().await;
        assert_eq!(ended.code(), Some(64), "{arguments:?}: {ended:?}");
    }
}

/// Puts a pipe into which nobody writes in the place of a file.
fn replace_by_pipe(file: &Path) {
    let pipe = file.with_extension("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    fs::rename(pipe, file).unwrap();
}

#[tokio::test]
async fn files_that_would_hang_are_not_opened() {
    let simulator = Standstill::new().simulator().await;
    let directory = TempDir::new().unwrap();
    let mut command = serving(&simulator, directory.path(), EVERY_SECOND);
    command.args(["--storage.path", "states"]);
    let mut exporter = Exporter::of(Process::start(&mut command)).await;
    exporter.ready().await;
    for file in ["key.json", "config.yml"] {
        replace_by_pipe(&directory.path().join(file));
    }
    exporter.process.signal("HUP");
    for message in ["the old key stays in use", "the previous one stays in use"] {
        let found = |_: &str, log: &str| log.contains(message).then_some(());
        exporter.process.shows(message, found).await;
    }
    exporter.metrics().await;
    // Well again, it is read again.
    let key = directory.path().join("new.json");
    fs::write(&key, simulator.key_file_json()).unwrap();
    fs::rename(&key, directory.path().join("key.json")).unwrap();
    let message = "the key file has changed and was read again";
    exporter.process.shows(message, |_, log| log.contains(message).then_some(())).await;
    let ended = exporter.process.stopped_by("TERM").await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");

    // The states too: what is not a file is done without.
    let states = fs::read_dir(directory.path().join("states")).unwrap().map(|entry| entry.unwrap().path());
    let states: Vec<_> = states.filter(|path| path.extension().is_some_and(|end| end == "state")).collect();
    assert!(!states.is_empty());
    states.iter().for_each(|state| replace_by_pipe(state));
    fs::remove_file(directory.path().join("config.yml")).unwrap();
    let mut command = serving(&simulator, directory.path(), EVERY_SECOND);
    let exporter = Exporter::of(Process::start(command.args(["--storage.path", "states"]))).await;
    exporter.ready().await;
    let ended = exporter.process.stopped_by("TERM").await;
    assert_eq!(ended.code(), Some(0));
    let unused: Vec<_> = ended.stderr.lines().filter(|line| line.contains("cannot use the saved state")).collect();
    assert_eq!(unused.len(), states.len(), "{ended:?}");
    assert!(unused.iter().all(|line| line.contains(" property=7") && line.contains(" property_name=")), "{unused:?}");

    let ended = Process::start(&mut {
        let command = serving(&simulator, directory.path(), EVERY_SECOND);
        fs::remove_file(directory.path().join("config.yml")).unwrap();
        replace_by_pipe(&directory.path().join("config.yml"));
        command
    });
    let ended = ended.ended().await;
    assert!(ended.code() == Some(64) && ended.stderr.contains("it is not a file"), "{ended:?}");
}

#[tokio::test]
async fn a_start_on_a_taken_port_forgets_nothing() {
    let simulator = Standstill::new().simulator().await;
    let directory = TempDir::new().unwrap();
    let closed = directory.path().join("states/closed");
    let storage = ["--storage.path", "states"];
    let exporter = Exporter::of(Process::start(serving(&simulator, directory.path(), "").args(storage))).await;
    exporter.ready().await;
    assert!(!closed.exists());
    assert_eq!(exporter.process.stopped_by("TERM").await.code(), Some(0));
    let before = fs::read(&closed).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = serving(&simulator, directory.path(), "");
    command.args(storage).args(["--web.listen-address", &taken.local_addr().unwrap().to_string()]);
    assert_eq!(Process::start(&mut command).ended().await.code(), Some(1));
    assert_eq!(fs::read(&closed).unwrap(), before);
}

#[tokio::test]
async fn a_limit_on_file_sizes_is_like_a_full_disk() {
    let simulator = Standstill::new().simulator().await;
    let directory = TempDir::new().unwrap();
    let mut command = serving(&simulator, directory.path(), "");
    command.args(["--storage.path", "states"]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 0 && exec \"$0\" \"$@\""]).arg(command.get_program()).args(command.get_args());
    limited.current_dir(directory.path()).env_clear().env("HOME", directory.path()).env("PATH", "/usr/bin:/bin");
    let exporter = Exporter::of(Process::start(&mut limited)).await;
    exporter.ready().await;
    let ended = exporter.process.stopped_by("TERM").await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    // What there is to save by then, states or counters alone, is a matter of milliseconds.
    assert!(ended.stderr.contains("File too large"), "{ended:?}");
}

const EVERY_SECOND: &str = "reports: {realtime: {interval: 1s}, traffic: {interval: 1s}}";

/// How much an unread pipe holds (pipe(7)).
const PIPE: usize = 64 << 10;
