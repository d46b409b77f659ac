//! Recorded answers, played on demand.

use ga4_simulator::{Bucket, Fault, Method, Recording};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Value, json};

use crate::{
    reports::{WINDOWS, request},
    support::{Answer, Bench, SHOP, send, shop, world},
};

const RECORDED: [(&str, &str, u16); 49] = [
    ("400-date-order", "runReport", 400),
    ("400-incompatible", "runReport", 400),
    ("400-unknown-name-bad-request", "runReport", 400),
    ("403-failed-requests-old", "runReport", 403),
    ("403-no-access", "runReport", 403),
    ("403-quota-project", "runReport", 403),
    ("403-rate-limit-old", "runReport", 403),
    ("403-vpc-sc", "runReport", 403),
    ("429-client-errors", "runReport", 429),
    ("429-concurrent", "runReport", 429),
    ("429-day-project-property", "runReport", 429),
    ("429-html-sorry", "runReport", 429),
    ("429-project-property-hour", "runReport", 429),
    ("499-cancelled", "runReport", 499),
    ("500-internal", "runReport", 500),
    ("502-html", "runReport", 502),
    ("503-visibility", "runReport", 503),
    ("admin-empty", "accountSummaries", 200),
    ("admin-property-denied", "property", 403),
    ("admin-rate-limit", "accountSummaries", 429),
    ("admin-scope", "accountSummaries", 403),
    ("admin-sitekit-null-token", "accountSummaries", 200),
    ("core-empty-headers-no-rows", "runReport", 200),
    ("core-empty-metadata-empty", "runReport", 200),
    ("core-empty-totals-kind-metadata", "runReport", 200),
    ("core-metadata-all-flags", "runReport", 200),
    ("core-plausible-batch-date", "batchRunReports", 200),
    ("core-quota-real-six", "runReport", 200),
    ("core-sitekit-two-ranges", "runReport", 200),
    ("core-zone-cldr-name", "runReport", 200),
    ("guard-rowcount-without-rows", "runReport", 200),
    ("guard-values-without-headers", "runReport", 200),
    ("history-empty-kind-metadata", "runReport", 200),
    ("history-sparse-other", "runReport", 200),
    ("metadata-500", "metadata", 500),
    ("metadata-no-account-404", "metadata", 404),
    ("metadata-token-ok", "metadata", 200),
    ("rt-empty-kind-only", "runRealtimeReport", 200),
    ("rt-only-one-range", "runRealtimeReport", 200),
    ("token-502-html", "token", 502),
    ("token-audience", "token", 400),
    ("token-clock", "token", 400),
    ("token-disabled-client", "token", 401),
    ("token-expired-or-revoked", "token", 400),
    ("token-internal-failure", "token", 500),
    ("token-invalid-client", "token", 401),
    ("token-invalid-request", "token", 400),
    ("token-ok-extra-fields", "token", 200),
    ("token-unauthorized-client", "token", 401),
];

async fn bench() -> Bench {
    Bench::new(world(shop())).await
}

fn core() -> Value {
    request(&["sessions", "newUsers"], &[], &WINDOWS[..1])
}

/// Asks for what a recording is of.
async fn ask(bench: &Bench, method: Method) -> (u16, HeaderMap, String) {
    let properties = format!("/v1beta/properties/{SHOP}");
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let realtime = json!({"metrics": [{"name": "activeUsers"}]});
    let request = match method {
        Method::Token => {
            let form = [("grant_type", grant.to_owned()), ("assertion", bench.jwt(|_, _| {}))];
            bench.http.post(bench.url("/token")).form(&form)
        }
        Method::MetadataServer => bench
            .http
            .get(bench.url("/computeMetadata/v1/instance/service-accounts/default/token"))
            .header("Metadata-Flavor", "Google"),
        Method::AccountSummaries => bench.http.get(bench.url("/v1beta/accountSummaries")).bearer_auth(&bench.token),
        Method::GetProperty => bench.http.get(bench.url(&properties)).bearer_auth(&bench.token),
        Method::RunRealtimeReport => bench.post(&format!("{properties}:runRealtimeReport"), &realtime),
        Method::BatchRunReports => bench.post(&format!("{properties}:batchRunReports"), &json!({"requests": [core()]})),
        // Nothing was recorded on the last two; more may come.
        Method::RunReport | Method::GetMetadata | Method::CheckCompatibility | _ => {
            bench.post(&format!("{properties}:runReport"), &core())
        }
    };
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.headers().clone(), answer.text().await.unwrap())
}

