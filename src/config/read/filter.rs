//! A filter, in the short form or as Google's own JSON.
//!
//! `{dimension: pagePath, begins_with: /checkout}` and `and`, `or`, `not` of such; or a `FilterExpression` of the Data API as it
//! is, for dimensions alone or for both as `{dimensionFilter: …, metricFilter: …}`.

use super::super::{
    problem::Position,
    reader::{Reader, listed, quoted},
    value,
    yaml::{Kind as Scalar, Node, Value},
};
use ga4_exporter_core::{
    names::{ApiName, Category},
    report::{
        Counted, Filter, Split, Unit,
        fields::{FieldKind, Known},
        filter::{Expression, Match, On, Operator, TextTest},
    },
};

mod hint;
mod pattern;
mod verbatim;

/// What the report of a filter has: its own names stand for fields, too.
#[derive(Clone, Copy)]
pub(super) struct Names<'n> {
    pub(super) category: Category,
    pub(super) dimensions: &'n [(Split, Position)],
    pub(super) metrics: &'n [(Counted, Position)],
}

/// A filter that was read, and the fields that it looks at.
pub(super) struct Found {
    pub(super) filter: Filter,
    pub(super) fields: Vec<Known>,
}

/// Reads the filter at `path`.
pub(super) fn filter(reader: &mut Reader<'_>, node: &Node, path: &str, names: Names<'_>) -> Option<Found> {
    let mut scope = Scope { reader, names, fields: Vec::new() };
    let expression = scope.expression(node, path)?;
    let fields = scope.fields;
    match Filter::new(&expression) {
        Ok(filter) => Some(Found { filter, fields }),
        Err(error) => {
            reader.error(node.position, format!("`{path}`: {}", advised(&error.to_string(), "write it otherwise")));
            None
        }
    }
}

/// What reading a filter needs, and what it finds by the way.
struct Scope<'r, 'f, 's> {
    reader: &'r mut Reader<'f>,
    names: Names<'s>,
    fields: Vec<Known>,
}

/// A condition that is being read.
#[derive(Default)]
struct Condition<'n> {
    /// The field, and whether it is a metric.
    field: Option<(&'n Node, FieldKind)>,
    compared: Option<(Operator, Option<Vec<String>>, Position)>,
    unit: Option<(Option<Unit>, Position)>,
    case_sensitive: Option<(bool, Position)>,
    is_bad: bool,
}

/// An entry of a mapping.
type Entry<'n> = (String, (&'n Node, Position));

