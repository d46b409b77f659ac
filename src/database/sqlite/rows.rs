//! Rows of a table, and marks of days, one after the other: in a transaction that costs little.

use jiff::civil::Date;
use rusqlite::{Transaction, params, params_from_iter, types::Value};

use super::super::{
    Batch, DatabaseError, number,
    schema::{self, Dialect, quoted},
};
use ga4_exporter_core::{
    daily::{DailyRows, Key, Mark, NumberKind, Span, Table, Values},
    names::PropertyId,
};

pub(super) fn stored(
    transaction: &Transaction<'_>,
    table: &Table,
    property: PropertyId,
    span: Span,
) -> Result<DailyRows, DatabaseError> {
    let selection = schema::selection(Dialect::Sqlite, table);
    let sql = format!("{selection} where property_id = ?1 and date between ?2 and ?3");
    let (width, metrics) = (table.dimensions().len(), table.metrics().len());
    let mut statement = transaction.prepare(&sql)?;
    let mut found = statement.query(params![number(property), span.first.to_string(), span.last.to_string()])?;
    let mut rows = DailyRows::new();
    while let Some(row) = found.next()? {
        let text = |index| row.get::<_, String>(index);
        let dimensions = (1..=width).map(text).collect::<rusqlite::Result<Vec<_>>>()?;
        let values = (1 + width..=width + metrics).map(|index| row.get::<_, Option<f64>>(index));
        rows.insert(Key { date: day(&text(0)?)?, dimensions }, values.collect::<rusqlite::Result<Values>>()?);
    }
    Ok(rows)
}

pub(super) fn delete(
    transaction: &Transaction<'_>,
    table: &Table,
    property: PropertyId,
    keys: &[&Key],
) -> Result<(), DatabaseError> {
    let own = table.dimensions().iter().map(|column| format!(" and {} = ?", quoted(&column.name)));
    let sql =
        format!("delete from {} where property_id = ? and date = ?{}", quoted(table.name()), own.collect::<String>());
    let mut statement = transaction.prepare(&sql)?;
    for key in keys {
        statement.execute(params_from_iter(of_key(property, key)))?;
    }
    Ok(())
}

pub(super) fn upsert<'a>(
    transaction: &Transaction<'_>,
    table: &Table,
    property: PropertyId,
    rows: impl Iterator<Item = &'a (&'a Key, &'a Values)>,
) -> Result<(), DatabaseError> {
    let metrics: Vec<String> = table.metrics().iter().map(|column| quoted(column.metric.name.as_str())).collect();
    let places = vec!["?"; 2 + table.dimensions().len() + metrics.len()].join(", ");
    let updates = metrics.iter().map(|name| format!("{name} = excluded.{name}")).collect::<Vec<_>>().join(", ");
    let key = schema::key(Dialect::Sqlite, table);
    let sql = format!(
        "insert into {} ({key}, {}) values ({places}) on conflict ({key}) do update set {updates}",
        quoted(table.name()),
        metrics.join(", ")
    );
    let mut statement = transaction.prepare(&sql)?;
    for (key, values) in rows {
        let values = table.metrics().iter().zip(values.iter()).map(|(column, value)| match (value, column.kind) {
            (None, _) => Value::Null,
            #[expect(clippy::cast_possible_truncation, reason = "a whole number below 10^12")]
            (Some(value), NumberKind::Integer) => Value::Integer(*value as i64),
            (Some(value), NumberKind::Float) => Value::Real(*value),
        });
        statement.execute(params_from_iter(of_key(property, key).chain(values)))?;
    }
    Ok(())
}

fn of_key(property: PropertyId, key: &Key) -> impl Iterator<Item = Value> {
    let place = [Value::Integer(number(property)), Value::Text(key.date.to_string())];
    place.into_iter().chain(key.dimensions.iter().cloned().map(Value::Text))
}

pub(super) fn mark(transaction: &Transaction<'_>, table: &Table, batch: &Batch) -> Result<(), DatabaseError> {
    let mut statement = transaction.prepare(
        "insert into ga_days (property_id, report, date, row_count, settled, sampled_ratio, thresholded, data_loss, time_zone, \
         fetched_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) on conflict (property_id, report, date) do update set \
         row_count = ?4, settled = ?5, sampled_ratio = ?6, thresholded = ?7, data_loss = ?8, time_zone = ?9, fetched_at = ?10",
    )?;
    for (date, mark) in &batch.marks {
        let Mark { row_count, settled, sampled_ratio, thresholded, data_loss, time_zone } = mark;
        statement.execute(params![
            number(batch.property),
            table.report().as_str(),
            date.to_string(),
            row_count,
            settled,
            sampled_ratio,
            thresholded,
            data_loss,
            time_zone,
            super::second(batch.fetched_at)
        ])?;
    }
    Ok(())
}

pub(super) fn day(text: &str) -> Result<Date, DatabaseError> {
    text.parse().map_err(|_| DatabaseError::Shape(format!("`{}` is no date", ga4_exporter_core::shown::name(text))))
}
