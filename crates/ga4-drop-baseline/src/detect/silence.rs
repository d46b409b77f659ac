//! Detects minutes that read zero because Google had no answer for them, although there were visitors.
//!
//! They can be recognized only afterwards: a short silence where much traffic was expected, directly followed by
//! about the usual traffic.

use crate::detect::minutes::as_number;

/// Returns the indices of the minutes in such a silence. `counts` are of consecutive minutes, oldest first, `None`
/// for minutes that were not seen; `expected` are their usual pageviews. An ongoing silence is not included, since it
/// may be an outage.
pub(super) fn unanswered(counts: &[Option<u64>], expected: &[f64]) -> Vec<usize> {
    let minutes = counts.iter().zip(expected).enumerate();
    let seen: Vec<Seen> =
        minutes.filter_map(|(place, (count, expected))| Seen::new(place, (*count)?, *expected)).collect();
    let mut unanswered = Vec::new();
    let mut silence: Vec<&Seen> = Vec::new();
    for (index, minute) in seen.iter().enumerate() {
        if minute.count == 0.0 {
            silence.push(minute);
            continue;
        }
        let after = seen.iter().skip(index).take(AFTER);
        let is_short = silence.len() + before(&unanswered, minute.place) <= LONGEST;
        if !silence.is_empty() && is_short && is_unlikely(&silence) && is_back(after) {
            unanswered.extend(silence.iter().map(|minute| minute.place));
        }
        silence.clear();
    }
    unanswered
}

/// Counts the unanswered minutes in the hour before `place`. A site that fails every few minutes must not be mistaken
/// for one with gaps in its figures.
fn before(unanswered: &[usize], place: usize) -> usize {
    unanswered.iter().filter(|other| place - **other <= HOUR).count()
}

/// A minute that was seen.
struct Seen {
    place: usize,
    count: f64,
    expected: f64,
}

impl Seen {
    fn new(place: usize, count: u64, expected: f64) -> Option<Self> {
        (expected > 0.0).then(|| Self { place, count: as_number(count), expected })
    }
}

fn is_unlikely(silence: &[&Seen]) -> bool {
    silence.iter().map(|minute| minute.expected).sum::<f64>() >= LEAST_EXPECTED
}

fn is_back<'a>(after: impl Iterator<Item = &'a Seen>) -> bool {
    let (count, expected) =
        after.fold((0.0, 0.0), |(count, expected), minute| (count + minute.count, expected + minute.expected));
    count >= BACK * expected
}

/// In minutes. A longer silence is an outage, and so are several that add up to more in an hour.
const LONGEST: usize = 7;

const HOUR: usize = 60;

/// In pageviews. With fewer expected ones, chance explains the silence.
const LEAST_EXPECTED: f64 = 15.0;

/// The number of minutes that show whether traffic is back, and the required fraction of the usual traffic.
const AFTER: usize = 10;

const BACK: f64 = 0.5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_that_fails_every_few_minutes_has_no_gaps_but_one() {
        let flapping: Vec<Option<u64>> = (0..120).map(|minute| Some(if minute % 11 < 5 { 0 } else { 10 })).collect();
        let unanswered = unanswered(&flapping, &[10.0; 120]);
        assert_eq!(unanswered, [0, 1, 2, 3, 4, 66, 67, 68, 69, 70], "one an hour");
    }
}
