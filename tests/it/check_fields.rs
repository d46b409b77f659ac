//! The command `check` on the fields of reports: what the property has, what goes together, and what the account may see.

use ga4_simulator::{Account, Effect, Fault, Method, Property, World};
use serde_json::{Value, json};

use crate::{
    commands::{Ran, Rig},
    support::{SHOP, START, world},
};

/// Runs `check` with these reports alone.
async fn checked(rig: &Rig, reports: &str) -> Ran {
    let off = "{enabled: false}";
    let config = format!("reports:\n  realtime: {off}\n  traffic: {off}\n{reports}baseline: {off}\n");
    let config = rig.file("config.yml", &config);
    rig.run(&["check", "--property", SHOP, "--config.file", &config]).await
}

/// What follows the beginning of the report's line.
fn line<'a>(ran: &'a Ran, beginning: &str) -> &'a str {
    let line = ran.out.lines().find_map(|line| line.strip_prefix(beginning));
    line.unwrap_or_else(|| panic!("no line begins with `{beginning}`:\n{}", ran.out))
}

/// The answer of `getMetadata` for a property with these fields.
fn metadata(dimensions: &[&str], metrics: &[(&str, &[&str])]) -> Fault {
    let dimensions: Vec<Value> = dimensions.iter().map(|name| json!({"apiName": name})).collect();
    let metrics = metrics.iter().map(|(name, blocked)| json!({"apiName": name, "blockedReasons": blocked}));
    let body = json!({"dimensions": dimensions, "metrics": metrics.collect::<Vec<_>>()});
    Fault::new(Effect::Raw(200, body.to_string())).on(Method::GetMetadata)
}

fn answer(dimension: &str, metric: &str) -> Fault {
    let body = json!({"kind": "analyticsData#runReport", "rowCount": 3,
        "dimensionHeaders": [{"name": dimension}], "metricHeaders": [{"name": metric, "type": "TYPE_INTEGER"}],
        "rows": [{"dimensionValues": [{"value": "gold"}], "metricValues": [{"value": "7"}]}]});
    Fault::new(Effect::Raw(200, body.to_string())).on(Method::RunReport)
}

