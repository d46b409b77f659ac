//! Shows the quota buckets of a property as bars.

use jiff::Timestamp;
use maud::{Markup, html};

use super::{figures, words};
use ga4_exporter_core::{
    names::{Bucket, Category},
    quota::{QuotaView, TokenBucket},
    store::PropertyState,
};

/// Shows the scarcest bucket of each category, and all buckets in a collapsed section. If everything is healthy, all
/// of them are collapsed. Shows nothing until Google has reported a bucket.
pub(super) fn bars(state: &PropertyState, now: Timestamp) -> Markup {
    let buckets: Vec<ReportedBucket<'_>> =
        state.quota.iter().flat_map(|(category, view)| reported(*category, view, now)).collect();
    let scarcest = state.quota.keys().filter_map(|category| {
        let of_it = buckets.iter().filter(|bucket| bucket.category == *category);
        of_it.min_by(|a, b| a.share().total_cmp(&b.share()))
    });
    let is_well = figures::is_healthy(state, now) && buckets.iter().all(ReportedBucket::is_plentiful);
    html! {
        @if is_well && !buckets.is_empty() {
            details {
                summary { "Tokens left" }
                dl.bars { @for bucket in &buckets { (bar(bucket, now)) } }
            }
        } @else if !buckets.is_empty() {
            p.caption { "Tokens left of the scarcest bucket" }
            dl.bars { @for bucket in scarcest { (bar(bucket, now)) } }
            details {
                summary { "All buckets" }
                dl.bars { @for bucket in &buckets { (bar(bucket, now)) } }
            }
        }
    }
}

/// A bucket that Google has reported.
struct ReportedBucket<'a> {
    category: Category,
    bucket: &'a TokenBucket,
    closed_until: Option<Timestamp>,
}

impl ReportedBucket<'_> {
    fn share(&self) -> f64 {
        self.bucket.remaining.value / self.bucket.limit.max(1.0)
    }

    fn is_plentiful(&self) -> bool {
        self.closed_until.is_none() && self.share() >= LOW
    }
}

fn reported(category: Category, view: &QuotaView, now: Timestamp) -> impl Iterator<Item = ReportedBucket<'_>> {
    let known = view.tokens.iter().filter(move |bucket| bucket.remaining.holds_until > now);
    known.map(move |bucket| {
        let closed_until = view.closed.get(&bucket.remaining.bucket).copied().filter(|until| *until > now);
        ReportedBucket { category, bucket, closed_until }
    })
}

fn bar(reported: &ReportedBucket<'_>, now: Timestamp) -> Markup {
    let TokenBucket { limit, remaining } = *reported.bucket;
    let label = format!("{}, {}", reported.category.as_str(), title(remaining.bucket));
    html! {
        dt { (label) }
        dd { meter aria-label=(format!("Tokens left: {label}")) min="0" max=(limit) low=(limit * LOW) optimum=(limit)
            value=(remaining.value) {} }
        dd.number {
            @match reported.closed_until {
                Some(until) => { "closed, opens " (words::until(until, now)) }
                None => { (words::number(remaining.value)) " of " (words::number(limit)) }
            }
        }
    }
}

fn title(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::Day => "day",
        Bucket::Hour => "hour",
        Bucket::ProjectHour => "hour of this project",
        Bucket::Concurrent => "at once",
        Bucket::ServerErrors => "server errors",
        Bucket::ClientErrors => "failed requests",
        Bucket::Thresholded => "thresholded",
        Bucket::Unknown => "unknown",
    }
}

/// The threshold of the alert GoogleAnalyticsQuotaLow.
const LOW: f64 = 0.1;
