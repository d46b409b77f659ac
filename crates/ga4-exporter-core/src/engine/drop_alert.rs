//! What the log says of the drop alert: which properties it watches, and when a drop of one begins and ends.
//!
//! Knows since when a drop has lasted, which a restart should not forget. Refuses to know how a drop is found. Invariant: each
//! drop begins once and ends once, however often the verdict wavers in between.

use std::collections::BTreeMap;

use ga4_drop_baseline::{Assessment, Minute, TrafficDrop, Verdict, backtest::alert::KEEP_FIRING_FOR};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Engine, Event};
use crate::{
    names::{PropertyId, ReportName},
    plan::Plan,
    report::{Brings, Report},
    store::PropertyState,
};

/// What was seen of the drop alert of each property.
#[derive(Debug, Default)]
pub(super) struct DropAlert {
    readiness: BTreeMap<PropertyId, Readiness>,
    /// When the readiness first changed without being logged.
    unlogged_since: Option<Timestamp>,
    /// Whether the log has said anything yet.
    is_logged: bool,
    drops: BTreeMap<PropertyId, OngoingDrop>,
}

/// A drop that goes on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct OngoingDrop {
    since: Minute,
    /// Since when traffic is back, if it is. Until [`KEEP_FIRING_FOR`] has passed, the drop may go on.
    over_since: Option<Minute>,
}

/// Whether a drop of a property would be seen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Readiness {
    /// Nothing is known yet.
    Waiting,
    Ready,
    NotReady,
}

impl DropAlert {
    /// Follows a plan: properties come and go.
    pub(super) fn on_plan(&mut self, plan: &Plan) {
        let active = &plan.properties.active;
        self.readiness.retain(|id, _| active.contains_key(id));
        // A listing may lack a property once; its drop goes on.
        self.drops.retain(|id, _| active.contains_key(id) || plan.properties.unlisted.contains_key(id));
        if plan.has_drop_alert() {
            for id in active.keys() {
                self.readiness.entry(*id).or_insert(Readiness::Waiting);
            }
        } else {
            *self = Self::default();
        }
    }

    /// Goes on with what was saved of a property.
    pub(super) fn restore(&mut self, property: PropertyId, drop: Option<OngoingDrop>) {
        self.drops.extend(drop.map(|drop| (property, drop)));
    }

    /// The drop of a property that goes on, to be saved.
    pub(super) fn ongoing(&self, property: PropertyId) -> Option<OngoingDrop> {
        self.drops.get(&property).copied()
    }

    /// The clock was set back, and what lasts has lasted as long as before.
    pub(super) fn on_clock_set_back(&mut self, by: SignedDuration) {
        for drop in self.drops.values_mut() {
            drop.since = drop.since.later(-by.as_mins());
            drop.over_since = drop.over_since.map(|minute| minute.later(-by.as_mins()));
        }
        self.unlogged_since = self.unlogged_since.map(|since| since.saturating_sub(by).unwrap_or(since));
    }

    /// What a new assessment changes: a drop has begun, or was over for long enough.
    fn on_assessment(&mut self, property: PropertyId, assessment: &Assessment, now: Timestamp) -> Option<Event> {
        let minute = Minute::of(now);
        let drop = verdict(assessment)?;
        match (self.drops.get_mut(&property), drop) {
            (None, None) => None,
            (None, Some(drop)) => {
                self.drops.insert(property, OngoingDrop { since: minute, over_since: None });
                Some(Event::DropBegan { property, drop })
            }
            (Some(ongoing), Some(_)) => {
                ongoing.over_since = None;
                None
            }
            (Some(ongoing), None) => {
                let OngoingDrop { since, over_since } = *ongoing;
                let over_since = over_since.unwrap_or(minute);
                ongoing.over_since = Some(over_since);
                if over_since.until(minute) < KEEP_FIRING_FOR {
                    return None;
                }
                self.drops.remove(&property);
                let lasted = SignedDuration::from_mins(since.until(over_since).max(1));
                Some(Event::DropEnded { property, began_at: since.start(), lasted })
            }
        }
    }

    /// Notes whether a drop of a property would be seen. A poll that fails now and then changes nothing for a property that is
    /// ready.
    fn note(&mut self, property: PropertyId, seen: Readiness, has_no_history: bool, now: Timestamp) {
        let Some(known) = self.readiness.get_mut(&property) else { return };
        let is_passing = *known == Readiness::Ready && !has_no_history;
        if *known == seen || seen == Readiness::Waiting || is_passing {
            return;
        }
        *known = seen;
        self.unlogged_since.get_or_insert(now);
    }

