//! Rows of an answer, one by one, to series: what is there already, too much or unreadable is counted.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use super::{Labels, MAX_LABEL_CHARACTERS, RowCounts, Series};

/// Series with labels, row by row.
#[derive(Debug)]
pub(crate) struct SeriesBuilder {
    width: usize,
    families: usize,
    max_series: usize,
    series: usize,
    texts: String,
    ends: Vec<u32>,
    known: HashMap<Box<str>, u32>,
    cells: Vec<u32>,
    values: Vec<f64>,
    /// By labels: the row, and one bit for each window that it has values of.
    rows: HashMap<Box<[u32]>, (usize, u64)>,
    counts: RowCounts,
}

impl SeriesBuilder {
    /// For rows with that many labels and values, `existing` of them in all as Google says.
    pub(crate) fn new(width: usize, families: usize, max_series: usize, existing: u64) -> Self {
        Self {
            width,
            families,
            max_series,
            series: 0,
            texts: String::new(),
            ends: Vec::new(),
            known: HashMap::new(),
            cells: Vec::new(),
            values: Vec::new(),
            rows: HashMap::new(),
            counts: RowCounts { existing, ..RowCounts::default() },
        }
    }

    /// Adds a row of one window: its labels, and the values of some families; not a number where there is none. It is dropped
    /// and counted where it is too much, or there already.
    pub(crate) fn add<'t>(&mut self, window: usize, labels: impl Iterator<Item = &'t str>, values: &[(usize, f64)]) {
        self.counts.received += 1;
        let series = values.iter().filter(|(_, value)| !value.is_nan()).count();
        let is_full = self.counts.series_over_limit > 0;
        let cells: Box<[u32]> = if is_full { Box::default() } else { labels.map(|label| self.intern(label)).collect() };
        let window = 1_u64.checked_shl(u32::try_from(window).unwrap_or(u32::MAX)).unwrap_or_default();
        let known = self.rows.get(&cells).copied();
        if known.is_some_and(|(_, windows)| windows & window != 0) {
            self.counts.series_duplicate += series;
            self.counts.dropped += 1;
            return;
        }
        // Once it is full it stays so: which rows are in it must not depend on how many values they have.
        if is_full || self.series + series > self.max_series {
            self.counts.series_over_limit += series;
            self.counts.dropped += 1;
            return;
        }
        let (row, windows) = known.unwrap_or((self.rows.len(), 0));
        if known.is_none() {
            self.cells.extend_from_slice(&cells);
            self.values.resize(self.values.len() + self.families, f64::NAN);
        }
        self.rows.insert(cells, (row, windows | window));
        for (family, value) in values {
            if let Some(slot) = self.values.get_mut(row * self.families + family) {
                *slot = *value;
            }
        }
        self.series += series;
    }

    /// Counts a row with a cell that cannot be read, and the series that it would have been.
    pub(crate) fn drop_invalid(&mut self, series: usize) {
        self.counts.received += 1;
        self.counts.dropped += 1;
        self.counts.series_invalid += series;
    }

    pub(crate) fn finish(self) -> Series {
        let labels = Labels {
            texts: self.texts.into(),
            ends: self.ends.into(),
            cells: self.cells.into(),
            width: self.width,
            families: self.families,
            counts: self.counts,
        };
        Series { values: self.values.into(), labels: Some(Arc::new(labels)) }
    }

    fn intern(&mut self, label: &str) -> u32 {
        let label = cut(label);
        if let Some(place) = self.known.get(&*label) {
            return *place;
        }
        self.texts.push_str(&label);
        let number = |count: usize| u32::try_from(count).expect("answers are limited to far less than 4 GiB");
        let place = number(self.ends.len());
        self.ends.push(number(self.texts.len()));
        self.known.insert(label.into(), place);
        place
    }
}

/// What a label shows of a text: all of it, or its beginning and a hash, so that two long texts stay two.
fn cut(text: &str) -> Cow<'_, str> {
    // As many bytes cannot be more characters.
    if text.len() <= MAX_LABEL_CHARACTERS || text.chars().nth(MAX_LABEL_CHARACTERS).is_none() {
        return text.into();
    }
    let hash = format!("…{:016x}", fnv_1a(text));
    let kept = MAX_LABEL_CHARACTERS - hash.chars().count();
    let end = text.char_indices().nth(kept).map_or(text.len(), |(end, _)| end);
    format!("{}{hash}", text.get(..end).unwrap_or_default()).into()
}

/// The hash of Fowler, Noll and Vo: the same in every version, so that a series does not end with an update.
fn fnv_1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_labels_are_cut_and_stay_distinct() {
        let long = "ä".repeat(MAX_LABEL_CHARACTERS);
        assert_eq!(cut(&long), long, "just short enough");
        let (one, other) = (format!("{long}x"), format!("{long}y"));
        let (cut_one, cut_other) = (cut(&one), cut(&other));
        assert_eq!(cut_one.chars().count(), MAX_LABEL_CHARACTERS);
        assert_ne!(cut_one, cut_other);
        assert!(cut_one.starts_with(&"ä".repeat(183)) && cut_one.contains('…'));
        assert_eq!(fnv_1a("foobar"), 0x8594_4171_f739_67e8, "as everybody has it");
    }
}
