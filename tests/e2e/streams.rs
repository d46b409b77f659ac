//! Streams that nobody reads, and signals.

use std::{fs, net::TcpListener, process::Command};

use ga4_simulator::{Effect, Fault, Method};
use tempfile::TempDir;

use crate::{
    exporter::{Exporter, binary, client, serving},
    process::{Process, eventually},
    worlds::Standstill,
};

#[tokio::test]
async fn closed_streams_are_done_without() {
    let standstill = Standstill::new();
    let simulator = standstill.simulator().await;
    for closing in [">&-", "2>&-", ">&- 2>&-", "</dev/null >/dev/full 2>/dev/full"] {
        let directory = TempDir::new().unwrap();
        let address = free_address();
        let mut command = serving(&simulator, directory.path(), "");
        command.args(["--web.listen-address", &address, "--log.level", "debug"]);
        let process = Process::start(&mut in_a_shell(&command, closing));
        answers(&address, closing).await;
        // Whatever they were closed for, no file or socket may have got their numbers and the log into it.
        let ended = process.stopped_by("TERM").await;
        assert_eq!(ended.code(), Some(0), "{closing}: {ended:?}");
        assert_eq!(fs::read_to_string(directory.path().join("config.yml")).unwrap(), "");
    }
}

#[tokio::test]
async fn the_demo_needs_nobody_to_read_what_it_prints() {
    for closing in [">&- 2>&-", ">/dev/full 2>/dev/full"] {
        let directory = TempDir::new().unwrap();
        let address = free_address();
        let mut command = binary(directory.path());
        command.args(["demo", "--web.listen-address", &address]);
        let process = Process::start(&mut in_a_shell(&command, closing));
        answers(&address, closing).await;
        assert_eq!(process.stopped_by("INT").await.code(), Some(0), "{closing}");
    }
}

#[tokio::test]
async fn both_signals_end_it_at_once_even_while_google_hangs() {
    let standstill = Standstill::new();
    for signal in ["TERM", "INT"] {
        let simulator = standstill.simulator().await;
        simulator.inject(Fault::new(Effect::Hang).on(Method::RunReport).on(Method::RunRealtimeReport));
        let exporter = Exporter::start(&simulator, "").await;
        simulator.wait_for(|request| request.method == Some(Method::RunReport)).await;
        let ended = exporter.process.stopped_by(signal).await;
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        assert!(ended.stderr.contains(&format!("received SIG{signal}, stopping")), "{ended:?}");
    }
}

/// `/-/healthy` is there.
async fn answers(address: &str, what: &str) {
    let client = client();
    eventually(what, async || {
        let response = client.get(format!("http://{address}/-/healthy")).send().await.map_err(|e| e.to_string())?;
        if response.status() == 200 { Ok(()) } else { Err(response.status().to_string()) }
    })
    .await;
}

/// The same command, but for what a shell does to its streams first.
fn in_a_shell(command: &Command, redirection: &str) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("exec \"$0\" \"$@\" {redirection}")])
        .arg(command.get_program())
        .args(command.get_args());
    shell.env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    if let Some(directory) = command.get_current_dir() {
        shell.current_dir(directory);
    }
    shell
}

/// An address that is free now: a closed stream cannot report which port was found.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
