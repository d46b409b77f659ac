//! The command `query`: what it prints in each format, what it notes, and what it says of wrong input.

use ga4_simulator::{Account, Bucket, Effect, Fault, Method, Property, Recording, World};
use google_analytics_exporter::commands::screen::Screen;
use serde_json::{Value, json};

use crate::{
    commands::{ClosedPipe, Rig},
    support::{NEWS, SHOP, START, world},
};

async fn rig() -> Rig {
    Rig::of(world(), START).await
}

#[tokio::test]
async fn one_line_answers() {
    let rig = rig().await;
    let ran = rig.run(&["query", "--property", SHOP, "--from", "7daysAgo", "--to", "yesterday"]).await;
    let truth = rig.simulator.truth(SHOP).unwrap().days_ago(7, 1, rig.simulator.now());
    let expected = format!("pageviews: {}\nvisitors: {}\n", truth.pageviews(), truth.total_users());
    assert_eq!((ran.out, ran.notes, ran.result), (expected, String::new(), Ok(())));
}

#[tokio::test]
async fn every_visible_property_has_a_block_of_its_own() {
    let rig = rig().await;
    let ran = rig.run(&["query"]).await;
    // 14:30 in Kolkata, 10:00 in Berlin: yesterday is the 22nd in both.
    let blocks: Vec<&str> = ran.out.split("\n\n").collect();
    assert_eq!(blocks.len(), 2, "{}", ran.out);
    assert!(blocks[0].starts_with("Shop (313110001), 2026-11-22\npageviews: "), "{}", ran.out);
    assert!(blocks[1].starts_with("News (313110002), 2026-11-22\npageviews: "), "{}", ran.out);
    let config = rig.file("config.yml", "properties: [313110002]\n");
    let configured = rig.run(&["query", "--config.file", &config]).await;
    assert_eq!(configured.out.lines().count(), 2, "only the configured one: {}", configured.out);
    let named = rig.run(&["query", "--config.file", &config, "--property", SHOP, "--property", SHOP]).await;
    assert_eq!(named.out.lines().count(), 2, "once: {}", named.out);
    assert_ne!(named.out, configured.out);
}

#[tokio::test]
async fn dates_are_the_propertys_own() {
    // In Auckland it is the 24th already, in Los Angeles still the 22nd.
    let property = |id: &str, zone| Property::new(id, zone).time_zone(zone).pageviews_per_hour(900.0);
    let account = Account::new("1", "World").property(property("1", "Pacific/Auckland"));
    let world = World::new(3).account(account.property(property("2", "America/Los_Angeles")));
    let rig = Rig::of(world, "2026-11-23T11:30:00Z").await;
    rig.clock.advance(jiff::SignedDuration::from_hours(-5));
    let ran = rig.run(&["query", "--output", "json"]).await;
    let dates: Vec<_> = ran.json()["results"].as_array().unwrap().iter().map(|one| one["from"].clone()).collect();
    assert_eq!(dates, [json!("2026-11-22"), json!("2026-11-21")], "{}", ran.out);
    for request in rig.simulator.requests().iter().filter(|request| request.method == Some(Method::RunReport)) {
        let date = request.body["dateRanges"][0]["startDate"].as_str().unwrap();
        assert!(date.starts_with("2026-11-2"), "{date}");
    }
}

#[tokio::test]
async fn dimensions_make_a_table_in_descending_order() {
    let rig = rig().await;
    let arguments = ["query", "--property", SHOP, "--dimensions", "deviceCategory", "--metrics", "pageviews,visitors"];
    let ran = rig.run(&arguments).await;
    let lines: Vec<Vec<&str>> = ran.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["device_category", "pageviews", "visitors"], "{}", ran.out);
    let numbers: Vec<u64> = lines[1..lines.len() - 1].iter().map(|line| line[1].parse().unwrap()).collect();
    assert!(numbers.len() > 1 && numbers.is_sorted_by(|a, b| a >= b), "{numbers:?}");
    let total: u64 = numbers.iter().sum();
    assert_eq!(lines.last().unwrap(), &["total", &total.to_string()], "users have no total: {}", ran.out);
    let cut = rig.run(&[&arguments[..], &["--limit", "1"]].concat()).await;
    assert!(cut.notes.contains("there are more rows than the limit allows"), "{}", cut.notes);
    assert_eq!(cut.out.lines().count(), 2, "{}", cut.out);
}

