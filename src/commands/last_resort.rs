//! The end of the process where nothing else ends it: at the second signal, or some time after the first.
//!
//! It has a thread of its own and waits for nobody: not for the runtime, a disk, a client, or whoever reads the log.

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

/// Ends the process with exit code 1 when a stop takes too long or is asked for twice. `log` gets a last line.
///
/// # Errors
/// The system can deliver no signals, or start no thread.
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

/// Waits until it is time; why it is.
fn wait(mut signals: UnixStream, longest: Duration) -> &'static str {
    next(&mut signals);
    // Without the deadline there is still the second signal.
    let _ = signals.set_read_timeout(Some(longest));
    if next(&mut signals) { "by a second signal" } else { "since it took too long" }
}

/// Whether a signal has come; false after the deadline.
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

/// From the first signal on.
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
