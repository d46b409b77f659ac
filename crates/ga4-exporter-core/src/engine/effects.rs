//! The effects of a call of the engine, which its driver carries out.

use ga4_drop_baseline::TrafficDrop;
use jiff::{SignedDuration, Timestamp};

use super::Kept;
use crate::{
    names::{DropReason, PropertyId, Reason},
    quota::{Limit, Outlook, Share},
    schedule::Job,
    store::{Failure, StoreChange},
    timetable::Replanned,
};

/// The effects of a call of the engine.
#[derive(Debug, Default)]
pub struct Effects {
    /// The change of the store.
    pub store: StoreChange,
    /// The lines to log, in this order.
    pub log: Vec<Event>,
    /// States to save; the last one of a property counts.
    pub save: Vec<(PropertyId, Kept)>,
    /// Figures to add to the exporter's own counters.
    pub observe: Vec<Observation>,
    /// Removed properties, whose saved states are no longer needed.
    pub forget: Vec<PropertyId>,
}

/// Figures to add to the exporter's own counters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Observation {
    /// Series of an answer that were not exported.
    SeriesDropped {
        /// Why they were not exported.
        reason: DropReason,
        /// The number of series.
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
    /// What the reports will spend, per property.
    Outlook {
        /// What they will spend, in tokens, by report and by bucket.
        outlook: Outlook,
        /// The share of every bucket that may be spent.
        share: Share,
    },
    /// A report fails; for a reason that concerns the whole property, this stands for all of its reports.
    Failure {
        /// The property and the report.
        job: Job,
        /// The cause and the remedy.
        failure: Failure,
        /// Until when a bucket that it draws on is closed, if one is.
        closed_until: Option<Timestamp>,
        /// Lines suppressed since the last one, see [`Event`].
        suppressed: Option<u64>,
    },
    /// A report works again; where the property could not be read at all, all of its reports do.
    Recovery {
        /// The property and the report.
        job: Job,
        /// The reason for which it failed.
        reason: Reason,
        /// Lines suppressed since the last one, see [`Event`].
        suppressed: Option<u64>,
    },
    /// A report is polled less often than configured, or as configured again.
    Pace {
        /// The report, its interval and the limit.
        change: Replanned,
        /// Lines suppressed since the last one, see [`Event`].
        suppressed: Option<u64>,
    },
    /// A report is due but not sent.
    HeldBack {
        /// The property and the report.
        job: Job,
        /// The bucket or share that it would overdraw.
        limit: Limit,
        /// Lines suppressed since the last one, see [`Event`].
        suppressed: Option<u64>,
    },
    /// A report begins to have more series than it may; the rest of them is not exported.
    SeriesLost {
        /// The property and the report.
        job: Job,
        /// The number of series that are exported.
        kept: usize,
        /// The number of series that are not.
        dropped: usize,
        /// The limit that is exceeded.
        limit: SeriesLimit,
        /// Lines suppressed since the last one, see [`Event`].
        suppressed: Option<u64>,
    },
    /// An answer belonged to another day or zone than the requested one; the report is polled again.
    Discarded {
        /// The property and the report.
        job: Job,
    },
    /// The time zone of a property is not in the database, or Google does not name one.
    UnknownZone {
        /// The property.
        property: PropertyId,
        /// The zone's name and the error, or that there is no name.
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
        /// How much traffic is missing, and in which window.
        drop: TrafficDrop,
    },
    /// A drop of a property's traffic has ended: traffic has been back for a quarter of an hour.
    DropEnded {
        /// The property.
        property: PropertyId,
        /// When the drop was first seen.
        began_at: Timestamp,
        /// From then until traffic was back.
        lasted: SignedDuration,
    },
    /// The drop alert is not active for a property yet.
    NoBaseline {
        /// The property.
        property: PropertyId,
        /// The reason.
        problem: String,
    },
    /// The drop alert is active for a property from now on.
    Baseline {
        /// The property.
        property: PropertyId,
    },
    /// Google's history of a property is empty; the previous baseline stays until it expires.
    HistoryGone {
        /// The property.
        property: PropertyId,
    },
    /// Google's clock differs from this machine's; a report with dates is polled again.
    ClockInDoubt {
        /// The property and the report.
        job: Job,
    },
    /// The clock is wrong: values with dates are withdrawn.
    ClockWrong {
        /// The difference and the remedy.
        failure: Failure,
    },
    /// The clock agrees with Google's again.
    ClockRight,
    /// The clock was set back, and due times were moved with it.
    ClockSetBack {
        /// The length of the step.
        by: SignedDuration,
    },
}
