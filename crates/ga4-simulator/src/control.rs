//! `/simulator/faults`: injects faults over HTTP, for clients that are not tested in Rust.
//!
//! `GET` lists the recorded answers, `POST` plays one, `DELETE` ends all faults. Needs no sign-in, because simulators
//! listen on loopback.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    api::{Call, State},
    faults::{Fault, Method},
    outcome::Outcome,
    recordings::Recording,
};

/// The path, which no API uses.
pub(super) const PATH: &str = "/simulator/faults";

/// Answers a request to the path.
pub(super) fn answer(state: &State, call: &Call) -> Outcome {
    match call.head.method.as_str() {
        "GET" => Outcome::json(200, &listing()),
        "POST" => match Order::read(&call.body) {
            Ok(order) => {
                let answer = order.confirmation();
                state.faults.inject(order.fault());
                Outcome::json(200, &answer)
            }
            Err(problem) => Outcome::json(400, &json!({ "error": problem })),
        },
        "DELETE" => {
            state.faults.clear_all();
            Outcome::json(200, &json!({}))
        }
        other => Outcome::json(405, &json!({"error": format!("{PATH} takes GET, POST and DELETE, not {other}")})),
    }
}

fn listing() -> Value {
    let entry = |recording: Recording| json!({"fault": recording.name(), "method": recording.method().name(), "status": recording.status()});
    json!({"faults": Recording::all().map(entry).collect::<Vec<_>>()})
}

/// The body of a `POST`.
struct Order {
    recording: Recording,
    method: Method,
    property: Option<String>,
    times: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    fault: String,
    property: Option<Value>,
    method: Option<String>,
    times: Option<u32>,
}

impl Order {
    fn read(body: &[u8]) -> Result<Self, String> {
        let body: Body = serde_json::from_slice(body).map_err(|error| {
            format!("the body must be {{\"fault\": …, \"property\": …, \"method\": …, \"times\": …}}: {error}")
        })?;
        let recording = Recording::named(&body.fault)
            .ok_or_else(|| format!("unknown fault {:?}; GET {PATH} lists them", body.fault))?;
        let method = match body.method {
            Some(name) => Method::named(&name).ok_or_else(|| {
                let names = Method::ALL.map(Method::name).join(", ");
                format!("unknown method {name:?}; it must be one of {names}")
            })?,
            None => recording.method(),
        };
        if body.times == Some(0) {
            return Err(String::from("times must be at least 1; without it the fault goes on"));
        }
        let property = body.property.as_ref().map(property_id).transpose()?;
        Ok(Self { recording, method, property, times: body.times })
    }

    fn fault(self) -> Fault {
        let mut fault = Fault::from(self.recording).on(self.method);
        if let Some(property) = self.property {
            fault = fault.property(property);
        }
        if let Some(times) = self.times {
            fault = fault.times(times);
        }
        fault
    }

    fn confirmation(&self) -> Value {
        json!({
            "fault": self.recording.name(),
            "method": self.method.name(),
            "property": self.property,
            "times": self.times,
            "status": self.recording.status(),
        })
    }
}

/// Parses `"123"`, `"properties/123"` or `123`.
fn property_id(value: &Value) -> Result<String, String> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => String::from(text.strip_prefix("properties/").unwrap_or(text)),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
    };
    let is_id = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_id.then_some(text).ok_or_else(|| format!("property must be a numeric id, not {value}"))
}
