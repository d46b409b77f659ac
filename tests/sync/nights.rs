//! Runs one after the other.

use std::fs;

use ga4_simulator::{Account, CustomMetric, Effect, Fault, Method, MetricUnit, Property, Refusal, Restriction, World};
use google_analytics_exporter::clock::Clock;
use jiff::{
    SignedDuration,
    civil::{Date, date},
};

use crate::support::{EMPTY, NEWS, SHOP, Town, dump};

/// When the properties were made, in their own zones.
const CREATED: [(&str, Date); 3] =
    [(SHOP, date(2026, 10, 20)), (NEWS, date(2026, 10, 21)), (EMPTY, date(2026, 10, 20))];

#[tokio::test]
async fn the_first_run_has_every_day_since_a_property_was_made_and_not_today() {
    let town = Town::new().await;
    town.sync(&town.sqlite("ga.db"), &[]).await.unwrap();
    for (property, first) in CREATED {
        let (stored, truth) = (town.stored("ga.db", property), town.truth(property, first));
        assert_eq!(stored, truth, "{property}");
        assert!(stored.len() > 30, "{property}");
    }
    assert!(town.stored("ga.db", EMPTY).values().all(|values| *values == (0, 0, 0)), "nothing is zero, not nothing");
    let last = |property| town.stored("ga.db", property).into_keys().next_back().unwrap();
    assert_eq!((last(SHOP), last(NEWS)), ("2026-11-22".to_owned(), "2026-11-22".to_owned()));
}

#[tokio::test]
async fn the_second_run_changes_nothing_and_takes_one_request() {
    let town = Town::new().await;
    let database = town.sqlite("ga.db");
    town.sync(&database, &[]).await.unwrap();
    let (before, asked) = (dump(&town.path("ga.db")), town.reports_of(SHOP));
    town.sync(&database, &[]).await.unwrap();
    assert_eq!(dump(&town.path("ga.db")), before);
    assert_eq!(town.reports_of(SHOP) - asked, 1);
    let connection = rusqlite::Connection::open(town.path("ga.db")).unwrap();
    let changed: i64 = connection
        .query_row("select rows_changed from ga_sync_runs order by run_id desc limit 1", [], |row| row.get(0))
        .unwrap();
    assert_eq!(changed, 0);
    let fetched: String = connection.query_row("select max(fetched_at) from ga_days", [], |row| row.get(0)).unwrap();
    assert_eq!((fetched.len(), &fetched[..14]), (20, "2026-11-23T02:"), "as the manual says");
}

#[tokio::test]
async fn every_morning_is_right_while_google_revises() {
    let town = Town::new().await;
    let (database, mut revised) = (town.sqlite("ga.db"), 0);
    for night in 0..8 {
        let before = if night == 0 { Default::default() } else { town.stored("ga.db", SHOP) };
        town.sync(&database, &["--lookback", "3d"]).await.unwrap();
        for (property, first) in CREATED {
            assert_eq!(town.stored("ga.db", property), town.truth(property, first), "{property} in night {night}");
        }
        let after = town.stored("ga.db", SHOP);
        revised += before.iter().filter(|(day, values)| after.get(*day) != Some(values)).count();
        town.pass(24);
    }
    assert!(revised > 5, "{revised} days were revised");
}

#[tokio::test]
async fn rows_that_vanish_go_and_what_stays_is_not_touched() {
    let town = Town::new().await;
    fs::write(
        town.path("config.yml"),
        "sync:\n  reports: [by_page]\nreports:\n  by_page:\n    \
         dimensions: [country, pagePath]\n    metrics: [pageviews, averageSessionDuration]\n    limit: 2\n",
    )
    .unwrap();
    let config = town.path("config.yml").display().to_string();
    let arguments = ["--config.file", &config, "--lookback", "3d"];
    for _ in 0..5 {
        town.sync(&town.sqlite("ga.db"), &arguments).await.unwrap();
        town.sync(&town.sqlite(&format!("fresh-{}.db", town.clock.now().as_second() / 3600)), &arguments)
            .await
            .unwrap();
        let fresh = town.path(&format!("fresh-{}.db", town.clock.now().as_second() / 3600));
        let of_report =
            |path| dump(path).into_iter().filter(|line| line.starts_with("ga_report_by_page ")).collect::<Vec<_>>();
        let (kept, fresh) = (of_report(&town.path("ga.db")), of_report(&fresh));
        assert!(kept.len() > 1000, "the limit does not count: {}", kept.len());
        assert_eq!(kept, fresh);
        town.pass(24);
    }
    let connection = rusqlite::Connection::open(town.path("ga.db")).unwrap();
    let mut statement = connection.prepare("select rows_changed from ga_sync_runs order by run_id").unwrap();
    let changed: Vec<i64> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(changed[1] > 0 && changed[1] < changed[0] / 4, "{changed:?}");
}

