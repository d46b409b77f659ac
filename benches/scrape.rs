//! Scrapes of unchanged data, against a bare hyper server that has the same bytes ready.
//!
//! 100,000 series, packed, as Prometheus asks for them. Prints the ratios that matter: requests per second (at least
//! 0.9) and the 99th percentile of the time that one takes (at most 1.5). Ours includes what a bare server does not do:
//! once a second the text is rendered and packed anew, since some values change without notice.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a bench may panic and prints")]
#![expect(clippy::cast_precision_loss, reason = "ratios for people")]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

use std::{
    convert::Infallible,
    fmt::Write as _,
    future,
    hint::black_box,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use flate2::{Compression, write::GzEncoder};
use google_analytics_exporter::{
    clock::Clock,
    http::{self, Exporter, Format, Limits, Readiness, Rendering, Scope, Settings, TelemetryPath},
    names::PropertyId,
    status::Selection,
};
use http_body_util::Full;
use hyper::{Response, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::{runtime::Runtime, task::JoinSet};

fn main() {
    let runtime = Runtime::new().unwrap();
    let mut servers = JoinSet::new();
    let text = hundred_thousand_series(0);
    println!("the text has {} bytes", text.len());
    let ours = start_ours(&runtime, &mut servers);
    let mut probe = Client::connect(ours);
    let body = probe.scrape_body();
    let bare = start_bare(&runtime, &mut servers, body.into());

    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let mut group = criterion.benchmark_group("scrape");
    for (name, address) in [("bare", bare), ("exporter", ours)] {
        let mut client = Client::connect(address);
        group.bench_function(name, |bencher| bencher.iter(|| client.scrape()));
    }
    group.finish();
    pack(&mut criterion, &text);
    if !std::env::args().any(|argument| argument == "--test") {
        for connections in [1, 4] {
            compare(connections, bare, ours);
        }
    }
}

/// What packing costs, and saves, at the levels that come into question.
fn pack(criterion: &mut Criterion, text: &[u8]) {
    let mut group = criterion.benchmark_group("gzip");
    group.throughput(Throughput::Bytes(text.len() as u64));
    for level in [1, 3, 6] {
        let packed = || {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        };
        println!("gzip level {level}: {:.1} % of the text", 100.0 * packed().len() as f64 / text.len() as f64);
        group.bench_function(level.to_string(), |bencher| bencher.iter(|| black_box(packed())));
    }
}

/// Alternates between the servers, so that what else the machine does meets both.
fn compare(connections: usize, bare: SocketAddr, ours: SocketAddr) {
    let (mut of_bare, mut of_ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        of_bare.extend(load(connections, bare));
        of_ours.extend(load(connections, ours));
    }
    let ((bare_rate, bare_p99), (our_rate, our_p99)) = (summary(&mut of_bare), summary(&mut of_ours));
    println!(
        "{connections} connections: bare {bare_rate:.0}/s p99 {bare_p99:?}, exporter {our_rate:.0}/s p99 {our_p99:?}; \
         ratios: rate {:.2} (at least 0.9), p99 {:.2} (at most 1.5)",
        our_rate / bare_rate,
        our_p99.as_secs_f64() / bare_p99.as_secs_f64()
    );
}

/// How long each scrape took of so many connections that scrape all the time for a round.
fn load(connections: usize, address: SocketAddr) -> Vec<Duration> {
    let clients: Vec<_> = (0..connections)
        .map(|_| {
            thread::spawn(move || {
                let mut client = Client::connect(address);
                let end = Instant::now() + ROUND;
                let mut times = Vec::new();
                while Instant::now() < end {
                    let start = Instant::now();
                    client.scrape();
                    times.push(start.elapsed());
                }
                times
            })
        })
        .collect();
    clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
}

/// Requests per second, and the 99th percentile.
fn summary(times: &mut [Duration]) -> (f64, Duration) {
    times.sort_unstable();
    (times.len() as f64 / (ROUND * ROUNDS).as_secs_f64(), times[times.len() * 99 / 100])
}

fn start_bare(runtime: &Runtime, servers: &mut JoinSet<()>, body: Bytes) -> SocketAddr {
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let accept = async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let body = body.clone();
            let service = service_fn(move |_| {
                let body = body.clone();
                async move { Ok::<_, Infallible>(Response::new(Full::new(body))) }
            });
            connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    };
    servers.spawn_on(accept, runtime.handle());
    address
}

fn start_ours(runtime: &Runtime, servers: &mut JoinSet<()>) -> SocketAddr {
    let listeners = http::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
    let address = listeners[0].local_addr().unwrap();
    let settings = Settings { telemetry_path: TelemetryPath::default(), lifecycle: false, limits: Limits::default() };
    let exporter = Arc::new(Made { renderings: AtomicU64::new(0) });
    let serving = http::serve(listeners, exporter, settings, Clock::system(), future::pending());
    servers.spawn_on(async { serving.await.unwrap() }, runtime.handle());
    address
}

struct Made {
    renderings: AtomicU64,
}

impl Exporter for Made {
    fn version(&self) -> u64 {
        0
    }

    fn render(&self, _format: Format, _scope: Scope, _now: Timestamp) -> Rendering {
        let rendering = self.renderings.fetch_add(1, Ordering::Relaxed);
        Rendering { text: hundred_thousand_series(rendering), valid_until: None }
    }

    fn render_property(&self, _property: PropertyId, _format: Format, _now: Timestamp) -> Option<Rendering> {
        None
    }

    fn status_page(&self, _selection: &Selection, _telemetry_path: &TelemetryPath, _now: Timestamp) -> String {
        String::new()
    }

    fn targets(&self, _host: &str, _now: Timestamp) -> Option<String> {
        None
    }

    fn readiness(&self, _now: Timestamp) -> Readiness {
        Readiness::Ready
    }

    fn reload(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(future::ready(Ok(())))
    }

    fn config_yaml(&self) -> String {
        String::new()
    }
}

/// 1,000 properties with 100 series each, about 12.6 MB.
fn hundred_thousand_series(rendering: u64) -> Vec<u8> {
    let mut text = String::with_capacity(13 << 20);
    writeln!(text, "process_cpu_seconds_total {rendering}").unwrap();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for page in 0..100 {
        for property in 0..1000 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            writeln!(
                text,
                "google_analytics_pages_pageviews{{property_id=\"{}\",page_path=\"/catalogue/department-{}/item-{page}\",\
                 device=\"mobile\"}} {}",
                321_000_000 + property * 7919,
                property % 37,
                random % 100_000
            )
            .unwrap();
        }
    }
    text.into_bytes()
}

struct Client {
    stream: BufReader<TcpStream>,
    body: Vec<u8>,
}

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::with_capacity(1 << 16, stream), body: Vec::new() }
    }

    fn scrape(&mut self) -> usize {
        self.stream.get_mut().write_all(REQUEST).unwrap();
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body).unwrap();
        length
    }

    fn scrape_body(&mut self) -> Vec<u8> {
        self.scrape();
        self.body.clone()
    }
}

const REQUEST: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\
    Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2\r\n\
    Accept-Encoding: gzip\r\nX-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n";

/// So long each server is under load before the other is.
const ROUND: Duration = Duration::from_secs(1);

const ROUNDS: u32 = 8;
