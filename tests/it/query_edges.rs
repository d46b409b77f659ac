//! The command `query` at its edges: odd dates, names and values, a property's own fields, and the cost of long ranges.

use ga4_simulator::{Bucket, Effect, Fault, Method, World};
use serde_json::{Value, json};

use crate::{
    commands::Rig,
    support::{SHOP, START, world},
};

async fn rig() -> Rig {
    Rig::of(world(), START).await
}

/// The bodies of the requests for core reports, in their order.
fn bodies(rig: &Rig) -> Vec<Value> {
    let requests = rig.simulator.requests();
    requests.into_iter().filter(|one| one.method == Some(Method::RunReport)).map(|one| one.body).collect()
}

#[tokio::test]
async fn ranges_that_are_wrong_everywhere_are_mistakes_of_the_command_line() {
    let rig = rig().await;
    for (arguments, expected) in [
        (&["--from", "2026-12-01"][..], "the dates 2026-12-01 and 2026-11-"),
        (&["--from", "2026-12-01", "--to", "today"], "in the wrong order"),
        (&["--from", "yesterday", "--to", "2020-01-01"], "in the wrong order"),
        (&["--from", "9999daysAgo"], "is not a day that Google Analytics has; the first is 2015-08-14"),
        (&["--from", "2015-08-13"], "the first is 2015-08-14"),
        (&["--from", "2026-01-01", "--to", "3000-01-01"], "the last 2999-12-31"),
        (&["--from", "7daysago"], "is not a date; write"),
        (&["--from", "7 daysAgo"], "is not a date; write"),
        (&["--from", "+7daysAgo"], "is not a date; write"),
        (&["--from", "99999999999999999999daysAgo"], "is not a date; write"),
        (&["--from", "01/02/2026"], "is not a date; write"),
        (&["--from", ""], "is not a date; write"),
        (&["--from", "2026-11-01", "--to", "tomorrow"], "is not a date; write"),
        (&["--realtime", "--from", "today", "--to", "today"], "--realtime is about the last 30 minutes"),
        (&["--report", "realtime", "--from", "today"], "--realtime is about the last 30 minutes"),
        (&["--report", "traffic", "--to", "today"], "--to needs --from"),
    ] {
        let ran = rig.run(&[&["query"], arguments].concat()).await;
        let error = ran.result.unwrap_err();
        assert!(error.contains(expected), "{arguments:?}: {error}");
        assert_eq!((ran.code, ran.out.as_str()), (64, ""), "{arguments:?}");
    }
    assert!(rig.simulator.requests().is_empty(), "nothing is sent");
}

#[tokio::test]
async fn days_that_have_not_begun_are_noted() {
    let rig = rig().await;
    let ran = rig.run(&["query", "--property", SHOP, "--from", "2026-12-01", "--to", "2026-12-02"]).await;
    assert_eq!((ran.out.as_str(), ran.code), ("pageviews: 0\nvisitors: 0\n", 0), "{}", ran.notes);
    assert!(ran.notes.contains("2026-12-01 to 2026-12-02 are in the future"), "{}", ran.notes);
    let ran = rig.run(&["query", "--property", SHOP, "--from", "yesterday", "--to", "2026-12-02"]).await;
    assert!(ran.notes.contains("the days after 2026-11-23 are in the future"), "{}", ran.notes);
    let ran = rig.run(&["query", "--property", SHOP, "--from", "today", "--to", "today"]).await;
    assert_eq!(ran.notes, "", "today has begun");
}

#[tokio::test]
async fn names_may_have_spaces_and_prefixes() {
    let rig = rig().await;
    let id = format!("properties/{SHOP}");
    let ran =
        rig.run(&["query", "--property", &id, "--metrics", "pageviews, visitors", "--dimensions", " country"]).await;
    assert_eq!(ran.result, Ok(()));
    assert!(ran.out.starts_with("country"), "{}", ran.out);
    let one = rig.run(&["query", "--property", &id, "--property", SHOP]).await;
    assert!(one.out.starts_with("pageviews: "), "the same property: {}", one.out);
    for list in ["", ",", "pageviews,", "pageviews,,visitors"] {
        let ran = rig.run(&["query", "--property", SHOP, "--metrics", list]).await;
        assert_eq!(ran.code, 64, "{list}: {:?}", ran.result);
    }
}

