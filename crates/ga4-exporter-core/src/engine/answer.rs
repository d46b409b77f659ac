//! A poll: its requests, its answers, and what they contain.

use std::{sync::Arc, time::Duration};

use ga4_drop_baseline::{History, MinutesAgo, calendar::Zone};
use jiff::Timestamp;

use crate::{
    names::Category,
    quota::Spent,
    report::{Report, ReportQuality, Series},
    schedule::Job,
    store::Attempt,
    translate,
    wire::{
        self,
        response::{PropertyQuota, ReportResponse},
    },
};

/// A poll to make.
#[derive(Clone, Debug)]
pub struct Poll {
    /// The report and the property.
    pub job: Job,
    /// The definition of the report.
    pub report: Arc<Report>,
    /// The zone that the request's dates are made for, where it is known.
    pub zone: Option<Zone>,
}

/// A finished poll.
#[derive(Debug)]
pub struct Polled {
    /// The poll as it was started.
    pub poll: Poll,
    /// The account that signed in, for remedies that name it.
    pub account: Option<Arc<str>>,
    /// When the first request was sent.
    pub sent_at: Timestamp,
    /// When its answer was complete.
    pub received_at: Timestamp,
    /// The time in between.
    pub took: Duration,
    /// The answer.
    pub result: Result<PollAnswer, wire::ApiError>,
    /// The second request, if there is one and the first succeeded.
    pub minutes: Option<PolledMinutes>,
}

/// The finished request for pageviews by minute.
#[derive(Debug)]
pub struct PolledMinutes {
    /// When it was sent.
    pub sent_at: Timestamp,
    /// When its answer was complete.
    pub received_at: Timestamp,
    /// The answer.
    pub result: Result<MinutesAnswer, wire::ApiError>,
}

/// The content of an answer.
#[derive(Clone, Debug)]
pub struct PollAnswer {
    /// The series of the report's families.
    pub values: Series,
    /// Their quality according to Google; none for realtime.
    pub quality: Option<ReportQuality>,
    /// The hours, if the report is a history.
    pub history: Option<History>,
    /// IANA name of the time zone; empty if the answer has none.
    pub time_zone: String,
    /// ISO 4217 code of the currency; empty if the answer has none.
    pub currency: String,
    /// The quota according to Google.
    pub quota: Option<PropertyQuota>,
}

/// Pageviews by minute.
#[derive(Clone, Debug)]
pub struct MinutesAnswer {
    /// Indexed by minutes ago.
    pub minutes: MinutesAgo,
    /// The quota according to Google.
    pub quota: Option<PropertyQuota>,
}

impl PollAnswer {
    /// Reads the answer to this report.
    ///
    /// # Errors
    /// The answer does not match the report; nothing of it is used.
    pub fn read(report: &Report, response: ReportResponse) -> Result<Self, translate::TranslateError> {
        let (values, history) = if report.is_history() {
            (Series::default(), Some(translate::history(&response)?))
        } else {
            (translate::values(report, &response)?, None)
        };
        let quota = translate::quota(&response)?;
        let quality = (report.category == Category::Core).then(|| translate::quality(report, &response.metadata));
        Ok(Self {
            values,
            quality,
            history,
            time_zone: response.metadata.time_zone,
            currency: response.metadata.currency_code,
            quota,
        })
    }
}

impl MinutesAnswer {
    /// Reads the answer to a report's second request.
    ///
    /// # Errors
    /// The answer does not match the request; nothing of it is used.
    pub fn read(response: ReportResponse) -> Result<Self, translate::TranslateError> {
        Ok(Self { minutes: translate::minutes(&response)?, quota: translate::quota(&response)? })
    }
}

impl Polled {
    /// Clamps all times to `now`, after the clock was set back.
    pub(super) fn clamp_times_to(&mut self, now: Timestamp) {
        self.sent_at = self.sent_at.min(now);
        self.received_at = self.received_at.min(now);
        if let Some(minutes) = &mut self.minutes {
            minutes.sent_at = minutes.sent_at.min(now);
            minutes.received_at = minutes.received_at.min(now);
        }
    }

    pub(super) fn attempt(&self) -> Attempt {
        Attempt { sent_at: self.sent_at, took: self.took }
    }

    /// Returns the tokens that all its answers cost.
    pub(super) fn tokens(&self) -> u64 {
        let first = self.result.iter().map(|answer| tokens(answer.quota.as_ref()));
        let second =
            self.minutes.iter().flat_map(|minutes| &minutes.result).map(|answer| tokens(answer.quota.as_ref()));
        first.chain(second).fold(0, u64::saturating_add)
    }

    /// Returns its cost for the ledger.
    pub(super) fn spent(&self) -> Spent {
        let asked_all = self.minutes.is_some() || self.poll.report.requests() == 1;
        let whole = self.result.is_ok() && asked_all && self.minutes_error().is_none();
        let errors = self.result.as_ref().err().into_iter().chain(self.minutes_error());
        let unread =
            errors.into_iter().any(|error| matches!(error, wire::ApiError::Timeout(_) | wire::ApiError::Protocol(_)));
        Spent { tokens: u32::try_from(self.tokens()).unwrap_or(u32::MAX), whole, unread }
    }

    /// Returns the error of the second request, after the values had arrived.
    pub(super) fn minutes_error(&self) -> Option<&wire::ApiError> {
        self.minutes.as_ref()?.result.as_ref().err()
    }
}

/// Returns the tokens that a request cost. Every bucket is charged the same, but an answer may name only some.
fn tokens(quota: Option<&PropertyQuota>) -> u64 {
    let named =
        |quota: &PropertyQuota| [quota.tokens_per_day, quota.tokens_per_hour, quota.tokens_per_project_per_hour];
    let consumed = quota.into_iter().flat_map(named).flatten().map(|status| status.consumed).max();
    consumed.and_then(|tokens| u64::try_from(tokens).ok()).unwrap_or_default()
}
