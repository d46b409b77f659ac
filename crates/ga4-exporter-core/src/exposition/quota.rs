//! The families on Google's quotas.

use jiff::Timestamp;

use super::{
    PropertyRow,
    page::{Kind, Page},
};
use crate::{
    names::{Bucket, Category},
    quota::{QuotaView, Remaining, TOKEN_BUCKETS, TokenBucket},
    time::unix_seconds,
};

pub(super) fn render(page: &mut Page<'_>, rows: &[PropertyRow<'_>], now: Timestamp) {
    let quotas = Quotas::gather(rows, now);
    let help = "Tokens left in the bucket according to Google's last answer, whoever spent them; 0 while it is empty.";
    page.family("google_analytics_quota_tokens_remaining", help, Kind::Gauge);
    each_token_bucket(page, &quotas, |bucket| bucket.remaining.value);
    let help = "Size of the bucket in tokens, as documented by Google.";
    page.family("google_analytics_quota_tokens_limit", help, Kind::Gauge);
    each_token_bucket(page, &quotas, |bucket| bucket.limit);
    for (bucket, name, help) in OTHERS {
        page.family(name, help, Kind::Gauge);
        let of_bucket = quotas.others.iter().filter(|row| row.value.bucket == *bucket);
        for QuotaRow { property, category, value: left } in of_bucket {
            page.expires(left.holds_until);
            page.labelled_sample(property, [label_of(*category)].into_iter(), left.value);
        }
    }
    closures(page, &quotas);
    spent(page, rows);
}

fn each_token_bucket(page: &mut Page<'_>, quotas: &Quotas<'_>, value: fn(&TokenBucket) -> f64) {
    for QuotaRow { property, category, value: bucket } in &quotas.tokens {
        page.expires(bucket.remaining.holds_until);
        let labels = [label_of(*category), ("bucket", bucket.remaining.bucket.as_str())];
        page.labelled_sample(property, labels.into_iter(), value(bucket));
    }
}

fn closures(page: &mut Page<'_>, quotas: &Quotas<'_>) {
    let help =
        "Unix time until which no request is sent that would draw on the bucket; absent while the bucket is open.";
    page.family("google_analytics_quota_closed_until_timestamp_seconds", help, Kind::Gauge);
    for QuotaRow { property, category, value: (bucket, until) } in &quotas.closed {
        page.expires(*until);
        let labels = [label_of(*category), ("bucket", bucket.as_str())];
        page.labelled_sample(property, labels.into_iter(), unix_seconds(*until));
    }
}

fn spent(page: &mut Page<'_>, rows: &[PropertyRow<'_>]) {
    let help = "Tokens that Google charged this exporter for the report.";
    page.family("google_analytics_quota_tokens_spent_total", help, Kind::Counter);
    for row in rows {
        for report in row.reports {
            #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 tokens")]
            let tokens = report.tokens_spent as f64;
            page.labelled_sample(&row.label, [("report", report.name.as_str())].into_iter(), tokens);
        }
    }
}

/// A value of the quota of a property and category.
struct QuotaRow<'a, T> {
    /// The property's rendered label.
    property: &'a str,
    category: Category,
    value: T,
}

fn label_of(category: Category) -> (&'static str, &'static str) {
    ("category", category.as_str())
}

/// The values of all quotas that have not expired.
struct Quotas<'a> {
    tokens: Vec<QuotaRow<'a, TokenBucket>>,
    others: Vec<QuotaRow<'a, Remaining>>,
    closed: Vec<QuotaRow<'a, (Bucket, Timestamp)>>,
}

impl<'a> Quotas<'a> {
    fn gather(rows: &'a [PropertyRow<'a>], now: Timestamp) -> Self {
        let categories = rows.len() * Category::ALL.len();
        let mut quotas = Self {
            tokens: Vec::with_capacity(categories * TOKEN_BUCKETS.len()),
            others: Vec::with_capacity(categories * OTHERS.len()),
            closed: Vec::new(),
        };
        for row in rows {
            for category in Category::ALL {
                if let Some(view) = row.state.quota.get(category) {
                    quotas.add(&row.label, *category, view, now);
                }
            }
        }
        quotas
    }

    fn add(&mut self, property: &'a str, category: Category, view: &QuotaView, now: Timestamp) {
        let tokens = view.tokens.iter().filter(|bucket| bucket.remaining.holds_until > now);
        self.tokens.extend(tokens.map(|bucket| QuotaRow { property, category, value: *bucket }));
        let others = view.others.iter().filter(|left| left.holds_until > now);
        self.others.extend(others.map(|left| QuotaRow { property, category, value: *left }));
        let closed = view.closed.iter().filter(|(_, until)| **until > now);
        self.closed.extend(closed.map(|(bucket, until)| QuotaRow { property, category, value: (*bucket, *until) }));
    }
}

/// The buckets that do not count tokens.
const OTHERS: &[(Bucket, &str, &str)] = &[
    (
        Bucket::Concurrent,
        "google_analytics_quota_concurrent_requests_remaining",
        "Further requests that Google would accept at the same time, according to its last answer; 0 while there are too many.",
    ),
    (
        Bucket::ServerErrors,
        "google_analytics_quota_server_errors_remaining",
        "Server errors (500 or 503) left before Google blocks the Cloud project for up to an hour, according to its last answer.",
    ),
    (
        Bucket::Thresholded,
        "google_analytics_quota_thresholded_requests_remaining",
        "Requests with demographic dimensions left in the hour, according to Google's last answer.",
    ),
];
