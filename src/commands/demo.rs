//! `demo`: serves against the simulator, exactly as in production, with real keys, JWTs and HTTP.

use std::{
    fs::{self, Permissions},
    io::Write,
    net::TcpListener,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    time::Duration,
};

use tempfile::Builder;
use tracing::warn;

use super::{
    CommandError,
    serving::{announce as announce_start, serve_until_signal},
};
use ga4_simulator::{Simulator, World};

use ga4_exporter_core::shown::ShownPath;

use crate::{
    auth::credentials::Environment,
    cli::DemoFlags,
    clock::Clock,
    descriptors,
    files::Aside,
    ga::Endpoints,
    http::Limits,
    reload::ConfigSource,
    serve::{Listen, Options, Server},
    telemetry,
    transport::{Deadlines, Roots},
};

/// Starts the simulator on loopback, writes its key to a private temporary directory, and serves on the sockets that
/// the process was started with, if there are any.
///
/// # Errors
/// Why the demo cannot start.
pub async fn run(flags: DemoFlags, inherited: Option<Vec<TcpListener>>) -> Result<(), CommandError> {
    let log = telemetry::start(flags.log.level, flags.log.format);
    let clock = Clock::system();
    let time = clock.clone();
    let simulator =
        Simulator::on_loopback(World::demo_with_outage(clock.now(), flags.outage), move || time.now()).await;
    let simulator =
        simulator.map_err(|error| CommandError::Demo(format!("the simulator finds no free port: {error}")))?;
    let nobody_else = Permissions::from_mode(0o700);
    let directory = Builder::new().prefix("google_analytics_exporter-demo-").permissions(nobody_else).tempdir();
    let directory = directory
        .map_err(|error| CommandError::Demo(format!("cannot create a directory for its key file: {error}")))?;
    let key_file = directory.path().join("key.json");
    write_privately(&key_file, &simulator.key_file_json()).map_err(|error| {
        CommandError::Demo(format!("its key file {} cannot be written: {error}", ShownPath(&key_file)))
    })?;

    let config_file = match flags.config_file {
        Some(file) => file,
        None => {
            let file = directory.path().join("config.yml");
            write_privately(&file, CONFIG).map_err(|error| {
                CommandError::Demo(format!("its configuration {} cannot be written: {error}", ShownPath(&file)))
            })?;
            file
        }
    };
    let source = ConfigSource { file: Some(config_file), properties: Vec::new(), credentials_file: Some(key_file) };
    announce_start(&source, "the demo of google_analytics_exporter");
    let loaded = source.load_aside(&Aside::start("configuration")).await?;
    for warning in loaded.warnings_at(clock.now()) {
        warn!("{warning}");
    }
    let config = loaded.config;
    let simulated = simulator.base_url().parse();
    let simulated: reqwest::Url = simulated.map_err(|_| CommandError::Demo("the simulator has no URL".to_owned()))?;
    let base = flags.base.base();
    let prefix = base.prefix().to_owned();
    let path = format!("{prefix}{}", flags.telemetry_path);
    let outage = flags.outage;
    let options = Options {
        config,
        source,
        endpoints: Endpoints { data: simulated.clone(), admin: simulated },
        shard: flags.shard.shard,
        listen: inherited.map_or(Listen::On(flags.listen_address), Listen::Inherited),
        base,
        telemetry_path: flags.telemetry_path,
        lifecycle: flags.enable_lifecycle,
        limits: Limits::default(),
        environment: Environment::default(),
        roots: Roots::Nobody,
        deadlines: Deadlines::default(),
        storage: flags.storage.path,
        connections: descriptors::for_google(descriptors::raise_limit()),
        log: log.lines(),
        clock,
    };
    let result =
        serve_until_signal(options, |server| announce(server, [&path, &prefix], simulator.base_url(), outage)).await;
    simulator.shutdown().await;
    result
}

/// Writes a file that only its owner can read, as a real key should be.
fn write_privately(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

/// Prints to stdout where to look and what to see there.
fn announce(server: &Server, [path, prefix]: [&str; 2], simulator: &str, outage: Duration) {
    let address = server.addresses().first().map_or_else(String::new, ToString::to_string);
    let stopping = World::DEMO_STOPPING;
    let text = format!(
        "\nThe demo is running against a simulated Google Analytics at {simulator}. Open\n\
         \n    http://{address}{path}   the metrics\
         \n    http://{address}{prefix}/          every property at a glance\n\
         \nLook at\n\
         \n    google_analytics_realtime_pageviews      pageviews of the last 30 minutes, of each property\
         \n    google_analytics_today_visitors          visitors since the property's own midnight\
         \n    google_analytics_property_info           names, accounts and time zones, to be joined by property_id\
         \n    ...{{property_id=\"{stopping}\"}}          its traffic stops within 2 minutes, for {outage}:\
         \n                                             google_analytics_monitor_dropping becomes 1, and with the rules\
         \n                                             in deploy/prometheus that pages\
         \n    ...{{property_id=\"{silent}\"}}          has no traffic at all: 0, not absent\
         \n    ...{{property_id=\"{forbidden}\"}}          cannot be read: report_up is 0, report_failure says why\n\
         \nStop it with Ctrl-C.\n\n",
        outage = humantime::format_duration(outage),
        silent = World::DEMO_SILENT,
        forbidden = World::DEMO_FORBIDDEN,
    );
    // If stdout is closed, nobody reads the text.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// The default configuration: discovery, as with an empty file, and every preset, so that all dashboards have data.
const CONFIG: &str = "\
discovery: {enabled: true}
reports:
  pages: {preset: pages}
  landing_pages: {preset: landing_pages}
  sources: {preset: sources}
  channels: {preset: channels}
  countries: {preset: countries}
  devices: {preset: devices}
  events: {preset: events}
  realtime_pages: {preset: realtime_pages, interval: 3m}
  realtime_countries: {preset: realtime_countries, interval: 3m}
  realtime_events: {preset: realtime_events, interval: 3m}
";
