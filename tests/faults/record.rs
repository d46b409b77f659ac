//! What is written down of every scrape while trouble lasts and until it is over.

use std::collections::BTreeMap;

use google_analytics_exporter::simulator::{Method, Request};

use crate::{
    outcome::{Outcome, Seen},
    rig::Rig,
    row::{NEWS, REPORTS, SHOP},
    scrape::Scrape,
};

/// What has been seen so far. Times are in seconds since the start.
pub(crate) struct Record {
    onset: i64,
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
    pub(crate) fn starting(rig: &Rig, before: Scrape) -> Self {
        Self {
            onset: rig.time.seconds(),
            before,
            reports: Default::default(),
            closed: Vec::new(),
            signs: Vec::new(),
            attempts: 0.0,
            others_failed: false,
        }
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
        self.note_signs(scrape);
        if recovery.is_none() {
            self.attempts = scrape.attempts() - self.before.attempts();
        }
        self.others_failed |=
            REPORTS.iter().any(|report| !scrape.is_up(NEWS, report) || !scrape.has_values(NEWS, report));
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
            seen.requests = rig.requests(|r| is_of(r, method(report), SHOP) && in_trouble(r)).await.len();
        }
        let mut late_others = false;
        for report in REPORTS {
            late_others |= is_late(rig, report, self.onset).await;
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

/// Whether there was ever longer between two polls of the other property than its interval.
async fn is_late(rig: &Rig, report: &str, onset: i64) -> bool {
    let interval = if report == "realtime" { 60 } else { 900 };
    let answered = rig.requests(|r| is_of(r, method(report), NEWS) && r.status == Some(200)).await;
    let times: Vec<i64> = answered.iter().map(|request| since_start(rig, request)).collect();
    let ends = [rig.time.seconds()];
    let late = |pair: (&i64, &i64)| *pair.1 >= onset && pair.1 - pair.0 > interval + LEEWAY;
    times.iter().zip(times.iter().skip(1).chain(&ends)).any(late)
}

/// Polls come at whole seconds here.
const LEEWAY: i64 = 2;

/// In seconds.
const MOMENT: i64 = 5;
