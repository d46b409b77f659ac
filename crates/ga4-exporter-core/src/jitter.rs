//! Spreads events in time without a random source: the same input gives the same offset.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

/// Maps a value to an offset in `0..1`, evenly spread over all values.
pub fn place(value: impl Hash) -> f64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    let bits = u32::try_from(hasher.finish() >> 32).expect("a u64 shifted by 32 bits fits a u32");
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}

/// Returns the pause before attempt number `failures + 1`: doubled with every failure up to `longest`, with up to a quarter of
/// jitter, so that polls which failed together are not repeated together.
pub fn back_off(first: Duration, longest: Duration, failures: u32, value: impl Hash) -> Duration {
    let doubled = first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(longest);
    doubled.mul_f64(0.75 + 0.25 * place((value, failures)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_stable_and_spread() {
        assert_eq!(place(17).to_bits(), place(17).to_bits());
        let upper_half = (0..1000).filter(|value| place(value) >= 0.5).count();
        assert!((400..600).contains(&upper_half), "{upper_half}");
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let (first, longest) = (Duration::from_secs(1), Duration::from_secs(300));
        for (failures, full) in [(1, 1), (2, 2), (5, 16), (9, 256), (10, 300), (1000, 300)] {
            let pause = back_off(first, longest, failures, "x");
            let full = Duration::from_secs(full);
            assert!(pause <= full && pause >= full.mul_f64(0.75), "{failures}: {pause:?}");
        }
    }
}
