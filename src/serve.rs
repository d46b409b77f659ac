//! The wiring: from options to running tasks.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use thiserror::Error as ThisError;
use tokio::{
    sync::{oneshot, watch},
    task::JoinSet,
};

use ga4_exporter_core::{shard::Shard, store::Store};

use crate::{
    auth::{
        credentials::{self, Credentials, Environment},
        refresher::Refresher,
    },
    build::BUILD,
    clock::Clock,
    config::Config,
    discover::Discoverer,
    exporter::{Exporter, Sources},
    files::{Aside, Hangs, READ_DEADLINE},
    ga::{Client, Endpoints},
    http::{self, Base, BindError, Limits, ListenAddress, Settings, TelemetryPath},
    observer::Observer,
    poll::{Kept, Poller, Pulse},
    reload::{Reloader, Reloads, Source, Targets},
    self_metrics::SelfMetrics,
    storage::{self, Saver, Storage},
    telemetry::Lines,
    transport::{self, Deadlines, Roots, Transport},
    troubles::Troubles,
    witness::Witness,
};

/// Everything that is fixed at the start.
#[derive(Debug)]
pub struct Options {
    /// The configuration, as read from `source`.
    pub config: Config,
    /// Where it is read again.
    pub source: Source,
    /// Where Google's APIs are.
    pub endpoints: Endpoints,
    /// Which shard of the properties is this process'.
    pub shard: Shard,
    /// Where to listen.
    pub listen: Listen,
    /// Where all paths begin, and how others see them.
    pub base: Base,
    /// Where the metrics are, below that.
    pub telemetry_path: TelemetryPath,
    /// Whether POST /-/reload is allowed.
    pub lifecycle: bool,
    /// What clients of the server may take.
    pub limits: Limits,
    /// The environment that credentials are looked for in.
    pub environment: Environment,
    /// Whom TLS trusts.
    pub roots: Roots,
    /// How long requests to Google may take.
    pub deadlines: Deadlines,
    /// Where it is kept what a restart should not forget.
    pub storage: Option<PathBuf>,
    /// How many connections to Google may be open at most, whatever is planned.
    pub connections: usize,
    /// The log, for the number of lines that it lost.
    pub log: Lines,
    /// The time.
    pub clock: Clock,
}

/// Where to listen.
#[derive(Debug)]
pub enum Listen {
    /// On these addresses.
    On(Vec<ListenAddress>),
    /// On sockets that are open already.
    Inherited(Vec<TcpListener>),
}

