//! One poll: the request, the answer, and what it says.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    calendar::Zone,
    clock::{Clock, monotonic},
    ga::{
        self,
        response::{PropertyQuota, ReportResponse},
    },
    report::{Report, Request},
    schedule::Job,
    store::Attempt,
    translate,
};

/// A poll that has ended.
pub(super) struct Poll {
    pub(super) job: Job,
    pub(super) report: Arc<Report>,
    /// The zone that the request's dates were made for.
    pub(super) zone: Option<Zone>,
    pub(super) sent_at: Timestamp,
    pub(super) received_at: Timestamp,
    pub(super) took: Duration,
    pub(super) result: Result<Answer, ga::Error>,
}

/// What an answer says.
pub(super) struct Answer {
    /// In the order of the report's families.
    pub(super) values: Box<[f64]>,
    /// Empty where the answer does not tell.
    pub(super) time_zone: String,
    /// Empty where the answer does not tell.
    pub(super) currency: String,
    pub(super) quota: Option<PropertyQuota>,
}

impl Poll {
    pub(super) fn attempt(&self) -> Attempt {
        Attempt { sent_at: self.sent_at, took: self.took }
    }
}

impl Answer {
    /// The tokens that the request has cost. Every bucket is charged the same, but not every one need be told.
    pub(super) fn tokens(&self) -> u64 {
        let told =
            |quota: &PropertyQuota| [quota.tokens_per_day, quota.tokens_per_hour, quota.tokens_per_project_per_hour];
        let consumed = self.quota.iter().flat_map(told).flatten().map(|status| status.consumed).max();
        consumed.and_then(|tokens| u64::try_from(tokens).ok()).unwrap_or_default()
    }
}

/// Asks for a report once.
pub(super) async fn poll(client: ga::Client, clock: Clock, job: Job, report: Arc<Report>, zone: Option<Zone>) -> Poll {
    let sent_at = clock.now();
    let started = monotonic();
    let today = zone.as_ref().map(|zone| zone.date(sent_at));
    let accept = |response| answer(&report, response);
    let result = match report.request(today) {
        Request::Core(request) => client.run_report(job.property, &request, accept).await,
        Request::Realtime(request) => client.run_realtime_report(job.property, &request, accept).await,
    };
    Poll { job, zone, sent_at, received_at: clock.now(), took: started.elapsed(), result, report }
}

fn answer(report: &Report, response: ReportResponse) -> Result<Answer, translate::Error> {
    let values = translate::values(report, &response)?;
    Ok(Answer {
        values,
        time_zone: response.metadata.time_zone,
        currency: response.metadata.currency_code,
        quota: response.property_quota,
    })
}
