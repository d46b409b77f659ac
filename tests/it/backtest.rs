//! The command `backtest`: what it prints and draws, where its history comes from, and what it says of wrong input.

use std::{
    fs,
    process::{Command, Output},
};

use clap::Parser;
use ga4_simulator::{Account, Effect, Fault, Method, Property, Simulator, World};
use google_analytics_exporter::{
    auth::credentials::Environment,
    cli::{self, Cli},
    clock::Clock,
    commands::{self, google::Surroundings},
    transport::Roots,
};
use jiff::{SignedDuration, Timestamp, civil::date};
use tempfile::TempDir;

use crate::baseline;

fn run(directory: &TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_google_analytics_exporter"));
    command.current_dir(directory.path()).arg("backtest").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Five weeks up to 2026-01-04; on its last Friday nothing from 12:00 to 13:00.
fn with_an_outage() -> TempDir {
    let directory = TempDir::new().unwrap();
    let text = baseline::history(5);
    let hour = "2026-01-02T12:00";
    let line = text.lines().find(|line| line.starts_with(hour)).unwrap();
    let text = text.replace(line, &format!("{hour},0"));
    fs::write(directory.path().join("history.csv"), text).unwrap();
    directory
}

#[test]
fn an_outage_is_told_and_drawn() {
    let directory = with_an_outage();
    let arguments = ["--history", "history.csv", "--from", "2026-01-02", "--svg", "picture.svg", "--to", "2026-01-03"];
    let run = run(&directory, &arguments);
    assert!(run.status.success(), "{run:?}");
    assert_eq!(text(&run.stderr), "", "no progress bar where there is no terminal");
    insta::assert_snapshot!(text(&run.stdout));
    let picture = fs::read_to_string(directory.path().join("picture.svg")).unwrap();
    assert!(picture.starts_with("<svg ") && picture.trim_end().ends_with("</svg>"), "{picture}");
    for words in ["<title>", "Mon 29 Dec 2025", "Sun 4 Jan", "somebody is paged"] {
        assert!(picture.contains(words), "{words} is missing");
    }
    assert_eq!(picture.matches("#D55E00").count(), 3, "one in the legend, a span and its edge");
}

#[test]
fn minutes_are_taken_instead_of_hours() {
    let directory = with_an_outage();
    let mut minutes = "time,pageviews\n".to_owned();
    let start = date(2026, 1, 2).at(0, 0, 0, 0);
    // By them there was no outage.
    for minute in 0..1440 {
        let time = start + SignedDuration::from_mins(minute);
        minutes.push_str(&format!("{},5\n", time.strftime("%Y-%m-%dT%H:%M")));
    }
    fs::write(directory.path().join("minutes.csv"), &minutes).unwrap();
    let ended = run(&directory, &["--history", "history.csv", "--realtime", "minutes.csv"]);
    assert!(ended.status.success(), "{ended:?}");
    let told = text(&ended.stdout);
    assert!(told.starts_with("Replayed 1.0 days, Fri 2026-01-02 to Fri 2026-01-02, "), "{told}");
    assert!(told.contains("\nIt would not have paged.\n") && !told.contains("made up"), "{told}");
}

#[test]
fn a_quiet_day_may_be_told_by_a_calendar() {
    let directory = with_an_outage();
    let calendar = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20260102\nEND:VEVENT\nEND:VCALENDAR\n";
    fs::write(directory.path().join("days.ics"), calendar).unwrap();
    let told = |quiet_day: &[&str]| {
        let dates = ["--history", "history.csv", "--from", "2026-01-02", "--to", "2026-01-03"];
        let run = run(&directory, &[&dates[..], quiet_day].concat());
        assert!(run.status.success(), "{run:?}");
        text(&run.stdout).to_owned()
    };
    let by_date = told(&["--quiet-day", "2026-01-02"]);
    assert_eq!(told(&["--quiet-day", "days.ics"]), by_date);
    assert_ne!(told(&[]), by_date);
}

#[test]
fn wrong_input_is_refused_with_what_is_right() {
    let directory = with_an_outage();
    fs::write(directory.path().join("short.csv"), baseline::history(2)).unwrap();
    fs::write(directory.path().join("empty.ics"), "").unwrap();
    let mistyped = baseline::history(5) + "2062-01-01T00:00,5\n";
    fs::write(directory.path().join("mistyped.csv"), mistyped).unwrap();
    let ended = run(&directory, &["--history", "none.csv", "--from", "9062-01-01"]);
    assert!(text(&ended.stderr).contains("--from 9062-01-01 lies in the future"), "{ended:?}");
    for (arguments, code, message) in [
        (
            &["--history", "none.csv"][..],
            64,
            "error: none.csv cannot be read: No such file or directory (os error 2)\n",
        ),
        (
            &["--history", "history.csv", "--realtime", "history.csv"],
            64,
            "error: history.csv: line 1: the header must be `time,pageviews`, not `local_time,pageviews`\n",
        ),
        (
            &["--history", "mistyped.csv"],
            64,
            "error: the history covers 2025-12-16 to 2062-01-01; check the years of its first and last lines\n",
        ),
        (
            &["--history", "none.csv", "--from", "2026-02-01", "--to", "2026-01-01"],
            64,
            "error: --from 2026-02-01 is later than --to 2026-01-01; exchange them, or check the year\n",
        ),
        (
            &["--history", "short.csv"],
            1,
            "error: nothing can be replayed: a day needs two weeks with traffic before it, which end a day earlier\n",
        ),
        (
            &["--history", "history.csv", "--from", "2026-02-01"],
            1,
            "error: none of these days can be replayed; choose days from 2025-12-16 to 2026-01-04\n",
        ),
        (
            &["--history", "history.csv", "--quiet-day", "none.ics"],
            64,
            "error: cannot read the calendar `none.ics` (No such file or directory (os error 2)); give the path of a \
             readable file, relative to the working directory\n",
        ),
        (
            &["--history", "history.csv", "--quiet-day", "empty.ics"],
            64,
            "error: calendar `empty.ics`, line 1: this is not an iCalendar file, which begins with `BEGIN:VCALENDAR`; give \
             a file that was exported from a calendar\n",
        ),
        (
            &["--history", "history.csv", "--from", "2026-01-04", "--svg", "no/picture.svg"],
            64,
            "error: no/picture.svg cannot be written: No such file or directory (os error 2)\n",
        ),
    ] {
        let run = run(&directory, arguments);
        assert_eq!((run.status.code(), text(&run.stderr), text(&run.stdout)), (Some(code), message, ""));
    }
}

/// A property that had no traffic on 2026-11-13 from 12:00 to 16:00 UTC, seen ten days later.
async fn simulator() -> (Simulator, Surroundings) {
    let clock = Clock::starting_at("2026-11-23T09:00:00Z".parse().unwrap());
    let at = |text: &str| -> Timestamp { text.parse().unwrap() };
    let shop = Property::new("313110001", "Shop")
        .time_zone("Europe/Berlin")
        .pageviews_per_hour(2_400.0)
        .outage(at("2026-11-13T12:00:00Z"), at("2026-11-13T16:00:00Z"));
    let world = World::new(7).account(Account::new("104112001", "Example").property(shop));
    let time = clock.clone();
    let simulator = Simulator::on_loopback(world, move || time.now()).await.unwrap();
    (simulator, Surroundings { environment: Environment::default(), roots: Roots::Nobody, clock })
}

async fn of_property(id: &str) -> Result<String, commands::CommandError> {
    of_property_with(id, None).await
}

/// The same where Google answers otherwise.
async fn of_property_with(id: &str, fault: Option<Fault>) -> Result<String, commands::CommandError> {
    let (simulator, surroundings) = simulator().await;
    if let Some(fault) = fault {
        simulator.inject(fault);
    }
    let directory = TempDir::new().unwrap();
    let key = directory.path().join("key.json");
    fs::write(&key, simulator.key_file_json()).unwrap();
    let (url, key) = (simulator.base_url(), key.to_str().unwrap());
    let arguments = ["x", "backtest", "--property", id, "--weeks", "5", "--from", "2026-11-13", "--to", "2026-11-13"];
    let google = ["--google.data-api-url", url, "--google.admin-api-url", url, "--google.credentials-file", key];
    let cli = Cli::try_parse_from(arguments.into_iter().chain(google)).unwrap();
    let Some(cli::Command::Backtest(flags)) = cli.command else { panic!("another command") };
    let mut out = Vec::new();
    let result = commands::backtest::run(&flags, &surroundings, &mut out).await;
    simulator.shutdown().await;
    result.map(|()| text(&out).to_owned())
}

#[tokio::test]
async fn the_history_of_a_property_is_asked_of_google() {
    let told = of_property("313110001").await.unwrap();
    let page = told.lines().find(|line| line.starts_with("Fri 2026-11-13 1")).unwrap();
    // 12:00 UTC is 13:00 in Berlin.
    assert!(page.starts_with("Fri 2026-11-13 13:") || page.starts_with("Fri 2026-11-13 12:5"), "{told}");
    assert!(page.contains(" 100 % "), "{told}");
}

#[tokio::test]
async fn a_property_without_a_past_is_no_failure_of_googles() {
    let other = r#""dimensionHeaders": [{"name": "dateHour"}], "metricHeaders": [{"name": "screenPageViews"}],
        "rows": [{"dimensionValues": [{"value": "(other)"}], "metricValues": [{"value": "1"}]}], "rowCount": 1,"#;
    for rest in [r#""metadata": {"timeZone": "Europe/Berlin"},"#, r#""metadata": {},"#, "", other] {
        let body = format!(r#"{{{rest} "kind": "analyticsData#runReport"}}"#);
        let fault = Fault::new(Effect::Raw(200, body)).on(Method::RunReport);
        let error = of_property_with("313110001", Some(fault)).await.unwrap_err().to_string();
        assert!(error.starts_with("nothing can be replayed: "), "{rest}: {error}");
    }
}

#[tokio::test]
async fn what_google_refuses_is_told_with_what_to_do() {
    let error = of_property("313110009").await.unwrap_err().to_string();
    assert!(error.starts_with("property 313110009: "), "{error}");
    assert!(error.contains(" as Viewer of property 313110009"), "{error}");
}

#[test]
fn the_numbers_of_the_alert_are_those_of_the_shipped_rules() {
    let rules = include_str!("../../deploy/prometheus/rules/google_analytics_traffic.yml");
    let (_, alert) = rules.split_once("- alert: GoogleAnalyticsTrafficDrop\n").unwrap();
    let of = |key: &str| alert.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap().trim().to_owned();
    let (wait, keep) = (ga4_drop_baseline::backtest::alert::FOR, ga4_drop_baseline::backtest::alert::KEEP_FIRING_FOR);
    assert_eq!((of("for:"), of("keep_firing_for:")), (format!("{wait}m"), format!("{keep}m")));
    // The condition is the verdict, which the backtest reads as well: no rule compares a window with its bound.
    let (condition, _) = rules.split_once("- alert: GoogleAnalyticsTrafficDrop\n").unwrap();
    let families = ["google_analytics_monitor_dropping", "google_analytics_monitor_drop_ratio"];
    assert!(families.iter().all(|family| condition.contains(family)) && !condition.contains("expected_low"));
}
