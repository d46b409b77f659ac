//! What the parts that talk to Google tell of it, so that they need not know metrics.

use std::time::Duration;

use jiff::Timestamp;

use ga4_exporter_core::names::{DropReason, Method, Reason, TokenReason};

/// Is told of every request to Google and of every token.
pub trait Observer: Send + Sync {
    /// A request ended, with or without success.
    fn request(&self, method: Method, took: Duration, failure: Option<Reason>);

    /// There is a new token.
    fn token_refreshed(&self, expires_at: Timestamp);

    /// A token could not be had, or a new key file could not be used.
    fn token_refresh_failed(&self, reason: TokenReason);

    /// The properties were listed, completely or not at all.
    fn properties_listed(&self, success: bool, now: Timestamp);

    /// A number of series of an answer are not exported.
    fn series_dropped(&self, reason: DropReason, count: u64);
}

/// Does not want to know.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Observer for Nobody {
    fn request(&self, _: Method, _: Duration, _: Option<Reason>) {}

    fn token_refreshed(&self, _: Timestamp) {}

    fn token_refresh_failed(&self, _: TokenReason) {}

    fn properties_listed(&self, _: bool, _: Timestamp) {}

    fn series_dropped(&self, _: DropReason, _: u64) {}
}
