//! Sign-in: JWTs, refresh tokens, the metadata server, and what the APIs think of tokens.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, Bench, READONLY, send, shop, sign, world};

async fn bench() -> Bench {
    Bench::new(world(shop())).await
}

fn pageviews() -> Value {
    json!({"metrics": [{"name": "screenPageViews"}], "dateRanges": [{"startDate": "today", "endDate": "today"}]})
}

#[track_caller]
fn refused(answer: &Answer, status: u16, error: &str, description: &str) {
    assert_eq!(answer.status, status, "{:?}", answer.body);
    let expected = json!({"error": error, "error_description": description});
    assert_eq!(answer.body, expected);
}

const NOT_TIMELY: &str = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. \
    Check your iat and exp values in the JWT claim.";

#[tokio::test]
async fn a_signed_jwt_buys_a_token_that_the_apis_accept() {
    let bench = bench().await;
    let answer = bench.exchange(&bench.jwt(|_, _| {})).await;
    assert_eq!(answer.body["expires_in"], 3599);
    assert_eq!(answer.body["token_type"], "Bearer");
    let google = bench.jwt(|_, claims| claims["aud"] = json!("https://oauth2.googleapis.com/token"));
    assert_eq!(bench.exchange(&google).await.status, 200);
    assert_eq!(bench.report(pageviews()).await.status, 200);
}

#[tokio::test]
async fn every_flaw_of_a_jwt_is_refused_in_googles_words() {
    let bench = bench().await;
    let now = bench.now().as_second();
    let with = |claim: &'static str, value: Value| bench.jwt(|_, claims| claims[claim] = value);
    let header = |name: &'static str, value: Value| bench.jwt(|header, _| header[name] = value);
    let cases = [
        (header("kid", json!("other")), "invalid_grant", "Invalid JWT Signature."),
        (header("alg", json!("HS256")), "invalid_grant", "Invalid JWT Signature."),
        (header("typ", json!("JOSE")), "invalid_grant", "Invalid JWT Signature."),
        (with("iss", json!("x@y.example")), "invalid_grant", "Invalid grant: account not found"),
        (with("aud", json!("https://x.example")), "invalid_grant", "Invalid JWT: Failed audience check."),
        (with("exp", json!(now + 3601)), "invalid_grant", NOT_TIMELY),
        (with("exp", json!(now - 1)), "invalid_grant", NOT_TIMELY),
        (with("scope", json!("")), "invalid_scope", "Empty or missing scope not allowed."),
        (with("iss", Value::Null), "invalid_grant", "Invalid grant: account not found"),
        (with("iat", Value::Null), "invalid_grant", NOT_TIMELY),
    ];
    for (jwt, error, description) in cases {
        refused(&bench.exchange(&jwt).await, 400, error, description);
    }
    let delegated = bench.exchange(&with("sub", json!("someone@example.com"))).await;
    assert_eq!((delegated.status, &delegated.body["error"]), (401, &json!("unauthorized_client")));
}

#[tokio::test]
async fn clocks_may_differ_by_five_minutes() {
    let bench = bench().await;
    let now = bench.now().as_second();
    for shift in [-3901, 301] {
        let skewed = bench.jwt(|_, claims| {
            claims["iat"] = json!(now + shift);
            claims["exp"] = json!(now + shift + 3600);
        });
        refused(&bench.exchange(&skewed).await, 400, "invalid_grant", NOT_TIMELY);
    }
    let skewed = bench.jwt(|_, claims| claims["iat"] = json!(now + 290));
    assert_eq!(bench.exchange(&skewed).await.status, 200);
}

#[tokio::test]
async fn a_damaged_or_padded_jwt_is_refused() {
    let bench = bench().await;
    let jwt = bench.jwt(|_, _| {});
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let flipped = format!("{first}{}", &signature[1..]);
    let answer = bench.exchange(&format!("{signed}.{flipped}")).await;
    refused(&answer, 400, "invalid_grant", "Invalid JWT Signature.");
    for damaged in [format!("{jwt}=="), signed.to_owned(), String::from("x.y.z"), String::new()] {
        refused(&bench.exchange(&damaged).await, 400, "invalid_request", "Bad Request");
    }
}

