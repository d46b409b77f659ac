//! The command `check`: what it says of a world that works, and of each that does not.

use ga4_simulator::{Account, Bucket, Effect, Fault, Method, Recording, World};
use google_analytics_exporter::commands::screen::Screen;
use jiff::SignedDuration;

use crate::{
    commands::{Ran, Rig},
    support::{NEWS, SHOP, START, world},
};

async fn with(fault: Fault) -> Ran {
    let rig = Rig::of(world(), START).await;
    rig.inject(fault);
    rig.run(&["check"]).await
}

/// Looks for the line of this beginning; what follows it.
fn line<'a>(ran: &'a Ran, beginning: &str) -> &'a str {
    let line = ran.out.lines().find_map(|line| line.strip_prefix(beginning));
    line.unwrap_or_else(|| panic!("no line begins with `{beginning}`:\n{}", ran.out))
}

#[tokio::test]
async fn a_world_that_works_has_nothing_but_ok() {
    let rig = Rig::of(world(), START).await;
    let ran = rig.run(&["check"]).await;
    assert_eq!((&ran.result, ran.code), (&Ok(()), 0), "{}", ran.out);
    let credentials = line(&ran, "ok      credentials: service account ");
    assert!(credentials.contains(" by ") && credentials.contains("key.json"), "{credentials}");
    assert!(line(&ran, "ok      sign in: signed in as ").ends_with(" ms"));
    assert_eq!(line(&ran, "ok      admin api: "), "it lists 2 properties");
    assert_eq!(line(&ran, "ok      data api: "), "it answers");
    assert_eq!(line(&ran, "ok      property 313110001: "), "Shop, Europe/Berlin, EUR, standard");
    for report in ["realtime", "traffic", "baseline"] {
        for property in [SHOP, NEWS] {
            let found = line(&ran, &format!("ok      report {report} of {property}: "));
            assert!(found.contains(" row") && found.contains(" token"), "{found}");
        }
    }
    assert!(line(&ran, "ok      plan of 313110001: ").starts_with("every report keeps its interval, for about "));
    assert_eq!(line(&ran, "ok      clock: "), "this machine's clock agrees with Google's");
    assert!(ran.out.ends_with("\neverything works: 15 ok, 0 warnings, 0 failed\n"), "{}", ran.out);
}

#[tokio::test]
async fn a_report_of_a_property_that_is_not_exported_is_doubtful() {
    let rig = Rig::of(world(), START).await;
    let reports = format!("reports:\n  shop: {{metrics: [pageviews], properties: [999, {SHOP}]}}\n");
    let config = rig.file("config.yml", &reports);
    let ran = rig.run(&["check", "--config.file", &config]).await;
    assert_eq!(
        line(&ran, "warning report shop: "),
        "property 999 is not exported; correct the number under `properties` of the report, or let discovery select the property"
    );
    assert!(line(&ran, &format!("ok      report shop of {SHOP}: ")).starts_with("1 row"), "{}", ran.out);
    assert_eq!(ran.code, 0, "{}", ran.out);
}

#[tokio::test]
async fn each_fault_ends_with_what_to_do() {
    let of_report = |name: &str| Fault::play(name).unwrap().on(Method::RunReport).on(Method::GetMetadata);
    for (name, beginning, remedy) in [
        ("403-no-access", "failed  property 313110001: Google denies access", "as Viewer of property 313110001"),
        ("403-service-disabled", "failed  data api: the API is not enabled", "enable the API at https://console."),
        ("403-insufficient-scope", "failed  data api: the access token does not cover", "sign in with the scope"),
        ("403-quota-project", "failed  data api: the sign-in names no quota project", "set-quota-project PROJECT"),
        (
            "403-user-project-denied",
            "failed  data api: the account may not use",
            "roles/serviceusage.serviceUsageConsumer",
        ),
        ("403-consumer-suspended", "failed  data api: the Cloud project", "appeal there"),
        ("403-billing-disabled", "failed  data api: the Cloud project", "billing/linkedaccount"),
        ("403-vpc-sc", "failed  data api: a policy of the Google Cloud organization", "ask the administrators"),
        ("429-html-sorry", "failed  data api: too many requests come from this address", "try again in an hour"),
        ("429-day", "failed  report traffic of 313110001: quota exhausted", "after midnight in California"),
        ("429-project-hour", "failed  report traffic of 313110001: quota exhausted", "try again in an hour"),
        ("429-client-errors", "failed  report traffic of 313110001: quota exhausted", "try again in 15 minutes"),
        (
            "500-internal",
            "failed  report traffic of 313110001: Google failed with status 500",
            "try again in some minutes",
        ),
        (
            "400-incompatible",
            "failed  report traffic of 313110001: Google refuses the request",
            "fields that Google names",
        ),
    ] {
        let ran = with(of_report(name)).await;
        let found = line(&ran, beginning);
        assert!(found.contains(remedy), "{name}: {found}");
        assert!(!ran.out.contains("tried again"), "{name}: {}", ran.out);
        assert_eq!((ran.code, ran.result), (1, Err("not everything works; see above".to_owned())), "{name}");
        assert!(ran.out.contains("\nnot everything works: "), "{name}: {}", ran.out);
    }
}

