//! Decides what to poll next and what follows from each answer, without doing any I/O itself.
//!
//! Knows schedule, quota, zones, minutes and the state of every property, and is their only owner. Refuses to know tasks,
//! the network, files, the log and the clock. Its driver
//!
//! 1. passes each new plan to [`Engine::on_plan`],
//! 2. calls [`Engine::next`] for the next step, makes the poll, and passes the outcome to [`Engine::on_answer`],
//! 3. carries out the [`Effects`] of each call, in order.
//!
//! Invariants: every [`EngineStep::Send`] ends in exactly one [`Engine::on_answer`], so that no in-flight slot leaks; one call makes
//! one change of the store, so that no scrape sees half of a poll.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use ga4_drop_baseline::calendar::Zone;
use jiff::Timestamp;

use crate::{
    clock_offset::ClockOffset,
    names::{Category, PropertyId, Reason},
    plan::Plan,
    properties::{PropertyInfo, PropertySet},
    quota::Limit,
    schedule::{self, Job, Outcome},
    store::States,
    time::{Steps, later},
    timetable::{Replanned, Timetable},
    wire::{self, response::PropertyQuota},
};

pub use answer::{MinutesAnswer, Poll, PollAnswer, Polled, PolledMinutes};
pub use effects::{Effects, Event, Observation, SeriesLimit};
pub use kept::Kept;

use drop_alert::DropAlert;
use repeats::{Repeats, RepeatsByReason};
use series_budget::SeriesBudget;
use watches::Watches;

mod acceptance;
mod answer;
mod dates;
mod day;
mod drop_alert;
mod effects;
mod failure;
mod kept;
mod repeats;
mod series_budget;
#[cfg(test)]
mod tests;
mod watches;

/// What the driver does next.
#[derive(Debug)]
pub enum EngineStep {
    /// Make this poll and pass its outcome to [`Engine::on_answer`], success or failure.
    Send(Poll),
    /// Wait until this time, or until an answer arrives.
    Wait(Option<Timestamp>),
}

/// Decides what is polled when, and what follows from the answers.
#[derive(Debug)]
pub struct Engine {
    /// The current plan; all other fields follow it.
    plan: Arc<Plan>,
    timetable: Timetable,
    states: States,
    /// The zone of each property, from the last answer that named one.
    zones: HashMap<PropertyId, Zone>,
    /// Zones that are not in the database, by property; empty where Google names none. Logged once.
    unknown_zones: HashMap<PropertyId, String>,
    watches: Watches,
    drop_alert: DropAlert,
    steps: Steps,
    /// What Google's answers say about this machine's clock.
    offset: ClockOffset,
    /// Whether there is storage for state that survives a restart.
    has_storage: bool,
    failures: RepeatsByReason,
    recoveries: RepeatsByReason,
    /// Limits log lines on reports that the quota slows down.
    held_back: Repeats,
    /// Limits log lines on reports that are back at their configured pace.
    resumed: Repeats,
    /// How many series reports of one's own have.
    budget: SeriesBudget,
    /// Lines on reports that have more series than they may.
    series_lost: Repeats,
    effects: Effects,
}

impl Engine {
    /// Creates an engine for the reports of this plan, without properties. `has_storage` says whether
    /// [`Effects::save`] is wanted.
    pub fn new(plan: &Plan, has_storage: bool, now: Timestamp) -> Self {
        Self {
            plan: Arc::new(plan.with_properties(PropertySet::default(), false)),
            timetable: Timetable::new(plan, now),
            states: States::default(),
            zones: HashMap::new(),
            unknown_zones: HashMap::new(),
            watches: Watches::default(),
            drop_alert: DropAlert::default(),
            steps: Steps::new(now),
            offset: ClockOffset::default(),
            has_storage,
            failures: RepeatsByReason::default(),
            recoveries: RepeatsByReason::default(),
            held_back: Repeats::default(),
            resumed: Repeats::default(),
            budget: SeriesBudget::new(plan.series),
            series_lost: Repeats::default(),
            effects: Effects { log: planned(plan), ..Effects::default() },
        }
    }

    /// Limits the number of requests in flight, whatever the plan needs.
    pub fn set_connections(&mut self, most: usize) {
        self.timetable.schedule.set_connections(most);
    }

    /// Returns the properties of a plan that are new here; their saved state may be passed with it.
    pub fn new_properties(&self, plan: &Plan) -> Vec<PropertyId> {
        plan.properties.active.keys().filter(|id| !self.knows(**id)).copied().collect()
    }

