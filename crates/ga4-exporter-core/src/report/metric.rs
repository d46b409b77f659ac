//! A metric of a report: our name, Google's name, its unit, and what may be done with its values.

use crate::names::{ApiName, MetricName};

/// A metric, as a report asks for it and exports it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Metric {
    /// The end of the metric family's name.
    pub name: MetricName,
    /// Google's name for it.
    pub api_name: ApiName,
    /// What Google's numbers are in, and what becomes of them.
    pub unit: Unit,
    /// What may be summed.
    pub addition: Addition,
    /// Whether it may be below 0: revenue is net of refunds, and what a property defines itself may be anything.
    pub is_signed: bool,
    /// What it counts, as the beginning of a sentence.
    pub meaning: String,
}

/// The unit of Google's numbers (`MetricType`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unit {
    /// A count, or any other number without a unit.
    Plain,
    /// A part of a whole, from 0 to 1.
    Ratio,
    /// An amount in the property's currency.
    Currency,
    /// Seconds.
    Seconds,
    /// Milliseconds; exported in seconds.
    Milliseconds,
    /// Minutes; exported in seconds.
    Minutes,
    /// Hours; exported in seconds.
    Hours,
    /// Metres.
    Meters,
    /// Kilometres; exported in metres.
    Kilometers,
    /// Feet; exported in metres.
    Feet,
    /// Miles; exported in metres.
    Miles,
}

/// Over what the values of a metric may be summed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Addition {
    /// They add up over labels, days and properties.
    Sum,
    /// They count the same user or session in several rows.
    Distinct,
    /// They add up over days and properties, but one event is in several rows.
    Overlapping,
    /// They are ratios.
    Ratio,
    /// They are averages.
    Average,
}

impl Metric {
    /// What Google's numbers are in where the answer says their type: the type where it measures the same as the unit of the
    /// report, such as milliseconds instead of seconds, else the unit of the report.
    pub fn unit_in(&self, google_type: &str) -> Unit {
        let measured = |unit: &Unit| unit.suffix().filter(|suffix| *suffix != "ratio");
        let said = Unit::of_google_type(google_type);
        said.filter(|said| measured(said).is_some() && measured(said) == measured(&self.unit)).unwrap_or(self.unit)
    }
}

impl Unit {
    /// The unit of a type of Google's; `None` of one that is not known.
    pub fn of_google_type(name: &str) -> Option<Self> {
        Some(match name {
            "TYPE_INTEGER" | "TYPE_FLOAT" | "TYPE_STANDARD" => Self::Plain,
            "TYPE_CURRENCY" => Self::Currency,
            "TYPE_SECONDS" => Self::Seconds,
            "TYPE_MILLISECONDS" => Self::Milliseconds,
            "TYPE_MINUTES" => Self::Minutes,
            "TYPE_HOURS" => Self::Hours,
            "TYPE_METERS" => Self::Meters,
            "TYPE_KILOMETERS" => Self::Kilometers,
            "TYPE_FEET" => Self::Feet,
            "TYPE_MILES" => Self::Miles,
            _ => return None,
        })
    }

    /// The unit of a word of the configuration, which are Google's in lower case, and `ratio`; `None` of any other.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, unit)| *unit)
    }

    /// The word of the configuration for it.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, unit)| *unit == self).map_or("", |(word, _)| word)
    }

    /// Every unit with its word.
    pub const WORDS: &'static [(&'static str, Self)] = &[
        ("standard", Self::Plain),
        ("ratio", Self::Ratio),
        ("currency", Self::Currency),
        ("seconds", Self::Seconds),
        ("milliseconds", Self::Milliseconds),
        ("minutes", Self::Minutes),
        ("hours", Self::Hours),
        ("meters", Self::Meters),
        ("kilometers", Self::Kilometers),
        ("feet", Self::Feet),
        ("miles", Self::Miles),
    ];

    /// What Google's numbers are multiplied with, to be in Prometheus' base units.
    pub fn factor(self) -> f64 {
        match self {
            Self::Plain | Self::Ratio | Self::Currency | Self::Seconds | Self::Meters => 1.0,
            Self::Milliseconds => 0.001,
            Self::Minutes => 60.0,
            Self::Hours => 3600.0,
            Self::Kilometers => 1000.0,
            Self::Feet => 0.3048,
            Self::Miles => 1609.344,
        }
    }

    /// The reverse: which number of Google's becomes this exported one. What is whole but for the last digits is whole.
    pub fn at_google(self, exported: f64) -> f64 {
        let number = match self {
            Self::Plain | Self::Ratio | Self::Currency | Self::Seconds | Self::Meters => return exported,
            Self::Milliseconds => exported * 1000.0,
            Self::Minutes | Self::Hours | Self::Kilometers | Self::Feet | Self::Miles => exported / self.factor(),
        };
        let whole = number.round();
        if (number - whole).abs() <= whole.abs() * ROUNDING { whole } else { number }
    }

    /// How the name of a metric in this unit ends, where that is the custom.
    pub fn suffix(self) -> Option<&'static str> {
        match self {
            Self::Plain | Self::Currency => None,
            Self::Ratio => Some("ratio"),
            Self::Seconds | Self::Milliseconds | Self::Minutes | Self::Hours => Some("seconds"),
            Self::Meters | Self::Kilometers | Self::Feet | Self::Miles => Some("meters"),
        }
    }
}

impl Addition {
    /// What HELP says of sums; where there are no labels, only what it warns of.
    pub(super) fn words(self, is_labelled: bool) -> &'static str {
        match self {
            Self::Sum if is_labelled => "; additive over its labels",
            Self::Sum => "",
            Self::Distinct => "; distinct counts, do not sum",
            Self::Overlapping => "; its rows overlap, do not sum over labels",
            Self::Ratio => "; a ratio, do not sum",
            Self::Average => "; an average, do not sum",
        }
    }
}

/// How much the last digits of a division are off at most.
const ROUNDING: f64 = 1e-14;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_base_units() {
        for (name, value, expected, suffix) in [
            ("TYPE_INTEGER", 5.0, 5.0, None),
            ("TYPE_MILLISECONDS", 1500.0, 1.5, Some("seconds")),
            ("TYPE_HOURS", 2.0, 7200.0, Some("seconds")),
            ("TYPE_MILES", 2.0, 3218.688, Some("meters")),
            ("TYPE_CURRENCY", -9.5, -9.5, None),
        ] {
            let unit = Unit::of_google_type(name).unwrap();
            assert!((value * unit.factor() - expected).abs() < 1e-9, "{name}");
            assert_eq!(unit.suffix(), suffix, "{name}");
        }
        assert_eq!(Unit::of_google_type("TYPE_PARSECS"), None);
    }
}