#[tokio::test]
async fn whatever_google_answers_each_line_says_what_to_do() {
    let rig = Rig::of(world(), START).await;
    let recorded =
        Recording::all().map(|recording| (recording.name(), recording.status() >= 400, Fault::from(recording)));
    let spoilt = [
        Effect::Html,
        Effect::Truncated,
        Effect::WrongKind,
        Effect::NoKind,
        Effect::Endless,
        Effect::Reset,
        Effect::ResetMidBody,
        Effect::MetricValues("NaN".to_owned()),
        Effect::UnknownFields,
    ];
    let spoilt = spoilt.into_iter().map(|effect| ("spoilt", false, Fault::new(effect).on(Method::RunReport)));
    for (name, is_refusal, fault) in recorded.chain(spoilt) {
        rig.simulator.clear_faults();
        let fault_text = format!("{name}: {fault:?}");
        rig.inject(fault);
        let ran = rig.run(&["check", "--property", SHOP]).await;
        let troubles = ran.out.lines().filter(|line| line.starts_with("failed ") || line.starts_with("warning "));
        let troubles: Vec<&str> = troubles.collect();
        assert!(troubles.iter().all(|line| line.contains("; ")), "{fault_text}: {troubles:#?}");
        assert_eq!(ran.code, u8::from(troubles.iter().any(|line| line.starts_with("failed "))), "{fault_text}");
        // Nobody asks the metadata server, or for batches.
        let is_asked = !name.starts_with("metadata-");
        assert!(!is_refusal || !is_asked || !troubles.is_empty(), "{fault_text}: {}", ran.out);
    }
}

#[tokio::test]
async fn sign_in_is_explained() {
    for (name, beginning, remedy) in [
        ("token-clock", "failed  sign in: Google finds the time of the request wrong", "set this machine's clock"),
        ("token-invalid-signature", "failed  sign in: Google refuses the key", "create a new key"),
        ("token-account-not-found", "failed  sign in: Google does not know the account", "enable the account"),
        ("token-unauthorized-client", "failed  sign in: the account may not have the Analytics scope", "administrator"),
        ("token-audience", "failed  sign in: Google was asked at another address", "`token_uri`"),
        ("token-502-html", "failed  sign in: the token endpoint failed", "try again in some minutes"),
        ("token-rate-limit", "failed  sign in: too many requests for a token", "find out what else"),
        ("token-id-token-alone", "failed  sign in: ", "; "),
    ] {
        let ran = with(Fault::play(name).unwrap()).await;
        let found = line(&ran, beginning);
        assert!(found.contains(remedy), "{name}: {found}");
        assert_eq!(line(&ran, "skipped property: "), "nothing else can be tried without an access token");
        assert_eq!(ran.code, 1);
    }
}

#[tokio::test]
async fn credentials_are_explained() {
    let rig = Rig::of(world(), START).await;
    let key = rig.file("broken.json", "{");
    let ran = rig.run(&["check", "--google.credentials-file", &key]).await;
    assert!(line(&ran, "failed  credentials: ").contains("broken.json"), "{}", ran.out);
    assert_eq!((ran.code, ran.result.is_err()), (1, true));
    let user = rig.file("user.json", &rig.simulator.authorized_user_json());
    let ran = rig.run(&["check", "--google.credentials-file", &user]).await;
    assert!(line(&ran, "ok      credentials: a user's sign-in by ").ends_with("user.json"), "{}", ran.out);
    assert_eq!(ran.code, 0, "{}", ran.out);
}

