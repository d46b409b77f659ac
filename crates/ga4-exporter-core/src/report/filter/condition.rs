//! A condition as people write it: a field, a word for how it is compared, and values.
//!
//! Knows the words of the configuration and of `--filter`, and which of them suit dimensions and metrics. Refuses to know how
//! the parts of a condition are separated: YAML and the command line have their own ways.

use std::{fmt, str::FromStr};

use thiserror::Error as ThisError;

use super::{Comparison, Expression, Match, Number, NumberTest, TextTest};
use crate::{names::ApiName, report::Unit};

/// What a condition is on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum On {
    /// The text of a dimension.
    Dimension,
    /// The number of a metric, after counting. Google's numbers are in this unit; the values of the condition are in the unit in
    /// which the metric is exported.
    Metric(Unit),
}

/// How a field is compared with the values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operator {
    /// It is the value.
    Equals,
    /// It is anything but the value.
    NotEquals,
    /// It begins with the value.
    BeginsWith,
    /// It ends with the value.
    EndsWith,
    /// It has the value in it.
    Contains,
    /// A part of it matches the regular expression.
    Regex,
    /// All of it matches the regular expression.
    FullRegex,
    /// It is one of the values.
    In,
    /// As a number, it is greater than the value.
    GreaterThan,
    /// As a number, it is the value or greater.
    AtLeast,
    /// As a number, it is less than the value.
    LessThan,
    /// As a number, it is the value or less.
    AtMost,
    /// As a number, it lies between two values, both included.
    Between,
    /// It is empty or `(not set)`.
    Empty,
}

/// Why a field, an operator and values are no condition.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
pub enum ConditionError {
    /// Not one of [`Operator::ALL`], by word or symbol.
    #[error("`{0}` is not a comparison; use one of {words}", words = words())]
    Operator(String),
    /// A number is not compared as a text.
    #[error("`{0}` compares texts, and a metric is a number; use `equals`, `at_least`, `between` or the like")]
    NotForMetrics(Operator),
    /// Too few or too many values.
    #[error("`{operator}` takes {takes}, not {given}", takes = .operator.takes())]
    Values {
        /// The operator.
        operator: Operator,
        /// How many values there are.
        given: usize,
    },
    /// A number is wanted.
    #[error("`{0}` is not a number; {advice}", advice = advice(.0, None))]
    Number(String),
    /// A number of a unit is wanted, without the unit.
    #[error("`{given}` is not a number; {advice}", advice = advice(.given, Some(*.unit)))]
    Amount {
        /// What there is.
        given: String,
        /// What Google's numbers are in.
        unit: Unit,
    },
    /// Google has no such match.
    #[error("`{0}` has an empty value; use `empty` for texts that are empty or `(not set)`")]
    EmptyValue(Operator),
}

impl Operator {
    /// Every operator with its word, and the symbol that may stand for it.
    pub const ALL: &'static [(Self, &'static str, Option<&'static str>)] = &[
        (Self::Equals, "equals", Some("==")),
        (Self::NotEquals, "not_equals", Some("!=")),
        (Self::BeginsWith, "begins_with", None),
        (Self::EndsWith, "ends_with", None),
        (Self::Contains, "contains", None),
        (Self::Regex, "regex", None),
        (Self::FullRegex, "full_regex", None),
        (Self::In, "in", None),
        (Self::GreaterThan, "greater_than", Some(">")),
        (Self::AtLeast, "at_least", Some(">=")),
        (Self::LessThan, "less_than", Some("<")),
        (Self::AtMost, "at_most", Some("<=")),
        (Self::Between, "between", None),
        (Self::Empty, "empty", None),
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(operator, ..)| *operator == self).map_or("", |(_, word, _)| word)
    }

    /// Whether it compares texts, in which letters have a case.
    pub fn compares_texts(self) -> bool {
        self == Self::In || self.text_match().is_some()
    }

    /// How many values it takes, in words.
    pub fn takes(self) -> &'static str {
        if self == Self::In {
            "one value or more"
        } else if self == Self::Between {
            "two values"
        } else if self == Self::Empty {
            "no value"
        } else {
            "one value"
        }
    }

    fn takes_values(self, given: usize) -> bool {
        if self == Self::In {
            given > 0
        } else if self == Self::Between {
            given == 2
        } else if self == Self::Empty {
            given == 0
        } else {
            given == 1
        }
    }

    fn text_match(self) -> Option<Match> {
        MATCHES.iter().find(|(operator, _)| *operator == self).map(|(_, how)| *how)
    }

    fn comparison(self) -> Option<Comparison> {
        COMPARISONS.iter().find(|(operator, _)| *operator == self).map(|(_, comparison)| *comparison)
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Operator {
    type Err = ConditionError;

    /// Reads a word or a symbol.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_meant = |(_, word, symbol): &&(Self, &str, Option<&str>)| *word == text || *symbol == Some(text);
        let found = Self::ALL.iter().find(is_meant).map(|(operator, ..)| *operator);
        found.ok_or_else(|| ConditionError::Operator(text.to_owned()))
    }
}

