//! Requests some days of a property: reads all pages of a single day, and retries passing errors.

use std::time::Duration;

use ga4_exporter_core::{
    daily::{AnswerError, DailyAnswer, Span, Table},
    names::{PropertyId, Reason},
    quota::{Allowance, Overspent},
    report::Request,
    translate,
    wire::response::ReportResponse,
};

use crate::ga::{self, Client};

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Google refuses, does not answer, or answers with something else.
    Google(ga::ApiError),
    /// Our own limit forbids the request.
    Limit(Overspent),
}

impl From<ga::ApiError> for Refusal {
    fn from(error: ga::ApiError) -> Self {
        Self::Google(error)
    }
}

/// Requests to one property for one report.
pub(super) struct Asking<'a> {
    pub(super) client: &'a Client,
    pub(super) property: PropertyId,
    pub(super) table: &'a Table,
    pub(super) allowance: &'a mut Allowance,
    /// Counts the requests.
    pub(super) requests: &'a mut usize,
}

impl Asking<'_> {
    /// Asks for a span. Of one day all rows come, page by page; of more days no more than one page. When the number of rows
    /// changes between two pages, the day is asked for once more from its first page.
    ///
    /// # Errors
    /// There is no answer.
    pub(super) async fn days(mut self, span: Span) -> Result<DailyAnswer, Refusal> {
        if let Some(answer) = self.pages(span).await? {
            return Ok(answer);
        }
        let again = self.pages(span).await?;
        again.ok_or_else(|| ga::ApiError::Protocol(AnswerError::RowsChanged.to_string()).into())
    }

    /// Asks for all pages of a span; `None` if the number of rows changed meanwhile.
    async fn pages(&mut self, span: Span) -> Result<Option<DailyAnswer>, Refusal> {
        let mut answer = self.page(span, 0).await?;
        while !answer.is_whole() && span.days() == 1 {
            let received = answer.received();
            if received > MOST_ROWS {
                return Err(ga::ApiError::Protocol(format!("{} has more than {MOST_ROWS} rows", span.first)).into());
            }
            let next = self.page(span, u64::try_from(received).unwrap_or(u64::MAX)).await?;
            match answer.append(next) {
                Ok(()) => {}
                Err(AnswerError::RowsChanged | AnswerError::DuplicateRow(_)) => return Ok(None),
                Err(error) => return Err(ga::ApiError::Protocol(error.to_string()).into()),
            }
            if answer.received() == received {
                return Err(ga::ApiError::Protocol(format!("{} has fewer rows than Google says", span.first)).into());
            }
        }
        Ok(Some(answer))
    }

    async fn page(&mut self, span: Span, offset: u64) -> Result<DailyAnswer, Refusal> {
        self.allowance.admit().map_err(Refusal::Limit)?;
        let table = self.table;
        let request = Request::Core(table.request(span, offset));
        let accept = |response: ReportResponse| {
            let quota = translate::quota(&response)?;
            Ok::<_, AnswerError>((DailyAnswer::read(table, span, &response)?, quota))
        };
        let mut attempt = 0;
        loop {
            *self.requests += 1;
            match self.client.report_page(self.property, &request, accept).await {
                Ok((answer, quota)) => {
                    if let Some(quota) = quota {
                        self.allowance.on_answer(&quota);
                    }
                    return Ok(answer);
                }
                Err(error) => pause(&error, &mut attempt).await.ok_or(error)?,
            }
        }
    }
}

/// Waits before the next attempt; `None` when there is none.
pub(super) async fn pause(error: &ga::ApiError, attempt: &mut usize) -> Option<()> {
    let pauses = match error.reason() {
        Reason::ServerError | Reason::Timeout | Reason::Connection => PAUSES,
        Reason::RateLimit | Reason::QuotaConcurrent => LONG_PAUSES,
        Reason::InvalidRequest
        | Reason::Unauthenticated
        | Reason::NoAccess
        | Reason::NotListed
        | Reason::ApiDisabled
        | Reason::InsufficientScope
        | Reason::CloudProject
        | Reason::Perimeter
        | Reason::QuotaDay
        | Reason::QuotaHour
        | Reason::QuotaProjectHour
        | Reason::QuotaThresholded
        | Reason::QuotaClientErrors
        | Reason::QuotaUnknown
        | Reason::Protocol
        | Reason::Clock
        | Reason::NoCredentials => &[],
    };
    let pause = *pauses.get(*attempt)?;
    *attempt += 1;
    tokio::time::sleep(pause).await;
    Some(())
}

/// Google blocks a project from a property after 10 server errors in an hour, so there are few attempts.
const PAUSES: &[Duration] = &[Duration::from_secs(1), Duration::from_secs(5)];

const LONG_PAUSES: &[Duration] = &[Duration::from_secs(15), Duration::from_mins(1)];

/// Limits the memory that one day can use.
const MOST_ROWS: usize = 5_000_000;
