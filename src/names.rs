//! Names that are valid by construction: properties, reports, metrics and labels.
//!
//! Knows the character sets that Google and Prometheus accept, and what is reserved. Refuses to know anything else of
//! the crate. Invariant: whoever holds one of these values holds a valid one, so `exposition` cannot print a bad line.

use std::{fmt, str::FromStr, sync::Arc};

use thiserror::Error as ThisError;

pub use closed::{Api, Bucket, Category, Method, Reason, TokenReason};

mod closed;

/// The numeric id of a GA4 property, as in `properties/123456789`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PropertyId(u64);

impl PropertyId {
    /// The id as a number.
    pub fn as_u64(self) -> u64 {
        self.0
    }
}

impl FromStr for PropertyId {
    type Err = PropertyIdError;

    /// Reads `123456789` or `properties/123456789`.
    ///
    /// # Errors
    /// `G-…`, `UA-…` and everything else that is not a property's number, each with where the number is found.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let digits = text.strip_prefix("properties/").unwrap_or(text);
        let upper = digits.to_ascii_uppercase();
        if ["G-", "GT-", "AW-"].iter().any(|tag| upper.starts_with(tag)) {
            return Err(PropertyIdError::MeasurementId(text.to_owned()));
        }
        if upper.starts_with("UA-") {
            return Err(PropertyIdError::UniversalAnalytics(text.to_owned()));
        }
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        match digits.parse() {
            Ok(id) if plain => Ok(Self(id)),
            _ => Err(PropertyIdError::NotANumber(text.to_owned())),
        }
    }
}

impl fmt::Display for PropertyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a text is not a property id, and where the right one is found.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
pub enum PropertyIdError {
    /// The id of a web data stream or of another Google tag.
    #[error("`{0}` is a measurement or tag id, not a property id; {WHERE_THE_ID_IS}")]
    MeasurementId(String),
    /// The id of a property of the generation before GA4.
    #[error("`{0}` belongs to Universal Analytics, which Google switched off in July 2024; {WHERE_THE_ID_IS}")]
    UniversalAnalytics(String),
    /// Anything else.
    #[error("`{0}` is not a property id; {WHERE_THE_ID_IS}")]
    NotANumber(String),
}

/// The name of a report: the middle of its metric families' names and the value of the label `report`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ReportName(Arc<str>);

/// The name of a metric within its report: the end of its family's name.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MetricName(Arc<str>);

/// The name of a label that a user chose.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LabelName(Arc<str>);

/// Why a text cannot be a name.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
pub enum NameError {
    /// Not `[a-z][a-z0-9_]*`, or a double underscore.
    #[error("`{0}` is not a valid name: use lower-case letters, digits and single underscores, starting with a letter")]
    Malformed(String),
    /// Longer than [`MAX_NAME_LENGTH`].
    #[error("a name of {0} characters is too long: at most {MAX_NAME_LENGTH}")]
    TooLong(usize),
    /// A label that the exporter or Prometheus uses itself.
    #[error("the label `{0}` is reserved: the exporter or Prometheus sets it; choose another name")]
    Reserved(String),
}

macro_rules! name {
    ($name:ident) => {
        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(ReportName);
name!(MetricName);
name!(LabelName);

impl FromStr for ReportName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        well_formed(text).map(Self)
    }
}

impl FromStr for MetricName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        well_formed(text).map(Self)
    }
}

impl FromStr for LabelName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if RESERVED_LABELS.contains(&text) {
            return Err(NameError::Reserved(text.to_owned()));
        }
        well_formed(text).map(Self)
    }
}

/// The subset of Prometheus' names that promtool's linter accepts in every position.
fn well_formed(text: &str) -> Result<Arc<str>, NameError> {
    let characters = text.chars().count();
    if characters > MAX_NAME_LENGTH {
        return Err(NameError::TooLong(characters));
    }
    let starts = text.starts_with(|first: char| first.is_ascii_lowercase());
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if starts && text.chars().all(legal) && !text.contains("__") && !text.ends_with('_') {
        Ok(Arc::from(text))
    } else {
        Err(NameError::Malformed(text.to_owned()))
    }
}

/// The longest name of a report, metric or label, in characters.
pub const MAX_NAME_LENGTH: usize = 64;

/// Labels that the exporter's own families or Prometheus use.
pub const RESERVED_LABELS: &[&str] = &[
    "property_id",
    "property_name",
    "account_id",
    "account_name",
    "time_zone",
    "currency",
    "report",
    "reason",
    "window",
    "bucket",
    "category",
    "job",
    "instance",
    "le",
    "quantile",
];

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
    fn other_ids_are_refused_with_the_place_of_the_right_one() {
        for (text, expected) in [
            ("G-ABC123", "measurement or tag id"),
            ("properties/g-abc123", "measurement or tag id"),
            ("UA-12345-6", "Universal Analytics"),
            ("", "not a property id"),
            ("0123", "not a property id"),
            ("12a", "not a property id"),
            ("+5", "not a property id"),
            ("99999999999999999999999", "not a property id"),
            ("accounts/5", "not a property id"),
        ] {
            let message = text.parse::<PropertyId>().unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
            assert!(message.contains("Admin > Property"), "{text}: {message}");
        }
    }

    #[test]
    fn names_are_what_promtool_accepts() {
        for good in ["site", "a1", "geo_region"] {
            assert!(good.parse::<LabelName>().is_ok(), "{good}");
        }
        for bad in ["", "1a", "_a", "a_", "a__b", "A", "a-b", "ä", "job", "le", "property_id"] {
            assert!(bad.parse::<LabelName>().is_err(), "{bad}");
        }
        assert_eq!("a".repeat(65).parse::<MetricName>(), Err(NameError::TooLong(65)));
    }
}
