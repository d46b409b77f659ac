//! Our names for Google's fields: `screenPageViews` is `pageviews`, `pagePath` is `page_path`.

use super::{super::metric::Unit, REALTIME, TRAFFIC};

/// The label that a dimension becomes, unless the configuration says otherwise.
pub fn label(api_name: &str) -> String {
    snake_case(api_name)
}

/// The end of the name of a metric's family, unless the configuration says otherwise. In Prometheus' units, which end the name
/// where Google's has none.
pub fn metric(api_name: &str, unit: Unit) -> String {
    if let Some(field) = REALTIME.iter().chain(TRAFFIC).find(|field| field.api_name == api_name) {
        return field.name.to_owned();
    }
    let name = snake_case(api_name);
    match unit.suffix() {
        // `a_per_b` says as much as `a_ratio`.
        Some("ratio") if name.contains("_per_") => name,
        Some(suffix) if !name.ends_with(&format!("_{suffix}")) => format!("{name}_{suffix}"),
        Some(_) | None => name,
    }
}

/// Words in lower case with underscores between: what stands in a property's own name and is not in `[a-z0-9]` is one.
fn snake_case(text: &str) -> String {
    let mut name = String::with_capacity(text.len() + 8);
    let mut before: Option<char> = None;
    for character in text.chars() {
        let begins_a_word = character.is_ascii_uppercase()
            && before.is_some_and(|before| before.is_ascii_lowercase() || before.is_ascii_digit());
        if begins_a_word || !character.is_ascii_alphanumeric() {
            push_underscore(&mut name);
        }
        if character.is_ascii_alphanumeric() {
            name.push(character.to_ascii_lowercase());
        }
        before = Some(character);
    }
    name.truncate(name.trim_end_matches('_').len());
    name
}

fn push_underscore(name: &mut String) {
    if !name.is_empty() && !name.ends_with('_') {
        name.push('_');
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::standard::{FieldKind, Standard},
        *,
    };
    use crate::names::{LabelName, MetricName};

    #[test]
    fn names_are_words_with_underscores() {
        for (api_name, expected) in [
            ("pagePath", "page_path"),
            ("sessionDefaultChannelGroup", "session_default_channel_group"),
            ("isoWeek", "iso_week"),
            ("dv360AdvertiserId", "dv360_advertiser_id"),
            ("customEvent:plan", "custom_event_plan"),
            ("customUser:Größe (cm)", "custom_user_gr_e_cm"),
            ("customEvent:a__b_", "custom_event_a_b"),
        ] {
            assert_eq!(label(api_name), expected);
        }
    }

    #[test]
    fn metrics_end_in_their_unit() {
        for (api_name, unit, expected) in [
            ("screenPageViews", Unit::Plain, "pageviews"),
            ("totalUsers", Unit::Plain, "visitors"),
            ("eventCount", Unit::Plain, "events"),
            ("keyEvents:purchase", Unit::Plain, "key_events_purchase"),
            ("bounceRate", Unit::Ratio, "bounce_rate_ratio"),
            ("dauPerMau", Unit::Ratio, "dau_per_mau"),
            ("averageSessionDuration", Unit::Seconds, "average_session_duration_seconds"),
            ("adUnitExposure", Unit::Milliseconds, "ad_unit_exposure_seconds"),
            ("totalRevenue", Unit::Currency, "total_revenue"),
            ("active28DayUsers", Unit::Plain, "active28_day_users"),
            ("customEvent:distance", Unit::Miles, "custom_event_distance_meters"),
            ("customEvent:wait_seconds", Unit::Minutes, "custom_event_wait_seconds"),
        ] {
            assert_eq!(metric(api_name, unit), expected);
        }
    }

    #[test]
    fn every_standard_field_has_a_good_name_of_its_own() {
        let mut labels = std::collections::BTreeSet::new();
        let mut metrics = std::collections::BTreeSet::new();
        for field in Standard::all().filter(|field| !field.is_custom) {
            if field.kind == FieldKind::Dimension {
                let label = label(field.api_name);
                assert!(label.parse::<LabelName>().is_ok(), "{label}");
                assert!(labels.insert(label), "{}", field.api_name);
            } else {
                let name = metric(field.api_name, field.unit.unwrap_or(Unit::Plain));
                assert!(name.parse::<MetricName>().is_ok(), "{name}");
                assert!(metrics.insert(name), "{}", field.api_name);
            }
        }
    }
}
