//! Logs one line instead of one per property when many fail for a reason they share.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;

use crate::names::Reason;

/// Limits lines on events that may hit all properties at once: one per minute.
#[derive(Debug, Default)]
pub(super) struct Repeats(Option<Last>);

impl Repeats {
    /// Returns whether to log this line, and if so how many like it were suppressed since the last one.
    pub(super) fn line(&mut self, now: Timestamp) -> Option<u64> {
        match &mut self.0 {
            Some(last) => last.line(now),
            none => {
                *none = Some(Last { at: now, left_out: 0 });
                Some(0)
            }
        }
    }
}

/// The same limit for each reason.
#[derive(Debug, Default)]
pub(super) struct RepeatsByReason(HashMap<Reason, Last>);

#[derive(Debug)]
struct Last {
    at: Timestamp,
    /// Lines suppressed since then.
    left_out: u64,
}

impl RepeatsByReason {
    /// Returns whether to log this line, and if so how many like it were suppressed since the last one.
    pub(super) fn line(&mut self, reason: Reason, now: Timestamp) -> Option<u64> {
        if !is_everybodys(reason) {
            return Some(0);
        }
        let Some(last) = self.0.get_mut(&reason) else {
            self.0.insert(reason, Last { at: now, left_out: 0 });
            return Some(0);
        };
        last.line(now)
    }
}

impl Last {
    fn line(&mut self, now: Timestamp) -> Option<u64> {
        if now.duration_since(self.at).unsigned_abs() < PAUSE {
            self.left_out += 1;
            return None;
        }
        self.at = now;
        Some(std::mem::take(&mut self.left_out))
    }
}

/// Reasons that concern Google, the network or the account, so that many properties fail at once.
fn is_everybodys(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Timeout
            | Reason::Connection
            | Reason::ServerError
            | Reason::RateLimit
            | Reason::Clock
            | Reason::Unauthenticated
            | Reason::ApiDisabled
            | Reason::InsufficientScope
            | Reason::CloudProject
            | Reason::Perimeter
    )
}

/// Time between two lines on the same reason.
const PAUSE: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn everybodys_trouble_is_logged_once_a_minute_with_a_count() {
        let mut repeats = RepeatsByReason::default();
        let after = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        assert_eq!(repeats.line(Reason::Timeout, after(0)), Some(0));
        assert_eq!(repeats.line(Reason::Timeout, after(1)), None);
        assert_eq!(repeats.line(Reason::Timeout, after(59)), None);
        assert_eq!(repeats.line(Reason::Connection, after(59)), Some(0));
        assert_eq!(repeats.line(Reason::Timeout, after(60)), Some(2));
    }

    #[test]
    fn a_propertys_own_trouble_is_always_logged() {
        let mut repeats = RepeatsByReason::default();
        for _ in 0..3 {
            assert_eq!(repeats.line(Reason::NoAccess, Timestamp::UNIX_EPOCH), Some(0));
        }
    }
}
