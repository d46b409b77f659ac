//! Dimension and metric filters. They are compiled before any row is evaluated, so that mistakes are found first.

use regex::{Regex, RegexBuilder};

use super::{
    errors::ApiError,
    request::{Filter, FilterExpression, NumericFilter, StringFilter},
};

/// A filter on fields, which are indices into the row.
#[derive(Debug)]
pub(super) enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Field(usize, Test),
}

/// A test of one field.
#[derive(Debug)]
pub(super) enum Test {
    Matches(Regex),
    Compare(Comparison, f64),
    Between(f64, f64),
    Empty,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Condition {
    /// Compiles an expression. `field` returns the index of a field, or an error for its name.
    pub(super) fn compile(
        expression: &FilterExpression,
        field: &mut impl FnMut(&str) -> Result<usize, ApiError>,
    ) -> Result<Self, ApiError> {
        let list = |list: &[FilterExpression], field: &mut _| {
            list.iter().map(|one| Self::compile(one, field)).collect::<Result<Vec<_>, _>>()
        };
        if let Some(group) = &expression.and_group {
            return Ok(Self::All(list(&group.expressions, field)?));
        }
        if let Some(group) = &expression.or_group {
            return Ok(Self::Any(list(&group.expressions, field)?));
        }
        if let Some(inner) = &expression.not_expression {
            return Ok(Self::Not(Box::new(Self::compile(inner, field)?)));
        }
        match &expression.filter {
            Some(filter) => Ok(Self::Field(field(&filter.field_name)?, Test::compile(filter)?)),
            // Modelled: Google's text is not known.
            None => Err(ApiError::invalid(
                "A FilterExpression must have one of and_group, or_group, not_expression and filter.",
            )),
        }
    }

    /// Returns whether a row passes; `value` returns the text of a field.
    pub(super) fn passes<'a>(&self, value: &impl Fn(usize) -> &'a str) -> bool {
        match self {
            Self::All(all) => all.iter().all(|one| one.passes(value)),
            Self::Any(any) => any.iter().any(|one| one.passes(value)),
            Self::Not(inner) => !inner.passes(value),
            Self::Field(field, test) => test.passes(value(*field)),
        }
    }
}

impl Test {
    fn compile(filter: &Filter) -> Result<Self, ApiError> {
        if let Some(text) = &filter.string_filter {
            return pattern(&string_pattern(text), text.case_sensitive);
        }
        if let Some(list) = &filter.in_list_filter {
            let values: Vec<String> = list.values.iter().map(|value| regex::escape(value)).collect();
            return pattern(&format!("^(?:{})$", values.join("|")), list.case_sensitive);
        }
        if let Some(numeric) = &filter.numeric_filter {
            return Ok(Self::Compare(comparison(numeric)?, numeric.value.number()));
        }
        if let Some(between) = &filter.between_filter {
            return Ok(Self::Between(between.from_value.number(), between.to_value.number()));
        }
        if filter.empty_filter.is_some() {
            return Ok(Self::Empty);
        }
        // Modelled: Google's text is not known.
        Err(ApiError::invalid(format!(
            "The filter on field {} must have one of string_filter, in_list_filter, numeric_filter, between_filter and \
             empty_filter.",
            filter.field_name
        )))
    }

    fn passes(&self, value: &str) -> bool {
        let number = value.parse().unwrap_or(f64::NAN);
        match self {
            Self::Matches(regex) => regex.is_match(value),
            Self::Compare(Comparison::Equal, with) => (number - with).abs() < f64::EPSILON,
            Self::Compare(Comparison::Less, with) => number < *with,
            Self::Compare(Comparison::LessOrEqual, with) => number <= *with,
            Self::Compare(Comparison::Greater, with) => number > *with,
            Self::Compare(Comparison::GreaterOrEqual, with) => number >= *with,
            Self::Between(from, to) => (*from..=*to).contains(&number),
            Self::Empty => value.is_empty() || value == "(not set)",
        }
    }
}

fn string_pattern(filter: &StringFilter) -> String {
    let literal = regex::escape(&filter.value);
    match filter.match_type.as_str() {
        "BEGINS_WITH" => format!("^{literal}"),
        "ENDS_WITH" => format!("{literal}$"),
        "CONTAINS" => literal,
        "FULL_REGEXP" => format!("^(?:{})$", filter.value),
        "PARTIAL_REGEXP" => filter.value.clone(),
        _ => format!("^{literal}$"),
    }
}

