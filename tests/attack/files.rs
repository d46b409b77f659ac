//! Files and pipes that others hold.

use std::{
    fmt::Write as _,
    fs,
    io::Read,
    os::unix::fs::symlink,
    process::{Command, Stdio},
};

use ga4_simulator::{Effect, Fault, Method, Simulator};
use tempfile::TempDir;

use crate::{
    dead_mount::DeadMount,
    program::{Target, eventually, program, simulator},
};

#[tokio::test]
#[ignore = "`make attack` runs it"]
async fn a_log_that_nobody_reads_stops_nothing() {
    let google = simulator(300).await;
    let refusal = "{\"error\":{\"code\":403,\"message\":\"no\",\"status\":\"PERMISSION_DENIED\"}}".to_owned();
    for property in 1002..1300_u32 {
        google.inject(Fault::new(Effect::Raw(403, refusal.clone())).property(property.to_string()));
    }
    let (reader, writer) = std::io::pipe().unwrap();
    let target = Target::start_in(TempDir::new().unwrap(), &google, "", "debug", Stdio::from(writer)).await;
    // A pipe has room for some hundreds of lines, and the queue for some thousands.
    let flood = async {
        loop {
            let _ = target.ask("GET /\r\n:", "/").await;
        }
    };
    tokio::select! {
        () = flood => {}
        () = target.shows("google_analytics_exporter_log_lines_dropped_total", |lines| lines > 0.0) => {}
    }
    let seen = google.requests().len();
    google
        .wait_for(|request| {
            usize::try_from(request.number).unwrap() > seen && request.property.as_deref() == Some("1001")
        })
        .await;
    let status = target.stopped().await;
    assert_eq!(status.code(), Some(0), "{status}");
    drop(reader);
}

#[tokio::test]
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
#[ignore = "`make attack` runs it: an unoptimised program takes longer for all that calendars may cost than a start may"]
async fn many_hostile_calendars_hold_up_no_scrape() {
    let directory = TempDir::new().unwrap();
    let event = "BEGIN:VEVENT\nDTSTART:00010101\nRRULE:FREQ=DAILY;BYDAY=MO;BYMONTH=2;BYMONTHDAY=30\nEND:VEVENT\n";
    let calendar = format!("BEGIN:VCALENDAR\n{}{}END:VCALENDAR\n", event.repeat(20), "BEGIN:X\n".repeat(100));
    fs::write(directory.path().join("hostile.ics"), calendar).unwrap();
    let mut config = "baseline:\n  quiet_days:\n".to_owned();
    for _ in 0..1_000 {
        writeln!(config, "    - hostile.ics").unwrap();
    }
    let google = simulator(3).await;
    let log = fs::File::create(directory.path().join("log")).unwrap();
    let target = Target::start_in(directory, &google, &config, "info", Stdio::from(log)).await;
    let listings = |request: &ga4_simulator::Request| request.method == Some(Method::AccountSummaries);
    google.wait_for_many(1, listings).await;
    eventually("a word on calendars", async || target.log().contains("more warnings about the").then_some(())).await;
    assert!(target.log().len() < 100_000, "{} bytes of log", target.log().len());
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

#[tokio::test]
async fn a_dead_mount_ends_a_start_or_a_command_with_a_sentence() {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("dead")).unwrap();
    fs::write(directory.path().join("config.yml"), "baseline: {quiet_days: [dead/holidays.ics]}").unwrap();
    fs::write(directory.path().join("hours.csv"), "local_time,pageviews\n2026-01-01T00:00,1\n").unwrap();
    let Some(mount) = DeadMount::over(&directory.path().join("dead")) else { return };
    let calendar = ["--config.file", "config.yml", "--web.listen-address", "127.0.0.1:0"];
    let check = [&calendar[..], &["--config.check"]].concat();
    let key = ["--google.credentials-file", "dead/key.json", "--web.listen-address", "127.0.0.1:0"];
    let encrypted = ["sync", "--database", "postgres://ga@127.0.0.1:1/ga?sslmode=verify-full"];
    let plain = ["sync", "--database", "postgres://ga@127.0.0.1:1/ga?sslmode=disable"];
    // The directory is well; what is in it is not.
    let linked = Some(("SSL_CERT_DIR", "certificates"));
    fs::create_dir(directory.path().join("certificates")).unwrap();
    symlink("../dead/roots.pem", directory.path().join("certificates/roots.pem")).unwrap();
    // All at once, since each waits for ten seconds.
    let started = [
        (&check[..], None),
        (&calendar, None),
        (&key, None),
        (&["--web.listen-address", "127.0.0.1:0"], Some(("SSL_CERT_FILE", "dead/roots.pem"))),
        (&["--web.listen-address", "127.0.0.1:0"], linked),
        (&["properties"], linked),
        (&encrypted, Some(("PGSSLROOTCERT", "dead/roots.pem"))),
        (&plain, Some(("PGPASSFILE", "dead/passwords"))),
        (&["--web.listen-address", "127.0.0.1:0", "--config.file", "dead/config.yml"], None),
        (&["backtest", "--history", "hours.csv", "--quiet-day", "dead/holidays.ics"], None),
    ]
    .map(|(arguments, variable)| {
        let mut command = program(directory.path());
        command.args(arguments).envs(variable);
        (arguments, command.stderr(Stdio::piped()).spawn().unwrap())
    });
    for (arguments, mut child) in started {
        let status = eventually("its end", async || child.try_wait().unwrap()).await;
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("the disk has not answered within"), "{arguments:?}: {said}");
    }
    drop(mount);
}

