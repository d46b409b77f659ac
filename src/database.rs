//! The database of daily figures: SQLite or PostgreSQL, the same tables in both.
//!
//! Knows how rows, marks and runs are read and written. Refuses to know Google, and how the stored rows differ from an
//! answer's: [`RowChange`](ga4_exporter_core::daily::RowChange) computes that. Invariants: the rows of an answer and
//! the marks of its days change in one transaction, or not at all; unchanged rows are not written; one run at a time
//! writes a property.

use std::{collections::BTreeMap, path::Path, time::Duration};

use jiff::{Timestamp, civil::Date};
use thiserror::Error as ThisError;

use ga4_exporter_core::{
    daily::{Changed, DailyRows, Mark, Span, Table},
    names::{PropertyId, ReportName},
};

pub use location::{DatabaseServer, DatabaseUrl, Location, LocationError, Trust};
pub use password::{DatabaseEnvironment, PasswordError};

use self::{postgres::Postgres, sqlite::Sqlite};

mod location;
mod password;
mod postgres;
mod schema;
mod sqlite;

/// An open database; cheap to clone, and all clones share one connection.
#[derive(Clone, Debug)]
pub enum Database {
    /// A file.
    Sqlite(Sqlite),
    /// A server.
    Postgres(Postgres),
}

/// The days of one answer, which replace what is stored of them.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The property that the answer is about.
    pub property: PropertyId,
    /// The first and the last day, both included.
    pub span: Span,
    /// All rows of these days.
    pub rows: DailyRows,
    /// For each metric, whether the account's role hides it: what is stored of it stays.
    pub hidden: Vec<bool>,
    /// The mark of each of these days, those without rows included.
    pub marks: BTreeMap<Date, Mark>,
    /// When the request was sent.
    pub fetched_at: Timestamp,
}

/// What is stored of a property besides its figures. Unknown texts are empty.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PropertyRow {
    /// The name that its users gave it.
    pub name: String,
    /// `ordinary`, `subproperty` or `rollup`.
    pub property_type: String,
    /// The number of its account.
    pub account_id: String,
    /// The name of its account.
    pub account_name: String,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// ISO 4217 code of its currency.
    pub currency: String,
    /// The day on which it was made, in its zone.
    pub created: Option<Date>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RunEnd {
    /// When the run ended.
    pub at: Timestamp,
    /// `success`, `incomplete` or `failure`.
    pub outcome: &'static str,
    /// The number of properties.
    pub properties: usize,
    /// The number of properties that failed.
    pub failed: usize,
    /// The number of rows that were inserted, updated or deleted.
    pub rows_changed: usize,
    /// The number of tokens that the run spent.
    pub tokens: u64,
}

