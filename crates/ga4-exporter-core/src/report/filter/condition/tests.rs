use super::*;

const PLAIN: On = On::Metric(Unit::Plain);

fn condition(on: On, operator: &str, values: &[&str]) -> Result<Expression, ConditionError> {
    let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
    Expression::condition(on, "hour".parse().unwrap(), operator.parse()?, &values, true)
}

#[test]
fn words_and_symbols_are_the_same() {
    for (operator, word, symbol) in Operator::ALL {
        assert_eq!(word.parse(), Ok(*operator));
        assert_eq!(symbol.map(str::parse), symbol.map(|_| Ok(*operator)));
        assert_eq!(operator.to_string(), *word);
    }
    let wrong = "=".parse::<Operator>().unwrap_err().to_string();
    assert!(wrong.starts_with("`=` is not a comparison; use one of `equals` (`==`), `not_equals` (`!=`)"), "{wrong}");
}

#[test]
fn dimensions_are_compared_as_texts_and_as_numbers() {
    let field = || "hour".parse().unwrap();
    let text = |how| TextTest::Matches { how, value: "9".to_owned(), case_sensitive: true };
    let equals = Expression::Dimension(field(), text(Match::Equals));
    assert_eq!(condition(On::Dimension, "==", &["9"]), Ok(equals.clone()));
    assert_eq!(condition(On::Dimension, "not_equals", &["9"]), Ok(Expression::Not(Box::new(equals))));
    for (word, how) in [
        ("begins_with", Match::BeginsWith),
        ("ends_with", Match::EndsWith),
        ("contains", Match::Contains),
        ("regex", Match::Regex),
        ("full_regex", Match::FullRegex),
    ] {
        assert_eq!(condition(On::Dimension, word, &["9"]), Ok(Expression::Dimension(field(), text(how))), "{word}");
    }
    let between = TextTest::Number(NumberTest::Between(Number::Integer(9), Number::Decimal(17.5)));
    assert_eq!(condition(On::Dimension, "between", &["9", "17.5"]), Ok(Expression::Dimension(field(), between)));
    let most = TextTest::Number(NumberTest::Is(Comparison::LessOrEqual, Number::Integer(-1)));
    assert_eq!(condition(On::Dimension, "<=", &[" -1 "]), Ok(Expression::Dimension(field(), most)));
    let list = TextTest::In { values: vec!["a".to_owned(), String::new()], case_sensitive: true };
    assert_eq!(condition(On::Dimension, "in", &["a", ""]), Ok(Expression::Dimension(field(), list)));
    assert_eq!(condition(On::Dimension, "empty", &[]), Ok(Expression::Dimension(field(), TextTest::Empty)));
}

#[test]
fn metrics_are_numbers() {
    let test = |comparison, number| Expression::Metric("hour".parse().unwrap(), NumberTest::Is(comparison, number));
    assert_eq!(condition(PLAIN, ">", &["10"]), Ok(test(Comparison::Greater, Number::Integer(10))));
    assert_eq!(condition(PLAIN, "less_than", &["1e3"]), Ok(test(Comparison::Less, Number::Decimal(1000.0))));
    let not = Expression::Not(Box::new(test(Comparison::Equal, Number::Integer(0))));
    assert_eq!(condition(PLAIN, "!=", &["0"]), Ok(not));
    for word in ["begins_with", "regex", "in"] {
        let wrong = condition(PLAIN, word, &["1"]).unwrap_err();
        assert_eq!(wrong, ConditionError::NotForMetrics(word.parse().unwrap()), "{word}");
    }
    assert_eq!(condition(PLAIN, "empty", &[]), Err(ConditionError::NotForMetrics(Operator::Empty)));
}

#[test]
fn values_suit_the_operator() {
    for (word, values, message) in [
        ("between", &["1"][..], "`between` takes two values, not 1"),
        ("empty", &["1"], "`empty` takes no value, not 1"),
        ("in", &[], "`in` takes one value or more, not 0"),
        ("equals", &["1", "2"], "`equals` takes one value, not 2"),
        (">", &["ten"], "`ten` is not a number; write one such as `10` or `0.5`"),
        (">", &["inf"], "`inf` is not a number; write one such as `10` or `0.5`"),
        (
            "between",
            &["2026-01-01", "2026-01-31"],
            "`2026-01-01` is not a number; Google's days have no dashes, such as `20260131`",
        ),
        ("contains", &[""], "`contains` has an empty value; use `empty` for texts that are empty or `(not set)`"),
        ("equals", &[""], "`equals` has an empty value; use `empty` for texts that are empty or `(not set)`"),
    ] {
        assert_eq!(condition(On::Dimension, word, values).unwrap_err().to_string(), message);
    }
}

#[test]
fn metrics_are_compared_in_the_unit_that_is_exported() {
    let number = |unit, value: &str| match condition(On::Metric(unit), ">", &[value]) {
        Ok(Expression::Metric(_, NumberTest::Is(Comparison::Greater, number))) => number,
        other => panic!("{other:?}"),
    };
    for (unit, value, expected) in [
        (Unit::Plain, "30", Number::Integer(30)),
        (Unit::Seconds, "30", Number::Integer(30)),
        (Unit::Milliseconds, "30", Number::Integer(30_000)),
        (Unit::Milliseconds, "0.3", Number::Integer(300)),
        (Unit::Milliseconds, "0.0001", Number::Decimal(0.1)),
        (Unit::Minutes, "90", Number::Decimal(1.5)),
        (Unit::Hours, "-7200", Number::Integer(-2)),
        (Unit::Kilometers, "500", Number::Decimal(0.5)),
        (Unit::Feet, "3.048", Number::Integer(10)),
        (Unit::Miles, "1609.344", Number::Integer(1)),
        (Unit::Ratio, "0.5", Number::Decimal(0.5)),
        (Unit::Currency, "9.99", Number::Decimal(9.99)),
    ] {
        assert_eq!(number(unit, value), expected, "{value} {unit:?}");
    }
    let between = NumberTest::Between(Number::Integer(1_000), Number::Integer(2_500));
    let field = || "hour".parse().unwrap();
    assert_eq!(
        condition(On::Metric(Unit::Milliseconds), "between", &["1", "2.5"]),
        Ok(Expression::Metric(field(), between))
    );
    let not =
        |number| Expression::Not(Box::new(Expression::Metric(field(), NumberTest::Is(Comparison::Equal, number))));
    assert_eq!(condition(On::Metric(Unit::Hours), "!=", &["3600"]), Ok(not(Number::Integer(1))));
    for (unit, given, advice) in [
        (Unit::Milliseconds, "30s", "write the number of seconds alone, such as `30`"),
        (Unit::Feet, "3 m", "write the number of metres alone, such as `30`"),
        (Unit::Ratio, "50%", "write a part of 1, such as `0.5` for 50 %"),
        (Unit::Currency, "9 EUR", "write one such as `10` or `0.5`"),
    ] {
        let wrong = condition(On::Metric(unit), ">", &[given]).unwrap_err().to_string();
        assert_eq!(wrong, format!("`{given}` is not a number; {advice}"));
    }
}
