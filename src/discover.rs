//! The task that finds out which properties there are and what they are called.
//!
//! Lists them hourly where they are discovered, and asks daily for those that are configured. Knows when to ask the
//! Admin API; refuses to know exposition and the HTTP server. Invariant: when the Admin API fails, nothing goes and
//! nothing that is configured is held up.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tracing::{debug, info, warn};

use crate::{
    auth::Tokens,
    chain::Chain,
    clock::Clock,
    config::Config,
    ga::{self, ListedProperty, PropertyDetails},
    jitter,
    names::{PropertyId, Reason},
    observer::Observer,
    plan::Plan,
    properties::Properties,
};

/// Owns the set of properties and publishes the plan; [`Discoverer::run`] is the task.
pub struct Discoverer {
    client: ga::Client,
    tokens: Tokens,
    observer: Arc<dyn Observer>,
    clock: Clock,
    config: Config,
    properties: Properties,
    configs: mpsc::Receiver<Config>,
    plan: watch::Sender<Arc<Plan>>,
    /// When the properties are listed next, where they are discovered.
    listing_due: Option<Timestamp>,
    /// When each configured property is asked for next.
    details_due: BTreeMap<PropertyId, Timestamp>,
    /// No `properties.get` before this: they are paced.
    details_open_at: Timestamp,
    /// Listings that failed in a row.
    failures: u32,
    /// Why the Admin API failed last, unless it works.
    failing: Option<Reason>,
    has_listed: bool,
}

/// What is due next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Due {
    Listing,
    Details(PropertyId),
}

/// What was asked for.
enum Answer {
    Listing(Result<Vec<ListedProperty>, ga::Error>),
    Details(PropertyId, Result<PropertyDetails, ga::Error>),
}

impl Discoverer {
    /// A discoverer for this configuration, where its plan is read, and where another configuration is handed in.
    pub fn new(
        client: ga::Client,
        tokens: Tokens,
        observer: Arc<dyn Observer>,
        clock: Clock,
        config: Config,
    ) -> (Self, watch::Receiver<Arc<Plan>>, mpsc::Sender<Config>) {
        let properties = Properties::new(&config);
        let plan = Plan::new(&config, properties.set(), config.discovery.is_none());
        let (sender, receiver) = watch::channel(Arc::new(plan));
        let (config_sender, configs) = mpsc::channel(1);
        let now = clock.now();
        let mut discoverer = Self {
            client,
            tokens,
            observer,
            clock,
            config,
            properties,
            configs,
            plan: sender,
            listing_due: None,
            details_due: BTreeMap::new(),
            details_open_at: now,
            failures: 0,
            failing: None,
            has_listed: false,
        };
        discoverer.schedule_all(now);
        (discoverer, receiver, config_sender)
    }

    /// Keeps the plan up to date until it is dropped.
    pub async fn run(mut self) {
        loop {
            let now = self.clock.now();
            self.properties.forget(now);
            self.publish();
            let next = self.next(now);
            let ask = ask(&self.client, next.filter(|(_, at)| *at <= now).map(|(due, _)| due));
            tokio::select! {
                Some(config) = self.configs.recv() => self.configure(config),
                answer = ask => self.take(answer),
                signed_in = self.tokens.next_attempt() => {
                    if signed_in && self.failing == Some(Reason::NoCredentials) {
                        self.schedule_all(self.clock.now());
                    }
                }
                // The wall clock is looked at often: it may have been set, or the machine suspended.
                () = tokio::time::sleep(pause(next, now)), if next.is_none_or(|(_, at)| at > now) => {}
            }
        }
    }

    /// The first of what is due.
    fn next(&self, now: Timestamp) -> Option<(Due, Timestamp)> {
        let listing = self.listing_due.map(|at| (Due::Listing, at));
        if let Some(listing) = listing.filter(|(_, at)| *at <= now) {
            return Some(listing);
        }
        let details = self.details_due.iter().min_by_key(|(_, at)| **at);
        let details = details.map(|(id, at)| (Due::Details(*id), (*at).max(self.details_open_at)));
        listing.into_iter().chain(details).min_by_key(|(_, at)| *at)
    }

    fn configure(&mut self, config: Config) {
        let now = self.clock.now();
        let lists_anew = config.discovery.is_some() && self.config.discovery.is_none();
        self.properties.configure(&config);
        self.config = config;
        self.has_listed &= !lists_anew;
        self.schedule_all(now);
        self.publish();
    }

    /// Everything that the configuration asks for and that is not planned yet is due now.
    fn schedule_all(&mut self, now: Timestamp) {
        self.listing_due = self.config.discovery.as_ref().map(|_| now);
        let due = std::mem::take(&mut self.details_due);
        let failing = self.failing.is_some();
        let at = |id: &PropertyId| if failing { now } else { due.get(id).copied().unwrap_or(now) };
        self.details_due = self.properties.configured().map(|id| (id, at(&id))).collect();
    }

