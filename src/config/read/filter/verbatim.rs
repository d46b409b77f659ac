//! A filter as Google's own JSON: `FilterExpression` of google/analytics/data/v1beta/data.proto, strictly.

use super::{
    super::super::{
        problem::Position,
        reader::{Section, listed, quoted},
        schema::{Key, Table},
        yaml::{Node, Value},
    },
    Scalar, Scope, is_number,
};
use ga4_exporter_core::{
    names::ApiName,
    report::{
        fields::FieldKind,
        filter::{Comparison, Expression, Match, Number, NumberTest, TextTest},
    },
};

impl Scope<'_, '_, '_> {
    /// Both filters, or that of dimensions alone.
    pub(super) fn verbatim(&mut self, node: &Node, path: &str) -> Option<Expression> {
        let has = |name: &str| {
            matches!(&node.value, Value::Mapping(entries) if entries.iter().any(
                |(key, _)| matches!(&key.value, Value::Scalar(_, text) if text == name)))
        };
        if !has("dimensionFilter") && !has("metricFilter") {
            return self.filter_expression(node, path, FieldKind::Dimension);
        }
        let section = self.reader.section_at(node, &BOTH, path);
        let mut parts = Vec::new();
        for (key, on) in [("dimensionFilter", FieldKind::Dimension), ("metricFilter", FieldKind::Metric)] {
            if let Some(part) = section.get(key) {
                parts.push(self.filter_expression(part, &section.path(key), on));
            }
        }
        parts.into_iter().collect::<Option<Vec<_>>>().map(Expression::And)
    }

    fn filter_expression(&mut self, node: &Node, path: &str, on: FieldKind) -> Option<Expression> {
        let section = self.message(node, &EXPRESSION, path)?;
        let (key, value) = self.only(&section, node.position, path, EXPRESSION.keys)?;
        let here = section.path(key);
        match key {
            "filter" => self.google_filter(value, &here, on),
            "notExpression" => self.filter_expression(value, &here, on).map(|part| Expression::Not(Box::new(part))),
            _ => {
                if let Value::Sequence(_) = value.value {
                    let message = format!("`{here}` is a list; write `{key}: {{expressions: […]}}`");
                    self.reader.error(value.position, message);
                    return None;
                }
                let group = self.message(value, &GROUP, &here)?;
                let list = group.get("expressions");
                let items = list.map(|list| self.reader.list(list, &group.path("expressions"), "[{filter: …}]"));
                let items = items.unwrap_or_default();
                if items.is_empty() {
                    let message = format!("`{here}` has no `expressions`; write at least one, or remove it");
                    self.reader.error(value.position, message);
                    return None;
                }
                let path = format!("{here}.expressions[]");
                let parts: Vec<_> = items.iter().map(|item| self.filter_expression(item, &path, on)).collect();
                let parts = parts.into_iter().collect::<Option<Vec<_>>>();
                parts.map(if key == "andGroup" { Expression::And } else { Expression::Or })
            }
        }
    }

    fn google_filter(&mut self, node: &Node, path: &str, on: FieldKind) -> Option<Expression> {
        let section = self.message(node, &FILTER, path)?;
        // The report's own names are not Google's.
        let field = section.get("fieldName").map(|name| self.field_by(name, &section.path("fieldName"), on, |_| None));
        if field.is_none() {
            let message = format!("`{path}` has no `fieldName`; add it, as in `fieldName: pagePath`");
            self.reader.error(node.position, message);
        }
        let tests: Vec<&Key> = FILTER.keys.iter().filter(|key| key.name != "fieldName").collect();
        let (key, value) = self.only(&section, node.position, path, tests.iter().copied())?;
        let here = section.path(key);
        if on == FieldKind::Metric && !matches!(key, "numericFilter" | "betweenFilter") {
            let message =
                format!("`{here}` compares texts, and a metric is a number; use `numericFilter` or `betweenFilter`");
            self.reader.error(value.position, message);
            return None;
        }
        let test = match key {
            "stringFilter" => self.string_filter(value, &here),
            "inListFilter" => self.list_filter(value, &here),
            "emptyFilter" => {
                self.reader.section_at(value, &NOTHING, &here);
                Some(TextTest::Empty)
            }
            "numericFilter" => self.numeric_filter(value, &here).map(TextTest::Number),
            _ => self.between_filter(value, &here).map(TextTest::Number),
        };
        let condition = condition(on, field??.api_name, test?);
        self.check_pattern(&condition, value.position, &here);
        Some(condition)
    }

    /// The fields of one of Google's messages; `None` where there is something else, which has been said then.
    fn message<'n>(&mut self, node: &'n Node, table: &'static Table, path: &str) -> Option<Section<'n>> {
        let section = self.reader.section_at(node, table, path);
        matches!(node.value, Value::Mapping(_) | Value::Scalar(Scalar::Null, _)).then_some(section)
    }

    /// The one key of these that a message has.
    fn only<'n>(
        &mut self,
        section: &Section<'n>,
        position: Position,
        path: &str,
        keys: impl IntoIterator<Item = &'static Key>,
    ) -> Option<(&'static str, &'n Node)> {
        let names: Vec<&'static str> = keys.into_iter().map(|key| key.name).collect();
        let present: Vec<_> = names.iter().filter_map(|name| Some((*name, section.get(name)?))).collect();
        match present.as_slice() {
            [one] => Some(*one),
            [] => {
                self.reader.error(position, format!("`{path}` has none of {}; add one", listed(names)));
                None
            }
            [(first, _), (second, _), ..] => {
                let message = format!("`{path}` has `{first}` and `{second}`; remove one");
                self.reader.error(section.place(second).unwrap_or(position), message);
                None
            }
        }
    }

    fn string_filter(&mut self, node: &Node, path: &str) -> Option<TextTest> {
        let section = self.message(node, &STRING_FILTER, path)?;
        let how = self.choice(&section, "matchType", MATCHES, Some(Match::Equals));
        let value = self.required(&section, node, "value", "/checkout");
        let case_sensitive = self.flag(&section, "caseSensitive");
        let (how, value, case_sensitive) = (how?, value?, case_sensitive?);
        if value.is_empty() {
            let message =
                format!("`{path}.value` is empty; use `emptyFilter: {{}}` for texts that are empty or `(not set)`");
            self.reader.error(node.position, message);
            return None;
        }
        Some(TextTest::Matches { how, value: value.to_owned(), case_sensitive })
    }

    fn list_filter(&mut self, node: &Node, path: &str) -> Option<TextTest> {
        let section = self.message(node, &LIST_FILTER, path)?;
        let case_sensitive = self.flag(&section, "caseSensitive");
        let here = section.path("values");
        let items = section.get("values").map(|list| self.reader.list(list, &here, "[DE, AT]")).unwrap_or_default();
        if items.is_empty() {
            self.reader.error(node.position, format!("`{here}` is empty; list at least one value"));
            return None;
        }
        let here = format!("{here}[]");
        let values: Vec<_> = items.iter().map(|item| self.reader.text(item, &here, "DE").map(str::to_owned)).collect();
        Some(TextTest::In { values: values.into_iter().collect::<Option<_>>()?, case_sensitive: case_sensitive? })
    }

    fn numeric_filter(&mut self, node: &Node, path: &str) -> Option<NumberTest> {
        let section = self.message(node, &NUMERIC_FILTER, path)?;
        let comparison = self.choice(&section, "operation", OPERATIONS, None);
        if section.get("operation").is_none() {
            self.reader.error(node.position, format!("`{path}` has no `operation`; add it, as in `operation: EQUAL`"));
        }
        let number = self.number(&section, node, "value");
        Some(NumberTest::Is(comparison?, number?))
    }

    fn between_filter(&mut self, node: &Node, path: &str) -> Option<NumberTest> {
        let section = self.message(node, &BETWEEN_FILTER, path)?;
        let (least, most) = (self.number(&section, node, "fromValue"), self.number(&section, node, "toValue"));
        Some(NumberTest::Between(least?, most?))
    }

    /// A `NumericValue`.
    fn number(&mut self, section: &Section<'_>, node: &Node, key: &'static str) -> Option<Number> {
        let path = section.path(key);
        let Some(value) = section.get(key) else {
            self.reader.error(node.position, format!("`{path}` is missing; add it, as in `{key}: {{int64Value: 10}}`"));
            return None;
        };
        if let Value::Scalar(Scalar::Number, text) = &value.value {
            let message = format!("`{path}` is a number; write `{key}: {{int64Value: {text}}}`, or `doubleValue`");
            self.reader.error(value.position, message);
            return None;
        }
        let section = self.message(value, &NUMBER, &path)?;
        let (key, value) = self.only(&section, value.position, &path, NUMBER.keys)?;
        let is_whole = key == "int64Value";
        let parse = |text: &str| match text.parse::<Number>() {
            Ok(Number::Decimal(_)) if is_whole => {
                Err(format!("{} is not a whole number; use `doubleValue`", quoted(text)))
            }
            #[expect(clippy::cast_precision_loss, reason = "what Google makes of a double, too")]
            Ok(Number::Integer(number)) if !is_whole => Ok(Number::Decimal(number as f64)),
            Ok(number) if is_number(value) => Ok(number),
            _ => Err(format!("{} is not a number; write one such as `10`", quoted(text))),
        };
        self.reader.parsed(value, &section.path(key), "10", parse)
    }

    fn required<'n>(
        &mut self,
        section: &Section<'n>,
        node: &Node,
        key: &'static str,
        example: &str,
    ) -> Option<&'n str> {
        match section.get(key) {
            Some(value) => self.reader.text(value, &section.path(key), example),
            None => {
                self.reader.error(node.position, format!("`{}` is missing; add it", section.path(key)));
                None
            }
        }
    }

    fn flag(&mut self, section: &Section<'_>, key: &'static str) -> Option<bool> {
        section.get(key).map_or(Some(false), |value| self.reader.truth(value, &section.path(key)))
    }

    /// One of an enumeration; `missing` is what counts without the key.
    fn choice<T: Copy>(
        &mut self,
        section: &Section<'_>,
        key: &'static str,
        choices: &[(&'static str, T)],
        missing: Option<T>,
    ) -> Option<T> {
        let Some(value) = section.get(key) else { return missing };
        let parse = |text: &str| {
            let found = choices.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice);
            let names = || listed(choices.iter().map(|(name, _)| *name));
            found.ok_or_else(|| format!("{} is not known; use one of {}", quoted(text), names()))
        };
        self.reader.parsed(value, &section.path(key), choices.first().map_or("", |(name, _)| name), parse)
    }
}

