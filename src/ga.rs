//! Google's Analytics Data API and Admin API, v1beta.
//!
//! Knows their requests, their answers and which error means what. Refuses to know metrics, scheduling and the store.
//! Invariant: what a method returns is an answer of the kind that was asked for; everything else is an [`Error`].

pub use admin::PropertyDetails;
pub use client::{ADMIN_API_URL, Client, DATA_API_URL, Endpoints};
pub use error::{Error, ProjectFault};
pub use listing::{ListedProperty, Listing};

mod admin;
mod client;
mod error;
mod listing;
pub mod request;
pub mod response;
