//! Synchronises a database with Google's daily figures.
//!
//! Knows the order of work: which properties, which reports, one request after the other, and the totals of a run. Which days are
//! requested and what an answer changes is decided by [`daily`](ga4_exporter_core::daily); how it is stored by
//! [`database`](crate::database). Invariant: whatever ends a run, the next one continues where it stopped.

use std::{collections::BTreeMap, sync::Arc};

use tokio::task::JoinSet;
use tracing::warn;

use ga4_exporter_core::{
    chain::Chain,
    daily::{Changed, Table, WantedDays},
    names::PropertyId,
    properties::PropertyInfo,
    quota::Share,
};

use crate::{
    clock::Clock,
    database::{Database, DatabaseError},
    ga,
    witness::Witness,
};

pub use estimate::{Estimate, estimate};
pub use outcome::{Ending, Outcome, Totals};
pub use progress::Progress;
pub use textfile::{Figures, write as write_textfile};

mod ask;
mod estimate;
mod outcome;
mod progress;
mod property;
mod textfile;

/// What a run needs.
#[derive(Clone, Debug)]
pub struct Job {
    /// Asks Google.
    pub client: ga::Client,
    /// Where the figures go.
    pub database: Database,
    /// What is kept.
    pub tables: Vec<Table>,
    /// Which days.
    pub wanted: WantedDays,
    /// How much of a property's quota may be spent.
    pub share: Share,
    /// The time.
    pub clock: Clock,
    /// Compares the clock with Google's.
    pub witness: Witness,
    /// The tables that cannot be written, with the reason. [`run`] fills it.
    pub unusable: BTreeMap<String, String>,
}

/// The outcome of a run, however it ended.
#[derive(Debug)]
pub struct Run {
    /// What was done.
    pub totals: Totals,
    /// The error of the database that ended it early.
    pub lost: Option<DatabaseError>,
}

/// Brings every property up to date, several at a time. The outcome of each is handed to `ended`.
pub async fn run(mut job: Job, properties: BTreeMap<PropertyId, PropertyInfo>, mut ended: impl FnMut(&Outcome)) -> Run {
    let mut totals = Totals::default();
    if let Err(error) = prepare(&mut job).await {
        return Run { totals, lost: Some(error) };
    }
    let job = Arc::new(job);
    let mut waiting = properties.into_iter();
    let mut running = JoinSet::new();
    loop {
        while running.len() < AT_ONCE
            && let Some((id, info)) = waiting.next()
        {
            let job = Arc::clone(&job);
            running.spawn(async move { property::bring_up_to_date(&job, id, info).await });
        }
        let Some(joined) = running.join_next().await else { return Run { totals, lost: None } };
        let outcome = match joined {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => return Run { totals, lost: Some(error) },
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        };
        totals.add(&outcome);
        ended(&outcome);
    }
}

/// Creates the tables, or adds their new columns. A table that cannot be used costs only its own report.
///
/// # Errors
/// The database is gone, or none of the tables can be used.
async fn prepare(job: &mut Job) -> Result<(), DatabaseError> {
    let mut first = None;
    for table in &job.tables {
        match job.database.prepare(table).await {
            Ok(None) => {}
            Ok(Some(reason)) => {
                warn!(report = %table.report(), "all days of the report are requested again: {reason}");
            }
            Err(error) if error.is_fatal() => return Err(error),
            Err(error) => {
                job.unusable.insert(table.name().to_owned(), Chain(&error).to_string());
                first.get_or_insert(error);
            }
        }
    }
    match first {
        Some(error) if job.unusable.len() == job.tables.len() => Err(error),
        Some(_) | None => Ok(()),
    }
}

/// How many properties are asked at the same time.
const AT_ONCE: usize = 8;

/// How many rows were changed, for a log line.
pub(crate) fn rows_in_words(changed: Changed) -> String {
    format!(
        "{} inserted, {} updated, {} deleted, {} unchanged",
        changed.inserted, changed.updated, changed.deleted, changed.untouched
    )
}
