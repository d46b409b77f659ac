//! Quota buckets as clients see them.

use ga4_simulator::{Bucket, Effect, Fault, Method, Property, QuotaSizes, Refusal, Simulator};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Answer, Bench, SHOP, send, shop, until, world};

fn core() -> Value {
    json!({"metrics": [{"name": "sessions"}], "dateRanges": [{"startDate": "yesterday", "endDate": "yesterday"}],
        "returnPropertyQuota": true})
}

fn realtime() -> Value {
    json!({"metrics": [{"name": "eventCount"}], "returnPropertyQuota": true})
}

#[track_caller]
fn exhausted(answer: &Answer, text: &str) {
    assert_eq!(answer.status, 429, "{:?}", answer.body);
    assert_eq!(answer.body["error"]["status"], "RESOURCE_EXHAUSTED");
    assert!(answer.message().starts_with(text), "{}", answer.message());
    assert!(answer.body["error"].get("details").is_none());
}

#[tokio::test]
async fn every_bucket_runs_empty_in_googles_words_and_leaves_the_other_category_alone() {
    let bench = Bench::new(world(shop())).await;
    for (bucket, text) in [
        (Bucket::Day, "Exhausted property tokens per day. These quota tokens will return in under 24 hours."),
        (Bucket::Hour, "Exhausted property tokens per hour."),
        (
            Bucket::ProjectHour,
            "Exhausted property tokens for a project per hour. These quota tokens will return in under an hour. To learn more, see https://developers.google.com/analytics/devguides/reporting/data/v1/quotas",
        ),
        (Bucket::ServerErrors, "Exhausted server errors"),
    ] {
        bench.simulator.take_core_quota(SHOP, bucket, u32::MAX);
        exhausted(&bench.report(core()).await, text);
        assert_eq!(bench.realtime(realtime()).await.status, 200, "{bucket:?}");
        bench.simulator.refill_quota(SHOP);
        assert_eq!(bench.report(core()).await.status, 200);
    }
    bench.simulator.take_realtime_quota(SHOP, Bucket::ProjectHour, u32::MAX);
    exhausted(&bench.realtime(realtime()).await, "Exhausted property tokens for a project per hour.");
}

#[tokio::test]
async fn the_answer_tells_the_price_and_what_is_left() {
    let bench = Bench::new(world(shop())).await;
    let quota = bench.report(core()).await.body["propertyQuota"].clone();
    assert_eq!(
        quota,
        json!({
            "tokensPerDay": {"consumed": 1, "remaining": 199_999},
            "tokensPerHour": {"consumed": 1, "remaining": 39_999},
            "tokensPerProjectPerHour": {"consumed": 1, "remaining": 13_999},
            "concurrentRequests": {"consumed": 0, "remaining": 10},
            "serverErrorsPerProjectPerHour": {"consumed": 0, "remaining": 10},
            "potentiallyThresholdedRequestsPerHour": {"consumed": 0, "remaining": 120},
        })
    );
    bench.simulator.set_token_cost(Some(37));
    let quota = bench.report(core()).await.body["propertyQuota"].clone();
    assert_eq!(quota["tokensPerDay"], json!({"consumed": 37, "remaining": 199_962}));
    let other = bench.realtime(realtime()).await.body["propertyQuota"].clone();
    assert_eq!(other["tokensPerDay"], json!({"consumed": 37, "remaining": 199_963}));
    assert_eq!(bench.simulator.core_quota(SHOP, Bucket::ProjectHour), Some(13_962));
    assert_eq!(bench.simulator.realtime_quota(SHOP, Bucket::Day), Some(199_963));

    let premium = Bench::new(world(shop().premium())).await;
    let quota = premium.report(core()).await.body["propertyQuota"].clone();
    assert_eq!(quota["tokensPerDay"]["remaining"], 1_999_999);
    assert_eq!(quota["concurrentRequests"]["remaining"], 50);
}

#[tokio::test]
async fn buckets_refill_with_time() {
    let mut bench = Bench::new(world(shop())).await;
    for bucket in [Bucket::Hour, Bucket::Day] {
        bench.simulator.take_core_quota(SHOP, bucket, u32::MAX);
        let wait = bench.simulator.next_refill(SHOP, bucket).as_second() - bench.now().as_second();
        bench.advance(wait - 1);
        bench.sign_in().await;
        assert_eq!(bench.report(core()).await.status, 429, "{bucket:?}");
        bench.advance(1);
        assert_eq!(bench.report(core()).await.status, 200, "{bucket:?}");
    }
}

#[tokio::test]
async fn requests_in_flight_are_counted() {
    let bench = Bench::new(world(shop())).await;
    let fault = bench.simulator.inject(Fault::new(Effect::Hang).on(Method::RunReport));
    let path = format!("/v1beta/properties/{SHOP}:runReport");
    let mut hanging = JoinSet::new();
    for _ in 0..10 {
        hanging.spawn(bench.post(&path, &core()).send());
    }
    let asked = |simulator: &Simulator| simulator.core_quota(SHOP, Bucket::Concurrent);
    until(|| asked(&bench.simulator) == Some(0)).await;
    bench.simulator.clear(fault);
    exhausted(&bench.report(core()).await, "Exhausted concurrent requests quota");
    assert_eq!(bench.realtime(realtime()).await.status, 200);
    hanging.abort_all();
    until(|| asked(&bench.simulator) == Some(10)).await;
    assert_eq!(bench.report(core()).await.status, 200);
}

#[tokio::test]
async fn a_batch_takes_a_place_and_a_price_for_each_report() {
    let sizes = QuotaSizes { concurrent_requests: 4, ..QuotaSizes::STANDARD };
    let bench = Bench::new(world(Property::new(SHOP, "Shop").quota(sizes))).await;
    let path = format!("/v1beta/properties/{SHOP}:batchRunReports");
    let batch = |count: usize| bench.post(&path, &json!({"requests": vec![core(); count]}));
    exhausted(&send(batch(5)).await, "Exhausted concurrent requests quota");
    assert_eq!(send(batch(4)).await.status, 200);
    assert_eq!(bench.simulator.core_quota(SHOP, Bucket::Day), Some(199_996));
}

#[tokio::test]
async fn ten_server_errors_close_the_property_for_the_hour() {
    let bench = Bench::new(world(shop())).await;
    bench.simulator.inject(Fault::new(Effect::Refuse(Refusal::Internal)).on(Method::RunReport).times(5));
    bench.simulator.inject(Fault::new(Effect::Refuse(Refusal::Unavailable)).on(Method::RunReport));
    for number in 0..10 {
        let expected = if number < 5 { 500 } else { 503 };
        assert_eq!(bench.report(core()).await.status, expected, "{number}");
    }
    exhausted(&bench.report(core()).await, "Exhausted server errors");
    bench.simulator.clear_faults();
    exhausted(&bench.report(core()).await, "Exhausted server errors");
}

#[tokio::test]
async fn demographic_requests_have_a_quota_of_their_own() {
    let bench = Bench::new(world(shop())).await;
    let mut body = core();
    body["dimensions"] = json!([{"name": "userGender"}]);
    let answer = bench.report(body.clone()).await.body;
    assert_eq!(answer["metadata"]["subjectToThresholding"], true);
    let status = &answer["propertyQuota"]["potentiallyThresholdedRequestsPerHour"];
    assert_eq!(*status, json!({"consumed": 1, "remaining": 119}));
    bench.simulator.take_core_quota(SHOP, Bucket::Thresholded, 119);
    exhausted(&bench.report(body).await, "Exhausted potentially thresholded requests quota");
    assert_eq!(bench.report(core()).await.status, 200);
}
