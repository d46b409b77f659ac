//! The task that keeps a valid access token published.
//!
//! It refreshes long before expiry, backs off after failures, renews when Google refuses a token, and reads the key file again
//! when it changes. If the new file is invalid, the old key stays in use.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tracing::{debug, info, warn};

use super::{
    GrantError, State, Token, Tokens,
    credentials::{Credentials, CredentialsSource},
    fingerprint::Fingerprint,
    grant,
};
use ga4_exporter_core::{
    chain::Chain,
    jitter,
    names::{Method, TokenReason},
};

use crate::{
    clock::{Clock, later, monotonic},
    files::{Aside, Hangs, LOOK_DEADLINE},
    observer::Observer,
    transport::Transport,
};

/// Owns the credentials; [`Refresher::run`] is the task.
pub struct Refresher {
    credentials: Credentials,
    transport: Transport,
    observer: Arc<dyn Observer>,
    clock: Clock,
    publisher: watch::Sender<State>,
    renewals: mpsc::Receiver<u64>,
    replacements: mpsc::Receiver<Credentials>,
    /// Failures since the last success.
    failures: u32,
    /// The last logged reason since the last success.
    logged: Option<TokenReason>,
    generation: u64,
    /// Reads the key file on a thread of its own, since its disk may hang.
    aside: Aside,
    /// Whether its disk hangs, as logged.
    hangs: bool,
}

/// Passes other credentials to the running refresher.
#[derive(Clone, Debug)]
pub struct Replacements(mpsc::Sender<Credentials>);

/// Why the task woke up early.
enum Wake {
    Due,
    Renewal(u64),
    Replacement(Box<Credentials>),
    KeyFileChanged,
}

impl Refresher {
    /// Creates a refresher, the reader of its tokens, and the sender for other credentials.
    pub fn new(
        credentials: Credentials,
        transport: Transport,
        observer: Arc<dyn Observer>,
        clock: Clock,
    ) -> (Self, Tokens, Replacements) {
        let account = credentials.account().map(Arc::from);
        let (publisher, state) = watch::channel(State { account, ..State::default() });
        let (renewal_sender, renewals) = mpsc::channel(1);
        let (replacement_sender, replacements) = mpsc::channel(1);
        let tokens = Tokens { state, renewals: renewal_sender, clock: clock.clone() };
        let refresher = Self {
            credentials,
            transport,
            observer,
            clock,
            publisher,
            renewals,
            replacements,
            failures: 0,
            logged: None,
            generation: 0,
            aside: Aside::start("key file"),
            hangs: false,
        };
        (refresher, tokens, Replacements(replacement_sender))
    }

    /// Keeps a valid token published until the future is dropped.
    pub async fn run(mut self) {
        let mut renewal = false;
        loop {
            let pause = self.refresh(renewal).await;
            renewal = self.wait(pause).await;
        }
    }

    /// Makes one attempt. Returns the pause until the next.
    async fn refresh(&mut self, renewal: bool) -> Duration {
        let sent_at = self.clock.now();
        let started = monotonic();
        let result = grant::request(&self.credentials.source, &self.transport, sent_at).await;
        let failure = result.as_ref().err().map(GrantError::request_reason);
        self.observer.request(Method::Token, started.elapsed(), failure);
        match result {
            Ok(grant) => {
                self.learn_account().await;
                self.succeed(grant, sent_at, renewal)
            }
            Err(error) => self.fail(error, sent_at, renewal),
        }
    }

    /// Looks up the account of a metadata server that was not ready at the start.
    async fn learn_account(&mut self) {
        let CredentialsSource::MetadataServer(server) = &mut self.credentials.source else { return };
        if server.email.is_some() {
            return;
        }
        server.learn_email(&self.transport).await;
        let account = server.email.as_deref().map(Arc::from);
        self.publisher.send_if_modified(|state| {
            state.account = account;
            // No receiver is left.
            false
        });
    }

    fn succeed(&mut self, grant: grant::Grant, sent_at: Timestamp, renewal: bool) -> Duration {
        let lifetime = Duration::from_secs(u64::from(grant.lifetime_seconds));
        let expires_at = later(sent_at, lifetime);
        if self.failures > 0 {
            info!(account = self.credentials.account(), attempts = self.failures + 1, "signed in to Google again");
        } else if self.generation == 0 {
            info!(account = self.credentials.account(), "signed in to Google");
        } else {
            debug!(%expires_at, "token refreshed");
        }
        self.failures = 0;
        self.logged = None;
        self.generation += 1;
        self.observer.token_refreshed(expires_at);
        let quota_project = self.credentials.quota_project.clone().or(grant.quota_project);
        let token = Token { secret: grant.secret, expires_at, quota_project, generation: self.generation };
        self.publisher.send_modify(|state| {
            state.token = Some(Arc::new(token));
            state.failure = None;
            state.failing_since = None;
            state.attempts += 1;
            if renewal {
                state.renewed_at = Some(sent_at);
            }
        });
        pause_after_success(lifetime)
    }

