//! Due times of all reports of all properties.
//!
//! Knows due times, jitter, back-off and how many requests may be in flight. Refuses to know the runtime and what a request
//! is. Invariants: a report is in flight at most once; a report that missed several due times runs once; a failure of one
//! property delays no other.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

pub use concurrency::Limits;
pub use due::{DISCARDED_IN_A_ROW, Outcome};
pub use throttle::Throttle;

use concurrency::Concurrency;

use crate::{
    jitter,
    names::{Category, PropertyId, Reason, ReportName},
    quota::{Admission, DuePoll, Ledger, Limit},
    report::{Rhythm, Scope},
    time::later,
};

mod concurrency;
mod due;
mod throttle;

/// A report of a property.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Job {
    /// The property.
    pub property: PropertyId,
    /// The report.
    pub report: ReportName,
}

/// What the schedule knows about a report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pace {
    /// The interval.
    pub interval: Duration,
    /// The category of the quota that it draws on.
    pub category: Category,
    /// When it is due again after a success.
    pub rhythm: Rhythm,
    /// How many requests a poll makes, one after the other.
    pub requests: u32,
    /// Whether it continues when others leave little of a bucket.
    pub essential: bool,
    /// The properties that it is polled for.
    pub scope: Scope,
    /// Whether the interval is longer than configured: it then counts from poll to poll, without a fixed slot.
    pub stretched: bool,
}

/// What the caller does next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ScheduleStep {
    /// Send this poll.
    Send(Job),
    /// This report is due but waits for a quota bucket: for one that Google closed, or for our own limit.
    Postponed(Job, Option<Limit>),
    /// Wait until this time, or until a result arrives.
    Wait(Option<Timestamp>),
}

/// The schedule of all reports of all properties.
#[derive(Debug)]
pub struct Schedule {
    paces: BTreeMap<ReportName, Pace>,
    concurrency: Concurrency,
    entries: HashMap<Job, Entry>,
    /// Waiting reports by due time; the number keeps equal due times in order of arrival.
    queue: BTreeSet<(Timestamp, u64, Job)>,
    /// Due reports whose property has reached its limit of requests in flight.
    parked: HashMap<PropertyId, Vec<Job>>,
    in_flight: HashMap<PropertyId, usize>,
    on_its_way: HashSet<Job>,
    throttle: Throttle,
    /// How many polls in a row, of any property, have not reached Google.
    unreached: usize,
    /// Reports whose due time has changed since the last query.
    moved: HashSet<Job>,
    next_number: u64,
    last_seen: Timestamp,
    /// Planned requests per second.
    planned_rate: f64,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    /// The planned interval, if it is longer than configured.
    interval: Option<Duration>,
    /// Its due time and position in the queue, while it waits there.
    queued: Option<(Timestamp, u64)>,
    /// Failures in a row.
    failures: u32,
    /// Answers discarded in a row.
    discarded: u32,
    /// Whether the last failure was a missing access token.
    wants_token: bool,
    /// Whether the last failure was a wrong clock.
    wants_clock: bool,
    /// Whether the last failure was that Google was unreachable.
    unreachable: bool,
}

impl Schedule {
    /// Creates a schedule for these reports, without properties.
    pub fn new(paces: BTreeMap<ReportName, Pace>, limits: Limits, now: Timestamp) -> Self {
        Self {
            paces,
            concurrency: Concurrency::new(limits),
            entries: HashMap::new(),
            queue: BTreeSet::new(),
            parked: HashMap::new(),
            in_flight: HashMap::new(),
            on_its_way: HashSet::new(),
            throttle: Throttle::default(),
            unreached: 0,
            moved: HashSet::new(),
            next_number: 0,
            last_seen: now,
            planned_rate: 0.0,
        }
    }

    /// Polls these properties from now on: new ones are due at once, others are removed.
    pub fn set_properties(&mut self, properties: &BTreeSet<PropertyId>, now: Timestamp) {
        let gone = |job: &Job, paces: &BTreeMap<ReportName, Pace>| {
            let is_asked = paces.get(&job.report).is_some_and(|pace| pace.scope.covers(job.property));
            !properties.contains(&job.property) || !is_asked
        };
        let stale: Vec<Job> = self.entries.keys().filter(|job| gone(job, &self.paces)).cloned().collect();
        for job in stale {
            self.forget(&job);
            if !properties.contains(&job.property) {
                self.throttle.remove(job.property);
            }
        }
        for property in properties {
            let asked = self.paces.iter().filter(|(_, pace)| pace.scope.covers(*property));
            let reports: Vec<ReportName> = asked.map(|(report, _)| report.clone()).collect();
            for report in reports {
                let job = Job { property: *property, report };
                if !self.entries.contains_key(&job) {
                    self.entries.insert(job.clone(), Entry::default());
                    // A property that was removed and added again is due when its old request has ended.
                    if !self.on_its_way.contains(&job) {
                        let due = self.first_due(&job, properties.len(), now);
                        self.enqueue(&job, due);
                    }
                }
            }
        }
        self.planned_rate = self.rate();
    }

