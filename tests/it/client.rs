//! The typed client by itself, where the exporter does not use all of it yet.

use std::{sync::Arc, time::Duration};

use ga4_simulator::Simulator;
use google_analytics_exporter::{
    auth::{
        credentials::{Credentials, Environment},
        refresher::Refresher,
    },
    clock::Clock,
    ga::{
        Client, Endpoints, Error,
        request::{BatchRunReportsRequest, DateRange, Name, RunReportRequest},
    },
    names::{Method, Reason, TokenReason},
    observer::Observer,
    transport::{Deadlines, Roots, Transport},
};
use jiff::Timestamp;
use tokio::task::JoinSet;

use crate::support::{SHOP, START, world};

/// Is told everything and keeps nothing.
struct Nobody;

impl Observer for Nobody {
    fn request(&self, _: Method, _: Duration, _: Option<Reason>) {}
    fn token_refreshed(&self, _: Timestamp) {}
    fn token_refresh_failed(&self, _: TokenReason) {}
    fn properties_listed(&self, _: bool, _: Timestamp) {}
}

#[tokio::test]
async fn the_quota_project_of_the_environment_counts_before_the_files() {
    let clock = Clock::starting_at(START.parse().unwrap());
    let time = clock.clone();
    let simulator = Simulator::on_loopback(world(), move || time.now()).await.unwrap();
    let mut file: serde_json::Value = serde_json::from_str(&simulator.authorized_user_json()).unwrap();
    file["quota_project_id"] = serde_json::json!("of-the-file");
    let path = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(path.path(), file.to_string()).unwrap();
    let transport = Transport::new(Roots::Nobody, Deadlines::default()).unwrap();
    for (variable, expected) in [(None, "of-the-file"), (Some("of-the-environment"), "of-the-environment")] {
        let environment = Environment { quota_project: variable.map(str::to_owned), ..Environment::default() };
        let credentials = Credentials::find(Some(path.path()), &environment, &transport).await.unwrap();
        let (refresher, tokens, _) = Refresher::new(credentials, transport.clone(), Arc::new(Nobody), clock.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(refresher.run());
        let token = tokens.token().await.unwrap();
        assert_eq!(token.quota_project.as_deref(), Some(expected));
    }
}

/// A client that signs in to this simulator; the tasks end when they are dropped.
fn client(simulator: &Simulator, clock: Clock) -> (Client, JoinSet<()>) {
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), simulator.key_file_json()).unwrap();
    let credentials = Credentials::from_file(key.path().to_owned()).unwrap();
    let transport = Transport::new(Roots::Nobody, Deadlines::default()).unwrap();
    let (refresher, tokens, _) = Refresher::new(credentials, transport.clone(), Arc::new(Nobody), clock);
    let mut tasks = JoinSet::new();
    tasks.spawn(refresher.run());
    let url: reqwest::Url = simulator.base_url().parse().unwrap();
    (Client::new(transport, tokens, Arc::new(Nobody), Endpoints { data: url.clone(), admin: url }), tasks)
}

fn pageviews_of(day: &str) -> RunReportRequest {
    RunReportRequest {
        dimensions: Vec::new(),
        metrics: vec![Name { name: "screenPageViews" }],
        date_ranges: vec![DateRange { start_date: day.to_owned(), end_date: day.to_owned(), name: "day" }],
        keep_empty_rows: false,
        return_property_quota: false,
    }
}

#[tokio::test]
async fn a_batch_has_an_answer_for_each_request_in_order() {
    let clock = Clock::starting_at(START.parse().unwrap());
    let time = clock.clone();
    let simulator = Simulator::on_loopback(world(), move || time.now()).await.unwrap();
    let (client, _tasks) = client(&simulator, clock);
    let days = ["2026-11-20", "2026-11-21"];
    let batch = BatchRunReportsRequest { requests: days.iter().copied().map(pageviews_of).collect() };
    let reports = client.batch_run_reports(SHOP.parse().unwrap(), &batch).await.unwrap();
    let truth = simulator.truth(SHOP).unwrap();
    let expected = days.map(|day| truth.days(day.parse().unwrap(), day.parse().unwrap(), simulator.now()).pageviews());
    let told: Vec<&str> = reports.iter().map(|report| report.rows[0].metric_values[0].value.as_str()).collect();
    assert_eq!(told, expected.map(|count| count.to_string()));
}

#[tokio::test]
async fn a_batch_with_a_mistake_is_refused_as_a_whole() {
    let clock = Clock::starting_at(START.parse().unwrap());
    let time = clock.clone();
    let simulator = Simulator::on_loopback(world(), move || time.now()).await.unwrap();
    let (client, _tasks) = client(&simulator, clock);
    let mut wrong = pageviews_of("2026-11-20");
    wrong.metrics = vec![Name { name: "pageViews" }];
    let batch = BatchRunReportsRequest { requests: vec![pageviews_of("2026-11-20"), wrong] };
    let error = client.batch_run_reports(SHOP.parse().unwrap(), &batch).await.unwrap_err();
    assert!(matches!(error, Error::InvalidRequest(_)), "{error}");
}
