use std::{collections::BTreeMap, time::Duration};

use super::*;
use ga4_drop_baseline::{Assessment, Slice, WINDOWS, WindowCount};

use ga4_exporter_core::{
    names::{Bucket, Category, PropertyId, Reason},
    properties::PropertyInfo,
    quota::Ledger,
    report::Report,
    store::{Attempt, Failure, PropertyState, Snapshot, States, Store, Watched},
    wire::response::{PropertyQuota, QuotaStatus},
};

use crate::config::Config;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + second).unwrap()
}

fn id(number: u64) -> PropertyId {
    number.to_string().parse().unwrap()
}

/// A store that tests fill with properties.
struct World {
    states: States,
    store: Store,
    reports: Vec<Arc<Report>>,
    troubles: Vec<Trouble>,
}

impl World {
    fn new() -> Self {
        let config = Config::default();
        let realtime = Arc::new(Report::realtime(&config.realtime, true));
        Self {
            states: States::default(),
            store: Store::default(),
            reports: vec![realtime, Arc::new(Report::traffic(&config.traffic))],
            troubles: Vec::new(),
        }
    }

    fn update(&mut self, number: u64, change: impl FnOnce(&mut PropertyState)) {
        self.states.update(id(number), change);
        self.store.apply(self.states.take_change());
    }

    fn property(mut self, number: u64, name: &str) -> Self {
        let info =
            PropertyInfo { name: name.to_owned(), time_zone: "Europe/Berlin".to_owned(), ..PropertyInfo::default() };
        self.states.put(id(number), &info, &self.reports);
        self.store.apply(self.states.take_change());
        self
    }

    /// Sets every value of the daily report to `value`, valid until second 900.
    fn traffic(mut self, number: u64, value: f64) -> Self {
        let report = Arc::clone(&self.reports[1]);
        let values = vec![value; report.families.len()].into();
        let attempt = Attempt { sent_at: at(0), took: Duration::from_millis(10) };
        self.update(number, |state| {
            let snapshot = Snapshot { report: Arc::clone(&report), values, quality: None, expires_at: at(900) };
            let state = state.report_mut(&report.name).unwrap();
            state.succeed(attempt, 1, snapshot);
            state.next_attempt = Some(at(300));
        });
        self
    }

    fn fails(mut self, number: u64, message: &str) -> Self {
        let attempt = Attempt { sent_at: at(0), took: Duration::from_millis(10) };
        self.update(number, |state| {
            for report in &mut state.reports {
                let (message, remedy) = (message.to_owned(), "add x@example.com".to_owned());
                report.fail(attempt, Failure { reason: Reason::NoAccess, message, remedy, since: at(-600) });
            }
        });
        self
    }

    /// Sets the pageviews of the last half hour; 100 are usual.
    fn watched(mut self, number: u64, pageviews: f64) -> Self {
        let count = WindowCount {
            window: WINDOWS.iter().find(|w| w.name == "30m").unwrap(),
            pageviews,
            expected: 100.0,
            low: 60.0,
        };
        let slice = Slice { pageviews: Some(30.0), expected: 33.0 };
        let assessment =
            Assessment { windows: vec![count], course: vec![slice; 36].into(), is_fit: true, ..Assessment::default() };
        self.update(number, |state| {
            state.watched = Some(Arc::new(Watched { assessment, expires_at: at(180) }));
        });
        self
    }

    fn page(&self, query: &str, now: Timestamp) -> String {
        let properties = self.store.properties();
        let view = View {
            properties: &properties,
            is_complete: true,
            elsewhere: 0,
            troubles: &self.troubles,
            telemetry_path: "/metrics",
        };
        render(&view, &Selection::from_query(query), now)
    }
}

/// Returns the headings of the cards in page order.
fn names(page: &str) -> Vec<&str> {
    let headings = page.split("<h2 id=\"property-").skip(1);
    headings.filter_map(|rest| rest.split_once('>')?.1.split_once("</h2>")).map(|(name, _)| name).collect()
}

#[track_caller]
fn has(page: &str, part: &str) {
    assert!(page.contains(part), "{part} is not in {page}");
}

#[test]
fn texts_of_strangers_are_shown_as_they_are() {
    let hostile = "<script>alert('x')</script>\"><img src=x onerror=alert(1)> &amp;";
    let page = World::new().property(7, hostile).fails(7, hostile).page("q=%22%3E%3Cscript%3E", at(1));
    has(&page, "No property matches “&quot;&gt;&lt;script&gt;”");
    let page = World::new().property(7, hostile).fails(7, hostile).page("q=alert", at(1));
    has(&page, "&lt;script&gt;alert('x')&lt;/script&gt;&quot;&gt;&lt;img src=x onerror=alert(1)&gt; &amp;amp;");
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
}

#[test]
fn a_property_shows_its_figures_its_reports_and_when_they_come_next() {
    let page = World::new().property(7, "Shop").traffic(7, 1234.0).watched(7, 95.0).page("", at(60));
    for part in [
        "7 · Europe/Berlin",
        "<td class=\"number\">1,234</td>",
        "60 s ago</time>",
        "in 4 min</time>",
        "<strong>95</strong> pageviews, usual: 100",
        "aria-label=\"Pageviews of the last 6 hours: 1,080 counted, 1,188 usual in the same time\"",
        "href=\"./probe?target=7\"",
    ] {
        has(&page, part);
    }
}

