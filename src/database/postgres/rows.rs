//! Rows of a table, and marks of days, as arrays: a statement for all of them.

use jiff::civil::Date;
use ring::digest::{Context, SHA256};
use tokio_postgres::{Transaction, types::ToSql};

use super::super::{
    Batch, DatabaseError, number,
    schema::{self, Dialect, quoted},
};
use ga4_exporter_core::{
    daily::{DailyRows, Key, ROW_KEY, Span, Table, Values},
    names::PropertyId,
};

pub(super) async fn stored(
    transaction: &Transaction<'_>,
    table: &Table,
    property: PropertyId,
    span: Span,
) -> Result<DailyRows, DatabaseError> {
    let selection = schema::selection(Dialect::Postgres, table);
    let sql = format!("{selection} where property_id = $1 and date between $2 and $3");
    let (width, metrics) = (table.dimensions().len(), table.metrics().len());
    let mut rows = DailyRows::new();
    for row in transaction.query(&sql, &[&number(property), &span.first, &span.last]).await? {
        let dimensions = (1..=width).map(|index| row.try_get(index)).collect::<Result<Vec<String>, _>>()?;
        let values = (1 + width..=width + metrics).map(|index| row.try_get(index)).collect::<Result<Values, _>>()?;
        rows.insert(Key { date: row.try_get(0)?, dimensions }, values);
    }
    Ok(rows)
}

/// What stands for the dimensions of a row in the primary key. Visitors choose these texts, so it is a hash of which nobody
/// can find two texts.
fn row_key(key: &Key) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    for text in &key.dimensions {
        // With their lengths, so that `a` and `bc` are not `ab` and `c`.
        context.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(text.as_bytes());
    }
    context.finish().as_ref().to_vec()
}

pub(super) async fn delete(
    transaction: &Transaction<'_>,
    table: &Table,
    property: PropertyId,
    keys: &[&Key],
) -> Result<(), DatabaseError> {
    if keys.is_empty() {
        return Ok(());
    }
    let dates: Vec<Date> = keys.iter().map(|key| key.date).collect();
    let row_keys: Vec<Vec<u8>> = keys.iter().map(|key| row_key(key)).collect();
    let property = number(property);
    let table_name = quoted(table.name());
    if table.dimensions().is_empty() {
        let sql = format!("delete from {table_name} where property_id = $1 and date = any ($2)");
        transaction.execute(&sql, &[&property, &dates]).await?;
        return Ok(());
    }
    let sql = format!(
        "delete from {table_name} t using unnest($2::date[], $3::bytea[]) as gone (date, {ROW_KEY}) \
         where t.property_id = $1 and t.date = gone.date and t.{ROW_KEY} = gone.{ROW_KEY}"
    );
    transaction.execute(&sql, &[&property, &dates, &row_keys]).await?;
    Ok(())
}

pub(super) async fn upsert(
    transaction: &Transaction<'_>,
    table: &Table,
    property: PropertyId,
    rows: &[(&Key, &Values)],
) -> Result<(), DatabaseError> {
    if rows.is_empty() {
        return Ok(());
    }
    let property = number(property);
    let dates: Vec<Date> = rows.iter().map(|(key, _)| key.date).collect();
    let mut columns: Vec<Column> = Vec::new();
    if !table.dimensions().is_empty() {
        let row_keys: Vec<Vec<u8>> = rows.iter().map(|(key, _)| row_key(key)).collect();
        columns.push(Column { name: ROW_KEY.to_owned(), kind: "bytea", values: Box::new(row_keys) });
    }
    for (index, column) in table.dimensions().iter().enumerate() {
        let texts: Vec<String> = rows.iter().filter_map(|(key, _)| key.dimensions.get(index).cloned()).collect();
        columns.push(Column { name: quoted(&column.name), kind: "text", values: Box::new(texts) });
    }
    for (index, column) in table.metrics().iter().enumerate() {
        let numbers: Vec<Option<f64>> = rows.iter().map(|(_, values)| values.get(index).copied().flatten()).collect();
        let name = quoted(column.metric.name.as_str());
        columns.push(Column { name, kind: "double precision", values: Box::new(numbers) });
    }
    let mut values: Vec<&(dyn ToSql + Sync)> = vec![&property, &dates];
    values.extend(columns.iter().map(|column| &*column.values as &(dyn ToSql + Sync)));
    transaction.execute(&upsertion(table, &columns), &values).await?;
    Ok(())
}

/// A column of the rows that are sent, but for property and date.
struct Column {
    name: String,
    kind: &'static str,
    values: Box<dyn ToSql + Sync + Send>,
}

/// The statement that inserts or updates rows, given as arrays.
fn upsertion(table: &Table, columns: &[Column]) -> String {
    let names: String = columns.iter().map(|column| format!(", {}", column.name)).collect();
    let arrays: String =
        columns.iter().enumerate().map(|(index, column)| format!(", ${}::{}[]", index + 3, column.kind)).collect();
    let metrics = table.metrics().iter().map(|column| quoted(column.metric.name.as_str()));
    let updates = metrics.map(|name| format!("{name} = excluded.{name}")).collect::<Vec<_>>().join(", ");
    format!(
        "insert into {} (property_id, date{names}) select $1, * from unnest($2::date[]{arrays}) \
         on conflict ({}) do update set {updates}",
        quoted(table.name()),
        schema::key(Dialect::Postgres, table)
    )
}

pub(super) async fn mark(transaction: &Transaction<'_>, table: &Table, batch: &Batch) -> Result<(), DatabaseError> {
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

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn keys_of_other_texts_are_others() {
        let of = |dimensions: &[&str]| {
            let dimensions = dimensions.iter().map(|text| (*text).to_owned()).collect();
            row_key(&Key { date: date(2026, 1, 1), dimensions })
        };
        assert_eq!(of(&["a", "bc"]), of(&["a", "bc"]));
        for other in [&["ab", "c"][..], &["abc", ""], &["", "abc"], &["a", "bd"], &["a", "bc", ""]] {
            assert_ne!(of(&["a", "bc"]), of(other), "{other:?}");
        }
        assert_eq!(of(&[&"ä".repeat(5000)]).len(), 32);
    }
}
