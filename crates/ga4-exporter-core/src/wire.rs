//! Messages of Google's Analytics APIs, v1beta: requests, answers, listings and errors.
//!
//! Values only: it compiles without an HTTP client. Knows Google's formats and which error means what. Refuses to know how
//! requests are sent and how this process signs in.

pub use error::{ApiError, ProjectFault};
pub use listing::{ListedProperty, Listing, ListingPage};
pub use property_details::{DescribedProperty, PropertyDetails};
pub use scope::{GCLOUD_LOGIN, SCOPE};
pub use surrogates::without_lone_halves;

mod error;
mod lenient;
mod listing;
mod property_details;
pub mod request;
pub mod response;
pub mod schema;
mod scope;
mod surrogates;
