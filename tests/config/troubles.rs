//! docs/TROUBLESHOOTING.md quotes what the program says.

use std::fs;

#[test]
fn the_messages_that_are_explained_are_those_of_the_program() {
    let manual = fs::read_to_string("docs/TROUBLESHOOTING.md").unwrap();
    let said = fs::read_to_string("tests/config/snapshots/config__invalid.snap").unwrap();
    let (_, section) = manual.split_once("## It is refused at the start\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() >= 10);
    for row in rows {
        let message = row.split('|').nth(1).unwrap().trim();
        assert!(said.contains(message), "no bad file brings {message:?}");
    }
}

#[test]
fn the_metrics_that_are_named_exist() {
    for manual in ["docs/TROUBLESHOOTING.md", "docs/REPORTS.md"] {
        let text = fs::read_to_string(manual).unwrap();
        let source = fs::read_to_string("crates/ga4-exporter-core/src/exposition/quality.rs").unwrap()
            + &fs::read_to_string("crates/ga4-exporter-core/src/exposition/statuses.rs").unwrap();
        let names = text.split('`').filter(|word| word.starts_with("google_analytics_report_") && !word.contains('{'));
        for name in names {
            assert!(source.contains(&format!("\"{name}\"")), "{manual}: {name}");
        }
    }
}