#[tokio::test]
async fn values_are_sent_as_they_are() {
    let rig = rig().await;
    for (filter, expected) in [
        ("pageTitle == Größe, 5 € – «neu»", "Größe, 5 € – «neu»"),
        ("pageTitle == \" two  spaces \"", " two  spaces "),
        ("pageTitle == it's \"here\"", "it's \"here\""),
        ("pageTitle == -1", "-1"),
        ("pageTitle == --limit", "--limit"),
        ("pageTitle == == x", "== x"),
        ("pageTitle contains a\\b", "a\\b"),
        ("pageTitle == 日本語", "日本語"),
    ] {
        rig.run(&["query", "--property", SHOP, "--filter", filter]).await.result.unwrap();
        let body = bodies(&rig).pop().unwrap();
        let sent = &body["dimensionFilter"]["filter"]["stringFilter"]["value"];
        assert_eq!(sent, &json!(expected), "{filter}: {body}");
    }
    rig.run(&["query", "--property", SHOP, "--filter", "pageviews > -5", "--filter", "hour in 1,-2"])
        .await
        .result
        .unwrap();
    let body = bodies(&rig).pop().unwrap();
    let least = &body["metricFilter"]["filter"]["numericFilter"]["value"];
    assert_eq!(least, &json!({"int64Value": "-5"}));
    assert_eq!(body["dimensionFilter"]["filter"]["inListFilter"]["values"], json!(["1", "-2"]));
}

#[tokio::test]
async fn a_custom_field_has_rows_or_a_place_to_make_it() {
    let rig = rig().await;
    let arguments = ["query", "--property", SHOP, "--dimensions", "customEvent:plan", "--metrics", "events"];
    let refused = rig.run(&arguments).await;
    let error = refused.result.unwrap_err();
    assert!(error.contains("Field customEvent:plan is not a valid dimension"), "{error}");
    assert!(
        error.ends_with(
            "; register `plan` in Google Analytics under Admin > Custom definitions as a custom dimension of the \
                         scope Event"
        ),
        "{error}"
    );
    let metadata = json!({"dimensions": [{"apiName": "customEvent:plans"}], "metrics": [{"apiName": "eventCount"}]});
    rig.inject(Fault::new(Effect::Raw(200, metadata.to_string())).on(Method::GetMetadata));
    let near = rig.run(&arguments).await;
    assert!(
        near.result.as_ref().unwrap_err().contains("; did you mean `customEvent:plans`? Otherwise register"),
        "{near:?}"
    );
    let body = json!({"kind": "analyticsData#runReport", "rowCount": 1,
        "dimensionHeaders": [{"name": "customEvent:plan"}], "metricHeaders": [{"name": "eventCount", "type": "TYPE_INTEGER"}],
        "rows": [{"dimensionValues": [{"value": "gold"}], "metricValues": [{"value": "7"}]}],
        "metadata": {"timeZone": "Europe/Berlin"}});
    rig.inject(Fault::new(Effect::Raw(200, body.to_string())).on(Method::RunReport));
    let found = rig.run(&[&arguments[..], &["--output", "csv"]].concat()).await;
    assert_eq!(found.out, format!("property_id,custom_event_plan,events\r\n{SHOP},gold,7\r\n"));
}

#[tokio::test]
async fn a_long_range_first_asks_what_is_left() {
    let rig = rig().await;
    let long = ["query", "--property", SHOP, "--from", "2023-01-01", "--to", "2026-11-20"];
    rig.run(&long).await.result.unwrap();
    let sent = bodies(&rig);
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0]["dateRanges"][0]["startDate"], "2026-11-20");
    assert_eq!((&sent[0]["limit"], &sent[1]["limit"]), (&json!(1), &json!(250_000)));
    assert_eq!(sent[1]["dateRanges"][0]["startDate"], "2023-01-01");
    rig.run(&["query", "--property", SHOP, "--from", "90daysAgo"]).await.result.unwrap();
    assert_eq!(bodies(&rig).len(), 3, "a short one does not");
    // Others have used up all but 1,410 of 14,000 tokens: 10 % stay with them.
    rig.simulator.refill_quota(SHOP);
    rig.simulator.take_core_quota(SHOP, Bucket::ProjectHour, 14_000 - 1_410);
    let ran = rig.run(&long).await;
    let error = ran.result.unwrap_err();
    assert!(error.contains("commands leave 10 % of it to others; try again in an hour"), "{error}");
    assert_eq!(bodies(&rig).len(), 4, "only the cheap request is sent");
    assert_eq!(bodies(&rig)[3]["limit"], 1);
}

#[tokio::test]
async fn nothing_to_ask_is_a_failure_in_every_format() {
    let rig = Rig::of(World::new(1), START).await;
    for (format, expected) in [
        ("text", ""),
        ("csv", "property_id,pageviews,visitors\r\n"),
        ("json", "{\"results\": [\n], \"failures\": []}\n"),
    ] {
        let ran = rig.run(&["query", "--output", format]).await;
        assert_eq!((ran.out.as_str(), ran.code), (expected, 1), "{format}");
        assert!(ran.result.unwrap_err().starts_with("no property to query: "), "{format}");
    }
}
