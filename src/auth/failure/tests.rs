use reqwest::header::HeaderMap;
use serde_json::json;

use super::*;

fn failure(signer: Signer, status: u16, body: &str) -> AuthError {
    let status = StatusCode::from_u16(status).unwrap();
    AuthError::from_answer(
        signer,
        &Answer { status, headers: HeaderMap::new(), body: body.to_owned().into(), part: None },
        &[],
    )
}

fn refused(status: u16, error: &str, description: &str) -> AuthError {
    let body = json!({"error": error, "error_description": description}).to_string();
    failure(Signer::ServiceAccount, status, &body)
}

const NOT_FOUND: &str = "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  <title>Error 404 (Not Found)!!1</title>\n  \
    <p><b>404.</b> <ins>That’s an error.</ins>\n  <p>The requested URL <code>/computeMetadata/v1/instance/service-accounts/\
    default/token</code> was not found on this server.  <ins>That’s all we know.</ins>\n";

#[test]
fn reasons_are_read_from_googles_texts() {
    for (status, error, description, reason) in [
        (400, "invalid_grant", "Invalid JWT Signature.", TokenReason::InvalidKey),
        (
            400,
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and \
             exp values in the JWT claim.",
            TokenReason::Clock,
        ),
        (
            400,
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and \
             exp values and use a clock with skew to account for clock differences between systems.",
            TokenReason::Clock,
        ),
        (400, "invalid_grant", "Invalid grant: account not found", TokenReason::UnknownAccount),
        (400, "invalid_grant", "Not a valid email or user ID.", TokenReason::UnknownAccount),
        (400, "invalid_grant", "Invalid email or User ID", TokenReason::UnknownAccount),
        (400, "invalid_grant", "Account has been deleted", TokenReason::UnknownAccount),
        (401, "disabled_client", "The OAuth client was disabled.", TokenReason::UnknownAccount),
        (401, "deleted_client", "The OAuth client was deleted.", TokenReason::UnknownAccount),
        (400, "invalid_grant", "Token has been expired or revoked.", TokenReason::InvalidKey),
        (400, "invalid_grant", "Bad Request", TokenReason::InvalidKey),
        (401, "invalid_client", "The OAuth client was not found.", TokenReason::InvalidKey),
        (401, "unauthorized_client", "Client is unauthorized", TokenReason::Scope),
        (400, "invalid_scope", "bad", TokenReason::Scope),
        (400, "invalid_request", "Bad Request", TokenReason::Protocol),
        (400, "invalid_grant", "Invalid JWT: Failed audience check.", TokenReason::Protocol),
        (403, "rate_limit_exceeded", "Rate limit exceeded.", TokenReason::RateLimit),
        (403, "access_denied", "Account Restricted", TokenReason::Scope),
        (429, "", "", TokenReason::RateLimit),
        (400, "invalid_rapt", "", TokenReason::Reauthenticate),
        (400, "invalid_grant", "reauth related error (invalid_rapt)", TokenReason::Reauthenticate),
        (500, "internal_failure", "Backend Error", TokenReason::ServerError),
        (400, "internal_failure", "", TokenReason::ServerError),
        (500, "", "", TokenReason::ServerError),
        (503, "", "", TokenReason::ServerError),
        (499, "", "", TokenReason::ServerError),
        (400, "something_new", "", TokenReason::Protocol),
        (404, "", "", TokenReason::Protocol),
    ] {
        let error = refused(status, error, description);
        assert_eq!(error.reason(), reason, "{status} {error}");
    }
}

