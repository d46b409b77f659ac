//! Names that are valid by construction: properties, reports, metrics and labels.
//!
//! Knows the character sets that Google and Prometheus accept, and what is reserved. Refuses to know anything else of
//! the crate. Invariant: whoever holds one of these values holds a valid one, so `exposition` cannot print a bad line.

use std::{fmt, str::FromStr, sync::Arc};

use thiserror::Error as ThisError;

pub use closed::{Api, Bucket, Category, Handler, Method, Reason, RefusedReason, TokenReason};
pub use property_id::{PropertyId, PropertyIdError};
pub use property_type::PropertyType;

mod closed;
mod property_id;
mod property_type;

/// The name of a report: the middle of its metric families' names and the value of the label `report`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ReportName(Arc<str>);

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
name!(LabelName);

impl FromStr for ReportName {
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
    "property_type",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_promtool_accepts() {
        for good in ["site", "a1", "geo_region"] {
            assert!(good.parse::<LabelName>().is_ok(), "{good}");
        }
        for bad in ["", "1a", "_a", "a_", "a__b", "A", "a-b", "ä", "job", "le", "property_id"] {
            assert!(bad.parse::<LabelName>().is_err(), "{bad}");
        }
        assert_eq!("a".repeat(65).parse::<LabelName>(), Err(NameError::TooLong(65)));
    }
}
