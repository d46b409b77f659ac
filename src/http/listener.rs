//! One listening socket: accepting, counting, and stopping.
//!
//! Knows which failures of `accept` concern one connection and which the system. Invariant: no failure ends it; only the
//! server's stop does.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::Arc,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::{JoinError, JoinSet},
    time,
};
use tracing::{info, warn};

use super::{Site, connection};

/// What all listeners share: how many connections there may be.
pub(super) struct Capacity {
    /// One permit for each connection that is served.
    slots: Arc<Semaphore>,
    /// One for each that is being refused in words.
    refusals: Arc<Semaphore>,
}

impl Capacity {
    /// Room for so many connections.
    pub(super) fn new(connections: usize) -> Self {
        let slots = Semaphore::new(connections.min(Semaphore::MAX_PERMITS));
        Self { slots: Arc::new(slots), refusals: Arc::new(Semaphore::new(MAX_REFUSALS)) }
    }
}

/// Serves the connections of one socket until the stop, and then those with a response under way a little longer.
pub(super) async fn listen(
    socket: TcpListener,
    site: Arc<Site>,
    capacity: Arc<Capacity>,
    mut stop: watch::Receiver<bool>,
) {
    let mut listener = Listener {
        address: socket.local_addr().map_or_else(|_| String::new(), |address| address.to_string()),
        site,
        capacity,
        stop: stop.clone(),
        connections: JoinSet::new(),
        trouble: false,
        full: false,
    };
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            Some(ended) = listener.connections.join_next() => resume_panic(ended),
            accepted = socket.accept() => listener.accepted(accepted).await,
        }
    }
    drop(socket);
    listener.drain().await;
}

/// Waits for the stop, or for the end of the server itself.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Lets the panic of a task go on in its owner.
pub(super) fn resume_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

struct Listener {
    /// Where it listens, for the log.
    address: String,
    site: Arc<Site>,
    capacity: Arc<Capacity>,
    stop: watch::Receiver<bool>,
    /// Those that are served and those that are refused.
    connections: JoinSet<()>,
    /// Whether the last attempt to accept failed for want of something.
    trouble: bool,
    /// Whether a connection was one too many, and there has been no room to speak of since.
    full: bool,
}

impl Listener {
    async fn accepted(&mut self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        match accepted {
            Ok((stream, client)) => {
                if std::mem::take(&mut self.trouble) {
                    info!(listener.address = self.address, "accepting connections again");
                }
                self.admit(stream, client);
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                if !std::mem::replace(&mut self.trouble, true) {
                    warn!(listener.address = self.address, %error, "cannot accept connections; still trying");
                }
                time::sleep(self.site.settings.limits.accept_pause).await;
            }
        }
    }

    fn admit(&mut self, stream: TcpStream, client: SocketAddr) {
        // Without it a short answer may wait for the client's acknowledgement of its header.
        let _ = stream.set_nodelay(true);
        if let Ok(slot) = Arc::clone(&self.capacity.slots).try_acquire_owned() {
            self.note_room();
            let (site, stop) = (Arc::clone(&self.site), self.stop.clone());
            self.connections.spawn(holding(slot, connection::serve(stream, client, site, stop)));
            return;
        }
        let limits = &self.site.settings.limits;
        if !std::mem::replace(&mut self.full, true) {
            let limit = limits.connections;
            warn!(listener.address = self.address, limit, "too many connections; refusing further ones");
        }
        if let Ok(refusal) = Arc::clone(&self.capacity.refusals).try_acquire_owned() {
            self.connections.spawn(holding(refusal, connection::refuse(stream, limits.refusal)));
        }
    }

    /// One free slot that is taken at once is not the end of the rush, and not worth a line in the log each time.
    fn note_room(&mut self) {
        let room = self.capacity.slots.available_permits() >= self.site.settings.limits.connections / 8;
        if self.full && room {
            self.full = false;
            info!(listener.address = self.address, "taking connections again");
        }
    }

    /// Connections have been told to stop; what is not done in time is cut off as the set is dropped.
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

async fn holding(_permit: OwnedSemaphorePermit, work: impl Future<Output = ()>) {
    work.await;
}

/// Whether a failure to accept is over with the connection that it came from, so that the next can be tried at once.
/// Anything else may well happen again at once (no file descriptors, no memory), and would keep the processor busy.
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

/// How many connections beyond the limit are told so at a time. Still further ones are closed without a word.
const MAX_REFUSALS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_one_connection_are_told_from_those_of_the_system() {
        // Numbers of Linux: accept(2) passes on the network's failures of the connection that it takes.
        for (name, number, expected) in [
            ("ECONNABORTED", 103, true),
            ("ECONNRESET", 104, true),
            ("EINTR", 4, true),
            ("EPERM", 1, true),
            ("ENETDOWN", 100, true),
            ("ENETUNREACH", 101, true),
            ("EHOSTUNREACH", 113, true),
            ("ETIMEDOUT", 110, true),
            ("EMFILE", 24, false),
            ("ENFILE", 23, false),
            ("ENOMEM", 12, false),
            ("ENOBUFS", 105, false),
            ("EBADF", 9, false),
            ("EINVAL", 22, false),
        ] {
            assert_eq!(is_of_one_connection(&io::Error::from_raw_os_error(number)), expected, "{name}");
        }
    }
}
