//! Names in a line of the log or of a terminal: the first ten, and the number of the others.

/// `Shop, News and 3 more`
pub(crate) fn enumerated(names: impl IntoIterator<Item = String>) -> String {
    let mut names = names.into_iter();
    let shown: Vec<String> = names.by_ref().take(MOST_NAMED).collect();
    let text = shown.join(", ");
    match names.count() {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// More names than that nobody reads.
pub(crate) const MOST_NAMED: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_are_named_and_the_others_counted() {
        let names = |count: usize| enumerated((1..=count).map(|number| number.to_string()));
        assert_eq!(names(0), "");
        assert_eq!(names(2), "1, 2");
        assert_eq!(names(10), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10");
        assert_eq!(names(12), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more");
    }
}
