//! The cache of what a scrape is answered with.
//!
//! Knows when a text is out of date: when the exporter's version has changed, when a value in it has expired, and when it
//! is [`Limits::reuse`](super::Limits::reuse) old, as some values (those of the process) change without the version. Invariant: a scrape gets a text
//! that was true at some moment between its arrival and its answer, or one that is still within those three bounds.
//!
//! Scrapes of one format share one rendering and one compression, both off the threads that serve connections. One that
//! arrives while a rendering is under way may not use it, if the version has changed, but all of those that wait share
//! the next one: so many clients and frequent changes together still mean one rendering after the other, not one each.
//!
//! A text lives as long as the slowest client that gets it. Where such texts fill half of the [`Budget`], a text serves for as
//! long as it is not too old, changed or not, and where there is no room left, nothing is rendered.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::{Mutex as AsyncMutex, Notify},
    time,
};

use super::{
    Format, Metrics, Rendering, Scope,
    budget::{Budget, NoRoom, Reservation},
    gzip::compress,
    negotiate::Encoding,
    workers::Workers,
};
use crate::clock::Clock;

/// The texts of all formats and scopes.
pub(super) struct Renderings {
    source: Arc<Source>,
    slots: Vec<Arc<Slot>>,
}

impl Renderings {
    /// Nothing is rendered before it is asked for.
    pub(super) fn new(metrics: Arc<dyn Metrics>, clock: Clock, reuse: Duration, budget: Arc<Budget>) -> Self {
        let workers = Workers::start("scrapes", THREADS);
        let source = Source { metrics, clock, reuse, stored: Notify::new(), budget, workers };
        Self { source: Arc::new(source), slots: all_slots() }
    }

    /// The text, made if need be. Dropping the future does not stop what is being made: others may wait for it.
    ///
    /// # Errors
    /// Slow clients have all the texts that there is memory for.
    pub(super) async fn body(&self, format: Format, scope: Scope, encoding: Encoding) -> Result<Bytes, NoRoom> {
        let found = self.slots.iter().find(|slot| (slot.format, slot.scope) == (format, scope));
        let slot = found.expect("there is a slot for every format and scope: see all_slots");
        match encoding {
            Encoding::Identity => {
                let begun = slot.ask_plain(self.source.clock.now());
                slot.plain(&self.source, begun).await.map(|(_, plain)| plain)
            }
            Encoding::Gzip => slot.gzip(&self.source).await,
        }
    }

    /// Lets go of texts that cannot be used again, soon after; sleeps while there are none.
    pub(super) async fn keep_tidy(&self) {
        loop {
            self.source.stored.notified().await;
            while self.held() {
                time::sleep(self.source.reuse).await;
                self.release();
            }
        }
    }

    fn release(&self) {
        for slot in &self.slots {
            let mut state = slot.state();
            if state.text.as_ref().is_some_and(|text| !self.source.holds(&text.stamp)) {
                state.text = None;
            }
        }
    }

    fn held(&self) -> bool {
        self.slots.iter().any(|slot| slot.state().text.is_some())
    }
}

/// Where texts come from.
struct Source {
    metrics: Arc<dyn Metrics>,
    clock: Clock,
    /// How old a text gets at most.
    reuse: Duration,
    /// Told of every text that is stored.
    stored: Notify,
    budget: Arc<Budget>,
    workers: Workers,
}

impl Source {
    fn holds(&self, stamp: &Stamp) -> bool {
        let now = self.clock.now();
        // None if the clock was set back: that must not make a text live longer.
        let age = Duration::try_from(now.duration_since(stamp.rendered_at)).ok();
        (stamp.version == self.metrics.version() || self.budget.is_tight())
            && stamp.valid_until.is_none_or(|until| now < until)
            && age.is_some_and(|age| age < self.reuse)
    }
}

/// The place of one format and scope.
struct Slot {
    format: Format,
    scope: Scope,
    /// Locked for moments only.
    state: Mutex<State>,
    /// Held by who renders, until the text is stored.
    rendering: Arc<AsyncMutex<()>>,
    /// Held by who compresses, until the result is stored.
    compressing: Arc<AsyncMutex<()>>,
}

