//! Daily figures on a PostgreSQL server.
//!
//! One connection: a nightly job needs no more. Rows go to the server as arrays, a statement for all of them. Each
//! property that is being written has an advisory lock, so that shards run side by side; the server releases it when
//! the connection ends, however it ends.

use std::{collections::BTreeMap, fmt, future::Future, sync::Arc, time::Duration};

use jiff::{Timestamp, civil::Date};
use secrecy::ExposeSecret;
use tokio::{
    sync::{Mutex, MutexGuard},
    task::JoinSet,
};
use tokio_postgres::{Client, NoTls, Transaction, config::Host, types::ToSql};

use super::{
    Batch, Cause, DatabaseEnvironment, DatabaseError, DatabaseServer, PropertyRow, RunEnd, Trust, number,
    password::{self, Account},
    schema::{self, Dialect, Preparation, Present, quoted},
    whole,
};
use crate::files::{Aside, READ_DEADLINE};
use ga4_exporter_core::{
    daily::{Changed, ROW_KEY, RowChange, Table, keep_hidden},
    names::{PropertyId, ReportName},
};

mod rows;
mod tls;

/// An open connection. Dropping the last clone closes it.
#[derive(Clone)]
pub struct Postgres {
    client: Arc<Mutex<Client>>,
    /// What reads from the server and writes to it.
    _connection: Arc<JoinSet<()>>,
}

impl Postgres {
    pub(super) async fn open(
        server: &DatabaseServer,
        surroundings: &DatabaseEnvironment,
    ) -> Result<Self, DatabaseError> {
        let postgres = Self::connect(server, surroundings).await?;
        postgres.migrate().await.map_err(|error| error.at_open(&server.to_string()))?;
        Ok(postgres)
    }

    pub(super) async fn look(
        server: &DatabaseServer,
        surroundings: &DatabaseEnvironment,
    ) -> Result<Option<Self>, DatabaseError> {
        let postgres = Self::connect(server, surroundings).await?;
        let has_tables = postgres.within(async |transaction| Ok(version(transaction).await? > 0)).await?;
        Ok(has_tables.then_some(postgres))
    }