impl Expression {
    /// The condition of a field, an operator and values. On dimensions, `A` is another letter than `a` if the case counts.
    ///
    /// # Errors
    /// The operator does not suit what it is on, or the values do not suit the operator.
    pub fn condition(
        on: On,
        field: ApiName,
        operator: Operator,
        values: &[String],
        case_sensitive: bool,
    ) -> Result<Self, ConditionError> {
        if !operator.takes_values(values.len()) {
            return Err(ConditionError::Values { operator, given: values.len() });
        }
        let condition = match on {
            On::Metric(unit) => Self::Metric(field, amount_test(operator, values, unit)?),
            On::Dimension => Self::Dimension(field, text_test(operator, values, case_sensitive)?),
        };
        Ok(if operator == Operator::NotEquals { Self::Not(Box::new(condition)) } else { condition })
    }
}

fn text_test(operator: Operator, values: &[String], case_sensitive: bool) -> Result<TextTest, ConditionError> {
    if let (Some(how), [value]) = (operator.text_match(), values) {
        if value.is_empty() {
            return Err(ConditionError::EmptyValue(operator));
        }
        return Ok(TextTest::Matches { how, value: value.clone(), case_sensitive });
    }
    if operator == Operator::In {
        Ok(TextTest::In { values: values.to_vec(), case_sensitive })
    } else if operator == Operator::Empty {
        Ok(TextTest::Empty)
    } else {
        number_test(operator, values, str::parse).map(TextTest::Number)
    }
}

/// A condition on the exported number of a metric whose numbers at Google are in this unit.
fn amount_test(operator: Operator, values: &[String], unit: Unit) -> Result<NumberTest, ConditionError> {
    number_test(operator, values, |value| match value.parse::<Number>() {
        Ok(number) => Ok(number.at_google(unit)),
        Err(_) => Err(ConditionError::Amount { given: value.to_owned(), unit }),
    })
}

fn number_test(
    operator: Operator,
    values: &[String],
    read: impl Fn(&str) -> Result<Number, ConditionError>,
) -> Result<NumberTest, ConditionError> {
    match (operator.comparison(), values) {
        (Some(comparison), [value]) => Ok(NumberTest::Is(comparison, read(value)?)),
        (None, [least, most]) if operator == Operator::Between => Ok(NumberTest::Between(read(least)?, read(most)?)),
        _ => Err(ConditionError::NotForMetrics(operator)),
    }
}

impl FromStr for Number {
    type Err = ConditionError;

    /// A whole number, or any other finite one.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if let Ok(number) = text.parse() {
            return Ok(Self::Integer(number));
        }
        let is_plain = text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first));
        let decimal = text.parse().ok().filter(|number: &f64| is_plain && number.is_finite());
        decimal.map(Self::Decimal).ok_or_else(|| ConditionError::Number(text.to_owned()))
    }
}

/// How to write what is not a number.
fn advice(given: &str, unit: Option<Unit>) -> &'static str {
    let is_day = given.len() == 10 && given.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    match unit.and_then(Unit::suffix) {
        Some("seconds") => "write the number of seconds alone, such as `30`",
        Some("meters") => "write the number of metres alone, such as `30`",
        Some("ratio") => "write a part of 1, such as `0.5` for 50 %",
        _ if is_day => "Google's days have no dashes, such as `20260131`",
        _ => "write one such as `10` or `0.5`",
    }
}

/// The words, for a message.
fn words() -> String {
    let words = Operator::ALL.iter().map(|(_, word, symbol)| match symbol {
        Some(symbol) => format!("`{word}` (`{symbol}`)"),
        None => format!("`{word}`"),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// What is compared as a text. Not to equal is the negation.
const MATCHES: &[(Operator, Match)] = &[
    (Operator::Equals, Match::Equals),
    (Operator::NotEquals, Match::Equals),
    (Operator::BeginsWith, Match::BeginsWith),
    (Operator::EndsWith, Match::EndsWith),
    (Operator::Contains, Match::Contains),
    (Operator::Regex, Match::Regex),
    (Operator::FullRegex, Match::FullRegex),
];

/// What is compared as a number with another.
const COMPARISONS: &[(Operator, Comparison)] = &[
    (Operator::Equals, Comparison::Equal),
    (Operator::NotEquals, Comparison::Equal),
    (Operator::GreaterThan, Comparison::Greater),
    (Operator::AtLeast, Comparison::GreaterOrEqual),
    (Operator::LessThan, Comparison::Less),
    (Operator::AtMost, Comparison::LessOrEqual),
];

#[cfg(test)]
mod tests;
