//! Requests to the Admin API: the listing of properties, and their details.

use std::{collections::BTreeSet, time::Duration};

use super::Client;
use ga4_exporter_core::{
    names::{Method, PropertyId},
    wire::{ApiError, DescribedProperty, Listing, ListingPage, PropertyDetails},
};

use crate::transport;

impl Client {
    /// Lists every property that the credentials can see, up to this many: all pages of `accountSummaries.list`, or an error.
    /// Unreadable entries are skipped.
    ///
    /// # Errors
    /// See [`ApiError`]; also if a single page fails, since an incomplete listing is useless, and if the listing does not end
    /// within 5 minutes.
    pub async fn listed_properties(&self, most: usize) -> Result<Listing, ApiError> {
        all_pages_in_time(most, |token| self.listing_page(token)).await
    }

    /// Returns a page and the token of the next one. The empty token is that of the first page, and follows the last one.
    async fn listing_page(&self, token: String) -> Result<(Listing, String), ApiError> {
        let query = [("pageSize", PAGE_SIZE), ("pageToken", &token)];
        let query = if token.is_empty() { query.get(..1) } else { query.get(..) };
        let accept = |page: ListingPage| Listing::of_page(page);
        self.get(Method::AccountSummaries, "v1beta/accountSummaries", query.unwrap_or_default(), accept).await
    }

    /// `properties.get`.
    ///
    /// # Errors
    /// See [`ApiError`]; an answer for another property is [`ApiError::Protocol`].
    pub async fn property(&self, id: PropertyId) -> Result<PropertyDetails, ApiError> {
        let path = format!("v1beta/properties/{id}");
        let accept = |property: DescribedProperty| PropertyDetails::of(&property, id);
        self.get(Method::GetProperty, &path, &[], accept).await
    }
}

/// Reads all pages of a listing, each with the token that the one before returned.
async fn all_pages_in_time<F>(most: usize, page: impl Fn(String) -> F) -> Result<Listing, ApiError>
where
    F: Future<Output = Result<(Listing, String), ApiError>>,
{
    let pages = tokio::time::timeout(LISTING_DEADLINE, all_pages(most, page));
    pages.await.unwrap_or_else(|_| Err(transport::TransportError::Timeout(LISTING_DEADLINE).into()))
}

async fn all_pages<F>(most: usize, page: impl Fn(String) -> F) -> Result<Listing, ApiError>
where
    F: Future<Output = Result<(Listing, String), ApiError>>,
{
    let mut listing = Listing::default();
    let mut tokens = BTreeSet::new();
    let mut token = String::new();
    while tokens.len() < MAX_PAGES {
        let (part, next) = page(token).await?;
        listing.append(part);
        if listing.properties.len() > most {
            return Err(ApiError::TooManyProperties { most });
        }
        if next.is_empty() {
            return Ok(listing.with_each_property_once());
        }
        if !tokens.insert(next.clone()) {
            return Err(ApiError::Protocol("the listing of properties leads in a circle".to_owned()));
        }
        token = next;
    }
    Err(ApiError::Protocol(format!("the listing of properties has more than {MAX_PAGES} pages")))
}

/// The most accounts that one page may have (google/analytics/admin/v1beta/analytics_admin.proto).
const PAGE_SIZE: &str = "200";

/// 200,000 accounts: more than anybody has.
const MAX_PAGES: usize = 1000;

/// The deadline of all pages together.
const LISTING_DEADLINE: Duration = Duration::from_mins(5);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::{Instant, sleep};

    use super::*;
    use ga4_exporter_core::names::Reason;

    /// Lists pages that each take this long: as many as these, or without an end.
    async fn listed(pages: Option<usize>, pause: Duration) -> (Result<Listing, ApiError>, usize) {
        let asked = AtomicUsize::new(0);
        let page = async |_: String| {
            let number = asked.fetch_add(1, Ordering::Relaxed) + 1;
            sleep(pause).await;
            let next = if pages == Some(number) { String::new() } else { number.to_string() };
            Ok((Listing { hidden: 1, ..Listing::default() }, next))
        };
        let result = all_pages_in_time(10, page).await;
        (result, asked.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn a_listing_that_pages_slowly_for_ever_ends_after_five_minutes() {
        let began = Instant::now();
        let (result, asked) = listed(None, Duration::from_secs(7)).await;
        assert_eq!(began.elapsed(), Duration::from_mins(5));
        assert_eq!(result.unwrap_err().reason(), Reason::Timeout);
        assert_eq!(asked, 43, "nothing is asked after it");
        assert_eq!(
            listed(None, Duration::from_hours(1)).await.0.unwrap_err().reason(),
            Reason::Timeout,
            "a single page"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_listing_that_ends_in_time_is_complete() {
        let (result, asked) = listed(Some(42), Duration::from_secs(7)).await;
        assert_eq!((result.unwrap().hidden, asked), (42, 42));
    }

    #[tokio::test(start_paused = true)]
    async fn a_fast_listing_without_an_end_has_a_bounded_number_of_pages() {
        let (result, asked) = listed(None, Duration::ZERO).await;
        assert_eq!((result.unwrap_err().reason(), asked), (Reason::Protocol, MAX_PAGES));
    }
}
