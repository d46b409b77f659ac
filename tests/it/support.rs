//! A simulator and an exporter in this process, and what the tests ask of them.

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use ga4_exporter_core::shard::Shard;
use ga4_simulator::{Account, Fault, Method, Property, Request, Simulator, World};
use google_analytics_exporter::{
    auth::{credentials::Environment, metadata::Platform},
    clock::Clock,
    ga::Endpoints,
    http::{Base, Limits, TelemetryPath},
    reload::ConfigSource,
    serve::{self, Listen, Options},
    telemetry::Lines,
    transport::{Deadlines, Roots},
};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinSet};

/// The property that most tests look at; 10:00 in Berlin when the tests begin.
pub(crate) const SHOP: &str = "313110001";

/// Another one, which must not notice what happens to the first.
pub(crate) const NEWS: &str = "313110002";

/// When the clock of a test starts, unless it says otherwise.
pub(crate) const START: &str = "2026-11-23T09:00:00Z";

/// A running pair; dropping it ends both.
pub(crate) struct Pair {
    pub(crate) simulator: Simulator,
    pub(crate) clock: Clock,
    pub(crate) directory: TempDir,
    address: String,
    client: reqwest::Client,
    stop: oneshot::Sender<()>,
    tasks: JoinSet<()>,
}

/// How the exporter of a pair is set up.
pub(crate) struct Setup {
    pub(crate) world: World,
    pub(crate) start: Timestamp,
    /// YAML of a configuration file, or none.
    pub(crate) config: Option<String>,
    pub(crate) properties: Vec<&'static str>,
    pub(crate) deadlines: Deadlines,
    pub(crate) lifecycle: bool,
    /// What to sign in with; the simulator's service account unless said otherwise.
    pub(crate) credentials: Credentials,
    /// What goes wrong from the very first request on.
    pub(crate) faults: Vec<Fault>,
    /// Where it is kept what a restart should not forget.
    pub(crate) storage: Option<PathBuf>,
    /// Which share of the properties is exported.
    pub(crate) shard: Shard,
}

pub(crate) enum Credentials {
    ServiceAccount,
    AuthorizedUser,
    MetadataServer,
}

impl Setup {
    /// Two properties, discovered, each report polled every second.
    pub(crate) fn new() -> Self {
        Self::of(world())
    }

    pub(crate) fn of(world: World) -> Self {
        Self {
            world,
            start: START.parse().unwrap(),
            config: Some(EVERY_SECOND.to_owned()),
            properties: Vec::new(),
            deadlines: Deadlines::default(),
            lifecycle: false,
            credentials: Credentials::ServiceAccount,
            faults: Vec::new(),
            storage: None,
            shard: Shard::default(),
        }
    }

    pub(crate) fn starting_at(mut self, start: &str) -> Self {
        self.start = start.parse().unwrap();
        self
    }

    pub(crate) fn config(mut self, yaml: &str) -> Self {
        self.config = Some(yaml.to_owned());
        self
    }

    pub(crate) fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Starts the pair; the exporter has bound its socket and nothing more.
    pub(crate) async fn start(self) -> Pair {
        let clock = Clock::starting_at(self.start);
        let time = clock.clone();
        let simulator = Simulator::on_loopback(self.world, move || time.now()).await.unwrap();
        for fault in self.faults {
            simulator.inject(fault);
        }
        let directory = TempDir::new().unwrap();
        let file = |name: &str, text: &str| -> PathBuf {
            let path = directory.path().join(name);
            fs::write(&path, text).unwrap();
            path
        };
        let credentials_file = match self.credentials {
            Credentials::ServiceAccount => Some(file("key.json", &simulator.key_file_json())),
            Credentials::AuthorizedUser => Some(file("user.json", &simulator.authorized_user_json())),
            Credentials::MetadataServer => None,
        };
        let source = ConfigSource {
            file: self.config.map(|yaml| file("config.yml", &yaml)),
            properties: self.properties.iter().map(|id| id.parse().unwrap()).collect(),
            credentials_file,
        };
        let host = simulator.base_url().trim_start_matches("http://").to_owned();
        let url: reqwest::Url = simulator.base_url().parse().unwrap();
        let options = Options {
            config: source.load().unwrap().config,
            source,
            endpoints: Endpoints { data: url.clone(), admin: url },
            shard: self.shard,
            listen: Listen::On(vec!["127.0.0.1:0".parse().unwrap()]),
            base: Base::default(),
            telemetry_path: TelemetryPath::default(),
            lifecycle: self.lifecycle,
            limits: Limits { reuse_changed: Duration::ZERO, ..Limits::default() }, // a scrape sees every change
            environment: Environment {
                home: Some(directory.path().to_owned()),
                platform: Platform { metadata_host: Some(host), ..Platform::default() },
                ..Environment::default()
            },
            roots: Roots::Nobody,
            deadlines: self.deadlines,
            storage: self.storage,
            connections: 1_000,
            log: Lines::default(),
            clock: clock.clone(),
        };
        let server = serve::start(options).await.unwrap();
        let address = server.addresses()[0].to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            server.run(async move { drop(stopped.await) }).await.unwrap();
        });
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        Pair { simulator, clock, directory, address, client, stop, tasks }
    }
}

impl Pair {
    /// Ends the exporter without a chance to say goodbye.
    pub(crate) async fn kill(mut self) {
        self.tasks.shutdown().await;
    }

