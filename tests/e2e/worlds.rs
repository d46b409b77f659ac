//! Simulated worlds at a standstill, and what is true in them.

use std::collections::BTreeMap;

use ga4_simulator::{Account, Property, Simulator, Tally, World};
use google_analytics_exporter::clock::Clock;
use jiff::Timestamp;
use tokio::net::TcpListener;

/// A world, and the instant that its simulator stays at, so that its numbers do too. The exporter's own clock goes on: what
/// it asks for are the same days, since it is day in all zones here.
pub(crate) struct Standstill {
    pub(crate) world: World,
    pub(crate) now: Timestamp,
}

impl Standstill {
    /// Three properties with traffic and odd names, and [`SILENT`] without any.
    pub(crate) fn new() -> Self {
        let now = Clock::system().now();
        let mut account = Account::new("104112001", "Example \"Group\"");
        let sites =
            [("71", "Café \"Zoë\" \\ Shop", 90_000.0), ("72", "two\nlines, {braces}", 600.0), ("73", "🌻", 7.0)];
        for ((id, name, pageviews), zone) in sites.into_iter().zip(zones_by_day(now)) {
            account = account.property(Property::new(id, name).time_zone(zone).pageviews_per_hour(pageviews));
        }
        let account = account.property(Property::new(SILENT, "Nobody").without_traffic());
        Self { world: World::new(42).account(account), now }
    }

    /// The demo's world.
    pub(crate) fn demo() -> Self {
        let now = Clock::system().now();
        Self { world: World::demo(now), now }
    }

    /// Serves it on a free port.
    pub(crate) async fn simulator(&self) -> Simulator {
        self.simulator_at("127.0.0.1:0").await
    }

    /// Serves it on this address.
    pub(crate) async fn simulator_at(&self, address: &str) -> Simulator {
        let listener = TcpListener::bind(address).await.unwrap();
        let now = self.now;
        Simulator::start(listener, self.world.clone(), move || now).unwrap()
    }

    pub(crate) fn ids(&self) -> Vec<&str> {
        self.world.property_ids().collect()
    }
}

/// The true value of every traffic family of a property.
pub(crate) fn truth(simulator: &Simulator, property: &str) -> BTreeMap<String, f64> {
    let truth = simulator.truth(property).unwrap();
    let now = simulator.now();
    let mut values = BTreeMap::new();
    for (window, tally, metrics) in [
        ("realtime", truth.minutes_ago(29, 0, now), REALTIME),
        ("realtime_5m", truth.minutes_ago(5, 1, now), REALTIME_5M),
        ("today", truth.days_ago(0, 0, now), DAYS),
        ("yesterday", truth.days_ago(1, 1, now), DAYS),
        ("trailing_7d", truth.days_ago(7, 1, now), DAYS),
        ("trailing_28d", truth.days_ago(28, 1, now), DAYS),
    ] {
        for (metric, value) in metrics {
            // Far below 2^53.
            values.insert(format!("google_analytics_{window}_{metric}"), value(&tally).to_string().parse().unwrap());
        }
    }
    values
}

/// Zones in which no midnight is near.
fn zones_by_day(now: Timestamp) -> impl Iterator<Item = &'static str> {
    let zones =
        ["America/Los_Angeles", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Asia/Tokyo", "Pacific/Auckland"];
    zones.into_iter().filter(move |zone| (1..23).contains(&now.in_tz(zone).unwrap().hour()))
}

/// The property without traffic.
pub(crate) const SILENT: &str = "74";

type Metric = (&'static str, fn(&Tally) -> u64);

const REALTIME: &[Metric] = &[PAGEVIEWS, ACTIVE_USERS, EVENTS, KEY_EVENTS];

const REALTIME_5M: &[Metric] = &[PAGEVIEWS, ACTIVE_USERS];

const DAYS: &[Metric] = &[
    PAGEVIEWS,
    ("visitors", Tally::total_users),
    ACTIVE_USERS,
    ("new_users", Tally::new_users),
    ("sessions", Tally::sessions),
    ("engaged_sessions", Tally::engaged_sessions),
    EVENTS,
    KEY_EVENTS,
];

const PAGEVIEWS: Metric = ("pageviews", Tally::pageviews);
const ACTIVE_USERS: Metric = ("active_users", Tally::active_users);
const EVENTS: Metric = ("events", Tally::events);
const KEY_EVENTS: Metric = ("key_events", Tally::key_events);
