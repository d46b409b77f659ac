//! Which properties there are: listed, configured, both, and gone.

use ga4_simulator::{Account, Effect, Fault, Method, Property, Refusal, World};

use crate::support::{EVERY_SECOND, NEWS, SHOP, Setup};

const HOUR: i64 = 3600;

const CONFIGURED: &str = "
properties: [{id: 313110001, labels: {site: shop}}]
quota: {share: 100%}
reports: {realtime: {interval: 1s}, traffic: {interval: 1s}}
";

fn info(metrics: &crate::support::Metrics, property: &str) -> String {
    let beginning = format!("google_analytics_property_info{{property_id=\"{property}\"");
    metrics.0.keys().find(|series| series.starts_with(&beginning)).cloned().unwrap_or_default()
}

fn listings(pair: &crate::support::Pair) -> usize {
    pair.count(Method::AccountSummaries, "")
}

/// An hour passes, and the next listing comes and is used.
async fn list_again(pair: &crate::support::Pair) {
    pair.advance(HOUR);
    let now = f64::from(u32::try_from(pair.clock.now().as_second()).unwrap());
    pair.until("another listing", |metrics| metrics.own("discovery_last_success_timestamp_seconds") >= Some(now)).await;
}

#[tokio::test]
async fn listed_properties_have_their_names_from_the_listing_and_the_rest_from_their_reports() {
    let pair = Setup::new().start().await;
    let metrics = pair.all_up(&[SHOP, NEWS]).await;
    assert_eq!(
        info(&metrics, SHOP),
        format!(
            "google_analytics_property_info{{property_id=\"{SHOP}\",property_name=\"Shop\",property_type=\"ordinary\",\
             account_id=\"104112001\",account_name=\"Example\",time_zone=\"Europe/Berlin\",currency=\"EUR\"}}"
        )
    );
    assert_eq!(pair.count(Method::GetProperty, ""), 0, "properties.get is for configured ones");
    assert_eq!(metrics.own("discovery_up"), Some(1.0));
    assert_eq!(metrics.own("properties"), Some(2.0));
}

#[tokio::test]
async fn all_pages_of_the_listing_are_read() {
    let mut world = World::new(1);
    for index in 0..401 {
        let property = Property::new(format!("{}", 500_000_000 + index), format!("Site {index}"));
        world =
            world.account(Account::new(format!("{}", 1000 + index), "Account").property(property.without_traffic()));
    }
    let once = "{discovery: {enabled: true}, reports: {traffic: {interval: 24h}, realtime: {interval: 24h}}}";
    let pair = Setup::of(world).config(once).start().await;
    pair.until("401 properties", |metrics| metrics.own("properties") == Some(401.0)).await;
    assert_eq!(listings(&pair), 3);
}

#[tokio::test]
async fn a_listing_without_its_second_page_is_none() {
    let mut world = World::new(1);
    for index in 0..201 {
        let property = Property::new(format!("{}", 500_000_000 + index), format!("Site {index}"));
        world =
            world.account(Account::new(format!("{}", 1000 + index), "Account").property(property.without_traffic()));
    }
    let fault = Fault::new(Effect::Refuse(Refusal::Unavailable)).on(Method::AccountSummaries).page(1).once();
    let once = "{discovery: {enabled: true}, reports: {traffic: {interval: 24h}, realtime: {interval: 24h}}}";
    let pair = Setup::of(world).config(once).fault(fault).start().await;
    let metrics = pair.until("it fails", |metrics| metrics.own("discovery_up") == Some(0.0)).await;
    assert_eq!(metrics.own("properties"), Some(0.0));
    assert_eq!(metrics.own("discovery_last_success_timestamp_seconds"), None);
    pair.advance(10);
    pair.until("tried again", |metrics| metrics.own("properties") == Some(201.0)).await;
}