fn condition(on: FieldKind, field: ApiName, test: TextTest) -> Expression {
    match (on, test) {
        (FieldKind::Metric, TextTest::Number(test)) => Expression::Metric(field, test),
        (_, test) => Expression::Dimension(field, test),
    }
}

/// The keys that begin Google's own form.
pub(super) const KEYS: &[&str] = &["dimensionFilter", "metricFilter", "andGroup", "orGroup", "notExpression", "filter"];

const MATCHES: &[(&str, Match)] = &[
    ("EXACT", Match::Equals),
    ("BEGINS_WITH", Match::BeginsWith),
    ("ENDS_WITH", Match::EndsWith),
    ("CONTAINS", Match::Contains),
    ("FULL_REGEXP", Match::FullRegex),
    ("PARTIAL_REGEXP", Match::Regex),
];

const OPERATIONS: &[(&str, Comparison)] = &[
    ("EQUAL", Comparison::Equal),
    ("LESS_THAN", Comparison::Less),
    ("LESS_THAN_OR_EQUAL", Comparison::LessOrEqual),
    ("GREATER_THAN", Comparison::Greater),
    ("GREATER_THAN_OR_EQUAL", Comparison::GreaterOrEqual),
];

const BOTH: Table = message(&[key("dimensionFilter"), key("metricFilter")]);
const EXPRESSION: Table = message(&[key("andGroup"), key("orGroup"), key("notExpression"), key("filter")]);
const GROUP: Table = message(&[key("expressions")]);
const FILTER: Table = message(&[
    key("fieldName"),
    key("stringFilter"),
    key("inListFilter"),
    key("numericFilter"),
    key("betweenFilter"),
    key("emptyFilter"),
]);
const STRING_FILTER: Table = message(&[key("matchType"), key("value"), key("caseSensitive")]);
const LIST_FILTER: Table = message(&[key("values"), key("caseSensitive")]);
const NUMERIC_FILTER: Table = message(&[key("operation"), key("value")]);
const BETWEEN_FILTER: Table = message(&[key("fromValue"), key("toValue")]);
const NUMBER: Table = message(&[key("int64Value"), key("doubleValue")]);
const NOTHING: Table = message(&[]);

/// A message of Google's; what its fields are for stands there.
const fn message(keys: &'static [Key]) -> Table {
    Table { path: "", keys }
}

const fn key(name: &'static str) -> Key {
    Key { name, takes: "", default: "", about: "" }
}
