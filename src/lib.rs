//! Skeleton.

#[cfg(feature = "demo")]
pub mod simulator;
