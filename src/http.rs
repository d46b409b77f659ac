//! The server: sockets, limits, routes, and the cache of what a scrape is answered with.
//!
//! Knows the rest of the exporter through the traits [`Exporter`] and [`Metrics`] alone. Refuses to know Google, the configuration file
//! and what a metric is. Invariant: a request never waits for anything but a rendering of what is in memory, or for the
//! reload that it asked for; each wait, buffer and number of connections has a limit in [`Limits`].
//!
//! In reading order: [`bind`] opens the sockets of the addresses, `listener` accepts from them, `connection` speaks HTTP
//! under the `deadlines`, `routes` tells what is asked for, under the prefix of `base`, `answers` does it, with the help of `negotiate` (which
//! format), `origin` (who asks), `rendering` (the cache) and `freshness` (how long a text serves). `places`, `budget` and
//! `workers` are what all clients share.

use std::{io, net, pin::Pin, sync::Arc};

use jiff::Timestamp;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use ga4_exporter_core::names::{Handler, PropertyId, RefusedReason};

use crate::{clock::Clock, status::Selection};

use budget::Budget;
use places::Places;
use rendering::Renderings;
use target_list::TargetList;
use workers::Workers;

pub use address::{BindError, ListenAddress, ListenAddressError, bind};
pub use base::{Base, ExternalUrl, ExternalUrlError, RoutePrefix, RoutePrefixError};
pub use ga4_exporter_core::exposition::{Format, Rendering};
pub use limits::Limits;
pub use routes::{TelemetryPath, TelemetryPathError};

mod address;
mod answers;
mod base;
mod budget;
mod connection;
mod content;
mod deadlines;
mod freshness;
mod gzip;
mod limits;
mod listener;
mod negotiate;
mod origin;
mod places;
mod rendering;
mod routes;
mod target_list;
mod workers;

/// What is scraped: the metrics in memory, and whether they have changed.
pub trait Metrics: Send + Sync + 'static {
    /// Counts up whenever anything that is rendered has changed; after the change, so that who reads the new number
    /// renders the new text.
    fn version(&self) -> u64;

    /// The metrics as text. Called on a thread where it may take its time; never twice at once for the same format and
    /// scope.
    fn render(&self, format: Format, scope: Scope, now: Timestamp) -> Rendering;
}

/// What the server needs of the rest. Everything but [`reload`](Self::reload) must answer at once, from memory.
pub trait Exporter: Metrics {
    /// The metrics of one property; `None` where it is not known.
    fn render_property(&self, property: PropertyId, format: Format, now: Timestamp) -> Option<Rendering>;

    /// The page for people. Called on a thread where it may take its time.
    fn status_page(&self, selection: &Selection, telemetry_path: &TelemetryPath, now: Timestamp) -> String;

    /// The labels of the properties as targets below this prefix, a JSON object on each line; `None` until they are known.
    /// Called on a thread where it may take its time.
    fn targets(&self, scheme: Option<&str>, prefix: &str, now: Timestamp) -> Option<String>;

    /// Whether `/-/ready` is answered with 200.
    fn readiness(&self, now: Timestamp) -> Readiness;

    /// Reads the configuration again. The error is shown to the client as it is.
    ///
    /// The future is dropped when the client goes away or [`Limits::response`] has passed: a reload that must not stop
    /// half-way belongs to a task, and the future waits for its answer.
    fn reload(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>>;

    /// The configuration as it is used, as YAML, without secrets.
    fn config_yaml(&self) -> String;

    /// Who counts what the server does.
    fn observer(&self) -> Arc<dyn WebObserver>;
}

/// Is told what the server does with its clients, so that it need not know metrics.
pub trait WebObserver: Send + Sync {
    /// A request got its answer.
    fn answered(&self, handler: Handler, code: u16);

    /// A connection or a request was refused.
    fn refused(&self, reason: RefusedReason);

    /// So many connections are open now.
    fn connections(&self, count: usize);

    /// So many bytes of text are kept for clients now.
    fn bytes_in_flight(&self, bytes: u64);
}

/// Counts nothing.
#[derive(Clone, Copy, Debug)]
pub struct Unobserved;

impl WebObserver for Unobserved {
    fn answered(&self, _: Handler, _: u16) {}

    fn refused(&self, _: RefusedReason) {}

    fn connections(&self, _: usize) {}

    fn bytes_in_flight(&self, _: u64) {}
}

/// Which of the metrics.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Scope {
    /// All.
    All,
    /// Those of the exporter itself, without the properties' series.
    Exporter,
}

/// Whether the exporter can be scraped with profit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Readiness {
    /// It can.
    Ready,
    /// Not yet.
    NotReady {
        /// What is missing, in words.
        reason: String,
    },
}

/// What is fixed at the start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where all paths begin, and how others see them.
    pub base: Base,
    /// Where the metrics are, below that.
    pub telemetry_path: TelemetryPath,
    /// Whether `/-/reload` is allowed.
    pub lifecycle: bool,
    /// What clients may take.
    pub limits: Limits,
}

/// Serves until `shutdown` is done; then stops accepting at once and gives running responses [`Limits::drain`] to end.
///
/// # Errors
/// A listener that the runtime cannot watch. Nothing else ends it.
pub async fn serve(
    listeners: Vec<net::TcpListener>,
    exporter: Arc<dyn Exporter>,
    settings: Settings,
    clock: Clock,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let listeners = listeners.into_iter().map(TcpListener::from_std).collect::<io::Result<Vec<_>>>()?;
    let places = Places::new(&settings.limits, exporter.observer());
    let site = Arc::new(Site::new(exporter, settings, clock));
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    for listener in listeners {
        tasks.spawn(listener::listen(listener, Arc::clone(&site), Arc::clone(&places), stopped.clone()));
    }
    tokio::select! {
        () = shutdown => {}
        () = site.renderings.keep_tidy() => {}
        Some(ended) = tasks.join_next() => listener::resume_panic(ended),
    }
    stop.send_replace(true);
    while let Some(ended) = tasks.join_next().await {
        listener::resume_panic(ended);
    }
    Ok(())
}

/// What answering takes; shared by all connections.
struct Site {
    exporter: Arc<dyn Exporter>,
    observer: Arc<dyn WebObserver>,
    settings: Settings,
    clock: Clock,
    budget: Arc<Budget>,
    renderings: Renderings,
    targets: TargetList,
    /// For all that is no scrape: a rush on pages is not to hold up scrapes.
    page_workers: Workers,
}

impl Site {
    fn new(exporter: Arc<dyn Exporter>, settings: Settings, clock: Clock) -> Self {
        let observer = exporter.observer();
        let budget = Budget::new(settings.limits.memory, Arc::clone(&observer));
        let metrics: Arc<dyn Metrics> = Arc::clone(&exporter) as _;
        let renderings = Renderings::new(metrics, clock.clone(), &settings.limits, Arc::clone(&budget));
        let page_workers = Workers::start("pages", PAGE_THREADS);
        let targets = TargetList::default();
        Self { exporter, observer, settings, clock, budget, renderings, targets, page_workers }
    }
}

/// Threads for everything but scrapes, which have their own.
const PAGE_THREADS: usize = 2;
