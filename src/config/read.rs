//! The tree of a file → a configuration.
//!
//! Knows the meaning of every key, valid combinations, and doubtful ones. Refuses to know how mistakes are reported.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use regex::{Regex, RegexBuilder};

use super::{
    Config, ConfiguredProperty, Discovery, Google,
    reader::{Reader, Section, listed, quoted},
    schema, value,
    yaml::{Node, Value},
};
use ga4_exporter_core::{
    names::{Category, LabelName, MAX_API_NAME_LENGTH, NameError, PropertyId},
    plan::SeriesLimits,
    quota::Share,
    report::fields::{self, FieldKind, Known},
    shown,
};

mod baseline;
mod filter;
mod own_report;
mod quiet_days;
mod reports;
mod sync;

/// Reads the tree of a file. `base` is the base of its relative paths; `given` are the properties to export instead of the
/// file's, if any.
///
/// The result is only valid if the reader has found no mistake.
pub(super) fn config(reader: &mut Reader<'_>, root: &Node, base: &Path, given: &[PropertyId]) -> Config {
    let top = reader.section(root, &schema::ROOT);
    let google = top.get("google").map(|node| google(reader, node, base)).unwrap_or_default();
    let mut properties = top.get("properties").map(|node| properties(reader, node)).unwrap_or_default();
    if let Some(node) = top.get("properties").filter(|_| !given.is_empty() && !properties.is_empty()) {
        reader.error(
            node.position,
            "`properties` are listed here and given on the command line too; keep one of the two",
        );
    }
    if !given.is_empty() {
        properties = Config::default().with_properties(given.iter().copied()).properties;
    }
    // A key without a value counts as missing: it must not open the export to everything.
    let discovery = match top.get("discovery").filter(|node| !node.is_null()) {
        Some(node) => discovery(reader, node, !properties.is_empty()),
        None => properties.is_empty().then(Discovery::default),
    };
    let (share, commands_share) = top.get("quota").map(|node| shares(reader, node)).unwrap_or_default();
    let share = share.unwrap_or_default();
    let commands_share = commands_share.unwrap_or_else(Share::of_commands);
    let most_properties = most_properties(reader, &top, properties.len());
    let series = series_limits(reader, &top);
    let exported: Option<BTreeSet<PropertyId>> =
        discovery.is_none().then(|| properties.iter().map(|property| property.id).collect());
    let reports::Reports { realtime, traffic, baseline, own } = reports::reports(reader, &top, base, exported.as_ref());
    reports::check_series(reader, &top, &own, series);
    let mut config = Config {
        google,
        properties,
        discovery,
        share,
        commands_share,
        most_properties,
        realtime,
        traffic,
        baseline,
        own_reports: own,
        series,
        ..Config::default()
    };
    if let Some(node) = top.get("sync") {
        config.sync = sync::sync(reader, node, &config, base);
    }
    config
}

fn google(reader: &mut Reader<'_>, node: &Node, base: &Path) -> Google {
    let section = reader.section(node, &schema::GOOGLE);
    let credentials_file = section.get("credentials_file").and_then(|node| {
        reader.parsed_whole(node, &section.path("credentials_file"), "key.json", |text| path(text, base))
    });
    let total = limit(reader, &section, "max_requests_in_flight", &REQUESTS);
    let per_property = limit(reader, &section, "max_requests_in_flight_per_property", &REQUESTS_PER_PROPERTY);
    let defaults = Google::default();
    let google = Google {
        credentials_file,
        max_requests_in_flight: total,
        max_requests_in_flight_per_property: per_property.unwrap_or(defaults.max_requests_in_flight_per_property),
    };
    if let (Some(total), Some(node)) = (total, section.get("max_requests_in_flight"))
        && total < google.max_requests_in_flight_per_property
    {
        reader.warn(
            node.position,
            format!(
                "only {total} requests may be in flight, fewer than the {} that one property may have; a slow property \
                 can hold up all others: raise `max_requests_in_flight`",
                google.max_requests_in_flight_per_property
            ),
        );
    }
    google
}

fn path(text: &str, base: &Path) -> Result<PathBuf, String> {
    if text.is_empty() {
        Err("the path is empty; give one, or remove the key".to_owned())
    } else if text.contains('\0') {
        Err("a path cannot contain a NUL character; remove it".to_owned())
    } else if text.starts_with("~/") {
        Err(format!("{} begins with `~`, which only shells understand; write the whole path", quoted(text)))
    } else {
        shown::path(text).map(|path| base.join(path)).map_err(|wrong| wrong.to_string())
    }
}

