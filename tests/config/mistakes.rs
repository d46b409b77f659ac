//! Reports of one's own as people write them wrong: every one is refused or warned of, and the message says what to write.

use std::path::Path;

use google_analytics_exporter::config::Config;

#[test]
fn every_mistake_in_a_report_is_found_and_explained() {
    let mut table = String::new();
    for mistake in MISTAKES {
        let text = format!("discovery: {{}}\nreports:\n  {mistake}\n");
        let problems = match Config::from_yaml(&text, Path::new("a.yml")) {
            Ok(loaded) => loaded.warnings,
            Err(errors) => errors.problems().to_vec(),
        };
        assert!(!problems.is_empty(), "{mistake} is taken as it is");
        let shown: String = mistake
            .chars()
            .map(|c| if "'\"".contains(c) { c.to_string() } else { c.escape_debug().to_string() })
            .collect();
        table += &format!("{shown}\n");
        for problem in problems {
            let (message, position) = (problem.message(), problem.position());
            assert!(message.contains(';') || message.contains(": use "), "no advice: {mistake}: {message}");
            assert!(position.line >= 3 && !message.contains(char::is_control), "{mistake}: {problem}");
            table += &format!("    {}:{}: {message}\n", position.line, position.column);
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn mistakes_around_reports_are_found_and_explained() {
    for (text, expected) in [
        (
            "properties: [1, 2]\nreports:\n  a: {metrics: [pageviews], properties: [1, 3]}\n",
            "a.yml:3:45: property 3 is not exported, so the report is not polled for it; add it to the properties, or remove it here",
        ),
        (
            "discovery: {}\nreports: [pages, devices]\n",
            "a.yml:2:10: `reports` is a list; each report has a name; write `pages: {preset: pages}` without a dash",
        ),
        (
            "discovery: {}\nreports:\n  a: {metrics:\u{a0}[pageviews]}\n",
            "a.yml:3:15: `\\u{a0}` is none of YAML's characters, though it may look like one; type it again",
        ),
        (
            "discovery: {}\nreports:\n  a: {metrics\u{ff1a} [pageviews]}\n",
            "a.yml:3:14: `\\u{ff1a}` is none of YAML's characters, though it may look like one; type it again",
        ),
        (
            "discovery: {}\nreports:\n  a: {metrics: [\u{201c}pageviews\u{201d}: x: y]}\n",
            "a.yml:3:17: `\\u{201c}` is none of YAML's characters, though it may look like one; type it again",
        ),
        (
            "discovery: {}\nreports:\n  a: {metrics: ['\u{201c}'}\n",
            "a.yml:3:16: this is not valid YAML (mismatched bracket '[' closed by '}'); check the indentation, quotes and brackets \
             here and just above",
        ),
        (
            "discovery: {}\nreports:\na: {metrics: [pageviews]}\n",
            "a.yml:3:1: unknown key `a` at the top level; its own keys are those of `reports.<name>`: check the indentation",
        ),
    ] {
        let problems = match Config::from_yaml(text, Path::new("a.yml")) {
            Ok(loaded) => loaded.warnings,
            Err(errors) => errors.problems().to_vec(),
        };
        assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected], "{text}");
    }
}

#[test]
fn a_field_with_an_endless_name_is_refused_and_not_cut() {
    let text = format!(
        "discovery: {{}}\nreports:\n  a: {{dimensions: {{x: 'customEvent:{}'}}, metrics: [pageviews]}}\n",
        "x".repeat(150)
    );
    let message = Config::from_yaml(&text, Path::new("a.yml")).unwrap_err().to_string();
    assert!(message.contains("is no field, since a name of 162 characters is too long; write it as"), "{message}");
    let long = format!("discovery: {{}}\nreports:\n  a: {{metrics: {{x: 'keyEvents:{}'}}}}\n", "x".repeat(120));
    let loaded = Config::from_yaml(&long, Path::new("a.yml")).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(loaded.config.own_reports[0].report.metrics[0].api_name.as_str().len(), 130);
}

/// A report each, or several.
const MISTAKES: &[&str] = &[
    // Types.
    "a: {dimensions: pagePath, metrics: [pageviews]}",
    "a: {dimensions: [true, 12, [pagePath]], metrics: [pageviews]}",
    "a: {dimensions: [{page: pagePath}], metrics: [{views: screenPageViews}]}",
    "a: {dimensions: [{name: pagePath}], metrics: [{expression: sessions-engagedSessions}]}",
    "a: {dimensions: [customEvent: plan], metrics: [pageviews]}",
    "a: {dimensions: {page: [pagePath]}, metrics: {views: }}",
    "a: {metrics: }",
    "a: {metrics: [pageviews, ~]}",
    "a: {dimensions: {~: pagePath, '': city}, metrics: [pageviews]}",
    "~: {metrics: [pageviews]}",
    "a: {dimensions: [city], metrics: [pageviews], limit: [10], max_series: , order_by: {metric: pageviews}}",
    "a: {metrics: [pageviews], enabled: yes, realtime: 'true'}",
    "a: pages",
    "pages: true",
    "metrics: [pageviews]",
    "filter: {dimension: pagePath, equals: /}",
    // Keys.
    "a: {metrics: [pageviews], dimensionFilter: {}, dateRanges: [], orderBys: [], offset: 5, currencyCode: EUR}",
    "a: {metrics: [pageviews], dimension: pagePath, labels: {x: y}, name: a, help: b, maxSeries: 5}",
    "a: {metrics: [pageviews], filter: {pagePath: /checkout}}",
    "a: {metrics: [pageviews], filter: {field: pagePath, operator: begins_with, value: /}}",
    "a: {metrics: [pageviews], filter: {any: [{dimension: pagePath, starts_with: /}]}}",
    "a: {metrics: [pageviews], filter: {or: [{dimension: pagePath, starts_with: /}, {metric: sessions, gte: 5}]}}",
    "a: {metrics: [pageviews], filter: {dimension: pagePath, not_contains: x}}",
    "a: {metrics: [pageviews], filter: [{dimension: pagePath, equals: x}]}",
    "a: {metrics: [pageviews], filter: {not: [{dimension: pagePath, equals: x}]}}",
    "a: {metrics: [pageviews], filter: {dimension: pagePath, equals: x, equals: y}}",
    "a: {metrics: [pageviews], filter: {metric: sessions, at_least: 5, case_sensitive: false}}",
    "a: {metrics: [pageviews], filter: {dimension: hour, at_least: 5, case_sensitive: false}}",
    "a: {metrics: [pageviews], filter: {dimension: pagePath, equals: ''}}",
    "a: {metrics: [pageviews], filter: {dimension: , equals: x}}",
    "a: {metrics: [pageviews], filter: {metric: sessions, between: [20, 10]}}",
    "a: {metrics: [pageviews], filter: {metric: sessions, between: 10-20}}",
    "a: {metrics: [pageviews], filter: {metric: sessions, at_least: '1,000'}}",
    "a: {metrics: [pageviews], filter: {metric: sessions, at_least: .nan}}",
    "a: {metrics: [pageviews], filter: {metric: bounceRate, at_least: 50}}",
    "a: {metrics: [pageviews], filter: {and_group: {expressions: []}}}",
    "a: {metrics: [pageviews], filter: {andGroup: [{filter: {fieldName: pagePath, emptyFilter: {}}}]}}",
    "a: {metrics: [pageviews], filter: {metricFilter: {filter: {fieldName: sessions, numericFilter: {operation: EQUAL, value: 10}}}}}",
    "a: {metrics: [pageviews], filter: {filter: {fieldName: pagePath, stringFilter: {matchType: FULL_REGEXP, value: '(?=x)'}}}}",
    "a: {metrics: [pageviews], filter: {filter: {fieldName: pagePath, stringFilter: {value: ''}}}}",
    "a: {metrics: [pageviews], filter: {dimension: pagePath, full_regex: '*.html'}}",
    "a: {metrics: [pageviews], filter: {dimension: pagePath, regex: '(a)\\1'}}",
    "a: {metrics: [pageviews], filter: {dimension: pagePath, regex: '/item/{id}'}}",
    "a: {realtime: true, metrics: [activeUsers], filter: {metric: sessions, at_least: 1}}",
    "a: {preset: realtime_pages, filter: {dimension: pagePath, equals: x}, date_range: today}",
    // Rows, days and times.
    "a: {dimensions: [city], metrics: [pageviews, sessions], max_series: 1}",
    "a: {metrics: [pageviews], limit: 10, order_by: -pageviews, max_series: 5}",
    "a: {dimensions: [city], metrics: [pageviews], limit: -1, max_series: 1_000}",
    "a: {dimensions: [city], metrics: [pageviews], limit: 99999999999999999999999999}",
    "a: {metrics: [pageviews], interval: 500ms, stale_after: 0x}",
    "a: {metrics: [pageviews], interval: '*/5 * * * *'}",
    "a: {metrics: [pageviews], interval: {minutes: 5}}",
    "a: {metrics: [pageviews], date_range: Today}",
    "a: {metrics: [pageviews], date_range: trailing_30d}",
    "a: {metrics: [pageviews], date_range: [today, yesterday]}",
    "a: {metrics: [pageviews], date_range: {startDate: 7daysAgo, endDate: today}}",
    "a: {metrics: [pageviews], date_range: {from: 2daysAgo, to: 5daysAgo}}",
    "a: {metrics: [pageviews], date_range: {from: today, to: tomorrow}}",
    "a: {dimensions: [city], metrics: [pageviews], order_by: [-Pageviews, 'city desc', '-']}",
    // Names.
    "a: {dimensions: {currency: city}, metrics: [pageviews]}",
    "a: {dimensions: {Host: hostName, 'host name': city}, metrics: [pageviews]}",
    "a: {dimensions: [pagePath, page_path], metrics: [pageviews, screenPageViews]}",
    "a: {dimensions: {page: pagePath, page: city}, metrics: [pageviews]}",
    "a: {dimensions: {deviceCategory: device}, metrics: {totalRevenue: revenue}}",
    "größe: {metrics: [pageviews]}",
    "\"a\\u0007b\": {metrics: [pageviews]}",
    "a: {metrics: [\"page\u{200b}views\", \"page\u{a0}views\"]}",
    "realtime_5m: {preset: devices}",
    "realtime_pages: {preset: devices}\n  realtime_events: {metrics: [pageviews]}",
    "a: {metrics: {b_c: pageviews}}\n  a_b: {metrics: {c: sessions}}",
    "a: {metrics: [pageviews]}\n  a: {metrics: [sessions]}",
    "a: {preset: landing-pages}",
    "a: {preset: [pages, devices]}",
    "traffic: {preset: pages, limit: 20}",
    // Fields.
    "a: {metrics: [PAGEVIEWS, users, bounces, uniquePageviews, 'ga:pageviews']}",
    "a: {metrics: [sessions - engagedSessions, sum(sessions)]}",
    "a: {dimensions: [page, os, exitPage], metrics: [pageviews]}",
    "a: {dimensions: [CustomEvent:plan, custom_event:plan, 'customEvent: plan', event:plan], metrics: [keyevents:purchase]}",
    "a: {dimensions: [customEvent:a b, customEvent::plan, sessionCustomChannelGroup:Brand], metrics: [pageviews]}",
    "a: {metrics: {load: {field: customEvent:load}, price: {field: customEvent:price, unit: euro}}}",
    "a: {metrics: {price: {unit: currency}, views: {field: pageviews, unit: seconds}}}",
    "a: {properties: [UA-12345-1, G-ABC123, -5, {id: 3}], metrics: [pageviews]}",
    "a: {<<: 3, metrics: [pageviews]}",
    "a: &a {metrics: [pageviews]}\n  b: {<<: *a, intervall: 3m}",
    "a: !report {metrics: [pageviews]}",
    "a: *nope",
];
