//! Simulates Google's endpoints, for the demo and for tests over real sockets with real signatures.
//!
//! Speaks only HTTP and shares no type with the exporter, so that the same mistake cannot be made twice. One listener
//! on loopback serves sign-in (`POST /token`, a virtual machine's metadata server), the Data API v1beta (`runReport`,
//! `batchRunReports`, `runRealtimeReport`, `getMetadata`, `checkCompatibility`) and the Admin API v1beta
//! (`accountSummaries`, `properties.get`). It is as strict and as lax as Google: it checks signatures, times, scopes
//! and audiences; rejects unknown JSON fields, invalid dates and unknown dimensions and metrics with Google's
//! messages in Google's order; returns empty reports without rows, and mostly without headers; and has quota buckets
//! that can be exhausted.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use ga4_simulator::{Account, Effect, Fault, Method, Property, Simulator, World};
//!
//! let shop = Property::new("313110001", "Shop").time_zone("Europe/Berlin").pageviews_per_hour(1_000.0);
//! let world = World::new(1).account(Account::new("104112001", "Example").property(shop));
//! let now: jiff::Timestamp = "2026-07-01T12:00:00Z".parse()?;
//! let simulator = Simulator::on_loopback(world, move || now).await?;
//!
//! let url = simulator.base_url(); // --google.data-api-url, --google.admin-api-url
//! let key_file = simulator.key_file_json(); // its token_uri is the simulator's
//! assert!(key_file.contains(url));
//!
//! let truth = simulator.truth("313110001").ok_or("unknown property")?;
//! assert!(truth.days_ago(0, 0, now).pageviews() >= truth.minutes_ago(29, 0, now).pageviews());
//!
//! simulator.inject(Fault::new(Effect::Hang).on(Method::RunReport).property("313110001").once());
//! # let asked = async || {
//! simulator.wait_for(|request| request.method == Some(Method::RunReport)).await;
//! # };
//! simulator.shutdown().await;
//! # Ok(()) }
//! ```
//!
//! # Traffic
//! Deterministic: a function of the world's seed, the property and the time, and the same at every start. Counts per
//! minute add up exactly to hours, days and any window, by any dimension and with any filter. Users are estimated,
//! never additive, and at most the number of sessions. `today` counts up to now. Outages and campaigns start and end
//! on the second. Days of a [`Property::revised`] property change for 72 hours.
//!
//! # Faults
//! [`Fault`]s corrupt answers and connections, and play recorded answers of Google: [`Fault::play`] in Rust, and over
//! HTTP for other clients. [`Recording::all`] and `GET /simulator/faults` list the names.
//! ```text
//! curl -d '{"fault": "429-client-errors", "property": "313110001", "times": 3}' http://127.0.0.1:PORT/simulator/faults
//! ```
//! `property`, `method` (`runReport`, `runRealtimeReport`, `batchRunReports`, `accountSummaries`, `property`,
//! `token`, `metadata`, …) and `times` are optional; `DELETE /simulator/faults` ends all faults.
//!
//! # Where it differs from Google
//! * All standard fields are supported. Data that the simulated sites do not have is `(not set)` or 0. Incompatible
//!   fields are rejected by pairs; Google has exceptions that no pair shows.
//! * Purchases are the only events that carry custom metrics; a further key event ([`Property::key_event`]) has a
//!   count and rates of its own, and is not in `keyEvents`.
//! * `cohortSpec`, `comparisons`, metric and dimension expressions, and filters in `checkCompatibility` are rejected
//!   with a clear 400, never answered wrongly. `fields` and `prettyPrint` are accepted and have no effect; other
//!   parameters must be known.
//! * A report costs 1 token, plus one for every dimension after the first and for every 100 rows (at most 100);
//!   Google's costs are known only afterwards. [`World::token_cost`] sets a fixed cost.
//! * Error texts that nobody has quoted in public are modelled on those that were; the source marks them.
//! * `keyEvents` is TYPE_FLOAT in core reports and TYPE_INTEGER in realtime reports, as public recordings show;
//!   values are whole numbers.
//!
//! # Reading order
//! `server` (sockets) → `api` (processing of a request) → `token`, `jwt` · `custom` · `data` → `wire`, `schema`, `request`,
//! `validate`, `requested`, `ranges`, `filter` → `rows`, `report` → `fields`, `columns`, `times`, `formulas`, `value`
//! → `directory`, `site` → `traffic`, `counts`, `audience`, `tally`, `revision` · `admin` · `quota`, `ledger` · `faults`,
//! `recordings`, `shapes`, `report_shapes`, `control`, `tamper` · `headers`, `log`.

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::json;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use self::{api::State, fields::Category, jwt::Verifier, token::Tokens};
pub use self::{
    custom::{CustomDimension, CustomMetric, MetricUnit, Restriction},
    errors::Refusal,
    faults::{Effect, Fault, FaultId, Method},
    log::Request,
    quota::{Bucket, QuotaSizes},
    recordings::Recording,
    tally::Tally,
    truth::Truth,
    world::{Account, Property, World},
};

