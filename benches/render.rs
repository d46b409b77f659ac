//! Rendering after a change: how long the text of many series takes, beside copying the same bytes.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a bench may fail loudly")]

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::{BenchmarkId, Criterion};
use google_analytics_exporter::{
    config::Config,
    exposition::{self, Format, View},
    plan::Plan,
    properties::{PropertyInfo, PropertySet},
    store::{Attempt, Snapshot, Store},
};
use jiff::Timestamp;

fn main() {
    let mut criterion =
        Criterion::default().sample_size(20).measurement_time(Duration::from_secs(3)).configure_from_args();
    let mut group = criterion.benchmark_group("render");
    for series in [1_000, 10_000, 100_000] {
        let view = view(series);
        let now = Timestamp::from_second(1_764_000_001).unwrap();
        let text = exposition::render(&view, Format::Text, now).text;
        let lines =
            text.split(|byte| *byte == b'\n').filter(|line| line.first().is_some_and(|byte| *byte != b'#')).count();
        group.bench_with_input(BenchmarkId::new("text", lines), &view, |bencher, view| {
            bencher.iter(|| exposition::render(black_box(view), Format::Text, now));
        });
        group.bench_with_input(BenchmarkId::new("openmetrics", lines), &view, |bencher, view| {
            bencher.iter(|| exposition::render(black_box(view), Format::OpenMetrics, now));
        });
        group.bench_with_input(BenchmarkId::new("copy of the bytes", lines), &text, |bencher, text| {
            bencher.iter(|| black_box(text).clone());
        });
    }
    group.finish();
    criterion.final_summary();
}

/// About so many series, as the built-in reports of many properties have them.
fn view(series: usize) -> View {
    let plan = Plan::new(&Config::default(), PropertySet::default(), true);
    let store = Store::default();
    let sent_at = Timestamp::from_second(1_764_000_000).unwrap();
    let expires_at = Timestamp::from_second(1_764_001_000).unwrap();
    for index in 0..series / SERIES_OF_A_PROPERTY {
        let id = (500_000_000 + index).to_string().parse().unwrap();
        let info = PropertyInfo { name: format!("Site {index}"), ..PropertyInfo::default() };
        store.put(id, &info, &plan.reports);
        store.update(id, |state| {
            for report in &plan.reports {
                let values =
                    (0..report.families.len()).map(|value| f64::from(u32::try_from(value * 1_234).unwrap())).collect();
                let snapshot = Snapshot { report: Arc::clone(report), values, expires_at };
                let attempt = Attempt { sent_at, took: Duration::from_millis(123) };
                state.report_mut(&report.name).expect("it was put there").succeed(attempt, 1, snapshot);
            }
        });
    }
    View { reports: plan.reports, properties: store.properties(), own: Vec::new() }
}

/// Two reports with 38 values, 5 families on each report, the info and the tokens spent.
const SERIES_OF_A_PROPERTY: usize = 51;
