//! The status page: shows people the state of every property.
//!
//! Pure: takes the states and the time, returns a page. Knows what to show of a property and in which words. Refuses
//! to know tasks, HTTP and the source of the states.
//!
//! `selection` is what the request asks for: which properties, in which order, which page of them. `card` shows one
//! property, with its `chart`, its `reports` and its `quota`. `words` formats numbers and times. `figures` reads
//! values from snapshots.

use std::sync::Arc;

use jiff::Timestamp;
use maud::{Markup, html};

use ga4_exporter_core::store::PropertyState;

use crate::{
    pages::{self, Depth},
    troubles::Trouble,
};

use selection::Selected;
pub use selection::{Selection, Sort};

mod card;
mod chart;
mod figures;
mod quality;
mod quota;
mod reports;
mod selection;
mod words;

/// The input of the page.
#[derive(Debug)]
pub struct View<'a> {
    /// The properties in the order of their ids.
    pub properties: &'a [Arc<PropertyState>],
    /// Whether the store has all properties that the configuration asks for.
    pub is_complete: bool,
    /// The number of properties that other shards export.
    pub elsewhere: usize,
    /// Problems that keep all properties from being polled.
    pub troubles: &'a [Trouble],
    /// The path of the metrics.
    pub telemetry_path: &'a str,
}

/// Renders the page.
pub fn render(view: &View<'_>, selection: &Selection, now: Timestamp) -> String {
    let selected = Selected::new(view.properties, selection, now);
    let content = html! {
        h1 { "Google Analytics" }
        (summary(view, now))
        @for trouble in view.troubles { (show(trouble, now)) }
        (form(selection))
        @if selected.found == 0 {
            (nothing(view, selection))
        } @else {
            p.quiet role="status" { (found(&selected, view.properties.len())) }
            @if selected.shown.iter().any(|state| figures::watched(state, now).is_some()) { (usual_explained()) }
            ul.cards { @for state in &selected.shown { li { (card::card(state, now)) } } }
            (turn(&selected, selection))
        }
    };
    pages::page("Google Analytics exporter", Depth::Root, view.telemetry_path, &content)
}

/// Returns one sentence about the state of all properties.
fn summary(view: &View<'_>, now: Timestamp) -> Markup {
    let failing = view.properties.iter().filter(|state| figures::is_failing(state)).count();
    let is_late = |state: &PropertyState| state.reports.iter().any(|report| figures::is_late(report, now));
    let late = view.properties.iter().filter(|state| !figures::is_failing(state) && is_late(state)).count();
    let dropping = view.properties.iter().filter(|state| figures::drop(state, now).is_some()).count();
    html! {
        p {
            (words::count_of(view.properties.len(), "property", "properties"))
            @if view.elsewhere > 0 { " here, " (words::integer(view.elsewhere)) " in other shards" }
            @if !view.is_complete { ", as far as they are known: waiting for the first listing" }
            ". "
            @if dropping > 0 { strong { (words::count_of(dropping, "has", "have")) " less traffic than usual. " } }
            @if failing > 0 { (words::count_of(failing, "has", "have")) " a report that fails. " }
            @if late > 0 { (words::count_of(late, "has", "have")) " no present values yet. " }
            @if failing + late + dropping == 0 && !view.properties.is_empty() && view.troubles.is_empty() { "All is well." }
        }
    }
}

/// Shows a problem of all properties: its cause and its remedy.
fn show(trouble: &Trouble, now: Timestamp) -> Markup {
    html! {
        div.state.bad {
            p {
                strong { (trouble.title) }
                " (" (trouble.reason) "), first " (words::ago(trouble.since, now)) ": " (words::sentence(&trouble.message))
            }
            p { (words::to_do(&trouble.remedy)) }
        }
    }
}

fn form(selection: &Selection) -> Markup {
    html! {
        form role="search" method="get" action="./" {
            label { "Name, id, account, zone or label"
                input type="search" name="q" value=(selection.text) maxlength="200";
            }
            label { "Sort by"
                select name="sort" {
                    @for sort in Sort::ALL {
                        option value=(sort.as_str()) selected[*sort == selection.sort] { (sort.title()) }
                    }
                }
            }
            button type="submit" { "Show" }
        }
    }
}

/// Explains a word that every card uses.
fn usual_explained() -> Markup {
    html! {
        p.quiet {
            "Usual is what the same minutes of this weekday had in past weeks, according to Google's history. "
            a href="./docs/DROP-DETECTION.md" { "How drops are found" } "."
        }
    }
}

/// Returns how many properties the page shows, of how many.
fn found(selected: &Selected<'_>, all: usize) -> String {
    let shown = selected.shown.len();
    let (first, last) = (selected.first + 1, selected.first + shown);
    match (selected.found == all, shown == selected.found) {
        (true, true) => format!("All {}.", words::count_of(all, "property", "properties")),
        (_, true) => format!("{} of {}.", words::integer(selected.found), words::integer(all)),
        _ => format!(
            "{} to {} of {}.",
            words::integer(first),
            words::integer(last),
            words::count_of(selected.found, "property", "properties")
        ),
    }
}

fn nothing(view: &View<'_>, selection: &Selection) -> Markup {
    html! {
        @if !view.properties.is_empty() {
            p { "No property matches “" (selection.text) "”. " a href="./" { "Show all" } "." }
        } @else if view.is_complete {
            p {
                "There is no property to export. Add the account as Viewer of a property in Google Analytics, or look at "
                "discovery and properties in the " a href="./config" { "configuration" } "."
            }
        } @else {
            p { "The properties are not known yet." @if view.troubles.is_empty() { " Waiting for the first listing." } }
        }
    }
}

/// Links to the previous and the next page.
fn turn(selected: &Selected<'_>, selection: &Selection) -> Markup {
    html! {
        @if selected.pages > 1 {
            nav.turn aria-label="Further properties" {
                span { @if selected.page > 1 {
                    a rel="prev" href=(selection.link_to(selected.page - 1)) { "← Before" }
                } }
                span.quiet { "Page " (selected.page) " of " (selected.pages) }
                span { @if selected.page < selected.pages {
                    a rel="next" href=(selection.link_to(selected.page + 1)) { "After →" }
                } }
            }
        }
    }
}

#[cfg(test)]
mod tests;