/// A JWT with several flaws gets the answer of the first check that it fails.
#[tokio::test]
async fn the_checks_have_googles_order() {
    let bench = bench().await;
    let flaws: [(&str, Value, u16, &str); 4] = [
        ("iss", json!("x@y.example"), 400, "Invalid grant: account not found"),
        ("exp", json!(1), 400, NOT_TIMELY),
        ("scope", json!(""), 400, "Empty or missing scope not allowed."),
        ("aud", json!("https://x.example"), 400, "Invalid JWT: Failed audience check."),
    ];
    for (first, (_, _, status, text)) in flaws.iter().enumerate() {
        let jwt = bench.jwt(|_, claims| {
            for (claim, value, ..) in &flaws[first..] {
                claims[*claim] = value.clone();
            }
        });
        let answer = bench.exchange(&jwt).await;
        assert_eq!((answer.status, &answer.body["error_description"]), (*status, &json!(text)));
        let (signed, _) = jwt.rsplit_once('.').unwrap();
        let answer = bench.exchange(&format!("{signed}.AAAA")).await;
        assert_eq!(answer.body["error_description"], "Invalid JWT Signature.");
        let answer = bench.exchange(&format!("{signed}.====")).await;
        assert_eq!(answer.body["error"], "invalid_request");
    }
}

#[tokio::test]
async fn a_key_without_an_id_signs_too() {
    let bench = bench().await;
    let jwt = bench.jwt(|header, _| {
        header.as_object_mut().unwrap().remove("kid");
    });
    assert_eq!(bench.exchange(&jwt).await.status, 200);
}

#[tokio::test]
async fn a_scope_that_google_does_not_know_buys_no_access_token() {
    let bench = bench().await;
    for scope in ["analytics", "https://www.googleapis.com/auth/analytics.readonl"] {
        let jwt = bench.jwt(|_, claims| claims["scope"] = json!(scope));
        let answer = bench.exchange(&jwt).await;
        assert_eq!(answer.status, 200);
        let fields: Vec<&String> = answer.body.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["id_token"], "{scope}");
    }
}

