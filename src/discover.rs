//! The task that keeps the set of properties and their names up to date.
//!
//! With discovery it lists them hourly; it reads the details of configured ones daily. Knows when to send requests to the Admin
//! API; refuses to know exposition and the HTTP server. Invariant: when the Admin API fails, no property is removed and no
//! configured one is delayed.

use std::{collections::BTreeSet, panic, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{JoinError, JoinSet},
};
use tracing::{debug, info, warn};

use ga4_exporter_core::{
    chain::Chain,
    names::{PropertyId, Reason},
    plan::Plan,
    properties::{IdlePatterns, Properties, PropertyInfo, PropertySet},
    shard::Shard,
    store::Failure,
};

use crate::{
    auth::Tokens,
    clock::{Clock, Steps},
    config::Config,
    enumeration::{MOST_NAMED, enumerated},
    ga::{self, Listing, PropertyDetails},
    observer::Observer,
};

use agenda::{Agenda, Due};

mod agenda;

/// Owns the set of properties and publishes the plan; [`Discoverer::run`] is the task.
pub struct Discoverer {
    client: ga::Client,
    tokens: Tokens,
    observer: Arc<dyn Observer>,
    clock: Clock,
    steps: Steps,
    config: Config,
    properties: Properties,
    configs: mpsc::Receiver<NewConfig>,
    plan: watch::Sender<Arc<Plan>>,
    agenda: Agenda,
    /// The request in flight; there is at most one.
    asking: JoinSet<Answer>,
    /// Its purpose.
    asked: Option<Due>,
    /// Changes that the plan does not have yet.
    news: News,
    /// When the plan was last published.
    published_at: Timestamp,
    /// The last failures of listings and of details, while they fail.
    listing_fails: Option<Reason>,
    details_fail: Option<Reason>,
    has_listed: bool,
    /// Unreadable entries of the last listing.
    unreadable: BTreeSet<String>,
    /// Patterns that the last listing had nothing for.
    idle_patterns: IdlePatterns,
    /// Properties that reports are limited to, and that the last listing did not have.
    unexported: BTreeSet<PropertyId>,
    /// Configured properties whose names have been asked for, whatever came of it.
    asked_for: BTreeSet<PropertyId>,
    /// Whether the log says which properties are exported.
    is_announced: bool,
    /// Why properties cannot be listed at present, for others.
    listing_failure: watch::Sender<Option<Arc<Failure>>>,
}

/// Another configuration, and the sender to notify once the plan follows it.
pub type NewConfig = (Config, oneshot::Sender<()>);

/// Changes that the plan does not have yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum News {
    None,
    /// Names, which may arrive one after the other.
    Names,
    /// The set of properties.
    Properties,
}

/// The purpose of a request.
enum Answer {
    Listing(Result<Listing, ga::ApiError>),
    Details(PropertyId, Result<PropertyDetails, ga::ApiError>),
}

impl Discoverer {
    /// Creates a discoverer for this configuration, the receiver of its plan, and the sender for another configuration.
    pub fn new(
        client: ga::Client,
        tokens: Tokens,
        observer: Arc<dyn Observer>,
        clock: Clock,
        config: Config,
        shard: Shard,
    ) -> (Self, watch::Receiver<Arc<Plan>>, mpsc::Sender<NewConfig>) {
        let properties = Properties::new(&config.properties, config.discovery.as_ref(), shard);
        let plan = config.plan(properties.set(), config.discovery.is_none());
        let (sender, receiver) = watch::channel(Arc::new(plan));
        let (config_sender, configs) = mpsc::channel(1);
        let now = clock.now();
        let mut agenda = Agenda::new(now);
        agenda.plan_all(config.discovery.is_some(), properties.configured(), now);
        let discoverer = Self {
            client,
            tokens,
            observer,
            clock,
            steps: Steps::new(now),
            config,
            properties,
            configs,
            plan: sender,
            agenda,
            asking: JoinSet::new(),
            asked: None,
            news: News::None,
            published_at: now,
            listing_fails: None,
            details_fail: None,
            has_listed: false,
            unreadable: BTreeSet::new(),
            idle_patterns: IdlePatterns::default(),
            unexported: BTreeSet::new(),
            asked_for: BTreeSet::new(),
            is_announced: false,
            listing_failure: watch::channel(None).0,
        };
        (discoverer, receiver, config_sender)
    }

