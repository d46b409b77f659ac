//! Custom fields: listed, reported and refused as Google does.

use ga4_simulator::{CustomDimension, CustomMetric, MetricUnit, Restriction};
use serde_json::{Value, json};

use crate::{
    reports::request,
    support::{Bench, SHOP, send, shop, world},
};

const YESTERDAY: [(&str, &str); 1] = [("yesterday", "yesterday")];

async fn bench() -> Bench {
    let secret = CustomMetric::new("margin").unit(MetricUnit::Currency).restricted(Restriction::Revenue);
    let property = shop()
        .example_custom_fields()
        .custom_dimension(CustomDimension::event("unused"))
        .custom_metric(secret.named("Margin"))
        .key_event("sign_up");
    Bench::new(world(property)).await
}

fn field<'a>(list: &'a Value, name: &str) -> &'a Value {
    let fields = list.as_array().unwrap();
    fields.iter().find(|field| field["apiName"] == name).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn metadata_lists_them() {
    let bench = bench().await;
    let metadata = bench.get(&format!("/v1beta/properties/{SHOP}/metadata")).await.body;
    assert_eq!(
        field(&metadata["dimensions"], "customEvent:plan"),
        &json!({"apiName": "customEvent:plan", "uiName": "Plan", "description": "Plan (simulated).",
            "category": "Custom", "customDefinition": true})
    );
    assert_eq!(
        field(&metadata["metrics"], "customEvent:margin"),
        &json!({"apiName": "customEvent:margin", "uiName": "Margin", "description": "Margin (simulated).",
            "category": "Custom", "customDefinition": true, "type": "TYPE_CURRENCY",
            "blockedReasons": ["NO_REVENUE_METRICS"]})
    );
    for name in ["customUser:membership", "customItem:material", "customChannelGroup:7351018888"] {
        assert_eq!(field(&metadata["dimensions"], name)["customDefinition"], true, "{name}");
    }
    for (name, value_type) in [
        ("customEvent:score", "TYPE_STANDARD"),
        ("averageCustomEvent:delivery_time", "TYPE_MINUTES"),
        ("countCustomEvent:delivery_time", "TYPE_INTEGER"),
        ("keyEvents:sign_up", "TYPE_INTEGER"),
        ("sessionKeyEventRate:purchase", "TYPE_FLOAT"),
        ("calcMetric:pages_per_visit", "TYPE_STANDARD"),
    ] {
        assert_eq!(field(&metadata["metrics"], name)["type"], value_type, "{name}");
    }
    assert!(field(&metadata["metrics"], "sessions").get("customDefinition").is_none());
}

#[tokio::test]
async fn their_values_add_up() {
    let bench = bench().await;
    let metrics = ["sessions", "keyEvents", "keyEvents:purchase", "customEvent:score", "countCustomEvent:score"];
    let total = bench.report(request(&metrics, &[], &YESTERDAY)).await.rows().remove(0).1;
    let answer = bench.report(request(&metrics, &["customEvent:plan"], &YESTERDAY)).await;
    let plans: Vec<String> = answer.rows().into_iter().map(|(labels, _)| labels[0].clone()).collect();
    assert!(plans.iter().all(|plan| ["free", "basic", "pro"].contains(&plan.as_str())) && plans.len() > 1, "{plans:?}");
    for (index, total) in total.iter().enumerate() {
        assert_eq!(answer.rows().iter().map(|(_, values)| values[index]).sum::<u64>(), *total, "{}", metrics[index]);
    }
    let [sessions, key_events, purchases, score, count] = total[..] else { panic!("{total:?}") };
    assert_eq!((purchases, score, count), (key_events, 3 * key_events, key_events));
    assert!(key_events > 0 && sessions > key_events);
    let metrics = ["averageCustomEvent:delivery_time", "keyEvents:sign_up", "customEvent:margin"];
    let mut body = request(&metrics, &["customEvent:unused", "sessionCustomChannelGroup:7351018888"], &YESTERDAY);
    body["dimensionFilter"] = json!({"filter": {"fieldName": "customUser:membership",
        "stringFilter": {"value": "member"}}});
    let answer = bench.report(body).await;
    assert_eq!((answer.rows()[0].0[0].as_str(), answer.rows()[0].1.clone()), ("(not set)", vec![90, 0, 0]));
    assert_eq!(
        answer.body["metadata"]["schemaRestrictionResponse"],
        json!({"activeMetricRestrictions": [
            {"metricName": "customEvent:margin", "restrictedMetricTypes": ["REVENUE_DATA"]}]})
    );
}

#[tokio::test]
async fn realtime_has_those_of_users_only() {
    let bench = bench().await;
    let body = |name| json!({"metrics": [{"name": "activeUsers"}], "dimensions": [{"name": name}]});
    let answer = bench.realtime(body("customUser:membership")).await;
    assert!(!answer.rows().is_empty(), "{:?}", answer.body);
    let answer = bench.realtime(body("customEvent:plan")).await;
    assert_eq!(answer.status, 400);
    assert!(answer.message().contains("Field customEvent:plan is not a valid dimension."), "{}", answer.message());
    assert!(answer.message().ends_with("/realtime-api-schema "), "{}", answer.message());
}

#[tokio::test]
async fn unknown_ones_are_refused_as_google_refuses_them() {
    let bench = bench().await;
    for (metrics, dimensions, message) in [
        (&["sessions"][..], &["customEvent:plam"][..], "Did you mean customEvent:plan? Field customEvent:plam is not"),
        (&["keyEvents:purchased"], &[], "Did you mean keyEvents:purchase? Field keyEvents:purchased is not"),
        (&["customEvent:plan"], &[], "Field customEvent:plan is not a valid metric.  For a list"),
        (&["eventCount"], &["customItem:material"], "Please remove eventCount to make the request compatible"),
    ] {
        let answer = bench.report(request(metrics, dimensions, &YESTERDAY)).await;
        assert_eq!(answer.status, 400, "{metrics:?} {dimensions:?}");
        assert!(answer.message().contains(message), "{}", answer.message());
    }
    let mut body = request(&["sessions"], &["country"], &YESTERDAY);
    body["metricFilter"] = json!({"filter": {"fieldName": "customEvent:margin", "numericFilter": {
        "operation": "GREATER_THAN", "value": {"int64Value": "5"}}}});
    assert_eq!(bench.report(body).await.status, 400);
}

#[tokio::test]
async fn compatibility_includes_them() {
    let bench = bench().await;
    let path = format!("/v1beta/properties/{SHOP}:checkCompatibility");
    let body = json!({"dimensions": [{"name": "customItem:material"}], "compatibilityFilter": "INCOMPATIBLE"});
    let answer = send(bench.post(&path, &body)).await.body;
    let metrics = answer["metricCompatibilities"].as_array().unwrap();
    let names: Vec<&str> = metrics.iter().filter_map(|one| one["metricMetadata"]["apiName"].as_str()).collect();
    assert!(names.contains(&"customEvent:score") && names.contains(&"keyEvents:purchase"), "{names:?}");
    assert!(!names.contains(&"itemsViewed"), "{names:?}");
    let dimensions = answer["dimensionCompatibilities"].as_array().unwrap();
    let group = |one: &&Value| one["dimensionMetadata"]["apiName"] == "customChannelGroup:7351018888";
    assert_eq!(dimensions.iter().find(group).unwrap()["dimensionMetadata"]["customDefinition"], true);
}
