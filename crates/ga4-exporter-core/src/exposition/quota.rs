//! The families on Google's quotas.

use jiff::Timestamp;

use super::{
    PropertyRow,
    page::{Kind, Page},
};
use crate::{
    names::{Bucket, Category},
    quota::{QuotaView, Remaining},
    time::unix_seconds,
};

pub(super) fn render(page: &mut Page, rows: &[PropertyRow<'_>], now: Timestamp) {
    let quotas = quotas(rows);
    tokens(page, &quotas, now);
    for (bucket, name, help) in OTHERS {
        page.family(name, help, Kind::Gauge);
        for Quota { row, category, view } in &quotas {
            let left = view.others.iter().find(|left| left.bucket == *bucket);
            if let Some(left) = left.filter(|left| left.holds_until > now) {
                page.expires(left.holds_until);
                row.sample(page, *category, left.value);
            }
        }
    }
    closures(page, &quotas, now);
    spent(page, rows);
}

fn tokens(page: &mut Page, quotas: &[Quota<'_>], now: Timestamp) {
    let help = "Tokens left in the bucket according to Google's last answer, whoever spent them; 0 while it is empty.";
    page.family("google_analytics_quota_tokens_remaining", help, Kind::Gauge);
    each_token_bucket(page, quotas, now, |_, remaining| remaining.value);
    let help = "Size of the bucket in tokens, as documented by Google.";
    page.family("google_analytics_quota_tokens_limit", help, Kind::Gauge);
    each_token_bucket(page, quotas, now, |limit, _| limit);
}

fn each_token_bucket(page: &mut Page, quotas: &[Quota<'_>], now: Timestamp, value: fn(f64, Remaining) -> f64) {
    for Quota { row, category, view } in quotas {
        for bucket in view.tokens.iter().filter(|bucket| bucket.remaining.holds_until > now) {
            page.expires(bucket.remaining.holds_until);
            let labels = [*category, ("bucket", bucket.remaining.bucket.as_str())];
            page.labelled_sample(&row.label, labels.into_iter(), value(bucket.limit, bucket.remaining));
        }
    }
}

fn closures(page: &mut Page, quotas: &[Quota<'_>], now: Timestamp) {
    let help =
        "Unix time until which no request is sent that would draw on the bucket; absent while the bucket is open.";
    page.family("google_analytics_quota_closed_until_timestamp_seconds", help, Kind::Gauge);
    for Quota { row, category, view } in quotas {
        for (bucket, until) in view.closed.iter().filter(|(_, until)| **until > now) {
            page.expires(*until);
            let labels = [*category, ("bucket", bucket.as_str())];
            page.labelled_sample(&row.label, labels.into_iter(), unix_seconds(*until));
        }
    }
}

fn spent(page: &mut Page, rows: &[PropertyRow<'_>]) {
    let help = "Tokens that Google charged this exporter for the report.";
    page.family("google_analytics_quota_tokens_spent_total", help, Kind::Counter);
    for row in rows {
        for report in row.reports {
            #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53 tokens")]
            let tokens = report.tokens_spent as f64;
            row.sample(page, ("report", report.name.as_str()), tokens);
        }
    }
}

/// The quota of a property and category.
struct Quota<'a> {
    row: &'a PropertyRow<'a>,
    /// The label.
    category: (&'static str, &'static str),
    view: &'a QuotaView,
}

/// All that are known.
fn quotas<'a>(rows: &'a [PropertyRow<'a>]) -> Vec<Quota<'a>> {
    let mut quotas = Vec::with_capacity(rows.len() * Category::ALL.len());
    for row in rows {
        for category in Category::ALL {
            if let Some(view) = row.state.quota.get(category) {
                quotas.push(Quota { row, category: ("category", category.as_str()), view });
            }
        }
    }
    quotas
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
