//! HTTP clients of Google's Analytics Data API and Admin API, v1beta.
//!
//! Knows how a request is sent and how its answer is read. Refuses to know metrics, scheduling and the store.
//! Invariant: a method returns an answer of the right kind; everything else is an [`ApiError`].

pub use client::{ADMIN_API_URL, Client, DATA_API_URL, Endpoints};

pub use ga4_exporter_core::wire::{ApiError, ListedProperty, Listing, ProjectFault, PropertyDetails};

mod admin;
mod client;
mod page;
mod schema;
