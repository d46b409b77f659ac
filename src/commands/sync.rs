//! `sync`: brings a database of daily figures up to date.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    io::Write,
    path::Path,
};

use jiff::{Timestamp, civil::Date};
use tracing::{error, info, warn};

use super::{
    CommandError,
    google::{Google, Surroundings},
    print,
};
use crate::{
    cli::SyncFlags,
    config::Config,
    database::{self, Database, DatabaseError, DatabaseUrl, Location, RunEnd},
    files::Aside,
    reload::ConfigSource,
    sync::{self, Estimate, Figures, Job, Progress, Totals},
};
use ga4_drop_baseline::calendar::Zone;
use ga4_exporter_core::{
    chain::Chain,
    daily::{Table, WantedDays},
    names::PropertyId,
    properties::{Properties, PropertyInfo},
};

/// Brings the database up to date, or says what that would take.
///
/// # Errors
/// Something is wrong on the command line or in the configuration, the database or Google cannot be reached, or properties lack
/// their last days.
pub async fn run(
    flags: &SyncFlags,
    surroundings: &Surroundings,
    databases: &database::DatabaseEnvironment,
    out: &mut (dyn Write + Send),
) -> Result<(), CommandError> {
    let source = ConfigSource {
        file: flags.config_file.clone(),
        properties: flags.google.properties.clone(),
        credentials_file: flags.google.access.credentials_file.clone(),
    };
    let loaded = source.load_aside(&Aside::start("configuration")).await?;
    for warning in loaded.warnings_at(surroundings.now()) {
        warn!("{warning}");
    }
    let config = loaded.config;
    let run = Run::new(flags, config, source, surroundings.now())?;
    if flags.dry_run {
        let text = run.estimate(surroundings, databases).await?.to_string();
        return print(text.as_bytes(), out);
    }
    let ended = run.all(surroundings, databases).await;
    let written = match &flags.textfile {
        Some(path) => run.write_figures(path, &ended, surroundings.now()),
        None => Ok(()),
    };
    verdict(ended).and(written)
}

/// One run: its settings and what it keeps.
struct Run<'a> {
    flags: &'a SyncFlags,
    config: Config,
    source: ConfigSource,
    location: Location,
    tables: Vec<Table>,
    wanted: WantedDays,
}

impl<'a> Run<'a> {
    fn new(flags: &'a SyncFlags, config: Config, source: ConfigSource, now: Timestamp) -> Result<Self, CommandError> {
        let location = location(flags, &config)?;
        if flags.shard.shard.count() > 1 && !location.is_shared() {
            return Err(CommandError::Usage(
                "--shard: one run at a time can write to SQLite; leave it out, or use PostgreSQL".to_owned(),
            ));
        }
        let names = if flags.report.is_empty() { &config.sync.reports } else { &flags.report };
        let table =
            |name: &String| config.table(name).map_err(|wrong| CommandError::Usage(format!("--report: {wrong}")));
        let mut seen = BTreeSet::new();
        // A report that is named twice is kept once.
        let names = names.iter().filter(|name| seen.insert(name.as_str()));
        let tables: Vec<Table> = names.map(table).collect::<Result<_, _>>()?;
        let configured = config.sync.wanted();
        let wanted = WantedDays {
            from: flags.from.unwrap_or(configured.from),
            to: flags.to,
            lookback: flags.lookback.unwrap_or(configured.lookback),
        };
        check_days(wanted, now)?;
        Ok(Self { flags, config, source, location, tables, wanted })
    }

    async fn google(&self, surroundings: &Surroundings) -> Result<Google, CommandError> {
        let named = self.source.credentials_file(&self.config);
        Google::reach(&self.flags.google.access, named.as_deref(), surroundings).await
    }

    /// The properties of this shard.
    async fn properties(
        &self,
        google: &Google,
        now: Timestamp,
    ) -> Result<BTreeMap<PropertyId, PropertyInfo>, CommandError> {
        let Config { properties, discovery, most_properties, .. } = &self.config;
        let mut properties = Properties::new(properties, discovery.as_ref(), self.flags.shard.shard);
        if discovery.is_some() {
            let listing = google.client.listed_properties(*most_properties).await;
            properties.on_listing(now, listing.map_err(|error| google.listing_failure(&error))?);
        }
        let set = properties.set();
        if set.active.is_empty() && set.elsewhere == 0 {
            return Err(CommandError::Google(NO_PROPERTIES.to_owned()));
        }
        Ok(set.active)
    }

    async fn estimate(
        &self,
        surroundings: &Surroundings,
        databases: &database::DatabaseEnvironment,
    ) -> Result<Estimate, CommandError> {
        let database = Database::look(&self.location, databases).await?;
        let google = self.google(surroundings).await?;
        let now = surroundings.now();
        let properties = self.properties(&google, now).await?;
        let estimate = sync::estimate(&google.client, database.as_ref(), &self.tables, self.wanted, properties, now);
        Ok(estimate.await?)
    }