async fn order(bench: &Bench, body: &Value) -> Answer {
    send(bench.http.post(bench.url("/simulator/faults")).body(body.to_string())).await
}

/// The answer to a core report while a fault plays once.
async fn played(bench: &Bench, name: &str, body: Value) -> Value {
    bench.simulator.inject(Fault::play(name).unwrap().once());
    bench.report(body).await.body
}

#[tokio::test]
async fn every_recorded_answer_can_be_played() {
    let bench = bench().await;
    for (name, method, status) in RECORDED {
        let confirmation = order(&bench, &json!({"fault": name, "times": 1})).await;
        assert_eq!((confirmation.status, &confirmation.body["method"]), (200, &json!(method)), "{name}");
        let method = Method::named(method).unwrap();
        let (played, headers, text) = ask(&bench, method).await;
        assert_eq!(played, status, "{name}");
        let is_html = headers[CONTENT_TYPE].to_str().unwrap().starts_with("text/html");
        assert_eq!(is_html, serde_json::from_str::<Value>(&text).is_err(), "{name}");
        bench.simulator.refill_quota(SHOP);
        assert_eq!(ask(&bench, method).await.0, 200, "{name} is over");
    }
}

#[tokio::test]
async fn others_can_be_played_too() {
    let bench = bench().await;
    let others = Recording::all().filter(|one| RECORDED.iter().all(|(name, ..)| *name != one.name()));
    let mut count = 0;
    for recording in others {
        bench.simulator.inject(Fault::from(recording).once());
        let (status, _, text) = ask(&bench, recording.method()).await;
        assert_eq!(status, recording.status(), "{}", recording.name());
        assert!(!text.is_empty(), "{}", recording.name());
        bench.simulator.refill_quota(SHOP);
        count += 1;
    }
    assert!(count > 30, "{count}");
}

#[tokio::test]
async fn the_listing_names_all() {
    let bench = bench().await;
    let listing = send(bench.http.get(bench.url("/simulator/faults"))).await.body;
    let names: Vec<&str> =
        listing["faults"].as_array().unwrap().iter().map(|fault| fault["fault"].as_str().unwrap()).collect();
    for (name, ..) in RECORDED {
        assert!(names.contains(&name), "{name}");
    }
    assert_eq!(names.len(), Recording::all().count());
}

#[tokio::test]
async fn orders_say_where_and_how_often() {
    let bench = bench().await;
    let elsewhere = json!({"fault": "403-no-access", "property": "1"});
    assert_eq!(order(&bench, &elsewhere).await.status, 200);
    assert_eq!(bench.report(core()).await.status, 200);
    let twice = json!({"fault": "403-no-access", "property": format!("properties/{SHOP}"), "method": "runRealtimeReport",
        "times": 2});
    assert_eq!(order(&bench, &twice).await.status, 200);
    let realtime = || bench.realtime(json!({"metrics": [{"name": "eventCount"}]}));
    let statuses = [realtime().await.status, bench.report(core()).await.status, realtime().await.status];
    assert_eq!((statuses, realtime().await.status), ([403, 200, 403], 200));
    order(&bench, &json!({"fault": "500-internal"})).await;
    assert_eq!(bench.report(core()).await.status, 500);
    assert_eq!(send(bench.http.delete(bench.url("/simulator/faults"))).await.status, 200);
    assert_eq!(bench.report(core()).await.status, 200, "all faults are over");
}

