//! What systemd and the process tell each other: sockets that it hands over (sd_listen_fds(3)), and how the process fares
//! (sd_notify(3)).
//!
//! Knows the variables LISTEN_FDS, NOTIFY_SOCKET and WATCHDOG_USEC, by way of two crates. Where there is no systemd,
//! notifying it does nothing. Invariant: a notification that nobody reads holds nothing up.

use std::{
    env,
    ffi::OsStr,
    fmt::Write,
    io,
    net::TcpListener,
    os::unix::net::{SocketAddr, UnixDatagram},
    time::Duration,
};

use listenfd::ListenFd;
use sd_notify::NotifyState;
use thiserror::Error as ThisError;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{debug, warn};

use crate::poll::Pulse;

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

/// Notifies systemd of a state.
pub fn tell(state: State) {
    let sent = match state {
        State::Ready => notify(&[NotifyState::Ready]),
        State::Reloading => NotifyState::monotonic_usec_now().and_then(|now| notify(&[NotifyState::Reloading, now])),
        State::Stopping => notify(&[NotifyState::Stopping]),
    };
    if let Err(error) = sent {
        warn!(%error, ?state, "cannot notify systemd; check the unit's NotifyAccess=");
    }
}

/// Notifies systemd that the process is alive, twice as often as it wants to hear it, as long as the poller polls.
pub async fn keep_alive(pulse: Pulse) {
    let Some(longest) = sd_notify::watchdog_enabled().filter(|longest| !longest.is_zero()) else {
        return std::future::pending().await;
    };
    debug!(seconds = longest.as_secs_f64(), "systemd restarts the process when it hears nothing for that time");
    // If that does not work, the first notification has said so.
    pass_on(&pulse, longest, || drop(notify(&[NotifyState::Watchdog]))).await;
}

/// Notifies with each beat of the poller, and not without.
async fn pass_on(pulse: &Pulse, longest: Duration, notify: impl Fn()) {
    let mut ticks = interval((longest / 2).max(SHORTEST_BEAT));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if pulse.beat().await {
            notify();
        }
    }
}

/// Sends without waiting: systemd may be busy, and another supervisor may never read. `sd_notify::notify` waits, and
/// knows no abstract sockets.
fn notify(states: &[NotifyState<'_>]) -> io::Result<()> {
    let Some(name) = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else { return Ok(()) };
    let mut message = String::new();
    for state in states {
        // Writing to a text cannot fail.
        let _ = writeln!(message, "{state}");
    }
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to_addr(message.as_bytes(), &address(&name)?)?;
    Ok(())
}

/// A path, or, after an `@`, a name that is in no file system.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    #[cfg(target_os = "linux")]
    {
        use std::os::{linux::net::SocketAddrExt, unix::ffi::OsStrExt};

        if let Some(name) = name.as_bytes().strip_prefix(b"@") {
            return SocketAddr::from_abstract_name(name);
        }
    }
    SocketAddr::from_pathname(name)
}

/// Nobody wants to hear it more often.
const SHORTEST_BEAT: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_watchdog_hears_only_of_a_poller_that_polls() {
        let (pulse, mut questions) = Pulse::new();
        let heard = AtomicU32::new(0);
        let watchdog = pass_on(&pulse, Duration::from_secs(30), || {
            heard.fetch_add(1, Ordering::Relaxed);
        });
        tokio::pin!(watchdog);
        let for_a_minute = Duration::from_mins(1);
        let stalled = tokio::time::timeout(for_a_minute, &mut watchdog).await;
        assert!(stalled.is_err() && heard.load(Ordering::Relaxed) == 0);
        let poller = async {
            while let Some(answer) = questions.recv().await {
                let _ = answer.send(());
            }
        };
        let both = async { tokio::join!(&mut watchdog, poller) };
        let polling = tokio::time::timeout(for_a_minute, both).await;
        assert!(polling.is_err() && heard.load(Ordering::Relaxed) >= 3);
    }
}
