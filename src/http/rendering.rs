//! The cache of renderings for scrapes.
//!
//! Holds the texts and has new ones made; `freshness` decides how long a text may be served. A scrape gets a text that was true
//! at some moment between its arrival and its answer, or one that may still be served.
//!
//! Scrapes of one format share one rendering and one compression, both off the threads that serve connections. While clients
//! scrape without a pause, the next text is made before the last one expires, so that no client waits. A scrape that has to
//! wait does not use a rendering that was running when it arrived, if the version has changed; all waiting scrapes share the
//! next one. Hence many clients and frequent changes cause one rendering after the other, not one per client. While all of them
//! take compressed texts, a text is compressed piece by piece while it is rendered, and is never in memory as a whole; the first
//! client that wants a plain one has it rendered again.
//!
//! A text lives as long as the slowest client that receives it. When such texts fill half of the [`Budget`], a text is served
//! until it is too old, changed or not; when there is no room left, nothing is rendered.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::{Mutex as AsyncMutex, Notify, OwnedMutexGuard},
    task::JoinSet,
    time,
};

use super::{
    Format, Limits, Metrics, Rendering, Scope,
    budget::{Budget, Kind, NoRoom, Reservation},
    freshness::{self, Bounds, Present, Stamp, Use},
    gzip::{Packer, compress},
    listener::resume_panic,
    negotiate::Encoding,
};
use crate::{clock::Clock, workers::Workers};

/// The texts of all formats and scopes.
pub(super) struct Renderings {
    source: Arc<Source>,
    slots: Vec<Arc<Slot>>,
    /// Renewals in the background; at most one per slot and encoding.
    renewals: Mutex<JoinSet<()>>,
}

impl Renderings {
    /// Creates an empty cache; nothing is rendered before the first scrape.
    pub(super) fn new(metrics: Arc<dyn Metrics>, clock: Clock, limits: &Limits, budget: Arc<Budget>) -> Self {
        let workers = Workers::start("scrapes", THREADS);
        let Limits { reuse, reuse_changed, renewal, .. } = *limits;
        let bounds = Bounds { reuse, reuse_changed, renewal };
        let source = Source { metrics, clock, bounds, stored: Notify::new(), budget, workers };
        Self { source: Arc::new(source), slots: all_slots(), renewals: Mutex::default() }
    }

    /// Returns the text, rendering it if need be. Dropping the future does not stop the rendering: others may wait for it.
    ///
    /// # Errors
    /// Slow clients hold all the memory for texts.
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

    /// Starts to make the next text, unless that is running already. Without room for it, the current one stays.
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
            // A scrape that arrives after the current one has expired gets the error.
            let _ = slot.next(&source, begun, encoding).await;
        });
    }

    /// Drops texts soon after they can no longer be used; sleeps while there are none.
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

/// The source of texts.
struct Source {
    metrics: Arc<dyn Metrics>,
    clock: Clock,
    /// The limits of a text's age.
    bounds: Bounds,
    /// Notified of every stored text.
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

/// The slot of one format and scope.
struct Slot {
    format: Format,
    scope: Scope,
    /// Only locked briefly.
    state: Mutex<State>,
    /// Held while rendering, until the text is stored.
    rendering: Arc<AsyncMutex<()>>,
    /// Held while compressing, until the result is stored; locked before `rendering`.
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
    /// The number of started renderings.
    begun: u64,
    /// When the uncompressed text was last requested, other than for compression.
    plain_asked_at: Option<Timestamp>,
}

/// A stored text, in one encoding.
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

    /// Notes a request, and returns how many renderings had started by then.
    fn ask(&self, encoding: Encoding, now: Timestamp) -> u64 {
        let mut state = self.state();
        if encoding == Encoding::Identity {
            state.plain_asked_at = Some(now);
        }
        state.begun
    }

    /// Returns the stored text, and whether it may be served.
    fn kept(&self, encoding: Encoding, source: &Source) -> Option<(Text, Use)> {
        let text = self.state().text(encoding).clone()?;
        let good_for = source.decide(&text.stamp);
        Some((text, good_for))
    }

    /// Returns the stored text, unless a scrape that arrived when this many renderings had `begun` needs the next one.
    fn fresh(&self, encoding: Encoding, source: &Source, begun: u64) -> Option<Text> {
        let (text, good_for) = self.kept(encoding, source)?;
        (text.stamp.number > begun || good_for == Use::Serve).then_some(text)
    }

