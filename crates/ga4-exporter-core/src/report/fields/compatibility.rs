//! What is known not to go together, by the classes of fields.
//!
//! A table of pairs is no verdict: Google changes its rules, and refuses some combinations of which every pair is allowed. What
//! it says deserves a warning; Google has the last word.

use super::standard::Class;

/// Whether two fields of these classes are known not to go together.
pub fn excludes(one: Class, other: Class) -> bool {
    excluded(one).contains(&other) || excluded(other).contains(&one)
}

/// What a class does not go with; each pair stands at one of the two.
fn excluded(class: Class) -> &'static [Class] {
    use Class::{
        Advertising, Attribution, AttributionSource, Campaign, Common, Demographic, Event, Events, Item,
        ItemQuantities, ItemRevenue, Revenue, SearchConsole, Session, SessionSource, Users,
    };
    match class {
        Common => &[Advertising],
        Event => &[Advertising, SearchConsole],
        Session => &[SearchConsole],
        SessionSource => &[SearchConsole, Demographic],
        Campaign => &[SearchConsole, Advertising, Demographic],
        Attribution => &[Events, ItemQuantities, ItemRevenue, SearchConsole, Item],
        AttributionSource => &[Events, ItemQuantities, ItemRevenue, SearchConsole, Item, Demographic],
        Item => &[Events, Revenue, Advertising, SearchConsole],
        Demographic => &[Advertising, SearchConsole],
        Advertising => &[Events, Users, Revenue, ItemQuantities, ItemRevenue, SearchConsole],
        SearchConsole => &[Events, Users, Revenue, ItemQuantities, ItemRevenue],
        ItemRevenue => &[Events, Revenue],
        Events
        | Users
        | Revenue
        | ItemQuantities
        | Class::Cohort
        | Class::Comparison
        | Class::CohortUsers
        | Class::Unknown => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::standard::{FieldKind, Standard},
        *,
    };

    fn class(kind: FieldKind, name: &str) -> Class {
        Standard::all().find(|field| (field.kind, field.api_name) == (kind, name)).unwrap().class
    }

    fn go_together(dimension: &str, metric: &str) -> bool {
        let (dimension, metric) = (class(FieldKind::Dimension, dimension), class(FieldKind::Metric, metric));
        assert_eq!(excludes(dimension, metric), excludes(metric, dimension));
        !excludes(dimension, metric)
    }

    #[test]
    fn what_was_refused_is_known() {
        for (dimension, metric) in [
            ("source", "screenPageViews"),
            ("defaultChannelGroup", "eventCount"),
            ("itemName", "totalRevenue"),
            ("pagePath", "organicGoogleSearchClicks"),
            ("sessionSource", "organicGoogleSearchClicks"),
            ("date", "advertiserAdCost"),
        ] {
            assert!(!go_together(dimension, metric), "{dimension} {metric}");
        }
        for (dimension, metric) in [
            ("sessionSource", "screenPageViews"),
            ("source", "sessions"),
            ("source", "keyEvents"),
            ("country", "organicGoogleSearchClicks"),
            ("sessionCampaignName", "advertiserAdCost"),
            ("itemName", "itemRevenue"),
            ("hostName", "keyEvents"),
        ] {
            assert!(go_together(dimension, metric), "{dimension} {metric}");
        }
        assert!(excludes(class(FieldKind::Dimension, "userGender"), class(FieldKind::Dimension, "sessionSource")));
    }
}
