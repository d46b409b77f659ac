//! The lower bound of a count: what chance and the usual error of an expectation do not fall below.

use statrs::function::beta::checked_beta_reg;

/// When a count is too low.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Test {
    /// How rarely chance may bring a lower count.
    pub alpha: f64,
    /// The part of the expectation that it must fall below in any case, so that only what is worth a page pages.
    pub rho: f64,
}

/// The bound of a count that is expected to be `expected`: the `alpha`-quantile of a negative binomial distribution, or
/// `rho` times the expectation if that is lower. The variance is that of clumped pageviews, `dispersion` times the
/// expectation, and of an expectation that may be wrong by the part `error`.
///
/// Where the bound is 0 no count can be below it: that is the least traffic that a drop can be seen in.
pub fn lower_bound(expected: f64, dispersion: f64, error: f64, test: Test) -> f64 {
    // Also what is not a number.
    if !(expected > 0.0 && expected.is_finite()) {
        return 0.0;
    }
    let variance = (dispersion * expected + (error * expected).powi(2)).max(LEAST_DISPERSION * expected);
    let success = expected / variance;
    let size = (expected * success / (1.0 - success)).max(LEAST_SIZE);
    let most = test.rho * expected;
    quantile(size, success, test.alpha, most).map_or(most, |quantile| quantile.min(most))
}

/// The smallest count whose cumulative probability reaches `alpha`; `None` when it is above `most`, which one look tells.
fn quantile(size: f64, success: f64, alpha: f64, most: f64) -> Option<f64> {
    // P(count <= k) = I_success(size, k + 1), the regularised incomplete beta function (DLMF 8.17).
    let reaches = |count: f64| checked_beta_reg(size, count + 1.0, success).is_ok_and(|part| part >= alpha);
    if reaches(0.0) {
        return Some(0.0);
    }
    let (mut below, mut above) = (0.0_f64, most.floor());
    if !reaches(above) {
        return None;
    }
    for _ in 0..MOST_STEPS {
        if above - below <= 1.0 {
            break;
        }
        let middle = (below + (above - below) / 2.0).floor();
        if reaches(middle) {
            above = middle;
        } else {
            below = middle;
        }
    }
    Some(above)
}

/// A distribution narrower than this is not a negative binomial one.
const LEAST_DISPERSION: f64 = 1.05;

const LEAST_SIZE: f64 = 1e-6;

/// Enough to find any count below 2^64.
const MOST_STEPS: usize = 64;
