//! The outcome of a run: of each property, and the totals.

use ga4_exporter_core::{daily::Changed, names::PropertyId};

/// The outcome of one property.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The property.
    pub property: PropertyId,
    /// What it is called; may be empty.
    pub name: String,
    /// How it ended.
    pub ending: Ending,
    /// The work that was done.
    pub work: Work,
}

/// How the work on a property ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ending {
    /// Everything is there.
    Complete,
    /// Stopped early because of the quota; the next run continues there.
    StoppedByQuota {
        /// Whether the lookback days of every report are stored.
        last_days_complete: bool,
        /// Which bucket, and when the next run may continue.
        reason: String,
    },
    /// Failed, with the error and its remedy.
    Failed(String),
}

/// The work that was done.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Work {
    /// Reports asked for.
    pub requests: usize,
    /// Days that were stored.
    pub days: usize,
    /// Rows.
    pub changed: Changed,
    /// Tokens of Google's quota.
    pub tokens: u64,
}

/// The totals of a run.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Totals {
    /// The number of properties.
    pub properties: usize,
    /// How many of them failed, including those without all of their lookback days.
    pub failed: usize,
    /// How many have older days left for the next run.
    pub unfinished: usize,
    /// The work that was done.
    pub work: Work,
}

impl Totals {
    pub(super) fn add(&mut self, outcome: &Outcome) {
        self.properties += 1;
        match &outcome.ending {
            Ending::Complete => {}
            Ending::StoppedByQuota { last_days_complete: true, .. } => self.unfinished += 1,
            Ending::StoppedByQuota { last_days_complete: false, .. } | Ending::Failed(_) => self.failed += 1,
        }
        self.work.add(&outcome.work);
    }

    /// Whether every property has its lookback days.
    pub fn is_success(&self) -> bool {
        self.failed == 0
    }
}

impl Work {
    fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.days += other.days;
        self.changed = self.changed.and(other.changed);
        self.tokens += other.tokens;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_succeeds_with_older_days_left_and_not_without_the_last_ones() {
        let outcome = |ending| Outcome {
            property: "1".parse().unwrap(),
            name: String::new(),
            ending,
            work: Work { requests: 2, tokens: 10, ..Work::default() },
        };
        let stopped = |last_days_complete| Ending::StoppedByQuota { last_days_complete, reason: String::new() };
        let mut totals = Totals::default();
        totals.add(&outcome(Ending::Complete));
        totals.add(&outcome(stopped(true)));
        assert!(totals.is_success());
        totals.add(&outcome(stopped(false)));
        totals.add(&outcome(Ending::Failed(String::new())));
        assert!(!totals.is_success());
        assert_eq!((totals.properties, totals.failed, totals.unfinished), (4, 2, 1));
        assert_eq!((totals.work.requests, totals.work.tokens), (8, 40));
    }
}
