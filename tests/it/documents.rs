//! What is said in the documents: tables that are made from the program, links, and figures that stand twice.
//!
//! `DOCUMENTS_RENEW=1 cargo test --test it document` writes the tables.

use std::{
    env, fs,
    ops::Range,
    path::{Path, PathBuf},
    sync::Mutex,
};

use pulldown_cmark::{Event, Parser, Tag};

/// Asserts that the first table after this heading of a document is this one, to the character.
#[track_caller]
pub(crate) fn assert_table(document: &str, heading: &str, table: &str) {
    let path = root().join("docs").join(document);
    let _one_at_a_time = WRITING.lock();
    let text = fs::read_to_string(&path).unwrap();
    let place = place(&text, heading);
    let documented = &text[place.clone()];
    if env::var_os("DOCUMENTS_RENEW").is_some() {
        fs::write(&path, [&text[..place.start], table, &text[place.end..]].concat()).unwrap();
        return;
    }
    assert_eq!(documented, table, "DOCUMENTS_RENEW=1 puts {document}, {heading}, right");
}

/// Where the table is, from its first to the end of its last line.
fn place(text: &str, heading: &str) -> Range<usize> {
    let section = text.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no heading {heading}"));
    let begin = section + text[section..].find("\n|").expect("a table") + 1;
    let lines = text[begin..].split_inclusive('\n').take_while(|line| line.starts_with('|'));
    begin..begin + lines.map(str::len).sum::<usize>()
}

/// Tests run at the same time, and several write into one document.
static WRITING: Mutex<()> = Mutex::new(());

#[test]
fn the_table_after_a_heading_ends_with_its_last_row() {
    let text = "# A\n\n## B\n\nText.\n\n| a |\n|---|\n| 1 |\n\n| b |\n\n## C\n\n| c |\n";
    assert_eq!(&text[place(text, "B")], "| a |\n|---|\n| 1 |\n");
    assert_eq!(&text[place(text, "C")], "| c |\n");
}

#[test]
fn every_link_leads_to_a_file() {
    for (document, text) in documents() {
        for event in Parser::new(&text) {
            let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event else { continue };
            let path = dest_url.split('#').next().unwrap();
            if !path.is_empty() && !path.contains("://") {
                assert!(document.parent().unwrap().join(path).exists(), "{}: {dest_url}", document.display());
            }
        }
    }
}

#[test]
fn the_readme_lists_every_document() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for (document, _) in documents().iter().filter(|(path, _)| path.starts_with(root().join("docs"))) {
        let name = document.file_name().unwrap().to_str().unwrap();
        assert!(readme.contains(&format!("| [{name}](docs/{name}) |")), "{name} is not in the README");
    }
    assert!(readme.lines().count() <= 250, "the README is for the first ten minutes");
}

/// How long a page takes by size of the site is in the runbook too.
#[test]
fn the_runbook_has_the_delays_that_were_measured() {
    let row = |document: &str, beginning: &str| -> Vec<String> {
        let text = fs::read_to_string(root().join("docs").join(document)).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("| {beginning} |")).map(str::to_owned));
        let line = line.unwrap_or_else(|| panic!("{document} has no row {beginning}"));
        line.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let measured = row("DROP-DETECTION.md", "1 h, ours");
    for (place, size) in [(2, "100 to 300"), (3, "300 to 1,000"), (4, "more than 1,000")] {
        let delays: Vec<String> =
            measured[place].split(" / ").skip(1).map(|minutes| format!("{minutes} minutes")).collect();
        assert_eq!(row("RUNBOOK.md", size)[..2], delays, "{size}");
    }
}

/// The Markdown that users read, with its path.
pub(crate) fn documents() -> Vec<(PathBuf, String)> {
    let files = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|end| end == "md"));
    let others = ["README.md", "CHANGELOG.md", "SECURITY.md", "deploy/compose/README.md"];
    let files = files.chain(others.map(|path| root().join(path)));
    files.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