impl Scope<'_, '_, '_> {
    fn expression(&mut self, node: &Node, path: &str) -> Option<Expression> {
        let is_googles = |key: &str| verbatim::KEYS.contains(&key);
        let has_googles = matches!(&node.value, Value::Mapping(entries) if entries.iter().any(
            |(key, _)| matches!(&key.value, Value::Scalar(_, text) if is_googles(text))));
        if has_googles {
            return self.verbatim(node, path);
        }
        let advice = if let Value::Sequence(_) = node.value { LIST } else { EXAMPLE };
        let entries: Vec<Entry<'_>> = self.reader.mapping(node, path, advice).into_iter().collect();
        let joins = |entry: &&Entry<'_>| JOINS.contains(&entry.0.as_str());
        match (entries.iter().find(joins), entries.as_slice()) {
            (_, []) => {
                if !matches!(node.value, Value::Sequence(_))
                    && (node.is_null() || matches!(node.value, Value::Mapping(_)))
                {
                    self.reader.error(node.position, format!("`{path}` is empty; {EXAMPLE}, or remove it"));
                }
                None
            }
            (Some(_), [(key, (value, _))]) => self.joined(key, value, &format!("{path}.{key}")),
            (Some((key, (_, position))), _) => {
                let message = format!("`{key}` stands beside other keys in `{path}`; put all of it into one `and`");
                self.reader.error(*position, message);
                None
            }
            (None, _) => self.condition(node.position, &entries, path),
        }
    }

    /// What `and`, `or` or `not` joins.
    fn joined(&mut self, key: &str, value: &Node, path: &str) -> Option<Expression> {
        if key == "not" {
            return self.expression(value, path).map(|part| Expression::Not(Box::new(part)));
        }
        let items = self.reader.list(value, path, "[{dimension: pagePath, contains: blog}]");
        if items.is_empty() {
            if value.is_null() || matches!(value.value, Value::Sequence(_)) {
                self.reader.error(value.position, format!("`{path}` is empty; list conditions, or remove it"));
            }
            return None;
        }
        let path = format!("{path}[]");
        let parts: Vec<Option<Expression>> = items.iter().map(|item| self.expression(item, &path)).collect();
        let parts: Option<Vec<Expression>> = parts.into_iter().collect();
        parts.map(if key == "and" { Expression::And } else { Expression::Or })
    }

    /// A field, a comparison and what it is compared with.
    fn condition(&mut self, position: Position, entries: &[Entry<'_>], path: &str) -> Option<Expression> {
        let mut read = Condition::default();
        for (key, (value, at)) in entries {
            self.entry(&mut read, key, (value, *at), path);
        }
        if read.field.is_none() && !read.is_bad {
            let message = format!("`{path}` names no field; add `dimension: pagePath`, or `metric: pageviews`");
            self.reader.error(position, message);
        }
        if read.compared.is_none() && !read.is_bad {
            let message = format!("`{path}` has no comparison; add one, such as `equals: /checkout`");
            self.reader.error(position, message);
        }
        let (node, kind) = read.field.filter(|_| !read.is_bad)?;
        let (on, field) = match kind {
            FieldKind::Dimension => (On::Dimension, self.field(node, &format!("{path}.dimension"), kind)?.api_name),
            FieldKind::Metric => self.metric(node, path, read.unit)?,
        };
        self.check_keys(&read, kind, path);
        let (operator, values, at) = read.compared?;
        self.check_ratio(on, &field, values.as_deref().unwrap_or_default(), (at, path));
        let is_case_sensitive = read.case_sensitive.is_none_or(|(truth, _)| truth);
        let condition = Expression::condition(on, field, operator, &values?, is_case_sensitive);
        let condition = condition.map_err(|error| {
            self.reader.error(at, format!("`{path}`: {}", advised(&error.to_string(), "write as many as it takes")));
        });
        let condition = condition.ok()?;
        self.check_pattern(&condition, at, path);
        Some(condition)
    }

    /// A ratio that is beyond all: a percentage was probably meant.
    fn check_ratio(&mut self, on: On, field: &ApiName, values: &[String], (at, path): (Position, &str)) {
        let is_beyond = |text: &&String| text.trim().parse::<f64>().is_ok_and(|number| number > 1.0);
        if let Some(value) = values.iter().find(is_beyond).filter(|_| on == On::Metric(Unit::Ratio)) {
            let message = format!(
                "`{path}`: `{field}` is a ratio from 0 to 1, and {} is beyond it; write `0.5` for 50 %",
                quoted(value)
            );
            self.reader.warn(at, message);
        }
    }

    /// One key of a condition.
    fn entry<'n>(&mut self, read: &mut Condition<'n>, key: &str, (value, at): (&'n Node, Position), path: &str) {
        let here = format!("{path}.{key}");
        let wrong = match key {
            "dimension" | "metric" if read.field.is_some() => {
                format!("`{path}` has two fields; write a condition for each, joined by `and`")
            }
            "dimension" => return read.field = Some((value, FieldKind::Dimension)),
            "metric" => return read.field = Some((value, FieldKind::Metric)),
            "unit" => {
                let unit = self.reader.parsed(value, &here, "seconds", value::unit);
                return read.unit = Some((unit, at));
            }
            "case_sensitive" => {
                let truth = self.reader.truth(value, &here);
                read.is_bad |= truth.is_none();
                return read.case_sensitive = truth.map(|truth| (truth, at));
            }
            word => match word.parse::<Operator>() {
                Ok(operator) if read.compared.is_none() => {
                    let values = self.values(operator, value, &here);
                    return read.compared = Some((operator, values, value.position));
                }
                Ok(_) => format!("`{path}` has two comparisons; write a condition for each, joined by `and`"),
                Err(_) => hint::unknown(word, path, self.names.category),
            },
        };
        self.reader.error(at, wrong);
        read.is_bad = true;
    }

    /// Keys that mean nothing beside the others.
    fn check_keys(&mut self, read: &Condition<'_>, kind: FieldKind, path: &str) {
        if let Some((_, at)) = read.unit.filter(|_| kind == FieldKind::Dimension) {
            self.reader.error(at, format!("`{path}.unit` is for metrics; remove it"));
        }
        let Some((_, at)) = read.case_sensitive else { return };
        let compares_texts = read.compared.as_ref().is_some_and(|(operator, ..)| operator.compares_texts());
        if kind == FieldKind::Metric || (read.compared.is_some() && !compares_texts) {
            self.reader.error(at, format!("`{path}.case_sensitive` is for comparisons of texts; remove it"));
        }
    }

    /// A field by the report's own name for it, by ours or by Google's.
    fn field(&mut self, node: &Node, path: &str, kind: FieldKind) -> Option<Known> {
        let names = self.names;
        self.field_by(node, path, kind, |text| match kind {
            FieldKind::Dimension => {
                names.dimensions.iter().find(|(split, _)| split.label.as_str() == text).map(|(split, _)| &split.field)
            }
            FieldKind::Metric => names
                .metrics
                .iter()
                .find(|(counted, _)| counted.name.as_str() == text)
                .map(|(counted, _)| &counted.field),
        })
    }

    /// A field by a name that somebody gave to it, by ours or by Google's.
    fn field_by<'k>(
        &mut self,
        node: &Node,
        path: &str,
        kind: FieldKind,
        given: impl Fn(&str) -> Option<&'k Known>,
    ) -> Option<Known> {
        let category = self.names.category;
        let known = self.reader.parsed_whole(node, path, "pagePath", |text| match given(text.trim()) {
            Some(known) => Ok(known.clone()),
            None => super::find_field(kind, text, category),
        })?;
        if !self.fields.contains(&known) {
            self.fields.push(known.clone());
        }
        Some(known)
    }

    /// A metric and what Google's numbers of it are in: as the report says, as everybody knows, or as the condition says.
    fn metric(&mut self, node: &Node, path: &str, given: Option<(Option<Unit>, Position)>) -> Option<(On, ApiName)> {
        let known = self.field(node, &format!("{path}.metric"), FieldKind::Metric)?;
        let of_report =
            self.names.metrics.iter().find(|(counted, _)| counted.field == known).map(|(counted, _)| counted.unit);
        let api_name = &known.api_name;
        let unit = match (of_report.or(known.standard.unit), given) {
            (_, Some((None, _))) => return None,
            (Some(unit), Some((Some(other), at))) if unit != other => {
                let message = format!("`{path}`: the unit of `{api_name}` is `{}`; remove `unit`", unit.word());
                self.reader.error(at, message);
                return None;
            }
            (Some(unit), _) | (None, Some((Some(unit), _))) => unit,
            (None, None) => {
                let units = listed(Unit::WORDS.iter().map(|(word, _)| *word));
                let message = format!(
                    "`{path}`: the unit of `{api_name}` is not known, since your property defines it; add `unit: standard`, or \
                     another unit: {units}"
                );
                self.reader.error(node.position, message);
                return None;
            }
        };
        Some((On::Metric(unit), known.api_name))
    }

    fn values(&mut self, operator: Operator, node: &Node, path: &str) -> Option<Vec<String>> {
        if operator == Operator::Empty {
            if self.reader.truth(node, path)? {
                return Some(Vec::new());
            }
            let message = format!("`{path}` is false; write `not: {{dimension: …, empty: true}}`, or remove it");
            self.reader.error(node.position, message);
            return None;
        }
        if operator != Operator::In && operator != Operator::Between {
            return self.reader.text(node, path, "/checkout").map(|text| vec![text.to_owned()]);
        }
        let example = if operator == Operator::In { "[DE, AT, CH]" } else { "[10, 20]" };
        let items = self.reader.list(node, path, example);
        let path = format!("{path}[]");
        let texts: Vec<Option<String>> =
            items.iter().map(|item| self.reader.text(item, &path, "DE").map(str::to_owned)).collect();
        let is_list = node.is_null() || matches!(node.value, Value::Sequence(_));
        texts.into_iter().collect::<Option<Vec<String>>>().filter(|_| is_list)
    }

    /// Judges the regular expression of a condition.
    fn check_pattern(&mut self, condition: &Expression, at: Position, path: &str) {
        let Expression::Dimension(_, TextTest::Matches { how: Match::Regex | Match::FullRegex, value, .. }) = condition
        else {
            return;
        };
        match pattern::judge(value) {
            pattern::Verdict::Good => {}
            pattern::Verdict::Refused(wrong) => self.reader.error(at, format!("`{path}`: {wrong}")),
            pattern::Verdict::Doubtful(doubt) => self.reader.warn(at, format!("`{path}`: {doubt}")),
        }
    }
}

/// Errors of the core without advice of their own get some.
fn advised(message: &str, advice: &str) -> String {
    if message.contains(';') { message.to_owned() } else { format!("{message}; {advice}") }
}

/// Whether a scalar is a number, for what Google writes as either.
fn is_number(node: &Node) -> bool {
    matches!(node.value, Value::Scalar(Scalar::Number | Scalar::String, _))
}

/// What joins conditions.
const JOINS: &[&str] = &["and", "or", "not"];

/// The advice for conditions in a list.
const LIST: &str = "join the conditions: `{and: [{dimension: pagePath, begins_with: /checkout}, …]}`";

const EXAMPLE: &str = "write a condition such as `{dimension: pagePath, begins_with: /checkout}`";
