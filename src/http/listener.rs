//! One listening socket: accepting, refusing, and stopping.
//!
//! Knows which failures of `accept` concern one connection and which the system. Invariants: only the server's stop ends it, no
//! failure does; repeated failures do not keep the CPU busy.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use rustix::io::Errno;
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::{JoinError, JoinSet},
    time::{self, Instant},
};
use tracing::{debug, info, warn};

use super::{Site, connection, deadlines::Deadlines, places::Places};
use ga4_exporter_core::names::RefusedReason;

/// Serves the connections of one socket until the stop, then lets running responses end.
pub(super) async fn listen(socket: TcpListener, site: Arc<Site>, places: Arc<Places>, stop: watch::Receiver<bool>) {
    bound_buffers(&socket);
    let address = socket.local_addr().map_or_else(|_| String::new(), |address| address.to_string());
    let mut listener = Listener::new(address, site, places, stop);
    listener.run(&socket).await;
    drop(socket);
    listener.drain().await;
}

/// Waits for the stop, or for the end of the server itself.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Propagates the panic of a task to its owner.
pub(super) fn resume_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

/// The source of connections.
trait Accept: Sync {
    /// Returns the next connection. Dropping the future loses none.
    fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send;
}

impl Accept for TcpListener {
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        Self::accept(self).await
    }
}

struct Listener {
    /// Its address, for the log.
    address: String,
    site: Arc<Site>,
    places: Arc<Places>,
    /// A permit for each connection that gets a refusal as its answer.
    refusals: Arc<Semaphore>,
    stop: watch::Receiver<bool>,
    /// Tasks of connections that are served or refused.
    connections: JoinSet<()>,
    /// Failed attempts to accept in a row.
    failed: u32,
    /// Whether it was logged that no connections can be accepted.
    trouble: bool,
    /// Whether a connection was over the limit, and there has been little room since.
    full: bool,
    /// The last line on an address with too many connections, and how many refusals it stands for.
    crowded: Option<Crowded>,
}

impl Listener {
    fn new(address: String, site: Arc<Site>, places: Arc<Places>, stop: watch::Receiver<bool>) -> Self {
        Self {
            address,
            site,
            places,
            refusals: Arc::new(Semaphore::new(MAX_REFUSALS)),
            stop,
            connections: JoinSet::new(),
            failed: 0,
            trouble: false,
            full: false,
            crowded: None,
        }
    }

    /// Accepts until the stop.
    async fn run(&mut self, socket: &impl Accept) {
        let mut stop = self.stop.clone();
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return,
                Some(ended) = self.connections.join_next() => resume_panic(ended),
                accepted = socket.accept() => self.accepted(accepted).await,
            }
        }
    }

    async fn accepted(&mut self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        match accepted {
            Ok((stream, client)) => {
                self.failed = 0;
                if std::mem::take(&mut self.trouble) {
                    info!(listener.address = self.address, "accepting connections again");
                }
                self.admit(stream, client);
            }
            Err(error) => {
                self.failed = self.failed.saturating_add(1);
                if !is_of_one_connection(&error) || self.failed >= MAX_FAILED {
                    self.pause(&error).await;
                }
            }
        }
    }

    /// Pauses, since the next attempt may fail in the same way.
    async fn pause(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.trouble, true) {
            warn!(listener.address = self.address, %error, "cannot accept connections, retrying");
        }
        if lacks_resources(error) {
            self.site.observer.refused(RefusedReason::Descriptors);
            self.places.evict_idle();
        }
        time::sleep(self.site.settings.limits.accept_pause).await;
    }

    fn admit(&mut self, stream: TcpStream, client: SocketAddr) {
        // Otherwise a short answer may wait until the client has acknowledged its header.
        let _ = stream.set_nodelay(true);
        let deadlines = Arc::new(Deadlines::new(self.site.settings.limits));
        match self.places.admit(client.ip(), &deadlines) {
            Ok(place) => {
                self.note_room();
                if place.has_large_buffer() {
                    enlarge_buffer(&stream);
                }
                let (site, stop) = (Arc::clone(&self.site), self.stop.clone());
                self.connections.spawn(holding(place, connection::serve(stream, client, deadlines, site, stop)));
            }
            Err(reason) => self.refuse(stream, client, reason),
        }
    }

    fn refuse(&mut self, stream: TcpStream, client: SocketAddr, reason: RefusedReason) {
        self.site.observer.refused(reason);
        let limits = self.site.settings.limits;
        let listener = &self.address;
        if reason == RefusedReason::AddressLimit {
            let limit = limits.connections_per_address;
            if let Some(suppressed) = Crowded::line(&mut self.crowded, Instant::now()) {
                warn!(listener.address = listener, client.address = %client.ip(), limit, suppressed,
                    "too many connections from one address; refusing further ones");
            }
        } else if !std::mem::replace(&mut self.full, true) {
            warn!(
                listener.address = listener,
                limit = limits.connections,
                "too many connections; refusing further ones"
            );
        }
        if let Ok(refusal) = Arc::clone(&self.refusals).try_acquire_owned() {
            self.connections.spawn(holding(refusal, connection::refuse(stream, limits.refusal)));
        }
    }

    /// Ends the overload only once an eighth of the slots is free, so that a crowd does not fill the log.
    fn note_room(&mut self) {
        let room = self.places.free() >= self.site.settings.limits.connections / 8;
        if self.full && room {
            self.full = false;
            info!(listener.address = self.address, "accepting further connections again");
        }
    }

    /// Waits for connections to end, which know of the stop; dropping the set closes the rest.
    async fn drain(&mut self) {
        let all = async {
            while let Some(ended) = self.connections.join_next().await {
                resume_panic(ended);
            }
        };
        let limit = self.site.settings.limits.drain;
        if time::timeout(limit, all).await.is_err() {
            let count = self.connections.len();
            warn!(listener.address = self.address, connections = count, "cutting off responses that take too long");
        }
    }
}

