//! Daily figures in a file.
//!
//! The journal is the rollback journal: readers such as Grafana or SQLite's own shell need no right to write beside the
//! file, and see whole transactions only. One run at a time writes: it holds a lock on a file beside the database,
//! which the system releases when the process ends, however it ends.

use std::{
    collections::BTreeMap,
    fs::{File, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{Timestamp, civil::Date};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params};

use super::{
    Batch, DatabaseError, PropertyRow, RunEnd, number,
    schema::{self, Dialect, Preparation, Present},
    whole,
};
use ga4_exporter_core::{
    daily::{Changed, RowChange, Table, keep_hidden},
    names::{PropertyId, ReportName},
    shown::ShownPath,
};

mod rows;

/// An open file. Dropping the last clone releases the lock.
#[derive(Clone, Debug)]
pub struct Sqlite {
    connection: Arc<Mutex<Connection>>,
    /// `None` if the file is open for reading only.
    _lock: Option<Arc<Lock>>,
}

/// The lock of one run.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    /// A process that was started meanwhile may have the file open, too.
    fn drop(&mut self) {
        // The end of the process releases it at the latest.
        let _ = self.0.unlock();
    }
}

impl Sqlite {
    pub(super) async fn open(path: &Path) -> Result<Self, DatabaseError> {
        let path = path.to_owned();
        on_blocking_thread(DEADLINE, move || {
            let location = || format!("sqlite:{}", ShownPath(&path));
            let open = |cause: super::Cause| DatabaseError::Open { location: location(), cause };
            let lock = lock(&path).map_err(|error| match error {
                Refused::Held(holder) => DatabaseError::Busy { what: location(), holder },
                Refused::Failed(cause) => open(cause.into()),
            })?;
            let mut connection = connect(&path, OpenFlags::default()).map_err(|cause| open(cause.into()))?;
            migrate(&mut connection).map_err(|error| error.at_open(&location()))?;
            Ok(Self { connection: Arc::new(Mutex::new(connection)), _lock: Some(Arc::new(lock)) })
        })
        .await
    }

    pub(super) async fn look(path: &Path) -> Result<Option<Self>, DatabaseError> {
        let path = path.to_owned();
        on_blocking_thread(DEADLINE, move || {
            if !path.exists() {
                return Ok(None);
            }
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let location = format!("sqlite:{}", ShownPath(&path));
            let open = |cause: rusqlite::Error| DatabaseError::Open { location: location.clone(), cause: cause.into() };
            let connection = connect(&path, flags).map_err(open)?;
            let version = version(&connection).map_err(|error| error.at_open(&location))?;
            Ok((version > 0).then(|| Self { connection: Arc::new(Mutex::new(connection)), _lock: None }))
        })
        .await
    }

    pub(super) async fn prepare(&self, table: &Table) -> Result<Option<String>, DatabaseError> {
        let table = table.clone();
        self.within(move |transaction| {
            let present = present(transaction, table.name())?;
            let report = table.report().as_str();
            let earlier = definition(transaction, report)?;
            let preparation = Preparation::new(Dialect::Sqlite, &table, &present, earlier.as_deref());
            let Preparation { statements, reason, definition } = preparation.map_err(DatabaseError::Shape)?;
            for statement in &statements {
                transaction.execute_batch(statement)?;
            }
            let mut stored = 0;
            if reason.is_some() {
                stored = transaction.execute("update ga_days set settled = 0 where report = ?1", [report])?;
            }
            if earlier.as_ref() != Some(&definition) {
                let sql = "insert into ga_reports values (?1, ?2) on conflict (report) do update set definition = ?2";
                transaction.execute(sql, [report, definition.as_str()])?;
            }
            Ok(reason.filter(|_| stored > 0))
        })
        .await
    }

    pub(super) async fn definition(&self, report: &ReportName) -> Result<Option<String>, DatabaseError> {
        let report = report.to_string();
        self.run(move |connection| definition(connection, &report)).await
    }