    /// Returns the properties that are ready, and those that are not, when a change is to be logged.
    fn take_change(&mut self, now: Timestamp) -> Option<(Vec<PropertyId>, Vec<PropertyId>)> {
        let since = self.unlogged_since?;
        let has_settled = !self.is_logged || now.duration_since(since) >= SETTLING;
        if !has_settled || self.readiness.values().any(|readiness| *readiness == Readiness::Waiting) {
            return None;
        }
        (self.unlogged_since, self.is_logged) = (None, true);
        let of = |wanted: Readiness| {
            let those = self.readiness.iter().filter(move |(_, readiness)| **readiness == wanted);
            those.map(|(id, _)| *id).collect()
        };
        Some((of(Readiness::Ready), of(Readiness::NotReady)))
    }
}

impl Engine {
    /// Logs what an answer, or a failure, has changed for the drop alert of a property.
    pub(super) fn follow_drop_alert(&mut self, property: PropertyId, report: &Report, now: Timestamp) {
        if !feeds_drop_alert(report) {
            return;
        }
        let Some(state) = self.states.get(property) else { return };
        let watched = state.watched.as_deref().filter(|watched| watched.expires_at > now);
        let began_or_ended =
            watched.and_then(|watched| self.drop_alert.on_assessment(property, &watched.assessment, now));
        let has_no_history = state.usual.as_ref().is_some_and(|usual| usual.level.is_none());
        self.drop_alert.note(property, readiness(&self.plan, state), has_no_history, now);
        self.effects.log.extend(began_or_ended);
        if let Some((ready, not_ready)) = self.drop_alert.take_change(now) {
            let learning =
                ready.iter().filter_map(|id| self.states.get(*id)?.watched.as_ref()?.assessment.learning_until);
            let learning_until = learning.max().filter(|until| *until > now);
            self.effects.log.push(Event::DropAlert { ready: ready.len(), not_ready, learning_until });
        }
    }
}

/// The drop, if any; the outer `None` where nothing can be judged. A drop that is over in the first hours ends here, too, although
/// the verdict is not known to be good before every window is whole.
#[expect(clippy::option_option, reason = "not known is not the same as no drop")]
fn verdict(assessment: &Assessment) -> Option<Option<TrafficDrop>> {
    let can_judge = assessment.is_fit && !assessment.windows.is_empty();
    can_judge.then(|| Verdict::of(assessment).drop())
}

/// Whether a drop would be seen: ready if minutes were compared with a baseline, not ready if every report that this needs has
/// failed.
fn readiness(plan: &Plan, state: &PropertyState) -> Readiness {
    let needed: Vec<&ReportName> =
        plan.reports.iter().filter(|report| feeds_drop_alert(report)).map(|report| &report.name).collect();
    let mut reports = state.reports.iter().filter(|report| needed.contains(&&report.name));
    if state.watched.is_some() {
        Readiness::Ready
    } else if reports.all(|report| report.has_outcome) {
        Readiness::NotReady
    } else {
        Readiness::Waiting
    }
}

fn feeds_drop_alert(report: &Report) -> bool {
    report.is_history() || report.brings == Brings::Minutes
}

