//! The same against a real PostgreSQL.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, time::Duration};

use ga4_simulator::{Effect, Fault, Method};
use google_analytics_exporter::database::{Database, DatabaseEnvironment, DatabaseUrl};
use jiff::civil::date;

use crate::{
    server::{PASSWORD, Server},
    support::{NEWS, SHOP, Town},
};

/// What the server has of a property, as [`Town::stored`].
fn stored(server: &Server, property: &str) -> BTreeMap<String, (i64, i64, i64)> {
    let sql = format!("select date, pageviews, visitors, sessions from ga_daily where property_id = {property}");
    let text = server.sql("ga", &sql);
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').collect();
        let number = |index: usize| cells[index].parse().unwrap();
        (cells[0].to_owned(), (number(1), number(2), number(3)))
    };
    text.lines().map(row).collect()
}

/// Where each row lies on the disk: that changes when it is touched.
fn places(server: &Server) -> String {
    server.sql("ga", "select ctid, xmin, property_id, date from ga_daily order by 3, 4")
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test runs it"]
async fn every_morning_is_right_in_postgresql_too() {
    let (server, town) = (Server::start(), Town::new().await);
    let url = server.socket_url();
    for night in 0..5 {
        town.sync(&url, &["--lookback", "3d"]).await.unwrap();
        for (property, first) in [(SHOP, date(2026, 10, 20)), (NEWS, date(2026, 10, 21))] {
            assert_eq!(stored(&server, property), town.truth(property, first), "{property} in night {night}");
        }
        let before = places(&server);
        town.sync(&url, &["--lookback", "3d"]).await.unwrap();
        assert_eq!(places(&server), before, "what stays as it is is not touched");
        town.pass(24);
    }
    let marks = server.sql(
        "ga",
        "select count(*), count(distinct time_zone), bool_and(settled) from ga_days where date < '2026-11-20'",
    );
    assert!(marks.ends_with("|3|t\n"), "{marks}");
    let runs =
        server.sql("ga", "select distinct outcome, failed, properties from ga_sync_runs where ended_at is not null");
    assert_eq!(runs, "success|0|3\n");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test runs it"]
async fn both_databases_have_the_same_rows() {
    let (server, town) = (Server::start(), Town::new().await);
    let text =
        "reports:\n  by_page:\n    dimensions: [country, pagePath]\n    metrics: [pageviews, averageSessionDuration]\n";
    fs::write(town.path("config.yml"), text).unwrap();
    let config = town.path("config.yml").display().to_string();
    let arguments = ["--config.file", &config, "--report", "by_page", "--report", "daily", "--from", "20daysAgo"];
    for _ in 0..3 {
        town.sync(&server.socket_url(), &arguments).await.unwrap();
        town.sync(&town.sqlite("ga.db"), &arguments).await.unwrap();
        let columns = "property_id || ' ' || date || ' ' || country || ' ' || page_path || ' ' || pageviews";
        let sql = format!("select {columns} from ga_report_by_page");
        let connection = rusqlite::Connection::open(town.path("ga.db")).unwrap();
        let mut statement = connection.prepare(&sql).unwrap();
        let mut here: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let there = server.sql("ga", &sql);
        let mut there: Vec<String> = there.lines().map(str::to_owned).collect();
        here.sort();
        there.sort();
        assert!(here.len() > 500);
        assert_eq!(here, there);
        town.pass(30);
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test runs it"]
async fn tls_is_checked_as_libpq_checks_it() {
    let (server, mut town) = (Server::start(), Town::new().await);
    town.databases.password = Some(PASSWORD.into());
    let (ca, other) = (server.path("ca.crt"), server.path("other.crt"));
    let roots = |path: &std::path::Path| format!("sslrootcert={}", path.display());
    let full = |path| format!("sslmode=verify-full&{}", roots(path));
    town.sync(&server.url("localhost", &full(&ca)), &["--dry-run"]).await.unwrap();
    town.databases.root_certificates = Some(ca.clone());
    town.sync(&server.url("localhost", "sslmode=verify-full"), &["--dry-run"]).await.unwrap();
    town.databases.root_certificates = None;
    for mode in ["require", "verify-ca"] {
        let parameters = format!("sslmode={mode}&{}", roots(&ca));
        town.sync(&server.url("127.0.0.1", &parameters), &["--dry-run"]).await.unwrap();
    }
    for (host, parameters, expected) in [
        ("127.0.0.1", full(&ca), "not valid for name"),
        ("localhost", full(&other), "certificate"),
        ("localhost", "sslmode=verify-full".to_owned(), "certificate"),
        ("localhost", format!("sslmode=require&{}", roots(&other)), "certificate"),
        ("localhost", full(&server.path("none.crt")), "cannot read the certificates"),
        ("localhost", full(&server.path("names.txt")), "no certificate in"),
        ("localhost", "sslmode=disable".to_owned(), "no encryption"),
    ] {
        let error = town.sync(&server.url(host, &parameters), &["--dry-run"]).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{host} {parameters}: {error}");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test runs it"]
async fn a_server_that_signed_its_own_certificate_is_known_by_it() {
    let (mut server, mut town) = (Server::start(), Town::new().await);
    town.databases.password = Some(PASSWORD.into());
    // As PostgreSQL's manual makes it: its own authority.
    server.kill();
    let made = std::process::Command::new("openssl")
        .current_dir(server.directory.path())
        .args("req -new -x509 -days 2 -nodes -text -out self.crt -keyout self.key -subj /CN=localhost -addext subjectAltName=DNS:localhost".split(' '))
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    for (from, to) in [("self.crt", "server.crt"), ("self.key", "server.key")] {
        fs::write(server.path(to), fs::read(server.path(from)).unwrap()).unwrap();
    }
    server.begin();
    let roots = format!("sslmode=verify-full&sslrootcert={}", server.path("self.crt").display());
    town.sync(&server.url("localhost", &roots), &["--dry-run"]).await.unwrap();
    let error = town.sync(&server.url("127.0.0.1", &roots), &["--dry-run"]).await.unwrap_err().to_string();
    assert!(error.contains("not valid for name"), "{error}");
    let other = format!("sslmode=verify-full&sslrootcert={}", server.path("ca.crt").display());
    town.sync(&server.url("localhost", &other), &["--dry-run"]).await.unwrap_err();
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test runs it"]
async fn passwords_come_from_three_places_and_are_never_shown() {
    let (server, mut town) = (Server::start(), Town::new().await);
    let roots = format!("sslmode=verify-full&sslrootcert={}", server.path("ca.crt").display());
    let url = server.url("localhost", &roots);
    let none = town.sync(&url, &["--dry-run"]).await.unwrap_err().to_string();
    assert!(none.contains("password missing"), "{none}");
    town.databases.password = Some("wrong horse".into());
    let wrong = town.sync(&url, &["--dry-run"]).await.unwrap_err().to_string();
    assert!(wrong.contains("password authentication failed for user \"exporter\""), "{wrong}");
    assert!(!wrong.contains("horse"), "{wrong}");
    town.databases.password = None;
    let file = town.path("pgpass");
    fs::write(&file, format!("elsewhere:*:*:*:no\nlocalhost:{}:ga:exporter:{PASSWORD}\n", server.port)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    town.databases.password_file = Some(file);
    town.sync(&url, &["--dry-run"]).await.unwrap();
    town.databases.password_file = None;
    let configured = format!(
        "sync: {{database: \"postgres://exporter:{}@localhost:{}/ga?{roots}\"}}",
        PASSWORD.replace(' ', "%20"),
        server.port
    );
    fs::write(town.path("config.yml"), configured).unwrap();
    let config = town.path("config.yml").display().to_string();
    let arguments = ["x", "sync", "--config.file", &config].map(str::to_owned).to_vec();
    town.sync_with(arguments).await.unwrap();
    assert!(stored(&server, SHOP).len() > 30);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test runs it"]
async fn shards_run_side_by_side_and_a_property_is_one_runs_at_a_time() {
    let (server, town) = (Server::start(), Town::new().await);
    let url = server.socket_url();
    let shards = tokio::join!(town.sync(&url, &["--shard", "0/2"]), town.sync(&url, &["--shard", "1/2"]));
    shards.0.unwrap();
    shards.1.unwrap();
    assert_eq!(stored(&server, SHOP), town.truth(SHOP, date(2026, 10, 20)));
    assert_eq!(stored(&server, NEWS), town.truth(NEWS, date(2026, 10, 21)));
    // The first run waits for Google, and holds what it is about.
    town.pass(24);
    let slow =
        town.simulator.inject(Fault::new(Effect::Latency(Duration::from_secs(3))).on(Method::RunReport).property(SHOP));
    let asked = town.reports_of(SHOP);
    let second = async {
        town.simulator
            .wait_for_many(asked + 1, |request| {
                request.method == Some(Method::RunReport) && request.property.as_deref() == Some(SHOP)
            })
            .await;
        town.sync(&url, &["--google.property", SHOP]).await
    };
    let (first, second) = tokio::join!(town.sync(&url, &[]), second);
    first.unwrap();
    assert_eq!(second.unwrap_err().to_string(), "1 of 1 properties are not up to date; see above");
    town.simulator.clear(slow);
    assert_eq!(stored(&server, SHOP), town.truth(SHOP, date(2026, 10, 20)));
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test runs it"]
async fn the_second_run_says_who_holds_a_property() {
    let server = Server::start();
    let surroundings = DatabaseEnvironment::default();
    let location = |role: &str| server.socket_url_of("ga", role).parse::<DatabaseUrl>().unwrap().location().unwrap();
    let first = Database::open(&location("plain"), &surroundings).await.unwrap();
    let property = SHOP.parse().unwrap();
    first.claim(property).await.unwrap();
    let second = Database::open(&location("plain"), &surroundings).await.unwrap();
    let error = second.claim(property).await.unwrap_err().to_string();
    let process = format!("({})", std::process::id());
    assert!(error.starts_with(&format!("property {SHOP} is being synchronised by google_analytics_exporter sync on ")));
    assert!(error.contains(&process) && error.contains(" of plain at the server itself, since 20"), "{error}");
    second.claim(NEWS.parse().unwrap()).await.unwrap();
    // A role that may not see others' addresses gets an answer, too.
    server.sql("ga", "create role watcher login");
    server.sql("ga", "grant select on ga_schema to watcher");
    let watcher = Database::look(&location("watcher"), &surroundings).await.unwrap().unwrap();
    let error = watcher.claim(property).await.unwrap_err().to_string();
    assert!(error.contains(&process) && error.contains(" of plain; wait until that ends"), "{error}");
    first.release(property).await.unwrap();
    second.claim(property).await.unwrap();
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test runs it"]
async fn a_database_that_cannot_be_used_is_refused_before_google_is_asked() {
    let (server, town) = (Server::start(), Town::new().await);
    server.sql("ga", "create role guest login");
    server.sql("ga", "create role reader login in role plain");
    server.sql("ga", "alter role reader set default_transaction_read_only = on");
    server.sql("ga", "create database latin owner plain template template0 encoding 'LATIN1' locale 'C'");
    server.sql("ga", "create database ascii owner plain template template0 encoding 'SQL_ASCII' locale 'C'");
    for (database, role, expected) in [
        ("ga", "guest", "permission denied for schema public"),
        ("ga", "reader", "in a read-only transaction"),
        ("ga", "nobody", "role \"nobody\" does not exist"),
        ("none", "plain", "database \"none\" does not exist"),
        ("latin", "plain", "has the encoding LATIN1"),
    ] {
        let error = town.sync(&server.socket_url_of(database, role), &[]).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert_eq!(town.reports_of(SHOP), 0);
    town.sync(&server.socket_url_of("ascii", "plain"), &["--from", "9daysAgo"]).await.unwrap();
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test runs it"]
async fn the_right_to_write_that_is_lost_ends_the_run() {
    let (server, town) = (Server::start(), Town::new().await);
    let url = server.socket_url();
    town.sync(&url, &[]).await.unwrap();
    server.sql("ga", "alter table ga_days owner to postgres");
    server.sql("ga", "grant select on ga_days to plain");
    town.pass(24);
    let error = town.sync(&url, &[]).await.unwrap_err().to_string();
    assert!(error.contains("the database cannot be used: ") && error.contains("permission denied"), "{error}");
    server.sql("ga", "grant insert, update on ga_days to plain");
    town.sync(&url, &[]).await.unwrap();
    assert_eq!(stored(&server, SHOP), town.truth(SHOP, date(2026, 10, 20)));
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test runs it"]
async fn a_report_that_changes_is_requested_again_in_postgresql_too() {
    let (server, town) = (Server::start(), Town::new().await);
    let config = town.path("config.yml").display().to_string();
    let arguments = ["--config.file", &config, "--report", "devices"];
    for (fields, column) in [
        ("metrics: {value: screenPageViews}", "bigint"),
        ("metrics: {value: averageSessionDuration}", "double precision"),
        ("metrics: {value: averageSessionDuration}, filter: {dimension: country, equals: Germany}", "double precision"),
    ] {
        let text = format!("reports: {{devices: {{dimensions: {{kind: deviceCategory}}, {fields}}}}}");
        fs::write(town.path("config.yml"), text).unwrap();
        let (fresh, before) = (town.sqlite(&format!("{}.db", fields.len())), town.reports_of(SHOP));
        town.sync(&server.socket_url(), &arguments).await.unwrap();
        assert_eq!(town.reports_of(SHOP) - before, 2, "all days: the last 7, and 27 more");
        town.sync(&fresh, &arguments).await.unwrap();
        let sql = "select property_id || ' ' || date || ' ' || kind || ' ' || round(cast(value as numeric), 6) \
                   from ga_report_devices";
        let mut there: Vec<String> = server.sql("ga", sql).lines().map(str::to_owned).collect();
        there.sort();
        let connection = rusqlite::Connection::open(town.path(&format!("{}.db", fields.len()))).unwrap();
        let rows: i64 = connection.query_row("select count(*) from ga_report_devices", [], |row| row.get(0)).unwrap();
        assert_eq!(there.len(), usize::try_from(rows).unwrap(), "{fields}");
        let kind = server.sql(
            "ga",
            "select format_type(atttypid, null) from pg_attribute where attrelid = \
            'ga_report_devices'::regclass and attname = 'value'",
        );
        assert_eq!(kind.trim(), column);
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test runs it"]
async fn a_server_that_dies_in_the_middle_leaves_nothing_half_written() {
    let (mut server, town) = (Server::start(), Town::new().await);
    let url = server.socket_url();
    let down = town.sync("postgres://plain@127.0.0.1:1/ga", &[]).await.unwrap_err().to_string();
    assert!(down.contains("cannot open the database postgres://plain@127.0.0.1:1/ga"), "{down}");
    town.simulator.inject(Fault::new(Effect::Latency(Duration::from_secs(2))).on(Method::RunReport).property(NEWS));
    let asked = town
        .simulator
        .wait_for(|request| request.method == Some(Method::RunReport) && request.property.as_deref() == Some(NEWS));
    let (run, ()) = tokio::join!(town.sync(&url, &[]), async {
        asked.await;
        server.kill();
    });
    let error = run.unwrap_err().to_string();
    assert!(error.contains("the connection to the database is lost"), "{error}");
    server.begin();
    let halves = "select count(*) from ga_days m full join ga_daily d using (property_id, date) \
                  where m.date is null or d.date is null";
    assert_eq!(server.sql("ga", halves), "0\n");
    town.simulator.clear_faults();
    town.sync(&url, &[]).await.unwrap();
    assert_eq!(stored(&server, NEWS), town.truth(NEWS, date(2026, 10, 21)));
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test runs it"]
async fn a_table_grows_and_another_one_is_refused() {
    let (server, town) = (Server::start(), Town::new().await);
    let url = server.socket_url();
    let config = town.path("config.yml").display().to_string();
    let arguments = ["--config.file", &config, "--report", "devices", "--from", "10daysAgo"];
    for metrics in ["pageviews, sessions", "pageviews, events, bounceRate"] {
        let text = format!("reports: {{devices: {{dimensions: [deviceCategory], metrics: [{metrics}]}}}}");
        fs::write(town.path("config.yml"), text).unwrap();
        town.sync(&url, &arguments).await.unwrap();
    }
    let nulls = "select count(*), count(events), count(bounce_rate_ratio), count(sessions) from ga_report_devices";
    let counts = server.sql("ga", nulls);
    let counts: Vec<&str> = counts.trim().split('|').collect();
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
    fs::write(town.path("config.yml"), "reports: {devices: {dimensions: [country], metrics: [pageviews]}}").unwrap();
    let error = town.sync(&url, &arguments).await.unwrap_err().to_string();
    assert!(error.contains("has the key (date, device_category, property_id), but"), "{error}");
    server.sql("ga", "update ga_schema set version = 7");
    let error = town.sync(&url, &[]).await.unwrap_err().to_string();
    assert!(error.contains("the database has version 7"), "{error}");
}

/// The statements of the manual's recipes: those for PostgreSQL, and those for SQLite.
fn recipes() -> (Vec<String>, Vec<String>) {
    let manual = include_str!("../../docs/HISTORY.md");
    let (_, recipes) = manual.split_once("\n## Recipes\n").unwrap();
    let blocks = recipes.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    let blocks: Vec<String> = blocks.map(|sql| filled(&sql)).collect();
    blocks.into_iter().partition(|sql| !sql.starts_with("-- SQLite"))
}

/// A statement as Grafana sends it.
fn filled(sql: &str) -> String {
    let mut text = sql.replace("$property", SHOP).replace("123456789", SHOP);
    // What is tested is a fixed night, and not today.
    text = text.replace("current_date", "date '2026-11-23'").replace("date('now'", "date('2026-11-23'");
    text = text.replace("now()", "timestamptz '2026-11-23 02:00:00Z'");
    while let Some((before, rest)) = text.split_once("$__timeFilter(") {
        let mut depth = 1;
        let end = rest.find(|c| {
            depth += match c {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            depth == 0
        });
        let (column, after) = rest.split_at(end.unwrap());
        text = format!("{before}{column} between '2026-01-01' and '2026-12-31'{}", &after[1..]);
    }
    text
}

#[tokio::test]
#[ignore = "needs PostgreSQL: make test runs it"]
async fn the_dashboard_and_the_recipes_have_answers() {
    let (server, town) = (Server::start(), Town::new().await);
    town.sync(&server.socket_url(), &[]).await.unwrap();
    town.sync(&town.sqlite("ga.db"), &[]).await.unwrap();
    let dashboard: serde_json::Value =
        serde_json::from_str(include_str!("../../dashboards/postgresql/history.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    assert!(panels.len() >= 10);
    for panel in panels {
        let sql = filled(panel["targets"][0]["rawSql"].as_str().unwrap());
        let answer = server.sql("ga", &sql);
        println!("== {}\n{}", panel["title"], answer.lines().take(5).collect::<Vec<_>>().join("\n"));
        assert!(!answer.trim().is_empty(), "{}: {sql}", panel["title"]);
    }
    let variable = dashboard["templating"]["list"][1]["query"].as_str().unwrap();
    assert!(server.sql("ga", variable).contains(&format!("{SHOP}|Shop\n")));
    let (of_postgres, of_sqlite) = recipes();
    assert_eq!((of_postgres.len(), of_sqlite.len()), (5, 3));
    let mut answers = of_postgres.iter().map(|sql| server.sql("ga", sql));
    let first = answers.next().unwrap();
    assert!(first.contains("Shop|") && first.lines().count() == 3, "{first}");
    let weeks = answers.next().unwrap();
    assert!(weeks.lines().count() > 30, "{weeks}");
    assert_eq!(answers.next().unwrap(), "", "nothing is missing");
    assert!(answers.next().unwrap().contains("|1|f|f"));
    assert!(answers.next().unwrap().contains("|Shop|"));
    let connection = rusqlite::Connection::open(town.path("ga.db")).unwrap();
    for (sql, least) in of_sqlite.iter().zip([3, 30, 0]) {
        let mut statement = connection.prepare(sql).unwrap();
        let mut rows = statement.query([]).unwrap();
        let mut count = 0;
        while rows.next().unwrap().is_some() {
            count += 1;
        }
        assert!(count >= least && (least > 0 || count == 0), "{count}: {sql}");
    }
}
