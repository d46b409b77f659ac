//! What was meant by a key that no condition has.

use super::{
    super::super::reader::{listed, nearest, quoted},
    JOINS,
};
use ga4_exporter_core::{
    names::Category,
    report::{
        fields::{self, FieldKind},
        filter::Operator,
    },
};

/// The message for a key of a filter that is not known.
pub(super) fn unknown(word: &str, path: &str, category: Category) -> String {
    let words = || Operator::ALL.iter().map(|(_, word, _)| *word);
    let known = || OTHERS.iter().copied().chain(words()).chain(JOINS.iter().copied());
    let advice = if let Some((_, advice)) = WORDS.iter().find(|(other, _)| plain(other) == plain(word)) {
        (*advice).to_owned()
    } else if let Some(operator) =
        word.strip_prefix("not_").or_else(|| word.strip_prefix('!')).filter(|rest| is_word(rest))
    {
        format!("write `not: {{dimension: pagePath, {operator}: …}}`")
    } else if fields::find(FieldKind::Dimension, word, category).is_ok() {
        format!("write `dimension: {word}`, and a comparison beside it, such as `equals: /checkout`")
    } else if fields::find(FieldKind::Metric, word, category).is_ok() {
        format!("write `metric: {word}`, and a comparison beside it, such as `at_least: 10`")
    } else if let Some(near) = nearest(word, known()) {
        format!("did you mean `{near}`?")
    } else {
        format!("remove it, or use some of {}", listed(known()))
    };
    format!("unknown key {} in `{path}`; {advice}", quoted(word))
}

fn is_word(text: &str) -> bool {
    text.parse::<Operator>().is_ok()
}

/// Letters in lower case, without what separates words.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !"_- ".contains(*c)).map(|c| c.to_ascii_lowercase()).collect()
}

/// The keys of a condition besides its comparison.
const OTHERS: &[&str] = &["dimension", "metric", "unit", "case_sensitive"];

const AS_KEY: &str = "the comparison itself is the key: `begins_with: /checkout`";

/// Words of other tools.
const WORDS: &[(&str, &str)] = &[
    ("field", "write `dimension` or `metric`"),
    ("field_name", "write `dimension` or `metric`"),
    ("name", "write `dimension` or `metric`"),
    ("operator", AS_KEY),
    ("operation", AS_KEY),
    ("op", AS_KEY),
    ("comparison", AS_KEY),
    ("match", AS_KEY),
    ("match_type", AS_KEY),
    ("value", AS_KEY),
    ("values", "write `in: [DE, AT, CH]`"),
    ("one_of", "did you mean `in`?"),
    ("not_in", "write `not: {dimension: country_id, in: [DE, AT, CH]}`"),
    ("any", "did you mean `or`?"),
    ("any_of", "did you mean `or`?"),
    ("all", "did you mean `and`?"),
    ("all_of", "did you mean `and`?"),
    ("none_of", "write `not: {or: [{dimension: pagePath, contains: blog}, …]}`"),
    ("starts_with", "did you mean `begins_with`?"),
    ("prefix", "did you mean `begins_with`?"),
    ("suffix", "did you mean `ends_with`?"),
    ("includes", "did you mean `contains`?"),
    ("like", "did you mean `contains`?"),
    ("matches", "did you mean `regex`?"),
    ("pattern", "did you mean `regex`?"),
    ("regexp", "did you mean `regex`?"),
    ("exact", "did you mean `equals`?"),
    ("is", "did you mean `equals`?"),
    ("eq", "did you mean `equals`?"),
    ("=", "did you mean `==`?"),
    ("ne", "did you mean `not_equals`?"),
    ("gt", "did you mean `greater_than`?"),
    ("gte", "did you mean `at_least`?"),
    ("ge", "did you mean `at_least`?"),
    ("min", "did you mean `at_least`?"),
    ("lt", "did you mean `less_than`?"),
    ("lte", "did you mean `at_most`?"),
    ("le", "did you mean `at_most`?"),
    ("max", "did you mean `at_most`?"),
    ("ignore_case", "write `case_sensitive: false`"),
    ("case_insensitive", "write `case_sensitive: false`"),
    ("and_group", "did you mean `andGroup`?"),
    ("or_group", "did you mean `orGroup`?"),
    ("not_expression", "did you mean `notExpression`?"),
    ("dimension_filter", "did you mean `dimensionFilter`?"),
    ("metric_filter", "did you mean `metricFilter`?"),
];
