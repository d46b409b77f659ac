//! Google's own Python packages against the simulator.

use std::{env, io::Write, process::Command};

use ga4_simulator::{Method, Simulator, World};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs python3 with google packages: make test installs them"]
async fn googles_python_packages_sign_in_and_read() {
    // Python has the wall clock; a test's may be any.
    let started = std::time::UNIX_EPOCH.elapsed().unwrap();
    let started = jiff::Timestamp::from_second(started.as_secs().try_into().unwrap()).unwrap();
    let simulator = Simulator::on_loopback(World::demo(started), move || started).await.unwrap();
    let mut key_file = tempfile::NamedTempFile::new().unwrap();
    key_file.write_all(simulator.key_file_json().as_bytes()).unwrap();

    let python = env::var("GOOGLE_CLIENTS_PYTHON").unwrap_or_else(|_| String::from("python3"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/simulator/google_clients.py");
    let mut command = Command::new(python);
    command.arg(script).arg(simulator.base_url()).arg(key_file.path());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout));
    println!("{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "see the output above");

    let requests = simulator.requests();
    let count = |method| requests.iter().filter(|request| request.method == Some(method)).count();
    assert_eq!(count(Method::Token), 1, "self-signed tokens need no token endpoint");
    assert_eq!(count(Method::RunRealtimeReport), 2);
    assert_eq!(count(Method::AccountSummaries), 6);
}
