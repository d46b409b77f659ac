//! The Admin API: the listing by pages, and single properties.

use ga4_simulator::{Account, Effect, Fault, Method, Property, Refusal, World};
use serde_json::{Value, json};

use crate::support::{Bench, SHOP, shop, world};

fn accounts(count: usize) -> World {
    (0..count).fold(World::new(1), |world, number| {
        let property = Property::new(format!("{}", 500_000_000 + number), format!("Site {number}"));
        world.account(Account::new(format!("{number}"), format!("Account {number}")).property(property))
    })
}

fn listed(body: &Value) -> usize {
    body["accountSummaries"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn pages_count_accounts_and_end() {
    let bench = Bench::new(accounts(450)).await;
    let mut path = String::from("/v1beta/accountSummaries?pageSize=1000");
    let mut pages = Vec::new();
    let mut seen = Vec::new();
    loop {
        let body = bench.get(&path).await.body;
        pages.push(listed(&body));
        for account in body["accountSummaries"].as_array().unwrap() {
            seen.push(account["propertySummaries"][0]["property"].as_str().unwrap().to_owned());
        }
        let Some(token) = body["nextPageToken"].as_str() else {
            break;
        };
        path = format!("/v1beta/accountSummaries?pageSize=1000&pageToken={token}");
    }
    assert_eq!(pages, [200, 200, 50]);
    let expected: Vec<String> = (0..450).map(|number| format!("properties/{}", 500_000_000 + number)).collect();
    assert_eq!(seen, expected);
    assert_eq!(listed(&bench.get("/v1beta/accountSummaries").await.body), 50);
    for wrong in ["pageSize=-1", "pageSize=x", "pageToken=x"] {
        assert_eq!(bench.get(&format!("/v1beta/accountSummaries?{wrong}")).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn summaries_have_the_fields_of_google() {
    let bench = Bench::new(world(shop().renamed("Café \"Zoë\" \\ Shop"))).await;
    let body = bench.get("/v1beta/accountSummaries").await.body;
    assert_eq!(
        body,
        json!({"accountSummaries": [{
            "name": "accountSummaries/104112001", "account": "accounts/104112001", "displayName": "Example",
            "propertySummaries": [{"property": format!("properties/{SHOP}"), "displayName": "Café \"Zoë\" \\ Shop",
                "propertyType": "PROPERTY_TYPE_ORDINARY", "parent": "accounts/104112001"}],
        }]})
    );
    let empty = Bench::new(World::new(1)).await;
    assert_eq!(empty.get("/v1beta/accountSummaries").await.body, json!({}));
}

#[tokio::test]
async fn subproperties_and_roll_ups_say_what_they_are() {
    let properties = Account::new("1", "Group")
        .property(Property::new("10", "Shop"))
        .property(Property::new("11", "Shop, France").subproperty_of("10"))
        .property(Property::new("12", "All shops").roll_up());
    let bench = Bench::new(World::new(1).account(properties)).await;
    let listing = bench.get("/v1beta/accountSummaries").await.body;
    for (index, kind, parent) in [
        (0, "PROPERTY_TYPE_ORDINARY", "accounts/1"),
        (1, "PROPERTY_TYPE_SUBPROPERTY", "properties/10"),
        (2, "PROPERTY_TYPE_ROLLUP", "accounts/1"),
    ] {
        let summary = &listing["accountSummaries"][0]["propertySummaries"][index];
        assert_eq!((&summary["propertyType"], &summary["parent"]), (&json!(kind), &json!(parent)));
        let property = bench.get(&format!("/v1beta/properties/1{index}")).await.body;
        assert_eq!((&property["propertyType"], &property["parent"]), (&json!(kind), &json!(parent)));
        assert_eq!(property["account"], "accounts/1");
    }
}

#[tokio::test]
async fn a_property_changes_while_it_is_served() {
    let bench = Bench::new(world(shop())).await;
    let path = format!("/v1beta/properties/{SHOP}");
    let before = bench.get(&path).await.body;
    assert_eq!((&before["timeZone"], &before["currencyCode"]), (&json!("Europe/Berlin"), &json!("EUR")));
    let now = bench.now();
    let truth = bench.simulator.truth(SHOP).unwrap().days_ago(1, 1, now);
    assert!(bench.simulator.edit(SHOP, |shop| { shop.renamed("Store").reporting_zone("Asia/Tokyo") }));
    let after = bench.get(&path).await.body;
    assert_eq!((&after["timeZone"], &after["displayName"]), (&json!("Asia/Tokyo"), &json!("Store")));
    assert_ne!(bench.simulator.truth(SHOP).unwrap().days_ago(1, 1, now), truth, "other days");
    assert!(bench.simulator.remove(SHOP));
    let gone = bench.get(&path).await;
    assert_eq!((gone.status, gone.message()), (403, "The caller does not have permission"));
    let listing = bench.get("/v1beta/accountSummaries").await.body;
    assert!(listing["accountSummaries"][0].get("propertySummaries").is_none());
    assert!(!bench.simulator.remove(SHOP) && !bench.simulator.edit(SHOP, |shop| shop));
    bench.simulator.add(Account::new("104112001", "Example").property(shop().unlisted()));
    assert_eq!(bench.get(&path).await.status, 200);
    assert!(bench.get("/v1beta/accountSummaries").await.body["accountSummaries"][0].get("propertySummaries").is_none());
}

#[tokio::test]
async fn visitors_live_by_the_first_zone_and_reports_by_the_present_one() {
    let bench = Bench::new(world(shop())).await;
    let night = || {
        let truth = bench.simulator.truth(SHOP).unwrap();
        let four = |hour: &str| format!("2026-06-30T{hour}:00:00+02:00").parse().unwrap();
        truth.between(four("03"), four("05")).pageviews()
    };
    let in_berlin = night();
    bench.simulator.edit(SHOP, |shop| shop.reporting_zone("Asia/Tokyo"));
    assert_eq!(night(), in_berlin);
    bench.simulator.edit(SHOP, |shop| shop.time_zone("Asia/Tokyo"));
    assert!(night() > 3 * in_berlin, "{} and {in_berlin}", night());
}

#[tokio::test]
async fn one_page_of_a_listing_can_fail() {
    let bench = Bench::new(accounts(60)).await;
    bench
        .simulator
        .inject(Fault::new(Effect::Refuse(Refusal::Unavailable)).on(Method::AccountSummaries).page(1).once());
    let first = bench.get("/v1beta/accountSummaries").await.body;
    let second = format!("/v1beta/accountSummaries?pageToken={}", first["nextPageToken"].as_str().unwrap());
    assert_eq!(bench.get(&second).await.status, 503);
    assert_eq!(listed(&bench.get(&second).await.body), 10);
}
