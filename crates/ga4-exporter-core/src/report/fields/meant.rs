//! A name that no field has → the field that was probably meant.
//!
//! Knows misspellings, and words that people bring along from Universal Analytics and other tools. Refuses to decide: it is
//! advice, and never applied.

use super::{
    super::metric::Unit,
    lookup, name,
    standard::{FieldKind, Standard},
};
use crate::names::Category;

/// What may have been meant, for the end of a message; `None` where nothing is near.
pub(super) fn advice(kind: FieldKind, text: &str) -> Option<String> {
    let words = |(of, word, present): &&(FieldKind, &str, &str)| {
        *of == kind && plain(word) == plain(text) && !present.is_empty()
    };
    if let Some((.., present)) = WORDS.iter().find(words) {
        return Some((*present).to_owned());
    }
    near(kind, text).map(|near| format!("did you mean `{near}`?"))
}

/// The beginning of custom fields that was meant by this one, which is none.
pub(super) fn beginning(kind: FieldKind, prefix: &str) -> Option<&'static str> {
    let custom = Standard::all().filter(|field| field.is_custom && field.kind == kind);
    let distance = |field: &&Standard| strsim::osa_distance(&plain(prefix), &plain(field.api_name));
    let nearest = custom.map(|field| (distance(&field), field.api_name)).min_by_key(|(distance, _)| *distance);
    nearest.filter(|(distance, name)| *distance <= name.len() / 4).map(|(_, name)| name)
}

/// Whether it calculates with metrics, which are then named.
pub(super) fn is_expression(text: &str) -> bool {
    let is_metric = |part: &str| lookup::find(FieldKind::Metric, part.trim(), Category::Core).is_ok();
    text.contains(CALCULATION) && text.split(CALCULATION).any(is_metric)
}

/// The name that was meant, if one is near: ours or Google's, as the text is.
fn near(kind: FieldKind, text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let fields = || Standard::all().filter(|field| !field.is_custom && field.kind == kind && !field.is_out_of_reach());
    let names = fields().flat_map(|field| {
        let ours = match kind {
            FieldKind::Dimension => name::label(field.api_name),
            FieldKind::Metric => name::metric(field.api_name, field.unit.unwrap_or(Unit::Plain)),
        };
        [field.api_name.to_owned(), ours]
    });
    let distance = |name: &String| strsim::osa_distance(&lower, &name.to_lowercase());
    let nearest = names.map(|name| (distance(&name), name)).min_by_key(|(distance, _)| *distance);
    nearest.filter(|(distance, name)| *distance <= name.len() / 3).map(|(_, name)| name)
}

/// Letters and digits in lower case: `page_views` and `pageViews` are the same word.
fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// What stands between the metrics of an expression.
const CALCULATION: [char; 6] = ['+', '-', '*', '/', '(', ')'];

