//! Requests that Google refuses, with its messages.

use serde_json::{Value, json};

use crate::support::{Bench, SHOP, send, shop, world};

fn good() -> Value {
    json!({"metrics": [{"name": "sessions"}], "dateRanges": [{"startDate": "today", "endDate": "today"}]})
}

fn with(changes: Value) -> Value {
    let mut body = good();
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    body
}

fn names(names: &[&str]) -> Value {
    names.iter().map(|name| json!({ "name": name })).collect()
}

fn range(start: &str, end: &str) -> Value {
    json!([{"startDate": start, "endDate": end}])
}

const DIMENSIONS: [&str; 10] =
    ["date", "hour", "pagePath", "country", "city", "browser", "platform", "eventName", "hostName", "pageTitle"];

const METRICS: [&str; 11] = [
    "sessions",
    "newUsers",
    "totalUsers",
    "activeUsers",
    "eventCount",
    "keyEvents",
    "bounceRate",
    "totalRevenue",
    "engagementRate",
    "engagedSessions",
    "screenPageViews",
];

/// Each change to a good request is refused with a message that contains the text.
async fn all_refused(cases: &[(Value, &str)]) {
    let bench = Bench::new(world(shop())).await;
    assert_eq!(bench.report(good()).await.status, 200);
    for (changes, text) in cases {
        let answer = bench.report(with(changes.clone())).await;
        let status = &answer.body["error"]["status"];
        assert_eq!((answer.status, status), (400, &json!("INVALID_ARGUMENT")), "{changes}");
        assert!(answer.message().contains(text), "{changes}: {}", answer.message());
    }
}

#[tokio::test]
async fn requests_over_the_limits_are_refused() {
    let five = vec![range("today", "today")[0].clone(); 5];
    all_refused(&[
        (
            json!({"dimensions": names(&DIMENSIONS)}),
            "Requests are limited to 9 dimensions within a nested request. This request is for 10 dimensions.",
        ),
        (
            json!({"metrics": names(&METRICS)}),
            "Requests are limited to 10 metrics within a nested request. This request is for 11 metrics.",
        ),
        (json!({"metrics": []}), "at least 1 metric"),
        (json!({"dateRanges": []}), "at least 1 date range"),
        (json!({"dateRanges": five}), "limited to 4 dateRanges"),
        (json!({"limit": "-1"}), "Invalid limit"),
        (json!({"limit": 250_001}), "Invalid limit"),
        (json!({"offset": -1}), "Invalid offset"),
    ])
    .await;
}

#[tokio::test]
async fn requests_at_the_limits_are_answered() {
    let bench = Bench::new(world(shop())).await;
    for changes in [
        json!({"dimensions": names(&DIMENSIONS[..9])}),
        json!({"metrics": names(&METRICS[..10])}),
        json!({"dateRanges": vec![range("today", "today")[0].clone(); 4]}),
        json!({"limit": "250000", "offset": 0}),
    ] {
        assert_eq!(bench.report(with(changes.clone())).await.status, 200, "{changes}");
    }
}

#[tokio::test]
async fn wrong_ranges_are_refused() {
    let named = |name: &str| json!({"dateRanges": [{"startDate": "today", "endDate": "today", "name": name}]});
    all_refused(&[
        (json!({"dateRanges": range("today", "yesterday")}), "startDate today is after endDate yesterday"),
        (json!({"dateRanges": range("this_week", "today")}), "Invalid startDate: this_week."),
        (json!({"dateRanges": range("today", "")}), "Invalid endDate: ."),
        (named("RESERVED_x"), "Invalid range name"),
        (named("date_range_7"), "Invalid range name"),
    ])
    .await;
}

#[tokio::test]
async fn unknown_and_unfit_fields_are_refused() {
    all_refused(&[
        (
            json!({"metrics": names(&["session"])}),
            "Did you mean sessions? Field session is not a valid metric. For a list of valid dimensions and metrics, \
             see https://developers.google.com/analytics/devguides/reporting/data/v1/api-schema",
        ),
        (json!({"metrics": names(&["xyz"])}), "Field xyz is not a valid metric."),
        (json!({"dimensions": names(&["screenPageViews"])}), "Field screenPageViews is not a valid dimension."),
        (json!({"dimensions": names(&["minutesAgo"])}), "Field minutesAgo is not a valid dimension."),
        (json!({"dimensions": names(&["itemName"])}), "The request's dimensions & metrics are incompatible."),
        (json!({"dimensions": names(&["date", "date"])}), "duplicate dimension date"),
        (json!({"metrics": names(&["sessions", "sessions"])}), "duplicate metric sessions"),
        (json!({"orderBys": [{"metric": {"metricName": "keyEvents"}}]}), "Field keyEvents in orderBys"),
        (json!({"metricFilter": {"filter": {"fieldName": "keyEvents", "emptyFilter": {}}}}), "metric filter"),
        (json!({"dimensionFilter": {"filter": {"fieldName": "sessions", "emptyFilter": {}}}}), "not a valid dimension"),
        (json!({"currencyCode": "euro"}), "Invalid currencyCode"),
        (json!({"pivots": []}), "Unknown name \"pivots\": Cannot find field."),
    ])
    .await;
}

