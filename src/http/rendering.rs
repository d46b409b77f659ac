//! The cache of what a scrape is answered with.
//!
//! Keeps the texts, and has new ones made; how long a text serves is decided by `freshness`. A scrape gets a text that was
//! true at some moment between its arrival and its answer, or one that may still serve.
//!
//! Scrapes of one format share one rendering and one compression, both off the threads that serve connections. While
//! clients ask again and again, the next text is made before the last has come to its end, so that none of them waits.
//! One that has to wait may not use a rendering that was under way when it came, if the version has changed, but all of
//! those that wait share the next one: many clients and frequent changes together still mean one rendering after the
//! other, not one each.
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
    task::JoinSet,
    time,
};

use super::{
    Format, Limits, Metrics, Rendering, Scope,
    budget::{Budget, NoRoom, Reservation},
    freshness::{self, Bounds, Present, Stamp, Use},
    gzip::compress,
    listener::resume_panic,
    negotiate::Encoding,
    workers::Workers,
};
use crate::clock::Clock;

/// The texts of all formats and scopes.
pub(super) struct Renderings {
    source: Arc<Source>,
    slots: Vec<Arc<Slot>>,
    /// The texts that are being made for nobody in particular; one of each slot and encoding at most.
    renewals: Mutex<JoinSet<()>>,
}

impl Renderings {
    /// Nothing is rendered before it is asked for.
    pub(super) fn new(metrics: Arc<dyn Metrics>, clock: Clock, limits: &Limits, budget: Arc<Budget>) -> Self {
        let workers = Workers::start("scrapes", THREADS);
        let Limits { reuse, reuse_changed, renewal, .. } = *limits;
        let bounds = Bounds { reuse, reuse_changed, renewal };
        let source = Source { metrics, clock, bounds, stored: Notify::new(), budget, workers };
        Self { source: Arc::new(source), slots: all_slots(), renewals: Mutex::default() }
    }

    /// The text, made if need be. Dropping the future does not stop what is being made: others may wait for it.
    ///
    /// # Errors
    /// Slow clients have all the texts that there is memory for.
    pub(super) async fn body(&self, format: Format, scope: Scope, encoding: Encoding) -> Result<Bytes, NoRoom> {
        let found = self.slots.iter().find(|slot| (slot.format, slot.scope) == (format, scope));
        let slot = found.expect("there is a slot for every format and scope: see all_slots");
        let begun = slot.ask(encoding, self.source.clock.now());
        match slot.kept(encoding, &self.source) {
            Some((text, Use::Serve)) => Ok(text.bytes),
            Some((text, Use::ServeAndRender)) => {
                self.renew(slot, encoding);
                Ok(text.bytes)
            }
            Some((_, Use::Wait)) | None => Ok(slot.next(&self.source, begun, encoding).await?.bytes),
        }
    }

    /// Begins to make the next text, unless somebody does already. Without room for it the present one has to do.
    fn renew(&self, slot: &Arc<Slot>, encoding: Encoding) {
        let Ok(turn) = Arc::clone(slot.renewing(encoding)).try_lock_owned() else { return };
        let (slot, source) = (Arc::clone(slot), Arc::clone(&self.source));
        let mut renewals = self.renewals.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(ended) = renewals.try_join_next() {
            resume_panic(ended);
        }
        renewals.spawn(async move {
            let _turn = turn;
            let begun = slot.state().begun;
            // Whoever comes when the present one has come to its end hears of it.
            let _ = slot.next(&source, begun, encoding).await;
        });
    }

    /// Lets go of texts that cannot be used again, soon after; sleeps while there are none.
    pub(super) async fn keep_tidy(&self) {
        loop {
            self.source.stored.notified().await;
            while self.held() {
                time::sleep(self.source.bounds.reuse).await;
                self.release();
            }
        }
    }

    fn release(&self) {
        for slot in &self.slots {
            slot.let_go(&self.source);
        }
    }

    fn held(&self) -> bool {
        let holds = |state: &State| state.plain.is_some() || state.gzip.is_some();
        self.slots.iter().any(|slot| holds(&slot.state()))
    }
}

/// Where texts come from.
struct Source {
    metrics: Arc<dyn Metrics>,
    clock: Clock,
    /// How old a text gets at most.
    bounds: Bounds,
    /// Notified of every text that is stored.
    stored: Notify,
    budget: Arc<Budget>,
    workers: Workers,
}

