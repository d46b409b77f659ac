//! What becomes of an answer: which day it is of, what is stored of it, and what it is held against.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tracing::{debug, warn};

use super::{
    Poller,
    day::{Day, day_of},
    request::{Answer, Poll},
    watches::MinutesTaken,
};
use ga4_drop_baseline::calendar::Zone;

use crate::{
    clock::later,
    ga,
    names::PropertyId,
    report::LEAST_STALE_AFTER,
    schedule::{DISCARDED_IN_A_ROW, Outcome},
    store::Snapshot,
};

impl Poller {
    /// Takes an answer, unless it is of another day than the one that was asked for.
    pub(super) fn accept(&mut self, poll: &Poll, answer: &Answer) -> Outcome {
        let property = poll.job.property;
        let day_ends = match self.day_of(poll, answer) {
            Day::Unknown => None,
            Day::Known { zone, ends } => {
                self.zones.insert(property, zone);
                Some(ends)
            }
            Day::Turned { zone, midnight } => return self.discard(poll, answer, zone, Some(midnight)),
            Day::Moved { zone } => return self.discard(poll, answer, zone, None),
        };
        self.publish(poll, answer, day_ends);
        self.watch(poll, answer);
        match poll.minutes_error() {
            Some(error) => Outcome::Failed(error.reason()),
            None => Outcome::Success { day_ends },
        }
    }

    /// Stores the values, and says whether all is well with the report.
    fn publish(&mut self, poll: &Poll, answer: &Answer, day_ends: Option<Timestamp>) {
        let property = poll.job.property;
        let holds_until = later(poll.sent_at, self.holds_for(poll));
        let expires_at =
            day_ends.filter(|_| !poll.report.is_history()).map_or(holds_until, |ends| holds_until.min(ends));
        let (report, values) = (Arc::clone(&poll.report), answer.values.clone());
        let snapshot = Snapshot { report, values, quality: answer.quality, expires_at };
        let quota = self.timetable.ledger.view(property, poll.report.category);
        let wrong = poll.minutes_error().map(|error| (error, self.failure(poll, error)));
        let mut failed_before = None;
        self.store.update(property, |state| {
            state.take_metadata(&answer.time_zone, &answer.currency);
            state.quota.extend(quota.map(|quota| (poll.report.category, quota)));
            if let Some(report) = state.report_mut(&poll.job.report) {
                failed_before = report.reason();
                report.succeed(poll.attempt(), poll.tokens(), snapshot);
                if let Some((_, failure)) = &wrong {
                    report.fail(poll.attempt(), failure.clone());
                }
            }
        });
        match (wrong, failed_before) {
            (Some((error, _)), _) => self.log_failure(poll, error, failed_before),
            (None, Some(reason)) => self.log_recovery(poll, reason),
            (None, None) => {}
        }
    }

    /// Holds what came against what is usual.
    fn watch(&mut self, poll: &Poll, answer: &Answer) {
        let (property, report) = (poll.job.property, &poll.report);
        let interval = self.timetable.schedule.interval(&poll.job).unwrap_or(report.interval);
        let Some(quiet_days) = self.followed.quiet_days().cloned() else { return };
        let zone = self.zones.get(&property);
        let minutes = poll.minutes.as_ref().and_then(|poll| Some((poll, poll.result.as_ref().ok()?)));
        let watched = if let Some((minutes, answer)) = minutes {
            let taken = MinutesTaken {
                minutes: &answer.minutes,
                sent_at: minutes.sent_at,
                received_at: minutes.received_at,
                expires_at: later(minutes.sent_at, self.holds_for(poll).min(longest(interval, report.interval))),
            };
            self.watches.on_minutes(property, &taken, zone, &quiet_days)
        } else if let Some((history, zone)) = answer.history.as_ref().zip(zone) {
            self.watches.on_history(property, report, history, zone, poll.sent_at);
            self.watches.assess_again(property, zone, &quiet_days, poll.sent_at)
        } else {
            None
        };
        let brings_news = minutes.is_some() || answer.history.is_some();
        // With every answer: it is of today, and today may have just begun.
        let usual = self.watches.usual(property, zone, &quiet_days, poll.sent_at);
        self.store.update(property, |state| {
            if brings_news {
                state.watched = watched;
            }
            state.usual = usual;
        });
    }

    /// Which day a dated answer belongs to; an undated one needs none.
    fn day_of(&mut self, poll: &Poll, answer: &Answer) -> Day {
        if !poll.report.has_dates() {
            return Day::Unknown;
        }
        let property = poll.job.property;
        let told = match Zone::named(&answer.time_zone) {
            Ok(zone) => Some(zone),
            Err(_) if answer.time_zone.is_empty() => None,
            Err(error) => {
                let known = self.unknown_zones.insert(property, answer.time_zone.clone());
                if known.as_ref() != Some(&answer.time_zone) {
                    warn!(%property, %error, "the property's midnight is not known; its day values end when they are stale");
                }
                self.zones.remove(&property);
                return Day::Unknown;
            }
        };
        day_of(poll.zone.as_ref(), told, poll.sent_at, poll.received_at)
    }

    /// The answer is of a day that has ended, or of another zone's: it is asked for again.
    fn discard(&mut self, poll: &Poll, answer: &Answer, zone: Zone, midnight: Option<Timestamp>) -> Outcome {
        let property = poll.job.property;
        if midnight.is_none() {
            self.move_zone(property);
        }
        self.zones.insert(property, zone);
        if self.timetable.schedule.discarded(&poll.job) >= DISCARDED_IN_A_ROW {
            return self
                .fail(poll, &ga::Error::Protocol("its day or its zone is another with every answer".to_owned()));
        }
        debug!(%property, report = %poll.job.report, "the day or the zone changed meanwhile; asking again");
        self.store.update(property, |state| {
            state.take_metadata(&answer.time_zone, &answer.currency);
            if let Some(report) = state.report_mut(&poll.job.report) {
                report.tokens_spent = report.tokens_spent.saturating_add(poll.tokens());
                // What was shown is of the same day that is over, or of the zone that was left.
                report.snapshot = None;
            }
        });
        Outcome::Discarded { midnight }
    }

    /// Its hours are other hours now.
    fn move_zone(&mut self, property: PropertyId) {
        self.watches.on_zone_changed(property);
        self.store.update(property, |state| {
            state.watched = None;
            state.usual = None;
        });
        if let Some(baseline) = self.followed.baseline() {
            self.timetable.schedule.ask_anew(&baseline.name, Some(property), self.clock.now());
        }
    }
}

/// What the alert on drops looks at is never older, however long other values are to hold: three intervals, and half an hour
/// where a quota makes the interval longer than configured.
fn longest(planned: Duration, configured: Duration) -> Duration {
    (3 * planned).min((3 * configured).max(LONGEST_WATCHED)).max(LEAST_STALE_AFTER)
}

const LONGEST_WATCHED: Duration = Duration::from_mins(30);
