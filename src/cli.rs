//! The command line.
//!
//! Knows the flags and their texts; refuses to know the schema of the configuration file. The value of a flag is
//! validated when it is parsed.

use std::path::PathBuf;
#[cfg(feature = "demo")]
use std::time::Duration;

use clap::{
    Args, Parser, Subcommand,
    builder::{PathBufValueParser, TypedValueParser},
};
use reqwest::Url;

use ga4_exporter_core::{names::PropertyId, shard::Shard, shown};

use crate::{
    build::LONG_VERSION,
    ga::{ADMIN_API_URL, DATA_API_URL},
    http::{Base, ExternalUrl, ListenAddress, RoutePrefix, TelemetryPath},
    telemetry::{LogFormat, LogLevel},
};

pub use history::{BacktestFlags, BaselineFlags, QuietDay};
pub use question::{
    CheckFlags, CheckOutput, CompletionsFlags, PropertiesFlags, PropertiesOutput, QueryFlags, QueryOutput, SetupFlags,
};
pub use sync::SyncFlags;

mod history;
mod question;
pub mod refusal;
mod sync;

/// Prometheus exporter for Google Analytics (GA4): signs in as a service account and exports pageviews and visitors of every
/// property.
///
/// Without a command it serves metrics. It polls Google in the background; a scrape never calls Google.
#[derive(Debug, Parser)]
#[command(name = "google_analytics_exporter", version, long_version = LONG_VERSION)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do; serves metrics when none is given.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The flags of serving.
    #[command(flatten)]
    pub serve: ServeFlags,
}

/// The commands besides serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve against a built-in simulator of Google; needs no Google account.
    #[cfg(feature = "demo")]
    Demo(DemoFlags),
    /// Go online, try everything once, and explain what is wrong: 0 when it works, 1 when something does not.
    Check(CheckFlags),
    /// Print the properties that the credentials can see.
    Properties(PropertiesFlags),
    /// Ask one question and print the answer: by default yesterday's pageviews and visitors.
    Query(Box<QueryFlags>),
    /// Keep daily figures in a database, SQLite or PostgreSQL: late revisions, gaps and the past included.
    Sync(Box<SyncFlags>),
    /// Print the traffic expected in the next 24 hours as CSV.
    Baseline(BaselineFlags),
    /// Replay the drop alert on past traffic: when it would have paged, and the smallest drop that it can detect.
    Backtest(Box<BacktestFlags>),
    /// Print the completions of a shell.
    Completions(CompletionsFlags),
    /// Print the manual page.
    Man,
}

/// The flags of serving.
#[derive(Args, Clone, Debug)]
pub struct ServeFlags {
    /// YAML configuration file. Without it, every property that the credentials can see is exported.
    #[arg(long = "config.file", value_name = "FILE", value_parser = path())]
    pub config_file: Option<PathBuf>,
    /// Validate the configuration offline, print the plan and exit: 0 if it is valid, 64 if it is not.
    #[arg(long = "config.check")]
    pub config_check: bool,
    /// Flags for access to Google.
    #[command(flatten)]
    pub google: GoogleFlags,
    /// Flags of the HTTP server.
    #[command(flatten)]
    pub web: WebFlags,
    /// Which of the properties are exported.
    #[command(flatten)]
    pub shard: ShardFlags,
    /// Flags of the state that survives a restart.
    #[command(flatten)]
    pub storage: StorageFlags,
    /// Flags of the log.
    #[command(flatten)]
    pub log: LogFlags,
}

/// Flags on which of the properties are exported.
#[derive(Args, Clone, Copy, Debug)]
pub struct ShardFlags {
    /// Export only shard I of N of the properties, counted from 0; all N processes use the same configuration.
    #[arg(long = "shard", value_name = "I/N", default_value_t)]
    pub shard: Shard,
}

/// Flags of the state that survives a restart.
#[derive(Args, Clone, Debug)]
pub struct StorageFlags {
    /// Directory for state that survives a restart: recent pageviews by minute, their calibration, the tokens spent and
    /// empty quota buckets. A few KB per property; one exporter per directory. Without it nothing is stored.
    #[arg(long = "storage.path", value_name = "DIR", value_parser = path())]
    pub path: Option<PathBuf>,
}

