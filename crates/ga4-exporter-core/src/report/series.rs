//! The series that one answer to a report brought: for each row its label values, and a value for each family.
//!
//! Knows how rows are kept small: a text that stands in many rows is kept once, and the values are one list. Refuses to know
//! names and formats. Invariants: no two rows have the same labels, so that no two series are the same; a text is at most
//! [`MAX_LABEL_CHARACTERS`] long; there are no more series than the report's `max_series`.

use std::sync::Arc;

pub(crate) use builder::SeriesBuilder;

mod builder;

/// All series of a snapshot. Without dimensions there is one row, without labels.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// Row by row, in the order of the report's families; not a number where there is no value.
    values: Arc<[f64]>,
    labels: Option<Arc<Labels>>,
}

/// The labels of all rows.
#[derive(Debug, Eq, PartialEq)]
struct Labels {
    /// Every text once, one after the other.
    texts: Box<str>,
    /// Where each text ends.
    ends: Box<[u32]>,
    /// Row by row, the place of each label's text in `ends`.
    cells: Box<[u32]>,
    /// How many labels a row has; at least 1.
    width: usize,
    /// How many values a row has.
    families: usize,
    counts: RowCounts,
}

/// What became of the rows of an answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RowCounts {
    /// The rows of the answer.
    pub received: usize,
    /// The rows that Google has altogether, as it says itself; more than received where a limit cut them off.
    pub existing: u64,
    /// The rows that were dropped, for whatever reason.
    pub dropped: usize,
    /// The series that were dropped because there are too many.
    pub series_over_limit: usize,
    /// The series that were dropped because a cell of their row cannot be read.
    pub series_invalid: usize,
    /// The series that were dropped because their row was there already.
    pub series_duplicate: usize,
}

/// One row of series: what they share.
#[derive(Clone, Copy, Debug)]
pub struct SeriesRow<'a> {
    series: &'a Series,
    index: usize,
}

impl Series {
    /// The series without labels that have these values, in the order of the families; not a number where there is none.
    pub fn unlabelled(values: impl Into<Arc<[f64]>>) -> Self {
        Self { values: values.into(), labels: None }
    }

    /// Whether they have labels.
    pub fn is_labelled(&self) -> bool {
        self.labels.is_some()
    }

    /// The values, row by row in the order of the families; not a number where there is none.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The value of a family where there are no labels.
    pub fn value(&self, family: usize) -> Option<f64> {
        let value = self.values.get(family).copied().filter(|_| self.labels.is_none());
        value.filter(|value| !value.is_nan())
    }

    /// How many series there are.
    pub fn len(&self) -> usize {
        self.values.iter().filter(|value| !value.is_nan()).count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.iter().all(|value| value.is_nan())
    }

    /// The rows, in the order of the answer.
    pub fn rows(&self) -> impl Iterator<Item = SeriesRow<'_>> {
        let rows = match &self.labels {
            Some(labels) => labels.cells.len() / labels.width.max(1),
            None => usize::from(!self.values.is_empty()),
        };
        (0..rows).map(|index| SeriesRow { series: self, index })
    }

    /// The first rows, as long as they have no more series than this; the others are counted as dropped. Without labels, all.
    #[must_use]
    pub fn first(&self, most: usize) -> Self {
        let Some(labels) = self.labels.as_ref().filter(|_| self.len() > most) else { return self.clone() };
        let counted = |row: &[f64]| row.iter().filter(|value| !value.is_nan()).count();
        let rows: Vec<usize> = self.values.chunks(labels.families.max(1)).map(counted).collect();
        let mut kept_series = 0;
        let fits = |series: &&usize| {
            kept_series += **series;
            kept_series <= most
        };
        let kept_rows = rows.iter().take_while(fits).count();
        let dropped = rows.iter().skip(kept_rows).sum::<usize>();
        let values = self.values.get(..kept_rows * labels.families).unwrap_or_default();
        let cells = labels.cells.get(..kept_rows * labels.width).unwrap_or_default();
        let counts = RowCounts {
            dropped: labels.counts.dropped + rows.len() - kept_rows,
            series_over_limit: labels.counts.series_over_limit + dropped,
            ..labels.counts
        };
        let labels =
            Labels { texts: labels.texts.clone(), ends: labels.ends.clone(), cells: cells.into(), counts, ..**labels };
        Self { values: values.into(), labels: Some(Arc::new(labels)) }
    }

    /// What became of the answer's rows, where the report has dimensions.
    pub fn row_counts(&self) -> Option<RowCounts> {
        self.labels.as_ref().map(|labels| labels.counts)
    }

    /// How many bytes of memory they take.
    pub fn bytes(&self) -> usize {
        let labels = self.labels.as_ref().map_or(0, |labels| {
            size_of::<Labels>() + labels.texts.len() + size_of_val(&*labels.ends) + size_of_val(&*labels.cells)
        });
        size_of_val(&*self.values) + labels
    }
}