    /// Adopts other reports and limits, as after a reload. A working report that is due later than its new interval allows
    /// moves forward; one that backs off after a failure keeps waiting.
    pub fn configure(&mut self, paces: BTreeMap<ReportName, Pace>, limits: Limits, now: Timestamp) {
        self.concurrency.limits = limits;
        if self.paces == paces {
            return;
        }
        self.paces = paces;
        // The planned interval may now be shorter than the configured one.
        for (job, entry) in &mut self.entries {
            let configured = self.paces.get(&job.report).map(|pace| pace.interval);
            entry.interval = entry.interval.filter(|planned| Some(*planned) > configured);
        }
        let properties = self.entries.keys().map(|job| job.property).collect();
        self.set_properties(&properties, now);
        let all: Vec<Job> = self.entries.keys().cloned().collect();
        self.bring_forward(&all, now);
    }

    /// The clock was set back: due times move with it.
    pub fn on_clock_set_back(&mut self, by: SignedDuration, now: Timestamp) {
        self.last_seen = now;
        self.throttle = Throttle::default();
        let queued: Vec<(Timestamp, u64, Job)> = self.queue.iter().cloned().collect();
        for (due, _, job) in queued {
            self.enqueue(&job, due.saturating_sub(by).unwrap_or(now));
        }
    }

    /// Returns the next step. After [`ScheduleStep::Send`] the caller sends the request and reports its [`Outcome`].
    pub fn next(&mut self, ledger: &mut Ledger, now: Timestamp) -> ScheduleStep {
        self.last_seen = now;
        let limit = self.concurrency.in_flight(self.planned_rate());
        loop {
            if self.on_its_way.len() >= limit {
                return ScheduleStep::Wait(None);
            }
            let Some((due, number, job)) = self.queue.first().cloned() else { return ScheduleStep::Wait(None) };
            if due > now {
                return ScheduleStep::Wait(Some(due));
            }
            if let Some(open_at) = self.throttle.closed_until(now) {
                return ScheduleStep::Wait(Some(open_at));
            }
            self.queue.remove(&(due, number, job.clone()));
            self.unqueue(&job);
            if let Some(until) = self.throttle.refused_until(job.property, now) {
                self.enqueue(&job, until);
                continue;
            }
            if self.in_flight.get(&job.property).is_some_and(|count| *count >= self.concurrency.limits.per_property) {
                self.parked.entry(job.property).or_default().push(job);
                continue;
            }
            let Some(pace) = self.pace_of(&job) else { continue };
            let wanted = DuePoll { report: &job.report, requests: pace.requests, essential: pace.essential };
            match ledger.admit_poll(job.property, pace.category, wanted, now) {
                Admission::Open | Admission::Trial => {
                    *self.in_flight.entry(job.property).or_default() += 1;
                    self.on_its_way.insert(job.clone());
                    self.throttle.on_sent(now, self.planned_rate());
                    return ScheduleStep::Send(job);
                }
                Admission::Closed { until, bucket, limit } => {
                    self.enqueue(&job, due::after_closure(&job, &pace, bucket, until));
                    return ScheduleStep::Postponed(job, limit);
                }
            }
        }
    }

    /// Applies the outcome of a request that [`ScheduleStep::Send`] started.
    pub fn on_result(&mut self, job: &Job, outcome: &Outcome, now: Timestamp) {
        self.on_its_way.remove(job);
        self.land(job.property);
        match outcome {
            Outcome::Failed(Reason::RateLimit) => self.throttle.on_rate_limit(job.property, now),
            Outcome::AddressLimited => self.throttle.on_address_limit(now),
            Outcome::Success { .. } | Outcome::Discarded { .. } => self.throttle.on_answer(job.property, now),
            Outcome::Failed(_) => {}
        }
        let Some(pace) = self.pace_of(job) else { return };
        let Some(entry) = self.entries.get_mut(job) else { return };
        let due = due::next(job, &pace, entry, outcome, now);
        self.enqueue(job, due);
        self.note_reached(outcome, now);
    }

