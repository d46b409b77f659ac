//! Reports that many people want, by name: each a definition that can be tuned.

use std::time::Duration;

use super::{
    Day, Range, Scope, StaleAfter,
    draft::{Counted, Draft, Split},
    fields::{self, FieldKind, Known},
    filter::Filter,
};
use crate::names::{Category, ReportName};

/// A report that many people want.
#[derive(Debug, Eq, PartialEq)]
pub struct Preset {
    /// Its name in the configuration.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// Which kind of report it is.
    pub category: Category,
    /// Google's names of what its rows are split by; the labels follow from them.
    pub dimensions: &'static [&'static str],
    /// Google's names of what it counts; rows are in descending order of the first.
    pub metrics: &'static [&'static str],
    /// How many rows.
    pub limit: u32,
    /// From one poll to the next.
    pub interval: Duration,
}

impl Preset {
    /// The preset of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// The report as somebody would write it.
    pub fn draft(&self, name: ReportName) -> Draft {
        let known = |kind, field: &&str| fields::find(kind, field, self.category).expect(WELL_FORMED);
        let metric = |field: Known| Counted::new(None, field, None).expect(WELL_FORMED);
        let dimension = |field: Known| Split::new(None, field).expect(WELL_FORMED);
        Draft {
            name,
            category: self.category,
            scope: Scope::All,
            interval: self.interval,
            stale_after: StaleAfter::Intervals(3.0),
            dimensions: self.dimensions.iter().map(|field| dimension(known(FieldKind::Dimension, field))).collect(),
            metrics: self.metrics.iter().map(|field| metric(known(FieldKind::Metric, field))).collect(),
            range: self.range(),
            filter: Filter::default(),
            filtered: Vec::new(),
            order: Vec::new(),
            limit: Some(self.limit),
            max_series: MAX_SERIES,
        }
    }

    /// What it covers.
    pub fn range(&self) -> Range {
        match self.category {
            Category::Core => Range::Days(Day::Ago(0), Day::Ago(0)),
            Category::Realtime => Range::LAST_MINUTES,
        }
    }
}

const fn preset(
    (category, interval): (Category, Duration),
    name: &'static str,
    about: &'static str,
    dimensions: &'static [&'static str],
    metrics: &'static [&'static str],
    limit: u32,
) -> Preset {
    Preset { name, about, category, dimensions, metrics, limit, interval }
}

/// Every preset, in the order of the documentation.
pub const PRESETS: &[Preset] = &[
    preset(
        CORE,
        "pages",
        "the pages with the most views",
        &["hostName", "pagePath"],
        &["screenPageViews", "activeUsers"],
        20,
    ),
    preset(
        CORE,
        "landing_pages",
        "the pages on which most sessions begin",
        &["hostName", "landingPage"],
        &["sessions", "engagedSessions"],
        20,
    ),
    preset(
        CORE,
        "sources",
        "where sessions come from",
        &["sessionSource", "sessionMedium"],
        &["sessions", "activeUsers", "keyEvents"],
        20,
    ),
    preset(
        CORE,
        "channels",
        "the same in Google's groups",
        &["sessionDefaultChannelGroup"],
        &["sessions", "activeUsers", "keyEvents"],
        20,
    ),
    preset(CORE, "countries", "the countries with the most users", &["countryId"], &["activeUsers", "sessions"], 50),
    preset(
        CORE,
        "devices",
        "kinds of devices",
        &["deviceCategory"],
        &["activeUsers", "sessions", "screenPageViews"],
        10,
    ),
    preset(CORE, "events", "events by name", &["eventName"], &["eventCount", "activeUsers"], 100),
    preset(
        REALTIME,
        "realtime_pages",
        "the screens that are viewed now",
        &["unifiedScreenName"],
        &["screenPageViews"],
        20,
    ),
    preset(REALTIME, "realtime_countries", "where users are now", &["countryId"], &["activeUsers"], 50),
    preset(REALTIME, "realtime_events", "the events that happen now", &["eventName"], &["eventCount"], 100),
];

/// From one poll of a core report to the next, unless the configuration says otherwise.
pub const CORE_INTERVAL: Duration = Duration::from_hours(1);

/// The same of a realtime report.
pub const REALTIME_INTERVAL: Duration = Duration::from_mins(2);

const CORE: (Category, Duration) = (Category::Core, CORE_INTERVAL);

const REALTIME: (Category, Duration) = (Category::Realtime, REALTIME_INTERVAL);

/// How many rows a report with dimensions wants, unless the configuration says otherwise.
pub const LIMIT: u32 = 100;

/// How many series a report has at most, unless the configuration says otherwise.
pub const MAX_SERIES: usize = 1000;

const WELL_FORMED: &str = "the names of presets are known: see the tests";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Report;

    #[test]
    fn every_preset_is_a_report_without_doubts() {
        let mut families = std::collections::BTreeSet::new();
        for preset in PRESETS {
            let draft = preset.draft(preset.name.parse().unwrap());
            assert_eq!(draft.findings(), [], "{}", preset.name);
            let report = Report::new(draft.definition()).unwrap();
            assert_eq!(report.families.len(), preset.metrics.len());
            for family in &report.families {
                assert!(families.insert(family.name.clone()), "{}", family.name);
            }
            assert!(report.is_labelled() && !report.is_essential());
        }
        assert_eq!(PRESETS.len(), 10);
    }

    #[test]
    fn labels_and_metrics_are_those_of_the_documentation() {
        let shown = |name: &str| {
            let draft = Preset::named(name).unwrap().draft(name.parse().unwrap());
            let labels: Vec<_> = draft.dimensions.iter().map(|split| split.label.to_string()).collect();
            let metrics: Vec<_> = draft.metrics.iter().map(|counted| counted.name.to_string()).collect();
            format!("{} | {}", labels.join(", "), metrics.join(", "))
        };
        assert_eq!(shown("pages"), "host_name, page_path | pageviews, active_users");
        assert_eq!(shown("sources"), "session_source, session_medium | sessions, active_users, key_events");
        assert_eq!(shown("events"), "event_name | events, active_users");
        assert_eq!(shown("realtime_pages"), "unified_screen_name | pageviews");
        assert_eq!(Preset::named("page"), None);
    }
}
