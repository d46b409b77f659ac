//! What the log and the status page say of reports that fail and that work again.

use humantime::format_duration;
use jiff::Timestamp;
use tracing::{debug, field::display, info, warn};

use super::{Poller, request::Poll};
use crate::{
    chain::Chain,
    ga,
    names::{Bucket, Reason},
    quota::{ASSUMED, Limit},
    schedule::Job,
    store::Failure,
    timetable::Replanned,
};

impl Poller {
    /// A failure as it is shown to people.
    pub(super) fn failure(&self, poll: &Poll, error: &ga::Error) -> Failure {
        let account = self.client.account();
        Failure {
            reason: error.reason(),
            message: Chain(error).to_string(),
            remedy: error.remedy(Some(poll.job.property), account.as_deref()),
            since: poll.sent_at,
        }
    }

    /// A change is told once and loudly; that there is no token has been told already.
    pub(super) fn log_failure(&mut self, poll: &Poll, error: &ga::Error, failed_before: Option<Reason>) {
        let (property, report, reason) = (poll.job.property, &poll.job.report, error.reason());
        let is_news = failed_before != Some(reason) && reason != Reason::NoCredentials;
        let told = if is_news { self.failures.tell(reason, poll.received_at) } else { None };
        let Some(like_it) = told else {
            debug!(%property, %report, %reason, error = %Chain(error), "the report fails");
            return;
        };
        let account = self.client.account();
        let remedy = error.remedy(Some(property), account.as_deref());
        let closed_until = self.closed_until(poll).map(display);
        let error = Chain(error);
        if like_it == 0 {
            warn!(%property, %report, %reason, %error, closed_until, remedy, "the report fails");
        } else {
            warn!(%property, %report, %reason, %error, closed_until, remedy, like_it, "the report fails, as others did");
        }
    }

    /// Until when nothing is asked of the buckets that a poll drew on, if one of them is closed.
    fn closed_until(&self, poll: &Poll) -> Option<Timestamp> {
        let view = self.timetable.ledger.view(poll.job.property, poll.report.category)?;
        view.closed.into_values().max().filter(|until| *until > poll.received_at)
    }

    /// What the reports will spend of each property, as far as that is known before.
    pub(super) fn log_outlook(&self) {
        let outlook = self.followed.outlook();
        for report in &outlook.reports {
            let (interval, configured) = (format_duration(report.planned), format_duration(report.configured));
            let (per_hour, per_day) = (report.per_hour.round(), report.per_day().round());
            let report_name = &report.report;
            match report.limit.map(Limit::bucket) {
                None => info!(
                    report = %report_name, %interval, tokens_per_hour = per_hour, tokens_per_day = per_day,
                    "planned for each property, if a request costs {ASSUMED} tokens"
                ),
                Some(bucket) => warn!(
                    report = %report_name, %interval, %configured, %bucket, share = %self.followed.share,
                    tokens_per_hour = per_hour, tokens_per_day = per_day,
                    "the configured interval cannot be kept, if a request costs {ASSUMED} tokens: it would spend more than \
                     our share"
                ),
            }
        }
        for bucket in &outlook.buckets {
            let percent = (bucket.part * 1000.0).round() / 10.0;
            info!(category = %bucket.category, bucket = %bucket.bucket, percent, "planned to be spent of the bucket");
        }
    }

    /// That a report is held back by a quota, or no longer.
    pub(super) fn log_pace(&mut self, change: &Replanned) {
        let (property, report) = (change.job.property, &change.job.report);
        let (interval, configured) = (format_duration(change.interval), format_duration(change.configured));
        let Some(limit) = change.limit else {
            match self.letting_go.tell(self.clock.now()) {
                Some(like_it) => {
                    info!(%property, %report, %interval, like_it, "the report is polled as configured again")
                }
                None => debug!(%property, %report, %interval, "the report is polled as configured again"),
            }
            return;
        };
        let bucket = limit.bucket();
        let Some(like_it) = self.holding_back.tell(self.clock.now()) else {
            debug!(%property, %report, %bucket, %interval, "the report is polled less often");
            return;
        };
        let remedy = remedy(limit);
        let message = match limit {
            Limit::Share(_) => "the report is polled less often than configured: it would spend more than our share",
            Limit::Reserve(_) => "the report is polled less often than configured: others leave little of the bucket",
        };
        warn!(%property, %report, %bucket, %interval, %configured, like_it, remedy, "{message}");
    }

    /// That a report which is due is not asked for.
    pub(super) fn log_held_back(&mut self, job: &Job, limit: Limit) {
        let (property, report, bucket) = (job.property, &job.report, limit.bucket());
        let message = held_back_message(limit);
        match self.holding_back.tell(self.clock.now()) {
            Some(like_it) => warn!(%property, %report, %bucket, like_it, remedy = remedy(limit), "{message}"),
            None => debug!(%property, %report, %bucket, "{message}"),
        }
    }

    pub(super) fn log_recovery(&mut self, poll: &Poll, reason: Reason) {
        let (property, report) = (poll.job.property, &poll.job.report);
        let is_news = reason != Reason::NoCredentials;
        let told = if is_news { self.recoveries.tell(reason, poll.received_at) } else { None };
        match told {
            Some(0) => info!(%property, %report, %reason, "the report works again"),
            Some(like_it) => info!(%property, %report, %reason, like_it, "the report works again, as others do"),
            None => debug!(%property, %report, %reason, "the report works again"),
        }
    }
}

/// A report that is due and not asked for, as it is shown to people.
pub(super) fn held_back(limit: Limit, now: Timestamp) -> Failure {
    let reason = match limit.bucket() {
        Bucket::Day => Reason::QuotaDay,
        Bucket::Hour => Reason::QuotaHour,
        Bucket::ProjectHour => Reason::QuotaProjectHour,
        Bucket::Concurrent | Bucket::ClientErrors | Bucket::ServerErrors | Bucket::Thresholded | Bucket::Unknown => {
            Reason::QuotaUnknown
        }
    };
    let (message, remedy) = (held_back_message(limit).to_owned(), remedy(limit).to_owned());
    Failure { reason, message, remedy, since: now }
}

fn held_back_message(limit: Limit) -> &'static str {
    match limit {
        Limit::Share(_) => "the report is held back: it might spend more than our share of the bucket",
        Limit::Reserve(_) => "the report is held back: others leave little of the bucket",
    }
}

fn remedy(limit: Limit) -> &'static str {
    match limit {
        Limit::Share(_) => "poll it less often, or raise quota.share",
        Limit::Reserve(_) => "find out which other tools use this property's quota",
    }
}