impl Source {
    fn decide(&self, stamp: &Stamp) -> Use {
        let (now, version) = (self.clock.now(), self.metrics.version());
        freshness::decide(stamp, Present { now, version, is_tight: self.budget.is_tight() }, &self.bounds)
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
    /// Held while the plain text is renewed.
    renewing_plain: Arc<AsyncMutex<()>>,
    /// Held while the compressed text is renewed.
    renewing_gzip: Arc<AsyncMutex<()>>,
}

#[derive(Default)]
struct State {
    plain: Option<Text>,
    gzip: Option<Text>,
    /// How many renderings have begun.
    begun: u64,
    /// When the uncompressed text was last asked for, other than to compress it.
    plain_asked_at: Option<Timestamp>,
}

/// A text as it is kept, in one encoding.
#[derive(Clone)]
struct Text {
    stamp: Stamp,
    bytes: Bytes,
}

impl State {
    fn text(&mut self, encoding: Encoding) -> &mut Option<Text> {
        match encoding {
            Encoding::Identity => &mut self.plain,
            Encoding::Gzip => &mut self.gzip,
        }
    }
}

impl Slot {
    fn new(format: Format, scope: Scope) -> Self {
        Self {
            format,
            scope,
            state: Mutex::default(),
            rendering: Arc::default(),
            compressing: Arc::default(),
            renewing_plain: Arc::default(),
            renewing_gzip: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn renewing(&self, encoding: Encoding) -> &Arc<AsyncMutex<()>> {
        match encoding {
            Encoding::Identity => &self.renewing_plain,
            Encoding::Gzip => &self.renewing_gzip,
        }
    }

    /// Notes what somebody wants, and returns how many renderings had begun by then.
    fn ask(&self, encoding: Encoding, now: Timestamp) -> u64 {
        let mut state = self.state();
        if encoding == Encoding::Identity {
            state.plain_asked_at = Some(now);
        }
        state.begun
    }

    /// The stored text, and what it is good for.
    fn kept(&self, encoding: Encoding, source: &Source) -> Option<(Text, Use)> {
        let text = self.state().text(encoding).clone()?;
        let good_for = source.decide(&text.stamp);
        Some((text, good_for))
    }

    /// The stored text, unless the next is due for one who came when this many renderings had `begun`.
    fn fresh(&self, encoding: Encoding, source: &Source, begun: u64) -> Option<Text> {
        let (text, good_for) = self.kept(encoding, source)?;
        (text.stamp.number > begun || good_for == Use::Serve).then_some(text)
    }

    /// Lets go of the texts that cannot be used again: their memory may serve for the next.
    fn let_go(&self, source: &Source) {
        let mut state = self.state();
        for encoding in [Encoding::Identity, Encoding::Gzip] {
            state.text(encoding).take_if(|text| source.decide(&text.stamp) == Use::Wait);
        }
    }

    /// The next text, or one that somebody else has made meanwhile.
    async fn next(self: &Arc<Self>, source: &Arc<Source>, begun: u64, encoding: Encoding) -> Result<Text, NoRoom> {
        match encoding {
            Encoding::Identity => self.plain(source, begun).await,
            Encoding::Gzip => self.gzip(source, begun).await,
        }
    }

    async fn plain(self: &Arc<Self>, source: &Arc<Source>, begun: u64) -> Result<Text, NoRoom> {
        let turn = Arc::clone(&self.rendering).lock_owned().await;
        if let Some(found) = self.fresh(Encoding::Identity, source, begun) {
            return Ok(found);
        }
        self.let_go(source);
        let room = source.budget.reserve((self.format, self.scope))?;
        let (slot, shared) = (Arc::clone(self), Arc::clone(source));
        let work = move || {
            let _turn = turn;
            slot.render(&shared, room)
        };
        Ok(source.workers.run(work).await)
    }

    async fn gzip(self: &Arc<Self>, source: &Arc<Source>, begun: u64) -> Result<Text, NoRoom> {
        let turn = Arc::clone(&self.compressing).lock_owned().await;
        if let Some(found) = self.fresh(Encoding::Gzip, source, begun) {
            return Ok(found);
        }
        let plain = match self.fresh(Encoding::Identity, source, begun) {
            Some(found) => found,
            None => self.plain(source, begun).await?,
        };
        let (slot, shared) = (Arc::clone(self), Arc::clone(source));
        let work = move || {
            let _turn = turn;
            let bytes = shared.budget.keep(compress(&plain.bytes));
            let packed = Text { stamp: plain.stamp.made_by(shared.clock.now()), bytes };
            slot.store_gzip(&shared, packed.clone());
            packed
        };
        Ok(source.workers.run(work).await)
    }

    fn render(&self, source: &Source, room: Reservation) -> Text {
        let number = {
            let mut state = self.state();
            state.begun += 1;
            state.begun
        };
        let version = source.metrics.version();
        let rendered_at = source.clock.now();
        let Rendering { mut text, valid_until } = source.metrics.render(self.format, self.scope, rendered_at);
        text.shrink_to_fit();
        let bytes = room.hold_rendering((self.format, self.scope), text);
        let stamp = Stamp { number, version, rendered_at, took: Duration::ZERO, valid_until };
        let plain = Text { stamp: stamp.made_by(source.clock.now()), bytes };
        self.state().plain = Some(plain.clone());
        source.stored.notify_one();
        plain
    }

    /// Keeps the compressed text, and the plain one beside it only if somebody wants it.
    fn store_gzip(&self, source: &Source, gzip: Text) {
        let now = source.clock.now();
        let mut state = self.state();
        let plain_wanted = state.plain_asked_at.is_some_and(|asked| now.duration_since(asked) < KEEP_PLAIN);
        state.plain.take_if(|plain| plain.stamp.number == gzip.stamp.number && !plain_wanted);
        state.gzip = Some(gzip);
        source.stored.notify_one();
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
mod tests;
