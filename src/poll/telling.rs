//! What the log and the status page say of reports that fail and that work again.

use tracing::{debug, info, warn};

use super::{Poller, request::Poll};
use crate::{chain::Chain, ga, names::Reason, store::Failure};

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
        if like_it == 0 {
            warn!(%property, %report, %reason, error = %Chain(error), remedy, "the report fails");
        } else {
            warn!(%property, %report, %reason, error = %Chain(error), remedy, like_it, "the report fails, as others did");
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
