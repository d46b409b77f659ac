//! The Admin API's listing of accounts and their properties, read entry by entry.
//!
//! Knows what a page of `accountSummaries.list` looks like, and which part of it is needed. An entry that cannot be read
//! hides no other: it is noted and passed over, and a text of the wrong type is as if it were missing. Refuses to know HTTP.

use std::fmt;

use serde_json::{Map, Value};

use crate::{
    chain::one_line,
    names::{PropertyId, PropertyType},
};

/// A property as a listing shows it. Unknown texts are empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListedProperty {
    /// Its id.
    pub id: PropertyId,
    /// The name that its users gave it.
    pub name: String,
    /// Whether its events are its own; `None` where Google does not say so.
    pub property_type: Option<PropertyType>,
    /// The number of the account that it belongs to, also where its parent is another property.
    pub account_id: String,
    /// The name that the account's users gave it.
    pub account_name: String,
}

/// What the Admin API lists: a page, or all of them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Listing {
    /// The properties, in Google's order.
    pub properties: Vec<ListedProperty>,
    /// What could not be read, a short line each; only the first few of many.
    pub unreadable: Vec<String>,
    /// How many entries were passed over, so that it is not known which properties they are.
    pub hidden: usize,
}

impl Listing {
    /// Reads a page; the listing and the token of the next page, which is empty on the last one.
    ///
    /// # Errors
    /// Why it is not a page of a listing at all. `{}` is one, of nothing.
    pub(crate) fn of_page(page: &Map<String, Value>) -> Result<(Self, String), String> {
        if !page.is_empty() && !page.contains_key(ACCOUNTS) && !page.contains_key(NEXT_PAGE) {
            return Err("it is not a listing of accounts".to_owned());
        }
        let accounts = list(page, ACCOUNTS).map_err(|_| format!("its `{ACCOUNTS}` is not a list"))?;
        let token = text(page, NEXT_PAGE).map_err(|_| format!("its `{NEXT_PAGE}` is not a text"))?;
        let mut listing = Self::default();
        accounts.iter().for_each(|account| listing.read_account(account));
        Ok((listing, token.to_owned()))
    }

    /// Adds the next page.
    pub(crate) fn append(&mut self, page: Self) {
        self.properties.extend(page.properties);
        self.hidden += page.hidden;
        let room = MAX_UNREADABLE.saturating_sub(self.unreadable.len());
        self.unreadable.extend(page.unreadable.into_iter().take(room));
    }

    /// Whether a property that is missing is not there: not where it may be an entry that cannot be read.
    pub fn is_complete(&self) -> bool {
        self.hidden == 0
    }

    fn read_account(&mut self, entry: &Value) {
        let Value::Object(account) = entry else {
            return self.pass_over("an account is not an object", entry);
        };
        let account_name = self.text_of(account, "displayName", entry).to_owned();
        let account_id = number(self.text_of(account, "account", entry));
        let Ok(properties) = list(account, "propertySummaries") else {
            return self.pass_over("the `propertySummaries` of an account are not a list", entry);
        };
        for property in properties {
            self.read_property(property, &account_id, &account_name);
        }
    }

    fn read_property(&mut self, entry: &Value, account_id: &str, account_name: &str) {
        let Value::Object(property) = entry else {
            return self.pass_over("a property is not an object", entry);
        };
        let id = text(property, "property").ok().and_then(|name| name.parse().ok());
        let Some(id) = id else {
            return self.pass_over("the `property` of an entry is not `properties/NUMBER`", entry);
        };
        let name = self.text_of(property, "displayName", entry).to_owned();
        let property_type = PropertyType::named(self.text_of(property, "propertyType", entry));
        let (account_id, account_name) = (account_id.to_owned(), account_name.to_owned());
        self.properties.push(ListedProperty { id, name, property_type, account_id, account_name });
    }

    /// A text that the entry can do without.
    fn text_of<'a>(&mut self, object: &'a Map<String, Value>, key: &str, entry: &Value) -> &'a str {
        text(object, key).unwrap_or_else(|_| {
            self.note(format_args!("the `{key}` of an entry is not a text"), entry);
            ""
        })
    }

    fn pass_over(&mut self, why: &str, entry: &Value) {
        self.hidden += 1;
        self.note(format_args!("{why}"), entry);
    }

    fn note(&mut self, why: fmt::Arguments<'_>, entry: &Value) {
        if self.unreadable.len() < MAX_UNREADABLE {
            self.unreadable.push(one_line(&format!("{why}: {entry}"), MAX_LINE));
        }
    }
}

impl ListedProperty {
    /// The same, with what was known before where a text is unknown now.
    #[must_use]
    pub fn or_known(mut self, known: &Self) -> Self {
        let texts = [
            (&mut self.name, &known.name),
            (&mut self.account_id, &known.account_id),
            (&mut self.account_name, &known.account_name),
        ];
        for (text, known) in texts {
            if text.is_empty() {
                text.clone_from(known);
            }
        }
        self.property_type = self.property_type.or(known.property_type);
        self
    }
}

/// It is something else.
#[derive(Debug)]
pub(super) struct WrongType;

/// proto3 JSON: a field that is missing or `null` is the empty text.
pub(super) fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Result<&'a str, WrongType> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(WrongType),
    }
}

fn list<'a>(object: &'a Map<String, Value>, key: &str) -> Result<&'a [Value], WrongType> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(entries)) => Ok(entries),
        Some(_) => Err(WrongType),
    }
}

/// `1000` of `accounts/1000`.
pub(super) fn number(account: &str) -> String {
    account.strip_prefix("accounts/").unwrap_or(account).to_owned()
}

const ACCOUNTS: &str = "accountSummaries";

const NEXT_PAGE: &str = "nextPageToken";

/// How many unreadable entries of a listing are noted.
const MAX_UNREADABLE: usize = 10;

/// How long such a note is, in characters.
const MAX_LINE: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> (Listing, String) {
        Listing::of_page(&serde_json::from_str(body).unwrap()).unwrap()
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
            assert!(Listing::of_page(&serde_json::from_str(body).unwrap()).is_err(), "{body}");
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
}
