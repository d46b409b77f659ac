//! One poll: the requests, the answers, and what they say.

use std::{sync::Arc, time::Duration};

use ga4_drop_baseline::{History, MinutesAgo, calendar::Zone};
use jiff::Timestamp;

use crate::{
    clock::{Clock, monotonic},
    ga,
    names::Category,
    quota::Spent,
    report::{Quality, Report, Request},
    schedule::Job,
    store::Attempt,
    translate,
    wire::{
        request::RunRealtimeReportRequest,
        response::{PropertyQuota, ReportResponse},
    },
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
    /// The second request, where there is one and the first went well.
    pub(super) minutes: Option<MinutesPoll>,
}

/// The request for pageviews by minute.
pub(super) struct MinutesPoll {
    pub(super) sent_at: Timestamp,
    pub(super) received_at: Timestamp,
    pub(super) result: Result<MinutesAnswer, ga::Error>,
}

/// What an answer says.
pub(super) struct Answer {
    /// In the order of the report's families.
    pub(super) values: Box<[f64]>,
    /// What Google says about them; nothing of realtime.
    pub(super) quality: Option<Quality>,
    /// The hours, where the report is about them.
    pub(super) history: Option<History>,
    /// Empty where the answer does not tell.
    pub(super) time_zone: String,
    /// Empty where the answer does not tell.
    pub(super) currency: String,
    pub(super) quota: Option<PropertyQuota>,
}

/// Pageviews by minute.
pub(super) struct MinutesAnswer {
    pub(super) minutes: MinutesAgo,
    pub(super) quota: Option<PropertyQuota>,
}

impl Poll {
    pub(super) fn attempt(&self) -> Attempt {
        Attempt { sent_at: self.sent_at, took: self.took }
    }

    /// The tokens that all its answers have cost.
    pub(super) fn tokens(&self) -> u64 {
        let first = self.result.iter().map(|answer| tokens(answer.quota.as_ref()));
        let second =
            self.minutes.iter().flat_map(|minutes| &minutes.result).map(|answer| tokens(answer.quota.as_ref()));
        first.chain(second).fold(0, u64::saturating_add)
    }

    /// What it has cost, for the ledger.
    pub(super) fn spent(&self) -> Spent {
        let asked_all = self.minutes.is_some() || self.report.requests() == 1;
        let whole = self.result.is_ok() && asked_all && self.minutes_error().is_none();
        let errors = self.result.as_ref().err().into_iter().chain(self.minutes_error());
        let unread = errors.into_iter().any(|error| matches!(error, ga::Error::Timeout(_) | ga::Error::Protocol(_)));
        Spent { tokens: u32::try_from(self.tokens()).unwrap_or(u32::MAX), whole, unread }
    }

    /// What went wrong after the values had come.
    pub(super) fn minutes_error(&self) -> Option<&ga::Error> {
        self.minutes.as_ref()?.result.as_ref().err()
    }
}

/// The tokens that a request has cost. Every bucket is charged the same, but not every one need be told.
fn tokens(quota: Option<&PropertyQuota>) -> u64 {
    let told = |quota: &PropertyQuota| [quota.tokens_per_day, quota.tokens_per_hour, quota.tokens_per_project_per_hour];
    let consumed = quota.into_iter().flat_map(told).flatten().map(|status| status.consumed).max();
    consumed.and_then(|tokens| u64::try_from(tokens).ok()).unwrap_or_default()
}

/// Asks for a report once; for its minutes only after its values, so that a closed quota bucket is tried with one request.
pub(super) async fn poll(client: ga::Client, clock: Clock, job: Job, report: Arc<Report>, zone: Option<Zone>) -> Poll {
    let sent_at = clock.now();
    let started = monotonic();
    let today = zone.as_ref().map(|zone| zone.date(sent_at));
    let accept = |response| answer(&report, response);
    let result = match report.request(today) {
        Request::Core(request) => client.run_report(job.property, &request, accept).await,
        Request::Realtime(request) => client.run_realtime_report(job.property, &request, accept).await,
    };
    let received_at = clock.now();
    let minutes = match report.minutes_request().filter(|_| result.is_ok()) {
        Some(request) => Some(minutes(&client, &clock, &job, &request).await),
        None => None,
    };
    Poll { job, zone, sent_at, received_at, took: started.elapsed(), result, minutes, report }
}

async fn minutes(client: &ga::Client, clock: &Clock, job: &Job, request: &RunRealtimeReportRequest) -> MinutesPoll {
    let sent_at = clock.now();
    let accept = |response: ReportResponse| {
        let minutes = translate::minutes(&response)?;
        Ok::<_, translate::Error>(MinutesAnswer { minutes, quota: response.property_quota })
    };
    let result = client.run_realtime_report(job.property, request, accept).await;
    MinutesPoll { sent_at, received_at: clock.now(), result }
}

fn answer(report: &Report, response: ReportResponse) -> Result<Answer, translate::Error> {
    let (values, history) = if report.is_history() {
        (Box::default(), Some(translate::history(&response)?))
    } else {
        (translate::values(report, &response)?, None)
    };
    let quality = (report.category == Category::Core).then(|| translate::quality(report, &response.metadata));
    Ok(Answer {
        values,
        quality,
        history,
        time_zone: response.metadata.time_zone,
        currency: response.metadata.currency_code,
        quota: response.property_quota,
    })
}
