//! The verdict on a drop is the same wherever it is read: in `/metrics`, on the status page, and by the alert rules, whose
//! promtool tests `tests/rules/verdicts_test.yml` are made of what `/metrics` says. `VERDICTS_RENEW=1` writes that file.

use std::{fmt::Write as _, fs, path::Path, sync::Arc};

use ga4_drop_baseline::{Assessment, Verdict, WINDOWS, Window, WindowCount};
use ga4_exporter_core::{
    exposition::{Format, View, render},
    names::PropertyId,
    properties::PropertyInfo,
    report::{BaselineSettings, Report, ReportSettings},
    store::{PropertyState, States, Store, Watched},
};
use google_analytics_exporter::status::{self, Selection};
use jiff::Timestamp;

#[test]
fn metrics_and_the_status_page_say_the_same() {
    for (number, assessment) in (1..).zip(assessments(2_000)) {
        let states = states(number, &assessment);
        let dropping = families(&states)
            .lines()
            .find_map(|line| line.strip_prefix("google_analytics_monitor_dropping{").map(|rest| rest.ends_with("} 1")));
        assert_eq!(dropping, Verdict::of(&assessment).is_dropping(), "{assessment:?}");
        let view = status::View {
            properties: &states,
            is_complete: true,
            elsewhere: 0,
            troubles: &[],
            telemetry_path: "/metrics",
        };
        let page = status::render(&view, &Selection::from_query(""), now());
        assert_eq!(page.contains("Less traffic than usual"), dropping == Some(true), "{assessment:?}: {page}");
    }
}

#[test]
fn the_rules_are_tested_on_what_metrics_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules/verdicts_test.yml");
    let made = rule_tests();
    if std::env::var_os("VERDICTS_RENEW").is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert!(
        made == fs::read_to_string(&path).unwrap(),
        "VERDICTS_RENEW=1 cargo test --test it verdicts:: writes it anew"
    );
}