/// Why it cannot start.
#[derive(Debug, ThisError)]
pub enum Error {
    /// Choose another address.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Mend the system's certificates.
    #[error(transparent)]
    Transport(#[from] transport::Error),
    /// Wait for the disk that the system's certificates are on.
    #[error("cannot read the system's certificates")]
    Trust(#[source] Hangs),
    /// Name usable credentials.
    #[error(transparent)]
    Credentials(#[from] credentials::Error),
    /// Name another directory.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The names of the exporter's own metrics clash: a mistake in the program.
    #[error("the exporter's own metrics cannot be set up")]
    Metrics(#[from] prometheus::Error),
    /// The runtime cannot watch a socket.
    #[error("the server cannot be started")]
    Server(#[source] io::Error),
    /// It has ended, but not everything is kept.
    #[error("states were not saved in time; the next start does not know the last minutes")]
    CutOff,
}

/// A started exporter.
pub struct Server {
    listeners: Vec<TcpListener>,
    exporter: Arc<Exporter>,
    settings: Settings,
    clock: Clock,
    tasks: JoinSet<()>,
    reloads: Reloads,
    pulse: Pulse,
    saver: Option<Saver<Kept>>,
}

/// Finds credentials, binds and starts polling. Returns without waiting for Google, unless the only credentials left are the
/// metadata server's.
///
/// # Errors
/// What cannot be had: an address, certificates, credentials.
pub async fn start(options: Options) -> Result<Server, Error> {
    let witness = Witness::new(options.clock.clone());
    let aside = Aside::start("start");
    let (roots, deadlines) = (options.roots, options.deadlines);
    let transport =
        aside.run(READ_DEADLINE, move || Transport::new(roots, deadlines)).await.map_err(Error::Trust)??;
    let transport = transport.witnessed_by(witness.clone());
    let named = options.source.credentials_file(&options.config);
    let credentials = Credentials::find(named.as_deref(), &options.environment, &transport, &aside).await?;
    let listeners = match options.listen {
        Listen::On(addresses) => http::bind(&addresses)?,
        Listen::Inherited(listeners) => listeners,
    };
    // Last, so that a start that fails leaves everything as it was.
    let saver = match options.storage {
        Some(directory) => Some(Saver::new(Arc::new(Storage::open_in_time(&directory).await?))),
        None => None,
    };
    let clock = options.clock;
    let metrics = Arc::new(SelfMetrics::new(BUILD, options.shard, clock.now())?);
    metrics.reloaded(true, clock.now());
    metrics.set_discovers(options.config.discovery.is_some());

    let observer: Arc<dyn Observer> = Arc::clone(&metrics) as _;
    let (refresher, tokens, replacements) =
        Refresher::new(credentials, transport.clone(), Arc::clone(&observer), clock.clone());
    let client = Client::new(transport.clone(), tokens.clone(), Arc::clone(&observer), options.endpoints);
    let (discoverer, plan, configs) =
        Discoverer::new(client.clone(), tokens.clone(), observer, clock.clone(), options.config.clone(), options.shard);
    let troubles = Troubles::new(tokens.clone(), discoverer.listing_failure());
    let store = Arc::new(Store::default());
    let mut poller = Poller::new(
        client,
        tokens,
        plan.clone(),
        Arc::clone(&store),
        saver.clone(),
        Arc::clone(&metrics) as _,
        witness.clone(),
    );
    poller.set_connections(options.connections);
    let pulse = poller.pulse();

    let (present, config) = watch::channel(Arc::new(options.config));
    let targets = Targets { present, configs, credentials: replacements };
    let (reloader, reloads) =
        Reloader::new(options.source, options.environment, transport, clock.clone(), Arc::clone(&metrics), targets);
    let sources =
        Sources { store, metrics, plan, config, reloads: reloads.clone(), log: options.log, witness, troubles };
    let exporter = Arc::new(Exporter::new(sources));

    if let Some(saver) = &saver {
        saver.storage().begin();
    }
    let mut tasks = JoinSet::new();
    tasks.spawn(refresher.run());
    tasks.spawn(discoverer.run());
    tasks.spawn(poller.run());
    tasks.spawn(reloader.run());
    if let Some(saver) = saver.clone() {
        tasks.spawn(saver.run(clock.clone()));
    }
    let settings = Settings {
        base: options.base,
        telemetry_path: options.telemetry_path,
        lifecycle: options.lifecycle,
        limits: options.limits,
    };
    Ok(Server { listeners, exporter, settings, clock, tasks, reloads, pulse, saver })
}

impl Server {
    /// The addresses that it listens on.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// Where a reload is asked for.
    pub fn reloads(&self) -> Reloads {
        self.reloads.clone()
    }

    /// Where it is asked whether the poller still polls.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Serves until `shutdown` is done and the responses under way have ended; then everything is stopped.
    ///
    /// # Errors
    /// The runtime cannot watch a socket, or the disk hangs at the end.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        let (stop, mut stopping) = oneshot::channel::<()>();
        let shutdown = async move {
            shutdown.await;
            drop(stop);
        };
        let server = http::serve(self.listeners, self.exporter, self.settings, self.clock.clone(), shutdown);
        tokio::pin!(server);
        loop {
            tokio::select! {
                result = &mut server => {
                    self.tasks.shutdown().await;
                    save_all(self.saver, &self.clock).await?;
                    return result.map_err(Error::Server);
                }
                // Saved while the responses under way end: slow clients cost the disk no time.
                _ = &mut stopping => {
                    self.tasks.shutdown().await;
                    let (result, saved) = tokio::join!(server, save_all(self.saver, &self.clock));
                    return result.map_err(Error::Server).and(saved);
                }
                // The tasks never end by themselves. In a release build a panic has ended the process already.
                Some(ended) = self.tasks.join_next() => {
                    if let Err(error) = ended && error.is_panic() {
                        std::panic::resume_unwind(error.into_panic());
                    }
                }
            }
        }
    }
}

/// A disk that hangs does not keep the process from ending.
async fn save_all(saver: Option<Saver<Kept>>, clock: &Clock) -> Result<(), Error> {
    let Some(saver) = saver else { return Ok(()) };
    if saver.close(clock.now(), LONGEST_SAVING).await { Ok(()) } else { Err(Error::CutOff) }
}

/// For all that is left to be saved at the end; the process ends a second later at the latest.
const LONGEST_SAVING: Duration = Duration::from_secs(9);
