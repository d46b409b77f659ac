//! Answers before they are converted to HTTP.

use hyper::body::Bytes;
use jiff::SignedDuration;
use serde_json::Value;

use super::{
    body::Then,
    errors::ApiError,
    headers::{self, Headers},
};

/// An answer, ready to be sent.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) status: u16,
    pub(super) headers: Headers,
    /// `WWW-Authenticate`
    pub(super) challenge: Option<&'static str>,
    pub(super) body: Bytes,
    pub(super) then: Then,
    pub(super) date: DateShift,
}

/// The difference between the `Date` header and the simulator's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DateShift {
    pub(super) ahead: SignedDuration,
    /// `Age`, in seconds.
    pub(super) age: Option<u32>,
}

impl Outcome {
    /// A JSON answer of the APIs.
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::json_with(headers::API, status, body)
    }

    /// A JSON answer of another server.
    pub(super) fn json_with(headers: Headers, status: u16, body: &Value) -> Self {
        Self::text(status, headers, format!("{body:#}\n"))
    }

    pub(super) fn error(error: &ApiError) -> Self {
        Self { challenge: error.challenge(), ..Self::json(error.http, &error.body()) }
    }

    pub(super) fn text(status: u16, headers: Headers, text: impl Into<String>) -> Self {
        Self {
            status,
            headers,
            challenge: None,
            body: Bytes::from(text.into()),
            then: Then::End,
            date: DateShift::default(),
        }
    }

    /// Returns whether nothing at all is sent.
    pub(super) fn is_silent(&self) -> bool {
        self.then == Then::Cut && self.body.is_empty()
    }

    /// The answer of Google's front end to an unknown path: an HTML page, not JSON.
    pub(super) fn not_found(path: &str) -> Self {
        let page = format!(
            "<!DOCTYPE html>\n<html lang=en>\n<title>Error 404 (Not Found)!!1</title>\n<p><b>404.</b> <ins>That’s an \
             error.</ins>\n<p>The requested URL <code>{}</code> was not found on this server.  <ins>That’s all we \
             know.</ins>\n",
            path.replace('&', "&amp;").replace('<', "&lt;")
        );
        Self::text(404, headers::PAGE, page)
    }
}
