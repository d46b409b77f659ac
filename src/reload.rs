//! Reading the configuration again while the exporter runs.
//!
//! One task does it, for SIGHUP and for POST /-/reload alike, so that two reloads cannot overtake each other. Invariant:
//! a file with a mistake changes nothing, and nor does one that says what is in use already.

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

/// Where the configuration comes from.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// The file; without it everything is at its default.
    pub file: Option<PathBuf>,
    /// The properties of the command line, instead of the file's.
    pub properties: Vec<PropertyId>,
    /// The credentials of the command line, instead of the file's.
    pub credentials_file: Option<PathBuf>,
}

/// What a reload with success came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Outcome {
    /// Another configuration is in use.
    Changed,
    /// The files say what they said before.
    Unchanged,
}

/// Asks for a reload; cheap to clone.
#[derive(Clone, Debug)]
pub struct Reloads(mpsc::Sender<oneshot::Sender<Result<(), String>>>);

/// Reads the configuration when it is asked to; [`Reloader::run`] is the task.
pub struct Reloader {
    source: Source,
    environment: Environment,
    transport: Transport,
    clock: Clock,
    metrics: Arc<SelfMetrics>,
    present: watch::Sender<Arc<Config>>,
    configs: mpsc::Sender<NewConfig>,
    credentials: Replacements,
    requests: mpsc::Receiver<oneshot::Sender<Result<(), String>>>,
    aside: Aside,
    complaints: FewLines,
}

/// Where a reloaded configuration goes.
pub struct Targets {
    /// To whoever shows it.
    pub present: watch::Sender<Arc<Config>>,
    /// To whoever plans by it.
    pub configs: mpsc::Sender<NewConfig>,
    /// To whoever signs in.
    pub credentials: Replacements,
}

impl Source {
    /// Reads it.
    ///
    /// # Errors
    /// Everything that is wrong in the file.
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

    /// The same on a thread of its own: the disk may hang.
    ///
    /// # Errors
    /// Everything that is wrong in the file; or it cannot be read in time.
    pub async fn load_aside(&self, aside: &Aside) -> Result<Loaded, Errors> {
        let source = self.clone();
        let loaded = aside.run(READ_DEADLINE, move || source.load()).await;
        loaded.unwrap_or_else(|hangs| {
            let path = self.file.clone().unwrap_or_default();
            Err(Errors::Unreadable { path, source: hangs.into() })
        })
    }

    /// The credential file that is named, on the command line or in the configuration.
    pub fn credentials_file(&self, config: &Config) -> Option<PathBuf> {
        self.credentials_file.clone().or_else(|| config.google.credentials_file.clone())
    }
}

impl Reloads {
    /// Reads the configuration again and waits until it is in use.
    ///
    /// # Errors
    /// What is wrong with it, in words; nothing has changed then.
    pub async fn reload(&self) -> Result<(), String> {
        let (answer, result) = oneshot::channel();
        let stopping = || "the exporter is stopping".to_owned();
        self.0.send(answer).await.map_err(|_| stopping())?;
        result.await.map_err(|_| stopping())?
    }
}

impl Reloader {
    /// A reloader, and where it is asked.
    pub fn new(
        source: Source,
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
            complaints: FewLines::default(),
        };
        (reloader, Reloads(sender))
    }

    /// Reloads until it is dropped.
    pub async fn run(mut self) {
        while let Some(answer) = self.requests.recv().await {
            let result = self.reload().await;
            self.metrics.reloaded(result.is_ok(), self.clock.now());
            match &result {
                Ok(Outcome::Changed) => info!("the configuration was read again"),
                // Whoever asks often is not to fill the log.
                Ok(Outcome::Unchanged) => debug!("the configuration was read again and is unchanged"),
                Err(error) => match self.complaints.next(self.clock.now()) {
                    Some(suppressed) => {
                        let suppressed = Some(suppressed).filter(|count| *count > 0);
                        error!(error, suppressed, "the configuration cannot be used; the one before stays in use");
                    }
                    None => debug!(error, "the configuration cannot be used; the one before stays in use"),
                },
            }
            // Whoever asked may have gone.
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
        let (taken, is_taken) = oneshot::channel();
        self.configs.send((config, taken)).await.map_err(|_| stopping())?;
        is_taken.await.map_err(|_| stopping())?;
        Ok(Outcome::Changed)
    }

    /// Other credentials, where the configuration names another file than before.
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

/// Counts lines, so that a file with a mistake that is read again and again does not fill the log.
#[derive(Debug, Default)]
struct FewLines {
    /// When the present minute began.
    begun: Option<Timestamp>,
    logged: u32,
    unlogged: u64,
}

impl FewLines {
    /// Whether a further line is logged; if so, how many were not since the one before.
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

/// Of reloads that fail, in [`LINES_PAUSE`]: enough for whoever corrects a file and looks into the log each time.
const MOST_LINES: u32 = 5;

const LINES_PAUSE: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn failures_are_logged_five_times_a_minute() {
        let mut lines = FewLines::default();
        let mut next = |seconds| lines.next(Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds));
        assert_eq!([0, 1, 1, 2, 59].map(&mut next), [Some(0); 5]);
        assert_eq!([59, 59].map(&mut next), [None; 2]);
        assert_eq!([60, 61].map(&mut next), [Some(2), Some(0)]);
        // The clock was set back.
        assert_eq!([-60, -60].map(&mut next), [Some(0); 2]);
    }
}
