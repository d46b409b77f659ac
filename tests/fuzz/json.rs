//! JSON as Google writes it, and almost.

use proptest::{collection, option, prelude::*, sample};
use serde_json::Value;

/// Any value whose keys are those that a reader knows, of the right type or not.
pub(crate) fn values(keys: &'static [&'static str], texts: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let text = prop_oneof![sample::select(texts).prop_map(str::to_owned), ".{0,40}", Just("x".repeat(20_000))];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            1 => collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            3 => collection::vec((sample::select(keys), inner), 0..6).prop_map(|entries| {
                Value::Object(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

/// The text of a value; in some cases cut off, or with a byte changed.
pub(crate) fn bodies(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Vec<u8>> {
    let damage = option::weighted(0.2, (any::<sample::Index>(), any::<u8>(), any::<bool>()));
    (value, damage).prop_map(|(value, damage)| {
        let mut body = value.to_string().into_bytes();
        if let Some((at, byte, is_cut)) = damage {
            let at = at.index(body.len());
            body.splice(at..=at, [byte]);
            if is_cut {
                body.truncate(at);
            }
        }
        body
    })
}
