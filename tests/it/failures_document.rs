//! `docs/FAILURES.md` has every reason for which a report or a request fails, its causes and what the log and the status
//! page say there is to do.

use std::sync::Arc;

use ga4_exporter_core::{
    names::{Bucket, Reason},
    properties::PropertyInfo,
    report::{Report, ReportSettings},
    store::States,
    wire::ApiError,
};
use jiff::{SignedDuration, Timestamp};

use crate::documents::assert_table;

#[test]
fn every_reason_is_documented_with_its_causes_and_remedies() {
    let mut rows: Vec<(Reason, String, String)> = CAUSES.iter().map(refused).collect();
    rows.extend(not_refused().map(|(cause, error)| (error.reason(), cause.to_owned(), remedy(&error))));
    rows.push((Reason::NotListed, "two complete listings in a row without the property".to_owned(), not_listed()));
    let mut table = "| reason | cause | what to do |\n|---|---|---|\n".to_owned();
    for reason in Reason::ALL {
        let mut its = rows.iter().filter(|(of, ..)| of == reason).peekable();
        assert!(its.peek().is_some(), "no cause of {reason}");
        table.extend(its.map(|(_, cause, remedy)| format!("| `{reason}` | {cause} | {remedy} |\n")));
    }
    assert_table("FAILURES.md", "Reasons", &table);
}

fn refused(cause: &Cause) -> (Reason, String, String) {
    let error = ApiError::from_answer(cause.status, cause.body().as_bytes(), "analyticsdata.googleapis.com");
    (error.reason(), format!("{}, {}", cause.status, cause.name), remedy(&error))
}

/// What fails without a refusal of Google's.
fn not_refused() -> impl Iterator<Item = (&'static str, ApiError)> {
    let bucket = |bucket| ApiError::QuotaExhausted { bucket, message: String::new() };
    [
        ("429, tokens of a bucket that the exporter does not know", bucket(Bucket::Unknown)),
        ("no complete answer within 60 seconds", ApiError::Timeout("x".into())),
        ("DNS, TCP or TLS fails, or the connection is cut", ApiError::Connection("x".into())),
        ("200, but the answer is not the report that was asked for", ApiError::Protocol(String::new())),
        ("a listing longer than `limits.properties`", ApiError::TooManyProperties { most: 1 }),
        (
            "this machine's clock differs from Google's by more than a minute",
            ApiError::Clock { ahead: SignedDuration::from_mins(10) },
        ),
        ("no access token: see [sign-in](#sign-in)", ApiError::NoCredentials { remedy: None, cause: "x".into() }),
    ]
    .into_iter()
}

fn remedy(error: &ApiError) -> String {
    error.remedy(Some("123".parse().unwrap()), Some("exporter@example.iam.gserviceaccount.com"))
}

fn not_listed() -> String {
    let id = "123".parse().unwrap();
    let mut states = States::default();
    states.put(id, &PropertyInfo::default(), &[Arc::new(Report::realtime(&ReportSettings::realtime(), false))]);
    states.update(id, |state| state.mark_unlisted(Timestamp::UNIX_EPOCH));
    states.get(id).unwrap().reports[0].failure.as_ref().unwrap().remedy.clone()
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
