//! Days on which less traffic is usual than the weekday says: public holidays, company holidays.
//!
//! Knows dates, days that come every year, and days of a calendar. Refuses to know zones and files: the days of a
//! calendar are an argument. Invariant: looking up a day costs the same whatever the number of days.

use std::{
    cmp::max,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::{ToSpan, civil::Date};

pub use entry::EntryError;

mod entry;

/// The days on which less is expected; cheap to clone. None by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QuietDays(Arc<Sorted>);

/// How quiet days are written; its text reads back as an equal one, but for the days of a calendar.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Entry {
    /// One day, or several in a row.
    Days(Days),
    /// The same that come every year.
    EachYear(YearDays),
    /// The days of a calendar, and the file that it came from.
    Calendar {
        /// The file.
        path: PathBuf,
        /// The patterns that choose its events; none choose all.
        include: Vec<String>,
        /// The patterns that leave events out.
        exclude: Vec<String>,
        /// What was found in it.
        days: Vec<Days>,
    },
}

/// Days in a row.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Days {
    /// The first of them.
    pub first: Date,
    /// The last, which may be the first.
    pub last: Date,
}

/// Days in a row that come every year, over new year too; 29 February comes in leap years.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct YearDays {
    /// Both in [`entry::LEAP_YEAR`], which has every day.
    first: Date,
    last: Date,
}

/// The entries, and what they come to.
#[derive(Debug, Default, PartialEq)]
struct Sorted {
    entries: Vec<Entry>,
    /// Ascending, with a day between one and the next.
    days: Vec<Days>,
    /// A bit for each day of each month.
    each_year: [u32; 12],
}

impl QuietDays {
    /// The days of these entries.
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

    /// Whether less is expected on this date.
    pub fn is_quiet(&self, date: Date) -> bool {
        let begun = self.0.days.partition_point(|days| days.first <= date);
        let latest = begun.checked_sub(1).and_then(|index| self.0.days.get(index));
        latest.is_some_and(|days| date <= days.last) || is_marked(&self.0.each_year, date)
    }

    /// Returns the quiet ones of this number of days, beginning with this one.
    pub fn among(&self, first: Date, count: i32) -> impl Iterator<Item = Date> {
        let dates = (0..count).map_while(move |days| first.checked_add(days.days()).ok());
        dates.filter(|date| self.is_quiet(*date))
    }

    /// Returns the calendars without a quiet day in this number of days, beginning with this one.
    pub fn exhausted(&self, first: Date, count: i32) -> impl Iterator<Item = &Path> {
        let last = first.saturating_add(count.days()).yesterday().unwrap_or(first);
        let is_within = move |days: &Days| days.first <= last && days.last >= first;
        self.0.entries.iter().filter_map(move |entry| match entry {
            Entry::Calendar { path, days, .. } if !days.iter().any(is_within) => Some(path.as_path()),
            Entry::Calendar { .. } | Entry::Days(_) | Entry::EachYear(_) => None,
        })
    }

    /// How the days were written, in the order of the configuration.
    pub fn entries(&self) -> &[Entry] {
        &self.0.entries
    }
}

impl Days {
    /// How many there are.
    pub(super) fn count(self) -> i32 {
        (self.last - self.first).get_days() + 1
    }
}

impl YearDays {
    /// How many there are in a leap year.
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
            // After its last day the leap year begins anew.
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

/// Sorted, and one where two meet or overlap.
pub(super) fn joined(mut days: Vec<Days>) -> Vec<Days> {
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

/// The most days in a row. Quiet days are exceptions: half a year of them would leave nothing to learn from and nothing to
/// measure by, and is more likely a slip of the pen.
pub(super) const MOST_IN_A_ROW: i32 = 183;

#[cfg(test)]
mod tests;
