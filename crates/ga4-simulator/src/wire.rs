//! Strict proto3 JSON: checks a request body against the messages of the API, as Google's front end does.
//!
//! Accepts field names in lowerCamelCase or snake_case, 64-bit integers as strings or numbers, and enumerations as
//! names or numbers; rejects everything unknown with Google's texts. The output has one spelling, ready for serde.

use serde_json::{Map, Number, Value};

/// A message type of the API.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) name: &'static str,
    pub(super) fields: &'static [(&'static str, Kind)],
    /// Fields of which at most one may be set, with the name of the group.
    pub(super) one_of: Option<(&'static str, &'static [&'static str])>,
}

/// The type of a field.
#[derive(Debug)]
pub(super) enum Kind {
    Text,
    Flag,
    Int32,
    Int64,
    Double,
    Enum(&'static Enumeration),
    Message(&'static Message),
    List(&'static Self),
}

/// An enumeration of the API with its numbers.
#[derive(Debug)]
pub(super) struct Enumeration {
    pub(super) name: &'static str,
    pub(super) values: &'static [(&'static str, i64)],
}

/// A mistake in one field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Violation {
    /// The path of the field in snake_case; empty for the root.
    pub(super) field: String,
    pub(super) description: String,
}

/// Parses a body. An empty body is an empty message.
pub(super) fn read(body: &[u8], message: &'static Message) -> Result<Value, Vec<Violation>> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(Map::new()));
    }
    let Ok(Value::Object(object)) = serde_json::from_slice(body) else {
        return Err(vec![Violation {
            field: String::new(),
            description: String::from("Invalid JSON payload received. Unexpected token."),
        }]);
    };
    let mut violations = Vec::new();
    let canonical = canonical_message(object, message, "", &mut violations);
    if violations.is_empty() { Ok(canonical) } else { Err(violations) }
}

fn canonical_message(
    object: Map<String, Value>,
    message: &'static Message,
    path: &str,
    violations: &mut Vec<Violation>,
) -> Value {
    let mut canonical = Map::new();
    let mut chosen: Option<&str> = None;
    for (name, value) in object {
        let known = message.fields.iter().find(|(field, _)| *field == name || snake(field) == name);
        let Some((field, kind)) = known else {
            violations.push(unknown_name(&name, path, "Cannot find field."));
            continue;
        };
        if value.is_null() {
            continue; // proto3 JSON: the default
        }
        let inner = join(path, &snake(field));
        if let Some((group, members)) = message.one_of
            && members.contains(field)
            && let Some(first) = chosen.replace(field)
        {
            violations.push(already_set(&inner, group, first, field));
        }
        if value.is_array() && !matches!(kind, Kind::List(_)) {
            let why = "Proto field is not repeating, cannot start list.";
            violations.push(unknown_name(&name, path, why));
            continue;
        }
        if let Some(value) = canonical_value(value, kind, &inner, violations) {
            canonical.insert((*field).into(), value);
        }
    }
    Value::Object(canonical)
}

fn canonical_value(value: Value, kind: &'static Kind, path: &str, violations: &mut Vec<Violation>) -> Option<Value> {
    let canonical = match (kind, &value) {
        (Kind::Text, Value::String(_)) | (Kind::Flag, Value::Bool(_)) => Some(value.clone()),
        (Kind::Int32, _) => integer(&value).filter(|number| i32::try_from(*number).is_ok()).map(Value::from),
        (Kind::Int64, _) => integer(&value).map(Value::from),
        (Kind::Double, Value::Number(_)) => Some(value.clone()),
        (Kind::Double, Value::String(text)) => text.parse().ok().and_then(Number::from_f64).map(Value::Number),
        (Kind::Enum(enumeration), _) => enumeration.canonical(&value).map(Value::from),
        (Kind::Message(message), Value::Object(object)) => {
            return Some(canonical_message(object.clone(), message, path, violations));
        }
        (Kind::List(item), Value::Array(items)) => {
            let items = items.iter().enumerate().filter_map(|(index, value)| {
                canonical_value(value.clone(), item, &format!("{path}[{index}]"), violations)
            });
            return Some(Value::Array(items.collect()));
        }
        (Kind::Text | Kind::Flag | Kind::Double | Kind::Message(_) | Kind::List(_), _) => None,
    };
    if canonical.is_none() {
        violations.push(Violation {
            field: String::from(path),
            description: format!("Invalid value at '{path}' ({}), {value}", kind.type_name()),
        });
    }
    canonical
}

