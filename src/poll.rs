//! The task that polls: it drives the schedule and the ledger, sends what is due, and stores what comes.
//!
//! Knows in which order the pure parts are asked. Refuses to know exposition and the HTTP server. It is the only writer
//! of the store. Invariant: every request that is sent ends in exactly one result, so that no place on the way is lost.

use std::{
    collections::{BTreeSet, HashMap},
    panic,
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
};
use tracing::{debug, info, warn};

use crate::{
    auth::Tokens,
    calendar::Zone,
    chain::Chain,
    clock::Clock,
    ga::{self, response::PropertyQuota},
    names::{PropertyId, Reason},
    plan::Plan,
    quota::Ledger,
    schedule::{Job, Outcome, Schedule, Step},
    store::{Attempt, Snapshot, Store},
};

use request::{Answer, Poll};

mod request;

/// Owns the schedule and the ledger; [`Poller::run`] is the task.
pub struct Poller {
    client: ga::Client,
    tokens: Tokens,
    plan: watch::Receiver<Arc<Plan>>,
    store: Arc<Store>,
    clock: Clock,
    schedule: Schedule,
    ledger: Ledger,
    /// The zone of each property, as the last answer told it.
    zones: HashMap<PropertyId, Zone>,
    running: JoinSet<Poll>,
}

impl Poller {
    /// A poller that follows this plan. The properties of the moment are in the store when it returns.
    pub fn new(
        client: ga::Client,
        tokens: Tokens,
        mut plan: watch::Receiver<Arc<Plan>>,
        store: Arc<Store>,
        clock: Clock,
    ) -> Self {
        let present = Arc::clone(&plan.borrow_and_update());
        let schedule = Schedule::new(present.paces(), present.limits, clock.now());
        let mut poller = Self {
            client,
            tokens,
            plan,
            store,
            clock,
            schedule,
            ledger: Ledger::default(),
            zones: HashMap::new(),
            running: JoinSet::new(),
        };
        poller.follow(&present);
        poller
    }

