//! A thousand properties, served: to Prometheus while Google answers and while it hangs, and to people.

use std::{
    ops::Bound::{Included, Unbounded},
    thread,
    time::Duration,
};

use ga4_simulator::{Effect, Fault, Simulator};
use google_analytics_exporter::clock::monotonic;

use crate::{
    DEFAULTS, REPORTS,
    child::Exporter,
    memory::{self, Footprint},
    scraper::Scraper,
    simulated::{simulator, warm},
    table::Table,
    times::percentile,
};

pub(crate) async fn thousand(table: &mut Table) -> Footprint {
    let properties = 1_000;
    let simulator = simulator(properties).await;
    warm(&simulator, properties);
    let exporter = Exporter::start(&simulator, simulator.base_url(), DEFAULTS);
    exporter.until_up(REPORTS * properties, Duration::from_millis(500), Duration::from_secs(120));
    let footprint = memory::footprint(&exporter, properties);
    footprint.row(table, 50.0);

    for (what, path, most) in [
        ("status page of 1,000 properties", "/", Some(100.0)),
        ("status page, searched and sorted", "/?q=site&sort=pageviews&page=3", Some(100.0)),
        ("/sd with 1,000 properties", "/sd", None),
        ("/probe of one of them", "/probe?target=500000500", None),
    ] {
        let mut times = times(&exporter, path, 100, Duration::from_millis(10));
        table.row(
            &format!("{what}, p99"),
            percentile(&mut times, 99),
            "ms",
            (Unbounded, most.map_or(Unbounded, Included)),
        );
    }

    let mut healthy = times(&exporter, "/metrics", SCRAPES, PAUSE);
    simulator.inject(Fault::new(Effect::Hang));
    let asked = arrived(&simulator);
    // By then everything that may be on its way hangs.
    thread::sleep(Duration::from_secs(5));
    println!("{} requests hang", arrived(&simulator) - asked);
    let mut hanging = times(&exporter, "/metrics", SCRAPES, PAUSE);
    let (healthy, hanging) = (percentile(&mut healthy, 99), percentile(&mut hanging, 99));
    println!("scrapes of 1,000 properties: p99 {healthy:.1} ms, while Google hangs {hanging:.1} ms");
    let what = "scrape p99 while Google hangs, by that while it answers";
    table.row(what, hanging / healthy, "", ..=1.1);
    footprint
}

/// How many requests the simulator has had.
fn arrived(simulator: &Simulator) -> u64 {
    simulator.requests().last().map_or(0, |request| request.number + 1)
}

/// How long answers take that are asked for one by one.
fn times(exporter: &Exporter, path: &str, count: u32, pause: Duration) -> Vec<Duration> {
    let mut scraper = Scraper::connect(exporter.address, path, "gzip");
    let ask = |_| {
        thread::sleep(pause);
        let started = monotonic();
        scraper.get();
        started.elapsed()
    };
    (0..count).map(ask).collect()
}

const SCRAPES: u32 = 300;

const PAUSE: Duration = Duration::from_millis(50);
