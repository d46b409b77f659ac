//! From the start to the first answer, and to the first full data.

use std::time::Duration;

use ga4_simulator::{Effect, Fault};
use google_analytics_exporter::clock::monotonic;

use crate::{
    DEFAULTS, REPORTS,
    child::{self, Exporter},
    simulated::{simulator, warm},
    table::Table,
    times::percentile,
};

pub(crate) async fn first_answer(table: &mut Table) {
    let simulator = simulator(8).await;
    let mut times = Vec::new();
    for _ in 0..21 {
        let started = monotonic();
        let exporter = Exporter::start(&simulator, simulator.base_url(), DEFAULTS);
        exporter.metrics();
        // Before it is ended, which takes a while too.
        times.push(started.elapsed());
    }
    let what = "start to first /metrics answer, median of 21";
    table.row(what, percentile(&mut times, 50), "ms", ..=20.0);
}

pub(crate) async fn full_data(table: &mut Table) {
    let properties = 100;
    let simulator = simulator(properties).await;
    warm(&simulator, properties);
    simulator.inject(Fault::new(Effect::Latency(Duration::from_millis(100))));
    let started = monotonic();
    let exporter = Exporter::start(&simulator, simulator.base_url(), DEFAULTS);
    exporter.until_up(REPORTS * properties, Duration::from_millis(20), Duration::from_secs(60));
    let what = "first full data of 100 properties, API at 100 ms";
    table.row(what, started.elapsed().as_secs_f64(), "s", ..=3.0);
}

pub(crate) fn binary(table: &mut Table) {
    let bytes = std::fs::metadata(child::binary()).expect("the binary is built").len();
    table.row("binary, stripped", crate::number(bytes) / 1e6, "MB", ..=16.0);
}
