//! Time that passes only on demand, for everything in this process at once.
//!
//! The runtime's clock is paused, so that time-outs and pauses are those of production and take no time. Before every step
//! the runtime comes to rest: what can happen at an instant has happened then, over real sockets.

use std::{cell::Cell, sync::mpsc, thread, time::Duration};

use google_analytics_exporter::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use tokio::{runtime::Handle, sync::oneshot};

/// Everybody's time.
pub(crate) struct Time {
    began: tokio::time::Instant,
    start: Timestamp,
    /// What the machine has slept through.
    suspended: SignedDuration,
    /// By how much the exporter's clock is wrong.
    error: SignedDuration,
    /// The exporter's clock.
    pub(crate) exporter: Clock,
    /// Google's clock, which is never wrong.
    pub(crate) google: Clock,
    /// A thread that answers a moment later. As long as it runs, the runtime does not move time by itself.
    pulse: mpsc::Sender<Beat>,
    /// How many tasks there were when it came to rest last.
    resting: Cell<usize>,
}

/// Asks for a reply after some time that really passes.
struct Beat {
    after: Duration,
    reply: oneshot::Sender<()>,
}

impl Time {
    /// Time stands at `start`. The runtime has one thread and is paused.
    pub(crate) fn starting_at(start: Timestamp) -> Self {
        let (pulse, beats) = mpsc::channel::<Beat>();
        drop(tokio::task::spawn_blocking(move || {
            for Beat { after, reply } in beats {
                thread::sleep(after);
                let _ = reply.send(());
            }
        }));
        Self {
            began: tokio::time::Instant::now(),
            start,
            suspended: SignedDuration::ZERO,
            error: SignedDuration::ZERO,
            exporter: Clock::starting_at(start),
            google: Clock::starting_at(start),
            pulse,
            resting: Cell::new(0),
        }
    }

    /// Seconds since the start.
    pub(crate) fn seconds(&self) -> i64 {
        let passed = i64::try_from(self.began.elapsed().as_secs()).unwrap();
        passed + self.suspended.as_secs()
    }

    /// The true time.
    pub(crate) fn now(&self) -> Timestamp {
        self.start + SignedDuration::from_secs(self.seconds())
    }

    /// This many seconds pass, and everything that they bring.
    pub(crate) async fn step(&self, seconds: u32) {
        self.set_clocks(SignedDuration::from_secs(i64::from(seconds)));
        tokio::time::advance(Duration::from_secs(u64::from(seconds))).await;
        self.settle().await;
    }

    /// The machine sleeps, and wakes so much later.
    pub(crate) async fn suspend(&mut self, seconds: i64) {
        self.suspended += SignedDuration::from_secs(seconds);
        self.set_clocks(SignedDuration::ZERO);
        self.settle().await;
    }

    /// The exporter's clock is wrong by this many seconds from now on.
    pub(crate) async fn set_error(&mut self, seconds: i64) {
        self.error = SignedDuration::from_secs(seconds);
        self.set_clocks(SignedDuration::ZERO);
        self.settle().await;
    }

    /// Waits until nothing is left to do at this instant: until the runtime went to sleep, and was woken by nobody but the
    /// pulse, twice in a row. Where there are other tasks than before, a request may be on its way, and a busy system may
    /// take its time with that: then the pulse is slow, until it is clear that nothing comes.
    pub(crate) async fn settle(&self) {
        let metrics = Handle::current().metrics();
        let mut quiet = [0, 0];
        for _ in 0..MOST_BEATS {
            let is_resting = metrics.num_alive_tasks() == self.resting.get();
            let before = metrics.worker_park_count(0);
            let (reply, replied) = oneshot::channel();
            self.pulse.send(Beat { after: if is_resting { MOMENT } else { WHILE }, reply }).unwrap();
            replied.await.unwrap();
            let was_quiet = metrics.worker_park_count(0) == before + 1;
            quiet = match (was_quiet, is_resting) {
                (false, _) => [0, 0],
                (true, true) => [quiet[0] + 1, 0],
                (true, false) => [0, quiet[1] + 1],
            };
            if quiet[0] == QUIET || quiet[1] == SLOWLY_QUIET {
                self.resting.set(metrics.num_alive_tasks());
                return;
            }
        }
        panic!("something goes on and on at one instant");
    }

    /// The clocks go on by themselves too, by the milliseconds that a step takes; that is subtracted again.
    fn set_clocks(&self, ahead: SignedDuration) {
        let true_time = self.now() + ahead;
        for (clock, error) in [(&self.exporter, self.error), (&self.google, SignedDuration::ZERO)] {
            clock.advance((true_time + error).duration_since(clock.now()));
        }
    }
}

/// How long the pulse waits: whatever the system has for this process arrives meanwhile.
const MOMENT: Duration = Duration::from_micros(40);

/// So often nothing must have happened.
const QUIET: u32 = 2;

/// Nothing keeps the runtime busy for this many; what does may also fill the memory.
const MOST_BEATS: u32 = 20_000;

/// The slow pulse: less than a millisecond, since the runtime wakes by itself when its next timer is as near as that.
const WHILE: Duration = Duration::from_micros(400);

/// So often nothing must have happened by the slow pulse.
const SLOWLY_QUIET: u32 = 12;
