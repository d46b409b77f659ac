//! What is shipped about the configuration says what the program does.

use std::{collections::BTreeSet, fs, path::Path};

use google_analytics_exporter::config::{
    Config,
    schema::{ANY_NAME, STALE_AFTER_OF_ALL, TABLES},
};

#[test]
fn the_example_does_what_an_empty_file_does() {
    let loaded = Config::from_file(Path::new(EXAMPLE)).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(loaded.config, Config::default());
    assert_eq!(loaded.warnings, []);
}

#[test]
fn the_example_has_every_key() {
    let text = uncommented_example();
    Config::from_yaml(&text, Path::new(EXAMPLE)).unwrap_or_else(|errors| panic!("{errors}"));
    let written: BTreeSet<String> = keys_of(&text).iter().map(|path| without_own_names(path)).collect();
    let known: BTreeSet<String> = TABLES.iter().flat_map(|table| table.names().map(|key| table.path_of(key))).collect();
    assert_eq!(written, known);
}

#[test]
fn a_key_with_its_documented_default_changes_nothing() {
    let mut checked = 0;
    for table in TABLES.iter().filter(|table| !table.path.contains(ANY_NAME)) {
        for key in table.keys.iter().filter(|key| !key.default.is_empty() && key.default != STALE_AFTER_OF_ALL) {
            let path = table.path_of(key.name);
            let depth = path.matches('.').count();
            let text = format!("{{{}: {}{}}}", path.replace('.', ": {"), key.default, "}".repeat(depth));
            let loaded =
                Config::from_yaml(&text, Path::new(EXAMPLE)).unwrap_or_else(|errors| panic!("{text}: {errors}"));
            assert_eq!(loaded.config, Config::default(), "{text}");
            checked += 1;
        }
    }
    assert_eq!(checked, 23);
}

#[test]
fn the_manual_lists_the_keys_of_the_program() {
    let manual = fs::read_to_string(MANUAL).unwrap();
    for table in TABLES {
        let rows: String = table
            .keys
            .iter()
            .map(|key| {
                let default = match key.default {
                    "" => "".to_owned(),
                    STALE_AFTER_OF_ALL => STALE_AFTER_OF_ALL.to_owned(),
                    default => format!("`{default}`"),
                };
                format!("| `{}` | {} | {default} | {} |\n", key.name, key.takes, key.about)
            })
            .collect();
        let expected = format!("| key | takes | default | what it is for |\n|---|---|---|---|\n{rows}");
        let heading = if table.path.is_empty() { "## The file".to_owned() } else { format!("## `{}`", table.path) };
        let (_, section) = manual.split_once(&format!("{heading}\n")).unwrap_or_else(|| panic!("no `{heading}`"));
        let section = section.split("\n## ").next().unwrap();
        assert!(section.trim_end().ends_with(expected.trim_end()), "{MANUAL}: `{heading}` must end in\n{expected}");
    }
}

#[test]
fn the_examples_of_the_manual_are_read() {
    let manual = fs::read_to_string(MANUAL).unwrap();
    let examples: Vec<&str> = manual.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(!examples.is_empty());
    for example in examples {
        let loaded =
            Config::from_yaml(example, Path::new(MANUAL)).unwrap_or_else(|errors| panic!("{errors}\n{example}"));
        assert_eq!(loaded.warnings, []);
    }
}

/// The example with the keys that it only shows: a `#` before a key or a dash, and no blank between.
fn uncommented_example() -> String {
    let text = fs::read_to_string(EXAMPLE).expect("the example is shipped");
    let mut uncommented = String::new();
    for line in text.lines() {
        let content = line.trim_start();
        let shown = content.strip_prefix('#').filter(|rest| !rest.is_empty());
        let shown = shown.filter(|rest| !rest.starts_with(' ') || rest.starts_with("  "));
        match shown {
            Some(rest) => uncommented += &format!("{}{rest}\n", " ".repeat(line.len() - content.len())),
            None => uncommented += &format!("{line}\n"),
        }
    }
    uncommented
}

/// The path of a key, whatever the report of one's own is called.
fn without_own_names(path: &str) -> String {
    let mut parts: Vec<&str> = path.split('.').collect();
    if let ["reports", name, ..] = parts.as_mut_slice()
        && !["realtime", "traffic"].contains(name)
    {
        *name = ANY_NAME;
    }
    parts.join(".")
}

/// Every key in block YAML or in a mapping in braces, with its path; a list's entries end in `[]`.
fn keys_of(text: &str) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let mut above: Vec<(usize, String)> = Vec::new();
    for line in text.lines() {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        let (indent, content, in_list) = match content.strip_prefix("- ") {
            Some(rest) => (indent + 2, rest, true),
            None => (indent, content, false),
        };
        let Some((key, _)) =
            content.split_once(':').filter(|(key, _)| key.chars().all(|c| c.is_alphanumeric() || c == '_'))
        else {
            continue;
        };
        above.retain(|(other, _)| *other < indent);
        if in_list && let Some((_, parent)) = above.last_mut().filter(|(_, parent)| !parent.ends_with("[]")) {
            parent.push_str("[]");
        }
        let path = above.last().map_or_else(|| key.to_owned(), |(_, parent)| format!("{parent}.{key}"));
        keys.insert(path.clone());
        above.push((indent, path));
    }
    keys
}

const EXAMPLE: &str = "deploy/google_analytics_exporter.yml";

const MANUAL: &str = "docs/CONFIGURATION.md";
