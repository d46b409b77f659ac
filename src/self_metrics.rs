//! The exporter's metrics about itself.
//!
//! Knows the counters that belong to no property, in a separate registry. Refuses to know anything with a property's
//! id: those values live in the store. Counters of a closed set exist from the start, at 0.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use prometheus::{
    Gauge, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    core::Collector, proto::MetricFamily,
};

use ga4_exporter_core::{
    names::{DropReason, Method, Reason, TokenReason},
    shard::Shard,
};

use crate::{clock::unix_seconds, observer::Observer, process_metrics::ProcessMetrics};

use web::Web;

mod web;

/// All metrics; the HELP texts describe the fields.
#[derive(Debug)]
pub struct SelfMetrics {
    registry: Registry,
    properties: IntGauge,
    known_properties: IntGauge,
    reload_successful: IntGauge,
    reload_timestamp: Gauge,
    /// Whether discovery is currently configured.
    discovers: AtomicBool,
    /// Exists from the first listing on; the time exists from the first successful one on.
    discovery_up: OnceLock<IntGauge>,
    discovery_timestamp: OnceLock<Gauge>,
    requests: IntCounterVec,
    request_failures: IntCounterVec,
    request_duration: HistogramVec,
    token_refreshes: IntCounter,
    token_refresh_failures: IntCounterVec,
    /// Exists from the first token on.
    token_expiry: OnceLock<Gauge>,
    /// Exists from the first answer with a Date header on.
    clock_offset: OnceLock<Gauge>,
    log_lines_dropped: IntCounter,
    series_dropped: IntCounterVec,
    web: Web,
}

/// The origin of the binary.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    /// The version of the package.
    pub version: &'static str,
    /// The commit, or `unknown`.
    pub revision: &'static str,
    /// The compiler's version, or `unknown`.
    pub rustc: &'static str,
}