#[tokio::test]
async fn other_grants_are_refused() {
    let bench = bench().await;
    let answer = bench.token_form(&[("grant_type", "password")]).await;
    refused(&answer, 400, "unsupported_grant_type", "Invalid grant_type: password");
    assert_eq!(bench.token_form(&[]).await.body["error"], "invalid_request");
    let bare = bench.token_form(&[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")]).await;
    assert_eq!(bare.body["error"], "invalid_request");
}

#[tokio::test]
async fn a_refresh_token_buys_a_token() {
    let mut bench = bench().await;
    let user: Value = serde_json::from_str(&bench.simulator.authorized_user_json()).unwrap();
    assert_eq!(user["type"], "authorized_user");
    let fields = ["client_id", "client_secret", "refresh_token"];
    let mut form = vec![("grant_type", "refresh_token")];
    form.extend(fields.map(|field| (field, user[field].as_str().unwrap())));
    let answer = bench.token_form(&form).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    bench.token = answer.body["access_token"].as_str().unwrap().into();
    assert_eq!(bench.report(pageviews()).await.status, 200);
    for (index, status, error) in [(1, 401, "invalid_client"), (2, 401, "invalid_client"), (3, 400, "invalid_grant")] {
        let mut wrong = form.clone();
        wrong[index].1 = "wrong";
        let answer = bench.token_form(&wrong).await;
        assert_eq!((answer.status, &answer.body["error"]), (status, &json!(error)));
    }
}

#[tokio::test]
async fn the_metadata_server_wants_its_header_and_the_scope() {
    let mut bench = bench().await;
    let path = "/computeMetadata/v1/instance/service-accounts/default/token";
    let ask = |path: &str| bench.http.get(bench.url(path)).header("Metadata-Flavor", "Google");
    let probe = ask("/").send().await.unwrap();
    assert_eq!(probe.headers()["metadata-flavor"], "Google");
    assert_eq!(send(bench.http.get(bench.url(path))).await.status, 403);
    let email = ask("/computeMetadata/v1/instance/service-accounts/default/email").send().await.unwrap();
    assert_eq!(email.text().await.unwrap(), bench.simulator.client_email());
    let scoped = send(ask(&format!("{path}?scopes={READONLY}"))).await;
    let default = send(ask(path)).await;
    bench.token = scoped.body["access_token"].as_str().unwrap().into();
    assert_eq!(bench.report(pageviews()).await.status, 200);
    bench.token = default.body["access_token"].as_str().unwrap().into();
    let refused = bench.report(pageviews()).await;
    assert_eq!((refused.status, refused.message()), (403, "Request had insufficient authentication scopes."));
    let details = &refused.body["error"]["details"][0];
    assert_eq!(details["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
    assert_eq!(details["domain"], "googleapis.com");
}

#[tokio::test]
async fn missing_expired_and_revoked_tokens_are_unauthenticated() {
    let mut bench = bench().await;
    let url = bench.url("/v1beta/accountSummaries");
    let bare = send(bench.http.get(&url)).await;
    assert_eq!((bare.status, &bare.body["error"]["status"]), (401, &json!("UNAUTHENTICATED")));
    let details = &bare.body["error"]["details"][0];
    assert_eq!(details["reason"], "CREDENTIALS_MISSING");
    let method = "google.analytics.admin.v1beta.AnalyticsAdminService.ListAccountSummaries";
    assert_eq!(details["metadata"]["method"], method);
    let basic = send(bench.http.get(&url).basic_auth("x", Some("y"))).await;
    assert_eq!(basic.status, 401);
    assert!(basic.body["error"].get("details").is_none());
    let challenge = async |request: reqwest::RequestBuilder| {
        let answer = request.send().await.unwrap();
        answer.headers()["www-authenticate"].to_str().unwrap().to_owned()
    };
    assert_eq!(challenge(bench.http.get(&url)).await, "Bearer realm=\"https://accounts.google.com/\"");
    let bad = bench.http.get(&url).bearer_auth("ya29.x");
    assert!(challenge(bad).await.ends_with("error=\"invalid_token\""));

    bench.simulator.set_token_lifetime(Duration::from_secs(5));
    bench.sign_in().await;
    bench.advance(4);
    assert_eq!(bench.report(pageviews()).await.status, 200);
    bench.advance(1);
    assert_eq!(bench.report(pageviews()).await.status, 401);

    bench.sign_in().await;
    bench.simulator.revoke_tokens();
    assert_eq!(bench.report(pageviews()).await.status, 401);
}

#[tokio::test]
async fn self_signed_tokens_are_accepted_directly() {
    let mut bench = bench().await;
    let key: Value = serde_json::from_str(&bench.simulator.key_file_json()).unwrap();
    let now = bench.now().as_second();
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": key["private_key_id"]});
    let claims = |changes: Value| {
        let mut claims = json!({"iss": key["client_email"], "sub": key["client_email"], "iat": now, "exp": now + 3600});
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        claims
    };
    let (data, admin) = ("https://analyticsdata.googleapis.com/", "https://analyticsadmin.googleapis.com/");
    for (changes, status) in [
        (json!({ "aud": data }), 200),
        (json!({ "scope": READONLY }), 200),
        (json!({ "aud": admin }), 401),
        (json!({"scope": "https://www.googleapis.com/auth/drive"}), 403),
        (json!({"aud": data, "sub": "x"}), 401),
        (json!({"aud": data, "exp": now + 7200}), 401),
        (json!({}), 401),
    ] {
        bench.token = sign(&key, &header, &claims(changes.clone()));
        assert_eq!(bench.report(pageviews()).await.status, status, "{changes}");
    }
}
