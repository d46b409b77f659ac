//! "Did you mean …?": finds the field that is nearest to a misspelt name.

use super::{errors::ApiError, fields::Category};

/// Returns Google's refusal of a field, with its hint. The spaces are Google's, too.
pub(super) fn unknown_field<'a>(
    name: &str,
    what: &str,
    category: Category,
    known: impl Iterator<Item = &'a str>,
) -> ApiError {
    let nearest = known.map(|other| (distance(name, other), other)).min();
    let nearest = nearest.filter(|(distance, _)| *distance < name.len());
    let hint = nearest.map_or_else(String::new, |(_, other)| format!("Did you mean {other}? "));
    let gap = if what == "metric" { "  " } else { " " };
    let page = match category {
        Category::Core => "api-schema",
        Category::Realtime => "realtime-api-schema",
    };
    ApiError::invalid(format!(
        "{hint}Field {name} is not a valid {what}.{gap}For a list of valid dimensions and metrics, see \
         https://developers.google.com/analytics/devguides/reporting/data/v1/{page} "
    ))
}

/// Returns the number of letters to change, add or remove (Levenshtein). All hints that users quote are the
/// alphabetically first name with the smallest distance, however large; it is unknown when Google gives no hint.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (line, from) in a.chars().enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        let mut next = vec![left];
        for (above, to) in row.iter().skip(1).zip(b.chars()) {
            left = (diagonal + usize::from(from != to)).min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{super::fields::Fields, *};

    #[test]
    fn the_nearest_name_is_suggested() {
        let known = ["newUsers", "screenPageViews", "sessions"];
        for (name, hint) in [
            ("screenPageView", "Did you mean screenPageViews? "),
            ("screen_page_views", "Did you mean screenPageViews? "),
            ("session", "Did you mean sessions? "),
            ("zzz", ""),
        ] {
            let error = unknown_field(name, "metric", Category::Core, known.into_iter());
            let message = error.body()["error"]["message"].as_str().unwrap().to_owned();
            assert!(message.starts_with(&format!("{hint}Field {name} is not")), "{message}");
        }
    }

    #[test]
    fn hints_are_those_that_users_quote() {
        for (name, category, hint) in [
            ("screenPageViews", Category::Core, "screenResolution"),
            ("customEvent:arm", Category::Core, "isKeyEvent"),
            ("pageTitle", Category::Realtime, "city"),
        ] {
            let known = Fields::standard(category).dimensions().map(|field| field.name.as_str());
            let error = unknown_field(name, "dimension", category, known);
            let message = error.body()["error"]["message"].as_str().unwrap().to_owned();
            assert!(message.starts_with(&format!("Did you mean {hint}? Field {name} ")), "{message}");
        }
    }

    #[test]
    fn distances_are_levenshteins() {
        for (a, b, expected) in [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("Ab", "aB", 2)] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