    /// After a general outage, the first answer makes every report due that failed in it. While other reports get answers, one
    /// that gets none keeps backing off.
    fn note_reached(&mut self, outcome: &Outcome, now: Timestamp) {
        match outcome {
            Outcome::Failed(reason) if due::is_unreached(*reason) => self.unreached += 1,
            // Nothing was sent.
            Outcome::Failed(Reason::NoCredentials) => {}
            Outcome::Success { .. } | Outcome::Discarded { .. } | Outcome::AddressLimited | Outcome::Failed(_) => {
                if std::mem::take(&mut self.unreached) >= OUTAGE.min(self.entries.len()) {
                    self.ask_for_unreached(now);
                }
            }
        }
    }

    fn ask_for_unreached(&mut self, now: Timestamp) {
        let waiting = self.entries.iter().filter(|(_, entry)| entry.unreachable && entry.queued.is_some());
        let waiting: Vec<Job> = waiting.map(|(job, _)| job.clone()).collect();
        for job in waiting {
            let Some(pace) = self.pace_of(&job) else { continue };
            let due = due::after_outage(&job, &pace, now);
            let present = self.entries.get(&job).and_then(|entry| entry.queued).map(|(due, _)| due);
            if present.is_some_and(|present| due < present) {
                self.enqueue(&job, due);
            }
        }
    }

