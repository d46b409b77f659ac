//! Selects the events of a calendar that mean quiet days.

use regex::Regex;

use super::budget::{Budget, Exhausted};

/// Patterns for the summary and the categories of an event. The default selects every event.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// At least one of them must match; an empty list selects every event.
    pub include: Vec<Regex>,
    /// None of them may match.
    pub exclude: Vec<Regex>,
}

/// A selection, and which of its patterns have matched.
#[derive(Debug)]
pub(super) struct Chooser<'s> {
    selection: &'s Selection,
    has_matched: Vec<bool>,
}

impl<'s> Chooser<'s> {
    pub(super) fn new(selection: &'s Selection) -> Self {
        Self { selection, has_matched: vec![false; selection.include.len()] }
    }

    /// Returns whether an event with these texts is selected.
    pub(super) fn chooses(&mut self, texts: &[String], budget: &mut Budget) -> Result<bool, Exhausted> {
        let Selection { include, exclude } = self.selection;
        let bytes: usize = texts.iter().map(|text| text.len() + 1).sum();
        let steps = bytes.saturating_mul(include.len() + exclude.len()) / BYTES_A_STEP;
        budget.step(u32::try_from(steps).unwrap_or(u32::MAX))?;
        let matches = |pattern: &Regex| texts.iter().any(|text| pattern.is_match(text));
        let mut is_included = include.is_empty();
        for (pattern, has_matched) in include.iter().zip(&mut self.has_matched) {
            if matches(pattern) {
                (is_included, *has_matched) = (true, true);
            }
        }
        Ok(is_included && !exclude.iter().any(matches))
    }

    /// Returns the patterns of `include` that matched no event.
    pub(super) fn unmatched(&self) -> Vec<String> {
        let patterns = self.selection.include.iter().zip(&self.has_matched);
        patterns.filter(|(_, has_matched)| !**has_matched).map(|(pattern, _)| pattern.as_str().to_owned()).collect()
    }
}

/// The number of bytes of a text that are compared with a pattern in one step.
const BYTES_A_STEP: usize = 16;
