use proptest::prelude::*;

use serde_json::Value;

use super::*;

fn read(body: &str) -> (Listing, String) {
    Listing::of_page(serde_json::from_str(body).unwrap()).unwrap()
}

/// The ids, what was noted, and how many entries were passed over.
fn summary(listing: &Listing) -> (Vec<u64>, usize, usize) {
    let ids = listing.properties.iter().map(|property| property.id.as_u64()).collect();
    (ids, listing.unreadable.len(), listing.hidden)
}

#[test]
fn a_property_is_read_with_its_account_and_type() {
    let (listing, token) = read(
        r#"{"accountSummaries": [{"name": "accountSummaries/9", "account": "accounts/9", "displayName": "Example", "_id": 9,
            "propertySummaries": [
                {"property": "properties/1", "displayName": "Shop", "propertyType": "PROPERTY_TYPE_ORDINARY", "parent": "accounts/9"},
                {"property": "properties/2", "displayName": "Part", "propertyType": "PROPERTY_TYPE_SUBPROPERTY", "parent": "properties/1"},
                {"property": "properties/3", "displayName": "All", "propertyType": "PROPERTY_TYPE_ROLLUP", "canEdit": true},
                {"property": "properties/4", "propertyType": "PROPERTY_TYPE_UNSPECIFIED"},
                {"property": "properties/5", "propertyType": "PROPERTY_TYPE_OF_TOMORROW", "displayName": null}]}],
            "nextPageToken": "x", "totalSize": 1}"#,
    );
    let of = |id: usize| {
        let property = &listing.properties[id - 1];
        assert_eq!((property.account_id.as_str(), property.account_name.as_str()), ("9", "Example"));
        (property.name.as_str(), property.property_type)
    };
    assert_eq!(of(1), ("Shop", Some(PropertyType::Ordinary)));
    assert_eq!(of(2), ("Part", Some(PropertyType::Subproperty)));
    assert_eq!(of(3), ("All", Some(PropertyType::Rollup)));
    assert_eq!((of(4), of(5)), (("", None), ("", None)));
    assert_eq!((token.as_str(), listing.is_complete(), listing.unreadable.len()), ("x", true, 0));
}

#[test]
fn nothing_may_be_listed() {
    for body in [
        "{}",
        r#"{"accountSummaries": []}"#,
        r#"{"accountSummaries": null, "nextPageToken": null}"#,
        r#"{"nextPageToken": "", "etag": "x"}"#,
        r#"{"accountSummaries": [{}]}"#,
        r#"{"accountSummaries": [{"account": "accounts/9", "displayName": "Example"}]}"#,
        r#"{"accountSummaries": [{"account": "accounts/9", "propertySummaries": null}]}"#,
        r#"{"accountSummaries": [{"account": "accounts/9", "propertySummaries": []}]}"#,
    ] {
        assert_eq!(read(body), (Listing::default(), String::new()), "{body}");
    }
}

#[test]
fn what_is_no_listing_is_refused() {
    for body in [
        r#"{"kind": "analyticsData#runReport"}"#,
        r#"{"error": {"code": 403}}"#,
        r#"{"accountSummaries": {}}"#,
        r#"{"accountSummaries": "none"}"#,
        r#"{"accountSummaries": [], "nextPageToken": 5}"#,
    ] {
        assert!(Listing::of_page(serde_json::from_str(body).unwrap()).is_err(), "{body}");
    }
}

