//! The next due time after each outcome.

use std::time::Duration;

use jiff::Timestamp;

use super::{Entry, Job, Pace};
use ga4_drop_baseline::calendar::next_pacific_midnight;

use crate::{
    jitter,
    names::{Bucket, Reason},
    report::Rhythm,
    time::later,
};

/// How a poll ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The poll succeeded. `day_ends` is the property's next midnight, if its zone is known.
    Success {
        /// When the report's dates stop being today's.
        day_ends: Option<Timestamp>,
    },
    /// The poll succeeded, but the day or the zone changed meanwhile: it is repeated.
    Discarded {
        /// The end of the day that the report belonged to, if the day changed.
        midnight: Option<Timestamp>,
    },
    /// The poll failed.
    Failed(Reason),
    /// The poll failed because Google refuses all requests from this machine's address.
    AddressLimited,
}

/// Returns the next due time after this outcome.
pub(super) fn next(job: &Job, pace: &Pace, entry: &mut Entry, outcome: &Outcome, now: Timestamp) -> Timestamp {
    entry.wants_token = matches!(outcome, Outcome::Failed(Reason::NoCredentials));
    entry.wants_clock = matches!(outcome, Outcome::Failed(Reason::Clock));
    entry.unreachable = matches!(outcome, Outcome::Failed(reason) if is_unreached(*reason));
    match *outcome {
        Outcome::Success { day_ends } => {
            entry.failures = 0;
            entry.discarded = 0;
            let due = in_rhythm(job, pace, now);
            match (pace.rhythm, day_ends) {
                (Rhythm::Dated, Some(midnight)) => around_midnight(job, pace, due, midnight),
                (Rhythm::Daily, Some(midnight)) => after_settling(job, midnight),
                (Rhythm::Steady, _) | (_, None) => due,
            }
        }
        Outcome::Discarded { midnight } => {
            entry.discarded = entry.discarded.saturating_add(1);
            match midnight {
                Some(midnight) if pace.rhythm == Rhythm::Daily => later(midnight, AFTER_MIDNIGHT),
                Some(midnight) => around_midnight(job, pace, now, midnight),
                None if entry.discarded <= DISCARDED_IN_A_ROW => later(now, DISCARDED_PAUSE),
                None => in_rhythm(job, pace, now),
            }
        }
        Outcome::Failed(_) | Outcome::AddressLimited => {
            let reason = if let Outcome::Failed(reason) = *outcome { reason } else { Reason::RateLimit };
            entry.failures = entry.failures.saturating_add(1);
            after_failure(job, pace, reason, entry.failures, now)
        }
    }
}

/// Whether a failure means that Google was not reached or did not answer in time.
pub(super) fn is_unreached(reason: Reason) -> bool {
    matches!(reason, Reason::Timeout | Reason::Connection)
}

/// After a general outage, every report is due within its interval, in its usual slot.
pub(super) fn after_outage(job: &Job, pace: &Pace, now: Timestamp) -> Timestamp {
    match pace.rhythm {
        Rhythm::Daily => later(now, MIDNIGHT_SPREAD.mul_f64(jitter::place(job))),
        Rhythm::Steady | Rhythm::Dated => in_rhythm(job, pace, now),
    }
}

/// The first reasons need an operator, the middle ones time. Quota refusals are handled by the ledger and the throttle, so
/// that the usual rhythm applies here.
fn after_failure(job: &Job, pace: &Pace, reason: Reason, failures: u32, now: Timestamp) -> Timestamp {
    let steady = |pause: Duration| pause.mul_f64(1.0 - STEADY_SPREAD * jitter::place((job, failures)));
    let growing = |first| jitter::back_off(first, LONGEST_BACK_OFF, failures, job);
    let pause = match reason {
        Reason::InvalidRequest => steady(MISCONFIGURED_PAUSE),
        Reason::NoAccess
        | Reason::NotListed
        | Reason::ApiDisabled
        | Reason::InsufficientScope
        | Reason::CloudProject
        | Reason::Perimeter
        // A clock that is right again makes everything due at once.
        | Reason::Clock => steady(DENIED_PAUSE),
        Reason::ServerError => growing(SERVER_ERROR_BACK_OFF),
        Reason::Timeout | Reason::Connection | Reason::Protocol | Reason::Unauthenticated | Reason::NoCredentials => {
            growing(FIRST_BACK_OFF)
        }
        Reason::QuotaConcurrent | Reason::RateLimit => {
            pace.interval.min(SHORT_REFUSAL_SPREAD).mul_f64(jitter::place((job, failures)))
        }
        Reason::QuotaDay
        | Reason::QuotaHour
        | Reason::QuotaProjectHour
        | Reason::QuotaThresholded
        | Reason::QuotaClientErrors
        | Reason::QuotaUnknown => return on_grid(job, pace.interval.min(LONGEST_REFUSAL), now),
    };
    later(now, pause)
}