    pub(super) async fn settled(
        &self,
        property: PropertyId,
        report: &ReportName,
    ) -> Result<BTreeMap<Date, bool>, DatabaseError> {
        let report = report.to_string();
        self.run(move |connection| {
            let mut statement =
                connection.prepare("select date, settled from ga_days where property_id = ?1 and report = ?2")?;
            let rows = statement.query_map(params![number(property), report], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?))
            })?;
            rows.map(|row| {
                row.map_err(DatabaseError::from).and_then(|(date, settled)| Ok((rows::day(&date)?, settled)))
            })
            .collect()
        })
        .await
    }

    pub(super) async fn replace(&self, table: &Table, mut batch: Batch) -> Result<Changed, DatabaseError> {
        let table = table.clone();
        self.within(move |transaction| {
            let stored = rows::stored(transaction, &table, batch.property, batch.span)?;
            keep_hidden(&mut batch.rows, &stored, &batch.hidden);
            let change = RowChange::between(&stored, &batch.rows);
            rows::delete(transaction, &table, batch.property, &change.deletes)?;
            rows::upsert(transaction, &table, batch.property, change.inserts.iter().chain(&change.updates))?;
            rows::mark(transaction, &table, &batch)?;
            Ok(change.size())
        })
        .await
    }

    pub(super) async fn property(&self, property: PropertyId) -> Result<Option<PropertyRow>, DatabaseError> {
        self.run(move |connection| {
            let row = connection.query_row(
                "select property_name, property_type, account_id, account_name, time_zone, currency, created \
                 from ga_properties where property_id = ?1",
                [number(property)],
                |row| {
                    Ok(PropertyRow {
                        name: row.get(0)?,
                        property_type: row.get(1)?,
                        account_id: row.get(2)?,
                        account_name: row.get(3)?,
                        time_zone: row.get(4)?,
                        currency: row.get(5)?,
                        created: row.get::<_, Option<String>>(6)?.and_then(|date| date.parse().ok()),
                    })
                },
            );
            Ok(row.optional()?)
        })
        .await
    }

    pub(super) async fn save_property(&self, property: PropertyId, row: PropertyRow) -> Result<(), DatabaseError> {
        self.within(move |transaction| {
            let created = row.created.map(|date| date.to_string());
            transaction.execute(
                "insert into ga_properties values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) on conflict (property_id) do update set \
                 property_name = ?2, property_type = ?3, account_id = ?4, account_name = ?5, time_zone = ?6, currency = ?7, \
                 created = ?8 where property_name is not ?2 or property_type is not ?3 or account_id is not ?4 \
                 or account_name is not ?5 or time_zone is not ?6 or currency is not ?7 or created is not ?8",
                params![
                    number(property),
                    row.name,
                    row.property_type,
                    row.account_id,
                    row.account_name,
                    row.time_zone,
                    row.currency,
                    created
                ],
            )?;
            Ok(())
        })
        .await
    }

    pub(super) async fn begin_run(&self, at: Timestamp) -> Result<i64, DatabaseError> {
        self.within(move |transaction| {
            transaction.execute(
                "insert into ga_sync_runs (started_at, outcome, properties, failed, rows_changed, tokens) \
                 values (?1, 'running', 0, 0, 0, 0)",
                [second(at)],
            )?;
            Ok(transaction.last_insert_rowid())
        })
        .await
    }

    pub(super) async fn end_run(&self, run: i64, end: RunEnd) -> Result<(), DatabaseError> {
        self.within(move |transaction| {
            transaction.execute(
                "update ga_sync_runs set ended_at = ?2, outcome = ?3, properties = ?4, failed = ?5, rows_changed = ?6, \
                 tokens = ?7 where run_id = ?1",
                params![
                    run,
                    second(end.at),
                    end.outcome,
                    whole(end.properties),
                    whole(end.failed),
                    whole(end.rows_changed),
                    i64::try_from(end.tokens).unwrap_or(i64::MAX)
                ],
            )?;
            Ok(())
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let connection = Arc::clone(&self.connection);
        on_blocking_thread(DEADLINE, move || work(&mut connection.lock().unwrap_or_else(PoisonError::into_inner))).await
    }

    /// In one transaction, which ends with the work or leaves no trace.
    async fn within<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        self.run(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        })
        .await
    }
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::PermissionDenied
                | ErrorCode::CannotOpen,
            ) => Self::Unusable(error.into()),
            _ => Self::Statement(error.into()),
        }
    }
}

