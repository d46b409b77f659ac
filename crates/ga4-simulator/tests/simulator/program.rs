//! The program `ga4-simulator`, as a client in any language uses it.

use std::{
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::client;

#[tokio::test]
async fn it_prints_its_addresses_serves_and_ends_by_a_signal() {
    let directory = TempDir::new().unwrap();
    let key = directory.path().join("key.json");
    let (mut program, addresses) = start(&["--properties", "2", "--seed", "5", "--key-out", key.to_str().unwrap()]);
    assert_eq!(addresses["properties"], serde_json::json!(["313110001", "313110002"]));
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let written: Value = serde_json::from_str(&std::fs::read_to_string(&key).unwrap()).unwrap();
    assert_eq!(written["token_uri"], addresses["token_uri"]);
    let faults = client().get(addresses["faults_url"].as_str().unwrap()).send().await.unwrap().text().await.unwrap();
    assert!(faults.contains("rt-empty-kind-only"), "{faults}");

    let ended = Command::new("kill").args(["-TERM", &program.id().to_string()]).status().unwrap();
    assert!(ended.success());
    assert_eq!(program.wait().unwrap().code(), Some(0));
}

#[test]
fn a_key_file_that_exists_is_not_overwritten() {
    let directory = TempDir::new().unwrap();
    let key = directory.path().join("key.json");
    std::fs::write(&key, "mine").unwrap();
    let output = program().args(["--key-out", key.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("error: cannot write "));
    assert_eq!(std::fs::read_to_string(&key).unwrap(), "mine");
}

/// The running program and the JSON that it printed.
fn start(arguments: &[&str]) -> (Child, Value) {
    let mut program = program().args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (program, serde_json::from_str(&line).unwrap())
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_ga4-simulator"))
}
