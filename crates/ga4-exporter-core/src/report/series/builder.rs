//! Rows of an answer, one by one, to series: what is there already, too much or unreadable is counted.

use std::{
    borrow::Cow,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use hashbrown::HashTable;

use super::{Labels, MAX_LABEL_CHARACTERS, RowCounts, Series, text_at};

/// Series with labels, row by row. Every text and every row is kept once, and found by its hash. The hash has a random seed, so
/// that no visitor can choose page paths that collide.
#[derive(Debug)]
pub(crate) struct SeriesBuilder {
    width: usize,
    families: usize,
    max_series: usize,
    series: usize,
    texts: String,
    ends: Vec<u32>,
    /// Where a text is in `ends`.
    known: HashTable<u32>,
    /// The labels of each row, as texts in `ends`.
    cells: Vec<u32>,
    values: Vec<f64>,
    rows: HashTable<Row>,
    hashes: RandomState,
    counts: RowCounts,
}

/// A row that is kept.
#[derive(Clone, Copy, Debug)]
struct Row {
    /// Its place among the rows, see [`labels_of`].
    number: usize,
    /// One bit for each window that it has values of.
    windows: u64,
}

impl SeriesBuilder {
    /// For rows with that many labels and values, `existing` of them in all as Google says, of which `received` are here.
    pub(crate) fn new(width: usize, families: usize, max_series: usize, existing: u64, received: usize) -> Self {
        let rows = received.min(max_series);
        Self {
            width,
            families,
            max_series,
            series: 0,
            texts: String::new(),
            ends: Vec::new(),
            known: HashTable::with_capacity(rows),
            cells: Vec::with_capacity(rows * width),
            values: Vec::with_capacity(rows * families),
            rows: HashTable::with_capacity(rows),
            hashes: RandomState::new(),
            counts: RowCounts { existing, ..RowCounts::default() },
        }
    }

    /// Adds a row of one window: its labels, and the values of some families; not a number where there is none. It is dropped
    /// and counted where it is too much, or there already.
    pub(crate) fn add<'t>(&mut self, window: usize, labels: impl Iterator<Item = &'t str>, values: &[(usize, f64)]) {
        self.counts.received += 1;
        let series = values.iter().filter(|(_, value)| !value.is_nan()).count();
        // Once it is full it stays so: which rows are in it must not depend on how many values they have.
        if self.counts.series_over_limit > 0 {
            return self.drop_over_limit(series);
        }
        let next = Row { number: self.rows.len(), windows: 0 };
        for label in labels {
            let place = self.intern(label);
            self.cells.push(place);
        }
        let hash = self.hashes.hash_one(self.labels(next));
        let known = self.rows.find(hash, |row| self.labels(*row) == self.labels(next)).copied();
        let row = known.unwrap_or(next);
        let window = 1_u64.checked_shl(u32::try_from(window).unwrap_or(u32::MAX)).unwrap_or_default();
        let is_there = row.windows & window != 0;
        let is_over = self.series + series > self.max_series;
        if known.is_some() || is_over {
            self.cells.truncate(next.number * self.width);
        }
        if is_there {
            self.counts.series_duplicate += series;
            self.counts.dropped += 1;
            return;
        }
        if is_over {
            return self.drop_over_limit(series);
        }
        self.keep(hash, Row { windows: row.windows | window, ..row });
        for (family, value) in values {
            if let Some(slot) = self.values.get_mut(row.number * self.families + family) {
                *slot = *value;
            }
        }
        self.series += series;
    }

    /// Adds the row of this hash, or replaces it.
    fn keep(&mut self, hash: u64, row: Row) {
        if let Some(known) = self.rows.find_mut(hash, |known| known.number == row.number) {
            *known = row;
            return;
        }
        let (cells, width, hashes) = (&self.cells, self.width, &self.hashes);
        self.rows.insert_unique(hash, row, |row| hashes.hash_one(labels_of(cells, width, *row)));
        self.values.resize(self.rows.len() * self.families, f64::NAN);
    }

    fn drop_over_limit(&mut self, series: usize) {
        self.counts.series_over_limit += series;
        self.counts.dropped += 1;
    }

    fn labels(&self, row: Row) -> &[u32] {
        labels_of(&self.cells, self.width, row)
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

    /// Returns the place of a label, which is added if it is new.
    fn intern(&mut self, label: &str) -> u32 {
        let label = cut(label);
        let hash = self.hashes.hash_one(&*label);
        let (texts, ends, hashes) = (&self.texts, &self.ends, &self.hashes);
        if let Some(place) = self.known.find(hash, |place| text_at(texts, ends, *place) == Some(&*label)) {
            return *place;
        }
        let number = |count: usize| u32::try_from(count).expect("answers are limited to far less than 4 GiB");
        let place = number(self.ends.len());
        self.known
            .insert_unique(hash, place, |place| hashes.hash_one(text_at(texts, ends, *place).unwrap_or_default()));
        self.texts.push_str(&label);
        self.ends.push(number(self.texts.len()));
        place
    }
}

/// The labels of a row: `cells` has `width` of each row, one row after the other.
fn labels_of(cells: &[u32], width: usize, row: Row) -> &[u32] {
    cells.get(row.number * width..(row.number + 1) * width).unwrap_or_default()
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
