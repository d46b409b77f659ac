//! The selection of properties: configured ones, and rules for those that Google lists.

use std::{collections::BTreeMap, time::Duration};

use regex::Regex;

use crate::names::{LabelName, PropertyId};

/// A property that the configuration names.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfiguredProperty {
    /// Its number.
    pub id: PropertyId,
    /// Labels of the user's own for the info metric.
    pub labels: BTreeMap<LabelName, String>,
}

/// Rules for properties that the credentials can see.
#[derive(Clone, Debug)]
pub struct Discovery {
    /// The interval between listings.
    pub interval: Duration,
    /// Display names to export; all if empty.
    pub include: Vec<Regex>,
    /// Display names to exclude, even if included.
    pub exclude: Vec<Regex>,
}

/// Patterns that match no name: mostly they are mistyped.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct IdlePatterns {
    /// Of `include`.
    pub include: Vec<String>,
    /// Of `exclude`.
    pub exclude: Vec<String>,
}

impl IdlePatterns {
    /// Whether every pattern matches something.
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }
}

impl Discovery {
    /// The patterns that match none of these names.
    pub fn idle_patterns<'a, N: Iterator<Item = &'a str>>(&self, names: impl Fn() -> N) -> IdlePatterns {
        let idle = |patterns: &[Regex]| {
            let matches_nothing = |pattern: &&Regex| !names().any(|name| pattern.is_match(name));
            patterns.iter().filter(matches_nothing).map(ToString::to_string).collect()
        };
        IdlePatterns { include: idle(&self.include), exclude: idle(&self.exclude) }
    }

    /// Whether a property with this display name is exported.
    pub fn selects(&self, display_name: &str) -> bool {
        let any = |patterns: &[Regex]| patterns.iter().any(|pattern| pattern.is_match(display_name));
        !any(&self.exclude) && (self.include.is_empty() || any(&self.include))
    }
}

impl Default for Discovery {
    fn default() -> Self {
        Self { interval: INTERVAL, include: Vec::new(), exclude: Vec::new() }
    }
}

/// Compares the texts of the patterns.
impl PartialEq for Discovery {
    fn eq(&self, other: &Self) -> bool {
        let same = |left: &[Regex], right: &[Regex]| left.iter().map(Regex::as_str).eq(right.iter().map(Regex::as_str));
        self.interval == other.interval && same(&self.include, &other.include) && same(&self.exclude, &other.exclude)
    }
}

const INTERVAL: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn discovery(include: &[&str], exclude: &[&str]) -> Discovery {
        let compiled = |patterns: &[&str]| patterns.iter().map(|pattern| Regex::new(pattern).unwrap()).collect();
        Discovery { include: compiled(include), exclude: compiled(exclude), ..Discovery::default() }
    }

    #[test]
    fn a_property_is_exported_if_it_is_included_and_not_excluded() {
        for (include, exclude, name, expected) in [
            (&[][..], &[][..], "Shop", true),
            (&["^Shop"], &[], "Shop 2", true),
            (&["^Shop"], &[], "Old Shop", false),
            (&["^Blog", "^Shop"], &[], "Shop", true),
            (&["^Shop"], &["(?i)test"], "Shop TEST", false),
            (&[], &["x", "(?i)test"], "tests", false),
            (&[], &["x"], "", true),
        ] {
            assert_eq!(discovery(include, exclude).selects(name), expected, "{name}: {include:?}, {exclude:?}");
        }
    }

    #[test]
    fn patterns_without_a_match_are_found_whether_their_property_is_exported_or_not() {
        let idle = |include: &[&str], exclude: &[&str], names: &[&str]| {
            let IdlePatterns { include, exclude } = discovery(include, exclude).idle_patterns(|| names.iter().copied());
            (include, exclude)
        };
        let none = || Vec::<String>::new();
        assert_eq!(
            idle(&["^Shop", "^Shpo"], &["test"], &["Shop 1"]),
            (vec!["^Shpo".to_owned()], vec!["test".to_owned()])
        );
        assert_eq!(idle(&["^Shop"], &["Shop"], &["Shop 1"]), (none(), none()), "that it leaves nothing is meant");
        assert_eq!(idle(&[], &[], &[]), (none(), none()));
        assert_eq!(idle(&["x"], &[], &[]), (vec!["x".to_owned()], none()));
    }

    #[test]
    fn discoveries_are_compared_by_their_patterns() {
        assert_eq!(discovery(&["a"], &["b"]), discovery(&["a"], &["b"]));
        assert_ne!(discovery(&["a"], &["b"]), discovery(&["b"], &["a"]));
        assert_ne!(discovery(&["a"], &[]), discovery(&["a", "b"], &[]));
        assert_ne!(discovery(&[], &["a"]), discovery(&[], &[]));
        assert_ne!(Discovery { interval: Duration::from_mins(1), ..discovery(&[], &[]) }, discovery(&[], &[]));
    }
}
