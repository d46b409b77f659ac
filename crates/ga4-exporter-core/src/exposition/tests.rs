use std::{collections::BTreeMap, time::Duration};

use super::*;
use crate::{
    names::{Bucket, Category, PropertyId, Reason},
    properties::PropertyInfo,
    quota::Ledger,
    report::{Definition, ReportSettings, Request, definition_for_tests},
    store::{Attempt, Failure, States, Store},
    translate,
    wire::response::ReportResponse,
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
fn the_pieces_are_the_same_text_and_short() {
    let mut view = view();
    view.properties = vec![Arc::clone(&view.properties[0]); 200];
    let empty = View { reports: Vec::new(), properties: Vec::new(), own: Vec::new() };
    for (view, count) in [(&view, 2..=20), (&empty, 1..=1)] {
        for format in [Format::Text, Format::OpenMetrics] {
            let mut pieces: Vec<Vec<u8>> = Vec::new();
            let valid_until = render_in_pieces(view, format, at(10), &mut |piece| pieces.push(piece.to_vec()));
            let lengths: Vec<usize> = pieces.iter().map(Vec::len).collect();
            assert!(count.contains(&lengths.len()) && lengths.iter().all(|length| *length < 64 << 10), "{lengths:?}");
            assert_eq!(Rendering { text: pieces.concat(), valid_until }, render(view, format, at(10)));
        }
    }
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

/// A view of one property whose report with dimensions, defined so, had this answer.
fn labelled(reports: Vec<Arc<Report>>, asked: &Arc<Report>, answer: serde_json::Value) -> View {
    let response: ReportResponse = serde_json::from_value(answer).unwrap();
    let values = translate::values(asked, &response).unwrap();
    let quality = Some(translate::quality(asked, &response.metadata));
    let mut states = States::default();
    states.put(id(7), &PropertyInfo::default(), &reports);
    states.update(id(7), |state| {
        let attempt = Attempt { sent_at: at(0), took: Duration::from_millis(250) };
        let snapshot = Snapshot { report: Arc::clone(asked), values, quality, expires_at: at(180) };
        state.report_mut(&asked.name).unwrap().succeed(attempt, 2, snapshot);
    });
    let store = Store::default();
    store.apply(states.take_change());
    View { reports, properties: store.properties(), own: Vec::new() }
}

fn checkout_answer() -> serde_json::Value {
    let row = |labels: [&str; 2], cells: [&str; 2]| {
        let values = |texts: [&str; 2]| texts.map(|text| serde_json::json!({"value": text}));
        serde_json::json!({"dimensionValues": values(labels), "metricValues": values(cells)})
    };
    serde_json::json!({
        "kind": "analyticsData#runReport",
        "dimensionHeaders": [{"name": "deviceCategory"}, {"name": "pagePath"}],
        "metricHeaders": [{"name": "screenPageViews", "type": "TYPE_INTEGER"}, {"name": "totalRevenue", "type": "TYPE_CURRENCY"}],
        "rows": [
            row(["desktop", "/checkout"], ["120", "99.5"]),
            row(["mobile", "/checkout/\"two\"\\\n"], ["30", "-7"]),
            row(["(other)", "(not set)"], ["1", "0"]),
            row(["tablet", "/checkout"], ["many", "0"]),
            row(["desktop", "/checkout"], ["7", "7"]),
        ],
        "rowCount": 86,
        "metadata": {"timeZone": "Europe/Berlin", "currencyCode": "EUR"},
    })
}

/// The lines of the families of this report.
fn of_checkout(text: &str) -> String {
    let is_it = |line: &&str| line.contains("google_analytics_checkout_");
    text.lines().filter(is_it).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_report_with_dimensions_goes_from_request_to_text() {
    let report = Arc::new(Report::new(definition_for_tests()).unwrap());
    let Request::Core(request) = report.request(Some(jiff::civil::date(2026, 11, 24))) else { panic!("not core") };
    assert_eq!((request.dimensions.len(), request.date_ranges[0].start_date.as_str()), (2, "2026-11-24"));
    let view = labelled(vec![Arc::clone(&report)], &report, checkout_answer());
    assert_eq!(
        of_checkout(&text(&view, Format::Text, at(10))),
        r#"# HELP google_analytics_checkout_pageviews What screenPageViews counts today in the property's time zone (GA4 screenPageViews by deviceCategory, pagePath, filtered; additive over its labels). Cached; polled every google_analytics_report_interval_seconds.
# TYPE google_analytics_checkout_pageviews gauge
google_analytics_checkout_pageviews{property_id="7",device="desktop",path="/checkout"} 120
google_analytics_checkout_pageviews{property_id="7",device="mobile",path="/checkout/\"two\"\\\n"} 30
google_analytics_checkout_pageviews{property_id="7",device="(other)",path="(not set)"} 1
# HELP google_analytics_checkout_revenue What totalRevenue counts today in the property's time zone (GA4 totalRevenue by deviceCategory, pagePath, filtered; in the property's currency; additive over its labels). Cached; polled every google_analytics_report_interval_seconds.
# TYPE google_analytics_checkout_revenue gauge
google_analytics_checkout_revenue{property_id="7",device="desktop",path="/checkout"} 99.5
google_analytics_checkout_revenue{property_id="7",device="mobile",path="/checkout/\"two\"\\\n"} -7
google_analytics_checkout_revenue{property_id="7",device="(other)",path="(not set)"} 0
"#
    );
    let counts = view.properties[0].reports[0].snapshot.as_ref().unwrap().values.row_counts().unwrap();
    assert_eq!((counts.received, counts.existing, counts.dropped), (5, 86, 2));
    assert_eq!((counts.series_invalid, counts.series_duplicate, counts.series_over_limit), (2, 2, 0));
    assert_eq!(counts.series_dropped(), 4);
    let whole = text(&view, Format::Text, at(10));
    for line in [
        "rows{property_id=\"7\",report=\"checkout\"} 5",
        "rows_dropped{property_id=\"7\",report=\"checkout\"} 2",
        "truncated{property_id=\"7\",report=\"checkout\"} 1",
    ] {
        assert!(whole.contains(&format!("google_analytics_report_{line}\n")), "{line} is not in {whole}");
    }
    assert_eq!(of_checkout(&text(&view, Format::Text, at(180))), "", "expired");
}

#[test]
fn labels_of_another_definition_are_not_shown() {
    let asked = Arc::new(Report::new(definition_for_tests()).unwrap());
    let defined = |change: fn(&mut Definition)| {
        let mut definition = definition_for_tests();
        change(&mut definition);
        let present = Arc::new(Report::new(definition).unwrap());
        of_checkout(&text(&labelled(vec![present], &asked, checkout_answer()), Format::Text, at(10)))
    };
    let reordered = defined(|report| report.metrics.reverse());
    assert!(reordered.contains("checkout_revenue{property_id=\"7\",device=\"desktop\",path=\"/checkout\"} 99.5\n"));
    assert_eq!(defined(|report| report.dimensions.truncate(1)), "");
    let relabelled = defined(|report| report.dimensions.swap(0, 1));
    assert_eq!(relabelled, "", "the values stand in another order");
}
