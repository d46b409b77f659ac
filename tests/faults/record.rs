//! What is written down of every scrape while trouble lasts and until it is over.

use std::collections::BTreeMap;

use ga4_simulator::{Method, Request};
use jiff::Timestamp;

use crate::{
    outcome::{Outcome, Seen},
    rig::Rig,
    row::{NEWS, REPORTS, SHOP, Setting},
    scrape::Scrape,
};

/// What has been seen so far. Times are in seconds since the start.
pub(crate) struct Record {
    onset: i64,
    /// When a scrape was noted last.
    noted_at: i64,
    /// Of the reports, in seconds.
    intervals: [i64; 2],
    /// From one scrape to the next, in seconds.
    scrape_every: i64,
    before: Scrape,
    reports: [Seen; 2],
    /// Closed buckets: for how long, when they were closed first.
    closed: Vec<(String, i64)>,
    signs: Vec<String>,
    /// By the last scrape of the trouble.
    attempts: f64,
    /// Whether values of the other property were missing, or a report of it failed.
    others_failed: bool,
}

impl Record {
    pub(crate) fn starting(rig: &Rig, before: Scrape, setting: &Setting) -> Self {
        Self {
            onset: rig.time.seconds(),
            noted_at: rig.time.seconds(),
            intervals: setting.intervals,
            scrape_every: setting.scrape_every,
            before,
            reports: Default::default(),
            closed: Vec::new(),
            signs: Vec::new(),
            attempts: 0.0,
            others_failed: false,
        }
    }

    /// The trouble has begun; if the machine has slept, nobody has seen anything meanwhile.
    pub(crate) fn begun(&mut self, rig: &Rig) {
        self.noted_at = rig.time.seconds();
    }

    /// Notes a scrape. `recovery` is when the trouble was over.
    pub(crate) async fn note(&mut self, rig: &Rig, scrape: &Scrape, recovery: Option<i64>) {
        let now = rig.time.seconds();
        for (report, seen) in REPORTS.iter().zip(&mut self.reports) {
            let has_values = scrape.has_values(SHOP, report);
            if seen.fresh_after.is_none() {
                match scrape.reason(SHOP, report) {
                    Some(reason) if !seen.reasons.iter().any(|known| known == reason) => {
                        seen.reasons.push(reason.to_owned());
                    }
                    _ => {}
                }
                if !has_values && seen.gone_after.is_none() {
                    seen.gone_after = Some(now - self.onset);
                }
            }
            if !has_values {
                seen.gone_for += now - self.noted_at;
            }
            if seen.fresh_after.is_none()
                && let Some(recovery) = recovery
                && has_values
                && scrape.is_up(SHOP, report)
                && was_answered(rig, method(report), SHOP, recovery).await
            {
                seen.fresh_after = Some(now - recovery);
            }
        }
        for (bucket, until) in scrape.closed(SHOP) {
            if !self.closed.iter().any(|(known, _)| *known == bucket) {
                #[expect(clippy::cast_possible_truncation, reason = "seconds of a day")]
                let left = until as i64 - rig.time.now().as_second();
                self.closed.push((bucket, left));
            }
        }
        self.noted_at = now;
        self.note_signs(scrape);
        if recovery.is_none() {
            self.attempts = scrape.attempts() - self.before.attempts();
        }
        // The values of a day go when it ends, and those of the next come within minutes.
        let is_new_day = rig.time.now().duration_since(last_midnight(rig)).as_secs() <= NEW_DAY;
        let has_values = |report: &str| scrape.has_values(NEWS, report) || (is_new_day && report == "traffic");
        self.others_failed |= REPORTS.iter().any(|report| !(scrape.is_up(NEWS, report) && has_values(report)));
    }

    /// Whether everything is as before, of the other property too.
    pub(crate) async fn is_over(&self, rig: &Rig, scrape: &Scrape, recovery: i64) -> bool {
        if self.reports.iter().any(|seen| seen.fresh_after.is_none()) {
            return false;
        }
        for report in REPORTS {
            if !scrape.has_values(NEWS, report) || !was_answered(rig, method(report), NEWS, recovery).await {
                return false;
            }
        }
        true
    }

