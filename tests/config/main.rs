//! Configuration files: what is read from good ones, and the exact messages about bad ones.

use std::{
    fs,
    path::{Path, PathBuf},
};

use google_analytics_exporter::config::Config;

mod calendars;
mod documents;
mod fields;
mod mistakes;
mod properties;
mod troubles;

#[test]
fn good_files_are_read_as_they_are_meant() {
    let mut report = String::new();
    for path in fixtures("good-") {
        let loaded = Config::from_file(&path).unwrap_or_else(|errors| panic!("{errors}"));
        let warnings: String = loaded.warnings.iter().map(|warning| format!("warning: {warning}\n")).collect();
        report += &format!("=== {}\n{warnings}{}\n", path.display(), loaded.config.to_yaml());
    }
    let here = std::path::absolute(".").unwrap();
    insta::assert_snapshot!("good", report.replace(here.to_str().unwrap(), "<HERE>"));
}

#[test]
fn bad_files_are_refused_with_all_that_is_wrong() {
    let mut report = String::new();
    for path in fixtures("invalid-") {
        let Err(errors) = Config::from_file(&path) else { panic!("{} is read", path.display()) };
        report += &format!("=== {}\n{errors}\n\n", path.display());
    }
    insta::assert_snapshot!("invalid", report);
}

#[test]
fn every_message_has_a_place_in_the_file_and_says_how_to_mend_it() {
    for path in fixtures("") {
        let lines = String::from_utf8_lossy(&fs::read(&path).unwrap()).lines().count() as u64;
        let problems = match Config::from_file(&path) {
            Ok(loaded) => loaded.warnings,
            Err(errors) => errors.problems().to_vec(),
        };
        assert!(problems.is_sorted_by_key(|problem| problem.position()), "{}", path.display());
        for problem in problems {
            let position = problem.position();
            assert!((1..=lines.max(1)).contains(&position.line) && position.column >= 1, "{problem}");
            assert!(problem.message().contains(';') || problem.message().contains(": use "), "no advice: {problem}");
            assert_eq!(problem.to_string().lines().count(), 1, "{problem}");
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_says_why() {
    let errors = Config::from_file(Path::new("tests/fixtures/config/no-such.yml")).unwrap_err();
    assert_eq!(errors.to_string(), "cannot read the configuration file `tests/fixtures/config/no-such.yml`");
    let cause = std::error::Error::source(&errors).unwrap();
    assert!(cause.to_string().contains("No such file"), "{cause}");
}

#[test]
fn a_file_beyond_the_limit_is_refused_without_reading_it_all() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("large.yml");
    fs::write(&path, "#".repeat(1 << 20)).unwrap();
    assert!(Config::from_file(&path).is_ok(), "exactly 1 MiB is allowed");
    fs::write(&path, "#".repeat((1 << 20) + 1)).unwrap();
    let message = Config::from_file(&path).unwrap_err().problems()[0].to_string();
    assert!(message.ends_with("large.yml:1:1: the file is larger than 1024 KiB, the most that is read; list fewer properties, or let discovery find them"), "{message}");
    #[cfg(unix)]
    assert!(Config::from_file(Path::new("/dev/zero")).is_err());
}

#[test]
fn over_ten_thousand_properties_may_share_the_labels_of_an_anchor() {
    let shared = "labels: &shared {team: web, tier: gold, owner: me}";
    let mut text = format!("properties:\n  - id: 1\n    {shared}\n");
    for id in 2..=10_002 {
        text += &format!("  - {{id: {id}, labels: {{<<: *shared, site: shop-{id}}}}}\n");
    }
    let loaded = Config::from_yaml(&text, Path::new("many.yml")).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(loaded.config.properties.len(), 10_002);
    assert!(loaded.config.properties[1..].iter().all(|property| property.labels.len() == 4));
}

#[test]
fn properties_of_the_command_line_stand_in_for_those_of_the_file() {
    let id = "7".parse().unwrap();
    let good = |name: &str| Config::from_file_with(&fixture(name), &[id, id]);

    let alone = good("good-empty.yml").unwrap().config;
    assert_eq!(alone.properties.len(), 1);
    assert_eq!(alone.properties[0].id, id);
    assert_eq!(alone.discovery, None);

    let beside = good("good-slow-realtime.yml").unwrap().config;
    assert_eq!(beside.discovery, None);
    let empty = good("good-blocks-without-content.yml").unwrap().config;
    assert_eq!(empty.discovery, None, "a key with nothing after it is as if left out");
    assert!(good("invalid-nothing-to-export.yml").is_ok(), "there is something to export now");

    let message = good("good-properties-only.yml").unwrap_err().to_string();
    assert_eq!(
        message,
        "tests/fixtures/config/good-properties-only.yml:1:13: `properties` are listed here and given on the command \
         line too; keep one of the two"
    );
}

#[test]
fn the_key_file_is_found_beside_the_configuration() {
    let from =
        |text: &str, file: &str| Config::from_yaml(text, Path::new(file)).unwrap().config.google.credentials_file;
    let relative = "google: {credentials_file: keys/key.json}";
    assert_eq!(from(relative, "/etc/exporter/config.yml"), Some(PathBuf::from("/etc/exporter/keys/key.json")));
    assert_eq!(from(relative, "config.yml"), Some(PathBuf::from("keys/key.json")));
    let absolute = "google: {credentials_file: /run/key.json}";
    assert_eq!(from(absolute, "/etc/exporter/config.yml"), Some(PathBuf::from("/run/key.json")));

    let file = Config::from_file(&fixture("good-full.yml")).unwrap().config.google.credentials_file.unwrap();
    assert!(file.is_absolute(), "{}", file.display());
}

fn fixture(name: &str) -> PathBuf {
    Path::new("tests/fixtures/config").join(name)
}

/// The fixtures whose names begin so, sorted.
fn fixtures(prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir("tests/fixtures/config").expect("tests run in the package's directory");
    let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("fixtures have plain names");
    let mut names: Vec<_> = entries.map(|entry| name(entry.expect("the directory is readable"))).collect();
    names.retain(|name| name.starts_with(prefix) && name.ends_with(".yml"));
    names.sort();
    assert!(!names.is_empty());
    names.iter().map(|name| fixture(name)).collect()
}
