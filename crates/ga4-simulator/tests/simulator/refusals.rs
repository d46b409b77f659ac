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
            "Requests are limited to 9 dimensions within a nested request.\n  This request is for 10 dimensions.",
        ),
        (
            json!({"metrics": names(&METRICS)}),
            "Requests are limited to 10 metrics within a nested request.\n  This request is for 11 metrics.",
        ),
        (json!({"metrics": []}), "Requests require dimensions and/or metrics. Most requests include both."),
        (json!({"dateRanges": []}), "A dateRange is required."),
        (json!({"dateRanges": five}), "Requests are limited to 4 dateRanges.\n  This request contains 5 dateRanges."),
        (json!({"limit": "-1"}), "limit must be positive. The API received limit = -1"),
        (json!({"offset": -1}), "offset must be positive. The API received offset = -1"),
        (json!({"metricAggregations": ["COUNT"]}), "Metric aggregation Count is not supported in ReportRequest."),
        (
            json!({"dimensions": names(&DIMENSIONS[..9]), "dimensionFilter": {"filter": {"fieldName": "pageTitle",
                "emptyFilter": {}}}}),
            "This request is for 10 dimensions.",
        ),
    ])
    .await;
}

#[tokio::test]
async fn requests_at_the_limits_are_answered() {
    let bench = Bench::new(world(shop())).await;
    for changes in [
        json!({"dimensions": names(&DIMENSIONS[..9])}),
        json!({"dimensions": names(&DIMENSIONS[..9]), "dimensionFilter": {"filter": {"fieldName": "hour",
            "emptyFilter": {}}}}),
        json!({"metrics": names(&METRICS[..10])}),
        json!({"dateRanges": vec![range("today", "today")[0].clone(); 4]}),
        json!({"limit": "250000", "offset": 0}),
        json!({"limit": 250_001}),
        json!({"limit": "9223372036854775807"}),
        json!({"limit": 0}),
        json!({"metricFilter": {"filter": {"fieldName": "keyEvents", "numericFilter": {"operation": "GREATER_THAN",
            "value": {"int64Value": "0"}}}}}),
    ] {
        assert_eq!(bench.report(with(changes.clone())).await.status, 200, "{changes}");
    }
}

#[tokio::test]
async fn wrong_ranges_are_refused() {
    let named = |name: &str| json!({"dateRanges": [{"startDate": "today", "endDate": "today", "name": name}]});
    all_refused(&[
        (
            json!({"dateRanges": range("today", "yesterday")}),
            "start_date must be less than or equal to end_date. start_date = 2026-07-01 and end_date = 2026-06-30",
        ),
        (
            json!({"dateRanges": range("01/06/2026", "today")}),
            "Invalid startDate : 01/06/2026. startDate must be YYYY-MM-DD, NdaysAgo, yesterday, or today.",
        ),
        (
            json!({"dateRanges": range("today", "")}),
            "Invalid endDate : . endDate must be YYYY-MM-DD, NdaysAgo, yesterday, or today.",
        ),
        (
            json!({"dateRanges": range("2015-08-13", "today")}),
            "start_date = 2015-08-13 must be greater than 2015-08-13 and less than 3000-01-01.",
        ),
        (
            json!({"dateRanges": range("today", "3000-01-01")}),
            "end_date = 3000-01-01 must be greater than 2015-08-13 and less than 3000-01-01.",
        ),
        (named("RESERVED_x"), "Invalid range name"),
        (named("date_range_7"), "Invalid range name"),
    ])
    .await;
}

#[tokio::test]
async fn ranges_at_the_bounds_are_answered() {
    let bench = Bench::new(world(shop())).await;
    let today = bench.report(good()).await;
    let all = bench.report(with(json!({"dateRanges": range("today", "2999-12-31")}))).await;
    assert_eq!(all.body["rows"], today.body["rows"]);
    let first = bench.report(with(json!({"dateRanges": range("2015-08-14", "2015-08-14")}))).await;
    assert_eq!(first.status, 200);
}

/// A request with several faults gets the answer of the first check that it fails.
#[tokio::test]
async fn the_checks_have_googles_order() {
    let bench = Bench::new(world(shop())).await;
    let faults: [(&str, Value, &str); 7] = [
        ("foo", json!(1), "Unknown name \"foo\""),
        ("dimensions", names(&["date", "date"]), "Found duplicate dimensions: date"),
        ("limit", json!(-1), "limit must be positive"),
        ("offset", json!(-1), "offset must be positive"),
        ("dateRanges", json!([]), "A dateRange is required."),
        ("metrics", names(&METRICS), "Requests are limited to 10 metrics"),
        ("metricAggregations", json!(["COUNT"]), "Metric aggregation Count"),
    ];
    for (first, (_, _, text)) in faults.iter().enumerate() {
        let mut body = good();
        for (field, value, _) in &faults[first..] {
            body[*field] = value.clone();
        }
        let answer = bench.report(body).await;
        assert!(answer.message().contains(text), "{text}: {}", answer.message());
    }
    let empty = bench.report(json!({})).await;
    assert_eq!((empty.status, empty.message()), (400, "A dateRange is required."));
    let path = format!("/v1beta/properties/{SHOP}:runReport");
    assert_eq!(send(bench.post(&path, &json!({})).body("")).await.message(), "A dateRange is required.");
    assert_eq!(send(bench.http.post(bench.url(&path)).body("{")).await.status, 401, "sign-in comes before parsing");
}

