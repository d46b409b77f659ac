//! What the exporter makes of each answer that Google was recorded to give, as docs/RECORDINGS.md lists it.
//!
//! `RECORDINGS_RENEW=1 cargo test --test it recordings` writes the list.

use std::{env, fs};

use ga4_simulator::{Fault, Method, Recording};
use regex::Regex;
use tokio::task::JoinSet;

use crate::support::{Credentials, Metrics, Pair, SHOP, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_lists_what_becomes_of_every_recorded_answer() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/RECORDINGS.md");
    let text = fs::read_to_string(path).unwrap();
    let begin = text.find(HEAD).expect("docs/RECORDINGS.md has the list's head");
    let length = text[begin..].find("\n\n").map_or(text.len() - begin, |end| end + 1);
    let documented = &text[begin..begin + length];
    let table = format!("{HEAD}{}", rows().await.concat());
    if env::var_os("RECORDINGS_RENEW").is_some() {
        fs::write(path, text.replacen(documented, &table, 1)).unwrap();
        return;
    }
    for (documented, seen) in documented.lines().zip(table.lines()) {
        assert_eq!(documented, seen, "RECORDINGS_RENEW=1 puts docs/RECORDINGS.md right");
    }
    assert_eq!(documented.lines().count(), table.lines().count());
}

/// A row for each recording, in the order of their names.
async fn rows() -> Vec<String> {
    let mut recordings: Vec<Recording> = Recording::all().collect();
    recordings.sort_by_key(|recording| recording.name());
    let mut waiting = recordings.into_iter();
    let mut running = JoinSet::new();
    let mut rows = Vec::new();
    loop {
        while running.len() < AT_ONCE
            && let Some(recording) = waiting.next()
        {
            running.spawn(row(recording));
        }
        match running.join_next().await {
            Some(row) => rows.push(row.unwrap()),
            None => break,
        }
    }
    rows.sort();
    rows
}

async fn row(recording: Recording) -> String {
    let is = |methods: &[Method]| methods.contains(&recording.method());
    let cells = if is(&[Method::RunReport, Method::RunRealtimeReport]) {
        of_a_report(recording).await
    } else if is(&[Method::AccountSummaries, Method::GetProperty]) {
        of_a_listing(recording).await
    } else if is(&[Method::Token, Method::MetadataServer]) {
        of_sign_in(recording).await
    } else {
        ["never asked for".to_owned(), String::new(), String::new()]
    };
    format!(
        "| {} | {} | {} | {} |\n",
        recording.name(),
        recording.method().name(),
        recording.status(),
        cells.join(" | ")
    )
}

/// A report that gets the answer from its first request on.
async fn of_a_report(recording: Recording) -> [String; 3] {
    let is_realtime = recording.method() == Method::RunRealtimeReport;
    let report = match (is_realtime, recording.name().starts_with("history")) {
        (true, _) => "realtime",
        (false, true) => "baseline",
        (false, false) => "traffic",
    };
    let pair = Setup::new().config(WITH_HISTORY).fault(Fault::from(recording).property(SHOP)).start().await;
    let attempted = format!("report=\"{report}\"");
    let metrics = pair
        .until(recording.name(), |metrics| {
            metrics.of(SHOP, "report_last_attempt_timestamp_seconds", &attempted).is_some()
        })
        .await;
    let value = if is_realtime { "realtime_pageviews" } else { "today_pageviews" };
    let values = match (report, metrics.of(SHOP, value, "")) {
        ("baseline", _) => "no drop detection yet",
        (_, None) => "no values",
        (_, Some(0.0)) => "zero",
        (_, Some(_)) => "values",
    };
    let outcome = reason(&metrics, report).map_or_else(|| "up".to_owned(), |reason| format!("`{reason}`"));
    let closed = closed(&metrics, pair.clock.now().as_duration().as_secs_f64());
    let remedy = if outcome == "up" { String::new() } else { remedy(&pair).await };
    [format!("{outcome}{closed}"), values.to_owned(), remedy]
}