#[tokio::test]
async fn a_terminal_has_bold_letters_and_a_width() {
    let mut rig = rig().await;
    rig.screen = Screen { width: Some(40), colour: true };
    let ran = rig.run(&["query", "--property", SHOP, "--dimensions", "pageTitle,country", "--limit", "5"]).await;
    assert!(ran.out.starts_with("\u{1b}[1m"), "{}", ran.out);
    assert!(ran.out.lines().skip(1).all(|line| line.chars().count() <= 40), "{}", ran.out);
}

#[tokio::test]
async fn csv_has_one_header_and_the_property_first() {
    let rig = rig().await;
    let ran = rig.run(&["query", "--dimensions", "date,pagePath", "--from", "2daysAgo", "--output", "csv"]).await;
    let lines: Vec<&str> = ran.out.split_terminator("\r\n").collect();
    assert_eq!(lines[0], "property_id,date,page_path,pageviews,visitors");
    assert!(lines[1].starts_with("313110001,2026112"), "{}", lines[1]);
    assert!(lines.last().unwrap().starts_with("313110002,"), "{}", lines.last().unwrap());
    assert_eq!(lines.iter().filter(|line| line.starts_with("property_id")).count(), 1);
    assert!(!ran.out.replace("\r\n", "").contains('\n'), "every line ends in CR LF");
}

#[tokio::test]
async fn csv_quotes_what_needs_it() {
    let rig = rig().await;
    let body = json!({
        "kind": "analyticsData#runReport", "rowCount": 2,
        "dimensionHeaders": [{"name": "pageTitle"}], "metricHeaders": [{"name": "screenPageViews", "type": "TYPE_INTEGER"}],
        "rows": [{"dimensionValues": [{"value": "a, \"b\"\nc"}], "metricValues": [{"value": "2"}]},
            {"dimensionValues": [{"value": "=1+1"}], "metricValues": [{"value": "1"}]}],
        "metadata": {"timeZone": "Europe/Berlin"}});
    rig.inject(Fault::new(Effect::Raw(200, body.to_string())).on(Method::RunReport));
    let arguments =
        ["query", "--property", SHOP, "--dimensions", "pageTitle", "--metrics", "pageviews", "--output", "csv"];
    let ran = rig.run(&arguments).await;
    assert_eq!(ran.out, "property_id,page_title,pageviews\r\n313110001,\"a, \"\"b\"\"\nc\",2\r\n313110001,=1+1,1\r\n");
}

#[tokio::test]
async fn json_is_as_documented() {
    let rig = rig().await;
    let arguments =
        ["query", "--property", SHOP, "--dimensions", "country", "--metrics", "pageviews,bounceRate,totalUsers"];
    let ran = rig.run(&[&arguments[..], &["--output", "json"]].concat()).await;
    let object = ran.json();
    assert_eq!(object["failures"], json!([]));
    let result = &object["results"][0];
    let fixed = ["property_id", "property_name", "time_zone", "currency", "from", "to"].map(|key| result[key].clone());
    assert_eq!(fixed, ["313110001", "Shop", "Europe/Berlin", "EUR", "2026-11-22", "2026-11-22"].map(Value::from));
    assert_eq!(result["dimensions"], json!(["country"]));
    assert_eq!(
        result["metrics"],
        json!([{"name": "pageviews", "api_name": "screenPageViews", "unit": null},
            {"name": "bounce_rate_ratio", "api_name": "bounceRate", "unit": "ratio"},
            {"name": "visitors", "api_name": "totalUsers", "unit": null}])
    );
    let rows = result["rows"].as_array().unwrap();
    assert_eq!(result["row_count"], rows.len());
    let sum: f64 = rows.iter().map(|row| row["metrics"][0].as_f64().unwrap()).sum();
    assert_eq!(result["totals"][0].as_f64(), Some(sum));
    assert_eq!((&result["totals"][1], &result["totals"][2]), (&Value::Null, &Value::Null), "neither ratios nor users");
    assert_eq!((&result["quality"]["sampled_ratio"], &result["quality"]["truncated"]), (&json!(1.0), &json!(false)));
}

