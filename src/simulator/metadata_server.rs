//! The metadata server of a virtual machine in Google's cloud, as far as signing in needs it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    api::{Call, State},
    form::Form,
    outcome::Outcome,
    token::{CLIENT_EMAIL, PROJECT_ID},
};

/// Answers a request for metadata. Everything but the probe of `/` must carry `Metadata-Flavor: Google`.
pub(super) fn answer(state: &State, call: &Call, query: &Form, now: Timestamp) -> Outcome {
    let path = call.head.uri.path();
    let flavored = call.head.headers.get("metadata-flavor").is_some_and(|flavor| flavor == "Google");
    let outcome = if path == "/" {
        text("computeMetadata/\n")
    } else if !flavored {
        let page = "<p>Your client does not have permission to get this URL. Missing Metadata-Flavor:Google header.\n";
        Outcome::text(403, "text/html; charset=UTF-8", page)
    } else {
        match path.strip_prefix(ACCOUNT) {
            Some("token") => json(&state.tokens.by_metadata(query.get("scopes"), now)),
            Some("email") => text(CLIENT_EMAIL),
            Some("") => json(&json!({
                "aliases": ["default"],
                "email": CLIENT_EMAIL,
                "scopes": ["https://www.googleapis.com/auth/cloud-platform"],
            })),
            _ if path == "/computeMetadata/v1/project/project-id" => text(PROJECT_ID),
            _ if path == "/computeMetadata/v1/universe/universe-domain" => text("googleapis.com"),
            _ => Outcome::text(404, "text/html; charset=UTF-8", "<p>Not Found\n"),
        }
    };
    Outcome { flavor: true, ..outcome }
}

fn json(body: &Value) -> Outcome {
    Outcome { content_type: "application/json", ..Outcome::json(200, body) }
}

fn text(text: &str) -> Outcome {
    Outcome::text(200, "application/text", text)
}

const ACCOUNT: &str = "/computeMetadata/v1/instance/service-accounts/default/";
