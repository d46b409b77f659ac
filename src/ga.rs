//! Google's Analytics Data API and Admin API.

pub mod request;
pub mod response;