impl SelfMetrics {
    /// Registers all metrics that exist from the start, including those of the process, which started at `started_at`.
    ///
    /// # Errors
    /// Does not fail: the names are fixed and tested.
    pub fn new(build: Build, shard: Shard, started_at: Timestamp) -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        register_info(&registry, build, shard)?;
        #[cfg(target_os = "linux")]
        registry.register(Box::new(ProcessMetrics::new(started_at)?))?;
        let metrics = Self {
            properties: gauge("properties", "Properties exported by this process.")?,
            known_properties: gauge("known_properties", "Properties to export, including those of other shards.")?,
            reload_successful: gauge(
                "config_last_reload_successful",
                "Whether the configuration was last read successfully (1) or not (0).",
            )?,
            reload_timestamp: Gauge::with_opts(options(
                "config_last_reload_success_timestamp_seconds",
                "Unix time at which the configuration was last read successfully.",
            ))?,
            discovers: AtomicBool::new(true),
            discovery_up: OnceLock::new(),
            discovery_timestamp: OnceLock::new(),
            requests: counters("api_requests_total", "Requests sent to Google.", &["api", "method"])?,
            request_failures: counters(
                "api_request_failures_total",
                "Failed requests to Google. docs/FAILURES.md has a remedy for each reason.",
                &["api", "reason"],
            )?,
            request_duration: HistogramVec::new(
                HistogramOpts::new(
                    name("api_request_duration_seconds"),
                    "Time from sending a request to Google to the end of its answer.",
                )
                .buckets(DURATION_BUCKETS.to_vec()),
                &["api", "method"],
            )?,
            token_refreshes: IntCounter::with_opts(options("token_refreshes_total", "Access tokens received."))?,
            token_refresh_failures: counters(
                "token_refresh_failures_total",
                "Failed attempts to get an access token or to read a changed key file. docs/FAILURES.md has a remedy for each reason.",
                &["reason"],
            )?,
            token_expiry: OnceLock::new(),
            clock_offset: OnceLock::new(),
            log_lines_dropped: IntCounter::with_opts(options(
                "log_lines_dropped_total",
                "Log lines dropped because nobody read stderr or writing to it failed.",
            ))?,
            series_dropped: counters(
                "series_dropped_total",
                "Series in Google's answers that were not exported.",
                &["reason"],
            )?,
            web: Web::new(&registry)?,
            registry,
        };
        metrics.register_all()?;
        metrics.start_at_zero();
        Ok(metrics)
    }

    /// Sets the number of properties exported here and by other shards.
    pub fn set_properties(&self, here: usize, elsewhere: usize) {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.properties.set(number(here));
        self.known_properties.set(number(here + elsewhere));
    }

    /// Sets the number of log lines that were dropped since the start.
    pub fn set_log_lines_dropped(&self, count: u64) {
        // Scrapes may overlap, and a counter must not decrease.
        self.log_lines_dropped.inc_by(count.saturating_sub(self.log_lines_dropped.get()));
    }

    /// Sets how far this machine's clock is ahead of Google's.
    pub fn set_clock_offset(&self, ahead: SignedDuration) {
        let help = "How far this machine's clock is ahead of Google's, from the Date header of the last answer; negative if it is \
                    behind, 0 if they may agree.";
        let create = || Gauge::with_opts(options("clock_offset_seconds", help));
        self.lazy(&self.clock_offset, create).set(ahead.as_secs_f64());
    }

    /// Records an attempt to reload the configuration.
    pub fn reloaded(&self, success: bool, now: Timestamp) {
        self.reload_successful.set(i64::from(success));
        if success {
            self.reload_timestamp.set(unix_seconds(now));
        }
    }

    /// Returns all current metrics, sorted by name.
    pub fn gather(&self) -> Vec<MetricFamily> {
        let discovers = self.discovers.load(Ordering::Relaxed);
        let mut families = self.registry.gather();
        families.retain(|family| discovers || !family.name().starts_with("google_analytics_exporter_discovery_"));
        families
    }

    /// Sets whether discovery is configured; its metrics are shown only if it is.
    pub fn set_discovers(&self, discovers: bool) {
        self.discovers.store(discovers, Ordering::Relaxed);
    }

    fn register_all(&self) -> Result<(), prometheus::Error> {
        let all: [Box<dyn Collector>; 11] = [
            Box::new(self.properties.clone()),
            Box::new(self.known_properties.clone()),
            Box::new(self.reload_successful.clone()),
            Box::new(self.reload_timestamp.clone()),
            Box::new(self.requests.clone()),
            Box::new(self.request_failures.clone()),
            Box::new(self.request_duration.clone()),
            Box::new(self.token_refreshes.clone()),
            Box::new(self.token_refresh_failures.clone()),
            Box::new(self.log_lines_dropped.clone()),
            Box::new(self.series_dropped.clone()),
        ];
        all.into_iter().try_for_each(|collector| self.registry.register(collector))
    }

    fn start_at_zero(&self) {
        for method in Method::ALL {
            let labels = [method.api().as_str(), method.as_str()];
            self.requests.with_label_values(&labels);
            self.request_duration.with_label_values(&labels);
            for reason in Reason::ALL {
                self.request_failures.with_label_values(&[method.api().as_str(), reason.as_str()]);
            }
        }
        for reason in TokenReason::ALL {
            self.token_refresh_failures.with_label_values(&[reason.as_str()]);
        }
        for reason in DropReason::ALL {
            self.series_dropped.with_label_values(&[reason.as_str()]);
        }
    }

    /// Returns a metric that is registered only when it first has a value.
    fn lazy<'a, M: Collector + Clone + 'static>(
        &self,
        cell: &'a OnceLock<M>,
        create: impl FnOnce() -> Result<M, prometheus::Error>,
    ) -> &'a M {
        cell.get_or_init(|| {
            let metric = create().expect("the name is fixed and tested");
            self.registry.register(Box::new(metric.clone())).expect("each cell is filled once");
            metric
        })
    }
}

impl Observer for SelfMetrics {
    fn request(&self, method: Method, took: Duration, failure: Option<Reason>) {
        let labels = [method.api().as_str(), method.as_str()];
        self.requests.with_label_values(&labels).inc();
        self.request_duration.with_label_values(&labels).observe(took.as_secs_f64());
        if let Some(reason) = failure {
            self.request_failures.with_label_values(&[method.api().as_str(), reason.as_str()]).inc();
        }
    }

    fn token_refreshed(&self, expires_at: Timestamp) {
        self.token_refreshes.inc();
        let help = "Unix time at which the current access token expires.";
        let create = || Gauge::with_opts(options("token_expiry_timestamp_seconds", help));
        self.lazy(&self.token_expiry, create).set(unix_seconds(expires_at));
    }

    fn token_refresh_failed(&self, reason: TokenReason) {
        self.token_refresh_failures.with_label_values(&[reason.as_str()]).inc();
    }

    fn properties_listed(&self, success: bool, now: Timestamp) {
        let help = "Whether the last listing of the properties was complete (1) or failed (0).";
        self.lazy(&self.discovery_up, || gauge("discovery_up", help)).set(i64::from(success));
        if success {
            let help = "Unix time of the last complete listing of the properties.";
            let create = || Gauge::with_opts(options("discovery_last_success_timestamp_seconds", help));
            self.lazy(&self.discovery_timestamp, create).set(unix_seconds(now));
        }
    }

