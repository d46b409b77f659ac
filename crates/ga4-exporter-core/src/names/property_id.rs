//! The number of a property, and common mistakes for it.

use std::{fmt, str::FromStr};

use thiserror::Error as ThisError;

/// The numeric id of a GA4 property, as in `properties/123456789`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PropertyId(u64);

impl PropertyId {
    /// The id as a number.
    pub fn as_u64(self) -> u64 {
        self.0
    }

    /// Digits alone, as Google writes them.
    fn of_digits(text: &str) -> Option<Self> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        text.parse().ok().filter(|_| is_plain).map(Self)
    }
}

impl FromStr for PropertyId {
    type Err = PropertyIdError;

    /// Reads `123456789` or `properties/123456789`.
    ///
    /// # Errors
    /// `G-…`, `UA-…`, `p123456789`, a URL and everything else that is not a property's number, each with the number or where to
    /// find it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let digits = text.strip_prefix("properties/").unwrap_or(text);
        Self::of_digits(digits).ok_or_else(|| PropertyIdError::new(text))
    }
}

impl fmt::Display for PropertyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a text is not a property id, and where to find the right one. A long text is cut.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
pub enum PropertyIdError {
    /// The id and more: `p123456789` or a whole URL of Google Analytics, a resource name, a dataset.
    #[error("`{text}` is not a property id, but contains one; write {id}")]
    Surrounded {
        /// What was written.
        text: String,
        /// The id that was probably meant.
        id: PropertyId,
    },
    /// The id of a web data stream or of another Google tag.
    #[error("`{0}` is a measurement or tag id, not a property id; {WHERE_THE_ID_IS}")]
    MeasurementId(String),
    /// `GTM-…`
    #[error("`{0}` is a container of Google Tag Manager, not a property id; {WHERE_THE_ID_IS}")]
    TagManager(String),
    /// The id of a property or view of Universal Analytics.
    #[error("`{0}` belongs to Universal Analytics, which Google switched off in July 2024; {WHERE_THE_ID_IS}")]
    UniversalAnalytics(String),
    /// `accounts/…`
    #[error("`{0}` is an account, not a property id; {WHERE_THE_ID_IS}")]
    Account(String),
    /// Anything else.
    #[error("`{0}` is not a property id; {WHERE_THE_ID_IS}")]
    NotANumber(String),
}

impl PropertyIdError {
    fn new(text: &str) -> Self {
        let quoted = match text.char_indices().nth(MAX_QUOTED) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text.to_owned(),
        };
        let upper = text.to_ascii_uppercase();
        let parts: Vec<&str> = upper.split(PUNCTUATION).filter(|part| !part.is_empty()).collect();
        let begins = |beginnings: &[&str]| {
            parts.iter().any(|part| beginnings.iter().any(|beginning| part.starts_with(beginning)))
        };
        if let Some(id) = surrounded(&parts) {
            Self::Surrounded { text: quoted, id }
        } else if begins(&["GTM-"]) {
            Self::TagManager(quoted)
        } else if begins(&["G-", "GT-", "AW-", "DC-"]) {
            Self::MeasurementId(quoted)
        } else if begins(&["UA-"]) || upper.starts_with("GA:") || parts.iter().any(|part| is_view(part)) {
            Self::UniversalAnalytics(quoted)
        } else if parts.contains(&"ACCOUNTS") {
            Self::Account(quoted)
        } else {
            Self::NotANumber(quoted)
        }
    }
}

/// Finds the id in an upper-case text: after `properties/`, as `p123456789` or `a123p456789` in a URL of Google Analytics, or
/// in the name of the dataset that Google exports to BigQuery.
fn surrounded(parts: &[&str]) -> Option<PropertyId> {
    let of_resource = parts.iter().zip(parts.iter().skip(1)).find(|(before, _)| **before == "PROPERTIES");
    let of_resource = of_resource.and_then(|(_, part)| PropertyId::of_digits(part));
    let of_part = |part: &&str| match letters(part).as_slice() {
        [('P', id)] | [('A', _), ('P', id)] => PropertyId::of_digits(id),
        _ => part.strip_prefix("ANALYTICS_").and_then(PropertyId::of_digits),
    };
    of_resource.or_else(|| parts.iter().find_map(of_part))
}

