//! Reloads the configuration while the exporter runs.
//!
//! One task handles SIGHUP and POST /-/reload, so reloads cannot overlap. Invariant: an invalid file changes nothing,
//! and neither does an unchanged one.

use std::{path::PathBuf, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{debug, error, info, warn};

use ga4_exporter_core::{chain::Chain, names::PropertyId};

use crate::{
    auth::{
        credentials::{Credentials, Environment},
        refresher::Replacements,
    },
    clock::Clock,
    config::{Config, Errors, Loaded},
    discover::NewConfig,
    files::{Aside, READ_DEADLINE},
    self_metrics::SelfMetrics,
    transport::Transport,
};

/// The source of the configuration.
#[derive(Clone, Debug, Default)]
pub struct ConfigSource {
    /// The configuration file; without it, every setting has its default.
    pub file: Option<PathBuf>,
    /// The properties given on the command line, which replace those of the file.
    pub properties: Vec<PropertyId>,
    /// The credential file given on the command line, which replaces that of the file.
    pub credentials_file: Option<PathBuf>,
}

/// The outcome of a successful reload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Outcome {
    /// A new configuration is in use.
    Changed,
    /// The files have not changed.
    Unchanged,
}

/// Requests a reload; cheap to clone.
#[derive(Clone, Debug)]
pub struct Reloads(mpsc::Sender<oneshot::Sender<Result<(), String>>>);

/// Reads the configuration on request; [`Reloader::run`] is the task.
pub struct Reloader {
    source: ConfigSource,
    environment: Environment,
    transport: Transport,
    clock: Clock,
    metrics: Arc<SelfMetrics>,
    present: watch::Sender<Arc<Config>>,
    configs: mpsc::Sender<NewConfig>,
    credentials: Replacements,
    requests: mpsc::Receiver<oneshot::Sender<Result<(), String>>>,
    aside: Aside,
    failure_lines: LogLimiter,
    /// Whether the last reload failed.
    has_failed: bool,
}

/// The receivers of a reloaded configuration.
pub struct Targets {
    /// Receives the configuration for `/config`.
    pub present: watch::Sender<Arc<Config>>,
    /// Receives the configuration for the discoverer, which makes the plan from it.
    pub configs: mpsc::Sender<NewConfig>,
    /// Receives new credentials for the sign-in.
    pub credentials: Replacements,
}

impl ConfigSource {
    /// Reads the configuration.
    ///
    /// # Errors
    /// All mistakes in the file.
    pub fn load(&self) -> Result<Loaded, Errors> {
        match &self.file {
            Some(file) => Config::from_file_with(file, &self.properties),
            None => {
                let config = Config::default();
                let properties = self.properties.iter().copied();
                let config = if self.properties.is_empty() { config } else { config.with_properties(properties) };
                Ok(Loaded { config, warnings: Vec::new() })
            }
        }
    }

    /// Reads the configuration on a separate thread, because the disk may hang.
    ///
    /// # Errors
    /// All mistakes in the file, or the file cannot be read in time.
    pub async fn load_aside(&self, aside: &Aside) -> Result<Loaded, Errors> {
        let source = self.clone();
        let loaded = aside.run(READ_DEADLINE, move || source.load()).await;
        loaded.unwrap_or_else(|hangs| {
            let path = self.file.clone().unwrap_or_default();
            Err(Errors::Unreadable { path, source: hangs.into() })
        })
    }

    /// Returns the credential file that the command line or the configuration names.
    pub fn credentials_file(&self, config: &Config) -> Option<PathBuf> {
        self.credentials_file.clone().or_else(|| config.google.credentials_file.clone())
    }
}

impl Reloads {
    /// Reads the configuration again and waits until it is in use.
    ///
    /// # Errors
    /// The mistakes as text; the old configuration stays in use.
    pub async fn reload(&self) -> Result<(), String> {
        let (answer, result) = oneshot::channel();
        let stopping = || "the exporter is stopping".to_owned();
        self.0.send(answer).await.map_err(|_| stopping())?;
        result.await.map_err(|_| stopping())?
    }
}

impl Reloader {
    /// Creates a reloader, and the sender for its requests.
    pub fn new(
        source: ConfigSource,
        environment: Environment,
        transport: Transport,
        clock: Clock,
        metrics: Arc<SelfMetrics>,
        targets: Targets,
    ) -> (Self, Reloads) {
        let (sender, requests) = mpsc::channel(1);
        let Targets { present, configs, credentials } = targets;
        let aside = Aside::start("reload");
        let reloader = Self {
            source,
            environment,
            transport,
            clock,
            metrics,
            present,
            configs,
            credentials,
            requests,
            aside,
            failure_lines: LogLimiter::default(),
            has_failed: false,
        };
        (reloader, Reloads(sender))
    }

