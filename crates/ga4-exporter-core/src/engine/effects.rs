//! What follows from a call of the engine, for its driver to carry out.

use ga4_drop_baseline::Shortfall;
use jiff::{SignedDuration, Timestamp};

use super::Kept;
use crate::{
    names::{DropReason, PropertyId, Reason},
    quota::{Limit, Outlook, Share},
    schedule::Job,
    store::{Change, Failure},
    timetable::Replanned,
};

/// What follows from a call of the engine.
#[derive(Debug, Default)]
pub struct Effects {
    /// What the store shows from now on.
    pub store: Change,
    /// What to log, in this order.
    pub log: Vec<Event>,
    /// What a restart should not forget; the last of a property counts.
    pub save: Vec<(PropertyId, Kept)>,
    /// What to count.
    pub observe: Vec<Observation>,
    /// Properties that are gone: what was saved of them is not needed any more.
    pub forget: Vec<PropertyId>,
}

/// What to count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Observation {
    /// Series of an answer that are not exported.
    SeriesDropped {
        /// Why.
        reason: DropReason,
        /// How many.
        count: u64,
    },
}

/// What limits the series of a report of one's own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SeriesLimit {
    /// Its own `max_series`.
    Report,
    /// `limits.series_per_property`.
    Property,
    /// `limits.series`.
    All,
}

impl SeriesLimit {
    /// The key of the configuration.
    pub fn key(self) -> &'static str {
        match self {
            Self::Report => "max_series",
            Self::Property => "limits.series_per_property",
            Self::All => "limits.series",
        }
    }
}

/// What to log. `suppressed` is the number of lines of the same kind that were left out since the last one; `None` leaves this
/// one out, too, unless details are wanted.
#[derive(Clone, Debug)]
pub enum Event {
    /// What the reports will spend of each property.
    Outlook {
        /// The figures.
        outlook: Outlook,
        /// Which part of every bucket may be spent.
        share: Share,
    },
    /// A report fails; for a reason that concerns the whole property, this stands for all of its reports.
    Failure {
        /// Which.
        job: Job,
        /// Why, and what to do about it.
        failure: Failure,
        /// Until when nothing is asked of the buckets that it draws on, where one is closed.
        closed_until: Option<Timestamp>,
        /// See above.
        suppressed: Option<u64>,
    },
    /// A report works again; where the property could not be read at all, all of its reports do.
    Recovery {
        /// Which.
        job: Job,
        /// Why it failed.
        reason: Reason,
        /// See above.
        suppressed: Option<u64>,
    },
    /// A report is polled less often than configured, or as configured again.
    Pace {
        /// Which, and why.
        change: Replanned,
        /// See above.
        suppressed: Option<u64>,
    },
    /// A report is due and not asked for.
    HeldBack {
        /// Which.
        job: Job,
        /// What it might overdraw.
        limit: Limit,
        /// See above.
        suppressed: Option<u64>,
    },
    /// A report begins to have more series than it may; the rest of them is not exported.
    SeriesLost {
        /// Which.
        job: Job,
        /// How many are exported.
        kept: usize,
        /// How many are not.
        dropped: usize,
        /// What limits them.
        limit: SeriesLimit,
        /// See above.
        suppressed: Option<u64>,
    },
    /// An answer was of another day or zone than the one asked for; it is asked for again.
    Discarded {
        /// Which.
        job: Job,
    },
    /// The zone of a property is not in the database.
    UnknownZone {
        /// The property.
        property: PropertyId,
        /// What is wrong with the zone's name.
        problem: String,
    },
    /// No drops are looked for: the configuration turns off what that needs.
    DropAlertOff,
    /// For which properties the drop alert is ready. Once at the start, and when it has changed.
    DropAlert {
        /// The number of those that it watches.
        ready: usize,
        /// Those that it cannot watch, since their history or their minutes are missing.
        not_ready: Vec<PropertyId>,
        /// Until when only near-total outages count as drops, for the last of those that are ready.
        learning_until: Option<Timestamp>,
    },
    /// A drop of a property's traffic has begun.
    DropBegan {
        /// The property.
        property: PropertyId,
        /// The window that is deepest below what is usual.
        drop: Shortfall,
    },
    /// A drop of a property's traffic has ended: traffic has been back for a quarter of an hour.
    DropEnded {
        /// The property.
        property: PropertyId,
        /// When it was seen first.
        began_at: Timestamp,
        /// From then until traffic was back.
        lasted: SignedDuration,
    },
    /// Drops of a property's traffic cannot be seen yet.
    NoBaseline {
        /// The property.
        property: PropertyId,
        /// Why not.
        problem: String,
    },
    /// Drops of a property's traffic can be seen from now on.
    Baseline {
        /// The property.
        property: PropertyId,
    },
    /// Google has no hours of a property any more, and what was usual is kept for the time being.
    HistoryGone {
        /// The property.
        property: PropertyId,
    },
    /// Google's clock shows another time than this one; an answer with dates is asked for again.
    ClockInDoubt {
        /// Which.
        job: Job,
    },
    /// The clock is wrong: values with dates are withdrawn.
    ClockWrong {
        /// By how much, and what to do about it.
        failure: Failure,
    },
    /// The clock agrees with Google's again.
    ClockRight,
    /// The clock was set back, and due times were moved with it.
    ClockSetBack {
        /// By how much.
        by: SignedDuration,
    },
}