#[tokio::test]
async fn wrong_orders_say_what_is_wrong() {
    let bench = bench().await;
    for (body, text) in [
        (json!({"fault": "418-teapot"}), "unknown fault \"418-teapot\""),
        (json!({}), "missing field `fault`"),
        (json!([]), "the body must be"),
        (json!({"fault": "500-internal", "tims": 1}), "unknown field `tims`"),
        (json!({"fault": "500-internal", "times": 0}), "at least 1"),
        (json!({"fault": "500-internal", "times": -1}), "the body must be"),
        (json!({"fault": "500-internal", "method": "runPivotReport"}), "unknown method \"runPivotReport\""),
        (json!({"fault": "500-internal", "property": "UA-1"}), "property must be a numeric id"),
    ] {
        let answer = order(&bench, &body).await;
        let problem = answer.body["error"].as_str().unwrap_or_default();
        assert!(answer.status == 400 && problem.contains(text), "{body}: {problem}");
    }
    assert_eq!(bench.report(core()).await.status, 200);
    assert_eq!(bench.simulator.requests().len(), 2, "orders are no requests of Google");
}

#[tokio::test]
async fn errors_are_whole_answers_for_whoever_is_signed_in() {
    let bench = bench().await;
    order(&bench, &json!({"fault": "429-client-errors", "times": 1})).await;
    let path = format!("/v1beta/properties/{SHOP}:runReport");
    assert_eq!(send(bench.http.post(bench.url(&path))).await.status, 401, "and the fault still waits");
    let answer = bench.report(json!({"not": "a request"})).await;
    assert_eq!(
        (answer.status, answer.message()),
        (429, "Exhausted client errors quota. These quota tokens will return in under 15 minutes.")
    );
    for (name, left) in [("499-cancelled", 10), ("409-aborted", 10), ("500-unknown", 9), ("503-visibility", 8)] {
        bench.simulator.inject(Fault::play(name).unwrap().once());
        bench.report(core()).await;
        assert_eq!(bench.simulator.core_quota(SHOP, Bucket::ServerErrors), Some(left), "{name}");
    }
}

#[tokio::test]
async fn errors_name_the_api_that_was_asked() {
    let bench = bench().await;
    let method = Method::AccountSummaries;
    bench.simulator.inject(Fault::play("403-service-disabled").unwrap().on(method).once());
    let (status, _, text) = ask(&bench, method).await;
    assert!(status == 403 && text.contains("analyticsadmin.googleapis.com"), "{text}");
    assert!(!text.contains("analyticsdata.googleapis.com"), "{text}");
}

#[tokio::test]
async fn empty_shapes_fit_any_request() {
    let bench = bench().await;
    let body = || request(&["sessions"], &["country"], &WINDOWS[..1]);
    let metadata = json!({"currencyCode": "EUR", "timeZone": "Europe/Berlin"});
    let kind = "analyticsData#runReport";
    let bare = json!({"kind": kind, "metadata": metadata});
    assert_eq!(played(&bench, "core-empty-totals-kind-metadata", body()).await, bare);
    assert_eq!(played(&bench, "history-empty-kind-metadata", body()).await, bare);
    assert_eq!(played(&bench, "core-empty-metadata-empty", body()).await, json!({"kind": kind, "metadata": {}}));
    let headers = played(&bench, "core-empty-headers-no-rows", body()).await;
    assert_eq!(headers["dimensionHeaders"], json!([{"name": "country"}]));
    assert!(headers["metricHeaders"].is_array() && headers.get("rows").is_none() && headers.get("rowCount").is_none());
    let guard = played(&bench, "guard-rowcount-without-rows", body()).await;
    assert_eq!(guard, json!({"kind": kind, "metadata": metadata, "rowCount": 1}));
    let guard = played(&bench, "guard-values-without-headers", body()).await;
    assert_eq!(guard["rows"], json!([{"metricValues": [{"value": "5"}]}]));
    assert!(guard.get("metricHeaders").is_none());
    assert_eq!(played(&bench, "guard-nothing-at-all", body()).await, json!({}));
}