    /// Follows this plan from now on: adds new properties, with their saved state, and removes the others.
    pub fn on_plan(&mut self, now: Timestamp, plan: Arc<Plan>, mut saved: BTreeMap<PropertyId, Kept>) -> Effects {
        let before = std::mem::replace(&mut self.plan, Arc::clone(&plan));
        let same_reports = plan.has_same_reports(&before);
        let (old, new) = (&before.properties, &plan.properties);
        self.timetable.follow(&plan, now);
        self.drop_alert.on_plan(&plan);
        if !same_reports {
            self.budget.follow(&plan);
        }
        for (id, info) in &new.active {
            if !old.active.contains_key(id) && !old.unlisted.contains_key(id) {
                self.add(*id, info, saved.remove(id).unwrap_or_default(), now);
            } else if !same_reports || old.active.get(id) != Some(info) {
                self.put(*id, info, &BTreeMap::new());
            }
        }
        for (id, info) in &new.unlisted {
            if !same_reports || self.states.get(*id).is_none() {
                self.states.put(*id, info, plan.reports_for(*id));
            }
            if !same_reports || !old.unlisted.contains_key(id) {
                self.states.update(*id, |state| state.mark_unlisted(now));
            }
        }
        for id in old.active.keys().chain(old.unlisted.keys()).filter(|id| !knows(&plan, **id)) {
            self.remove(*id);
        }
        for report in plan.redefined(&before) {
            self.timetable.schedule.reschedule_redefined(report, None, now);
        }
        if !same_reports {
            self.effects.log.extend(planned(&plan));
        }
        for id in new.active.keys().filter(|id| !same_reports || !old.active.contains_key(id)) {
            let replanned = self.timetable.replan_all(*id, now);
            self.show_plan(replanned, now);
        }
        self.take_effects()
    }

    /// Returns the next step. Reports that wait for a quota bucket are among the effects.
    pub fn next(&mut self, now: Timestamp) -> (EngineStep, Effects) {
        let step = loop {
            match self.timetable.next(now) {
                schedule::ScheduleStep::Send(job) => break EngineStep::Send(self.poll(job)),
                schedule::ScheduleStep::Postponed(job, limit) => self.postpone(&job, limit, now),
                schedule::ScheduleStep::Wait(until) => break EngineStep::Wait(until),
            }
        };
        (step, self.take_effects())
    }

    /// Applies the outcome of a poll.
    pub fn on_answer(&mut self, now: Timestamp, mut polled: Polled) -> Effects {
        // It was sent before the clock was set back, with the dates of that clock.
        let asked_ahead = polled.sent_at > now;
        polled.clamp_times_to(now);
        let (polled, job, category) = (&polled, &polled.poll.job, polled.poll.report.category);
        self.settle(polled);
        self.show_quota(job.property, category);
        let replanned = self.timetable.settle(job, category, polled.spent(), now);
        self.show_plan(replanned, now);
        // Its property or its report may have gone meanwhile.
        let outcome = if self.timetable.schedule.has(job) && self.follows(&polled.poll) {
            match &polled.result {
                Ok(answer) if asked_ahead && polled.poll.report.has_dates() => self.ask_again(polled, answer, None),
                Ok(answer) => self.accept(polled, answer, now),
                Err(error) => self.fail(polled, error),
            }
        } else {
            Outcome::Discarded { midnight: None }
        };
        self.follow_drop_alert(job.property, &polled.poll.report, now);
        self.keep(job.property);
        self.timetable.ended(job, &outcome, now);
        self.timetable.schedule.on_latency(polled.took);
        if !self.knows(job.property) {
            self.timetable.ledger.remove(job.property);
        }
        self.take_effects()
    }

    /// An access token is available again: polls that failed without one are due now.
    pub fn on_signed_in(&mut self, now: Timestamp) -> Effects {
        self.timetable.schedule.on_signed_in(now);
        self.take_effects()
    }

    /// Applies a reading of the wall clock, and what Google's answers say about it. If the clock was set back, due times and
    /// expiries move with it; otherwise polls would come too late and values hold too long.
    pub fn on_clock(&mut self, now: Timestamp, offset: &ClockOffset) -> Effects {
        self.on_offset(now, offset);
        if let Some(back) = self.steps.back(now) {
            self.effects.log.push(Event::ClockSetBack { by: back });
            self.timetable.on_clock_set_back(back, now);
            self.watches.on_clock_set_back(back);
            self.drop_alert.on_clock_set_back(back);
            self.budget.on_clock_set_back(back);
            for id in self.states.ids() {
                let ledger = &self.timetable.ledger;
                self.states.update(id, |state| {
                    state.on_clock_set_back(back);
                    for (category, view) in &mut state.quota {
                        *view = ledger.view(id, *category).unwrap_or_else(|| view.clone());
                    }
                });
            }
        }
        self.take_effects()
    }