#[test]
fn an_entry_that_cannot_be_read_hides_no_other() {
    let good = r#"{"property": "properties/7", "displayName": "Shop"}"#;
    for entry in [
        r#"{"property": "properties/seven"}"#,
        r#"{"property": "properties/"}"#,
        r#"{"property": "accounts/7"}"#,
        r#"{"property": 7, "displayName": "Shop"}"#,
        r#"{"property": null}"#,
        r#"{"displayName": "No number"}"#,
        r#""properties/8""#,
        "8",
        "null",
        "[]",
        "{}",
    ] {
        let body = format!(r#"{{"accountSummaries": [{{"propertySummaries": [{entry}, {good}, {entry}]}}]}}"#);
        assert_eq!(summary(&read(&body).0), (vec![7], 2, 2), "{entry}");
    }
    for account in [
        r#""accounts/9""#,
        "9",
        "null",
        r#"[{"property": "properties/8"}]"#,
        r#"{"propertySummaries": {}}"#,
        r#"{"propertySummaries": "properties/8"}"#,
        r#"{"propertySummaries": {"property": "properties/8"}}"#,
    ] {
        let body = format!(r#"{{"accountSummaries": [{account}, {{"propertySummaries": [{good}]}}, {account}]}}"#);
        assert_eq!(summary(&read(&body).0), (vec![7], 2, 2), "{account}");
    }
}

#[test]
fn a_text_of_the_wrong_type_costs_only_itself() {
    let (listing, _) = read(
        r#"{"accountSummaries": [{"account": 9, "displayName": ["Example"], "propertySummaries": [
            {"property": "properties/1", "displayName": 5, "propertyType": 2},
            {"property": "properties/2", "displayName": {}, "propertyType": "PROPERTY_TYPE_ROLLUP"}]}]}"#,
    );
    assert_eq!(summary(&listing), (vec![1, 2], 5, 0));
    assert!(listing.is_complete(), "every property is known");
    assert_eq!(listing.properties[1].property_type, Some(PropertyType::Rollup));
    assert!(listing.properties.iter().all(|property| property.name.is_empty() && property.account_id.is_empty()));
}

#[test]
fn what_is_noted_is_short_and_limited() {
    let entry = format!(r#"{{"property": "a\nb{}"}}"#, "é".repeat(10_000));
    let entries = vec![entry; 50].join(",");
    let page = format!(r#"{{"accountSummaries": [{{"propertySummaries": [{entries}]}}]}}"#);
    let mut listing = read(&page).0;
    listing.append(read(&page).0);
    assert_eq!(summary(&listing), (vec![], MAX_UNREADABLE, 100));
    let line = &listing.unreadable[0];
    assert!(line.chars().count() == MAX_LINE && !line.contains('\n'), "{line}");
    assert!(line.starts_with("the `property` of an entry is not `properties/NUMBER`: {\"property\":"), "{line}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_listing_is_read_or_refused(accounts in any_value(), token in any_value()) {
        let page = serde_json::json!({ACCOUNTS: accounts, NEXT_PAGE: token});
        match Listing::of_page(serde_json::from_value(page).unwrap()) {
            Ok((listing, _)) => {
                prop_assert!(listing.unreadable.len() <= MAX_UNREADABLE);
                prop_assert!(listing.unreadable.iter().all(|line| line.chars().count() <= MAX_LINE));
            }
            Err(why) => prop_assert!(why.chars().count() <= MAX_LINE, "{}", why),
        }
    }
}

/// JSON with the keys of a listing, of the right type or not.
fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        prop::sample::select(&["accounts/1", "properties/1", "properties/x", "PROPERTY_TYPE_ORDINARY", ""][..])
            .prop_map(str::to_owned),
        ".{0,20}",
        Just("x".repeat(1_000)),
    ];
    let leaf = prop_oneof![Just(Value::Null), any::<u64>().prop_map(Value::from), text.prop_map(Value::from)];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let keys =
            [ACCOUNTS, NEXT_PAGE, "account", "displayName", "propertySummaries", "property", "propertyType", "parent"];
        let entry = (prop::sample::select(keys.to_vec()), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            prop::collection::vec(entry, 0..6).prop_map(|entries| {
                Value::Object(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

#[test]
fn a_property_that_is_listed_twice_is_one() {
    let (mut listing, _) = read(
        r#"{"accountSummaries": [{"account": "accounts/9", "propertySummaries": [
            {"property": "properties/1", "displayName": "Old"}, {"property": "properties/2"}]}]}"#,
    );
    let (next, _) = read(
        r#"{"accountSummaries": [{"account": "accounts/8", "propertySummaries": [
            {"property": "properties/3"}, {"property": "properties/1", "displayName": "New"}]}]}"#,
    );
    listing.append(next);
    let listing = listing.with_each_property_once();
    assert_eq!(summary(&listing).0, [1, 2, 3]);
    assert_eq!((listing.properties[0].name.as_str(), listing.properties[0].account_id.as_str()), ("New", "8"));
}
