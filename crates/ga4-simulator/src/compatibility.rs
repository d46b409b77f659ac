//! Decides by classes which fields are compatible. Fields of one class were compatible with the same others when
//! Google was asked about each of them (`checkCompatibility`, field by field). Google has exceptions that no pair of
//! fields shows; this model has none.

/// Returns whether fields of these two classes are compatible.
pub(super) fn go_together(one: &str, other: &str) -> bool {
    !excludes(one, other) && !excludes(other, one)
}

/// Returns whether metrics of this class require a campaign dimension.
pub(super) fn needs_campaign(class: &str) -> bool {
    class == ADVERTISING
}

/// Returns whether dimensions of this class are campaign dimensions.
pub(super) fn is_of_campaign(class: &str) -> bool {
    class.starts_with("D-SESSION") || class.starts_with("D-ATTR")
}

fn excludes(one: &str, other: &str) -> bool {
    let is_metric = other.starts_with("M-");
    match one {
        "D-COMMON" => other == ADVERTISING,
        "D-EVENT" => [ADVERTISING, SEARCH].contains(&other),
        "D-SESSION1" => other == SEARCH,
        "D-SESSION2" => [SEARCH, "D-DEMO"].contains(&other),
        "D-UTM" => [SEARCH, ADVERTISING, "D-DEMO"].contains(&other),
        "D-ATTR1" | "D-ATTR2" | "D-ATTR3" => {
            ["M-EVENT", "M-ITEMQ", "M-ITEMV", SEARCH, "D-ITEM"].contains(&other)
                || (one != "D-ATTR1" && other == "D-DEMO")
        }
        "D-ITEM" => ["M-EVENT", "M-REV", ADVERTISING, SEARCH].contains(&other),
        "D-DEMO" => [ADVERTISING, SEARCH].contains(&other),
        "D-COHORT" => is_metric && other != "M-COHORT",
        ADVERTISING | SEARCH => is_metric && other != one,
        "M-COHORT" => is_metric && other != one,
        "M-ITEMV" => ["M-EVENT", "M-REV"].contains(&other),
        _ => false,
    }
}

const ADVERTISING: &str = "M-ADS";
const SEARCH: &str = "M-GSC";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_does_not_matter() {
        for (one, other, expected) in [
            ("D-ATTR2", "M-EVENT", false),
            ("D-ATTR2", "M-USER", true),
            ("D-SESSION2", "M-EVENT", true),
            ("D-SESSION2", "D-DEMO", false),
            ("D-ITEM", "M-REV", false),
            ("D-ITEM", "M-ITEMV", true),
            ("D-COMMON", "M-GSC", true),
            ("D-EVENT", "M-GSC", false),
            ("M-GSC", "M-USER", false),
            ("M-GSC", "M-GSC", true),
            ("M-ITEMV", "M-REV", false),
            ("D-COHORT", "M-USER", false),
        ] {
            assert_eq!((go_together(one, other), go_together(other, one)), (expected, expected), "{one} {other}");
        }
    }
}
