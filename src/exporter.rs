//! What the HTTP server sees of the exporter: the store and the metrics, rendered; and whether it is ready.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::sync::watch;

use ga4_exporter_core::{
    exposition::{self, View},
    names::PropertyId,
    plan::Plan,
    store::Store,
};

use crate::{
    clock::monotonic,
    config::Config,
    http::{self, Format, Readiness, Rendering, Scope, TelemetryPath, WebObserver},
    reload::Reloads,
    self_metrics::SelfMetrics,
    status::{self, Selection},
    targets,
    telemetry::Lines,
    witness::Witness,
};

/// The exporter as the server sees it.
#[derive(Debug)]
pub struct Exporter {
    store: Arc<Store>,
    metrics: Arc<SelfMetrics>,
    plan: watch::Receiver<Arc<Plan>>,
    config: watch::Receiver<Arc<Config>>,
    reloads: Reloads,
    log: Lines,
    witness: Witness,
    started_at: Timestamp,
    /// The same for the time that has passed, whatever the clock says.
    started: Instant,
    /// Set once, and never taken back.
    ready: AtomicBool,
}

impl Exporter {
    /// The exporter, started now by the clock of the witness.
    pub fn new(
        store: Arc<Store>,
        metrics: Arc<SelfMetrics>,
        plan: watch::Receiver<Arc<Plan>>,
        config: watch::Receiver<Arc<Config>>,
        reloads: Reloads,
        log: Lines,
        witness: Witness,
    ) -> Self {
        let (started_at, started, ready) = (witness.clock().now(), monotonic(), AtomicBool::new(false));
        Self { store, metrics, plan, config, reloads, log, witness, started_at, started, ready }
    }

    fn age(&self, now: Timestamp) -> Duration {
        let age = Duration::try_from(now.duration_since(self.started_at)).unwrap_or_default();
        age.max(self.started.elapsed())
    }

    /// What is still missing before it is worth a scrape.
    fn missing(&self, now: Timestamp) -> Option<String> {
        if self.age(now) >= READY_AT_THE_LATEST {
            return None;
        }
        if !self.plan.borrow().is_complete {
            return Some("waiting for the first listing of the properties".to_owned());
        }
        let properties = self.store.properties();
        let reports = properties.iter().flat_map(|property| &property.reports);
        // What is usual may come later than what is.
        let waiting = reports.filter(|report| report.has_values && !report.has_outcome).count();
        (waiting > 0).then(|| format!("waiting for the first outcome of {waiting} reports"))
    }
}

impl http::Metrics for Exporter {
    fn version(&self) -> u64 {
        self.store.version()
    }

    fn render(&self, format: Format, scope: Scope, now: Timestamp) -> Rendering {
        {
            let plan = self.plan.borrow();
            self.metrics.set_properties(plan.properties.active.len(), plan.properties.elsewhere);
        }
        self.metrics.set_log_lines_dropped(self.log.dropped());
        if let Some(ahead) = self.witness.offset().ahead() {
            self.metrics.set_clock_offset(ahead);
        }
        let own = self.metrics.gather();
        let view = match scope {
            Scope::All => {
                let reports = self.plan.borrow().reports.clone();
                View { reports, properties: self.store.properties(), own }
            }
            Scope::Exporter => View { reports: Vec::new(), properties: Vec::new(), own },
        };
        exposition::render(&view, format, now)
    }
}

impl http::Exporter for Exporter {
    fn render_property(&self, property: PropertyId, format: Format, now: Timestamp) -> Option<Rendering> {
        let properties = vec![self.store.property(property)?];
        let reports = self.plan.borrow().reports.clone();
        Some(exposition::render(&View { reports, properties, own: Vec::new() }, format, now))
    }

    fn status_page(&self, selection: &Selection, telemetry_path: &TelemetryPath, now: Timestamp) -> String {
        let plan = Arc::clone(&self.plan.borrow());
        let view = status::View {
            properties: &self.store.properties(),
            is_complete: plan.is_complete,
            elsewhere: plan.properties.elsewhere,
            telemetry_path: telemetry_path.as_str(),
        };
        status::render(&view, selection, now)
    }

    fn targets(&self, scheme: Option<&str>, prefix: &str, now: Timestamp) -> Option<String> {
        let plan = Arc::clone(&self.plan.borrow());
        let planned = plan.properties.active.iter().chain(&plan.properties.unlisted);
        // What reports have told is only in the store.
        let known: Vec<_> = planned.map(|(id, info)| (*id, info, self.store.property(*id))).collect();
        // A listing that never comes does not keep Prometheus from those that are configured.
        let are_known = plan.is_complete || (!known.is_empty() && self.age(now) >= READY_AT_THE_LATEST);
        let told = known.iter().map(|(id, info, state)| (*id, state.as_ref().map_or(*info, |state| &state.info)));
        are_known.then(|| targets::to_lines(told, scheme, prefix))
    }

    fn readiness(&self, now: Timestamp) -> Readiness {
        if self.ready.load(Ordering::Relaxed) {
            return Readiness::Ready;
        }
        match self.missing(now) {
            Some(reason) => Readiness::NotReady { reason },
            None => {
                self.ready.store(true, Ordering::Relaxed);
                Readiness::Ready
            }
        }
    }

    fn reload(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(self.reloads.reload())
    }

    fn config_yaml(&self) -> String {
        self.config.borrow().to_yaml()
    }

    fn observer(&self) -> Arc<dyn WebObserver> {
        Arc::clone(&self.metrics) as _
    }
}

/// From then on it is ready whatever is missing: the failures are in the metrics by then.
const READY_AT_THE_LATEST: Duration = Duration::from_secs(60);