fn limit(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    key: &'static str,
    range: &RangeInclusive<usize>,
) -> Option<usize> {
    let (least, most) = (range.start(), range.end());
    let example = EXAMPLE.clamp(*least, *most).to_string();
    reader.parsed(section.get(key)?, &section.path(key), &example, |text| match text.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!("{} is not allowed; give a whole number from {least} to {most}", quoted(text))),
    })
}

/// A field by our name or Google's. A name that is longer than any is not searched for.
fn find_field(kind: FieldKind, text: &str, category: Category) -> Result<Known, String> {
    let (text, characters) = (text.trim(), text.trim().chars().count());
    if characters > MAX_API_NAME_LENGTH {
        return Err(format!(
            "{} is no field, since a name of {characters} characters is too long; write it as Google Analytics shows it",
            quoted(text)
        ));
    }
    fields::find(kind, text, category).map_err(|error| error.to_string())
}

fn properties(reader: &mut Reader<'_>, node: &Node) -> Vec<ConfiguredProperty> {
    let mut properties = Vec::new();
    let mut lines = HashMap::new();
    for item in reader.list(node, "properties", "- 123456789") {
        let (path, id, labels) = match &item.value {
            Value::Mapping(_) => {
                let section = reader.section(item, &schema::PROPERTY);
                if section.get("id").is_none() {
                    reader.error(item.position, "this property has no `id`; add one: `id: 123456789`");
                }
                ("id", section.get("id"), section.get("labels").map(|node| labels(reader, node)).unwrap_or_default())
            }
            Value::Scalar(..) | Value::Sequence(_) => ("properties[]", Some(item), BTreeMap::new()),
        };
        let parse = |text: &str| text.parse::<PropertyId>().map_err(|error| error.to_string());
        let Some((node, id)) = id.and_then(|node| Some((node, reader.parsed_whole(node, path, "123456789", parse)?)))
        else {
            continue;
        };
        match lines.get(&id) {
            Some(first) => {
                reader
                    .error(node.position, format!("property {id} is listed twice, first in line {first}; remove one"));
            }
            None => {
                lines.insert(id, node.position.line);
                properties.push(ConfiguredProperty { id, labels });
            }
        }
    }
    properties
}

fn labels(reader: &mut Reader<'_>, node: &Node) -> BTreeMap<LabelName, String> {
    let entries = reader.mapping(node, "labels", "write `name: value` lines, such as `site: shop`");
    if entries.len() > MAX_LABELS {
        let message = format!("{} labels are too many; keep at most {MAX_LABELS}", entries.len());
        reader.error(node.position, message);
    }
    let mut labels = BTreeMap::new();
    for (name, (value, position)) in entries {
        let name = match name.parse::<LabelName>() {
            Ok(name) => Some(name),
            Err(error) => {
                let advice = if let NameError::TooLong(_) = error { "; shorten it" } else { "" };
                reader.error(position, format!("`labels`: {error}{advice}"));
                None
            }
        };
        let path = name.as_ref().map_or("labels", LabelName::as_str);
        let Some(text) = reader.text(value, path, "shop") else { continue };
        if text.contains('\0') {
            reader.error(value.position, format!("the value of `{path}` contains a NUL character; remove it"));
        } else if path == ALERT_SEVERITY && !SEVERITIES.contains(&text) {
            let message = format!("{} is no severity; `{path}` is one of {}", quoted(text), listed(SEVERITIES));
            reader.error(value.position, message);
        } else if text.is_empty() {
            reader.warn(
                value.position,
                format!(
                    "the value of `{path}` is empty, which to Prometheus is no label; give it a value or remove it"
                ),
            );
        }
        if let Some(name) = name {
            labels.insert(name, text.to_owned());
        }
    }
    labels
}

/// `others` says whether there are configured properties.
fn discovery(reader: &mut Reader<'_>, node: &Node, others: bool) -> Option<Discovery> {
    let section = reader.section(node, &schema::DISCOVERY);
    let path = |key| section.path(key);
    let enabled = section.get("enabled").and_then(|node| reader.truth(node, &path("enabled")));
    let interval = section.get("interval").and_then(|node| {
        reader.parsed(node, &path("interval"), "1h", |text| value::duration(text, &value::DISCOVERY_INTERVAL))
    });
    let mut patterns = |key| section.get(key).map(|node| patterns(reader, node, &path(key))).unwrap_or_default();
    let (include, exclude) = (patterns("include"), patterns("exclude"));
    if enabled.unwrap_or(true) {
        let interval = interval.unwrap_or_else(|| Discovery::default().interval);
        return Some(Discovery { interval, include, exclude });
    }
    let place = section.place("enabled").unwrap_or(node.position);
    if !others {
        reader.error(
            place,
            "discovery is off and no properties are listed, so there is nothing to export; list some \
                     under `properties`, or turn discovery on",
        );
    } else if let Some(key) = ["interval", "include", "exclude"].into_iter().find(|key| section.get(key).is_some()) {
        reader.warn(place, format!("discovery is off, so `{key}` has no effect; turn it on or remove the key"));
    }
    None
}

