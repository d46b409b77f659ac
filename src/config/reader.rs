//! Walks the tree, reads values of the right type, and collects mistakes.
//!
//! Knows types and how mistakes are reported. Refuses to know what the values are for. Invariant: for everything that
//! is missing from a result there is a problem.

use std::{collections::BTreeMap, path::Path};

use super::{
    problem::{Errors, Position, Problem},
    schema::{ANY_NAME, TABLES, Table},
    yaml::{Kind, Node, Value},
};
use ga4_exporter_core::shown;

/// The file, and the mistakes found in it.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    file: &'a Path,
    errors: Vec<Problem>,
    warnings: Vec<Problem>,
}

/// A mapping with known keys.
#[derive(Debug)]
pub(super) struct Section<'n> {
    path: String,
    values: BTreeMap<&'static str, (&'n Node, Position)>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a Path) -> Self {
        Self { file, errors: Vec::new(), warnings: Vec::new() }
    }

    /// Adds a mistake: what is wrong, a semicolon, the correction.
    pub(super) fn error(&mut self, position: Position, message: impl AsRef<str>) {
        self.errors.push(Problem::new(self.file, position, message.as_ref()));
    }

    /// Adds a warning, in the same form.
    pub(super) fn warn(&mut self, position: Position, message: impl AsRef<str>) {
        self.warnings.push(Problem::new(self.file, position, message.as_ref()));
    }

    /// Returns the warnings, or the errors if there are any.
    pub(super) fn finish(mut self) -> Result<Vec<Problem>, Errors> {
        for problems in [&mut self.errors, &mut self.warnings] {
            problems.sort_by_key(Problem::position);
            // The value of an anchor is read again at each of its aliases.
            problems.dedup();
        }
        if self.errors.is_empty() { Ok(self.warnings) } else { Err(Errors::Invalid(self.errors)) }
    }

    /// Reads a mapping with the keys of a table; a missing value counts as an empty one.
    pub(super) fn section<'n>(&mut self, node: &'n Node, table: &'static Table) -> Section<'n> {
        self.section_at(node, table, table.path)
    }

    /// The same where the mapping stands at a path that the table cannot know.
    pub(super) fn section_at<'n>(&mut self, node: &'n Node, table: &'static Table, path: &str) -> Section<'n> {
        self.section_with(node, table, path, &[])
    }

    /// The same, with advice for some keys that the table does not have.
    pub(super) fn section_with<'n>(
        &mut self,
        node: &'n Node,
        table: &'static Table,
        path: &str,
        foreign: &[(&str, &str)],
    ) -> Section<'n> {
        let mut values = BTreeMap::new();
        for (key, (value, position)) in self.mapping(node, path, &lines_with(table)) {
            if let Some(known) = table.names().find(|known| *known == key) {
                values.insert(known, (value, position));
            } else if let Some((_, advice)) = foreign.iter().find(|(name, _)| *name == key) {
                self.error(position, format!("unknown key {} in `{path}`; {advice}", quoted(&key)));
            } else if let Some(home) = home_of(value) {
                let place = place(path);
                let message = format!(
                    "unknown key {} {place}; its own keys are those of `{home}`: check the indentation",
                    quoted(&key)
                );
                self.error(position, message);
            } else {
                self.error(position, unknown_key(table, path, &key));
            }
        }
        Section { path: path.to_owned(), values }
    }

    /// Reads a mapping with any keys, each with its value and position; `advice` is for values that are not a mapping. A
    /// missing value counts as an empty one.
    pub(super) fn mapping<'n>(
        &mut self,
        node: &'n Node,
        path: &str,
        advice: &str,
    ) -> BTreeMap<String, (&'n Node, Position)> {
        let mut found: BTreeMap<String, (&Node, Position)> = BTreeMap::new();
        match &node.value {
            Value::Mapping(entries) => {
                for (key, value) in entries {
                    let Value::Scalar(kind, text) = &key.value else {
                        self.error(key.position, "a key must be a single word; remove the brackets around it");
                        continue;
                    };
                    if *kind == Kind::Null || text.is_empty() {
                        self.error(key.position, NO_KEY);
                        continue;
                    }
                    let name = text;
                    if let Some((_, first)) = found.get(name) {
                        let message =
                            format!("{} stands here twice, first in line {}; remove one", quoted(name), first.line);
                        self.error(key.position, message);
                    } else {
                        found.insert(name.to_owned(), (value, key.position));
                    }
                }
            }
            Value::Scalar(Kind::Null, _) => {}
            Value::Scalar(..) | Value::Sequence(_) => {
                let what = if path.is_empty() { "the file".to_owned() } else { format!("`{path}`") };
                self.error(node.position, format!("{what} is {}; {advice}", node.kind()));
            }
        }
        found
    }

    /// Reads a list; `example` is one. A missing value counts as an empty one.
    pub(super) fn list<'n>(&mut self, node: &'n Node, path: &str, example: &str) -> &'n [Node] {
        match &node.value {
            Value::Sequence(items) => items,
            Value::Scalar(Kind::Null, _) => &[],
            Value::Scalar(..) | Value::Mapping(_) => {
                self.error(node.position, format!("`{path}` is {}; write a list: `{example}`", node.kind()));
                &[]
            }
        }
    }

    /// Reads the text of a scalar, as written; `example` is one.
    pub(super) fn text<'n>(&mut self, node: &'n Node, path: &str, example: &str) -> Option<&'n str> {
        match &node.value {
            Value::Scalar(_, text) if shown::is_secret(text) => {
                self.error(node.position, format!("`{path}` {A_SECRET}"));
            }
            Value::Scalar(kind, text) if *kind != Kind::Null => return Some(text),
            Value::Scalar(..) => {
                self.error(
                    node.position,
                    format!("`{path}` has no value; give one, such as `{example}`, or remove it"),
                );
            }
            Value::Sequence(_) | Value::Mapping(_) => {
                self.error(node.position, format!("`{path}` is {}; write a single value: `{example}`", node.kind()));
            }
        }
        None
    }

    /// Reads a boolean.
    pub(super) fn truth(&mut self, node: &Node, path: &str) -> Option<bool> {
        if let Value::Scalar(Kind::Bool(value), _) = node.value {
            return Some(value);
        }
        let text = self.text(node, path, "true")?;
        self.error(
            node.position,
            format!("`{path}` is {}, {}; write `true` or `false`, without quotes", node.kind(), quoted(text)),
        );
        None
    }

    /// Reads a scalar with a parser, whose error says what is wrong and how to correct it.
    pub(super) fn parsed<T>(
        &mut self,
        node: &Node,
        path: &str,
        example: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.parsed_whole(node, path, example, |text| parse(&elided(text.trim())))
    }

    /// The same for a text that may be long and in which blanks matter.
    pub(super) fn parsed_whole<T>(
        &mut self,
        node: &Node,
        path: &str,
        example: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(node, path, example)?;
        parse(text).map_err(|wrong| self.error(node.position, format!("`{path}`: {wrong}"))).ok()
    }
}

