//! The tables, as statements that both databases understand.
//!
//! Knows the versions of the fixed tables and how a table of a report is made and grows. Refuses to know how statements are
//! sent. Invariant: no statement here takes a column or a row away.

use std::{collections::BTreeSet, fmt::Write};

use ga4_exporter_core::daily::{MetricColumn, NumberKind, ROW_KEY, Table};

/// Which database a statement is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// What a table has in a database.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Present {
    /// All of its columns; none where there is no such table.
    pub(super) columns: BTreeSet<String>,
    /// The key: no two rows have the same values in these.
    pub(super) key: BTreeSet<String>,
    /// Those that hold whole numbers only.
    pub(super) integers: BTreeSet<String>,
}

/// What has to happen before days of a report can be stored.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Preparation {
    /// The statements that make or extend the table.
    pub(super) statements: Vec<String>,
    /// Why the stored days must be requested again, if they must.
    pub(super) reason: Option<String>,
    /// What the numbers mean from now on.
    pub(super) definition: String,
}

impl Preparation {
    /// Prepares a table, by what it has and the definition that its days were stored with.
    ///
    /// # Errors
    /// The table exists with other key columns.
    pub(super) fn new(
        dialect: Dialect,
        table: &Table,
        present: &Present,
        earlier: Option<&str>,
    ) -> Result<Self, String> {
        let statements = growth(dialect, table, present)?;
        let definition = table.definition();
        let mut reason = earlier.and_then(|earlier| definition.difference(earlier));
        if reason.is_none() && !statements.is_empty() {
            reason = Some("its table is new, or has new columns".to_owned());
        }
        Ok(Self { statements, reason, definition: definition.to_text() })
    }
}

impl Dialect {
    /// A statement with this database's names of types. SQLite keeps the rows of a table in the order of its key, where it is
    /// asked to; that is half as much to write, and half as large.
    fn spelled(self, statement: &str) -> String {
        let types: [(&str, &str); 5] = match self {
            Self::Sqlite => [
                ("{ordered}", " without rowid"),
                ("{date}", "text"),
                ("{time}", "text"),
                ("{double}", "double"),
                ("{number}", "integer primary key"),
            ],
            Self::Postgres => [
                ("{ordered}", ""),
                ("{date}", "date"),
                ("{time}", "timestamptz"),
                ("{double}", "double precision"),
                ("{number}", "bigint generated always as identity primary key"),
            ],
        };
        types.iter().fold(statement.to_owned(), |text, (name, spelled)| text.replace(name, spelled))
    }

    fn of(self, kind: NumberKind) -> &'static str {
        match (kind, self) {
            (NumberKind::Integer, _) => "bigint",
            (NumberKind::Float, Self::Sqlite) => "double",
            (NumberKind::Float, Self::Postgres) => "double precision",
        }
    }
}

/// The statements that bring a database from this version to [`VERSION`].
pub(super) fn migrations(dialect: Dialect, from: i32) -> Vec<String> {
    let from = usize::try_from(from).unwrap_or_default();
    MIGRATIONS.iter().skip(from).flat_map(|statements| *statements).map(|text| dialect.spelled(text)).collect()
}

/// The beginning of the statement that reads a table's rows: the day, the dimensions, then the metrics as floating point numbers.
pub(super) fn selection(dialect: Dialect, table: &Table) -> String {
    let double = match dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres => "::double precision",
    };
    let mut columns = vec!["date".to_owned()];
    columns.extend(table.dimensions().iter().map(|column| quoted(&column.name)));
    columns.extend(table.metrics().iter().map(|column| quoted(column.metric.name.as_str()) + double));
    format!("select {} from {}", columns.join(", "), quoted(table.name()))
}