fn pattern(pattern: &str, case_sensitive: bool) -> Result<Test, ApiError> {
    RegexBuilder::new(pattern)
        .case_insensitive(!case_sensitive)
        .size_limit(MAX_REGEX_BYTES)
        .build()
        .map(Test::Matches)
        // Modelled: Google's text is not known.
        .map_err(|_| ApiError::invalid(format!("Invalid regular expression: {pattern}")))
}

fn comparison(filter: &NumericFilter) -> Result<Comparison, ApiError> {
    Ok(match filter.operation.as_str() {
        "EQUAL" => Comparison::Equal,
        "LESS_THAN" => Comparison::Less,
        "LESS_THAN_OR_EQUAL" => Comparison::LessOrEqual,
        "GREATER_THAN" => Comparison::Greater,
        "GREATER_THAN_OR_EQUAL" => Comparison::GreaterOrEqual,
        _ => {
            return Err(ApiError::invalid("The operation of a numeric_filter must be specified."));
        }
    })
}

/// The largest size of a compiled regular expression, in bytes.
const MAX_REGEX_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check(expression: Value, passing: &[&str], failing: &[&str]) {
        let expression: FilterExpression = serde_json::from_value(expression).unwrap();
        let condition = Condition::compile(&expression, &mut |_| Ok(0)).unwrap();
        for value in passing {
            assert!(condition.passes(&|_| *value), "{value} should pass");
        }
        for value in failing {
            assert!(!condition.passes(&|_| *value), "{value} should not pass");
        }
    }

    fn text(kind: &str, value: &str, case: bool) -> Value {
        json!({"filter": {"fieldName": "f",
            "stringFilter": {"matchType": kind, "value": value, "caseSensitive": case}}})
    }

    #[test]
    fn strings() {
        check(text("EXACT", "/a.b", false), &["/a.b", "/A.B"], &["/a.bc", "/aXb", "x/a.b"]);
        check(text("EXACT", "/a", true), &["/a"], &["/A"]);
        check(text("BEGINS_WITH", "/a", false), &["/a/b"], &["x/a"]);
        check(text("ENDS_WITH", "b", false), &["ab"], &["ba"]);
        check(text("CONTAINS", "+", false), &["a+b"], &["ab"]);
        check(text("FULL_REGEXP", "a|bc", false), &["a", "bc"], &["ac", "abc"]);
        check(text("PARTIAL_REGEXP", "b+", false), &["abba"], &["aa"]);
    }

    #[test]
    fn lists_numbers_and_emptiness() {
        let field = |test: Value| {
            let mut filter = json!({"fieldName": "f"});
            filter.as_object_mut().unwrap().extend(test.as_object().unwrap().clone());
            json!({ "filter": filter })
        };
        let list = json!({"inListFilter": {"values": ["a", "b|c"], "caseSensitive": true}});
        check(field(list), &["a", "b|c"], &["b", "A", "ab"]);
        let more = json!({"numericFilter": {"operation": "GREATER_THAN", "value": {"int64Value": 5}}});
        check(field(more), &["6", "5.5"], &["5", "x", ""]);
        let between = json!({"betweenFilter": {"fromValue": {"doubleValue": 0.5}, "toValue": {"int64Value": 2}}});
        check(field(between), &["0.5", "2"], &["0.4", "2.1"]);
        check(field(json!({"emptyFilter": {}})), &["", "(not set)"], &["a"]);
    }

    #[test]
    fn groups() {
        let (a, b) = (text("CONTAINS", "a", true), text("CONTAINS", "b", true));
        check(json!({"andGroup": {"expressions": [a, b]}}), &["ab"], &["a", "b"]);
        check(json!({"orGroup": {"expressions": [a, b]}}), &["a", "b"], &["c"]);
        check(json!({ "notExpression": a }), &["b"], &["a"]);
    }

    #[test]
    fn half_a_filter_is_refused() {
        for expression in [
            json!({}),
            json!({"filter": {"fieldName": "f"}}),
            json!({"filter": {"fieldName": "f", "numericFilter": {}}}),
            text("FULL_REGEXP", "(", false),
        ] {
            let expression: FilterExpression = serde_json::from_value(expression).unwrap();
            let refused = Condition::compile(&expression, &mut |_| Ok(0)).unwrap_err();
            assert_eq!(refused.http, 400);
        }
    }
}
