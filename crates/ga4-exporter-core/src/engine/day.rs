//! Finds out which day a dated answer belongs to, and whether that is certain.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use ga4_drop_baseline::calendar::{Zone, soonest_midnight};

/// The day of an answer.
#[derive(Debug, PartialEq)]
pub(super) enum Day {
    /// Today, which ends at this time.
    Known { zone: Zone, ends: Timestamp },
    /// The zone is unknown: today until the date changes anywhere.
    Anywhere { ends: Timestamp },
    /// The answer has no dates.
    Undated,
    /// Too close to midnight: the answer may belong to the day before or after it.
    Turned { zone: Option<Zone>, midnight: Timestamp },
    /// The property is in another zone than the one the request was made for, so its days differ.
    Moved { zone: Option<Zone> },
}

/// What an answer says about the property's zone.
#[derive(Debug, PartialEq)]
pub(super) enum Named {
    /// This zone.
    Known(Zone),
    /// A name that is not in the database.
    Unknown,
    /// No zone.
    Nothing,
}

/// Returns the day of an answer that names this zone; `asked` is the zone of the request, if one was known.
pub(super) fn day_of(asked: Option<&Zone>, named: Named, sent_at: Timestamp, received_at: Timestamp) -> Day {
    let zone = match (named, asked) {
        (Named::Known(zone), _) => zone,
        (Named::Nothing, Some(asked)) => asked.clone(),
        // Its dates are in a zone that the property no longer has.
        (Named::Unknown, Some(_)) => return Day::Moved { zone: None },
        (Named::Unknown | Named::Nothing, None) => return anywhere(sent_at, received_at),
    };
    let ends = zone.next_midnight(sent_at);
    let same_days = |asked: &Zone| asked.date(sent_at) == zone.date(sent_at) && asked.next_midnight(sent_at) == ends;
    if asked.is_some_and(|asked| !same_days(asked)) {
        return Day::Moved { zone: Some(zone) };
    }
    if received_at >= ends {
        return Day::Turned { midnight: ends, zone: Some(zone) };
    }
    let midnight = zone.next_midnight(shortly_before(sent_at));
    if asked.is_none() && midnight <= sent_at {
        return Day::Turned { midnight, zone: Some(zone) };
    }
    Day::Known { zone, ends }
}

/// Returns the day of an answer of unknown zone: until the next midnight anywhere.
fn anywhere(sent_at: Timestamp, received_at: Timestamp) -> Day {
    let midnight = soonest_midnight(shortly_before(sent_at));
    if received_at >= midnight { Day::Turned { zone: None, midnight } } else { Day::Anywhere { ends: midnight } }
}

/// Without dates in the request, Google's own today decides, and its clock may be a little behind.
fn shortly_before(sent_at: Timestamp) -> Timestamp {
    sent_at.saturating_sub(SignedDuration::try_from(CLOCKS_DIFFER).unwrap_or_default()).unwrap_or(sent_at)
}

/// How much Google's clock and this machine's may differ.
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
        let named = named.map_or(Named::Nothing, |name| Named::Known(zone(name)));
        day_of(asked.as_ref(), named, at(sent_at), at(received_at))
    }

    #[test]
    fn an_answer_within_a_day_is_of_that_day() {
        let ends = at("2026-11-23T23:00:00Z");
        for asked in [None, Some("Europe/Berlin")] {
            for named in [Some("Europe/Berlin"), asked] {
                let day = check(asked, named, "2026-11-23T12:10:00Z", "2026-11-23T12:10:01Z");
                let expected = Day::Known { zone: zone("Europe/Berlin"), ends };
                let anywhere = Day::Anywhere { ends: at("2026-11-23T13:00:00Z") };
                assert_eq!(day, if named.or(asked).is_some() { expected } else { anywhere });
            }
        }
    }

    #[test]
    fn an_answer_over_midnight_is_of_no_certain_day() {
        let berlin = Some("Europe/Berlin");
        let midnight = at("2026-11-23T23:00:00Z");
        let turned = Day::Turned { zone: Some(zone("Europe/Berlin")), midnight };
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
            Day::Moved { zone: Some(zone("Asia/Tokyo")) }
        );
    }

    #[test]
    fn in_an_unknown_zone_a_day_ends_with_the_soonest_midnight() {
        let ask = |asked: Option<&Zone>, sent_at: &str, received_at: &str| {
            day_of(asked, Named::Unknown, at(sent_at), at(received_at))
        };
        let noon = "2026-11-23T12:00:06Z";
        let one = at("2026-11-23T13:00:00Z");
        assert_eq!(ask(None, noon, noon), Day::Anywhere { ends: one });
        assert_eq!(
            ask(None, "2026-11-23T12:59:59Z", "2026-11-23T13:00:00Z"),
            Day::Turned { zone: None, midnight: one }
        );
        assert_eq!(
            ask(None, "2026-11-23T13:00:04Z", "2026-11-23T13:00:05Z"),
            Day::Turned { zone: None, midnight: one }
        );
        assert_eq!(
            ask(Some(&zone("Europe/Berlin")), noon, noon),
            Day::Moved { zone: None },
            "asked for by Berlin's dates"
        );
    }
}
