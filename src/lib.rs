//! A Prometheus exporter for Google Analytics (GA4).
//!
//! It signs in as a service account, polls pageviews and visitors of every configured property in the background, and
//! serves them on `/metrics` from memory.
//!
//! # Reading order
//!
//! ```text
//! cli ─► config ───────────┐                                start-up: pure after reading the files
//!                          ▼
//! auth ─► ga::Client ─► discover, poll ◄─► Engine ─► Store ─► exposition ─► http ─► Prometheus
//!                          │                 (core)     │          ▲
//!                          └ storage                    └ status   └ self_metrics
//! crate ga4-exporter-core: names, wire, reports, translation, quota, schedule, the engine, store, exposition (pure)
//! crate ga4-drop-baseline: what is usual, the verdict, quiet days, zones, backtests (pure)
//! crate ga4-simulator: Google's endpoints, for the demo and the tests (speaks HTTP only; shares no type with this crate)
//! ```
//!
//! 1. [`ga4_exporter_core`]: what is decided, as values in and values out. Read it first.
//! 2. [`ga`] sends requests to Google over [`transport`] with a token of [`auth`]; a [`witness`] notes what its answers say of
//!    the clock.
//! 3. [`ga4_drop_baseline`]: hours and minutes in, what is usual and the evidence of a drop out. [`storage`] keeps minutes over
//!    a restart.
//! 4. [`discover`] publishes a plan; [`poll`] follows it: it makes the polls that the engine asks for, and carries out what the
//!    engine concludes from the answers.
//! 5. [`exporter`] renders the store and the [`self_metrics`]; [`targets`] lists the properties, [`status`] shows them to
//!    people, with the [`troubles`] that concern all of them, and [`documents`] explain; [`http`] serves all that.
//! 6. [`sync`] keeps a [`database`] of daily figures up to date.
//! 7. [`files`] reads others' files, and [`secrets`] leaves what was sent out of what comes back. [`serve`] wires everything;
//!    [`commands`] are what [`cli`] can ask for; [`reload`] reads the [`config`] again; [`systemd`] hears of it, and
//!    [`descriptors`] makes room for files.
//!
//! # Invariants, and where they are kept
//!
//! * A scrape never causes a request to Google: [`http`] has no client.
//! * Only the engine's effects change the store, and only [`poll`] applies them.
//! * No global state: every registry, clock and client is an argument. Only [`clock`] reads the time.
//! * Decisions compile without a runtime: they are in crates of their own (`tests/layers.sh`).
//! * Every queue, body, map and wait has a named limit.
//! * Nothing panics after start-up; a panic aborts the process (in tests the owner of the tasks resumes it) rather than
//!   serve frozen numbers.
//!
//! # Things deliberately absent
//!
//! Sample timestamps on `/metrics`, requests to Google at scrape time, retries of what Google has refused, and totals
//! beside their parts.

pub mod auth;
pub mod build;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod database;
pub mod descriptors;
pub mod discover;
pub mod documents;
mod enumeration;
pub mod exporter;
pub mod files;
pub mod ga;
pub mod http;
pub mod observer;
pub mod pages;
#[cfg(feature = "picture")]
mod picture;
pub mod poll;
pub mod process_metrics;
pub mod reload;
pub mod secrets;
pub mod self_metrics;
pub mod serve;
pub mod status;
pub mod storage;
pub mod sync;
pub mod systemd;
pub mod targets;
pub mod telemetry;
pub mod transport;
pub mod troubles;
pub mod witness;
mod workers;

use std::{
    ffi::OsString,
    io::{self, IsTerminal, Write},
    num::NonZero,
    process::ExitCode,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use clap::Parser;
use tokio::runtime::{Builder, Runtime};

use ga4_exporter_core::{chain::Chain, shown};

use crate::cli::Cli;

/// The whole program: arguments in, exit code out. 0 for success, 64 when the command line, the
/// configuration or the key file has to be corrected, 1 otherwise.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    ignore_file_limit();
    let arguments: Vec<OsString> = arguments.collect();
    if let Err(error) = cli::refusal::check(&arguments) {
        return failed(&error, ExitCode::from(commands::USAGE));
    }
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return refused(&error, &arguments),
    };
    // Before there is a second thread: see `systemd::sockets`.
    let inherited = if cli.takes_sockets() { systemd::sockets().map(Some) } else { Ok(None) };
    let inherited = match inherited {
        Ok(inherited) => inherited,
        Err(error) => return failed(&error, ExitCode::FAILURE),
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error, ExitCode::FAILURE),
    };
    let result = runtime.block_on(commands::run(cli, inherited));
    // What hangs on a disk does not keep the process from ending.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // It has printed what failed.
        Err(commands::CommandError::Checked) => ExitCode::FAILURE,
        Err(error) => failed(&error, error.exit_code()),
    }
}

/// The threads that names are looked up and files are written on are there from the start and stay: where the system has no
/// thread left later, work waits for them instead of ending the process.
fn runtime() -> io::Result<Runtime> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let runtime = Builder::new_multi_thread()
        .worker_threads(cores.min(MOST_WORKER_THREADS))
        .enable_all()
        .thread_keep_alive(FOR_EVER)
        .max_blocking_threads(MOST_BLOCKING_THREADS)
        .build()?;
    // While this is held, each of them needs a thread of its own.
    let gate = Arc::new(Mutex::new(()));
    let held = gate.lock();
    for _ in 0..FIRST_BLOCKING_THREADS {
        let gate = Arc::clone(&gate);
        runtime.spawn_blocking(move || drop(gate.lock()));
    }
    drop(held);
    Ok(runtime)
}

/// A write beyond the limit on file sizes is then an error like that of a full disk, and does not end the process.
fn ignore_file_limit() {
    // Without it the limit ends the process, as it did before it asked.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// Help and version go to stdout and are no mistake. A closed pipe is no reason to fail; a full disk is.
fn refused(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    if !error.use_stderr() {
        return match error.print().and_then(|()| io::stdout().flush()) {
            Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
                failed(&commands::CommandError::Output(cause), ExitCode::FAILURE)
            }
            Ok(()) | Err(_) => ExitCode::SUCCESS,
        };
    }
    match cli::refusal::message(error, arguments) {
        Some(message) => telemetry::write(&message),
        // A terminal is always read, and shows colours.
        None if io::stderr().is_terminal() => drop(error.print()),
        None => telemetry::write(&error.render().to_string()),
    }
    ExitCode::from(commands::USAGE)
}

fn failed(error: &(dyn std::error::Error + 'static), code: ExitCode) -> ExitCode {
    telemetry::write(&format!("error: {}\n", shown::masked(&Chain(error).to_string())));
    code
}

/// No process runs longer.
const FOR_EVER: Duration = Duration::from_hours(24 * 365 * 10);

/// All work of an exporter fits on a part of one core, and each thread keeps memory for itself.
const MOST_WORKER_THREADS: usize = 4;

const FIRST_BLOCKING_THREADS: usize = 4;

const MOST_BLOCKING_THREADS: usize = 128;