/// Words for fields that Google calls otherwise, or no longer has.
const WORDS: &[(FieldKind, &str, &str)] = &[
    (FieldKind::Metric, "users", "use `visitors` for all users, or `active_users`"),
    (FieldKind::Metric, "unique_users", "use `visitors` for all users, or `active_users`"),
    (FieldKind::Metric, "returning_users", "use `visitors` with the dimension `newVsReturning`"),
    (FieldKind::Metric, "views", "did you mean `pageviews`?"),
    (FieldKind::Metric, "unique_pageviews", "use `sessions` with the dimension `pagePath`"),
    (FieldKind::Metric, "hits", "use `events`"),
    (FieldKind::Metric, "bounces", "use `sessions` and `engaged_sessions`, whose difference it is"),
    (FieldKind::Metric, "entrances", "use `sessions` with the dimension `landingPage`"),
    (FieldKind::Metric, "exits", "Google no longer counts them; use another metric"),
    (FieldKind::Metric, "exit_rate", "Google no longer counts exits; use another metric"),
    (FieldKind::Metric, "time_on_page", "use `userEngagementDuration`"),
    (FieldKind::Metric, "avg_time_on_page", "use `userEngagementDuration` and `active_users`, and divide in PromQL"),
    (FieldKind::Metric, "session_duration", "use `averageSessionDuration`"),
    (FieldKind::Metric, "avg_session_duration", "use `averageSessionDuration`"),
    (FieldKind::Metric, "pageviews_per_session", "use `screenPageViewsPerSession`"),
    (FieldKind::Metric, "goal_completions_all", "use `key_events`"),
    (FieldKind::Metric, "conversion_rate", "use `sessionKeyEventRate` or `userKeyEventRate`"),
    (FieldKind::Metric, "key_event_rate", "use `sessionKeyEventRate` or `userKeyEventRate`"),
    (FieldKind::Metric, "revenue", "use `totalRevenue` or `purchaseRevenue`"),
    (FieldKind::Metric, "ad_revenue", "use `totalAdRevenue`"),
    (FieldKind::Metric, "purchasers", "use `totalPurchasers`"),
    (FieldKind::Metric, "refunds", "use `refundAmount`"),
    (FieldKind::Dimension, "page", "use `pagePath`"),
    (FieldKind::Dimension, "path", "use `pagePath`"),
    (FieldKind::Dimension, "url", "use `pageLocation` or `fullPageUrl`"),
    (FieldKind::Dimension, "host", "use `hostName`"),
    (FieldKind::Dimension, "domain", "use `hostName`"),
    (FieldKind::Dimension, "title", "use `pageTitle`"),
    (FieldKind::Dimension, "event", "use `eventName`"),
    (FieldKind::Dimension, "device", "use `deviceCategory`"),
    (FieldKind::Dimension, "os", "use `operatingSystem`"),
    (FieldKind::Dimension, "channel", "use `sessionDefaultChannelGroup`"),
    (FieldKind::Dimension, "channel_grouping", "use `sessionDefaultChannelGroup`"),
    (FieldKind::Dimension, "campaign", "use `sessionCampaignName`"),
    (FieldKind::Dimension, "keyword", "use `sessionManualTerm` or `sessionGoogleAdsKeyword`"),
    (FieldKind::Dimension, "referrer", "use `pageReferrer`, or `sessionSource` for where sessions come from"),
    (FieldKind::Dimension, "user_type", "use `newVsReturning`"),
    (FieldKind::Dimension, "exit_page", "Google no longer has exits; use another dimension"),
    (FieldKind::Dimension, "sub_continent", "use `continent` or `region`"),
    (FieldKind::Dimension, "metro", "use `region` or `city`"),
    (FieldKind::Dimension, "event_category", "register the parameter, and use `customEvent:event_category`"),
    (FieldKind::Dimension, "event_action", "register the parameter, and use `customEvent:event_action`"),
    (FieldKind::Dimension, "event_label", "register the parameter, and use `customEvent:event_label`"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_no_fields_and_what_they_advise_is_one() {
        for (kind, word, present) in WORDS {
            assert!(lookup::find(*kind, word, Category::Core).is_err(), "{word}");
            for field in present.split('`').skip(1).step_by(2) {
                let is_field = |kind| lookup::find(kind, field, Category::Core).is_ok();
                assert!(is_field(FieldKind::Metric) || is_field(FieldKind::Dimension), "{word}: {field}");
            }
            assert_eq!(advice(*kind, &word.to_uppercase().replace('_', "")).as_deref(), Some(*present));
        }
        assert_eq!(advice(FieldKind::Metric, "xyzzy"), None);
    }

    #[test]
    fn beginnings_may_be_misspelt() {
        for (kind, prefix, meant) in [
            (FieldKind::Dimension, "CustomEvent", Some("customEvent")),
            (FieldKind::Dimension, "custom_user", Some("customUser")),
            (FieldKind::Dimension, "customEvents", Some("customEvent")),
            (FieldKind::Dimension, "sessionCustomChannelGrouping", Some("sessionCustomChannelGroup")),
            (FieldKind::Metric, "keyevents", Some("keyEvents")),
            (FieldKind::Metric, "keyEvent", Some("keyEvents")),
            (FieldKind::Metric, "ga", None),
            (FieldKind::Dimension, "", None),
        ] {
            assert_eq!(beginning(kind, prefix), meant, "{prefix}");
        }
    }

    #[test]
    fn expressions_name_metrics() {
        for text in ["sessions-engagedSessions", "eventCount / sessions", "(pageviews)", "2*sessions"] {
            assert!(is_expression(text), "{text}");
        }
        for text in ["sessions", "a-b", "page path", ""] {
            assert!(!is_expression(text), "{text}");
        }
    }
}