#[tokio::test]
async fn a_property_goes_after_two_complete_listings_and_seven_days() {
    let pair = Setup::new().start().await;
    pair.all_up(&[SHOP, NEWS]).await;
    pair.simulator.remove(SHOP);
    list_again(&pair).await;
    let metrics = pair.until("Google refuses it", |metrics| metrics.fails_with(SHOP, "traffic", "no_access")).await;
    assert!(metrics.has(SHOP, "property_info"), "one listing without it is not enough");
    pair.advance(HOUR);
    let metrics = pair.until("unlisted", |metrics| metrics.fails_with(SHOP, "traffic", "not_listed")).await;
    assert!(metrics.fails_with(SHOP, "realtime", "not_listed") && info(&metrics, SHOP).contains("\"Shop\""));
    let asked = pair.count(Method::RunReport, SHOP);
    pair.advance(6 * 24 * HOUR);
    pair.until("still shown", |metrics| metrics.has(NEWS, "today_visitors") && metrics.has(SHOP, "report_failure"))
        .await;
    assert_eq!(pair.count(Method::RunReport, SHOP), asked, "and no longer asked for");
    pair.advance(25 * HOUR);
    pair.until("gone", |metrics| !metrics.has(SHOP, "report_up") && metrics.own("properties") == Some(1.0)).await;
}

#[tokio::test]
async fn a_property_that_is_listed_again_goes_on() {
    let pair = Setup::new().start().await;
    pair.all_up(&[SHOP, NEWS]).await;
    pair.simulator.edit(SHOP, Property::unlisted);
    list_again(&pair).await;
    list_again(&pair).await;
    pair.until("unlisted", |metrics| metrics.fails_with(SHOP, "traffic", "not_listed")).await;
    let other = Property::new("313110009", "Third").without_traffic();
    pair.simulator.add(Account::new("104112009", "New").property(other));
    pair.simulator.remove(SHOP);
    let shop = Property::new(SHOP, "Shop again").time_zone("Europe/Berlin");
    pair.simulator.add(Account::new("104112010", "Other").property(shop));
    pair.advance(HOUR);
    let metrics = pair.all_up(&[SHOP, "313110009"]).await;
    assert!(info(&metrics, SHOP).contains("Shop again"));
}

#[tokio::test]
async fn an_incomplete_listing_changes_nothing() {
    let pair = Setup::new().start().await;
    pair.all_up(&[SHOP, NEWS]).await;
    pair.simulator.remove(SHOP);
    pair.simulator.inject(Fault::new(Effect::Refuse(Refusal::Unavailable)).on(Method::AccountSummaries));
    for failures in 1..=4 {
        pair.advance(HOUR);
        let failed = "api_request_failures_total{api=\"admin\",reason=\"server_error\"}";
        pair.until("it fails", |metrics| metrics.own(failed) >= Some(f64::from(failures))).await;
    }
    let metrics = pair.metrics().await;
    assert_eq!(metrics.own("discovery_up"), Some(0.0));
    assert!(metrics.has(SHOP, "property_info") && !metrics.fails_with(SHOP, "traffic", "not_listed"));
}

#[tokio::test]
async fn configured_properties_are_asked_for_by_name_and_discovery_is_off() {
    let pair = Setup::new().config(CONFIGURED).start().await;
    pair.all_up(&[SHOP]).await;
    let named = |metrics: &crate::support::Metrics| info(metrics, SHOP).contains("property_name=\"Shop\"");
    let metrics = pair.until("its name", named).await;
    assert!(
        info(&metrics, SHOP).contains("account_id=\"104112001\"") && info(&metrics, SHOP).ends_with("site=\"shop\"}")
    );
    assert_eq!((listings(&pair), pair.count(Method::GetProperty, SHOP)), (0, 1));
    assert_eq!(metrics.own("discovery_up"), None);
    assert!(!metrics.has(NEWS, "property_info"));
}

#[tokio::test]
async fn one_property_without_a_name_leaves_the_others_theirs() {
    let fault = Fault::new(Effect::Refuse(Refusal::Internal)).on(Method::GetProperty).property(SHOP);
    let both = "{properties: [313110001, 313110002], quota: {share: 100%}, reports: {realtime: {interval: 1s}, traffic: {interval: 1s}}}";
    let pair = Setup::new().config(both).fault(fault).start().await;
    pair.until("the other's name", |metrics| info(metrics, NEWS).contains("property_name=\"News\"")).await;
}

