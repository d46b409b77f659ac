//! The cost of polling a report, learned from its past polls.

/// In tokens, all requests of a poll together. Google reports the cost of a request only in its answer, and it depends on the
/// property (developers.google.com/analytics/devguides/reporting/data/v1/quotas).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// A moving average and a recent maximum; `None` before the first answer.
    learnt: Option<(f64, u32)>,
}

impl Cost {
    /// Enters the cost of a poll, in tokens.
    pub fn learn(&mut self, tokens: u32) {
        let seen = f64::from(tokens);
        self.learnt = Some(match self.learnt {
            Some((average, largest)) => {
                (average + WEIGHT * (seen - average), tokens.max(largest - largest.div_ceil(FADING)))
            }
            None => (seen, tokens),
        });
    }

    /// The average cost of a poll with this many requests.
    pub fn average(self, requests: u32) -> f64 {
        self.learnt.map_or_else(|| f64::from(requests * ASSUMED), |(average, _)| average)
    }

    /// The highest likely cost.
    pub fn largest(self, requests: u32) -> u32 {
        self.learnt.map_or(requests * ASSUMED, |(_, largest)| largest)
    }
}

/// The assumed cost of a request before it is known: "most requests" cost no more.
pub const ASSUMED: u32 = 10;

/// The recent maximum shrinks by one part in this many with every poll.
const FADING: u32 = 20;

/// The weight of one poll in the average.
const WEIGHT: f64 = 0.1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_assumed_and_then_learnt() {
        let mut cost = Cost::default();
        assert_eq!((cost.average(2).to_bits(), cost.largest(2)), (20.0_f64.to_bits(), 20));
        cost.learn(3);
        assert_eq!((cost.average(2).to_bits(), cost.largest(2)), (3.0_f64.to_bits(), 3));
        cost.learn(13);
        assert!((cost.average(2) - 4.0).abs() < 1e-9);
        assert_eq!(cost.largest(2), 13);
        cost.learn(3);
        assert_eq!(cost.largest(2), 12, "what it has cost once it may cost again");
        for _ in 0..200 {
            cost.learn(3);
        }
        assert!((cost.average(2) - 3.0).abs() < 1e-6);
        assert_eq!(cost.largest(2), 3, "what it has cost long ago says nothing");
    }
}
