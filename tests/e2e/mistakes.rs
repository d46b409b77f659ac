//! A user's mistakes: what the program says to them, and its exit code.

use std::{fs, net::TcpListener, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use ga4_simulator::{Simulator, World};
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    exporter::{binary, serving},
    process::{Ended, Process},
};

#[tokio::test]
async fn wrong_flags_are_refused_with_what_is_right() {
    let directory = TempDir::new().unwrap();
    for (arguments, sentence) in [
        (&["--nonsense"][..], "unexpected argument '--nonsense' found"),
        (&["serve"], "unrecognized subcommand 'serve'"),
        (&["demo", "--google.property", "7"], "unexpected argument '--google.property' found"),
        (
            &["--google.property", "G-ABC1234"],
            "the id is the number that Google Analytics shows under Admin > Property",
        ),
        (&["--google.property", "UA-1-1"], "the id is the number that Google Analytics shows under Admin > Property"),
        (&["--web.listen-address", "9674"], "write `:9674`"),
        (&["--web.telemetry-path", "metrics"], "must start with a slash"),
        (&["--web.external-url", "example.com"], "an http or https URL with a host"),
        (&["--web.external-url", "https://example.com/?a=b"], "must not have a query or fragment"),
        (&["--web.route-prefix", "/a//b"], "between single slashes"),
        (&["--google.property", "p123456789"], "write 123456789"),
        (&["--google.data-api-url", "localhost"], "write it like https://"),
        (&["--log.level", "loud"], "use debug, info, warn or error"),
        (&["--config.file"], "a value is required for '--config.file <FILE>'"),
    ] {
        let ended = ended(directory.path(), arguments).await;
        assert_eq!(ended.code(), Some(64), "{ended:?}");
        let first = ended.stderr.lines().next().unwrap_or_default();
        assert!(first.starts_with("error: ") && first.contains(sentence), "{arguments:?}: {ended:?}");
        assert_eq!(ended.stdout, "");
    }
}

