use std::{collections::BTreeMap, time::Duration};

use super::*;
use crate::{
    names::{Bucket, Category, PropertyId, Reason},
    properties::PropertyInfo,
    quota::Ledger,
    report::ReportSettings,
    store::{Attempt, Failure, States, Store},
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + second).unwrap()
}

fn id(number: u64) -> PropertyId {
    number.to_string().parse().unwrap()
}

/// One property whose realtime report succeeded, and whose traffic report fails.
fn view() -> View {
    let reports = vec![
        Arc::new(Report::realtime(&ReportSettings::realtime(), false)),
        Arc::new(Report::traffic(&ReportSettings::traffic())),
    ];
    let mut states = States::default();
    let name = "Café \"Zoë\" \\ Shop\nnew".to_owned();
    states.put(id(7), &PropertyInfo { name, ..PropertyInfo::default() }, &reports);
    states.put(id(30), &PropertyInfo::default(), &reports);
    let attempt = Attempt { sent_at: at(0), took: Duration::from_millis(250) };
    states.update(id(7), |state| {
        let values = (0..6).map(f64::from).collect();
        let snapshot = Snapshot { report: Arc::clone(&reports[0]), values, quality: None, expires_at: at(180) };
        state.report_mut(&reports[0].name).unwrap().succeed(attempt, 2, snapshot);
        let failure = Failure { reason: Reason::NoAccess, message: String::new(), remedy: String::new(), since: at(0) };
        state.report_mut(&reports[1].name).unwrap().fail(attempt, failure);
        let mut ledger = Ledger::default();
        ledger.on_exhausted(id(7), Category::Core, Bucket::Hour, at(0));
        state.quota = BTreeMap::from([(Category::Core, ledger.view(id(7), Category::Core).unwrap())]);
    });
    let store = Store::default();
    store.apply(states.take_change());
    View { reports, properties: store.properties(), own: Vec::new() }
}

fn text(view: &View, format: Format, now: Timestamp) -> String {
    String::from_utf8(render(view, format, now).text).unwrap()
}

#[test]
fn the_whole_text() {
    insta::assert_snapshot!(text(&view(), Format::Text, at(10)));
}

#[test]
fn the_whole_text_in_openmetrics() {
    insta::assert_snapshot!(text(&view(), Format::OpenMetrics, at(10)));
}

#[test]
fn the_same_view_is_the_same_text() {
    assert_eq!(render(&view(), Format::Text, at(10)), render(&view(), Format::Text, at(10)));
}

#[test]
fn expired_values_are_not_shown_and_the_next_expiry_is_told() {
    let view = view();
    let fresh = render(&view, Format::Text, at(10));
    assert_eq!(fresh.valid_until, Some(at(180)));
    let stale = render(&view, Format::Text, at(180));
    assert!(!String::from_utf8_lossy(&stale.text).contains("realtime_pageviews"));
    assert_eq!(stale.valid_until, Some(at(1800)), "the closed bucket opens");
    assert_eq!(render(&view, Format::Text, at(1800)).valid_until, None);
}

#[test]
fn values_of_an_older_definition_are_found_by_name() {
    let mut view = view();
    let mut settings = ReportSettings::realtime();
    settings.metrics = vec!["key_events", "pageviews"];
    view.reports[0] = Arc::new(Report::realtime(&settings, false));
    let text = text(&view, Format::Text, at(10));
    assert!(text.contains("google_analytics_realtime_key_events{property_id=\"7\"} 3\n"), "{text}");
    assert!(!text.contains("realtime_active_users"), "no longer defined");
}
