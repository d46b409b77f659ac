//! Quiet days: days with less traffic than usual for the weekday, such as public and company holidays.
//!
//! Knows dates, yearly days, and days of a calendar. Refuses to know time zones and files: the days of a calendar are
//! an argument. Invariant: the cost of a lookup does not depend on the number of days.

use std::{
    cmp::max,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::{ToSpan, civil::Date};

pub use entry::EntryError;

mod entry;

/// The quiet days; cheap to clone. Empty by default.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct QuietDays(Arc<Sorted>);

/// A configured entry. Its text can be parsed again, except for the days of a calendar.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Entry {
    /// One day, or several in a row.
    Days(Days),
    /// Days that recur every year.
    EachYear(YearDays),
    /// The days of a calendar, and the file that they come from.
    Calendar {
        /// The path of the file.
        path: PathBuf,
        /// The patterns that select events; an empty list selects all.
        include: Vec<String>,
        /// The patterns that exclude events.
        exclude: Vec<String>,
        /// The days found in the file.
        days: Vec<Days>,
    },
}

/// Consecutive days.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Days {
    /// The first day.
    pub first: Date,
    /// The last day, which may equal the first.
    pub last: Date,
}

/// Consecutive days that recur every year, possibly across new year; 29 February occurs only in leap years.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct YearDays {
    /// Both dates are in [`entry::LEAP_YEAR`], which has every day.
    first: Date,
    last: Date,
}

/// The entries, and the days that they define.
#[derive(Debug, Default, Eq, PartialEq)]
struct Sorted {
    entries: Vec<Entry>,
    /// Ascending, with at least one day between two ranges.
    days: Vec<Days>,
    /// One bit for each day of each month.
    each_year: [u32; 12],
}

impl QuietDays {
    /// Computes the days of these entries.
    pub fn new(entries: Vec<Entry>) -> Self {
        let mut days = Vec::new();
        let mut each_year = [0; 12];
        for entry in &entries {
            match entry {
                Entry::Days(some) => days.push(*some),
                Entry::EachYear(some) => some.mark(&mut each_year),
                Entry::Calendar { days: some, .. } => days.extend(some),
            }
        }
        Self(Arc::new(Sorted { entries, days: joined(days), each_year }))
    }

    /// Returns whether this date is a quiet day.
    pub fn is_quiet(&self, date: Date) -> bool {
        let begun = self.0.days.partition_point(|days| days.first <= date);
        let latest = begun.checked_sub(1).and_then(|index| self.0.days.get(index));
        latest.is_some_and(|days| date <= days.last) || is_marked(&self.0.each_year, date)
    }

    /// Returns the quiet days among `count` days from `first` on.
    pub fn among(&self, first: Date, count: i32) -> impl Iterator<Item = Date> {
        let dates = (0..count).map_while(move |days| first.checked_add(days.days()).ok());
        dates.filter(|date| self.is_quiet(*date))
    }

    /// Returns the days among `count` days from `first` on that were quiet a year before and are not now, if no date of
    /// the configuration is later. If there are later dates, the days were left out on purpose: Easter, for example, is
    /// on another date each year.
    pub fn lapsed(&self, first: Date, count: i32) -> impl Iterator<Item = Date> {
        let last = self.0.days.last().map_or(Date::MIN, |days| days.last);
        let dates = (0..count).map_while(move |days| first.checked_add(days.days()).ok());
        let was_quiet = |date: &Date| date.checked_sub(1.year()).is_ok_and(|before| self.is_quiet(before));
        dates.filter(move |date| *date > last && !self.is_quiet(*date)).filter(was_quiet)
    }

    /// Returns the calendars that have no quiet day among `count` days from `first` on.
    pub fn exhausted(&self, first: Date, count: i32) -> impl Iterator<Item = &Path> {
        let last = first.saturating_add(count.days()).yesterday().unwrap_or(first);
        let is_within = move |days: &Days| days.first <= last && days.last >= first;
        self.0.entries.iter().filter_map(move |entry| match entry {
            Entry::Calendar { path, days, .. } if !days.iter().any(is_within) => Some(path.as_path()),
            Entry::Calendar { .. } | Entry::Days(_) | Entry::EachYear(_) => None,
        })
    }

    /// Returns the entries in the order of the configuration.
    pub fn entries(&self) -> &[Entry] {
        &self.0.entries
    }
}

impl Days {
    /// Returns the number of days.
    pub(super) fn count(self) -> i32 {
        (self.last - self.first).get_days() + 1
    }
}

impl YearDays {
    /// Returns the number of days in a leap year.
    fn count(self) -> i32 {
        match (Days { first: self.first, last: self.last }).count() {
            count if count > 0 => count,
            over_new_year => over_new_year + 366,
        }
    }

    fn mark(self, marks: &mut [u32; 12]) {
        let mut date = self.first;
        for _ in 0..self.count() {
            if let Some(month) = month_of(date).and_then(|index| marks.get_mut(index)) {
                *month |= bit(date);
            }
            // The last day of the leap year is followed by its first day.
            date =
                date.tomorrow().ok().filter(|next| next.year() == date.year()).unwrap_or_else(|| date.first_of_year());
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Days(days) if days.first == days.last => days.first.fmt(f),
            Self::Days(days) => write!(f, "{}..{}", days.first, days.last),
            Self::EachYear(days) if days.first == days.last => write!(f, "{}", days.first.strftime(MONTH_AND_DAY)),
            Self::EachYear(days) => {
                write!(f, "{}..{}", days.first.strftime(MONTH_AND_DAY), days.last.strftime(MONTH_AND_DAY))
            }
            Self::Calendar { path, .. } => path.display().fmt(f),
        }
    }
}

/// Sorts the ranges and merges those that touch or overlap.
pub(crate) fn joined(mut days: Vec<Days>) -> Vec<Days> {
    days.sort_unstable();
    let mut joined: Vec<Days> = Vec::new();
    for next in days {
        match joined.last_mut() {
            Some(last) if last.last.tomorrow().is_ok_and(|after| next.first > after) => joined.push(next),
            Some(last) => last.last = max(last.last, next.last),
            None => joined.push(next),
        }
    }
    joined
}

fn is_marked(marks: &[u32; 12], date: Date) -> bool {
    month_of(date).and_then(|index| marks.get(index)).is_some_and(|month| month & bit(date) != 0)
}

fn month_of(date: Date) -> Option<usize> {
    usize::try_from(date.month() - 1).ok()
}

fn bit(date: Date) -> u32 {
    1 << date.day()
}

const MONTH_AND_DAY: &str = "%m-%d";

/// The longest range. Quiet days are exceptions: half a year of them would leave no history to learn from, and is
/// more likely a typo.
pub(super) const MOST_IN_A_ROW: i32 = 183;

#[cfg(test)]
mod tests;