/// The flags of the demo.
#[cfg(feature = "demo")]
#[derive(Args, Clone, Debug)]
pub struct DemoFlags {
    /// YAML configuration file, as when serving.
    #[arg(long = "config.file", value_name = "FILE", value_parser = path())]
    pub config_file: Option<PathBuf>,
    /// Address to listen on; may be repeated.
    #[arg(long = "web.listen-address", value_name = "ADDRESS", default_value = "127.0.0.1:9674")]
    pub listen_address: Vec<ListenAddress>,
    /// Listen on the sockets that systemd passes (socket activation) instead of on addresses.
    #[arg(long = "web.systemd-socket", conflicts_with = "listen_address")]
    pub systemd_socket: bool,
    /// Path of the metrics, below the route prefix.
    #[arg(long = "web.telemetry-path", value_name = "PATH", default_value_t)]
    pub telemetry_path: TelemetryPath,
    /// Flags for the external URL.
    #[command(flatten)]
    pub base: BaseFlags,
    /// Allow POST and PUT to /-/reload, which reads the configuration again.
    #[arg(long = "web.enable-lifecycle")]
    pub enable_lifecycle: bool,
    /// Length of the simulated outage of one property.
    #[arg(long = "demo.outage", value_name = "DURATION", default_value = "1h", value_parser = humantime::parse_duration)]
    pub outage: Duration,
    /// Which of the properties are exported.
    #[command(flatten)]
    pub shard: ShardFlags,
    /// Flags of the state that survives a restart.
    #[command(flatten)]
    pub storage: StorageFlags,
    /// Flags of the log.
    #[command(flatten)]
    pub log: LogFlags,
}

/// Flags for access to Google and for the properties to export.
#[derive(Args, Clone, Debug)]
pub struct GoogleFlags {
    /// Flags for access to Google.
    #[command(flatten)]
    pub access: AccessFlags,
    /// Export only this property (its number); may be repeated. Cannot be combined with `properties` in the configuration.
    #[arg(long = "google.property", value_name = "ID")]
    pub properties: Vec<PropertyId>,
}

/// Flags for access to Google.
#[derive(Args, Clone, Debug)]
pub struct AccessFlags {
    /// JSON key of a service account, or the file that `gcloud auth application-default login --client-id-file=CLIENT.json`
    /// writes. Without it, google.credentials_file of the configuration, GOOGLE_APPLICATION_CREDENTIALS, gcloud's own file and
    /// the metadata server of Google Cloud are tried in this order.
    #[arg(long = "google.credentials-file", value_name = "FILE", value_parser = path())]
    pub credentials_file: Option<PathBuf>,
    /// Base URL of the Google Analytics Data API.
    #[arg(long = "google.data-api-url", value_name = "URL", default_value = DATA_API_URL, value_parser = web_url)]
    pub data_api_url: Url,
    /// Base URL of the Google Analytics Admin API.
    #[arg(long = "google.admin-api-url", value_name = "URL", default_value = ADMIN_API_URL, value_parser = web_url)]
    pub admin_api_url: Url,
}

/// Flags of the HTTP server.
#[derive(Args, Clone, Debug)]
pub struct WebFlags {
    /// Address to listen on, such as `:9674`, `[::1]:9674` or `127.0.0.1:0`; may be repeated.
    #[arg(long = "web.listen-address", value_name = "ADDRESS", default_value = ":9674")]
    pub listen_address: Vec<ListenAddress>,
    /// Listen on the sockets that systemd passes (socket activation) instead of on addresses.
    #[arg(long = "web.systemd-socket", conflicts_with = "listen_address")]
    pub systemd_socket: bool,
    /// Path of the metrics, below the route prefix.
    #[arg(long = "web.telemetry-path", value_name = "PATH", default_value_t)]
    pub telemetry_path: TelemetryPath,
    /// Flags for the external URL.
    #[command(flatten)]
    pub base: BaseFlags,
    /// Allow POST and PUT to /-/reload, which reads the configuration again.
    #[arg(long = "web.enable-lifecycle")]
    pub enable_lifecycle: bool,
}

/// Flags for the external URL of the exporter. They mean what Prometheus' flags of the same names mean.
#[derive(Args, Clone, Debug)]
pub struct BaseFlags {
    /// URL under which the exporter is reachable from outside, for example through a reverse proxy; redirects and the targets of
    /// /sd use it. Its path is the prefix of all endpoints. Without it, the host that the client asks for is used.
    /// X-Forwarded-* headers are ignored.
    #[arg(long = "web.external-url", value_name = "URL", default_value_t, hide_default_value = true)]
    pub external_url: ExternalUrl,
    /// Path prefix of the endpoints as requests reach the exporter: / if the proxy strips the path. Without it, the path of
    /// --web.external-url.
    #[arg(long = "web.route-prefix", value_name = "PATH", default_value_t, hide_default_value = true)]
    pub route_prefix: RoutePrefix,
}

