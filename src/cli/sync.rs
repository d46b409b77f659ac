//! The flags of `sync`.

use std::path::PathBuf;

use clap::Args;
use ga4_exporter_core::report::Day;

use super::{GoogleFlags, LogFlags, ShardFlags, path};
use crate::{config::sync::lookback, database::DatabaseUrl};

/// The flags of `sync`.
#[derive(Args, Clone, Debug)]
pub struct SyncFlags {
    /// Database to keep: sqlite:PATH or postgres://user@host/database, without a password. Without it, sync.database of the
    /// configuration, else sqlite:google_analytics.db.
    #[arg(long, value_name = "URL")]
    pub database: Option<DatabaseUrl>,
    /// First day: 2026-01-31 or 400daysAgo, in the property's time zone. Without it, sync.from of the configuration, else
    /// 400daysAgo.
    #[arg(long, value_name = "DATE")]
    pub from: Option<Day>,
    /// Last day. Without it, yesterday; today is never stored.
    #[arg(long, value_name = "DATE")]
    pub to: Option<Day>,
    /// Number of last days to ask for again, 3d to 90d. Without it, sync.lookback of the configuration, else 7d.
    #[arg(long, value_name = "DAYS", value_parser = lookback)]
    pub lookback: Option<u16>,
    /// Report to keep: daily, one of the configuration, or a preset; may be repeated. Without it, sync.reports of the
    /// configuration, else daily.
    #[arg(long, value_name = "NAME")]
    pub report: Vec<String>,
    /// Print which days would be asked for, in how many requests and for how many tokens, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// File to write the figures of the run to, for the textfile collector of node_exporter; its name should end in .prom.
    #[arg(long = "metrics.textfile", value_name = "FILE", value_parser = path())]
    pub textfile: Option<PathBuf>,
    /// YAML configuration file. Without it, every property that the credentials can see is exported.
    #[arg(long = "config.file", value_name = "FILE", value_parser = path())]
    pub config_file: Option<PathBuf>,
    /// Flags on how Google is reached, and which properties are kept.
    #[command(flatten)]
    pub google: GoogleFlags,
    /// Which of the properties are kept.
    #[command(flatten)]
    pub shard: ShardFlags,
    /// Flags of the log.
    #[command(flatten)]
    pub log: LogFlags,
}
