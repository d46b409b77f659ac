//! The fields of log lines: one about a property has its number and, where it is known, its name.

use std::fs;

use proc_macro2::{TokenStream, TokenTree};

#[test]
fn lines_about_a_property_carry_its_name() {
    let mut found = Vec::new();
    let mut named = 0;
    for path in super::sources(std::path::Path::new(env!("CARGO_MANIFEST_DIR"))) {
        let lines = lines(fs::read_to_string(&path).unwrap().parse().unwrap());
        let about: Vec<_> = lines.into_iter().filter(|line| has(line, "property")).collect();
        let unnamed = about.iter().filter(|line| !has(line, "property_name"));
        found.extend(unnamed.map(|line| format!("{}: {line}", path.display())));
        named += about.len();
    }
    assert!(found.is_empty(), "add `property_name`, which may be `None`:\n{}", found.join("\n"));
    assert!(named > 10, "only {named} lines were found");
}

#[test]
fn a_line_is_found_by_its_macro_and_its_field() {
    let source = r#"
        fn f() {
            warn!(%property, "cannot read it");
            if x { tracing::info!(property = %id, property_name, "read it") }
            debug!(properties = 3, "listed");
            panic!("no line: {property}");
        }
    "#;
    let lines = lines(source.parse().unwrap());
    let fields = |name| lines.iter().map(|line| has(line, name)).collect::<Vec<_>>();
    assert_eq!(fields("property"), [true, true, false]);
    assert_eq!(fields("property_name"), [false, true, false]);
}

/// Returns the arguments of every macro that writes to the log.
fn lines(tokens: TokenStream) -> Vec<TokenStream> {
    let mut lines = Vec::new();
    let mut before: [String; 2] = Default::default();
    for token in tokens {
        let [name, mark] = &before;
        let text = match token {
            TokenTree::Group(group) => {
                if mark == "!" && MACROS.contains(&name.as_str()) {
                    lines.push(group.stream());
                } else {
                    lines.extend(self::lines(group.stream()));
                }
                String::new()
            }
            token @ (TokenTree::Ident(_) | TokenTree::Punct(_)) => token.to_string(),
            TokenTree::Literal(_) => String::new(),
        };
        let [_, last] = before;
        before = [last, text];
    }
    lines
}

/// Whether a line has a field of this name.
fn has(line: &TokenStream, name: &str) -> bool {
    line.clone().into_iter().any(|token| matches!(token, TokenTree::Ident(ident) if ident == name))
}

const MACROS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];
