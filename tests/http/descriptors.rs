//! A server whose system runs out of file descriptors.

use std::{
    env,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use google_analytics_exporter::{
    clock::Clock,
    http::{self, Base, Settings},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Fake, patient, within};

/// The child of the test below, and of that in `threads`: serves until its input ends.
#[tokio::test]
#[ignore = "not a test; started by the one below with few file descriptors"]
async fn child() {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let settings = Settings {
        base: Base::default(),
        telemetry_path: "/metrics".parse().unwrap(),
        lifecycle: false,
        limits: patient(),
    };
    let listeners = http::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
    eprintln!("listening on {}", listeners[0].local_addr().unwrap());
    let input_ended = async {
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await.unwrap().unwrap();
    };
    http::serve(listeners, Arc::new(Fake::default()), settings, Clock::system(), input_ended).await.unwrap();
}

#[tokio::test]
async fn running_out_of_file_descriptors_does_not_end_the_server() {
    let mut child = start_child();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let address: SocketAddr = wait_for(&mut log, "listening on ").rsplit(' ').next().unwrap().parse().unwrap();
    let mut clients = Vec::new();
    for _ in 0..DESCRIPTORS {
        clients.push(within(TcpStream::connect(address)).await.unwrap());
    }
    let complaint = wait_for(&mut log, "cannot accept connections");
    assert!(complaint.contains("Too many open files"), "{complaint}");
    clients.clear();
    let recovery = wait_for(&mut log, "accepting connections");
    assert!(recovery.contains("accepting connections again"), "{recovery}");
    let mut client = within(TcpStream::connect(address)).await.unwrap();
    client.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    within(client.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

fn start_child() -> Child {
    Command::new("sh")
        .arg("-c")
        .arg(format!("ulimit -n {DESCRIPTORS} && exec \"$0\" --exact descriptors::child --ignored --nocapture"))
        .arg(env::current_exe().unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The next line with a text in it. Lines before it are passed over, so what follows is known to be new.
fn wait_for(log: &mut impl BufRead, text: &str) -> String {
    let mut lines = log.lines().map(|line| line.unwrap());
    lines.find(|line| line.contains(text)).expect("the child must say so before it ends")
}

/// How many the child may have open: fewer than its limit of connections.
const DESCRIPTORS: usize = 40;
