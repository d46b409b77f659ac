//! Names that are valid by construction: properties, reports, metrics, labels, and Google's fields.
//!
//! Knows the character sets that Google and Prometheus accept, and reserved names. Refuses to know anything else in the crate.
//! Invariant: every value of these types is valid, so `exposition` cannot print an invalid line.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Serialize, Serializer};
use thiserror::Error as ThisError;

pub use closed::{Api, Bucket, Category, DropReason, Handler, Method, Reason, RefusedReason, TokenReason};
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

/// The name of a metric of ours: the end of its family's name.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MetricName(Arc<str>);

/// The name of a range of time: the beginning of its families' names, and its name in requests and answers.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct WindowName(Arc<str>);

/// The whole name of a metric family of a report.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FamilyName(Arc<str>);

/// Google's name for a dimension or metric, such as `screenPageViews` or `customEvent:plan`. Whether there is such a field,
/// only Google knows.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ApiName(Arc<str>);

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
    /// A metric's name that ends like the parts of counters and histograms.
    #[error(
        "the metric name `{name}` ends in `{ending}`, which Prometheus uses for other types; choose another ending"
    )]
    Ending {
        /// The name.
        name: String,
        /// One of [`RESERVED_ENDINGS`].
        ending: &'static str,
    },
    /// Not a valid name of a range at Google.
    #[error("a range cannot be called `{0}`: Google keeps names that begin with `date_range_` for itself")]
    Range(String),
    /// Not a valid name of a field at Google.
    #[error("`{0}` is not the name of a field of Google's: write it as in its list, such as `screenPageViews`")]
    Field(String),
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
name!(MetricName);
name!(WindowName);
name!(FamilyName);
name!(ApiName);

impl FamilyName {
    /// The family of a metric in a range of time.
    pub fn new(window: &WindowName, metric: &MetricName) -> Self {
        Self(format!("google_analytics_{window}_{metric}").into())
    }
}

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

impl FromStr for MetricName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // `count` alone is the end of a family's name, too.
        let is_at_the_end = |ending: &&&str| text.ends_with(**ending) || ending.strip_prefix('_') == Some(text);
        match RESERVED_ENDINGS.iter().find(is_at_the_end) {
            Some(ending) => Err(NameError::Ending { name: text.to_owned(), ending }),
            None => well_formed(text).map(Self),
        }
    }
}

impl FromStr for WindowName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("date_range_") {
            return Err(NameError::Range(text.to_owned()));
        }
        well_formed(text).map(Self)
    }
}

impl FromStr for ApiName {
    type Err = NameError;

    /// A word, optionally followed by a colon and a name of the property's own: events may have any characters.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let characters = text.chars().count();
        if characters > MAX_API_NAME_LENGTH {
            return Err(NameError::TooLong(characters));
        }
        let (word, own) = text.split_once(':').unwrap_or((text, "x"));
        let is_word = word.starts_with(|first: char| first.is_ascii_alphabetic())
            && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if is_word && !own.trim().is_empty() && !own.contains(char::is_control) {
            Ok(Self(Arc::from(text)))
        } else {
            Err(NameError::Field(text.to_owned()))
        }
    }
}

impl Serialize for ApiName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Serialize for WindowName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
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

/// The longest name of a field of Google's, in characters: a prefix and the name of an event or a parameter.
pub const MAX_API_NAME_LENGTH: usize = 150;

/// Reserved endings of metric names: parts of counters, histograms and info metrics.
pub const RESERVED_ENDINGS: &[&str] = &["_total", "_count", "_sum", "_bucket", "_info", "_created"];

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
    "monitor",
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

    #[test]
    fn metrics_do_not_end_like_parts_of_other_types() {
        for good in ["pageviews", "account", "sum_of_all", "bounce_rate_ratio"] {
            assert!(good.parse::<MetricName>().is_ok(), "{good}");
        }
        for bad in ["total", "count", "events_total", "events_count", "a_info", "a_created", "a__b", "Views"] {
            assert!(bad.parse::<MetricName>().is_err(), "{bad}");
        }
        let family = FamilyName::new(&"today".parse().unwrap(), &"pageviews".parse().unwrap());
        assert_eq!(family.as_str(), "google_analytics_today_pageviews");
        assert!("date_range_0".parse::<WindowName>().is_err(), "Google keeps it for itself");
    }

    #[test]
    fn names_of_fields_are_words_and_what_properties_add() {
        for good in ["screenPageViews", "active28DayUsers", "customEvent:plan", "keyEvents:sign-up now", "keyEvents:é"]
        {
            assert!(good.parse::<ApiName>().is_ok(), "{good}");
        }
        for bad in ["", "7days", "page path", "screen-page", "keyEvents:", "keyEvents: ", "a:b\n", "größe"] {
            assert!(bad.parse::<ApiName>().is_err(), "{bad}");
        }
        assert!("a".repeat(151).parse::<ApiName>().is_err());
    }
}