mod admin;
mod api;
mod audience;
mod body;
mod catalog;
mod columns;
mod compatibility;
mod control;
mod counts;
mod custom;
mod data;
mod dates;
mod demo;
mod directory;
mod errors;
mod faults;
mod fields;
mod filter;
mod form;
mod formulas;
mod headers;
mod jwt;
mod ledger;
mod log;
mod metadata_server;
mod outcome;
mod quota;
mod random;
mod ranges;
mod recordings;
mod report;
mod report_shapes;
mod request;
mod requested;
mod revision;
mod routes;
mod rows;
mod schema;
mod server;
mod shapes;
mod site;
mod spelling;
mod tally;
mod tamper;
mod times;
mod token;
mod traffic;
mod truth;
mod validate;
mod value;
mod wire;
mod world;

/// A running simulator. Dropping it closes the listener and all connections, including hanging ones.
pub struct Simulator {
    state: Arc<State>,
    address: SocketAddr,
    stop: watch::Sender<()>,
    tasks: JoinSet<()>,
}

impl Simulator {
    /// Serves a world on the caller's listener. All times come from `clock`, except for latencies.
    ///
    /// # Errors
    /// The listener has no local address.
    pub fn start(
        listener: TcpListener,
        world: World,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let verifier = Verifier::demo().map_err(|error| io::Error::other(error.to_string()))?;
        let tokens = Tokens::new(verifier, world.token_lifetime);
        let base_url = format!("http://{address}");
        let state = Arc::new(State::new(base_url, world, tokens, Box::new(clock)));
        let (stop, stopped) = watch::channel(());
        let mut tasks = JoinSet::new();
        tasks.spawn(server::serve(listener, Arc::clone(&state), stopped));
        Ok(Self { state, address, stop, tasks })
    }

    /// Serves a world on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// No port is free.
    pub async fn on_loopback(world: World, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Self::start(listener, world, clock)
    }

    /// Stops listening, closes all connections and waits until they are closed.
    pub async fn shutdown(mut self) {
        drop(self.stop);
        while self.tasks.join_next().await.is_some() {}
    }

