//! One row of an answer, read so that whatever is wrong with it costs only this row.

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess},
};

use super::MAX_CELLS;
use crate::wire::lenient::{Shape, read};

/// One row. One that is no object has no cells, and so fewer than there are headers.
#[derive(Clone, Debug, Default)]
pub struct ResponseRow {
    /// In the order of the dimension headers.
    pub dimension_values: Vec<Value>,
    /// In the order of the metric headers.
    pub metric_values: Vec<Value>,
}

/// One cell; numbers are texts too.
#[derive(Clone, Debug, Default)]
pub struct Value {
    /// The cell's text.
    pub value: String,
    /// Whether it is anything but a text, which is empty then.
    pub is_broken: bool,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum RowKey {
    DimensionValues,
    MetricValues,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum CellKey {
    Value,
    #[serde(other)]
    Other,
}

/// Cells up to the limit; more of them are too many for any request.
struct Cells(Vec<Value>);

/// A text; `None` where there is something else.
struct CellText(Option<String>);

impl<'de> Deserialize<'de> for ResponseRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }
}

impl<'de> Shape<'de> for ResponseRow {
    fn of_other(_: String) -> Self {
        Self::default()
    }

    fn of_object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        let mut row = Self::default();
        while let Some(key) = object.next_key()? {
            match key {
                RowKey::DimensionValues => row.dimension_values = object.next_value::<Cells>()?.0,
                RowKey::MetricValues => row.metric_values = object.next_value::<Cells>()?.0,
                RowKey::Other => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(row)
    }
}

impl<'de> Deserialize<'de> for Cells {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }
}

impl<'de> Shape<'de> for Cells {
    fn of_other(_: String) -> Self {
        Self(Vec::new())
    }

    fn of_list<A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut cells = Vec::new();
        while cells.len() < MAX_CELLS {
            let Some(cell) = list.next_element()? else { return Ok(Self(cells)) };
            cells.push(cell);
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self(cells))
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }
}

impl<'de> Shape<'de> for Value {
    fn of_other(_: String) -> Self {
        Self { value: String::new(), is_broken: true }
    }

    fn of_object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        let mut cell = Self::default();
        while let Some(key) = object.next_key()? {
            match key {
                CellKey::Value => {
                    let CellText(text) = object.next_value()?;
                    cell.is_broken = text.is_none();
                    cell.value = text.unwrap_or_default();
                }
                CellKey::Other => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(cell)
    }
}

impl<'de> Deserialize<'de> for CellText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer)
    }
}

/// `null` is an accepted way to write an empty text.
impl<'de> Shape<'de> for CellText {
    fn of_other(_: String) -> Self {
        Self(None)
    }

    fn of_null() -> Self {
        Self(Some(String::new()))
    }

    fn of_text(text: &str) -> Self {
        Self(Some(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: &str) -> (Vec<Option<String>>, usize) {
        let row: ResponseRow = serde_json::from_str(json).unwrap();
        let text = |cell: Value| (!cell.is_broken).then_some(cell.value);
        (row.dimension_values.into_iter().map(text).collect(), row.metric_values.len())
    }

    #[test]
    fn cells_are_texts() {
        let long = "ä".repeat(10_000);
        for (json, labels, metrics) in [
            (
                r#"{"dimensionValues": [{"value": "a"}, {}], "metricValues": [{"value": "1"}]}"#.to_owned(),
                vec!["a", ""],
                1,
            ),
            (r#"{"dimensionValues": [{"value": null, "new": [1]}], "new": {"a": {}}}"#.to_owned(), vec![""], 0),
            (format!(r#"{{"metricValues": [], "dimensionValues": [{{"value": "{long}"}}]}}"#), vec![long.as_str()], 0),
            (r#"{"dimensionValues": [{"value": "a\n\"\u00e9"}]}"#.to_owned(), vec!["a\n\"é"], 0),
        ] {
            let labels: Vec<Option<String>> = labels.into_iter().map(|label| Some(label.to_owned())).collect();
            assert_eq!(row(&json), (labels, metrics), "{json}");
        }
    }

    #[test]
    fn anything_else_is_a_broken_cell_or_none() {
        for cell in [
            "{\"value\": 5}",
            "{\"value\": true}",
            "{\"value\": {}}",
            "{\"value\": [\"a\"]}",
            "\"a\"",
            "7",
            "null",
            "[]",
        ] {
            let json = format!(r#"{{"dimensionValues": [{{"value": "a"}}, {cell}], "metricValues": [{{}}]}}"#);
            assert_eq!(row(&json), (vec![Some("a".to_owned()), None], 1), "{cell}");
        }
        for none in ["null", "5", "\"a\"", "[]", "true", "{}", r#"{"dimensionValues": {}, "metricValues": 7}"#] {
            assert_eq!(row(none), (Vec::new(), 0), "{none}");
        }
        let many = vec!["{}"; 1_000].join(",");
        assert_eq!(row(&format!(r#"{{"metricValues": [{many}]}}"#)).1, MAX_CELLS);
    }
}
