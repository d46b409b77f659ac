//! Bringing one property up to date.

use std::collections::BTreeMap;

use jiff::civil::Date;
use tracing::debug;

use ga4_drop_baseline::calendar::Zone;
use ga4_exporter_core::{
    chain::Chain,
    daily::{Agenda, Answer, Span, Table},
    names::{Bucket, PropertyId, PropertyType},
    properties::PropertyInfo,
    quota::Allowance,
};

use super::{
    Job, ask,
    outcome::{Ending, Outcome, Work},
};
use crate::{
    database::{self, Batch, PropertyRow},
    ga,
};

/// Brings a property up to date, and says what came of it.
///
/// # Errors
/// The database is gone.
pub(super) async fn bring_up_to_date(
    job: &Job,
    id: PropertyId,
    info: PropertyInfo,
) -> Result<Outcome, database::Error> {
    let mut work = Work::default();
    let ended = match job.database.claim(id).await {
        Ok(()) => {
            let mut property = Property::new(job, id, &info);
            let ended = property.all_tables().await;
            work = property.work;
            work.tokens = tokens(&property.allowance);
            let released = job.database.release(id).await.map_err(Problem::Database);
            ended.and_then(|ending| released.map(|()| ending))
        }
        Err(error) => Err(Problem::Database(error)),
    };
    let ending = match ended {
        Ok(ending) => ending,
        Err(Problem::Database(error)) if error.is_fatal() => return Err(error),
        Err(Problem::Database(error)) => Ending::Failed(Chain(&error).to_string()),
        Err(Problem::Google(error)) => {
            let remedy = error.remedy(Some(id), job.client.account().as_deref());
            Ending::Failed(format!("{}; {remedy}", Chain(&error)))
        }
    };
    Ok(Outcome { property: id, name: info.name, ending, work })
}

/// What keeps it from being up to date.
#[derive(Debug)]
enum Problem {
    Database(database::Error),
    Google(ga::Error),
}

impl From<database::Error> for Problem {
    fn from(error: database::Error) -> Self {
        Self::Database(error)
    }
}

/// A property at work.
struct Property<'a> {
    job: &'a Job,
    id: PropertyId,
    /// What is known of it, from the listing and from the database.
    row: PropertyRow,
    /// Until Google names it, the zone in which days end last.
    zone: Zone,
    allowance: Allowance,
    work: Work,
}

impl<'a> Property<'a> {
    fn new(job: &'a Job, id: PropertyId, info: &PropertyInfo) -> Self {
        let row = PropertyRow {
            name: info.name.clone(),
            property_type: info.property_type.map_or("", PropertyType::as_str).to_owned(),
            account_id: info.account_id.clone(),
            account_name: info.account_name.clone(),
            time_zone: info.time_zone.clone(),
            currency: info.currency.clone(),
            created: None,
        };
        Self { job, id, row, zone: last_zone(), allowance: Allowance::new(job.share), work: Work::default() }
    }

    async fn all_tables(&mut self) -> Result<Ending, Problem> {
        self.learn().await?;
        let mut ending = Ending::Complete;
        let (job, id) = (self.job, self.id);
        for table in job.tables.iter().filter(|table| table.covers(id)) {
            match self.table(table).await? {
                None => {}
                // What is spared for one report is for all.
                Some((has_lookback, reason)) => {
                    let before = !matches!(ending, Ending::Spared { has_lookback: false, .. });
                    ending = Ending::Spared { has_lookback: has_lookback && before, reason };
                }
            }
        }
        Ok(ending)
    }

    /// What is known of the property, and what Google says of it where that is not enough.
    async fn learn(&mut self) -> Result<(), Problem> {
        let stored = self.job.database.property(self.id).await?.unwrap_or_default();
        let is_listed = !self.row.name.is_empty();
        fill(&mut self.row, &stored);
        // What a property is called changes; when it was made does not.
        if stored.created.is_none() || !is_listed {
            self.ask_details().await?;
        }
        if let Ok(zone) = Zone::named(&self.row.time_zone) {
            self.zone = zone;
        }
        self.job.database.save_property(self.id, self.row.clone()).await?;
        Ok(())
    }

    /// A refusal costs the details only: the Data API may answer where the Admin API is off.
    async fn ask_details(&mut self) -> Result<(), Problem> {
        let mut attempt = 0;
        let details = loop {
            match self.job.client.property(self.id).await {
                Ok(details) => break details,
                Err(error) if error.reason().needs_operator() => {
                    debug!(property_id = %self.id, error = %Chain(&error), "details of a property cannot be read");
                    return Ok(());
                }
                Err(error) => ask::pause(&error, &mut attempt).await.ok_or(Problem::Google(error))?,
            }
        };
        let created = details.created.zip(Zone::named(&details.time_zone).ok()).map(|(at, zone)| zone.date(at));
        let fresh = PropertyRow {
            name: details.name,
            property_type: details.property_type.map_or("", PropertyType::as_str).to_owned(),
            account_id: details.account_id,
            account_name: String::new(),
            time_zone: details.time_zone,
            currency: details.currency,
            created,
        };
        let known = std::mem::replace(&mut self.row, fresh);
        fill(&mut self.row, &known);
        Ok(())
    }