/// A view of Universal Analytics in a URL: `a123w456p789`.
fn is_view(part: &str) -> bool {
    matches!(letters(part).as_slice(), [('A', _), ('W', _), ('P', _)])
}

/// Splits a text into letters, each with the digits after it; empty if it has another form.
fn letters(mut text: &str) -> Vec<(char, &str)> {
    let mut found = Vec::new();
    while let Some(letter) = text.chars().next().filter(char::is_ascii_uppercase) {
        let rest = text.get(1..).unwrap_or_default();
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, behind) = rest.split_at(end);
        if digits.is_empty() {
            return Vec::new();
        }
        found.push((letter, digits));
        text = behind;
    }
    if text.is_empty() { found } else { Vec::new() }
}

/// How much of a text a message repeats, in characters.
const MAX_QUOTED: usize = 80;

/// Separators in URLs and resource names.
const PUNCTUATION: &[char] = &['/', '#', '?', '&', '=', ':', '.', ','];

const WHERE_THE_ID_IS: &str =
    "the id is the number that Google Analytics shows under Admin > Property > Property details";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_is_written_bare_or_with_its_prefix() {
        for text in ["123456789", "properties/123456789", " 123456789 "] {
            assert_eq!(text.parse::<PropertyId>().map(PropertyId::as_u64), Ok(123_456_789));
        }
    }

    #[test]
    fn a_text_that_contains_the_id_is_refused_with_the_id() {
        for text in [
            "p123456789",
            "P123456789",
            "a98765p123456789",
            "properties/p123456789",
            "properties/123456789/",
            "/properties/123456789",
            "properties/123456789/dataStreams/42",
            "https://analyticsdata.googleapis.com/v1beta/properties/123456789:runReport",
            "https://analytics.google.com/analytics/web/#/p123456789/reports/intelligenthome",
            "https://analytics.google.com/analytics/web/#/a98765p123456789/admin/streams/table/",
            "https://analytics.google.com/analytics/web/?authuser=1&utm_source=example&pli=1#/p123456789/realtime/overview",
            "analytics.google.com/analytics/web/#/analysis/p123456789/edit/abc",
            "my-project.analytics_123456789",
        ] {
            let message = text.parse::<PropertyId>().unwrap_err().to_string();
            assert!(message.ends_with("contains one; write 123456789"), "{text}: {message}");
        }
    }

    #[test]
    fn other_ids_are_refused_with_the_place_of_the_right_one() {
        for (text, expected) in [
            ("G-ABC123", "measurement or tag id"),
            ("properties/g-abc123", "measurement or tag id"),
            ("AW-123456789", "measurement or tag id"),
            ("DC-123456789", "measurement or tag id"),
            ("https://www.googletagmanager.com/gtag/js?id=G-ABC123", "measurement or tag id"),
            ("GTM-ABC123", "container of Google Tag Manager"),
            ("UA-12345-6", "Universal Analytics"),
            ("a123w456p789", "Universal Analytics"),
            ("https://analytics.google.com/analytics/web/#/report-home/a123w456p789", "Universal Analytics"),
            ("ga:123456789", "Universal Analytics"),
            ("accounts/5", "an account, not a property id"),
            ("", "not a property id"),
            ("0123", "not a property id"),
            ("12a", "not a property id"),
            ("p", "not a property id"),
            ("p0", "not a property id"),
            ("pp12", "not a property id"),
            ("é1p5é", "not a property id"),
            ("+5", "not a property id"),
            ("99999999999999999999999", "not a property id"),
            ("p99999999999999999999999", "not a property id"),
        ] {
            let message = text.parse::<PropertyId>().unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
            assert!(message.contains("Admin > Property"), "{text}: {message}");
        }
    }

    #[test]
    fn a_long_text_is_cut() {
        let message = "é".repeat(1000).parse::<PropertyId>().unwrap_err().to_string();
        assert!(message.chars().count() < 200 && message.contains("é…`"), "{message}");
    }
}
