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
mod check;
mod check_fields;
mod clock;
mod commands;
mod custom_fields;
mod discovery;
mod document_names;
mod documents;
mod failures;
mod failures_document;
mod flags_document;
mod hostile;
mod manual;
mod metrics_document;
mod odd_answers;
mod own_reload;
mod own_reports;
mod properties;
mod purity;
mod query;
mod query_edges;
mod quota;
mod quota_project;
mod recordings;
mod reload;
mod reports;
mod scrape;
mod sharding;
mod sign_in;
mod support;
mod targets;
mod time;
mod verdicts;
mod watch;
