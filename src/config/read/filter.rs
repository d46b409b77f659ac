//! A filter, in the short form or as Google's own JSON.
//!
//! `{dimension: pagePath, begins_with: /checkout}` and `and`, `or`, `not` of such; or a `FilterExpression` of the Data API as it
//! is, for dimensions alone or for both as `{dimensionFilter: …, metricFilter: …}`.

use super::super::{
    problem::Position,
    reader::{Reader, listed, nearest, quoted},
    yaml::{Kind as Scalar, Node, Value},
};
use ga4_exporter_core::{
    names::{ApiName, Category},
    report::{
        Filter,
        fields::{self, FieldKind, Known},
        filter::{Expression, On, Operator},
    },
};

mod verbatim;

/// A filter that was read, and the dimensions that it looks at.
pub(super) struct Found {
    pub(super) filter: Filter,
    pub(super) dimensions: Vec<Known>,
}

/// Reads the filter at `path`, for reports of this category.
pub(super) fn filter(reader: &mut Reader<'_>, node: &Node, path: &str, category: Category) -> Option<Found> {
    let mut scope = Scope { reader, category, dimensions: Vec::new() };
    let expression = scope.expression(node, path)?;
    let dimensions = scope.dimensions;
    match Filter::new(&expression) {
        Ok(filter) => Some(Found { filter, dimensions }),
        Err(error) => {
            reader.error(node.position, format!("`{path}`: {error}; write it otherwise"));
            None
        }
    }
}

/// What reading a filter needs, and what it finds by the way.
struct Scope<'r, 'f> {
    reader: &'r mut Reader<'f>,
    category: Category,
    dimensions: Vec<Known>,
}

/// An entry of a mapping.
type Entry<'n> = (String, (&'n Node, Position));

impl Scope<'_, '_> {
    fn expression(&mut self, node: &Node, path: &str) -> Option<Expression> {
        let is_googles = |key: &str| verbatim::KEYS.contains(&key);
        let has_googles = matches!(&node.value, Value::Mapping(entries) if entries.iter().any(
            |(key, _)| matches!(&key.value, Value::Scalar(_, text) if is_googles(text))));
        if has_googles {
            return self.verbatim(node, path);
        }
        let entries: Vec<Entry<'_>> = self.reader.mapping(node, path, EXAMPLE).into_iter().collect();
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
        let (mut field, mut compared, mut case_sensitive) = (None, None, true);
        let mut is_good = true;
        for (key, (value, at)) in entries {
            let here = format!("{path}.{key}");
            match key.as_str() {
                "dimension" | "metric" if field.is_some() => {
                    self.reader
                        .error(*at, format!("`{path}` has two fields; write a condition for each, joined by `and`"));
                    is_good = false;
                }
                "dimension" => field = Some((On::Dimension, self.field(value, &here, FieldKind::Dimension))),
                "metric" => field = Some((On::Metric, self.field(value, &here, FieldKind::Metric))),
                "case_sensitive" => match self.reader.truth(value, &here) {
                    Some(truth) => case_sensitive = truth,
                    None => is_good = false,
                },
                word => match word.parse::<Operator>() {
                    Ok(operator) if compared.is_none() => {
                        compared = Some((operator, self.values(operator, value, &here), value.position));
                    }
                    Ok(_) => {
                        self.reader.error(
                            *at,
                            format!("`{path}` has two comparisons; write a condition for each, joined by `and`"),
                        );
                        is_good = false;
                    }
                    Err(_) => {
                        self.reader.error(*at, unknown(word, path));
                        is_good = false;
                    }
                },
            }
        }
        if field.is_none() && is_good {
            let message = format!("`{path}` names no field; add `dimension: pagePath`, or `metric: pageviews`");
            self.reader.error(position, message);
        }
        if compared.is_none() && is_good {
            let message = format!("`{path}` has no comparison; add one, such as `equals: /checkout`");
            self.reader.error(position, message);
        }
        let ((on, field), (operator, values, at)) = field.zip(compared).filter(|_| is_good)?;
        let condition = Expression::condition(on, field?, operator, &values?, case_sensitive);
        self.pattern(&condition.as_ref().ok().cloned(), at, path);
        condition.map_err(|error| self.reader.error(at, format!("`{path}`: {}", advised(&error.to_string())))).ok()
    }

    /// A field by our name or Google's.
    fn field(&mut self, node: &Node, path: &str, kind: FieldKind) -> Option<ApiName> {
        let category = self.category;
        let parse = |text: &str| fields::find(kind, text, category).map_err(|error| error.to_string());
        let known = self.reader.parsed(node, path, "pagePath", parse)?;
        let name = known.api_name.clone();
        if kind == FieldKind::Dimension {
            self.dimensions.push(known);
        }
        Some(name)
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

    /// Google reads regular expressions as RE2 does; what this library cannot read, RE2 hardly can.
    fn pattern(&mut self, condition: &Option<Expression>, at: Position, path: &str) {
        use ga4_exporter_core::report::filter::{Match, TextTest};
        let Some(Expression::Dimension(_, TextTest::Matches { how: Match::Regex | Match::FullRegex, value, .. })) =
            condition
        else {
            return;
        };
        if let Err(wrong) = super::pattern(value) {
            self.reader.warn(at, format!("`{path}`: {wrong}; Google will hardly accept it"));
        }
    }
}

/// Errors of the core without advice of their own get some.
fn advised(message: &str) -> String {
    if message.contains(';') { message.to_owned() } else { format!("{message}; write as many as it takes") }
}

fn unknown(word: &str, path: &str) -> String {
    let words = || Operator::ALL.iter().map(|(_, word, _)| *word);
    let known = || ["dimension", "metric", "case_sensitive"].into_iter().chain(words()).chain(JOINS.iter().copied());
    match nearest(word, known()) {
        Some(near) => format!("unknown key {} in `{path}`; did you mean `{near}`?", quoted(word)),
        None => format!("unknown key {} in `{path}`; remove it, or use some of {}", quoted(word), listed(known())),
    }
}

/// Whether a scalar is a number, for what Google writes as either.
fn is_number(node: &Node) -> bool {
    matches!(node.value, Value::Scalar(Scalar::Number | Scalar::String, _))
}

/// What joins conditions.
const JOINS: &[&str] = &["and", "or", "not"];

const EXAMPLE: &str = "write a condition such as `{dimension: pagePath, begins_with: /checkout}`";
