//! Which days of a property and report to ask for, in which requests, and in which order.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::{ToSpan, civil::Date};

use crate::report::Day;

/// Days, inclusive, in the property's zone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Span {
    /// The first.
    pub first: Date,
    /// The last; not before the first.
    pub last: Date,
}

/// What is wanted of every property.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WantedDays {
    /// The first day.
    pub from: Day,
    /// The last day; without it, each property's yesterday.
    pub to: Option<Day>,
    /// How many days before today are asked for again each time.
    pub lookback: u16,
}

/// What is wanted of one property.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Period {
    /// All days.
    pub days: Span,
    /// From this day on each day is asked for again.
    pub again_from: Date,
}

/// What is still to be asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Agenda {
    /// The next one is at the end.
    pending: Vec<Span>,
    again_from: Date,
}

impl Span {
    /// How many days.
    pub fn days(self) -> usize {
        usize::try_from(self.first.until(self.last).map_or(0, |span| span.get_days())).unwrap_or_default() + 1
    }

    /// Whether it has this day.
    pub fn contains(self, date: Date) -> bool {
        (self.first..=self.last).contains(&date)
    }

    /// Each day.
    pub fn dates(self) -> impl Iterator<Item = Date> {
        self.first.series(1.day()).take_while(move |date| *date <= self.last)
    }

    /// The older and the newer half; `None` of a single day.
    fn halves(self) -> Option<(Self, Self)> {
        let half = i64::try_from(self.days() / 2).ok().filter(|half| *half > 0)?;
        let middle = self.first.saturating_add(half.days());
        let older = Self { last: middle.yesterday().ok()?, ..self };
        Some((older, Self { first: middle, ..self }))
    }
}

impl WantedDays {
    /// What is wanted of a property with this date, which was made on that one; `None` when it has no day that is wanted.
    pub fn period(&self, today: Date, created: Option<Date>) -> Option<Period> {
        let yesterday = today.yesterday().ok()?;
        let from = on(self.from, today);
        let first = created.map_or(from, |created| created.max(from));
        let last = self.to.map_or(yesterday, |to| on(to, today).min(yesterday));
        let again_from = today.saturating_sub(i64::from(self.lookback).days());
        (first <= last).then_some(Period { days: Span { first, last }, again_from })
    }
}

/// The date of a day, where today is this one.
fn on(day: Day, today: Date) -> Date {
    match day {
        Day::On(date) => date,
        Day::Ago(days) => today.saturating_sub(i64::from(days).days()),
    }
}

impl Agenda {
    /// Everything to ask for in a period, the newest days first. `settled` has the days that were asked for, and whether they
    /// had settled then; no span has more than `longest` days.
    pub fn new(period: Period, settled: &BTreeMap<Date, bool>, longest: u16) -> Self {
        let Period { days, again_from } = period;
        let is_wanted = |date: &Date| *date >= again_from || !settled.get(date).copied().unwrap_or_default();
        // With a lookback of 3 days, Google revises the day before them once more: it joins their request.
        let is_late = |date: Date| date.tomorrow().is_ok_and(|next| next == again_from) && settled.contains_key(&date);
        let mut pending: Vec<Span> = Vec::new();
        let mut dates: Vec<Date> = days.dates().filter(is_wanted).collect();
        dates.sort_unstable_by_key(|date| Reverse(*date));
        for date in dates {
            match pending.last_mut() {
                // What is asked for every time is a request of its own, so that it comes first and is whole first.
                Some(span)
                    if date.tomorrow().is_ok_and(|next| next == span.first)
                        && span.days() < usize::from(longest)
                        && ((date >= again_from) == (span.first >= again_from) || is_late(date)) =>
                {
                    span.first = date;
                }
                _ => pending.push(Span { first: date, last: date }),
            }
        }
        pending.reverse();
        Self { pending, again_from }
    }

    /// Nothing to ask for: no day is wanted.
    pub fn empty() -> Self {
        Self { pending: Vec::new(), again_from: Date::MIN }
    }

    /// The days to ask for next.
    pub fn next_span(&self) -> Option<Span> {
        self.pending.last().copied()
    }

    /// The next days are stored.
    pub fn on_stored(&mut self) {
        self.pending.pop();
    }

    /// The next days came sampled, with rows merged, or not whole: they are asked for in two halves. False of a single day.
    pub fn halve(&mut self) -> bool {
        let Some((older, newer)) = self.next_span().and_then(Span::halves) else { return false };
        self.pending.pop();
        self.pending.extend([older, newer]);
        true
    }

