//! A simulator, and commands that are run against it in this process.

use std::{
    fs,
    io::{self, Write},
};

use clap::Parser;
use ga4_simulator::{Fault, Simulator, World};
use google_analytics_exporter::{
    auth::credentials::Environment,
    cli::{Cli, Command},
    clock::Clock,
    commands::{CommandError, check, google::Surroundings, properties, query, screen::Screen},
    transport::Roots,
};
use jiff::Timestamp;
use tempfile::TempDir;

/// A simulator and where its key is; dropping it ends both.
pub(crate) struct Rig {
    pub(crate) simulator: Simulator,
    pub(crate) clock: Clock,
    pub(crate) screen: Screen,
    directory: TempDir,
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) out: String,
    pub(crate) notes: String,
    /// 0, or the message of what the program prints last.
    pub(crate) result: Result<(), String>,
    pub(crate) code: u8,
}

impl Rig {
    pub(crate) async fn of(world: World, start: &str) -> Self {
        let start: Timestamp = start.parse().unwrap();
        let clock = Clock::starting_at(start);
        let time = clock.clone();
        let simulator = Simulator::on_loopback(world, move || time.now()).await.unwrap();
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join("key.json"), simulator.key_file_json()).unwrap();
        Self { simulator, clock, screen: Screen::default(), directory }
    }

    /// A file beside the key; its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.directory.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn inject(&self, fault: Fault) {
        self.simulator.inject(fault);
    }

    /// Runs a command of this program.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        let mut out = Vec::new();
        let (result, notes) = self.run_into(arguments, &mut out).await;
        let code = result.as_ref().err().map_or(0, |error| if is_usage(error) { 64 } else { 1 });
        Ran { out: String::from_utf8(out).unwrap(), notes, result: result.map_err(|error| error.to_string()), code }
    }

    /// The same where the answer goes somewhere else.
    pub(crate) async fn run_into(
        &self,
        arguments: &[&str],
        out: &mut (dyn Write + Send),
    ) -> (Result<(), CommandError>, String) {
        let url = self.simulator.base_url();
        let key = self.directory.path().join("key.json");
        let google = ["--google.data-api-url", url, "--google.admin-api-url", url];
        let key = ["--google.credentials-file", key.to_str().unwrap()];
        let has_key = arguments.contains(&"--google.credentials-file");
        let key: &[&str] = if has_key { &[] } else { &key };
        let cli = Cli::try_parse_from([&["x"], arguments, &google, key].concat()).unwrap();
        let environment = Environment { home: Some(self.directory.path().to_owned()), ..Environment::default() };
        let surroundings = Surroundings { environment, roots: Roots::Nobody, clock: self.clock.clone() };
        let mut notes = Vec::new();
        let result = match cli.command {
            Some(Command::Query(flags)) => {
                let streams = query::Streams { out, notes: &mut notes, screen: self.screen };
                query::run(&flags, &surroundings, streams).await
            }
            Some(Command::Check(flags)) => check::run(&flags, &surroundings, out, self.screen).await,
            Some(Command::Properties(flags)) => properties::run(&flags, &surroundings, out, self.screen).await,
            other => panic!("{other:?} is tested elsewhere"),
        };
        (result, String::from_utf8(notes).unwrap())
    }
}

impl Ran {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// Takes a number of bytes, then its reader is gone.
pub(crate) struct ClosedPipe(pub(crate) usize);

impl Write for ClosedPipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let taken = bytes.len().min(self.0);
        self.0 -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn is_usage(error: &CommandError) -> bool {
    format!("{:?}", error.exit_code()) == format!("{:?}", std::process::ExitCode::from(64))
}
