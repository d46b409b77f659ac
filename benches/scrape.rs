//! Scrapes of unchanged data, against a bare hyper server that has the same bytes ready.
//!
//! 100,000 series, as they are and packed, as Prometheus asks for them. What matters are the ratios: requests per second
//! and the 99th percentile of the time that one takes. Ours includes what a bare server does not do: once a second the
//! text is rendered and packed again, since some values change without notice.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench may fail loudly and prints"
)]
#![expect(clippy::indexing_slicing, reason = "a bench may panic")]
#![expect(clippy::cast_precision_loss, reason = "ratios for people")]

use std::{
    convert::Infallible,
    future,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use criterion::Criterion;
use ga4_exporter_core::{
    exposition::{self, View},
    names::PropertyId,
};
use google_analytics_exporter::{
    clock::{Clock, monotonic},
    http::{
        self, Backend, Base, Format, Limits, Metrics, Readiness, Rendering, Scope, Settings, TelemetryPath, Unobserved,
        WebObserver,
    },
    status::Selection,
};
use http_body_util::Full;
use hyper::{Response, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::{runtime::Runtime, task::JoinSet};

use scraper::Scraper;
use table::Table;
use times::percentile;

#[path = "common/filled.rs"]
mod filled;
#[path = "common/scraper.rs"]
mod scraper;
#[path = "common/table.rs"]
mod table;
#[path = "common/times.rs"]
mod times;

fn main() {
    let runtime = Runtime::new().unwrap();
    let mut servers = JoinSet::new();
    let ours = start_ours(&runtime, &mut servers);
    let pairs = ["identity", "gzip"].map(|encoding| {
        let body = Bytes::copy_from_slice(Scraper::connect(ours, "/metrics", encoding).get());
        println!("{encoding}: {} bytes", body.len());
        Pair { encoding, bare: start_bare(&runtime, &mut servers, body), ours }
    });

    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    for pair in &pairs {
        let mut group = criterion.benchmark_group(format!("scrape, {}", pair.encoding));
        for (name, address) in [("bare", pair.bare), ("exporter", pair.ours)] {
            let mut scraper = Scraper::connect(address, "/metrics", pair.encoding);
            group.bench_function(name, |bencher| bencher.iter(|| scraper.get().len()));
        }
        group.finish();
    }
    criterion.final_summary();
    if !std::env::args().any(|argument| argument == "--test") {
        let mut table = Table::of("2-scrape");
        for pair in &pairs {
            for connections in [1, 4] {
                pair.compare(connections, &mut table);
            }
        }
    }
}

/// Two servers of the same bytes.
struct Pair {
    encoding: &'static str,
    bare: SocketAddr,
    ours: SocketAddr,
}

impl Pair {
    /// Alternates between the servers, so that what else the machine does meets both, and takes the median of the rounds'
    /// ratios, so that what it does at once does not count.
    fn compare(&self, connections: usize, table: &mut Table) {
        let (mut rates, mut p99s) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let [bare, ours] = [self.bare, self.ours].map(|address| {
                let mut times = self.load(connections, address);
                (times.len() as f64 / ROUND.as_secs_f64(), percentile(&mut times, 99))
            });
            println!(
                "{}, {connections} connections: bare {:.0}/s, p99 {:.2} ms; exporter {:.0}/s, p99 {:.2} ms",
                self.encoding, bare.0, bare.1, ours.0, ours.1
            );
            rates.push(ours.0 / bare.0);
            p99s.push(ours.1 / bare.1);
        }
        let what = format!("scrape of 100,000 unchanged series, {}, {connections} connections", self.encoding);
        table.row(&format!("{what}: requests/s by bare hyper's"), median(&mut rates), "", 0.9..);
        table.row(&format!("{what}: p99 by bare hyper's"), median(&mut p99s), "", ..=1.5);
    }

    /// How long each scrape took of this many connections that scrape all the time for a round.
    fn load(&self, connections: usize, address: SocketAddr) -> Vec<Duration> {
        let encoding = self.encoding;
        let scrapers: Vec<_> = (0..connections)
            .map(|_| {
                thread::spawn(move || {
                    let mut scraper = Scraper::connect(address, "/metrics", encoding);
                    // Under a load that lasts, there would be a text from the second before.
                    scraper.get();
                    let end: Instant = monotonic() + ROUND;
                    let mut times = Vec::new();
                    while monotonic() < end {
                        let start = monotonic();
                        scraper.get();
                        times.push(start.elapsed());
                    }
                    times
                })
            })
            .collect();
        scrapers.into_iter().flat_map(|scraper| scraper.join().unwrap()).collect()
    }
}

fn median(ratios: &mut [f64]) -> f64 {
    ratios.sort_unstable_by(f64::total_cmp);
    ratios[ratios.len() / 2]
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
    let settings = Settings {
        base: Base::default(),
        telemetry_path: TelemetryPath::default(),
        lifecycle: false,
        limits: Limits::default(),
    };
    let exporter = Arc::new(Filled { view: filled::view(100_000, Clock::system().now()) });
    let serving = http::serve(listeners, exporter, settings, Clock::system(), future::pending());
    servers.spawn_on(async { serving.await.unwrap() }, runtime.handle());
    address
}

/// Data that never changes.
struct Filled {
    view: View,
}

impl Metrics for Filled {
    fn version(&self) -> u64 {
        0
    }

    fn render(&self, format: Format, _scope: Scope, now: Timestamp) -> Rendering {
        exposition::render(&self.view, format, now)
    }

    fn render_in_pieces(
        &self,
        format: Format,
        _scope: Scope,
        now: Timestamp,
        sink: &mut dyn FnMut(&[u8]),
    ) -> Option<Timestamp> {
        exposition::render_in_pieces(&self.view, format, now, sink)
    }
}

impl Backend for Filled {
    fn render_property(&self, _property: PropertyId, _format: Format, _now: Timestamp) -> Option<Rendering> {
        None
    }

    fn status_page(&self, _selection: &Selection, _telemetry_path: &TelemetryPath, _now: Timestamp) -> String {
        String::new()
    }

    fn targets(&self, _scheme: Option<&str>, _prefix: &str, _now: Timestamp) -> Option<String> {
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

    fn observer(&self) -> Arc<dyn WebObserver> {
        Arc::new(Unobserved)
    }
}

/// How long each server is under load before it is the other's turn.
const ROUND: Duration = Duration::from_secs(2);

const ROUNDS: usize = 9;
