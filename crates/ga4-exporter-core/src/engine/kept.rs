//! What a restart should not forget of a property.

use std::collections::BTreeMap;

use ga4_drop_baseline::Watch;
use serde::{Deserialize, Serialize};

use super::{Engine, drop_alert::OngoingDrop};
use crate::{names::PropertyId, quota::Remembered};

/// What is saved of a property.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Kept {
    /// Its minutes and how they compare with the processed data.
    pub watch: Watch,
    /// Tokens that this exporter has spent, by report: a counter that need not begin again.
    pub tokens_spent: BTreeMap<String, u64>,
    /// What counts for the buckets of the day and of the hour, by category.
    #[serde(default)]
    pub quota: BTreeMap<String, Remembered>,
    /// The drop of its traffic that goes on, if there is one.
    #[serde(default)]
    pub(super) drop: Option<OngoingDrop>,
}

impl Engine {
    /// Has the present state of a property saved.
    pub(super) fn keep(&mut self, property: PropertyId) {
        let Some(state) = self.states.get(property).filter(|_| self.keeps) else { return };
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