/// Why the database failed.
#[derive(Debug, ThisError)]
pub enum DatabaseError {
    /// It cannot be reached or opened.
    #[error("cannot open the database {location}")]
    Open {
        /// The file or the server, without the password.
        location: String,
        /// The database's error.
        #[source]
        cause: Cause,
    },
    /// The certificates or the password cannot be used.
    #[error("cannot sign in to the database {location}: {reason}")]
    SignIn {
        /// The server, without the password.
        location: String,
        /// What cannot be used of the certificates or the password, in words.
        reason: String,
    },
    /// It was written by a newer program.
    #[error(
        "the database has version {found}, and this program knows versions up to {}; use the program that wrote it, or a newer \
         one",
        schema::VERSION
    )]
    Newer {
        /// The version of the tables in the database.
        found: i32,
    },
    /// A table, a stored value or the encoding of the database is not as expected; the text says which.
    #[error("{0}")]
    Shape(String),
    /// Another run is writing.
    #[error("{what} is being synchronised by {holder}; wait until that ends, or stop it")]
    Busy {
        /// What is locked: `property 123456789`, or the location of the file.
        what: String,
        /// The program and the machine that hold the lock.
        holder: String,
    },
    /// A statement failed; others may succeed.
    #[error("a database statement failed")]
    Statement(#[source] Cause),
    /// The disk is full or broken, or the right to write is missing: nothing else will work either.
    #[error("the database cannot be used")]
    Unusable(#[source] Cause),
    /// The connection is gone: nothing else will work either.
    #[error("the connection to the database is lost")]
    Lost(#[source] Cause),
    /// A statement or a transaction exceeded its deadline.
    #[error("the database does not answer within {0:?}")]
    Slow(Duration),
}

/// The cause of an error.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

impl Database {
    /// Opens a database and brings its tables up to date.
    ///
    /// # Errors
    /// It cannot be opened, is newer than this program, or is locked by another run.
    pub async fn open(location: &Location, surroundings: &DatabaseEnvironment) -> Result<Self, DatabaseError> {
        match location {
            Location::Sqlite(path) => Sqlite::open(path).await.map(Self::Sqlite),
            Location::Postgres(server) => Postgres::open(server, surroundings).await.map(Self::Postgres),
        }
    }

    /// Opens a database for reading only: nothing is created and nothing is locked. Returns `None` without tables.
    ///
    /// # Errors
    /// It cannot be opened, or is newer than this program.
    pub async fn look(location: &Location, surroundings: &DatabaseEnvironment) -> Result<Option<Self>, DatabaseError> {
        match location {
            Location::Sqlite(path) => Ok(Sqlite::look(path).await?.map(Self::Sqlite)),
            Location::Postgres(server) => Ok(Postgres::look(server, surroundings).await?.map(Self::Postgres)),
        }
    }

    /// Gives a report its table, or its table what it lacks. Returns why all stored days of the report must be requested
    /// again, if they must: it has a new metric, or its numbers mean something else now. Until then they count as not settled.
    ///
    /// # Errors
    /// The table has other dimensions, or the database fails.
    pub async fn prepare(&self, table: &Table) -> Result<Option<String>, DatabaseError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.prepare(table).await,
            Self::Postgres(postgres) => postgres.prepare(table).await,
        }
    }

    /// Returns the definition that the days of a report were stored with, as
    /// [`TableDefinition::to_text`](ga4_exporter_core::daily::TableDefinition::to_text) writes it.
    ///
    /// # Errors
    /// The database fails.
    pub async fn definition(&self, report: &ReportName) -> Result<Option<String>, DatabaseError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.definition(report).await,
            Self::Postgres(postgres) => postgres.definition(report).await,
        }
    }

    /// Claims a property for this run, until [`Self::release`] or the end of this process.
    ///
    /// # Errors
    /// Another run has claimed it.
    pub async fn claim(&self, property: PropertyId) -> Result<(), DatabaseError> {
        match self {
            // The file as a whole is this run's.
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(postgres) => postgres.claim(property).await,
        }
    }

    /// Ends a claim.
    ///
    /// # Errors
    /// The database fails.
    pub async fn release(&self, property: PropertyId) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(postgres) => postgres.release(property).await,
        }
    }

    /// Returns the stored days of a property and report, and whether they are settled.
    ///
    /// # Errors
    /// The database fails.
    pub async fn settled(
        &self,
        property: PropertyId,
        report: &ReportName,
    ) -> Result<BTreeMap<Date, bool>, DatabaseError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.settled(property, report).await,
            Self::Postgres(postgres) => postgres.settled(property, report).await,
        }
    }

    /// Stores an answer, and returns how many rows that changed.
    ///
    /// # Errors
    /// The database fails: then nothing has changed.
    pub async fn replace(&self, table: &Table, batch: Batch) -> Result<Changed, DatabaseError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.replace(table, batch).await,
            Self::Postgres(postgres) => postgres.replace(table, batch).await,
        }
    }

    /// Returns what is stored about a property.
    ///
    /// # Errors
    /// The database fails.
    pub async fn property(&self, property: PropertyId) -> Result<Option<PropertyRow>, DatabaseError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.property(property).await,
            Self::Postgres(postgres) => postgres.property(property).await,
        }
    }

    /// Stores what is known about a property; an unchanged row is not written.
    ///
    /// # Errors
    /// The database fails.
    pub async fn save_property(&self, property: PropertyId, row: PropertyRow) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.save_property(property, row).await,
            Self::Postgres(postgres) => postgres.save_property(property, row).await,
        }
    }

    /// Records the start of a run, and returns its number.
    ///
    /// # Errors
    /// The database fails.
    pub async fn begin_run(&self, at: Timestamp) -> Result<i64, DatabaseError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.begin_run(at).await,
            Self::Postgres(postgres) => postgres.begin_run(at).await,
        }
    }

    /// Records the end of a run.
    ///
    /// # Errors
    /// The database fails.
    pub async fn end_run(&self, run: i64, end: RunEnd) -> Result<(), DatabaseError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.end_run(run, end).await,
            Self::Postgres(postgres) => postgres.end_run(run, end).await,
        }
    }
}

impl Location {
    /// Returns whether several runs may write at the same time, each its own properties.
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Returns the path of a file.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }
}

impl DatabaseError {
    /// Returns whether all further statements would fail too.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Slow(_) | Self::Unusable(_))
    }

    /// The same error with the database that was being opened.
    fn at_open(self, location: &str) -> Self {
        match self {
            Self::Statement(cause) | Self::Unusable(cause) => Self::Open { location: location.to_owned(), cause },
            Self::Open { .. }
            | Self::SignIn { .. }
            | Self::Newer { .. }
            | Self::Shape(_)
            | Self::Busy { .. }
            | Self::Lost(_)
            | Self::Slow(_) => self,
        }
    }
}

/// Properties have up to 10 digits.
fn number(property: PropertyId) -> i64 {
    i64::try_from(property.as_u64()).unwrap_or(i64::MAX)
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The name of this machine.
fn host() -> String {
    let name = rustix::system::uname();
    ga4_exporter_core::shown::name(&name.nodename().to_string_lossy())
}