    async fn all(&self, surroundings: &Surroundings, databases: &database::DatabaseEnvironment) -> Ended {
        let Self { location, .. } = self;
        if self.url().is_lax() {
            warn!(
                database = %location,
                "sslmode=require does not check the server's name, so that anybody with a certificate of the same authority can \
                 pose as it; write sslmode=verify-full"
            );
        }
        // Opened first: if another run is writing, nothing is sent to Google.
        let opened = async {
            let database = Database::open(location, databases).await?;
            let number = database.begin_run(surroundings.now()).await?;
            Ok((database, number))
        };
        let (database, number) = match opened.await {
            Ok(opened) => opened,
            Err(error) => return Ended::early(error),
        };
        let mut ended = self.work(&database, surroundings).await;
        let totals = ended.totals;
        let outcome = match ended.error {
            None if totals.is_success() && totals.unfinished == 0 => "success",
            None if totals.is_success() => "incomplete",
            None | Some(_) => "failure",
        };
        let end = RunEnd {
            at: surroundings.now(),
            outcome,
            properties: totals.properties,
            failed: totals.failed,
            rows_changed: totals.work.changed.touched(),
            tokens: totals.work.tokens,
        };
        if let Err(error) = database.end_run(number, end).await {
            ended.error.get_or_insert_with(|| error.into());
        }
        ended
    }

    async fn work(&self, database: &Database, surroundings: &Surroundings) -> Ended {
        let found = async {
            let google = self.google(surroundings).await?;
            let properties = self.properties(&google, surroundings.now()).await?;
            Ok((google, properties))
        };
        let (google, properties) = match found.await {
            Ok(found) => found,
            Err(error) => return Ended { totals: Totals::default(), error: Some(error) },
        };
        info!(properties = properties.len(), database = %self.location, "synchronising");
        let progress = Progress::new(properties.len());
        let job = Job {
            client: google.client.clone(),
            database: database.clone(),
            tables: self.tables.clone(),
            wanted: self.wanted,
            share: self.config.commands_share,
            clock: surroundings.clock.clone(),
            witness: google.witness.clone(),
            unusable: BTreeMap::new(),
        };
        let sync::Run { totals, lost } = sync::run(job, properties, |outcome| progress.on(outcome)).await;
        progress.end(&totals);
        Ended { totals, error: lost.map(CommandError::from) }
    }

    fn write_figures(&self, path: &Path, ended: &Ended, at: Timestamp) -> Result<(), CommandError> {
        let totals = ended.totals;
        let figures = Figures {
            at,
            is_success: ended.error.is_none() && totals.is_success(),
            failed: totals.failed,
            rows_changed: totals.work.changed.touched(),
            tokens: totals.work.tokens,
        };
        sync::write_textfile(path, &figures, self.flags.shard.shard).map_err(|error| {
            let path = ga4_exporter_core::shown::ShownPath(path);
            error!(%error, "cannot write the file of --metrics.textfile {path}");
            CommandError::Output(error)
        })
    }

    fn url(&self) -> DatabaseUrl {
        url(self.flags, &self.config)
    }
}

/// Refuses a range without days. Somewhere on Earth it is a day later than in UTC.
fn check_days(wanted: WantedDays, now: Timestamp) -> Result<(), CommandError> {
    let today = Zone::utc().date(now).tomorrow().unwrap_or(Date::MAX);
    if wanted.period(today, None).is_some() {
        return Ok(());
    }
    let last = wanted.to.map_or_else(|| "yesterday".to_owned(), |to| to.to_string());
    Err(CommandError::Usage(format!("--from {} is later than {last}, the last day; check the dates", wanted.from)))
}

fn url(flags: &SyncFlags, config: &Config) -> DatabaseUrl {
    let named = flags.database.as_ref().or(config.sync.database.as_ref());
    named.cloned().unwrap_or_else(DatabaseUrl::default_file)
}

fn location(flags: &SyncFlags, config: &Config) -> Result<Location, CommandError> {
    let location = url(flags, config).location();
    let checked = if flags.database.is_some() { location.and_then(Location::without_password) } else { location };
    checked.map_err(|wrong| CommandError::Usage(format!("--database: {wrong}")))
}

/// How a run ended.
struct Ended {
    /// What was done until then.
    totals: Totals,
    /// What ended it early.
    error: Option<CommandError>,
}

impl Ended {
    fn early(error: DatabaseError) -> Self {
        Self { totals: Totals::default(), error: Some(error.into()) }
    }
}

/// The result that decides the exit code.
fn verdict(ended: Ended) -> Result<(), CommandError> {
    if let Some(error) = ended.error {
        return Err(error);
    }
    let Totals { properties, failed, .. } = ended.totals;
    if failed == 0 {
        return Ok(());
    }
    Err(CommandError::Google(format!("{failed} of {properties} properties are not up to date; see above")))
}

impl From<DatabaseError> for CommandError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(Chain(&error).to_string())
    }
}

/// The environment of this process, as far as it is about databases.
pub fn databases_of_process() -> database::DatabaseEnvironment {
    database::DatabaseEnvironment::of(|name| env::var_os(name))
}

const NO_PROPERTIES: &str = "no property to synchronise: the account has access to none, or discovery selects none; add it as Viewer of a \
    property in Google Analytics under Admin > Property access management, or check discovery.include and discovery.exclude";
