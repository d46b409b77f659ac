//! The figures of the binary that users get: start, memory, CPU time of polling, answers, size.
//!
//! Google is in this process, the exporter a child of its own. With words as arguments only the parts with those names
//! run: `cargo bench --bench figures -- poll`.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench may fail loudly and prints")]

use std::env;

use google_analytics_exporter::transport::{Deadlines, Roots, Transport};

use table::Table;

mod bare;
mod canned;
mod child;
mod many;
mod memory;
mod poll;
#[path = "../common/scraper.rs"]
mod scraper;
mod serving;
mod simulated;
mod start;
mod storm;
#[path = "../common/table.rs"]
mod table;
#[path = "../common/times.rs"]
mod times;

fn main() {
    // It sets up the process' one TLS provider, which this program's own clients need too.
    Transport::new(Roots::Nobody, Deadlines::default()).expect("without trust there is nothing to load");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads can be started");
    if let Some(file) = bare::requested() {
        return runtime.block_on(bare::run(&file));
    }
    if let Some(file) = storm::requested() {
        return runtime.block_on(storm::serve(&file));
    }
    let words: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |part: &str| words.is_empty() || words.iter().any(|word| word == part);
    runtime.block_on(async {
        if wanted("start") {
            let mut table = Table::of("3-start");
            start::binary(&mut table);
            start::first_answer(&mut table).await;
            start::full_data(&mut table).await;
        }
        if wanted("poll") {
            poll::compare(&mut Table::of("4-poll")).await;
        }
        if wanted("storm") {
            storm::alone(&mut Table::of("5-storm")).await;
        }
        if wanted("serving") {
            let mut table = Table::of("5-serving");
            let few = memory::of(10).await;
            few.row(&mut table, 25.0);
            serving::thousand(&mut table).await.slope(&few, &mut table);
        }
        if wanted("many") {
            many::properties(&mut Table::of("6-many")).await;
        }
    });
}

/// A client that asks as the exporter does.
fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().tls_certs_only([]).http1_only();
    builder.build().expect("without trust there is nothing to load")
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn number(count: u64) -> f64 {
    count as f64
}

/// The configuration of who writes none.
const DEFAULTS: &str = "";

/// How many reports every property has: realtime, traffic and baseline.
const REPORTS: usize = 3;
