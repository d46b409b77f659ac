//! Asking the Admin API which properties there are and what they are called.

use super::{
    Client, Error,
    response::{AccountSummaries, AccountSummary, Property},
};
use crate::names::{Method, PropertyId};

/// A property as a listing shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListedProperty {
    /// Its id.
    pub id: PropertyId,
    /// The name that its users gave it.
    pub name: String,
    /// The number of the account that it belongs to.
    pub account_id: String,
    /// The name that the account's users gave it.
    pub account_name: String,
}

/// What `properties.get` tells of a property.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PropertyDetails {
    /// The name that its users gave it.
    pub name: String,
    /// The number of the account that it belongs to.
    pub account_id: String,
    /// IANA name of the reporting time zone.
    pub time_zone: String,
    /// ISO 4217 code.
    pub currency: String,
}

impl Client {
    /// Every property that the credentials can see: all pages of `accountSummaries.list`, or an error.
    ///
    /// # Errors
    /// See [`Error`]; also when only one of the pages fails, since half a listing is none.
    pub async fn listed_properties(&self) -> Result<Vec<ListedProperty>, Error> {
        let mut properties = Vec::new();
        let mut page_token = String::new();
        for _ in 0..MAX_PAGES {
            let query = [("pageSize", PAGE_SIZE), ("pageToken", &page_token)];
            let query = if page_token.is_empty() { query.get(..1) } else { query.get(..) };
            let path = "v1beta/accountSummaries";
            let page = self
                .get(Method::AccountSummaries, path, query.unwrap_or_default(), |page: AccountSummaries| {
                    let is_listing = page.unknown.is_empty()
                        || !page.account_summaries.is_empty()
                        || !page.next_page_token.is_empty();
                    let is_listing = is_listing.then_some(()).ok_or("it is not a listing of accounts");
                    is_listing.map_err(str::to_owned)?;
                    let mut properties = Vec::new();
                    page.account_summaries.iter().try_for_each(|account| list(account, &mut properties))?;
                    Ok(Page { properties, next_page_token: page.next_page_token })
                })
                .await?;
            properties.extend(page.properties);
            if page.next_page_token.is_empty() {
                return Ok(properties);
            }
            if page.next_page_token == page_token {
                return Err(Error::Protocol("the listing of properties leads in a circle".to_owned()));
            }
            page_token = page.next_page_token;
        }
        Err(Error::Protocol(format!("the listing of properties has more than {MAX_PAGES} pages")))
    }

    /// `properties.get`.
    ///
    /// # Errors
    /// See [`Error`]; an answer for another property is [`Error::Protocol`].
    pub async fn property(&self, id: PropertyId) -> Result<PropertyDetails, Error> {
        let path = format!("v1beta/properties/{id}");
        let accept = |property: Property| {
            if property.name != format!("properties/{id}") {
                return Err("it does not describe the property asked for".to_owned());
            }
            Ok(PropertyDetails {
                name: property.display_name,
                account_id: number(&property.account),
                time_zone: property.time_zone,
                currency: property.currency_code,
            })
        };
        self.get(Method::GetProperty, &path, &[], accept).await
    }
}

/// One page of a listing, read.
struct Page {
    properties: Vec<ListedProperty>,
    next_page_token: String,
}

fn list(account: &AccountSummary, properties: &mut Vec<ListedProperty>) -> Result<(), String> {
    for property in &account.property_summaries {
        let id = property.property.parse().map_err(|_| "a listed property has no number")?;
        properties.push(ListedProperty {
            id,
            name: property.display_name.clone(),
            account_id: number(&account.account),
            account_name: account.display_name.clone(),
        });
    }
    Ok(())
}

/// `1000` of `accounts/1000`.
fn number(account: &str) -> String {
    account.strip_prefix("accounts/").unwrap_or(account).to_owned()
}

/// The most accounts that one page may have (google/analytics/admin/v1beta/analytics_admin.proto).
const PAGE_SIZE: &str = "200";

/// 200,000 accounts: more than anybody has, and an end.
const MAX_PAGES: usize = 1000;