#[tokio::test]
async fn nothing_is_zero() {
    let world =
        World::new(1).account(Account::new("1", "Quiet").property(Property::new("7", "Quiet").without_traffic()));
    let rig = Rig::of(world, START).await;
    let ran = rig.run(&["query"]).await;
    assert_eq!((ran.out.as_str(), ran.result), ("pageviews: 0\nvisitors: 0\n", Ok(())));
    let ran = rig.run(&["query", "--dimensions", "country"]).await;
    assert_eq!((ran.out.as_str(), ran.result), ("no rows\n", Ok(())));
    let ran = rig.run(&["query", "--dimensions", "country", "--output", "csv"]).await;
    assert_eq!(ran.out, "property_id,country,pageviews,visitors\r\n");
    let ran = rig.run(&["query", "--realtime"]).await;
    assert_eq!(ran.out, "pageviews: 0\nactive_users: 0\n");
}

#[tokio::test]
async fn realtime_is_about_the_last_half_hour() {
    let rig = rig().await;
    let ran = rig.run(&["query", "--property", SHOP, "--realtime", "--metrics", "pageviews", "--output", "json"]).await;
    let truth = rig.simulator.truth(SHOP).unwrap().minutes_ago(29, 0, rig.simulator.now()).pageviews();
    let result = ran.json()["results"][0].clone();
    let value = result["rows"][0]["metrics"][0].as_f64().unwrap();
    #[expect(clippy::cast_precision_loss, reason = "a small count")]
    let difference = (value - truth as f64).abs();
    assert!(difference <= 60.0, "{value} and {truth}: a minute may begin between the two");
    assert_eq!((&result["from"], &result["time_zone"]), (&Value::Null, &json!("Europe/Berlin")));
}

#[tokio::test]
async fn filters_are_joined() {
    let rig = rig().await;
    let by_device =
        ["query", "--property", SHOP, "--dimensions", "deviceCategory", "--metrics", "pageviews", "--output", "csv"];
    let all = rig.run(&by_device).await.out;
    let mobile = rig.run(&[&by_device[..], &["--filter", "deviceCategory == mobile"]].concat()).await.out;
    assert!(mobile.lines().count() == 2 && all.contains(mobile.lines().nth(1).unwrap()), "{mobile}");
    let none = ["--filter", "deviceCategory == mobile", "--filter", "pageviews < 0"];
    assert_eq!(rig.run(&[&by_device[..], &none].concat()).await.out.lines().count(), 1);
    let not = rig.run(&[&by_device[..], &["--filter", "deviceCategory not in mobile,tablet"]].concat()).await.out;
    assert!(not.contains(",desktop,") && !not.contains("mobile"), "{not}");
}

#[tokio::test]
async fn reports_and_presets_can_be_asked() {
    let rig = rig().await;
    let config =
        "reports:\n  mine: {dimensions: [country], metrics: [events], filter: {dimension: country, equals: Germany}}\n";
    let config = rig.file("config.yml", config);
    let asked = async |report: &str| {
        rig.run(&["query", "--property", SHOP, "--config.file", &config, "--report", report, "--output", "csv"])
            .await
            .out
    };
    assert!(
        asked("mine").await.starts_with("property_id,country,events\r\n313110001,Germany,"),
        "{}",
        asked("mine").await
    );
    assert!(asked("pages").await.starts_with("property_id,host_name,page_path,pageviews,active_users\r\n"));
    assert!(asked("traffic").await.starts_with("property_id,pageviews,visitors,"));
    let unknown = rig.run(&["query", "--report", "nothing"]).await;
    assert!(
        unknown.result.unwrap_err().starts_with("--report nothing: there is no such report; use one of channels, ")
    );
    assert_eq!(unknown.code, 64);
}

#[tokio::test]
async fn properties_that_fail_do_not_hide_the_others() {
    let rig = rig().await;
    rig.inject(Fault::play("403-no-access").unwrap().property(SHOP));
    let ran = rig.run(&["query"]).await;
    assert!(ran.out.starts_with("News (313110002)"), "{}", ran.out);
    assert!(ran.notes.starts_with("error: property 313110001: Google denies access: "), "{}", ran.notes);
    assert!(
        ran.notes.contains(" as Viewer of property 313110001") && !ran.notes.contains("tried again"),
        "{}",
        ran.notes
    );
    assert_eq!((ran.result.unwrap_err().as_str(), ran.code), ("1 of 2 properties failed; see above", 1));
    let ran = rig.run(&["query", "--output", "json"]).await;
    let object = ran.json();
    assert_eq!(object["results"].as_array().unwrap().len(), 1);
    assert_eq!(object["failures"][0]["property_id"], "313110001");
    assert_eq!(object["failures"][0]["reason"], "no_access");
    assert!(object["failures"][0]["remedy"].as_str().unwrap().contains("as Viewer"), "{object}");
    let alone = rig.run(&["query", "--property", SHOP]).await;
    assert!(alone.result.unwrap_err().starts_with("property 313110001: Google denies access"));
    assert_eq!((alone.out.as_str(), alone.code), ("", 1));
}

