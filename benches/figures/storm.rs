//! A client that asks again at once, while a thousand properties are polled, against a bare server with the same bytes.
//!
//! The bare server is a process of its own, as the exporter is, and both are asked in turns while the exporter goes on polling:
//! whatever else the machine does meets both.

use std::{
    convert::Infallible,
    env, fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use google_analytics_exporter::clock::monotonic;
use http_body_util::Full;
use hyper::{Response, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinSet};

use crate::{DEFAULTS, REPORTS, child::Exporter, scraper::Scraper, simulated::simulator, table::Table};

pub(crate) async fn alone(table: &mut Table) {
    let properties = 1_000;
    let simulator = simulator(properties).await;
    let exporter = Exporter::start(&simulator, simulator.base_url(), DEFAULTS);
    exporter.until_up(REPORTS * properties, Duration::from_millis(500), Duration::from_secs(120));
    of_scrapes(&exporter, table);
}

/// Plain and packed.
fn of_scrapes(exporter: &Exporter, table: &mut Table) {
    for encoding in ["identity", "gzip"] {
        let body = Scraper::connect(exporter.address, "/metrics", encoding).get().to_vec();
        let bare = Bare::start(&body);
        let mut ratios: Vec<f64> = (0..ROUNDS)
            .map(|_| {
                let [bare, ours] = [bare.address, exporter.address].map(|address| requests(address, encoding));
                let (bare, ours) = (crate::number(bare), crate::number(ours));
                let second = ROUND.as_secs_f64();
                println!("storm, {encoding}: bare {:.0}/s, exporter {:.0}/s", bare / second, ours / second);
                ours / bare
            })
            .collect();
        ratios.sort_unstable_by(f64::total_cmp);
        let median = ratios.get(ROUNDS / 2).copied().unwrap_or_default();
        let what =
            format!("storm of scrapes while 1,000 properties are polled, {encoding}: requests/s by bare hyper's");
        table.row(&what, median, "", 0.85..);
    }
}

/// How many scrapes one client gets in a round.
fn requests(address: SocketAddr, encoding: &str) -> u64 {
    let mut scraper = Scraper::connect(address, "/metrics", encoding);
    // Under a storm that lasts, there would be a text from the moment before.
    scraper.get();
    let end: Instant = monotonic() + ROUND;
    let mut count = 0;
    while monotonic() < end {
        scraper.get();
        count += 1;
    }
    count
}

/// The bare server; ended when it is dropped.
struct Bare {
    child: Child,
    address: SocketAddr,
    _directory: TempDir,
}

impl Bare {
    fn start(body: &[u8]) -> Self {
        let directory = TempDir::new().expect("there is room for temporary files");
        let file = directory.path().join("body");
        fs::write(&file, body).expect("there is room for it");
        let program = env::current_exe().expect("it runs");
        let mut command = Command::new(program);
        let mut child =
            command.arg(ARGUMENT).arg(&file).stdout(Stdio::piped()).spawn().expect("the program can be started again");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is a pipe")).read_line(&mut line).expect("it prints an address");
        Self { child, address: line.trim().parse().expect("it prints an address"), _directory: directory }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The argument that makes of this program the bare server, if it was started with that.
pub(crate) fn requested() -> Option<String> {
    env::args().skip_while(|argument| argument != ARGUMENT).nth(1)
}

/// Answers every request with the bytes of this file.
pub(crate) async fn serve(file: &str) {
    let body = Bytes::from(fs::read(file).expect("the parent has written it"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
    println!("{}", listener.local_addr().expect("it is bound"));
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("the parent connects");
        stream.set_nodelay(true).expect("it is a TCP connection");
        let body = body.clone();
        let service = service_fn(move |_| {
            let body = body.clone();
            async move { Ok::<_, Infallible>(Response::new(Full::new(body))) }
        });
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

const ARGUMENT: &str = "--bare-server";

const ROUND: Duration = Duration::from_secs(3);

/// An odd number, for the median.
const ROUNDS: usize = 5;
