//! Saves states in the background: changes are written every few minutes, and once more at the end. Files of removed properties
//! are deleted.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde::Serialize;
use tracing::{info, warn};

use super::Storage;
use ga4_exporter_core::{chain::Chain, jitter, names::PropertyId};

use crate::{
    clock::{Clock, later},
    files::Aside,
};

/// The queue of states to write; cheap to clone.
#[derive(Debug)]
pub struct Saver<T> {
    storage: Arc<Storage>,
    waiting: Arc<Mutex<BTreeMap<PropertyId, Waiting<T>>>>,
    /// The properties whose files are to be removed.
    gone: Arc<Mutex<BTreeSet<PropertyId>>>,
    /// Writes one batch after the other; a batch that timed out continues there.
    aside: Aside,
}

/// At most one state per property.
#[derive(Debug)]
struct Waiting<T> {
    /// The state to write; `None` if it is on the disk.
    state: Option<T>,
    written_at: Timestamp,
}

impl<T: Serialize + Send + 'static> Saver<T> {
    /// Creates a saver for this directory.
    pub fn new(storage: Arc<Storage>) -> Self {
        Self { storage, waiting: Arc::default(), gone: Arc::default(), aside: Aside::start("states") }
    }

    /// The directory.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Queues a new state of a property, replacing an older one. It is written when the last one is five minutes old; the first
    /// one sooner, to spread the writes.
    pub fn put(&self, property: PropertyId, state: T, now: Timestamp) {
        self.gone().remove(&property);
        self.with(|waiting| {
            let some_time_ago = SAVE_EVERY.mul_f64(jitter::place(property));
            let written_at = now.saturating_sub(some_time_ago).unwrap_or(now);
            let entry = waiting.entry(property).or_insert(Waiting { state: None, written_at });
            entry.state = Some(state);
        });
    }

    /// Drops the queued state of a removed property; its files are removed soon.
    pub fn forget(&self, property: PropertyId) {
        self.with(|waiting| waiting.remove(&property));
        self.storage.forget(property);
        self.gone().insert(property);
    }

    /// Writes due states and removes obsolete files until the future is dropped.
    pub async fn run(self, clock: Clock) {
        let (mut is_failing, mut cannot_remove, mut looks) = (false, false, 0_u32);
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let due = self.take(clock.now(), SAVE_EVERY);
            self.write(due, &mut is_failing).await;
            self.remove_gone(&mut cannot_remove).await;
            looks = (looks + 1) % SWEEP_AFTER;
            if looks == 0 {
                self.sweep(clock.now()).await;
            }
        }
    }

    /// Writes all queued states, and the list of completely saved properties. Returns false if it takes too long.
    pub async fn close(&self, now: Timestamp, longest: Duration) -> bool {
        let (due, gone) = (self.take(now, Duration::ZERO), std::mem::take(&mut *self.gone()));
        let storage = Arc::clone(&self.storage);
        let closed = self.aside.run(longest, move || {
            // If it fails, a later sweep removes them.
            let _ = storage.remove(&gone);
            due.iter().for_each(|(property, _)| storage.forget(*property));
            let (mut failure, mut marked) = (None, storage.close());
            for batch in due.chunks(BATCH) {
                let saved = storage.save(batch);
                failure = failure.or(saved);
                marked = storage.close();
            }
            (failure, marked)
        });
        match closed.await {
            Ok((failure, marked)) => {
                report(failure, &mut false);
                if let Err(error) = marked {
                    warn!(error = %Chain(&error), "cannot mark the saved states as complete; token counters restart at 0");
                }
                true
            }
            Err(error) => {
                warn!(%error, "failed to save all states before the deadline");
                false
            }
        }
    }

    /// Takes the states whose last write is this long ago; they count as written.
    fn take(&self, now: Timestamp, age: Duration) -> Vec<(PropertyId, T)> {
        self.with(|waiting| {
            let is_due = |entry: &Waiting<T>| later(entry.written_at, age) <= now || entry.written_at > now;
            let due = waiting.iter_mut().filter(|(_, entry)| is_due(entry)).filter_map(|(property, entry)| {
                let state = entry.state.take()?;
                entry.written_at = now;
                Some((*property, state))
            });
            due.collect()
        })
    }

    async fn write(&self, states: Vec<(PropertyId, T)>, is_failing: &mut bool) {
        if states.is_empty() {
            return;
        }
        let storage = Arc::clone(&self.storage);
        let written = self.aside.run(WRITE_DEADLINE, move || storage.save(&states)).await;
        let failure = written.unwrap_or_else(|hangs| Some(hangs.into()));
        report(failure, is_failing);
    }

    /// Removes the files of removed properties; failures are tried again.
    async fn remove_gone(&self, is_failing: &mut bool) {
        let gone = std::mem::take(&mut *self.gone());
        if gone.is_empty() {
            return;
        }
        let (storage, properties) = (Arc::clone(&self.storage), gone.clone());
        let removed = self.aside.run(WRITE_DEADLINE, move || storage.remove(&properties)).await;
        let failure = removed.unwrap_or_else(|hangs| Some(hangs.into()));
        let failed_before = std::mem::replace(is_failing, failure.is_some());
        if let Some(error) = failure {
            // A property that was added again keeps its file.
            let present: BTreeSet<PropertyId> = self.with(|waiting| waiting.keys().copied().collect());
            self.gone().extend(gone.difference(&present));
            if !failed_before {
                warn_of_leftovers(&error);
            }
        }
    }

    /// Removes the files of properties that disappeared while no exporter ran.
    async fn sweep(&self, now: Timestamp) {
        let known: BTreeSet<PropertyId> = self.with(|waiting| waiting.keys().copied().collect());
        let storage = Arc::clone(&self.storage);
        let swept = self.aside.run(WRITE_DEADLINE, move || storage.sweep(&known, now)).await;
        if let Some(error) = swept.unwrap_or_else(|hangs| Some(hangs.into())) {
            warn_of_leftovers(&error);
        }
    }

    fn gone(&self) -> MutexGuard<'_, BTreeSet<PropertyId>> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<R>(&self, change: impl FnOnce(&mut BTreeMap<PropertyId, Waiting<T>>) -> R) -> R {
        change(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Clone for Saver<T> {
    fn clone(&self) -> Self {
        let (storage, waiting, gone) = (Arc::clone(&self.storage), Arc::clone(&self.waiting), Arc::clone(&self.gone));
        Self { storage, waiting, gone, aside: self.aside.clone() }
    }
}

/// Logs the first failure, and the first success after it.
fn report(failure: Option<io::Error>, is_failing: &mut bool) {
    match failure {
        None if std::mem::take(is_failing) => info!("saving states works again"),
        None => {}
        Some(error) if !std::mem::replace(is_failing, true) => {
            let remedy = "free disk space, or let this user write to --storage.path; until then a restart loses the last minutes";
            warn!(error = %Chain(&error), remedy, "cannot save states");
        }
        Some(_) => {}
    }
}

fn warn_of_leftovers(error: &io::Error) {
    warn!(error = %Chain(error), "cannot remove the files of properties that are gone");
}

/// Time between two writes of a property. A killed process loses no more than that, and Google's next answer has those minutes
/// again.
const SAVE_EVERY: Duration = Duration::from_mins(5);

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Time between two sweeps, and before the first: by then every existing property has been polled.
const SWEEP_AFTER: u32 = 24 * 3600;

/// The deadline of a batch while the exporter serves; after it the batch continues in the background.
const WRITE_DEADLINE: Duration = Duration::from_secs(60);

/// The size of a batch at the end: batches that are done count as saved even if a later one is cut off.
const BATCH: usize = 2_000;

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use tempfile::TempDir;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    fn saver(directory: &TempDir) -> Saver<u32> {
        Saver::new(Arc::new(Storage::open(directory.path()).unwrap()))
    }

    #[test]
    fn only_the_last_state_is_written_and_not_too_often() {
        let directory = TempDir::new().unwrap();
        let (saver, five, six) = (saver(&directory), "5".parse().unwrap(), "6".parse().unwrap());
        saver.put(five, 1, at(0));
        saver.put(five, 2, at(60));
        saver.put(six, 3, at(60));
        assert_eq!(saver.take(at(400), SAVE_EVERY), [(five, 2), (six, 3)]);
        saver.put(five, 4, at(410));
        assert_eq!(saver.take(at(699), SAVE_EVERY), []);
        assert_eq!(saver.take(at(700), SAVE_EVERY), [(five, 4)]);
    }

    #[test]
    fn a_clock_that_was_set_back_holds_nothing_up() {
        let directory = TempDir::new().unwrap();
        let saver = saver(&directory);
        saver.put("5".parse().unwrap(), 1, at(0));
        let before = at(0) - SignedDuration::from_hours(5);
        assert_eq!(saver.take(before, SAVE_EVERY).len(), 1);
    }

    fn saved(directory: &TempDir, property: &str) -> bool {
        directory.path().join(format!("{property}.state")).exists()
    }

    #[tokio::test]
    async fn the_file_of_a_property_that_is_gone_goes_too() {
        let directory = TempDir::new().unwrap();
        let saver = saver(&directory);
        let properties: [PropertyId; 3] = ["5", "6", "7"].map(|id| id.parse().unwrap());
        let mut is_failing = false;
        let states = || properties.map(|property| (property, 1)).to_vec();
        saver.write(states(), &mut is_failing).await;
        saver.forget(properties[0]);
        saver.forget(properties[1]);
        saver.put(properties[1], 2, at(0)); // it is there again
        saver.remove_gone(&mut is_failing).await;
        assert_eq!(["5", "6", "7"].map(|property| saved(&directory, property)), [false, true, true]);
        saver.forget(properties[2]);
        assert!(saver.close(at(1), Duration::from_secs(60)).await);
        assert_eq!(["5", "6", "7"].map(|property| saved(&directory, property)), [false, true, false]);
    }

    #[tokio::test]
    async fn what_cannot_be_removed_is_tried_again() {
        let directory = TempDir::new().unwrap();
        let saver = saver(&directory);
        let blocked = directory.path().join("5.state");
        std::fs::create_dir(&blocked).unwrap();
        let mut is_failing = false;
        saver.forget("5".parse().unwrap());
        saver.remove_gone(&mut is_failing).await;
        assert!(is_failing);
        std::fs::remove_dir(&blocked).unwrap();
        std::fs::write(&blocked, "").unwrap();
        saver.remove_gone(&mut is_failing).await;
        assert!(!is_failing && !blocked.exists());
    }

    #[tokio::test]
    async fn at_the_end_everything_is_written() {
        let directory = TempDir::new().unwrap();
        let saver = saver(&directory);
        saver.put("5".parse().unwrap(), 1, at(0));
        assert!(saver.close(at(1), Duration::from_secs(60)).await);
        assert_eq!(saver.storage().load::<u32>("5".parse().unwrap()).unwrap(), Some(1));
    }
}
