//! What others hold up: a log that nobody reads, files that hang.

use std::{io::Write, net::TcpListener};

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

const EVERY_SECOND: &str = "reports: {realtime: {interval: 1s}, traffic: {interval: 1s}}";

/// How much an unread pipe holds (pipe(7)).
const PIPE: usize = 64 << 10;