#[tokio::test]
async fn a_metric_that_comes_later_is_a_column_with_all_days() {
    let town = Town::new().await;
    let config = |metrics: &str| {
        let text = format!("reports: {{devices: {{metrics: [{metrics}]}}}}\n");
        let text = text.replace("metrics", "dimensions: [deviceCategory], metrics");
        fs::write(town.path("config.yml"), text).unwrap();
    };
    let path = town.path("config.yml").display().to_string();
    let arguments = ["--config.file", &path, "--report", "devices"];
    config("pageviews, sessions");
    town.sync(&town.sqlite("ga.db"), &arguments).await.unwrap();
    config("pageviews, events");
    town.sync(&town.sqlite("ga.db"), &arguments).await.unwrap();
    let connection = rusqlite::Connection::open(town.path("ga.db")).unwrap();
    let count = |condition: &str| -> i64 {
        let sql = format!("select count(*) from ga_report_devices where {condition}");
        connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    assert!(count("true") > 100);
    assert_eq!((count("events is null"), count("sessions is null")), (0, 0));
    drop(connection);
    fs::write(town.path("config.yml"), "reports: {devices: {dimensions: [country], metrics: [pageviews]}}").unwrap();
    let error = town.sync(&town.sqlite("ga.db"), &arguments).await.unwrap_err().to_string();
    assert!(error.contains("has the key (date, device_category, property_id), but"), "{error}");
    let arguments = ["--config.file", &path, "--report", "devices", "--report", "daily"];
    let error = town.sync(&town.sqlite("ga.db"), &arguments).await.unwrap_err().to_string();
    assert!(error.contains("3 of 3 properties are not up to date"), "{error}");
    assert_eq!(town.stored("ga.db", SHOP), town.truth(SHOP, date(2026, 10, 20)), "the other report is");
}

/// A world in which purchases have a margin, which the account may see or not.
async fn with_margin(is_hidden: bool) -> Town {
    let margin = CustomMetric::new("margin").unit(MetricUnit::Currency).per_purchase(3);
    let margin = if is_hidden { margin.restricted(Restriction::Revenue) } else { margin };
    let created = "2026-10-20T12:00:00Z".parse().unwrap();
    let shop = Property::new(SHOP, "Shop").time_zone("Europe/Berlin").pageviews_per_hour(400.0).created(created);
    let town = Town::of(World::new(7).account(Account::new("1", "Example").property(shop.custom_metric(margin)))).await;
    let report = "reports: {margins: {dimensions: [deviceCategory], metrics: {margin: {field: customEvent:margin, unit: currency}}}}";
    fs::write(town.path("config.yml"), report).unwrap();
    town
}

#[tokio::test]
async fn numbers_stay_that_the_role_hides_later() {
    let (open, hidden) = (with_margin(false).await, with_margin(true).await);
    let database = open.sqlite("ga.db");
    let margins = async |town: &Town| {
        let config = town.path("config.yml").display().to_string();
        town.sync(&database, &["--config.file", &config, "--report", "margins"]).await.unwrap();
        let connection = rusqlite::Connection::open(open.path("ga.db")).unwrap();
        let sql = "select count(*), count(margin), sum(margin) from ga_report_margins";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, f64>(2)?));
        connection.query_row(sql, [], read).unwrap()
    };
    let (rows, known, sum) = margins(&open).await;
    assert!(rows > 50 && known == rows && sum > 0.0, "{known} of {rows}, {sum}");
    hidden.pass(24);
    assert_eq!(margins(&hidden).await, (rows, known, sum), "Google shows no row, since nothing else is in it");
}

