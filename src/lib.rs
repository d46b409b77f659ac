//! Skeleton.

pub mod auth;
pub mod calendar;
pub mod chain;
pub mod clock;
pub mod config;
pub mod discover;
pub mod exposition;
pub mod ga;
pub mod http;
pub mod jitter;
pub mod names;
pub mod observer;
pub mod plan;
pub mod poll;
pub mod properties;
pub mod quota;
pub mod report;
pub mod schedule;
pub mod self_metrics;
pub mod store;
pub mod translate;
pub mod transport;
