//! Schedule and ledger together: which report is polled when, within the quota.
//!
//! Pure: times and outcomes in, steps and planned intervals out. Knows how a finished poll changes the plan. Refuses to
//! know requests, answers and the store. Invariant: every [`ScheduleStep::Send`] is followed by one [`Timetable::settle`] and
//! one [`Timetable::ended`].

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::{
    names::{Category, PropertyId},
    plan::Plan,
    quota::{Demand, Ledger, Limit, Spent},
    report::Report,
    schedule::{Job, Outcome, Schedule, ScheduleStep},
};

/// The due times of all polls and the quota.
#[derive(Debug)]
pub struct Timetable {
    /// When which report of which property is due.
    pub schedule: Schedule,
    /// The quota: what is left, spent and closed.
    pub ledger: Ledger,
    /// What each report spends at its configured interval.
    demands: Vec<(Arc<Report>, Demand)>,
}

/// A report whose planned interval has changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Replanned {
    /// The report and the property.
    pub job: Job,
    /// The new interval.
    pub interval: Duration,
    /// The configured interval.
    pub configured: Duration,
    /// What makes it longer than configured, if anything.
    pub limit: Option<Limit>,
}

impl Timetable {
    /// Creates a timetable for the reports of this plan, without properties.
    pub fn new(plan: &Plan, now: Timestamp) -> Self {
        Self {
            schedule: Schedule::new(plan.paces(), plan.limits, now),
            ledger: Ledger::new(plan.share),
            demands: demands(plan),
        }
    }

    /// Adopts the reports, limits and properties of a plan.
    pub fn follow(&mut self, plan: &Plan, now: Timestamp) {
        self.ledger.set_share(plan.share);
        self.demands = demands(plan);
        self.schedule.configure(plan.paces(), plan.limits, now);
        let active: BTreeSet<PropertyId> = plan.properties.active.keys().copied().collect();
        self.schedule.set_properties(&active, now);
    }

    /// Returns the next step.
    pub fn next(&mut self, now: Timestamp) -> ScheduleStep {
        self.schedule.next(&mut self.ledger, now)
    }

    /// Settles the cost of a poll that [`ScheduleStep::Send`] started, after the ledger has each of its requests. Returns the changed
    /// intervals of its property; its values hold by the new plan.
    pub fn settle(&mut self, job: &Job, category: Category, spent: Spent, now: Timestamp) -> Vec<Replanned> {
        self.ledger.settle(job.property, category, &job.report, spent, now);
        self.replan(job.property, category, now)
    }

    /// Applies the outcome of a settled poll.
    pub fn ended(&mut self, job: &Job, outcome: &Outcome, now: Timestamp) {
        self.schedule.on_result(job, outcome, now);
    }

    /// Plans the intervals of all reports of a property again.
    pub fn replan_all(&mut self, property: PropertyId, now: Timestamp) -> Vec<Replanned> {
        Category::ALL.iter().flat_map(|category| self.replan(property, *category, now)).collect()
    }

    /// The clock was set back: moves due times with it.
    pub fn on_clock_set_back(&mut self, by: SignedDuration, now: Timestamp) {
        self.schedule.on_clock_set_back(by, now);
        self.ledger.on_clock_set_back(by, now);
    }

    fn replan(&mut self, property: PropertyId, category: Category, now: Timestamp) -> Vec<Replanned> {
        let is_asked = |report: &Report| report.category == category && report.scope.covers(property);
        let asked = self.demands.iter().filter(|(report, _)| is_asked(report));
        let demands: Vec<&Demand> = asked.map(|(_, demand)| demand).collect();
        let mut replanned = Vec::new();
        for (pacing, demand) in self.ledger.pace(property, category, &demands, now).into_iter().zip(demands) {
            let job = Job { property, report: pacing.report };
            let present = self.schedule.interval(&job);
            if present.is_none_or(|present| !is_worth_it(present, pacing.interval, demand.interval)) {
                continue;
            }
            if self.schedule.set_interval(&job, pacing.interval, now) {
                let (interval, configured, limit) = (pacing.interval, demand.interval, pacing.limit);
                replanned.push(Replanned { job, interval, configured, limit });
            }
        }
        replanned
    }
}

/// The plan ignores smaller changes, which come with every answer.
fn is_worth_it(present: Duration, planned: Duration, configured: Duration) -> bool {
    let (present_seconds, planned_seconds) = (present.as_secs_f64(), planned.as_secs_f64());
    planned != present && (planned == configured || (planned_seconds / present_seconds - 1.0).abs() > LEAST_CHANGE)
}

fn demands(plan: &Plan) -> Vec<(Arc<Report>, Demand)> {
    plan.reports.iter().map(|report| (Arc::clone(report), report.demand())).collect()
}

const LEAST_CHANGE: f64 = 0.1;

#[cfg(test)]
mod tests;
