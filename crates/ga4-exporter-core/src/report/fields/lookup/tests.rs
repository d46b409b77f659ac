use super::*;

fn metric(text: &str) -> Result<Known, FieldError> {
    find(FieldKind::Metric, text, Category::Core)
}

fn dimension(text: &str) -> Result<Known, FieldError> {
    find(FieldKind::Dimension, text, Category::Core)
}

#[test]
fn our_names_and_googles_are_the_same_fields() {
    for (ours, api_name) in [
        ("pageviews", "screenPageViews"),
        ("visitors", "totalUsers"),
        ("bounce_rate_ratio", "bounceRate"),
        ("average_session_duration_seconds", "averageSessionDuration"),
        ("keyEvents:purchase", "keyEvents:purchase"),
    ] {
        assert_eq!(metric(ours).unwrap().api_name.as_str(), api_name);
        assert_eq!(metric(ours), metric(api_name));
    }
    assert_eq!(dimension("page_path"), dimension("pagePath"));
    assert_eq!(dimension("customUser:plan").unwrap().label(), "custom_user_plan");
}

#[test]
fn what_is_no_field_says_what_to_do() {
    let realtime = |kind, text| find(kind, text, Category::Realtime).unwrap_err();
    for (error, message) in [
        (metric("screenPageView").unwrap_err(), "there is no metric `screenPageView`; did you mean `screenPageViews`?"),
        (metric("page_views").unwrap_err(), "there is no metric `page_views`; did you mean `pageviews`?"),
        (dimension("hostname").unwrap_err(), "there is no dimension `hostname`; did you mean `hostName`?"),
        (dimension("screenPageViews").unwrap_err(), "`screenPageViews` is a metric, not a dimension; move it there"),
        (metric("conversions").unwrap_err(), "`conversions` was renamed; use `keyEvents`"),
        (metric("conversions:buy").unwrap_err(), "`conversions:buy` was renamed; use `keyEvents:buy`"),
        (metric("eventRevenue").unwrap_err(), "Google no longer has `eventRevenue`; use another metric"),
        (
            metric("customEvent").unwrap_err(),
            "`customEvent` is not complete; write `customEvent:` and the name that your property has given to it",
        ),
        (metric("customUser:x").unwrap_err(), "`customUser:x` is a dimension, not a metric; move it there"),
        (
            dimension("minutesAgo").unwrap_err(),
            "only realtime reports have `minutesAgo`; add `realtime: true`, or use `minute`",
        ),
        (
            dimension("page path").unwrap_err(),
            "`page path` cannot be the name of a field; write it as Google does, such as `screenPageViews`",
        ),
        (
            realtime(FieldKind::Metric, "sessions"),
            "realtime reports do not have `sessions`; use some of `activeUsers`, `eventCount`, `keyEvents`, `screenPageViews`",
        ),
    ] {
        assert_eq!(error.to_string(), message);
    }
    for (text, expected) in [
        ("users", "there is no metric `users`; use `visitors` for all users, or `active_users`"),
        ("ga:pageviews", "no custom metric begins with `ga:`; did you mean `pageviews`?"),
        ("keyevents:buy", "no custom metric begins with `keyevents:`; did you mean `keyEvents:buy`?"),
        ("keyEvents: buy", "`keyEvents: buy` has a blank beside the colon; write `keyEvents:buy`"),
        (
            "sessions - engagedSessions",
            "`sessions - engagedSessions` is an expression, which reports here do not have; ask for its metrics, and \
             calculate in PromQL",
        ),
    ] {
        assert_eq!(metric(text).unwrap_err().to_string(), expected);
    }
    assert!(dimension("xyzzy").unwrap_err().to_string().contains("docs/REPORTS.md lists the dimensions"));
    assert!(dimension("cohort").unwrap_err().to_string().contains("cohorts and comparisons"));
    assert!(
        dimension("customThing:x")
            .unwrap_err()
            .to_string()
            .starts_with("no custom dimension begins with `customThing:`")
    );
    assert!(realtime(FieldKind::Dimension, "customEvent:x").to_string().contains("`customUser:…`"));
    assert!(find(FieldKind::Dimension, "customUser:x", Category::Realtime).is_ok());
}

#[test]
fn sessions_add_up_over_what_a_session_has_once() {
    let sessions = metric("sessions").unwrap();
    let by = |names: &[&str]| {
        let dimensions: Vec<Known> = names.iter().map(|name| dimension(name).unwrap()).collect();
        sessions.addition(dimensions.iter())
    };
    assert_eq!(by(&[]), Addition::Sum);
    assert_eq!(by(&["sessionSource", "landingPage", "deviceCategory", "firstUserMedium"]), Addition::Sum);
    for dimension in ["pagePath", "hostName", "eventName", "countryId"] {
        assert_eq!(by(&["sessionSource", dimension]), Addition::Distinct, "{dimension}");
    }
    let events = metric("events").unwrap();
    for (dimension, expected) in [
        ("audienceName", Addition::Overlapping),
        ("brandingInterest", Addition::Overlapping),
        ("pagePath", Addition::Sum),
    ] {
        let dimension = self::dimension(dimension).unwrap();
        assert_eq!(events.addition([&dimension].into_iter()), expected);
        assert_eq!(metric("activeUsers").unwrap().addition([&dimension].into_iter()), Addition::Distinct);
    }
    assert_eq!(metric("activeUsers").unwrap().addition([].into_iter()), Addition::Distinct);
    assert_eq!(metric("bounceRate").unwrap().addition([].into_iter()), Addition::Ratio);
}
