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

/// Asks for a report once.
pub(super) async fn poll(client: ga::Client, clock: Clock, job: Job, report: Arc<Report>, zone: Option<Zone>) -> Poll {
    let sent_at = clock.now();
    let started = monotonic();
    let today = zone.as_ref().map(|zone| zone.date(sent_at));
    let response = match report.request(today) {
        Request::Core(request) => client.run_report(job.property, &request).await,
        Request::Realtime(request) => client.run_realtime_report(job.property, &request).await,
    };
    let result = response.and_then(|response| answer(&report, response));
    Poll { job, zone, sent_at, received_at: clock.now(), took: started.elapsed(), result, report }
}

fn answer(report: &Report, response: ReportResponse) -> Result<Answer, ga::Error> {
    let values = translate::values(report, &response).map_err(|error| ga::Error::Protocol(error.to_string()))?;
    Ok(Answer {
        values,
        time_zone: response.metadata.time_zone,
        currency: response.metadata.currency_code,
        quota: response.property_quota,
    })
}
