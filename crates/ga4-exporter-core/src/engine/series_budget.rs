//! How many series reports of one's own have, and how many more there is room for.
//!
//! Knows only counts: what an answer brought that is beyond them is dropped and counted, never summed up.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Engine, Event, PollAnswer, Polled, effects::SeriesLimit};
use crate::{
    names::{PropertyId, ReportName},
    plan::{Plan, SeriesLimits},
    report::Series,
    schedule::Job,
    time::later,
};

/// What the snapshots of reports hold.
#[derive(Debug, Default)]
pub(super) struct SeriesBudget {
    limits: SeriesLimits,
    held: BTreeMap<PropertyId, BTreeMap<ReportName, Held>>,
    all: usize,
}

/// What one snapshot holds.
#[derive(Clone, Copy, Debug)]
struct Held {
    series: usize,
    /// When the snapshot expires at the latest.
    until: Timestamp,
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
        let own = of_property.and_then(|reports| reports.get(&job.report)).map_or(0, |held| held.series);
        let series = |reports: &BTreeMap<ReportName, Held>| reports.values().map(|held| held.series).sum::<usize>();
        let others = of_property.map_or(0, series).saturating_sub(own);
        let of_property = self.limits.per_property.saturating_sub(others);
        let of_all = self.limits.all.saturating_sub(self.all.saturating_sub(own));
        if of_property <= of_all { (of_property, SeriesLimit::Property) } else { (of_all, SeriesLimit::All) }
    }

    fn hold(&mut self, job: &Job, series: usize, until: Timestamp) {
        let reports = self.held.entry(job.property).or_default();
        let before = reports.insert(job.report.clone(), Held { series, until }).map_or(0, |held| held.series);
        self.all = (self.all + series).saturating_sub(before);
    }

    /// Forgets snapshots that have expired: their reports fail, and others may use the room.
    fn release(&mut self, now: Timestamp) {
        for reports in self.held.values_mut() {
            reports.retain(|_, held| held.until > now);
        }
        self.sum();
    }

    /// Expires with the snapshots, whose times move back too.
    pub(super) fn on_clock_set_back(&mut self, by: SignedDuration) {
        for held in self.held.values_mut().flat_map(BTreeMap::values_mut) {
            held.until = held.until.saturating_sub(by).unwrap_or(held.until);
        }
    }

    fn sum(&mut self) {
        self.all = self.held.values().flat_map(BTreeMap::values).map(|held| held.series).sum();
    }
}

impl Engine {
    /// The series of an answer that there is room for; what is beyond is counted, and logged where it begins.
    pub(super) fn within_limits(&mut self, polled: &Polled, answer: &PollAnswer, now: Timestamp) -> Series {
        let (job, report) = (&polled.poll.job, &polled.poll.report);
        if !report.is_limited() {
            return answer.values.clone();
        }
        let (mut room, mut limit) = self.budget.room(job);
        if answer.values.len() > room {
            self.budget.release(now);
            (room, limit) = self.budget.room(job);
        }
        let holds_until = later(polled.sent_at, self.holds_for(&polled.poll));
        let asked = answer.values.row_counts().unwrap_or_default();
        let values = answer.values.first(room);
        self.budget.hold(job, values.len(), holds_until);
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

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn job(property: &str, report: &str) -> Job {
        Job { property: property.parse().unwrap(), report: report.parse().unwrap() }
    }

    #[test]
    fn a_snapshot_makes_room_for_the_next_one() {
        let mut budget = SeriesBudget::new(SeriesLimits { all: 25, per_property: 10 });
        assert_eq!(budget.room(&job("1", "pages")), (10, SeriesLimit::Property));
        budget.hold(&job("1", "pages"), 7, at(60));
        assert_eq!(budget.room(&job("1", "events")), (3, SeriesLimit::Property));
        assert_eq!(budget.room(&job("1", "pages")), (10, SeriesLimit::Property), "its own are replaced");
        budget.hold(&job("1", "pages"), 4, at(60));
        assert_eq!(budget.room(&job("1", "events")), (6, SeriesLimit::Property));
        budget.hold(&job("2", "pages"), 10, at(60));
        budget.hold(&job("3", "pages"), 9, at(60));
        assert_eq!(budget.room(&job("3", "pages")), (10, SeriesLimit::Property));
        budget.hold(&job("3", "pages"), 10, at(60));
        assert_eq!(budget.room(&job("4", "pages")), (1, SeriesLimit::All));
        budget.remove("2".parse().unwrap());
        assert_eq!(budget.room(&job("4", "pages")), (10, SeriesLimit::Property));
    }

    #[test]
    fn what_has_expired_makes_room_for_others() {
        let mut budget = SeriesBudget::new(SeriesLimits { all: 10, per_property: 10 });
        budget.hold(&job("1", "pages"), 9, at(60));
        budget.hold(&job("2", "pages"), 1, at(90));
        budget.release(at(59));
        assert_eq!(budget.room(&job("2", "pages")), (1, SeriesLimit::All));
        budget.release(at(60));
        assert_eq!(budget.room(&job("2", "pages")), (10, SeriesLimit::Property));
        assert_eq!(budget.room(&job("3", "pages")), (9, SeriesLimit::All));
    }
}
