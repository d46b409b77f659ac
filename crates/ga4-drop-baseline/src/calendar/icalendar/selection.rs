//! Which events of a calendar mean quiet days.

use regex::Regex;

/// Patterns on what an event is called and on its categories; the default chooses every event.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// One of them must match; none means that every event is chosen.
    pub include: Vec<Regex>,
    /// None of them may match.
    pub exclude: Vec<Regex>,
}

/// A selection, and which of its patterns found something.
#[derive(Debug)]
pub(super) struct Chooser<'s> {
    selection: &'s Selection,
    has_matched: Vec<bool>,
}

impl<'s> Chooser<'s> {
    pub(super) fn new(selection: &'s Selection) -> Self {
        Self { selection, has_matched: vec![false; selection.include.len()] }
    }

    /// Whether an event with these texts is chosen.
    pub(super) fn chooses(&mut self, texts: &[String]) -> bool {
        let Selection { include, exclude } = self.selection;
        let matches = |pattern: &Regex| texts.iter().any(|text| pattern.is_match(text));
        let mut is_included = include.is_empty();
        for (pattern, has_matched) in include.iter().zip(&mut self.has_matched) {
            if matches(pattern) {
                (is_included, *has_matched) = (true, true);
            }
        }
        is_included && !exclude.iter().any(matches)
    }

    /// The patterns of `include` that no event matched.
    pub(super) fn unmatched(&self) -> Vec<String> {
        let patterns = self.selection.include.iter().zip(&self.has_matched);
        patterns.filter(|(_, has_matched)| !**has_matched).map(|(pattern, _)| pattern.as_str().to_owned()).collect()
    }
}
