//! `docs/METRICS.md` has every family that `/metrics` can have, with its type, labels and HELP, and no other.

use std::{collections::BTreeMap, fmt::Write as _};

use ga4_exporter_core::names::{
    Api, Bucket, Category, DropReason, Handler, Method as ApiMethod, Reason, RefusedReason,
};
use ga4_simulator::{Account, Bucket as Refused, Effect, Fault, Method, Property, Refusal, World};
use jiff::{SignedDuration, Timestamp};
use regex::Regex;

use crate::{
    documents::assert_table,
    support::{NEWS, SHOP, Setup},
};

#[tokio::test]
async fn every_family_is_documented_and_no_other() {
    let mut sections: BTreeMap<&str, String> =
        SECTIONS.iter().map(|(heading, _)| (*heading, HEAD.to_owned())).collect();
    for family in families().await {
        let is_its = |(_, beginnings): &&(&str, &[&str])| beginnings.iter().any(|text| family.name.starts_with(text));
        let (heading, _) = SECTIONS.iter().find(is_its).unwrap_or_else(|| panic!("{} has no section", family.name));
        let table = sections.get_mut(heading).unwrap();
        let labels: Vec<String> = family.labels.iter().map(|label| format!("`{label}`")).collect();
        // What all of a section end with is said once.
        let help = family.help.strip_suffix(CACHED).unwrap_or(&family.help);
        let _ = writeln!(table, "| `{}` | {} | {} | {help} |", family.name, family.kind, labels.join(", "));
    }
    for (heading, table) in sections {
        assert_table("METRICS.md", heading, &table);
    }
}

#[test]
fn every_value_of_a_closed_label_is_documented() {
    fn values<T: Copy>(all: &[T], text: fn(T) -> &'static str) -> String {
        all.iter().map(|value| format!("`{}`", text(*value))).collect::<Vec<_>>().join(", ")
    }
    let rows = [
        ("`api`", values(Api::ALL, Api::as_str)),
        ("`method`", values(ApiMethod::ALL, ApiMethod::as_str)),
        ("`category`", values(Category::ALL, Category::as_str)),
        ("`bucket`", values(Bucket::ALL, Bucket::as_str)),
        ("`reason` of `report_failure`, `api_request_failures_total`", values(Reason::ALL, Reason::as_str)),
        ("`reason` of `series_dropped_total`", values(DropReason::ALL, DropReason::as_str)),
        ("`reason` of `web_connections_refused_total`", values(RefusedReason::ALL, RefusedReason::as_str)),
        ("`handler`", values(Handler::ALL, Handler::as_str)),
    ];
    let rows = rows.map(|(label, values)| format!("| {label} | {values} |\n")).concat();
    assert_table("METRICS.md", "Values of labels", &format!("| label | values |\n|---|---|\n{rows}"));
}

/// A family as a scrape shows it.
#[derive(Default)]
struct Family {
    name: String,
    kind: String,
    help: String,
    /// In the order of the text, those that every series of its section has left out.
    labels: Vec<String>,
}

/// Every family, in the order of `/metrics`: some exist only while a bucket is closed, once the calibration has been
/// learned, or during a drop.
async fn families() -> Vec<Family> {
    let start: Timestamp = START.parse().unwrap();
    let hours = |hours: i64| start + SignedDuration::from_hours(hours);
    let shop = Property::new(SHOP, "Shop").pageviews_per_hour(2_400.0).outage(hours(4), hours(9));
    let empty = Fault::new(Effect::Refuse(Refusal::Exhausted(Refused::Hour))).on(Method::RunReport).property(NEWS);
    let account = Account::new("104112001", "Example").property(shop).property(Property::new(NEWS, "News"));
    let setup = Setup::of(World::new(7).account(account)).config(CONFIG).starting_at(START);
    let pair = setup.fault(empty).start().await;
    pair.until("the first outcomes", |metrics| {
        let are_up = PRESETS.iter().all(|report| metrics.is_up(SHOP, report));
        are_up && metrics.is_up(SHOP, "baseline") && metrics.has(NEWS, "quota_closed_until_timestamp_seconds")
    })
    .await;
    let mut families: Vec<Family> = read(&pair.get("/metrics").await.1);
    for _ in 0..QUARTERS {
        pair.advance(15 * 60);
        pair.next_request(Method::RunRealtimeReport, SHOP).await;
        pair.until("this quarter's pageviews", |metrics| {
            metrics.is_up(SHOP, "realtime") && metrics.has(SHOP, "realtime_pageviews")
        })
        .await;
        merge(&mut families, read(&pair.get("/metrics").await.1));
    }
    families
}

