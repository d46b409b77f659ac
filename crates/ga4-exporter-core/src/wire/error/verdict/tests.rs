use super::*;
use crate::names::Reason;

#[track_caller]
fn check(status: u16, body: &str, reason: Reason) -> ApiError {
    let error = ApiError::from_answer(status, body.as_bytes(), "analyticsdata.googleapis.com");
    assert_eq!(error.reason(), reason, "{body}: {error}");
    error
}

fn google(code: u16, message: &str, details: &str) -> String {
    format!(r#"{{"error": {{"code": {code}, "message": "{message}", "status": "X", "details": [{details}]}}}}"#)
}

fn coded(code: u16, status: &str) -> String {
    format!(r#"{{"error": {{"code": {code}, "message": "A text.", "status": "{status}"}}}}"#)
}

/// As Google words ErrorInfo, for the project 12.
fn cause(cause: &str) -> String {
    format!(
        r#"{{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "{cause}", "domain": "googleapis.com",
            "metadata": {{"consumer": "projects/12", "service": "analyticsdata.googleapis.com"}}}}"#
    )
}

fn remedy(error: &ApiError) -> String {
    error.remedy(Some("123".parse().unwrap()), Some("exporter@example.iam.gserviceaccount.com"))
}

#[test]
fn every_bucket_is_read_from_googles_text() {
    let later = "These quota tokens will return in under an hour. To learn more, see https://example.com/quotas";
    for (message, reason) in [
        ("Exhausted property tokens for a project per hour.", Reason::QuotaProjectHour),
        ("Exhausted property tokens for a project per property per hour.", Reason::QuotaProjectHour),
        ("Exhausted property tokens per hour.", Reason::QuotaHour),
        ("Exhausted property tokens per day.", Reason::QuotaDay),
        ("Exhausted property tokens per day for a project per property.", Reason::QuotaDay),
        ("Exhausted concurrent requests quota.", Reason::QuotaConcurrent),
        ("Exhausted potentially thresholded requests quota.", Reason::QuotaThresholded),
        ("Exhausted server errors per project per hour.", Reason::ServerError),
        ("Exhausted client errors quota.", Reason::QuotaClientErrors),
        ("Exhausted something new.", Reason::QuotaUnknown),
    ] {
        check(429, &google(429, &format!("{message} {later}"), ""), reason);
        check(429, &google(429, message, ""), reason);
        let old = r#"{"error": {"code": 429, "message": "MESSAGE", "errors": [{"reason": "rateLimitExceeded"}]}}"#;
        let old = old.replace("MESSAGE", message);
        check(429, &old, if reason == Reason::QuotaUnknown { Reason::RateLimit } else { reason });
    }
    let day = "Exhausted property tokens. These quota tokens will return in under 24 hours.";
    check(429, &google(429, day, ""), Reason::QuotaDay);
    check(403, &coded(403, "RESOURCE_EXHAUSTED"), Reason::QuotaUnknown);
}

#[test]
fn failed_requests_are_not_cured_by_polling_less_often() {
    let text = "Exhausted client errors quota. These quota tokens will return in under 15 minutes.";
    let error = check(429, &google(429, text, ""), Reason::QuotaClientErrors);
    assert!(matches!(error, ApiError::QuotaExhausted { bucket: Bucket::ClientErrors, .. }));
    assert!(!remedy(&error).contains("poll less often") && remedy(&error).contains("fail"), "{}", remedy(&error));
}