#[tokio::test]
async fn a_key_on_a_dead_mount_stops_nothing() {
    let google = simulator(3).await;
    let mut target = Target::start(&google, "").await;
    target.shows("google_analytics_realtime_pageviews", |_| true).await;
    if !target.hang("keys") {
        return;
    }
    google.revoke_tokens();
    let seen = google.requests().len();
    // It signs in again with the key that it has, and polls.
    google
        .wait_for(|request| {
            usize::try_from(request.number).unwrap() > seen + 3
                && request.status == Some(200)
                && request.method == Some(Method::RunRealtimeReport)
        })
        .await;
    eventually("a word on the key", async || target.log().contains("cannot check the key file").then_some(())).await;
    target.recover();
    eventually("all is well", async || target.log().contains("the key file can be read again").then_some(())).await;
    assert_eq!(target.stopped().await.code(), Some(0));
}

#[tokio::test]
async fn a_stop_that_hangs_is_cut_off_by_itself_or_by_a_second_signal() {
    for signals in [1, 2] {
        let google = simulator(3).await;
        let mut target = Target::start(&google, "").await;
        target.shows("google_analytics_realtime_pageviews", |_| true).await;
        if !target.hang("states") {
            return;
        }
        for _ in 0..signals {
            target.signal("TERM");
            eventually("a word", async || target.log().contains("received SIGTERM").then_some(())).await;
        }
        assert_eq!(target.ended().await.code(), Some(1));
        let log = target.log();
        assert!(
            log.contains("failed to save all states before the deadline") || log.contains("stopping was cut off"),
            "{log}"
        );
        assert_eq!(log.contains("by a second signal"), signals == 2, "{log}");
    }
}

#[tokio::test]
async fn a_stop_saves_the_states_of_all_properties() {
    let google = simulator(1200).await;
    let config = "{reports: {traffic: {enabled: false}}, baseline: {enabled: false}}";
    saves_all_states(Target::start(&google, config).await, &google).await;
}

#[tokio::test]
#[ignore = "`make e2e` runs it: it needs strace"]
async fn a_stop_on_a_slow_disk_saves_the_states_of_all_properties() {
    let google = simulator(1200).await;
    let config = "{reports: {traffic: {enabled: false}}, baseline: {enabled: false}}";
    saves_all_states(Target::start_on_slow_disk(&google, config, 20_000).await, &google).await;
}

async fn saves_all_states(mut target: Target, google: &Simulator) {
    google.wait_for_many(1200, |request| request.method == Some(Method::RunRealtimeReport)).await;
    let spent = "google_analytics_quota_tokens_spent_total{property_id=\"2200\"";
    target.shows(spent, |tokens| tokens > 0.0).await;
    target.signal("TERM");
    assert_eq!(target.ended().await.code(), Some(0));
    let states = target.directory.path().join("states");
    let closed = fs::read_to_string(states.join("closed")).unwrap();
    for property in 1001..=2200 {
        assert!(states.join(format!("{property}.state")).exists(), "{property}");
        // Its counters go on where they were.
        assert!(closed.contains(&property.to_string()), "{property}");
    }
}
