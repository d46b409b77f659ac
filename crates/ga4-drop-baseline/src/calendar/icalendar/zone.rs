//! Resolves the time zones that a calendar names.
//!
//! Knows names of the database, with common prefixes, names of Windows, and the zones that a calendar defines itself.
//! Refuses to know which event uses them.

use std::collections::BTreeMap;

use jiff::{
    civil::{DateTime, Weekday},
    tz::{Offset, TimeZone},
};

use super::{
    component::Component,
    frame::Value,
    property::Property,
    rule::{Frequency, OrdinalWeekday, Rule},
};
use crate::calendar::Zone;

/// Zones that a file defines, by name.
#[derive(Debug, Default)]
pub(super) struct Zones(BTreeMap<String, TimeZone>);

impl Zones {
    /// Reads the zones that the file defines.
    pub(super) fn new(described: &[Component]) -> Self {
        let zone = |component: &Component| {
            let find = |name: &str| component.properties.iter().find(|property| property.name == name);
            let located = find("X-LIC-LOCATION").and_then(|property| known(&property.value));
            Some((
                find("TZID")?.value.trim().trim_matches('"').to_owned(),
                located.or_else(|| observed(&component.properties))?,
            ))
        };
        Self(described.iter().filter_map(zone).collect())
    }

    /// Returns the zone with this name. The database takes precedence over the file, since it has more rules.
    pub(super) fn named(&self, name: &str) -> Option<TimeZone> {
        if name.len() > MAX_NAME {
            return None;
        }
        known(name).or_else(|| self.0.get(name).cloned()).or_else(|| fixed(name))
    }
}

/// Looks a name up in the database and among the names of Windows.
fn known(name: &str) -> Option<TimeZone> {
    let name = name.trim();
    let database = |name: &str| Zone::named(name).ok().map(|zone| zone.rules);
    // For names such as `/mozilla.org/20070129_1/Europe/Berlin`; some zone names have three parts, most have two.
    let starts = || name.rmatch_indices('/').take(3).map(|(at, _)| at + 1);
    let last_parts = |start: usize| name.get(start..).filter(|rest| rest.contains('/')).and_then(database);
    database(name)
        .or_else(|| starts().filter_map(last_parts).next())
        .or_else(|| localzone::win_zone_to_iana(name, Some(WHOLE_WORLD)).and_then(database))
}

/// Parses a zone whose name is its offset from UTC, such as `GMT+0100` or `(UTC+01:00) Berlin`.
fn fixed(name: &str) -> Option<TimeZone> {
    let name = name.trim_start_matches('(').to_ascii_uppercase();
    let rest = name.strip_prefix("UTC").or_else(|| name.strip_prefix("GMT"))?.trim_start();
    let end = rest.find(|character: char| !(character.is_ascii_digit() || "+-:".contains(character)));
    let text = rest.get(..end.unwrap_or(rest.len()))?.replace(':', "");
    match text.len() {
        2 | 3 => offset(&format!("{}{:0>2}00", text.get(..1)?, text.get(1..)?)).map(TimeZone::fixed),
        _ => offset(&text).map(TimeZone::fixed),
    }
}

/// Returns the zone that a calendar defines, from its latest rules, or from the latest standard time if there is no
/// pair of rules.
fn observed(properties: &[Property]) -> Option<TimeZone> {
    let parts = properties.split(|property| property.name == "BEGIN").skip(1);
    let kinds = properties.iter().filter(|property| property.name == "BEGIN").map(|begin| begin.value.as_str());
    let observances: Vec<_> =
        kinds.zip(parts).filter_map(|(kind, part)| Observance::new(kind == "DAYLIGHT", part)).collect();
    let last =
        |is_daylight| observances.iter().filter(|one| one.is_daylight == is_daylight).max_by_key(|one| one.onset);
    let (standard, daylight) = (last(false), last(true));
    let both = standard.zip(daylight).and_then(|(standard, daylight)| {
        let (out, back) = (daylight.rule.as_ref()?, standard.rule.as_ref()?);
        let text = format!("STD{}DST{},{out},{back}", posix(standard.offset), posix(daylight.offset));
        TimeZone::posix(&text).ok()
    });
    both.or_else(|| standard.or(daylight).map(|one| TimeZone::fixed(one.offset)))
}

