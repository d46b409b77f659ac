//! Limits the number of connections, in total and per address.
//!
//! Idle connections are closed first when a new client needs a slot, except the few that were served last: many silent
//! connections do not push out a Prometheus between two scrapes. Behind a proxy on the same machine all clients share one
//! address, so loopback addresses have no limit of their own. A few connections may have a large buffer in the system, which
//! makes long responses faster; if all had one, slow readers could fill the memory.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{Limits, WebObserver, deadlines::Deadlines};
use ga4_exporter_core::names::RefusedReason;

/// The connection slots of all listeners.
pub(super) struct Places {
    /// The total number of slots.
    limit: usize,
    /// The limit per address.
    per_address: usize,
    observer: Arc<dyn WebObserver>,
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    /// The number of the next.
    next: u64,
    held: BTreeMap<u64, Member>,
}

struct Member {
    address: IpAddr,
    deadlines: Arc<Deadlines>,
    has_large_buffer: bool,
}

/// The slot of one connection, released when dropped.
pub(super) struct Place {
    number: u64,
    has_large_buffer: bool,
    places: Arc<Places>,
}

impl Places {
    /// Creates free slots.
    pub(super) fn new(limits: &Limits, observer: Arc<dyn WebObserver>) -> Arc<Self> {
        let (limit, per_address) = (limits.connections, limits.connections_per_address);
        Arc::new(Self { limit, per_address, observer, members: Mutex::default() })
    }

