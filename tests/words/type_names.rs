//! The names of public types: within a crate each has one meaning, so that a name says which type it is without its module.

use std::{collections::BTreeMap, fs, path::Path};

use proc_macro2::{TokenStream, TokenTree};

#[test]
fn no_two_public_types_of_a_crate_share_a_name() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut places: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for path in super::sources(root) {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let crate_name = name.split_once("/src/").map_or("src", |(before, _)| before).to_owned();
        for public in public_types(fs::read_to_string(&path).unwrap().parse().unwrap()) {
            places.entry((crate_name.clone(), public)).or_default().push(name.clone());
        }
    }
    assert!(places.len() > 200, "only {} public types were found", places.len());
    let shared: Vec<_> = places.iter().filter(|(_, files)| files.len() > 1).collect();
    assert!(shared.is_empty(), "{shared:#?}");
}

#[test]
fn a_public_type_is_found_and_no_other() {
    let source = r"
        pub struct A;
        pub(super) struct B;
        enum C {}
        mod inner { pub trait D { type E; } }
        impl D for A { type E = u8; }
        pub type F = A;
        pub fn g() {}
    ";
    assert_eq!(public_types(source.parse().unwrap()), ["A", "D", "F"]);
}

/// Returns the names of the types that are `pub` without a restriction, those of inline modules included.
fn public_types(tokens: TokenStream) -> Vec<String> {
    let mut names = Vec::new();
    let mut before: [String; 2] = Default::default();
    for token in tokens {
        let text = match &token {
            TokenTree::Ident(name) => {
                let [visibility, keyword] = &before;
                if visibility == "pub" && KEYWORDS.contains(&keyword.as_str()) {
                    names.push(name.to_string());
                }
                name.to_string()
            }
            TokenTree::Group(group) => {
                names.extend(public_types(group.stream()));
                String::new()
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => String::new(),
        };
        let [_, last] = before;
        before = [last, text];
    }
    names
}

const KEYWORDS: [&str; 5] = ["enum", "struct", "trait", "type", "union"];