    fn take(&mut self, answer: Answer) {
        let now = self.clock.now();
        match answer {
            Answer::Listing(Ok(listing)) => self.take_listing(listing, now),
            Answer::Listing(Err(error)) => {
                self.failures += 1;
                self.listing_due = Some(later(now, pause_after(&error, self.failures)));
                self.observer.properties_listed(false, now);
                self.log_failure(&error, None, "the properties cannot be listed; those that are known stay");
            }
            Answer::Details(id, Ok(details)) => {
                self.works_again();
                self.properties.on_details(id, details);
                self.details_due.insert(id, later(now, DETAILS_INTERVAL));
                self.details_open_at = later(now, DETAILS_GAP);
            }
            Answer::Details(id, Err(error)) => self.take_details_failure(id, &error, now),
        }
    }

    fn take_listing(&mut self, listing: Vec<ListedProperty>, now: Timestamp) {
        self.works_again();
        let before = self.properties.set().active.len();
        debug!(properties = listing.len(), "listed the properties");
        self.properties.on_listing(now, listing);
        let after = self.properties.set().active.len();
        if !self.has_listed || before != after {
            info!(properties = after, "properties to export");
        }
        if after == 0 {
            warn!(
                remedy = "add the account as Viewer of a property in Google Analytics, or check discovery.include and exclude",
                "there is no property to export"
            );
        }
        self.failures = 0;
        self.has_listed = true;
        let interval = self.config.discovery.as_ref().map(|discovery| discovery.interval);
        self.listing_due = interval.map(|interval| later(now, interval));
        self.observer.properties_listed(true, now);
    }

    /// What concerns one property puts only that off.
    fn take_details_failure(&mut self, id: PropertyId, error: &ga::Error, now: Timestamp) {
        let concerns_property = matches!(error, ga::Error::NoAccess(_) | ga::Error::InvalidRequest(_));
        if concerns_property {
            self.details_due.insert(id, later(now, DENIED_DETAILS_INTERVAL));
            self.details_open_at = later(now, DETAILS_GAP);
            debug!(property = %id, error = %Chain(error), "the property's name cannot be had");
        } else {
            self.failures += 1;
            self.details_open_at = later(now, pause_after(error, self.failures));
            self.log_failure(
                error,
                Some(id),
                "the names of the configured properties cannot be had; they are exported all the same",
            );
        }
    }

    fn publish(&self) {
        let is_complete = self.config.discovery.is_none() || self.has_listed;
        let plan = Plan::new(&self.config, self.properties.set(), is_complete);
        self.plan.send_if_modified(|present| {
            let is_new = present.properties != plan.properties
                || present.is_complete != plan.is_complete
                || !present.has_same_reports(&plan);
            if is_new {
                *present = Arc::new(plan);
            }
            is_new
        });
    }

    fn works_again(&mut self) {
        self.failures = 0;
        if self.failing.take().is_some_and(|reason| reason != Reason::NoCredentials) {
            info!("the Admin API works again");
        }
    }

    /// A change is told once and loudly; that there is no token has been told already.
    fn log_failure(&mut self, error: &ga::Error, property: Option<PropertyId>, message: &str) {
        let reason = error.reason();
        if self.failing.replace(reason) == Some(reason) || reason == Reason::NoCredentials {
            debug!(%reason, error = %Chain(error), "{message}");
            return;
        }
        let account = self.client.account();
        let remedy = error.remedy(property, account.as_deref());
        warn!(%reason, error = %Chain(error), remedy, "{message}");
    }
}

/// Asks for what is due; for ever when nothing is.
async fn ask(client: &ga::Client, due: Option<Due>) -> Answer {
    match due {
        Some(Due::Listing) => Answer::Listing(client.listed_properties().await),
        Some(Due::Details(id)) => Answer::Details(id, client.property(id).await),
        None => std::future::pending().await,
    }
}

fn pause(next: Option<(Due, Timestamp)>, now: Timestamp) -> Duration {
    let left = next.map(|(_, at)| Duration::try_from(at.duration_since(now)).unwrap_or_default());
    left.unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP)
}

fn pause_after(error: &ga::Error, failures: u32) -> Duration {
    if error.reason().needs_operator() {
        DENIED_PAUSE
    } else {
        jitter::back_off(FIRST_BACK_OFF, LONGEST_BACK_OFF, failures, "admin")
    }
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// A click in Google's console mends it.
const DENIED_PAUSE: Duration = Duration::from_mins(10);

const FIRST_BACK_OFF: Duration = Duration::from_secs(5);

const LONGEST_BACK_OFF: Duration = Duration::from_mins(5);

/// Names and zones change rarely.
const DETAILS_INTERVAL: Duration = Duration::from_hours(24);

const DENIED_DETAILS_INTERVAL: Duration = Duration::from_hours(1);

/// Five a second: the Admin API allows 600 a minute to a user.
const DETAILS_GAP: Duration = Duration::from_millis(200);