    /// One report; where the quota is spared, whether the last days are there, and why.
    async fn table(&mut self, table: &Table) -> Result<Option<(bool, String)>, Problem> {
        let mut settled = self.job.database.settled(self.id, table.report()).await?;
        let Some(mut agenda) = self.agenda(table, &settled) else { return Ok(None) };
        while let Some(span) = agenda.next_span() {
            if let Err(spared) = self.allowance.admit() {
                return Ok(Some((agenda.has_lookback(), spared.to_string())));
            }
            let asked_at = self.job.clock.now();
            let requests = &mut self.work.requests;
            let answer = ask::days(&self.job.client, self.id, table, span, &mut self.allowance, requests).await;
            let answer = match answer {
                Err(ga::Error::QuotaExhausted { bucket, .. }) => {
                    return Ok(Some((agenda.has_lookback(), format!("Google's quota is used up; {}", again(bucket)))));
                }
                answer => answer.map_err(Problem::Google)?,
            };
            if self.is_of_another_zone(&answer).await? {
                // Its days may have been others: they are asked for once more, by the right date.
                settled = self.job.database.settled(self.id, table.report()).await?;
                match self.agenda(table, &settled) {
                    Some(right) => agenda = right,
                    None => return Ok(None),
                }
                continue;
            }
            if answer.is_too_coarse() && agenda.halve() {
                continue;
            }
            self.store(table, span, answer, asked_at).await?;
            agenda.on_stored();
        }
        Ok(None)
    }

    async fn store(
        &mut self,
        table: &Table,
        span: Span,
        answer: Answer,
        fetched_at: jiff::Timestamp,
    ) -> Result<(), Problem> {
        let marks = answer.marks(span, &self.zone, fetched_at);
        let batch = Batch { property: self.id, span, rows: answer.rows, marks, fetched_at };
        let changed = self.job.database.replace(table, batch).await?;
        self.work.changed = self.work.changed.and(changed);
        self.work.days += span.days();
        Ok(())
    }

    fn agenda(&self, table: &Table, settled: &BTreeMap<Date, bool>) -> Option<Agenda> {
        let today = self.zone.date(self.job.clock.now());
        let period = self.job.wanted.period(today, self.row.created)?;
        Some(Agenda::new(period, settled, table.longest_span()))
    }

    /// Whether an answer names another zone than was assumed, which is the property's from then on.
    async fn is_of_another_zone(&mut self, answer: &Answer) -> Result<bool, Problem> {
        let is_other_currency = !answer.currency.is_empty() && answer.currency != self.row.currency;
        let zone = Zone::named(&answer.time_zone).ok().filter(|zone| zone.name() != self.zone.name());
        if is_other_currency {
            self.row.currency.clone_from(&answer.currency);
        }
        let is_other = zone.is_some();
        if let Some(zone) = zone {
            self.row.time_zone = zone.name().to_owned();
            self.zone = zone;
        }
        if is_other || is_other_currency {
            self.job.database.save_property(self.id, self.row.clone()).await?;
        }
        Ok(is_other)
    }
}

/// What is not known is what was known before.
fn fill(row: &mut PropertyRow, before: &PropertyRow) {
    let texts = [
        (&mut row.name, &before.name),
        (&mut row.property_type, &before.property_type),
        (&mut row.account_id, &before.account_id),
        (&mut row.account_name, &before.account_name),
        (&mut row.time_zone, &before.time_zone),
        (&mut row.currency, &before.currency),
    ];
    for (text, before) in texts {
        if text.is_empty() {
            text.clone_from(before);
        }
    }
    row.created = row.created.or(before.created);
}

/// When an empty bucket has tokens again.
fn again(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::Day => "it goes on after midnight in California",
        Bucket::Hour
        | Bucket::ProjectHour
        | Bucket::Thresholded
        | Bucket::Concurrent
        | Bucket::ClientErrors
        | Bucket::ServerErrors
        | Bucket::Unknown => "it goes on in an hour",
    }
}

/// Where a day that has ended has ended everywhere.
pub(super) fn last_zone() -> Zone {
    Zone::named("Etc/GMT+12").unwrap_or_else(|_| Zone::utc())
}

fn tokens(allowance: &Allowance) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of whole numbers above 0")]
    let tokens = allowance.spent() as u64;
    tokens
}
