//! The state of one report of one property, and its values.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    names::{Reason, ReportName},
    report::{Report, ReportQuality, Series},
};

/// One report of one property.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportState {
    /// Its name.
    pub name: ReportName,
    /// Whether it has values of its own that readiness waits for.
    pub has_values: bool,
    /// The planned interval.
    pub interval: Duration,
    /// The last poll, if there was one.
    pub last_attempt: Option<Attempt>,
    /// When the request of the last successful poll was sent.
    pub last_success: Option<Timestamp>,
    /// The current failure.
    pub failure: Option<Arc<Failure>>,
    /// When it is polled next; `None` while a request is in flight.
    pub next_attempt: Option<Timestamp>,
    /// Whether the first poll has ended or was postponed.
    pub has_outcome: bool,
    /// Tokens that it has cost.
    pub tokens_spent: u64,
    /// The last values.
    pub snapshot: Option<Arc<Snapshot>>,
}

/// A failure of a report.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// The reason, as on metrics.
    pub reason: Reason,
    /// What went wrong, as in the log.
    pub message: String,
    /// What an operator can do about it.
    pub remedy: String,
    /// Since when it has been failing, for whatever reason.
    pub since: Timestamp,
}

/// The times of a poll.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attempt {
    /// When the request was sent.
    pub sent_at: Timestamp,
    /// How long the answer took.
    pub took: Duration,
}

/// The values of one answer.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The report that was asked for.
    pub report: Arc<Report>,
    /// Its series: for each row, a value for each of the report's families or for some of them.
    pub values: Series,
    /// The quality of a core report's values, according to Google.
    pub quality: Option<ReportQuality>,
    /// From when on they must not be shown.
    pub expires_at: Timestamp,
}

impl PartialEq for Snapshot {
    fn eq(&self, other: &Self) -> bool {
        let Self { report, values, quality, expires_at } = self;
        *expires_at == other.expires_at
            && *quality == other.quality
            && *values == other.values
            && (Arc::ptr_eq(report, &other.report) || *report == other.report)
    }
}

/// It equals itself, so that sharing it is enough to be equal: reports and their quality have no NaN.
impl Eq for Snapshot {}

impl ReportState {
    /// Creates the state before the first poll, or continues from what is already known of the report.
    pub(super) fn for_report(report: &Report, known: &[Self]) -> Self {
        let new = || Self {
            name: report.name.clone(),
            has_values: !report.families.is_empty(),
            interval: report.interval,
            last_attempt: None,
            last_success: None,
            failure: None,
            next_attempt: None,
            has_outcome: false,
            tokens_spent: 0,
            snapshot: None,
        };
        let mut state = known.iter().find(|state| state.name == report.name).cloned().unwrap_or_else(new);
        state.interval = report.interval;
        state.has_values = !report.families.is_empty();
        if state.reason() == Some(Reason::NotListed) {
            state.failure = None;
            state.last_attempt = None;
        }
        state
    }

    /// Returns the reason of the current failure.
    pub fn reason(&self) -> Option<Reason> {
        self.failure.as_ref().map(|failure| failure.reason)
    }

    /// Whether the last poll succeeded; false before the first.
    pub fn is_up(&self) -> bool {
        self.last_attempt.is_some() && self.failure.is_none()
    }

    /// Applies a successful poll.
    pub fn succeed(&mut self, attempt: Attempt, tokens: u64, snapshot: Snapshot) {
        self.last_attempt = Some(attempt);
        self.last_success = Some(attempt.sent_at);
        self.failure = None;
        self.has_outcome = true;
        self.tokens_spent = self.tokens_spent.saturating_add(tokens);
        self.snapshot = Some(Arc::new(snapshot));
    }

    /// Applies a poll that was not sent, because of the quota or without an access token; the values stay until they
    /// expire.
    pub fn not_sent(&mut self, failure: Failure) {
        self.begin_failure(failure);
    }

    /// Applies a failed poll; the values stay until they expire.
    pub fn fail(&mut self, attempt: Attempt, failure: Failure) {
        self.last_attempt = Some(attempt);
        self.begin_failure(failure);
    }

    pub(super) fn begin_failure(&mut self, mut failure: Failure) {
        if let Some(before) = &self.failure {
            failure.since = before.since;
        }
        self.failure = Some(Arc::new(failure));
        self.has_outcome = true;
    }

    /// Returns the values until they expire.
    pub fn values(&self, now: Timestamp) -> Option<&Arc<Snapshot>> {
        self.snapshot.as_ref().filter(|snapshot| snapshot.expires_at > now)
    }
}
