//! The remedies by cause, as docs/FAULTS.md lists them.
//!
//! `REMEDIES_RENEW=1 cargo test --test it remedies` writes the list.

use std::{env, fs};

use ga4_exporter_core::wire::Error;

#[test]
fn the_documentation_lists_every_remedy() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/FAULTS.md");
    let text = fs::read_to_string(path).unwrap();
    let begin = text.find(HEAD).expect("docs/FAULTS.md has the list's head");
    let length = text[begin..].find("\n\n").map_or(text.len() - begin, |end| end + 1);
    let documented = &text[begin..begin + length];
    let table = table();
    if env::var_os("REMEDIES_RENEW").is_some() {
        fs::write(path, text.replacen(documented, &table, 1)).unwrap();
        return;
    }
    assert_eq!(documented, table, "REMEDIES_RENEW=1 puts docs/FAULTS.md right");
}

fn table() -> String {
    let property = "123".parse().unwrap();
    let rows = CAUSES.iter().map(|cause| {
        let error = Error::from_answer(cause.status, cause.body().as_bytes(), "analyticsdata.googleapis.com");
        let remedy = error.remedy(Some(property), Some("exporter@example.iam.gserviceaccount.com"));
        format!("| {}, {} | `{}` | {remedy} |\n", cause.status, cause.name, error.reason())
    });
    format!("{HEAD}{}", rows.collect::<String>())
}

/// One way in which Google refuses a request.
struct Cause {
    name: &'static str,
    status: u16,
    /// Google's text; none where the answer is HTML.
    text: Option<&'static str>,
    /// `reason` of the ErrorInfo, where there is one.
    reason: &'static str,
    /// Of the Cloud project.
    consumer: &'static str,
}

impl Cause {
    fn body(&self) -> String {
        let Some(text) = self.text else { return "<!DOCTYPE html><title>Error</title>".to_owned() };
        let details = format!(
            r#"{{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "{}", "domain": "googleapis.com",
                "metadata": {{"consumer": "{}", "service": "analyticsdata.googleapis.com", "uid": "A1B2C3"}}}}"#,
            self.reason, self.consumer
        );
        let details = if self.reason.is_empty() { String::new() } else { details };
        format!(r#"{{"error": {{"code": {}, "message": "{text}", "details": [{details}]}}}}"#, self.status)
    }
}

const fn worded(status: u16, name: &'static str, text: &'static str) -> Cause {
    Cause { name, status, text: Some(text), reason: "", consumer: "" }
}

const fn named(reason: &'static str) -> Cause {
    Cause { name: reason, status: 403, text: Some("Refused."), reason, consumer: "projects/12" }
}

const fn bare(status: u16, name: &'static str) -> Cause {
    Cause { name, status, text: None, reason: "", consumer: "" }
}

const CAUSES: &[Cause] = &[
    worded(400, "the request is refused", "Field foo is not a valid metric."),
    worded(401, "also with a fresh token", "Request had invalid authentication credentials."),
    worded(403, "no reason but the account's access", "User does not have sufficient permissions for this property."),
    named("SERVICE_DISABLED"),
    Cause {
        name: "SERVICE_DISABLED of gcloud's own project",
        consumer: "projects/764086051850",
        ..named("SERVICE_DISABLED")
    },
    named("ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
    named("USER_PROJECT_DENIED"),
    named("CONSUMER_INVALID"),
    named("CONSUMER_SUSPENDED"),
    named("BILLING_DISABLED"),
    named("SECURITY_POLICY_VIOLATED"),
    Cause { name: "a reason that the exporter does not know", ..named("SOMETHING_NEW") },
    worded(429, "tokens of the day", "Exhausted property tokens per day."),
    worded(429, "tokens of the hour", "Exhausted property tokens per hour."),
    worded(429, "tokens of the project and hour", "Exhausted property tokens for a project per hour."),
    worded(429, "concurrent requests", "Exhausted concurrent requests quota."),
    worded(429, "thresholded requests", "Exhausted potentially thresholded requests quota."),
    worded(429, "failed requests", "Exhausted client errors quota."),
    worded(429, "server errors", "Exhausted server errors per project per hour."),
    Cause { name: "RATE_LIMIT_EXCEEDED", status: 429, ..named("RATE_LIMIT_EXCEEDED") },
    bare(429, "a page of HTML"),
    worded(499, "CANCELLED", "The operation was cancelled."),
    bare(502, "a page of HTML"),
    bare(404, "a page of HTML"),
];

const HEAD: &str = "\
| answer | reason | `remedy` in the log and on the status page |
|---|---|---|
";
