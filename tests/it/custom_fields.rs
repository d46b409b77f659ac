//! Fields that a property defines itself: in reports, in `query` and in `check`.

use ga4_simulator::{
    Account, CustomDimension, CustomMetric, Effect, Fault, Method, MetricUnit, Property, Restriction, World,
};
use serde_json::json;

use crate::{
    commands::Rig,
    own_reports::{config, series},
    support::{SHOP, START, Setup},
};

/// Reports of custom fields of each kind.
const REPORTS: &str = r"
  plans:
    dimensions: {plan: customEvent:plan}
    metrics:
      sessions: sessions
      score: {field: customEvent:score, unit: standard}
      delivery: {field: averageCustomEvent:delivery_time, unit: minutes}
      purchases: keyEvents:purchase
    filter: {and: [{dimension: customUser:membership, equals: member}, {metric: countCustomEvent:score, at_least: 1}]}
    interval: 24h
  rates:
    metrics: [sessionKeyEventRate:purchase, {field: calcMetric:pages_per_visit, unit: standard}]
    interval: 24h
  groups: {dimensions: [sessionCustomChannelGroup:7351018888], metrics: [sessions], interval: 24h}
  members: {realtime: true, dimensions: [customUser:membership], metrics: [active_users], interval: 24h}
";

fn shop() -> Property {
    Property::new(SHOP, "Shop").time_zone("Europe/Berlin").pageviews_per_hour(4_000.0).example_custom_fields()
}

fn world(shop: Property) -> World {
    World::new(7).account(Account::new("104112001", "Example").property(shop))
}

#[tokio::test]
async fn reports_have_custom_dimensions_and_metrics() {
    let pair = Setup::of(world(shop())).config(&config(REPORTS)).start().await;
    let reports = ["plans", "rates", "groups", "members"];
    let metrics = pair.until("all reports", |metrics| reports.iter().all(|report| metrics.is_up(SHOP, report))).await;
    let plans = series(&metrics, SHOP, "plans_score");
    assert!(!plans.is_empty() && plans.iter().all(|(series, _)| series.contains(",plan=\"")), "{plans:?}");
    let sum = |end: &str| series(&metrics, SHOP, end).iter().map(|(_, value)| value).sum::<f64>();
    assert!(sum("plans_purchases") > 0.0 && sum("plans_sessions") > sum("plans_purchases"));
    assert_eq!(sum("plans_score"), 3.0 * sum("plans_purchases"));
    let delivery = series(&metrics, SHOP, "plans_delivery");
    assert!(delivery.iter().all(|(_, value)| *value == 90.0 * 60.0), "minutes are exported in seconds: {delivery:?}");
    let rate = series(&metrics, SHOP, "rates_session_key_event_rate_purchase_ratio")[0].1;
    assert!(rate > 0.0 && rate < 1.0, "{rate}");
    assert!(series(&metrics, SHOP, "rates_calc_metric_pages_per_visit")[0].1 > 1.0);
    let groups = series(&metrics, SHOP, "groups_sessions");
    assert!(groups.iter().any(|(series, _)| series.contains("session_custom_channel_group_7351018888=\"Own\"")));
    assert!(series(&metrics, SHOP, "members_active_users").iter().any(|(series, _)| series.contains("member")));
    let (_, text) = pair.get("/metrics").await;
    assert!(text.contains("# HELP google_analytics_plans_score Sum of the custom metric score today"), "{text}");
}

#[tokio::test]
async fn a_field_that_the_property_lacks_is_refused_with_googles_words() {
    let reports = "  plans: {dimensions: [customEvent:plam], metrics: [sessions], interval: 24h}\n";
    let pair = Setup::of(world(shop())).config(&config(reports)).start().await;
    pair.until("refused", |metrics| metrics.fails_with(SHOP, "plans", "invalid_request")).await;
    let page = pair.get("/").await.1;
    let googles = "Did you mean customEvent:plan? Field customEvent:plam is not a valid dimension.";
    assert!(page.contains(googles), "{page}");
}

#[tokio::test]
async fn the_unit_of_the_answer_counts() {
    let answer = json!({
        "kind": "analyticsData#runReport", "rowCount": 1, "rows": [{"metricValues": [{"value": "1500"}]}],
        "metricHeaders": [{"name": "customEvent:wait", "type": "TYPE_MILLISECONDS"}],
        "metadata": {"timeZone": "Europe/Berlin", "currencyCode": "EUR"},
    });
    let fault = Fault::new(Effect::Raw(200, answer.to_string())).on(Method::RunReport);
    let reports = "  waiting: {metrics: {wait: {field: customEvent:wait, unit: seconds}}, interval: 24h}\n";
    let pair = Setup::of(world(shop())).config(&config(reports)).fault(fault).start().await;
    let metrics = pair.until("up", |metrics| metrics.is_up(SHOP, "waiting")).await;
    assert_eq!(
        series(&metrics, SHOP, "waiting_wait"),
        [("google_analytics_waiting_wait{property_id=\"313110001\"}", 1.5)]
    );
}

