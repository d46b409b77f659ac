//! What Google says in the body of an error.
//!
//! Shapes: google/rpc/status.proto, google/rpc/error_details.proto and the older `errors[]`. The error may be in a list of
//! one; keys and details come in any order, mixed with details of other kinds. Each is read on its own, so that an
//! unreadable one hides no other.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

use crate::{
    chain::one_line,
    wire::lenient::{List, Object, Text},
};

/// An error as Google sends it; all fields may be empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct GoogleError {
    message: Text,
    status: Text,
    errors: List<Object<Detail>, MAX_DETAILS>,
    details: List<Object<Detail>, MAX_DETAILS>,
}

/// A detail, or one of the older `errors[]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Detail {
    reason: Text,
    metadata: Object<Metadata>,
}

/// The metadata of an ErrorInfo: its first few texts and their keys.
#[derive(Debug, Default)]
struct Metadata(Vec<(String, String)>);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Envelope {
    error: Option<Object<GoogleError>>,
}

impl GoogleError {
    /// Reads the error in a body; `None` if it is not one of Google's.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let is_list = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
        let envelopes = if is_list {
            match serde_json::from_slice(body).ok()? {
                List::<Object<Envelope>, MAX_DETAILS>::Is { items, .. } => items,
                List::Missing | List::Other(_) => Vec::new(),
            }
        } else {
            vec![serde_json::from_slice(body).ok()?]
        };
        let error = |envelope| match envelope {
            Object::Is(Envelope { error: Some(Object::Is(error)) }) => Some(error),
            Object::Is(_) | Object::Other(_) => None,
        };
        envelopes.into_iter().find_map(error)
    }

    /// Google's text on one line and of bounded length; may be empty.
    pub(super) fn message(&self) -> String {
        one_line(self.message.as_str(), MAX_MESSAGE_CHARACTERS)
    }

    /// The name of the google.rpc.Code, such as `PERMISSION_DENIED`; may be empty.
    pub(super) fn status(&self) -> &str {
        self.status.as_str()
    }

    /// `reason` of each ErrorInfo.
    pub(super) fn causes(&self) -> impl Iterator<Item = &str> {
        self.details().map(|detail| detail.reason.as_str()).filter(|cause| !cause.is_empty())
    }

    /// Whether an ErrorInfo has this reason.
    pub(super) fn has_cause(&self, cause: &str) -> bool {
        self.causes().any(|one| one == cause)
    }

    /// Whether one of the older form's errors has one of these reasons.
    pub(super) fn has_old_reason(&self, wanted: &[&str]) -> bool {
        self.errors.items().iter().filter_map(Object::get).any(|error| wanted.contains(&error.reason.as_str()))
    }

    /// The metadata of an ErrorInfo under this key.
    pub(super) fn metadata(&self, key: &str) -> Option<&str> {
        let entries = self.entries().filter(|(known, value)| known == key && !value.is_empty());
        entries.map(|(_, value)| value.as_str()).next()
    }

    /// All metadata of all ErrorInfos.
    pub(super) fn all_metadata(&self) -> impl Iterator<Item = &str> {
        self.entries().map(|(_, value)| value.as_str())
    }

    fn entries(&self) -> impl Iterator<Item = &(String, String)> {
        self.details().filter_map(|detail| detail.metadata.get()).flat_map(|metadata| &metadata.0)
    }

    fn details(&self) -> impl Iterator<Item = &Detail> {
        self.details.items().iter().filter_map(Object::get)
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Metadata;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Metadata, A::Error> {
                let mut entries = Vec::new();
                while entries.len() < MAX_DETAILS {
                    let Some((key, value)) = object.next_entry::<Text, Text>()? else { return Ok(Metadata(entries)) };
                    if let (Text::Is(key), Text::Is(value)) = (key, value) {
                        entries.push((key, value));
                    }
                }
                while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Metadata(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

/// The most details, and the most texts of one, that are read; Google's errors have a handful.
const MAX_DETAILS: usize = 20;

/// The longest part of Google's text that is kept.
const MAX_MESSAGE_CHARACTERS: usize = 600;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Option<GoogleError> {
        GoogleError::read(body.as_bytes())
    }

    #[test]
    fn an_error_may_stand_in_a_list_and_its_keys_in_any_order() {
        for body in [
            r#"{"error": {"code": 403, "message": "No.", "status": "X", "details": [{"reason": "A"}]}}"#,
            r#"[{"error": {"details": [{"reason": "A"}], "status": "X", "message": "No.", "code": 403}}]"#,
            r#"[null, {"other": 1}, {"error": {"details": [{"links": []}, {"reason": "A"}], "status": "X", "message": "No."}}]"#,
        ] {
            let error = read(body).unwrap();
            assert_eq!((error.message().as_str(), error.status()), ("No.", "X"), "{body}");
            assert!(error.has_cause("A") && !error.has_cause("B"), "{body}");
        }
    }

    #[test]
    fn what_cannot_be_read_hides_nothing_else() {
        let error = read(
            r#"{"error": {"message": 7, "status": null, "errors": {"reason": "x"}, "details": [null, 3, "x", [],
                {"reason": {"a": 1}, "metadata": null}, {"reason": ""}, {"metadata": {"consumer": 3}},
                {"reason": "A", "metadata": {"consumer": "projects/1", "other": []}}]}}"#,
        );
        let error = error.unwrap();
        assert_eq!((error.message().as_str(), error.status()), ("", ""));
        assert_eq!(error.causes().collect::<Vec<_>>(), ["A"]);
        assert_eq!(error.metadata("consumer"), Some("projects/1"));
        assert!(!error.has_old_reason(&["x"]));
    }

    #[test]
    fn what_is_no_error_of_googles_is_none() {
        for body in
            ["", "<html>", "[]", "{}", r#"{"error": "access_denied"}"#, r#"{"error": null}"#, r#"{"message": "No."}"#]
        {
            assert!(read(body).is_none(), "{body}");
        }
    }

    #[test]
    fn only_so_much_of_an_error_is_kept() {
        let many = format!("{}1", "{},".repeat(20_000));
        let long = "x".repeat(50_000);
        for body in [
            format!(r#"{{"error": {{"status": "X", "details": [{many}]}}}}"#),
            format!(r#"{{"error": {{"status": "X", "errors": [{many}]}}}}"#),
            format!(r#"{{"error": {{"status": "X", "message": "{long}", "other": [{many}]}}}}"#),
            format!(
                r#"{{"error": {{"status": "X", "details": [{{"reason": "{long}", "metadata": {{"a": "{long}"}}}}]}}}}"#
            ),
        ] {
            let error = read(&body).unwrap();
            assert_eq!(error.status(), "X");
            assert!(error.message().chars().count() <= MAX_MESSAGE_CHARACTERS);
            assert!(error.details.items().len() <= MAX_DETAILS && error.errors.items().len() <= MAX_DETAILS);
            assert!(error.causes().chain(error.all_metadata()).all(|text| text.len() <= 4096));
        }
    }
}
