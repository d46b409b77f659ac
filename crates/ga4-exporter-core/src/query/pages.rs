//! Which rows are asked for next.
//!
//! Google answers with a part of a long report at a time, and says in each answer how many rows there are altogether; an answer
//! has no mark of where the next begins. Parts are reports of their own on data that may change between them.

/// The rows that one request asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Page {
    /// How many rows come before them.
    pub offset: u64,
    /// How many they are, at most.
    pub limit: u32,
}

/// Goes through a report page by page, to the end or to a limit.
#[derive(Clone, Debug)]
pub struct Pages {
    size: u32,
    limit: u64,
    received: u64,
    existing: Option<u64>,
    is_over: bool,
    has_changed: bool,
}

impl Pages {
    /// Pages of at most this size, up to a number of rows.
    pub fn new(size: u32, limit: u64) -> Self {
        Self { size, limit, received: 0, existing: None, is_over: limit == 0, has_changed: false }
    }

    /// The rows to ask for; `None` when there are enough.
    pub fn next_page(&self) -> Option<Page> {
        let left = self.limit.saturating_sub(self.received);
        if self.is_over || left == 0 {
            return None;
        }
        Some(Page { offset: self.received, limit: u32::try_from(left).unwrap_or(u32::MAX).min(self.size) })
    }

    /// A page came: how many rows it has, and how many there are altogether as it says.
    pub fn on_page(&mut self, rows: u64, existing: u64) {
        self.received += rows;
        self.has_changed |= self.existing.is_some_and(|before| before != existing);
        self.existing = Some(existing);
        self.is_over |= rows == 0 || self.received >= existing;
    }

    /// How many rows have come.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// How many there are altogether, as the last page said.
    pub fn existing(&self) -> u64 {
        self.existing.unwrap_or_default()
    }

    /// How many will have come at the end.
    pub fn expected(&self) -> u64 {
        self.existing().min(self.limit)
    }

    /// Whether there are more than came because the limit was reached.
    pub fn is_cut(&self) -> bool {
        self.existing() > self.received && !self.lacks_rows()
    }

    /// Whether Google sends no more although there are more, as it says, within the limit.
    pub fn lacks_rows(&self) -> bool {
        self.is_over && self.received < self.expected()
    }

    /// Whether the number of rows changed from page to page, so that rows may be missing or there twice.
    pub fn has_changed(&self) -> bool {
        self.has_changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(size: u32, limit: u64, existing: u64) -> (Vec<(u64, u32)>, Pages) {
        let (mut asked, mut pages) = (Vec::new(), Pages::new(size, limit));
        while let Some(Page { offset, limit }) = pages.next_page() {
            asked.push((offset, limit));
            pages.on_page(existing.saturating_sub(offset).min(limit.into()), existing);
        }
        (asked, pages)
    }

    #[test]
    fn every_row_is_asked_for_once() {
        for (size, limit, existing, expected) in [
            (250, u64::MAX, 0, &[(0, 250)][..]),
            (250, u64::MAX, 249, &[(0, 250)]),
            (250, u64::MAX, 250, &[(0, 250)]),
            (250, u64::MAX, 251, &[(0, 250), (250, 250)]),
            (250, 300, 1_000, &[(0, 250), (250, 50)]),
            (250, 10, 1_000, &[(0, 10)]),
            (250, 500, 500, &[(0, 250), (250, 250)]),
        ] {
            let (asked, pages) = all(size, limit, existing);
            assert_eq!(asked, expected, "{size} {limit} {existing}");
            assert_eq!((pages.received(), pages.existing()), (existing.min(limit), existing));
            assert_eq!((pages.is_cut(), pages.has_changed()), (existing > limit, false));
        }
        assert_eq!(Pages::new(250, 0).next_page(), None);
    }

    #[test]
    fn rows_that_do_not_come_are_missing_and_not_cut() {
        for (limit, existing, is_cut, lacks_rows) in
            [(10, 1_000, false, true), (10, 3, false, true), (2, 1_000, true, false), (10, 2, false, false)]
        {
            let mut pages = Pages::new(5, limit);
            pages.on_page(2, existing);
            if pages.next_page().is_some() {
                pages.on_page(0, existing);
            }
            assert_eq!((pages.is_cut(), pages.lacks_rows()), (is_cut, lacks_rows), "{limit} {existing}");
        }
    }

    #[test]
    fn a_report_that_shrinks_or_grows_ends_and_is_noted() {
        let mut pages = Pages::new(2, 10);
        pages.on_page(2, 5);
        pages.on_page(0, 2);
        assert_eq!((pages.next_page(), pages.has_changed()), (None, true));
        let mut pages = Pages::new(2, 10);
        pages.on_page(2, 3);
        pages.on_page(2, 6);
        assert_eq!((pages.next_page(), pages.has_changed()), (Some(Page { offset: 4, limit: 2 }), true));
    }
}
