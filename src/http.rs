//! The server: sockets, limits, routes, and the cache of what a scrape is answered with.
//!
//! Knows the rest of the exporter only through the traits [`Backend`] and [`Metrics`]. Refuses to know Google, the
//! configuration file and what a metric is. Invariant: a request waits only for a rendering of what is in memory, or
//! for the reload that it requests; each wait, buffer and number of connections has a limit in [`Limits`].
//!
//! In reading order: [`bind`] opens the sockets, `listener` accepts connections, `connection` speaks HTTP under the
//! `deadlines`, `routes` parses requests below the prefix of `base`, and `answers` responds, with the help of
//! `negotiate` (format and encoding), `origin` (host and site of a request), `rendering` (the cache) and `freshness`
//! (how long a rendering may be served). All clients share `places`, `budget` and `workers`.

use std::{io, net, pin::Pin, sync::Arc};

use jiff::Timestamp;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use ga4_exporter_core::names::{Handler, PropertyId, RefusedReason};

use crate::{clock::Clock, status::Selection, workers::Workers};

use budget::Budget;
use places::Places;
use rendering::Renderings;
use target_list::TargetList;

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

/// What is scraped: the metrics in memory, and whether they have changed.
pub trait Metrics: Send + Sync + 'static {
    /// Returns a number that increases after every change of what is rendered, so that a reader of the new number renders the
    /// new text.
    fn version(&self) -> u64;

    /// Renders the metrics. Called on a thread where it may block; never concurrently for the same format and scope.
    fn render(&self, format: Format, scope: Scope, now: Timestamp) -> Rendering;

    /// Does the same piece by piece, for a text that is not needed whole. Returns [`Rendering::valid_until`].
    fn render_in_pieces(
        &self,
        format: Format,
        scope: Scope,
        now: Timestamp,
        sink: &mut dyn FnMut(&[u8]),
    ) -> Option<Timestamp> {
        let Rendering { text, valid_until } = self.render(format, scope, now);
        sink(&text);
        valid_until
    }
}

/// What the server needs from the rest. Everything except [`reload`](Self::reload) must return at once, from memory.
pub trait Backend: Metrics {
    /// Renders the metrics of one property; `None` if it is not exported.
    fn render_property(&self, property: PropertyId, format: Format, now: Timestamp) -> Option<Rendering>;

    /// Renders the status page. Called on a thread where it may block.
    fn status_page(&self, selection: &Selection, telemetry_path: &TelemetryPath, now: Timestamp) -> String;

    /// Returns the labels of the properties as targets below this prefix, a JSON object per line; `None` until they are known.
    /// Called on a thread where it may block.
    fn targets(&self, scheme: Option<&str>, prefix: &str, now: Timestamp) -> Option<String>;

    /// Whether `/-/ready` is answered with 200.
    fn readiness(&self, now: Timestamp) -> Readiness;

    /// Reads the configuration again. The error is shown to the client as it is.
    ///
    /// The future is dropped when the client disconnects or after [`Limits::response`]: a reload that must not stop half-way
    /// runs in a task of its own, and the future waits for it.
    fn reload(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>>;

    /// Returns the configuration in use as YAML, without secrets.
    fn config_yaml(&self) -> String;

    /// Returns the observer of the server.
    fn observer(&self) -> Arc<dyn WebObserver>;
}

/// Observes what the server does with its clients, so that the server does not depend on metrics.
pub trait WebObserver: Send + Sync {
    /// A request was answered.
    fn answered(&self, handler: Handler, code: u16);

    /// A connection or a request was refused.
    fn refused(&self, reason: RefusedReason);

    /// The number of open connections changed.
    fn connections(&self, count: usize);

    /// The number of response bytes held in memory changed.
    fn bytes_in_flight(&self, bytes: u64);
}

/// Discards all events.
#[derive(Clone, Copy, Debug)]
pub struct Unobserved;

impl WebObserver for Unobserved {
    fn answered(&self, _: Handler, _: u16) {}

    fn refused(&self, _: RefusedReason) {}

    fn connections(&self, _: usize) {}

    fn bytes_in_flight(&self, _: u64) {}
}

/// The part of the metrics.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Scope {
    /// All.
    All,
    /// Only those on the exporter itself.
    Exporter,
}

/// Whether a scrape already has useful data.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Readiness {
    /// Yes.
    Ready,
    /// Not yet.
    NotReady {
        /// What is missing, as text.
        reason: String,
    },
}

/// Settings that are fixed at the start.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The prefix of all paths, and the external URL.
    pub base: Base,
    /// The path of the metrics, below that prefix.
    pub telemetry_path: TelemetryPath,
    /// Whether `/-/reload` is allowed.
    pub lifecycle: bool,
    /// The limits for clients.
    pub limits: Limits,
}

/// Serves until `shutdown` completes; then stops accepting at once and lets running responses end within [`Limits::drain`].
///
/// # Errors
/// The runtime cannot use a listener. Nothing else ends the server.
pub async fn serve(
    listeners: Vec<net::TcpListener>,
    exporter: Arc<dyn Backend>,
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

/// State that all connections share.
struct Site {
    exporter: Arc<dyn Backend>,
    observer: Arc<dyn WebObserver>,
    settings: Settings,
    clock: Clock,
    budget: Arc<Budget>,
    renderings: Renderings,
    targets: TargetList,
    /// Threads for everything but scrapes, so that many requests for pages do not delay scrapes.
    page_workers: Workers,
}

impl Site {
    fn new(exporter: Arc<dyn Backend>, settings: Settings, clock: Clock) -> Self {
        let observer = exporter.observer();
        let budget = Budget::new(settings.limits.memory, Arc::clone(&observer));
        let metrics: Arc<dyn Metrics> = Arc::clone(&exporter) as _;
        let renderings = Renderings::new(metrics, clock.clone(), &settings.limits, Arc::clone(&budget));
        let page_workers = Workers::start("pages", PAGE_THREADS);
        let targets = TargetList::default();
        Self { exporter, observer, settings, clock, budget, renderings, targets, page_workers }
    }
}

/// The number of threads for everything but scrapes, which have their own.
const PAGE_THREADS: usize = 2;
