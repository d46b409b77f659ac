//! The task that polls: it drives the schedule and the ledger, sends what is due, and stores what comes.
//!
//! Knows in which order the pure parts are asked. Refuses to know exposition and the HTTP server. It is the only writer
//! of the store. Invariant: every request that is sent ends in exactly one result, so that no place on the way is lost.

use std::{collections::HashMap, panic, sync::Arc, time::Duration};

use ga4_drop_baseline::calendar::Zone;
use jiff::Timestamp;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{JoinError, JoinSet},
};
use tracing::warn;

use crate::{
    auth::Tokens,
    clock::{Clock, Steps, later},
    ga,
    names::{PropertyId, Reason},
    plan::Plan,
    properties::{PropertyInfo, PropertySet},
    quota::Limit,
    report::Report,
    schedule::{Job, Outcome, Step},
    storage::Saver,
    store::Store,
    timetable::{Replanned, Timetable},
    wire::response::PropertyQuota,
};

use complaints::{Complaints, Rarely};
pub use keeping::Kept;
pub use pulse::Pulse;
use request::Poll;
use watches::Watches;

mod accepting;
mod complaints;
mod day;
mod keeping;
mod pulse;
mod request;
mod telling;
mod watches;

/// Owns the schedule and the ledger; [`Poller::run`] is the task.
pub struct Poller {
    client: ga::Client,
    tokens: Tokens,
    plan: watch::Receiver<Arc<Plan>>,
    /// The plan that schedule and store are in line with.
    followed: Arc<Plan>,
    store: Arc<Store>,
    clock: Clock,
    steps: Steps,
    timetable: Timetable,
    /// The zone of each property, as the last answer told it.
    zones: HashMap<PropertyId, Zone>,
    /// Zones that are not in the database, by property; told once.
    unknown_zones: HashMap<PropertyId, String>,
    watches: Watches,
    /// Where it is kept what a restart should not forget.
    saver: Option<Saver<Kept>>,
    failures: Complaints,
    recoveries: Complaints,
    /// When it was said last that reports are held back by a share or by others.
    holding_back: Rarely,
    /// The same of those that no longer are.
    letting_go: Rarely,
    running: JoinSet<Poll>,
    pulse: Pulse,
    /// Who wants to know whether it still polls.
    questions: mpsc::Receiver<oneshot::Sender<()>>,
}

impl Poller {
    /// A poller that follows this plan. The properties of the moment are in the store when it returns.
    pub fn new(
        client: ga::Client,
        tokens: Tokens,
        mut plan: watch::Receiver<Arc<Plan>>,
        store: Arc<Store>,
        saver: Option<Saver<Kept>>,
        clock: Clock,
    ) -> Self {
        let present = Arc::clone(&plan.borrow_and_update());
        let now = clock.now();
        let (pulse, questions) = Pulse::new();
        let mut poller = Self {
            client,
            tokens,
            plan,
            followed: Arc::new(present.with_properties(PropertySet::default(), false)),
            store,
            clock,
            steps: Steps::new(now),
            timetable: Timetable::new(&present, now),
            zones: HashMap::new(),
            unknown_zones: HashMap::new(),
            watches: Watches::default(),
            saver,
            failures: Complaints::default(),
            recoveries: Complaints::default(),
            holding_back: Rarely::default(),
            letting_go: Rarely::default(),
            running: JoinSet::new(),
            pulse,
            questions,
        };
        poller.follow(present);
        poller.log_outlook();
        poller
    }

    /// No more requests than this are on their way, whatever is planned.
    pub fn set_connections(&mut self, most: usize) {
        self.timetable.schedule.set_connections(most);
    }

