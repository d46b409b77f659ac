//! The rows of an answer, in a few long buffers instead of many small ones.
//!
//! An answer may have millions of rows. A list of texts and numbers for each would use several times the memory of its content.
//! Knows how many columns a row has. Refuses to know what they mean.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::answer::serialize_numbers_compactly;

/// Rows with the same columns, in the order in which Google sent them.
#[derive(Clone, Debug, Default)]
pub struct QueryRows {
    dimensions: usize,
    metrics: usize,
    count: usize,
    /// The values of all dimensions, row by row, without separators.
    texts: String,
    /// The length in bytes of each value in `texts`.
    lengths: Vec<u32>,
    /// The values of all metrics, row by row; NaN for a hidden one.
    numbers: Vec<f64>,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct QueryRow<'a> {
    texts: &'a str,
    lengths: &'a [u32],
    numbers: &'a [f64],
}

/// Goes through rows in their order.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    rows: &'a QueryRows,
    index: usize,
    /// Where the texts of the next row begin.
    at: usize,
}

impl QueryRows {
    /// No rows yet, with this number of dimensions and metrics.
    pub fn new(dimensions: usize, metrics: usize) -> Self {
        Self { dimensions, metrics, ..Self::default() }
    }

    /// Adds a row. A value that is missing is empty or hidden, and surplus values are left out.
    pub fn push<'a>(
        &mut self,
        dimensions: impl IntoIterator<Item = &'a str>,
        metrics: impl IntoIterator<Item = Option<f64>>,
    ) {
        let dimensions = dimensions.into_iter().chain(std::iter::repeat(""));
        for text in dimensions.take(self.dimensions) {
            // No answer is as long as 4 GiB: see `wire::response`.
            let Ok(length) = u32::try_from(text.len()) else {
                self.lengths.push(0);
                continue;
            };
            self.texts.push_str(text);
            self.lengths.push(length);
        }
        let metrics = metrics.into_iter().chain(std::iter::repeat(None));
        self.numbers.extend(metrics.take(self.metrics).map(|number| number.unwrap_or(f64::NAN)));
        self.count += 1;
    }

    /// Adds the rows of another page of the same answer.
    pub fn append(&mut self, page: &Self) {
        self.count += page.count;
        self.texts.push_str(&page.texts);
        self.lengths.extend_from_slice(&page.lengths);
        self.numbers.extend_from_slice(&page.numbers);
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The rows in their order.
    pub fn iter(&self) -> Iter<'_> {
        Iter { rows: self, index: 0, at: 0 }
    }

    /// The first row.
    pub fn first(&self) -> Option<QueryRow<'_>> {
        self.iter().next()
    }
}

impl<'a> QueryRow<'a> {
    /// The values in the order of the question's dimensions.
    pub fn dimensions(self) -> impl Iterator<Item = &'a str> + Clone {
        let mut rest = self.texts;
        self.lengths.iter().map(move |length| {
            let (text, after) = rest.split_at_checked(*length as usize).unwrap_or((rest, ""));
            rest = after;
            text
        })
    }

    /// The values in the order of the question's metrics; `None` where Google hides the metric from the account.
    pub fn metrics(self) -> impl Iterator<Item = Option<f64>> + Clone + 'a {
        self.numbers.iter().map(|number| (!number.is_nan()).then_some(*number))
    }

    /// The value of one metric.
    pub fn metric(self, index: usize) -> Option<f64> {
        self.numbers.get(index).copied().filter(|number| !number.is_nan())
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = QueryRow<'a>;

    fn next(&mut self) -> Option<QueryRow<'a>> {
        let rows = self.rows;
        if self.index >= rows.count {
            return None;
        }
        let columns = |count: usize| self.index * count..(self.index + 1) * count;
        let lengths = rows.lengths.get(columns(rows.dimensions))?;
        let numbers = rows.numbers.get(columns(rows.metrics))?;
        let end = self.at + lengths.iter().map(|length| *length as usize).sum::<usize>();
        let texts = rows.texts.get(self.at..end)?;
        (self.index, self.at) = (self.index + 1, end);
        Some(QueryRow { texts, lengths, numbers })
    }
}

impl<'a> IntoIterator for &'a QueryRows {
    type Item = QueryRow<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl PartialEq for QueryRows {
    fn eq(&self, other: &Self) -> bool {
        self.count == other.count && self.iter().eq(other.iter())
    }
}

impl PartialEq for QueryRow<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.dimensions().eq(other.dimensions()) && self.metrics().eq(other.metrics())
    }
}

impl Serialize for QueryRows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl Serialize for QueryRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Numbers<'a>(#[serde(serialize_with = "serialize_numbers_compactly")] &'a [Option<f64>]);

        let dimensions: Vec<&str> = self.dimensions().collect();
        let metrics: Vec<Option<f64>> = self.metrics().collect();
        let mut row = serializer.serialize_struct("Row", 2)?;
        row.serialize_field("dimensions", &dimensions)?;
        row.serialize_field("metrics", &Numbers(&metrics))?;
        row.end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whole_numbers_are_written_as_such() {
        let mut rows = QueryRows::new(1, 5);
        rows.push(["é\n"], [Some(3.0), Some(0.5), None, Some(-0.0), Some(1e300)]);
        let expected = r#"[{"dimensions":["é\n"],"metrics":[3,0.5,null,0,1e+300]}]"#;
        assert_eq!(serde_json::to_string(&rows).unwrap(), expected);
    }

    #[test]
    fn a_row_has_the_columns_of_the_others() {
        let mut rows = QueryRows::new(2, 1);
        rows.push(["a"], []);
        rows.push(["b", "c", "d"], [Some(1.0), Some(2.0)]);
        let found: Vec<_> = rows.iter().map(|row| (row.dimensions().collect::<Vec<_>>(), row.metric(0))).collect();
        assert_eq!(found, [(vec!["a", ""], None), (vec!["b", "c"], Some(1.0))]);
        let mut bare = QueryRows::new(0, 0);
        bare.push([], []);
        assert_eq!((bare.iter().count(), bare.first().unwrap().metric(0)), (1, None));
    }

    proptest! {
        #[test]
        fn what_was_put_in_comes_out(
            pages in prop::collection::vec(prop::collection::vec(([".{0,9}", ".{0,9}"], prop::option::of(-1e9..1e9)), 0..20), 0..4)
        ) {
            let mut whole = QueryRows::new(2, 1);
            for page in &pages {
                let mut rows = QueryRows::new(2, 1);
                for (texts, number) in page {
                    rows.push(texts.iter().map(String::as_str), [*number]);
                }
                whole.append(&rows);
            }
            let expected: Vec<_> = pages.iter().flatten().collect();
            prop_assert_eq!(whole.len(), expected.len());
            for (row, (texts, number)) in whole.iter().zip(expected) {
                prop_assert_eq!(row.dimensions().collect::<Vec<_>>(), texts.iter().collect::<Vec<_>>());
                prop_assert_eq!(row.metric(0), *number);
            }
        }
    }
}
