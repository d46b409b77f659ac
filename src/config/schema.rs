//! The keys of the configuration file: type, default and purpose.
//!
//! One table for the reader, its messages and docs/CONFIGURATION.md, so that they cannot differ.

/// The keys of one mapping of the file.
#[derive(Debug)]
pub struct Table {
    /// The path of the mapping, such as `reports.realtime`; empty for the file itself. Entries of a list end in `[]`.
    pub path: &'static str,
    /// The keys, in the order of the documentation.
    pub keys: &'static [Key],
}

/// A key.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// The type, as text.
    pub takes: &'static str,
    /// The default, or empty.
    pub default: &'static str,
    /// The purpose.
    pub about: &'static str,
}

impl Table {
    /// Returns the path of one of the table's keys.
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The table's keys by name.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().map(|key| key.name)
    }
}

/// Every table, in the order of the documentation.
pub const TABLES: &[&Table] = &[
    &ROOT,
    &GOOGLE,
    &PROPERTY,
    &DISCOVERY,
    &QUOTA,
    &LIMITS,
    &REPORTS,
    &REALTIME,
    &TRAFFIC,
    &OWN_REPORT,
    &BASELINE,
    &SYNC,
];

pub(super) const ROOT: Table = Table {
    path: "",
    keys: &[
        key("google", "a mapping", "", "how Google is reached"),
        key("properties", "a list", "", "the properties to export, beside those that discovery finds"),
        key("discovery", "a mapping", "", "finds the properties that the credentials can see"),
        key("quota", "a mapping", "", "how much of Google's quota may be spent"),
        key("limits", "a mapping", "", "how much there may be before the exporter refuses it"),
        key("stale_after", STALE_AFTER, "3x", "how long values hold without a successful poll, for every report"),
        key("reports", "a mapping", "", "the reports that are polled for every property"),
        key("baseline", "a mapping", "", "what traffic is usual, so that drops can be seen"),
        key("sync", "a mapping", "", "what the command `sync` keeps in a database"),
    ],
};

pub(super) const GOOGLE: Table = Table {
    path: "google",
    keys: &[
        key(
            "credentials_file",
            "a path, relative to this file's directory",
            "",
            "the service account's JSON key; without it, the places that Google's own tools look in",
        ),
        key(
            "max_requests_in_flight",
            "a whole number, 1 to 10000",
            "",
            "how many requests may wait for Google's answer at once; without it, 32 or what the number of properties needs",
        ),
        key(
            "max_requests_in_flight_per_property",
            "a whole number, 1 to 10",
            "4",
            "the same for one property; Google allows 10 for all of a property's users together",
        ),
    ],
};

pub(super) const PROPERTY: Table = Table {
    path: "properties[]",
    keys: &[
        key(
            "id",
            "a property's number, or `properties/` and the number",
            "",
            "which property; may stand alone: `- 123456789`",
        ),
        key(
            "labels",
            "a mapping of names to texts, at most 20",
            "",
            "labels of your own for `google_analytics_property_info`; `team` and `alert_severity` (`critical`, `warning`, `info`, `none`) reach the alerts",
        ),
    ],
};

pub(super) const DISCOVERY: Table = Table {
    path: "discovery",
    keys: &[
        key("enabled", TRUTH, "true", "whether properties are looked for at all"),
        key("interval", "a duration, 1m to 24h", "1h", "from one listing to the next"),
        key(
            "include",
            PATTERNS,
            "[]",
            "only properties with a display name that one of these matches; none: all of them",
        ),
        key("exclude", PATTERNS, "[]", "no properties with a display name that one of these matches, included or not"),
    ],
};

pub(super) const QUOTA: Table = Table {
    path: "quota",
    keys: &[
        key(
            "share",
            "a percentage, 1% to 100%",
            "25%",
            "how much of every token bucket of a property this exporter may spend; reports that would spend more are polled \
             less often",
        ),
        key(
            "commands_share",
            "a percentage, 1% to 100%",
            "10%",
            "the same for one command, such as `query`; commands never take a bucket below 10 % of what it holds when full",
        ),
    ],
};

