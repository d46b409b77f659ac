//! The token by itself: which Cloud project its requests are counted on.

use std::{sync::Arc, time::Duration};

use ga4_exporter_core::names::{DropReason, Method, Reason, TokenReason};
use ga4_simulator::Simulator;
use google_analytics_exporter::{
    auth::{
        credentials::{Credentials, Environment},
        refresher::Refresher,
    },
    clock::Clock,
    files::Aside,
    observer::Observer,
    transport::{Deadlines, Roots, Transport},
};
use jiff::Timestamp;
use tokio::task::JoinSet;

use crate::support::{START, world};

/// An observer that keeps nothing.
struct Nobody;

impl Observer for Nobody {
    fn request(&self, _: Method, _: Duration, _: Option<Reason>) {}
    fn token_refreshed(&self, _: Timestamp) {}
    fn token_refresh_failed(&self, _: TokenReason) {}
    fn properties_listed(&self, _: bool, _: Timestamp) {}

    fn series_dropped(&self, _: DropReason, _: u64) {}
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
    let aside = Aside::start("test");
    for (variable, expected) in [(None, "of-the-file"), (Some("of-the-environment"), "of-the-environment")] {
        let environment = Environment { quota_project: variable.map(str::to_owned), ..Environment::default() };
        let credentials = Credentials::find(Some(path.path()), &environment, &transport, &aside).await.unwrap();
        let (refresher, tokens, _) = Refresher::new(credentials, transport.clone(), Arc::new(Nobody), clock.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(refresher.run());
        let token = tokens.token().await.unwrap();
        assert_eq!(token.quota_project.as_deref(), Some(expected));
    }
}