    fn series_dropped(&self, reason: DropReason, count: u64) {
        self.series_dropped.with_label_values(&[reason.as_str()]).inc_by(count);
    }
}

fn register_info(registry: &Registry, build: Build, shard: Shard) -> Result<(), prometheus::Error> {
    let labels = ["version", "revision", "rustc"];
    let info =
        IntGaugeVec::new(options("build_info", "Version, commit and compiler of this binary; always 1."), &labels)?;
    info.with_label_values(&[build.version, build.revision, build.rustc]).set(1);
    registry.register(Box::new(info))?;
    let help = "Number of this shard, counted from 0, and number of shards; always 1.";
    let info = IntGaugeVec::new(options("shard_info", help), &["shard", "shards"])?;
    info.with_label_values(&[shard.index().to_string(), shard.count().to_string()]).set(1);
    registry.register(Box::new(info))
}

fn name(end: &str) -> String {
    format!("google_analytics_exporter_{end}")
}

fn options(end: &str, help: &str) -> Opts {
    Opts::new(name(end), help)
}

fn gauge(end: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
    IntGauge::with_opts(options(end, help))
}

fn counters(end: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
    IntCounterVec::new(options(end, help), labels)
}

const DURATION_BUCKETS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

#[cfg(test)]
mod tests {
    use super::*;
    use ga4_exporter_core::names::{Handler, RefusedReason};

    const BUILD: Build = Build { version: "1.2.3", revision: "abc", rustc: "1.95.0" };

    fn names(metrics: &SelfMetrics) -> Vec<String> {
        metrics.gather().iter().map(|family| family.name().to_owned()).collect()
    }

    #[test]
    fn closed_sets_are_there_from_the_start() {
        let metrics = SelfMetrics::new(BUILD, Shard::default(), Timestamp::UNIX_EPOCH).unwrap();
        let families = metrics.gather();
        let series = |end: &str| {
            let family = families.iter().find(|family| family.name() == name(end));
            family.map_or(0, |family| family.get_metric().len())
        };
        assert_eq!(series("api_requests_total"), Method::ALL.len());
        assert_eq!(series("api_request_failures_total"), 3 * Reason::ALL.len());
        assert_eq!(series("token_refresh_failures_total"), TokenReason::ALL.len());
        assert_eq!(series("series_dropped_total"), DropReason::ALL.len());
        assert_eq!(series("web_connections_refused_total"), RefusedReason::ALL.len());
        assert_eq!(series("web_requests_total"), 2 * Handler::ALL.len());
    }

    #[test]
    fn every_dropped_series_is_counted_by_its_reason() {
        let metrics = SelfMetrics::new(BUILD, Shard::default(), Timestamp::UNIX_EPOCH).unwrap();
        for (reason, count) in DropReason::ALL.iter().zip([20, 3, 0]) {
            metrics.series_dropped(*reason, count);
            metrics.series_dropped(*reason, 1);
        }
        let families = metrics.gather();
        let dropped = families.iter().find(|family| family.name() == name("series_dropped_total")).unwrap();
        let mut counted: Vec<(&str, f64)> = dropped
            .get_metric()
            .iter()
            .map(|metric| (metric.get_label()[0].value(), metric.get_counter().get_value()))
            .collect();
        counted.sort_unstable_by(|one, other| one.0.cmp(other.0));
        assert_eq!(counted, [("duplicate", 1.0), ("invalid_value", 4.0), ("limit", 21.0)]);
    }

    #[test]
    fn times_appear_with_the_first_success() {
        let metrics = SelfMetrics::new(BUILD, Shard::default(), Timestamp::UNIX_EPOCH).unwrap();
        let absent = ["discovery_up", "discovery_last_success_timestamp_seconds", "token_expiry_timestamp_seconds"];
        assert!(absent.iter().all(|end| !names(&metrics).contains(&name(end))));
        metrics.properties_listed(false, Timestamp::UNIX_EPOCH);
        assert!(names(&metrics).contains(&name("discovery_up")));
        metrics.properties_listed(true, Timestamp::UNIX_EPOCH);
        metrics.token_refreshed(Timestamp::UNIX_EPOCH);
        metrics.token_refreshed(Timestamp::UNIX_EPOCH);
        assert!(absent.iter().all(|end| names(&metrics).contains(&name(end))));
    }
}