#[tokio::test]
async fn what_is_not_simulated_is_refused_and_says_so() {
    all_refused(&[
        (json!({"cohortSpec": {}}), "does not support: cohortSpec"),
        (json!({"comparisons": [{"comparison": "comparisons/1"}]}), "does not support: comparisons"),
        (json!({"metrics": [{"name": "x", "expression": "sessions/2"}]}), "does not support: metric expression"),
        (
            json!({"dimensions": [{"name": "x", "dimensionExpression": {"lowerCase": {"dimensionName": "city"}}}]}),
            "does not support: dimensionExpression",
        ),
    ])
    .await;
}

#[tokio::test]
async fn unknown_fields_come_with_details() {
    let bench = Bench::new(world(shop())).await;
    let error = bench.report(with(json!({"foo": 1}))).await.body["error"].clone();
    let text = "Invalid JSON payload received. Unknown name \"foo\": Cannot find field.";
    assert_eq!((&error["code"], &error["message"]), (&json!(400), &json!(text)));
    assert_eq!(
        error["details"],
        json!([{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"description": text}]}])
    );
}

#[tokio::test]
async fn properties_that_one_may_not_see_look_like_ones_that_are_not_there() {
    let bench = Bench::new(world(shop().without_data_access())).await;
    let forbidden = bench.report(good()).await;
    assert_eq!((forbidden.status, &forbidden.body["error"]["status"]), (403, &json!("PERMISSION_DENIED")));
    assert_eq!(
        forbidden.message(),
        "User does not have sufficient permissions for this property. To learn more about Property ID, see \
         https://developers.google.com/analytics/devguides/reporting/data/v1/property-id."
    );
    let missing = send(bench.post("/v1beta/properties/999:runReport", &good())).await;
    assert_eq!(missing.body, forbidden.body);
    let malformed = send(bench.post("/v1beta/properties/UA-123-1:runReport", &good())).await;
    assert_eq!((malformed.status, &malformed.body["error"]["status"]), (400, &json!("INVALID_ARGUMENT")));
    bench.simulator.edit(SHOP, |shop| shop.with_data_access());
    assert_eq!(bench.report(good()).await.status, 200);
}

#[tokio::test]
async fn other_paths_and_methods_are_not_found() {
    let bench = Bench::new(world(shop())).await;
    for path in ["/v1beta/properties/1:runPivotReport", "/v1beta/accountSummaries", "/v1/x"] {
        assert_eq!(send(bench.post(path, &good())).await.status, 404, "{path}");
    }
    let page = bench.http.get(bench.url("/v3/data/ga")).send().await.unwrap();
    assert_eq!((page.status().as_u16(), &page.headers()["content-type"].as_bytes()[..9]), (404, &b"text/html"[..]));
}

#[tokio::test]
async fn bodies_and_parameters_are_checked() {
    let bench = Bench::new(world(shop())).await;
    let path = format!("/v1beta/properties/{SHOP}:runReport");
    let raw = |body: String| bench.post(&path, &Value::Null).body(body);
    assert_eq!(send(raw(String::from("{"))).await.status, 400);
    assert_eq!(send(raw(format!("{{\"limit\": {}1}}", " ".repeat(1 << 20)))).await.status, 413);
    let answer = send(bench.post(&format!("{path}?foo=1"), &good())).await;
    assert!(answer.message().contains("Unknown name \"foo\": Cannot bind query parameter."));
    assert_eq!(send(bench.post(&format!("{path}?alt=json&prettyPrint=false&fields=rows"), &good())).await.status, 200);
}

#[tokio::test]
async fn compatibility_and_metadata_tell_what_can_be_asked() {
    let bench = Bench::new(world(shop())).await;
    let metadata = bench.get(&format!("/v1beta/properties/{SHOP}/metadata")).await.body;
    assert_eq!(metadata["name"], format!("properties/{SHOP}/metadata"));
    let names = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|field| field["apiName"].as_str().unwrap().into()).collect()
    };
    for name in names(&metadata["dimensions"]) {
        let metric = if name == "itemName" { "itemsPurchased" } else { "eventCount" };
        let body = with(json!({"metrics": [{"name": metric}], "dimensions": [{"name": name}]}));
        assert_eq!(bench.report(body).await.status, 200, "{name}");
    }
    for name in names(&metadata["metrics"]) {
        assert_eq!(bench.report(with(json!({"metrics": [{"name": name}]}))).await.status, 200, "{name}");
    }
    let path = format!("/v1beta/properties/{SHOP}:checkCompatibility");
    let body = json!({"dimensions": [{"name": "itemName"}], "compatibilityFilter": "COMPATIBLE"});
    let answer = send(bench.post(&path, &body)).await.body;
    let compatible = answer["metricCompatibilities"].as_array().unwrap();
    assert_eq!(compatible.len(), 1);
    assert_eq!(compatible[0]["metricMetadata"]["apiName"], "itemsPurchased");
    let wrong = json!({"dimensions": [{"name": "itemName"}], "metrics": [{"name": "sessions"}]});
    assert_eq!(send(bench.post(&path, &wrong)).await.status, 400);
}
