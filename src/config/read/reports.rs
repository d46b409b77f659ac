//! The entries of `reports`: the built-in ones, which others are reports of one's own, and what all share. The block `baseline`
//! was one of them once.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use super::{
    super::{
        Config, OwnReport,
        problem::Position,
        reader::{Reader, Section, lines_with, listed, nearest, quoted},
        schema::{self, Table},
        value,
        yaml::{Node, Value},
    },
    baseline, own_report,
};
use ga4_exporter_core::{
    names::{Category, FamilyName, NameError, PropertyId, ReportName},
    plan::SeriesLimits,
    report::{
        self, BaselineSettings, Preset, Report, ReportSettings, StaleAfter,
        fields::{self, Field},
    },
};

/// The reports, as configured.
pub(super) struct Reports {
    pub(super) realtime: ReportSettings,
    pub(super) traffic: ReportSettings,
    pub(super) baseline: BaselineSettings,
    pub(super) own: Vec<OwnReport>,
}

/// Reads `reports` and the `stale_after` for all of them; relative paths begin at `base`. `properties` are all of them, where no
/// others can be found.
pub(super) fn reports(
    reader: &mut Reader<'_>,
    top: &Section<'_>,
    base: &Path,
    properties: Option<&BTreeSet<PropertyId>>,
) -> Reports {
    let defaults = Config::default();
    let shared = stale_after(reader, top);
    let named = top.get("reports").map(|node| named(reader, node)).unwrap_or_default();
    let own = own_reports(reader, &named, own_report::Shared { stale_after: shared, properties });
    let mut read = |key, table, known, default| {
        let section = named.get(key).map(|(node, _)| reader.section(node, table));
        report(reader, section.as_ref(), table, known, default, shared)
    };
    let realtime = read(report::REALTIME, &schema::REALTIME, fields::REALTIME, defaults.realtime);
    let traffic = read(report::TRAFFIC, &schema::TRAFFIC, fields::TRAFFIC, defaults.traffic);
    // Where it stands at the old place, its own mistakes are worth knowing too.
    let block = top.get(BASELINE).or_else(|| named.get(BASELINE).map(|(node, _)| *node));
    let baseline = baseline::baseline(reader, block, shared, base);
    let reports = Reports { realtime, traffic, baseline, own };
    let place = |key: &str| named.get(key).map(|(node, _)| node.position).or_else(|| top.place("reports"));
    doubts_together(reader, &reports, place);
    reports
}

/// What each report may be but hardly all of them together.
fn doubts_together(reader: &mut Reader<'_>, reports: &Reports, place: impl Fn(&str) -> Option<Position>) {
    let Reports { realtime, traffic, baseline, own } = reports;
    let Some(position) = place(report::REALTIME) else { return };
    let has_own = own.iter().any(|own| own.enabled);
    if !realtime.enabled && !traffic.enabled && !baseline.enabled && !has_own {
        reader.warn(position, "every report is off, so no numbers are exported; enable `realtime` or `traffic`");
    } else if !realtime.enabled && baseline.enabled {
        reader.warn(
            position,
            "`realtime` is off, so there are no minutes to compare with `baseline` and no alert on drops; turn it on, or \
             turn `baseline` off too",
        );
    } else if realtime.enabled && realtime.interval > REALTIME_SPAN {
        reader.warn(
            position,
            "`realtime` covers the last 30 minutes, and a longer interval leaves minutes unseen; poll it at least every 30m",
        );
    } else if realtime.enabled && baseline.enabled && realtime.interval > WATCH_INTERVAL {
        let interval = humantime::format_duration(realtime.interval);
        reader.warn(
            position,
            format!(
                "`realtime` is polled every {interval}, too rarely for `baseline`, which looks for drops in the last 10 \
                 minutes; poll it at least every 5m, or turn `baseline` off"
            ),
        );
    }
}

