//! What the tasks have found out last, for those who show it.
//!
//! Knows values, how long they hold, and how the last attempts ended. Refuses to know zones, Google and HTTP.
//! Invariant: a [`Snapshot`] is immutable and replaced whole, so that the series of a report appear and vanish together.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use ga4_drop_baseline::{Assessment, DayView};
use jiff::{SignedDuration, Timestamp};

use crate::{
    names::{Category, PropertyId, Reason, ReportName},
    properties::PropertyInfo,
    quota::QuotaView,
    report::Report,
};

pub use report_state::{Attempt, Failure, ReportState, Snapshot};

mod report_state;

/// The latest of every property. Only the poller writes; everybody may read.
#[derive(Debug, Default)]
pub struct Store {
    properties: RwLock<BTreeMap<PropertyId, Arc<PropertyState>>>,
    /// Counts the changes.
    version: AtomicU64,
}

/// Everything that is shown of one property.
#[derive(Clone, Debug)]
pub struct PropertyState {
    /// The property.
    pub id: PropertyId,
    /// Its names and attributes, by what was told last.
    pub info: PropertyInfo,
    /// Its reports, in the order of their definition.
    pub reports: Vec<ReportState>,
    /// Its quota buckets, as far as Google has told of them.
    pub quota: BTreeMap<Category, QuotaView>,
    /// Its last minutes against what was to be expected.
    pub watched: Option<Arc<Watched>>,
    /// What is usual for it.
    pub usual: Option<Arc<Usual>>,
}

/// What the drop alert looks at; replaced whole.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Counts, expectations and bounds.
    pub assessment: Assessment,
    /// From when on they must not be shown.
    pub expires_at: Timestamp,
}

/// What is shown of a property's baseline; replaced whole.
#[derive(Clone, Debug)]
pub struct Usual {
    /// How long the history is that it was made of, also where that is too short for one.
    pub history_seconds: f64,
    /// The last week's level against that of all weeks; absent where there is no baseline.
    pub level: Option<f64>,
    /// From when on this must not be shown.
    pub expires_at: Timestamp,
    /// What concerns the present day, as long as that lasts.
    pub day: Option<DayView>,
}

impl Store {
    /// Counts up with every change, after it.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The properties at present, by id. Later changes do not show in it.
    pub fn properties(&self) -> Vec<Arc<PropertyState>> {
        self.read(|properties| properties.values().cloned().collect())
    }

    /// One property at present.
    pub fn property(&self, id: PropertyId) -> Option<Arc<PropertyState>> {
        self.read(|properties| properties.get(&id).cloned())
    }

