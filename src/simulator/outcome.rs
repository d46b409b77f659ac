//! Answers before they become HTTP.

use hyper::body::Bytes;
use serde_json::Value;

use super::{body::Then, errors::ApiError};

/// An answer, ready to be sent.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    /// With the header of the metadata server.
    pub(super) flavor: bool,
    pub(super) body: Bytes,
    pub(super) then: Then,
}

impl Outcome {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            content_type: "application/json; charset=UTF-8",
            flavor: false,
            body: Bytes::from(format!("{body:#}\n")),
            then: Then::End,
        }
    }

    pub(super) fn error(error: &ApiError) -> Self {
        Self::json(error.http, &error.body())
    }

    pub(super) fn text(status: u16, content_type: &'static str, text: impl Into<String>) -> Self {
        Self { status, content_type, flavor: false, body: Bytes::from(text.into()), then: Then::End }
    }

    /// Nothing at all is sent.
    pub(super) fn is_silent(&self) -> bool {
        self.then == Then::Cut && self.body.is_empty()
    }

    /// What Google's front end says of a path that no API has: a page, not JSON.
    pub(super) fn not_found(path: &str) -> Self {
        let page = format!(
            "<!DOCTYPE html>\n<html lang=en>\n<title>Error 404 (Not Found)!!1</title>\n<p><b>404.</b> <ins>That’s an \
             error.</ins>\n<p>The requested URL <code>{}</code> was not found on this server.  <ins>That’s all we \
             know.</ins>\n",
            path.replace('&', "&amp;").replace('<', "&lt;")
        );
        Self::text(404, "text/html; charset=UTF-8", page)
    }
}
