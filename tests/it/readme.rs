//! The README names what there is.

use std::{collections::BTreeSet, fs, path::Path};

fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The names in the first column of the README's tables, with braces and window names spelled out.
fn documented() -> BTreeSet<String> {
    let readme = file("README.md");
    let rows = readme.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    let mut names = BTreeSet::new();
    for cell in cells {
        let words: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        let (windows, words): (Vec<&str>, Vec<&str>) = words.into_iter().partition(|word| word.ends_with('…'));
        let beginnings: Vec<&str> = if windows.is_empty() { vec![""] } else { windows };
        for beginning in beginnings {
            for word in &words {
                names.extend(spelled_out(&format!("{}{word}", beginning.trim_end_matches('…'))));
            }
        }
    }
    names
}

fn spelled_out(word: &str) -> Vec<String> {
    match (word.split_once('{'), word.split_once('}')) {
        (Some((before, _)), Some((inner, after))) => {
            let inner = inner.split_once('{').map_or("", |(_, inner)| inner);
            inner.split(',').map(|part| format!("{before}{part}{after}")).collect()
        }
        _ => vec![word.to_owned()],
    }
}

#[test]
fn every_metric_is_in_the_readme_and_every_one_there_exists() {
    let golden = file("tests/it/snapshots/it__scrape__the_whole_of_metrics.snap");
    let types = golden.lines().filter_map(|line| line.strip_prefix("# TYPE google_analytics_"));
    let exported: BTreeSet<String> = types.filter_map(|rest| rest.split(' ').next()).map(str::to_owned).collect();
    let documented = documented();
    for name in &exported {
        let short = name.strip_prefix("exporter_").unwrap_or(name);
        assert!(documented.contains(short), "{name} is not in the README");
    }
    // Only while a bucket is closed, and only after three hours.
    let later = ["quota_closed_until_timestamp_seconds", "baseline_calibration_ratio"];
    for name in documented.iter().filter(|name| !name.starts_with(['-', '/']) && !later.contains(&name.as_str())) {
        assert!(exported.contains(name) || exported.contains(&format!("exporter_{name}")), "{name} does not exist");
    }
}

#[test]
fn every_flag_is_in_the_readme() {
    use clap::CommandFactory;
    let readme = file("README.md");
    let command = google_analytics_exporter::cli::Cli::command();
    let subcommands = command.get_subcommands().flat_map(clap::Command::get_arguments);
    for argument in command.get_arguments().chain(subcommands) {
        let flag = argument.get_long().unwrap();
        assert!(readme.contains(&format!("`--{flag}")), "--{flag} is not in the README");
    }
}