fn refusal(message: &str) -> Effect {
    let body = json!({"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}});
    Effect::Raw(400, body.to_string())
}

const PLANS: &str = "  plans: {dimensions: {plan: customEvent:plan}, metrics: [events]}\n";

#[tokio::test]
async fn a_custom_field_that_exists_passes() {
    let rig = Rig::of(world(), START).await;
    rig.inject(metadata(&["customEvent:plan"], &[("eventCount", &[])]));
    rig.inject(Fault::new(Effect::Raw(200, "{}".to_owned())).on(Method::CheckCompatibility));
    rig.inject(answer("customEvent:plan", "eventCount"));
    let ran = checked(&rig, PLANS).await;
    assert!(line(&ran, &format!("ok      report plans of {SHOP}: ")).starts_with("3 rows, "), "{}", ran.out);
    assert_eq!(ran.code, 0, "{}", ran.out);
}

#[tokio::test]
async fn a_custom_field_that_is_missing_says_where_to_make_it_and_what_is_near() {
    let rig = Rig::of(world(), START).await;
    rig.inject(metadata(&["customEvent:plans", "customUser:plan"], &[("eventCount", &[])]));
    rig.inject(Fault::new(refusal("Field customEvent:plan is not a valid dimension.")).on(Method::RunReport));
    let ran = checked(&rig, PLANS).await;
    let found =
        line(&ran, &format!("failed  report plans of {SHOP}: the property has no dimension `customEvent:plan`; "));
    for part in [
        "did you mean `customEvent:plans` or `customUser:plan`? ",
        "register `plan` in Google Analytics under Admin > Custom definitions as a custom dimension of the scope Event",
        "with `properties`",
    ] {
        assert!(found.contains(part), "{part}: {found}");
    }
    assert_eq!(ran.code, 1);
    let asked = rig.simulator.requests();
    assert!(asked.iter().all(|request| request.method != Some(Method::CheckCompatibility)), "nothing to compare");
}

#[tokio::test]
async fn the_request_itself_decides() {
    let rig = Rig::of(world(), START).await;
    // A definition that was made a moment ago, and fields that only the comparison refuses.
    rig.inject(metadata(&["country"], &[("eventCount", &[])]));
    rig.inject(answer("customEvent:plan", "eventCount"));
    let ran = checked(&rig, PLANS).await;
    assert!(line(&ran, &format!("ok      report plans of {SHOP}: ")).starts_with("3 rows"), "{}", ran.out);
    let rig = Rig::of(world(), START).await;
    rig.inject(Fault::new(refusal("Please remove country.")).on(Method::CheckCompatibility));
    let ran = checked(&rig, "  mine: {dimensions: [country], metrics: [events]}\n").await;
    assert!(line(&ran, &format!("ok      report mine of {SHOP}: ")).contains(" rows, "), "{}", ran.out);
}

#[tokio::test]
async fn core_reports_are_compared_before_they_are_asked_for() {
    let rig = Rig::of(world(), START).await;
    let own = "  mine: {dimensions: [country], metrics: [events], filter: {dimension: city, equals: Berlin}}\n  \
               now: {preset: realtime_pages}\n";
    let ran = checked(&rig, own).await;
    assert_eq!(ran.code, 0, "{}", ran.out);
    let requests = rig.simulator.requests();
    let asked: Vec<_> = requests.iter().filter(|request| request.property.as_deref() == Some(SHOP)).collect();
    let count = |method| asked.iter().filter(|request| request.method == Some(method)).count();
    assert_eq!(count(Method::GetMetadata), 1, "once a property");
    assert_eq!((count(Method::CheckCompatibility), count(Method::RunReport)), (1, 1));
    assert_eq!(count(Method::RunRealtimeReport), 1);
    let place = |method| asked.iter().position(|request| request.method == Some(method)).unwrap();
    assert!(place(Method::CheckCompatibility) < place(Method::RunReport));
    let compared = &asked[place(Method::CheckCompatibility)].body;
    assert_eq!(compared["dimensionFilter"], asked[place(Method::RunReport)].body["dimensionFilter"]);
    assert!(compared["dimensionFilter"].is_object(), "{compared}");
    let limits: Vec<_> = asked.iter().filter_map(|request| request.body.get("limit")).collect();
    assert_eq!(limits, [&json!(1), &json!(1)]);
}

#[tokio::test]
async fn fields_that_do_not_go_together_are_named() {
    let rig = Rig::of(world(), START).await;
    let compatibility = json!({"dimensionCompatibilities": [
        {"dimensionMetadata": {"apiName": "country"}, "compatibility": "INCOMPATIBLE"},
        {"dimensionMetadata": {"apiName": "city"}, "compatibility": "INCOMPATIBLE"}]});
    rig.inject(Fault::new(Effect::Raw(200, compatibility.to_string())).on(Method::CheckCompatibility));
    rig.inject(Fault::play("400-incompatible").unwrap().on(Method::RunReport));
    let ran = checked(&rig, "  mine: {dimensions: [country], metrics: [events]}\n").await;
    let found = line(&ran, &format!("failed  report mine of {SHOP}: Google refuses the request: "));
    assert!(found.contains("; these do not go together with the rest: country; remove or replace"), "{found}");
}

#[tokio::test]
async fn a_comparison_that_fails_is_not_repeated() {
    let rig = Rig::of(world(), START).await;
    rig.inject(Fault::play("500-internal").unwrap().on(Method::CheckCompatibility));
    let own = "  one: {dimensions: [country], metrics: [events]}\n  two: {dimensions: [city], metrics: [events]}\n";
    let ran = checked(&rig, own).await;
    assert_eq!(ran.code, 0, "{}", ran.out);
    let compared = rig.simulator.requests();
    let compared = compared.iter().filter(|request| request.method == Some(Method::CheckCompatibility));
    assert_eq!(compared.count(), 1);
}

#[tokio::test]
async fn of_realtime_only_custom_dimensions_are_listed() {
    let own = "  levels: {realtime: true, dimensions: {level: customUser:level}, metrics: [active_users]}\n";
    let rig = Rig::of(world(), START).await;
    let invalid = "Field customUser:level is not a valid dimension.";
    rig.inject(Fault::new(refusal(invalid)).on(Method::RunRealtimeReport));
    let ran = checked(&rig, own).await;
    let found =
        line(&ran, &format!("failed  report levels of {SHOP}: the property has no dimension `customUser:level`; "));
    assert!(found.contains("as a custom dimension of the scope User"), "{found}");
    let rig = Rig::of(world(), START).await;
    let body = json!({"kind": "analyticsData#runRealtimeReport"});
    rig.inject(Fault::new(Effect::Raw(200, body.to_string())).on(Method::RunRealtimeReport));
    let ran = checked(&rig, own).await;
    assert!(line(&ran, &format!("ok      report levels of {SHOP}: ")).starts_with("0 rows"), "{}", ran.out);
}

#[tokio::test]
async fn hidden_metrics_end_with_the_restriction_to_lift() {
    for (reason, restriction) in
        [("NO_REVENUE_METRICS", "\"No Revenue Metrics\" of "), ("NO_COST_METRICS", "\"No Cost Metrics\" of ")]
    {
        let rig = Rig::of(world(), START).await;
        rig.inject(metadata(&["country"], &[("totalRevenue", &[reason]), ("eventCount", &[])]));
        let ran = checked(&rig, "  money: {dimensions: [country], metrics: [totalRevenue]}\n").await;
        let found = line(&ran, &format!("warning report money of {SHOP}: "));
        assert!(found.contains("the account's role hides total_revenue; lift the restriction "), "{found}");
        assert!(found.contains(restriction) && found.contains(rig.simulator.client_email()), "{found}");
        assert_eq!(ran.code, 0, "a warning");
        // A filter on such a metric is refused.
        rig.inject(Fault::new(refusal("Invalid filter.")).on(Method::RunReport));
        let own =
            "  rich: {dimensions: [country], metrics: [events], filter: {metric: totalRevenue, greater_than: 5}}\n";
        let ran = checked(&rig, own).await;
        let found = line(&ran, &format!("failed  report rich of {SHOP}: "));
        assert!(found.contains("its filter uses totalRevenue, which the account's role hides; lift the "), "{found}");
    }
}

#[tokio::test]
async fn a_property_of_another_account_has_its_own_fields() {
    let account = Account::new("1", "One").property(Property::new(SHOP, "Shop")).property(Property::new("7", "Blog"));
    let rig = Rig::of(World::new(1).account(account), START).await;
    rig.inject(metadata(&["customEvent:plan"], &[("eventCount", &[])]).property("7"));
    rig.inject(answer("customEvent:plan", "eventCount").property("7"));
    let config = rig.file("config.yml", &format!("reports:\n{PLANS}"));
    let ran = rig.run(&["check", "--config.file", &config]).await;
    assert!(line(&ran, "ok      report plans of 7: ").starts_with("3 rows"), "{}", ran.out);
    assert!(ran.out.contains(&format!("failed  report plans of {SHOP}: the property has no dimension")), "{}", ran.out);
    assert_eq!(ran.code, 1);
}

#[tokio::test]
async fn a_list_of_fields_that_cannot_be_read_decides_nothing() {
    let rig = Rig::of(world(), START).await;
    rig.inject(Fault::new(Effect::Raw(200, "[]".to_owned())).on(Method::GetMetadata));
    let ran = checked(&rig, "  mine: {dimensions: [country], metrics: [events]}\n").await;
    assert!(
        line(&ran, "warning data api: the list of the property's fields cannot be read: ").contains("do nothing if"),
        "{}",
        ran.out
    );
    assert!(line(&ran, &format!("ok      report mine of {SHOP}: ")).contains(" rows, "), "{}", ran.out);
    assert_eq!(ran.code, 0, "{}", ran.out);
}