/// A part of a defined zone: an offset and when it starts.
struct Observance {
    is_daylight: bool,
    onset: DateTime,
    offset: Offset,
    /// The yearly start in the notation of POSIX.
    rule: Option<String>,
}

impl Observance {
    fn new(is_daylight: bool, properties: &[Property]) -> Option<Self> {
        let find =
            |name: &str| properties.iter().find(|property| property.name == name).map(|property| &*property.value);
        let Value::Local(onset) = find("DTSTART")?.parse().ok()? else { return None };
        let rule = find("RRULE").and_then(|text| Rule::new(text, onset, false, |_| Ok(DateTime::MAX)).ok());
        Some(Self {
            is_daylight,
            onset,
            offset: offset(find("TZOFFSETTO")?)?,
            rule: rule.and_then(|rule| yearly(&rule, onset)),
        })
    }
}

/// Converts a rule to the notation of POSIX, if it is a weekday of a month.
fn yearly(rule: &Rule, onset: DateTime) -> Option<String> {
    let ([month], [OrdinalWeekday { ordinal, weekday }]) = (&*rule.months, &*rule.weekdays) else { return None };
    let week = match (*ordinal, &*rule.month_days) {
        (-1, []) => 5,
        (1..=4, []) => *ordinal,
        // For example, the Sunday from the 8th to the 14th.
        (0, [first, .., _]) if (first - 1) % 7 == 0 => first / 7 + 1,
        _ => return None,
    };
    let is_plain = rule.frequency == Frequency::Yearly && rule.interval == 1;
    let day = Weekday::to_sunday_zero_offset(*weekday);
    is_plain.then(|| format!("M{month}.{week}.{day}/{}:{:02}", onset.hour(), onset.minute()))
}

/// Parses `+0100`, with or without seconds.
fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let is_offset = matches!(digits.len(), 4 | 6) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let part = |at: usize| digits.get(at..at + 2).map_or(Some(0), |pair| pair.parse::<i32>().ok());
    Offset::from_seconds(sign * (part(0)? * 3600 + part(2)? * 60 + part(4)?)).ok().filter(|_| is_offset)
}

/// Formats an offset in the notation of POSIX, which has the opposite sign.
fn posix(offset: Offset) -> String {
    let seconds = offset.seconds();
    let sign = if seconds > 0 { '-' } else { '+' };
    format!("{sign}{}:{:02}", seconds.abs() / 3600, seconds.abs() / 60 % 60)
}

/// The longest name that is looked up, in bytes, since a file may use one name very often.
const MAX_NAME: usize = 255;

/// The territory that Unicode's table uses for a zone name without a country.
const WHOLE_WORLD: &str = "001";

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[track_caller]
    fn check(zone: Option<TimeZone>, winter: i8, summer: i8) {
        let zone = zone.unwrap();
        for (month, hours) in [(1, winter), (7, summer)] {
            let offset = zone.to_ambiguous_zoned(date(2026, month, 1).at(0, 0, 0, 0)).compatible().unwrap().offset();
            assert_eq!(offset, Offset::constant(hours), "in month {month}");
        }
    }

    #[test]
    fn zones_are_found_by_the_names_that_programs_write() {
        for name in [
            "Europe/Berlin",
            " Europe/Berlin ",
            "/mozilla.org/20070129_1/Europe/Berlin",
            "/freeassociation.sourceforge.net/Tzfile/Europe/Berlin",
            "W. Europe Standard Time",
            "Romance Standard Time",
        ] {
            check(Zones::default().named(name), 1, 2);
        }
        check(Zones::default().named("/citadel.org/20190914_1/America/Argentina/Buenos_Aires"), -3, -3);
        check(Zones::default().named("Eastern Standard Time"), -5, -4);
        for name in ["GMT+0100", "UTC+1", "(UTC+01:00) Berlin, Rome", "(GMT+01:00)"] {
            check(Zones::default().named(name), 1, 1);
        }
        for name in ["Mars", "UTC?", "GMT ", "", "/", "a/b/c/d/e", "UTC+", "UTC+99:99", "UTC+1234567"] {
            assert!(name == "GMT " || Zones::default().named(name).is_none(), "{name}");
        }
    }
}
