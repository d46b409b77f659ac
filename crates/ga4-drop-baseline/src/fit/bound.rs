//! Computes the lower bound of a count, which allows for chance and for the usual error of the expectation.

use statrs::function::beta::checked_beta_reg;

/// Parameters that decide when a count is too low.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Test {
    /// The probability that chance alone gives a lower count.
    pub alpha: f64,
    /// The highest bound, as a fraction of the expectation, so that only drops worth a page are reported.
    pub rho: f64,
}

/// Returns the bound of a count with the expectation `expected`: the `alpha`-quantile of a negative binomial
/// distribution, or `rho` times the expectation if that is lower. The variance is the sum of that of clustered
/// pageviews, `dispersion` times the expectation, and that of an expectation with the relative error `error`.
///
/// If the bound is 0, no count can be below it: the traffic is too low to detect a drop.
pub fn lower_bound(expected: f64, dispersion: f64, error: f64, test: Test) -> f64 {
    // This also rejects NaN.
    if !(expected > 0.0 && expected.is_finite()) {
        return 0.0;
    }
    let variance = (dispersion * expected + (error * expected).powi(2)).max(LEAST_DISPERSION * expected);
    let success = expected / variance;
    let size = (expected * success / (1.0 - success)).max(LEAST_SIZE);
    let most = test.rho * expected;
    quantile(size, success, test.alpha, most).map_or(most, |quantile| quantile.min(most))
}

/// Returns the smallest count whose cumulative probability reaches `alpha`, or `None` if it is above `most`, which
/// one evaluation shows.
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

/// With a lower dispersion, the distribution is not negative binomial.
const LEAST_DISPERSION: f64 = 1.05;

const LEAST_SIZE: f64 = 1e-6;

/// Enough steps to find any count below 2^64.
const MOST_STEPS: usize = 64;