#[tokio::test]
async fn unknown_and_unfit_fields_are_refused() {
    all_refused(&[
        (
            json!({"metrics": names(&["session"])}),
            "Did you mean sessions? Field session is not a valid metric.  For a list of valid dimensions and metrics, \
             see https://developers.google.com/analytics/devguides/reporting/data/v1/api-schema ",
        ),
        (json!({"metrics": names(&["zzzzzzzzzzzz"])}), "Field zzzzzzzzzzzz is not a valid metric."),
        (
            json!({"dimensions": names(&["screenPageViews"])}),
            "Did you mean screenResolution? Field screenPageViews is not a valid dimension. For a list of valid \
             dimensions and metrics, see \
             https://developers.google.com/analytics/devguides/reporting/data/v1/api-schema ",
        ),
        (json!({"dimensions": names(&["minutesAgo"])}), "Field minutesAgo is not a valid dimension."),
        (json!({"dimensions": names(&["customEvent:plan"])}), "Field customEvent:plan is not a valid dimension."),
        (json!({"metrics": names(&["conversions"])}), "Field conversions is not a valid metric."),
        (json!({"dimensions": names(&["dayOfWeekZero"])}), "Field dayOfWeekZero is not a valid dimension."),
        (
            json!({"dimensions": names(&["itemName"]), "metrics": names(&["screenPageViews"])}),
            "Please remove screenPageViews to make the request compatible for example. The request's dimensions & \
             metrics are incompatible.",
        ),
        (
            json!({"dimensions": names(&["source"]), "metrics": names(&["eventCount"])}),
            "Please remove eventCount to make the request compatible for example.",
        ),
        (
            json!({"metrics": names(&["advertiserAdCost"])}),
            "Please add sessionCampaignName to make the request compatible for example.",
        ),
        (json!({"dimensions": names(&["comparison"])}), "Cannot have filter_partition dimension"),
        (json!({"dimensions": names(&["date", "date"])}), "Found duplicate dimensions: date"),
        (
            json!({"metrics": names(&["sessions", "sessions"])}),
            "Duplicate metrics are not allowed. Found duplicate metrics: sessions",
        ),
        (
            json!({"orderBys": [{"metric": {"metricName": "keyEvents"}}]}),
            "Field keyEvents exists in OrderBy but is not defined in input Dimensions/Metrics list",
        ),
        (json!({"metricFilter": {"filter": {"fieldName": "date", "emptyFilter": {}}}}), "is not a valid metric"),
        (
            json!({"dimensionFilter": {"filter": {"fieldName": "sessions", "emptyFilter": {}}}}),
            "Found duplicate dimensions/metrics.",
        ),
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
    let nested = json!({"foo": 1, "dateRanges": [{"start": "today", "end": "today"}]});
    let error = bench.report(with(nested)).await.body["error"].clone();
    let fields = error["details"][0]["fieldViolations"].as_array().unwrap();
    assert_eq!(fields.iter().filter(|field| field["field"] == "date_ranges[0]").count(), 2);
    assert_eq!((fields.len(), error["message"].as_str().unwrap().lines().count()), (3, 3));
    assert!(
        error["message"].as_str().unwrap().contains("Unknown name \"end\" at 'date_ranges[0]': Cannot find field.")
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
    let renamed = metadata["metrics"].as_array().unwrap().iter().find(|metric| metric["apiName"] == "keyEvents");
    assert_eq!(renamed.unwrap()["deprecatedApiNames"], json!(["conversions"]));
    let names = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|field| field["apiName"].as_str().unwrap().into()).collect()
    };
    let path = format!("/v1beta/properties/{SHOP}:checkCompatibility");
    let body = json!({"metrics": [{"name": "eventCount"}]});
    let answer = send(bench.post(&path, &body)).await.body;
    let dimensions = answer["dimensionCompatibilities"].as_array().unwrap();
    assert_eq!(dimensions.len(), names(&metadata["dimensions"]).len());
    for verdict in dimensions.iter().filter(|verdict| verdict["dimensionMetadata"]["apiName"] != "comparison") {
        let name = verdict["dimensionMetadata"]["apiName"].as_str().unwrap();
        let expected = if verdict["compatibility"] == "COMPATIBLE" { 200 } else { 400 };
        let body = with(json!({"metrics": [{"name": "eventCount"}], "dimensions": [{"name": name}]}));
        assert_eq!(bench.report(body).await.status, expected, "{name}");
    }
    for name in names(&metadata["metrics"]) {
        let is_advertising = name.starts_with("advertiserAd") || name == "returnOnAdSpend";
        let expected = if is_advertising { 400 } else { 200 };
        assert_eq!(bench.report(with(json!({"metrics": [{"name": name}]}))).await.status, expected, "{name}");
    }
    let body = json!({"dimensions": [{"name": "itemName"}], "compatibilityFilter": "COMPATIBLE"});
    let answer = send(bench.post(&path, &body)).await.body;
    let compatible: Vec<&str> = answer["metricCompatibilities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["metricMetadata"]["apiName"].as_str().unwrap())
        .collect();
    assert!(compatible.contains(&"itemsPurchased") && compatible.contains(&"itemRevenue"), "{compatible:?}");
    assert!(!compatible.contains(&"eventCount") && !compatible.contains(&"totalRevenue"), "{compatible:?}");
    let wrong = json!({"dimensions": [{"name": "itemName"}], "metrics": [{"name": "eventCount"}]});
    assert_eq!(send(bench.post(&path, &wrong)).await.status, 400);
}
