//! What an answer changes: the difference between the rows that are stored and those that Google has.

use super::{DailyRows, Key, Values};

/// What to do so that the stored rows become the wanted ones.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowChange<'a> {
    /// Rows that are not there yet.
    pub inserts: Vec<(&'a Key, &'a Values)>,
    /// Rows whose values are others.
    pub updates: Vec<(&'a Key, &'a Values)>,
    /// Rows that Google no longer has.
    pub deletes: Vec<&'a Key>,
    /// How many rows stay as they are.
    pub untouched: usize,
}

/// How many rows were changed in which way.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Changed {
    /// Rows that are new.
    pub inserted: usize,
    /// Rows whose values are others.
    pub updated: usize,
    /// Rows that are gone.
    pub deleted: usize,
    /// Rows that were not touched.
    pub untouched: usize,
}

impl<'a> RowChange<'a> {
    /// The difference between the rows of the same days.
    pub fn between(stored: &'a DailyRows, wanted: &'a DailyRows) -> Self {
        let mut change =
            Self { deletes: stored.keys().filter(|key| !wanted.contains_key(*key)).collect(), ..Self::default() };
        for (key, values) in wanted {
            match stored.get(key) {
                None => change.inserts.push((key, values)),
                Some(before) if before == values => change.untouched += 1,
                Some(_) => change.updates.push((key, values)),
            }
        }
        change
    }

    /// How much it is.
    pub fn size(&self) -> Changed {
        Changed {
            inserted: self.inserts.len(),
            updated: self.updates.len(),
            deleted: self.deletes.len(),
            untouched: self.untouched,
        }
    }
}

/// Keeps what is stored of metrics that Google hides from the account now, and did not hide before. `hidden` has an entry for each
/// metric. Google leaves out rows without a number above 0, and shows 0 for what it hides: so a row that had nothing else stays.
pub fn keep_hidden(wanted: &mut DailyRows, stored: &DailyRows, hidden: &[bool]) {
    if !hidden.contains(&true) {
        return;
    }
    for (key, before) in stored {
        let Some(values) = wanted.get_mut(key) else {
            let mut visible = before.iter().zip(hidden).filter(|(_, is_hidden)| !**is_hidden);
            if visible.all(|(value, _)| value.unwrap_or_default() == 0.0) {
                wanted.insert(key.clone(), before.clone());
            }
            continue;
        };
        for ((value, before), is_hidden) in values.iter_mut().zip(before).zip(hidden) {
            if *is_hidden {
                *value = *before;
            }
        }
    }
}

impl Changed {
    /// How many rows were touched.
    pub fn touched(self) -> usize {
        self.inserted + self.updated + self.deleted
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            inserted: self.inserted + other.inserted,
            updated: self.updated + other.updated,
            deleted: self.deleted + other.deleted,
            untouched: self.untouched + other.untouched,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_number_that_is_hidden_now_stays() {
        let two = |rows: &[(i8, Option<f64>, Option<f64>)]| -> DailyRows {
            let row = |(day, first, second): &(i8, Option<f64>, Option<f64>)| {
                (Key { date: date(2026, 1, *day), dimensions: Vec::new() }, vec![*first, *second])
            };
            rows.iter().map(row).collect()
        };
        let stored = two(&[
            (1, Some(7.0), Some(1.0)),
            (2, Some(7.0), None),
            (3, Some(0.0), Some(3.0)),
            (4, Some(7.0), Some(4.0)),
        ]);
        let now = [(1, Some(8.0), None), (2, Some(7.0), None), (5, Some(9.0), None)];
        let mut wanted = two(&now);
        keep_hidden(&mut wanted, &stored, &[false, true]);
        let kept = [
            (1, Some(8.0), Some(1.0)),
            (2, Some(7.0), None),
            (3, Some(0.0), Some(3.0)), // that row had nothing but what is hidden
            (5, Some(9.0), None),
        ];
        assert_eq!(wanted, two(&kept));
        let mut wanted = two(&now);
        keep_hidden(&mut wanted, &stored, &[false, false]);
        assert_eq!(wanted, two(&now));
    }

    fn rows(rows: &[(i8, &str, Option<f64>)]) -> DailyRows {
        let row = |(day, path, value): &(i8, &str, Option<f64>)| {
            (Key { date: date(2026, 1, *day), dimensions: vec![(*path).to_owned()] }, vec![*value])
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn revised_rows_change_vanished_rows_go_and_others_stay() {
        let stored = rows(&[(1, "/", Some(1.0)), (1, "/a", Some(2.0)), (1, "/b", None), (2, "/", Some(4.0))]);
        let wanted = rows(&[(1, "/", Some(1.0)), (1, "/b", Some(3.0)), (2, "/", None), (2, "/c", None)]);
        let change = RowChange::between(&stored, &wanted);
        assert_eq!(change.size(), Changed { inserted: 1, updated: 2, deleted: 1, untouched: 1 });
        assert_eq!(change.size().touched(), 4);
        assert_eq!(change.deletes[0].dimensions, ["/a"]);
        assert_eq!(RowChange::between(&wanted, &wanted).size().touched(), 0);
    }
}