#[tokio::test]
async fn nothing_is_stored_by_a_wrong_clock() {
    let mut town = Town::new().await;
    town.surroundings.clock = Clock::starting_at(town.clock.now() + SignedDuration::from_mins(3));
    let config = town.path("config.yml").display().to_string();
    fs::write(&config, format!("properties: [{SHOP}]")).unwrap();
    let error = town.sync(&town.sqlite("ga.db"), &["--config.file", &config]).await.unwrap_err().to_string();
    assert!(error.contains("1 of 1 properties are not up to date"), "{error}");
    assert!(town.stored("ga.db", SHOP).is_empty());
}

/// The rows of a report's table in a file.
fn rows_of(town: &Town, file: &str, report: &str) -> Vec<String> {
    let start = format!("ga_report_{report} ");
    // In a column that was made for whole numbers SQLite keeps 97.0 as 97.
    let plain = |line: String| line.replace("Integer(", "Real(").replace(".0)", ")");
    dump(&town.path(file)).into_iter().filter(|line| line.starts_with(&start)).map(plain).collect()
}

#[tokio::test]
async fn a_report_whose_numbers_mean_something_else_is_requested_again() {
    let town = Town::new().await;
    let path = town.path("config.yml").display().to_string();
    let arguments = ["--config.file", &path, "--report", "devices"];
    let database = town.sqlite("ga.db");
    let mut last = Vec::new();
    for (index, report) in [
        "dimensions: {kind: deviceCategory}, metrics: {value: screenPageViews}",
        "dimensions: {kind: deviceCategory}, metrics: {value: screenPageViews}, filter: {dimension: country, equals: Germany}",
        "dimensions: {kind: deviceCategory}, metrics: {value: screenPageViews}, filter: {dimension: country, equals: France}",
        "dimensions: {kind: browser}, metrics: {value: screenPageViews}, filter: {dimension: country, equals: France}",
        "dimensions: {kind: browser}, metrics: {value: averageSessionDuration}",
    ]
    .iter()
    .enumerate()
    {
        fs::write(town.path("config.yml"), format!("reports: {{devices: {{{report}}}}}")).unwrap();
        let forecast = town.sync(&database, &[&arguments[..], &["--dry-run"]].concat()).await.unwrap();
        assert!(forecast.contains("(Shop), devices: 34 days in 2 requests"), "{forecast}");
        town.sync(&database, &arguments).await.unwrap();
        let fresh = format!("fresh-{index}.db");
        town.sync(&town.sqlite(&fresh), &arguments).await.unwrap();
        let rows = rows_of(&town, "ga.db", "devices");
        assert_eq!(rows, rows_of(&town, &fresh, "devices"), "{report}");
        assert!(rows != last && rows.len() > 50, "{report}");
        let asked = town.reports_of(SHOP);
        town.sync(&database, &arguments).await.unwrap();
        assert_eq!(town.reports_of(SHOP) - asked, 1, "once is enough");
        last = rows;
    }
}

#[tokio::test]
async fn a_metric_that_comes_back_has_no_holes() {
    let town = Town::new().await;
    let path = town.path("config.yml").display().to_string();
    let arguments = ["--config.file", &path, "--report", "devices"];
    for metrics in ["pageviews, sessions", "pageviews", "pageviews, sessions"] {
        let report = format!("reports: {{devices: {{dimensions: [deviceCategory], metrics: [{metrics}]}}}}");
        fs::write(town.path("config.yml"), report).unwrap();
        town.sync(&town.sqlite("ga.db"), &arguments).await.unwrap();
        town.pass(15 * 24);
    }
    town.sync(&town.sqlite("ga.db"), &arguments).await.unwrap();
    town.sync(&town.sqlite("fresh.db"), &arguments).await.unwrap();
    assert_eq!(rows_of(&town, "ga.db", "devices"), rows_of(&town, "fresh.db", "devices"));
}

