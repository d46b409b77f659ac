//! The memory for large answers.
//!
//! Knows how many answers may be large at once, and which of them has to give way. Refuses to know their content.
//!
//! There are two sizes of slot, with 16 MiB in total each: up to 512 KiB, enough for every report of the exporter, and up to
//! 4 MiB, the limit of any answer. An answer that outgrows the first keeps it while it waits for the second. Answers with the
//! second wait for nothing, so there is no deadlock.
//!
//! A slow answer keeps its slot as long as no other answer waits. If one waits, the slow answer must arrive fast enough to fill
//! its slot in ten seconds, after a grace of two. So stalled answers delay others for seconds, not for the whole deadline of a
//! request.

use std::{future, sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{self, Instant},
};

/// The budget that all answers share; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Budget(Arc<[Size; 2]>);

#[derive(Debug)]
struct Size {
    /// The bytes of one slot.
    bytes: usize,
    places: Arc<Semaphore>,
    /// How many answers wait for a slot.
    waiting: watch::Sender<usize>,
}

/// One answer's part of the budget; released when dropped.
#[derive(Debug)]
pub(crate) struct Part {
    budget: Budget,
    /// The slots, the smaller one first.
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    since: Instant,
    #[expect(dead_code, reason = "it counts until it is dropped")]
    permit: OwnedSemaphorePermit,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self(Arc::new(SIZES.map(|bytes| Size {
            bytes,
            places: Arc::new(Semaphore::new(BYTES_OF_SIZE / bytes)),
            waiting: watch::Sender::new(0),
        })))
    }

    /// The part of an answer that has not started.
    pub(super) fn part(&self) -> Part {
        Part { budget: self.clone(), places: Vec::new() }
    }
}

impl Part {
    /// Waits until there is room for an answer of `bytes`, of which `received` have arrived. Up to [`SMALL_BYTES`] there always
    /// is. Returns false if others need the answer's part first.
    pub(super) async fn grow(&mut self, received: usize, bytes: usize) -> bool {
        let budget = self.budget.clone();
        while bytes > self.room() {
            let Some(size) = budget.0.get(self.places.len()) else { return false };
            let permit = tokio::select! {
                permit = size.place() => permit,
                () = self.overdue(received) => return false,
            };
            self.places.push(Place { since: Instant::now(), permit });
        }
        true
    }

    /// Waits until others need the part of this answer, which has received this many bytes and is too slow. Never returns if
    /// it has
    /// no part.
    pub(super) async fn overdue(&self, received: usize) {
        let (Some(place), Some(size)) = (self.places.last(), self.size()) else { return future::pending().await };
        #[expect(clippy::cast_precision_loss, reason = "far less than 2^53 bytes")]
        let part = (received as f64 / size.bytes as f64).min(1.0);
        time::sleep_until(place.since + TIME_TO_FILL.mul_f64(part).max(GRACE)).await;
        // The budget keeps the sender alive.
        let _ = size.waiting.subscribe().wait_for(|waiting| *waiting > 0).await;
    }

    /// Whether it has a slot.
    pub(super) fn is_large(&self) -> bool {
        !self.places.is_empty()
    }

    fn room(&self) -> usize {
        self.size().map_or(SMALL_BYTES, |size| size.bytes)
    }

    /// The bytes of its largest slot.
    fn size(&self) -> Option<&Size> {
        self.budget.0.get(self.places.len().checked_sub(1)?)
    }
}

impl Size {
    async fn place(&self) -> OwnedSemaphorePermit {
        let places = Arc::clone(&self.places);
        if let Ok(permit) = Arc::clone(&places).try_acquire_owned() {
            return permit;
        }
        let _waiting = Waiting::new(&self.waiting);
        places.acquire_owned().await.expect("the places are never closed")
    }
}

/// Counts as a waiting answer until dropped.
struct Waiting<'a>(&'a watch::Sender<usize>);

impl<'a> Waiting<'a> {
    fn new(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|waiting| *waiting += 1);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting = waiting.saturating_sub(1));
    }
}

/// An answer of up to this number of bytes needs no slot, and is cheap to parse.
pub const SMALL_BYTES: usize = 64 << 10;

/// The bytes of one slot of each size.
const SIZES: [usize; 2] = [512 << 10, 4 << 20];

/// The bytes of all slots of one size.
const BYTES_OF_SIZE: usize = 16 << 20;

/// How long filling a slot may take while others wait.
const TIME_TO_FILL: Duration = Duration::from_secs(10);

const GRACE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    async fn part_of(budget: &Budget, bytes: usize) -> Part {
        let mut part = budget.part();
        assert!(part.grow(0, bytes).await);
        part
    }

    /// How long an answer waits for room for `wanted` bytes, beside others that have theirs and come no further.
    async fn wait(budget: &Budget, stalled: usize, received: usize, wanted: usize) -> Duration {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..stalled {
            let part = part_of(budget, received).await;
            tasks.spawn(async move { part.overdue(received).await });
        }
        // Nobody waits, so nobody makes way.
        time::sleep(Duration::from_secs(1)).await;
        let begun = Instant::now();
        part_of(budget, wanted).await;
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn all_of_it_is_32_mebibytes() {
        let budget = Budget::new();
        let mut held = Vec::new();
        for (bytes, count) in [(4 << 20, 4), (512 << 10, 28)] {
            for _ in 0..count {
                held.push(part_of(&budget, bytes).await);
            }
        }
        let more = time::timeout(Duration::from_secs(60), part_of(&budget, SMALL_BYTES + 1)).await;
        assert!(more.is_err(), "there is no limit");
        assert!(!part_of(&budget, SMALL_BYTES).await.is_large());
        held.pop();
        assert!(part_of(&budget, SMALL_BYTES + 1).await.is_large());
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_stall_make_way() {
        assert_eq!(wait(&Budget::new(), 32, 100 << 10, 100 << 10).await, GRACE.saturating_sub(Duration::from_secs(1)));
        // A fast beginning gives more time, and no answer has all of it.
        assert_eq!(wait(&Budget::new(), 32, 500 << 10, 100 << 10).await.as_millis(), 8766);
        assert_eq!(wait(&Budget::new(), 4, 4 << 20, 1 << 20).await, TIME_TO_FILL - Duration::from_secs(1));
        assert_eq!(wait(&Budget::new(), 31, 100 << 10, 100 << 10).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_wait_for_more_make_way_too() {
        let budget = Budget::new();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let mut part = part_of(&budget, 512 << 10).await;
            // The first four get it, and come no further.
            tasks.spawn(async move {
                if part.grow(512 << 10, 4 << 20).await {
                    future::pending().await
                }
            });
        }
        let begun = Instant::now();
        part_of(&budget, 100 << 10).await;
        assert_eq!(begun.elapsed(), TIME_TO_FILL);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_answer_keeps_its_place_while_nobody_waits() {
        let budget = Budget::new();
        let part = part_of(&budget, 100 << 10).await;
        assert!(time::timeout(Duration::from_secs(60), part.overdue(100 << 10)).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_waits_no_longer() {
        let budget = Budget::new();
        let held = part_of(&budget, 100 << 10).await;
        let mut others = Vec::new();
        for _ in 0..31 {
            others.push(part_of(&budget, 100 << 10).await);
        }
        assert!(time::timeout(Duration::from_secs(1), part_of(&budget, 100 << 10)).await.is_err());
        assert!(time::timeout(Duration::from_secs(60), held.overdue(100 << 10)).await.is_err());
    }
}
