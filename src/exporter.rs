//! The exporter as the HTTP server sees it: renders the store and the metrics, and reports readiness.

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
    troubles::Troubles,
    witness::Witness,
};

/// The sources of everything that the exporter shows.
#[derive(Debug)]
pub struct Sources {
    /// The properties.
    pub store: Arc<Store>,
    /// The exporter's metrics about itself.
    pub metrics: Arc<SelfMetrics>,
    /// The current plan.
    pub plan: watch::Receiver<Arc<Plan>>,
    /// The configuration in use.
    pub config: watch::Receiver<Arc<Config>>,
    /// The handle that requests reloads.
    pub reloads: Reloads,
    /// The log, as the source of the number of dropped lines.
    pub log: Lines,
    /// Compares the clock with the Date headers of Google's answers.
    pub witness: Witness,
    /// Problems that concern all properties.
    pub troubles: Troubles,
}

/// The exporter as the HTTP server sees it.
#[derive(Debug)]
pub struct Exporter {
    sources: Sources,
    started_at: Timestamp,
    /// The start in monotonic time, which a change of the wall clock does not affect.
    started: Instant,
    /// Set once, never reset.
    ready: AtomicBool,
}

impl Exporter {
    /// Creates the exporter; its start time is the current time of the witness's clock.
    pub fn new(sources: Sources) -> Self {
        let (started_at, started) = (sources.witness.clock().now(), monotonic());
        Self { sources, started_at, started, ready: AtomicBool::new(false) }
    }

    fn age(&self, now: Timestamp) -> Duration {
        let age = Duration::try_from(now.duration_since(self.started_at)).unwrap_or_default();
        age.max(self.started.elapsed())
    }

    /// Returns what the exporter still waits for before it is ready.
    fn missing(&self, now: Timestamp) -> Option<String> {
        if self.age(now) >= READY_AT_THE_LATEST {
            return None;
        }
        if !self.sources.plan.borrow().is_complete {
            return Some("waiting for the first listing of the properties".to_owned());
        }
        let properties = self.sources.store.properties();
        let reports = properties.iter().flat_map(|property| &property.reports);
        // The baseline may arrive after the first values, so it is not waited for.
        let waiting = reports.filter(|report| report.has_values && !report.has_outcome).count();
        (waiting > 0).then(|| format!("waiting for the first outcome of {waiting} reports"))
    }

    /// Returns what a scrape shows now.
    fn view(&self, scope: Scope) -> View {
        {
            let plan = self.sources.plan.borrow();
            self.sources.metrics.set_properties(plan.properties.active.len(), plan.properties.elsewhere);
        }
        self.sources.metrics.set_log_lines_dropped(self.sources.log.dropped());
        if let Some(ahead) = self.sources.witness.offset().ahead() {
            self.sources.metrics.set_clock_offset(ahead);
        }
        let own = self.sources.metrics.gather();
        match scope {
            Scope::All => {
                let reports = self.sources.plan.borrow().reports.clone();
                View { reports, properties: self.sources.store.properties(), own }
            }
            Scope::Exporter => View { reports: Vec::new(), properties: Vec::new(), own },
        }
    }
}

impl http::Metrics for Exporter {
    fn version(&self) -> u64 {
        self.sources.store.version()
    }

    fn render(&self, format: Format, scope: Scope, now: Timestamp) -> Rendering {
        exposition::render(&self.view(scope), format, now)
    }

    fn render_in_pieces(
        &self,
        format: Format,
        scope: Scope,
        now: Timestamp,
        sink: &mut dyn FnMut(&[u8]),
    ) -> Option<Timestamp> {
        exposition::render_in_pieces(&self.view(scope), format, now, sink)
    }
}

impl http::Backend for Exporter {
    fn render_property(&self, property: PropertyId, format: Format, now: Timestamp) -> Option<Rendering> {
        let properties = vec![self.sources.store.property(property)?];
        let reports = self.sources.plan.borrow().reports.clone();
        Some(exposition::render(&View { reports, properties, own: Vec::new() }, format, now))
    }

    fn status_page(&self, selection: &Selection, telemetry_path: &TelemetryPath, now: Timestamp) -> String {
        let plan = Arc::clone(&self.sources.plan.borrow());
        let view = status::View {
            properties: &self.sources.store.properties(),
            is_complete: plan.is_complete,
            elsewhere: plan.properties.elsewhere,
            troubles: &self.sources.troubles.present(),
            telemetry_path: telemetry_path.as_str(),
        };
        status::render(&view, selection, now)
    }

    fn targets(&self, scheme: Option<&str>, prefix: &str, now: Timestamp) -> Option<String> {
        let plan = Arc::clone(&self.sources.plan.borrow());
        let planned = plan.properties.active.iter().chain(&plan.properties.unlisted);
        // Facts from answers to reports, such as time zones, are only in the store.
        let known: Vec<_> = planned.map(|(id, info)| (*id, info, self.sources.store.property(*id))).collect();
        // A listing that never arrives must not hide the configured properties from Prometheus.
        let are_known = plan.is_complete || (!known.is_empty() && self.age(now) >= READY_AT_THE_LATEST);
        let shown = known.iter().map(|(id, info, state)| (*id, state.as_ref().map_or(*info, |state| &state.info)));
        are_known.then(|| targets::to_lines(shown, scheme, prefix))
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
        Box::pin(self.sources.reloads.reload())
    }

    fn config_yaml(&self) -> String {
        self.sources.config.borrow().to_yaml()
    }

    fn observer(&self) -> Arc<dyn WebObserver> {
        Arc::clone(&self.sources.metrics) as _
    }
}

/// After this time the exporter is ready in any case, since the metrics show its failures by then.
const READY_AT_THE_LATEST: Duration = Duration::from_secs(60);
