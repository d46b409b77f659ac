//! The latest state of every property, for `/metrics` and the status page.
//!
//! The engine changes [`States`]; readers see a [`Store`]. Knows values, when they expire, and how the last polls ended.
//! Refuses to know zones, Google and HTTP. Invariant: a [`Snapshot`] is immutable and replaced whole, so that the series of a
//! report appear and vanish together.

use std::{
    collections::{BTreeMap, BTreeSet},
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
pub use states::{States, StoreChange};

mod report_state;
mod states;

/// The latest state of every property. Only the engine's effects change it.
#[derive(Debug, Default)]
pub struct Store {
    properties: RwLock<BTreeMap<PropertyId, Arc<PropertyState>>>,
    /// Counts the changes that are visible on `/metrics`.
    version: AtomicU64,
}

/// The state of one property.
#[derive(Clone, Debug, PartialEq)]
pub struct PropertyState {
    /// The property.
    pub id: PropertyId,
    /// Its names and attributes, as last received.
    pub info: PropertyInfo,
    /// Its reports, in the order of their definition.
    pub reports: Vec<ReportState>,
    /// Its quota buckets, as far as they are known.
    pub quota: BTreeMap<Category, QuotaView>,
    /// Its last minutes compared with the baseline.
    pub watched: Option<Arc<Watched>>,
    /// Its baseline.
    pub usual: Option<Arc<Usual>>,
}

/// The assessment of the last minutes; replaced whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Watched {
    /// Counts, expectations and bounds.
    pub assessment: Assessment,
    /// When they expire.
    pub expires_at: Timestamp,
}

/// The view of a property's baseline; replaced whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Usual {
    /// Length of its history, even if that is too short for a baseline.
    pub history_seconds: f64,
    /// The level of the last week divided by that of all weeks; absent without a baseline.
    pub level: Option<f64>,
    /// When this expires.
    pub expires_at: Timestamp,
    /// The view of the current day, until it ends.
    pub day: Option<DayView>,
}

impl Store {
    /// Returns a number that increases after every change that is visible on `/metrics`.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Returns the current properties by id. Later changes do not affect the result.
    pub fn properties(&self) -> Vec<Arc<PropertyState>> {
        self.read(|properties| properties.values().cloned().collect())
    }

    /// Returns the current state of a property.
    pub fn property(&self, id: PropertyId) -> Option<Arc<PropertyState>> {
        self.read(|properties| properties.get(&id).cloned())
    }

    /// Returns the number of properties.
    pub fn len(&self) -> usize {
        self.read(BTreeMap::len)
    }

