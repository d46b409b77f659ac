//! A simulated Google, a clock, and runs of `sync` in this process.

use std::{collections::BTreeMap, fs, path::PathBuf};

use clap::Parser;
use ga4_simulator::{Account, Method, Property, Simulator, World};
use google_analytics_exporter::{
    auth::credentials::Environment,
    cli::{Cli, Command},
    clock::Clock,
    commands::{self, google::Surroundings},
    database,
    transport::Roots,
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use tempfile::TempDir;

/// Revised for 72 hours; its days are those of Berlin.
pub(crate) const SHOP: &str = "313110001";

/// The same, where days end 11 hours earlier.
pub(crate) const NEWS: &str = "313110002";

/// Without any traffic.
pub(crate) const EMPTY: &str = "313110003";

/// When the clock starts: in the night of Berlin, and in the afternoon of Kiribati.
pub(crate) const START: &str = "2026-11-23T02:00:00Z";

/// Google, the time and a directory.
pub(crate) struct Town {
    pub(crate) simulator: Simulator,
    pub(crate) clock: Clock,
    pub(crate) directory: TempDir,
    pub(crate) surroundings: Surroundings,
    pub(crate) databases: database::DatabaseEnvironment,
}

/// The properties that most tests look at.
pub(crate) fn world() -> World {
    let created: Timestamp = "2026-10-20T12:00:00Z".parse().unwrap();
    let property = |id, name, zone| Property::new(id, name).time_zone(zone).pageviews_per_hour(40.0).created(created);
    let account = Account::new("104112001", "Example")
        .property(property(SHOP, "Shop", "Europe/Berlin").revised())
        .property(property(NEWS, "News", "Pacific/Kiritimati").revised())
        .property(property(EMPTY, "Empty", "America/New_York").without_traffic());
    World::new(7).account(account).log_length(100_000)
}

impl Town {
    pub(crate) async fn new() -> Self {
        Self::of(world()).await
    }

    pub(crate) async fn of(world: World) -> Self {
        let clock = Clock::starting_at(START.parse().unwrap());
        let time = clock.clone();
        let simulator = Simulator::on_loopback(world, move || time.now()).await.unwrap();
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join("key.json"), simulator.key_file_json()).unwrap();
        let surroundings =
            Surroundings { environment: Environment::default(), roots: Roots::Nobody, clock: clock.clone() };
        Self { simulator, clock, directory, surroundings, databases: database::DatabaseEnvironment::default() }
    }

    /// The path of a file in the directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The URL of a SQLite file in the directory.
    pub(crate) fn sqlite(&self, name: &str) -> String {
        format!("sqlite:{}", self.path(name).display())
    }

    /// The flags that lead to the simulator.
    pub(crate) fn google(&self) -> Vec<String> {
        let (url, key) = (self.simulator.base_url(), self.path("key.json"));
        let pairs = [
            ("--google.data-api-url", url.to_owned()),
            ("--google.admin-api-url", url.to_owned()),
            ("--google.credentials-file", key.display().to_string()),
        ];
        pairs.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
    }

    /// One run; what it prints.
    pub(crate) async fn sync(&self, database: &str, arguments: &[&str]) -> Result<String, commands::CommandError> {
        let mut all: Vec<String> = ["x", "sync", "--database", database].map(str::to_owned).to_vec();
        all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self.sync_with(all).await
    }

    /// The same with all arguments.
    pub(crate) async fn sync_with(&self, mut arguments: Vec<String>) -> Result<String, commands::CommandError> {
        arguments.extend(self.google());
        let cli = Cli::try_parse_from(arguments).unwrap();
        let Some(Command::Sync(flags)) = cli.command else { panic!("another command") };
        let mut out = Vec::new();
        let result = commands::sync::run(&flags, &self.surroundings, &self.databases, &mut out).await;
        result.map(|()| String::from_utf8(out).unwrap())
    }

    /// Later on.
    pub(crate) fn pass(&self, hours: i64) {
        self.clock.advance(SignedDuration::from_hours(hours));
    }

    /// How many reports were asked for of a property so far.
    pub(crate) fn reports_of(&self, property: &str) -> usize {
        let is_report = |request: &&ga4_simulator::Request| {
            request.method == Some(Method::RunReport) && request.property.as_deref() == Some(property)
        };
        self.simulator.requests().iter().filter(is_report).count()
    }

    /// What Google says of each day of a property now: pageviews, visitors and sessions.
    pub(crate) fn truth(&self, property: &str, first: Date) -> BTreeMap<String, (i64, i64, i64)> {
        let now = self.clock.now();
        let truth = self.simulator.truth(property).unwrap();
        let last = truth.today(now).yesterday().unwrap();
        let days = first.series(jiff::ToSpan::days(1)).take_while(|date| *date <= last);
        days.map(|date| {
            let tally = truth.days(date, date, now);
            let whole = |number: u64| i64::try_from(number).unwrap();
            (date.to_string(), (whole(tally.pageviews()), whole(tally.total_users()), whole(tally.sessions())))
        })
        .collect()
    }

    /// What a SQLite file has of the same.
    pub(crate) fn stored(&self, name: &str, property: &str) -> BTreeMap<String, (i64, i64, i64)> {
        let connection = rusqlite::Connection::open(self.path(name)).unwrap();
        let sql = "select date, pageviews, visitors, sessions from ga_daily where property_id = ?1";
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([property.parse::<i64>().unwrap()], |row| {
            Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?)))
        });
        rows.unwrap().map(Result::unwrap).collect()
    }
}

/// Everything in a SQLite file but the notes on runs and when days were fetched; a line for each row.
pub(crate) fn dump(path: &std::path::Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let tables =
        "select name from sqlite_master where type = 'table' and name not in ('ga_sync_runs', 'ga_schema') order by 1";
    let mut statement = connection.prepare(tables).unwrap();
    let tables: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut lines = Vec::new();
    for table in tables {
        let mut statement = connection.prepare(&format!("select * from {table}")).unwrap();
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells = names.iter().enumerate().filter(|(_, name)| *name != "fetched_at");
            let cells: Vec<String> =
                cells.map(|(index, name)| format!("{name}={:?}", row.get_ref(index).unwrap())).collect();
            lines.push(format!("{table} {}", cells.join(" ")));
        }
    }
    lines.sort();
    lines
}
