//! Metrics of the HTTP server: answered requests, refused clients, and memory held for clients.

use prometheus::{IntCounterVec, IntGauge, Registry};

use super::{SelfMetrics, counters, gauge};
use ga4_exporter_core::names::{Handler, RefusedReason};

use crate::http::WebObserver;

/// All metrics; the HELP texts describe the fields.
#[derive(Debug)]
pub(super) struct Web {
    requests: IntCounterVec,
    refused: IntCounterVec,
    connections: IntGauge,
    in_flight: IntGauge,
}

impl Web {
    /// Registers all metrics, with counters at 0.
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let web = Self {
            requests: counters("web_requests_total", "Requests answered by the HTTP server.", &["handler", "code"])?,
            refused: counters(
                "web_connections_refused_total",
                "Connections and requests refused to protect the HTTP server from overload.",
                &["reason"],
            )?,
            connections: gauge("web_connections", "Open connections to the HTTP server.")?,
            in_flight: gauge(
                "web_response_bytes_in_flight",
                "Bytes of responses held in memory for clients; a response shared by several clients counts once.",
            )?,
        };
        registry.register(Box::new(web.requests.clone()))?;
        registry.register(Box::new(web.refused.clone()))?;
        registry.register(Box::new(web.connections.clone()))?;
        registry.register(Box::new(web.in_flight.clone()))?;
        for handler in Handler::ALL {
            let usual = if *handler == Handler::Other { "404" } else { "200" };
            for code in [usual, "503"] {
                web.requests.with_label_values(&[handler.as_str(), code]);
            }
        }
        for reason in RefusedReason::ALL {
            web.refused.with_label_values(&[reason.as_str()]);
        }
        Ok(web)
    }
}

impl WebObserver for SelfMetrics {
    fn answered(&self, handler: Handler, code: u16) {
        self.web.requests.with_label_values(&[handler.as_str(), &code.to_string()]).inc();
    }

    fn refused(&self, reason: RefusedReason) {
        self.web.refused.with_label_values(&[reason.as_str()]).inc();
    }

    fn connections(&self, count: usize) {
        self.web.connections.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    fn bytes_in_flight(&self, bytes: u64) {
        self.web.in_flight.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }
}
