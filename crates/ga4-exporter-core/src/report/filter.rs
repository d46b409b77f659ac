//! Which rows a report wants: conditions on dimensions and metrics, and the same as Google's `FilterExpression`s.
//!
//! Knows what Google's filters can say: google/analytics/data/v1beta/data.proto, and that a filter is either on dimensions or on
//! metrics, so that only `and` can join the two. Refuses to know which fields there are. Invariant: whoever holds a
//! [`Filter`] holds one that Google can read, unless it was given as Google's own JSON.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Value, json};
use thiserror::Error as ThisError;

use super::metric::Unit;
use crate::names::ApiName;

pub use condition::{ConditionError, On, Operator};

mod condition;

/// A filter, ready to be sent.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Filter {
    dimensions: Option<Arc<Value>>,
    metrics: Option<Arc<Value>>,
}

/// What rows must be like.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// All of these hold.
    And(Vec<Self>),
    /// One of these holds at least.
    Or(Vec<Self>),
    /// This does not hold.
    Not(Box<Self>),
    /// What the value of a dimension must be like.
    Dimension(ApiName, TextTest),
    /// What the value of a metric must be like.
    Metric(ApiName, NumberTest),
}

/// A condition on a text.
#[derive(Clone, Debug, PartialEq)]
pub enum TextTest {
    /// It matches in this way.
    Matches {
        /// How it is compared.
        how: Match,
        /// With what.
        value: String,
        /// Whether `A` is another letter than `a`.
        case_sensitive: bool,
    },
    /// It is one of these.
    In {
        /// At least one.
        values: Vec<String>,
        /// Whether `A` is another letter than `a`.
        case_sensitive: bool,
    },
    /// It is a number, and as such.
    Number(NumberTest),
    /// It is empty or `(not set)`.
    Empty,
}

/// How a text is compared (`StringFilter.MatchType`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Match {
    /// It is the same.
    Equals,
    /// It begins with the value.
    BeginsWith,
    /// It ends with the value.
    EndsWith,
    /// It has the value in it.
    Contains,
    /// The whole text matches the regular expression.
    FullRegex,
    /// A part of it matches the regular expression.
    Regex,
}

/// A condition on a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NumberTest {
    /// It compares so with the number.
    Is(Comparison, Number),
    /// It lies between these, both included.
    Between(Number, Number),
}

/// How numbers compare (`NumericFilter.Operation`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A number as a filter has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole one.
    Integer(i64),
    /// Any other; finite.
    Decimal(f64),
}

/// Why an expression cannot be a filter.
#[derive(Debug, Eq, PartialEq, ThisError)]
pub enum FilterError {
    /// Google has one filter for each.
    #[error("conditions on dimensions and on metrics can only be joined by `and`, at the top of a filter")]
    Mixed,
    /// `and`, `or` or `in` of nothing.
    #[error("a list of a filter is empty; Google wants one entry at least")]
    Empty,
    /// JSON has no such number.
    #[error("a number of a filter is not finite")]
    NotFinite,
    /// Nothing lies between them.
    #[error("a range of numbers in a filter begins above its end; write the lesser number first")]
    Backwards,
    /// More than [`MAX_CONDITIONS`].
    #[error("a filter of more than {MAX_CONDITIONS} conditions is too long")]
    TooLong,
    /// More than [`MAX_DEPTH`].
    #[error("a filter of more than {MAX_DEPTH} levels is too deep")]
    TooDeep,
}

impl Filter {
    /// The filter that an expression means.
    ///
    /// # Errors
    /// Google cannot read such a filter, or it is larger than it may be.
    pub fn new(expression: &Expression) -> Result<Self, FilterError> {
        let mut left = MAX_CONDITIONS;
        check(expression, MAX_DEPTH, &mut left)?;
        let (mut dimensions, mut metrics) = (Vec::new(), Vec::new());
        for part in conjuncts(expression) {
            match side(part)? {
                Side::Dimensions => dimensions.push(json_of(part)),
                Side::Metrics => metrics.push(json_of(part)),
            }
        }
        Ok(Self { dimensions: joined(dimensions), metrics: joined(metrics) })
    }

