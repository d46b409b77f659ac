//! The exporter against the simulator, over real sockets and with real signatures: every promise that needs both.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod backtest;
mod baseline;
mod clock;
mod discovery;
mod failures;
mod hostile;
mod own_reports;
mod purity;
mod quota;
mod quota_project;
mod readme;
mod recordings;
mod reload;
mod remedies;
mod reports;
mod scrape;
mod sharding;
mod sign_in;
mod support;
mod targets;
mod time;
mod watch;
