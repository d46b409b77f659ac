//! Daily figures: which days of a report to ask for, what an answer says of them, and what that changes in a database.
//!
//! Knows that a day without traffic is a zero, that a day without a [`Mark`] is a gap, and that Google revises a day for 72
//! hours. Refuses to know the database, the network and the clock. Invariants: today is never asked for; a day is marked only
//! together with its rows; a day counts as settled only when it was asked for after Google had stopped revising it.
//!
//! `table` is what is kept of a report, `definition` what its numbers mean, `agenda` what to ask for next, `answer` what came,
//! `change` what that changes.

use std::time::Duration;

use jiff::{Timestamp, civil::Date};

pub use agenda::{Agenda, Period, Span, WantedDays};
pub use answer::{AnswerError, DailyAnswer, Mark};
pub use change::{Changed, RowChange, keep_hidden};
pub use definition::TableDefinition;
pub use table::{Column, DAILY, MetricColumn, NumberKind, ROW_KEY, Table, TableError};

use std::collections::BTreeMap;

use ga4_drop_baseline::calendar::Zone;

use crate::time::later;

mod agenda;
mod answer;
mod change;
mod definition;
#[cfg(test)]
mod simulation;
mod table;

/// The place of a row: a day and the values of its dimensions.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Key {
    /// The day, in the property's zone.
    pub date: Date,
    /// In the order of the table's dimensions.
    pub dimensions: Vec<String>,
}

/// The values of a row, in the order of the table's metrics; `None` where Google hides them from the account.
pub type Values = Vec<Option<f64>>;

/// Rows of some days of one property and table.
pub type DailyRows = BTreeMap<Key, Values>;

/// Whether Google had stopped revising a day when it was asked for.
pub fn is_settled(date: Date, zone: &Zone, asked_at: Timestamp) -> bool {
    zone.bounds(date).is_some_and(|(_, end)| later(end, REVISED_FOR) <= asked_at)
}

/// How long after its end Google revises a day: events that phones and servers send late arrive for up to 72 hours
/// (developers.google.com/analytics/devguides/collection/protocol/ga4/sending-events).
pub const REVISED_FOR: Duration = Duration::from_hours(72);

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_day_is_settled_72_hours_after_its_own_end() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let day = date(2026, 7, 1);
        assert!(!is_settled(day, &berlin, at("2026-07-04T21:59:59Z")));
        assert!(is_settled(day, &berlin, at("2026-07-04T22:00:00Z")));
        assert!(!is_settled(day, &Zone::utc(), at("2026-07-04T22:00:00Z")));
    }
}