    fn fail(&mut self, error: GrantError, sent_at: Timestamp, renewal: bool) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let first = if error.reason() == TokenReason::RateLimit { FIRST_PAUSE_OF_LIMIT } else { FIRST_PAUSE };
        let pause = jitter::back_off(first, LONGEST_PAUSE, self.failures, "token");
        let (reason, remedy) = (error.reason(), error.remedy());
        self.observer.token_refresh_failed(reason);
        // The failure may change, for example once the metadata server answers.
        if self.logged.replace(reason) != Some(reason) {
            let account = self.credentials.account();
            warn!(account, %reason, error = %Chain(&error), remedy, "cannot sign in to Google");
        } else {
            debug!(%reason, error = %Chain(&error), next_attempt_in = ?pause, "still cannot sign in to Google");
        }
        self.publisher.send_modify(|state| {
            state.failure = Some(Arc::new(error));
            state.failing_since.get_or_insert(sent_at);
            state.attempts += 1;
            if renewal {
                state.renewed_at = Some(sent_at);
            }
        });
        pause
    }

    /// Waits until a token is due or requested. Returns whether it was requested because Google refused the current one.
    async fn wait(&mut self, pause: Duration) -> bool {
        let due = Deadline { by_clock: later(self.clock.now(), pause), started: Instant::now(), pause };
        loop {
            match self.next_wake(&due).await {
                Wake::Due => return false,
                // While the sign-in fails, the back-off decides.
                Wake::Renewal(generation) if generation == self.generation && self.failures == 0 => return true,
                Wake::Renewal(_) => {}
                Wake::Replacement(credentials) => {
                    self.adopt(*credentials);
                    return false;
                }
                Wake::KeyFileChanged => {
                    if self.read_key_file_again().await {
                        return false;
                    }
                }
            }
        }
    }

    async fn next_wake(&mut self, due: &Deadline) -> Wake {
        loop {
            let left = due.left(self.clock.now());
            if left.is_zero() {
                return Wake::Due;
            }
            tokio::select! {
                () = tokio::time::sleep(left.min(KEY_FILE_CHECK)) => {}
                Some(generation) = self.renewals.recv() => return Wake::Renewal(generation),
                Some(credentials) = self.replacements.recv() => return Wake::Replacement(Box::new(credentials)),
            }
            if self.key_file_has_changed().await {
                return Wake::KeyFileChanged;
            }
        }
    }

    async fn key_file_has_changed(&mut self) -> bool {
        let Some(file) = self.credentials.file.clone() else { return false };
        let seen = self.aside.run(LOOK_DEADLINE, move || Fingerprint::of(&file)).await;
        self.answered(seen).is_some_and(|fingerprint| fingerprint != self.credentials.fingerprint)
    }

    /// Returns the result of reading the key file, unless its disk hangs; logs when that begins and ends.
    fn answered<T>(&mut self, seen: Result<T, Hangs>) -> Option<T> {
        let hung = std::mem::replace(&mut self.hangs, seen.is_err());
        match seen {
            Ok(seen) => {
                if hung {
                    info!("the key file can be read again");
                }
                Some(seen)
            }
            Err(error) => {
                if !hung {
                    warn!(%error, "cannot check the key file for changes; the current key stays in use");
                }
                None
            }
        }
    }

    /// Whether there is a new key.
    async fn read_key_file_again(&mut self) -> bool {
        let Some(file) = self.credentials.file.clone() else { return false };
        let read = move || (Fingerprint::of(&file), Credentials::from_file(file));
        let read = self.aside.run(LOOK_DEADLINE, read).await;
        let Some((fingerprint, credentials)) = self.answered(read) else { return false };
        match credentials {
            Ok(mut credentials) => {
                credentials.quota_project = self.credentials.quota_project.clone();
                info!(account = credentials.account(), "the key file has changed and was read again");
                self.adopt(credentials);
                true
            }
            Err(error) => {
                warn!(%error, "the key file has changed and cannot be used; the old key stays in use");
                self.observer.token_refresh_failed(TokenReason::InvalidKey);
                self.credentials.fingerprint = fingerprint;
                false
            }
        }
    }

    fn adopt(&mut self, credentials: Credentials) {
        let account = credentials.account().map(Arc::from);
        self.publisher.send_modify(|state| state.account = account);
        self.credentials = credentials;
        self.failures = 0;
        self.logged = None;
    }
}

impl Replacements {
    /// Signs in with these credentials from now on.
    pub async fn send(&self, credentials: Credentials) {
        // The refresher runs as long as the process.
        let _ = self.0.send(credentials).await;
    }
}

/// Waits for the end of a pause by the wall clock or by elapsed time, whichever comes first: a suspended machine wakes up
/// with an expired token, and a wrong clock may be set back by any amount.
struct Deadline {
    by_clock: Timestamp,
    started: Instant,
    pause: Duration,
}

impl Deadline {
    fn left(&self, now: Timestamp) -> Duration {
        let by_clock = Duration::try_from(self.by_clock.duration_since(now)).unwrap_or_default();
        by_clock.min(self.pause.saturating_sub(self.started.elapsed()))
    }
}

/// Returns when to renew: at half the lifetime, or 5 minutes before its end if that is earlier, but not before a quarter of
/// the lifetime and at least a second have passed, for tokens that live only minutes or seconds.
fn pause_after_success(lifetime: Duration) -> Duration {
    let before_expiry = lifetime.saturating_sub(BEFORE_EXPIRY).max(lifetime / 4);
    (lifetime / 2).min(before_expiry).max(SHORTEST_PAUSE)
}

const BEFORE_EXPIRY: Duration = Duration::from_secs(300);

const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The pause when Google asks for fewer requests.
const FIRST_PAUSE_OF_LIMIT: Duration = Duration::from_secs(30);

const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How often the key file is checked.
const KEY_FILE_CHECK: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_refreshed_early_but_not_in_a_loop() {
        for (lifetime, pause) in [(3600, 1800), (600, 300), (400, 100), (300, 75), (60, 15), (10, 2), (2, 1), (1, 1)] {
            let seconds = pause_after_success(Duration::from_secs(lifetime)).as_secs();
            assert_eq!(seconds, pause, "lifetime {lifetime}");
        }
    }
}
