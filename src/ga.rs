//! Google's Analytics Data API and Admin API, v1beta, asked over HTTP.
//!
//! Knows how a request is sent, with which token, and how its answer is read. Refuses to know metrics, scheduling and the store.
//! Invariant: what a method returns is an answer of the kind that was asked for; everything else is an [`Error`].

pub use client::{ADMIN_API_URL, Client, DATA_API_URL, Endpoints};

pub use ga4_exporter_core::wire::{Error, ListedProperty, Listing, ProjectFault, PropertyDetails};

mod admin;
mod client;
mod page;