    pub(crate) async fn outcome(mut self, rig: &Rig, recovery: i64, is_moment: bool) -> Outcome {
        // What is over as it happens has the next seconds for what it brings.
        let moment = if is_moment { recovery + MOMENT } else { recovery };
        let in_trouble = |request: &Request| {
            let at = since_start(rig, request);
            self.onset <= at && at < moment
        };
        for (report, seen) in REPORTS.iter().zip(&mut self.reports) {
            // A moment that one scrape saw, and another may not see.
            if (1..=self.scrape_every).contains(&seen.gone_for) {
                seen.gone_after = None;
            }
            seen.requests = rig.requests(|r| is_of(r, method(report), SHOP) && in_trouble(r)).await.len();
        }
        let mut late_others = false;
        for (report, interval) in REPORTS.iter().zip(self.intervals) {
            late_others |= is_late(rig, report, interval, self.onset).await;
        }
        let sign_in = rig.requests(|r| r.method == Some(Method::Token) && in_trouble(r)).await.len();
        let listings = rig.requests(|r| r.method == Some(Method::AccountSummaries) && in_trouble(r)).await.len();
        Outcome {
            lasted: recovery - self.onset,
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
            attempts: self.attempts as usize,
            sign_in,
            listings,
            late_others,
            others_failed: self.others_failed,
            reports: self.reports,
            closed: self.closed,
            signs: self.signs,
        }
    }

    fn note_signs(&mut self, scrape: &Scrape) {
        let mut signs = Vec::new();
        for gauge in ["discovery_up", "config_last_reload_successful"] {
            if scrape.own(gauge) == Some(0.0) {
                signs.push(format!("`{gauge}` 0"));
            }
        }
        let before: BTreeMap<&str, f64> = self.before.by_reason("token_refresh_failures_total").collect();
        for (reason, count) in scrape.by_reason("token_refresh_failures_total") {
            if count > before.get(reason).copied().unwrap_or_default() {
                signs.push(format!("`token_refresh_failures_total` {reason}"));
            }
        }
        if !scrape.knows(SHOP) {
            signs.push("`report_up` gone".to_owned());
        }
        self.note_all(signs);
    }

    /// Notes other signs than those of `/metrics`.
    pub(crate) fn note_all(&mut self, signs: Vec<String>) {
        for sign in signs {
            if !self.signs.contains(&sign) {
                self.signs.push(sign);
            }
        }
    }
}

fn method(report: &str) -> Method {
    if report == "realtime" { Method::RunRealtimeReport } else { Method::RunReport }
}

fn since_start(rig: &Rig, request: &Request) -> i64 {
    rig.time.seconds() - rig.time.now().duration_since(request.at).as_secs()
}

fn is_of(request: &Request, method: Method, property: &str) -> bool {
    request.method == Some(method) && request.property.as_deref() == Some(property)
}

/// Whether a request that was sent at this time or later has been answered with a report.
async fn was_answered(rig: &Rig, method: Method, property: &str, since: i64) -> bool {
    let wanted = |r: &Request| is_of(r, method, property) && r.status == Some(200) && since_start(rig, r) >= since;
    !rig.requests(wanted).await.is_empty()
}

/// The beginning of the other property's day.
fn last_midnight(rig: &Rig) -> Timestamp {
    let local = rig.time.now().in_tz("Asia/Kolkata").unwrap();
    local.start_of_day().unwrap().timestamp()
}

/// Whether there was ever longer between two polls of the other property than the interval.
async fn is_late(rig: &Rig, report: &str, interval: i64, onset: i64) -> bool {
    let answered = rig.requests(|r| is_of(r, method(report), NEWS) && r.status == Some(200)).await;
    let times: Vec<i64> = answered.iter().map(|request| since_start(rig, request)).collect();
    let ends = [rig.time.seconds()];
    let late = |pair: (&i64, &i64)| *pair.1 >= onset && pair.1 - pair.0 > interval + LEEWAY.max(interval / 30);
    times.iter().zip(times.iter().skip(1).chain(&ends)).any(late)
}

/// In seconds: the new day's reports are spread over five minutes, and come at whole steps.
const NEW_DAY: i64 = 370;

/// Polls come at whole steps here.
const LEEWAY: i64 = 2;

/// In seconds.
const MOMENT: i64 = 10;
