//! A day of polling in virtual time: the timetable and the store as they are, without requests.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    path::Path,
    sync::Arc,
    time::Duration,
};

use ga4_drop_baseline::calendar::Zone;
use google_analytics_exporter::{
    clock::later,
    config::Config,
    names::{Bucket, PropertyId, Reason},
    plan::Plan,
    properties::{PropertyInfo, PropertySet},
    quota::Spent,
    report::{Report, Rhythm},
    schedule::{Job, Outcome, Step},
    store::{Attempt, Failure, Snapshot, Store},
    timetable::Timetable,
};
use jiff::Timestamp;

use crate::{
    figures::Figures,
    google::{Answer, DEAR, Google, LOW, Outage},
};

/// The day on which North America puts its clocks back, from 04:00 UTC on; the outage begins at 15:00, and at 18:00 others empty
/// the day's bucket of every hundredth property.
pub(crate) fn day(properties: u64, seed: u64) -> Figures {
    let start: Timestamp = "2026-11-01T04:00:00Z".parse().expect("a time");
    let from = later(start, Duration::from_hours(11));
    let until = later(from, Duration::from_mins(30));
    let google = Google::new(seed, Outage { from, until }, later(start, Duration::from_hours(14)));
    Day::new(properties, start, Duration::from_hours(24), google).pass()
}

/// Everything that a simulated day is made of.
struct Day {
    now: Timestamp,
    end: Timestamp,
    plan: Plan,
    timetable: Timetable,
    store: Store,
    google: Google,
    zones: HashMap<PropertyId, Zone>,
    /// The answers to come, the next first.
    coming: BinaryHeap<Reverse<(Timestamp, u64, Job, Timestamp)>>,
    number: u64,
    figures: Figures,
}

impl Day {
    /// A day with so many properties, in zones all over the world.
    fn new(properties: u64, start: Timestamp, length: Duration, google: Google) -> Self {
        let config = Config::from_yaml("{}", Path::new("day.yml")).expect("an empty file is good").config;
        let ids: Vec<PropertyId> =
            (1..=properties).map(|id| (300_000_000 + id).to_string().parse().expect("a number")).collect();
        let active = ids.iter().map(|id| (*id, PropertyInfo::default())).collect();
        let set = PropertySet { active, ..PropertySet::default() };
        let plan = config.plan(set, true);
        let mut timetable = Timetable::new(&plan, start);
        timetable.follow(&plan, start);
        let store = Store::default();
        let zones: Vec<Zone> = ZONES.iter().map(|name| Zone::named(name).expect("a known zone")).collect();
        let mut of_property = HashMap::new();
        for (id, zone) in ids.iter().zip(zones.iter().cycle()) {
            store.put(*id, &PropertyInfo::default(), &plan.reports);
            timetable.replan_all(*id, start);
            of_property.insert(*id, zone.clone());
        }
        let figures = Figures::new(start, &zones).outage(google.outage.from, google.outage.until);
        let end = later(start, length);
        Self {
            now: start,
            end,
            plan,
            timetable,
            store,
            google,
            zones: of_property,
            coming: BinaryHeap::new(),
            number: 0,
            figures,
        }
    }

    /// Lets it pass.
    fn pass(mut self) -> Figures {
        while self.now < self.end {
            let wake = self.send_what_is_due();
            let arrival = self.coming.peek().map(|Reverse((at, ..))| *at);
            let next = [wake, arrival].into_iter().flatten().min().unwrap_or(self.end);
            self.now = self.now.max(next).min(self.end);
            while self.coming.peek().is_some_and(|Reverse((at, ..))| *at <= self.now) {
                if let Some(Reverse((_, _, job, sent_at))) = self.coming.pop() {
                    self.take(&job, sent_at);
                }
            }
        }
        (self.figures.largest_part_of_day, self.figures.largest_part_of_hour) = self.google.largest_parts();
        self.figures
    }

    fn send_what_is_due(&mut self) -> Option<Timestamp> {
        loop {
            match self.timetable.next(self.now) {
                Step::Send(job) => {
                    let report = self.report(&job);
                    self.figures.sent(&job, report.requests(), self.now);
                    let mut latency = self.google.latency() * report.requests();
                    if self.now >= self.google.outage.from && self.now < self.google.outage.until {
                        latency = CONNECTING;
                    }
                    self.number += 1;
                    self.coming.push(Reverse((later(self.now, latency), self.number, job, self.now)));
                }
                Step::Postponed(..) => {}
                Step::Wait(until) => return until,
            }
        }
    }

    fn take(&mut self, job: &Job, sent_at: Timestamp) {
        let report = self.report(job);
        let (property, category) = (job.property, report.category);
        let holds_until = later(sent_at, report.stale_after.for_interval(report.interval));
        let (outcome, spent) = match self.google.answer(property, category, report.requests(), self.now) {
            Answer::Report { tokens, quota } => {
                self.timetable.ledger.on_success(property, category, Some(&quota), sent_at, holds_until);
                let id = property.as_u64();
                let is_held_back = id.is_multiple_of(DEAR) || id.is_multiple_of(LOW);
                let planned = self.timetable.schedule.interval(job).unwrap_or(report.interval);
                let interval = if is_held_back { planned } else { report.interval };
                let kind = if is_held_back { HELD_BACK } else { "" };
                self.figures.came(job, kind, interval, report.rhythm() == Rhythm::Daily, self.now);
                let zone = self.zones.get(&property).filter(|_| report.has_dates());
                (
                    Outcome::Success { day_ends: zone.map(|zone| zone.next_midnight(self.now)) },
                    Spent { tokens, whole: true, unread: false },
                )
            }
            Answer::DayExhausted => {
                self.timetable.ledger.on_exhausted(property, category, Bucket::Day, self.now);
                self.figures.refused(job);
                (Outcome::Failed(Reason::QuotaDay), Spent::default())
            }
            Answer::Nothing => {
                self.timetable.ledger.on_other_failure(property, category, self.now);
                (Outcome::Failed(Reason::Connection), Spent::default())
            }
        };
        self.show(job, &report, sent_at, holds_until, &outcome);
        for change in self.timetable.settle(job, category, spent, self.now) {
            self.figures.replanned(&change.job, change.interval);
        }
        self.timetable.ended(job, &outcome, self.now);
    }

    /// The store as the poller keeps it.
    fn show(&self, job: &Job, report: &Arc<Report>, sent_at: Timestamp, expires_at: Timestamp, outcome: &Outcome) {
        let attempt = Attempt { sent_at, took: Duration::from_millis(100) };
        self.store.update(job.property, |state| {
            let Some(state) = state.report_mut(&job.report) else { return };
            if let Outcome::Failed(reason) = outcome {
                let (message, remedy) = (String::new(), String::new());
                state.fail(attempt, Failure { reason: *reason, message, remedy, since: sent_at });
            } else {
                let values = vec![0.0; report.families.len()].into();
                state.succeed(attempt, 1, Snapshot { report: Arc::clone(report), values, quality: None, expires_at });
            }
        });
    }

    fn report(&self, job: &Job) -> Arc<Report> {
        let report = self.plan.reports.iter().find(|report| report.name == job.report);
        Arc::clone(report.expect("the timetable has the plan's reports"))
    }
}

/// The kind of those that cannot have their interval.
pub(crate) const HELD_BACK: &str = ", held back";

/// How long a connection that cannot be had is waited for.
const CONNECTING: Duration = Duration::from_secs(5);

/// Where the properties are.
const ZONES: &[&str] = &[
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Sydney",
];
