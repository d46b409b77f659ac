//! What a restart should not forget of a property, and taking it up again.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::Poller;
use crate::{baseline::Watch, names::PropertyId, properties::PropertyInfo, report::Report};

/// What is saved of a property.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Kept {
    /// Its minutes and how they compare with the processed data.
    pub watch: Watch,
    /// Tokens that this exporter has spent, by report: a counter that need not begin again.
    pub tokens_spent: BTreeMap<String, u64>,
}

impl Poller {
    /// Adds a property that is new here, with what was saved of it: a counter is never seen to begin again.
    pub(super) fn add(&mut self, property: PropertyId, info: &PropertyInfo, reports: &[Arc<Report>]) {
        let kept = self.saver.as_ref().and_then(|saver| saver.storage().load::<Kept>(property)).unwrap_or_default();
        self.store.put_with(property, info, reports, |state| {
            for report in &mut state.reports {
                let spent = kept.tokens_spent.get(report.name.as_str());
                report.tokens_spent = report.tokens_spent.max(spent.copied().unwrap_or_default());
            }
        });
        self.watches.restore(property, kept.watch, self.clock.now());
    }

    /// Hands over the present state to be saved.
    pub(super) fn keep(&self, property: PropertyId) {
        let Some(saver) = &self.saver else { return };
        let Some(state) = self.store.property(property) else { return };
        let spent = state.reports.iter().map(|report| (report.name.to_string(), report.tokens_spent));
        let kept = Kept { watch: self.watches.watch(property), tokens_spent: spent.collect() };
        saver.put(property, kept, self.clock.now());
    }

    /// The property is gone.
    pub(super) fn forget_kept(&self, property: PropertyId) {
        if let Some(saver) = &self.saver {
            saver.forget(property);
        }
    }
}
