//! Brings one property up to date.

use std::collections::BTreeSet;

use tracing::{debug, warn};

use ga4_drop_baseline::calendar::Zone;
use ga4_exporter_core::{
    chain::Chain,
    daily::{Agenda, DailyAnswer, Span, Table},
    names::{PropertyId, PropertyType, Reason},
    properties::PropertyInfo,
    quota::{Allowance, Overspent, refill},
};

use super::{
    Job,
    ask::{self, Asking, Refusal},
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
) -> Result<Outcome, database::DatabaseError> {
    let (mut name, mut work) = (info.name.clone(), Work::default());
    let ended = match job.database.claim(id).await {
        Ok(()) => {
            let mut property = Property::new(job, id, &info);
            let ended = property.all_tables().await;
            name = property.row.name;
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
        Err(problem) => Ending::Failed(problem.text(job, id)),
    };
    Ok(Outcome { property: id, name, ending, work })
}

/// Why a property is not up to date.
#[derive(Debug)]
enum Problem {
    Database(database::DatabaseError),
    Google(ga::ApiError),
}

impl Problem {
    /// Whether other reports of the same property may still work.
    fn is_of_one_report(&self) -> bool {
        match self {
            Self::Database(error) => !error.is_fatal(),
            Self::Google(error) => matches!(error.reason(), Reason::InvalidRequest | Reason::Protocol),
        }
    }

    /// What is wrong, and what to do about it.
    fn text(&self, job: &Job, id: PropertyId) -> String {
        match self {
            Self::Database(error) => Chain(error).to_string(),
            Self::Google(error) => {
                let advice = error.advice(Some(id), job.client.account().as_deref());
                let error = Chain(error).to_string();
                format!("{}; {advice}", error.trim_end_matches('.'))
            }
        }
    }
}

impl From<database::DatabaseError> for Problem {
    fn from(error: database::DatabaseError) -> Self {
        Self::Database(error)
    }
}

/// How far a report is brought before it is another one's turn.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Stage {
    /// Until the days that are asked for every time are stored.
    LastDays,
    /// Until all days are stored.
    Everything,
}

/// A report that is being brought up to date.
struct Pending<'a> {
    table: &'a Table,
    /// `None` before its turn.
    agenda: Option<Agenda>,
    /// Whether it is logged that the account's role hides metrics of it.
    is_hidden_logged: bool,
}

impl Pending<'_> {
    fn has_lookback(&self) -> bool {
        self.agenda.as_ref().is_some_and(Agenda::has_lookback)
    }
}

