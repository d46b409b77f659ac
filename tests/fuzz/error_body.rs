//! The bodies of Google's refusals, and of those who answer in its place.

use ga4_exporter_core::{names::PropertyId, wire::ApiError};
use proptest::{collection, prelude::*, sample};

use crate::json;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_of_any_status_are_an_error_in_few_words(
        status in 400_u16..600,
        body in collection::vec(any::<u8>(), 0..300),
    ) {
        check(status, &body)?;
    }

    #[test]
    fn any_error_of_any_status_is_shown_in_few_words(
        status in prop_oneof![400_u16..600, sample::select(&[400_u16, 401, 403, 404, 429, 500, 503][..])],
        body in json::bodies(json::values(KEYS, TEXTS)),
    ) {
        check(status, &body)?;
        check(status, &[b"{\"error\": ".as_slice(), &body, b"}"].concat())?;
        check(status, &[b"{\"error\": {\"message\": \"m\", \"details\": [".as_slice(), &body, b"]}}"].concat())?;
    }
}

fn check(status: u16, body: &[u8]) -> Result<(), TestCaseError> {
    let error = ApiError::from_answer(status, body, "analyticsdata.googleapis.com");
    let remedy = error.remedy("123456789".parse::<PropertyId>().ok(), Some("exporter@example.com"));
    for text in [error.to_string(), remedy] {
        prop_assert!(text.chars().count() <= LONGEST, "{} characters: {}", text.chars().count(), text);
        prop_assert!(!text.contains(|c: char| c.is_control()), "{:?}", text);
    }
    Ok(())
}

/// The longest text, in characters: a message and what this program says itself.
const LONGEST: usize = 2_000;

const KEYS: &[&str] = &[
    "error",
    "code",
    "message",
    "status",
    "errors",
    "details",
    "@type",
    "reason",
    "domain",
    "metadata",
    "service",
    "consumer",
    "activationUrl",
    "containerInfo",
    "quota_metric",
    "uid",
    "violations",
    "description",
];

const TEXTS: &[&str] = &[
    "type.googleapis.com/google.rpc.ErrorInfo",
    "type.googleapis.com/google.rpc.Help",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "UNAVAILABLE",
    "SERVICE_DISABLED",
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
    "USER_PROJECT_DENIED",
    "CONSUMER_INVALID",
    "CONSUMER_SUSPENDED",
    "BILLING_DISABLED",
    "SECURITY_POLICY_VIOLATED",
    "RATE_LIMIT_EXCEEDED",
    "accessNotConfigured",
    "projects/1",
    "https://console.developers.google.com/apis/api/analyticsdata.googleapis.com/overview?project=1",
    "Exhausted property tokens per day for project",
    "it is disabled",
    "not found or deleted",
    "\u{1b}[2J\n\r",
];
