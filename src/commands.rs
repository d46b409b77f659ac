//! The subcommands, one file each.

use std::{
    env,
    io::{BufWriter, ErrorKind, Write},
    net::TcpListener,
    process::ExitCode,
};

use thiserror::Error as ThisError;

use crate::{
    cli::{Cli, Command},
    commands::{google::Surroundings, screen::Screen},
    config,
    files::{Aside, READ_DEADLINE},
    serve, telemetry,
    transport::environment,
};

pub mod backtest;
pub mod baseline;
pub mod check;
pub mod check_config;
#[cfg(feature = "demo")]
pub mod demo;
pub mod google;
mod in_order;
mod last_resort;
pub mod manual;
pub mod properties;
pub mod query;
pub mod screen;
pub mod serving;
mod setup;
pub mod sync;

/// Why a command failed, grouped by exit code.
#[derive(Debug, ThisError)]
pub enum CommandError {
    /// The command line or the configuration must be corrected: exit code 64.
    #[error(transparent)]
    Config(#[from] config::Errors),
    /// A value on the command line cannot be used: exit code 64.
    #[error("{0}")]
    Usage(String),
    /// An environment variable must be corrected: exit code 64.
    #[error(transparent)]
    Environment(#[from] environment::EnvironmentError),
    /// Google cannot be reached or refuses the request.
    #[error("{0}")]
    Google(String),
    /// The answer cannot be printed.
    #[error("cannot print the answer")]
    Output(#[source] std::io::Error),
    /// `check` found a failure and has already printed it.
    #[error("not everything works; see above")]
    Checked,
    /// The database cannot be used.
    #[error("{0}")]
    Database(String),
    /// There is not enough history.
    #[error("{0}")]
    Past(String),
    /// The exporter cannot start.
    #[error(transparent)]
    Start(#[from] serve::ServeError),
    /// The simulator or its files cannot be set up.
    #[error("the demo cannot start: {0}")]
    Demo(String),
    /// Signal handlers cannot be installed.
    #[error("cannot receive signals")]
    Signals(#[source] std::io::Error),
}

impl CommandError {
    /// Returns 64 (`EX_USAGE`) if the user must fix the command line, the configuration or the key file.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            // A retry may succeed.
            Self::Config(config::Errors::Unreadable { source, .. }) if source.kind() == ErrorKind::TimedOut => {
                ExitCode::FAILURE
            }
            Self::Start(serve::ServeError::Credentials(error)) if error.is_passing() => ExitCode::FAILURE,
            Self::Start(serve::ServeError::Storage(error)) if error.is_passing() => ExitCode::FAILURE,
            Self::Config(_)
            | Self::Usage(_)
            | Self::Environment(_)
            | Self::Start(serve::ServeError::Credentials(_) | serve::ServeError::Storage(_)) => ExitCode::from(USAGE),
            Self::Google(_)
            | Self::Database(_)
            | Self::Output(_)
            | Self::Checked
            | Self::Past(_)
            | Self::Start(_)
            | Self::Demo(_)
            | Self::Signals(_) => ExitCode::FAILURE,
        }
    }
}

/// Runs the command. `inherited` are the sockets that the process was started with.
///
/// # Errors
/// Why the command failed.
pub async fn run(cli: Cli, inherited: Option<Vec<TcpListener>>) -> Result<(), CommandError> {
    match cli.command {
        #[cfg(feature = "demo")]
        Some(Command::Demo(flags)) => demo::run(flags, inherited).await,
        Some(Command::Query(flags)) => {
            check_environment().await?;
            let (out, notes) = (&mut BufWriter::new(std::io::stdout()), &mut std::io::stderr());
            let streams = query::Streams { out, notes, screen: Screen::of_stdout() };
            query::run(&flags, &Surroundings::of_process(), streams).await
        }
        Some(Command::Check(flags)) => {
            check_environment().await?;
            check::run(&flags, &Surroundings::of_process(), &mut std::io::stdout(), Screen::of_stdout()).await
        }
        Some(Command::Properties(flags)) => {
            check_environment().await?;
            properties::run(&flags, &Surroundings::of_process(), &mut std::io::stdout(), Screen::of_stdout()).await
        }
        Some(Command::Completions(flags)) => manual::completions(flags.shell, &mut std::io::stdout()),
        Some(Command::Man) => manual::page(&mut std::io::stdout()),
        Some(Command::Sync(flags)) => {
            check_environment().await?;
            let _log = (!flags.dry_run).then(|| telemetry::start(flags.log.level, flags.log.format));
            let (surroundings, databases) = (Surroundings::of_process(), sync::databases_of_process());
            sync::run(&flags, &surroundings, &databases, &mut std::io::stdout()).await
        }
        Some(Command::Baseline(flags)) => baseline::run(&flags),
        Some(Command::Backtest(flags)) => {
            if flags.property.is_some() {
                check_environment().await?;
            }
            backtest::run(&flags, &Surroundings::of_process(), &mut std::io::stdout()).await
        }
        None if cli.serve.config_check => check_config::run(&cli.serve).await,
        None => {
            check_environment().await?;
            serving::run(cli.serve, inherited).await
        }
    }
}

/// Prints a text as a whole.
fn print(text: &[u8], out: &mut dyn Write) -> Result<(), CommandError> {
    match out.write_all(text).and_then(|()| out.flush()) {
        // If the pipe is closed, its reader has read enough.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CommandError::Output(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Checks the environment on a separate thread, because its variables name files that may be on a hanging disk.
async fn check_environment() -> Result<(), CommandError> {
    let aside = Aside::start("environment");
    let checked = aside.run(READ_DEADLINE, || environment::check(|name| env::var_os(name))).await;
    Ok(checked.map_err(serve::ServeError::Trust)??)
}

/// `EX_USAGE` of sysexits.h.
pub const USAGE: u8 = 64;
