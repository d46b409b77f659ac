//! One line in the log instead of one for each property, when all fail for one reason that is not theirs.

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;

use crate::names::Reason;

/// What may befall all properties at once, and is told once a minute.
#[derive(Debug, Default)]
pub(super) struct Rarely(Option<Last>);

impl Rarely {
    /// Whether this one is to be told; if so, how many like it were not since the last one.
    pub(super) fn tell(&mut self, now: Timestamp) -> Option<u64> {
        match &mut self.0 {
            Some(last) => last.tell(now),
            none => {
                *none = Some(Last { at: now, untold: 0 });
                Some(0)
            }
        }
    }
}

/// What was told last of each reason.
#[derive(Debug, Default)]
pub(super) struct Complaints(HashMap<Reason, Last>);

#[derive(Debug)]
struct Last {
    at: Timestamp,
    /// How many were not told since then.
    untold: u64,
}

impl Complaints {
    /// Whether this one is to be told; if so, how many like it were not since the last one.
    pub(super) fn tell(&mut self, reason: Reason, now: Timestamp) -> Option<u64> {
        if !is_everybodys(reason) {
            return Some(0);
        }
        let Some(last) = self.0.get_mut(&reason) else {
            self.0.insert(reason, Last { at: now, untold: 0 });
            return Some(0);
        };
        last.tell(now)
    }
}

impl Last {
    fn tell(&mut self, now: Timestamp) -> Option<u64> {
        if now.duration_since(self.at).unsigned_abs() < PAUSE {
            self.untold += 1;
            return None;
        }
        self.at = now;
        Some(std::mem::take(&mut self.untold))
    }
}

/// Reasons that lie with Google, the network or the account, and that befall many properties at once.
fn is_everybodys(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Timeout
            | Reason::Connection
            | Reason::ServerError
            | Reason::RateLimit
            | Reason::Unauthenticated
            | Reason::CloudProject
            | Reason::Perimeter
    )
}

/// From one line on a reason to the next.
const PAUSE: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn everybodys_trouble_is_told_once_a_minute_with_a_count() {
        let mut complaints = Complaints::default();
        let after = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        assert_eq!(complaints.tell(Reason::Timeout, after(0)), Some(0));
        assert_eq!(complaints.tell(Reason::Timeout, after(1)), None);
        assert_eq!(complaints.tell(Reason::Timeout, after(59)), None);
        assert_eq!(complaints.tell(Reason::Connection, after(59)), Some(0));
        assert_eq!(complaints.tell(Reason::Timeout, after(60)), Some(2));
    }

    #[test]
    fn a_propertys_own_trouble_is_always_told() {
        let mut complaints = Complaints::default();
        for _ in 0..3 {
            assert_eq!(complaints.tell(Reason::NoAccess, Timestamp::UNIX_EPOCH), Some(0));
        }
    }
}
