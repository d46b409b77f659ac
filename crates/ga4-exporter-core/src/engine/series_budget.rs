//! How many series reports of one's own have, and how many more there is room for.
//!
//! Knows only counts: what an answer brought that is beyond them is dropped and counted, never summed up.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Engine, Event, PollAnswer, Polled, effects::SeriesLimit};
use crate::{
    names::{PropertyId, ReportName},
    plan::{Plan, SeriesLimits},
    report::Series,
    schedule::Job,
};

/// What the snapshots of reports hold.
#[derive(Debug, Default)]
pub(super) struct SeriesBudget {
    limits: SeriesLimits,
    held: BTreeMap<PropertyId, BTreeMap<ReportName, usize>>,
    all: usize,
}

impl SeriesBudget {
    pub(super) fn new(limits: SeriesLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Forgets what the plan no longer has.
    pub(super) fn follow(&mut self, plan: &Plan) {
        self.limits = plan.series;
        for (property, reports) in &mut self.held {
            reports.retain(|name, _| plan.reports_for(*property).any(|report| report.name == *name));
        }
        self.sum();
    }

    /// Forgets a property.
    pub(super) fn remove(&mut self, property: PropertyId) {
        self.held.remove(&property);
        self.sum();
    }

    /// How many series the next snapshot of a report may have, and what limits them.
    fn room(&self, job: &Job) -> (usize, SeriesLimit) {
        let of_property = self.held.get(&job.property);
        let own = of_property.and_then(|reports| reports.get(&job.report)).copied().unwrap_or_default();
        let others = of_property.map_or(0, |reports| reports.values().sum::<usize>()).saturating_sub(own);
        let of_property = self.limits.per_property.saturating_sub(others);
        let of_all = self.limits.all.saturating_sub(self.all.saturating_sub(own));
        if of_property <= of_all { (of_property, SeriesLimit::Property) } else { (of_all, SeriesLimit::All) }
    }

    fn hold(&mut self, job: &Job, series: usize) {
        let reports = self.held.entry(job.property).or_default();
        let before = reports.insert(job.report.clone(), series).unwrap_or_default();
        self.all = (self.all + series).saturating_sub(before);
    }

    fn sum(&mut self) {
        self.all = self.held.values().flat_map(BTreeMap::values).sum();
    }
}

impl Engine {
    /// The series of an answer that there is room for; what is beyond is counted, and logged where it begins.
    pub(super) fn within_limits(&mut self, polled: &Polled, answer: &PollAnswer, now: Timestamp) -> Series {
        let (job, report) = (&polled.poll.job, &polled.poll.report);
        if !report.is_limited() {
            return answer.values.clone();
        }
        let (room, limit) = self.budget.room(job);
        let asked = answer.values.row_counts().unwrap_or_default();
        let values = answer.values.first(room);
        self.budget.hold(job, values.len());
        let counts = values.row_counts().unwrap_or_default();
        let limit = if counts.series_over_limit > asked.series_over_limit { limit } else { SeriesLimit::Report };
        let state = self.states.get(job.property);
        let before =
            state.and_then(|state| state.reports.iter().find(|report| report.name == job.report)?.snapshot.clone());
        let lost_before = before.and_then(|snapshot| snapshot.values.row_counts()).unwrap_or_default();
        if counts.series_over_limit > 0 && lost_before.series_over_limit == 0 {
            let suppressed = self.series_lost.line(now);
            let (job, kept, dropped) = (job.clone(), values.len(), counts.series_over_limit);
            self.effects.log.push(Event::SeriesLost { job, kept, dropped, limit, suppressed });
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(property: &str, report: &str) -> Job {
        Job { property: property.parse().unwrap(), report: report.parse().unwrap() }
    }

    #[test]
    fn a_snapshot_makes_room_for_the_next_one() {
        let mut budget = SeriesBudget::new(SeriesLimits { all: 25, per_property: 10 });
        assert_eq!(budget.room(&job("1", "pages")), (10, SeriesLimit::Property));
        budget.hold(&job("1", "pages"), 7);
        assert_eq!(budget.room(&job("1", "events")), (3, SeriesLimit::Property));
        assert_eq!(budget.room(&job("1", "pages")), (10, SeriesLimit::Property), "its own are replaced");
        budget.hold(&job("1", "pages"), 4);
        assert_eq!(budget.room(&job("1", "events")), (6, SeriesLimit::Property));
        budget.hold(&job("2", "pages"), 10);
        budget.hold(&job("3", "pages"), 9);
        assert_eq!(budget.room(&job("3", "pages")), (10, SeriesLimit::Property));
        budget.hold(&job("3", "pages"), 10);
        assert_eq!(budget.room(&job("4", "pages")), (1, SeriesLimit::All));
        budget.remove("2".parse().unwrap());
        assert_eq!(budget.room(&job("4", "pages")), (10, SeriesLimit::Property));
    }
}
