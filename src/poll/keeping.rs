//! What a restart should not forget of a property, and taking it up again.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::Poller;
use ga4_drop_baseline::Watch;

use crate::{
    names::{Category, PropertyId},
    properties::PropertyInfo,
    quota::Remembered,
    report::Report,
    storage::Saver,
};

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
}

impl Poller {
    /// Adds a property that is new here, with what was saved of it. Of a process that was killed the counters are too old:
    /// one that begins at 0 again is understood, and one that goes back a little is not.
    pub(super) fn add(&mut self, property: PropertyId, info: &PropertyInfo, reports: &[Arc<Report>]) {
        let storage = self.saver.as_ref().map(Saver::storage);
        let mut kept = storage.and_then(|storage| storage.load::<Kept>(property)).unwrap_or_default();
        if !storage.is_some_and(|storage| storage.was_closed(property)) {
            kept.tokens_spent.clear();
        }
        self.store.put_with(property, info, reports, |state| {
            for report in &mut state.reports {
                let spent = kept.tokens_spent.get(report.name.as_str());
                report.tokens_spent = report.tokens_spent.max(spent.copied().unwrap_or_default());
            }
        });
        self.watches.restore(property, kept.watch);
        for category in Category::ALL {
            if let Some(remembered) = kept.quota.remove(category.as_str()) {
                self.timetable.ledger.restore(property, *category, remembered);
            }
        }
    }

    /// Hands over the present state to be saved.
    pub(super) fn keep(&self, property: PropertyId) {
        let Some(saver) = &self.saver else { return };
        let Some(state) = self.store.property(property) else { return };
        let spent = state.reports.iter().map(|report| (report.name.to_string(), report.tokens_spent));
        let remembered =
            |category: &Category| Some((category.to_string(), self.timetable.ledger.remembered(property, *category)?));
        let quota = Category::ALL.iter().filter_map(remembered).collect();
        let kept = Kept { watch: self.watches.watch(property), tokens_spent: spent.collect(), quota };
        saver.put(property, kept, self.clock.now());
    }

    /// The property is gone.
    pub(super) fn forget_kept(&self, property: PropertyId) {
        if let Some(saver) = &self.saver {
            saver.forget(property);
        }
    }
}
