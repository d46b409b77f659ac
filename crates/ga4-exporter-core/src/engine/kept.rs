//! The state of a property that survives a restart.

use std::collections::BTreeMap;

use ga4_drop_baseline::Watch;
use serde::{Deserialize, Serialize};

use super::{Engine, drop_alert::OngoingDrop};
use crate::{names::PropertyId, quota::Remembered};

/// The saved state of a property.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Kept {
    /// Its minutes and their calibration.
    pub watch: Watch,
    /// Tokens spent by this exporter, by report, so that the counters continue.
    pub tokens_spent: BTreeMap<String, u64>,
    /// Tokens that count for the buckets of the day and the hour, by category.
    #[serde(default)]
    pub quota: BTreeMap<String, Remembered>,
    /// The drop of its traffic that goes on, if there is one.
    #[serde(default)]
    pub(super) drop: Option<OngoingDrop>,
}

impl Engine {
    /// Adds the current state of a property to the states to save.
    pub(super) fn keep(&mut self, property: PropertyId) {
        let Some(state) = self.states.get(property).filter(|_| self.has_storage) else { return };
        let spent = state.reports.iter().map(|report| (report.name.to_string(), report.tokens_spent));
        let kept = Kept {
            watch: self.watches.watch(property),
            tokens_spent: spent.collect(),
            quota: self.timetable.ledger.remembered(property),
            drop: self.drop_alert.ongoing(property),
        };
        self.effects.save.push((property, kept));
    }
}
