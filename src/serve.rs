//! Wires the exporter: turns options into running tasks.

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
    reload::{ConfigSource, Reloader, Reloads, Targets},
    self_metrics::SelfMetrics,
    storage::{self, Saver, Storage},
    telemetry::Lines,
    transport::{self, Deadlines, Roots, Transport},
    troubles::Troubles,
    witness::Witness,
};

/// Settings that are fixed at the start.
#[derive(Debug)]
pub struct Options {
    /// The configuration, as read from `source`.
    pub config: Config,
    /// The source of the configuration when it is reloaded.
    pub source: ConfigSource,
    /// The base URLs of Google's APIs.
    pub endpoints: Endpoints,
    /// The shard of the properties that this process exports.
    pub shard: Shard,
    /// The addresses or sockets to listen on.
    pub listen: Listen,
    /// The path prefix of all endpoints and the external URL.
    pub base: Base,
    /// The path of the metrics, below the prefix.
    pub telemetry_path: TelemetryPath,
    /// Whether POST /-/reload is allowed.
    pub lifecycle: bool,
    /// The limits on the server's clients.
    pub limits: Limits,
    /// The environment in which credentials are looked up.
    pub environment: Environment,
    /// The certificate authorities that TLS trusts.
    pub roots: Roots,
    /// The timeouts of requests to Google.
    pub deadlines: Deadlines,
    /// The directory for state that survives a restart.
    pub storage: Option<PathBuf>,
    /// The highest number of open connections to Google, whatever the plan is.
    pub connections: usize,
    /// The log, as the source of the number of dropped lines.
    pub log: Lines,
    /// The source of the time.
    pub clock: Clock,
}

/// What to listen on.
#[derive(Debug)]
pub enum Listen {
    /// Binds these addresses.
    On(Vec<ListenAddress>),
    /// Uses sockets that are already open.
    Inherited(Vec<TcpListener>),
}

/// Why the exporter cannot start, or did not end cleanly.
#[derive(Debug, ThisError)]
pub enum ServeError {
    /// Choose another address.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// Fix the system's certificates.
    #[error(transparent)]
    Transport(#[from] transport::TransportError),
    /// Wait for the disk that holds the system's certificates.
    #[error("cannot read the system's certificates")]
    Trust(#[source] Hangs),
    /// Configure usable credentials.
    #[error(transparent)]
    Credentials(#[from] credentials::CredentialsError),
    /// Use another directory.
    #[error(transparent)]
    Storage(#[from] storage::StorageError),
    /// The names of the exporter's own metrics clash, which is a bug.
    #[error("the exporter's own metrics cannot be set up")]
    Metrics(#[from] prometheus::Error),
    /// The runtime cannot watch a socket.
    #[error("the server cannot be started")]
    Server(#[source] io::Error),
    /// The exporter has ended, but some state may not be saved.
    #[error("failed to save all states before the deadline; the next start lacks the last minutes")]
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

/// Sets up the connections to Google, on a thread of its own: the system's certificates may be on a disk that hangs.
///
/// # Errors
/// There are no certificates, or their disk hangs.
pub async fn transport(roots: Roots, deadlines: Deadlines, aside: &Aside) -> Result<Transport, ServeError> {
    Ok(aside.run(READ_DEADLINE, move || Transport::new(roots, deadlines)).await.map_err(ServeError::Trust)??)
}

/// Finds credentials, binds the sockets and starts polling. Returns without waiting for Google, except for the
/// metadata server if no other credentials are found.
///
/// # Errors
/// An address cannot be bound, or certificates, credentials or the storage directory cannot be used.
pub async fn start(options: Options) -> Result<Server, ServeError> {
    let witness = Witness::new(options.clock.clone());
    let aside = Aside::start("start");
    let transport = transport(options.roots, options.deadlines, &aside).await?.witnessed_by(witness.clone());
    let named = options.source.credentials_file(&options.config);
    let credentials = Credentials::find(named.as_deref(), &options.environment, &transport, &aside).await?;
    let listeners = match options.listen {
        Listen::On(addresses) => http::bind(&addresses)?,
        Listen::Inherited(listeners) => listeners,
    };
    // Opened last, so that a failed start changes nothing on disk.
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
    /// Returns the addresses that the server listens on.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().filter_map(|listener| listener.local_addr().ok()).collect()
    }

    /// Returns the handle that requests reloads.
    pub fn reloads(&self) -> Reloads {
        self.reloads.clone()
    }

    /// Returns the handle that checks whether the poller still runs.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Serves until `shutdown` completes and the responses in progress have ended; then stops all tasks.
    ///
    /// # Errors
    /// The runtime cannot watch a socket, or the disk hangs when state is saved at the end.
    pub async fn run(mut self, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
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
                    return result.map_err(ServeError::Server);
                }
                // State is saved while the responses in progress end, so that slow clients do not delay it.
                _ = &mut stopping => {
                    self.tasks.shutdown().await;
                    let (result, saved) = tokio::join!(server, save_all(self.saver, &self.clock));
                    return result.map_err(ServeError::Server).and(saved);
                }
                // The tasks never end by themselves. In a release build a panic has already ended the process.
                Some(ended) = self.tasks.join_next() => {
                    if let Err(error) = ended && error.is_panic() {
                        std::panic::resume_unwind(error.into_panic());
                    }
                }
            }
        }
    }
}

/// Saves all state, with a deadline, so that a hanging disk cannot keep the process from ending.
async fn save_all(saver: Option<Saver<Kept>>, clock: &Clock) -> Result<(), ServeError> {
    let Some(saver) = saver else { return Ok(()) };
    if saver.close(clock.now(), LONGEST_SAVING).await { Ok(()) } else { Err(ServeError::CutOff) }
}

/// Deadline for saving all state at the end. The process ends at most one second later.
const LONGEST_SAVING: Duration = Duration::from_secs(9);
