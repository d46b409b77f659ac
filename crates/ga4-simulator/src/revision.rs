//! What core reports say of a minute while its day is still revised: nothing yet, the truth, or twice the truth.
//!
//! Pure: a function of the minute, so that hours, days and rows of any report agree with each other at every instant.

/// How often a minute is counted at a time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Seen {
    /// Its visits are there.
    pub(super) once: bool,
    /// They are there once more, under other pages and places.
    pub(super) twice: bool,
}

/// Whether something that ends at this Unix second may still be revised.
pub(super) fn is_open(until: i64, now: i64) -> bool {
    now < until.saturating_add(REVISED_SECONDS)
}

/// How often the minute that begins at a Unix second is counted; `phase` is the minute's own random number.
pub(super) fn seen(phase: u64, begin: i64, now: i64) -> Seen {
    let age = now.saturating_sub(begin.saturating_add(60));
    // Whatever else is drawn from the phase looks at its other end.
    let delay = i64::try_from(phase >> 44).unwrap_or_default() % REVISED_SECONDS;
    match phase % 16 {
        0 => Seen { once: age >= delay, twice: false },
        1 => Seen { once: true, twice: age < delay },
        _ => Seen { once: true, twice: false },
    }
}

/// As long as Google takes events that come late.
const REVISED_SECONDS: i64 = 72 * 3600;

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::{site::Site, world::Property};

    const NOON: i64 = 1_800_014_400;

    const DAY: i64 = 86_400;

    fn site(pageviews_per_hour: f64) -> Site {
        let property = Property::new("313110001", "Shop").pageviews_per_hour(pageviews_per_hour).revised();
        Site::new(1, "100", property)
    }

    #[test]
    fn a_day_changes_for_72_hours_and_never_again() {
        let site = site(6000.0);
        let at = |hours: i64| site.counts_at(NOON - DAY, NOON, NOON + hours * 3600).pageviews;
        let seen: Vec<u64> = (0..=72).step_by(12).map(at).collect();
        assert!(seen.iter().zip(seen.iter().skip(1)).all(|(before, after)| before != after), "{seen:?}");
        assert!(seen.iter().zip(seen.iter().skip(1)).any(|(before, after)| before > after), "{seen:?}");
        let last = site.counts(NOON - DAY, NOON).pageviews;
        assert_eq!((at(72), at(73), at(1000)), (last, last, last));
    }

    #[test]
    fn parts_add_up_while_they_are_revised() {
        let site = site(600.0);
        let now = NOON + 5 * 3600;
        let whole = site.counts_at(NOON - DAY, NOON, now);
        let hours: u64 = (0..24)
            .map(|hour| NOON - DAY + hour * 3600)
            .map(|from| site.counts_at(from, from + 3600, now).pageviews)
            .sum();
        assert_eq!(hours, whole.pageviews);
        let segments: u64 = site.segments_at(NOON - DAY, NOON, now).iter().map(|counts| counts.pageviews).sum();
        assert_eq!(segments, whole.pageviews);
    }

    #[test]
    fn rows_vanish() {
        let site = site(20.0);
        let at = |hours: i64| site.segments_at(NOON - DAY, NOON, NOON + hours * 3600);
        let vanished = (0..72).step_by(6).any(|hours| {
            let (before, after) = (at(hours), at(72));
            before.iter().zip(after.iter()).any(|(before, after)| before.pageviews > 0 && after.pageviews == 0)
        });
        assert!(vanished);
    }

    #[test]
    fn a_property_that_is_not_revised_is_final_at_once() {
        let plain = Site::new(1, "100", Property::new("313110001", "Shop"));
        let now = Timestamp::from_second(NOON).unwrap().as_second();
        assert_eq!(plain.counts_at(NOON - DAY, NOON, now), plain.counts(NOON - DAY, NOON));
    }
}
