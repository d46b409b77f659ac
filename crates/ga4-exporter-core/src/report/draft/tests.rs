use super::{
    super::{
        Addition, Day, Report,
        fields::{self, FieldKind},
        preset::Preset,
    },
    *,
};

fn split(field: &str) -> Split {
    Split::new(None, fields::find(FieldKind::Dimension, field, Category::Core).unwrap()).unwrap()
}

fn counted(field: &str) -> Counted {
    Counted::new(None, fields::find(FieldKind::Metric, field, Category::Core).unwrap(), None).unwrap()
}

fn draft(dimensions: &[&str], metrics: &[&str]) -> Draft {
    Draft {
        dimensions: dimensions.iter().map(|field| split(field)).collect(),
        metrics: metrics.iter().map(|field| counted(field)).collect(),
        ..Preset::named("pages").unwrap().draft("checkout".parse().unwrap())
    }
}

fn said(draft: &Draft) -> Vec<String> {
    let line = |finding: &Finding| {
        format!("{:?} {} {}", finding.part, if finding.is_error { "!" } else { "?" }, finding.message)
    };
    draft.findings().iter().map(line).collect()
}

#[test]
fn a_good_draft_is_a_report() {
    let mut draft = draft(&["deviceCategory"], &["pageviews", "totalRevenue", "bounceRate", "sessions"]);
    draft.order = vec![
        Order { by: "device_category".to_owned(), is_descending: false },
        Order { by: "totalRevenue".to_owned(), is_descending: true },
    ];
    assert_eq!(draft.findings(), []);
    let report = Report::new(draft.definition()).unwrap();
    let names: Vec<_> = report.families.iter().map(|family| family.name.as_str()).collect();
    assert_eq!(
        names,
        ["pageviews", "total_revenue", "bounce_rate_ratio", "sessions"]
            .map(|name| format!("google_analytics_checkout_{name}"))
    );
    let additions: Vec<_> = report.metrics.iter().map(|metric| metric.addition).collect();
    assert_eq!(additions, [Addition::Sum, Addition::Sum, Addition::Ratio, Addition::Sum]);
    assert_eq!(report.metrics.iter().map(|metric| metric.is_signed).collect::<Vec<_>>(), [false, true, false, false]);
    assert_eq!(report.order.len(), 2);
    assert!(
        report.families[0].help.starts_with("Web pages and app screens viewed today"),
        "{}",
        report.families[0].help
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let mut draft = draft(&["pagePath", "pagePath"], &["sessions"]);
    draft.order = vec![Order { by: "revenue".to_owned(), is_descending: true }];
    draft.limit = Some(20_000);
    draft.max_series = 0;
    let said = said(&draft).join("\n");
    for expected in [
        "Dimension(1) ! `pagePath` stands there twice",
        "Limit ! a limit of 20000",
        "MaxSeries ! a row has 1 series, one for each metric, and `max_series` allows 0",
        "Order ! the order is by `revenue`, which is not among the report's dimensions and metrics; add it there, or order by \
         one of `sessions`, `page_path`, `page_path`",
    ] {
        assert!(said.contains(expected), "{expected} in {said}");
    }
}

#[test]
fn dimensions_of_key_events_are_not_for_traffic() {
    assert_eq!(
        said(&draft(&["source", "medium"], &["screenPageViews"])),
        [
            "Dimension(0) ! `source` belongs to key events, and Google refuses it with `screenPageViews`; use `sessionSource`",
            "Dimension(1) ! `medium` belongs to key events, and Google refuses it with `screenPageViews`; use `sessionMedium`",
        ]
    );
    let doubts = said(&draft(&["defaultChannelGroup"], &["sessions"]));
    assert!(
        doubts[0].starts_with("Dimension(0) ? `defaultChannelGroup` belongs to key events, so it is `(not set)`"),
        "{doubts:?}"
    );
    assert!(doubts[0].contains("use `sessionDefaultChannelGroup`"), "{doubts:?}");
}

#[test]
fn pairs_that_google_refuses_are_doubtful() {
    let doubts = said(&draft(&["itemName"], &["totalRevenue", "itemRevenue"]));
    assert_eq!(doubts.len(), 2, "{doubts:?}");
    assert!(
        doubts[0].starts_with("Metric(0) ? Google is known to refuse `itemName` together with `totalRevenue`"),
        "{doubts:?}"
    );
    let mut filtered = draft(&["pagePath"], &["organicGoogleSearchClicks"]);
    filtered.dimensions = vec![split("country")];
    filtered.filtered = vec![split("pagePath").field];
    assert!(said(&filtered)[0].contains("`pagePath` together with `organicGoogleSearchClicks`"));
    filtered = draft(&["pagePath"], &["pageviews"]);
    filtered.filtered = vec![counted("advertiserAdCost").field, counted("pageviews").field];
    let doubts = said(&filtered);
    assert!(doubts.iter().all(|doubt| doubt.starts_with("Filter ? Google is known to refuse `")), "{doubts:?}");
    assert!(doubts[1].contains("`screenPageViews` together with `advertiserAdCost`"), "{doubts:?}");
    filtered.filtered = vec![split("source").field];
    assert!(said(&filtered)[0].starts_with("Filter ! `source` belongs to key events"), "an error, not a doubt");
}

#[test]
fn rows_that_cannot_be_shown_are_doubtful() {
    let mut draft = draft(&["pagePath"], &["pageviews", "activeUsers"]);
    draft.limit = Some(600);
    assert_eq!(
        said(&draft),
        [
            "Limit ? 600 rows with 2 metrics are 1200 series, more than the 1000 of `max_series`; raise it to 1200, or lower `limit`"
        ]
    );
    draft.max_series = 1200;
    assert_eq!(draft.findings(), []);
}

#[test]
fn a_misspelt_order_says_what_was_meant() {
    let mut draft = draft(&["pagePath"], &["pageviews"]);
    draft.order =
        ["Pageviews", " page_path", "pageviews desc"].map(|by| Order { by: by.to_owned(), is_descending: true }).into();
    let said = said(&draft);
    let ends = ["did you mean `pageviews`?", "did you mean `page_path`?", "order by one of `pageviews`, `page_path`"];
    for (message, end) in said.iter().zip(ends) {
        assert!(message.starts_with("Order ! ") && message.ends_with(end), "{message}");
    }
    assert_eq!(said.len(), 3);
}

#[test]
fn parameters_that_cannot_be_are_doubtful() {
    for good in
        ["customEvent:plan", "customEvent:plan[event]", "customUser:größe_2", "sessionCustomChannelGroup:9432931"]
    {
        assert_eq!(draft(&[good], &["keyEvents:sign-up now"]).findings(), [], "{good}");
    }
    let long = format!("customItem:{}", "a".repeat(41));
    for bad in ["customEvent:a b", "customUser:1st", "customEvent:a:b", "customEvent::a", &long] {
        let said = said(&draft(&[bad], &["sessions"]));
        assert!(said[0].starts_with(&format!("Dimension(0) ? `{bad}` does not look like a parameter")), "{said:?}");
    }
    let said = said(&draft(&["sessionCustomChannelGroup:Brand"], &["countCustomEvent:a-b"]));
    assert!(said[0].contains("does not look like a channel group") && said[1].starts_with("Metric(0) ? "), "{said:?}");
}

#[test]
fn custom_metrics_need_a_unit_and_others_have_one() {
    let field = |name| fields::find(FieldKind::Metric, name, Category::Core).unwrap();
    let price = Counted::new(None, field("customEvent:price"), Some(Unit::Currency)).unwrap();
    assert_eq!(price.name.as_str(), "custom_event_price");
    assert!(price.metric([].into_iter()).is_signed);
    let missing = Counted::new(Some("price"), field("customEvent:price"), None).unwrap_err().to_string();
    assert!(
        missing.starts_with("the unit of `customEvent:price` is not known") && missing.contains("`miles`"),
        "{missing}"
    );
    let known = Counted::new(None, field("bounceRate"), Some(Unit::Seconds)).unwrap_err().to_string();
    assert_eq!(known, "the unit of `bounceRate` is `ratio`; remove `unit`");
    assert!(Counted::new(None, field("bounceRate"), Some(Unit::Ratio)).is_ok());
}

#[test]
fn names_are_possible_or_refused_with_advice() {
    let field = |name| fields::find(FieldKind::Metric, name, Category::Core).unwrap();
    let wrong = Counted::new(None, field("keyEvents:order_total"), None).unwrap_err().to_string();
    assert_eq!(
        wrong,
        "the name `key_events_order_total`, which follows from `keyEvents:order_total`, is not possible; choose one of your own: \
         `{my_name: keyEvents:order_total}`"
    );
    let wrong = Counted::new(Some("views_total"), field("pageviews"), None).unwrap_err().to_string();
    assert!(wrong.contains("ends in `_total`"), "{wrong}");
    let wrong = Split::new(Some("report"), split("pagePath").field).unwrap_err().to_string();
    assert!(wrong.contains("the label `report` is reserved"), "{wrong}");
    let wrong = Split::new(Some(&"a".repeat(65)), split("pagePath").field).unwrap_err().to_string();
    assert!(wrong.ends_with("at most 64; shorten it"), "{wrong}");
}

#[test]
fn fixed_days_do_not_follow_today() {
    let mut draft = draft(&[], &["pageviews"]);
    draft.range = Range::Days(Day::On("2026-01-01".parse().unwrap()), Day::On("2026-01-31".parse().unwrap()));
    let report = Report::new(draft.definition()).unwrap();
    assert!(!report.has_dates());
    assert!(report.families[0].help.contains("from 2026-01-01 to 2026-01-31 in the property's time zone"));
}
