//! Serves until a signal stops the process.

use std::net::TcpListener;

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    task::JoinSet,
};
use tracing::{debug, info, warn};

use ga4_exporter_core::shown::ShownPath;

use super::{CommandError, last_resort};
use crate::{
    auth::credentials::Environment,
    build::BUILD,
    cli::{AccessFlags, ServeFlags},
    clock::Clock,
    descriptors,
    files::Aside,
    ga::Endpoints,
    http::Limits,
    reload::{ConfigSource, Reloads},
    serve::{self, Listen, Options},
    systemd::{self, State},
    telemetry,
    transport::{Deadlines, Roots, is_exposed},
};

/// Serves as the flags and the configuration define, on the sockets that the process was started with, if there are any.
///
/// # Errors
/// Why the exporter cannot start.
pub async fn run(flags: ServeFlags, inherited: Option<Vec<TcpListener>>) -> Result<(), CommandError> {
    let log = telemetry::start(flags.log.level, flags.log.format);
    let AccessFlags { credentials_file, data_api_url, admin_api_url } = flags.google.access;
    let source = ConfigSource { file: flags.config_file, properties: flags.google.properties, credentials_file };
    announce(&source, "google_analytics_exporter");
    let loaded = source.load_aside(&Aside::start("configuration")).await?;
    for warning in loaded.warnings_at(Clock::system().now()) {
        warn!("{warning}");
    }
    let config = loaded.config;
    hide_memory();
    for url in [&data_api_url, &admin_api_url] {
        if is_exposed(url) {
            warn!(
                url = url.origin().ascii_serialization(),
                "the access token will be sent there in the clear; use https"
            );
        }
    }
    let options = Options {
        config,
        source,
        endpoints: Endpoints { data: data_api_url, admin: admin_api_url },
        shard: flags.shard.shard,
        listen: inherited.map_or(Listen::On(flags.web.listen_address), Listen::Inherited),
        base: flags.web.base.base(),
        telemetry_path: flags.web.telemetry_path,
        lifecycle: flags.web.enable_lifecycle,
        limits: Limits::default(),
        environment: Environment::of_process(),
        roots: Roots::System,
        deadlines: Deadlines::default(),
        storage: flags.storage.path,
        connections: descriptors::for_google(descriptors::raise_limit()),
        log: log.lines(),
        clock: Clock::system(),
    };
    serve_until_signal(options, |_| ()).await
}

/// Logs the first line: the version and the configuration file.
pub(super) fn announce(source: &ConfigSource, program: &str) {
    let config = source.file.as_deref().map_or_else(|| "none".to_owned(), |file| ShownPath(file).to_string());
    info!(version = BUILD.version, revision = BUILD.revision, config, "starting {program}");
}

/// Prevents core dumps, and access by other processes of the same user, from exposing the key and the tokens in memory.
fn hide_memory() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};

        if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            debug!(%error, "cannot disable core dumps");
        }
    }
}

/// Starts the exporter, calls `started` with the running server, and serves until SIGTERM or SIGINT.
///
/// # Errors
/// Why the exporter cannot start.
pub async fn serve_until_signal(options: Options, started: impl FnOnce(&serve::Server)) -> Result<(), CommandError> {
    let mut stop = StopSignals::new()?;
    last_resort::arm(options.log.clone()).map_err(CommandError::Signals)?;
    let hangup = signal(SignalKind::hangup()).map_err(CommandError::Signals)?;
    let path = format!("{}{}", options.base.prefix(), options.telemetry_path);
    let server = serve::start(options).await?;
    for address in server.addresses() {
        info!("listening on http://{address}{path}");
    }
    started(&server);
    systemd::announce(State::Ready);
    let mut tasks = JoinSet::new();
    tasks.spawn(systemd::keep_alive(server.pulse()));
    tasks.spawn(reload_on(hangup, server.reloads()));
    server.run(async move { stop.received().await }).await?;
    info!("stopped");
    Ok(())
}

/// The signals that end the process.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn new() -> Result<Self, CommandError> {
        let listen = |kind| signal(kind).map_err(CommandError::Signals);
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => info!("received SIGTERM, stopping"),
            _ = self.interrupt.recv() => info!("received SIGINT, stopping"),
        }
        systemd::announce(State::Stopping);
    }
}

async fn reload_on(mut hangup: Signal, reloads: Reloads) {
    while hangup.recv().await.is_some() {
        systemd::announce(State::Reloading);
        // The reloader logs the result.
        let _ = reloads.reload().await;
        systemd::announce(State::Ready);
    }
}
