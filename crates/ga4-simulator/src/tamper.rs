//! Corrupts answers on purpose, and replaces enumeration names by numbers.

use hyper::body::Bytes;
use jiff::{SignedDuration, civil::DateTime};
use serde_json::{Map, Value, json};

use super::{
    Effect,
    body::Then,
    headers,
    outcome::{DateShift, Outcome},
};

/// Changes the content of a good answer according to a fault.
pub(super) fn change(body: &mut Value, effect: Option<&Effect>) {
    if let Some(reports) = body.get_mut("reports").and_then(Value::as_array_mut) {
        reports.iter_mut().for_each(|report| change_report(report, effect));
        return;
    }
    change_report(body, effect);
}

fn change_report(report: &mut Value, effect: Option<&Effect>) {
    let (Some(effect), Some(fields)) = (effect, report.as_object_mut()) else {
        return;
    };
    match effect {
        Effect::WrongKind => {
            fields.insert("kind".into(), json!("analyticsData#runPivotReport"));
        }
        Effect::NoKind => {
            fields.remove("kind");
        }
        Effect::NoMetricHeaders => {
            fields.remove("metricHeaders");
        }
        Effect::NoTimeZone => {
            if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("timeZone");
            }
        }
        Effect::TimeZone(name) => {
            if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.insert("timeZone".into(), json!(name));
            }
        }
        Effect::ZeroHours(hours) => add_zero_hours(fields, *hours),
        Effect::UnknownFields => {
            let reason = json!([{"dataTruncationType": "DATA_RETENTION", "dataTruncationDate": "2024-01-01"}]);
            let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
            if let Some(metadata) = metadata.as_object_mut() {
                metadata.insert("dataTruncationReasons".into(), reason);
            }
            fields.insert("fromTheFuture".into(), json!({"nested": [1, null, "text"]}));
        }
        Effect::MetricValues(text) => replace_values(fields.get_mut("rows"), text),
        Effect::Latency(_)
        | Effect::Hang
        | Effect::HangMidBody
        | Effect::Refuse(_)
        | Effect::RefuseToken(..)
        | Effect::Raw(..)
        | Effect::Html
        | Effect::Truncated
        | Effect::Endless
        | Effect::Reset
        | Effect::ResetMidBody
        | Effect::ExpiresIn(_)
        | Effect::DateAhead(_)
        | Effect::FromCache(_)
        | Effect::Play(_) => {}
    }
}

fn add_zero_hours(report: &mut Map<String, Value>, hours: i64) {
    if report.get("dimensionHeaders") != Some(&json!([{"name": "dateHour"}])) {
        return;
    }
    let Some(rows) = report.get_mut("rows").and_then(Value::as_array_mut) else { return };
    let hour = |row: &Value| DateTime::strptime("%Y%m%d%H", row.pointer("/dimensionValues/0/value")?.as_str()?).ok();
    let Some(first) = rows.iter().filter_map(hour).min() else { return };
    for before in 1..=hours {
        let hour = first.saturating_sub(SignedDuration::from_hours(before)).strftime("%Y%m%d%H").to_string();
        rows.push(json!({"dimensionValues": [{"value": hour}], "metricValues": [{"value": "0"}]}));
    }
    let count = rows.len();
    report.insert("rowCount".into(), json!(count));
}

fn replace_values(rows: Option<&mut Value>, text: &str) {
    for row in rows.and_then(Value::as_array_mut).into_iter().flatten() {
        let values = row.get_mut("metricValues").and_then(Value::as_array_mut);
        for value in values.into_iter().flatten() {
            *value = json!({ "value": text });
        }
    }
}

/// Changes the delivery of an answer according to a fault.
pub(super) fn apply(outcome: Outcome, effect: Option<&Effect>) -> Outcome {
    let half = |outcome: &Outcome| outcome.body.slice(..outcome.body.len() / 2);
    match effect {
        Some(Effect::Raw(status, body)) => Outcome::text(*status, headers::API, body.clone()),
        Some(Effect::Html) => {
            let page =
                "<!DOCTYPE html>\n<html><title>Sign in</title><body>Please sign in to the network.</body></html>\n";
            Outcome::text(200, headers::PAGE, page)
        }
        Some(Effect::Truncated) => Outcome { body: half(&outcome), ..outcome },
        Some(Effect::HangMidBody) => Outcome { body: half(&outcome), then: Then::Hang, ..outcome },
        Some(Effect::ResetMidBody) => Outcome { body: half(&outcome), then: Then::Cut, ..outcome },
        Some(Effect::Reset) => Outcome { body: Bytes::new(), then: Then::Cut, ..outcome },
        Some(Effect::Endless) => Outcome { body: half(&outcome), then: Then::More, ..outcome },
        Some(Effect::DateAhead(ahead)) => Outcome { date: DateShift { ahead: *ahead, age: None }, ..outcome },
        Some(Effect::FromCache(age)) => {
            let ahead = SignedDuration::from_secs(-i64::from(*age));
            Outcome { date: DateShift { ahead, age: Some(*age) }, ..outcome }
        }
        Some(Effect::ExpiresIn(seconds)) => {
            let mut body: Map<String, Value> = serde_json::from_slice(&outcome.body).unwrap_or_default();
            body.insert("expires_in".into(), json!(seconds));
            Outcome::json_with(outcome.headers, outcome.status, &Value::Object(body))
        }
        _ => outcome,
    }
}

/// `$alt=json;enum-encoding=int`: replaces the names of enumerations by numbers.
pub(super) fn number_enums(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(number_enums),
        Value::Object(fields) => {
            for (name, value) in fields {
                let number = value.as_str().and_then(enum_number);
                match number {
                    Some(number) if ENUM_FIELDS.contains(&name.as_str()) => *value = json!(number),
                    _ => number_enums(value),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn enum_number(name: &str) -> Option<u32> {
    let entry = ENUM_NUMBERS.iter().find(|(other, _)| *other == name);
    entry.map(|(_, number)| *number)
}

const ENUM_FIELDS: &[&str] = &["type", "compatibility", "propertyType", "serviceLevel", "industryCategory"];

/// The enumeration names that answers contain (data.proto and resources.proto of the two APIs).
const ENUM_NUMBERS: &[(&str, u32)] = &[
    ("TYPE_INTEGER", 1),
    ("TYPE_FLOAT", 2),
    ("TYPE_SECONDS", 4),
    ("TYPE_MILLISECONDS", 5),
    ("TYPE_CURRENCY", 9),
    ("COMPATIBLE", 1),
    ("INCOMPATIBLE", 2),
    ("PROPERTY_TYPE_ORDINARY", 1),
    ("PROPERTY_TYPE_SUBPROPERTY", 2),
    ("PROPERTY_TYPE_ROLLUP", 3),
    ("GOOGLE_ANALYTICS_STANDARD", 1),
    ("GOOGLE_ANALYTICS_360", 2),
    ("SHOPPING", 26),
];
