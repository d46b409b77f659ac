//! Makes one poll: sends its requests one after the other, and records when each was sent and answered.

use ga4_exporter_core::engine::{MinutesAnswer, Poll, PollAnswer, Polled, PolledMinutes};

use ga4_exporter_core::{report::Request, schedule::Job, wire::request::RunRealtimeReportRequest};

use crate::{
    clock::{Clock, monotonic},
    ga,
};

/// Requests a report once. Requests its minutes only after its values, so that a closed quota bucket costs one
/// request.
pub(super) async fn make(client: ga::Client, clock: Clock, poll: Poll) -> Polled {
    let sent_at = clock.now();
    let started = monotonic();
    let today = poll.zone.as_ref().map(|zone| zone.date(sent_at));
    let accept = |response| PollAnswer::read(&poll.report, response);
    let result = match poll.report.request(today) {
        Request::Core(request) => client.run_report(poll.job.property, &request, accept).await,
        Request::Realtime(request) => client.run_realtime_report(poll.job.property, &request, accept).await,
    };
    let received_at = clock.now();
    let minutes = match poll.report.minutes_request().filter(|_| result.is_ok()) {
        Some(request) => Some(minutes(&client, &clock, &poll.job, &request).await),
        None => None,
    };
    Polled { account: client.account(), sent_at, received_at, took: started.elapsed(), result, minutes, poll }
}

async fn minutes(client: &ga::Client, clock: &Clock, job: &Job, request: &RunRealtimeReportRequest) -> PolledMinutes {
    let sent_at = clock.now();
    let result = client.run_realtime_report(job.property, request, MinutesAnswer::read).await;
    PolledMinutes { sent_at, received_at: clock.now(), result }
}
