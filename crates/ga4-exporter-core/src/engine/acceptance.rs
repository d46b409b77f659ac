//! Accepts answers: finds their day, stores their values, and compares them with the baseline.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    Engine, Event, Observation, PollAnswer, Polled,
    day::{Day, Named, day_of},
    failure, outcome_of,
    watches::RecentMinutes,
};
use ga4_drop_baseline::calendar::Zone;

use crate::{
    names::{DropReason, PropertyId},
    report::{LEAST_STALE_AFTER, Series},
    schedule::{DISCARDED_IN_A_ROW, Outcome},
    store::{Failure, Snapshot},
    time::later,
    wire,
};

impl Engine {
    /// Accepts an answer unless it belongs to another day than the requested one.
    pub(super) fn accept(&mut self, polled: &Polled, answer: &PollAnswer, now: Timestamp) -> Outcome {
        if let Some(outcome) = self.refuse_dates(polled, answer) {
            return outcome;
        }
        let property = polled.poll.job.property;
        let day_ends = match self.day_of(polled, answer) {
            Day::Undated => None,
            Day::Anywhere { ends } => Some(ends),
            Day::Known { zone, ends } => {
                self.zones.insert(property, zone);
                Some(ends)
            }
            Day::Turned { zone, midnight } => return self.discard(polled, answer, zone, Some(midnight), now),
            Day::Moved { zone } => return self.discard(polled, answer, zone, None, now),
        };
        let values = self.within_limits(polled, answer, now);
        self.count_dropped(&values);
        self.publish(polled, answer, values, day_ends);
        self.watch(polled, answer);
        match polled.minutes_error() {
            Some(error) => outcome_of(error),
            None => Outcome::Success { day_ends },
        }
    }

    /// Counts the series of an answer that are not exported.
    fn count_dropped(&mut self, values: &Series) {
        let Some(counts) = values.row_counts() else { return };
        let dropped = [
            (DropReason::Limit, counts.series_over_limit),
            (DropReason::InvalidValue, counts.series_invalid),
            (DropReason::Duplicate, counts.series_duplicate),
        ];
        let some = dropped.into_iter().filter(|(_, count)| *count > 0);
        self.effects.observe.extend(some.map(|(reason, count)| Observation::SeriesDropped {
            reason,
            count: u64::try_from(count).unwrap_or(u64::MAX),
        }));
    }

    /// Stores the values and marks the report as up.
    fn publish(&mut self, polled: &Polled, answer: &PollAnswer, values: Series, day_ends: Option<Timestamp>) {
        let property = polled.poll.job.property;
        let holds_until = later(polled.sent_at, self.holds_for(&polled.poll));
        let expires_at =
            day_ends.filter(|_| !polled.poll.report.is_history()).map_or(holds_until, |ends| holds_until.min(ends));
        let report = Arc::clone(&polled.poll.report);
        let snapshot = Snapshot { report, values, quality: answer.quality, expires_at };
        let wrong = polled.minutes_error().map(|error| failure::of(polled, error));
        let mut failed_before = None;
        self.states.update(property, |state| {
            state.take_metadata(&answer.time_zone, &answer.currency);
            if let Some(report) = state.report_mut(&polled.poll.job.report) {
                failed_before = report.failure.clone();
                report.succeed(polled.attempt(), polled.tokens(), snapshot);
                if let Some(failure) = &wrong {
                    let since = failed_before.as_ref().map_or(failure.since, |before| before.since);
                    report.fail(polled.attempt(), Failure { since, ..failure.clone() });
                }
            }
        });
        match (wrong, failed_before) {
            (Some(failure), before) => self.log_failure(polled, failure, before.map(|before| before.reason)),
            (None, Some(failure)) => self.log_recovery(polled, &failure),
            (None, None) => {}
        }
    }