/// A time as SQLite's own functions read it.
fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Works on a thread that may block, because the disk may hang, and waits until the deadline.
async fn on_blocking_thread<T: Send + 'static>(
    deadline: Duration,
    work: impl FnOnce() -> Result<T, DatabaseError> + Send + 'static,
) -> Result<T, DatabaseError> {
    match tokio::time::timeout(deadline, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(result)) => result,
        Ok(Err(panicked)) => std::panic::resume_unwind(panicked.into_panic()),
        Err(_) => Err(DatabaseError::Slow(deadline)),
    }
}

/// Why the lock could not be acquired.
enum Refused {
    Held(String),
    Failed(std::io::Error),
}

/// Locks the file beside the database, and writes into it who has it.
fn lock(database: &Path) -> Result<Lock, Refused> {
    let mut name = database.as_os_str().to_owned();
    name.push(LOCK);
    let mut options = File::options();
    let path = PathBuf::from(name);
    let mut file = options.read(true).write(true).create(true).truncate(false).open(path).map_err(Refused::Failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Without it the message says less.
            let _ = file.take(LONGEST_HOLDER).read_to_string(&mut holder);
            let holder = ga4_exporter_core::shown::name(holder.trim());
            return Err(Refused::Held(if holder.is_empty() { "another process".to_owned() } else { holder }));
        }
        Err(TryLockError::Error(error)) => return Err(Refused::Failed(error)),
    }
    let holder = format!("process {} on {}\n", std::process::id(), super::host());
    let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(holder.as_bytes()));
    written.map_err(Refused::Failed)?;
    Ok(Lock(file))
}

fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// The version of the tables; 0 where there are none.
fn version(connection: &Connection) -> Result<i32, DatabaseError> {
    let exists = "select count(*) from sqlite_master where type = 'table' and name = 'ga_schema'";
    if connection.query_row(exists, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(0);
    }
    let found = connection.query_row("select coalesce(max(version), 0) from ga_schema", [], |row| row.get(0))?;
    if found > schema::VERSION { Err(DatabaseError::Newer { found }) } else { Ok(found) }
}

fn migrate(connection: &mut Connection) -> Result<(), DatabaseError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    if found == schema::VERSION {
        return Ok(());
    }
    transaction.execute_batch("create table if not exists ga_schema (version int not null)")?;
    for statement in schema::migrations(Dialect::Sqlite, found) {
        transaction.execute_batch(&statement)?;
    }
    transaction.execute("delete from ga_schema", [])?;
    transaction.execute("insert into ga_schema values (?1)", [schema::VERSION])?;
    Ok(transaction.commit()?)
}

/// The definition that the days of a report were stored with.
fn definition(connection: &Connection, report: &str) -> Result<Option<String>, DatabaseError> {
    let sql = "select definition from ga_reports where report = ?1";
    Ok(connection.query_row(sql, [report], |row| row.get(0)).optional()?)
}

fn present(transaction: &Transaction<'_>, table: &str) -> Result<Present, DatabaseError> {
    let mut statement = transaction.prepare("select name, pk from pragma_table_info(?1)")?;
    let rows = statement.query_map([table], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
    let mut present = Present::default();
    for row in rows {
        let (name, place) = row?;
        if place > 0 {
            present.key.insert(name.clone());
        }
        present.columns.insert(name);
    }
    Ok(present)
}

/// The limit of a transaction and of those that it has to wait for: millions of rows may take minutes.
const DEADLINE: Duration = Duration::from_mins(30);

/// How long a reader may keep a transaction from its end.
const BUSY_TIMEOUT: Duration = Duration::from_mins(1);

/// The end of the name of the file that is locked.
const LOCK: &str = ".lock";

const LONGEST_HOLDER: u64 = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_disk_that_hangs_is_given_up() {
        let (release, hang) = std::sync::mpsc::channel::<()>();
        let waited = on_blocking_thread(Duration::from_millis(10), move || {
            let _ = hang.recv();
            Ok(())
        });
        assert!(waited.await.is_err_and(|error| error.is_fatal()));
        drop(release);
    }
}
