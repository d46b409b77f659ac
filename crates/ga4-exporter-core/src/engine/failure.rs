//! Failures of reports, as they are shown to people.

use jiff::Timestamp;

use super::{Engine, Event, Polled};
use crate::{
    chain::Chain,
    names::{Bucket, Reason},
    quota::Limit,
    store::Failure,
    wire,
};

impl Engine {
    /// Logs a failure: loudly when it is new. That there is no token, the sign-in has logged already.
    pub(super) fn log_failure(&mut self, polled: &Polled, failure: Failure, before: Option<Reason>) {
        let job = polled.poll.job.clone();
        let is_news = before != Some(failure.reason) && failure.reason != Reason::NoCredentials;
        let like_it = if is_news { self.failures.line(failure.reason, polled.received_at) } else { None };
        let closed_until = like_it.and_then(|_| self.closed_until(polled));
        self.effects.log.push(Event::Failure { job, failure, closed_until, like_it });
    }

    pub(super) fn log_recovery(&mut self, polled: &Polled, reason: Reason) {
        let job = polled.poll.job.clone();
        let is_news = reason != Reason::NoCredentials;
        let like_it = if is_news { self.recoveries.line(reason, polled.received_at) } else { None };
        self.effects.log.push(Event::Recovery { job, reason, like_it });
    }

    /// Until when nothing is asked of the buckets that a poll drew on, if one of them is closed.
    fn closed_until(&self, polled: &Polled) -> Option<Timestamp> {
        let view = self.timetable.ledger.view(polled.poll.job.property, polled.poll.report.category)?;
        view.closed.into_values().max().filter(|until| *until > polled.received_at)
    }
}

/// Why a poll failed.
pub(super) fn of(polled: &Polled, error: &wire::Error) -> Failure {
    Failure {
        reason: error.reason(),
        message: Chain(error).to_string(),
        remedy: error.remedy(Some(polled.poll.job.property), polled.account.as_deref()),
        since: polled.sent_at,
    }
}

/// A report that is due and not asked for.
pub(super) fn held_back(limit: Limit, now: Timestamp) -> Failure {
    let reason = match limit.bucket() {
        Bucket::Day => Reason::QuotaDay,
        Bucket::Hour => Reason::QuotaHour,
        Bucket::ProjectHour => Reason::QuotaProjectHour,
        Bucket::Concurrent | Bucket::ClientErrors | Bucket::ServerErrors | Bucket::Thresholded | Bucket::Unknown => {
            Reason::QuotaUnknown
        }
    };
    Failure { reason, message: limit.message().to_owned(), remedy: limit.remedy().to_owned(), since: now }
}