#[test]
fn what_usual_means_is_said_once_where_the_word_stands() {
    let explained = |page: &str| page.matches("Usual is what the same minutes").count();
    let world = World::new().property(7, "Shop").watched(7, 95.0).property(8, "Blog").watched(8, 95.0);
    let page = world.page("", at(60));
    assert_eq!(explained(&page), 1, "{page}");
    has(&page, "href=\"./docs/DROP-DETECTION.md\"");
    assert_eq!(explained(&World::new().property(7, "Shop").page("", at(60))), 0, "nothing is compared");
    assert_eq!(explained(&world.page("", at(181))), 0, "the comparison has expired");
}

#[test]
fn all_is_well_only_with_present_values() {
    let mut world = World::new().property(7, "Shop").traffic(7, 1.0);
    has(&world.page("", at(1)), "1 has no present values yet.");
    world.reports.remove(0);
    let mut world = World { states: States::default(), store: Store::default(), ..world }.property(7, "Shop");
    let report = Arc::clone(&world.reports[0]);
    world.update(7, |state| {
        let values = vec![1.0; report.families.len()].into();
        let attempt = Attempt { sent_at: at(0), took: Duration::from_millis(10) };
        let snapshot = Snapshot { report: Arc::clone(&report), values, quality: None, expires_at: at(900) };
        state.report_mut(&report.name).unwrap().succeed(attempt, 1, snapshot);
    });
    has(&world.page("", at(1)), "All is well.");
    has(&world.page("", at(901)), "<td>late</td>");
}

#[test]
fn what_google_no_longer_lists_is_asked_for_no_more() {
    let mut world = World::new().property(7, "Shop");
    world.update(7, |state| state.mark_unlisted(at(0)));
    has(&world.page("", at(60)), "<td>not_listed</td><td>none yet</td><td>none</td>");
}

#[test]
fn what_has_expired_is_not_shown() {
    let world = World::new().property(7, "Shop").traffic(7, 1234.0).watched(7, 95.0);
    let page = world.page("", at(900));
    assert!(!page.contains("1,234") && !page.contains("usual: 100"), "{page}");
    has(&page, "no present value");
}

