//! The program: arguments in, exit code out.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// Polling asks for memory in many small pieces of all ages, and glibc keeps most of what was freed between them. What that
/// costs is in docs/PERFORMANCE.md.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    google_analytics_exporter::run(std::env::args_os())
}