    /// Whether there are no properties.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Applies a change atomically: no reader sees a part of it.
    pub fn apply(&self, change: StoreChange) {
        if change.is_empty() {
            return;
        }
        let mut properties = self.properties.write().unwrap_or_else(PoisonError::into_inner);
        for (id, state) in change.states {
            match state {
                Some(state) => properties.insert(id, state),
                None => properties.remove(&id),
            };
        }
        drop(properties);
        if change.shows {
            self.version.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn read<R>(&self, read: impl FnOnce(&BTreeMap<PropertyId, Arc<PropertyState>>) -> R) -> R {
        // A panic ends the process. In tests a poisoned store is still consistent, since changes are atomic.
        read(&self.properties.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl PropertyState {
    fn new(id: PropertyId, info: PropertyInfo) -> Self {
        Self { id, info, reports: Vec::new(), quota: BTreeMap::new(), watched: None, usual: None }
    }

    /// Whether it has values of a report whose definition differs from these.
    fn is_redefined_by(&self, reports: &[&Arc<Report>]) -> bool {
        let shown = self.reports.iter().filter_map(|state| state.snapshot.as_ref());
        let mut pairs = shown.filter_map(|snapshot| {
            let defined = reports.iter().find(|report| report.name == snapshot.report.name)?;
            Some((*defined, &snapshot.report))
        });
        pairs.any(|(defined, shown)| !Arc::ptr_eq(defined, shown) && defined != shown)
    }

    /// Whether it may look different on `/metrics` from this state: not if only due times differ, which the status page alone
    /// shows.
    fn differs_on_metrics(&self, before: &Self) -> bool {
        let shown = |report: &ReportState| ReportState { next_attempt: None, ..report.clone() };
        let Self { id, info, reports, quota, watched, usual } = self;
        !reports.iter().map(shown).eq(before.reports.iter().map(shown))
            || (id, info, quota) != (&before.id, &before.info, &before.quota)
            || (watched, usual) != (&before.watched, &before.usual)
    }

    /// Returns the report of this name.
    pub fn report_mut(&mut self, name: &ReportName) -> Option<&mut ReportState> {
        self.reports.iter_mut().find(|report| report.name == *name)
    }

    /// Marks the property as no longer listed by Google.
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

    /// The clock was set back: expiries move with it.
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

    /// The clock is wrong: removes dated values, and fails the reports of these names unless they fail already.
    pub fn withdraw_dates(&mut self, dated: &BTreeSet<ReportName>, failure: &Failure) {
        for report in self.reports.iter_mut().filter(|report| dated.contains(&report.name)) {
            report.snapshot = None;
            if report.failure.is_none() {
                report.begin_failure(failure.clone());
            }
        }
        self.watched = None;
        self.usual = None;
    }

    /// Adopts what a report's answer says about the property.
    pub fn take_metadata(&mut self, time_zone: &str, currency: &str) {
        for (known, reported) in [(&mut self.info.time_zone, time_zone), (&mut self.info.currency, currency)] {
            if !reported.is_empty() && known != reported {
                reported.clone_into(known);
            }
        }
    }
}

/// The remedy for a property that Google no longer lists.
const UNLISTED_REMEDY: &str = "if the property should exist, check in Google Analytics that it is not in the trash and \
                               that the account has access; otherwise it disappears after 7 days";

fn set_back(at: &mut Timestamp, by: SignedDuration) {
    *at = at.saturating_sub(by).unwrap_or(*at);
}

fn keep_if_empty(text: &mut String, before: &str) {
    if text.is_empty() {
        before.clone_into(text);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::{ReportSettings, series::SeriesBuilder};

    fn id() -> PropertyId {
        "5".parse().unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// A store and the owner of what it shows.
    #[derive(Default)]
    struct World {
        states: States,
        store: Store,
    }

    type Writing<'a> = &'a dyn Fn(&mut States);

    impl World {
        fn put(&mut self, info: &PropertyInfo, reports: &[Arc<Report>]) {
            self.states.put(id(), info, reports);
            self.store.apply(self.states.take_change());
        }

        fn update(&mut self, change: impl FnOnce(&mut PropertyState)) {
            self.states.update(id(), change);
            self.store.apply(self.states.take_change());
        }

        fn state(&self) -> Arc<PropertyState> {
            self.store.property(id()).unwrap()
        }
    }

    fn world() -> (World, Vec<Arc<Report>>) {
        let reports = vec![
            Arc::new(Report::realtime(&ReportSettings::realtime(), false)),
            Arc::new(Report::traffic(&ReportSettings::traffic())),
        ];
        let mut world = World::default();
        world.put(&PropertyInfo { name: "Shop".to_owned(), ..PropertyInfo::default() }, &reports);
        (world, reports)
    }

    fn attempt(second: i64) -> Attempt {
        Attempt { sent_at: at(second), took: Duration::from_millis(10) }
    }

    fn failure(reason: Reason, second: i64) -> Failure {
        Failure { reason, message: String::new(), remedy: String::new(), since: at(second) }
    }

    fn succeed(world: &mut World, reports: &[Arc<Report>], second: i64) {
        let report = Arc::clone(&reports[1]);
        let values = vec![1.0; report.families.len()].into();
        world.update(|state| {
            let snapshot =
                Snapshot { report: Arc::clone(&report), values, quality: None, expires_at: at(second + 100) };
            state.report_mut(&report.name).unwrap().succeed(attempt(second), 3, snapshot);
        });
    }

    #[test]
    fn values_are_shown_until_they_expire() {
        let (mut world, reports) = world();
        succeed(&mut world, &reports, 0);
        let state = &world.state();
        assert!(state.reports[1].values(at(99)).is_some());
        assert!(state.reports[1].values(at(100)).is_none());
        assert!(state.reports[0].values(at(0)).is_none());
    }

    #[test]
    fn a_failure_keeps_the_values_and_a_success_ends_it() {
        let (mut world, reports) = world();
        assert!(!world.state().reports[1].is_up(), "down before the first outcome");
        succeed(&mut world, &reports, 0);
        let fail = |world: &mut World, second, reason| {
            world.update(|state| {
                state.report_mut(&reports[1].name).unwrap().fail(attempt(second), failure(reason, second));
            });
        };
        fail(&mut world, 10, Reason::Connection);
        fail(&mut world, 20, Reason::Timeout);
        let state = world.state();
        assert_eq!((state.reports[1].is_up(), state.reports[1].reason()), (false, Some(Reason::Timeout)));
        assert_eq!(state.reports[1].failure.as_ref().unwrap().since, at(10), "it has failed since then");
        assert!(state.reports[1].values(at(50)).is_some());
        assert_eq!(state.reports[1].last_success, Some(at(0)));
        succeed(&mut world, &reports, 20);
        assert!(world.state().reports[1].is_up());
        assert_eq!(world.state().reports[1].tokens_spent, 6);
    }

    #[test]
    fn what_was_read_before_a_change_does_not_change() {
        let (mut world, reports) = world();
        let before = world.store.properties();
        let version = world.store.version();
        succeed(&mut world, &reports, 0);
        assert!(before[0].reports[1].snapshot.is_none());
        assert!(world.store.version() > version);
    }

    #[test]
    fn what_metrics_do_not_show_makes_no_new_version() {
        let (mut world, reports) = world();
        let version = world.store.version();
        world.update(|state| state.report_mut(&reports[0].name).unwrap().next_attempt = Some(at(60)));
        assert_eq!(world.state().reports[0].next_attempt, Some(at(60)));
        world.store.apply(world.states.take_change());
        assert_eq!(world.store.version(), version);
    }

    #[test]
    fn a_wrong_clock_takes_only_what_has_dates() {
        let (mut world, reports) = world();
        succeed(&mut world, &reports, 0);
        let dated: BTreeSet<ReportName> = [reports[1].name.clone()].into();
        world.update(|state| state.withdraw_dates(&dated, &failure(Reason::Clock, 5)));
        let state = world.state();
        assert!(state.reports[1].values(at(5)).is_none());
        assert_eq!((state.reports[0].reason(), state.reports[1].reason()), (None, Some(Reason::Clock)));
        world.update(|state| {
            state.report_mut(&reports[0].name).unwrap().fail(attempt(6), failure(Reason::Timeout, 6));
        });
        let all: BTreeSet<ReportName> = reports.iter().map(|report| report.name.clone()).collect();
        world.update(|state| state.withdraw_dates(&all, &failure(Reason::Clock, 7)));
        assert_eq!(world.state().reports[0].reason(), Some(Reason::Timeout), "it says why already");
    }

    #[test]
    fn what_changes_nothing_makes_no_new_version() {
        let (mut world, reports) = world();
        succeed(&mut world, &reports, 0);
        let info = PropertyInfo { name: "Shop".to_owned(), ..PropertyInfo::default() };
        let other = "6".parse().unwrap();
        let named = |name: &str| PropertyInfo { name: name.to_owned(), ..PropertyInfo::default() };
        let nothing: [(&str, Writing<'_>); 8] = [
            ("there and back", &|states| {
                states.put(id(), &named("Store"), &reports);
                states.put(id(), &info, &reports);
            }),
            ("a property for a moment", &|states| {
                states.put(other, &info, &reports);
                states.remove(other);
            }),
            ("no change", &|states| states.update(id(), |_| ())),
            ("the same interval", &|states| {
                let set = |report: &mut ReportState| report.interval = reports[0].interval;
                states.update(id(), |state| set(state.report_mut(&reports[0].name).unwrap()));
            }),
            ("the same metadata", &|states| states.update(id(), |state| state.take_metadata("", ""))),
            ("the same names", &|states| states.put(id(), &info, &reports)),
            ("a property that is not there", &|states| states.update(other, |state| state.quota.clear())),
            ("to remove it", &|states| states.remove(other)),
        ];
        for (what, change) in nothing {
            let version = world.store.version();
            change(&mut world.states);
            world.store.apply(world.states.take_change());
            assert_eq!(world.store.version(), version, "{what}");
        }
    }

    #[test]
    fn a_row_that_lacks_a_value_equals_itself() {
        let (mut world, reports) = world();
        let series = || {
            let mut builder = SeriesBuilder::new(1, 2, usize::MAX, 1, 1);
            builder.add(0, ["/"].into_iter(), &[(0, 1.0)]);
            builder.finish()
        };
        let succeed = |world: &mut World| {
            world.update(|state| {
                let report = Arc::clone(&reports[0]);
                let snapshot = Snapshot { report, values: series(), quality: None, expires_at: at(100) };
                state.report_mut(&reports[0].name).unwrap().succeed(attempt(0), 0, snapshot);
            });
        };
        succeed(&mut world);
        let version = world.store.version();
        succeed(&mut world);
        world.update(|_| ());
        assert_eq!(world.store.version(), version);
    }

    #[test]
    fn every_change_makes_a_new_version() {
        let (mut world, reports) = world();
        succeed(&mut world, &reports, 0);
        let redefined: Vec<Arc<Report>> = reports
            .iter()
            .map(|report| Arc::new(Report { families: report.families[1..].to_vec(), ..Report::clone(report) }))
            .collect();
        let named = |name: &str| PropertyInfo { name: name.to_owned(), ..PropertyInfo::default() };
        let some: [(&str, Writing<'_>); 5] = [
            ("another name", &|states| states.put(id(), &named("Store"), &reports)),
            ("other definitions", &|states| states.put(id(), &named("Store"), &redefined)),
            ("fewer reports", &|states| states.put(id(), &named("Store"), &redefined[1..])),
            ("a new property", &|states| states.put("6".parse().unwrap(), &PropertyInfo::default(), &[])),
            ("none any more", &|states| states.remove(id())),
        ];
        for (what, change) in some {
            let version = world.store.version();
            change(&mut world.states);
            world.store.apply(world.states.take_change());
            assert_eq!(world.store.version(), version + 1, "{what}");
        }
    }

    #[test]
    fn names_may_change_and_what_reports_have_told_stays() {
        let (mut world, reports) = world();
        world.update(|state| state.take_metadata("Europe/Berlin", "EUR"));
        succeed(&mut world, &reports, 0);
        world.put(&PropertyInfo { name: "Store".to_owned(), ..PropertyInfo::default() }, &reports);
        let state = world.state();
        assert_eq!((state.info.name.as_str(), state.info.time_zone.as_str()), ("Store", "Europe/Berlin"));
        assert!(state.reports[1].snapshot.is_some());
    }

    #[test]
    fn a_property_that_is_listed_again_starts_anew() {
        let (mut world, reports) = world();
        world.update(|state| state.mark_unlisted(at(0)));
        assert_eq!(world.state().reports[0].reason(), Some(Reason::NotListed));
        world.put(&PropertyInfo::default(), &reports);
        let state = world.state();
        assert_eq!((state.reports[0].reason(), state.reports[0].is_up()), (None, false));
        world.states.remove(id());
        world.store.apply(world.states.take_change());
        assert!(world.store.is_empty());
    }
}
