use super::*;

fn name(text: &str) -> ApiName {
    text.parse().unwrap()
}

fn page(how: Match, value: &str) -> Expression {
    let test = TextTest::Matches { how, value: value.to_owned(), case_sensitive: true };
    Expression::Dimension(name("pagePath"), test)
}

fn views(comparison: Comparison, number: Number) -> Expression {
    Expression::Metric(name("screenPageViews"), NumberTest::Is(comparison, number))
}

fn filters(expression: &Expression) -> (Value, Value) {
    let filter = Filter::new(expression).unwrap();
    let value = |filter: Option<Arc<Value>>| filter.map_or(Value::Null, |filter| (*filter).clone());
    (value(filter.dimension_filter()), value(filter.metric_filter()))
}

#[test]
fn a_condition_is_googles_filter() {
    let (dimensions, metrics) = filters(&page(Match::BeginsWith, "/checkout"));
    let expected = json!({"filter": {"fieldName": "pagePath",
        "stringFilter": {"matchType": "BEGINS_WITH", "value": "/checkout", "caseSensitive": true}}});
    assert_eq!((dimensions, metrics), (expected, Value::Null));

    let list = TextTest::In { values: vec!["DE".to_owned(), "AT".to_owned()], case_sensitive: false };
    let (dimensions, _) = filters(&Expression::Not(Box::new(Expression::Dimension(name("countryId"), list))));
    let list = json!({"values": ["DE", "AT"], "caseSensitive": false});
    let expected = json!({"notExpression": {"filter": {"fieldName": "countryId", "inListFilter": list}}});
    assert_eq!(dimensions, expected);

    let hours = NumberTest::Between(Number::Integer(9), Number::Decimal(17.5));
    let expression = Expression::Or(vec![
        Expression::Dimension(name("hour"), TextTest::Number(hours)),
        Expression::Dimension(name("city"), TextTest::Empty),
    ]);
    let between = json!({"fromValue": {"int64Value": "9"}, "toValue": {"doubleValue": 17.5}});
    let expected = json!({"orGroup": {"expressions": [
        {"filter": {"fieldName": "hour", "betweenFilter": between}},
        {"filter": {"fieldName": "city", "emptyFilter": {}}}]}});
    assert_eq!(filters(&expression).0, expected);
}

#[test]
fn dimensions_and_metrics_go_to_filters_of_their_own() {
    let expression = Expression::And(vec![
        page(Match::Contains, "a"),
        Expression::And(vec![views(Comparison::GreaterOrEqual, Number::Integer(10)), page(Match::EndsWith, "z")]),
    ]);
    let (dimensions, metrics) = filters(&expression);
    assert_eq!(dimensions["andGroup"]["expressions"].as_array().unwrap().len(), 2);
    let number = json!({"operation": "GREATER_THAN_OR_EQUAL", "value": {"int64Value": "10"}});
    assert_eq!(metrics, json!({"filter": {"fieldName": "screenPageViews", "numericFilter": number}}));
    let mixed = Expression::Or(vec![page(Match::Equals, "/"), views(Comparison::Equal, Number::Integer(0))]);
    assert_eq!(Filter::new(&mixed), Err(FilterError::Mixed));
    assert_eq!(Filter::new(&Expression::Not(Box::new(mixed))), Err(FilterError::Mixed));
}

#[test]
fn what_google_cannot_read_is_no_filter() {
    assert_eq!(Filter::new(&Expression::And(Vec::new())), Err(FilterError::Empty));
    let none = TextTest::In { values: Vec::new(), case_sensitive: true };
    assert_eq!(Filter::new(&Expression::Dimension(name("city"), none)), Err(FilterError::Empty));
    let endless = views(Comparison::Less, Number::Decimal(f64::INFINITY));
    assert_eq!(Filter::new(&endless), Err(FilterError::NotFinite));
    for (least, most) in [(Number::Integer(20), Number::Integer(10)), (Number::Decimal(0.5), Number::Integer(0))] {
        let backwards = Expression::Metric(name("sessions"), NumberTest::Between(least, most));
        assert_eq!(Filter::new(&backwards), Err(FilterError::Backwards));
        let forwards = Expression::Metric(name("sessions"), NumberTest::Between(most, least));
        assert!(Filter::new(&forwards).is_ok());
    }
    let many = Expression::Or(vec![page(Match::Regex, "a"); MAX_CONDITIONS + 1]);
    assert_eq!(Filter::new(&many), Err(FilterError::TooLong));
    let mut deep = page(Match::FullRegex, "a");
    for _ in 0..MAX_DEPTH {
        deep = Expression::Not(Box::new(deep));
    }
    assert_eq!(Filter::new(&deep), Err(FilterError::TooDeep));
}

#[test]
fn the_dimensions_of_a_filter_are_known_in_both_spellings() {
    let filter = Filter::new(&Expression::And(vec![
        page(Match::Equals, "/"),
        page(Match::Equals, "/b"),
        views(Comparison::Greater, Number::Integer(1)),
    ]));
    assert_eq!(filter.unwrap().dimension_names(), ["pagePath"].into());
    let verbatim =
        json!({"orGroup": {"expressions": [{"filter": {"fieldName": "city"}}, {"filter": {"field_name": "region"}}]}});
    let filter = Filter::verbatim(Some(verbatim), Some(json!({"filter": {"fieldName": "sessions"}})));
    assert_eq!(filter.dimension_names(), ["city", "region"].into());
}