/// Returns the next time in the report's rhythm. A stretched interval changes with the cost of polls, so it has no fixed
/// slots: slots that move would cause more polls than planned.
pub(super) fn in_rhythm(job: &Job, pace: &Pace, now: Timestamp) -> Timestamp {
    if !pace.stretched {
        return on_grid(job, pace.interval, now);
    }
    // The plan for a day ends when the day's bucket refills.
    let refill = later(next_pacific_midnight(now), AFTER_MIDNIGHT + MIDNIGHT_SPREAD.mul_f64(jitter::place(job)));
    later(now, pace.interval).min(refill)
}

/// Returns the report's next slot: jobs are spread over the interval, each always at the same offset.
fn on_grid(job: &Job, interval: Duration, now: Timestamp) -> Timestamp {
    let interval = milliseconds(interval).max(1);
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "an interval is a day at most")]
    let phase = (jitter::place(job) * interval as f64) as i64;
    let since = (now.as_millisecond() - phase).rem_euclid(interval);
    later(now, Duration::from_millis(u64::try_from(interval - since).unwrap_or_default()))
}

/// Returns when to poll after midnight: spread out, and later than the clocks may differ.
fn around_midnight(job: &Job, pace: &Pace, due: Timestamp, midnight: Timestamp) -> Timestamp {
    let settled = later(midnight, AFTER_MIDNIGHT);
    let spread = pace.interval.min(MIDNIGHT_SPREAD).mul_f64(jitter::place(job));
    let of_new_day = later(settled, spread);
    if due >= midnight && due < settled { of_new_day } else { due.min(of_new_day) }
}

/// Returns the time of a daily report: in the morning, when the day before yesterday has settled, spread over an hour. On the
/// two days of the year that do not have 24 hours it is an hour earlier or later.
fn after_settling(job: &Job, midnight: Timestamp) -> Timestamp {
    later(midnight, SETTLING + SETTLED_SPREAD.mul_f64(jitter::place(job)))
}

/// Spreads polls that wait for the same bucket over some time after it opens.
pub(super) fn after_closure(job: &Job, pace: &Pace, bucket: Bucket, until: Timestamp) -> Timestamp {
    // All properties wait for the same midnight, Pacific time.
    let spread = if bucket == Bucket::Day { MIDNIGHT_SPREAD } else { CLOSURE_SPREAD };
    later(until, pace.interval.min(spread).mul_f64(jitter::place(job)))
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Pause before a poll whose answer was discarded is repeated.
const DISCARDED_PAUSE: Duration = Duration::from_secs(1);

/// After this many discarded answers in a row, the usual rhythm applies.
pub const DISCARDED_IN_A_ROW: u32 = 3;

/// Pause after an invalid request: the configuration has to change.
const MISCONFIGURED_PAUSE: Duration = Duration::from_hours(1);

/// Pause without access: a click in Google Analytics fixes it.
const DENIED_PAUSE: Duration = Duration::from_mins(10);

/// How much of a constant pause the jitter may take off, so that not all polls come at once.
const STEADY_SPREAD: f64 = 0.1;

const FIRST_BACK_OFF: Duration = Duration::from_secs(5);

/// Back-off after server errors, which Google counts: ten in an hour are too many.
const SERVER_ERROR_BACK_OFF: Duration = Duration::from_secs(30);

const LONGEST_BACK_OFF: Duration = Duration::from_mins(5);

/// Reports that were refused only for a moment are spread over this time.
const SHORT_REFUSAL_SPREAD: Duration = Duration::from_mins(1);

/// A report with a long interval waits no longer than this after a bucket was empty.
const LONGEST_REFUSAL: Duration = Duration::from_mins(15);

/// How much Google's clock and this machine's may differ.
const AFTER_MIDNIGHT: Duration = Duration::from_secs(5);

/// From midnight until the day before yesterday has settled, for every size of property.
const SETTLING: Duration = Duration::from_hours(6);

const SETTLED_SPREAD: Duration = Duration::from_hours(1);

const MIDNIGHT_SPREAD: Duration = Duration::from_mins(5);

const CLOSURE_SPREAD: Duration = Duration::from_secs(10);
