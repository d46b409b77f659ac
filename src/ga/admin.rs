//! Requests to the Admin API: the listing of properties, and their details.

use std::{collections::BTreeSet, time::Duration};

use super::Client;
use ga4_exporter_core::{
    names::{Method, PropertyId},
    wire::{DescribedProperty, Error, Listing, ListingPage, PropertyDetails},
};

use crate::transport;

impl Client {
    /// Lists every property that the credentials can see, up to this many: all pages of `accountSummaries.list`, or an error.
    /// Unreadable entries are skipped.
    ///
    /// # Errors
    /// See [`Error`]; also if a single page fails, since an incomplete listing is useless, and if the listing does not end
    /// within
    /// 5 minutes.
    pub async fn listed_properties(&self, most: usize) -> Result<Listing, Error> {
        let pages = tokio::time::timeout(LISTING_DEADLINE, self.all_pages(most));
        pages.await.unwrap_or_else(|_| Err(transport::Error::Timeout(LISTING_DEADLINE).into()))
    }

    async fn all_pages(&self, most: usize) -> Result<Listing, Error> {
        let mut listing = Listing::default();
        let mut tokens = BTreeSet::new();
        let mut page_token = String::new();
        while tokens.len() < MAX_PAGES {
            let query = [("pageSize", PAGE_SIZE), ("pageToken", &page_token)];
            let query = if page_token.is_empty() { query.get(..1) } else { query.get(..) };
            let path = "v1beta/accountSummaries";
            let accept = |page: ListingPage| Listing::of_page(page);
            let (page, next) = self.get(Method::AccountSummaries, path, query.unwrap_or_default(), accept).await?;
            listing.append(page);
            if listing.properties.len() > most {
                return Err(Error::TooManyProperties { most });
            }
            if next.is_empty() {
                return Ok(listing);
            }
            if !tokens.insert(next.clone()) {
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
        let accept = |property: DescribedProperty| PropertyDetails::of(&property, id);
        self.get(Method::GetProperty, &path, &[], accept).await
    }
}

/// The most accounts that one page may have (google/analytics/admin/v1beta/analytics_admin.proto).
const PAGE_SIZE: &str = "200";

/// 200,000 accounts: more than anybody has.
const MAX_PAGES: usize = 1000;

/// The deadline of all pages together.
const LISTING_DEADLINE: Duration = Duration::from_mins(5);
