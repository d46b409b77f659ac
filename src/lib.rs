//! Skeleton.

pub mod clock;
pub mod ga;
pub mod http;
pub mod names;
pub mod report;