    /// Ends both, the exporter as a signal does.
    pub(crate) async fn stop(self) {
        drop(self.client);
        drop(self.stop);
        self.tasks.join_all().await;
        self.simulator.shutdown().await;
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let response = self.client.get(self.url(path)).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub(crate) async fn post(&self, path: &str) -> (u16, String) {
        let response = self.client.post(self.url(path)).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub(crate) async fn metrics(&self) -> Metrics {
        let (status, text) = self.get("/metrics").await;
        assert_eq!(status, 200, "/metrics always answers");
        Metrics::parse(&text)
    }

    /// The metrics as soon as they are as they should be.
    #[track_caller]
    pub(crate) fn until<'a>(
        &'a self,
        what: &'a str,
        wanted: impl Fn(&Metrics) -> bool + 'a,
    ) -> impl Future<Output = Metrics> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let mut last = Metrics::default();
            let wait = async {
                loop {
                    last = self.metrics().await;
                    if wanted(&last) {
                        return;
                    }
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
            };
            let in_time = tokio::time::timeout(DEADLINE, wait).await.is_ok();
            assert!(in_time, "{caller}: {what} did not come about; last seen:\n{}", last.of_properties());
            last
        }
    }

    /// Waits until both reports of all these properties are there.
    pub(crate) async fn all_up(&self, properties: &[&str]) -> Metrics {
        let up = |metrics: &Metrics, id: &&str| REPORTS.iter().all(|report| metrics.is_up(id, report));
        self.until("all reports up", |metrics| properties.iter().all(|id| up(metrics, id))).await
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// How many requests of this method have come for this property.
    pub(crate) fn count(&self, method: Method, property: &str) -> usize {
        self.requests(method, property).len()
    }

    pub(crate) fn requests(&self, method: Method, property: &str) -> Vec<Request> {
        let wanted = |request: &Request| {
            request.method == Some(method) && (property.is_empty() || request.property.as_deref() == Some(property))
        };
        self.simulator.requests().into_iter().filter(wanted).collect()
    }

    /// Waits until this many such requests have come.
    pub(crate) async fn wait_for_many(&self, count: usize, wanted: impl Fn(&Request) -> bool) {
        let arrived = tokio::time::timeout(DEADLINE, self.simulator.wait_for_many(count, wanted)).await;
        assert!(arrived.is_ok(), "fewer than {count} such requests");
    }

    /// Waits for one request more of this method and property than have come so far.
    pub(crate) async fn next_request(&self, method: Method, property: &str) -> Request {
        let seen = self.simulator.requests().last().map_or(0, |request| request.number);
        let wanted = |request: &Request| {
            request.number > seen
                && request.method == Some(method)
                && (property.is_empty() || request.property.as_deref() == Some(property))
        };
        let request = tokio::time::timeout(DEADLINE, self.simulator.wait_for(wanted)).await;
        request.unwrap_or_else(|_| panic!("no further {method:?} for {property}")).unwrap()
    }
}

/// The samples of a scrape, by name and labels as written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics(pub(crate) BTreeMap<String, f64>);

impl Metrics {
    pub(crate) fn parse(text: &str) -> Self {
        let sample = |line: &str| {
            let (series, value) = line.rsplit_once(' ').expect("a sample has a value");
            (series.to_owned(), value.parse().expect("a value is a number"))
        };
        let samples: Vec<(String, f64)> = text.lines().filter(|line| !line.starts_with('#')).map(sample).collect();
        let count = samples.len();
        let metrics = Self(samples.into_iter().collect());
        assert_eq!(metrics.0.len(), count, "no series stands twice");
        metrics
    }

    /// A sample of one property: `end` is the name without the prefix, `labels` what follows the property's id.
    pub(crate) fn of(&self, property: &str, end: &str, labels: &str) -> Option<f64> {
        let comma = if labels.is_empty() { "" } else { "," };
        self.0.get(&format!("google_analytics_{end}{{property_id=\"{property}\"{comma}{labels}}}")).copied()
    }

    pub(crate) fn own(&self, end: &str) -> Option<f64> {
        self.0.get(&format!("google_analytics_exporter_{end}")).copied()
    }

    pub(crate) fn is_up(&self, property: &str, report: &str) -> bool {
        self.of(property, "report_up", &format!("report=\"{report}\"")) == Some(1.0)
    }

    pub(crate) fn fails_with(&self, property: &str, report: &str, reason: &str) -> bool {
        let labels = format!("report=\"{report}\",reason=\"{reason}\"");
        self.of(property, "report_failure", &labels) == Some(1.0) && !self.is_up(property, report)
    }

    /// Whether there is any series of this property and family.
    pub(crate) fn has(&self, property: &str, end: &str) -> bool {
        let beginning = format!("google_analytics_{end}{{property_id=\"{property}\"");
        self.0.keys().any(|series| series.starts_with(&beginning))
    }

    fn of_properties(&self) -> String {
        let lines =
            self.0.iter().filter(|(series, _)| !series.contains("_exporter_") && !series.starts_with("process_"));
        lines.map(|(series, value)| format!("{series} {value}\n")).collect()
    }
}

/// Two properties of some size.
pub(crate) fn world() -> World {
    let shop = Property::new(SHOP, "Shop").time_zone("Europe/Berlin").currency("EUR").pageviews_per_hour(2_400.0);
    let news = Property::new(NEWS, "News").time_zone("Asia/Kolkata").currency("INR").pageviews_per_hour(9_000.0);
    World::new(7).account(Account::new("104112001", "Example").property(shop).property(news))
}

pub(crate) const REPORTS: [&str; 2] = ["realtime", "traffic"];

pub(crate) const EVERY_SECOND: &str = "
discovery: {enabled: true}
quota: {share: 100%}
reports:
  realtime: {interval: 1s}
  traffic: {interval: 1s}
baseline: {enabled: false}
";

/// Nothing that a test waits for takes as long.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// From one look at the metrics to the next.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
