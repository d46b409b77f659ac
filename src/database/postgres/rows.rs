//! Rows of a table, and marks of days, as arrays: a statement for all of them.

use jiff::civil::Date;
use tokio_postgres::{Transaction, types::ToSql};

use super::super::{
    Batch, Error, number,
    schema::{self, quoted},
};
use ga4_exporter_core::{
    daily::{Key, Rows, Span, Table, Values},
    names::PropertyId,
};

pub(super) async fn stored(
    transaction: &Transaction<'_>,
    table: &Table,
    property: PropertyId,
    span: Span,
) -> Result<Rows, Error> {
    let mut columns = vec!["date".to_owned()];
    columns.extend(table.dimensions().iter().map(|column| quoted(&column.name)));
    let as_float = |name: &str| format!("{}::double precision", quoted(name));
    columns.extend(table.metrics().iter().map(|column| as_float(column.metric.name.as_str())));
    let sql = format!(
        "select {} from {} where property_id = $1 and date between $2 and $3",
        columns.join(", "),
        quoted(table.name())
    );
    let width = table.dimensions().len();
    let mut rows = Rows::new();
    for row in transaction.query(&sql, &[&number(property), &span.first, &span.last]).await? {
        let dimensions = (1..=width).map(|index| row.try_get(index)).collect::<Result<Vec<String>, _>>()?;
        let values = (1 + width..columns.len()).map(|index| row.try_get(index)).collect::<Result<Values, _>>()?;
        rows.insert(Key { date: row.try_get(0)?, dimensions }, values);
    }
    Ok(rows)
}

/// The columns of keys as arrays: all dates, and all values of each dimension.
fn key_columns<'a>(table: &Table, keys: impl Iterator<Item = &'a Key> + Clone) -> (Vec<Date>, Vec<Vec<&'a str>>) {
    let dates = keys.clone().map(|key| key.date).collect();
    let of = |index: usize| keys.clone().map(|key| key.dimensions.get(index).map_or("", String::as_str)).collect();
    (dates, (0..table.dimensions().len()).map(of).collect())
}

pub(super) async fn delete(
    transaction: &Transaction<'_>,
    table: &Table,
    property: PropertyId,
    keys: &[&Key],
) -> Result<(), Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let (dates, dimensions) = key_columns(table, keys.iter().copied());
    let width = dimensions.len();
    let arrays: String = (0..width).map(|index| format!(", ${}::text[]", index + 3)).collect();
    let names: String = (0..width).map(|index| format!(", d{index}")).collect();
    let own = table.dimensions().iter().enumerate();
    let same: String = own.map(|(index, column)| format!(" and t.{} = gone.d{index}", quoted(&column.name))).collect();
    let sql = format!(
        "delete from {} t using unnest($2::date[]{arrays}) as gone (date{names}) \
         where t.property_id = $1 and t.date = gone.date{same}",
        quoted(table.name())
    );
    let property = number(property);
    let mut values: Vec<&(dyn ToSql + Sync)> = vec![&property, &dates];
    values.extend(dimensions.iter().map(|column| column as &(dyn ToSql + Sync)));
    transaction.execute(&sql, &values).await?;
    Ok(())
}

pub(super) async fn upsert(
    transaction: &Transaction<'_>,
    table: &Table,
    property: PropertyId,
    rows: &[(&Key, &Values)],
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let (dates, dimensions) = key_columns(table, rows.iter().map(|(key, _)| *key));
    let of = |index: usize| rows.iter().map(|(_, values)| values.get(index).copied().flatten()).collect::<Vec<_>>();
    let metrics: Vec<Vec<Option<f64>>> = (0..table.metrics().len()).map(of).collect();
    let names: Vec<String> = table.metrics().iter().map(|column| quoted(column.metric.name.as_str())).collect();
    let texts = (0..dimensions.len()).map(|index| format!(", ${}::text[]", index + 3));
    let numbers = (0..metrics.len()).map(|index| format!(", ${}::double precision[]", index + 3 + dimensions.len()));
    let arrays: String = texts.chain(numbers).collect();
    let updates = names.iter().map(|name| format!("{name} = excluded.{name}")).collect::<Vec<_>>().join(", ");
    let key = schema::key(table);
    let sql = format!(
        "insert into {} ({key}, {}) select $1, * from unnest($2::date[]{arrays}) on conflict ({key}) do update set {updates}",
        quoted(table.name()),
        names.join(", ")
    );
    let property = number(property);
    let mut values: Vec<&(dyn ToSql + Sync)> = vec![&property, &dates];
    values.extend(dimensions.iter().map(|column| column as &(dyn ToSql + Sync)));
    values.extend(metrics.iter().map(|column| column as &(dyn ToSql + Sync)));
    transaction.execute(&sql, &values).await?;
    Ok(())
}

pub(super) async fn mark(transaction: &Transaction<'_>, table: &Table, batch: &Batch) -> Result<(), Error> {
    let marks = || batch.marks.values();
    let dates: Vec<Date> = batch.marks.keys().copied().collect();
    let counts: Vec<i32> = marks().map(|mark| i32::try_from(mark.row_count).unwrap_or(i32::MAX)).collect();
    let settled: Vec<bool> = marks().map(|mark| mark.settled).collect();
    let sampled: Vec<f64> = marks().map(|mark| mark.sampled_ratio).collect();
    let thresholded: Vec<bool> = marks().map(|mark| mark.thresholded).collect();
    let lost: Vec<bool> = marks().map(|mark| mark.data_loss).collect();
    let zones: Vec<&str> = marks().map(|mark| mark.time_zone.as_str()).collect();
    let sql = "insert into ga_days (property_id, report, fetched_at, date, row_count, settled, sampled_ratio, thresholded, \
               data_loss, time_zone) select $1, $2, $3, * from unnest($4::date[], $5::int[], $6::boolean[], \
               $7::double precision[], $8::boolean[], $9::boolean[], $10::text[]) \
               on conflict (property_id, report, date) do update set (row_count, settled, sampled_ratio, thresholded, data_loss, \
               time_zone, fetched_at) = (excluded.row_count, excluded.settled, excluded.sampled_ratio, excluded.thresholded, \
               excluded.data_loss, excluded.time_zone, excluded.fetched_at)";
    let values: [&(dyn ToSql + Sync); 10] = [
        &number(batch.property),
        &table.report().as_str(),
        &batch.fetched_at,
        &dates,
        &counts,
        &settled,
        &sampled,
        &thresholded,
        &lost,
        &zones,
    ];
    transaction.execute(sql, &values).await?;
    Ok(())
}
