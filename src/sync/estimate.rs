//! What a run would do, without doing it.

use std::{collections::BTreeMap, fmt};

use ga4_drop_baseline::calendar::Zone;
use ga4_exporter_core::{
    daily::{Agenda, Table, WantedDays},
    names::PropertyId,
    properties::PropertyInfo,
    quota::ASSUMED,
};
use jiff::{Timestamp, civil::Date};

use super::property::last_zone;
use crate::{
    database::{self, Database},
    ga::Client,
};

/// What a run would do.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Estimate {
    lines: Vec<Line>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Line {
    property: PropertyId,
    name: String,
    report: String,
    days: usize,
    requests: usize,
}

/// Looks at what is stored, and asks the Admin API for what is not; the Data API is not asked.
///
/// # Errors
/// The database fails.
pub async fn estimate(
    client: &Client,
    database: Option<&Database>,
    tables: &[Table],
    wanted: WantedDays,
    properties: BTreeMap<PropertyId, PropertyInfo>,
    now: Timestamp,
) -> Result<Estimate, database::DatabaseError> {
    let mut estimate = Estimate::default();
    for (property, info) in properties {
        let stored = match database {
            Some(database) => database.property(property).await?.unwrap_or_default(),
            None => database::PropertyRow::default(),
        };
        let (mut zone, mut created) = (Zone::named(&stored.time_zone).ok(), stored.created);
        if created.is_none()
            && let Ok(details) = client.property(property).await
        {
            zone = zone.or_else(|| Zone::named(&details.time_zone).ok());
            created = details.created.zip(zone.as_ref()).map(|(at, zone)| zone.date(at));
        }
        let today = zone.unwrap_or_else(last_zone).date(now);
        for table in tables.iter().filter(|table| table.covers(property)) {
            let settled = settled(database, property, table).await?;
            let agenda =
                wanted.period(today, created).map(|period| Agenda::new(period, &settled, table.longest_span()));
            estimate.lines.push(Line {
                property,
                name: info.name.clone(),
                report: table.report().to_string(),
                days: agenda.as_ref().map_or(0, Agenda::days),
                requests: agenda.as_ref().map_or(0, Agenda::requests),
            });
        }
    }
    Ok(estimate)
}

/// The days that are stored and whether they are settled; none is if the report has changed since.
async fn settled(
    database: Option<&Database>,
    property: PropertyId,
    table: &Table,
) -> Result<BTreeMap<Date, bool>, database::DatabaseError> {
    let Some(database) = database else { return Ok(BTreeMap::new()) };
    let mut settled = database.settled(property, table.report()).await?;
    let earlier = database.definition(table.report()).await?;
    if earlier.is_some_and(|earlier| table.definition().difference(&earlier).is_some()) {
        settled.values_mut().for_each(|is_settled| *is_settled = false);
    }
    Ok(settled)
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Line { property, name, report, days, requests } in &self.lines {
            let name = if name.is_empty() { String::new() } else { format!(" ({name})") };
            writeln!(f, "property {property}{name}, {report}: {days} days in {requests} requests")?;
        }
        let days: usize = self.lines.iter().map(|line| line.days).sum();
        let requests: usize = self.lines.iter().map(|line| line.requests).sum();
        let assumed = usize::try_from(ASSUMED).unwrap_or_default();
        writeln!(
            f,
            "altogether {days} days in {requests} requests, for {} tokens if a request costs {ASSUMED}; more requests where \
             answers are sampled or too long",
            requests * assumed
        )
    }
}