    /// Where it is asked whether it still polls.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Polls until it is dropped.
    pub async fn run(mut self) {
        loop {
            self.notice_clock_change();
            let pause = self.send_what_is_due();
            let moved = self.timetable.schedule.take_moved();
            self.note_due_times(moved);
            tokio::select! {
                Some(result) = self.running.join_next() => self.take(result),
                Ok(()) = self.plan.changed() => {
                    let plan = Arc::clone(&self.plan.borrow_and_update());
                    self.follow(plan);
                }
                signed_in = self.tokens.next_attempt() => {
                    if signed_in {
                        self.timetable.schedule.on_signed_in(self.clock.now());
                    }
                }
                // Whoever asked may have gone.
                Some(answer) = self.questions.recv() => drop(answer.send(())),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Brings schedule, ledger and store in line with a plan.
    fn follow(&mut self, plan: Arc<Plan>) {
        let before = std::mem::replace(&mut self.followed, Arc::clone(&plan));
        let same_reports = plan.has_same_reports(&before);
        let (old, new) = (&before.properties, &plan.properties);
        let now = self.clock.now();
        self.timetable.follow(&plan, now);
        for (id, info) in &new.active {
            if !old.active.contains_key(id) && !old.unlisted.contains_key(id) {
                self.add(*id, info, &plan.reports);
            } else if !same_reports || old.active.get(id) != Some(info) {
                self.put(*id, info, &plan.reports);
            }
        }
        for (id, info) in &new.unlisted {
            if !same_reports {
                self.store.put(*id, info, &plan.reports);
            }
            if !same_reports || !old.unlisted.contains_key(id) {
                self.store.update(*id, |state| state.mark_unlisted(now));
            }
        }
        for id in old.active.keys().chain(old.unlisted.keys()) {
            if !new.active.contains_key(id) && !new.unlisted.contains_key(id) {
                self.store.remove(*id);
                self.timetable.ledger.remove(*id);
                self.zones.remove(id);
                self.unknown_zones.remove(id);
                self.watches.remove(*id);
                self.forget_kept(*id);
            }
        }
        match (before.baseline(), plan.baseline()) {
            (Some(old), Some(new)) if old != new => self.timetable.schedule.ask_anew(&new.name, None, now),
            _ => {}
        }
        if !same_reports {
            self.log_outlook();
        }
        for id in new.active.keys().filter(|id| !same_reports || !old.active.contains_key(id)) {
            let replanned = self.timetable.replan_all(*id, now);
            self.take_plan(replanned);
        }
    }

    /// How long what a poll has brought holds, at the pace that is planned now.
    fn holds_for(&self, poll: &Poll) -> Duration {
        let planned = self.timetable.schedule.interval(&poll.job).unwrap_or(poll.report.interval);
        poll.report.stale_after.for_interval(planned)
    }

    /// Takes what is told anew of a property; planned intervals stay.
    fn put(&self, id: PropertyId, info: &PropertyInfo, reports: &[Arc<Report>]) {
        self.store.put_with(id, info, reports, |state| {
            for report in &mut state.reports {
                let job = Job { property: id, report: report.name.clone() };
                report.interval = self.timetable.schedule.interval(&job).unwrap_or(report.interval);
            }
        });
    }

    /// Shows other planned intervals, and says so where a report begins or ceases to be held back.
    fn take_plan(&mut self, replanned: Vec<Replanned>) {
        for change in replanned {
            let mut configured_before = true;
            self.store.update(change.job.property, |state| {
                if let Some(report) = state.report_mut(&change.job.report) {
                    configured_before = report.interval == change.configured;
                    report.interval = change.interval;
                }
            });
            if configured_before != (change.interval == change.configured) {
                self.log_pace(&change);
            }
        }
    }

    /// Shows when each report is asked for next, where that has changed.
    fn note_due_times(&self, moved: Vec<(Job, Option<Timestamp>)>) {
        for (job, due) in moved {
            self.store.note(job.property, |state| {
                if let Some(report) = state.report_mut(&job.report) {
                    report.next_attempt = due;
                }
            });
        }
    }

    /// Sends everything that is due; how long to wait for more.
    fn send_what_is_due(&mut self) -> Duration {
        loop {
            let now = self.clock.now();
            match self.timetable.next(now) {
                Step::Send(job) => self.send(job),
                Step::Postponed(job, limit) => self.postpone(&job, limit, now),
                Step::Wait(until) => {
                    let left = until.map_or(LONGEST_SLEEP, |until| {
                        Duration::try_from(until.duration_since(now)).unwrap_or_default()
                    });
                    return left.min(LONGEST_SLEEP);
                }
            }
        }
    }

    /// A report that was due waits for a bucket. Where Google has closed that, it has been told; where we keep back, it is told
    /// here.
    fn postpone(&mut self, job: &Job, limit: Option<Limit>, now: Timestamp) {
        let Some(state) = self.store.property(job.property) else { return };
        let Some(report) = state.reports.iter().find(|report| report.name == job.report) else { return };
        let held_back = limit.map(|limit| (limit, telling::held_back(limit, now)));
        let news = held_back.filter(|(_, failure)| report.reason() != Some(failure.reason));
        if report.has_outcome && news.is_none() {
            return;
        }
        self.store.update(job.property, |state| {
            let Some(report) = state.report_mut(&job.report) else { return };
            report.has_outcome = true;
            if let Some((_, failure)) = &news {
                report.hold_back(failure.clone());
            }
        });
        if let Some((limit, _)) = news {
            self.log_held_back(job, limit);
        }
    }

    fn send(&mut self, job: Job) {
        let report = self.followed.reports.iter().find(|report| report.name == job.report).cloned();
        let report = report.expect("the schedule has the reports of the plan that was followed last");
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
        self.settle(&poll);
        let settled_at = self.clock.now();
        let replanned = self.timetable.settle(&poll.job, poll.report.category, poll.spent(), settled_at);
        self.take_plan(replanned);
        // Its property or its report may have gone meanwhile.
        let outcome = if self.timetable.schedule.has(&poll.job) && self.follows(&poll) {
            match &poll.result {
                Ok(answer) => self.accept(&poll, answer),
                Err(error) => self.fail(&poll, error),
            }
        } else {
            Outcome::Discarded { midnight: None }
        };
        self.keep(poll.job.property);
        self.timetable.ended(&poll.job, &outcome, self.clock.now());
        self.timetable.schedule.on_latency(poll.took);
        self.forget_if_gone(poll.job.property);
        if outcome == Outcome::Failed(Reason::NoCredentials) && self.tokens.are_available() {
            self.timetable.schedule.on_signed_in(self.clock.now());
        }
    }

    /// Tells the ledger how it went, whatever becomes of the answers.
    fn settle(&mut self, poll: &Poll) {
        let first = poll.result.as_ref().map(|answer| answer.quota.as_ref());
        self.settle_one(poll, first, poll.sent_at, poll.received_at);
        if let Some(minutes) = &poll.minutes {
            let second = minutes.result.as_ref().map(|answer| answer.quota.as_ref());
            self.settle_one(poll, second, minutes.sent_at, minutes.received_at);
        }
    }

    fn settle_one(
        &mut self,
        poll: &Poll,
        result: Result<Option<&PropertyQuota>, &ga::Error>,
        sent_at: Timestamp,
        now: Timestamp,
    ) {
        let (property, category) = (poll.job.property, poll.report.category);
        match result {
            Ok(quota) => {
                let holds_until = later(sent_at, self.holds_for(poll));
                self.timetable.ledger.on_success(property, category, quota, sent_at, holds_until);
            }
            Err(ga::Error::QuotaExhausted { bucket, .. }) => {
                self.timetable.ledger.on_exhausted(property, category, *bucket, now);
            }
            // Google counts no others (developers.google.com/analytics/devguides/reporting/data/v1/quotas).
            Err(ga::Error::ServerError { status: 500 | 503, .. }) => {
                self.timetable.ledger.on_server_error(property, category, now);
            }
            Err(ga::Error::NoCredentials { .. }) => self.timetable.ledger.on_not_sent(property, category),
            Err(_) => self.timetable.ledger.on_other_failure(property, category, now),
        }
    }

    /// Whether a history is what the present configuration asks for; other reports' values are found by name.
    fn follows(&self, poll: &Poll) -> bool {
        !poll.report.is_history() || self.followed.baseline().is_some_and(|report| *report == poll.report)
    }

    fn forget_if_gone(&mut self, property: PropertyId) {
        let properties = &self.followed.properties;
        if !properties.active.contains_key(&property) && !properties.unlisted.contains_key(&property) {
            self.timetable.ledger.remove(property);
        }
    }

    fn fail(&mut self, poll: &Poll, error: &ga::Error) -> Outcome {
        let (property, reason) = (poll.job.property, error.reason());
        let quota = self.timetable.ledger.view(property, poll.report.category);
        let failure = self.failure(poll, error);
        let mut failed_before = None;
        self.store.update(property, |state| {
            state.quota.extend(quota.map(|quota| (poll.report.category, quota)));
            if let Some(report) = state.report_mut(&poll.job.report) {
                failed_before = report.reason();
                if reason == Reason::NoCredentials {
                    report.want_token(failure);
                } else {
                    report.fail(poll.attempt(), failure);
                }
            }
        });
        self.log_failure(poll, error, failed_before);
        Outcome::Failed(reason)
    }

    /// What was planned and what holds by a clock that was ahead would come too late and hold too long.
    fn notice_clock_change(&mut self) {
        let now = self.clock.now();
        let Some(back) = self.steps.back(now) else { return };
        warn!(seconds = back.as_secs(), "the clock was set back; due times are moved with it");
        self.timetable.on_clock_set_back(back, now);
        self.watches.on_clock_set_back(back);
        for state in self.store.properties() {
            self.store.update(state.id, |state| state.on_clock_set_back(back));
        }
    }
}

/// The wall clock is looked at so often at least: it may have been set, or the machine suspended.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