/// Every entry by name, with the place of the name.
fn named<'n>(reader: &mut Reader<'_>, node: &'n Node) -> BTreeMap<String, (&'n Node, Position)> {
    let advice = match &node.value {
        Value::Sequence(_) => "each report has a name; write `pages: {preset: pages}` without a dash".to_owned(),
        Value::Mapping(_) | Value::Scalar(..) => lines_with(&schema::REPORTS),
    };
    let reports = reader.mapping(node, schema::REPORTS.path, &advice);
    if let Some((_, position)) = reports.get(BASELINE) {
        let wrong = "`baseline` no longer stands in `reports`; move it to the top level, with all its keys";
        reader.error(*position, wrong);
    }
    reports
}

/// Reads the entries that are not built in.
fn own_reports(
    reader: &mut Reader<'_>,
    named: &BTreeMap<String, (&Node, Position)>,
    shared: own_report::Shared<'_>,
) -> Vec<OwnReport> {
    let is_built_in = |name: &str| BUILT_IN.contains(&name);
    let mut own = Vec::new();
    let mut families: BTreeMap<FamilyName, (String, u64)> = BTreeMap::new();
    for (name, &(node, position)) in named.iter().filter(|(name, _)| !is_built_in(name)) {
        let parsed = match own_name(name, node) {
            Ok(parsed) => parsed,
            Err(wrong) => {
                reader.error(position, wrong);
                continue;
            }
        };
        let Some(found) = own_report::own_report(reader, parsed, (node, position), shared) else { continue };
        for family in &found.report.families {
            if family.name.as_str() == QUIET_DAY {
                let wrong =
                    format!("the metric `{QUIET_DAY}` is the exporter's own; rename the report {}", quoted(name));
                reader.error(position, wrong);
            }
            if let Some((other, line)) = families.get(&family.name) {
                let wrong = format!(
                    "the metric `{}` of the report {} is one of the report `{other}` too, in line {line}; rename one of the \
                     reports",
                    family.name,
                    quoted(name)
                );
                reader.error(position, wrong);
            }
            families.insert(family.name.clone(), (name.clone(), position.line));
        }
        own.push(found);
    }
    own
}

/// The name of a report of one's own.
fn own_name(name: &str, node: &Node) -> Result<ReportName, String> {
    let describes = ["preset", "metrics", "dimensions"].iter().any(|key| entry(node, key).is_some());
    let built_in = || BUILT_IN.iter().copied().filter(|name| *name != BASELINE);
    if let Some(near) = nearest(name, built_in()).filter(|_| !describes) {
        return Err(format!(
            "unknown report {}; did you mean `{near}`? a report of your own needs `metrics` or a `preset`",
            quoted(name)
        ));
    }
    if let Some(preset) = Preset::named(name).filter(|preset| preset.category == Category::Realtime)
        && !is_realtime(node)
    {
        return Err(format!(
            "the report name `{name}` is that of a preset, and its metrics would look like realtime ones; add `preset: {}`, or \
             choose another name",
            preset.name
        ));
    }
    if is_reserved(name) {
        return Err(format!(
            "the report name {} is reserved, since metrics of the exporter begin so; choose another, such as `my_{}`",
            quoted(name),
            name.chars().take(20).collect::<String>()
        ));
    }
    name.parse().map_err(|error: NameError| {
        let advice = if let NameError::TooLong(_) = error { "; shorten it" } else { "" };
        format!("`reports`: {error}{advice}")
    })
}

/// Whether an entry is a realtime report, or has no mapping that could say so.
fn is_realtime(node: &Node) -> bool {
    let preset = entry(node, "preset").map(Preset::named);
    let is_known = |preset: Option<&Preset>| preset.is_none_or(|preset| preset.category == Category::Realtime);
    preset.is_some_and(is_known) || entry(node, "realtime") == Some("true") || !matches!(node.value, Value::Mapping(_))
}

