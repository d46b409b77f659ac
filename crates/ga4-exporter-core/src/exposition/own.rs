//! The exporter's metrics on itself, as the registry gathers them.

use prometheus::proto::{LabelPair, Metric, MetricFamily, MetricType};

use super::page::{Kind, Page, push_label};

pub(super) fn render(page: &mut Page<'_>, families: &[MetricFamily]) {
    for family in families {
        let kind = match family.get_field_type() {
            MetricType::COUNTER => Kind::Counter,
            MetricType::HISTOGRAM => Kind::Histogram,
            // The registry holds no summaries and nothing untyped.
            MetricType::GAUGE | MetricType::SUMMARY | MetricType::UNTYPED => Kind::Gauge,
        };
        page.family(family.name(), family.help(), kind);
        for metric in family.get_metric() {
            sample(page, kind, metric);
        }
    }
}

fn sample(page: &mut Page<'_>, kind: Kind, metric: &Metric) {
    let labels = labels(metric.get_label());
    match kind {
        Kind::Counter => page.sample(&labels, metric.get_counter().get_value()),
        Kind::Gauge => page.sample(&labels, metric.get_gauge().get_value()),
        Kind::Histogram => histogram(page, &labels, metric),
    }
}

fn histogram(page: &mut Page<'_>, labels: &str, metric: &Metric) {
    let histogram = metric.get_histogram();
    let count = number(histogram.get_sample_count());
    for bucket in histogram.get_bucket() {
        let bound = page.bucket_bound(bucket.upper_bound());
        page.suffixed_sample("_bucket", &with_bound(labels, &bound), number(bucket.cumulative_count()));
    }
    page.suffixed_sample("_bucket", &with_bound(labels, "+Inf"), count);
    page.suffixed_sample("_sum", labels, histogram.get_sample_sum());
    page.suffixed_sample("_count", labels, count);
}

fn with_bound(labels: &str, bound: &str) -> String {
    let mut labels = labels.to_owned();
    push_label(&mut labels, "le", bound);
    labels
}

fn labels(pairs: &[LabelPair]) -> String {
    let mut labels = String::new();
    for pair in pairs {
        push_label(&mut labels, pair.name(), pair.value());
    }
    labels
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}