    /// An access token is available again: polls that failed without one are due now.
    pub fn on_signed_in(&mut self, now: Timestamp) {
        let waiting: Vec<Job> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.wants_token && entry.queued.is_some())
            .map(|(job, _)| job.clone())
            .collect();
        for job in waiting {
            self.enqueue(&job, now);
        }
    }

    /// The clock is right again: dated reports are due now; failed daily reports become due one after the other.
    pub fn on_clock_right(&mut self, now: Timestamp) {
        let rhythm = |job: &Job| self.paces.get(&job.report).map(|pace| pace.rhythm);
        let waits = |(job, entry): (&Job, &Entry)| {
            entry.queued.is_some() && (entry.wants_clock || (rhythm(job) == Some(Rhythm::Dated) && entry.failures == 0))
        };
        let waiting: Vec<Job> = self.entries.iter().filter(|entry| waits(*entry)).map(|(job, _)| job.clone()).collect();
        let properties = waiting.len();
        for job in waiting {
            let due = self.first_due(&job, properties, now);
            self.enqueue(&job, due);
        }
    }

    /// A report was redefined, for a property or with `None` for all: it is due as for a new property, unless it is in
    /// flight.
    pub fn reschedule_redefined(&mut self, report: &ReportName, property: Option<PropertyId>, now: Timestamp) {
        let is_meant = |job: &Job| job.report == *report && property.is_none_or(|property| property == job.property);
        let waiting: Vec<Job> = self.entries.keys().filter(|job| is_meant(job)).cloned().collect();
        let properties = waiting.len();
        for job in waiting {
            if self.entries.get(&job).is_some_and(|entry| entry.queued.is_some()) {
                let due = self.first_due(&job, properties, now);
                self.enqueue(&job, due);
            }
        }
    }

    /// Returns the reports whose due time has changed since the last call, with that time; `None` for reports in flight and for
    /// those that wait for another of their property.
    pub fn take_moved(&mut self) -> Vec<(Job, Option<Timestamp>)> {
        let due = |job: &Job| Some(self.entries.get(job)?.queued.map(|(due, _)| due));
        let moved = std::mem::take(&mut self.moved);
        moved.into_iter().filter_map(|job| due(&job).map(|due| (job, due))).collect()
    }

    /// Returns how many answers to this report were discarded in a row.
    pub fn discarded(&self, job: &Job) -> u32 {
        self.entries.get(job).map_or(0, |entry| entry.discarded)
    }

    /// Returns the planned interval of this report.
    pub fn interval(&self, job: &Job) -> Option<Duration> {
        self.pace_of(job).map(|pace| pace.interval)
    }

    /// Plans another interval for this report. A working report that is due later than that moves forward. Returns whether
    /// anything changed.
    pub fn set_interval(&mut self, job: &Job, interval: Duration, now: Timestamp) -> bool {
        let Some(configured) = self.paces.get(&job.report).map(|pace| pace.interval) else { return false };
        let Some(entry) = self.entries.get_mut(job) else { return false };
        let before = entry.interval.unwrap_or(configured);
        entry.interval = (interval > configured).then_some(interval);
        if before == interval {
            return false;
        }
        if interval < before {
            self.bring_forward(std::slice::from_ref(job), now);
        }
        true
    }

    /// Limits the number of requests in flight, whatever the plan needs.
    pub fn set_connections(&mut self, most: usize) {
        self.concurrency.connections = most;
    }

    /// Enters the duration of a poll.
    pub fn on_latency(&mut self, took: Duration) {
        self.concurrency.on_latency(took);
    }

    /// Whether this report is polled.
    pub fn has(&self, job: &Job) -> bool {
        self.entries.contains_key(job)
    }

    /// Planned requests per second.
    pub fn planned_rate(&self) -> f64 {
        self.planned_rate
    }

    fn rate(&self) -> f64 {
        let mut polled: BTreeMap<&ReportName, usize> = BTreeMap::new();
        for job in self.entries.keys() {
            *polled.entry(&job.report).or_default() += 1;
        }
        let rate = |pace: &Pace| f64::from(pace.requests) / pace.interval.as_secs_f64();
        let of_report = |(report, count)| self.paces.get(report).map_or(0.0, |pace| number(count) * rate(pace));
        polled.into_iter().map(of_report).sum()
    }

    /// Minute reports are due at once; daily reports let them go first and become due one after the other.
    fn first_due(&self, job: &Job, properties: usize, now: Timestamp) -> Timestamp {
        match self.paces.get(&job.report).map(|pace| pace.rhythm) {
            Some(Rhythm::Daily) => {
                let spread = DAILY_GAP.mul_f64(number(properties));
                later(now, DAILY_GAP + spread.mul_f64(jitter::place(job)))
            }
            Some(Rhythm::Steady | Rhythm::Dated) | None => now,
        }
    }

    /// Inserts a report into the queue, or moves it.
    fn enqueue(&mut self, job: &Job, due: Timestamp) {
        self.unqueue(job);
        let Some(entry) = self.entries.get_mut(job) else { return };
        let number = self.next_number;
        self.next_number += 1;
        entry.queued = Some((due, number));
        self.queue.insert((due, number, job.clone()));
        self.moved.insert(job.clone());
    }

    fn unqueue(&mut self, job: &Job) {
        let queued = self.entries.get_mut(job).and_then(|entry| entry.queued.take());
        if let Some((due, number)) = queued {
            self.queue.remove(&(due, number, job.clone()));
            self.moved.insert(job.clone());
        }
    }

    fn forget(&mut self, job: &Job) {
        self.unqueue(job);
        self.entries.remove(job);
        if let Some(parked) = self.parked.get_mut(&job.property) {
            parked.retain(|other| other != job);
        }
    }

    /// A request of the property has ended: reports that waited for it are due.
    fn land(&mut self, property: PropertyId) {
        if let Some(count) = self.in_flight.get_mut(&property) {
            *count -= 1;
            if *count == 0 {
                self.in_flight.remove(&property);
            }
        }
        for job in self.parked.remove(&property).unwrap_or_default() {
            self.enqueue(&job, self.last_seen);
        }
    }

    /// Moves a working report forward that is due later than its interval allows.
    fn bring_forward(&mut self, jobs: &[Job], now: Timestamp) {
        for job in jobs {
            let Some(entry) = self.entries.get(job).filter(|entry| entry.failures == 0) else { continue };
            let Some((due, _)) = entry.queued else { continue };
            let Some(pace) = self.pace_of(job).filter(|pace| pace.rhythm != Rhythm::Daily) else { continue };
            let latest = due::in_rhythm(job, &pace, now);
            if due > latest {
                self.enqueue(job, latest);
            }
        }
    }

    /// Returns the report at the interval that is planned for this property.
    fn pace_of(&self, job: &Job) -> Option<Pace> {
        let pace = self.paces.get(&job.report)?;
        let planned = self.entries.get(job).and_then(|entry| entry.interval);
        Some(Pace { interval: planned.unwrap_or(pace.interval), stretched: planned.is_some(), ..pace.clone() })
    }
}

/// Time between the first requests for daily reports.
const DAILY_GAP: Duration = Duration::from_millis(20);

fn number(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^53 properties")]
    let number = count as f64;
    number
}

/// This many polls in a row without reaching Google, or all there are, make a general outage.
const OUTAGE: usize = 20;

#[cfg(test)]
mod tests;
