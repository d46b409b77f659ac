//! Whether this machine's clock agrees with Google's, by the `Date` of its answers.
//!
//! Pure. Knows how often and by how much the clocks must differ before this one counts as wrong: a server of Google's
//! or a proxy may have a wrong `Date` too, so it takes three answers in a row over two connections. Refuses to know
//! HTTP, and what follows from a wrong clock. Invariant: one answer that agrees makes the clock right again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The time of an answer according to Google, and according to this machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DatedAnswer {
    /// `Date`: a whole second, which had begun (RFC 9110 §6.6.1). Answers with an `Age` come from a cache, and are not dated.
    pub date: Timestamp,
    /// When the request was sent, on this machine's clock.
    pub sent_at: Timestamp,
    /// When the answer arrived, on the same clock.
    pub received_at: Timestamp,
}

/// Identifies a connection: the host, and the local address if it is known.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Connection(pub String);

/// What the last answers say about the clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClockOffset {
    /// How far this clock was ahead of Google's at the last answer.
    last: Option<SignedDuration>,
    /// The answers in a row that disagree in one direction.
    row: Row,
    is_wrong: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Row {
    is_ahead: bool,
    length: u32,
    /// Their connections; at most [`LEAST_CONNECTIONS`].
    connections: Vec<Connection>,
}

impl ClockOffset {
    /// Adds an answer. Which connection it came over matters only if it disagrees with the clock.
    pub fn on_answer(&mut self, answer: DatedAnswer, connection: impl FnOnce() -> Connection) {
        let offset = answer.offset();
        self.last = Some(offset);
        if offset.unsigned_abs() <= TOLERANCE {
            self.row = Row::default();
            self.is_wrong = false;
            return;
        }
        self.row.add(offset.is_positive(), connection());
        self.is_wrong |= self.row.length >= LEAST_ANSWERS && self.row.connections.len() >= LEAST_CONNECTIONS;
    }

    /// How far this machine's clock is ahead of Google's; negative if it is behind, and 0 if the clocks may agree.
    /// `None` before the first answer.
    pub fn ahead(&self) -> Option<SignedDuration> {
        self.last
    }

    /// Whether the clock is wrong, so that its dates cannot be used.
    pub fn is_wrong(&self) -> bool {
        self.is_wrong
    }

    /// Whether the last answer agreed with the clock, or there was none.
    pub fn is_trusted(&self) -> bool {
        self.row.length == 0 && !self.is_wrong
    }

    /// Whether the last answers disagree with the clock, but are too few to call it wrong.
    pub fn is_in_doubt(&self) -> bool {
        self.row.length > 0 && !self.is_wrong
    }

    /// Whether the decision needs an answer over another connection.
    pub fn wants_another_connection(&self) -> bool {
        self.is_in_doubt() && self.row.connections.len() < LEAST_CONNECTIONS
    }
}

impl DatedAnswer {
    /// How far this clock is ahead of Google's. The answer was made between sending the request and its arrival, so a slow one
    /// proves less; 0 if the clocks may agree.
    fn offset(&self) -> SignedDuration {
        let second = SignedDuration::from_secs(1);
        // The clock may have been set meanwhile.
        let (first, last) = (self.sent_at.min(self.received_at), self.sent_at.max(self.received_at));
        let least = first.duration_since(self.date) - second;
        let most = last.duration_since(self.date);
        if least.is_positive() {
            least
        } else if most.is_negative() {
            most
        } else {
            SignedDuration::ZERO
        }
    }
}

impl Row {
    fn add(&mut self, is_ahead: bool, connection: Connection) {
        if self.is_ahead != is_ahead {
            *self = Self { is_ahead, ..Self::default() };
        }
        self.length = self.length.saturating_add(1);
        if self.connections.len() < LEAST_CONNECTIONS && !self.connections.contains(&connection) {
            self.connections.push(connection);
        }
    }
}

/// Smaller differences are tolerated: an answer this close to midnight is polled again.
const TOLERANCE: Duration = Duration::from_mins(1);

const LEAST_ANSWERS: u32 = 3;

const LEAST_CONNECTIONS: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + seconds).unwrap()
    }

    /// The connection with this port.
    fn connection(port: u16) -> Connection {
        Connection(format!("analyticsdata.googleapis.com from 192.0.2.1:{port}"))
    }

    /// An answer that took a second, while the clock is this many seconds ahead.
    fn answer(ahead: i64) -> DatedAnswer {
        DatedAnswer { date: at(0), sent_at: at(ahead), received_at: at(ahead + 1) }
    }

    fn after(answers: &[(u16, i64)]) -> ClockOffset {
        let mut offset = ClockOffset::default();
        answers.iter().for_each(|(port, ahead)| offset.on_answer(answer(*ahead), || connection(*port)));
        offset
    }

    #[test]
    fn three_answers_in_a_row_over_two_connections_make_a_clock_wrong() {
        for day in [86_400, -86_400] {
            for (answers, is_wrong) in [
                (&[(1, day), (2, day)][..], false),
                (&[(1, day), (1, day), (1, day), (1, day)], false),
                (&[(1, day), (1, day), (2, day)], true),
                (&[(1, day), (2, day), (1, day)], true),
                (&[(1, day), (2, day), (3, 0), (1, day), (2, day)], false),
                (&[(1, day), (2, day), (1, -day), (2, day)], false),
                (&[(1, day), (2, day), (1, day), (2, -day)], true),
            ] {
                let offset = after(answers);
                assert_eq!((offset.is_wrong(), offset.is_in_doubt()), (is_wrong, !is_wrong), "{answers:?}");
            }
        }
    }

    #[test]
    fn one_answer_that_agrees_makes_it_right_again() {
        let mut offset = after(&[(1, 86_400), (2, 86_400), (1, 86_400)]);
        assert!(offset.is_wrong());
        offset.on_answer(answer(0), || connection(1));
        assert!(!offset.is_wrong() && !offset.is_in_doubt());
        assert_eq!(offset.ahead(), Some(SignedDuration::ZERO));
    }

    #[test]
    fn a_minute_is_no_error() {
        for (ahead, is_doubtful) in
            [(0, false), (60, false), (61, false), (62, true), (-60, false), (-61, false), (-62, true)]
        {
            assert_eq!(after(&[(1, ahead)]).is_in_doubt(), is_doubtful, "{ahead}");
        }
    }

    #[test]
    fn the_offset_is_what_the_answer_proves() {
        for (ahead, proven) in [(86_400, 86_399), (1, 0), (0, 0), (-1, 0), (-3, -2), (-86_400, -86_399)] {
            assert_eq!(after(&[(1, ahead)]).ahead(), Some(SignedDuration::from_secs(proven)), "{ahead}");
        }
        let slow = DatedAnswer { sent_at: at(-200), received_at: at(200), ..answer(0) };
        let set_back = DatedAnswer { sent_at: at(200), received_at: at(-200), ..answer(0) };
        for unproven in [slow, set_back] {
            let mut offset = ClockOffset::default();
            offset.on_answer(unproven, || connection(1));
            assert_eq!(offset.ahead(), Some(SignedDuration::ZERO), "{unproven:?}");
        }
    }

    #[test]
    fn another_connection_is_wanted_while_all_came_over_one() {
        assert!(!after(&[]).wants_another_connection());
        assert!(after(&[(1, 100), (1, 100)]).wants_another_connection());
        assert!(!after(&[(1, 100), (2, 100)]).wants_another_connection());
        assert!(!after(&[(1, 100), (1, 0)]).wants_another_connection());
    }
}
