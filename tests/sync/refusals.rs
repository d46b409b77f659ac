//! What `sync` says of wrong input, of others at work, and of databases that are not its own.

use std::fs;

use crate::support::{SHOP, Town};

#[tokio::test]
async fn only_one_run_writes_and_the_second_says_who_has_it() {
    let town = Town::new().await;
    let database = town.sqlite("ga.db");
    town.sync(&database, &[]).await.unwrap();
    let held = fs::File::open(town.path("ga.db.lock")).unwrap();
    held.lock().unwrap();
    let asked = town.reports_of(SHOP);
    let error = town.sync(&database, &[]).await.unwrap_err().to_string();
    assert!(error.contains("is being synchronised by process ") && error.contains(" on "), "{error}");
    assert_eq!(town.reports_of(SHOP), asked, "Google is not asked in vain");
    drop(held);
    town.sync(&database, &[]).await.unwrap();
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let town = Town::new().await;
    town.sync(&town.sqlite("ga.db"), &[]).await.unwrap();
    let connection = rusqlite::Connection::open(town.path("ga.db")).unwrap();
    connection.execute("update ga_schema set version = 99", []).unwrap();
    for arguments in [&[][..], &["--dry-run"]] {
        let error = town.sync(&town.sqlite("ga.db"), arguments).await.unwrap_err().to_string();
        assert!(error.contains("version 99") && error.contains("versions up to 1"), "{error}");
    }
    fs::write(town.path("text.db"), "this is no database, and has more than a hundred characters. ".repeat(20))
        .unwrap();
    let error = town.sync(&town.sqlite("text.db"), &[]).await.unwrap_err().to_string();
    assert!(error.contains("not a database"), "{error}");
}

#[tokio::test]
async fn wrong_flags_are_refused_with_what_is_right() {
    let town = Town::new().await;
    let sqlite = town.sqlite("ga.db");
    for (database, arguments, expected) in [
        (sqlite.as_str(), &["--shard", "0/2"][..], "one run at a time can write to SQLite"),
        (&sqlite, &["--report", "nothing"], "there is no report `nothing`"),
        (&sqlite, &["--report", "realtime"], "realtime report"),
        (&sqlite, &["--from", "2026-11-22", "--to", "2026-11-01"], "--from 2026-11-22 is later than 2026-11-01"),
        (&sqlite, &["--from", "2027-01-01"], "--from 2027-01-01 is later than yesterday"),
        ("postgres://u:hush@db/ga", &[], "PGPASSFILE"),
        ("postgres://u@db/ga?sslmode=prefer", &[], "sslmode=verify-full"),
        ("mysql://db", &[], "like `sqlite:"),
    ] {
        let error = town.sync(database, arguments).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(expected) && !text.contains("hush"), "{database}: {text}");
        assert_eq!(format!("{:?}", error.exit_code()), format!("{:?}", std::process::ExitCode::from(64)), "{text}");
    }
}

#[tokio::test]
async fn a_dry_run_says_what_it_would_do_and_does_nothing() {
    let town = Town::new().await;
    let database = town.sqlite("ga.db");
    let first = town.sync(&database, &["--dry-run"]).await.unwrap();
    assert!(first.contains(&format!("property {SHOP} (Shop), daily: 34 days in 2 requests\n")), "{first}");
    assert!(first.ends_with(
        "altogether 100 days in 6 requests, for 60 tokens if a request costs 10; more requests where answers are sampled or too \
         long\n"
    ), "{first}");
    assert!(!town.path("ga.db").exists() && town.reports_of(SHOP) == 0);
    town.sync(&database, &[]).await.unwrap();
    let second = town.sync(&database, &["--dry-run"]).await.unwrap();
    assert!(second.contains("daily: 7 days in 1 requests"), "{second}");
}

#[tokio::test]
async fn figures_of_every_run_are_written_of_failed_ones_too() {
    let town = Town::new().await;
    let path = town.path("sync.prom").display().to_string();
    let arguments = ["--metrics.textfile", &path];
    town.sync("sqlite:/dev/null/ga.db", &arguments).await.unwrap_err();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("google_analytics_sync_last_success_timestamp_seconds 0\n"), "{text}");
    let nowhere = ["--metrics.textfile", "/dev/null/sync.prom"];
    assert!(town.sync(&town.sqlite("other.db"), &nowhere).await.is_err(), "nobody would notice");
    town.sync(&town.sqlite("ga.db"), &arguments).await.unwrap();
    let text = fs::read_to_string(&path).unwrap();
    for line in ["google_analytics_sync_last_run_successful 1", "google_analytics_sync_properties_failed 0"] {
        assert!(text.contains(line), "{text}");
    }
    let success = format!("google_analytics_sync_last_success_timestamp_seconds {}", town.clock.now().as_second());
    assert!(text.contains(&success[..success.len() - 1]), "{text}");
}

#[tokio::test]
async fn an_account_that_sees_nothing_is_a_failure() {
    let town = Town::of(ga4_simulator::World::new(1)).await;
    let error = town.sync(&town.sqlite("ga.db"), &[]).await.unwrap_err().to_string();
    assert!(error.contains("the account has access to none"), "{error}");
}