    /// How many properties there are.
    pub fn len(&self) -> usize {
        self.read(BTreeMap::len)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a property, or takes what is told anew of it: an empty text changes nothing that was known before.
    pub fn put(&self, id: PropertyId, info: &PropertyInfo, reports: &[Arc<Report>]) {
        self.put_with(id, info, reports, |_| ());
    }

    /// The same with a change that is never seen apart from it.
    pub fn put_with(
        &self,
        id: PropertyId,
        info: &PropertyInfo,
        reports: &[Arc<Report>],
        change: impl FnOnce(&mut PropertyState),
    ) {
        self.write(|properties| {
            let state = properties.entry(id).or_insert_with(|| Arc::new(PropertyState::new(id, info.clone())));
            let state = Arc::make_mut(state);
            let before = std::mem::replace(&mut state.info, info.clone());
            keep_if_empty(&mut state.info.time_zone, before.time_zone);
            keep_if_empty(&mut state.info.currency, before.currency);
            let known = std::mem::take(&mut state.reports);
            state.reports = reports.iter().map(|report| ReportState::for_report(report, &known)).collect();
            change(state);
        });
    }

    /// Takes one property out, with all its series.
    pub fn remove(&self, id: PropertyId) {
        self.write(|properties| properties.remove(&id));
    }

    /// Changes a property; nothing happens when there is no such property.
    pub fn update(&self, id: PropertyId, change: impl FnOnce(&mut PropertyState)) {
        self.write(|properties| {
            if let Some(state) = properties.get_mut(&id) {
                change(Arc::make_mut(state));
            }
        });
    }

    /// Changes what `/metrics` does not show: what was rendered of it still holds.
    pub fn note(&self, id: PropertyId, change: impl FnOnce(&mut PropertyState)) {
        let mut properties = self.properties.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = properties.get_mut(&id) {
            change(Arc::make_mut(state));
        }
    }

    fn read<R>(&self, read: impl FnOnce(&BTreeMap<PropertyId, Arc<PropertyState>>) -> R) -> R {
        // A panic ends the process; in tests a poisoned store is as good as before, since changes are small and whole.
        read(&self.properties.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<R>(&self, write: impl FnOnce(&mut BTreeMap<PropertyId, Arc<PropertyState>>) -> R) {
        write(&mut self.properties.write().unwrap_or_else(PoisonError::into_inner));
        self.version.fetch_add(1, Ordering::AcqRel);
    }
}

impl PropertyState {
    fn new(id: PropertyId, info: PropertyInfo) -> Self {
        Self { id, info, reports: Vec::new(), quota: BTreeMap::new(), watched: None, usual: None }
    }

    /// The report of this name.
    pub fn report_mut(&mut self, name: &ReportName) -> Option<&mut ReportState> {
        self.reports.iter_mut().find(|report| report.name == *name)
    }

    /// Shows the property as one that Google no longer lists.
    pub fn mark_unlisted(&mut self, now: Timestamp) {
        for report in &mut self.reports {
            let since = now;
            report.begin_failure(Failure {
                reason: Reason::NotListed,
                message: "Google no longer lists the property".to_owned(),
                remedy: UNLISTED_REMEDY.to_owned(),
                since,
            });
            report.next_attempt = None;
        }
    }

    /// The clock was set back: nothing holds longer than it was meant to.
    pub fn on_clock_set_back(&mut self, by: SignedDuration) {
        for report in &mut self.reports {
            if let Some(snapshot) = report.snapshot.as_mut().map(Arc::make_mut) {
                set_back(&mut snapshot.expires_at, by);
            }
        }
        if let Some(watched) = self.watched.as_mut().map(Arc::make_mut) {
            set_back(&mut watched.expires_at, by);
        }
        if let Some(usual) = self.usual.as_mut().map(Arc::make_mut) {
            set_back(&mut usual.expires_at, by);
            usual.day = None;
        }
    }

    /// Takes what a report's answer says of the property.
    pub fn take_metadata(&mut self, time_zone: &str, currency: &str) {
        for (known, told) in [(&mut self.info.time_zone, time_zone), (&mut self.info.currency, currency)] {
            if !told.is_empty() && known != told {
                told.clone_into(known);
            }
        }
    }
}

/// What to do when a property is gone from Google's list.
const UNLISTED_REMEDY: &str = "if it should be there, look in Google Analytics whether the property is in the bin and whether the \
                               account still has access; it is shown for 7 days";

fn set_back(at: &mut Timestamp, by: SignedDuration) {
    *at = at.saturating_sub(by).unwrap_or(*at);
}

fn keep_if_empty(text: &mut String, before: String) {
    if text.is_empty() {
        *text = before;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::ReportSettings;

    fn id() -> PropertyId {
        "5".parse().unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn store() -> (Store, Vec<Arc<Report>>) {
        let reports = vec![
            Arc::new(Report::realtime(&ReportSettings::realtime(), false)),
            Arc::new(Report::traffic(&ReportSettings::traffic())),
        ];
        let store = Store::default();
        store.put(id(), &PropertyInfo { name: "Shop".to_owned(), ..PropertyInfo::default() }, &reports);
        (store, reports)
    }

    fn attempt(second: i64) -> Attempt {
        Attempt { sent_at: at(second), took: Duration::from_millis(10) }
    }

    fn failure(reason: Reason, second: i64) -> Failure {
        Failure { reason, message: String::new(), remedy: String::new(), since: at(second) }
    }

    fn succeed(store: &Store, reports: &[Arc<Report>], second: i64) {
        let report = Arc::clone(&reports[1]);
        let values = vec![1.0; report.families.len()].into();
        store.update(id(), |state| {
            let snapshot =
                Snapshot { report: Arc::clone(&report), values, quality: None, expires_at: at(second + 100) };
            state.report_mut(&report.name).unwrap().succeed(attempt(second), 3, snapshot);
        });
    }

    #[test]
    fn values_are_shown_until_they_expire() {
        let (store, reports) = store();
        succeed(&store, &reports, 0);
        let state = &store.properties()[0];
        assert!(state.reports[1].values(at(99)).is_some());
        assert!(state.reports[1].values(at(100)).is_none());
        assert!(state.reports[0].values(at(0)).is_none());
    }

    #[test]
    fn a_failure_keeps_the_values_and_a_success_ends_it() {
        let (store, reports) = store();
        assert!(!store.properties()[0].reports[1].is_up(), "down before the first outcome");
        succeed(&store, &reports, 0);
        let fail = |second, reason| {
            store.update(id(), |state| {
                state.report_mut(&reports[1].name).unwrap().fail(attempt(second), failure(reason, second));
            });
        };
        fail(10, Reason::Connection);
        fail(20, Reason::Timeout);
        let state = store.properties().remove(0);
        assert_eq!((state.reports[1].is_up(), state.reports[1].reason()), (false, Some(Reason::Timeout)));
        assert_eq!(state.reports[1].failure.as_ref().unwrap().since, at(10), "it has failed since then");
        assert!(state.reports[1].values(at(50)).is_some());
        assert_eq!(state.reports[1].last_success, Some(at(0)));
        succeed(&store, &reports, 20);
        assert!(store.properties()[0].reports[1].is_up());
        assert_eq!(store.properties()[0].reports[1].tokens_spent, 6);
    }

    #[test]
    fn what_was_read_before_a_change_does_not_change() {
        let (store, reports) = store();
        let before = store.properties();
        let version = store.version();
        succeed(&store, &reports, 0);
        assert!(before[0].reports[1].snapshot.is_none());
        assert!(store.version() > version);
    }

    #[test]
    fn what_metrics_do_not_show_makes_no_new_version() {
        let (store, reports) = store();
        let version = store.version();
        store.note(id(), |state| state.report_mut(&reports[0].name).unwrap().next_attempt = Some(at(60)));
        assert_eq!(store.properties()[0].reports[0].next_attempt, Some(at(60)));
        assert_eq!(store.version(), version);
    }

    #[test]
    fn names_may_change_and_what_reports_have_told_stays() {
        let (store, reports) = store();
        store.update(id(), |state| state.take_metadata("Europe/Berlin", "EUR"));
        succeed(&store, &reports, 0);
        store.put(id(), &PropertyInfo { name: "Store".to_owned(), ..PropertyInfo::default() }, &reports);
        let state = store.properties().remove(0);
        assert_eq!((state.info.name.as_str(), state.info.time_zone.as_str()), ("Store", "Europe/Berlin"));
        assert!(state.reports[1].snapshot.is_some());
    }

    #[test]
    fn a_property_that_is_listed_again_starts_anew() {
        let (store, reports) = store();
        store.update(id(), |state| state.mark_unlisted(at(0)));
        assert_eq!(store.properties()[0].reports[0].reason(), Some(Reason::NotListed));
        store.put(id(), &PropertyInfo::default(), &reports);
        let state = store.properties().remove(0);
        assert_eq!((state.reports[0].reason(), state.reports[0].is_up()), (None, false));
        store.remove(id());
        assert!(store.is_empty());
    }
}