    /// Google's own `dimensionFilter` and `metricFilter`, as they are.
    pub fn verbatim(dimensions: Option<Value>, metrics: Option<Value>) -> Self {
        Self { dimensions: dimensions.map(Arc::new), metrics: metrics.map(Arc::new) }
    }

    /// The filter of what passes both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let both = |one: &Option<Arc<Value>>, other: &Option<Arc<Value>>| {
            joined(one.iter().chain(other).map(|filter| (**filter).clone()).collect())
        };
        Self { dimensions: both(&self.dimensions, &other.dimensions), metrics: both(&self.metrics, &other.metrics) }
    }

    /// The `dimensionFilter` of a request.
    pub fn dimension_filter(&self) -> Option<Arc<Value>> {
        self.dimensions.clone()
    }

    /// The `metricFilter` of a request.
    pub fn metric_filter(&self) -> Option<Arc<Value>> {
        self.metrics.clone()
    }

    /// The dimensions that it looks at: Google counts them with those of the report.
    pub fn dimension_names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        if let Some(filter) = &self.dimensions {
            add_names(filter, &mut names);
        }
        names
    }

    /// The metrics that it looks at.
    pub fn metric_names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        if let Some(filter) = &self.metrics {
            add_names(filter, &mut names);
        }
        names
    }
}

/// What a condition is on.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Side {
    Dimensions,
    Metrics,
}

fn check(expression: &Expression, levels: usize, left: &mut usize) -> Result<(), FilterError> {
    let levels = levels.checked_sub(1).ok_or(FilterError::TooDeep)?;
    let mut spend = |conditions: usize| {
        *left = left.checked_sub(conditions).ok_or(FilterError::TooLong)?;
        Ok(())
    };
    match expression {
        Expression::And(parts) | Expression::Or(parts) if parts.is_empty() => Err(FilterError::Empty),
        Expression::And(parts) | Expression::Or(parts) => parts.iter().try_for_each(|part| check(part, levels, left)),
        Expression::Not(part) => check(part, levels, left),
        Expression::Dimension(_, TextTest::In { values, .. }) if values.is_empty() => Err(FilterError::Empty),
        Expression::Dimension(_, TextTest::In { values, .. }) => spend(values.len()),
        Expression::Dimension(_, TextTest::Number(test)) | Expression::Metric(_, test) => {
            spend(1)?;
            check_numbers(test)
        }
        Expression::Dimension(_, TextTest::Matches { .. } | TextTest::Empty) => spend(1),
    }
}

fn check_numbers(test: &NumberTest) -> Result<(), FilterError> {
    let (least, most) = match *test {
        NumberTest::Is(_, number) => (number, number),
        NumberTest::Between(least, most) => (least, most),
    };
    if !least.as_f64().is_finite() || !most.as_f64().is_finite() {
        return Err(FilterError::NotFinite);
    }
    if least.as_f64() > most.as_f64() { Err(FilterError::Backwards) } else { Ok(()) }
}

/// The parts that all have to hold.
fn conjuncts(expression: &Expression) -> Vec<&Expression> {
    match expression {
        Expression::And(parts) => parts.iter().flat_map(conjuncts).collect(),
        Expression::Or(_) | Expression::Not(_) | Expression::Dimension(..) | Expression::Metric(..) => vec![expression],
    }
}

fn side(expression: &Expression) -> Result<Side, FilterError> {
    match expression {
        Expression::Dimension(..) => Ok(Side::Dimensions),
        Expression::Metric(..) => Ok(Side::Metrics),
        Expression::Not(part) => side(part),
        Expression::And(parts) | Expression::Or(parts) => {
            let (first, rest) = parts.split_first().ok_or(FilterError::Empty)?;
            let of_first = side(first)?;
            for part in rest {
                if side(part)? != of_first {
                    return Err(FilterError::Mixed);
                }
            }
            Ok(of_first)
        }
    }
}

fn joined(mut parts: Vec<Value>) -> Option<Arc<Value>> {
    match parts.len() {
        0 => None,
        1 => parts.pop().map(Arc::new),
        _ => Some(Arc::new(json!({"andGroup": {"expressions": parts}}))),
    }
}

