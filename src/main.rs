//! The program: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    google_analytics_exporter::run(std::env::args_os())
}
