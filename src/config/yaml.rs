//! YAML text → a tree whose nodes know their positions.
//!
//! Knows YAML and its traps: tabs, several documents, exponential aliases. Refuses to know any key. Invariant: the depth and
//! size of a tree are limited, whatever the text.

use std::{fmt, ops::Range};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{
    Location, Options, Spanned, alias_limits, budget,
    options::{DuplicateKeyPolicy, NonFiniteFloatPolicy},
};

use super::problem::Position;

pub(super) use fault::Fault;

mod fault;

/// A value and its position; for an alias, the position of its anchor.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) position: Position,
    pub(super) value: Value,
}

/// A YAML value.
#[derive(Debug)]
pub(super) enum Value {
    /// A scalar, with its text: the content of a string, otherwise as written.
    Scalar(Kind, String),
    Sequence(Vec<Node>),
    /// In the order of the file; a key may occur twice.
    Mapping(Vec<(Node, Node)>),
}

/// The type of a scalar.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number,
    String,
}

impl Node {
    /// Reads the bytes of a file; an empty one is a null.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Fault> {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Fault::too_large());
        }
        let text = str::from_utf8(bytes).map_err(|error| Fault::not_utf8(bytes, error.valid_up_to()))?;
        match serde_saphyr::from_str_with_options(text, options()) {
            Ok(raw) => Ok(Self::new(raw, text)),
            Err(error) => Err(Fault::new(&error, text)),
        }
    }

    /// Describes the value for a message: "is …".
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar(Kind::Null, _) => "empty",
            Value::Scalar(Kind::Bool(_), _) => "a boolean",
            Value::Scalar(Kind::Number, _) => "a number",
            Value::Scalar(Kind::String, _) => "a text",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }

    /// Whether it is null.
    pub(super) fn is_null(&self) -> bool {
        matches!(self.value, Value::Scalar(Kind::Null, _))
    }

    fn new(raw: Spanned<Raw>, text: &str) -> Self {
        let written = || span(raw.defined).and_then(|span| text.get(span)).filter(|text| is_plain(text));
        let value = match raw.value {
            Raw::Null => Value::Scalar(Kind::Null, String::new()),
            Raw::Bool(value) => {
                Value::Scalar(Kind::Bool(value), written().map_or_else(|| value.to_string(), str::to_owned))
            }
            Raw::Number(value) => Value::Scalar(Kind::Number, written().map_or(value, str::to_owned)),
            Raw::String(value) => Value::Scalar(Kind::String, value),
            Raw::Sequence(items) => Value::Sequence(items.into_iter().map(|item| Self::new(item, text)).collect()),
            Raw::Mapping(entries) => Value::Mapping(
                entries.into_iter().map(|(key, value)| (Self::new(key, text), Self::new(value, text))).collect(),
            ),
        };
        Self { position: position(raw.defined), value }
    }
}

/// The value from serde: numbers are already parsed, so their text has to be read from the file again.
enum Raw {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    Sequence(Vec<Spanned<Self>>),
    Mapping(Vec<(Spanned<Self>, Spanned<Self>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut sequence = Vec::new();
        while let Some(item) = items.next_element()? {
            sequence.push(item);
        }
        Ok(Raw::Sequence(sequence))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut mapping = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            mapping.push(entry);
        }
        Ok(Raw::Mapping(mapping))
    }
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_documents: 1,
            max_anchors: MAX_NODES,
            max_aliases: MAX_NODES,
            max_merge_keys: MAX_NODES,
            // Thousands of properties may share the labels of one anchor; the expansion is limited below.
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: alias_limits! {
            max_total_replayed_events: MAX_NODES,
            max_replay_stack_depth: MAX_DEPTH,
        },
        // The reader reports all of them, with the position of the first.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        reject_unsupported_tags: true,
        // `yes`, `no` and `on` are strings: they may be labels.
        strict_booleans: true,
        with_snippet: false,
    }
}

fn position(location: Location) -> Position {
    Position { line: location.line().max(1), column: location.column().max(1) }
}

fn span(location: Location) -> Option<Range<usize>> {
    let start = usize::try_from(location.span().byte_offset()?).ok()?;
    let length = usize::try_from(location.span().byte_len()?).ok()?;
    Some(start..start.checked_add(length)?)
}

/// Whether a scalar is written without quotes and alone.
fn is_plain(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric() || "+-.".contains(first))
        && !text.contains(char::is_whitespace)
}

/// The largest file, in bytes.
pub(super) const MAX_BYTES: u64 = 1 << 20;

/// The deepest nesting; the deepest key that means something is at 5.
const MAX_DEPTH: usize = 32;

/// The most nodes in the text, and the most after expansion of aliases: enough for 10,000 properties with ten labels.
const MAX_NODES: usize = 250_000;