#[tokio::test]
async fn an_error_of_one_report_does_not_keep_another_from_being_stored() {
    let town = Town::new().await;
    let report = "reports: {plans: {dimensions: {plan: 'customEvent:plan'}, metrics: [pageviews]}}";
    fs::write(town.path("config.yml"), report).unwrap();
    let path = town.path("config.yml").display().to_string();
    let arguments = ["--config.file", &path, "--report", "plans", "--report", "daily", "--report", "plans"];
    let error = town.sync(&town.sqlite("ga.db"), &arguments).await.unwrap_err().to_string();
    assert_eq!(error, "3 of 3 properties are not up to date; see above");
    assert_eq!(town.stored("ga.db", SHOP), town.truth(SHOP, CREATED[0].1));
}

#[tokio::test]
async fn the_last_days_of_every_report_come_before_older_ones() {
    let shop = Property::new(SHOP, "Shop").created("2023-01-01T00:00:00Z".parse().unwrap()).pageviews_per_hour(5.0);
    let town = Town::of(World::new(3).account(Account::new("1", "A").property(shop)).token_cost(600)).await;
    let arguments = ["--from", "2023-01-01", "--report", "daily", "--report", "channels"];
    town.sync(&town.sqlite("ga.db"), &arguments).await.unwrap();
    let connection = rusqlite::Connection::open(town.path("ga.db")).unwrap();
    let mut statement = connection
        .prepare("select report || ' ' || count(*) || ' ' || max(date) from ga_days group by report order by report")
        .unwrap();
    let days: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(days, ["channels 7 2026-11-22", "daily 7 2026-11-22"], "two requests are all that a command may spend");
}

#[tokio::test]
async fn a_night_is_one_request_with_the_shortest_lookback_too() {
    let town = Town::new().await;
    let arguments = ["--lookback", "3d"];
    for night in 0..6 {
        let asked = town.reports_of(SHOP);
        town.sync(&town.sqlite("ga.db"), &arguments).await.unwrap();
        assert!(night == 0 || town.reports_of(SHOP) - asked == 1, "night {night}");
        town.pass(24);
    }
}

#[tokio::test]
async fn an_error_of_one_property_costs_no_other_and_the_gap_is_filled() {
    let town = Town::new().await;
    let database = town.sqlite("ga.db");
    town.sync(&database, &[]).await.unwrap();
    let broken =
        town.simulator.inject(Fault::new(Effect::Refuse(Refusal::NoAccess)).on(Method::RunReport).property(SHOP));
    for _ in 0..12 {
        town.pass(24);
        let error = town.sync(&database, &["--lookback", "3d"]).await.unwrap_err().to_string();
        assert_eq!(error, "1 of 3 properties are not up to date; see above");
    }
    assert_eq!(town.stored("ga.db", NEWS), town.truth(NEWS, CREATED[1].1));
    town.simulator.clear(broken);
    town.sync(&database, &["--lookback", "3d"]).await.unwrap();
    assert_eq!(town.stored("ga.db", SHOP), town.truth(SHOP, CREATED[0].1));
}

#[tokio::test]
async fn what_passes_is_tried_again_and_answers_that_cannot_be_change_nothing() {
    let town = Town::new().await;
    let database = town.sqlite("ga.db");
    town.simulator.inject(Fault::new(Effect::Reset).on(Method::RunReport).property(NEWS).once());
    town.sync(&database, &[]).await.unwrap();
    let before = dump(&town.path("ga.db"));
    for effect in [Effect::NoKind, Effect::MetricValues("-1".to_owned()), Effect::Html, Effect::Truncated] {
        let fault = town.simulator.inject(Fault::new(effect.clone()).on(Method::RunReport).property(SHOP));
        town.sync(&database, &[]).await.unwrap_err();
        town.simulator.clear(fault);
        assert_eq!(dump(&town.path("ga.db")), before, "{effect:?}");
    }
}

