//! Skeleton.

pub mod clock;
pub mod ga;
pub mod names;
pub mod report;
