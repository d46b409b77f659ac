//! Asking the Admin API which properties there are and what they are called.

use serde_json::{Map, Value};

use super::Client;
use crate::{
    names::{Method, PropertyId},
    wire::{Error, Listing, PropertyDetails},
};

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

/// The most accounts that one page may have (google/analytics/admin/v1beta/analytics_admin.proto).
const PAGE_SIZE: &str = "200";

/// 200,000 accounts: more than anybody has, and an end.
const MAX_PAGES: usize = 1000;
