//! Ends the process if nothing else does: at the second signal, or some time after the first.
//!
//! Runs on its own thread and waits for nothing: not for the runtime, a disk, a client or the reader of the log.

use std::{
    io::{self, Read},
    os::unix::net::UnixStream,
    thread,
    time::Duration,
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    low_level::pipe,
};
use tracing::error;

use crate::telemetry::Lines;

/// Ends the process with exit code 1 if stopping takes too long or a second signal arrives. `log` receives a last line.
///
/// # Errors
/// Signal handlers cannot be installed, or no thread can be started.
pub(super) fn arm(log: Lines) -> io::Result<()> {
    let (signals, sender) = UnixStream::pair()?;
    pipe::register(SIGTERM, sender.try_clone()?)?;
    pipe::register(SIGINT, sender)?;
    thread::Builder::new().name("last resort".to_owned()).spawn(move || {
        let why = wait(signals, LONGEST_STOP);
        error!("stopping was cut off {why}; states may not be saved");
        log.flush(LONGEST_FLUSH);
        exit();
    })?;
    Ok(())
}

/// Waits until the process must end; returns the reason.
fn wait(mut signals: UnixStream, longest: Duration) -> &'static str {
    next(&mut signals);
    // If setting the deadline fails, the second signal still works.
    let _ = signals.set_read_timeout(Some(longest));
    if next(&mut signals) { "by a second signal" } else { "since it took too long" }
}

/// Waits for a signal; returns false after the deadline.
fn next(signals: &mut UnixStream) -> bool {
    loop {
        match signals.read(&mut [0]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.is_ok(),
        }
    }
}

#[expect(clippy::disallowed_methods, clippy::exit, reason = "whoever could return to `main` may hang")]
fn exit() {
    std::process::exit(1);
}

/// Measured from the first signal.
const LONGEST_STOP: Duration = Duration::from_secs(10);

const LONGEST_FLUSH: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_second_signal_and_the_deadline_end_it() {
        let (signals, mut sender) = UnixStream::pair().unwrap();
        sender.write_all(b"XX").unwrap();
        assert_eq!(wait(signals, Duration::from_secs(60)), "by a second signal");
        let (signals, mut sender) = UnixStream::pair().unwrap();
        sender.write_all(b"X").unwrap();
        assert_eq!(wait(signals, Duration::from_millis(1)), "since it took too long");
    }
}
