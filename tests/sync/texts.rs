//! Texts and names that a database could refuse: longer than an index holds, words of SQL, as long as names can be.

use std::{collections::BTreeMap, fs, path::Path};

use ga4_exporter_core::{
    daily::{Changed, DailyRows, Key, Mark, Span, Table},
    names::PropertyId,
};
use google_analytics_exporter::{
    config::Config,
    database::{Batch, Database, DatabaseEnvironment, DatabaseUrl},
};
use jiff::{Timestamp, civil::date};

use crate::{
    server::Server,
    support::{SHOP, Town, dump},
};

async fn open(url: &str) -> Database {
    let location = url.parse::<DatabaseUrl>().unwrap().location().unwrap();
    Database::open(&location, &DatabaseEnvironment::default()).await.unwrap()
}

/// With as many dimensions as a report can have beside the date.
fn table() -> Table {
    let text = "reports: {long: {dimensions: [pagePath, pageTitle, pageReferrer, landingPage, country, city, browser, \
                sessionSource], metrics: [pageviews, totalRevenue]}}";
    Config::from_yaml(text, Path::new("x.yml")).unwrap().config.table("long").unwrap()
}

/// 1,500 Chinese characters that nothing compresses.
fn text(seed: u32) -> String {
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    let next = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        char::from_u32(0x4e00 + state % 20_000).unwrap()
    });
    next.take(1500).collect()
}

fn batch(rows: DailyRows) -> Batch {
    let day = date(2026, 1, 31);
    let mark = Mark {
        row_count: u32::try_from(rows.len()).unwrap(),
        settled: true,
        sampled_ratio: 1.0,
        thresholded: false,
        data_loss: false,
        time_zone: "Europe/Berlin".to_owned(),
    };
    Batch {
        property: SHOP.parse::<PropertyId>().unwrap(),
        span: Span { first: day, last: day },
        rows,
        hidden: Vec::new(),
        marks: BTreeMap::from([(day, mark)]),
        fetched_at: "2026-02-04T03:00:00Z".parse::<Timestamp>().unwrap(),
    }
}

async fn long_texts_are_stored_whole(database: &Database) {
    let table = table();
    assert_eq!(database.prepare(&table).await.unwrap(), None);
    let key = |row: u32, end: &str| Key {
        date: date(2026, 1, 31),
        dimensions: (0..8).map(|index| text(100 * row + index) + end).collect(),
    };
    // The last two differ in the last character only, and the dimensions of another two are moved by one.
    let mut rows: DailyRows = (1..20).map(|row| (key(row, "x"), vec![Some(f64::from(row)), Some(-0.25)])).collect();
    rows.insert(key(19, "y"), vec![Some(1e12), None]);
    let count = rows.len();
    let replace = async |rows: &DailyRows| database.replace(&table, batch(rows.clone())).await.unwrap();
    assert_eq!(replace(&rows).await, Changed { inserted: count, ..Changed::default() });
    // What was read back is compared with what came: every character is there.
    assert_eq!(replace(&rows).await, Changed { untouched: count, ..Changed::default() });
    rows.insert(key(19, "x"), vec![Some(0.0), Some(1e300)]);
    rows.remove(&key(1, "x"));
    let expected = Changed { updated: 1, deleted: 1, untouched: count - 2, inserted: 0 };
    assert_eq!(replace(&rows).await, expected);
    assert_eq!(replace(&DailyRows::new()).await.deleted, count - 1);
}

#[tokio::test]
async fn sqlite_holds_long_texts() {
    let town = Town::new().await;
    long_texts_are_stored_whole(&open(&town.sqlite("ga.db")).await).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test runs it"]
async fn postgresql_holds_texts_that_its_index_does_not() {
    let server = Server::start();
    long_texts_are_stored_whole(&open(&server.socket_url()).await).await;
}

/// Names that are words of SQL, and the longest ones.
fn config() -> String {
    format!(
        "reports:\n  order:\n    dimensions: {{group: deviceCategory, user: country, {}: browser}}\n    \
         metrics: {{limit: screenPageViews, select: sessions, table: bounceRate}}\n  \
         {}:\n    dimensions: {{primary: deviceCategory}}\n    metrics: [pageviews]\n",
        "l".repeat(63),
        "r".repeat(53)
    )
}

async fn any_name_is_a_table(town: &Town, database: &str) {
    fs::write(town.path("config.yml"), config()).unwrap();
    let path = town.path("config.yml").display().to_string();
    let long = "r".repeat(53);
    let arguments = ["--config.file", &path, "--report", "order", "--report", &long, "--from", "10daysAgo"];
    for _ in 0..3 {
        town.sync(database, &arguments).await.unwrap();
        town.pass(24);
    }
}

#[tokio::test]
async fn any_name_is_a_table_of_sqlite() {
    let town = Town::new().await;
    any_name_is_a_table(&town, &town.sqlite("ga.db")).await;
    assert!(dump(&town.path("ga.db")).iter().any(|line| line.starts_with("ga_report_order ")));
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test runs it"]
async fn any_name_is_a_table_of_postgresql() {
    let (server, town) = (Server::start(), Town::new().await);
    any_name_is_a_table(&town, &server.socket_url()).await;
    let count = server.sql("ga", r#"select count(*) > 10, count("group") = count("limit") from ga_report_order"#);
    assert_eq!(count, "t|t\n");
}
