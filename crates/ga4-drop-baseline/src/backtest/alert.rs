//! The states of an alert, as Prometheus defines them.

use crate::Minute;

/// An alert that is evaluated once a minute.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Alert {
    state: State,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum State {
    #[default]
    Inactive,
    Pending {
        since: Minute,
    },
    Firing {
        /// The time since which the condition no longer holds; `None` while it holds.
        over_since: Option<Minute>,
    },
}

impl Alert {
    /// Evaluates the alert; `holds` is the value of the condition.
    pub fn evaluate(&mut self, now: Minute, holds: bool) {
        self.state = match self.state {
            State::Inactive | State::Pending { .. } if !holds => State::Inactive,
            State::Inactive => State::Pending { since: now },
            State::Pending { since } if since.until(now) >= FOR => State::Firing { over_since: None },
            State::Pending { since } => State::Pending { since },
            State::Firing { .. } if holds => State::Firing { over_since: None },
            State::Firing { over_since } => {
                let since = over_since.unwrap_or(now);
                if since.until(now) < KEEP_FIRING_FOR {
                    State::Firing { over_since: Some(since) }
                } else {
                    State::Inactive
                }
            }
        };
    }

    /// Returns whether the alert is firing.
    pub fn is_firing(self) -> bool {
        matches!(self.state, State::Firing { .. })
    }

    /// Returns whether the alert is neither pending nor firing.
    pub fn is_inactive(self) -> bool {
        self.state == State::Inactive
    }
}

/// `for` of the alert, in minutes.
pub const FOR: i64 = 6;

/// `keep_firing_for` of the alert, in minutes.
pub const KEEP_FIRING_FOR: i64 = 15;

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns when the alert fires if the condition holds in the minutes marked `x`.
    fn fires(condition: &str) -> String {
        let start = Minute::of(jiff::Timestamp::UNIX_EPOCH);
        let mut alert = Alert::default();
        let mut evaluate = |(minute, symbol)| {
            alert.evaluate(start.later(minute), symbol == 'x');
            if alert.is_firing() { 'F' } else { '.' }
        };
        (0..).zip(condition.chars()).map(&mut evaluate).collect()
    }

    #[test]
    fn six_minutes_must_pass_before_it_pages() {
        assert_eq!(fires("..xxxxxx..xxxxxxx"), "................F");
    }

    #[test]
    fn it_is_over_when_the_condition_has_not_held_for_a_quarter_of_an_hour() {
        assert_eq!(fires("xxxxxxx................."), "......FFFFFFFFFFFFFFFF..");
    }

    #[test]
    fn a_gap_within_an_outage_is_no_second_page() {
        assert_eq!(fires("xxxxxxx...............x................"), "......FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF.");
    }
}