/// The statements that give a report its table, or its table the columns that it does not have yet.
///
/// # Errors
/// The table exists with other key columns.
fn growth(dialect: Dialect, table: &Table, present: &Present) -> Result<Vec<String>, String> {
    let dimensions = || table.dimensions().iter().map(|column| column.name.as_str());
    if present.columns.is_empty() {
        return Ok(vec![creation(dialect, table)]);
    }
    let key: BTreeSet<String> = ["property_id", "date"].into_iter().chain(dimensions()).map(str::to_owned).collect();
    if key != present.key {
        let list = |key: &BTreeSet<String>| key.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        return Err(format!(
            "the table {} has the key ({}), but the report `{}` now needs ({}); give the report another name, or \
             rename the table",
            table.name(),
            list(&present.key),
            table.report(),
            list(&key)
        ));
    }
    if has_row_key(dialect, table) && !present.columns.contains(ROW_KEY) {
        return Err(format!(
            "the table {} has no column {ROW_KEY}, so that something else has made it; rename the table, or give the report \
             `{}` another name",
            table.name(),
            table.report()
        ));
    }
    Ok(table.metrics().iter().filter_map(|column| extension(dialect, table, present, column)).collect())
}

/// The statement that makes room for a metric, where there is none yet.
fn extension(dialect: Dialect, table: &Table, present: &Present, column: &MetricColumn) -> Option<String> {
    let name = column.metric.name.as_str();
    let (kind, quoted_name) = (dialect.of(column.kind), quoted(name));
    let change = if !present.columns.contains(name) {
        format!("add column {quoted_name} {kind}")
    } else if dialect == Dialect::Postgres && column.kind == NumberKind::Float && present.integers.contains(name) {
        // Otherwise PostgreSQL silently rounds. SQLite keeps fractions in any column.
        format!("alter column {quoted_name} type {kind}")
    } else {
        return None;
    };
    Some(format!("alter table {} {change}", quoted(table.name())))
}

fn creation(dialect: Dialect, table: &Table) -> String {
    let mut text =
        format!("create table {} (property_id bigint not null, date {{date}} not null", quoted(table.name()));
    if has_row_key(dialect, table) {
        let _ = write!(text, ", {ROW_KEY} bytea not null");
    }
    for column in table.dimensions() {
        let _ = write!(text, ", {} text not null", quoted(&column.name));
    }
    for column in table.metrics() {
        let _ = write!(text, ", {} {}", quoted(column.metric.name.as_str()), dialect.of(column.kind));
    }
    let _ = write!(text, ", primary key ({})){{ordered}}", key(dialect, table));
    dialect.spelled(&text)
}

/// The columns of the primary key.
pub(super) fn key(dialect: Dialect, table: &Table) -> String {
    let mut all = vec!["property_id".to_owned(), "date".to_owned()];
    if has_row_key(dialect, table) {
        all.push(ROW_KEY.to_owned());
    } else {
        all.extend(table.dimensions().iter().map(|column| quoted(&column.name)));
    }
    all.join(", ")
}

/// Whether a hash stands for the dimensions in the primary key. An entry of PostgreSQL's index holds up to 2,704 bytes
/// (`BTMaxItemSize` of nbtree.h), which a few long page paths exceed; SQLite has no such limit.
fn has_row_key(dialect: Dialect, table: &Table) -> bool {
    dialect == Dialect::Postgres && !table.dimensions().is_empty()
}

/// A name that may be a word of SQL. Names have neither quotes nor capitals: see `daily::table`.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// The version that this program knows.
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "there are few")]
pub(super) const VERSION: i32 = MIGRATIONS.len() as i32;

/// From each version to the next. What has been released does not change any more.
const MIGRATIONS: &[&[&str]] = &[&[
    "create table ga_daily (property_id bigint not null, date {date} not null, pageviews bigint, visitors bigint, \
     active_users bigint, new_users bigint, sessions bigint, engaged_sessions bigint, events bigint, key_events {double}, \
     primary key (property_id, date)){ordered}",
    "create table ga_days (property_id bigint not null, report text not null, date {date} not null, \
     row_count int not null, settled boolean not null, sampled_ratio {double} not null, thresholded boolean not null, \
     data_loss boolean not null, time_zone text not null, fetched_at {time} not null, \
     primary key (property_id, report, date)){ordered}",
    "create table ga_properties (property_id bigint not null primary key, property_name text not null, \
     property_type text not null, account_id text not null, account_name text not null, time_zone text not null, \
     currency text not null, created {date})",
    "create table ga_sync_runs (run_id {number}, started_at {time} not null, ended_at {time}, outcome text not null, \
     properties int not null, failed int not null, rows_changed bigint not null, tokens bigint not null)",
    "create table ga_reports (report text not null primary key, definition text not null)",
]];

