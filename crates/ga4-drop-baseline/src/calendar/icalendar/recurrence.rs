//! Expands a rule to its dates.

use std::collections::BTreeSet;

use jiff::{
    Span,
    civil::{Date, DateTime},
};

use super::{
    budget::{Budget, Exhausted},
    rule::{Frequency, OrdinalWeekday, Rule},
};

impl Rule {
    /// Returns the dates of an event that starts at `start`, in ascending order.
    ///
    /// The first date is that of the start, even if the rule does not match it, as in calendar programs.
    pub(super) fn dates(&self, start: DateTime, budget: &mut Budget) -> Result<Vec<Date>, Exhausted> {
        // Some calendars end a series before its first occurrence.
        if self.is_over(start.date(), start, 0) {
            return Ok(Vec::new());
        }
        let mut dates = vec![start.date()];
        for index in 0.. {
            let Some((first, last)) = self.period(start.date(), index) else { break };
            if self.until.is_some_and(|until| until.date() < first) {
                break;
            }
            for date in self.days_of(first, last, start.date(), budget)? {
                if date <= start.date() {
                    continue;
                }
                if self.is_over(date, start, dates.len()) {
                    return Ok(dates);
                }
                budget.find()?;
                dates.push(date);
            }
        }
        Ok(dates)
    }

    /// Returns the number of steps for comparing a day with the rule.
    fn steps(&self) -> u32 {
        let lists = [
            self.months.len(),
            self.month_days.len(),
            self.year_days.len(),
            self.weekdays.len(),
            self.set_positions.len(),
        ];
        u32::try_from(1 + lists.iter().sum::<usize>() / ENTRIES_A_STEP).unwrap_or(u32::MAX)
    }

    /// Returns whether the series has ended before an occurrence on this date that follows `before` others.
    fn is_over(&self, date: Date, start: DateTime, before: usize) -> bool {
        self.count.is_some_and(|count| before >= count)
            || self.until.is_some_and(|until| date.to_datetime(start.time()) > until)
    }

    /// Returns the first and the last day of a period; the start is in period 0. `None` after the last year.
    fn period(&self, start: Date, index: i32) -> Option<(Date, Date)> {
        let steps = index.checked_mul(self.interval)?;
        let (first, last) = match self.frequency {
            Frequency::Yearly => {
                let first = start.first_of_year().checked_add(Span::new().try_years(steps).ok()?).ok()?;
                (first, first.last_of_year())
            }
            Frequency::Monthly => {
                let first = start.first_of_month().checked_add(Span::new().try_months(steps).ok()?).ok()?;
                (first, first.last_of_month())
            }
            Frequency::Weekly => {
                let into = start.weekday().since(self.week_start);
                let first = start.checked_sub(Span::new().days(into)).ok()?;
                let first = first.checked_add(Span::new().try_weeks(steps).ok()?).ok()?;
                (first, first.checked_add(Span::new().days(6)).ok()?)
            }
            Frequency::Daily => {
                let day = start.checked_add(Span::new().try_days(steps).ok()?).ok()?;
                (day, day)
            }
        };
        (first.year() <= LAST_YEAR).then_some((first, last))
    }

    /// Returns the days of the rule in a period.
    fn days_of(&self, first: Date, last: Date, start: Date, budget: &mut Budget) -> Result<Vec<Date>, Exhausted> {
        let mut days = Vec::new();
        let mut next = Some(first);
        while let Some(date) = next.filter(|date| *date <= last) {
            budget.step(self.steps())?;
            let has_month = self.has_month(date, start);
            if has_month && self.has_day(date, start) {
                days.push(date);
            }
            next = if has_month { date } else { date.last_of_month() }.tomorrow().ok();
        }
        if self.set_positions.is_empty() {
            return Ok(days);
        }
        let index = |position: &i16| {
            let position = isize::from(*position);
            let from_start = usize::try_from(position - 1).ok();
            from_start.or_else(|| days.len().checked_add_signed(position))
        };
        // Sorted and without duplicates.
        let selected: BTreeSet<Date> =
            self.set_positions.iter().filter_map(index).filter_map(|index| days.get(index).copied()).collect();
        Ok(selected.into_iter().collect())
    }

    fn has_month(&self, date: Date, start: Date) -> bool {
        if !self.months.is_empty() {
            return self.months.contains(&date.month());
        }
        let is_anniversary = self.frequency == Frequency::Yearly
            && self.year_days.is_empty()
            && self.month_days.is_empty()
            && self.weekdays.is_empty();
        !is_anniversary || date.month() == start.month()
    }

    fn has_day(&self, date: Date, start: Date) -> bool {
        if self.year_days.is_empty() && self.month_days.is_empty() && self.weekdays.is_empty() {
            return match self.frequency {
                Frequency::Daily => true,
                Frequency::Weekly => date.weekday() == start.weekday(),
                Frequency::Monthly | Frequency::Yearly => date.day() == start.day(),
            };
        }
        let (day, days) = (i16::from(date.day()), i16::from(date.days_in_month()));
        let (day_of_year, days_of_year) = (date.day_of_year(), date.days_in_year());
        let is_of_year = |wanted: &i16| *wanted == day_of_year || *wanted == day_of_year - days_of_year - 1;
        let is_of_month = |wanted: &i16| *wanted == day || *wanted == day - days - 1;
        (self.year_days.is_empty() || self.year_days.iter().any(is_of_year))
            && (self.month_days.is_empty() || self.month_days.iter().any(is_of_month))
            && (self.weekdays.is_empty() || self.weekdays.iter().any(|day| self.is_weekday(*day, date)))
    }

    fn is_weekday(&self, OrdinalWeekday { ordinal, weekday }: OrdinalWeekday, date: Date) -> bool {
        // Weekdays are numbered within the year unless the rule has months.
        let (day, days) = if self.frequency == Frequency::Yearly && self.months.is_empty() {
            (date.day_of_year(), date.days_in_year())
        } else {
            (date.day().into(), date.days_in_month().into())
        };
        let from_start = (day - 1) / 7 + 1;
        let from_end = -((days - day) / 7 + 1);
        // In days and weeks, weekdays have no numbers.
        let ordinal = if self.frequency.has_ordinals() { ordinal } else { 0 };
        date.weekday() == weekday && [0, from_start, from_end].contains(&ordinal)
    }
}

/// Rules without an end stop here; the exporter will have been restarted before.
const LAST_YEAR: i16 = 2099;

/// The number of list entries that are compared with a day in one step.
const ENTRIES_A_STEP: usize = 16;