#[tokio::test]
async fn estimates_are_asked_for_again_in_shorter_ranges() {
    let shop = Property::new(SHOP, "Shop").created("2026-09-01T00:00:00Z".parse().unwrap()).sampled_beyond(4);
    let town = Town::of(World::new(3).account(Account::new("1", "A").property(shop))).await;
    town.sync(&town.sqlite("ga.db"), &[]).await.unwrap();
    assert_eq!(town.stored("ga.db", SHOP), town.truth(SHOP, date(2026, 9, 1)));
    let connection = rusqlite::Connection::open(town.path("ga.db")).unwrap();
    let least: f64 = connection.query_row("select min(sampled_ratio) from ga_days", [], |row| row.get(0)).unwrap();
    assert!((least - 1.0).abs() < 1e-9, "{least}");
    let always = Property::new(SHOP, "Shop").created("2026-11-20T00:00:00Z".parse().unwrap()).sampled_beyond(0);
    let town = Town::of(World::new(3).account(Account::new("1", "A").property(always))).await;
    town.sync(&town.sqlite("ga.db"), &[]).await.unwrap();
    let connection = rusqlite::Connection::open(town.path("ga.db")).unwrap();
    let marked: i64 =
        connection.query_row("select count(*) from ga_days where sampled_ratio = 0.5", [], |row| row.get(0)).unwrap();
    assert_eq!(marked, 3, "a day that is an estimate is stored, and says so");
}

#[tokio::test]
async fn a_zone_that_changes_is_asked_for_again_and_never_stores_today() {
    let town = Town::new().await;
    let database = town.sqlite("ga.db");
    town.sync(&database, &[]).await.unwrap();
    town.simulator.edit(NEWS, |news| news.reporting_zone("Pacific/Pago_Pago"));
    town.sync(&database, &[]).await.unwrap();
    let connection = rusqlite::Connection::open(town.path("ga.db")).unwrap();
    let (zone, last): (String, String) = connection
        .query_row(
            "select p.time_zone, max(d.date) from ga_properties p join ga_days d using (property_id) where property_id = ?1",
            [NEWS],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    // It is the 22nd in Pago Pago, where the 22nd was over in Kiribati when it was stored.
    assert_eq!((zone.as_str(), last.as_str()), ("Pacific/Pago_Pago", "2026-11-22"));
    town.pass(48);
    town.sync(&database, &["--from", "7daysAgo"]).await.unwrap();
    let truth = town.truth(NEWS, date(2026, 11, 17));
    let stored = town.stored("ga.db", NEWS);
    assert!(truth.iter().all(|(day, values)| stored.get(day) == Some(values)), "{truth:?} {stored:?}");
}

#[tokio::test]
async fn the_quota_is_spared_newest_days_first() {
    let shop = Property::new(SHOP, "Shop").created("2023-01-01T00:00:00Z".parse().unwrap()).pageviews_per_hour(5.0);
    let town = Town::of(World::new(3).account(Account::new("1", "A").property(shop)).token_cost(500)).await;
    let database = town.sqlite("ga.db");
    let arguments = ["--from", "2023-01-01"];
    town.sync(&database, &arguments).await.unwrap();
    let days = town.stored("ga.db", SHOP).len();
    assert!((7..1000).contains(&days), "two requests are 1,000 of the 1,400 tokens of a command: {days}");
    assert!(town.stored("ga.db", SHOP).contains_key("2026-11-22"));
    let outcome = || -> String {
        let connection = rusqlite::Connection::open(town.path("ga.db")).unwrap();
        connection
            .query_row("select outcome from ga_sync_runs order by run_id desc limit 1", [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(outcome(), "incomplete");
    for _ in 0..4 {
        town.pass(2);
        town.sync(&database, &arguments).await.unwrap();
    }
    assert_eq!(outcome(), "success");
    assert_eq!(town.stored("ga.db", SHOP), town.truth(SHOP, date(2023, 1, 1)));
    // The first answer says that others have left nothing.
    town.simulator.take_core_quota(SHOP, ga4_simulator::Bucket::Day, 190_000);
    town.pass(1);
    let error = town.sync(&database, &["--report", "daily", "--report", "channels"]).await.unwrap_err().to_string();
    assert!(error.starts_with("1 of 1 properties"), "{error}");
}
