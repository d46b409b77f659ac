//! What the exporter takes in memory, altogether and for each property and series.

use std::{thread, time::Duration};

use crate::{DEFAULTS, REPORTS, child::Exporter, simulated::simulator, table::Table};

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