#[tokio::test]
async fn rows_that_cannot_be_read_cost_only_themselves() {
    let row = |label: serde_json::Value, value: serde_json::Value| json!({"dimensionValues": [label], "metricValues": [value]});
    let good = |label: &str| row(json!({"value": label}), json!({"value": "7"}));
    let rows = json!([
        good("a"),
        row(json!({"value": 5}), json!({"value": "1"})),
        row(json!({"value": "b"}), json!({"value": 1})),
        row(json!({"value": "c"}), json!({})),
        null,
        "row",
        7,
        {},
        row(json!({}), json!({"value": "3"})),
        good("(other)"),
    ]);
    let answer = json!({
        "kind": "analyticsData#runReport", "rowCount": 10, "rows": rows,
        "dimensionHeaders": [{"name": "customEvent:plan"}],
        "metricHeaders": [{"name": "sessions", "type": "TYPE_INTEGER"}], "metadata": {"timeZone": "Europe/Berlin"},
    });
    let fault = Fault::new(Effect::Raw(200, answer.to_string())).on(Method::RunReport);
    let reports = "  plans: {dimensions: {plan: customEvent:plan}, metrics: [sessions], interval: 24h}\n";
    let pair = Setup::of(world(shop())).config(&config(reports)).fault(fault).start().await;
    let metrics = pair.until("up", |metrics| metrics.is_up(SHOP, "plans")).await;
    let mut values: Vec<f64> = series(&metrics, SHOP, "plans_sessions").iter().map(|(_, value)| *value).collect();
    values.sort_by(f64::total_cmp);
    assert_eq!(values, [3.0, 7.0, 7.0], "a label that is missing is empty");
    assert_eq!(metrics.of(SHOP, "report_rows_dropped", "report=\"plans\""), Some(7.0));
    assert_eq!(metrics.own("series_dropped_total{reason=\"invalid_value\"}"), Some(7.0));
}

#[tokio::test]
async fn query_prints_them() {
    let rig = Rig::of(world(shop()), START).await;
    let metrics = "customEvent:score,averageCustomEvent:delivery_time,keyEvents:purchase";
    let question = ["query", "--property", SHOP, "--dimensions", "customEvent:plan", "--metrics", metrics];
    let ran = rig.run(&[&question[..], &["--output", "json"]].concat()).await;
    let result = &ran.json()["results"][0];
    let names: Vec<_> = result["metrics"].as_array().unwrap().iter().map(|metric| &metric["api_name"]).collect();
    assert_eq!(names, ["customEvent:score", "averageCustomEvent:delivery_time", "keyEvents:purchase"]);
    assert_eq!(result["metrics"][1]["unit"], "seconds", "{}", ran.out);
    let rows = result["rows"].as_array().unwrap();
    assert!(!rows.is_empty() && rows.iter().any(|row| row["dimensions"][0] == "pro"), "{}", ran.out);
    for row in rows.iter().filter(|row| row["metrics"][2] != 0) {
        assert_eq!(row["metrics"][0].as_f64().unwrap(), 3.0 * row["metrics"][2].as_f64().unwrap());
        assert_eq!(row["metrics"][1], 5400);
    }
    let filtered = [&question[..], &["--filter", "customEvent:plan == pro", "--output", "csv"]].concat();
    let ran = rig.run(&filtered).await;
    let lines: Vec<&str> = ran.out.lines().skip(1).collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.contains("pro")), "{}", ran.out);
    let realtime = ["query", "--property", SHOP, "--realtime", "--dimensions", "customUser:membership"];
    let ran = rig.run(&[&realtime[..], &["--metrics", "active_users"]].concat()).await;
    assert!(ran.out.contains("member"), "{} {}", ran.out, ran.notes);
}

#[tokio::test]
async fn check_finds_what_is_hidden_and_what_has_another_unit() {
    let margin = CustomMetric::new("margin").unit(MetricUnit::Currency).restricted(Restriction::Revenue);
    let property = shop().custom_dimension(CustomDimension::event("step").values(["1", "2"])).custom_metric(margin);
    let rig = Rig::of(world(property), START).await;
    let reports = "baseline: {enabled: false}\nproperties: [313110001]\nreports:\n  realtime: {enabled: false}\n  \
        traffic: {enabled: false}\n  \
        steps: {dimensions: [customEvent:step], metrics: [sessions, keyEvents:purchase]}\n  \
        margins: {metrics: {margin: {field: customEvent:margin, unit: currency}}}\n  \
        times: {metrics: {time: {field: customEvent:delivery_time, unit: seconds}}}\n";
    let config = rig.file("config.yml", reports);
    let ran = rig.run(&["check", "--config.file", &config]).await;
    for expected in [
        "ok      report steps of 313110001: ",
        "warning report margins of 313110001: ",
        "the account's role hides margin",
        "warning report times of 313110001: ",
        "the unit differs: time is `seconds`, Google has TYPE_MINUTES; correct `unit` of these metrics",
    ] {
        assert!(ran.out.contains(expected), "{expected}: {}", ran.out);
    }
    assert_eq!(ran.code, 0, "{}", ran.out);
}
