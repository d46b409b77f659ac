//! Events of requests to Google, so that their senders do not depend on metrics.

use std::time::Duration;

use jiff::Timestamp;

use ga4_exporter_core::names::{DropReason, Method, Reason, TokenReason};

/// Observes every request to Google and every token.
pub trait Observer: Send + Sync {
    /// A request ended, with or without success.
    fn request(&self, method: Method, took: Duration, failure: Option<Reason>);

    /// There is a new token.
    fn token_refreshed(&self, expires_at: Timestamp);

    /// No token was received, or a new key file cannot be used.
    fn token_refresh_failed(&self, reason: TokenReason);

    /// The properties were listed, completely or not at all.
    fn properties_listed(&self, success: bool, now: Timestamp);

    /// Some series of an answer were not exported.
    fn series_dropped(&self, reason: DropReason, count: u64);
}

/// Discards all events.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Observer for Nobody {
    fn request(&self, _: Method, _: Duration, _: Option<Reason>) {}

    fn token_refreshed(&self, _: Timestamp) {}

    fn token_refresh_failed(&self, _: TokenReason) {}

    fn properties_listed(&self, _: bool, _: Timestamp) {}

    fn series_dropped(&self, _: DropReason, _: u64) {}
}