/// One test of the rules, with a property for each assessment.
fn rule_tests() -> String {
    let some: Vec<Assessment> = assessments(400).into_iter().step_by(10).collect();
    let mut text = HEADER.to_owned();
    let (mut expected, mut alerts) = (String::new(), String::new());
    for (number, assessment) in (1..).zip(&some) {
        for line in families(&states(number, assessment)).lines().filter(|line| line.starts_with(MONITOR)) {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let _ = writeln!(text, "      - {{series: '{series}', values: {value}x20}}");
        }
        if let Some(drop) = Verdict::of(assessment).drop() {
            let labels = format!(
                "property_monitor:google_analytics_traffic_drop:ratio{{property_id=\"{number}\",monitor=\"pageviews\"}}"
            );
            let _ = writeln!(expected, "          - {{labels: '{labels}', value: {}}}", drop.depth);
            alerts.push_str(&alert(number, assessment, drop.depth));
        }
    }
    let dropping = some.iter().filter(|assessment| Verdict::of(assessment).is_dropping() == Some(true)).count();
    let empty = some.iter().filter(|assessment| is_empty(assessment)).count();
    let _ = write!(
        text,
        "    alert_rule_test:
      - eval_time: 10m
        alertname: GoogleAnalyticsTrafficDrop
        exp_alerts:
{alerts}    promql_expr_test:
      - expr: property_monitor:google_analytics_traffic_drop:ratio
        eval_time: 10m
        exp_samples:
{expected}      - expr: count by (alertname) (ALERTS{{alertname=~\"GoogleAnalytics(TrafficDrop|NoTraffic)\",alertstate=\"firing\"}})
        eval_time: 10m
        exp_samples:
          - {{labels: '{{alertname=\"GoogleAnalyticsTrafficDrop\"}}', value: {dropping}}}
          - {{labels: '{{alertname=\"GoogleAnalyticsNoTraffic\"}}', value: {empty}}}
"
    );
    text
}

/// The page of a drop of this depth: its percentage and its figures are of one window, the longest that is as deep.
fn alert(number: u64, assessment: &Assessment, depth: f64) -> String {
    let is_as_deep = |count: &&WindowCount| (1.0 - count.pageviews / count.expected - depth).abs() < 1e-9;
    let less = match assessment.windows.iter().rfind(is_as_deep) {
        Some(WindowCount { window, pageviews, expected, .. }) => format!(
            "{:.0} % fewer pageviews than usual in the last {}: {pageviews:.0}, usual: {expected:.0}.",
            100.0 * depth,
            window.name
        ),
        None => "fewer pageviews than usual in the minutes of the last hours.".to_owned(),
    };
    format!(
        "          - exp_labels: {{severity: critical, property_id: \"{number}\", monitor: pageviews}}
            exp_annotations:
              summary: Traffic of a property is far below what is usual at this time.
              runbook_url: docs/RUNBOOK.md#googleanalyticstrafficdrop
              description: 'Property {number} has {less}'
"
    )
}

/// Whether there is a drop and a window that should have traffic has none.
fn is_empty(assessment: &Assessment) -> bool {
    let is_empty = |count: &WindowCount| count.pageviews == 0.0 && count.low > 0.0;
    Verdict::of(assessment).is_dropping() == Some(true) && assessment.windows.iter().any(is_empty)
}

/// Assessments of every kind, the same ones every time: a linear congruential generator is random enough.
fn assessments(count: usize) -> Vec<Assessment> {
    let mut state = 7_u64;
    let mut below = move |most: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % most
    };
    let mut one = || {
        let (level, rate) = (below(5), below(900));
        let count = |window: &'static Window, below: &mut dyn FnMut(u64) -> u64| {
            let minutes = u64::try_from(window.minutes).unwrap();
            let expected = f64::from(u32::try_from(rate * minutes).unwrap()) / 60.0 + 0.25;
            let part = [0, below(50), below(110), 70 + below(60), 95 + below(40)][usize::try_from(level).unwrap()];
            let pageviews = (expected * f64::from(u32::try_from(part).unwrap()) / 100.0).round();
            WindowCount { window, pageviews, expected, low: (0.55 * expected).floor() }
        };
        let missing = below(12);
        let windows = (0..).zip(WINDOWS).filter(|(place, _)| *place != missing);
        Assessment {
            windows: windows.map(|(_, window)| count(window, &mut below)).collect(),
            evidence: Some(f64::from(u32::try_from(below(130)).unwrap()) / 100.0),
            learning_until: (below(8) == 0).then(now),
            is_fit: below(8) > 0,
            ..Assessment::default()
        }
    };
    (0..count).map(|_| one()).collect()
}

/// A property that is watched, with this assessment.
fn states(number: u64, assessment: &Assessment) -> Vec<Arc<PropertyState>> {
    let (mut states, store) = (States::default(), Store::default());
    let id: PropertyId = number.to_string().parse().unwrap();
    states.put(id, &PropertyInfo::default(), &reports());
    let expires_at = Timestamp::from_second(now().as_second() + 60).unwrap();
    states.update(id, |state| state.watched = Some(Arc::new(Watched { assessment: assessment.clone(), expires_at })));
    store.apply(states.take_change());
    store.properties()
}

fn families(properties: &[Arc<PropertyState>]) -> String {
    let view = View { reports: reports(), properties: properties.to_vec(), own: Vec::new() };
    String::from_utf8(render(&view, Format::Text, now()).text).unwrap()
}

fn reports() -> Vec<Arc<Report>> {
    let minutes = Report::realtime(&ReportSettings::realtime(), true);
    vec![Arc::new(minutes), Arc::new(Report::baseline(&BaselineSettings::default()))]
}

fn now() -> Timestamp {
    Timestamp::from_second(1_764_000_000).unwrap()
}

const MONITOR: &str = "google_analytics_monitor_";

const HEADER: &str = "\
# The alert rules on what /metrics says of random assessments. Made by tests/it/verdicts.rs: change that.
rule_files: [../../deploy/prometheus/rules/google_analytics_traffic.yml]
evaluation_interval: 30s
tests:
  - name: What the exporter calls a drop pages, with the same depth, and nothing else does.
    interval: 1m
    input_series:
";
