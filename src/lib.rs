//! Skeleton.

pub mod clock;
pub mod config;
pub mod ga;
pub mod names;
pub mod report;
