//! Asking the Data API for a part of a long report.

use std::fmt;

use ga4_exporter_core::{
    names::{Method, PropertyId},
    report::Request,
    wire::{
        ApiError,
        response::{LongResponse, ReportResponse},
    },
};

use super::{Client, client::expect_kind};
use crate::transport::Longest;

impl Client {
    /// A page of up to 250,000 rows. `accept` makes of it what the caller wants, or says why it is not the one that was asked for.
    ///
    /// # Errors
    /// See [`ApiError`]; an answer that is not a report, or that is not accepted, is [`ApiError::Protocol`].
    pub async fn report_page<T, E: fmt::Display>(
        &self,
        property: PropertyId,
        request: &Request,
        accept: impl Fn(ReportResponse) -> Result<T, E>,
    ) -> Result<T, ApiError> {
        let method = match request {
            Request::Core(_) => Method::RunReport,
            Request::Realtime(_) => Method::RunRealtimeReport,
        };
        let accept = |LongResponse(response): LongResponse| {
            expect_kind(&response.kind, &format!("analyticsData#{method}"))?;
            accept(response).map_err(|error| error.to_string())
        };
        match request {
            Request::Core(request) => self.post_long(method, Longest::Page, property, request, accept).await,
            Request::Realtime(request) => self.post_long(method, Longest::Page, property, request, accept).await,
        }
    }
}