/// A listing that gets the answer from its first request on.
async fn of_a_listing(recording: Recording) -> [String; 3] {
    let mut setup = Setup::new().fault(Fault::from(recording));
    if recording.method() == Method::GetProperty {
        setup.config = Some(format!("properties: [{SHOP}]"));
    }
    let pair = setup.start().await;
    let asked = |metrics: &Metrics| {
        let answered = if recording.method() == Method::GetProperty { "getProperty" } else { "accountSummaries" };
        metrics.own(&format!("api_requests_total{{api=\"admin\",method=\"{answered}\"}}")) >= Some(1.0)
    };
    let metrics = pair.until(recording.name(), asked).await;
    let outcome = failed(&metrics, "api_request_failures_total{api=\"admin\",reason=\"");
    let properties = metrics.own("properties").unwrap_or_default();
    [outcome, format!("properties: {properties}"), remedy(&pair).await]
}

/// Signing in that gets the answer from its first request on.
async fn of_sign_in(recording: Recording) -> [String; 3] {
    let is_machine = recording.method() == Method::MetadataServer;
    let credentials = if is_machine { Credentials::MetadataServer } else { Credentials::ServiceAccount };
    let config = format!("properties: [{SHOP}]");
    let setup = Setup { credentials, ..Setup::new().config(&config) }.fault(Fault::from(recording));
    let pair = setup.start().await;
    let metrics = pair
        .until(recording.name(), |metrics| {
            let failures = metrics.0.iter().filter(|(series, _)| series.contains("token_refresh_failures_total"));
            metrics.own("token_refreshes_total") >= Some(1.0) || failures.map(|(_, count)| count).sum::<f64>() >= 1.0
        })
        .await;
    let outcome = failed(&metrics, "token_refresh_failures_total{reason=\"");
    let has_token = metrics.own("token_refreshes_total") >= Some(1.0);
    let values = if has_token { "a token" } else { "no token" };
    if has_token {
        return [outcome, values.to_owned(), String::new()];
    }
    pair.until(recording.name(), |metrics| metrics.has(SHOP, "report_failure")).await;
    let remedy = remedy(&pair).await;
    [outcome, values.to_owned(), remedy]
}

/// The present reason of a report that fails.
fn reason(metrics: &Metrics, report: &str) -> Option<String> {
    let beginning = format!("google_analytics_report_failure{{property_id=\"{SHOP}\",report=\"{report}\",reason=\"");
    metrics.0.keys().find_map(|series| series.strip_prefix(&beginning)?.strip_suffix("\"}").map(str::to_owned))
}

/// The reason of a counter that counts.
fn failed(metrics: &Metrics, counter: &str) -> String {
    let beginning = format!("google_analytics_exporter_{counter}");
    let counting = metrics.0.iter().filter(|(_, count)| **count > 0.0);
    let mut reasons = counting.filter_map(|(series, _)| series.strip_prefix(&beginning)?.strip_suffix("\"}"));
    reasons.next().map_or_else(|| "accepted".to_owned(), |reason| format!("`{reason}`"))
}

/// The buckets of the property that are closed, and for how long.
fn closed(metrics: &Metrics, now: f64) -> String {
    let beginning = format!("google_analytics_quota_closed_until_timestamp_seconds{{property_id=\"{SHOP}\"");
    let closed = metrics.0.iter().filter(|(series, _)| series.starts_with(&beginning));
    let closed = closed.map(|(series, until)| {
        let bucket = series.rsplit("bucket=\"").next().unwrap_or_default().trim_end_matches("\"}");
        let seconds = until - now;
        if seconds < 120.0 {
            format!("; bucket `{bucket}` closed for {:.0} s", 5.0 * (seconds / 5.0).round())
        } else {
            format!("; bucket `{bucket}` closed for {:.0} min", seconds / 60.0)
        }
    });
    closed.collect()
}

/// What the status page says is to be done.
async fn remedy(pair: &Pair) -> String {
    let (_, page) = pair.get("/").await;
    let found =
        Regex::new(r"<p>(?:To do: |There is )(.*?)\.</p>").unwrap().captures(&page).map(|found| found[1].to_owned());
    let text = found.unwrap_or_default();
    Regex::new("<[^>]*>")
        .unwrap()
        .replace_all(&text, "")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
        .replace("&gt;", ">")
        .replace("&lt;", "<")
}

/// They wait more than they work.
const AT_ONCE: usize = 8;

const WITH_HISTORY: &str = "
discovery: {enabled: true}
quota: {share: 100%}
reports:
  realtime: {interval: 1s}
  traffic: {interval: 1s}
";

const HEAD: &str = "\
| recorded answer | to | status | outcome | values | to do |
|---|---|---|---|---|---|
";