    /// Returns the address of the listener.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the base URL of both APIs, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.state.base_url
    }

    /// Returns the text of the service account's key file. The key is public, and only simulators accept it.
    #[must_use]
    pub fn key_file_json(&self) -> String {
        let email = token::CLIENT_EMAIL;
        let key = json!({
            "type": "service_account",
            "project_id": token::PROJECT_ID,
            "private_key_id": jwt::KEY_ID,
            "private_key": jwt::demo_key_pem(),
            "client_email": email,
            "client_id": "104112000000000000001",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": self.state.token_uri(),
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "client_x509_cert_url": format!(
                "https://www.googleapis.com/robot/v1/metadata/x509/{}",
                email.replace('@', "%40")
            ),
            "universe_domain": "googleapis.com",
        });
        format!("{key:#}\n")
    }

    /// Returns the text of a user's credentials, as `gcloud auth application-default login` writes them, with an
    /// additional `token_uri`, which Google's do not have.
    #[must_use]
    pub fn authorized_user_json(&self) -> String {
        let user = json!({
            "type": "authorized_user",
            "account": "",
            "client_id": token::CLIENT_ID,
            "client_secret": token::CLIENT_SECRET,
            "refresh_token": token::REFRESH_TOKEN,
            "token_uri": self.state.token_uri(),
            "universe_domain": "googleapis.com",
        });
        format!("{user:#}\n")
    }

    /// Returns the e-mail address of the service account.
    #[must_use]
    pub fn client_email(&self) -> &'static str {
        token::CLIENT_EMAIL
    }

    /// Returns the simulator's current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.state.now()
    }

    /// Returns the true numbers of a property; `None` if it does not exist.
    #[must_use]
    pub fn truth(&self, property: &str) -> Option<Truth> {
        self.state.directory.site(property).map(Truth::new)
    }

    /// Injects a fault.
    pub fn inject(&self, fault: Fault) -> FaultId {
        self.state.faults.inject(fault)
    }

    /// Ends a fault. Requests that it has already affected stay as they are.
    pub fn clear(&self, fault: FaultId) {
        self.state.faults.clear(fault);
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.state.faults.clear_all();
    }

    /// Returns the last requests, oldest first; [`World::log_length`] limits their number.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state.log.requests()
    }

    /// Waits for the first matching request, including past ones. The caller sets the deadline.
    pub async fn wait_for(&self, wanted: impl Fn(&Request) -> bool) -> Option<Request> {
        self.wait_for_many(1, wanted).await.into_iter().next()
    }

    /// Waits until the log has this many matching requests, and returns all matching ones.
    pub async fn wait_for_many(&self, count: usize, wanted: impl Fn(&Request) -> bool) -> Vec<Request> {
        self.state.log.wait_for(count, wanted).await
    }

    /// Adds an account, or adds properties to the one with the same id.
    pub fn add(&self, account: Account) {
        self.state.directory.add(account);
    }

    /// Changes a property while it is served: `simulator.edit("1", |shop| shop.renamed("Store"))`. Returns false if
    /// it does not exist.
    pub fn edit(&self, property: &str, change: impl FnOnce(Property) -> Property) -> bool {
        self.state.directory.edit(property, change)
    }

    /// Deletes a property: the listing no longer shows it, and the APIs answer 403. Returns false if it does not exist.
    pub fn remove(&self, property: &str) -> bool {
        self.state.directory.remove(property)
    }

    /// Revokes all access tokens issued so far.
    pub fn revoke_tokens(&self) {
        self.state.tokens.revoke_all();
    }

    /// Sets the lifetime of tokens issued from now on, in whole seconds.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.state.tokens.set_lifetime(lifetime);
    }

    /// Sets the cost of every report from now on; `None` restores the usual cost.
    pub fn set_token_cost(&self, tokens: Option<u32>) {
        *self.state.token_cost.write().unwrap_or_else(PoisonError::into_inner) = tokens;
    }

    /// Subtracts an amount from a bucket of the core reports, as other users of the property do.
    pub fn take_core_quota(&self, property: &str, bucket: Bucket, amount: u32) {
        let now = self.now();
        self.state.quota.take(property, Category::Core, bucket, amount, now);
    }

    /// Subtracts an amount from a bucket of the realtime reports.
    pub fn take_realtime_quota(&self, property: &str, bucket: Bucket, amount: u32) {
        let now = self.now();
        self.state.quota.take(property, Category::Realtime, bucket, amount, now);
    }

    /// Returns what is left in a bucket of the core reports; `None` if the property does not exist.
    #[must_use]
    pub fn core_quota(&self, property: &str, bucket: Bucket) -> Option<u32> {
        self.quota(property, Category::Core, bucket)
    }

    /// Returns what is left in a bucket of the realtime reports; `None` if the property does not exist.
    #[must_use]
    pub fn realtime_quota(&self, property: &str, bucket: Bucket) -> Option<u32> {
        self.quota(property, Category::Realtime, bucket)
    }

    /// Refills all buckets of a property.
    pub fn refill_quota(&self, property: &str) {
        self.state.quota.refill(property);
    }

    /// Returns the next refill of a property's bucket: midnight in California for the day's, once an hour for the others.
    #[must_use]
    pub fn next_refill(&self, property: &str, bucket: Bucket) -> Timestamp {
        match bucket {
            Bucket::Day => quota::next_pacific_midnight(self.now()),
            Bucket::Concurrent => self.now(),
            Bucket::Hour | Bucket::ProjectHour | Bucket::ServerErrors | Bucket::Thresholded => {
                quota::next_refill(property, self.now())
            }
        }
    }

    fn quota(&self, property: &str, category: Category, bucket: Bucket) -> Option<u32> {
        let site = self.state.directory.site(property)?;
        let sizes = &site.property.quota;
        Some(self.state.quota.remaining(property, category, sizes, bucket, self.now()))
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").field("address", &self.address).finish_non_exhaustive()
    }
}