/// Limits lines on addresses with too many connections: one a minute.
#[derive(Clone, Copy, Debug)]
struct Crowded {
    logged_at: Instant,
    suppressed: u64,
}

impl Crowded {
    /// Returns whether to log a line, and if so how many were suppressed since the last one.
    fn line(last: &mut Option<Self>, now: Instant) -> Option<u64> {
        if let Some(last) = last
            && now.duration_since(last.logged_at) < CROWDED_PAUSE
        {
            last.suppressed += 1;
            return None;
        }
        Some(last.replace(Self { logged_at: now, suppressed: 0 }).map_or(0, |last| last.suppressed))
    }
}

async fn holding<P>(_place: P, work: impl Future<Output = ()>) {
    work.await;
}

/// Limits the system's buffers per connection; accepted connections inherit the limits. Otherwise the system buffers
/// megabytes for each slow client, which count as the exporter's memory.
fn bound_buffers(socket: &TcpListener) {
    let socket = SockRef::from(socket);
    let bounded = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    #[cfg(target_os = "linux")]
    let bounded = bounded.and_then(|()| socket.set_tcp_notsent_lowat(MAX_UNSENT));
    if let Err(error) = bounded {
        debug!(%error, "cannot bound the buffers of connections");
    }
}

/// Lets the system buffer more of this connection's responses. With little, a long response is sent in many small steps, each
/// after the client has read: a text of 8 MB took a third longer over loopback (2026-11-28).
fn enlarge_buffer(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    if let Err(error) = SockRef::from(stream).set_tcp_notsent_lowat(MAX_UNSENT_LARGE) {
        debug!(%error, "cannot enlarge the buffer of a connection");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}

/// Whether a failure to accept concerns only one connection, so that the next can be accepted at once. Others, such as
/// missing file descriptors or memory, are likely to repeat and would keep the CPU busy. So would one of these that
/// repeats: a security module may refuse every connection.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::Interrupted
            | ErrorKind::NetworkDown
            | ErrorKind::NetworkUnreachable
            | ErrorKind::PermissionDenied // by a firewall
            | ErrorKind::TimedOut
    )
}

/// Whether the system lacks file descriptors or memory for another connection.
fn lacks_resources(error: &io::Error) -> bool {
    let number = Errno::from_io_error(error);
    number.is_some_and(|number| [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM].contains(&number))
}

/// From one line on an address with too many connections to the next.
const CROWDED_PAUSE: Duration = Duration::from_mins(1);

/// From this many failures in a row, a pause follows each, whatever its kind.
const MAX_FAILED: u32 = 16;

/// How many connections over the limit get an answer at a time. Others are closed without one.
const MAX_REFUSALS: usize = 64;

/// Bytes of a response that the system buffers before sending.
#[cfg(target_os = "linux")]
const MAX_UNSENT: u32 = 128 << 10;

/// The same for a connection with a large buffer: twice as much would be no faster.
#[cfg(target_os = "linux")]
const MAX_UNSENT_LARGE: u32 = 1 << 20;

/// Bytes of requests that the system buffers: more than the longest header.
const RECEIVE_BUFFER: usize = 32 << 10;

#[cfg(test)]
mod tests;
