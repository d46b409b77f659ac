//! The keys under `baseline`.

use std::{ops::RangeInclusive, path::Path, time::Duration};

use super::{
    super::{problem::Position, reader::Reader, schema, yaml::Node},
    limit, quiet_days, reports,
};
use ga4_exporter_core::report::{BaselineSettings, StaleAfter};

/// Reads `baseline`, if the file has it; `shared` is how long values of all reports hold, and `base` the base of relative
/// paths.
pub(super) fn baseline(
    reader: &mut Reader<'_>,
    node: Option<&Node>,
    shared: Option<(StaleAfter, Position)>,
    base: &Path,
) -> BaselineSettings {
    let table = &schema::BASELINE;
    let section = node.map(|node| reader.section_with(node, table, table.path, FOREIGN_KEYS));
    let get = |key| section.as_ref().and_then(|section| section.get(key));
    let enabled = get("enabled").and_then(|node| reader.truth(node, &table.path_of("enabled")));
    let weeks = section.as_ref().and_then(|section| limit(reader, section, "weeks", &WEEKS));
    let quiet_days =
        get("quiet_days").map(|node| quiet_days::quiet_days(reader, node, &table.path_of("quiet_days"), base));
    let own = section.as_ref().and_then(|section| reports::stale_after(reader, section));
    // A duration for reports of minutes does not suit one of days.
    let shared = shared.filter(|(stale_after, _)| matches!(stale_after, StaleAfter::Intervals(_)));
    let defaults = BaselineSettings::default();
    let settings = BaselineSettings {
        enabled: enabled.unwrap_or(defaults.enabled),
        weeks: weeks.unwrap_or(defaults.weeks),
        stale_after: own.or(shared).map_or(defaults.stale_after, |(stale_after, _)| stale_after),
        quiet_days: quiet_days.unwrap_or(defaults.quiet_days),
    };
    if let Some((_, position)) = own.or(shared).filter(|_| settings.enabled) {
        reports::warn_of_gaps(reader, table.path, settings.stale_after, INTERVAL, position);
    }
    settings
}

/// Keys of other reports that do not apply here.
const FOREIGN_KEYS: &[(&str, &str)] = &[
    (
        "interval",
        "`baseline` is polled once a day, from 06:00 of the property's time zone on, which cannot be changed: remove it",
    ),
    ("metrics", "`baseline` is made of pageviews only: remove it"),
];

/// The interval.
const INTERVAL: Duration = Duration::from_hours(24);

/// Less than two weeks have no weekday twice; more than half a year includes another season.
const WEEKS: RangeInclusive<usize> = 2..=26;