impl RowCounts {
    /// Whether Google has more rows than it sent.
    pub fn is_truncated(&self) -> bool {
        u64::try_from(self.received).is_ok_and(|received| self.existing > received)
    }

    /// How many series were dropped, for whatever reason.
    pub fn series_dropped(&self) -> usize {
        self.series_over_limit + self.series_invalid + self.series_duplicate
    }
}

impl<'a> SeriesRow<'a> {
    /// The texts of its labels, in the order of the report's dimensions.
    pub fn labels(self) -> impl Iterator<Item = &'a str> {
        let labels = self.series.labels.as_deref();
        let width = labels.map_or(0, |labels| labels.width);
        let cells = labels.and_then(|labels| labels.cells.get(self.index * width..(self.index + 1) * width));
        cells.unwrap_or_default().iter().filter_map(move |cell| labels?.text(*cell))
    }

    /// The value of a family; `None` where this row has none.
    pub fn value(self, family: usize) -> Option<f64> {
        let families = self.series.labels.as_ref().map_or(self.series.values.len(), |labels| labels.families);
        let value = self.series.values.get(self.index * families + family).filter(|_| family < families);
        value.copied().filter(|value| !value.is_nan())
    }
}

impl Labels {
    fn text(&self, cell: u32) -> Option<&str> {
        text_at(&self.texts, &self.ends, cell)
    }
}

/// The text at this place, where `texts` are one after the other and end at `ends`.
fn text_at<'t>(texts: &'t str, ends: &[u32], place: u32) -> Option<&'t str> {
    let place = usize::try_from(place).ok()?;
    let end = |place: usize| ends.get(place).and_then(|end| usize::try_from(*end).ok());
    let begin = place.checked_sub(1).map_or(Some(0), end)?;
    texts.get(begin..end(place)?)
}

/// Values are compared by their bits: a missing one is NaN, and equals another missing one.
impl PartialEq for Series {
    fn eq(&self, other: &Self) -> bool {
        let bits = |value: &f64| value.to_bits();
        let same_values =
            Arc::ptr_eq(&self.values, &other.values) || self.values.iter().map(bits).eq(other.values.iter().map(bits));
        same_values && self.labels == other.labels
    }
}

impl Eq for Series {}

impl From<Vec<f64>> for Series {
    fn from(values: Vec<f64>) -> Self {
        Self::unlabelled(values)
    }
}

impl FromIterator<f64> for Series {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self { values: values.into_iter().collect(), labels: None }
    }
}

