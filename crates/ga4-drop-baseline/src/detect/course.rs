//! The last hours for a chart: counts and usual traffic in slices of ten minutes.

use crate::detect::{minutes::as_number, windows::Recent};

/// Ten minutes of a property. Counts are pageviews.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slice {
    /// The count, extrapolated to ten minutes if some of them were not seen; `None` if none was seen.
    pub pageviews: Option<f32>,
    /// The usual count.
    pub expected: f32,
}

/// Returns the slices of these minutes, oldest first; the last one ends with the newest minute.
pub fn course(recent: &Recent<'_>) -> Box<[Slice]> {
    let minutes: Vec<(Option<u64>, f64)> = recent.minutes().collect();
    minutes.chunks_exact(MINUTES).map(Slice::of).collect()
}

impl Slice {
    fn of(minutes: &[(Option<u64>, f64)]) -> Self {
        let seen = minutes.iter().filter_map(|(count, _)| *count).map(as_number);
        let (many, sum) = seen.fold((0.0, 0.0), |(many, sum), count| (many + 1.0, sum + count));
        let whole = if many > 0.0 { Some(small(sum * LENGTH / many)) } else { None };
        Self { pageviews: whole, expected: small(minutes.iter().map(|(_, expected)| expected).sum()) }
    }
}

/// A line on a screen does not need more than six digits.
#[expect(clippy::cast_possible_truncation, reason = "see above")]
fn small(value: f64) -> f32 {
    value as f32
}

const MINUTES: usize = 10;

const LENGTH: f64 = 10.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_seen_is_made_up_for_or_missing() {
        let minutes = |seen: usize| -> Vec<_> { (0..10).map(|at| ((at < seen).then_some(3), 2.0)).collect() };
        assert_eq!(Slice::of(&minutes(10)), Slice { pageviews: Some(30.0), expected: 20.0 });
        assert_eq!(Slice::of(&minutes(4)), Slice { pageviews: Some(30.0), expected: 20.0 });
        assert_eq!(Slice::of(&minutes(0)), Slice { pageviews: None, expected: 20.0 });
    }
}