#[tokio::test]
async fn a_listing_outlives_short_tokens() {
    let slow = Fault::new(Effect::Latency(std::time::Duration::from_millis(2500))).on(Method::AccountSummaries);
    let pair =
        Setup::of(crate::support::world().token_lifetime(std::time::Duration::from_secs(2))).fault(slow).start().await;
    pair.all_up(&[SHOP, NEWS]).await;
    assert_eq!(listings(&pair), 1, "it was not begun again with every token");
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_hides_no_other_and_removes_nothing() {
    let pair = Setup::new().start().await;
    pair.all_up(&[SHOP, NEWS]).await;
    let listing = format!(
        r#"{{"accountSummaries": ["accounts/1", {{"account": "accounts/2", "propertySummaries": {{}}}},
            {{"account": "accounts/104112001", "displayName": "Example", "propertySummaries": [
                {{"property": "properties/seven", "displayName": "Seven"}}, 8,
                {{"property": "properties/{NEWS}", "displayName": 5, "propertyType": "PROPERTY_TYPE_ROLLUP"}}]}}],
            "nextPageToken": null}}"#
    );
    pair.simulator.inject(Fault::new(Effect::Raw(200, listing)).on(Method::AccountSummaries));
    for _ in 1..=3 {
        list_again(&pair).await;
    }
    let metrics =
        pair.until("the type", |metrics| info(metrics, NEWS).contains("\"News\",property_type=\"rollup\"")).await;
    assert!(!metrics.fails_with(SHOP, "traffic", "not_listed"), "it may be one that cannot be read");
    assert_eq!((metrics.own("properties"), metrics.own("discovery_up")), (Some(2.0), Some(1.0)));
}

#[tokio::test]
async fn what_is_no_listing_removes_nothing() {
    let pair = Setup::new().start().await;
    pair.all_up(&[SHOP, NEWS]).await;
    let portal = Effect::Raw(200, "{\"captive\": \"portal\"}".to_owned());
    pair.simulator.inject(Fault::new(portal).on(Method::AccountSummaries));
    for failures in 1..=3 {
        pair.advance(HOUR);
        let failed = "api_request_failures_total{api=\"admin\",reason=\"protocol\"}";
        pair.until("no listing", |metrics| metrics.own(failed) >= Some(f64::from(failures))).await;
    }
    assert!(!pair.metrics().await.fails_with(SHOP, "traffic", "not_listed"));
}

#[tokio::test]
async fn a_disabled_admin_api_holds_up_nothing_that_is_configured() {
    let fault =
        || Fault::new(Effect::Refuse(Refusal::ServiceDisabled)).on(Method::AccountSummaries).on(Method::GetProperty);
    let both = format!("{CONFIGURED}discovery: {{enabled: true}}\n");
    for config in [CONFIGURED, &both] {
        let pair = Setup::new().config(config).fault(fault()).start().await;
        let metrics = pair.all_up(&[SHOP]).await;
        assert!(info(&metrics, SHOP).contains(&format!("property_name=\"{SHOP}\"")), "the id stands for the name");
        pair.until("counted", |metrics| {
            metrics.own("api_request_failures_total{api=\"admin\",reason=\"api_disabled\"}") >= Some(1.0)
        })
        .await;
    }
}

#[tokio::test]
async fn configured_and_discovered_are_united_and_names_choose() {
    let config = format!("{EVERY_SECOND}properties: [313110001]\n")
        .replace("{enabled: true}", "{include: [\"^N\"], exclude: [x]}");
    let pair = Setup::new().config(&config).start().await;
    pair.all_up(&[SHOP, NEWS]).await;
    let config = EVERY_SECOND.replace("{enabled: true}", "{exclude: [\"(?i)shop\"]}");
    let pair = Setup::new().config(&config).start().await;
    let metrics = pair.all_up(&[NEWS]).await;
    assert!(!metrics.has(SHOP, "property_info"));
}
