//! How long it takes: 100 properties and three years, and a night after it.

use std::time::Duration;

use ga4_simulator::{Account, Effect, Fault, Method, Property, World};
use google_analytics_exporter::clock::monotonic;

use crate::{server::Server, support::Town};

fn world() -> World {
    let mut account = Account::new("1", "Example");
    for number in 0..100 {
        let property = Property::new(format!("3131100{number:02}"), format!("Site {number}")).revised();
        let created = "2023-01-01T00:00:00Z".parse().unwrap();
        account = account.property(property.time_zone("Europe/Berlin").pageviews_per_hour(100.0).created(created));
    }
    World::new(5).account(account).log_length(10_000)
}

async fn figures(town: &Town, name: &str, database: &str) {
    let reports =
        || town.simulator.requests().iter().filter(|request| request.method == Some(Method::RunReport)).count();
    // What Google answers slowly the simulator answers slowly too; its own work is done before.
    town.simulator.inject(Fault::new(Effect::Latency(Duration::from_millis(100))));
    for (night, arguments) in [("first load", ["--from", "1096daysAgo"]), ("a night after", ["--from", "1096daysAgo"])]
    {
        let (started, before) = (monotonic(), reports());
        town.sync(database, &arguments).await.unwrap();
        println!("{name}, {night}: {:.1} s, {} reports", started.elapsed().as_secs_f64(), reports() - before);
        town.pass(24);
    }
    town.simulator.clear_faults();
}

/// Printed, not judged: `cargo test --release --test sync figures -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes, and needs PostgreSQL: make test runs it"]
async fn a_hundred_properties_and_three_years() {
    let server = Server::start();
    let town = Town::of(world()).await;
    // Whatever the simulator computes for the first time is not what is measured.
    town.sync(&town.sqlite("warm.db"), &["--from", "1096daysAgo"]).await.unwrap();
    figures(&town, "SQLite", &town.sqlite("ga.db")).await;
    let town = Town::of(world()).await;
    town.sync(&town.sqlite("warm.db"), &["--from", "1096daysAgo"]).await.unwrap();
    figures(&town, "PostgreSQL", &server.socket_url()).await;
    let runs = "select run_id, outcome, properties, rows_changed, tokens from ga_sync_runs order by 1";
    println!("{}", server.sql("ga", runs));
    let connection = rusqlite::Connection::open(town.path("warm.db")).unwrap();
    let rows: i64 = connection.query_row("select count(*) from ga_daily", [], |row| row.get(0)).unwrap();
    println!("{rows} rows, {} bytes of SQLite", std::fs::metadata(town.path("warm.db")).unwrap().len());
}
