//! The program: arguments in, exit code out.

use std::process::ExitCode;

/// Polling asks for memory in many small pieces of all ages, and glibc keeps most of what was freed between them. What that
/// costs is in docs/PERFORMANCE.md.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    google_analytics_exporter::run(std::env::args_os())
}