    /// Polls until it is dropped.
    pub async fn run(mut self) {
        loop {
            let pause = self.send_what_is_due();
            tokio::select! {
                Some(result) = self.running.join_next() => self.take(result),
                Ok(()) = self.plan.changed() => {
                    let plan = Arc::clone(&self.plan.borrow_and_update());
                    self.follow(&plan);
                }
                signed_in = self.tokens.next_attempt() => {
                    if signed_in {
                        self.schedule.on_signed_in(self.clock.now());
                    }
                }
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Brings schedule, ledger and store in line with a plan.
    fn follow(&mut self, plan: &Plan) {
        let now = self.clock.now();
        for (id, info) in plan.properties.active.iter().chain(&plan.properties.unlisted) {
            self.store.put(*id, info, &plan.reports);
        }
        for id in plan.properties.unlisted.keys() {
            self.store.update(*id, |state| state.mark_unlisted());
        }
        for state in self.store.properties() {
            let set = &plan.properties;
            if !set.active.contains_key(&state.id) && !set.unlisted.contains_key(&state.id) {
                self.store.remove(state.id);
                self.ledger.remove(state.id);
                self.zones.remove(&state.id);
            }
        }
        let active: BTreeSet<PropertyId> = plan.properties.active.keys().copied().collect();
        self.schedule.configure(plan.paces(), plan.limits, now);
        self.schedule.set_properties(&active, now);
    }

    /// Sends everything that is due; how long to wait for more.
    fn send_what_is_due(&mut self) -> Duration {
        loop {
            let now = self.clock.now();
            match self.schedule.next(&mut self.ledger, now) {
                Step::Send(job) => self.send(job),
                Step::Postponed(job) => self.store.update(job.property, |state| {
                    if let Some(report) = state.report_mut(&job.report) {
                        report.has_outcome = true;
                    }
                }),
                Step::Wait(until) => {
                    let left = until.map_or(LONGEST_SLEEP, |until| {
                        Duration::try_from(until.duration_since(now)).unwrap_or_default()
                    });
                    return left.min(LONGEST_SLEEP);
                }
            }
        }
    }

    fn send(&mut self, job: Job) {
        let report = self.plan.borrow().reports.iter().find(|report| report.name == job.report).cloned();
        // The plan may be newer than the schedule for a moment; then the schedule hears that nothing was sent.
        let Some(report) = report else {
            self.schedule.on_result(&job, &Outcome::Discarded, self.clock.now());
            return;
        };
        let zone = self.zones.get(&job.property).cloned();
        let (client, clock) = (self.client.clone(), self.clock.clone());
        self.running.spawn(request::poll(client, clock, job, report, zone));
    }

    fn take(&mut self, result: Result<Poll, JoinError>) {
        let poll = match result {
            Ok(poll) => poll,
            // In a release build a panic has ended the process already.
            Err(error) if error.is_panic() => panic::resume_unwind(error.into_panic()),
            Err(_) => return,
        };
        let outcome = if self.schedule.has(&poll.job) { self.store_result(&poll) } else { Outcome::Discarded };
        self.schedule.on_result(&poll.job, &outcome, self.clock.now());
    }

    fn store_result(&mut self, poll: &Poll) -> Outcome {
        let outcome = match &poll.result {
            Ok(answer) => self.accept(poll, answer),
            Err(error) => self.fail(poll, error),
        };
        let (property, category) = (poll.job.property, poll.report.category);
        if let Some(view) = self.ledger.view(property, category) {
            self.store.update(property, |state| {
                state.quota.insert(category, view);
            });
        }
        outcome
    }

    fn accept(&mut self, poll: &Poll, answer: &Answer) -> Outcome {
        let (property, category) = (poll.job.property, poll.report.category);
        let holds_until = later(poll.sent_at, poll.report.stale_after);
        self.ledger.on_success(property, category, answer.quota.as_ref(), holds_until);
        let day_ends = match self.day_of(poll, answer) {
            Day::Known { ends } => Some(ends),
            Day::Unknown => None,
            Day::Changed => {
                debug!(%property, report = %poll.job.report, "the day or the zone changed meanwhile; asking again");
                self.store.update(property, |state| {
                    state.take_metadata(&answer.time_zone, &answer.currency);
                    if let Some(report) = state.report_mut(&poll.job.report) {
                        report.tokens_spent += spent(answer.quota.as_ref());
                    }
                });
                return Outcome::Discarded;
            }
        };
        let expires_at = day_ends.map_or(holds_until, |ends| holds_until.min(ends));
        let snapshot = Snapshot { report: Arc::clone(&poll.report), values: answer.values.clone(), expires_at };
        let mut failed_before = None;
        self.store.update(property, |state| {
            state.take_metadata(&answer.time_zone, &answer.currency);
            if let Some(report) = state.report_mut(&poll.job.report) {
                failed_before = report.failure;
                report.succeed(poll.attempt(), spent(answer.quota.as_ref()), snapshot);
            }
        });
        if let Some(reason) = failed_before.filter(|reason| *reason != Reason::NoCredentials) {
            info!(%property, report = %poll.job.report, %reason, "the report works again");
        }
        Outcome::Success { day_ends }
    }

    /// Which day a dated answer belongs to, and whether that is still today.
    fn day_of(&mut self, poll: &Poll, answer: &Answer) -> Day {
        if !poll.report.is_dated() {
            return Day::Unknown;
        }
        let property = poll.job.property;
        let zone = match Zone::named(&answer.time_zone) {
            Ok(zone) => zone,
            Err(_) if answer.time_zone.is_empty() => match &poll.zone {
                Some(zone) => zone.clone(),
                None => return Day::Unknown,
            },
            Err(error) => {
                debug!(%property, %error, "dates are left to Google");
                self.zones.remove(&property);
                return Day::Unknown;
            }
        };
        let is_new = poll.zone.as_ref().is_some_and(|asked| *asked != zone);
        let has_turned = zone.date(poll.sent_at) != zone.date(poll.received_at);
        let ends = zone.next_midnight(poll.sent_at);
        self.zones.insert(property, zone);
        if is_new || has_turned { Day::Changed } else { Day::Known { ends } }
    }

    fn fail(&mut self, poll: &Poll, error: &ga::Error) -> Outcome {
        let (property, category, reason) = (poll.job.property, poll.report.category, error.reason());
        let now = poll.received_at;
        if let ga::Error::QuotaExhausted { bucket, .. } = error {
            self.ledger.on_exhausted(property, category, *bucket, now);
        } else if reason == Reason::ServerError {
            self.ledger.on_server_error(property, category, now);
        } else {
            self.ledger.on_other_failure(property, category, now);
        }
        let mut failed_before = None;
        self.store.update(property, |state| {
            if let Some(report) = state.report_mut(&poll.job.report) {
                failed_before = report.failure;
                report.fail(poll.attempt(), reason);
            }
        });
        self.log_failure(poll, error, failed_before);
        Outcome::Failed(reason)
    }

    /// A change is told once and loudly; that there is no token has been told already.
    fn log_failure(&self, poll: &Poll, error: &ga::Error, failed_before: Option<Reason>) {
        let (property, report, reason) = (poll.job.property, &poll.job.report, error.reason());
        if failed_before == Some(reason) || reason == Reason::NoCredentials {
            debug!(%property, %report, %reason, error = %Chain(error), "the report still fails");
            return;
        }
        let account = self.client.account();
        let remedy = error.remedy(Some(property), account.as_deref());
        warn!(%property, %report, %reason, error = %Chain(error), remedy, "the report fails");
    }
}

/// What is known of the day that an answer belongs to.
enum Day {
    /// It is today's, until then.
    Known { ends: Timestamp },
    /// The report has no dates, or its zone is not known.
    Unknown,
    /// It is not certain any more which day it is.
    Changed,
}

impl Poll {
    fn attempt(&self) -> Attempt {
        Attempt { sent_at: self.sent_at, took: self.took }
    }
}

/// The tokens that a request has cost. Every bucket is charged the same; the smallest is told in any case.
fn spent(quota: Option<&PropertyQuota>) -> u64 {
    let buckets = quota.map(|quota| [quota.tokens_per_day, quota.tokens_per_hour, quota.tokens_per_project_per_hour]);
    let consumed = buckets.into_iter().flatten().flatten().map(|status| status.consumed).max();
    consumed.and_then(|tokens| u64::try_from(tokens).ok()).unwrap_or_default()
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// The wall clock is looked at so often at least: it may have been set, or the machine suspended.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