#[tokio::test]
async fn ranges_come_in_any_order_and_may_be_missing() {
    let bench = bench().await;
    let body = || request(&["sessions"], &[], &WINDOWS[..2]);
    let good = bench.report(body()).await.rows();
    let answer = played(&bench, "core-sitekit-two-ranges", body()).await;
    let rows = answer["rows"].as_array().unwrap();
    let name = |row: &Value| row["dimensionValues"][0]["value"].as_str().unwrap().to_owned();
    assert_eq!((rows.len(), name(&rows[0]), name(&rows[1])), (2, "date_range_1".into(), "date_range_0".into()));
    assert_eq!(rows[1]["metricValues"], json!([{"value": "0"}]));
    let kept = good.iter().find(|row| row.0 == ["date_range_1"]).unwrap();
    assert_eq!(rows[0]["metricValues"][0]["value"], json!(kept.1[0].to_string()));

    bench.simulator.inject(Fault::play("rt-only-one-range").unwrap().once());
    let answer = bench
        .realtime(json!({"metrics": [{"name": "eventCount"}], "minuteRanges": [{"name": "a"}, {"name": "b"}]}))
        .await;
    assert_eq!(answer.rows().len(), 1);
    assert_eq!(answer.rows()[0].0, ["a"]);
}

#[tokio::test]
async fn rows_and_metadata_have_their_oddities() {
    let bench = bench().await;
    let history = || request(&["screenPageViews"], &["dateHour"], &WINDOWS[..1]);
    let good = bench.report(history()).await.rows().len();
    let other = played(&bench, "history-sparse-other", history()).await;
    assert_eq!((&other["rowCount"], &other["metadata"]["dataLossFromOtherRow"]), (&json!(1), &json!(true)));
    assert_eq!(other["rows"][0]["dimensionValues"], json!([{"value": "(other)"}]));
    let mixed = played(&bench, "history-other-among-rows", history()).await;
    assert_eq!(mixed["rows"].as_array().unwrap().len(), good + 2);
    let flags = played(&bench, "core-metadata-all-flags", core()).await;
    assert_eq!(flags["metadata"]["samplingMetadatas"][0]["samplesReadCount"], "42103");
    assert!(flags["metadata"]["timeZone"] == "Europe/Berlin" && flags["rows"].is_array());
    let zone = played(&bench, "core-zone-cldr-name", core()).await;
    assert_eq!(zone["metadata"], json!({"currencyCode": "INR", "timeZone": "Asia/Calcutta"}));
    let quota = played(&bench, "core-quota-real-six", core()).await;
    assert_eq!(quota["propertyQuota"].as_object().unwrap().len(), 6);
    bench.simulator.inject(Fault::play("core-plausible-batch-date").unwrap().once());
    let (_, _, text) = ask(&bench, Method::BatchRunReports).await;
    let batch: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&batch["reports"][0]["rowCount"], batch["reports"][0]["rows"].as_array().unwrap().len()),
        (&json!(3), 1)
    );
}

#[tokio::test]
async fn sign_in_and_the_listing_have_theirs() {
    let mut bench = bench().await;
    let token = async |name: &str| {
        bench.simulator.inject(Fault::play(name).unwrap().once());
        let (_, _, text) = ask(&bench, Recording::named(name).unwrap().method()).await;
        serde_json::from_str::<Value>(&text).unwrap()
    };
    assert_eq!(token("token-lifetime-as-text").await["expires_in"], "3599");
    assert_eq!(token("metadata-token-ok").await["expires_in"], 3462);
    let listing = token("admin-sitekit-null-token").await;
    let accounts = &listing["accountSummaries"];
    assert_eq!((&accounts[0]["propertySummaries"], &listing["nextPageToken"]), (&json!([]), &Value::Null));
    let property = &accounts[1]["propertySummaries"][0];
    assert_eq!((&property["property"], property.get("propertyType")), (&json!(format!("properties/{SHOP}")), None));
    let listing = token("admin-unreadable-entry").await;
    assert_eq!(listing["accountSummaries"][1]["propertySummaries"].as_array().unwrap().len(), 2);
    let extra = token("token-ok-extra-fields").await;
    assert!(extra["refresh_token"].is_string());
    bench.token = extra["access_token"].as_str().unwrap().into();
    assert_eq!(bench.report(core()).await.status, 200, "the token works");
}
