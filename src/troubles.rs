//! What keeps every property from being polled, for people: the sign-in that fails, and the listing.
//!
//! Knows where each of them is published. Refuses to know how it is shown.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use ga4_exporter_core::{chain::Chain, names::Reason, store::Failure};

use crate::auth::Tokens;

/// Where troubles are read; cheap to ask.
#[derive(Debug)]
pub struct Troubles {
    tokens: Tokens,
    listing: watch::Receiver<Option<Arc<Failure>>>,
}

/// One of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trouble {
    /// What does not work.
    pub title: &'static str,
    /// The reason, as metrics have it.
    pub reason: &'static str,
    /// What went wrong, as the log has it.
    pub message: String,
    /// What an operator can do about it.
    pub remedy: String,
    /// Since when.
    pub since: Timestamp,
}

impl Troubles {
    /// Troubles of these.
    pub fn new(tokens: Tokens, listing: watch::Receiver<Option<Arc<Failure>>>) -> Self {
        Self { tokens, listing }
    }

    /// Those at present, the cause of others first.
    pub fn present(&self) -> Vec<Trouble> {
        let sign_in = self.tokens.failure().map(|(error, since)| Trouble {
            title: "The exporter cannot sign in to Google",
            reason: error.reason().as_str(),
            message: Chain(&*error).to_string(),
            remedy: error.remedy(),
            since,
        });
        let listing = self.listing.borrow().clone();
        // Without a token nothing is listed: the sign-in says why.
        let listing = listing.filter(|failure| sign_in.is_none() || failure.reason != Reason::NoCredentials);
        let listing = listing.map(|failure| Trouble {
            title: "The properties cannot be listed",
            reason: failure.reason.as_str(),
            message: failure.message.clone(),
            remedy: failure.remedy.clone(),
            since: failure.since,
        });
        sign_in.into_iter().chain(listing).collect()
    }
}
