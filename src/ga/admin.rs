//! Asking the Admin API which properties there are and what they are called.

use serde_json::{Map, Value};

use super::{
    Client, Error,
    listing::{Listing, number, text},
};
use crate::names::{Method, PropertyId, PropertyType};

/// What `properties.get` tells of a property. Unknown texts are empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PropertyDetails {
    /// The name that its users gave it.
    pub name: String,
    /// Whether its events are its own; `None` where Google does not say so.
    pub property_type: Option<PropertyType>,
    /// The number of the account that it belongs to, also where its parent is another property.
    pub account_id: String,
    /// IANA name of the reporting time zone.
    pub time_zone: String,
    /// ISO 4217 code.
    pub currency: String,
}

impl Client {
    /// Every property that the credentials can see: all pages of `accountSummaries.list`, or an error. Single entries that
    /// cannot be read are passed over.
    ///
    /// # Errors
    /// See [`Error`]; also when only one of the pages fails, since half a listing is none.
    pub async fn listed_properties(&self) -> Result<Listing, Error> {
        let mut listing = Listing::default();
        let mut page_token = String::new();
        for _ in 0..MAX_PAGES {
            let query = [("pageSize", PAGE_SIZE), ("pageToken", &page_token)];
            let query = if page_token.is_empty() { query.get(..1) } else { query.get(..) };
            let path = "v1beta/accountSummaries";
            let accept = |page: Map<String, Value>| Listing::of_page(&page);
            let (page, next) = self.get(Method::AccountSummaries, path, query.unwrap_or_default(), accept).await?;
            listing.append(page);
            if next.is_empty() {
                return Ok(listing);
            }
            if next == page_token {
                return Err(Error::Protocol("the listing of properties leads in a circle".to_owned()));
            }
            page_token = next;
        }
        Err(Error::Protocol(format!("the listing of properties has more than {MAX_PAGES} pages")))
    }

    /// `properties.get`.
    ///
    /// # Errors
    /// See [`Error`]; an answer for another property is [`Error::Protocol`].
    pub async fn property(&self, id: PropertyId) -> Result<PropertyDetails, Error> {
        let path = format!("v1beta/properties/{id}");
        let accept = |property: Map<String, Value>| PropertyDetails::of(&property, id);
        self.get(Method::GetProperty, &path, &[], accept).await
    }
}

impl PropertyDetails {
    /// A text of the wrong type is as if it were missing.
    fn of(property: &Map<String, Value>, id: PropertyId) -> Result<Self, String> {
        let known = |key| text(property, key).unwrap_or_default();
        if known("name") != format!("properties/{id}") {
            return Err("it does not describe the property asked for".to_owned());
        }
        Ok(Self {
            name: known("displayName").to_owned(),
            property_type: PropertyType::named(known("propertyType")),
            account_id: number(known("account")),
            time_zone: known("timeZone").to_owned(),
            currency: known("currencyCode").to_owned(),
        })
    }
}

/// The most accounts that one page may have (google/analytics/admin/v1beta/analytics_admin.proto).
const PAGE_SIZE: &str = "200";

/// 200,000 accounts: more than anybody has, and an end.
const MAX_PAGES: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn details(body: &str) -> Result<PropertyDetails, String> {
        PropertyDetails::of(&serde_json::from_str(body).unwrap(), "1".parse().unwrap())
    }

    #[test]
    fn a_sub_property_belongs_to_the_account_and_not_to_its_parent() {
        let details = details(
            r#"{"name": "properties/1", "parent": "properties/2", "account": "accounts/9", "displayName": "Part",
                "propertyType": "PROPERTY_TYPE_SUBPROPERTY", "timeZone": "Asia/Calcutta", "currencyCode": "INR", "x": {}}"#,
        );
        let expected = PropertyDetails {
            name: "Part".to_owned(),
            property_type: Some(PropertyType::Subproperty),
            account_id: "9".to_owned(),
            time_zone: "Asia/Calcutta".to_owned(),
            currency: "INR".to_owned(),
        };
        assert_eq!(details, Ok(expected));
    }

    #[test]
    fn details_of_the_wrong_type_cost_only_themselves() {
        let details = details(r#"{"name": "properties/1", "displayName": 5, "timeZone": null, "currencyCode": "EUR"}"#);
        assert_eq!(details.map(|details| (details.name, details.currency)), Ok((String::new(), "EUR".to_owned())));
    }

    #[test]
    fn another_property_is_refused() {
        for body in ["{}", r#"{"name": "properties/2"}"#, r#"{"name": 1}"#, r#"{"name": "1"}"#] {
            assert!(details(body).is_err(), "{body}");
        }
    }
}
