//! The card of one property on the status page.

use jiff::Timestamp;
use maud::{Markup, html};

use super::{chart, figures, quota, reports, words};
use ga4_exporter_core::{names::PropertyType, store::PropertyState};

/// Renders the card of a property.
pub(super) fn card(state: &PropertyState, now: Timestamp) -> Markup {
    let heading = format!("property-{}", state.id);
    html! {
        article aria-labelledby=(heading) {
            h2 id=(heading) { (figures::name(state)) }
            p.quiet { (details(state)) " · " a href=(format!("./probe?target={}", state.id)) { "metrics" } }
            (drop_of_traffic(state, now))
            (reports::failures(state, now))
            @match figures::watched(state, now) {
                Some(watched) => (chart::chart(&watched.assessment)),
                None => (last_half_hour(state, now)),
            }
            (learning(state, now))
            (days(state, now))
            (reports::table(state, now))
            (quota::bars(state, now))
        }
    }
}

fn details(state: &PropertyState) -> String {
    let id = state.id.to_string();
    let repeats = match state.info.property_type {
        Some(PropertyType::Subproperty) => "sub-property",
        Some(PropertyType::Rollup) => "roll-up property",
        Some(PropertyType::Ordinary) | None => "",
    };
    let parts = [&id, repeats, &state.info.time_zone, &state.info.account_name];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn drop_of_traffic(state: &PropertyState, now: Timestamp) -> Markup {
    let quiet = state.usual.as_ref().and_then(|usual| usual.day).is_some_and(|day| day.is_quiet && day.until > now);
    html! {
        @if let Some(drop) = figures::drop(state, now) {
            div.state.bad {
                p {
                    strong { "Less traffic than usual: " }
                    @if let Some(count) = drop.window {
                        (words::number(count.pageviews)) " pageviews in the last " (count.window.length_in_words())
                        "; usual: " (words::number(count.expected)) "."
                    } @else {
                        "the last hours together show it, though no single window does."
                    }
                }
            }
        }
        @if quiet { p.quiet { "Today is a quiet day of the configuration." } }
    }
}

/// Says until when the drop alert detects only near-total outages.
fn learning(state: &PropertyState, now: Timestamp) -> Markup {
    let learning_until = figures::watched(state, now).and_then(|watched| watched.assessment.learning_until);
    html! {
        @if let Some(until) = learning_until.filter(|until| *until > now) {
            p.quiet {
                "Learning: until " (words::local_until(until, &state.info.time_zone, now))
                ", only near-total outages page."
            }
        }
    }
}

/// Shows the pageviews of the last half hour of a property whose usual traffic is not known yet.
fn last_half_hour(state: &PropertyState, now: Timestamp) -> Markup {
    html! {
        @if let Some(pageviews) = figures::value(state, "realtime_pageviews", now) {
            p {
                "Last 30 minutes: " strong { (words::number(pageviews)) } " pageviews. "
                span.quiet { "The usual traffic is not known yet." }
            }
        }
    }
}

fn days(state: &PropertyState, now: Timestamp) -> Markup {
    html! {
        table {
            caption { "Days" }
            thead {
                tr {
                    td {} th.number scope="col" { "today" } th.number scope="col" { "yesterday" }
                }
            }
            tbody {
                @for metric in ["pageviews", "visitors"] {
                    tr {
                        th scope="row" { (metric) }
                        @for day in ["today", "yesterday"] {
                            td.number { (figure(figures::value(state, &format!("{day}_{metric}"), now))) }
                        }
                    }
                }
            }
        }
    }
}

fn figure(value: Option<f64>) -> Markup {
    html! {
        @match value {
            Some(value) => (words::number(value)),
            None => { span aria-hidden="true" { "–" } span.hidden { "no present value" } }
        }
    }
}
