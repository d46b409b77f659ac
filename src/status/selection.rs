//! Selects the properties to show, their order and the page.

use std::{cmp::Reverse, sync::Arc};

use jiff::Timestamp;

use super::figures;
use ga4_exporter_core::store::PropertyState;

/// What a request asks for. Parameters that cannot be parsed are ignored, because people type them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Selection {
    /// Text that the name, id, account, zone or labels of a property must contain.
    pub text: String,
    /// The order of the properties.
    pub sort: Sort,
    /// The page, counted from 1.
    pub page: usize,
}

/// An order of the properties. Properties that are equal in it are sorted by name.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Sort {
    /// Properties with a traffic drop first, then failing ones.
    #[default]
    Attention,
    /// By name.
    Name,
    /// By pageviews today, highest first.
    Pageviews,
    /// By visitors today, highest first.
    Visitors,
    /// By the share of traffic that is missing, highest first.
    Drop,
    /// By id.
    Id,
}

impl Sort {
    /// All orders, as the page offers them.
    pub const ALL: &'static [Self] =
        &[Self::Attention, Self::Name, Self::Pageviews, Self::Visitors, Self::Drop, Self::Id];

    /// Returns the value of the parameter `sort`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Attention => "attention",
            Self::Name => "name",
            Self::Pageviews => "pageviews",
            Self::Visitors => "visitors",
            Self::Drop => "drop",
            Self::Id => "id",
        }
    }

    /// Returns the name of the order that the page shows.
    pub fn title(self) -> &'static str {
        match self {
            Self::Attention => "Drops and failures first",
            Self::Name => "Name",
            Self::Pageviews => "Pageviews today",
            Self::Visitors => "Visitors today",
            Self::Drop => "Missing traffic",
            Self::Id => "Property id",
        }
    }
}

impl Selection {
    /// Reads `q`, `sort` and `page` from the query of a URL.
    pub fn from_query(query: &str) -> Self {
        let mut selection = Self { page: 1, ..Self::default() };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "q" => selection.text = value.trim().chars().take(LONGEST_TEXT).collect(),
                "sort" => {
                    let known = Sort::ALL.iter().find(|sort| sort.as_str() == value);
                    selection.sort = known.copied().unwrap_or_default();
                }
                "page" => selection.page = value.parse().unwrap_or(1).max(1),
                _ => {}
            }
        }
        selection
    }

    /// Returns the link to another page of the same selection.
    pub fn link_to(&self, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.text.is_empty() {
            query.append_pair("q", &self.text);
        }
        if self.sort != Sort::default() {
            query.append_pair("sort", self.sort.as_str());
        }
        query.append_pair("page", &page.to_string());
        format!("./?{}", query.finish())
    }
}

/// The properties to show.
pub(super) struct Selected<'a> {
    /// The properties of this page.
    pub(super) shown: Vec<&'a PropertyState>,
    /// The number of properties on the pages before this one.
    pub(super) first: usize,
    /// The number of properties that match.
    pub(super) found: usize,
    /// The number of this page; the last page if the request asks for a later one.
    pub(super) page: usize,
    /// The number of pages.
    pub(super) pages: usize,
}

impl<'a> Selected<'a> {
    pub(super) fn new(properties: &'a [Arc<PropertyState>], selection: &Selection, now: Timestamp) -> Self {
        let wanted = selection.text.to_lowercase();
        let mut found: Vec<&PropertyState> =
            properties.iter().map(AsRef::as_ref).filter(|state| matches(state, &wanted)).collect();
        found.sort_by_cached_key(|state| {
            (key(state, selection.sort, now), figures::name(state).to_lowercase(), state.id)
        });
        let pages = found.len().div_ceil(PAGE).max(1);
        let page = selection.page.clamp(1, pages);
        let first = (page - 1) * PAGE;
        let shown = found.iter().skip(first).take(PAGE).copied().collect();
        Self { shown, first, found: found.len(), page, pages }
    }
}

fn matches(state: &PropertyState, wanted: &str) -> bool {
    if wanted.is_empty() {
        return true;
    }
    let contains = |text: &str| text.to_lowercase().contains(wanted);
    contains(&state.id.to_string()) || state.info.labels_of(state.id).any(|(_, value)| contains(&value))
}

/// Returns the sort key; properties with smaller keys come first.
fn key(state: &PropertyState, sort: Sort, now: Timestamp) -> Reverse<u64> {
    let missing = || figures::drop(state, now).map_or(0.0, |drop| drop.depth);
    // The bits of finite, non-negative floats sort like the floats.
    let descending = |value: f64| Reverse(value.max(0.0).to_bits());
    match sort {
        Sort::Attention => match missing() {
            drop if drop > 0.0 => descending(1.0 + drop),
            _ if figures::is_failing(state) => descending(1.0),
            _ => descending(0.0),
        },
        Sort::Name => Reverse(0),
        Sort::Pageviews => descending(figures::value(state, "today_pageviews", now).map_or(0.0, |value| value + 1.0)),
        Sort::Visitors => descending(figures::value(state, "today_visitors", now).map_or(0.0, |value| value + 1.0)),
        Sort::Drop => descending(missing()),
        Sort::Id => Reverse(u64::MAX - state.id.as_u64()),
    }
}

/// Properties per page: a multiple of one, two and three, so that all rows are full. With 50, a browser took
/// more than 0.1 s.
const PAGE: usize = 24;

/// Names in Google Analytics have at most 100 characters.
const LONGEST_TEXT: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read_and_written_alike() {
        let selection = Selection::from_query("q=%20Caf%C3%A9+%26%20Co&sort=drop&page=3&x=y");
        assert_eq!(selection, Selection { text: "Café & Co".to_owned(), sort: Sort::Drop, page: 3 });
        assert_eq!(selection.link_to(4), "./?q=Caf%C3%A9+%26+Co&sort=drop&page=4");
        assert_eq!(Selection::from_query("").link_to(2), "./?page=2");
    }

    #[test]
    fn what_makes_no_sense_is_left_out() {
        for query in ["sort=nonsense", "page=0", "page=-1", "page=99999999999999999999", "sort", "&&=&", "q=++"] {
            assert_eq!(Selection::from_query(query), Selection::from_query(""), "{query}");
        }
        let long = Selection::from_query(&format!("q={}", "é".repeat(1000)));
        assert_eq!(long.text.chars().count(), LONGEST_TEXT);
    }
}