/// Properties become ready one after the other, and are logged together.
const SETTLING: SignedDuration = SignedDuration::from_secs(30);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ga4_drop_baseline::{Window, WindowCount};

    use super::*;
    use crate::{
        plan::SeriesLimits,
        properties::{PropertyInfo, PropertySet},
        quota::Share,
        report::{BaselineSettings, ReportSettings},
        schedule::Limits,
    };

    fn id(number: u64) -> PropertyId {
        number.to_string().parse().unwrap()
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + 60 * minutes).unwrap()
    }

    /// A half hour with this many pageviews, where 100 are usual and 60 are low.
    fn assessment(pageviews: f64) -> Assessment {
        let count = WindowCount { window: Window::named("30m").unwrap(), pageviews, expected: 100.0, low: 60.0 };
        Assessment { windows: vec![count], is_fit: true, ..Assessment::default() }
    }

    /// What the log says when the minutes from 0 on have these counts; `x` is a drop, `-` is usual, `?` is not known.
    fn log(verdicts: &str) -> Vec<String> {
        let mut alert = DropAlert::default();
        let mut lines = Vec::new();
        for (minute, verdict) in (0..).zip(verdicts.chars()) {
            let assessment = match verdict {
                'x' => assessment(10.0),
                '-' => assessment(100.0),
                _ => Assessment { is_fit: false, ..assessment(10.0) },
            };
            let event = alert.on_assessment(id(1), &assessment, at(minute));
            if let Some(Event::DropBegan { drop, .. }) = event {
                let window = drop.window.map_or("no window", |count| count.window.name);
                lines.push(format!("{minute}: began, {:.2} in {window}", drop.depth));
            } else if let Some(Event::DropEnded { lasted, began_at, .. }) = event {
                let since = began_at.duration_since(at(0)).as_mins();
                lines.push(format!("{minute}: ended, {} min since {since}", lasted.as_mins()));
            }
        }
        lines
    }

    #[test]
    fn a_drop_begins_at_once_and_ends_when_traffic_has_been_back_for_a_quarter_of_an_hour() {
        let began = "2: began, 0.90 in 30m";
        assert_eq!(log("--xxxxx----------------"), [began, "22: ended, 5 min since 2"]);
        assert_eq!(log("--xxxxx---------------"), [began], "a minute before that");
        assert_eq!(log("--xx---xx------x----------------"), [began, "31: ended, 14 min since 2"], "gaps are no ends");
        assert_eq!(log("--xx????????????????????-"), [began], "what is not known is no end");
        assert_eq!(log("--------"), Vec::<String>::new());
    }

    fn plan(properties: &[u64], baseline: bool) -> Plan {
        let mut reports = vec![Report::realtime(&ReportSettings::realtime(), baseline)];
        if baseline {
            reports.push(Report::baseline(&BaselineSettings::default()));
        }
        let active = properties.iter().map(|number| (id(*number), PropertyInfo::default())).collect();
        Plan {
            reports: reports.into_iter().map(Arc::new).collect(),
            limits: Limits { in_flight: None, per_property: 4 },
            share: Share::default(),
            series: SeriesLimits::default(),
            properties: PropertySet { active, ..PropertySet::default() },
            is_complete: true,
        }
    }

    #[test]
    fn the_first_line_waits_for_every_property_and_later_ones_for_each_other() {
        let mut alert = DropAlert::default();
        alert.on_plan(&plan(&[1, 2, 3], true));
        alert.note(id(1), Readiness::Ready, false, at(0));
        alert.note(id(2), Readiness::Waiting, false, at(0));
        alert.note(id(3), Readiness::NotReady, false, at(0));
        assert_eq!(alert.take_change(at(9)), None, "one is still waited for");
        alert.note(id(2), Readiness::NotReady, false, at(9));
        assert_eq!(alert.take_change(at(9)), Some((vec![id(1)], vec![id(2), id(3)])));
        assert_eq!(alert.take_change(at(99)), None, "nothing is new");
        alert.note(id(2), Readiness::Ready, false, at(100));
        assert_eq!(alert.take_change(at(100)), None);
        alert.note(id(3), Readiness::Ready, false, at(100));
        assert_eq!(alert.take_change(at(101)), Some((vec![id(1), id(2), id(3)], vec![])));
        alert.note(id(1), Readiness::NotReady, false, at(102));
        assert_eq!(alert.take_change(at(200)), None, "a poll has failed, no more");
        alert.note(id(1), Readiness::NotReady, true, at(201));
        assert_eq!(alert.take_change(at(202)), Some((vec![id(2), id(3)], vec![id(1)])));
    }

    #[test]
    fn a_listing_that_lacks_the_property_once_ends_no_drop() {
        let mut alert = DropAlert::default();
        let mut plan = plan(&[1], true);
        alert.on_plan(&plan);
        assert!(matches!(alert.on_assessment(id(1), &assessment(10.0), at(0)), Some(Event::DropBegan { .. })));
        plan.properties.unlisted = std::mem::take(&mut plan.properties.active);
        alert.on_plan(&plan);
        plan.properties.active = std::mem::take(&mut plan.properties.unlisted);
        alert.on_plan(&plan);
        assert!(alert.on_assessment(id(1), &assessment(10.0), at(5)).is_none(), "it goes on");
        plan.properties.active.clear();
        alert.on_plan(&plan);
        assert_eq!(alert.ongoing(id(1)), None);
    }

    #[test]
    fn without_a_baseline_there_is_nothing_to_wait_for() {
        let mut alert = DropAlert::default();
        alert.on_plan(&plan(&[1], true));
        alert.on_plan(&plan(&[1], false));
        alert.note(id(1), Readiness::NotReady, false, at(0));
        assert_eq!(alert.take_change(at(9)), None);
    }
}