/// The daemon's and a command's.
fn shares(reader: &mut Reader<'_>, node: &Node) -> (Option<Share>, Option<Share>) {
    let section = reader.section(node, &schema::QUOTA);
    let mut share = |key, example| reader.parsed(section.get(key)?, &section.path(key), example, str::parse);
    (share("share", "25%"), share("commands_share", "10%"))
}

/// `listed` is the number of properties that the file or the command line names.
fn most_properties(reader: &mut Reader<'_>, top: &Section<'_>, listed: usize) -> usize {
    let section = top.get("limits").map(|node| reader.section(node, &schema::LIMITS));
    let most = section.as_ref().and_then(|section| limit(reader, section, "properties", &PROPERTIES));
    let most = most.unwrap_or_else(|| Config::default().most_properties);
    if let Some(node) = top.get("properties").filter(|_| listed > most) {
        let message =
            format!("{listed} properties are more than the {most} of `limits.properties`; raise that, or list fewer");
        reader.error(node.position, message);
    }
    most
}

/// How many series reports of one's own may have. The section's keys have been checked.
fn series_limits(reader: &mut Reader<'_>, top: &Section<'_>) -> SeriesLimits {
    let defaults = SeriesLimits::default();
    let Some(node) = top.get("limits") else { return defaults };
    // What is wrong with it has been said: the same problem at the same place is said once.
    let section = reader.section(node, &schema::LIMITS);
    SeriesLimits {
        all: limit(reader, &section, "series", &SERIES).unwrap_or(defaults.all),
        per_property: limit(reader, &section, "series_per_property", &SERIES_PER_PROPERTY)
            .unwrap_or(defaults.per_property),
    }
}

fn patterns(reader: &mut Reader<'_>, node: &Node, path: &str) -> Vec<Regex> {
    let items = reader.list(node, path, "['^Shop', '(?i)test']");
    if items.len() > MAX_PATTERNS {
        let message = format!("`{path}` has {} patterns; join them with `|` into at most {MAX_PATTERNS}", items.len());
        reader.error(node.position, message);
        return Vec::new();
    }
    let path = format!("{path}[]");
    items.iter().filter_map(|item| reader.parsed_whole(item, &path, "^Shop", pattern)).collect()
}

fn pattern(text: &str) -> Result<Regex, String> {
    if text.is_empty() {
        return Err("an empty pattern matches every name; remove it, or write `.*` if that is meant".to_owned());
    }
    let compiled = RegexBuilder::new(text).size_limit(MAX_PATTERN_BYTES).build();
    compiled.map_err(|error| {
        if let regex::Error::CompiledTooBig(_) = error {
            return format!("the pattern {} grows too large; make its repetitions smaller", quoted(text));
        }
        // The last line is the reason; those above draw the position over several lines.
        let drawing = error.to_string();
        let reason = drawing.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!(
            "{} is not a regular expression ({reason}); put a backslash before a character that is meant as itself",
            quoted(text)
        )
    })
}

/// A number for examples, where it is allowed.
const EXAMPLE: usize = 1000;

/// The range of requests in flight.
const REQUESTS: RangeInclusive<usize> = 1..=10_000;

/// The same per property: Google refuses more.
const REQUESTS_PER_PROPERTY: RangeInclusive<usize> = 1..=10;

/// The range of the number of properties.
const PROPERTIES: RangeInclusive<usize> = 1..=100_000;

/// The label of its own that says how serious alerts on a property are.
const ALERT_SEVERITY: &str = "alert_severity";

/// The severities that the alert rules know.
const SEVERITIES: [&str; 4] = ["critical", "warning", "info", "none"];

/// How many series reports of one's own may have.
const SERIES: RangeInclusive<usize> = 1..=10_000_000;

/// The same for one property.
const SERIES_PER_PROPERTY: RangeInclusive<usize> = 1..=1_000_000;

/// The most own labels of a property.
const MAX_LABELS: usize = 20;

/// The most patterns of a list.
const MAX_PATTERNS: usize = 100;

/// The largest compiled pattern.
const MAX_PATTERN_BYTES: usize = 1 << 20;
