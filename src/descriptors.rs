//! How many files and connections the process may have open, and how many of them are for Google.
//!
//! Systems give a process 1,024 at first and let it have more when it asks, for the sake of old programs that cannot count
//! further. Refuses to know who opens what.

use rlimit::Resource;
use tracing::{debug, warn};

/// Asks for as many as there may be, but no more than are ever needed; how many there are then.
pub fn raise_limit() -> u64 {
    let limit = Resource::NOFILE.get().map(|(soft, hard)| {
        let wanted = hard.min(MOST).max(soft);
        // Where that is not permitted, those that there are have to do.
        let set = if wanted > soft { Resource::NOFILE.set(wanted, hard) } else { Ok(()) };
        if set.is_ok() { wanted } else { soft }
    });
    match limit {
        Ok(limit) => {
            debug!(limit, "files and connections that may be open");
            limit
        }
        Err(error) => {
            warn!(%error, "cannot read RLIMIT_NOFILE, assuming {USUAL}");
            USUAL
        }
    }
}

/// How many of these may be connections to Google: clients of the server and files come first.
pub fn for_google(limit: u64) -> usize {
    usize::try_from(limit.saturating_sub(FOR_OTHERS)).unwrap_or(usize::MAX).max(LEAST)
}

/// Requests on their way for 10,000 properties while each takes seconds, and clients.
const MOST: u64 = 4_096;

/// What systems give at first.
const USUAL: u64 = 1_024;

/// The server's connections, and some files.
const FOR_OTHERS: u64 = 320;

/// So few are of little use, but fewer are of none.
const LEAST: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn google_has_what_clients_and_files_leave() {
        for (limit, expected) in [(0, 16), (320, 16), (336, 16), (1_024, 704), (4_096, 3_776)] {
            assert_eq!(for_google(limit), expected, "{limit}");
        }
    }

    #[test]
    fn the_limit_is_raised_once_and_never_lowered() {
        let raised = raise_limit();
        let (soft, hard) = Resource::NOFILE.get().unwrap();
        assert!(raised == soft && (soft >= MOST || soft == hard), "{raised} of {hard}");
        assert_eq!(raise_limit(), raised);
    }
}
