//! Which properties are shown, in which order, and which page of them.

use std::{cmp::Reverse, sync::Arc};

use jiff::Timestamp;

use super::figures;
use ga4_exporter_core::store::PropertyState;

/// What was asked for. Whatever cannot be understood is as if it were not there: it is a page for people.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Selection {
    /// What names, ids, accounts, zones or labels must contain.
    pub text: String,
    /// The order.
    pub sort: Sort,
    /// Which page, counted from 1.
    pub page: usize,
}

/// An order of the properties. Those that are equal in it are in the order of their names.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Sort {
    /// Those with a drop of traffic first, then those that fail.
    #[default]
    Attention,
    /// By name.
    Name,
    /// By pageviews today, the most first.
    Pageviews,
    /// By visitors today, the most first.
    Visitors,
    /// By how much traffic is missing, the most first.
    Drop,
    /// By id.
    Id,
}

impl Sort {
    /// All orders, as they are offered.
    pub const ALL: &'static [Self] =
        &[Self::Attention, Self::Name, Self::Pageviews, Self::Visitors, Self::Drop, Self::Id];

    /// The value of the parameter `sort`.
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

    /// The same for people.
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
    /// What the query of a URL asks for: `q`, `sort` and `page`.
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

    /// The same selection on another page.
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

/// What is to be shown.
pub(super) struct Selected<'a> {
    /// The properties of the page.
    pub(super) shown: Vec<&'a PropertyState>,
    /// How many come before them.
    pub(super) first: usize,
    /// How many match.
    pub(super) found: usize,
    /// The page that it is; the last one, where there are not that many.
    pub(super) page: usize,
    /// How many pages there are.
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

/// The smaller, the earlier.
fn key(state: &PropertyState, sort: Sort, now: Timestamp) -> Reverse<u64> {
    let missing = || figures::drop(state, now).map_or(0.0, |drop| drop.depth);
    // Of finite numbers that are not negative, the bits have the order of the numbers.
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

/// How many properties a page has: full rows of one, two or three. With 50 a browser took more than a tenth of a second.
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
