//! Where this binary comes from.

use crate::self_metrics::Build;

/// As the build script found it.
pub const BUILD: Build =
    Build { version: env!("CARGO_PKG_VERSION"), revision: env!("BUILD_REVISION"), rustc: env!("BUILD_RUSTC") };

/// What `--version` prints after the name.
pub const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\n  revision: ",
    env!("BUILD_REVISION"),
    "\n  compiler: ",
    env!("BUILD_RUSTC"),
    "\n  platform: ",
    env!("BUILD_TARGET")
);
