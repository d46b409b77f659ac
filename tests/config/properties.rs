//! What holds for every text and every configuration.

use std::{path::Path, time::Duration};

use ga4_drop_baseline::calendar::QuietDays;
use ga4_exporter_core::report::{
    BaselineSettings, ReportSettings, StaleAfter,
    fields::{self, Field},
};
use google_analytics_exporter::config::{Config, ConfiguredProperty, Discovery};
use jiff::{ToSpan, civil::Date};
use proptest::{collection, option, prelude::*, sample};
use regex::Regex;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused_in_order(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn anything_like_yaml_is_read_or_refused_in_order(pieces in collection::vec(sample::select(PIECES), 0..40)) {
        check(&pieces.concat())?;
    }

    #[test]
    fn a_broken_example_is_read_or_refused_in_order(at in any::<sample::Index>(), piece in sample::select(PIECES)) {
        let example = include_str!("../../deploy/google_analytics_exporter.yml");
        let characters: Vec<char> = example.chars().collect();
        let (before, after) = characters.split_at(at.index(characters.len()));
        check(&format!("{}{piece}{}", String::from_iter(before), String::from_iter(after)))?;
    }

    #[test]
    fn a_configuration_reads_back_as_it_was_written(config in config()) {
        let text = config.to_yaml();
        match Config::from_yaml(&text, Path::new("/etc/config.yml")) {
            Ok(loaded) => prop_assert_eq!(loaded.config, config, "{}", text),
            Err(errors) => prop_assert!(false, "{}\n{}", errors, text),
        }
    }
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let problems = match Config::from_yaml(text, Path::new("config.yml")) {
        Ok(loaded) => loaded.warnings,
        Err(errors) => errors.problems().to_vec(),
    };
    for problem in &problems {
        let line = problem.to_string();
        prop_assert!(line.starts_with("config.yml:") && line.lines().count() == 1, "{}", line);
        prop_assert!(problem.position().line >= 1 && problem.position().column >= 1, "{}", line);
    }
    prop_assert!(problems.is_sorted_by_key(|problem| problem.position()));
    Ok(())
}

fn config() -> impl Strategy<Value = Config> {
    let google = (option::of("/[a-zA-Z0-9 ä\"'\\\\#:.-]{1,20}"), option::of(1..=10_000_usize), 1..=10_usize);
    let labels = collection::btree_map("[a-d][a-z0-9]{0,8}", label_value(), 0..4);
    let properties = collection::btree_map(1..u64::MAX, labels, 0..5);
    let patterns = || collection::vec("[a-z(?i)|^$.\\\\\" 'ä]{1,12}", 0..3);
    let discovery = option::of((seconds(60), patterns(), patterns()));
    let reports = (report(fields::REALTIME), report(fields::TRAFFIC), baseline());
    (google, properties, discovery, reports).prop_map(|(google, properties, discovery, reports)| {
        let mut config = Config::default();
        config.google.credentials_file = google.0.map(Into::into);
        config.google.max_requests_in_flight = google.1;
        config.google.max_requests_in_flight_per_property = google.2;
        let label = |(name, value): (String, String)| (name.parse().expect("the strategy makes names only"), value);
        config.properties = properties
            .into_iter()
            .map(|(id, labels)| ConfiguredProperty {
                id: id.to_string().parse().expect("the strategy makes ids only"),
                labels: labels.into_iter().map(label).collect(),
            })
            .collect();
        let compiled = |patterns: Vec<String>| patterns.iter().filter_map(|text| Regex::new(text).ok()).collect();
        config.discovery = discovery.map(|(interval, include, exclude)| Discovery {
            interval,
            include: compiled(include),
            exclude: compiled(exclude),
        });
        if config.properties.is_empty() {
            config.discovery.get_or_insert_default();
        }
        (config.realtime, config.traffic, config.baseline) = reports;
        config
    })
}

/// Any text but for NUL, and the ones that YAML would take for something else.
fn label_value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>().prop_map(|text| text.replace('\0', "")),
        sample::select(SPECIAL).prop_map(str::to_owned)
    ]
}

fn report(known: &'static [Field]) -> impl Strategy<Value = ReportSettings> {
    let names: Vec<_> = known.iter().map(|field| field.name).collect();
    let metrics = sample::subsequence(names, 1..=known.len());
    (any::<bool>(), seconds(1), stale_after(), metrics).prop_map(|(enabled, interval, stale_after, metrics)| {
        ReportSettings { enabled, interval, stale_after, metrics }
    })
}

fn baseline() -> impl Strategy<Value = BaselineSettings> {
    let day = "20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])";
    let quiet_day = prop_oneof![
        day,
        "(0[1-9]|1[0-2])-(0[1-9]|[12][0-9])",
        (day, 0..=182_i32).prop_map(|(first, days)| {
            let date: Date = first.parse().expect("the strategy makes dates only");
            format!("{first}..{}", date + days.days())
        }),
        "(10|11|12)-30\\.\\.01-0[1-9]",
    ];
    let quiet_days = collection::vec(quiet_day, 0..8).prop_map(|days| {
        QuietDays::new(days.iter().map(|day| day.parse().expect("the strategy makes days only")).collect())
    });
    (any::<bool>(), 2..=26_usize, stale_after(), quiet_days).prop_map(|(enabled, weeks, stale_after, quiet_days)| {
        BaselineSettings { enabled, weeks, stale_after, quiet_days }
    })
}

fn stale_after() -> impl Strategy<Value = StaleAfter> {
    prop_oneof![(1.0..=100.0_f64).prop_map(StaleAfter::Intervals), seconds(1).prop_map(StaleAfter::Fixed)]
}

/// Up to a day, in milliseconds.
fn seconds(least: u64) -> impl Strategy<Value = Duration> {
    (least * 1000..=86_400_000).prop_map(Duration::from_millis)
}

const SPECIAL: &[&str] =
    &["", "true", "null", "~", "1.10", "0x1F", "- a", "a: b", "# c", "*a", "&a", "!a", "\u{feff}", "\u{85}"];

const PIECES: &[&str] = &[
    "google",
    "properties",
    "discovery",
    "reports",
    "realtime",
    "traffic",
    "baseline",
    "weeks",
    "metrics",
    "interval",
    "labels",
    "id",
    "stale_after",
    "include",
    ": ",
    ":",
    "\n",
    "\n  ",
    "\n    ",
    "\n- ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "'",
    "\"",
    "|\n",
    ">\n",
    "&a ",
    "*a",
    "<<: ",
    "!!int ",
    "!x ",
    "#",
    "\t",
    "---\n",
    "...",
    "? ",
    "%",
    "@",
    "`",
    "\\",
    "\0",
    "\r",
    "\u{feff}",
    "quiet_days",
    "3x",
    "12-25",
    "2026-04-03",
    "..",
    "holidays.ics",
    "15m",
    "15",
    "true",
    "null",
    "~",
    "123456789",
    "G-ABC",
    "pageviews",
    "ä",
    "\u{1f600}",
    "-5",
    "1e99",
    ".inf",
];