impl BaseFlags {
    /// Returns the base that both flags define.
    pub fn base(self) -> Base {
        Base::new(self.external_url, self.route_prefix)
    }
}

/// Flags of the log.
#[derive(Args, Clone, Copy, Debug)]
pub struct LogFlags {
    /// Lowest severity to log: debug, info, warn or error.
    #[arg(long = "log.level", value_name = "LEVEL", default_value_t = LogLevel::INFO)]
    pub level: LogLevel,
    /// Format of the log, which goes to stderr: logfmt or json.
    #[arg(long = "log.format", value_name = "FORMAT", default_value_t)]
    pub format: LogFormat,
}

/// Parses the path of a file or directory, and rejects the content of one.
fn path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| shown::checked(&path).map(|()| path))
}

/// Parses an `http` or `https` URL without a query.
fn web_url(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|error| format!("{error}; write it like {DATA_API_URL}"))?;
    let usable = ["http", "https"].contains(&url.scheme()) && url.has_host();
    if usable && url.query().is_none() && url.fragment().is_none() {
        Ok(url)
    } else {
        Err(format!("it must be an http or https URL without a query, like {DATA_API_URL}"))
    }
}

impl Cli {
    /// Returns whether to use the sockets that systemd passes.
    pub fn takes_sockets(&self) -> bool {
        match &self.command {
            #[cfg(feature = "demo")]
            Some(Command::Demo(flags)) => flags.systemd_socket,
            Some(
                Command::Check(_)
                | Command::Properties(_)
                | Command::Query(_)
                | Command::Sync(_)
                | Command::Baseline(_)
                | Command::Backtest(_)
                | Command::Completions(_)
                | Command::Man,
            ) => false,
            None => self.serve.web.systemd_socket && !self.serve.config_check,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let cli = Cli::try_parse_from(["x"]).unwrap();
        assert_eq!(cli.serve.web.listen_address, [":9674".parse().unwrap()]);
        assert_eq!(cli.serve.google.access.data_api_url.as_str(), "https://analyticsdata.googleapis.com/");
        assert_eq!(cli.serve.google.access.admin_api_url.as_str(), "https://analyticsadmin.googleapis.com/");
    }

    #[test]
    fn the_base_is_that_of_prometheus_flags() {
        for (arguments, prefix) in [
            (&[][..], ""),
            (&["--web.external-url="], ""),
            (&["--web.external-url=http://example.com/ga/"], "/ga"),
            (&["--web.external-url=http://example.com/ga/", "--web.route-prefix="], "/ga"),
            (&["--web.external-url=http://example.com/ga/", "--web.route-prefix=/"], ""),
            (&["--web.route-prefix=ga"], "/ga"),
        ] {
            let cli = Cli::try_parse_from([&["x"], arguments].concat()).unwrap();
            assert_eq!(cli.serve.web.base.base().prefix(), prefix, "{arguments:?}");
        }
    }

    #[test]
    fn a_check_takes_no_sockets() {
        let takes = |arguments: &[&str]| Cli::try_parse_from(arguments).unwrap().takes_sockets();
        assert!(takes(&["x", "--web.systemd-socket"]));
        assert!(!takes(&["x", "--web.systemd-socket", "--config.check"]));
        assert!(!takes(&["x"]));
    }

    #[test]
    fn wrong_values_are_refused_with_what_is_right() {
        for (flag, value, expected) in [
            ("--google.property", "G-ABC", "Admin > Property"),
            ("--google.data-api-url", "analyticsdata.googleapis.com", "write it like https://"),
            ("--google.data-api-url", "ftp://x", "http or https"),
            ("--web.listen-address", "9674", "`:9674`"),
            ("--web.telemetry-path", "metrics", "start with a slash"),
            ("--web.external-url", "example.com", "like https://"),
            ("--web.external-url", "https://example.com/?x", "must not have a query"),
            ("--web.route-prefix", "/a//b", "single slashes"),
            ("--shard", "3/3", "the last is `2/3`"),
            ("--log.level", "loud", "debug, info, warn or error"),
        ] {
            let message = Cli::try_parse_from(["x", flag, value]).unwrap_err().to_string();
            assert!(message.contains(expected), "{flag} {value}: {message}");
        }
    }
}
