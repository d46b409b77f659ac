//! Keeping a database of daily figures right.
//!
//! Knows the order of things: which properties, which reports, one request after the other, and what a run comes to. Which days
//! are asked for and what an answer changes is decided by [`daily`](ga4_exporter_core::daily); how it is stored by
//! [`database`]. Invariant: whatever ends a run, the next one goes on where it stopped.

use std::{collections::BTreeMap, sync::Arc};

use tokio::task::JoinSet;
use tracing::warn;

use ga4_exporter_core::{
    daily::{Changed, Table, WantedDays},
    names::PropertyId,
    properties::PropertyInfo,
    quota::Share,
};

use crate::{
    clock::Clock,
    database::{self, Database},
    ga,
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
}

/// Brings every property up to date, several at a time. The outcome of each is handed to `ended`.
///
/// # Errors
/// The database is gone, so that nothing else would work.
pub async fn run(
    job: Arc<Job>,
    properties: BTreeMap<PropertyId, PropertyInfo>,
    mut ended: impl FnMut(&Outcome),
) -> Result<Totals, database::DatabaseError> {
    for table in &job.tables {
        if let Some(reason) = job.database.prepare(table).await? {
            warn!(report = %table.report(), "all days of the report are requested again: {reason}");
        }
    }
    let mut totals = Totals::default();
    let mut waiting = properties.into_iter();
    let mut running = JoinSet::new();
    loop {
        while running.len() < AT_ONCE
            && let Some((id, info)) = waiting.next()
        {
            let job = Arc::clone(&job);
            running.spawn(async move { property::bring_up_to_date(&job, id, info).await });
        }
        let Some(joined) = running.join_next().await else { return Ok(totals) };
        let outcome = match joined {
            Ok(outcome) => outcome?,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        };
        totals.add(&outcome);
        ended(&outcome);
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
