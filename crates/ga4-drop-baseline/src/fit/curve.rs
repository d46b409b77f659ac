//! The course of traffic within an hour: a curve that keeps the sum of the hour and is nowhere negative.
//!
//! The counts since any earlier time are a monotone cubic between the ends of hours (Fritsch and Carlson, SIAM Journal
//! on Numerical Analysis 17, 1980); their slope is the rate. Straight lines between the middles of hours do not keep
//! the sums: in the real minutes of a morning they were up to 40% too high.

/// One hour. Pageviews, with time as a fraction of the hour.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Curve {
    /// The rate at the start of the hour.
    start: f64,
    /// The sum of the hour.
    sum: f64,
    /// The rate at the end of the hour.
    end: f64,
}

impl Curve {
    /// Returns the curve of the middle one of three hours with these sums.
    pub(super) fn new(before: f64, sum: f64, after: f64) -> Self {
        Self { start: between(before, sum), sum, end: between(sum, after) }
    }

    /// Returns the pageviews from the start of the hour to this fraction of it.
    pub(super) fn until(&self, passed: f64) -> f64 {
        let (squared, cubed) = (passed.powi(2), passed.powi(3));
        self.start * (passed - 2.0 * squared + cubed)
            + self.sum * (3.0 * squared - 2.0 * cubed)
            + self.end * (cubed - squared)
    }
}

/// Returns the rate at the end of one hour and the start of the next. It is at most three times the sum of either hour;
/// with a higher one the curve could be negative.
fn between(one: f64, next: f64) -> f64 {
    f64::midpoint(one, next).min(STEEPEST * one.min(next))
}

const STEEPEST: f64 = 3.0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_hour_like_those_beside_it_is_even() {
        let curve = Curve::new(60.0, 60.0, 60.0);
        for passed in [0.0, 0.25, 0.5, 1.0] {
            assert!((curve.until(passed) - 60.0 * passed).abs() < 1e-9);
        }
    }

    #[test]
    fn beside_an_empty_hour_traffic_begins_at_nothing() {
        let curve = Curve::new(0.0, 60.0, 90.0);
        assert!(curve.until(0.1) < 2.0 && curve.until(0.5) < 30.0, "{curve:?}");
        assert!(Curve::new(60.0, 0.0, 60.0).until(0.5).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn the_sum_is_kept_and_no_minute_is_negative(
            before in 0.0..1e6_f64, sum in prop_oneof![Just(0.0), 0.0..10.0_f64, 0.0..1e6_f64], after in 0.0..1e6_f64,
        ) {
            let curve = Curve::new(before, sum, after);
            prop_assert!(curve.until(0.0).abs() < 1e-9 && (curve.until(1.0) - sum).abs() <= 1e-9 * sum);
            for minute in 0..60 {
                let part = curve.until(f64::from(minute + 1) / 60.0) - curve.until(f64::from(minute) / 60.0);
                prop_assert!(part >= -1e-9 * sum.max(1.0), "{part} in minute {minute}");
            }
        }
    }
}
