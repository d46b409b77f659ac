use serde_json::json;

use super::*;

fn words(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn error(asked: &Asked) -> String {
    asked.query().unwrap_err().to_string()
}

#[test]
fn pageviews_and_visitors_of_yesterday_are_the_default() {
    let query = Asked::default().query().unwrap();
    let names: Vec<&str> = query.report().metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names, ["pageviews", "visitors"]);
    assert_eq!(query.report().windows[0].range, Range::Days(YESTERDAY, YESTERDAY));
    let realtime = Asked { realtime: true, ..Asked::default() }.query().unwrap();
    let names: Vec<&str> = realtime.report().metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names, ["pageviews", "active_users"]);
}

#[test]
fn fields_have_our_names_or_googles() {
    let asked = Asked {
        metrics: words(&["screenPageViews", "bounce_rate_ratio", "keyEvents:purchase"]),
        dimensions: words(&["page_path", "customEvent:plan"]),
        order: words(&["-pageviews", "pagePath"]),
        ..Asked::default()
    };
    let query = asked.query().unwrap();
    let report = query.report();
    let metrics: Vec<_> =
        report.metrics.iter().map(|metric| (metric.name.as_str(), metric.api_name.as_str())).collect();
    assert_eq!(
        metrics,
        [
            ("pageviews", "screenPageViews"),
            ("bounce_rate_ratio", "bounceRate"),
            ("key_events_purchase", "keyEvents:purchase")
        ]
    );
    let labels: Vec<_> = report.dimensions.iter().map(|dimension| dimension.label.as_str()).collect();
    assert_eq!(labels, ["page_path", "custom_event_plan"]);
    let order = serde_json::to_value(&report.order).unwrap();
    let expected = json!([{"metric": {"metricName": "screenPageViews"}, "desc": true}, {"dimension": {"dimensionName": "pagePath"}}]);
    assert_eq!(order, expected);
}

#[test]
fn conditions_are_joined() {
    let asked = Asked { filters: words(&["pagePath begins_with /a", "pageviews > 5"]), ..Asked::default() };
    let filter = asked.query().unwrap().report().filter.clone();
    assert!(filter.dimension_filter().is_some() && filter.metric_filter().is_some());
    // A report's own filter stays.
    let own = Asked { filters: words(&["country == Germany"]), dimensions: words(&["country"]), ..Asked::default() };
    let mut report = own.query().unwrap().report().clone();
    report.name = "own".parse().unwrap();
    let both = asked.of_report(&report).unwrap().report().filter.clone();
    assert_eq!(both.dimension_names(), ["country", "pagePath"].into());
    assert_eq!(both.dimension_filter().unwrap()["andGroup"]["expressions"].as_array().unwrap().len(), 2);
}

#[test]
fn what_cannot_be_asked_has_a_clear_error() {
    let some = |text: &str| Some(text.to_owned());
    let asked = Asked::default;
    for (question, expected) in [
        (Asked { to: some("today"), ..asked() }, "--to needs --from"),
        (Asked { from: some("soon"), ..asked() }, "`soon` is not a date"),
        (Asked { from: some("today"), realtime: true, ..asked() }, "--realtime is about the last 30 minutes"),
        (Asked { metrics: words(&["pageviewz"]), ..asked() }, "there is no metric `pageviewz`"),
        (Asked { dimensions: words(&["sessions"]), ..asked() }, "`sessions` is a metric, not a dimension"),
        (
            Asked { metrics: words(&["pageviews", "screenPageViews"]), ..asked() },
            "`screenPageViews` stands there twice",
        ),
        (Asked { order: words(&["-date"]), ..asked() }, "order by one of `screenPageViews`, `totalUsers`"),
        (
            Asked { filters: words(&["pagePath like x"]), ..asked() },
            "--filter `pagePath like x`: `like` is not a comparison",
        ),
        (
            Asked { dimensions: words(&["pagePath"]), realtime: true, ..asked() },
            "realtime reports do not have `pagePath`",
        ),
        (Asked { limit: NonZeroU64::new(300_000), realtime: true, ..asked() }, "with 250000 rows at most"),
        (Asked { limit: NonZeroU64::new(u64::MAX), ..asked() }, "at most 5000000 rows"),
    ] {
        let error = error(&question);
        assert!(error.contains(expected), "{question:?}: {error}");
    }
}