    fn take_effects(&mut self) -> Effects {
        for (job, due) in self.timetable.schedule.take_moved() {
            self.states.update(job.property, |state| {
                if let Some(report) = state.report_mut(&job.report) {
                    report.next_attempt = due;
                }
            });
        }
        Effects { store: self.states.take_change(), ..std::mem::take(&mut self.effects) }
    }

    fn knows(&self, id: PropertyId) -> bool {
        knows(&self.plan, id)
    }

    /// Adds a new property with its saved state.
    fn add(&mut self, id: PropertyId, info: &PropertyInfo, saved: Kept, now: Timestamp) {
        self.put(id, info, &saved.tokens_spent);
        self.watches.restore(id, saved.watch);
        self.drop_alert.restore(id, saved.drop);
        self.timetable.ledger.restore(id, saved.quota, now);
    }

    /// Shows the current details of a property; planned intervals stay.
    fn put(&mut self, id: PropertyId, info: &PropertyInfo, spent: &BTreeMap<String, u64>) {
        let schedule = &self.timetable.schedule;
        self.states.put_with(id, info, self.plan.reports_for(id), |state| {
            for report in &mut state.reports {
                let job = Job { property: id, report: report.name.clone() };
                report.interval = schedule.interval(&job).unwrap_or(report.interval);
                let before = spent.get(report.name.as_str()).copied().unwrap_or_default();
                report.tokens_spent = report.tokens_spent.max(before);
            }
        });
    }

    fn remove(&mut self, id: PropertyId) {
        self.states.remove(id);
        self.timetable.ledger.remove(id);
        self.zones.remove(&id);
        self.unknown_zones.remove(&id);
        self.watches.remove(id);
        self.budget.remove(id);
        self.effects.save.retain(|(other, _)| *other != id);
        self.effects.forget.push(id);
    }

    /// Shows changed intervals, and logs when a report starts or stops being slowed down.
    fn show_plan(&mut self, replanned: Vec<Replanned>, now: Timestamp) {
        for change in replanned {
            let mut was_configured = true;
            self.states.update(change.job.property, |state| {
                if let Some(report) = state.report_mut(&change.job.report) {
                    was_configured = report.interval == change.configured;
                    report.interval = change.interval;
                }
            });
            if was_configured != (change.interval == change.configured) {
                let repeats = if change.limit.is_some() { &mut self.held_back } else { &mut self.resumed };
                let suppressed = repeats.line(now);
                self.effects.log.push(Event::Pace { change, suppressed });
            }
        }
    }

    /// A due report waits for a bucket, which Google or our own share closed.
    fn postpone(&mut self, job: &Job, limit: Option<Limit>, now: Timestamp) {
        let Some(limit) = limit else { return self.wait_for_refill(job, now) };
        let Some(state) = self.states.get(job.property) else { return };
        let Some(report) = state.reports.iter().find(|report| report.name == job.report) else { return };
        let failure = failure::held_back(limit, now);
        if report.reason() == Some(failure.reason) {
            return;
        }
        self.states.update(job.property, |state| {
            if let Some(report) = state.report_mut(&job.report) {
                report.not_sent(failure.clone());
            }
        });
        let suppressed = self.held_back.line(now);
        self.effects.log.push(Event::HeldBack { job: job.clone(), limit, suppressed });
    }

    /// A due report waits until a bucket that Google closed is refilled. The answer that said so was another report's, or came
    /// before a restart: without any outcome of its own, the report fails for the same reason.
    fn wait_for_refill(&mut self, job: &Job, now: Timestamp) {
        let Some(state) = self.states.get(job.property) else { return };
        let Some(report) = state.reports.iter().find(|report| report.name == job.report) else { return };
        if report.has_outcome {
            return;
        }
        let category = self.plan.reports.iter().find(|report| report.name == job.report).map(|report| report.category);
        let view = category.and_then(|category| self.timetable.ledger.view(job.property, category));
        let closed = view.and_then(|view| view.closed.into_iter().max_by_key(|(_, until)| *until));
        // One that is being tried again brings an outcome in a moment.
        let Some((bucket, until)) = closed.filter(|(_, until)| *until > now) else { return };
        let failure = failure::closed(bucket, until, now);
        let is_new = !self.others_fail_alike(job, &failure);
        let suppressed = if is_new { self.failures.line(failure.reason, now) } else { None };
        self.states.update(job.property, |state| {
            if let Some(report) = state.report_mut(&job.report) {
                report.not_sent(failure.clone());
            }
        });
        self.effects.log.push(Event::Failure { job: job.clone(), failure, closed_until: Some(until), suppressed });
    }

