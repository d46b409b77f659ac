//! The states of all properties as their owner changes them, and the changes that readers have not seen yet.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{PropertyState, ReportState, keep_if_empty};
use crate::{names::PropertyId, properties::PropertyInfo, report::Report};

/// The states of all properties.
#[derive(Debug, Default)]
pub struct States {
    properties: BTreeMap<PropertyId, Arc<PropertyState>>,
    changed: BTreeSet<PropertyId>,
    /// Whether one of the changes is visible on `/metrics`.
    shows: bool,
}

/// A change of the store, applied atomically.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The new state of each changed property; `None` for a removed one.
    pub(super) states: Vec<(PropertyId, Option<Arc<PropertyState>>)>,
    pub(super) shows: bool,
}

impl Change {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
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
        // Values of a redefined report look different on /metrics.
        let is_redefined = known.is_some_and(|known| known.is_redefined_by(&reports));
        if is_redefined || known.is_none_or(|known| **known != state) {
            self.changed.insert(id);
            self.shows = true;
            self.properties.insert(id, Arc::new(state));
        }
    }

    /// Removes a property with all its series.
    pub fn remove(&mut self, id: PropertyId) {
        if self.properties.remove(&id).is_some() {
            self.changed.insert(id);
            self.shows = true;
        }
    }

    /// Changes a property, if it exists.
    pub fn update(&mut self, id: PropertyId, change: impl FnOnce(&mut PropertyState)) {
        self.shows |= self.change(id, change);
    }

    /// Changes something that is not visible on `/metrics`, so that renderings stay valid.
    pub fn note(&mut self, id: PropertyId, change: impl FnOnce(&mut PropertyState)) {
        self.change(id, change);
    }

    /// Returns the changes since the last call.
    pub fn take_change(&mut self) -> Change {
        let changed = std::mem::take(&mut self.changed);
        let states = changed.into_iter().map(|id| (id, self.properties.get(&id).cloned())).collect();
        Change { states, shows: std::mem::take(&mut self.shows) }
    }

    /// Applies the change and returns whether the property differs afterwards.
    fn change(&mut self, id: PropertyId, change: impl FnOnce(&mut PropertyState)) -> bool {
        let Some(state) = self.properties.get_mut(&id) else { return false };
        let before = Arc::clone(state);
        change(Arc::make_mut(state));
        let has_changed = *before != **state;
        if has_changed {
            self.changed.insert(id);
        }
        has_changed
    }
}