    /// Reloads on request until the future is dropped.
    pub async fn run(mut self) {
        while let Some(answer) = self.requests.recv().await {
            let result = self.reload().await;
            self.metrics.reloaded(result.is_ok(), self.clock.now());
            match &result {
                Ok(Outcome::Changed) => info!("configuration reloaded"),
                Ok(Outcome::Unchanged) if self.has_failed => {
                    info!("configuration reloaded; it can be used again, and is the one in use");
                }
                // Frequent reload requests must not fill the log.
                Ok(Outcome::Unchanged) => debug!("configuration reloaded, unchanged"),
                Err(error) => match self.failure_lines.next(self.clock.now()) {
                    Some(suppressed) => {
                        let suppressed = Some(suppressed).filter(|count| *count > 0);
                        error!(error, suppressed, "cannot use the new configuration; the previous one stays in use");
                    }
                    None => debug!(error, "cannot use the new configuration; the previous one stays in use"),
                },
            }
            self.has_failed = result.is_err();
            // The receiver may be gone.
            let _ = answer.send(result.map(drop));
        }
    }

    async fn reload(&self) -> Result<Outcome, String> {
        let loaded = self.source.load_aside(&self.aside).await.map_err(|errors| Chain(&errors).to_string())?;
        if **self.present.borrow() == loaded.config {
            return Ok(Outcome::Unchanged); // changed key files are noticed without a reload
        }
        let credentials = self.changed_credentials(&loaded.config).await?;
        for warning in loaded.warnings_at(self.clock.now()) {
            warn!("{warning}");
        }
        let config = loaded.config;
        if let Some(credentials) = credentials {
            self.credentials.send(credentials).await;
        }
        self.metrics.set_discovers(config.discovery.is_some());
        self.present.send_replace(Arc::new(config.clone()));
        let stopping = || "the exporter is stopping".to_owned();
        let (applied, is_applied) = oneshot::channel();
        self.configs.send((config, applied)).await.map_err(|_| stopping())?;
        is_applied.await.map_err(|_| stopping())?;
        Ok(Outcome::Changed)
    }

    /// Returns new credentials if the configuration names another file than before.
    async fn changed_credentials(&self, config: &Config) -> Result<Option<Credentials>, String> {
        let before = self.source.credentials_file(&self.present.borrow());
        let named = self.source.credentials_file(config);
        if before == named {
            return Ok(None);
        }
        let found = Credentials::find(named.as_deref(), &self.environment, &self.transport, &self.aside).await;
        found.map(Some).map_err(|error| Chain(&error).to_string())
    }
}

/// Limits log lines, so that repeated reloads of an invalid file do not fill the log.
#[derive(Debug, Default)]
struct LogLimiter {
    /// When the current minute started.
    begun: Option<Timestamp>,
    logged: u32,
    unlogged: u64,
}

impl LogLimiter {
    /// Returns whether to log a line, and if so how many were suppressed since the last one.
    fn next(&mut self, now: Timestamp) -> Option<u64> {
        let is_over = |begun: Timestamp| now.duration_since(begun).unsigned_abs() >= LINES_PAUSE;
        if self.begun.is_none_or(is_over) {
            self.begun = Some(now);
            self.logged = 0;
        }
        if self.logged == MOST_LINES {
            self.unlogged += 1;
            return None;
        }
        self.logged += 1;
        Some(std::mem::take(&mut self.unlogged))
    }
}

/// Lines on failed reloads per [`LINES_PAUSE`]: enough for correcting a file and checking the log each time.
const MOST_LINES: u32 = 5;

const LINES_PAUSE: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn failures_are_logged_five_times_a_minute() {
        let mut lines = LogLimiter::default();
        let mut next = |seconds| lines.next(Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds));
        assert_eq!([0, 1, 1, 2, 59].map(&mut next), [Some(0); 5]);
        assert_eq!([59, 59].map(&mut next), [None; 2]);
        assert_eq!([60, 61].map(&mut next), [Some(2), Some(0)]);
        // The clock was set back.
        assert_eq!([-60, -60].map(&mut next), [Some(0); 2]);
    }
}