#[tokio::test]
async fn a_key_file_of_no_use_is_told_what_it_is() {
    let directory = TempDir::new().unwrap();
    let key = key_file().await;
    let changed = |field: &str, value: Value| {
        let mut key = key.clone();
        key[field] = value;
        key.to_string().into_bytes()
    };
    let damaged = key["private_key"].as_str().unwrap().replacen('A', "", 3);
    for (bytes, sentence) in [
        (None, "cannot be read (No such file or directory"),
        (Some(Vec::new()), "is empty; download"),
        (Some(vec![0x30, 0x82, 0x09, 0xd1, 0x02, 0x01]), "is a PKCS#12 (P12) key"),
        (Some(b"{\"type\": \"service_account\",".to_vec()), "is not valid JSON (line 1"),
        (
            Some(br#"{"installed": {"client_id": "1", "client_secret": "s"}}"#.to_vec()),
            "is an OAuth client, which needs a human",
        ),
        (
            Some(br#"{"web": {"client_id": "1", "client_secret": "s"}}"#.to_vec()),
            "is an OAuth client, which needs a human",
        ),
        (Some(changed("type", json!("external_account"))), "has the type `external_account`"),
        (Some(changed("type", json!("impersonated_service_account"))), "has the type `impersonated_service_account`"),
        (
            Some(changed("private_key", json!(key["private_key"].as_str().unwrap().replace('\n', "\\n")))),
            "has a `private_key` whose line breaks are written out",
        ),
        (Some(key.to_string().encode_utf16().flat_map(u16::to_le_bytes).collect()), "is saved as UTF-16"),
        (Some(BASE64_STANDARD.encode(key.to_string()).into_bytes()), "is encoded in base64"),
        (Some(changed("private_key", json!(damaged))), "has a damaged `private_key`"),
        (Some(changed("private_key", Value::Null)), "lacks `private_key`"),
        (Some(changed("token_uri", json!("token endpoint"))), "has a `token_uri` that is no http or https URL"),
        (Some(key["private_key"].as_str().unwrap().into()), "is a bare private key"),
    ] {
        let path = directory.path().join("key.json");
        if let Some(bytes) = bytes {
            fs::write(&path, bytes).unwrap();
        }
        let ended = ended(directory.path(), &["--google.credentials-file", "key.json", ANYWHERE]).await;
        one_sentence(&ended, 64, &format!("credentials file key.json: {sentence}"));
    }
}

#[tokio::test]
async fn without_credentials_the_four_places_are_listed() {
    let home = TempDir::new().unwrap();
    let mut command = binary(home.path());
    let ended = Process::start(command.arg(ANYWHERE)).ended().await;
    one_sentence(&ended, 64, "no Google credentials found");
    let gcloud = home.path().join(".config/gcloud/application_default_credentials.json").display().to_string();
    for place in ["--google.credentials-file", "GOOGLE_APPLICATION_CREDENTIALS", gcloud.as_str(), "metadata server"] {
        assert!(ended.stderr.contains(place), "{place}: {ended:?}");
    }

    let mut command = binary(home.path());
    let ended = Process::start(command.arg(ANYWHERE).env("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json"));
    one_sentence(&ended.ended().await, 64, "credentials file /nowhere.json: cannot be read");
}

#[tokio::test]
async fn variables_of_no_use_are_refused_at_the_start() {
    let home = TempDir::new().unwrap();
    for (variable, value, sentence) in [
        ("HTTPS_PROXY", "http://user:PASSWORD@proxy:x", "HTTPS_PROXY is not the address of a proxy"),
        ("https_proxy", "socks5://user:PASSWORD@proxy:1080", "https_proxy names a proxy that does not speak HTTP"),
        ("SSL_CERT_FILE", "/nonexistent/roots.pem", "SSL_CERT_FILE: cannot read /nonexistent/roots.pem"),
        ("SSL_CERT_DIR", "/nonexistent", "SSL_CERT_DIR: /nonexistent is not a directory"),
        ("GOOGLE_CLOUD_QUOTA_PROJECT", "my project", "GOOGLE_CLOUD_QUOTA_PROJECT is not the id of a Cloud project"),
        ("GCE_METADATA_HOST", "http://metadata", "GCE_METADATA_HOST is not a host name"),
    ] {
        let ended = Process::start(binary(home.path()).arg(ANYWHERE).env(variable, value)).ended().await;
        one_sentence(&ended, 64, sentence);
        assert!(!ended.stderr.contains("PASSWORD"), "{ended:?}");
    }
}

#[tokio::test]
async fn in_google_cloud_a_late_metadata_server_is_waited_for() {
    let home = TempDir::new().unwrap();
    for (variable, value) in [("GCE_METADATA_HOST", "127.0.0.1:1"), ("K_SERVICE", "exporter")] {
        let mut process = Process::start(binary(home.path()).arg(ANYWHERE).env(variable, value));
        let waits = |stderr: &str| stderr.contains("listening on") && stderr.contains("cannot sign in to Google");
        process.shows("waiting", |_, stderr| waits(stderr).then_some(())).await;
        let ended = process.stopped_by("TERM").await;
        assert!(ended.stderr.contains("it may come seconds after a pod starts"), "{ended:?}");
    }
}

#[tokio::test]
async fn a_configuration_is_refused_with_all_that_is_wrong() {
    let directory = TempDir::new().unwrap();
    let wrong =
        "properties: [G-ABC1234]\nintervall: 5m\nreports:\n  realtime: {interval: 0s}\n  traffic: {metrics: [views]}\n";
    fs::write(directory.path().join("wrong.yml"), wrong).unwrap();
    for check in [&["--config.file", "wrong.yml"][..], &["--config.file", "wrong.yml", "--config.check"]] {
        let ended = ended(directory.path(), check).await;
        assert_eq!(ended.code(), Some(64));
        let lines = errors(&ended);
        assert_eq!(lines.len(), 4, "{ended:?}");
        for (line, place) in lines.iter().zip(["1:14: ", "2:1: ", "4:24: ", "5:23: "]) {
            let line = line.strip_prefix("error: ").unwrap_or(line);
            assert!(line.starts_with(&format!("wrong.yml:{place}")), "{place}: {ended:?}");
        }
    }

    fs::write(directory.path().join("properties.yml"), "properties: [1]\n").unwrap();
    let twice = ["--config.file", "properties.yml", "--google.property", "2"];
    one_sentence(&ended(directory.path(), &twice).await, 64, "given on the command line too; keep one of the two");
    let missing = ended(directory.path(), &["--config.file", "missing.yml"]).await;
    one_sentence(&missing, 64, "cannot read the configuration file `missing.yml`");
}

#[tokio::test]
async fn a_taken_port_is_told_with_the_flag_that_changes_it() {
    let directory = TempDir::new().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let demo = ended(directory.path(), &["demo", "--web.listen-address", &address]).await;
    one_sentence(&demo, 1, &format!("cannot listen on {address}: the port is in use"));
    assert!(demo.stderr.contains("--web.listen-address"), "{demo:?}");

    let simulator = simulator().await;
    let mut command = serving(&simulator, directory.path(), "");
    let serving = Process::start(command.args(["--web.listen-address", &address])).ended().await;
    one_sentence(&serving, 1, &format!("cannot listen on {address}: the port is in use"));
    assert_eq!(simulator.requests().len(), 0, "Google was asked before the port was there");
}

#[tokio::test]
async fn what_is_asked_for_is_told() {
    let directory = TempDir::new().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/google_analytics_exporter.yml");
    let shipped = shipped.to_str().unwrap();
    for (arguments, line) in [
        (&["--version"][..], concat!("google_analytics_exporter ", env!("CARGO_PKG_VERSION"))),
        (&["--help"], "--google.credentials-file <FILE>"),
        (&["demo", "--help"], "--web.listen-address <ADDRESS>"),
        (&["--config.file", shipped, "--config.check"], ": valid"),
        (&["--config.check"], "no configuration file: valid"),
    ] {
        let ended = ended(directory.path(), arguments).await;
        assert_eq!((ended.code(), ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(ended.stdout.contains(line), "{arguments:?}: {ended:?}");
    }
}

/// Runs it to its end.
async fn ended(directory: &Path, arguments: &[&str]) -> Ended {
    Process::start(binary(directory).args(arguments)).ended().await
}

/// One line on stderr, nothing on stdout. What is logged before is not looked at: there is nothing to log yet.
#[track_caller]
fn one_sentence(ended: &Ended, code: i32, sentence: &str) {
    assert_eq!(ended.code(), Some(code), "{ended:?}");
    assert_eq!(ended.stdout, "", "{ended:?}");
    let lines = errors(ended);
    let [line] = lines.as_slice() else { panic!("not one line: {ended:?}") };
    assert!(line.starts_with("error: ") && line.contains(sentence), "{sentence}: {ended:?}");
}

/// What it says but for the line with which a start begins.
fn errors(ended: &Ended) -> Vec<&str> {
    ended.stderr.lines().filter(|line| !line.contains("message=\"starting ")).collect()
}

async fn simulator() -> Simulator {
    Simulator::on_loopback(World::new(1), || Timestamp::UNIX_EPOCH).await.unwrap()
}

async fn key_file() -> Value {
    serde_json::from_str(&simulator().await.key_file_json()).unwrap()
}

/// Not the default port, which may be in use.
const ANYWHERE: &str = "--web.listen-address=127.0.0.1:0";