    fn poll(&self, job: Job) -> Poll {
        let report = self.plan.reports.iter().find(|report| report.name == job.report).cloned();
        let report = report.expect("the schedule has the reports of the plan that was followed last");
        let zone = self.zones.get(&job.property).cloned();
        Poll { job, report, zone }
    }

    /// Returns how long the values of a poll hold at the currently planned interval.
    fn holds_for(&self, poll: &Poll) -> Duration {
        let planned = self.timetable.schedule.interval(&poll.job).unwrap_or(poll.report.interval);
        poll.report.stale_after.for_interval(planned)
    }

    /// Enters the outcome of each request into the ledger, whether or not its answer is used.
    fn settle(&mut self, polled: &Polled) {
        let first = polled.result.as_ref().map(|answer| answer.quota.as_ref());
        self.settle_one(&polled.poll, first, polled.sent_at, polled.received_at);
        if let Some(minutes) = &polled.minutes {
            let second = minutes.result.as_ref().map(|answer| answer.quota.as_ref());
            self.settle_one(&polled.poll, second, minutes.sent_at, minutes.received_at);
        }
    }

    fn settle_one(
        &mut self,
        poll: &Poll,
        result: Result<Option<&PropertyQuota>, &wire::ApiError>,
        sent_at: Timestamp,
        received_at: Timestamp,
    ) {
        let (property, category) = (poll.job.property, poll.report.category);
        let holds_until = later(sent_at, self.holds_for(poll));
        let ledger = &mut self.timetable.ledger;
        match result {
            Ok(quota) => ledger.on_success(property, category, quota, sent_at, holds_until),
            Err(wire::ApiError::QuotaExhausted { bucket, .. }) => {
                ledger.on_exhausted(property, category, *bucket, received_at);
            }
            // Google counts only these (developers.google.com/analytics/devguides/reporting/data/v1/quotas).
            Err(wire::ApiError::ServerError { status: 500 | 503, .. }) => {
                ledger.on_server_error(property, category, received_at);
            }
            Err(wire::ApiError::NoCredentials { .. }) => ledger.on_not_sent(property, category),
            Err(_) => ledger.on_other_failure(property, category, received_at),
        }
    }

    fn show_quota(&mut self, property: PropertyId, category: Category) {
        if let Some(quota) = self.timetable.ledger.view(property, category) {
            self.states.update(property, |state| {
                state.quota.insert(category, quota);
            });
        }
    }

    /// Whether a history matches the current configuration; values of other reports are matched by name.
    fn follows(&self, poll: &Poll) -> bool {
        !poll.report.is_history() || self.plan.baseline().is_some_and(|report| *report == poll.report)
    }

    fn fail(&mut self, polled: &Polled, error: &wire::ApiError) -> Outcome {
        let (job, reason) = (&polled.poll.job, error.reason());
        let failure = failure::of(polled, error);
        let mut before = None;
        self.states.update(job.property, |state| {
            if let Some(report) = state.report_mut(&job.report) {
                before = report.reason();
                if reason == Reason::NoCredentials {
                    report.not_sent(failure.clone());
                } else {
                    report.fail(polled.attempt(), failure.clone());
                }
            }
        });
        self.log_failure(polled, failure, before);
        outcome_of(error)
    }
}

/// Maps a failure to the outcome that the schedule knows.
fn outcome_of(error: &wire::ApiError) -> Outcome {
    if matches!(error, wire::ApiError::AddressLimited(_)) {
        return Outcome::AddressLimited;
    }
    Outcome::Failed(error.reason())
}

fn knows(plan: &Plan, id: PropertyId) -> bool {
    plan.properties.active.contains_key(&id) || plan.properties.unlisted.contains_key(&id)
}

/// What to log of a plan that is new.
fn planned(plan: &Plan) -> Vec<Event> {
    let outlook = Event::Outlook { outlook: plan.outlook(), share: plan.share };
    let off = (!plan.has_drop_alert()).then_some(Event::DropAlertOff);
    std::iter::once(outlook).chain(off).collect()
}