    /// Returns a slot for a connection with these deadlines, if need be that of an idle one.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr, deadlines: &Arc<Deadlines>) -> Result<Place, RefusedReason> {
        let address = address.to_canonical();
        let mut members = self.members();
        if !address.is_loopback() {
            let is_of_address = |member: &Member| member.address == address;
            let count = members.held.values().filter(|member| is_of_address(member)).count();
            if count >= self.per_address && !members.evict_idle(is_of_address, 0) {
                return Err(RefusedReason::AddressLimit);
            }
        }
        if members.held.len() >= self.limit && !members.evict_idle(|_| true, self.limit / KEPT_SHARE) {
            return Err(RefusedReason::Limit);
        }
        let number = members.next;
        members.next += 1;
        let large_buffers = members.held.values().filter(|member| member.has_large_buffer).count();
        let has_large_buffer = large_buffers < LARGE_BUFFERS;
        members.held.insert(number, Member { address, deadlines: Arc::clone(deadlines), has_large_buffer });
        self.observer.connections(members.held.len());
        drop(members);
        Ok(Place { number, has_large_buffer, places: Arc::clone(self) })
    }

    /// Closes the connection that has been idle longest, to free its file descriptor.
    pub(super) fn evict_idle(&self) {
        let mut members = self.members();
        members.evict_idle(|_| true, 0);
        self.observer.connections(members.held.len());
    }

    /// How many are free.
    pub(super) fn free(&self) -> usize {
        self.limit.saturating_sub(self.members().held.len())
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Members {
    /// Closes the longest idle connection among these, except for the protected ones. Returns whether there was one.
    fn evict_idle(&mut self, is_meant: impl Fn(&Member) -> bool, kept: usize) -> bool {
        let mut idle: Vec<_> = self
            .held
            .iter()
            .filter(|(_, member)| is_meant(member))
            .filter_map(|(number, member)| Some((member.deadlines.idle_until()?, *number)))
            .collect();
        idle.sort_unstable();
        idle.truncate(idle.len().saturating_sub(kept));
        // A connection that is no longer idle stays.
        let evicted = idle
            .into_iter()
            .map(|(_, number)| number)
            .find(|number| self.held.get(number).is_some_and(|member| member.deadlines.evict()));
        evicted.is_some_and(|number| self.held.remove(&number).is_some())
    }
}

impl Place {
    /// Whether the system may buffer a large part of a response for this connection.
    pub(super) fn has_large_buffer(&self) -> bool {
        self.has_large_buffer
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut members = self.places.members();
        members.held.remove(&self.number);
        self.places.observer.connections(members.held.len());
    }
}

/// One in this many slots is reserved for clients that were served lately.
const KEPT_SHARE: usize = 16;

/// How many connections may have a large buffer at a time.
const LARGE_BUFFERS: usize = 16;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time;

    use super::{super::Unobserved, *};

    fn places(connections: usize, connections_per_address: usize) -> Arc<Places> {
        let limits = Limits { connections, connections_per_address, ..Limits::default() };
        Places::new(&limits, Arc::new(Unobserved))
    }

    fn busy() -> Arc<Deadlines> {
        Arc::new(Deadlines::new(Limits::default()))
    }

    fn idle() -> Arc<Deadlines> {
        let deadlines = busy();
        deadlines.become_idle();
        deadlines
    }

    fn enter(places: &Arc<Places>, address: &str, deadlines: &Arc<Deadlines>) -> Result<Place, RefusedReason> {
        places.admit(address.parse().unwrap(), deadlines)
    }

    #[tokio::test]
    async fn an_address_has_its_own_limit_unless_it_is_loopback() {
        let places = places(256, 64);
        let held: Vec<_> = (0..64).map(|_| enter(&places, "192.0.2.1", &busy()).ok().unwrap()).collect();
        assert_eq!(enter(&places, "192.0.2.1", &busy()).err(), Some(RefusedReason::AddressLimit));
        assert_eq!(enter(&places, "::ffff:192.0.2.1", &busy()).err(), Some(RefusedReason::AddressLimit));
        assert!(enter(&places, "192.0.2.2", &busy()).is_ok() && enter(&places, "2001:db8::1", &busy()).is_ok());
        drop(held);
        assert!(enter(&places, "192.0.2.1", &busy()).is_ok());
        for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            let held: Vec<_> = (0..65).map(|_| enter(&places, address, &busy())).collect();
            assert!(held.iter().all(Result::is_ok), "{address}");
        }
    }

    #[tokio::test]
    async fn all_addresses_together_have_a_limit() {
        let places = places(2, 64);
        let first = enter(&places, "192.0.2.1", &busy()).ok();
        let _second = enter(&places, "192.0.2.2", &busy()).ok().unwrap();
        assert_eq!(enter(&places, "127.0.0.1", &busy()).err(), Some(RefusedReason::Limit));
        drop(first);
        assert!(enter(&places, "127.0.0.1", &busy()).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_been_idle_the_longest_goes_first() {
        let places = places(3, 64);
        let busy = busy();
        let older = idle();
        time::advance(Duration::from_secs(1)).await;
        let younger = idle();
        let held = [&busy, &younger, &older].map(|deadlines| enter(&places, "192.0.2.1", deadlines).ok().unwrap());
        let _further = enter(&places, "192.0.2.2", &self::busy()).ok().unwrap();
        assert!(older.is_evicted() && !younger.is_evicted() && !busy.is_evicted());
        places.evict_idle();
        assert!(younger.is_evicted() && !busy.is_evicted());
        assert_eq!(places.free(), 1);
        drop(held);
        assert_eq!(places.free(), 2, "places of those that were evicted are not given back twice");
    }

    #[tokio::test]
    async fn the_last_that_were_served_stay_whoever_comes() {
        let places = places(32, 64);
        let idle = [idle(), idle(), idle()];
        let _held = idle.each_ref().map(|deadlines| enter(&places, "192.0.2.1", deadlines).ok().unwrap());
        let _crowd: Vec<_> = (0..29).map(|_| enter(&places, "127.0.0.1", &busy()).ok().unwrap()).collect();
        let _further = enter(&places, "127.0.0.1", &busy()).ok().unwrap();
        assert_eq!(enter(&places, "127.0.0.1", &busy()).err(), Some(RefusedReason::Limit));
        assert_eq!(idle.iter().filter(|deadlines| deadlines.is_evicted()).count(), 1);
    }

    #[tokio::test]
    async fn at_the_limit_of_an_address_its_own_idle_connection_goes() {
        let places = places(256, 1);
        let (own, other) = (idle(), idle());
        let _held = [("192.0.2.2", &other), ("192.0.2.1", &own)].map(|(address, it)| enter(&places, address, it).ok());
        assert!(enter(&places, "192.0.2.1", &busy()).is_ok());
        assert!(own.is_evicted() && !other.is_evicted());
    }

    #[tokio::test]
    async fn a_few_connections_at_a_time_have_a_large_buffer() {
        let places = places(256, 64);
        let mut held: Vec<_> = (0..18).map(|_| enter(&places, "127.0.0.1", &busy()).ok().unwrap()).collect();
        assert_eq!(held.iter().filter(|place| place.has_large_buffer()).count(), 16);
        assert!(held.pop().is_some_and(|place| !place.has_large_buffer()));
        held.remove(0);
        assert!(enter(&places, "127.0.0.1", &busy()).ok().unwrap().has_large_buffer());
    }
}