pub(super) const LIMITS: Table = Table {
    path: "limits",
    keys: &[
        key(
            "properties",
            "a whole number, 1 to 100000",
            "20000",
            "how many properties Google may list; a longer listing is refused as a whole, and the properties that are known \
             stay",
        ),
        key(
            "series",
            "a whole number, 1 to 10000000",
            "200000",
            "how many series reports of your own may have, all properties together; rows beyond are dropped and counted",
        ),
        key("series_per_property", "a whole number, 1 to 1000000", "5000", "the same for one property"),
    ],
};

pub(super) const REPORTS: Table = Table {
    path: "reports",
    keys: &[
        key("realtime", "a mapping", "", "the last 30 minutes, and the last five whole ones"),
        key("traffic", "a mapping", "", "today, yesterday, and the 7 and 28 days before today"),
        key(ANY_NAME, "a mapping", "", "a report of your own; its name is the beginning of its metrics' names"),
    ],
};

/// What stands in paths for the name of a report of one's own.
pub const ANY_NAME: &str = "<name>";

pub(super) const REALTIME: Table = Table {
    path: "reports.realtime",
    keys: &[
        key("enabled", TRUTH, "true", "whether the report is polled"),
        key("interval", INTERVAL, "1m", "from one poll to the next"),
        key("stale_after", STALE_AFTER, STALE_AFTER_OF_ALL, "how long its values hold without a successful poll"),
        key(
            "metrics",
            "a list of some of the default's names",
            "[pageviews, active_users, events, key_events]",
            "what it exports",
        ),
    ],
};

pub(super) const TRAFFIC: Table = Table {
    path: "reports.traffic",
    keys: &[
        key("enabled", TRUTH, "true", "whether the report is polled"),
        key("interval", INTERVAL, "15m", "from one poll to the next"),
        key("stale_after", STALE_AFTER, STALE_AFTER_OF_ALL, "how long its values hold without a successful poll"),
        key(
            "metrics",
            "a list of some of the default's names",
            "[pageviews, visitors, active_users, new_users, sessions, engaged_sessions, events, key_events]",
            "what it exports",
        ),
    ],
};

pub(super) const OWN_REPORT: Table = Table {
    path: "reports.<name>",
    keys: &[
        key("enabled", TRUTH, "true", "whether the report is polled"),
        key("preset", "the name of a preset", "", "what holds where the report does not say it itself"),
        key("realtime", TRUTH, "false", "whether it is on the last 30 minutes rather than on days"),
        key(
            "dimensions",
            "a list of dimensions, or a mapping of labels to dimensions; at most 9, those of the filter included",
            "",
            "what its rows are split by; none: one row",
        ),
        key(
            "metrics",
            "a list of metrics, or a mapping of names to metrics; 1 to 10",
            "",
            "what it counts; `{field: customEvent:price, unit: currency}` where your property defines the metric",
        ),
        key(
            "date_range",
            "`today`, `yesterday`, `trailing_7d`, `trailing_28d`, or `{from: 3daysAgo, to: today}`",
            "today",
            "which days it covers, in the property's time zone; not for realtime reports",
        ),
        key("filter", "a condition, or several joined by `and`, `or` and `not`", "", "which rows it wants"),
        key(
            "order_by",
            "a label or a metric's name, with `-` before it for descending order; or a list of such",
            "",
            "which rows come first; without it, those with the most of the first metric",
        ),
        key(
            "limit",
            "a whole number, 1 to 10000",
            "100",
            "how many rows it asks for, where it has dimensions; a preset has its own",
        ),
        key(
            "max_series",
            "a whole number, 1 to 100000",
            "1000",
            "how many series it may have for each property; rows beyond are dropped and counted",
        ),
        key("interval", INTERVAL, "1h", "from one poll to the next; `2m` is the default of realtime reports"),
        key("stale_after", STALE_AFTER, STALE_AFTER_OF_ALL, "how long its values hold without a successful poll"),
        key(
            "properties",
            "a list of properties' numbers",
            "",
            "for which properties it is polled; without it, for all",
        ),
    ],
};

