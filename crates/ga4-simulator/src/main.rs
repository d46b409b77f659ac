//! `ga4-simulator`: the simulator as a separate program, for clients in any language.
//!
//! Prints one JSON object with the addresses to use and serves until SIGINT or SIGTERM. Knows the command line; the
//! simulator itself is in the library.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use ga4_simulator::{Account, Property, Simulator, World};
use jiff::Timestamp;
use serde_json::json;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

/// Serves a simulated Google Analytics 4: sign-in, Data API v1beta and Admin API v1beta.
///
/// Prints one line of JSON with the addresses to use, then serves until SIGINT or SIGTERM.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// Address to listen on; port 0 is a free port.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen_address: SocketAddr,
    /// Number of properties, 1 to 10000.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    properties: u32,
    /// File to write the service account's key to. It must not exist yet.
    #[arg(long, value_name = "FILE")]
    key_out: Option<PathBuf>,
    /// Seed of the traffic: the same seed gives the same figures at the same time.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Flags::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If stderr is closed, nobody reads the error.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(flags: Flags) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let listener = TcpListener::bind(flags.listen_address).await;
    let listener = listener.map_err(|error| named(&error, &format!("cannot listen on {}", flags.listen_address)))?;
    let world = world(flags.seed, flags.properties);
    let properties: Vec<String> = world.property_ids().map(str::to_owned).collect();
    let simulator = Simulator::start(listener, world, now)?;
    if let Some(path) = &flags.key_out {
        let written = write_key(path, &simulator.key_file_json());
        written.map_err(|error| named(&error, &format!("cannot write {}", path.display())))?;
    }
    let url = simulator.base_url();
    let addresses = json!({
        "data_api_url": url,
        "admin_api_url": url,
        "token_uri": format!("{url}/token"),
        "metadata_host": simulator.address().to_string(),
        "faults_url": format!("{url}/simulator/faults"),
        "key_file": flags.key_out,
        "properties": properties,
    });
    // A closed stdout does not prevent clients from using the simulator.
    let _ = writeln!(io::stdout(), "{addresses}");
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    simulator.shutdown().await;
    Ok(())
}

/// Properties in several time zones. Each has twice the traffic of the one before it, up to 12,800 pageviews per hour.
fn world(seed: u64, properties: u32) -> World {
    let property = |number: u32| {
        let id = (FIRST_PROPERTY + u64::from(number)).to_string();
        let zone = ZONES.get(number as usize % ZONES.len()).copied().unwrap_or("Etc/UTC");
        let pageviews = f64::from(100 << (number % 8));
        Property::new(id, format!("Site {}", number + 1))
            .time_zone(zone)
            .pageviews_per_hour(pageviews)
            .example_custom_fields()
    };
    let account = Account::new("104112001", "Example");
    World::new(seed).account((0..properties).map(property).fold(account, Account::property))
}

#[expect(clippy::disallowed_methods, reason = "the program is where the simulator's clock comes from")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Writes a file that only its owner can read, as a real key should be.
fn write_key(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

fn named(error: &io::Error, what: &str) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}

const FIRST_PROPERTY: u64 = 313_110_001;

const ZONES: [&str; 4] = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Etc/UTC"];
