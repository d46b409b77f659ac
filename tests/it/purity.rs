//! The pure modules of the program stay free of the runtime and of the network. What is in crates of its own the compiler
//! keeps so.

use std::{fs, path::Path};

/// The modules that take values and return values.
const PURE: &[&str] = &["config", "pages", "status", "targets"];

/// What they must not use.
const IMPURE: &[&str] = &["tokio", "reqwest", "hyper", "std::net", "std::thread"];

/// Every source file of a module, its tests left out.
fn sources(module: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut waiting = vec![root.join(format!("{module}.rs")), root.join(module)];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            found.push((path.display().to_string(), code.to_owned()));
        }
    }
    found
}

#[test]
fn paths_are_shown_by_one_module() {
    let library = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let modules = library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    for module in modules {
        for (path, code) in sources(module) {
            assert!(!code.contains(".display()"), "{path}: show a path as a ShownPath");
        }
    }
}

#[test]
fn pure_modules_know_neither_runtime_nor_network() {
    for module in PURE {
        let sources = sources(module);
        assert!(!sources.is_empty(), "{module} has no source");
        for (path, code) in sources {
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            for line in lines {
                for word in IMPURE {
                    assert!(
                        !line.contains(&format!("{word}::")) && !line.contains(&format!("use {word}")),
                        "{path}: {line}"
                    );
                }
            }
        }
    }
}

#[test]
fn only_the_poller_changes_the_store() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "rs") || path.ends_with("poll.rs") {
            continue;
        }
        assert!(!fs::read_to_string(&path).unwrap().contains("store.apply("), "{} changes the store", path.display());
    }
}