    /// How many requests there are to make, if none has to be halved.
    pub fn requests(&self) -> usize {
        self.pending.len()
    }

    /// How many days there are to ask for.
    pub fn days(&self) -> usize {
        self.pending.iter().map(|span| span.days()).sum()
    }

    /// Whether the days that are asked for every time are stored.
    pub fn has_lookback(&self) -> bool {
        self.pending.iter().all(|span| span.last < self.again_from)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TODAY: Date = Date::constant(2026, 3, 20);

    fn wanted(from: Date) -> WantedDays {
        WantedDays { from: Day::On(from), to: None, lookback: 7 }
    }

    fn spans(agenda: &Agenda) -> Vec<String> {
        agenda.pending.iter().rev().map(|span| format!("{}..{}", span.first, span.last)).collect()
    }

    fn settled(days: impl IntoIterator<Item = Date>) -> BTreeMap<Date, bool> {
        days.into_iter().map(|date| (date, true)).collect()
    }

    #[test]
    fn the_first_load_is_newest_first_and_without_today() {
        let period = wanted(date(2024, 1, 1)).period(TODAY, None).unwrap();
        let agenda = Agenda::new(period, &BTreeMap::new(), 366);
        assert_eq!(
            spans(&agenda),
            ["2026-03-13..2026-03-19", "2025-03-12..2026-03-12", "2024-03-11..2025-03-11", "2024-01-01..2024-03-10"]
        );
        assert_eq!((agenda.requests(), agenda.days()), (4, 809));
    }

    #[test]
    fn a_night_is_one_request() {
        let period = wanted(date(2025, 1, 1)).period(TODAY, None).unwrap();
        let agenda = Agenda::new(period, &settled(period.days.dates()), 366);
        assert_eq!(spans(&agenda), ["2026-03-13..2026-03-19"]);
    }

    #[test]
    fn gaps_and_what_had_not_settled_are_asked_for_again() {
        let period = wanted(date(2026, 2, 1)).period(TODAY, None).unwrap();
        let mut marks = settled(period.days.dates());
        marks.remove(&date(2026, 2, 3));
        marks.remove(&date(2026, 2, 4));
        marks.insert(date(2026, 3, 10), false);
        let agenda = Agenda::new(period, &marks, 366);
        assert_eq!(spans(&agenda), ["2026-03-13..2026-03-19", "2026-03-10..2026-03-10", "2026-02-03..2026-02-04"]);
        marks.insert(date(2026, 3, 12), false);
        marks.insert(date(2026, 3, 10), true);
        let agenda = Agenda::new(period, &marks, 366);
        assert_eq!(spans(&agenda), ["2026-03-12..2026-03-19", "2026-02-03..2026-02-04"], "one request a night");
    }

    #[test]
    fn nothing_is_wanted_from_before_the_property_was_made() {
        let created = |date| wanted(Date::constant(2020, 1, 1)).period(TODAY, Some(date));
        assert_eq!(created(date(2026, 3, 18)).unwrap().days.days(), 2);
        assert_eq!(created(TODAY), None);
        let ago = WantedDays { from: Day::Ago(400), to: None, lookback: 7 };
        assert_eq!(ago.period(TODAY, None).unwrap().days.days(), 400);
        let until = WantedDays { to: Some(Day::On(date(2026, 2, 2))), ..wanted(date(2026, 2, 1)) };
        let period = until.period(TODAY, None).unwrap();
        let agenda = Agenda::new(period, &BTreeMap::new(), 366);
        assert_eq!(spans(&agenda), ["2026-02-01..2026-02-02"]);
        assert!(agenda.has_lookback(), "what is not wanted is not missing");
        let future = WantedDays { to: Some(Day::Ago(0)), ..wanted(date(2026, 3, 19)) };
        assert_eq!(future.period(TODAY, None).unwrap().days.last, date(2026, 3, 19));
    }

    #[test]
    fn a_span_is_halved_until_it_is_a_day() {
        let period = wanted(date(2026, 3, 13)).period(TODAY, None).unwrap();
        let mut agenda = Agenda::new(period, &BTreeMap::new(), 366);
        assert!(agenda.halve());
        assert_eq!(spans(&agenda), ["2026-03-16..2026-03-19", "2026-03-13..2026-03-15"]);
        assert!(agenda.halve() && agenda.halve());
        assert_eq!(agenda.next_span().unwrap().days(), 1);
        assert!(!agenda.halve());
        assert!(!agenda.has_lookback());
        while agenda.next_span().is_some() {
            agenda.on_stored();
        }
        assert!(agenda.has_lookback() && Agenda::empty().has_lookback());
    }
}
