//! Signing in to Google without a human.
//!
//! [`credentials`] finds and validates credentials, [`grant`] requests one token, [`failure`] classifies errors, and
//! [`refresher`] is the task that keeps a valid token published. Knows keys, tokens and their deadlines; refuses to know the
//! Analytics endpoints. Invariant: private keys and tokens cannot be printed: their types hide them in `Debug`, and no error
//! quotes the content of a key file.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;
use secrecy::SecretString;
use thiserror::Error as ThisError;
use tokio::sync::{mpsc, watch};

pub use failure::AuthError as GrantError;
pub use ga4_exporter_core::wire::{GCLOUD_LOGIN, SCOPE};

use crate::clock::Clock;

pub mod credentials;
pub mod failure;
pub mod fingerprint;
pub mod grant;
pub mod key_file;
pub mod metadata;
mod pem;
pub mod refresher;

/// An access token for the Analytics APIs.
#[derive(Clone)]
pub struct Token {
    /// The value of the `Authorization` header.
    pub secret: SecretString,
    /// When it expires.
    pub expires_at: Timestamp,
    /// The Cloud project that a user's requests count against (`x-goog-user-project`), if it is not the account's own.
    pub quota_project: Option<String>,
    /// Counts the tokens of this process.
    generation: u64,
}

/// Provides the current token; cheap to clone.
#[derive(Clone, Debug)]
pub struct Tokens {
    state: watch::Receiver<State>,
    renewals: mpsc::Sender<u64>,
    clock: Clock,
}

/// What the refresher published last.
#[derive(Clone, Debug, Default)]
struct State {
    /// The newest token, if any; it may have expired.
    token: Option<Arc<Token>>,
    /// Why the last attempt failed, unless it succeeded.
    failure: Option<Arc<GrantError>>,
    /// Since when attempts have failed.
    failing_since: Option<Timestamp>,
    /// The number of finished attempts.
    attempts: u64,
    /// When a token was last renewed because Google refused it.
    renewed_at: Option<Timestamp>,
    /// The e-mail address of the account, if it is known.
    account: Option<Arc<str>>,
}

/// Why there is no access token.
#[derive(Clone, Debug, ThisError)]
pub enum Unavailable {
    /// The last attempt failed, and the next is not due yet.
    #[error("no access token")]
    Failed(#[source] Arc<GrantError>),
    /// The first attempt did not end in time.
    #[error("no access token within {TOKEN_DEADLINE:?}")]
    Pending,
    /// Google refuses a token that was just renewed, so renewing again would not help.
    #[error("the access token was renewed just now and is refused as well")]
    RenewedAlready,
}

impl Tokens {
    /// Returns a valid token from memory. Waits only for the first attempt.
    ///
    /// # Errors
    /// There is no token; the refresher keeps trying.
    pub async fn token(&self) -> Result<Arc<Token>, Unavailable> {
        let mut state = self.state.clone();
        let first_attempt = async {
            loop {
                let present = state.borrow_and_update().clone();
                match (present.token, present.failure) {
                    (Some(token), _) if token.expires_at > self.clock.now() => return Ok(token),
                    (_, Some(failure)) => return Err(Unavailable::Failed(failure)),
                    (Some(_) | None, None) => {}
                }
                if state.changed().await.is_err() {
                    return Err(Unavailable::Pending);
                }
            }
        };
        tokio::time::timeout(TOKEN_DEADLINE, first_attempt).await.unwrap_or(Err(Unavailable::Pending))
    }

    /// Requests a token to replace this one, which Google refused.
    ///
    /// # Errors
    /// There is none: the refused one was itself renewed within [`RENEWAL_PAUSE`], or the sign-in is failing; the
    /// refresher keeps trying.
    pub async fn renewed(&self, refused: &Token) -> Result<Arc<Token>, Unavailable> {
        let mut state = self.state.clone();
        let seen = state.borrow_and_update().clone();
        if let Some(token) = seen.token.filter(|token| token.generation != refused.generation) {
            return Ok(token);
        }
        let recently = |at: Timestamp| self.clock.now().duration_since(at).unsigned_abs() < RENEWAL_PAUSE;
        if let Some(failure) = seen.failure {
            return Err(Unavailable::Failed(failure));
        }
        if seen.renewed_at.is_some_and(recently) {
            return Err(Unavailable::RenewedAlready);
        }
        // A full queue means that a renewal was already requested.
        let _ = self.renewals.try_send(refused.generation);
        let attempt = state.wait_for(|state| state.attempts > seen.attempts);
        let has_ended = tokio::time::timeout(TOKEN_DEADLINE, attempt).await.is_ok_and(|ended| ended.is_ok());
        if !has_ended {
            return Err(Unavailable::Pending);
        }
        let present = self.state.borrow().clone();
        match (present.token, present.failure) {
            (Some(token), _) if token.generation != refused.generation => Ok(token),
            (_, Some(failure)) => Err(Unavailable::Failed(failure)),
            (Some(_) | None, None) => Err(Unavailable::Pending),
        }
    }

    /// Whether the last sign-in succeeded.
    pub fn are_available(&self) -> bool {
        let state = self.state.borrow();
        state.token.is_some() && state.failure.is_none()
    }

    /// Waits for the end of the next sign-in and returns whether there is a token now. Never returns if there is no further
    /// attempt.
    pub async fn next_attempt(&mut self) -> bool {
        if self.state.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        self.state.borrow_and_update().failure.is_none()
    }

    /// Why signing in fails at present, and since when.
    pub fn failure(&self) -> Option<(Arc<GrantError>, Timestamp)> {
        let state = self.state.borrow();
        state.failure.clone().zip(state.failing_since)
    }

    /// The e-mail address of the account, if it is known.
    pub fn account(&self) -> Option<Arc<str>> {
        self.state.borrow().account.clone()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Google's token endpoint, and the audience of assertions.
pub const GOOGLE_TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// The longest wait for a token.
pub const TOKEN_DEADLINE: Duration = Duration::from_secs(10);

/// How long after a renewal a refused token is not renewed again.
pub const RENEWAL_PAUSE: Duration = Duration::from_secs(10);