impl Kind {
    fn type_name(&self) -> String {
        match self {
            Self::Text => String::from("TYPE_STRING"),
            Self::Flag => String::from("TYPE_BOOL"),
            Self::Int32 => String::from("TYPE_INT32"),
            Self::Int64 => String::from("TYPE_INT64"),
            Self::Double => String::from("TYPE_DOUBLE"),
            Self::Enum(Enumeration { name, .. }) | Self::Message(Message { name, .. }) => {
                format!("type.googleapis.com/google.analytics.data.v1beta.{name}")
            }
            Self::List(item) => item.type_name(),
        }
    }
}

impl Enumeration {
    fn canonical(&self, value: &Value) -> Option<&'static str> {
        let wanted = |(name, number): &&(&str, i64)| value.as_str() == Some(name) || value.as_i64() == Some(*number);
        self.values.iter().find(wanted).map(|(name, _)| *name)
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn unknown_name(name: &str, path: &str, why: &str) -> Violation {
    let at = if path.is_empty() { String::new() } else { format!(" at '{path}'") };
    Violation {
        field: String::from(path),
        description: format!("Invalid JSON payload received. Unknown name \"{name}\"{at}: {why}"),
    }
}

fn already_set(path: &str, group: &str, first: &str, second: &str) -> Violation {
    let description = format!(
        "Invalid value at '{path}' (oneof), oneof field '{group}' is already set. Cannot set '{}' after '{}'",
        snake(second),
        snake(first)
    );
    Violation { field: String::from(path), description }
}

fn join(path: &str, field: &str) -> String {
    if path.is_empty() { String::from(field) } else { format!("{path}.{field}") }
}

fn snake(camel: &str) -> String {
    let mut snake = String::with_capacity(camel.len() + 4);
    for letter in camel.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::schema::RUN_REPORT, *};

    fn ok(body: &Value) -> Value {
        read(body.to_string().as_bytes(), &RUN_REPORT).unwrap()
    }

    #[track_caller]
    fn refused(body: &Value, field: &str, description: &str) {
        let violations = read(body.to_string().as_bytes(), &RUN_REPORT).unwrap_err();
        let expected = Violation { field: field.into(), description: description.into() };
        assert_eq!(violations, [expected]);
    }

    #[test]
    fn spellings_of_proto_json_mean_the_same() {
        let camel = json!({"dateRanges": [{"startDate": "today"}], "limit": "7", "keepEmptyRows": null,
            "metricAggregations": ["TOTAL"], "returnPropertyQuota": true});
        let snake = json!({"date_ranges": [{"start_date": "today"}], "limit": 7,
            "metric_aggregations": [1], "return_property_quota": true});
        assert_eq!(ok(&camel), ok(&snake));
        assert_eq!(ok(&camel)["limit"], 7);
        assert_eq!(ok(&camel)["metricAggregations"][0], "TOTAL");
        assert_eq!(read(b" ", &RUN_REPORT), Ok(json!({})));
    }

    #[test]
    fn what_google_does_not_know_is_refused_in_its_words() {
        refused(&json!({"foo": 1}), "", "Invalid JSON payload received. Unknown name \"foo\": Cannot find field.");
        refused(
            &json!({"dateRanges": [{}, {"start": 1}]}),
            "date_ranges[1]",
            "Invalid JSON payload received. Unknown name \"start\" at 'date_ranges[1]': Cannot find field.",
        );
        refused(&json!({"limit": "many"}), "limit", "Invalid value at 'limit' (TYPE_INT64), \"many\"");
        refused(
            &json!({"metricAggregations": ["SUM"]}),
            "metric_aggregations[0]",
            "Invalid value at 'metric_aggregations[0]' \
             (type.googleapis.com/google.analytics.data.v1beta.MetricAggregation), \"SUM\"",
        );
        refused(
            &json!({"dimensionFilter": []}),
            "",
            "Invalid JSON payload received. Unknown name \"dimensionFilter\": \
             Proto field is not repeating, cannot start list.",
        );
    }

    #[test]
    fn one_of_a_group_is_one() {
        let both = json!({"dimensionFilter": {"filter": {}, "notExpression": {}}});
        let violations = read(both.to_string().as_bytes(), &RUN_REPORT).unwrap_err();
        assert!(violations[0].description.contains("oneof field 'expr' is already set"));
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        for body in ["[]", "{", "1", "\"x\"", "{} {}"] {
            let violations = read(body.as_bytes(), &RUN_REPORT).unwrap_err();
            assert!(violations[0].description.contains("Unexpected token"), "{body}");
        }
    }
}