impl<'n> Section<'n> {
    /// Returns the value of a key, if the file has it.
    pub(super) fn get(&self, key: &'static str) -> Option<&'n Node> {
        self.values.get(key).map(|(node, _)| *node)
    }

    /// Returns the position of a key, if the file has it.
    pub(super) fn place(&self, key: &'static str) -> Option<Position> {
        self.values.get(key).map(|(_, position)| *position)
    }

    /// Returns the path of a key, for messages.
    pub(super) fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

/// The advice for a missing mapping of a table.
pub(super) fn lines_with(table: &Table) -> String {
    format!("write `key: value` lines with the keys {}", listed(table.names()))
}

/// Names in backticks, for a message.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Quotes a text of the file in backticks, shortened, and without secrets.
pub(super) fn quoted(text: &str) -> String {
    if shown::is_secret(text) { shown::HIDDEN.to_owned() } else { format!("`{}`", elided(text)) }
}

/// Returns the known name that was probably meant, if one is similar.
pub(super) fn nearest<'a>(text: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let text = elided(text).to_lowercase();
    let distance = |name: &&str| strsim::osa_distance(&text, name);
    let (name, distance) =
        known.into_iter().map(|name| (name, distance(&name))).min_by_key(|(_, distance)| *distance)?;
    (distance <= name.len() / 3).then_some(name)
}

fn place(path: &str) -> String {
    if path.is_empty() { "at the top level".to_owned() } else { format!("in `{path}`") }
}

/// The table with a free name that a mapping was probably meant for: it has all of the mapping's keys.
fn home_of(node: &Node) -> Option<&'static str> {
    let Value::Mapping(entries) = &node.value else { return None };
    let is_known = |table: &&&Table, (key, _): &(Node, Node)| matches!(&key.value, Value::Scalar(_, key) if table.names().any(|name| name == key));
    let homes = TABLES.iter().filter(|table| table.path.ends_with(ANY_NAME) && !entries.is_empty());
    homes.clone().find(|table| entries.iter().all(|entry| is_known(table, entry))).map(|table| table.path)
}

fn unknown_key(table: &Table, path: &str, key: &str) -> String {
    let place = place(path);
    if table.keys.is_empty() {
        return format!("unknown key {} {place}; remove it", quoted(key));
    }
    let advice = if let Some(near) = nearest(key, table.names()) {
        format!("did you mean `{near}`? known here: ")
    } else {
        let homes = TABLES.iter().filter(|other| other.names().any(|name| name == key)).map(|other| other.path);
        let homes: Vec<_> =
            homes.map(|path| if path.is_empty() { "the top level".to_owned() } else { format!("`{path}`") }).collect();
        if homes.is_empty() {
            "remove it, or use one of ".to_owned()
        } else {
            format!("it belongs to {} (check the indentation); known here: ", homes.join(", "))
        }
    };
    format!("unknown key {} {place}; {advice}{}", quoted(key), listed(table.names()))
}

/// Shortens a text for a message; texts that are cut are never valid, since no valid text is that long.
fn elided(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The message for a key that is nothing.
const NO_KEY: &str = "a key is empty; write a name before the colon, and put quotes around it if it is called `null`";

/// The message for a value that looks like a secret.
const A_SECRET: &str = "looks like the content of a key file or another secret, which does not belong in this file; save \
    the key in a file that only the exporter's user can read, and give the path of that file in `google.credentials_file`";

/// The most characters of the file's text in a message.
const MAX_QUOTED: usize = 80;
