//! The states of all properties as their owner changes them, and the changes that readers have not seen yet.

use std::{collections::BTreeMap, sync::Arc};

use super::{PropertyState, ReportState, keep_if_empty};
use crate::{names::PropertyId, properties::PropertyInfo, report::Report};

/// The states of all properties.
#[derive(Debug, Default)]
pub struct States {
    properties: BTreeMap<PropertyId, Arc<PropertyState>>,
    /// What readers still see of the properties that may have changed; `None` of a new one. A state is copied and compared
    /// once for all changes that readers see together.
    before: BTreeMap<PropertyId, Option<Arc<PropertyState>>>,
    /// Whether reports were redefined, so that the same values look different on `/metrics`.
    redefined: bool,
}

/// A change of the store, applied atomically.
#[derive(Clone, Debug, Default)]
pub struct StoreChange {
    /// The new state of each changed property; `None` for a removed one.
    pub(super) states: Vec<(PropertyId, Option<Arc<PropertyState>>)>,
    /// Whether it is visible on `/metrics`.
    pub(super) shows: bool,
}

impl StoreChange {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.states.is_empty() && !self.shows
    }
}

impl States {
    /// Returns the current state of a property.
    pub fn get(&self, id: PropertyId) -> Option<&PropertyState> {
        self.properties.get(&id).map(Arc::as_ref)
    }

    /// Returns the ids of all properties.
    pub fn ids(&self) -> Vec<PropertyId> {
        self.properties.keys().copied().collect()
    }

    /// Adds a property or updates its details; an empty text does not overwrite a known one.
    pub fn put<'a>(&mut self, id: PropertyId, info: &PropertyInfo, reports: impl IntoIterator<Item = &'a Arc<Report>>) {
        self.put_with(id, info, reports, |_| ());
    }

    /// The same, together with a further change in one step.
    pub fn put_with<'a>(
        &mut self,
        id: PropertyId,
        info: &PropertyInfo,
        reports: impl IntoIterator<Item = &'a Arc<Report>>,
        change: impl FnOnce(&mut PropertyState),
    ) {
        let reports: Vec<&Arc<Report>> = reports.into_iter().collect();
        let known = self.properties.get(&id);
        let state = known.map_or_else(|| PropertyState::new(id, info.clone()), |state| PropertyState::clone(state));
        let mut state = PropertyState { info: info.clone(), ..state };
        if let Some(known) = known {
            keep_if_empty(&mut state.info.time_zone, &known.info.time_zone);
            keep_if_empty(&mut state.info.currency, &known.info.currency);
        }
        let before = std::mem::take(&mut state.reports);
        state.reports = reports.iter().map(|report| ReportState::for_report(report, &before)).collect();
        change(&mut state);
        self.redefined |= known.is_some_and(|known| known.is_redefined_by(&reports));
        let before = self.properties.insert(id, Arc::new(state));
        self.before.entry(id).or_insert(before);
    }

    /// Removes a property with all its series.
    pub fn remove(&mut self, id: PropertyId) {
        if let Some(state) = self.properties.remove(&id) {
            self.before.entry(id).or_insert(Some(state));
        }
    }

    /// Changes a property, if it exists.
    pub fn update(&mut self, id: PropertyId, change: impl FnOnce(&mut PropertyState)) {
        let Some(state) = self.properties.get_mut(&id) else { return };
        self.before.entry(id).or_insert_with(|| Some(Arc::clone(state)));
        change(Arc::make_mut(state));
    }

    /// Returns the changes since the last call: of the properties that differ from what readers see.
    pub fn take_change(&mut self) -> StoreChange {
        let mut change = StoreChange { states: Vec::new(), shows: std::mem::take(&mut self.redefined) };
        for (id, before) in std::mem::take(&mut self.before) {
            match (before, self.properties.get_mut(&id)) {
                // Shares the state with readers again.
                (Some(before), Some(state)) if before == *state => *state = before,
                (Some(before), Some(state)) => {
                    change.shows |= state.differs_on_metrics(&before);
                    change.states.push((id, Some(Arc::clone(state))));
                }
                (None, None) => {}
                (_, state) => {
                    change.shows = true;
                    change.states.push((id, state.map(|state| Arc::clone(state))));
                }
            }
        }
        change
    }
}