/// A property that is being brought up to date.
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

    /// All reports: first the last days of each, then the older days. An error of one report does not keep the others from
    /// being stored.
    async fn all_tables(&mut self) -> Result<Ending, Problem> {
        self.learn().await?;
        let (job, id) = (self.job, self.id);
        let covered = job.tables.iter().filter(|table| table.covers(id));
        let (mut failed, mut failures, mut stopped) = (BTreeSet::new(), Vec::new(), None);
        let mut all = Vec::new();
        for table in covered {
            if let Some(problem) = job.unusable.get(table.name()) {
                failed.insert(table.name());
                failures.push(format!("report {}: {problem}", table.report()));
            }
            all.push(Pending { table, agenda: None, is_hidden_logged: false });
        }
        'stages: for stage in [Stage::LastDays, Stage::Everything] {
            for pending in &mut all {
                if failed.contains(pending.table.name()) {
                    continue;
                }
                match self.advance(pending, stage).await {
                    Ok(None) => {}
                    // The quota is the same for all reports.
                    Ok(Some(reason)) => {
                        stopped = Some(reason);
                        break 'stages;
                    }
                    Err(problem) if problem.is_of_one_report() => {
                        failed.insert(pending.table.name());
                        failures.push(format!("report {}: {}", pending.table.report(), problem.text(job, id)));
                    }
                    Err(Problem::Database(error)) if error.is_fatal() => return Err(error.into()),
                    // Nothing of the property works.
                    Err(problem) => {
                        failures.push(problem.text(job, id));
                        break 'stages;
                    }
                }
            }
        }
        Ok(match stopped {
            _ if !failures.is_empty() => {
                failures.extend(stopped);
                Ending::Failed(failures.join("; "))
            }
            Some(reason) => {
                Ending::StoppedByQuota { last_days_complete: all.iter().all(Pending::has_lookback), reason }
            }
            None => Ending::Complete,
        })
    }

    /// Its name, if it is known.
    fn name(&self) -> Option<&str> {
        Some(self.row.name.as_str()).filter(|name| !name.is_empty())
    }

    /// Loads what is stored about the property, and asks the Admin API for the rest.
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

    /// Asks the Admin API. If it refuses, the details stay unknown; the Data API may still answer.
    async fn ask_details(&mut self) -> Result<(), Problem> {
        let mut attempt = 0;
        let details = loop {
            match self.job.client.property(self.id).await {
                Ok(details) => break details,
                Err(error) if error.reason().needs_operator() => {
                    let property_name = self.name();
                    debug!(property = %self.id, property_name, error = %Chain(&error), "details of a property cannot be read");
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

    /// Continues one report until the end of the stage. Returns the reason if the quota stops it.
    async fn advance(&mut self, pending: &mut Pending<'_>, stage: Stage) -> Result<Option<String>, Problem> {
        let table = pending.table;
        let mut agenda = match pending.agenda.take() {
            Some(agenda) => agenda,
            None => self.agenda(table).await?,
        };
        while let Some(span) = agenda.next_span().filter(|_| stage == Stage::Everything || !agenda.has_lookback()) {
            let asked_at = self.job.clock.now();
            let asking = Asking {
                client: &self.job.client,
                property: self.id,
                table,
                allowance: &mut self.allowance,
                requests: &mut self.work.requests,
            };
            let answer = match asking.days(span).await {
                Ok(answer) => answer,
                Err(refusal) => {
                    pending.agenda = Some(agenda);
                    return stopped_by_quota(refusal).map(Some);
                }
            };
            self.check_clock()?;
            self.note_hidden(pending, &answer);
            if self.is_of_another_zone(&answer).await? {
                // Its days may have been others: they are asked for once more, by the right date.
                agenda = self.agenda(table).await?;
            } else if !(answer.is_too_coarse() && agenda.halve()) {
                self.store(table, span, answer, asked_at).await?;
                agenda.on_stored();
            }
        }
        pending.agenda = Some(agenda);
        Ok(None)
    }

    /// Makes sure that the clock is right: by a wrong one, other days would be asked for, and settled too early.
    fn check_clock(&self) -> Result<(), Problem> {
        let offset = self.job.witness.offset();
        match offset.ahead() {
            Some(ahead) if !offset.is_trusted() => Err(Problem::Google(ga::ApiError::Clock { ahead })),
            Some(_) | None => Ok(()),
        }
    }

    /// Logs once that the account may not see all metrics of a report.
    fn note_hidden(&self, pending: &mut Pending<'_>, answer: &DailyAnswer) {
        if answer.quality.restricted && !std::mem::replace(&mut pending.is_hidden_logged, true) {
            warn!(
                property = %self.id, property_name = self.name(), report = %pending.table.report(),
                "the account's role hides cost or revenue metrics; what is stored of them stays, and new days have none; lift the \
                 restriction in Google Analytics under Admin > Property access management, then run sync with --lookback"
            );
        }
    }

    async fn store(
        &mut self,
        table: &Table,
        span: Span,
        answer: DailyAnswer,
        fetched_at: jiff::Timestamp,
    ) -> Result<(), Problem> {
        let marks = answer.marks(span, &self.zone, fetched_at);
        let batch = Batch { property: self.id, span, rows: answer.rows, hidden: answer.hidden, marks, fetched_at };
        let changed = self.job.database.replace(table, batch).await?;
        self.work.changed = self.work.changed.and(changed);
        self.work.days += span.days();
        Ok(())
    }

    async fn agenda(&self, table: &Table) -> Result<Agenda, Problem> {
        let today = self.zone.date(self.job.clock.now());
        let Some(period) = self.job.wanted.period(today, self.row.created) else { return Ok(Agenda::empty()) };
        let settled = self.job.database.settled(self.id, table.report()).await?;
        Ok(Agenda::new(period, &settled, table.longest_span()))
    }

    /// Whether an answer names another zone than was assumed, which is the property's from then on.
    async fn is_of_another_zone(&mut self, answer: &DailyAnswer) -> Result<bool, Problem> {
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

/// Fills unknown fields with what was known before.
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

/// Returns why the quota stops the run, and when the next one may continue.
///
/// # Errors
/// The refusal has another cause.
fn stopped_by_quota(refusal: Refusal) -> Result<String, Problem> {
    match refusal {
        Refusal::Limit(overspent @ Overspent::Share { .. }) => {
            Ok(format!("{overspent}; the next run continues where this one stopped, or raise quota.commands_share"))
        }
        Refusal::Limit(overspent @ (Overspent::Reserve { .. } | Overspent::TooExpensive { .. })) => {
            Ok(format!("{overspent}; {}", overspent.remedy()))
        }
        Refusal::Google(ga::ApiError::QuotaExhausted { bucket, .. }) => {
            Ok(format!("Google's quota is exhausted; the next run continues {}", refill(bucket)))
        }
        Refusal::Google(error) => Err(Problem::Google(error)),
    }
}

/// The zone in which days end last: a day that is over there is over everywhere.
pub(super) fn last_zone() -> Zone {
    Zone::named("Etc/GMT+12").unwrap_or_else(|_| Zone::utc())
}

fn tokens(allowance: &Allowance) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of whole numbers above 0")]
    let tokens = allowance.spent() as u64;
    tokens
}
