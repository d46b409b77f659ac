//! The Admin API's `properties.get`.

use jiff::Timestamp;
use serde::Deserialize;

use super::{
    lenient::{Object, Text},
    listing::number,
};
use crate::{
    names::{PropertyId, PropertyType},
    shown::name,
};

/// The answer of `properties.get`, as far as it is used. Unknown texts are empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PropertyDetails {
    /// The name that its users gave it.
    pub name: String,
    /// The kind of property; `None` if Google does not say.
    pub property_type: Option<PropertyType>,
    /// The number of the account that it belongs to, also where its parent is another property.
    pub account_id: String,
    /// IANA name of the reporting time zone.
    pub time_zone: String,
    /// ISO 4217 code.
    pub currency: String,
    /// Whether it is one of Analytics 360; `None` where Google does not say so.
    pub is_premium: Option<bool>,
    /// When it was made, where that can be read.
    pub created: Option<Timestamp>,
}

impl PropertyDetails {
    /// Reads the answer for this property. A text of the wrong type counts as missing.
    ///
    /// # Errors
    /// The answer describes another property.
    pub fn of(DescribedProperty(property): &DescribedProperty, id: PropertyId) -> Result<Self, String> {
        let wrong = || "it does not describe the property asked for".to_owned();
        let property = property.get().ok_or_else(wrong)?;
        if property.name.as_str() != format!("properties/{id}") {
            return Err(wrong());
        }
        Ok(Self {
            name: name(property.display_name.as_str()),
            property_type: PropertyType::named(property.property_type.as_str()),
            account_id: number(property.account.as_str()),
            time_zone: name(property.time_zone.as_str()),
            currency: name(property.currency_code.as_str()),
            is_premium: match property.service_level.as_str() {
                "GOOGLE_ANALYTICS_360" => Some(true),
                "GOOGLE_ANALYTICS_STANDARD" => Some(false),
                _ => None,
            },
            created: property.create_time.as_str().parse().ok(),
        })
    }
}

/// The answer as received, of any shape.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct DescribedProperty(Object<Described>);

/// `Property`, as far as it is used.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Described {
    name: Text,
    display_name: Text,
    property_type: Text,
    account: Text,
    time_zone: Text,
    currency_code: Text,
    service_level: Text,
    create_time: Text,
}

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
                "propertyType": "PROPERTY_TYPE_SUBPROPERTY", "timeZone": "Asia/Calcutta", "currencyCode": "INR",
                "serviceLevel": "GOOGLE_ANALYTICS_360", "x": {},
                "createTime": "2023-03-14T15:09:26.535Z"}"#,
        );
        let expected = PropertyDetails {
            name: "Part".to_owned(),
            property_type: Some(PropertyType::Subproperty),
            account_id: "9".to_owned(),
            time_zone: "Asia/Calcutta".to_owned(),
            currency: "INR".to_owned(),
            is_premium: Some(true),
            created: "2023-03-14T15:09:26.535Z".parse().ok(),
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
