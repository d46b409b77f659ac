//! Changes good answers to the shapes of recorded ones: reports, the listing and tokens.

use serde::Deserialize;
use serde_json::{Value, json};

use super::report_shapes::ReportShape;

/// How a good answer is changed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Shape {
    Report(ReportShape),
    Listing(ListingShape),
    Token(TokenShape),
}

/// How a page of the accounts is changed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ListingShape {
    /// An account without properties, nulls, and unknown keys.
    StrangeKeys,
    /// A property and an account that cannot be parsed, among others that can.
    UnreadableEntry,
}

/// How an answer of the token endpoint or of the metadata server is changed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TokenShape {
    /// More fields than documented.
    MoreFields,
    LifetimeAsText,
    /// The remaining lifetime of a token, as the metadata server returns it from its cache.
    Cached,
}

impl ListingShape {
    pub(super) fn change(self, body: &mut Value) {
        let Some(listing) = body.as_object_mut() else {
            return;
        };
        let accounts = listing.entry("accountSummaries").or_insert_with(|| json!([]));
        let Some(accounts) = accounts.as_array_mut() else {
            return;
        };
        match self {
            Self::StrangeKeys => {
                accounts.iter_mut().for_each(strange_account);
                accounts.insert(0, empty_account());
                listing.insert("nextPageToken".into(), Value::Null);
            }
            Self::UnreadableEntry => {
                let unreadable = json!({"property": 7, "displayName": {"text": "?"}, "parent": null});
                let first = accounts.first_mut().and_then(|account| account.get_mut("propertySummaries"));
                if let Some(properties) = first.and_then(Value::as_array_mut) {
                    properties.insert(0, unreadable);
                }
                accounts.insert(0, json!("accountSummaries/1"));
            }
        }
    }
}

impl TokenShape {
    pub(super) fn change(self, body: &mut Value) {
        let Some(token) = body.as_object_mut().filter(|token| token.contains_key("access_token")) else {
            return;
        };
        let lifetime = token.get("expires_in").and_then(Value::as_i64).unwrap_or_default();
        match self {
            Self::MoreFields => {
                let scope = "email https://www.googleapis.com/auth/analytics.readonly";
                token.insert("scope".into(), json!(scope));
                token.insert("refresh_token".into(), json!("1//simulated-refresh-token"));
            }
            Self::LifetimeAsText => {
                token.insert("expires_in".into(), json!(lifetime.to_string()));
            }
            Self::Cached => {
                token.insert("expires_in".into(), json!(lifetime.min(3462)));
            }
        }
    }
}

fn strange_account(account: &mut Value) {
    let id = last_segment(&account["account"]);
    let properties = account.get_mut("propertySummaries").and_then(Value::as_array_mut);
    for property in properties.into_iter().flatten() {
        *property = json!({
            "displayName": property["displayName"],
            "property": property["property"],
            "_id": last_segment(&property["property"]),
            "_accountID": id,
        });
    }
    if let Some(account) = account.as_object_mut() {
        account.insert("_id".into(), json!(id));
    }
}

fn empty_account() -> Value {
    json!({
        "account": "accounts/123456789",
        "displayName": "Example Org",
        "name": "accountSummaries/123456789",
        "_id": "123456789",
        "propertySummaries": [],
    })
}

fn last_segment(name: &Value) -> String {
    let name = name.as_str().unwrap_or_default();
    String::from(name.rsplit('/').next().unwrap_or_default())
}