#[derive(Default)]
struct State {
    text: Option<Text>,
    /// How many renderings have begun.
    begun: u64,
    /// When the uncompressed text was last asked for, other than to compress it.
    plain_asked_at: Option<Timestamp>,
}

/// A text as it is kept: in the encodings that are asked for.
struct Text {
    stamp: Stamp,
    plain: Option<Bytes>,
    gzip: Option<Bytes>,
}

/// Of what and when a text was made.
#[derive(Clone, Copy)]
struct Stamp {
    /// Which of the renderings it is.
    number: u64,
    /// The version before rendering: if it changes meanwhile, the text counts as old, although part of it may be new.
    version: u64,
    rendered_at: Timestamp,
    valid_until: Option<Timestamp>,
}

impl Slot {
    fn new(format: Format, scope: Scope) -> Self {
        Self { format, scope, state: Mutex::default(), rendering: Arc::default(), compressing: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that somebody wants the plain text, and returns how many renderings had begun by then.
    fn ask_plain(&self, now: Timestamp) -> u64 {
        let mut state = self.state();
        state.plain_asked_at = Some(now);
        state.begun
    }

    /// The stored text in one encoding, if a scrape may have it that came when so many renderings had `begun`.
    fn stored(&self, source: &Source, begun: u64, pick: impl Fn(&Text) -> Option<Bytes>) -> Option<(Stamp, Bytes)> {
        let state = self.state();
        let text = state.text.as_ref()?;
        let usable = text.stamp.number > begun || source.holds(&text.stamp);
        pick(text).filter(|_| usable).map(|bytes| (text.stamp, bytes))
    }

    async fn plain(self: &Arc<Self>, source: &Arc<Source>, begun: u64) -> Result<(Stamp, Bytes), NoRoom> {
        let stored = || self.stored(source, begun, |text| text.plain.clone());
        if let Some(found) = stored() {
            return Ok(found);
        }
        let turn = Arc::clone(&self.rendering).lock_owned().await;
        if let Some(found) = stored() {
            return Ok(found);
        }
        self.state().text = None; // it is of no use any more; its memory may serve for the next
        let room = source.budget.reserve((self.format, self.scope))?;
        let (slot, shared) = (Arc::clone(self), Arc::clone(source));
        let work = move || {
            let _turn = turn;
            slot.render(&shared, room)
        };
        Ok(source.workers.run(work).await)
    }

    async fn gzip(self: &Arc<Self>, source: &Arc<Source>) -> Result<Bytes, NoRoom> {
        let begun = self.state().begun;
        let stored = || self.stored(source, begun, |text| text.gzip.clone());
        if let Some((_, gzip)) = stored() {
            return Ok(gzip);
        }
        let turn = Arc::clone(&self.compressing).lock_owned().await;
        if let Some((_, gzip)) = stored() {
            return Ok(gzip);
        }
        let (stamp, plain) = self.plain(source, begun).await?;
        let (slot, shared) = (Arc::clone(self), Arc::clone(source));
        let work = move || {
            let _turn = turn;
            let gzip = shared.budget.keep(compress(&plain));
            slot.store_gzip(&shared, stamp, gzip.clone());
            gzip
        };
        Ok(source.workers.run(work).await)
    }

    fn render(&self, source: &Source, room: Reservation) -> (Stamp, Bytes) {
        let number = {
            let mut state = self.state();
            state.begun += 1;
            state.begun
        };
        let version = source.metrics.version();
        let rendered_at = source.clock.now();
        let Rendering { mut text, valid_until } = source.metrics.render(self.format, self.scope, rendered_at);
        text.shrink_to_fit();
        let plain = room.hold_rendering((self.format, self.scope), text);
        let stamp = Stamp { number, version, rendered_at, valid_until };
        self.state().text = Some(Text { stamp, plain: Some(plain.clone()), gzip: None });
        source.stored.notify_one();
        (stamp, plain)
    }

    /// Keeps the compressed text, unless there is a newer one, and the plain one beside it only if somebody wants it.
    fn store_gzip(&self, source: &Source, stamp: Stamp, gzip: Bytes) {
        let now = source.clock.now();
        let mut state = self.state();
        let plain_wanted = state.plain_asked_at.is_some_and(|asked| now.duration_since(asked) < KEEP_PLAIN);
        if let Some(text) = state.text.as_mut().filter(|text| text.stamp.number == stamp.number) {
            text.gzip = Some(gzip);
            text.plain.take_if(|_| !plain_wanted);
        }
    }
}

fn all_slots() -> Vec<Arc<Slot>> {
    let scopes = |format| [Scope::All, Scope::Exporter].map(|scope| Arc::new(Slot::new(format, scope)));
    [Format::Text, Format::OpenMetrics].into_iter().flat_map(scopes).collect()
}

/// Threads for scrapes: one renders or packs while the other does so for another format.
const THREADS: usize = 2;

/// So long after somebody asked for the plain text it is kept beside the compressed one.
const KEEP_PLAIN: SignedDuration = SignedDuration::from_mins(5);

#[cfg(test)]
mod tests {
    use std::{
        pin::{Pin, pin},
        sync::atomic::{AtomicU64, Ordering},
        task::{Context, Waker},
    };

    use super::{super::Unobserved, *};

    /// Counts its renderings; each changes it when `restless`, and waits while somebody has the `gate`.
    #[derive(Default)]
    struct Fake {
        gate: Mutex<()>,
        version: AtomicU64,
        rendered: AtomicU64,
        restless: bool,
    }

    impl Metrics for Fake {
        fn version(&self) -> u64 {
            self.version.load(Ordering::SeqCst)
        }

        fn render(&self, _format: Format, _scope: Scope, _now: Timestamp) -> Rendering {
            let _gate = self.gate.lock();
            self.version.fetch_add(self.restless.into(), Ordering::SeqCst);
            let number = self.rendered.fetch_add(1, Ordering::SeqCst);
            Rendering { text: number.to_string().into_bytes(), valid_until: None }
        }
    }

    fn renderings(exporter: &Arc<Fake>) -> Renderings {
        let budget = Budget::new(1 << 20, Arc::new(Unobserved));
        Renderings::new(Arc::clone(exporter) as Arc<dyn Metrics>, Clock::system(), HOUR, budget)
    }

    fn text_slot(renderings: &Renderings) -> &Slot {
        &renderings.slots[0]
    }

    async fn body(renderings: &Renderings, encoding: Encoding) -> Bytes {
        renderings.body(Format::Text, Scope::All, encoding).await.unwrap()
    }

    fn poll_once<F: Future>(future: Pin<&mut F>) {
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.poll(&mut context).is_pending());
    }

    #[tokio::test]
    async fn whoever_waits_while_another_renders_shares_the_next_rendering() {
        // Each rendering is out of date at once, so that only waiting together can make them share one.
        let exporter = Arc::new(Fake { restless: true, ..Fake::default() });
        let renderings = renderings(&exporter);
        let other = Arc::clone(&text_slot(&renderings).rendering).lock_owned().await;
        let mut first = pin!(body(&renderings, Encoding::Identity));
        let mut second = pin!(body(&renderings, Encoding::Identity));
        let mut third = pin!(body(&renderings, Encoding::Gzip));
        let mut fourth = pin!(body(&renderings, Encoding::Gzip));
        poll_once(first.as_mut());
        poll_once(second.as_mut());
        poll_once(third.as_mut());
        poll_once(fourth.as_mut());
        drop(other);
        let bodies = tokio::join!(first, second, third, fourth);
        assert_eq!((&*bodies.0, &*bodies.1), (&b"0"[..], &b"0"[..]));
        assert_eq!(bodies.2.as_ptr(), bodies.3.as_ptr(), "packed once");
        assert_eq!(exporter.rendered.load(Ordering::SeqCst), 1);
        assert_eq!(body(&renderings, Encoding::Identity).await, "1");
    }

    #[tokio::test]
    async fn what_is_being_made_is_finished_even_if_nobody_waits() {
        for encoding in [Encoding::Identity, Encoding::Gzip] {
            let exporter = Arc::new(Fake::default());
            let renderings = renderings(&exporter);
            let gate = exporter.gate.lock().unwrap();
            let mut leaver = Box::pin(body(&renderings, encoding));
            poll_once(leaver.as_mut());
            drop(leaver);
            drop(gate);
            body(&renderings, encoding).await;
            assert_eq!(exporter.rendered.load(Ordering::SeqCst), 1);
        }
    }

    #[tokio::test]
    async fn the_plain_text_is_kept_only_while_somebody_wants_it() {
        let exporter = Arc::new(Fake::default());
        let renderings = renderings(&exporter);
        let has_plain = || text_slot(&renderings).state().text.as_ref().unwrap().plain.is_some();
        body(&renderings, Encoding::Gzip).await;
        assert!(!has_plain());
        body(&renderings, Encoding::Identity).await;
        body(&renderings, Encoding::Gzip).await;
        assert!(has_plain());
        renderings.source.clock.advance(KEEP_PLAIN);
        exporter.version.fetch_add(1, Ordering::SeqCst);
        body(&renderings, Encoding::Gzip).await;
        assert!(!has_plain());
    }

    #[tokio::test]
    async fn with_half_of_the_memory_in_use_a_change_makes_no_new_text() {
        let exporter = Arc::new(Fake::default());
        let renderings = renderings(&exporter);
        assert_eq!(body(&renderings, Encoding::Identity).await, "0");
        let slow = renderings.source.budget.admit(vec![0; 600 << 10]).unwrap();
        exporter.version.fetch_add(1, Ordering::SeqCst);
        assert_eq!(body(&renderings, Encoding::Identity).await, "0");
        drop(slow);
        assert_eq!(body(&renderings, Encoding::Identity).await, "1");
        let _slow = renderings.source.budget.admit(vec![0; 600 << 10]).unwrap();
        renderings.source.clock.advance(SignedDuration::try_from(HOUR).unwrap());
        assert_eq!(body(&renderings, Encoding::Identity).await, "2", "no text gets older than that");
    }

    #[tokio::test]
    async fn without_room_nothing_is_rendered() {
        let exporter = Arc::new(Fake::default());
        let renderings = renderings(&exporter);
        let slow = renderings.source.budget.admit(vec![0; 1 << 20]).unwrap();
        assert_eq!(body(&renderings, Encoding::Identity).await, "0", "how long it gets is not known yet");
        renderings.source.clock.advance(SignedDuration::try_from(HOUR).unwrap());
        for encoding in [Encoding::Identity, Encoding::Gzip] {
            assert_eq!(renderings.body(Format::Text, Scope::All, encoding).await, Err(NoRoom));
        }
        assert_eq!(exporter.rendered.load(Ordering::SeqCst), 1);
        drop(slow);
        assert_eq!(body(&renderings, Encoding::Gzip).await.len(), body(&renderings, Encoding::Gzip).await.len());
    }

    #[tokio::test(start_paused = true)]
    async fn texts_of_no_more_use_are_let_go() {
        let exporter = Arc::new(Fake::default());
        let renderings = renderings(&exporter);
        let tidied = async {
            let start = time::Instant::now();
            body(&renderings, Encoding::Gzip).await;
            body(&renderings, Encoding::Identity).await;
            assert!(renderings.held());
            renderings.source.clock.advance(SignedDuration::try_from(HOUR).unwrap());
            while renderings.held() {
                time::sleep(Duration::from_secs(1)).await;
            }
            assert!(start.elapsed() >= HOUR);
        };
        tokio::select! {
            () = renderings.keep_tidy() => unreachable!("it never ends"),
            () = tidied => {}
        }
    }

    #[test]
    fn texts_still_of_use_are_not_let_go() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let renderings = renderings(&Arc::new(Fake::default()));
        runtime.block_on(body(&renderings, Encoding::Gzip));
        renderings.release();
        assert!(renderings.held());
    }

    const HOUR: Duration = Duration::from_secs(3600);
}
