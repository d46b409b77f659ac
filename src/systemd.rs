//! Communication with systemd: accepts the sockets that systemd passes (sd_listen_fds(3)) and reports the state of
//! the process (sd_notify(3)).
//!
//! Knows the variables LISTEN_FDS, NOTIFY_SOCKET and WATCHDOG_USEC through two crates. Without systemd, notifications
//! do nothing. Invariant: a notification that nobody reads does not block.

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

/// Why the passed sockets cannot be used.
#[derive(Debug, ThisError)]
pub enum SystemdError {
    /// Start the socket unit, or remove the flag.
    #[error(
        "--web.systemd-socket is given, but systemd passed no socket: start google_analytics_exporter.socket \
         before the service, or remove the flag"
    )]
    NoSockets,
    /// Fix the socket unit.
    #[error("cannot use a socket that systemd passed; it must be a ListenStream= with a TCP port")]
    Unusable(#[source] io::Error),
}

/// A state of the process that systemd is notified of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// The process listens, or has reloaded its configuration.
    Ready,
    /// The process reloads its configuration.
    Reloading,
    /// The process is stopping.
    Stopping,
}

/// Returns all sockets that systemd has passed. Call it before starting a second thread, because it removes the
/// variables from the environment.
///
/// # Errors
/// systemd has passed no socket, or one of another kind.
pub fn sockets() -> Result<Vec<TcpListener>, SystemdError> {
    let mut handed_over = ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..handed_over.len() {
        if let Some(listener) = handed_over.take_tcp_listener(index).map_err(SystemdError::Unusable)? {
            listener.set_nonblocking(true).map_err(SystemdError::Unusable)?;
            listeners.push(listener);
        }
    }
    if listeners.is_empty() { Err(SystemdError::NoSockets) } else { Ok(listeners) }
}

/// Notifies systemd of a state.
pub fn announce(state: State) {
    let sent = match state {
        State::Ready => notify(&[NotifyState::Ready]),
        State::Reloading => NotifyState::monotonic_usec_now().and_then(|now| notify(&[NotifyState::Reloading, now])),
        State::Stopping => notify(&[NotifyState::Stopping]),
    };
    if let Err(error) = sent {
        warn!(%error, ?state, "cannot notify systemd; check the unit's NotifyAccess=");
    }
}

/// Notifies systemd that the process is alive, at twice the rate that the watchdog requires, while the poller's loop runs.
pub async fn keep_alive(pulse: Pulse) {
    let Some(longest) = sd_notify::watchdog_enabled().filter(|longest| !longest.is_zero()) else {
        return std::future::pending().await;
    };
    debug!(seconds = longest.as_secs_f64(), "systemd restarts the process after that time without a notification");
    // If sending fails, the first notification has already logged it.
    pass_on(&pulse, longest, || drop(notify(&[NotifyState::Watchdog]))).await;
}

/// Sends a notification after each answer of the poller, and none without an answer.
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
/// does not support abstract sockets.
fn notify(states: &[NotifyState<'_>]) -> io::Result<()> {
    let Some(name) = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else { return Ok(()) };
    let mut message = String::new();
    for state in states {
        // Writing to a String cannot fail.
        let _ = writeln!(message, "{state}");
    }
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to_addr(message.as_bytes(), &address(&name)?)?;
    Ok(())
}

/// Parses a path, or a name after `@`, which denotes an abstract socket outside the file system.
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

/// Lower limit of the time between two notifications.
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
