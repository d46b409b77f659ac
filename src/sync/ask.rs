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

/// Asks for a span. Of one day all rows come, page by page; of more days no more than one page. When the number of rows changes
/// between two pages, the day is asked for once more from its first page.
///
/// # Errors
/// There is no answer.
pub(super) async fn days(
    client: &Client,
    property: PropertyId,
    table: &Table,
    span: Span,
    allowance: &mut Allowance,
    requests: &mut usize,
) -> Result<DailyAnswer, Refusal> {
    if let Some(answer) = pages(client, property, table, span, allowance, requests).await? {
        return Ok(answer);
    }
    let again = pages(client, property, table, span, allowance, requests).await?;
    again.ok_or_else(|| ga::ApiError::Protocol(AnswerError::RowsChanged.to_string()).into())
}

/// Asks for all pages of a span; `None` if the number of rows changed meanwhile.
async fn pages(
    client: &Client,
    property: PropertyId,
    table: &Table,
    span: Span,
    allowance: &mut Allowance,
    requests: &mut usize,
) -> Result<Option<DailyAnswer>, Refusal> {
    let mut answer = page(client, property, table, span, 0, allowance, requests).await?;
    while !answer.is_whole() && span.days() == 1 {
        if answer.received() > MOST_ROWS {
            return Err(ga::ApiError::Protocol(format!("{} has more than {MOST_ROWS} rows", span.first)).into());
        }
        let offset = u64::try_from(answer.received()).unwrap_or(u64::MAX);
        let next = page(client, property, table, span, offset, allowance, requests).await?;
        if next.received() == 0 {
            return Err(ga::ApiError::Protocol(format!("{} has fewer rows than Google says", span.first)).into());
        }
        match answer.append(next) {
            Ok(()) => {}
            Err(AnswerError::RowsChanged | AnswerError::DuplicateRow(_)) => return Ok(None),
            Err(error) => return Err(ga::ApiError::Protocol(error.to_string()).into()),
        }
    }
    Ok(Some(answer))
}

async fn page(
    client: &Client,
    property: PropertyId,
    table: &Table,
    span: Span,
    offset: u64,
    allowance: &mut Allowance,
    requests: &mut usize,
) -> Result<DailyAnswer, Refusal> {
    allowance.admit().map_err(Refusal::Limit)?;
    let request = Request::Core(table.request(span, offset));
    let accept = |response: ReportResponse| {
        let quota = translate::quota(&response)?;
        Ok::<_, AnswerError>((DailyAnswer::read(table, span, &response)?, quota))
    };
    let mut attempt = 0;
    loop {
        *requests += 1;
        match client.report_page(property, &request, accept).await {
            Ok((answer, quota)) => {
                if let Some(quota) = quota {
                    allowance.on_answer(&quota);
                }
                return Ok(answer);
            }
            Err(error) => pause(&error, &mut attempt).await.ok_or(error)?,
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
