//! Rows that need a process of their own, for what its environment lacks: the same test, started again by a shell.

use std::{
    env, fs,
    process::{Command, Stdio},
};

use google_analytics_exporter::telemetry::{self, LogFormat};
use tempfile::TempDir;

use crate::{
    outcome::Outcome,
    row::{Place, Row},
    rows, table, trial,
};

/// Measures a row where it has to be measured.
pub(crate) fn measure(row: &Row) -> Outcome {
    match row.setting.place {
        Place::Here => trial::run(row),
        Place::FewDescriptors => elsewhere(row, "ulimit -n 64"),
        Place::LittleMemory => elsewhere(row, "ulimit -v 4000000"),
        Place::NoLog => elsewhere(row, ":"),
        Place::OwnAuthority => {
            let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/certificates/authority.pem");
            elsewhere(row, &format!("SSL_CERT_FILE='{authority}'; export SSL_CERT_FILE; unset SSL_CERT_DIR"))
        }
    }
}

/// The child; and by hand, one row of those that need no child:
/// `FAULTS_ROW='500' cargo test --test faults child::row -- --ignored --nocapture`.
#[test]
#[ignore = "one row; started by the table's test with the environment that the row needs"]
fn row() {
    let name = env::var(ROW).expect("the row is named");
    let row = rows::all().into_iter().find(|row| row.name == name).expect("there is such a row");
    let _log =
        (row.setting.place == Place::NoLog).then(|| telemetry::start("debug".parse().unwrap(), LogFormat::Logfmt));
    let outcome = trial::run(&row);
    let Some(file) = env::var_os(OUTCOME) else {
        println!("{}", table::markdown(std::slice::from_ref(&row), std::slice::from_ref(&outcome)));
        let misses = row.misses(&outcome);
        assert!(misses.is_empty(), "{}", misses.join("\n"));
        return;
    };
    fs::write(file, serde_json::to_string(&outcome).unwrap()).unwrap();
}

fn elsewhere(row: &Row, preparation: &str) -> Outcome {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("outcome.json");
    let mut child = Command::new("sh")
        .args(["-c", &format!("{preparation} && exec \"$0\" --exact child::row --ignored --nocapture")])
        .arg(env::current_exe().unwrap())
        .env(ROW, row.name)
        .env(OUTCOME, &path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(if row.setting.place == Place::NoLog { Stdio::piped() } else { Stdio::inherit() })
        .spawn()
        .unwrap();
    // Nobody reads its log: every line ends in a broken pipe.
    drop(child.stderr.take());
    let status = child.wait().unwrap();
    assert!(status.success(), "{}: {status}", row.name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

const ROW: &str = "FAULTS_ROW";

const OUTCOME: &str = "FAULTS_OUTCOME";
