//! What the log says of reports: the engine's events as lines.

use ga4_exporter_core::engine::Event;
use humantime::format_duration;
use jiff::Timestamp;
use tracing::{debug, field::display, info, warn};

use ga4_exporter_core::{
    names::Reason,
    quota::{ASSUMED, Limit, Outlook, Share},
    schedule::Job,
    store::Failure,
    timetable::Replanned,
};

/// Logs what has happened.
pub(super) fn event(event: &Event) {
    match event {
        Event::Outlook { outlook, share } => planned(outlook, *share),
        Event::Failure { job, failure, closed_until, like_it } => fails(job, failure, *closed_until, *like_it),
        Event::Recovery { job, reason, like_it } => works_again(job, *reason, *like_it),
        Event::Pace { change, like_it } => pace(change, *like_it),
        Event::HeldBack { job, limit, like_it } => held_back(job, *limit, *like_it),
        Event::Discarded { job } => {
            let (property, report) = (job.property, &job.report);
            debug!(%property, %report, "the day or the zone changed meanwhile; asking again");
        }
        Event::UnknownZone { property, problem } => warn!(
            %property, error = problem, "the property's midnight is not known; its day values end with the next midnight anywhere"
        ),
        Event::NoBaseline { property, problem } => {
            info!(%property, reason = problem, "drops of its traffic cannot be seen yet");
        }
        Event::Baseline { property } => info!(%property, "drops of its traffic can be seen now"),
        Event::HistoryGone { property } => {
            warn!(%property, "Google has no history of the property any more; what was usual stays until it is too old");
        }
        Event::ClockInDoubt { job } => {
            let (property, report) = (job.property, &job.report);
            debug!(%property, %report, "Google's clock shows another time than this machine's; asking again");
        }
        Event::ClockWrong { failure: Failure { message, remedy, .. } } => {
            warn!(error = message, remedy, "the clock is wrong; values by date are not shown until it is set");
        }
        Event::ClockRight => info!("this machine's clock agrees with Google's again; asking for the values by date"),
        Event::ClockSetBack { by } => {
            warn!(seconds = by.as_secs(), "the clock was set back; due times are moved with it");
        }
    }
}

fn fails(job: &Job, failure: &Failure, closed_until: Option<Timestamp>, like_it: Option<u64>) {
    let (property, report) = (job.property, &job.report);
    let Failure { reason, message: error, remedy, .. } = failure;
    let closed_until = closed_until.map(display);
    match like_it {
        None => debug!(%property, %report, %reason, error, "the report fails"),
        Some(0) => warn!(%property, %report, %reason, error, closed_until, remedy, "the report fails"),
        Some(like_it) => {
            warn!(%property, %report, %reason, error, closed_until, remedy, like_it, "the report fails, as others did");
        }
    }
}

fn works_again(job: &Job, reason: Reason, like_it: Option<u64>) {
    let (property, report) = (job.property, &job.report);
    match like_it {
        None => debug!(%property, %report, %reason, "the report works again"),
        Some(0) => info!(%property, %report, %reason, "the report works again"),
        Some(like_it) => info!(%property, %report, %reason, like_it, "the report works again, as others do"),
    }
}

/// What the reports will spend of each property, as far as that is known before.
fn planned(outlook: &Outlook, share: Share) {
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
                report = %report_name, %interval, %configured, %bucket, %share, tokens_per_hour = per_hour,
                tokens_per_day = per_day,
                "the configured interval cannot be kept, if a request costs {ASSUMED} tokens: it would spend more than our share"
            ),
        }
    }
    for bucket in &outlook.buckets {
        let percent = (bucket.part * 1000.0).round() / 10.0;
        info!(category = %bucket.category, bucket = %bucket.bucket, percent, "planned to be spent of the bucket");
    }
}

/// A report is polled less often because of a quota, or no longer.
fn pace(change: &Replanned, like_it: Option<u64>) {
    let (property, report) = (change.job.property, &change.job.report);
    let (interval, configured) = (format_duration(change.interval), format_duration(change.configured));
    match (change.limit, like_it) {
        (None, Some(like_it)) => {
            info!(%property, %report, %interval, like_it, "the report is polled as configured again")
        }
        (None, None) => debug!(%property, %report, %interval, "the report is polled as configured again"),
        (Some(limit), Some(like_it)) => {
            let (bucket, remedy) = (limit.bucket(), limit.remedy());
            let message = match limit {
                Limit::Share(_) => {
                    "the report is polled less often than configured: it would spend more than our share"
                }
                Limit::Reserve(_) => {
                    "the report is polled less often than configured: others leave little of the bucket"
                }
            };
            warn!(%property, %report, %bucket, %interval, %configured, like_it, remedy, "{message}");
        }
        (Some(limit), None) => {
            debug!(%property, %report, bucket = %limit.bucket(), %interval, "the report is polled less often");
        }
    }
}

/// A report is due and not asked for.
fn held_back(job: &Job, limit: Limit, like_it: Option<u64>) {
    let (property, report, bucket) = (job.property, &job.report, limit.bucket());
    match like_it {
        Some(like_it) => {
            warn!(%property, %report, %bucket, like_it, remedy = limit.remedy(), "{}", limit.message());
        }
        None => debug!(%property, %report, %bucket, "{}", limit.message()),
    }
}