/// The days of a report of one's own, where they have no name.
pub(super) const DATE_RANGE: Table = Table {
    path: "reports.<name>.date_range",
    keys: &[
        key("from", "a day: `2026-01-31`, `today`, `yesterday` or `3daysAgo`", "", "the first day"),
        key("to", "a day", "today", "the last day"),
    ],
};

/// A metric that a property defines itself.
pub(super) const OWN_METRIC: Table = Table {
    path: "reports.<name>.metrics.<name>",
    keys: &[key("field", "a metric", "", "Google's name for it"), key("unit", "a unit", "", "what its numbers are in")],
};

pub(super) const BASELINE: Table = Table {
    path: "baseline",
    keys: &[
        key("enabled", TRUTH, "true", "whether what is usual is found out and exported"),
        key("weeks", "a whole number, 2 to 26", "8", "how much history it is made of"),
        key("stale_after", STALE_AFTER, STALE_AFTER_OF_ALL, "how long it holds without a successful poll"),
        key(
            "quiet_days",
            "a list of days, ranges of days, and iCalendar files, at most 1000",
            "[]",
            "days with less traffic than their weekday has, such as public holidays",
        ),
    ],
};

pub(super) const SYNC: Table = Table {
    path: "sync",
    keys: &[
        key(
            "database",
            "`sqlite:PATH`, relative to this file's directory, or `postgres://…`",
            "",
            "where the figures go; without it, `--database` or `sqlite:google_analytics.db` in the working directory",
        ),
        key(
            "from",
            "a day: `2024-01-31`, `yesterday` or `400daysAgo`",
            "400daysAgo",
            "the first day; of a property that is younger, the day on which it was made",
        ),
        key(
            "lookback",
            "whole days, 3d to 90d",
            "7d",
            "how many days are asked for again every time: Google revises a day for 72 hours, and key events for up to 90 days",
        ),
        key(
            "reports",
            "a list of reports or presets",
            "[daily]",
            "what is kept; `daily` is built in: the metrics of `traffic` by day",
        ),
    ],
};

/// An entry of `quiet_days` that selects events. Not among [`TABLES`], since an example would need the file.
pub(super) const QUIET_CALENDAR: Table = Table {
    path: "baseline.quiet_days[]",
    keys: &[
        key("calendar", "a path, relative to this file's directory", "", "an iCalendar file"),
        key("include", "a list of patterns", "", "what an event's name or one of its categories must match"),
        key("exclude", "a list of patterns", "", "what neither may match"),
    ],
};

/// The default of a report's `stale_after`, as text: the file's own.
pub const STALE_AFTER_OF_ALL: &str = "that of the file";

const TRUTH: &str = "`true` or `false`";

const INTERVAL: &str = "a duration, 1s to 24h";

const STALE_AFTER: &str = "intervals, `1x` to `100x`, or a duration, 1s to 30d";

const PATTERNS: &str = "a list of regular expressions, at most 100";

const fn key(name: &'static str, takes: &'static str, default: &'static str, about: &'static str) -> Key {
    Key { name, takes, default, about }
}

#[cfg(test)]
mod tests {
    use super::{super::value, *};
    use ga4_exporter_core::report::fields;

    #[test]
    fn the_words_are_those_of_the_limits() {
        assert!(INTERVAL.ends_with(value::INTERVAL.words));
        assert!(STALE_AFTER.ends_with(value::FIXED_STALE_AFTER.words));
        let discovery = DISCOVERY.keys.iter().find(|key| key.name == "interval").unwrap();
        assert!(discovery.takes.ends_with(value::DISCOVERY_INTERVAL.words));
    }

    #[test]
    fn the_metrics_are_those_of_the_reports() {
        for (table, known) in [(REALTIME, fields::REALTIME), (TRAFFIC, fields::TRAFFIC)] {
            let names: Vec<_> = known.iter().map(|field| field.name).collect();
            let metrics = table.keys.iter().find(|key| key.name == "metrics").unwrap();
            assert_eq!(metrics.default, format!("[{}]", names.join(", ")));
        }
    }
}