/// Returns the classes of the boxes in page order.
fn boxes(page: &str) -> Vec<&str> {
    page.split("<div class=\"state ").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn a_drop_stands_before_a_failure_and_is_the_stronger_of_the_two() {
    let world = World::new().property(1, "Alpha").fails(1, "No.").property(2, "Beta").watched(2, 12.0);
    let page = world.page("", at(0));
    assert_eq!(names(&page), ["Beta", "Alpha"]);
    assert_eq!(boxes(&page), ["bad", "warn"], "{page}");
    let both = World::new().property(1, "Alpha").fails(1, "No.").watched(1, 12.0).page("", at(0));
    assert_eq!(boxes(&both), ["bad", "warn"], "{both}");
    let [drop, failure] = ["less traffic than usual. ", "a report that fails. "].map(|part| both.find(part).unwrap());
    assert!(drop < failure, "{both}");
}

#[test]
fn what_keeps_all_properties_from_being_polled_is_on_top_with_what_to_do() {
    let mut world = World::new();
    world.troubles = vec![Trouble {
        title: "The exporter cannot sign in to Google",
        reason: "invalid_key",
        message: "Invalid JWT Signature.".to_owned(),
        remedy: "create a new <key>".to_owned(),
        since: at(-600),
    }];
    let page = world.page("", at(0));
    has(
        &page,
        "<div class=\"state bad\"><p><strong>The exporter cannot sign in to Google</strong> (invalid_key), first ",
    );
    has(&page, "10 min ago</time>: Invalid JWT Signature.</p><p>To do: create a new &lt;key&gt;.</p></div>");
    assert!(!world.property(7, "Shop").page("", at(0)).contains("All is well"));
}

#[test]
fn while_the_alert_learns_the_card_says_until_when() {
    let learning = |until: i64, now: i64| {
        let mut world = World::new().property(7, "Shop").watched(7, 95.0);
        world.update(7, |state| {
            let watched = state.watched.as_deref().unwrap();
            let assessment = Assessment { learning_until: Some(at(until)), ..watched.assessment.clone() };
            state.watched = Some(Arc::new(Watched { assessment, expires_at: at(36_000) }));
        });
        world.page("", at(now))
    };
    let page = learning(9_000, 0);
    has(&page, "Learning: until 19:30 (Europe/Berlin), <time ");
    has(&page, "in 2 h</time>, only near-total outages page.");
    assert!(!learning(9_000, 9_000).contains("Learning"));
}

#[test]
fn a_healthy_card_folds_its_tokens() {
    let mut world = World::new().property(7, "Shop").traffic(7, 1.0);
    // Otherwise the property waits for realtime values and is not healthy.
    world.update(7, |state| state.reports.retain(|report| report.name.as_str() == "traffic"));
    let mut ledger = Ledger::default();
    let quota = PropertyQuota {
        tokens_per_day: Some(QuotaStatus { consumed: 5, remaining: 150_000 }),
        ..PropertyQuota::default()
    };
    ledger.on_success(id(7), Category::Core, Some(&quota), at(0), at(3600));
    world.update(7, |state| {
        state.quota = BTreeMap::from([(Category::Core, ledger.view(id(7), Category::Core).unwrap())]);
    });
    let page = world.page("", at(1));
    has(&page, "<details><summary>Tokens left</summary><dl class=\"bars\">");
    assert!(!page.contains("scarcest bucket"), "{page}");
    let page = world.fails(7, "No.").page("", at(1));
    has(&page, "Tokens left of the scarcest bucket");
}

#[test]
fn a_failure_is_told_once_with_reason_and_remedy() {
    let page = World::new().property(7, "Shop").fails(7, "Google denies access: No.").page("", at(0));
    has(&page, "<strong>realtime, traffic fail</strong> (no_access), first ");
    has(&page, "10 min ago</time>: Google denies access: No.</p>");
    has(&page, "<p>To do: add x@example.com.</p>");
    has(&page, "1 has a report that fails.");
    assert_eq!(page.matches("Google denies access").count(), 1, "{page}");
}

#[test]
fn a_drop_of_traffic_is_told_with_its_figures() {
    let page = World::new().property(7, "Shop").watched(7, 12.0).page("", at(0));
    has(&page, "<strong>Less traffic than usual: </strong>12 pageviews in the last 30 minutes; usual: 100.");
    has(&page, "1 has less traffic than usual.");
}

#[test]
fn a_drop_that_only_the_minutes_show_is_one_too() {
    let mut world = World::new().property(7, "Shop");
    let assessment = Assessment { evidence: Some(1.0), is_fit: true, ..Assessment::default() };
    world.update(7, |state| state.watched = Some(Arc::new(Watched { assessment, expires_at: at(180) })));
    has(
        &world.page("", at(0)),
        "<strong>Less traffic than usual: </strong>the last hours together show it, though no single window does.",
    );
    has(&world.page("", at(0)), "1 has less traffic than usual.");
    assert!(!world.page("", at(180)).contains("Less traffic"), "it has expired");
}

#[test]
fn a_closed_bucket_says_when_it_opens() {
    let mut world = World::new().property(7, "Shop");
    let mut ledger = Ledger::default();
    ledger.on_exhausted(id(7), Category::Core, Bucket::Hour, at(0));
    world.update(7, |state| {
        state.quota = BTreeMap::from([(Category::Core, ledger.view(id(7), Category::Core).unwrap())]);
    });
    let page = world.page("", at(60));
    has(&page, "<meter aria-label=\"Tokens left: core, hour\" min=\"0\" max=\"40000\" low=\"4000\"");
    has(&page, "closed, opens <time");
    has(&page, "in 29 min</time>");
}

#[test]
fn properties_are_found_and_sorted() {
    let world = World::new()
        .property(1, "Alpha")
        .property(2, "beta")
        .property(3, "Gamma")
        .property(4, "")
        .traffic(1, 5.0)
        .traffic(3, 0.0)
        .watched(3, 10.0)
        .fails(4, "No.");
    for (query, expected) in [
        ("", vec!["Gamma", "4", "Alpha", "beta"]),
        ("sort=name", vec!["4", "Alpha", "beta", "Gamma"]),
        ("sort=id", vec!["Alpha", "beta", "Gamma", "4"]),
        ("sort=pageviews", vec!["Alpha", "Gamma", "4", "beta"]),
        ("sort=drop", vec!["Gamma", "4", "Alpha", "beta"]),
        ("q=BETA", vec!["beta"]),
        ("q=4", vec!["4"]),
        ("q=berlin&sort=name", vec!["4", "Alpha", "beta", "Gamma"]),
    ] {
        assert_eq!(names(&world.page(query, at(1))), expected, "{query}");
    }
}

#[test]
fn many_properties_come_page_by_page() {
    let mut world = World::new();
    for number in 0..110 {
        world = world.property(1000 + number, &format!("Site {number:03}"));
    }
    let first = world.page("sort=name&q=site", at(0));
    assert_eq!((names(&first).len(), names(&first)[0]), (24, "Site 000"));
    has(&first, "1 to 24 of 110 properties.");
    has(&first, "<a rel=\"next\" href=\"./?q=site&amp;sort=name&amp;page=2\">");
    let last = world.page("sort=name&page=99", at(0));
    assert_eq!((names(&last).len(), names(&last)[0]), (14, "Site 096"));
    has(&last, "Page 5 of 5");
    assert!(!last.contains("rel=\"next\""));
}

#[test]
fn without_properties_the_page_says_why() {
    let page = |is_complete| {
        let view = View { properties: &[], is_complete, elsewhere: 0, troubles: &[], telemetry_path: "/metrics" };
        render(&view, &Selection::from_query(""), at(0))
    };
    has(&page(false), "The properties are not known yet.");
    has(&page(true), "Add the account as Viewer of a property");
}