    async fn connect(server: &DatabaseServer, surroundings: &DatabaseEnvironment) -> Result<Self, DatabaseError> {
        let mut config = server.config.clone();
        if config.get_password().is_none() {
            let (account_of, environment) = (server.clone(), surroundings.clone());
            let read = move || password_of(&account_of, &environment).map_err(|error| shown(&error));
            let password = aside(server, "the password file", read).await?;
            if let Some(password) = password {
                config.password(password.expose_secret());
            }
        }
        if config.get_application_name().is_none() {
            config.application_name(format!("{APPLICATION} on {} ({})", super::host(), std::process::id()));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        let open = |cause: Cause| DatabaseError::Open { location: server.to_string(), cause };
        let mut tasks = JoinSet::new();
        let client = if server.trust == Trust::Plain {
            let (client, connection) = limited(config.connect(NoTls)).await?.map_err(|error| open(error.into()))?;
            tasks.spawn(driven(connection));
            client
        } else {
            let roots = server.root_certificates.clone().or_else(|| surroundings.root_certificates.clone());
            let trust = server.trust;
            let tls = aside(server, "certificates", move || tls::connector(roots.as_deref(), trust)).await?;
            let (client, connection) = limited(config.connect(tls)).await?.map_err(|error| open(error.into()))?;
            tasks.spawn(driven(connection));
            client
        };
        Ok(Self { client: Arc::new(Mutex::new(client)), _connection: Arc::new(tasks) })
    }

    async fn migrate(&self) -> Result<(), DatabaseError> {
        self.within(async |transaction| {
            check_encoding(transaction).await?;
            transaction.execute("select pg_advisory_xact_lock($1)", &[&SCHEMA_LOCK]).await?;
            let found = version(transaction).await?;
            if found == schema::VERSION {
                return Ok(());
            }
            transaction.batch_execute("create table if not exists ga_schema (version int not null)").await?;
            for statement in schema::migrations(Dialect::Postgres, found) {
                transaction.batch_execute(&statement).await?;
            }
            transaction.execute("delete from ga_schema", &[]).await?;
            transaction.execute("insert into ga_schema values ($1)", &[&schema::VERSION]).await?;
            Ok(())
        })
        .await
    }

    pub(super) async fn prepare(&self, table: &Table) -> Result<Option<String>, DatabaseError> {
        self.within(async |transaction| {
            transaction.execute("select pg_advisory_xact_lock($1)", &[&SCHEMA_LOCK]).await?;
            let present = present(transaction, table.name()).await?;
            let report = table.report().as_str();
            let earlier = transaction.query_opt(DEFINITION, &[&report]).await?;
            let earlier: Option<String> = earlier.map(|row| row.try_get(0)).transpose()?;
            let preparation = Preparation::new(Dialect::Postgres, table, &present, earlier.as_deref());
            let Preparation { statements, reason, definition } = preparation.map_err(DatabaseError::Shape)?;
            for statement in &statements {
                transaction.batch_execute(statement).await?;
            }
            let mut stored = 0;
            if reason.is_some() {
                let sql = "update ga_days set settled = false where report = $1";
                stored = transaction.execute(sql, &[&report]).await?;
            }
            if earlier.as_ref() != Some(&definition) {
                let sql = "insert into ga_reports values ($1, $2) \
                           on conflict (report) do update set definition = excluded.definition";
                transaction.execute(sql, &[&report, &definition]).await?;
            }
            Ok(reason.filter(|_| stored > 0))
        })
        .await
    }

    pub(super) async fn definition(&self, report: &ReportName) -> Result<Option<String>, DatabaseError> {
        let client = self.client().await;
        let row = limited(client.query_opt(DEFINITION, &[&report.as_str()])).await??;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    pub(super) async fn claim(&self, property: PropertyId) -> Result<(), DatabaseError> {
        let key = lock_of(property);
        let client = self.client().await;
        let row = limited(client.query_one("select pg_try_advisory_lock($1)", &[&key])).await??;
        if row.get(0) {
            return Ok(());
        }
        let holder = limited(client.query_opt(HOLDER, &[&key])).await??;
        let holder: String = holder.map(|row| row.try_get(0)).transpose()?.unwrap_or_else(|| "another run".to_owned());
        let holder = ga4_exporter_core::shown::name(&holder);
        Err(DatabaseError::Busy { what: format!("property {property}"), holder })
    }

    pub(super) async fn release(&self, property: PropertyId) -> Result<(), DatabaseError> {
        let client = self.client().await;
        limited(client.execute("select pg_advisory_unlock($1)", &[&lock_of(property)])).await??;
        Ok(())
    }

    pub(super) async fn settled(
        &self,
        property: PropertyId,
        report: &ReportName,
    ) -> Result<BTreeMap<Date, bool>, DatabaseError> {
        let client = self.client().await;
        let sql = "select date, settled from ga_days where property_id = $1 and report = $2";
        let rows = limited(client.query(sql, &[&number(property), &report.as_str()])).await??;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    pub(super) async fn replace(&self, table: &Table, mut batch: Batch) -> Result<Changed, DatabaseError> {
        self.within(async |transaction| {
            let stored = rows::stored(transaction, table, batch.property, batch.span).await?;
            keep_hidden(&mut batch.rows, &stored, &batch.hidden);
            let change = RowChange::between(&stored, &batch.rows);
            rows::delete(transaction, table, batch.property, &change.deletes).await?;
            let changed: Vec<_> = change.inserts.iter().chain(&change.updates).copied().collect();
            rows::upsert(transaction, table, batch.property, &changed).await?;
            rows::mark(transaction, table, &batch).await?;
            Ok(change.size())
        })
        .await
    }

    pub(super) async fn property(&self, property: PropertyId) -> Result<Option<PropertyRow>, DatabaseError> {
        let client = self.client().await;
        let sql = "select property_name, property_type, account_id, account_name, time_zone, currency, created \
                   from ga_properties where property_id = $1";
        let Some(row) = limited(client.query_opt(sql, &[&number(property)])).await?? else { return Ok(None) };
        Ok(Some(PropertyRow {
            name: row.try_get(0)?,
            property_type: row.try_get(1)?,
            account_id: row.try_get(2)?,
            account_name: row.try_get(3)?,
            time_zone: row.try_get(4)?,
            currency: row.try_get(5)?,
            created: row.try_get(6)?,
        }))
    }

    pub(super) async fn save_property(&self, property: PropertyId, row: PropertyRow) -> Result<(), DatabaseError> {
        let client = self.client().await;
        let columns = "property_name, property_type, account_id, account_name, time_zone, currency, created";
        let excluded = columns.split(", ").map(|column| format!("excluded.{column}")).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "insert into ga_properties as present (property_id, {columns}) values ($1, $2, $3, $4, $5, $6, $7, $8) \
             on conflict (property_id) do update set ({columns}) = ({excluded}) \
             where (present.{}) is distinct from ({excluded})",
            columns.replace(", ", ", present.")
        );
        let PropertyRow { name, property_type, account_id, account_name, time_zone, currency, created } = row;
        let values: [&(dyn ToSql + Sync); 8] =
            [&number(property), &name, &property_type, &account_id, &account_name, &time_zone, &currency, &created];
        limited(client.execute(&sql, &values)).await??;
        Ok(())
    }

    pub(super) async fn begin_run(&self, at: Timestamp) -> Result<i64, DatabaseError> {
        let client = self.client().await;
        let sql = "insert into ga_sync_runs (started_at, outcome, properties, failed, rows_changed, tokens) \
                   values ($1, 'running', 0, 0, 0, 0) returning run_id";
        Ok(limited(client.query_one(sql, &[&at])).await??.try_get(0)?)
    }

    pub(super) async fn end_run(&self, run: i64, end: RunEnd) -> Result<(), DatabaseError> {
        let client = self.client().await;
        let sql = "update ga_sync_runs set ended_at = $2, outcome = $3, properties = $4, failed = $5, rows_changed = $6, \
                   tokens = $7 where run_id = $1";
        let small = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        let tokens = i64::try_from(end.tokens).unwrap_or(i64::MAX);
        let (properties, failed, rows) = (small(end.properties), small(end.failed), whole(end.rows_changed));
        let values: [&(dyn ToSql + Sync); 7] = [&run, &end.at, &end.outcome, &properties, &failed, &rows, &tokens];
        limited(client.execute(sql, &values)).await??;
        Ok(())
    }

    async fn client(&self) -> MutexGuard<'_, Client> {
        self.client.lock().await
    }

    /// In one transaction, which ends with the work or leaves no trace.
    async fn within<T>(
        &self,
        work: impl AsyncFnOnce(&Transaction<'_>) -> Result<T, DatabaseError>,
    ) -> Result<T, DatabaseError> {
        let mut client = self.client.lock().await;
        let in_transaction = async {
            let transaction = client.transaction().await?;
            let result = work(&transaction).await?;
            transaction.commit().await?;
            Ok(result)
        };
        limited(in_transaction).await?
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").finish_non_exhaustive()
    }
}

impl From<tokio_postgres::Error> for DatabaseError {
    fn from(error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::SqlState;

        let is_ended = |state: &SqlState| {
            [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW].contains(state)
        };
        // An error that is not the server's is one of the connection, but for values that cannot be read.
        let is_of_server = error.as_db_error().is_some();
        let is_lost = error.is_closed()
            || error.code().is_some_and(is_ended)
            || !is_of_server && std::error::Error::source(&error).is_some_and(|cause| cause.is::<std::io::Error>());
        let is_unusable = |state: &SqlState| {
            [SqlState::DISK_FULL, SqlState::READ_ONLY_SQL_TRANSACTION, SqlState::INSUFFICIENT_PRIVILEGE].contains(state)
        };
        if is_lost {
            Self::Lost(error.into())
        } else if error.code().is_some_and(is_unusable) {
            Self::Unusable(error.into())
        } else {
            Self::Statement(error.into())
        }
    }
}

/// Drives a connection. When it ends, pending statements fail.
async fn driven(connection: impl Future<Output = Result<(), tokio_postgres::Error>>) {
    if let Err(error) = connection.await {
        tracing::debug!(%error, "the connection to the database has ended");
    }
}

/// The work, if it ends in time.
async fn limited<T>(work: impl Future<Output = T>) -> Result<T, DatabaseError> {
    tokio::time::timeout(DEADLINE, work).await.map_err(|_| DatabaseError::Slow(DEADLINE))
}

/// Reads files for signing in on a thread of its own, since their disk may hang.
async fn aside<T: Send + 'static>(
    server: &DatabaseServer,
    files: &str,
    read: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, DatabaseError> {
    let done = Aside::start("sign-in").run(READ_DEADLINE, read).await;
    let read = done.unwrap_or_else(|hangs| Err(format!("cannot read {files}: {hangs}")));
    read.map_err(|reason| DatabaseError::SignIn { location: server.to_string(), reason })
}

fn password_of(
    server: &DatabaseServer,
    surroundings: &DatabaseEnvironment,
) -> Result<Option<secrecy::SecretString>, super::PasswordError> {
    if surroundings.password.is_some() {
        return Ok(surroundings.password.clone());
    }
    let Some(path) = &surroundings.password_file else { return Ok(None) };
    let config = &server.config;
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        // As libpq calls it.
        Some(Host::Unix(_)) | None => "localhost".to_owned(),
    };
    let user = config.get_user().unwrap_or_default();
    let account = Account {
        host: &host,
        port: config.get_ports().first().copied().unwrap_or(PORT),
        database: config.get_dbname().unwrap_or(user),
        user,
    };
    password::in_file(path, account)
}

fn shown(error: &(dyn std::error::Error + 'static)) -> String {
    ga4_exporter_core::chain::Chain(error).to_string()
}

/// The version of the tables; 0 where there are none.
async fn version(transaction: &Transaction<'_>) -> Result<i32, DatabaseError> {
    if transaction.query_one("select to_regclass('ga_schema') is null", &[]).await?.get(0) {
        return Ok(0);
    }
    let found = transaction.query_one("select coalesce(max(version), 0) from ga_schema", &[]).await?.get(0);
    if found > schema::VERSION { Err(DatabaseError::Newer { found }) } else { Ok(found) }
}

/// Refuses encodings that cannot store all Unicode text.
async fn check_encoding(transaction: &Transaction<'_>) -> Result<(), DatabaseError> {
    let encoding: String = transaction.query_one("show server_encoding", &[]).await?.try_get(0)?;
    if ENCODINGS.contains(&encoding.as_str()) {
        return Ok(());
    }
    Err(DatabaseError::Shape(format!(
        "the database has the encoding {}, which cannot store all Unicode text; create one with: create database … \
         template template0 encoding 'UTF8'",
        ga4_exporter_core::shown::name(&encoding)
    )))
}

/// Reads what a table has. Columns of the key and the hash of the dimensions are not null, metrics may be.
async fn present(transaction: &Transaction<'_>, table: &str) -> Result<Present, DatabaseError> {
    let sql = "select attname::text, attnotnull, atttypid = 'bigint'::regtype from pg_attribute \
               where attrelid = to_regclass($1) and attnum > 0 and not attisdropped";
    let mut present = Present::default();
    for row in transaction.query(sql, &[&quoted(table)]).await? {
        let name: String = row.try_get(0)?;
        if row.try_get(1)? && name != ROW_KEY {
            present.key.insert(name.clone());
        }
        if row.try_get(2)? {
            present.integers.insert(name.clone());
        }
        present.columns.insert(name);
    }
    Ok(present)
}

/// One lock for each property, beside those of other programs.
fn lock_of(property: PropertyId) -> i64 {
    LOCKS ^ number(property)
}

/// Who has a lock. Another role sees neither the address nor the time.
const HOLDER: &str = "select coalesce(nullif(a.application_name, ''), 'a program') || ' of ' || coalesce(a.usename, '?') || \
     coalesce(' at ' || coalesce(host(a.client_addr), 'the server itself') || \
     ', since ' || to_char(a.backend_start, 'YYYY-MM-DD HH24:MI TZ'), '') \
     from pg_locks l join pg_stat_activity a using (pid) \
     where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and (l.classid::bigint << 32 | l.objid::bigint) = $1 \
     and l.database = (select oid from pg_database where datname = current_database())";

const DEFINITION: &str = "select definition from ga_reports where report = $1";

/// `SQL_ASCII` stores bytes as they come: those of UTF-8.
const ENCODINGS: [&str; 2] = ["UTF8", "SQL_ASCII"];

const APPLICATION: &str = "google_analytics_exporter sync";

/// Numbers that no other program is likely to use: `ga4` in ASCII, shifted up.
const LOCKS: i64 = 0x6761_3400 << 32;

const SCHEMA_LOCK: i64 = LOCKS;

const PORT: u16 = 5432;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a transaction may take. That of 250,000 rows takes seconds.
const DEADLINE: Duration = Duration::from_mins(5);
