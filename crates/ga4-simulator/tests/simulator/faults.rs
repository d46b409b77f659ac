//! Faults on demand as clients see them.

use std::time::Duration;

use ga4_simulator::{Bucket, Effect, Fault, Method, Refusal};
use serde_json::{Value, json};

use crate::support::{Bench, SHOP, send, shop, world};

fn core() -> Value {
    json!({"metrics": [{"name": "sessions"}, {"name": "newUsers"}],
        "dateRanges": [{"startDate": "yesterday", "endDate": "yesterday"}]})
}

async fn bench() -> Bench {
    Bench::new(world(shop())).await
}

fn once(bench: &Bench, effect: Effect) {
    bench.simulator.inject(Fault::new(effect).on(Method::RunReport).property(SHOP).once());
}

#[tokio::test]
async fn refusals_have_googles_shape() {
    let bench = bench().await;
    let reason = |body: &Value| {
        let details = body["error"]["details"].as_array().cloned().unwrap_or_default();
        let info = details.into_iter().find(|detail| detail["@type"].as_str().unwrap().ends_with("ErrorInfo"));
        info.unwrap_or_default()["reason"].as_str().unwrap_or_default().to_owned()
    };
    for (refusal, status, name, expected) in [
        (Refusal::InvalidArgument, 400, "INVALID_ARGUMENT", ""),
        (Refusal::Unauthenticated, 401, "UNAUTHENTICATED", ""),
        (Refusal::NoAccess, 403, "PERMISSION_DENIED", ""),
        (Refusal::ServiceDisabled, 403, "PERMISSION_DENIED", "SERVICE_DISABLED"),
        (Refusal::InsufficientScope, 403, "PERMISSION_DENIED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
        (Refusal::NotFound, 404, "NOT_FOUND", ""),
        (Refusal::Exhausted(Bucket::Hour), 429, "RESOURCE_EXHAUSTED", ""),
        (Refusal::RateLimitExceeded, 429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED"),
        (Refusal::RateLimitExceededForbidden, 403, "PERMISSION_DENIED", "RATE_LIMIT_EXCEEDED"),
        (Refusal::Internal, 500, "INTERNAL", ""),
        (Refusal::Unavailable, 503, "UNAVAILABLE", ""),
    ] {
        once(&bench, Effect::Refuse(refusal));
        let answer = bench.report(core()).await;
        assert_eq!((answer.status, &answer.body["error"]["status"]), (status, &json!(name)), "{refusal:?}");
        assert_eq!(answer.body["error"]["code"], status);
        assert_eq!(reason(&answer.body), expected, "{refusal:?}");
        assert_eq!(bench.report(core()).await.status, 200, "only once");
    }
}

#[tokio::test]
async fn a_disabled_api_names_the_url_that_enables_it() {
    let bench = bench().await;
    bench.simulator.inject(Fault::new(Effect::Refuse(Refusal::ServiceDisabled)).on(Method::AccountSummaries));
    let answer = bench.get("/v1beta/accountSummaries").await;
    let url =
        "https://console.developers.google.com/apis/api/analyticsadmin.googleapis.com/overview?project=314159265358";
    assert!(
        answer.message().starts_with("Google Analytics Admin API has not been used in project 314159265358 before")
    );
    assert!(answer.message().contains(url));
    assert_eq!(answer.body["error"]["details"][1]["metadata"]["activationUrl"], url);
    assert_eq!(answer.body["error"]["details"][0]["links"][0]["url"], url);
    assert_eq!(bench.report(core()).await.status, 200);
}

#[tokio::test]
async fn spoilt_reports() {
    let bench = bench().await;
    let after = async |effect| {
        once(&bench, effect);
        bench.report(core()).await
    };
    assert_eq!(after(Effect::WrongKind).await.body["kind"], "analyticsData#runPivotReport");
    assert!(after(Effect::NoKind).await.body.get("kind").is_none());
    assert!(after(Effect::NoMetricHeaders).await.body.get("metricHeaders").is_none());
    let zoneless = after(Effect::NoTimeZone).await.body;
    assert_eq!(zoneless["metadata"], json!({"currencyCode": "EUR"}));
    let strange = after(Effect::UnknownFields).await.body;
    assert!(strange["metadata"]["dataTruncationReasons"].is_array() && strange["rows"].is_array());
    let negative = after(Effect::MetricValues(String::from("-1"))).await.body;
    assert_eq!(negative["rows"][0]["metricValues"], json!([{"value": "-1"}, {"value": "-1"}]));
    for effect in [Effect::Html, Effect::Truncated] {
        let answer = after(effect).await;
        assert_eq!((answer.status, answer.body), (200, Value::Null));
    }
    let raw = after(Effect::Raw(502, String::from("{\"x\": 1}"))).await;
    assert_eq!((raw.status, raw.body), (502, json!({"x": 1})));
    assert_eq!(after(Effect::Latency(Duration::from_millis(1))).await.status, 200);
}

#[tokio::test]
async fn spoilt_batches_are_spoilt_inside() {
    let bench = bench().await;
    bench.simulator.inject(Fault::new(Effect::NoMetricHeaders).on(Method::BatchRunReports));
    let path = format!("/v1beta/properties/{SHOP}:batchRunReports");
    let answer = send(bench.post(&path, &json!({"requests": [core(), core()]}))).await.body;
    assert!(answer["reports"][1].get("metricHeaders").is_none() && answer["reports"][1]["rows"].is_array());
}

#[tokio::test]
async fn resets_are_connection_errors() {
    let bench = bench().await;
    let path = format!("/v1beta/properties/{SHOP}:runReport");
    once(&bench, Effect::Reset);
    let error = bench.post(&path, &core()).send().await.unwrap_err();
    assert!(!error.is_timeout(), "{error:?}");
    once(&bench, Effect::ResetMidBody);
    let broken = match bench.post(&path, &core()).send().await {
        Ok(response) => response.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(broken);
    assert_eq!(bench.report(core()).await.status, 200);
}

#[tokio::test]
async fn an_endless_body_goes_on_after_what_fits() {
    let bench = bench().await;
    once(&bench, Effect::Endless);
    let path = format!("/v1beta/properties/{SHOP}:runReport");
    let mut response = bench.post(&path, &core()).send().await.unwrap();
    let mut read = 0;
    while read < 4 << 20 {
        read += response.chunk().await.unwrap().expect("it never ends").len();
    }
}

#[tokio::test]
async fn the_token_endpoint_fails_on_demand() {
    let bench = bench().await;
    let fault = Effect::RefuseToken(503, String::from("temporarily_unavailable"), String::from("Try again."));
    bench.simulator.inject(Fault::new(fault).on(Method::Token).once());
    let answer = bench.exchange(&bench.jwt(|_, _| {})).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.body, json!({"error": "temporarily_unavailable", "error_description": "Try again."}));
    bench.simulator.inject(Fault::new(Effect::ExpiresIn(-5)).on(Method::Token).once());
    let answer = bench.exchange(&bench.jwt(|_, _| {})).await;
    assert_eq!((answer.status, &answer.body["expires_in"]), (200, &json!(-5)));
    assert!(answer.body["access_token"].is_string());
}