#[cfg(test)]
mod tests {
    use super::*;

    fn daily() -> Present {
        let columns = Table::daily().metrics().iter().map(|column| column.metric.name.to_string()).collect();
        let key: BTreeSet<String> = ["property_id".to_owned(), "date".to_owned()].into();
        Present { columns, key, integers: BTreeSet::new() }
    }

    #[test]
    fn a_table_grows_and_never_shrinks() {
        let table = Table::daily();
        let mut present = daily();
        assert_eq!(growth(Dialect::Postgres, &table, &present), Ok(vec![]));
        present.columns.insert("of_former_times".to_owned());
        present.columns.remove("key_events");
        assert_eq!(
            growth(Dialect::Postgres, &table, &present),
            Ok(vec![r#"alter table "ga_daily" add column "key_events" double precision"#.to_owned()])
        );
        present.key.insert("page_path".to_owned());
        let error = growth(Dialect::Sqlite, &table, &present).unwrap_err();
        assert!(error.contains("has the key (date, page_path, property_id), but"), "{error}");
    }

    fn report(yaml: &str) -> Table {
        let config = crate::config::Config::from_yaml(yaml, std::path::Path::new("x.yml")).unwrap().config;
        config.table("devices").unwrap()
    }

    fn present(columns: &[&str], key: &[&str]) -> Present {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Present { columns: set(columns), key: set(key), integers: set(&["value"]) }
    }

    #[test]
    fn long_dimensions_are_in_no_index_of_postgresql() {
        let table = report("reports: {devices: {dimensions: [deviceCategory], metrics: [pageviews]}}");
        let sql = creation(Dialect::Postgres, &table);
        assert!(sql.ends_with("primary key (property_id, date, row_key))"), "{sql}");
        let sql = creation(Dialect::Sqlite, &table);
        assert!(sql.ends_with("primary key (property_id, date, \"device_category\")) without rowid"), "{sql}");
        let other = present(&["property_id", "date", "device_category"], &["property_id", "date", "device_category"]);
        let error = growth(Dialect::Postgres, &table, &other).unwrap_err();
        assert!(error.contains("has no column row_key"), "{error}");
        assert_eq!(growth(Dialect::Sqlite, &table, &other).unwrap().len(), 1);
    }

    #[test]
    fn a_column_of_whole_numbers_gets_room_for_fractions() {
        let table = |metric: &str| report(&format!("reports: {{devices: {{metrics: {{value: {metric}}}}}}}"));
        let present = present(&["property_id", "date", "value"], &["property_id", "date"]);
        let earlier = table("screenPageViews").definition().to_text();
        let new =
            |dialect| Preparation::new(dialect, &table("averageSessionDuration"), &present, Some(&earlier)).unwrap();
        assert_eq!(
            new(Dialect::Postgres).statements,
            [r#"alter table "ga_report_devices" alter column "value" type double precision"#]
        );
        assert!(new(Dialect::Sqlite).statements.is_empty());
        assert!(new(Dialect::Sqlite).reason.is_some_and(|reason| reason.contains("`value`")));
        let same = Preparation::new(Dialect::Postgres, &table("screenPageViews"), &present, Some(&earlier)).unwrap();
        assert_eq!((same.statements, same.reason), (Vec::new(), None));
    }

    #[test]
    fn the_first_version_has_the_table_that_daily_would_make() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            let all = migrations(dialect, 0);
            let made = creation(dialect, &Table::daily()).replace('"', "");
            assert_eq!(all[0], made);
            assert!(all.iter().all(|text| !text.contains('{')), "{all:?}");
        }
        assert!(migrations(Dialect::Sqlite, VERSION).is_empty());
    }
}
