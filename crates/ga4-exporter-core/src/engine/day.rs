//! Which day a dated answer belongs to, and whether that is certain.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use ga4_drop_baseline::calendar::Zone;

/// The day of an answer.
#[derive(Debug, PartialEq)]
pub(super) enum Day {
    /// It is today's, and that ends then.
    Known { zone: Zone, ends: Timestamp },
    /// No answer has named a zone.
    Unknown,
    /// Midnight was too near: the answer may be of the day before it or after it.
    Turned { zone: Zone, midnight: Timestamp },
    /// The property has another zone than the one that it was asked for in, and other days.
    Moved { zone: Zone },
}

/// The day of an answer that was asked for in the zone `asked`, where one was known, and that named the zone `named`.
pub(super) fn day_of(asked: Option<&Zone>, named: Option<Zone>, sent_at: Timestamp, received_at: Timestamp) -> Day {
    let Some(zone) = named.or_else(|| asked.cloned()) else { return Day::Unknown };
    let ends = zone.next_midnight(sent_at);
    let same_days = |asked: &Zone| asked.date(sent_at) == zone.date(sent_at) && asked.next_midnight(sent_at) == ends;
    if asked.is_some_and(|asked| !same_days(asked)) {
        return Day::Moved { zone };
    }
    if received_at >= ends {
        return Day::Turned { midnight: ends, zone };
    }
    // Without dates in the request, Google's own today decides, and its clock may be a little behind.
    let shortly_before = sent_at.saturating_sub(SignedDuration::try_from(CLOCKS_DIFFER).unwrap_or_default());
    let midnight = shortly_before.map_or(Timestamp::MAX, |before| zone.next_midnight(before));
    if asked.is_none() && midnight <= sent_at {
        return Day::Turned { midnight, zone };
    }
    Day::Known { zone, ends }
}

/// By how much Google's clock and this machine's may differ.
const CLOCKS_DIFFER: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        Zone::named(name).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn check(asked: Option<&str>, named: Option<&str>, sent_at: &str, received_at: &str) -> Day {
        let asked = asked.map(zone);
        day_of(asked.as_ref(), named.map(zone), at(sent_at), at(received_at))
    }

    #[test]
    fn an_answer_within_a_day_is_of_that_day() {
        let ends = at("2026-11-23T23:00:00Z");
        for asked in [None, Some("Europe/Berlin")] {
            for named in [Some("Europe/Berlin"), asked] {
                let day = check(asked, named, "2026-11-23T12:00:00Z", "2026-11-23T12:00:01Z");
                let expected = Day::Known { zone: zone("Europe/Berlin"), ends };
                assert_eq!(day, if named.or(asked).is_some() { expected } else { Day::Unknown });
            }
        }
    }

    #[test]
    fn an_answer_over_midnight_is_of_no_certain_day() {
        let berlin = Some("Europe/Berlin");
        let midnight = at("2026-11-23T23:00:00Z");
        let turned = Day::Turned { zone: zone("Europe/Berlin"), midnight };
        assert_eq!(check(berlin, berlin, "2026-11-23T22:59:59Z", "2026-11-23T23:00:00Z"), turned);
        assert_eq!(check(None, berlin, "2026-11-23T23:00:04Z", "2026-11-23T23:00:05Z"), turned);
        let known = check(berlin, berlin, "2026-11-23T23:00:04Z", "2026-11-23T23:00:05Z");
        assert!(matches!(known, Day::Known { .. }), "absolute dates leave no doubt: {known:?}");
    }

    #[test]
    fn another_zone_with_the_same_days_is_no_move() {
        let noon = "2026-11-23T12:00:00Z";
        assert!(matches!(check(Some("Asia/Calcutta"), Some("Asia/Kolkata"), noon, noon), Day::Known { .. }));
        assert_eq!(
            check(Some("Europe/Berlin"), Some("Asia/Tokyo"), noon, noon),
            Day::Moved { zone: zone("Asia/Tokyo") }
        );
    }
}
