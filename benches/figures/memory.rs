//! What the exporter takes in memory, altogether and for each property and series.

use std::{thread, time::Duration};

use google_analytics_exporter::clock::monotonic;

use crate::{DEFAULTS, REPORTS, canned::Canned, child::Exporter, scraper::Scraper, simulated::simulator, table::Table};

/// Memory after a number of scrapes, for this many series.
pub(crate) struct Footprint {
    pub(crate) properties: usize,
    pub(crate) series: usize,
    pub(crate) megabytes: f64,
}

pub(crate) fn footprint(exporter: &Exporter, properties: usize) -> Footprint {
    let mut series = 0;
    let mut megabytes: f64 = 0.0;
    // As Prometheus does it, so that what a scrape takes and what stays of it count.
    for _ in 0..10 {
        let text = exporter.metrics();
        series = text.lines().filter(|line| !line.starts_with('#')).count();
        megabytes = megabytes.max(exporter.megabytes());
        thread::sleep(Duration::from_millis(300));
    }
    Footprint { properties, series, megabytes }
}

impl Footprint {
    pub(crate) fn row(&self, table: &mut Table, most: f64) {
        let Self { properties, series, megabytes } = self;
        let what = format!("memory at {properties} properties ({series} series), gzip, one format");
        table.row(&what, *megabytes, "MB", ..=most);
    }

    /// What each further property and series takes, between two sizes.
    pub(crate) fn slope(&self, smaller: &Self, table: &mut Table) {
        let kilobytes = (self.megabytes - smaller.megabytes) * 1e3;
        let between = format!("from {} to {} properties", smaller.properties, self.properties);
        let properties = crate::number(self.properties as u64) - crate::number(smaller.properties as u64);
        let series = crate::number(self.series as u64) - crate::number(smaller.series as u64);
        table.row(&format!("memory per property, {between}"), kilobytes / properties, "kB", ..);
        table.row(&format!("memory per series, {between}"), kilobytes * 1e3 / series, "bytes", ..);
    }
}

pub(crate) async fn of(properties: usize) -> Footprint {
    let simulator = simulator(properties).await;
    let exporter = Exporter::start(&simulator, simulator.base_url(), DEFAULTS);
    exporter.until_up(REPORTS * properties, Duration::from_millis(200), Duration::from_secs(120));
    footprint(&exporter, properties)
}

/// 10,000 properties with each answer after 100 ms, scraped every 15 seconds: from the start on, and for a minute after.
pub(crate) async fn ten_thousand(smaller: &Footprint, table: &mut Table) {
    let properties = 10_000;
    let simulator = simulator(properties).await;
    let canned = Canned::start(simulator.base_url(), Duration::from_millis(100)).await;
    let exporter = Exporter::start(&simulator, &canned.url, DEFAULTS);
    let started = monotonic();
    // Histories come one by one: 20 ms from one to the next.
    exporter.until_up(REPORTS * properties, SCRAPE_INTERVAL, Duration::from_mins(8));
    let mut scraper = Scraper::connect(exporter.address, "/metrics", "gzip");
    while started.elapsed() < BEGINNING {
        scraper.get();
        thread::sleep(SCRAPE_INTERVAL.min(BEGINNING.saturating_sub(started.elapsed())));
    }
    let beginning = exporter.cpu();
    let share = beginning.as_secs_f64() / started.elapsed().as_secs_f64();
    let what =
        "CPU at 10,000 properties in the first five minutes, API at 100 ms, a scrape every 15 s: share of a core";
    table.row(what, share * 100.0, "%", ..=30.0);
    for _ in 0..4 {
        scraper.get();
        thread::sleep(SCRAPE_INTERVAL);
    }
    let share = (exporter.cpu() - beginning).as_secs_f64() / 60.0;
    let what = "CPU at 10,000 properties, API at 100 ms, a scrape every 15 s: share of a core";
    table.row(what, share * 100.0, "%", ..=10.0);
    let footprint = footprint(&exporter, properties);
    footprint.row(table, 250.0);
    footprint.slope(smaller, table);
}

/// Of a Prometheus.
const SCRAPE_INTERVAL: Duration = Duration::from_secs(15);

/// In which every property's history is fetched.
const BEGINNING: Duration = Duration::from_mins(5);
