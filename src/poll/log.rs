//! Logs the engine's events about reports, and what becomes of saved states.
//!
//! Knows how each event reads, and looks up the names of properties. Every line about a property has its number, and
//! its name if it is known. Empty fields are omitted.

use ga4_drop_baseline::TrafficDrop;
use ga4_exporter_core::{
    chain::Chain,
    engine::{Event, SeriesLimit},
    names::{PropertyId, Reason},
    quota::{ASSUMED, Limit, Outlook, Share},
    schedule::Job,
    store::{Failure, Store},
    timetable::Replanned,
};
use humantime::format_duration;
use jiff::{SignedDuration, Timestamp};
use tracing::{debug, field::display, info, warn};

use crate::{enumeration::enumerated, storage::LoadError};

/// Logs an event. Property names are the ones that the store has at this time.
pub(super) fn event(event: &Event, store: &Store) {
    match event {
        Event::Outlook { outlook, share } => planned(outlook, *share),
        Event::Failure { job, failure, closed_until, suppressed } => {
            fails(&Subject::of(job, store), failure, *closed_until, *suppressed);
        }
        Event::Recovery { job, reason, suppressed } => works_again(&Subject::of(job, store), *reason, *suppressed),
        Event::Pace { change, suppressed } => pace(&Subject::of(&change.job, store), change, *suppressed),
        Event::HeldBack { job, limit, suppressed } => held_back(&Subject::of(job, store), *limit, *suppressed),
        Event::SeriesLost { job, kept, dropped, limit, suppressed } => {
            series_lost(&Subject::of(job, store), (*kept, *dropped), *limit, *suppressed);
        }
        Event::Discarded { job } => polls_again(job, store, "the property's day or time zone changed during the poll"),
        Event::DropAlertOff => info!("drop alert off: it needs the reports realtime and baseline"),
        Event::DropAlert { ready, not_ready, learning_until } => {
            drop_alert(*ready, not_ready, *learning_until, store);
        }
        Event::DropBegan { property, drop } => drop_began(*property, drop, store),
        Event::DropEnded { property, began_at, lasted } => drop_ended(*property, *began_at, *lasted, store),
        Event::UnknownZone { property, problem } => unknown_zone(*property, problem, store),
        Event::NoBaseline { property, problem } => no_baseline(*property, problem, store),
        Event::Baseline { property } => baseline(*property, store),
        Event::HistoryGone { property } => history_gone(*property, store),
        Event::ClockInDoubt { job } => polls_again(job, store, "this machine's clock differs from Google's"),
        Event::ClockWrong { failure: Failure { message, remedy, .. } } => {
            warn!(error = message, remedy, "the clock is wrong; values by date are not shown until it is set");
        }
        Event::ClockRight => info!("this machine's clock agrees with Google's again; polling the values by date"),
        Event::ClockSetBack { by } => {
            warn!(seconds = by.as_secs(), "the clock was set back; moving due times back with it");
        }
    }
}

/// Logs that the saved state of a property is not used. `name` is the property's, if it is known.
pub(super) fn not_loaded(property: PropertyId, name: Option<&str>, error: &LoadError) {
    let error = Chain(error);
    warn!(%property, property_name = name, %error, "cannot use the saved state of the property, starting without it");
}

/// The property and the report that a line is about.
struct Subject<'a> {
    property: PropertyId,
    name: Option<String>,
    report: &'a str,
}

impl<'a> Subject<'a> {
    fn of(job: &'a Job, store: &Store) -> Self {
        Self { property: job.property, name: name_of(job.property, store), report: job.report.as_str() }
    }
}

/// Returns the name of a property, if Google has reported it.
fn name_of(property: PropertyId, store: &Store) -> Option<String> {
    store.property(property)?.info.known_name().map(str::to_owned)
}

/// Logs that an answer is not used and its report is polled again.
fn polls_again(job: &Job, store: &Store, cause: &str) {
    let Subject { property, name, report } = &Subject::of(job, store);
    let property_name = name.as_deref();
    debug!(%property, property_name, report, "{cause}; polling again");
}

fn unknown_zone(property: PropertyId, problem: &str, store: &Store) {
    let name = name_of(property, store);
    warn!(
        %property, property_name = name.as_deref(), error = problem,
        "cannot determine the property's midnight; its values by date end at the next midnight of any time zone, and \
         it has no drop alert"
    );
}

fn no_baseline(property: PropertyId, problem: &str, store: &Store) {
    let name = name_of(property, store);
    info!(
        %property, property_name = name.as_deref(), reason = problem,
        "drop alert not ready for the property: there is no baseline"
    );
}

fn baseline(property: PropertyId, store: &Store) {
    let name = name_of(property, store);
    info!(%property, property_name = name.as_deref(), "the property has a baseline now");
}

fn history_gone(property: PropertyId, store: &Store) {
    let name = name_of(property, store);
    warn!(
        %property, property_name = name.as_deref(),
        "Google no longer has a history of the property; the baseline stays in use until it expires"
    );
}

fn fails(subject: &Subject<'_>, failure: &Failure, closed_until: Option<Timestamp>, suppressed: Option<u64>) {
    let Subject { property, name, report } = subject;
    let property_name = name.as_deref();
    let Failure { reason, message: error, remedy, .. } = failure;
    let closed_until = closed_until.map(display);
    let Some(suppressed) = suppressed.map(some) else {
        debug!(%property, property_name, report, %reason, error, "report failed");
        return;
    };
    if reason.concerns_property() {
        warn!(%property, property_name, %reason, error, suppressed, remedy, "cannot read the property: all of its reports fail");
    } else {
        warn!(%property, property_name, report, %reason, error, closed_until, suppressed, remedy, "report failed");
    }
}