#[test]
fn rates_are_no_buckets() {
    let rate = r#"{"reason": "RATE_LIMIT_EXCEEDED", "metadata": {"quota_limit": "RequestsPerDayPerProject"}}"#;
    check(403, &google(403, "Quota exceeded", rate), Reason::RateLimit);
    check(429, &google(429, "Quota exceeded", rate), Reason::RateLimit);
    let metric = "Quota exceeded for quota metric 'Requests' and limit 'Requests per day' of service 'x' for consumer \
                  'project_number:12'.";
    check(429, &google(429, metric, ""), Reason::RateLimit);
    for (message, reason) in [
        ("Quota Error: User Rate Limit Exceeded.", "userRateLimitExceeded"),
        ("Quota Error: Number of recent failed reporting API requests is too high, please wait.", "quotaExceeded"),
        ("", "rateLimitExceeded"),
    ] {
        let old =
            format!(r#"{{"error": {{"errors": [{{"reason": "{reason}"}}], "message": "{message}", "code": 403}}}}"#);
        check(403, &old, Reason::RateLimit);
        if !message.is_empty() {
            check(403, &google(403, message, ""), Reason::RateLimit);
        }
    }
    let sorry = "<html><title>Sorry...</title> your computer or network may be sending automated queries</html>";
    for body in [sorry, ""] {
        let error = check(429, body, Reason::RateLimit);
        assert!(remedy(&error).contains("this machine's address"), "{}", remedy(&error));
    }
    // JSON in no form that is known slows down its own property, and the others only if it is not alone.
    for body in ["{}", "[]", r#"{"error": "quota"}"#, r#"{"error": []}"#, r#"{"message": "API rate limit exceeded"}"#] {
        let error = check(429, body, Reason::RateLimit);
        assert!(matches!(error, ApiError::RateLimited(_)), "{body}");
    }
}

#[test]
fn the_kinds_of_403_are_told_apart() {
    check(403, &google(403, "It is off.", &cause("SERVICE_DISABLED")), Reason::ApiDisabled);
    check(403, &google(403, "Scopes.", &cause("ACCESS_TOKEN_SCOPE_INSUFFICIENT")), Reason::InsufficientScope);
    check(401, &google(401, "Scopes.", &cause("ACCESS_TOKEN_SCOPE_INSUFFICIENT")), Reason::InsufficientScope);
    check(401, &google(401, "No.", &cause("ACCESS_TOKEN_EXPIRED")), Reason::Unauthenticated);
    check(401, &google(401, "No.", &cause("SERVICE_DISABLED")), Reason::Unauthenticated);
    for (known, reason, words) in [
        (
            "USER_PROJECT_DENIED",
            Reason::CloudProject,
            "roles/serviceusage.serviceUsageConsumer on the Cloud project 12",
        ),
        ("CONSUMER_INVALID", Reason::CloudProject, "restore the Cloud project 12"),
        ("CONSUMER_SUSPENDED", Reason::CloudProject, "why the Cloud project 12 is suspended"),
        ("BILLING_DISABLED", Reason::CloudProject, "linkedaccount?project=12"),
        ("SECURITY_POLICY_VIOLATED", Reason::Perimeter, "VPC Service Controls"),
        ("ORG_RESTRICTION_VIOLATION", Reason::Perimeter, "administrators"),
    ] {
        // Also in a list of one, behind a Help, and with another status.
        let help = r#"{"@type": "type.googleapis.com/google.rpc.Help", "links": [{"url": "https://x.example"}]}"#;
        let body = google(403, "A text.", &format!("{help}, {}", cause(known)));
        let listed = format!("[{body}]");
        for error in [check(403, &body, reason), check(403, &listed, reason), check(400, &body, reason)] {
            let remedy = remedy(&error);
            assert!(remedy.contains(words) && !remedy.contains("Viewer"), "{known}: {remedy}");
            assert!(error.to_string().ends_with(": A text."), "{error}");
        }
    }
    check(403, "<html>forbidden by your proxy</html>", Reason::Protocol);
}

#[test]
fn texts_alone_tell_the_kinds_of_403_too() {
    for (message, reason) in [
        ("Request had insufficient authentication scopes.", Reason::InsufficientScope),
        (
            "Caller does not have required permission to use project shop-1. Grant the caller a role.",
            Reason::CloudProject,
        ),
        ("Project 'projects/shop-1' not found or deleted.", Reason::CloudProject),
        ("Project #12 has been deleted.", Reason::CloudProject),
        ("Permission denied: Consumer 'project:shop-1' has been suspended.", Reason::CloudProject),
        ("This API method requires billing to be enabled. Please enable billing on project #12.", Reason::CloudProject),
        ("Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: A1B2", Reason::Perimeter),
        ("The caller does not have permission", Reason::NoAccess),
        ("User does not have sufficient permissions for this property.", Reason::NoAccess),
    ] {
        check(403, &google(403, message, ""), reason);
    }
    check(403, r#"{"error": {"errors": [{"reason": "accessNotConfigured"}]}}"#, Reason::ApiDisabled);
}

#[test]
fn a_sign_in_without_quota_project_is_not_sent_to_gclouds_own() {
    let shared = cause("SERVICE_DISABLED").replace("projects/12", "projects/764086051850");
    let leading = "Google Analytics Data API has not been used in project 764086051850 before or it is disabled. Enable it \
                   by visiting https://console.example/overview?project=764086051850 then retry.";
    let requires = "The analyticsdata.googleapis.com API requires a quota project, which is not set by default.";
    for (message, details) in [
        (requires, shared.as_str()),
        (requires, ""),
        (requires, cause("SERVICE_DISABLED").as_str()),
        (leading, shared.as_str()),
        (leading, ""),
        (&leading.replace("764086051850", "32555940559"), ""),
    ] {
        let error = check(403, &google(403, message, details), Reason::CloudProject);
        let whole = format!("{error}; {}", remedy(&error));
        assert!(whole.contains("gcloud auth application-default set-quota-project"), "{whole}");
        assert!(whole.contains("GOOGLE_CLOUD_QUOTA_PROJECT"), "{whole}");
        assert!(!whole.contains("764086051850") && !whole.contains("32555940559"), "{whole}");
    }
}

#[test]
fn what_google_calls_projects_and_refusals_is_shown_only_where_it_looks_like_that() {
    let strange = cause("USER_PROJECT_DENIED").replace("projects/12", "projects/1 2; rm");
    let error = check(403, &google(403, "No.", &strange), Reason::CloudProject);
    assert!(remedy(&error).contains("serviceUsageConsumer on the Cloud project,"), "{}", remedy(&error));
    for (details, text) in [
        (r#"{"reason": "SECURITY_POLICY_VIOLATED", "metadata": {"uid": "A1B2"}}"#, "No."),
        ("", "Prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: A1B2."),
    ] {
        let error = check(403, &google(403, text, details), Reason::Perimeter);
        assert!(remedy(&error).contains("the identifier A1B2;"), "{}", remedy(&error));
    }
}

#[test]
fn viewer_is_named_only_where_no_reason_says_otherwise() {
    let text = "User does not have sufficient permissions for this property.";
    for details in [String::new(), cause("IAM_PERMISSION_DENIED"), cause("SOMETHING_NEW")] {
        let error = check(403, &google(403, text, &details), Reason::NoAccess);
        let remedy = remedy(&error);
        assert!(remedy.contains("add exporter@example.iam.gserviceaccount.com as Viewer of property 123"), "{remedy}");
    }
    let error = check(403, &google(403, "You are blocked.", &cause("USER_BLOCKED_BY_ADMIN")), Reason::NoAccess);
    assert!(error.to_string().contains("USER_BLOCKED_BY_ADMIN: You are blocked."), "{error}");
    assert!(!remedy(&error).contains("Viewer"), "{}", remedy(&error));
}

#[test]
fn a_disabled_api_is_pointed_to_even_when_google_gives_no_url() {
    let text = "Google Analytics Data API has not been used in project 7 before or it is disabled.";
    let error = check(403, &google(403, text, ""), Reason::ApiDisabled);
    assert!(remedy(&error).contains("/apis/api/analyticsdata.googleapis.com/overview"));
    let consumer = r#"{"reason": "SERVICE_DISABLED", "metadata": {"consumer": "projects/7"}}"#;
    let error = check(403, &google(403, text, consumer), Reason::ApiDisabled);
    assert!(remedy(&error).contains("?project=7"));
    let told = r#"{"reason": "SERVICE_DISABLED", "metadata": {"activationUrl": "https://console.example/enable"}}"#;
    let error = check(403, &google(403, text, told), Reason::ApiDisabled);
    assert!(remedy(&error).contains("https://console.example/enable"));
}

#[test]
fn what_passes_is_tried_again_soon() {
    for status in [408, 409, 499, 500, 501, 502, 503, 504, 520, 599] {
        for body in ["<html>", "", &google(status, "The operation was cancelled.", "")] {
            let error = check(status, body, Reason::ServerError);
            assert!(matches!(error, ApiError::ServerError { status: told, .. } if told == status), "{error:?}");
        }
    }
    for (code, status) in [
        (400, "UNAVAILABLE"),
        (400, "ABORTED"),
        (400, "CANCELLED"),
        (404, "INTERNAL"),
        (400, "DEADLINE_EXCEEDED"),
        (500, "UNKNOWN"),
    ] {
        check(code, &coded(code, status), Reason::ServerError);
    }
    let backend = r#"{"error": {"code": 503, "message": "Try again", "errors": [{"reason": "backendError"}]}}"#;
    check(503, backend, Reason::ServerError);
}

#[test]
fn other_statuses() {
    check(400, &google(400, "Field foo is not a valid metric.", ""), Reason::InvalidRequest);
    check(400, &google(400, "Unknown name.", r#"{"fieldViolations": [{"description": "x"}]}"#), Reason::InvalidRequest);
    check(400, &coded(400, "FAILED_PRECONDITION"), Reason::InvalidRequest);
    check(400, &coded(400, "PERMISSION_DENIED"), Reason::NoAccess);
    check(404, &google(404, "Not found.", ""), Reason::InvalidRequest);
    check(413, &google(413, "Too large.", ""), Reason::InvalidRequest);
    for status in [400, 404, 405, 413, 302] {
        check(status, "<html>", Reason::Protocol);
    }
    check(302, &google(302, "Moved.", ""), Reason::Protocol);
    check(401, "", Reason::Unauthenticated);
    check(401, &google(401, "Bad token.", &cause("RATE_LIMIT_EXCEEDED")), Reason::Unauthenticated);
}

#[test]
fn googles_text_cannot_flood_or_split_the_log() {
    let body = google(400, &format!("a\\nb{}", "x".repeat(10_000)), "");
    let text = check(400, &body, Reason::InvalidRequest).to_string();
    assert!(text.len() < 700 && !text.contains('\n'));
    let long = cause(&"X".repeat(10_000));
    assert!(check(403, &google(403, "No.", &long), Reason::NoAccess).to_string().len() < 200);
    let url = format!(
        r#"{{"reason": "SERVICE_DISABLED", "metadata": {{"activationUrl": "https://console.x/{}"}}}}"#,
        "x".repeat(10_000)
    );
    assert!(remedy(&check(403, &google(403, "No.", &url), Reason::ApiDisabled)).len() < 500);
    let elsewhere = r#"{"reason": "SERVICE_DISABLED", "metadata": {"activationUrl": "javascript:alert(1)"}}"#;
    let remedy = remedy(&check(403, &google(403, "No.", elsewhere), Reason::ApiDisabled));
    assert!(
        remedy.contains("https://console.developers.google.com/apis/api/analyticsdata.googleapis.com/"),
        "{remedy}"
    );
}

#[test]
fn an_error_that_is_cut_is_one_propertys() {
    let long = google(429, &"a ".repeat(100_000), "");
    check(429, &long[..64 << 10], Reason::QuotaUnknown);
    check(429, " \n[{\"error\": {", Reason::QuotaUnknown);
    // Google's page is about the address.
    for page in ["<html>", "", "Sorry..."] {
        check(429, page, Reason::RateLimit);
    }
    check(503, &long[..64 << 10], Reason::ServerError);
}