/// The text of a key of a mapping.
fn entry<'n>(node: &'n Node, name: &str) -> Option<&'n str> {
    let Value::Mapping(entries) = &node.value else { return None };
    let is_named = |(key, _): &&(Node, Node)| matches!(&key.value, Value::Scalar(_, text) if text == name);
    entries.iter().find(is_named).map(|(_, value)| if let Value::Scalar(_, text) = &value.value { text } else { "" })
}

/// Warns if the reports want more series of a property than it may have.
pub(super) fn check_series(reader: &mut Reader<'_>, top: &Section<'_>, own: &[OwnReport], limits: SeriesLimits) {
    let wanted: usize = own.iter().filter(|own| own.enabled).map(|own| most_series(&own.report)).sum();
    let Some(position) = top.place("limits").or_else(|| top.place("reports")) else { return };
    if wanted > limits.per_property {
        let message = format!(
            "the reports may have {wanted} series for a property, more than the {} of `limits.series_per_property`; raise \
             that, or lower their limits",
            limits.per_property
        );
        reader.warn(position, message);
    }
}

/// How many series a report can have for a property.
fn most_series(report: &Report) -> usize {
    let rows =
        report.limit.filter(|_| report.is_labelled()).map_or(1, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    rows.saturating_mul(report.metrics.len()).min(report.max_series)
}

/// Reads one report; `shared` is how long values hold unless it says so itself.
fn report(
    reader: &mut Reader<'_>,
    section: Option<&Section<'_>>,
    table: &'static Table,
    known: &[Field],
    default: ReportSettings,
    shared: Option<(StaleAfter, Position)>,
) -> ReportSettings {
    let get = |key| section.and_then(|section| section.get(key));
    let enabled = get("enabled").and_then(|node| reader.truth(node, &table.path_of("enabled")));
    let interval_path = table.path_of("interval");
    let interval = get("interval").and_then(|node| {
        let parse = |text: &str| value::duration(text, &value::INTERVAL);
        Some((reader.parsed(node, &interval_path, "15m", parse)?, node.position))
    });
    let own = section.and_then(|section| stale_after(reader, section));
    let metrics = get("metrics").and_then(|node| metrics(reader, node, table, known));
    let settings = ReportSettings {
        enabled: enabled.unwrap_or(default.enabled),
        interval: interval.map_or(default.interval, |(interval, _)| interval),
        stale_after: own.or(shared).map_or(default.stale_after, |(stale_after, _)| stale_after),
        metrics: metrics.unwrap_or(default.metrics),
    };
    if settings.enabled {
        let places = (interval.map(|(_, at)| at), own.or(shared).map(|(_, at)| at));
        doubts(reader, table.path, (settings.interval, settings.stale_after), places);
    }
    settings
}

/// What is allowed but hardly meant: an interval and how long values hold, and where they stand.
pub(super) fn doubts(
    reader: &mut Reader<'_>,
    path: &str,
    (interval, stale_after): (Duration, StaleAfter),
    (interval_at, stale_at): (Option<Position>, Option<Position>),
) {
    if let Some(position) = interval_at.filter(|_| interval < SHORT_INTERVAL) {
        let (interval, least) = (humantime::format_duration(interval), humantime::format_duration(SHORT_INTERVAL));
        reader.warn(
            position,
            format!(
                "`{path}.interval` polls every {interval}, which may use up Google's quota; {least} or more is safe"
            ),
        );
    }
    if let Some(position) = stale_at.or(interval_at) {
        warn_of_gaps(reader, path, stale_after, interval, position);
    }
}

/// Warns if values vanish between polls.
pub(super) fn warn_of_gaps(
    reader: &mut Reader<'_>,
    path: &str,
    stale_after: StaleAfter,
    interval: Duration,
    position: Position,
) {
    let holds = stale_after.for_interval(interval);
    if holds <= interval {
        reader.warn(
            position,
            format!(
                "the values of `{path}` hold for {} but are polled every {}, so they vanish between polls; let them hold \
                 longer, such as `stale_after: 3x`",
                humantime::format_duration(holds),
                humantime::format_duration(interval)
            ),
        );
    }
}

/// Reads the key of this name, and where it stands.
pub(super) fn stale_after(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<(StaleAfter, Position)> {
    let node = section.get("stale_after")?;
    let stale_after = reader.parsed(node, &section.path("stale_after"), "3x", value::stale_after)?;
    Some((stale_after, node.position))
}

/// A subset of what a report knows, in the report's own order.
fn metrics(reader: &mut Reader<'_>, node: &Node, table: &Table, known: &[Field]) -> Option<Vec<&'static str>> {
    let path = table.path_of("metrics");
    let names = || known.iter().map(|field| field.name);
    let items = reader.list(node, &path, "[pageviews]");
    let mut lines: BTreeMap<&str, u64> = BTreeMap::new();
    for item in items {
        let Some(text) = reader.text(item, &format!("{path}[]"), "pageviews") else { continue };
        let Some(name) = names().find(|name| *name == text) else {
            reader.error(item.position, unknown_metric(text, table, known));
            continue;
        };
        if let Some(first) = lines.get(name) {
            let wrong = format!("the metric `{name}` is listed twice, first in line {first}; remove one");
            reader.error(item.position, wrong);
        } else {
            lines.insert(name, item.position.line);
        }
    }
    if items.is_empty() && (node.is_null() || matches!(node.value, Value::Sequence(_))) {
        let wrong = format!("`{path}` is empty; list some of {}, or set `enabled: false`", listed(names()));
        reader.error(node.position, wrong);
    }
    (!lines.is_empty()).then(|| names().filter(|name| lines.contains_key(name)).collect())
}

fn unknown_metric(text: &str, table: &Table, known: &[Field]) -> String {
    let names = || known.iter().map(|field| field.name);
    let ours = known.iter().find(|field| field.api_name.eq_ignore_ascii_case(text)).map(|field| field.name);
    let elsewhere = fields::REALTIME.iter().chain(fields::TRAFFIC).any(|field| field.name == text);
    let advice = match ours.or_else(|| nearest(text, names())) {
        _ if elsewhere => "another report has it; use some of".to_owned(),
        Some(near) => format!("did you mean `{near}`? known here:"),
        None => "use some of".to_owned(),
    };
    format!("unknown metric {} in `{}`; {advice} {}", quoted(text), table.path, listed(names()))
}

/// Whether the name would collide with the exporter's own metric families, or look like one of them.
fn is_reserved(name: &str) -> bool {
    let begins =
        |reserved: &&str| name.strip_prefix(*reserved).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'));
    Preset::named(name).is_none() && RESERVED.iter().any(begins)
}

/// The reports that are there without a configuration.
const BUILT_IN: &[&str] = &[report::REALTIME, report::TRAFFIC, BASELINE];

/// The block that once stood among the reports.
const BASELINE: &str = "baseline";

/// What `realtime` looks back on.
const REALTIME_SPAN: Duration = Duration::from_mins(30);

/// The shortest window of the drop alert is ten minutes; polled more rarely than this, it says what was.
const WATCH_INTERVAL: Duration = Duration::from_mins(5);

/// Intervals below this deserve a warning.
const SHORT_INTERVAL: Duration = Duration::from_secs(30);

/// The family that a report without a reserved name can have too, by the name of its metric.
const QUIET_DAY: &str = "google_analytics_quiet_day";

/// What the names of reports of one's own must neither be nor begin with, up to an underscore; but for the presets.
const RESERVED: &[&str] = &[
    "realtime",
    "today",
    "yesterday",
    "trailing",
    "traffic",
    "baseline",
    "daily",
    "hourly",
    "monitor",
    "report",
    "quota",
    "exporter",
    "property",
    "quiet_day",
    "sync",
];
