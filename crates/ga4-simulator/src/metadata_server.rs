//! The metadata server of a virtual machine in Google's cloud, with the parts that sign-in needs.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    api::{Call, State},
    form::Form,
    headers,
    outcome::Outcome,
    shapes::Shape,
    token::{CLIENT_EMAIL, PROJECT_ID},
};

/// Answers a request for metadata. All requests except the probe of `/` must have the header `Metadata-Flavor: Google`.
pub(super) fn answer(state: &State, call: &Call, query: &Form, shape: Option<Shape>, now: Timestamp) -> Outcome {
    let path = call.head.uri.path();
    let flavored = call.head.headers.get("metadata-flavor").is_some_and(|flavor| flavor == "Google");
    if path == "/" {
        text("computeMetadata/\n")
    } else if !flavored {
        let page = "<!DOCTYPE html>\n<html lang=en>\n<title>Error 403 (Forbidden)!!1</title>\n<p><b>403.</b> <ins>That’s an \
                    error.</ins>\n<p>Your client does not have permission to get this URL. Missing \
                    Metadata-Flavor:Google header.  <ins>That’s all we know.</ins>\n";
        Outcome::text(403, headers::METADATA_PAGE, page)
    } else {
        match path.strip_prefix(ACCOUNT) {
            Some("token") => {
                let mut token = state.tokens.by_metadata(query.get("scopes"), now);
                if let Some(Shape::Token(shape)) = shape {
                    shape.change(&mut token);
                }
                json(&token)
            }
            Some("email") => text(CLIENT_EMAIL),
            Some("") => json(&json!({
                "aliases": ["default"],
                "email": CLIENT_EMAIL,
                "scopes": ["https://www.googleapis.com/auth/cloud-platform"],
            })),
            _ if path == "/computeMetadata/v1/project/project-id" => text(PROJECT_ID),
            _ if path == "/computeMetadata/v1/universe/universe-domain" => text("googleapis.com"),
            _ => Outcome { headers: headers::METADATA_PAGE, ..Outcome::not_found(path) },
        }
    }
}

fn json(body: &Value) -> Outcome {
    Outcome::json_with(headers::METADATA_JSON, 200, body)
}

fn text(text: &str) -> Outcome {
    Outcome::text(200, headers::METADATA_TEXT, text)
}

const ACCOUNT: &str = "/computeMetadata/v1/instance/service-accounts/default/";
