//! Rendering after a change, and packing what was rendered: how long the text of many series takes, beside copying it.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench may fail loudly and prints")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use std::{hint::black_box, io::Write, ops::Bound, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput};
use flate2::{Compression, write::GzEncoder};
use ga4_exporter_core::exposition::{self, Format, View};
use google_analytics_exporter::clock::monotonic;
use jiff::Timestamp;

use table::Table;
use times::percentile;

#[path = "common/filled.rs"]
mod filled;
#[path = "common/labelled.rs"]
mod labelled;
#[path = "common/table.rs"]
mod table;
#[path = "common/times.rs"]
mod times;

fn main() {
    let now = Timestamp::from_second(1_764_000_001).expect("it is a time");
    let views = [1_000, 10_000, 100_000].map(|series| filled::view(series, now));
    let mut criterion =
        Criterion::default().sample_size(20).measurement_time(Duration::from_secs(3)).configure_from_args();
    for view in &views {
        bench(&mut criterion, view, now);
    }
    if let Some(largest) = views.last() {
        levels(&mut criterion, &exposition::render(largest, Format::Text, now).text);
    }
    criterion.final_summary();
    if !std::env::args().any(|argument| argument == "--test") {
        let mut table = Table::of("1-render");
        for view in &views {
            rows(&mut table, view, now);
        }
        labelled_rows(&mut table, &labelled::view(50, now), now);
        million_row(&mut table, &labelled::view(500, now), now);
    }
}

fn bench(criterion: &mut Criterion, view: &View, now: Timestamp) {
    let series = filled::series_of(view, now);
    let text = exposition::render(view, Format::Text, now).text;
    let mut group = criterion.benchmark_group("render");
    group.throughput(Throughput::Elements(series as u64));
    for (name, format) in [("text", Format::Text), ("openmetrics", Format::OpenMetrics)] {
        group.bench_with_input(BenchmarkId::new(name, series), view, |bencher, view| {
            bencher.iter(|| exposition::render(black_box(view), format, now));
        });
    }
    group.bench_with_input(BenchmarkId::new("copy of the bytes", series), &text, |bencher, text| {
        bencher.iter(|| black_box(text).clone());
    });
    group.bench_with_input(BenchmarkId::new("gzip", series), &text, |bencher, text| {
        bencher.iter(|| pack(black_box(text), LEVEL));
    });
    group.finish();
}

/// What packing costs, and saves, at the levels that come into question.
fn levels(criterion: &mut Criterion, text: &[u8]) {
    let mut group = criterion.benchmark_group("gzip");
    group.throughput(Throughput::Bytes(text.len() as u64));
    for level in [1, LEVEL, 3, 6] {
        println!("gzip level {level}: {:.1} % of the text", 100.0 * pack(text, level).len() as f64 / text.len() as f64);
        group.bench_function(level.to_string(), |bencher| bencher.iter(|| pack(black_box(text), level)));
    }
    group.finish();
}

/// Alternates between what is measured, so that what else the machine does meets all of it.
fn rows(table: &mut Table, view: &View, now: Timestamp) {
    let series = filled::series_of(view, now);
    let (mut text, mut open_metrics, mut gzip) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = monotonic();
        let rendering = black_box(exposition::render(black_box(view), Format::Text, now));
        text.push(start.elapsed());
        let start = monotonic();
        black_box(exposition::render(black_box(view), Format::OpenMetrics, now));
        open_metrics.push(start.elapsed());
        let start = monotonic();
        black_box(pack(&rendering.text, LEVEL));
        gzip.push(start.elapsed());
    }
    let targets = |most| (Bound::Unbounded, if series >= 100_000 { Bound::Included(most) } else { Bound::Unbounded });
    let median = percentile(&mut text, 50);
    table.row(&format!("render {series} series, text"), median, "ms", targets(20.0));
    table.row(&format!("render {series} series, OpenMetrics"), percentile(&mut open_metrics, 50), "ms", targets(20.0));
    table.row(&format!("gzip of {series} series, once"), percentile(&mut gzip, 50), "ms", targets(70.0));
    table.row(&format!("render, text, per series of {series}"), median * 1e6 / series as f64, "ns", ..);
}

/// Series with three labels of their own.
fn labelled_rows(table: &mut Table, view: &View, now: Timestamp) {
    let series = filled::series_of(view, now);
    let each = milliseconds_of_text(view, ROUNDS, now) * 1e6 / series as f64;
    table.row(&format!("render, text, per series with three labels of {series}"), each, "ns", ..=200.0);
    let bytes = labelled::bytes_of_each(view);
    table.row("memory of a series with three labels, in the store", bytes, "bytes", ..=200.0);
}

/// As many series as the exporter should ever have.
fn million_row(table: &mut Table, view: &View, now: Timestamp) {
    let series = filled::series_of(view, now);
    let text = milliseconds_of_text(view, ROUNDS_OF_MILLION, now);
    table.row(&format!("render {series} series with three labels, text"), text, "ms", ..=250.0);
}

/// The median of some renderings.
fn milliseconds_of_text(view: &View, rounds: u32, now: Timestamp) -> f64 {
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..rounds {
        let start = monotonic();
        black_box(exposition::render(black_box(view), Format::Text, now));
        times.push(start.elapsed());
    }
    percentile(&mut times, 50)
}

fn pack(text: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(text).expect("writing to memory does not fail");
    encoder.finish().expect("writing to memory does not fail")
}

/// The level that the server packs with.
const LEVEL: u32 = 2;

const ROUNDS: u32 = 41;

const ROUNDS_OF_MILLION: u32 = 11;
