//! Medians and quantiles.

/// Returns the median; for an even number of values, the mean of the two middle ones. `None` for no values.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    quantile(values, 0.5)
}

/// Returns the quantile `part`, interpolated linearly between the two nearest values.
pub(crate) fn quantile(values: impl IntoIterator<Item = f64>, part: f64) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    let place = part * number(values.len().checked_sub(1)?);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
    let below = place.floor() as usize;
    if below >= values.len() {
        return None;
    }
    // Only two values are needed, so the list does not have to be sorted.
    let (_, low, above) = values.select_nth_unstable_by(below, f64::total_cmp);
    let high = above.iter().copied().min_by(f64::total_cmp);
    Some(high.map_or(*low, |high| *low + (high - *low) * place.fract()))
}

/// Returns the median of sorted values.
pub(crate) fn median_of_sorted(sorted: &[f64]) -> Option<f64> {
    let place = 0.5 * number(sorted.len().checked_sub(1)?);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
    let below = place.floor() as usize;
    let (low, high) = (*sorted.get(below)?, sorted.get(below + 1).copied());
    Some(high.map_or(low, |high| low + (high - low) * place.fract()))
}

/// Returns the smallest value at which at least half of the weight is reached; `None` for no values.
pub(crate) fn weighted_median(values: &[f64], weights: &[f64]) -> Option<f64> {
    let mut pairs: Vec<(f64, f64)> = values.iter().copied().zip(weights.iter().copied()).collect();
    pairs.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let half = 0.5 * pairs.iter().map(|(_, weight)| weight).sum::<f64>();
    let mut reached = 0.0;
    pairs
        .into_iter()
        .find(|(_, weight)| {
            reached += weight;
            reached >= half
        })
        .map(|(value, _)| value)
}

/// Converts a count, which is far below 2^53.
pub(crate) fn number(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "see above")]
    let number = count as f64;
    number
}

/// The median of the square of a standard normal variable.
pub(crate) const MEDIAN_OF_CHI_SQUARE: f64 = 0.455;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_on_the_line_between_values() {
        for (values, part, expected) in [
            (vec![3.0, 1.0, 2.0], 0.5, Some(2.0)),
            (vec![4.0, 1.0], 0.5, Some(2.5)),
            (vec![10.0, 20.0, 30.0, 40.0], 0.95, Some(38.5)),
            (vec![7.0], 0.3, Some(7.0)),
            (vec![1.0, 2.0], 1.0, Some(2.0)),
            (vec![], 0.5, None),
        ] {
            assert_eq!(quantile(values.clone(), part), expected);
            if (part - 0.5).abs() < f64::EPSILON {
                let mut sorted = values;
                sorted.sort_unstable_by(f64::total_cmp);
                assert_eq!(median_of_sorted(&sorted), expected);
            }
        }
    }

    #[test]
    fn weights_move_the_median() {
        assert_eq!(weighted_median(&[1.0, 2.0, 3.0], &[1.0, 1.0, 1.0]), Some(2.0));
        assert_eq!(weighted_median(&[3.0, 1.0, 2.0], &[5.0, 1.0, 1.0]), Some(3.0));
        assert_eq!(weighted_median(&[1.0, 2.0], &[1.0, 1.0]), Some(1.0), "half is enough");
        assert_eq!(weighted_median(&[], &[]), None);
    }
}