    /// Drops texts that can no longer be used, to make room for the next.
    fn let_go(&self, source: &Source) {
        let mut state = self.state();
        for encoding in [Encoding::Identity, Encoding::Gzip] {
            state.text(encoding).take_if(|text| source.decide(&text.stamp) == Use::Wait);
        }
    }

    /// Returns the next text, or one that another scrape has made meanwhile.
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
        let room = source.budget.reserve(self.kind(Encoding::Identity))?;
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
            None if self.wants_plain(source.clock.now()) => self.plain(source, begun).await?,
            None => return self.only_packed(source, turn).await,
        };
        let (slot, shared) = (Arc::clone(self), Arc::clone(source));
        let work = move || {
            let _turn = turn;
            let bytes = shared.budget.keep(slot.kind(Encoding::Gzip), compress(&plain.bytes));
            let packed = Text { stamp: plain.stamp.made_by(shared.clock.now()), bytes };
            slot.store_gzip(&shared, packed.clone());
            packed
        };
        Ok(source.workers.run(work).await)
    }

    /// Renders a text and packs it piece by piece: where nobody wants the plain text, it is never in memory as a whole.
    async fn only_packed(
        self: &Arc<Self>,
        source: &Arc<Source>,
        compressing: OwnedMutexGuard<()>,
    ) -> Result<Text, NoRoom> {
        let rendering = Arc::clone(&self.rendering).lock_owned().await;
        self.let_go(source);
        let room = source.budget.reserve(self.kind(Encoding::Gzip))?;
        let (slot, shared) = (Arc::clone(self), Arc::clone(source));
        let work = move || {
            let _turns = (compressing, rendering);
            slot.render_packed(&shared, room)
        };
        Ok(source.workers.run(work).await)
    }

    fn render(&self, source: &Source, room: Reservation) -> Text {
        let stamp = self.begin(source);
        let Rendering { mut text, valid_until } = source.metrics.render(self.format, self.scope, stamp.rendered_at);
        text.shrink_to_fit();
        let bytes = room.hold_rendering(self.kind(Encoding::Identity), text);
        let plain = Text { stamp: Stamp { valid_until, ..stamp }.made_by(source.clock.now()), bytes };
        self.state().plain = Some(plain.clone());
        source.stored.notify_one();
        plain
    }

    fn render_packed(&self, source: &Source, room: Reservation) -> Text {
        let stamp = self.begin(source);
        let mut packer = Packer::with_capacity(room.expected_bytes());
        let valid_until =
            source.metrics.render_in_pieces(self.format, self.scope, stamp.rendered_at, &mut |piece| packer.add(piece));
        let bytes = room.hold_rendering(self.kind(Encoding::Gzip), packer.finish());
        let packed = Text { stamp: Stamp { valid_until, ..stamp }.made_by(source.clock.now()), bytes };
        self.store_gzip(source, packed.clone());
        packed
    }

    /// Begins a rendering.
    fn begin(&self, source: &Source) -> Stamp {
        let number = {
            let mut state = self.state();
            state.begun += 1;
            state.begun
        };
        let (version, rendered_at) = (source.metrics.version(), source.clock.now());
        Stamp { number, version, rendered_at, took: Duration::ZERO, valid_until: None }
    }

    fn kind(&self, encoding: Encoding) -> Kind {
        (self.format, self.scope, encoding)
    }

    /// Whether somebody has asked for the plain text lately.
    fn wants_plain(&self, now: Timestamp) -> bool {
        self.state().plain_asked_at.is_some_and(|asked| now.duration_since(asked) < KEEP_PLAIN)
    }

    fn store_gzip(&self, source: &Source, gzip: Text) {
        self.state().gzip = Some(gzip);
        source.stored.notify_one();
    }
}

fn all_slots() -> Vec<Arc<Slot>> {
    let scopes = |format| [Scope::All, Scope::Exporter].map(|scope| Arc::new(Slot::new(format, scope)));
    [Format::Text, Format::OpenMetrics].into_iter().flat_map(scopes).collect()
}

/// Threads for scrapes: one can render or compress while the other does so for another format.
const THREADS: usize = 2;

/// How long after its last request the plain text is made and stored beside the compressed one.
const KEEP_PLAIN: SignedDuration = SignedDuration::from_mins(5);

#[cfg(test)]
mod tests;
