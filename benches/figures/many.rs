//! 10,000 properties with each answer after 100 ms, scraped every 15 seconds: from the start on, and for a minute after.

use std::{thread, time::Duration};

use google_analytics_exporter::clock::monotonic;

use crate::{
    DEFAULTS, REPORTS, canned::Canned, child::Exporter, memory, poll, scraper::Scraper, simulated::simulator,
    table::Table,
};

pub(crate) async fn properties(table: &mut Table) {
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
    canned.note();
    let start = monotonic();
    for _ in 0..4 {
        scraper.get();
        thread::sleep(SCRAPE_INTERVAL);
    }
    let (spent, elapsed) = ((exporter.cpu() - beginning).as_secs_f64(), start.elapsed().as_secs_f64());
    let plan = poll::noted(&canned, start);
    let share = spent / elapsed;
    let what = "CPU at 10,000 properties, API at 100 ms, a scrape every 15 s: share of a core";
    table.row(what, share * 100.0, "%", ..=10.0);
    let what =
        "CPU at 10,000 properties, with the scrapes, by a bare reqwest+serde loop's that sends the same requests";
    table.row(what, spent / poll::replay(&plan).as_secs_f64(), "", ..);
    memory::footprint(&exporter, properties).row(table, 250.0);
}

/// Of a Prometheus.
const SCRAPE_INTERVAL: Duration = Duration::from_secs(15);

/// In which every property's history is fetched.
const BEGINNING: Duration = Duration::from_mins(5);