    /// Compares the answer with the baseline.
    fn watch(&mut self, polled: &Polled, answer: &PollAnswer) {
        if !self.offset.is_trusted() {
            return;
        }
        let (property, report) = (polled.poll.job.property, &polled.poll.report);
        let interval = self.timetable.schedule.interval(&polled.poll.job).unwrap_or(report.interval);
        let Some(quiet_days) = self.plan.quiet_days().cloned() else { return };
        let zone = self.zones.get(&property);
        let minutes = polled.minutes.as_ref().and_then(|poll| Some((poll, poll.result.as_ref().ok()?)));
        let watched = if let Some((minutes, answer)) = minutes {
            let recent = RecentMinutes {
                minutes: &answer.minutes,
                sent_at: minutes.sent_at,
                received_at: minutes.received_at,
                expires_at: later(
                    minutes.sent_at,
                    self.holds_for(&polled.poll).min(longest(interval, report.interval)),
                ),
            };
            self.watches.on_minutes(property, &recent, zone, &quiet_days)
        } else if let Some((history, zone)) = answer.history.as_ref().zip(zone) {
            let event = self.watches.on_history(property, report, history, zone, polled.sent_at);
            self.effects.log.extend(event);
            self.watches.assess_again(property, zone, &quiet_days, polled.sent_at)
        } else {
            None
        };
        let has_new_data = minutes.is_some() || answer.history.is_some();
        // With every answer: this view depends on today, which may have just begun.
        let usual = self.watches.usual(property, zone, &quiet_days, polled.sent_at);
        self.states.update(property, |state| {
            if has_new_data {
                state.watched = watched;
            }
            state.usual = usual;
        });
    }

    /// Returns the day of a dated answer; an undated one has none.
    fn day_of(&mut self, polled: &Polled, answer: &PollAnswer) -> Day {
        if !polled.poll.report.has_dates() {
            return Day::Undated;
        }
        let property = polled.poll.job.property;
        let named = match Zone::named(&answer.time_zone) {
            Ok(zone) => Named::Known(zone),
            Err(_) if answer.time_zone.is_empty() => {
                if !self.zones.contains_key(&property) {
                    self.note_unknown_zone(property, "", "Google names no time zone for it".to_owned());
                }
                Named::Nothing
            }
            Err(error) => {
                self.note_unknown_zone(property, &answer.time_zone, error.to_string());
                Named::Unknown
            }
        };
        let day = day_of(polled.poll.zone.as_ref(), named, polled.sent_at, polled.received_at);
        let is_somewhere = !matches!(day, Day::Anywhere { .. } | Day::Turned { zone: None, .. });
        // Its last days have settled, whatever the zone.
        if is_somewhere || !polled.poll.report.is_history() { day } else { Day::Undated }
    }

    /// Logs a zone that cannot be used, once.
    fn note_unknown_zone(&mut self, property: PropertyId, name: &str, problem: String) {
        let known = self.unknown_zones.insert(property, name.to_owned());
        if known.as_deref() != Some(name) {
            self.effects.log.push(Event::UnknownZone { property, problem });
        }
    }

    /// The answer belongs to a day that has ended, or to another zone: polls it again.
    fn discard(
        &mut self,
        polled: &Polled,
        answer: &PollAnswer,
        zone: Option<Zone>,
        midnight: Option<Timestamp>,
        now: Timestamp,
    ) -> Outcome {
        let property = polled.poll.job.property;
        if midnight.is_none() {
            self.move_zone(property, now);
        }
        match zone {
            Some(zone) => self.zones.insert(property, zone),
            None => self.zones.remove(&property),
        };
        self.ask_again(polled, answer, midnight)
    }

    /// The day of the answer is uncertain.
    pub(super) fn ask_again(&mut self, polled: &Polled, answer: &PollAnswer, midnight: Option<Timestamp>) -> Outcome {
        let property = polled.poll.job.property;
        if self.timetable.schedule.discarded(&polled.poll.job) >= DISCARDED_IN_A_ROW {
            let message = "its day or its zone is another with every answer".to_owned();
            return self.fail(polled, &wire::ApiError::Protocol(message));
        }
        self.effects.log.push(Event::Discarded { job: polled.poll.job.clone() });
        self.states.update(property, |state| {
            state.take_metadata(&answer.time_zone, &answer.currency);
            if let Some(report) = state.report_mut(&polled.poll.job.report) {
                report.tokens_spent = report.tokens_spent.saturating_add(polled.tokens());
                // The values shown belong to the day that ended, or to the old zone.
                report.snapshot = None;
            }
        });
        Outcome::Discarded { midnight }
    }

    /// The property's zone changed, so its history by hour is polled again.
    fn move_zone(&mut self, property: PropertyId, now: Timestamp) {
        self.watches.on_zone_changed(property);
        self.states.update(property, |state| {
            state.watched = None;
            state.usual = None;
        });
        if let Some(baseline) = self.plan.baseline() {
            self.timetable.schedule.reschedule_redefined(&baseline.name, Some(property), now);
        }
    }
}

/// The drop alert's inputs expire after this, however long other values hold: three intervals, or half an hour if the quota
/// makes the interval longer than configured.
fn longest(planned: Duration, configured: Duration) -> Duration {
    (3 * planned).min((3 * configured).max(LONGEST_WATCHED)).max(LEAST_STALE_AFTER)
}

const LONGEST_WATCHED: Duration = Duration::from_mins(30);
