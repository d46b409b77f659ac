//! `FIELD OP VALUE`: a condition as it stands on a command line.
//!
//! Knows where the field ends and the values begin. The words of the operators are those of the configuration.

use thiserror::Error as ThisError;

use super::field;
use crate::{
    names::{ApiName, Category},
    report::{
        fields::FieldError,
        filter::{ConditionError, Expression, On, Operator},
    },
};

/// Why a text is not a condition.
#[derive(Debug, Eq, PartialEq, ThisError)]
pub enum ParseError {
    /// No field, or nothing behind it.
    #[error(
        "a filter is a field, a comparison and a value, such as `pagePath begins_with /shop` or `pageviews >= 100`"
    )]
    Incomplete,
    /// Longer than 16 KiB.
    #[error("a filter of more than {MAX_BYTES} bytes is too long")]
    TooLong,
    /// Control characters, which a terminal would interpret.
    #[error("a filter must not have line breaks or other control characters in it")]
    Control,
    /// A quotation mark at one end only.
    #[error("a quotation mark is not closed; put one at both ends of the value, or at none")]
    Quotes,
    /// What stands before the comparison is no field.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The comparison or its values.
    #[error(transparent)]
    Condition(#[from] ConditionError),
}

/// Reads a condition. `metrics` are the metrics that are asked for, by Google's names: so a property's own are known as such.
///
/// The operator is a word or one of `==`, `!=`, `>`, `>=`, `<` and `<=`, and may follow `not`. Around symbols no space is needed.
/// `in` and `between` take values with commas between them; `\,` is a comma that belongs to a value. A value may stand in double
/// quotation marks.
///
/// # Errors
/// What is wrong with it, with an example of what is right.
pub fn condition(text: &str, metrics: &[ApiName], category: Category) -> Result<Expression, ParseError> {
    if text.len() > MAX_BYTES {
        return Err(ParseError::TooLong);
    }
    if text.contains(char::is_control) {
        return Err(ParseError::Control);
    }
    let text = text.trim();
    let end = text.find(|c: char| c.is_whitespace() || SYMBOLS.contains(&c)).ok_or(ParseError::Incomplete)?;
    let (name, rest) = text.split_at_checked(end).ok_or(ParseError::Incomplete)?;
    if name.is_empty() {
        return Err(ParseError::Incomplete);
    }
    let (word, rest) = operator(rest.trim_start())?;
    let (is_negated, (word, rest)) = if word == "not" { (true, operator(rest)?) } else { (false, (word, rest)) };
    let operator: Operator = word.parse()?;
    let values = values(operator, rest)?;
    let (on, field) = field::of_filter(name, metrics, category)?;
    let condition = Expression::condition(on, field, operator, &values, on == On::Dimension)?;
    Ok(if is_negated { Expression::Not(Box::new(condition)) } else { condition })
}

/// A word or a symbol, and what follows it.
fn operator(text: &str) -> Result<(&str, &str), ParseError> {
    let is_symbol = text.starts_with(SYMBOLS);
    let ends = |c: char| if is_symbol { !SYMBOLS.contains(&c) } else { c.is_whitespace() };
    let (word, rest) = text.split_at_checked(text.find(ends).unwrap_or(text.len())).ok_or(ParseError::Incomplete)?;
    if word.is_empty() { Err(ParseError::Incomplete) } else { Ok((word, rest.trim_start())) }
}

fn values(operator: Operator, text: &str) -> Result<Vec<String>, ParseError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let takes_a_list = matches!(operator, Operator::In | Operator::Between);
    if takes_a_list { list(text).iter().map(|value| unquoted(value)).collect() } else { Ok(vec![unquoted(text)?]) }
}

/// The parts between commas. A backslash before anything else than a comma is itself.
fn list(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut characters, mut is_quoted) = (text.chars().peekable(), false);
    while let Some(character) = characters.next() {
        let Some(part) = parts.last_mut() else { break };
        match character {
            '\\' if characters.peek() == Some(&',') => part.extend(characters.next()),
            ',' if !is_quoted => parts.push(String::new()),
            _ => {
                is_quoted ^= character == '"';
                part.push(character);
            }
        }
    }
    parts
}

fn unquoted(text: &str) -> Result<String, ParseError> {
    let text = text.trim();
    let inner = text.strip_prefix('"');
    match (inner, inner.and_then(|inner| inner.strip_suffix('"'))) {
        (Some(_), Some(inner)) => Ok(inner.to_owned()),
        (Some(_), None) => Err(ParseError::Quotes),
        (None, _) => Ok(text.to_owned()),
    }
}

const SYMBOLS: [char; 4] = ['=', '!', '<', '>'];

