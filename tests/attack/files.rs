//! Files and pipes that others hold.

use std::{
    fmt::Write as _,
    fs,
    process::{Command, Stdio},
};

use ga4_simulator::{Effect, Fault, Method};
use tempfile::TempDir;

use crate::program::{Target, eventually, program, simulator};

#[tokio::test]
#[ignore = "`make attack` runs it"]
async fn a_log_that_nobody_reads_stops_nothing() {
    let google = simulator(300).await;
    let refusal = "{\"error\":{\"code\":403,\"message\":\"no\",\"status\":\"PERMISSION_DENIED\"}}".to_owned();
    google.inject(Fault::new(Effect::Raw(403, refusal)));
    let (reader, writer) = std::io::pipe().unwrap();
    let target = Target::start_in(TempDir::new().unwrap(), &google, "", "debug", Stdio::from(writer)).await;
    // Each reload that fails is a line; a pipe has room for some hundreds.
    fs::write(target.directory.path().join("config.yml"), "nonsense: [\n").unwrap();
    for _ in 0..2_000 {
        assert!(target.ask("POST", "/-/reload").await.is_some());
    }
    target.shows("google_analytics_exporter_log_lines_dropped_total", |lines| lines > 0.0).await;
    let status = target.stopped().await;
    assert!(matches!(status.code(), Some(0 | 1)), "{status}");
    drop(reader);
}

#[tokio::test]
#[ignore = "`make attack` runs it"]
async fn a_pipe_in_place_of_the_key_is_refused_at_the_start() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("key.json");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let mut child = program(directory.path())
        .args(["--google.credentials-file", "key.json", "--web.listen-address", "127.0.0.1:0"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = eventually("its end", async || child.try_wait().unwrap()).await;
    assert!(status.code().is_some_and(|code| code != 0), "{status}");
}

#[tokio::test]
#[ignore = "`make attack` runs it"]
async fn a_pipe_in_place_of_the_key_later_on_stops_nothing() {
    let google = simulator(3).await;
    let target = Target::start(&google, "").await;
    target.shows("google_analytics_realtime_pageviews", |_| true).await;
    let path = target.directory.path().join("keys/key.json");
    fs::remove_file(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    google.revoke_tokens();
    for _ in 0..5 {
        let _ = tokio::time::timeout(std::time::Duration::from_secs(2), target.ask("POST", "/-/reload")).await;
    }
    target.shows("google_analytics_exporter_build_info", |_| true).await;
    let status = target.stopped().await;
    assert!(matches!(status.code(), Some(0 | 1)), "{status}");
}

#[tokio::test]
#[ignore = "`make attack` runs it"]
async fn a_thousand_hostile_calendars_hold_up_no_scrape() {
    let directory = TempDir::new().unwrap();
    let event = "BEGIN:VEVENT\nDTSTART:00010101\nRRULE:FREQ=DAILY;BYDAY=MO;BYMONTH=2;BYMONTHDAY=30\nEND:VEVENT\n";
    let calendar = format!("BEGIN:VCALENDAR\n{}{}END:VCALENDAR\n", event.repeat(200), "BEGIN:X\n".repeat(1_000));
    fs::write(directory.path().join("hostile.ics"), calendar).unwrap();
    let mut config = "reports:\n  baseline:\n    quiet_days:\n".to_owned();
    for _ in 0..1_000 {
        writeln!(config, "      - hostile.ics").unwrap();
    }
    let google = simulator(3).await;
    let log = fs::File::create(directory.path().join("log")).unwrap();
    let target = Target::start_in(directory, &google, &config, "info", Stdio::from(log)).await;
    let listings = |request: &ga4_simulator::Request| request.method == Some(Method::AccountSummaries);
    google.wait_for_many(1, listings).await;
    assert!(target.log().contains("too many days"));
    // One thread reads them again; the others serve.
    let reload = target.ask("POST", "/-/reload");
    let scrapes = async {
        for _ in 0..20 {
            assert!(target.ask("GET", "/metrics").await.is_some());
        }
    };
    let (reloaded, ()) = tokio::join!(reload, scrapes);
    assert!(reloaded.is_some());
    assert_eq!(target.stopped().await.code(), Some(0));
}