    /// Why properties cannot be listed at present, where they are discovered.
    pub fn listing_failure(&self) -> watch::Receiver<Option<Arc<Failure>>> {
        self.listing_failure.subscribe()
    }

    /// Keeps the plan up to date until the future is dropped.
    pub async fn run(mut self) {
        loop {
            self.announce_when_named();
            let now = self.clock.now();
            if let Some(back) = self.steps.back(now) {
                self.agenda.on_clock_set_back(back);
            }
            if self.properties.forget(now) {
                self.news = News::Properties;
            }
            self.publish(now);
            let pause = self.ask_for_what_is_due(now);
            tokio::select! {
                Some((config, applied)) = self.configs.recv() => {
                    self.configure(config);
                    // The receiver may be gone.
                    let _ = applied.send(());
                }
                Some(answer) = self.asking.join_next() => self.take(answer),
                signed_in = self.tokens.next_attempt() => {
                    let waits = [self.listing_fails, self.details_fail].contains(&Some(Reason::NoCredentials));
                    if signed_in && waits {
                        self.plan_all();
                    }
                }
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Starts the due request, unless one is in flight. Returns how long to wait for the next.
    fn ask_for_what_is_due(&mut self, now: Timestamp) -> Duration {
        let Some((due, at)) = self.agenda.next(now).filter(|_| self.asking.is_empty()) else { return LONGEST_SLEEP };
        if at > now {
            return Duration::try_from(at.duration_since(now)).unwrap_or_default().min(LONGEST_SLEEP);
        }
        if due == Due::Listing {
            self.agenda.listing_begins(now);
        }
        self.asked = Some(due);
        let client = self.client.clone();
        let most = self.config.most_properties;
        self.asking.spawn(async move {
            match due {
                Due::Listing => Answer::Listing(client.listed_properties(most).await),
                Due::Details(id) => Answer::Details(id, client.property(id).await),
            }
        });
        LONGEST_SLEEP
    }

    fn configure(&mut self, config: Config) {
        let begins_to_list = config.discovery.is_some() && self.config.discovery.is_none();
        self.properties.configure(&config.properties, config.discovery.as_ref());
        self.config = config;
        self.has_listed &= !begins_to_list;
        // Details for the old configuration may be obsolete; a listing is valid for both.
        if self.config.discovery.is_none() || self.asked != Some(Due::Listing) {
            self.asking.abort_all();
            self.asking.detach_all();
        }
        let discovers = self.config.discovery.is_some();
        self.agenda.replan_all(discovers, self.properties.configured(), self.clock.now());
        let plan = self.config.plan(self.properties.set(), self.is_complete());
        let plan = plan.sharing_reports_with(&self.plan.borrow());
        self.plan.send_replace(Arc::new(plan));
        self.news = News::None;
        self.is_announced = false;
        if self.config.discovery.is_none() {
            self.listing_failure.send_replace(None);
        }
    }

    fn plan_all(&mut self) {
        let discovers = self.config.discovery.is_some();
        self.agenda.plan_all(discovers, self.properties.configured(), self.clock.now());
    }

    fn take(&mut self, answer: Result<Answer, JoinError>) {
        let now = self.clock.now();
        match answer {
            Ok(Answer::Listing(Ok(listing))) => self.take_listing(listing, now),
            Ok(Answer::Listing(Err(error))) => {
                self.agenda.listing_failed(&error, now);
                self.observer.properties_listed(false, now);
                self.publish_listing_failure(&error, now);
                let known = self.listing_fails.replace(error.reason());
                self.log_failure(&error, known, None, "the properties cannot be listed; those that are known stay");
            }
            Ok(Answer::Details(id, Ok(details))) => {
                self.agenda.details_came(id, now);
                works_again(&mut self.details_fail, "the names of the configured properties can be read again");
                self.asked_for.insert(id);
                self.properties.on_details(id, details);
                self.news = if self.news == News::Properties { self.news } else { News::Names };
            }
            Ok(Answer::Details(id, Err(error))) => {
                self.asked_for.insert(id);
                if self.agenda.details_failed(id, &error, now) {
                    // The same failure is expected for the others, so the log does not wait for their names.
                    self.asked_for.extend(self.properties.configured());
                    let known = self.details_fail.replace(error.reason());
                    let message = "cannot read the names of the configured properties; exporting them without";
                    self.log_failure(&error, known, Some(id), message);
                } else {
                    let properties = self.properties.set();
                    let property_name = properties.active.get(&id).and_then(PropertyInfo::known_name);
                    debug!(property = %id, property_name, error = %Chain(&error), "cannot read the property's name");
                }
            }
            // In a release build a panic ends the process.
            Err(error) if error.is_panic() => panic::resume_unwind(error.into_panic()),
            Err(_) => {}
        }
    }

    fn take_listing(&mut self, mut listing: Listing, now: Timestamp) {
        works_again(&mut self.listing_fails, "the properties can be listed again");
        self.listing_failure.send_replace(None);
        self.log_unreadable(std::mem::take(&mut listing.unreadable));
        let before = self.properties.set();
        let hidden = Some(listing.hidden).filter(|hidden| *hidden > 0);
        debug!(properties = listing.properties.len(), hidden, "listed the properties");
        self.properties.on_listing(now, listing);
        let after = self.properties.set();
        let counts = |set: &PropertySet| (set.active.len(), set.elsewhere);
        self.is_announced &= self.has_listed && counts(&before) == counts(&after);
        self.has_listed = true;
        warn_of_unlisted(&before, &after);
        self.warn_of_idle_patterns();
        self.warn_of_unexported();
        self.news = News::Properties;
        let interval = self.config.discovery.as_ref().map(|discovery| discovery.interval);
        self.agenda.listing_came(interval, now);
        self.observer.properties_listed(true, now);
    }

    /// Logs each entry once, as long as it does not change.
    fn log_unreadable(&mut self, unreadable: Vec<String>) {
        let unreadable: BTreeSet<_> = unreadable.into_iter().collect();
        for entry in unreadable.difference(&self.unreadable) {
            warn!(%entry, "cannot read an entry of the listing of properties; exporting the others");
        }
        if unreadable.is_empty() && !self.unreadable.is_empty() {
            info!("every entry of the listing of properties can be read again");
        }
        self.unreadable = unreadable;
    }

    /// Each pattern once, as long as the listing has nothing for it.
    fn warn_of_idle_patterns(&mut self) {
        let idle = self.properties.idle_patterns();
        if idle != self.idle_patterns && !idle.is_empty() {
            let quoted = |patterns: &[String]| (!patterns.is_empty()).then(|| enumerated(patterns.iter().cloned()));
            let (include, exclude) = (quoted(&idle.include), quoted(&idle.exclude));
            let remedy = "compare discovery.include and discovery.exclude with the names in Google Analytics: upper and lower \
                          case differ, and `(?i)` before a pattern ignores that";
            warn!(include, exclude, remedy, "a pattern of discovery matches no property that Google lists");
        }
        self.idle_patterns = idle;
    }

    /// Once, as long as the listing and the reports stay as they are.
    fn warn_of_unexported(&mut self) {
        let named = self.config.unexported(|id| self.properties.exports(id));
        let unexported: BTreeSet<PropertyId> = named.keys().copied().collect();
        if unexported != self.unexported && !unexported.is_empty() {
            let ids = enumerated(unexported.iter().map(ToString::to_string));
            let reports: BTreeSet<_> = named.values().flatten().collect();
            let reports = enumerated(reports.into_iter().map(ToString::to_string));
            let remedy =
                "correct the numbers under `properties` of these reports, or let discovery select the properties";
            warn!(ids, reports, remedy, "reports are limited to properties that are not exported");
        }
        self.unexported = unexported;
    }

    /// Logs what is exported, by name: once it is known, and the names of those that the line has were asked for.
    fn announce_when_named(&mut self) {
        if self.is_announced || !self.is_complete() {
            return;
        }
        let properties = self.properties.set();
        let mut named = properties.active.iter().take(MOST_NAMED);
        if !named.all(|(id, info)| info.known_name().is_some() || self.asked_for.contains(id)) {
            return;
        }
        self.is_announced = true;
        let (here, elsewhere) = (properties.active.len(), properties.elsewhere);
        let names = (here > 0).then(|| enumerated(properties.active.iter().map(name)));
        let other_shards = Some(elsewhere).filter(|count| *count > 0);
        if here + elsewhere > 0 {
            info!(names, other_shards, "exporting {}", count_of_properties(here));
            return;
        }
        let remedy = if self.unreadable.is_empty() {
            "add the account as Viewer of a property in Google Analytics, or check discovery.include and \
             discovery.exclude"
        } else {
            "entries of the listing cannot be read: name the properties in the configuration meanwhile"
        };
        warn!(account = self.client.account().as_deref(), remedy, "there is no property to export");
    }

    /// Names may arrive five times per second; the plan is published at most once per second.
    fn publish(&mut self, now: Timestamp) {
        let is_recent = now.duration_since(self.published_at).unsigned_abs() < NAMES_PAUSE;
        if self.news == News::None || (self.news == News::Names && is_recent) {
            return;
        }
        self.news = News::None;
        self.published_at = now;
        let is_complete = self.is_complete();
        let properties = self.properties.set();
        self.plan.send_if_modified(|present| {
            let is_new = present.properties != properties || present.is_complete != is_complete;
            if is_new {
                *present = Arc::new(present.with_properties(properties, is_complete));
            }
            is_new
        });
    }

    fn is_complete(&self) -> bool {
        self.config.discovery.is_none() || self.has_listed
    }

    fn publish_listing_failure(&self, error: &ga::ApiError, now: Timestamp) {
        let since = self.listing_failure.borrow().as_ref().map_or(now, |before| before.since);
        let remedy = error.remedy(None, self.client.account().as_deref());
        let failure = Failure { reason: error.reason(), message: Chain(error).to_string(), remedy, since };
        self.listing_failure.send_replace(Some(Arc::new(failure)));
    }

    /// Logs a change once, as a warning; a missing access token was already logged by the sign-in.
    fn log_failure(&self, error: &ga::ApiError, known: Option<Reason>, property: Option<PropertyId>, message: &str) {
        let reason = error.reason();
        if known == Some(reason) || reason == Reason::NoCredentials {
            debug!(%reason, error = %Chain(error), "{message}");
            return;
        }
        let account = self.client.account();
        let remedy = error.remedy(property, account.as_deref());
        warn!(%reason, error = %Chain(error), remedy, "{message}");
    }
}

/// Once, when the second complete listing has not had them.
fn warn_of_unlisted(before: &PropertySet, after: &PropertySet) {
    let gone: Vec<_> = after.unlisted.iter().filter(|(id, _)| !before.unlisted.contains_key(id)).collect();
    if !gone.is_empty() {
        let count = count_of_properties(gone.len());
        let remedy = "find out in Google Analytics under Admin > Account change history whether they were deleted, and whether \
                      the account still has access";
        warn!(names = enumerated(gone.into_iter().map(name)), remedy, "Google no longer lists {count}");
    }
}

/// An unknown name is the number.
fn name((id, info): (&PropertyId, &PropertyInfo)) -> String {
    info.known_name().map_or_else(|| id.to_string(), str::to_owned)
}

fn count_of_properties(count: usize) -> String {
    format!("{count} {}", if count == 1 { "property" } else { "properties" })
}

fn works_again(failing: &mut Option<Reason>, message: &str) {
    if failing.take().is_some_and(|reason| reason != Reason::NoCredentials) {
        info!("{message}");
    }
}

/// How often the wall clock is read at least: it may have been set, or the machine suspended.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// Time between two plans with new names.
const NAMES_PAUSE: Duration = Duration::from_secs(1);