/// Adds what is new, each in its place.
fn merge(families: &mut Vec<Family>, seen: Vec<Family>) {
    let mut place = 0;
    for family in seen {
        if let Some(known) = families.iter().position(|known| known.name == family.name) {
            for label in family.labels {
                if !families[known].labels.contains(&label) {
                    families[known].labels.push(label);
                }
            }
            place = known + 1;
        } else {
            families.insert(place, family);
            place += 1;
        }
    }
}

fn read(text: &str) -> Vec<Family> {
    let label = Regex::new(r#"([a-z_]+)="(?:[^"\\]|\\.)*""#).unwrap();
    let mut families: Vec<Family> = Vec::new();
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            families.push(Family { name: name.to_owned(), help: help.to_owned(), ..Family::default() });
            continue;
        }
        let family = families.last_mut().expect("HELP comes first");
        if let Some((_, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            kind.clone_into(&mut family.kind);
            continue;
        }
        for label in label.captures_iter(line).map(|found| found[1].to_owned()) {
            if !["property_id", "le"].contains(&&*label) && !family.labels.contains(&label) {
                family.labels.push(label);
            }
        }
    }
    families
}

/// Half past ten in Berlin, so that yesterday's expectation appears on the way.
const START: &str = "2026-11-23T09:30:00Z";

/// Seven hours: one of them is an outage, after the three that the calibration takes.
const QUARTERS: usize = 28;

const CACHED: &str = " Cached; polled every google_analytics_report_interval_seconds.";

/// Every preset, under its own name.
const CONFIG: &str = "
discovery: {enabled: true}
quota: {share: 100%}
baseline: {quiet_days: [2025-11-26, 11-28]} # a day that ran out, and one that comes
reports:
  pages: {preset: pages}
  landing_pages: {preset: landing_pages}
  sources: {preset: sources}
  channels: {preset: channels}
  countries: {preset: countries}
  devices: {preset: devices}
  events: {preset: events}
  realtime_pages: {preset: realtime_pages}
  realtime_countries: {preset: realtime_countries}
  realtime_events: {preset: realtime_events}
";

const PRESETS: &[&str] = &[
    "pages",
    "landing_pages",
    "sources",
    "channels",
    "countries",
    "devices",
    "events",
    "realtime_pages",
    "realtime_countries",
    "realtime_events",
];

const HEAD: &str = "| metric | type | labels | HELP |\n|---|---|---|---|\n";

/// The headings of the document and how the names of their families begin; the first that fits counts.
const SECTIONS: &[(&str, &[&str])] = &[
    ("The exporter", &["google_analytics_exporter_"]),
    ("The process", &["process_"]),
    ("Quota", &["google_analytics_quota_"]),
    ("Properties and reports", &["google_analytics_property_", "google_analytics_report_"]),
    (
        "Traffic drops",
        &["google_analytics_monitor_", "google_analytics_yesterday_expected_", "google_analytics_quiet_day"],
    ),
    (
        "Presets",
        &[
            "google_analytics_pages_",
            "google_analytics_landing_pages_",
            "google_analytics_sources_",
            "google_analytics_channels_",
            "google_analytics_countries_",
            "google_analytics_devices_",
            "google_analytics_events_",
            "google_analytics_realtime_pages_",
            "google_analytics_realtime_countries_",
            "google_analytics_realtime_events_",
        ],
    ),
    ("Traffic", &["google_analytics_"]),
];
