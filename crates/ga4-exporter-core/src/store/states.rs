//! The states of all properties as their one owner changes them, and what readers have not seen of that yet.

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
    /// Whether one of the changes shows on `/metrics`.
    shows: bool,
}

/// What readers of the store see from now on, all at once.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The new state of each property that changed; `None` for one that is gone.
    pub(super) states: Vec<(PropertyId, Option<Arc<PropertyState>>)>,
    pub(super) shows: bool,
}

impl Change {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
    }
}

impl States {
    /// One property at present.
    pub fn get(&self, id: PropertyId) -> Option<&PropertyState> {
        self.properties.get(&id).map(Arc::as_ref)
    }

    /// All properties that there are.
    pub fn ids(&self) -> Vec<PropertyId> {
        self.properties.keys().copied().collect()
    }

    /// Adds a property, or corrects what is known of it: an empty text changes nothing that was known before.
    pub fn put<'a>(&mut self, id: PropertyId, info: &PropertyInfo, reports: impl IntoIterator<Item = &'a Arc<Report>>) {
        self.put_with(id, info, reports, |_| ());
    }

    /// The same with a change that is never seen apart from it.
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
        // Values of a report that is defined otherwise now are shown otherwise.
        let is_redefined = known.is_some_and(|known| known.is_redefined_by(&reports));
        if is_redefined || known.is_none_or(|known| **known != state) {
            self.changed.insert(id);
            self.shows = true;
            self.properties.insert(id, Arc::new(state));
        }
    }

    /// Takes one property out, with all its series.
    pub fn remove(&mut self, id: PropertyId) {
        if self.properties.remove(&id).is_some() {
            self.changed.insert(id);
            self.shows = true;
        }
    }

    /// Changes a property; nothing happens when there is no such property.
    pub fn update(&mut self, id: PropertyId, change: impl FnOnce(&mut PropertyState)) {
        self.shows |= self.change(id, change);
    }

    /// Changes what `/metrics` does not show: what was rendered of it still holds.
    pub fn note(&mut self, id: PropertyId, change: impl FnOnce(&mut PropertyState)) {
        self.change(id, change);
    }

    /// What has changed since this was called last.
    pub fn take_change(&mut self) -> Change {
        let changed = std::mem::take(&mut self.changed);
        let states = changed.into_iter().map(|id| (id, self.properties.get(&id).cloned())).collect();
        Change { states, shows: std::mem::take(&mut self.shows) }
    }

    /// Whether the property is another afterwards.
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