/// Google refuses requests that are much longer.
const MAX_BYTES: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::report::Filter;

    fn filters(text: &str) -> Result<(Value, Value), ParseError> {
        let own = ["customEvent:score".parse().unwrap()];
        let filter = Filter::new(&condition(text, &own, Category::Core)?).unwrap();
        let value = |filter: Option<std::sync::Arc<Value>>| filter.map_or(Value::Null, |filter| (*filter).clone());
        Ok((value(filter.dimension_filter()), value(filter.metric_filter())))
    }

    fn text(field: &str, how: &str, value: &str) -> Value {
        let test = json!({"matchType": how, "value": value, "caseSensitive": true});
        json!({"filter": {"fieldName": field, "stringFilter": test}})
    }

    fn number(field: &str, operation: &str, value: &str) -> Value {
        let test = json!({"operation": operation, "value": {"int64Value": value}});
        json!({"filter": {"fieldName": field, "numericFilter": test}})
    }

    #[test]
    fn texts_are_compared_by_words_and_symbols() {
        for (condition, expected) in [
            ("pagePath == /", text("pagePath", "EXACT", "/")),
            ("pagePath==/a b", text("pagePath", "EXACT", "/a b")),
            ("page_path begins_with /shop", text("pagePath", "BEGINS_WITH", "/shop")),
            ("  pagePath   contains   x y  ", text("pagePath", "CONTAINS", "x y")),
            ("pageTitle equals \" a \"", text("pageTitle", "EXACT", " a ")),
            ("pageTitle equals =", text("pageTitle", "EXACT", "=")),
            ("pagePath regex ^/(a|b),c$", text("pagePath", "PARTIAL_REGEXP", "^/(a|b),c$")),
            ("customEvent:plan equals pro", text("customEvent:plan", "EXACT", "pro")),
            ("hour >= 9", number("hour", "GREATER_THAN_OR_EQUAL", "9")),
            ("pagePath != /", json!({"notExpression": text("pagePath", "EXACT", "/")})),
            ("pagePath not ends_with .pdf", json!({"notExpression": text("pagePath", "ENDS_WITH", ".pdf")})),
        ] {
            assert_eq!(filters(condition), Ok((expected, Value::Null)), "{condition}");
        }
        let list = |values: Value| json!({"values": values, "caseSensitive": true});
        for (condition, values) in [
            ("countryId in DE,AT", json!(["DE", "AT"])),
            ("countryId in DE", json!(["DE"])),
            (r#"countryId in "a,b" , c\,d"#, json!(["a,b", "c,d"])),
        ] {
            let expected = json!({"filter": {"fieldName": "countryId", "inListFilter": list(values)}});
            assert_eq!(filters(condition), Ok((expected, Value::Null)), "{condition}");
        }
        let empty = json!({"filter": {"fieldName": "city", "emptyFilter": {}}});
        assert_eq!(filters("city empty"), Ok((empty.clone(), Value::Null)));
        assert_eq!(filters("city not empty"), Ok((json!({"notExpression": empty}), Value::Null)));
    }

    #[test]
    fn metrics_have_a_filter_of_their_own() {
        for (condition, expected) in [
            ("pageviews > 10", number("screenPageViews", "GREATER_THAN", "10")),
            ("screenPageViews>10", number("screenPageViews", "GREATER_THAN", "10")),
            ("active_users at_most 5", number("activeUsers", "LESS_THAN_OR_EQUAL", "5")),
            ("customEvent:score == 3", number("customEvent:score", "EQUAL", "3")),
            ("ad_unit_exposure_seconds >= 30", number("adUnitExposure", "GREATER_THAN_OR_EQUAL", "30000")),
            ("userEngagementDuration>30", number("userEngagementDuration", "GREATER_THAN", "30")),
        ] {
            assert_eq!(filters(condition), Ok((Value::Null, expected)), "{condition}");
        }
        let between = json!({"fromValue": {"int64Value": "1"}, "toValue": {"int64Value": "5"}});
        let between = json!({"filter": {"fieldName": "sessions", "betweenFilter": between}});
        assert_eq!(filters("sessions between 1, 5"), Ok((Value::Null, between)));
    }

    proptest! {
        #[test]
        fn any_text_is_a_condition_or_has_an_error(text in ".{0,80}", word in "[a-z_]{0,12}|[=!<>]{1,2}", value in ".{0,80}") {
            for text in [text, format!("pagePath {word} {value}"), format!("pageviews{word}{value}")] {
                for category in Category::ALL {
                    if let Err(error) = condition(&text, &[], *category) {
                        prop_assert!(!error.to_string().is_empty());
                    }
                }
            }
        }
    }

    #[test]
    fn hostile_texts_have_a_clear_error() {
        let long = format!("pagePath == {}", "a".repeat(MAX_BYTES));
        for (text, expected) in [
            ("", "a filter is a field, a comparison and a value"),
            ("   ", "a filter is a field"),
            ("pagePath", "a filter is a field"),
            ("== 5", "a filter is a field"),
            ("pagePath like %a%", "`like` is not a comparison; use one of `equals` (`==`)"),
            ("pagePath = /", "`=` is not a comparison"),
            ("pagePath =< 5", "`=<` is not a comparison"),
            ("pagePath ==", "`equals` takes one value, not 0"),
            ("pagePath not", "a filter is a field"),
            ("city empty x", "`empty` takes no value, not 1"),
            ("hour between 5", "`between` takes two values, not 1"),
            ("hour > ten", "`ten` is not a number"),
            ("bounceRate > 50%", "write a part of 1, such as `0.5` for 50 %"),
            ("pageviews contains 5", "`contains` compares texts, and a metric is a number"),
            ("page-path == 5", "`page-path` cannot be the name of a field"),
            ("größe == 5", "`größe` cannot be the name of a field"),
            ("customEvent: == 5", "`customEvent:` is not complete"),
            ("pagePath == \"/a", "a quotation mark is not closed"),
            ("pagePath == a\nb", "must not have line breaks"),
            ("pagePath == \u{1b}[31m", "control characters"),
            (&long, "too long"),
        ] {
            let error = filters(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:.40}: {error}");
        }
    }
}
