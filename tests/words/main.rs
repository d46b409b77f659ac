//! The words of docs/GLOSSARY.md: those that slow a reader down do not get into what operators read.
//!
//! Looks at every string literal of the program, HELP texts included, at doc comments, at names in the code, and at the
//! documents. Tests may say what they like.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{TokenStream, TokenTree};
use regex::Regex;

mod log_fields;
mod type_names;

/// How often a word stands in a file.
type Places = BTreeMap<(String, String), usize>;

/// What an operator should not have to read twice.
const WORDS: &str = r"(?i)\b(told|tells?|telling|taken|held against|speaks for|befalls?|befallen|mends?|mended|mending|reckon(?:s|ed)?|so many|so long|not known how|needs? not|ha(?:s|ve) not the|for want of|heeds?|in earnest|anew)\b";

/// The endings of files without text.
const IMAGES: [&str; 2] = ["png", "svg"];

#[test]
fn operators_read_no_words_that_we_gave_up() {
    let mut found = String::new();
    for ((path, word), count) in places() {
        let _ = writeln!(found, "{path}: `{word}` stands in {count} texts or names");
    }
    assert!(found.is_empty(), "docs/GLOSSARY.md has better words:\n{found}");
}

#[test]
fn users_read_none_of_them_either() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut documents = ["README.md", "SECURITY.md", "CHANGELOG.md"].map(|name| root.join(name)).to_vec();
    documents.extend(["docs", "deploy", "dashboards"].iter().flat_map(|directory| files(&root.join(directory))));
    // The glossary names the words.
    documents.retain(|path| !path.extension().is_some_and(|end| IMAGES.iter().any(|image| end == *image)));
    documents.retain(|path| !path.ends_with("GLOSSARY.md"));
    assert!(documents.len() > 50, "only {} documents", documents.len());
    for path in documents {
        let words = words_in(&[fs::read_to_string(&path).unwrap()]);
        assert!(words.is_empty(), "{}: {words:?}; docs/GLOSSARY.md has better words", path.display());
    }
}

#[test]
fn a_word_is_found_in_literals_doc_comments_and_names() {
    let source = r#"
        /// It is told here.
        const HELP: &str = "What the log tells.";
        fn ask_anew() { warn!(count, "so many files"); }
        /// See `for_want_of`.
        const TAKEN_AT: u8 = 0;
        #[cfg(test)]
        mod tests { const TEXT: &str = "mend it"; }
    "#;
    assert_eq!(words_in(&texts(source.parse().unwrap())), ["anew", "for want of", "so many", "taken", "tells", "told"]);
}

/// Where the words stand now.
fn places() -> Places {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut places = Places::new();
    for path in sources(root) {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let tokens = fs::read_to_string(&path).unwrap().parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        for word in words_in(&texts(tokens)) {
            *places.entry((name.clone(), word)).or_default() += 1;
        }
    }
    places
}

/// Returns all files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The source files of the program and its crates, tests left out.
fn sources(root: &Path) -> Vec<PathBuf> {
    let mut sources = Vec::new();
    let mut waiting = vec![root.join("src")];
    if let Ok(crates) = fs::read_dir(root.join("crates")) {
        waiting.extend(crates.map(|entry| entry.unwrap().path().join("src")));
    }
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            sources.push(path);
        }
    }
    assert!(sources.len() > 100, "only {} source files", sources.len());
    sources
}

/// The string literals, doc comments and names, those of modules called `tests` left out.
fn texts(tokens: TokenStream) -> Vec<String> {
    let mut texts = Vec::new();
    let mut words: [String; 2] = Default::default();
    for token in tokens {
        let word = token.to_string();
        match token {
            TokenTree::Group(_) if words == ["mod", "tests"] => {}
            TokenTree::Group(group) => texts.extend(self::texts(group.stream())),
            TokenTree::Literal(_) if word.contains('"') => texts.push(joined(&word)),
            TokenTree::Ident(_) => texts.push(word.clone()),
            TokenTree::Literal(_) | TokenTree::Punct(_) => {}
        }
        words = [std::mem::take(&mut words[1]), if word.len() < 20 { word } else { String::new() }];
    }
    texts
}

/// A literal that is continued on the next line is one sentence.
fn joined(literal: &str) -> String {
    let continued = Regex::new(r"\\\n\s*").unwrap();
    continued.replace_all(literal, "").into_owned()
}

/// The words in these texts, sorted. `_` separates words, as it does in the names of functions.
fn words_in(texts: &[String]) -> Vec<String> {
    let pattern = Regex::new(WORDS).unwrap();
    let texts: Vec<String> = texts.iter().map(|text| text.replace('_', " ")).collect();
    let found = texts.iter().flat_map(|text| pattern.find_iter(text));
    let mut words: Vec<String> = found.map(|word| word.as_str().to_lowercase()).collect();
    words.sort();
    words
}