#[test]
fn errors_in_other_shapes_are_read() {
    for (status, body, reason, message) in [
        (
            400,
            r#"{"error": {"code": 400, "message": "Invalid JWT Signature.", "status": "INVALID_ARGUMENT"}}"#,
            TokenReason::InvalidKey,
            "INVALID_ARGUMENT: Invalid JWT Signature.",
        ),
        (
            400,
            r#"{"error": {"code": 400, "message": "Request contains an invalid argument.", "status": "INVALID_ARGUMENT"}}"#,
            TokenReason::Protocol,
            "INVALID_ARGUMENT: Request contains an invalid argument.",
        ),
        (
            403,
            r#"{"error": {"code": 403, "message": "Rate Limit Exceeded", "status": "RESOURCE_EXHAUSTED"}}"#,
            TokenReason::RateLimit,
            "RESOURCE_EXHAUSTED: Rate Limit Exceeded",
        ),
        (
            403,
            r#"{"error": {"errors": [{"domain": "x", "reason": "rateLimitExceeded"}], "code": 403, "message": "m"}}"#,
            TokenReason::RateLimit,
            "rateLimitExceeded: m",
        ),
        (
            403,
            r#"[{"error": {"status": "PERMISSION_DENIED", "message": "no", "code": 403}}]"#,
            TokenReason::Scope,
            "PERMISSION_DENIED: no",
        ),
        (
            400,
            r#"{"error_description": "d", "error_subtype": "invalid_rapt", "error": "invalid_grant"}"#,
            TokenReason::Reauthenticate,
            "invalid_grant, invalid_rapt: d",
        ),
        (200, r#"{"error": {"code": 500, "status": "INTERNAL"}}"#, TokenReason::ServerError, "INTERNAL"),
        (502, "<html><title>Error 502 (Server Error)!!1</title>", TokenReason::ServerError, "Error 502 (Server Error)"),
        (404, "", TokenReason::Protocol, "status 404 without a word"),
        (400, r#"{"error": 7, "error_description": ["x"]}"#, TokenReason::Protocol, "status 400 without a word"),
    ] {
        let error = failure(Signer::AuthorizedUser, status, body);
        assert_eq!(error.reason(), reason, "{body}");
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn the_metadata_servers_words_and_remedies_fit() {
    let bound = "Unable to generate access token; IAM returned 403 Forbidden: Permission 'iam.serviceAccounts.getAccessToken' \
                 denied on resource (or it may not exist).\nThis error could be caused by a missing IAM policy binding on the \
                 target IAM service account.\n";
    for (status, body, reason, message, remedy) in [
        (
            404,
            NOT_FOUND,
            TokenReason::UnknownAccount,
            "404: Error 404 (Not Found)!!1 404. That’s an",
            "set-service-account",
        ),
        (
            403,
            bound,
            TokenReason::UnknownAccount,
            "IAM returned 403 Forbidden: Permission",
            "iam.gke.io/gcp-service-account",
        ),
        (500, bound, TokenReason::UnknownAccount, "IAM returned 403", "roles/iam.workloadIdentityUser"),
        (
            403,
            "<p>Your client does not have permission. Missing Metadata-Flavor:Google header.",
            TokenReason::Protocol,
            "Missing Metadata-Flavor",
            "service mesh",
        ),
        (500, "Internal Server Error", TokenReason::ServerError, "500: Internal Server Error", "wait"),
        (503, "", TokenReason::ServerError, "status 503", "wait"),
        (429, "", TokenReason::RateLimit, "status 429", "more slowly"),
        (
            400,
            r#"{"error": "invalid_scope", "error_description": "x"}"#,
            TokenReason::Scope,
            "invalid_scope",
            "analytics.readonly",
        ),
    ] {
        let error = failure(Signer::MetadataServer, status, body);
        assert_eq!(error.reason(), reason, "{error}");
        let text = error.to_string();
        assert!(text.contains(message) && !text.contains(['<', '\n']), "{text}");
        assert!(error.remedy().contains(remedy), "{error}: {}", error.remedy());
    }
}

#[test]
fn a_remedy_speaks_of_what_there_is() {
    for status in [200, 400, 401, 403, 404, 429, 500] {
        for body in ["", NOT_FOUND, r#"{"error": "invalid_grant"}"#, r#"{"error": "disabled_client"}"#, "{}"] {
            let of_machine = failure(Signer::MetadataServer, status, body).remedy();
            assert!(!of_machine.contains("key file") && !of_machine.contains("token_uri"), "{of_machine}");
            let of_user = failure(Signer::AuthorizedUser, status, body).remedy();
            assert!(!of_user.contains("key file") && !of_user.contains("create a new key"), "{of_user}");
        }
    }
    let audience = "Invalid JWT: Failed audience check.";
    let remedy = refused(400, "invalid_grant", audience).remedy();
    assert!(remedy.contains("token_uri") && remedy.contains("the key is good"), "{remedy}");
    let scope = failure(Signer::AuthorizedUser, 400, r#"{"error": "invalid_scope"}"#).remedy();
    assert!(scope.contains("--client-id-file"), "{scope}");
}

#[test]
fn messages_are_short_and_quote_no_secret() {
    let page = format!("<p>{}", "long ".repeat(1000));
    assert!(failure(Signer::MetadataServer, 404, &page).to_string().len() < 500);
    let echo = refused(400, "invalid_grant", "bad assertion eyJhbGciOiJSUzI1NiJ9.e30.x");
    assert!(echo.to_string().ends_with("bad assertion (hidden)"), "{echo}");
}

/// `DOCUMENTS_RENEW=1` writes the table.
#[test]
fn every_reason_is_documented_with_its_remedies() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/FAILURES.md");
    let text = std::fs::read_to_string(path).unwrap();
    let begin = text.find(DOCUMENTED).expect("the document has the table's head");
    let documented: String = text[begin..].split_inclusive('\n').take_while(|line| line.starts_with('|')).collect();
    let table = table();
    if std::env::var_os("DOCUMENTS_RENEW").is_some() {
        std::fs::write(path, text.replacen(&documented, &table, 1)).unwrap();
        return;
    }
    assert_eq!(documented, table, "DOCUMENTS_RENEW=1 puts docs/FAILURES.md right");
}

fn table() -> String {
    let mut table = DOCUMENTED.to_owned();
    for reason in TokenReason::ALL {
        let kinds: Vec<&Kind> =
            KINDS.iter().filter(|kind| error(**kind, Signer::ServiceAccount).reason() == *reason).collect();
        assert!(!kinds.is_empty(), "no cause of {reason}");
        for kind in kinds {
            table.push_str(&rows(*kind));
        }
    }
    table
}

/// A row for each remedy, with those whom it is for.
fn rows(kind: Kind) -> String {
    let mut remedies: Vec<(String, String, Vec<&str>)> = Vec::new();
    for &(signer, name) in SIGNERS {
        // A pod's account is bound, and nobody signs in again as a machine.
        let is_machine = signer == Signer::MetadataServer;
        let exists = if kind == Kind::NoBinding {
            is_machine
        } else if kind == Kind::Audience || kind == Kind::InvalidKey {
            !is_machine
        } else {
            kind != Kind::Reauthenticate || signer == Signer::AuthorizedUser
        };
        if !exists {
            continue;
        }
        let error = error(kind, signer);
        match remedies.iter_mut().find(|(_, remedy, _)| *remedy == error.remedy()) {
            Some((_, _, names)) => names.push(name),
            None => remedies.push((error.to_string(), error.remedy(), vec![name])),
        }
    }
    let reason = error(kind, Signer::ServiceAccount).reason();
    let row = |(cause, remedy, names): (String, String, Vec<&str>)| {
        let names = if names.len() == SIGNERS.len() { String::new() } else { names.join(", ") };
        format!("| `{reason}` | {cause} | {names} | {remedy} |\n")
    };
    remedies.into_iter().map(row).collect()
}

fn error(kind: Kind, signer: Signer) -> AuthError {
    AuthError::new(signer, kind, "")
}

const SIGNERS: &[(Signer, &str)] =
    &[(Signer::ServiceAccount, "key"), (Signer::AuthorizedUser, "user"), (Signer::MetadataServer, "machine")];

const KINDS: &[Kind] = &[
    Kind::Clock,
    Kind::InvalidKey,
    Kind::UnknownAccount,
    Kind::NoBinding,
    Kind::Scope,
    Kind::RateLimit,
    Kind::Reauthenticate,
    Kind::Audience,
    Kind::Timeout,
    Kind::Connection,
    Kind::ServerError,
    Kind::Protocol,
];

const DOCUMENTED: &str = "\
| reason | cause | signs in with | what to do |
|---|---|---|---|
";