fn json_of(expression: &Expression) -> Value {
    let all = |parts: &[Expression]| json!({"expressions": parts.iter().map(json_of).collect::<Vec<_>>()});
    match expression {
        Expression::And(parts) => json!({"andGroup": all(parts)}),
        Expression::Or(parts) => json!({"orGroup": all(parts)}),
        Expression::Not(part) => json!({"notExpression": json_of(part)}),
        Expression::Dimension(field, test) => condition(field, text_json(test)),
        Expression::Metric(field, test) => condition(field, number_json(test)),
    }
}

fn condition(field: &ApiName, (kind, test): (&str, Value)) -> Value {
    json!({"filter": {"fieldName": field, kind: test}})
}

fn text_json(test: &TextTest) -> (&'static str, Value) {
    match test {
        TextTest::Matches { how, value, case_sensitive } => {
            ("stringFilter", json!({"matchType": how.api_name(), "value": value, "caseSensitive": case_sensitive}))
        }
        TextTest::In { values, case_sensitive } => {
            ("inListFilter", json!({"values": values, "caseSensitive": case_sensitive}))
        }
        TextTest::Number(test) => number_json(test),
        TextTest::Empty => ("emptyFilter", json!({})),
    }
}

fn number_json(test: &NumberTest) -> (&'static str, Value) {
    match *test {
        NumberTest::Is(comparison, number) => {
            ("numericFilter", json!({"operation": comparison.api_name(), "value": number.json()}))
        }
        NumberTest::Between(least, most) => {
            ("betweenFilter", json!({"fromValue": least.json(), "toValue": most.json()}))
        }
    }
}

impl Match {
    fn api_name(self) -> &'static str {
        match self {
            Self::Equals => "EXACT",
            Self::BeginsWith => "BEGINS_WITH",
            Self::EndsWith => "ENDS_WITH",
            Self::Contains => "CONTAINS",
            Self::FullRegex => "FULL_REGEXP",
            Self::Regex => "PARTIAL_REGEXP",
        }
    }
}

impl Comparison {
    fn api_name(self) -> &'static str {
        match self {
            Self::Equal => "EQUAL",
            Self::Less => "LESS_THAN",
            Self::LessOrEqual => "LESS_THAN_OR_EQUAL",
            Self::Greater => "GREATER_THAN",
            Self::GreaterOrEqual => "GREATER_THAN_OR_EQUAL",
        }
    }
}

impl Number {
    #[expect(clippy::cast_precision_loss, reason = "for a comparison, a rounding error is harmless")]
    fn as_f64(self) -> f64 {
        match self {
            Self::Integer(number) => number as f64,
            Self::Decimal(number) => number,
        }
    }

    /// What Google compares with, where this is in the exported unit and Google's numbers are in the given one.
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
    fn at_google(self, unit: Unit) -> Self {
        let exported = self.as_f64();
        let number = unit.at_google(exported);
        if number.to_bits() == exported.to_bits() {
            self
        } else if number.fract() == 0.0 && number.abs() < EXACT {
            Self::Integer(number as i64)
        } else {
            Self::Decimal(number)
        }
    }

    /// An int64 is a text in proto3 JSON.
    fn json(self) -> Value {
        match self {
            Self::Integer(number) => json!({"int64Value": number.to_string()}),
            Self::Decimal(number) => json!({"doubleValue": number}),
        }
    }
}

/// Every `fieldName`, as proto3 JSON may write it. The JSON came from a parser, so that it is not too deep.
fn add_names<'a>(json: &'a Value, names: &mut BTreeSet<&'a str>) {
    match json {
        Value::Object(map) => {
            for (key, value) in map {
                match value.as_str().filter(|_| key == "fieldName" || key == "field_name") {
                    Some(name) => drop(names.insert(name)),
                    None => add_names(value, names),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| add_names(value, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whole numbers below this are exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// How many conditions a filter may have, every entry of a list counted.
pub const MAX_CONDITIONS: usize = 1_000;

/// How many levels of `and`, `or` and `not` a filter may have.
pub const MAX_DEPTH: usize = 16;

#[cfg(test)]
mod tests;