/// The longest value of a label, in characters. Google's own values are of any length: page paths most of all.
pub const MAX_LABEL_CHARACTERS: usize = 200;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(series: &Series) -> Vec<(String, Vec<Option<f64>>)> {
        let families = if series.rows().next().is_none() { 0 } else { series.values().len() / series.rows().count() };
        let values = |row: SeriesRow<'_>| (0..families).map(|family| row.value(family)).collect();
        series.rows().map(|row| (row.labels().collect::<Vec<_>>().join("|"), values(row))).collect()
    }

    #[test]
    fn without_labels_there_is_one_row() {
        let series = Series::from(vec![1.0, f64::NAN, 3.0]);
        assert_eq!(shown(&series), [(String::new(), vec![Some(1.0), None, Some(3.0)])]);
        assert_eq!((series.value(0), series.value(1), series.value(3)), (Some(1.0), None, None));
        assert_eq!((series.len(), series.row_counts()), (2, None));
        assert!(Series::default().is_empty() && Series::default().rows().next().is_none());
    }

    #[test]
    fn rows_of_several_windows_become_one() {
        let mut builder = SeriesBuilder::new(2, 2, 100, 3, 3);
        builder.add(0, ["a", "x"].into_iter(), &[(0, 1.0)]);
        builder.add(1, ["b", "x"].into_iter(), &[(1, 2.0)]);
        builder.add(1, ["a", "x"].into_iter(), &[(1, 3.0)]);
        let series = builder.finish();
        let expected = [("a|x".to_owned(), vec![Some(1.0), Some(3.0)]), ("b|x".to_owned(), vec![None, Some(2.0)])];
        assert_eq!(shown(&series), expected);
        let counts = RowCounts { received: 3, existing: 3, ..RowCounts::default() };
        assert_eq!((series.len(), series.row_counts()), (3, Some(counts)));
    }

    #[test]
    fn what_is_there_already_or_too_much_is_dropped_and_counted() {
        let mut builder = SeriesBuilder::new(1, 2, 5, 900, 7);
        for label in ["a", "b", "a", "c", "d"] {
            builder.add(0, [label].into_iter(), &[(0, 1.0), (1, 2.0)]);
        }
        builder.add(0, ["e"].into_iter(), &[(0, 1.0), (1, f64::NAN)]);
        builder.drop_invalid(2);
        let series = builder.finish();
        assert_eq!(shown(&series).iter().map(|(label, _)| label.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let counts = RowCounts {
            received: 7,
            existing: 900,
            dropped: 5,
            series_over_limit: 5,
            series_invalid: 2,
            series_duplicate: 2,
        };
        assert_eq!(series.row_counts(), Some(counts));
    }

    proptest! {
        #[test]
        fn any_rows_become_what_a_plain_list_of_them_would(
            rows in prop::collection::vec((0_usize..2, "[ab]{0,2}", "[xyé]{0,2}"), 0..60),
            most in 0_usize..40,
        ) {
            let mut builder = SeriesBuilder::new(2, 2, most, 0, rows.len());
            let (mut plain, mut counts) = (Vec::<(String, [Option<f64>; 2])>::new(), RowCounts::default());
            let mut kept = 0;
            for (value, (window, first, second)) in rows.iter().enumerate() {
                let value = f64::from(u8::try_from(value).unwrap());
                builder.add(*window, [first.as_str(), second.as_str()].into_iter(), &[(*window, value)]);
                counts.received += 1;
                let labels = format!("{first}|{second}");
                let known = plain.iter_mut().find(|(known, _)| *known == labels);
                match known {
                    _ if counts.series_over_limit > 0 => counts.series_over_limit += 1,
                    Some((_, values)) if values[*window].is_some() => counts.series_duplicate += 1,
                    _ if kept == most => counts.series_over_limit += 1,
                    Some((_, values)) => values[*window] = Some(value),
                    None => {
                        let mut values = [None; 2];
                        values[*window] = Some(value);
                        plain.push((labels, values));
                    }
                }
                counts.dropped = counts.series_over_limit + counts.series_duplicate;
                kept = counts.received - counts.dropped;
            }
            let series = builder.finish();
            let plain: Vec<_> = plain.into_iter().map(|(labels, values)| (labels, values.to_vec())).collect();
            prop_assert_eq!(shown(&series), plain);
            prop_assert_eq!(series.row_counts(), Some(counts));
        }
    }

    #[test]
    fn the_first_rows_stay_where_there_is_room_for_no_more() {
        let mut builder = SeriesBuilder::new(1, 2, 100, 4, 4);
        builder.add(0, ["a"].into_iter(), &[(0, 1.0), (1, f64::NAN)]);
        for label in ["b", "c", "d"] {
            builder.add(0, [label].into_iter(), &[(0, 1.0), (1, 2.0)]);
        }
        let series = builder.finish();
        for (most, rows, dropped) in [(7, 4, 0), (100, 4, 0), (6, 3, 2), (5, 3, 2), (4, 2, 4), (1, 1, 6), (0, 0, 7)] {
            let first = series.first(most);
            let counts = first.row_counts().unwrap();
            assert_eq!((first.rows().count(), counts.series_over_limit), (rows, dropped), "{most}");
            assert_eq!((counts.received, counts.dropped), (4, 4 - rows), "{most}");
            assert_eq!(shown(&first), shown(&series)[..rows], "{most}");
        }
        assert_eq!(Series::from(vec![1.0, 2.0]).first(1).len(), 2);
    }

    #[test]
    fn a_further_series_takes_less_than_200_bytes() {
        let mut builder = SeriesBuilder::new(3, 2, 100_000, 10_000, 10_000);
        for row in 0..10_000 {
            let (host, path) = (format!("www{}.example.com", row % 7), format!("/products/category-{row}/item-{row}"));
            builder.add(0, [host.as_str(), &path, "desktop"].into_iter(), &[(0, 1.0), (1, 2.0)]);
        }
        let series = builder.finish();
        assert_eq!(series.len(), 20_000);
        assert!(series.bytes() / series.len() < 60, "{} bytes each", series.bytes() / series.len());
    }
}
