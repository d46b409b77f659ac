//! A simulator and an exporter with the settings of production, in a time that passes only on demand.

use std::{fs, path::PathBuf, time::Duration};

use ga4_exporter_core::shard::Shard;
use ga4_simulator::{Account, Property, Request, Simulator, World};
use google_analytics_exporter::{
    auth::credentials::Environment,
    ga::Endpoints,
    http::{Base, Limits, TelemetryPath},
    reload::ConfigSource,
    serve::{self, Listen, Options},
    telemetry::Lines,
    transport::{Deadlines, Roots},
};
use reqwest::Url;
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinSet};

use crate::{
    front::{Front, Manner},
    row::{NEWS, Place, SHOP, Setting, Way},
    scrape::Scrape,
    time::Time,
};

/// A running pair; dropping it ends both.
pub(crate) struct Rig {
    pub(crate) simulator: Simulator,
    pub(crate) front: Option<Front>,
    pub(crate) time: Time,
    pub(crate) directory: TempDir,
    address: String,
    client: reqwest::Client,
    _stop: oneshot::Sender<()>,
    _tasks: JoinSet<()>,
}

impl Rig {
    /// Starts both. The runtime has one thread and is paused.
    pub(crate) async fn start(setting: &Setting) -> Self {
        let time = Time::starting_at(setting.start.parse().unwrap());
        let google = time.google.clone();
        let simulator = Simulator::on_loopback(world(setting.accounts), move || google.now()).await.unwrap();
        let front = match setting.way {
            Way::Straight | Way::NoName => None,
            Way::Front => Some(Front::open(simulator.address(), Manner::Plain).await),
            Way::Tls => Some(Front::open(simulator.address(), Manner::Tls).await),
        };
        let directory = TempDir::new().unwrap();
        let file = |name: &str, text: &str| -> PathBuf {
            let path = directory.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let source = ConfigSource {
            file: Some(file("config.yml", setting.config)),
            properties: Vec::new(),
            credentials_file: Some(file("key.json", &simulator.key_file_json())),
        };
        let admin: Url = simulator.base_url().parse().unwrap();
        let options = Options {
            config: source.load().unwrap().config,
            source,
            endpoints: Endpoints { data: data_url(setting.way, front.as_ref(), &admin), admin },
            shard: Shard::default(),
            listen: Listen::On(vec!["127.0.0.1:0".parse().unwrap()]),
            base: Base::default(),
            telemetry_path: TelemetryPath::default(),
            lifecycle: true,
            limits: Limits { reuse_changed: Duration::ZERO, ..Limits::default() }, // a scrape sees every change
            environment: Environment { home: Some(directory.path().to_owned()), ..Environment::default() },
            roots: if setting.place == Place::OwnAuthority { Roots::System } else { Roots::Nobody },
            deadlines: Deadlines::default(),
            storage: setting.storage.then(|| directory.path().join("storage")),
            connections: 1_000,
            log: Lines::default(),
            clock: time.exporter.clone(),
        };
        let server = serve::start(options).await.unwrap();
        let address = server.addresses()[0].to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            server.run(async move { drop(stopped.await) }).await.unwrap();
        });
        let client = reqwest::Client::builder().no_proxy().no_gzip().tls_certs_only([]).build().unwrap();
        let rig = Self { simulator, front, time, directory, address, client, _stop: stop, _tasks: tasks };
        rig.time.settle().await;
        rig
    }

    /// The address of the exporter.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) async fn scrape(&self) -> Scrape {
        let response = self.client.get(format!("http://{}/metrics", self.address)).send().await.unwrap();
        assert_eq!(response.status(), 200, "/metrics always answers");
        Scrape::parse(&response.text().await.unwrap())
    }

    /// Whether somebody who connects now is served.
    pub(crate) async fn fresh_client_is_served(&self) -> bool {
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let response = client.get(format!("http://{}/-/healthy", self.address)).send().await;
        response.is_ok_and(|response| response.status() == 200)
    }

    /// Reloads the configuration; the status of the answer.
    pub(crate) async fn reload(&self, yaml: &str) -> u16 {
        fs::write(self.directory.path().join("config.yml"), yaml).unwrap();
        let response = self.client.post(format!("http://{}/-/reload", self.address)).send().await.unwrap();
        response.status().as_u16()
    }

    /// The requests so far that are such ones.
    pub(crate) async fn requests(&self, wanted: impl Fn(&Request) -> bool) -> Vec<Request> {
        self.simulator.wait_for_many(0, wanted).await
    }
}

/// The property that is in trouble.
pub(crate) fn shop() -> Property {
    Property::new(SHOP, "Shop").time_zone("Europe/Berlin").pageviews_per_hour(2_400.0)
}

/// Two properties, and this many accounts without any between them in the listing.
fn world(accounts: usize) -> World {
    let news = Property::new(NEWS, "News").time_zone("Asia/Kolkata").pageviews_per_hour(9_000.0);
    let mut world = World::new(7).log_length(100_000).account(Account::new("104112001", "News").property(news));
    for index in 0..accounts {
        world = world.account(Account::new((200_000_000 + index).to_string(), "Empty"));
    }
    world.account(Account::new("304112001", "Shop").property(shop()))
}

fn data_url(way: Way, front: Option<&Front>, straight: &Url) -> Url {
    let url = match (way, front) {
        (Way::Front, Some(front)) => format!("http://{}", front.address),
        (Way::Tls, Some(front)) => format!("https://{}", front.address),
        // A part of a name has 63 characters at most, so that no resolver need be asked; `localhost`, so that no proxy is.
        (Way::NoName, _) => format!("http://{}.localhost", "x".repeat(64)),
        (Way::Straight | Way::Front | Way::Tls, _) => return straight.clone(),
    };
    url.parse().unwrap()
}
