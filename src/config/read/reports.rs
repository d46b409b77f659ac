//! The keys under `reports`, what all reports share, and the block `baseline`, which was one of them once.

use std::{collections::BTreeMap, path::Path, time::Duration};

use super::{
    super::{
        Config,
        problem::Position,
        reader::{Reader, Section, lines_with, listed, nearest, quoted},
        schema::{self, Table},
        value,
        yaml::{Node, Value},
    },
    baseline,
};
use ga4_exporter_core::report::{
    self, BaselineSettings, ReportSettings, StaleAfter,
    fields::{self, Field},
};

/// The reports, as configured.
pub(super) struct Reports {
    pub(super) realtime: ReportSettings,
    pub(super) traffic: ReportSettings,
    pub(super) baseline: BaselineSettings,
}

/// Reads `reports` and the `stale_after` for all of them; relative paths begin at `base`.
pub(super) fn reports(reader: &mut Reader<'_>, top: &Section<'_>, base: &Path) -> Reports {
    let defaults = Config::default();
    let shared = stale_after(reader, top);
    let named = top.get("reports").map(|node| named(reader, node)).unwrap_or_default();
    let mut read = |key, table, known, default| {
        let section = named.get(key).map(|node| reader.section(node, table));
        report(reader, section.as_ref(), table, known, default, shared)
    };
    let realtime = read(report::REALTIME, &schema::REALTIME, fields::REALTIME, defaults.realtime);
    let traffic = read(report::TRAFFIC, &schema::TRAFFIC, fields::TRAFFIC, defaults.traffic);
    // Where it stands at the old place, its own mistakes are worth knowing too.
    let block = top.get(BASELINE).or_else(|| named.get(BASELINE).copied());
    let baseline = baseline::baseline(reader, block, shared, base);
    let reports = Reports { realtime, traffic, baseline };
    let place = |key: &str| named.get(key).map(|node| node.position).or_else(|| top.place("reports"));
    doubts_together(reader, &reports, place);
    reports
}

/// What each report may be but hardly all of them together.
fn doubts_together(reader: &mut Reader<'_>, reports: &Reports, place: impl Fn(&str) -> Option<Position>) {
    let Reports { realtime, traffic, baseline } = reports;
    let Some(position) = place(report::REALTIME) else { return };
    if !realtime.enabled && !traffic.enabled && !baseline.enabled {
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
                "`realtime` is polled every {interval}, so the 10 minutes in which `baseline` looks for drops are old \
                 news; poll it at least every 5m, or turn `baseline` off"
            ),
        );
    }
}

/// The reports that exist, by name.
fn named<'n>(reader: &mut Reader<'_>, node: &'n Node) -> BTreeMap<String, &'n Node> {
    let known = listed(schema::REPORTS.names());
    let mut reports = BTreeMap::new();
    for (name, (node, position)) in reader.mapping(node, schema::REPORTS.path, &lines_with(&schema::REPORTS)) {
        if name == BASELINE {
            reader.error(
                position,
                "`baseline` no longer stands in `reports`; move it to the top level, with all its keys",
            );
            reports.insert(name, node);
            continue;
        }
        if schema::REPORTS.names().any(|report| report == name) {
            reports.insert(name, node);
            continue;
        }
        let wrong = if let Some(near) = nearest(&name, schema::REPORTS.names()) {
            format!("unknown report {}; did you mean `{near}`? known here: {known}", quoted(&name))
        } else if is_reserved(&name) {
            format!("the report name {} is reserved; remove it, or use one of {known}", quoted(&name))
        } else {
            format!(
                "unknown report {}: configured reports are not supported by this version; remove it, or use one of \
                 {known}",
                quoted(&name)
            )
        };
        reader.error(position, wrong);
    }
    reports
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
        doubts(reader, table, &settings, interval.map(|(_, at)| at), own.or(shared).map(|(_, at)| at));
    }
    settings
}

/// What is allowed but hardly meant.
fn doubts(
    reader: &mut Reader<'_>,
    table: &Table,
    settings: &ReportSettings,
    interval_at: Option<Position>,
    stale_at: Option<Position>,
) {
    let interval = humantime::format_duration(settings.interval);
    if let Some(position) = interval_at.filter(|_| settings.interval < SHORT_INTERVAL) {
        let least = humantime::format_duration(SHORT_INTERVAL);
        reader.warn(
            position,
            format!(
                "`{}` polls every {interval}, which may use up Google's quota; {least} or more is safe",
                table.path_of("interval")
            ),
        );
    }
    if let Some(position) = stale_at.or(interval_at) {
        warn_of_gaps(reader, table, settings.stale_after, settings.interval, position);
    }
}

/// Warns if values vanish between polls.
pub(super) fn warn_of_gaps(
    reader: &mut Reader<'_>,
    table: &Table,
    stale_after: StaleAfter,
    interval: Duration,
    position: Position,
) {
    let holds = stale_after.for_interval(interval);
    if holds <= interval {
        reader.warn(
            position,
            format!(
                "the values of `{}` hold for {} but are polled every {}, so they vanish between polls; let them hold \
                 longer, such as `stale_after: 3x`",
                table.path,
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

/// Whether the name would collide with the exporter's own metric families.
fn is_reserved(name: &str) -> bool {
    RESERVED_REPORTS.contains(&name) || RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// The block that once stood among the reports.
const BASELINE: &str = "baseline";

/// What `realtime` looks back on.
const REALTIME_SPAN: Duration = Duration::from_mins(30);

/// The shortest window of the drop alert is ten minutes; polled more rarely than this, it says what was.
const WATCH_INTERVAL: Duration = Duration::from_mins(5);

/// Intervals below this deserve a warning.
const SHORT_INTERVAL: Duration = Duration::from_secs(30);

const RESERVED_REPORTS: &[&str] =
    &["report", "quota", "property", "exporter", "monitor", "quiet_day", "today", "yesterday"];

const RESERVED_PREFIXES: &[&str] = &["trailing_", "realtime_", "monitor_"];