fn works_again(subject: &Subject<'_>, reason: Reason, suppressed: Option<u64>) {
    let Subject { property, name, report } = subject;
    let property_name = name.as_deref();
    let Some(suppressed) = suppressed.map(some) else {
        debug!(%property, property_name, report, %reason, "report works again");
        return;
    };
    if reason.concerns_property() {
        info!(%property, property_name, %reason, suppressed, "the property can be read again: all of its reports work");
    } else {
        info!(%property, property_name, report, %reason, suppressed, "report works again");
    }
}

/// Logs what the reports are expected to spend of each property's quota.
fn planned(outlook: &Outlook, share: Share) {
    if outlook.slowed().next().is_none() {
        info!(%share, tokens_per_request = ASSUMED, "quota plan {outlook} of each property");
    } else {
        let remedy = "poll these reports less often, or raise quota.share";
        warn!(%share, tokens_per_request = ASSUMED, remedy, "quota plan {outlook}");
    }
}

/// Logs that a report is polled less often because of a quota, or at its configured interval again.
fn pace(subject: &Subject<'_>, change: &Replanned, suppressed: Option<u64>) {
    let Subject { property, name, report } = subject;
    let property_name = name.as_deref();
    let (interval, configured) = (format_duration(change.interval), format_duration(change.configured));
    match (change.limit, suppressed.map(some)) {
        (None, Some(suppressed)) => {
            info!(%property, property_name, report, %interval, suppressed, "report is polled as configured again");
        }
        (None, None) => debug!(%property, property_name, report, %interval, "report is polled as configured again"),
        (Some(limit), Some(suppressed)) => {
            let (bucket, remedy) = (limit.bucket(), limit.remedy());
            let message = match limit {
                Limit::Share(_) => "report is polled less often than configured: it would exceed quota.share",
                Limit::Reserve(_) => {
                    "report is polled less often than configured: other tools leave too little of the bucket"
                }
            };
            warn!(%property, property_name, report, %bucket, %interval, %configured, suppressed, remedy, "{message}");
        }
        (Some(limit), None) => {
            debug!(%property, property_name, report, bucket = %limit.bucket(), %interval, "report is polled less often");
        }
    }
}

/// Logs that a due report is not sent.
fn held_back(subject: &Subject<'_>, limit: Limit, suppressed: Option<u64>) {
    let Subject { property, name, report } = subject;
    let (property_name, bucket) = (name.as_deref(), limit.bucket());
    match suppressed.map(some) {
        Some(suppressed) => {
            let remedy = limit.remedy();
            warn!(%property, property_name, report, %bucket, suppressed, remedy, "{}", limit.message());
        }
        None => debug!(%property, property_name, report, %bucket, "{}", limit.message()),
    }
}

/// Logs for which properties the drop alert is active.
fn drop_alert(ready: usize, not_ready: &[PropertyId], learning_until: Option<Timestamp>, store: &Store) {
    let all = ready + not_ready.len();
    let names = not_ready.iter().map(|id| name_of(*id, store).unwrap_or_else(|| id.to_string()));
    let not_ready = (!not_ready.is_empty()).then(|| enumerated(names));
    match (ready, learning_until) {
        (0, _) => warn!(not_ready, "drop alert not ready: no property has both a baseline and recent minutes"),
        (_, None) => info!(not_ready, "drop alert ready for {ready} of {all} properties"),
        (_, Some(learning_until)) => {
            let until = learning_until.strftime("%H:%M UTC");
            info!(
                %learning_until, not_ready,
                "drop alert ready for {ready} of {all} properties; until {until} only near-total outages page"
            );
        }
    }
}

fn drop_began(property: PropertyId, drop: &TrafficDrop, store: &Store) {
    let name = name_of(property, store);
    let missing = format!("{:.0}%", 100.0 * drop.depth);
    // Without a window, only the minute-by-minute evidence of the last hours shows the drop.
    let window = drop.window.map(|count| count.window.name);
    let pageviews = drop.window.map(|count| format!("{:.0}", count.pageviews));
    let usual = drop.window.map(|count| format!("{:.0}", count.expected));
    warn!(%property, property_name = name.as_deref(), missing, window, pageviews, usual, "traffic drop began");
}

fn drop_ended(property: PropertyId, began_at: Timestamp, lasted: SignedDuration, store: &Store) {
    let name = name_of(property, store);
    let lasted = format_duration(lasted.unsigned_abs());
    info!(%property, property_name = name.as_deref(), %lasted, %began_at, "traffic drop ended");
}

/// Returns the count unless it is 0.
fn some(count: u64) -> Option<u64> {
    Some(count).filter(|count| *count > 0)
}

/// Logs that a report has begun to exceed its limit of series.
fn series_lost(
    subject: &Subject<'_>,
    (exported, dropped): (usize, usize),
    limit: SeriesLimit,
    suppressed: Option<u64>,
) {
    let Subject { property, name, report } = subject;
    let (property_name, limit) = (name.as_deref(), limit.key());
    match suppressed.map(some) {
        Some(suppressed) => warn!(
            %property, property_name, report, exported, dropped, limit, suppressed,
            remedy = "raise the limit, or narrow the report with `filter` or `limit`",
            "report exceeds its limit of series; the rest is not exported"
        ),
        None => {
            debug!(%property, property_name, report, exported, dropped, limit, "report exceeds its limit of series")
        }
    }
}
