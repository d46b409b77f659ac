//! What Google says in the body of an error.
//!
//! Shapes: google/rpc/status.proto, google/rpc/error_details.proto and the older `errors[]`. The error may stand in a list of
//! one, its keys and details come in any order, and details of other kinds stand among them: each is read for itself, so
//! that one that cannot be read hides no other.

use serde_json::{Map, Value};

use crate::chain::one_line;

/// An error as Google words it; an empty one says nothing.
#[derive(Debug, Default)]
pub(super) struct GoogleError(Map<String, Value>);

impl GoogleError {
    /// The error in a body; `None` where there is none of Google's.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        if body.len() > MAX_BODY_BYTES {
            return None;
        }
        let whole: Value = serde_json::from_slice(body).ok()?;
        let envelopes = whole.as_array().map_or_else(|| std::slice::from_ref(&whole), Vec::as_slice);
        envelopes.iter().find_map(|envelope| Some(Self(envelope.get("error")?.as_object()?.clone())))
    }

    /// Google's text on one line and of bounded length; empty where there is none.
    pub(super) fn message(&self) -> String {
        one_line(text(self.0.get("message")), MAX_MESSAGE_CHARACTERS)
    }

    /// The name of the google.rpc.Code, such as `PERMISSION_DENIED`; empty where there is none.
    pub(super) fn status(&self) -> &str {
        text(self.0.get("status"))
    }

    /// `reason` of each ErrorInfo.
    pub(super) fn causes(&self) -> impl Iterator<Item = &str> {
        self.details().filter_map(|detail| detail.get("reason")?.as_str()).filter(|cause| !cause.is_empty())
    }

    /// Whether an ErrorInfo has this reason.
    pub(super) fn has_cause(&self, cause: &str) -> bool {
        self.causes().any(|one| one == cause)
    }

    /// Whether one of the older form's errors has one of these reasons.
    pub(super) fn has_old_reason(&self, wanted: &[&str]) -> bool {
        items(self.0.get("errors")).any(|error| wanted.contains(&text(error.get("reason"))))
    }

    /// What an ErrorInfo says of itself under this key.
    pub(super) fn metadata(&self, key: &str) -> Option<&str> {
        self.details().find_map(|detail| detail.get("metadata")?.get(key)?.as_str()).filter(|value| !value.is_empty())
    }

    /// Everything that ErrorInfos say of themselves.
    pub(super) fn all_metadata(&self) -> impl Iterator<Item = &str> {
        let metadata = self.details().filter_map(|detail| detail.get("metadata")?.as_object());
        metadata.flat_map(Map::values).filter_map(Value::as_str)
    }

    fn details(&self) -> impl Iterator<Item = &Value> {
        items(self.0.get("details"))
    }
}

fn items(list: Option<&Value>) -> impl Iterator<Item = &Value> {
    list.and_then(Value::as_array).into_iter().flatten()
}

fn text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

/// The longest body that is read for an error; Google's are a few kilobytes at most.
const MAX_BODY_BYTES: usize = 1 << 20;

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
        let endless = format!(r#"{{"error": {{"message": "{}"}}}}"#, "x".repeat(MAX_BODY_BYTES));
        assert!(read(&endless).is_none());
    }
}
