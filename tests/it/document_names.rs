//! What documents name: flags, metrics, alerts and targets of make that do not exist mislead a reader.

use std::{collections::BTreeSet, fs};

use regex::Regex;

use crate::documents::{documents, root};

#[test]
fn every_flag_is_one_of_the_program() {
    let known = names(&read("docs/FLAGS.md"), r"`(--[a-z][a-z.-]*)");
    assert!(known.contains("--web.listen-address") && known.contains("--property"), "{known:?}");
    // Flags with a dot are the program's own, apart from those of Alertmanager's client.
    let dotted = r"(?:^|[^\w-])(--[a-z]+\.[a-z-]+)";
    all_exist(dotted, |flag| known.contains(flag) || flag.starts_with("--alertmanager."));
}

#[test]
fn every_metric_is_exported() {
    // Those of `sync` are in a file for node_exporter, not on /metrics.
    let documents = ["docs/METRICS.md", "docs/HISTORY.md"].map(read).concat();
    let known = names(&documents, r"`(google_analytics_\w+)[`{]");
    assert!(known.len() > 100, "{known:?}");
    // A name after a colon is a recorded one, and one before a dot a file.
    let metric = r"(?:^|[^\w:/.-])(google_analytics_\w+)(?:[^\w./]|$)";
    all_exist(metric, |name| {
        let begins = || known.iter().any(|other| other.starts_with(name));
        known.contains(name) || (name.ends_with('_') && begins()) || NO_METRICS.contains(&name)
    });
}

#[test]
fn every_alert_is_in_the_rules() {
    let rules = fs::read_dir(root().join("deploy/prometheus/rules")).unwrap();
    let rules: String = rules.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    let known = names(&rules, r"alert: (\w+)");
    assert!(known.len() > 10, "{known:?}");
    all_exist(r"\b(GoogleAnalytics[A-Z]\w+)", |alert| known.contains(alert));
}

#[test]
fn every_target_of_make_is_in_the_makefile() {
    let known = names(&read("Makefile"), r"(?m)^([a-z-]+):");
    all_exist(r"`make ([a-z-]+)", |target| known.contains(target));
}

/// Fails with every name in the documents that this pattern finds and that does not exist.
#[track_caller]
fn all_exist(pattern: &str, exists: impl Fn(&str) -> bool) {
    let documents = documents();
    let found = documents.iter().map(|(path, text)| (path, names(text, &format!("(?m){pattern}"))));
    let found: Vec<_> = found.flat_map(|(path, names)| names.into_iter().map(move |name| (path, name))).collect();
    assert!(!found.is_empty(), "{pattern} finds nothing");
    let missing: Vec<_> = found.into_iter().filter(|(_, name)| !exists(name)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Returns what the first group of a pattern matches.
fn names(text: &str, pattern: &str) -> BTreeSet<String> {
    let pattern = Regex::new(pattern).unwrap();
    pattern.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The program, and jobs of Prometheus.
const NO_METRICS: [&str; 2] = ["google_analytics_exporter", "google_analytics_demo"];
