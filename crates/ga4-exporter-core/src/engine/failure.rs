//! Failures of reports, as the log and the status page show them.

use jiff::Timestamp;

use super::{Engine, Event, Polled};
use crate::{
    chain::Chain,
    names::{Bucket, Reason},
    quota::Limit,
    schedule::Job,
    store::Failure,
    wire,
};

impl Engine {
    /// Logs a failure: loudly when it is new, and once where several reports of a property fail alike. That there is no token,
    /// the sign-in has logged already.
    pub(super) fn log_failure(&mut self, polled: &Polled, failure: Failure, before: Option<Reason>) {
        let job = polled.poll.job.clone();
        let is_new = before != Some(failure.reason)
            && failure.reason != Reason::NoCredentials
            && !self.others_fail_alike(&job, &failure);
        let suppressed = if is_new { self.failures.line(failure.reason, polled.received_at) } else { None };
        let closed_until = suppressed.and_then(|_| self.closed_until(polled));
        self.effects.log.push(Event::Failure { job, failure, closed_until, suppressed });
    }

    /// Logs that a report works again; where several failed alike, only the last of them.
    pub(super) fn log_recovery(&mut self, polled: &Polled, failure: &Failure) {
        let (job, reason) = (polled.poll.job.clone(), failure.reason);
        let is_new = reason != Reason::NoCredentials && !self.others_fail_alike(&job, failure);
        let suppressed = if is_new { self.recoveries.line(reason, polled.received_at) } else { None };
        self.effects.log.push(Event::Recovery { job, reason, suppressed });
    }

    /// Whether another report of the property fails for the same reason.
    pub(super) fn others_fail_alike(&self, job: &Job, failure: &Failure) -> bool {
        let Some(state) = self.states.get(job.property) else { return false };
        let others = state.reports.iter().filter(|other| other.name != job.report);
        let mut failures =
            others.filter_map(|other| other.failure.as_ref()).filter(|other| other.reason == failure.reason);
        failures.any(|other| failure.reason.concerns_property() || other.message == failure.message)
    }

    /// Returns until when the buckets that a poll draws on stay closed, if one of them is.
    fn closed_until(&self, polled: &Polled) -> Option<Timestamp> {
        let view = self.timetable.ledger.view(polled.poll.job.property, polled.poll.report.category)?;
        view.closed.into_values().max().filter(|until| *until > polled.received_at)
    }
}

/// Why a poll failed.
pub(super) fn of(polled: &Polled, error: &wire::ApiError) -> Failure {
    Failure {
        reason: error.reason(),
        message: Chain(error).to_string(),
        remedy: error.remedy(Some(polled.poll.job.property), polled.account.as_deref()),
        since: polled.sent_at,
    }
}

/// The failure of a report that is due while a bucket is closed.
pub(super) fn closed(bucket: Bucket, until: Timestamp, now: Timestamp) -> Failure {
    let message = format!("Google has said that the bucket is empty; the report waits until {until:.0}");
    let error = wire::ApiError::QuotaExhausted { bucket, message };
    Failure { reason: error.reason(), message: Chain(&error).to_string(), remedy: error.remedy(None, None), since: now }
}

/// The failure of a report that is due but not sent.
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
