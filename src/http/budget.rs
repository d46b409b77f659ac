//! The memory for responses to clients.
//!
//! Knows how many bytes of text are alive: each text counts once, from its rendering until the last client has received it.
//! Refuses to know clients and connections.
//!
//! The limit is 64 MiB, or twice the longest text that is the newest of its kind, if that is more: the text that is being sent
//! and the next one always fit.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

use super::{Format, Scope, WebObserver, negotiate::Encoding};

/// The kind of a rendering.
pub(super) type Kind = (Format, Scope, Encoding);

/// The budget that all texts share.
pub(super) struct Budget {
    /// The least limit in bytes.
    least: u64,
    observer: Arc<dyn WebObserver>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Bytes of all texts that are alive.
    alive: u64,
    /// Bytes of the newest text of each kind.
    newest: HashMap<Kind, u64>,
}

/// There is no room for another text until a client has received one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct NoRoom;

impl Budget {
    /// Creates a budget of at least this many bytes.
    pub(super) fn new(least: u64, observer: Arc<dyn WebObserver>) -> Arc<Self> {
        Arc::new(Self { least, observer, state: Mutex::default() })
    }

    /// Reserves room for the next rendering of a kind, which is about as long as the previous one.
    pub(super) fn reserve(self: &Arc<Self>, kind: Kind) -> Result<Reservation, NoRoom> {
        let expected = self.state().newest.get(&kind).copied().unwrap_or(0);
        self.take(expected)
    }

    /// Accounts for a text that was made for one client, if there is room.
    pub(super) fn admit(self: &Arc<Self>, text: Vec<u8>) -> Result<Bytes, NoRoom> {
        Ok(self.take(length(&text))?.hold(text))
    }

    /// Accounts for another form of an accounted text: the compressed one.
    pub(super) fn keep(self: &Arc<Self>, kind: Kind, text: Vec<u8>) -> Bytes {
        Reservation { budget: Arc::clone(self), bytes: 0 }.hold_rendering(kind, text)
    }

    /// Whether so much is in use that existing texts should be served longer.
    pub(super) fn is_tight(&self) -> bool {
        let state = self.state();
        state.alive > state.ceiling(self.least) / 2
    }

    fn take(self: &Arc<Self>, bytes: u64) -> Result<Reservation, NoRoom> {
        let mut state = self.state();
        if state.alive.saturating_add(bytes) > state.ceiling(self.least) {
            return Err(NoRoom);
        }
        self.change(&mut state, 0, bytes);
        Ok(Reservation { budget: Arc::clone(self), bytes })
    }

    fn change(&self, state: &mut State, less: u64, more: u64) {
        state.alive = state.alive.saturating_sub(less).saturating_add(more);
        self.observer.bytes_in_flight(state.alive);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn ceiling(&self, least: u64) -> u64 {
        let newest = self.newest.values().max().copied().unwrap_or(0);
        least.max(newest.saturating_mul(2))
    }
}

/// Reserved room for a text, released when this or its text is dropped.
pub(super) struct Reservation {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Reservation {
    /// The expected length of the text: that of the previous one of its kind.
    pub(super) fn expected_bytes(&self) -> usize {
        usize::try_from(self.bytes).unwrap_or(usize::MAX)
    }

    /// Uses this room for the newest rendering of a kind.
    pub(super) fn hold_rendering(self, kind: Kind, text: Vec<u8>) -> Bytes {
        self.budget.state().newest.insert(kind, length(&text));
        self.hold(text)
    }

    fn hold(mut self, text: Vec<u8>) -> Bytes {
        let bytes = length(&text);
        let budget = Arc::clone(&self.budget);
        budget.change(&mut budget.state(), self.bytes, bytes);
        self.bytes = bytes;
        Bytes::from_owner(Held { text, _place: self })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.change(&mut self.budget.state(), self.bytes, 0);
    }
}

/// A text with its room; dropped with the last clone of its [`Bytes`].
struct Held {
    text: Vec<u8>,
    _place: Reservation,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

fn length(text: &[u8]) -> u64 {
    text.len() as u64
}

#[cfg(test)]
mod tests {
    use super::{super::Unobserved, *};

    const ALL: Kind = (Format::Text, Scope::All, Encoding::Identity);

    fn budget(least: u64) -> Arc<Budget> {
        Budget::new(least, Arc::new(Unobserved))
    }

    fn render(budget: &Arc<Budget>, kind: Kind, bytes: usize) -> Result<Bytes, NoRoom> {
        Ok(budget.reserve(kind)?.hold_rendering(kind, vec![b'#'; bytes]))
    }

    #[test]
    fn a_text_counts_once_and_as_long_as_anybody_has_it() {
        let budget = budget(100);
        let text = render(&budget, ALL, 30).unwrap();
        let clients = vec![text.clone(); 160];
        assert_eq!(budget.state().alive, 30);
        drop(text);
        assert_eq!(budget.state().alive, 30);
        let rest = clients[0].slice(29..);
        drop(clients);
        assert_eq!(budget.state().alive, 30, "the last byte keeps all of it");
        drop(rest);
        assert_eq!(budget.state().alive, 0);
    }

    #[test]
    fn versions_that_slow_readers_hold_fill_it_and_no_more() {
        let budget = budget(64 << 20);
        let size = 5 << 20;
        let mut held = Vec::new();
        while let Ok(text) = render(&budget, ALL, size) {
            held.push(text);
            assert!(held.len() < 160, "there is no limit");
        }
        assert_eq!(held.len(), 12);
        assert!(budget.admit(vec![0; size]).is_err());
        held.pop();
        assert!(render(&budget, ALL, size).is_ok());
    }

    #[test]
    fn of_long_texts_two_fit_whatever_is_short() {
        let budget = budget(100);
        let short = (Format::Text, Scope::Exporter, Encoding::Identity);
        let first = render(&budget, ALL, 1000).unwrap();
        let second = render(&budget, ALL, 1000).unwrap();
        assert!(render(&budget, ALL, 1000).is_err());
        drop(first);
        let _own = render(&budget, short, 10).unwrap();
        assert!(budget.is_tight());
        drop(second);
        assert!(render(&budget, ALL, 1000).is_ok());
    }

    #[test]
    fn room_that_is_not_used_is_given_back() {
        let budget = budget(100);
        drop(render(&budget, ALL, 60));
        let reserved = [budget.reserve(ALL).ok(), budget.reserve(ALL).ok()];
        assert!(reserved.iter().all(Option::is_some), "two fit");
        assert!(budget.reserve(ALL).is_err() && budget.is_tight());
        drop(reserved);
        assert_eq!(budget.state().alive, 0);
        assert_eq!(budget.keep(ALL, vec![0; 500]).len(), 500);
        assert_eq!(budget.state().alive, 0);
    }
}
