//! Stores samples in a few bytes each: they are ten minutes apart, so that one time is enough for all of them.

use std::collections::VecDeque;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{KEPT, Sample};
use crate::detect::minutes::Minute;

#[derive(Deserialize, Serialize)]
struct Packed {
    /// The time of the first sample.
    first: Option<Minute>,
    /// One ratio for every ten minutes since then; negative if the calibration does not use it, `null` if it is missing.
    ratios: Vec<Option<f32>>,
}

pub(super) fn serialize<S: Serializer>(samples: &VecDeque<Sample>, serializer: S) -> Result<S::Ok, S::Error> {
    let first = samples.front().map(|sample| sample.at);
    let mut ratios = Vec::with_capacity(samples.len());
    for sample in samples {
        let place = first.map_or(0, |first| first.until(sample.at) / EVERY);
        ratios.resize(usize::try_from(place).unwrap_or_default().min(MOST), None);
        ratios.push(Some(if sample.teaches { sample.ratio } else { -sample.ratio }));
    }
    Packed { first, ratios }.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<VecDeque<Sample>, D::Error> {
    let Packed { first, ratios } = Packed::deserialize(deserializer)?;
    let Some(first) = first else { return Ok(VecDeque::new()) };
    let sample = |(place, ratio): (i64, Option<f32>)| {
        let ratio = ratio?;
        Some(Sample { at: first.later(place * EVERY), ratio: ratio.abs(), teaches: ratio.is_sign_positive() })
    };
    Ok((0..).zip(ratios).filter_map(sample).take(KEPT).collect())
}

/// In minutes.
const EVERY: i64 = 10;

/// Samples cover less than two days.
const MOST: usize = 288;

#[cfg(test)]
mod tests {
    use super::super::Calibration;
    use super::*;

    #[test]
    fn samples_survive_gaps_signs_and_zeros() {
        let mut calibration = Calibration::default();
        let at = |after: i64| Minute::of(jiff::Timestamp::from_second(1_764_000_000).unwrap()).later(after);
        for (after, ratio, teaches) in [(0, 0.931_234_5, true), (10, 0.0, false), (60, 0.0, true), (70, 1.25, false)] {
            calibration.add(Sample { at: at(after), ratio, teaches });
        }
        let text = serde_json::to_string(&calibration).unwrap();
        assert!(text.contains("null,null"), "{text}");
        assert_eq!(serde_json::from_str::<Calibration>(&text).unwrap(), calibration);
        let none = serde_json::to_string(&Calibration::default()).unwrap();
        assert_eq!(serde_json::from_str::<Calibration>(&none).unwrap(), Calibration::default());
    }
}
