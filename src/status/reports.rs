//! The reports of a property: the state of each, the age of its data, and the time of its next poll.

use jiff::Timestamp;
use maud::{Markup, html};

use super::{figures, quality, words};
use ga4_exporter_core::{
    names::Reason,
    store::{Failure, PropertyState, ReportState},
};

/// Renders the table of all reports.
pub(super) fn table(state: &PropertyState, now: Timestamp) -> Markup {
    html! {
        div.scroll {
            table {
                caption { "Reports" }
                thead {
                    tr {
                        th scope="col" { "report" } th scope="col" { "state" }
                        th scope="col" { "data" } th scope="col" { "next poll" }
                    }
                }
                tbody {
                    @for report in &state.reports {
                        tr {
                            th scope="row" { (report.name) }
                            td { (fares(report, now)) }
                            td {
                                @match report.last_success { Some(at) => (words::ago(at, now)), None => "none yet" }
                                @for remark in quality::remarks(report, now) { br; span.quiet { (remark) } }
                            }
                            td { (next(report, now)) }
                        }
                    }
                }
            }
        }
    }
}

/// Renders every failure with its reason and its remedy. A failure that several reports share is shown once.
pub(super) fn failures(state: &PropertyState, now: Timestamp) -> Markup {
    html! {
        @for (reports, failure) in together(state) {
            div.state.warn {
                p {
                    strong { (reports.join(", ")) @if reports.len() > 1 { " fail" } @else { " fails" } }
                    " (" (failure.reason) "), first " (words::ago(failure.since, now)) ": "
                    (words::sentence(&failure.message))
                }
                p { (words::to_do(&failure.remedy)) }
            }
        }
    }
}

/// Returns the distinct failures, each with the names of its reports.
fn together(state: &PropertyState) -> Vec<(Vec<&str>, &Failure)> {
    let mut known: Vec<(Vec<&str>, &Failure)> = Vec::new();
    for report in &state.reports {
        let Some(failure) = &report.failure else { continue };
        let is_like = |other: &Failure| (other.reason, &other.message) == (failure.reason, &failure.message);
        match known.iter_mut().find(|(_, other)| is_like(other)) {
            Some((reports, _)) => reports.push(report.name.as_str()),
            None => known.push((vec![report.name.as_str()], failure)),
        }
    }
    known
}

fn fares(report: &ReportState, now: Timestamp) -> &'static str {
    match (&report.failure, report.last_attempt) {
        (Some(failure), _) => failure.reason.as_str(),
        (None, Some(_)) if figures::is_late(report, now) => "late",
        (None, Some(_)) => "works",
        (None, None) if report.has_outcome => "postponed",
        (None, None) => "first poll to come",
    }
}

fn next(report: &ReportState, now: Timestamp) -> Markup {
    match report.next_attempt {
        None if report.reason() == Some(Reason::NotListed) => html! { "none" },
        Some(at) => words::until(at, now),
        None => html! { "under way" },
    }
}