#[tokio::test]
async fn the_listing_and_the_admin_api_are_explained() {
    let ran = with(Fault::play("admin-scope").unwrap()).await;
    assert!(line(&ran, "failed  admin api: the properties cannot be listed: ").contains("scope"), "{}", ran.out);
    assert_eq!(line(&ran, "skipped property: "), "which properties there are is not known; name one with --property");
    let ran = with(Fault::play("admin-unreadable-entry").unwrap()).await;
    assert!(line(&ran, "warning admin api: ").contains("cannot be read"), "{}", ran.out);
    let ran = with(Fault::play("admin-property-denied").unwrap()).await;
    assert!(line(&ran, "warning property 313110001: its name and time zone cannot be read").contains("; "));
    assert_eq!(ran.code, 0, "names are not needed: {}", ran.out);
    let empty = Rig::of(World::new(1).account(Account::new("1", "Empty")), START).await;
    let ran = empty.run(&["check"]).await;
    assert!(line(&ran, "failed  admin api: it answers, and the account sees no property; add ").contains("as Viewer"));
    assert!(ran.out.contains("not everything works: 3 ok, 0 warnings, 1 failed, 1 skipped"), "{}", ran.out);
    assert_eq!(ran.code, 1, "there is nothing to export");
}

#[tokio::test]
async fn an_address_that_google_refuses_has_another_way() {
    let rig = Rig::of(world(), START).await;
    rig.inject(Fault::play("403-no-access").unwrap().on(Method::GetMetadata).property(NEWS));
    let ran = rig.run(&["check"]).await;
    let call = "curl -X POST https://analyticsadmin.googleapis.com/v1alpha/properties/313110002/accessBindings";
    assert!(ran.out.contains("This email doesn't match a Google Account") && ran.out.contains(call), "{}", ran.out);
    assert!(ran.out.contains(rig.simulator.client_email()), "{}", ran.out);
    assert_eq!(line(&ran, "ok      property 313110001: "), "Shop, Europe/Berlin, EUR, standard", "the other one works");
    let ran = rig.run(&["check", "--output", "json"]).await;
    let object = ran.json();
    let checks = object["checks"].as_array().unwrap();
    let failed: Vec<_> = checks.iter().filter(|check| check["status"] == "failed").collect();
    assert_eq!((&object["ok"], failed.len()), (&serde_json::json!(false), 1));
    assert_eq!((&failed[0]["check"], &failed[0]["property_id"]), (&"property".into(), &"313110002".into()));
    assert!(failed[0]["remedy"].as_str().unwrap().contains(call), "{object}");
}

#[tokio::test]
async fn a_clock_that_is_wrong_fails() {
    let ran = with(Fault::new(Effect::DateAhead(SignedDuration::from_secs(600)))).await;
    let found = line(&ran, "failed  clock: this machine's clock is ");
    assert!(found.contains(" s behind Google's; set this machine's clock"), "{found}");
    let ran = with(Fault::new(Effect::DateAhead(SignedDuration::from_secs(20)))).await;
    assert!(line(&ran, "ok      clock: ").ends_with(" s off, which does not matter"), "{}", ran.out);
}

#[tokio::test]
async fn a_mistake_in_the_configuration_is_one_of_the_command_line() {
    let rig = Rig::of(world(), START).await;
    let config = rig.file("config.yml", "propertys: [1]\n");
    let ran = rig.run(&["check", "--config.file", &config]).await;
    assert_eq!((ran.code, ran.out.as_str()), (64, ""));
}

#[tokio::test]
async fn quality_and_full_buckets_are_warnings() {
    let ran = with(Fault::play("core-metadata-all-flags").unwrap().on(Method::RunReport)).await;
    let found = line(&ran, "warning report traffic of 313110001: ");
    assert!(found.contains("thresholding") && found.contains("`(other)`"), "{found}");
    assert_eq!(ran.code, 0, "warnings are no failures: {}", ran.out);
    let rig = Rig::of(world(), START).await;
    rig.simulator.take_core_quota(SHOP, Bucket::Day, 195_000);
    let ran = rig.run(&["check", "--property", SHOP]).await;
    assert!(
        ran.out.contains("skipped report ") && ran.out.contains("commands leave 10 % of it to others"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("ok      report realtime of "), "realtime has buckets of its own: {}", ran.out);
}

#[tokio::test]
async fn a_terminal_shows_colours() {
    let mut rig = Rig::of(world(), START).await;
    rig.screen = Screen { width: Some(80), colour: true };
    let ran = rig.run(&["check", "--property", SHOP]).await;
    assert!(ran.out.contains("\u{1b}[32mok     \u{1b}[0m sign in: "), "{}", ran.out);
}
