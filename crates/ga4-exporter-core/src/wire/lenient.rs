//! Reads foreign JSON leniently and keeps only a limited part of it.
//!
//! A field of the wrong type is no error and does not affect its neighbours. Knows JSON's types and limits; refuses to know
//! what a field means. Invariant: a text keeps at most [`LONGEST_TEXT`] bytes, a list as many items as its type says, and an
//! object only its known fields.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

/// A value where a text is expected.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Text {
    /// Missing or `null`: the same in proto3 JSON.
    #[default]
    Missing,
    /// A text, cut if it is too long.
    Is(String),
    /// Another type, with a sketch of the value.
    Other(String),
}

/// A value where a list is expected.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum List<T, const MOST: usize> {
    /// Missing or `null`.
    #[default]
    Missing,
    /// The first items; `has_more` when there are more than are kept.
    Is { items: Vec<T>, has_more: bool },
    /// Another type, with a sketch of the value.
    Other(String),
}

/// A value where an object is expected.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Object<T> {
    /// An object with its known fields.
    Is(T),
    /// Another type, with a sketch of the value.
    Other(String),
}

impl Text {
    /// The text, or an empty one.
    pub(crate) fn as_str(&self) -> &str {
        if let Self::Is(text) = self { text } else { "" }
    }

    /// Whether it may have been cut.
    pub(crate) fn is_cut(&self) -> bool {
        self.as_str().len() + '\u{10ffff}'.len_utf8() > LONGEST_TEXT
    }
}

impl<T, const MOST: usize> List<T, MOST> {
    /// The items, none where there is no list.
    pub(crate) fn items(&self) -> &[T] {
        if let Self::Is { items, .. } = self { items } else { &[] }
    }
}

impl<T: Default> Default for Object<T> {
    fn default() -> Self {
        Self::Is(T::default())
    }
}

impl<T> Object<T> {
    /// The object, if it is one.
    pub(crate) fn get(&self) -> Option<&T> {
        if let Self::Is(object) = self { Some(object) } else { None }
    }
}

/// As JSON, as far as it was kept; for messages.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("null"),
            Self::Is(text) => write!(f, "\"{text}\""),
            Self::Other(sketch) => f.write_str(sketch),
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for List<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }
}

/// Reads any JSON value.
pub(crate) fn read<'de, S: Shape<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<S, D::Error> {
    deserializer.deserialize_any(Of(PhantomData))
}

/// Handles each JSON type; all types but the expected one become a sketch.
pub(crate) trait Shape<'de>: Sized {
    fn of_other(sketch: String) -> Self;

    fn of_null() -> Self {
        Self::of_other("null".to_owned())
    }

    fn of_text(text: &str) -> Self {
        Self::of_other(format!("\"{}\"", cut(text, LONGEST_SKETCH)))
    }

    fn of_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::of_other("[…]".to_owned()))
    }

    fn of_object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::of_other("{…}".to_owned()))
    }
}

impl<'de> Shape<'de> for Text {
    fn of_other(sketch: String) -> Self {
        Self::Other(sketch)
    }

    fn of_null() -> Self {
        Self::Missing
    }

    fn of_text(text: &str) -> Self {
        Self::Is(cut(text, LONGEST_TEXT).to_owned())
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Shape<'de> for List<T, MOST> {
    fn of_other(sketch: String) -> Self {
        Self::Other(sketch)
    }

    fn of_null() -> Self {
        Self::Missing
    }

    fn of_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut items = Vec::new();
        while items.len() < MOST {
            let Some(item) = list.next_element()? else { return Ok(Self::Is { items, has_more: false }) };
            items.push(item);
        }
        let mut has_more = false;
        while list.next_element::<IgnoredAny>()?.is_some() {
            has_more = true;
        }
        Ok(Self::Is { items, has_more })
    }
}

impl<'de, T: Deserialize<'de>> Shape<'de> for Object<T> {
    fn of_other(sketch: String) -> Self {
        Self::Other(sketch)
    }

    fn of_object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(Self::Is)
    }
}

struct Of<S>(PhantomData<S>);

impl<'de, S: Shape<'de>> Visitor<'de> for Of<S> {
    type Value = S;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<S, E> {
        Ok(S::of_other(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<S, E> {
        Ok(S::of_other(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<S, E> {
        Ok(S::of_other(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<S, E> {
        Ok(S::of_other(value.to_string()))
    }

    fn visit_unit<E>(self) -> Result<S, E> {
        Ok(S::of_null())
    }

    fn visit_str<E>(self, value: &str) -> Result<S, E> {
        Ok(S::of_text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<S, A::Error> {
        S::of_list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<S, A::Error> {
        S::of_object(object)
    }
}

/// The beginning of a text, at most this many bytes long.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    text.get(..end).unwrap_or_default()
}

/// The longest text that is kept, in bytes.
pub(super) const LONGEST_TEXT: usize = 4096;

const LONGEST_SKETCH: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Pair {
        text: Text,
        list: List<Text, 2>,
    }

    fn read(json: &str) -> Object<Pair> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_field_of_the_wrong_type_hides_nothing_beside_it() {
        for (other, sketch) in [
            ("7", "7"),
            ("-7", "-7"),
            ("true", "true"),
            ("0.5", "0.5"),
            (r#"[1, {"a": [[]]}]"#, "[…]"),
            (r#"{"a": {"b": []}}"#, "{…}"),
        ] {
            let pair = read(&format!(r#"{{"text": {other}, "other": {other}, "list": [{other}, "b"]}}"#));
            let expected = vec![Text::Other(sketch.to_owned()), Text::Is("b".to_owned())];
            let pair = pair.get().unwrap();
            assert_eq!(pair.text, Text::Other(sketch.to_owned()));
            assert_eq!(pair.list, List::Is { items: expected, has_more: false });
        }
        assert_eq!(read("null"), Object::Other("null".to_owned()));
        assert_eq!(read("{}"), Object::default());
        assert_eq!(read(r#"{"text": null, "list": null}"#), Object::default());
        assert_eq!(read(r#"{"list": "a"}"#).get().unwrap().list, List::Other("\"a\"".to_owned()));
    }

    #[test]
    fn texts_and_lists_are_kept_to_their_limits() {
        let pair = read(&format!(r#"{{"text": "a{}", "list": ["a", "b", "c", 4]}}"#, "é".repeat(LONGEST_TEXT)));
        let pair = pair.get().unwrap();
        assert_eq!((pair.text.as_str().len(), pair.text.is_cut()), (LONGEST_TEXT - 1, true));
        assert!(pair.list.items().len() == 2 && matches!(pair.list, List::Is { has_more: true, .. }));
        assert!(!Text::Is("a".to_owned()).is_cut());
    }
}