#[tokio::test]
async fn whatever_google_refuses_has_a_remedy() {
    let rig = rig().await;
    for recording in Recording::all().filter(|recording| recording.method() == Method::RunReport) {
        rig.simulator.clear_faults();
        rig.inject(Fault::from(recording));
        let ran = rig.run(&["query", "--property", SHOP]).await;
        let name = recording.name();
        match ran.result {
            Ok(()) => assert!(recording.status() < 400 && !ran.out.is_empty(), "{name}: {}", ran.out),
            Err(error) => {
                assert!(error.starts_with("property 313110001: ") && error.contains("; "), "{name}: {error}");
                assert!(!error.contains("tried again") && ran.out.is_empty(), "{name}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn a_name_that_cannot_be_read_is_noted_and_no_more() {
    let rig = rig().await;
    let denied = || Fault::play("admin-property-denied").unwrap();
    rig.inject(denied());
    let ran = rig.run(&["query", "--property", SHOP, "--output", "json"]).await;
    let result = ran.json()["results"][0].clone();
    assert_eq!((&result["time_zone"], &result["from"]), (&json!("Europe/Berlin"), &json!("2026-11-22")));
    assert!(
        ran.notes.starts_with("note: property 313110001: its name and time zone cannot be read: "),
        "{}",
        ran.notes
    );
}

#[tokio::test]
async fn the_quality_is_noted() {
    let rig = rig().await;
    rig.inject(Fault::play("core-metadata-all-flags").unwrap());
    let ran = rig.run(&["query", "--property", SHOP]).await;
    for part in ["estimates: Google read ", "thresholding", "`(other)`"] {
        assert!(ran.notes.contains(part), "{part}: {}", ran.notes);
    }
    assert!(ran.notes.lines().all(|line| line.starts_with("note: property 313110001: ")), "{}", ran.notes);
}

#[tokio::test]
async fn a_wrong_clock_is_noted() {
    let rig = rig().await;
    rig.inject(Fault::new(Effect::DateAhead(jiff::SignedDuration::from_secs(600))));
    let ran = rig.run(&["query", "--property", SHOP]).await;
    assert!(ran.notes.starts_with("note: this machine's clock is "), "{}", ran.notes);
    assert!(ran.notes.contains("so the dates may be wrong"), "{}", ran.notes);
}

#[tokio::test]
async fn a_closed_pipe_is_no_error() {
    let rig = rig().await;
    for format in ["text", "csv", "json"] {
        for bytes in [0, 5, 200] {
            let arguments = ["query", "--dimensions", "date,pagePath", "--from", "3daysAgo", "--output", format];
            let (result, notes) = rig.run_into(&arguments, &mut ClosedPipe(bytes)).await;
            assert!(result.is_ok() && !notes.contains("error"), "{format} {bytes}: {result:?} {notes}");
        }
    }
}

#[tokio::test]
async fn wrong_questions_are_refused_before_anything_is_sent() {
    let rig = rig().await;
    for (arguments, expected) in [
        (&["--to", "today"][..], "--to needs --from"),
        (&["--from", "2026-13-01"], "`2026-13-01` is not a date"),
        (&["--from", "\u{1b}[2J"], "is not a date"),
        (&["--from", "today", "--to", "yesterday"], "in the wrong order"),
        (&["--from", "yesterday", "--realtime"], "--realtime is about the last 30 minutes"),
        (&["--metrics", "\u{1b}[31mx"], "field"),
        (&["--order-by", "\u{1b}[31mx"], "--order-by `"),
        (&["--report", "\u{1b}[31mx"], "there is no such report"),
        (&["--metrics", "pageviewz"], "there is no metric `pageviewz`"),
        (&["--dimensions", "page-path"], "`page-path`"),
        (&["--metrics", "sessions,sessions"], "stands there twice"),
        (&["--order-by", "-city"], "--order-by `-city`"),
        (&["--filter", "pagePath"], "--filter `pagePath`: a filter is a field, a comparison and a value"),
        (&["--filter", "pagePath ~ x"], "`~` is not a comparison"),
        (&["--filter", "pageviews == x"], "`x` is not a number"),
        (&["--limit", "99999999"], "--limit 99999999 is too much"),
        (
            &["--dimensions", "date,hour,country,city,region,browser,language,pagePath,pageTitle,hostName"],
            "10 dimensions are too many",
        ),
    ] {
        let ran = rig.run(&[&["query"], arguments].concat()).await;
        let error = ran.result.unwrap_err();
        assert!(error.contains(expected), "{arguments:?}: {error}");
        assert!(!error.contains('\u{1b}'), "{error:?}");
        assert_eq!((ran.code, ran.out.as_str()), (64, ""), "{arguments:?}");
    }
    assert!(rig.simulator.requests().is_empty());
}

#[tokio::test]
async fn a_command_leaves_others_their_tokens() {
    let rig = rig().await;
    // 13 % of the hour's tokens are left, and each page takes 10 of what is left above the reserve.
    rig.simulator.take_core_quota(SHOP, Bucket::ProjectHour, 14_000 - 1_405);
    let pages = |count: u64| {
        let body = json!({"kind": "analyticsData#runReport", "rowCount": 600_000,
            "dimensionHeaders": [{"name": "country"}], "metricHeaders": [{"name": "screenPageViews"}, {"name": "totalUsers"}],
            "rows": [{"dimensionValues": [{"value": "x"}], "metricValues": [{"value": "1"}, {"value": "1"}]}],
            "metadata": {"timeZone": "Europe/Berlin"},
            "propertyQuota": {"tokensPerProjectPerHour": {"consumed": 10, "remaining": 1_400 + count}}});
        Fault::new(Effect::Raw(200, body.to_string())).on(Method::RunReport)
    };
    rig.inject(pages(5));
    let ran = rig.run(&["query", "--property", SHOP, "--dimensions", "country"]).await;
    let error = ran.result.unwrap_err();
    assert!(error.contains("only 1405 tokens are left of the Cloud project's tokens of the hour"), "{error}");
    assert_eq!(rig.simulator.requests().iter().filter(|one| one.method == Some(Method::RunReport)).count(), 1);
}

#[tokio::test]
async fn pages_follow_each_other_to_the_end() {
    let rig = rig().await;
    let page = |rows: &[&str], count: u64| {
        let rows: Vec<_> = rows
            .iter()
            .map(|name| json!({"dimensionValues": [{"value": name}], "metricValues": [{"value": "1"}]}))
            .collect();
        let body = json!({"kind": "analyticsData#runReport", "rowCount": count, "rows": rows,
            "dimensionHeaders": [{"name": "country"}], "metricHeaders": [{"name": "screenPageViews"}],
            "metadata": {"timeZone": "Europe/Berlin"}});
        Fault::new(Effect::Raw(200, body.to_string())).on(Method::RunReport).once()
    };
    let arguments = ["query", "--property", SHOP, "--dimensions", "country", "--metrics", "pageviews"];
    rig.inject(page(&["a", "b"], 3));
    rig.inject(page(&["c"], 3));
    let ran = rig.run(&arguments).await;
    assert_eq!(ran.out.lines().map(|line| &line[..1]).collect::<Vec<_>>(), ["c", "a", "b", "c", "t"], "{}", ran.out);
    assert_eq!(ran.notes, "");
    rig.inject(page(&["a", "b"], 3));
    rig.inject(page(&["b"], 4));
    rig.inject(page(&["d"], 4));
    let ran = rig.run(&arguments).await;
    assert!(ran.notes.contains("the number of rows changed while they were read"), "{}", ran.notes);
    assert!(!ran.out.contains("total"), "{}", ran.out);
    let offsets: Vec<Value> = rig
        .simulator
        .requests()
        .iter()
        .filter(|request| request.method == Some(Method::RunReport))
        .map(|request| request.body["offset"].clone())
        .collect();
    assert_eq!(offsets, [Value::Null, json!(2), Value::Null, json!(2), json!(3)]);
}

#[tokio::test]
async fn an_unseen_property_is_told_apart_from_none() {
    let rig = rig().await;
    let ran = rig.run(&["query", "--property", "999"]).await;
    assert!(ran.result.unwrap_err().contains("as Viewer of property 999"));
    let empty = Rig::of(World::new(1), START).await;
    let ran = empty.run(&["query"]).await;
    assert!(ran.result.unwrap_err().starts_with("no property to query: "));
    let unlisted = self::rig().await;
    unlisted.inject(Fault::play("admin-scope").unwrap());
    let ran = unlisted.run(&["query"]).await;
    assert!(ran.result.unwrap_err().starts_with("the properties cannot be listed: "));
    let _ = NEWS;
}
