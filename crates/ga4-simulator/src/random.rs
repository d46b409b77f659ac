//! Pseudo-random numbers that are a pure function of their seed, so that the same world always has the same traffic.

/// A stream of pseudo-random numbers (SplitMix64: small, fast, and good enough for traffic).
#[derive(Clone, Debug)]
pub(super) struct Random {
    state: u64,
}

impl Random {
    /// Creates the stream of `seed` and `key`, which stands for a property or an hour, for example.
    pub(super) fn new(seed: u64, key: u64) -> Self {
        Self { state: mix(seed, key) }
    }

    /// Returns the next 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        scramble(self.state)
    }

    /// Returns a number from 0 to 1, excluding 1.
    pub(super) fn unit(&mut self) -> f64 {
        real(self.bits() >> 11) / real(1 << 53)
    }

    /// Returns a number below `limit`; 0 if `limit` is 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.bits().checked_rem(limit).unwrap_or(0)
    }

    /// Draws from the standard normal distribution (Box-Muller).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Draws from the Poisson distribution; uses the normal approximation for a mean of 30 or more.
    pub(super) fn poisson(&mut self, mean: f64) -> u64 {
        if mean >= 30.0 {
            return whole(mean + mean.sqrt() * self.normal());
        }
        let floor = (-mean).exp();
        let mut product = self.unit();
        let mut count = 0;
        while product > floor {
            product *= self.unit();
            count += 1;
        }
        count
    }
}

/// Mixes two numbers into one.
pub(super) fn mix(a: u64, b: u64) -> u64 {
    scramble(scramble(a.wrapping_add(GOLDEN)) ^ b.wrapping_mul(GOLDEN))
}

/// Hashes a text, with the same result in every build (FNV-1a, then mixed).
pub(super) fn hash_text(text: &str) -> u64 {
    let fnv = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    scramble(fnv)
}

/// Returns a key for a time or another signed number.
pub(super) fn key(number: i64) -> u64 {
    number.cast_unsigned()
}

/// Returns the nearest whole number; 0 for negative numbers and NaN.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and counts here are far below 2^53"
)]
pub(super) fn whole(number: f64) -> u64 {
    number.round() as u64
}

/// Converts a count to a floating-point number.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts here are far below 2^53; beyond that a rounding error is harmless"
)]
pub(super) fn real(number: u64) -> f64 {
    number as f64
}

fn scramble(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// 2^64 divided by the golden ratio: the increment of SplitMix64.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poisson_has_the_mean_and_the_variance_that_it_should() {
        for mean in [0.2, 3.0, 100.0] {
            let mut random = Random::new(7, 7);
            let draws: Vec<f64> = (0..4000).map(|_| real(random.poisson(mean))).collect();
            let average = draws.iter().sum::<f64>() / 4000.0;
            let variance = draws.iter().map(|x| (x - average).powi(2)).sum::<f64>() / 4000.0;
            assert!((average / mean - 1.0).abs() < 0.1, "mean {average} for {mean}");
            assert!((variance / mean - 1.0).abs() < 0.1, "variance {variance} for {mean}");
        }
    }

    #[test]
    fn streams_depend_on_seed_and_key() {
        let first = |seed, key| Random::new(seed, key).bits();
        assert_eq!(first(1, 2), first(1, 2));
        assert_ne!(first(1, 2), first(2, 1));
        assert_ne!(first(1, 2), first(1, 3));
    }
}
