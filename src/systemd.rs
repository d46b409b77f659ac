//! What systemd and the process tell each other: sockets that it hands over (sd_listen_fds(3)), and how the process fares
//! (sd_notify(3)).
//!
//! Knows the variables LISTEN_FDS, NOTIFY_SOCKET and WATCHDOG_USEC, by way of two crates. Where there is no systemd, telling
//! it something does nothing.

use std::{io, net::TcpListener, time::Duration};

use listenfd::ListenFd;
use sd_notify::NotifyState;
use thiserror::Error as ThisError;
use tracing::{debug, warn};

/// Why sockets cannot be taken over.
#[derive(Debug, ThisError)]
pub enum Error {
    /// Start the socket's unit, or leave the flag away.
    #[error(
        "--web.systemd-socket is given, but systemd has handed over no socket: start google_analytics_exporter.socket \
         before the service, or remove the flag"
    )]
    NoSockets,
    /// Mend the socket's unit.
    #[error("a socket that systemd has handed over cannot be used; it must be a ListenStream= with a TCP port")]
    Unusable(#[source] io::Error),
}

/// What there is to tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// It listens, or it has read its configuration again.
    Ready,
    /// It reads its configuration again.
    Reloading,
    /// It ends.
    Stopping,
}

/// The sockets that systemd has handed over, every one. To be called before the process has a second thread, since it
/// takes the variables out of the environment.
///
/// # Errors
/// There are none, or one is of another kind.
pub fn sockets() -> Result<Vec<TcpListener>, Error> {
    let mut handed_over = ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..handed_over.len() {
        if let Some(listener) = handed_over.take_tcp_listener(index).map_err(Error::Unusable)? {
            listener.set_nonblocking(true).map_err(Error::Unusable)?;
            listeners.push(listener);
        }
    }
    if listeners.is_empty() { Err(Error::NoSockets) } else { Ok(listeners) }
}

/// Tells systemd how it is.
pub fn tell(state: State) {
    let told = match state {
        State::Ready => sd_notify::notify(&[NotifyState::Ready]),
        State::Reloading => {
            NotifyState::monotonic_usec_now().and_then(|now| sd_notify::notify(&[NotifyState::Reloading, now]))
        }
        State::Stopping => sd_notify::notify(&[NotifyState::Stopping]),
    };
    if let Err(error) = told {
        warn!(%error, ?state, "systemd cannot be told; check the unit's NotifyAccess=");
    }
}

/// Tells systemd that the process is alive for as long as the future is polled, twice as often as it wants to know.
pub async fn keep_alive() {
    let Some(longest) = sd_notify::watchdog_enabled().filter(|longest| !longest.is_zero()) else {
        return std::future::pending().await;
    };
    debug!(seconds = longest.as_secs_f64(), "systemd restarts the process when it hears nothing for so long");
    let mut beat = tokio::time::interval((longest / 2).max(SHORTEST_BEAT));
    loop {
        beat.tick().await;
        // It has been told of already if that does not work.
        let _ = sd_notify::notify(&[NotifyState::Watchdog]);
    }
}

/// Nobody wants to be told more often.
const SHORTEST_BEAT: Duration = Duration::from_millis(10);
