//! Numbers that look random and are a pure function of their seed: the same world has the same traffic every time.

/// A stream of pseudo-random numbers (SplitMix64: small, fast, and good enough for traffic).
#[derive(Clone, Debug)]
pub(super) struct Random {
    state: u64,
}

impl Random {
    /// The stream that belongs to `seed` and `key`, for instance a property and an hour.
    pub(super) fn new(seed: u64, key: u64) -> Self {
        Self { state: mix(seed, key) }
    }

    /// The next 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        scramble(self.state)
    }

    /// A number in 0..1, 1 excluded.
    pub(super) fn unit(&mut self) -> f64 {
        real(self.bits() >> 11) / real(1 << 53)
    }

    /// A number below `limit`; 0 when `limit` is 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.bits().checked_rem(limit).unwrap_or(0)
    }

    /// The standard normal distribution (Box-Muller).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// The Poisson distribution; its normal approximation from a mean of 30 on.
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

/// One well-mixed number out of two.
pub(super) fn mix(a: u64, b: u64) -> u64 {
    scramble(scramble(a.wrapping_add(GOLDEN)) ^ b.wrapping_mul(GOLDEN))
}

/// A number for a text, the same in every build (FNV-1a, then mixed).
pub(super) fn hash_text(text: &str) -> u64 {
    let fnv = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    scramble(fnv)
}

/// A key for an instant or another signed number.
pub(super) fn key(number: i64) -> u64 {
    number.cast_unsigned()
}

/// The nearest whole number; negative and NaN become 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and counts here are far below 2^53"
)]
pub(super) fn whole(number: f64) -> u64 {
    number.round() as u64
}

/// A count as a real number.
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
