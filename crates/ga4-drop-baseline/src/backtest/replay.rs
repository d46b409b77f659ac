//! Replays the days of the past in order.

use std::{collections::BTreeMap, ops::RangeInclusive};

use jiff::{
    SignedDuration, ToSpan,
    civil::{Date, DateTime},
};

use super::{Alert, Traffic};
use crate::{
    Assessment, Baseline, DEFAULT_WEEKS, Expected, History, LocalHour, Minute, TrafficDrop, Verdict, Watch,
    calendar::{QuietDays, Zone},
    detect::windows::HALF_HOUR,
};

/// The input of a replay.
#[derive(Clone, Copy, Debug)]
pub struct Replay<'a> {
    /// The history that baselines are computed from.
    pub history: &'a History,
    /// The traffic that the alert would have seen.
    pub traffic: &'a Traffic,
    /// The days on which less traffic is expected.
    pub quiet_days: &'a QuietDays,
}

/// The result of a replay.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The pages, in order.
    pub pages: Vec<Page>,
    /// The traffic and the usual traffic of every half hour, in order.
    pub points: Vec<Point>,
    /// Outages in the history that were left out of the error of a baseline: the first hour, and the number of hours.
    pub past_outages: BTreeMap<LocalHour, usize>,
    /// The number of minutes in which counts could be compared with the usual traffic.
    pub assessed_minutes: u32,
    /// The baseline of the last day.
    pub baseline: Option<Baseline>,
}

/// One page of the alert.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Page {
    /// The start of the page, in the property's local time.
    pub at: DateTime,
    /// The end of the page; `None` if the replay ends first.
    pub until: Option<DateTime>,
    /// Whether the page ended because there had been far less than usual for a day, so that the bounds were withdrawn.
    pub is_withdrawn: bool,
    /// The deepest drop during the page.
    pub deepest: TrafficDrop,
}

/// One half hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The end of the half hour, in the property's local time.
    pub at: DateTime,
    /// The counted pageviews.
    pub pageviews: f64,
    /// The usual pageviews.
    pub expected: f64,
    /// The lower bound that chance explains.
    pub low: f64,
}

impl Replay<'_> {
    /// Returns the first and the last date that can be replayed: the dates of the traffic from the first one
    /// with a baseline on.
    pub fn dates(&self) -> Option<RangeInclusive<Date>> {
        let (first, last) = self.traffic.dates()?;
        let mut dates = first.series(1.day()).take_while(|date| *date <= last);
        dates.find(|date| self.fit(*date).is_some()).map(|first| first..=last)
    }

    /// Replays these dates. The two days before them are only used for calibration. Calls `on_day` after each day
    /// with the number of finished days and of all days.
    pub fn run(&self, dates: RangeInclusive<Date>, mut on_day: impl FnMut(usize, usize)) -> Outcome {
        let (zone, mut state) = (Zone::utc(), State::default());
        let first = dates.start().saturating_sub(TEACHING_DAYS.days());
        let all: Vec<Date> = first.series(1.day()).take_while(|date| date <= dates.end()).collect();
        let mut baseline = first.yesterday().ok().and_then(|date| self.fit(date));
        for (done, date) in (1..).zip(&all) {
            state.is_counted = dates.contains(date);
            for hour in 0..24 {
                if hour == NEW_BASELINE_AT {
                    baseline = self.fit(*date);
                    state.remember_outages(baseline.as_ref());
                }
                let expected =
                    baseline.as_ref().map(|baseline| Expected { baseline, zone: &zone, quiet_days: self.quiet_days });
                for minute in 0..60 {
                    let local = date.at(hour, minute, 0, 0);
                    state.pass(local, self.traffic.get(local), expected);
                }
            }
            on_day(done, all.len());
        }
        state.outcome.baseline = baseline;
        state.outcome
    }

    /// Returns the baseline known in the morning of a date. It excludes quiet days, because they are not usual.
    fn fit(&self, date: Date) -> Option<Baseline> {
        let is_usual = |hour: LocalHour| !self.quiet_days.is_quiet(hour.date());
        Baseline::fit_usual(self.history, LocalHour::settled(date), DEFAULT_WEEKS, is_usual).ok()
    }
}

/// The state that is carried from minute to minute.
#[derive(Default)]
struct State {
    watch: Watch,
    alert: Alert,
    assessment: Assessment,
    /// The deepest drop since the alert was inactive.
    deepest: Option<TrafficDrop>,
    /// Whether the current day is one of the requested days.
    is_counted: bool,
    outcome: Outcome,
}

impl State {
    /// Remembers the past outages that a baseline leaves out.
    fn remember_outages(&mut self, baseline: Option<&Baseline>) {
        let outages = baseline.into_iter().flat_map(|baseline| &*baseline.past_outages);
        self.outcome.past_outages.extend(outages.map(|outage| (outage.first, outage.hours)));
    }

    /// Advances by one minute with this count of pageviews.
    fn pass(&mut self, local: DateTime, count: Option<u64>, expected: Option<Expected<'_>>) {
        let Some(start) = Zone::utc().instant(local) else { return };
        let minute = Minute::of(start);
        if let Some(count) = count {
            self.watch.count(minute, count);
        }
        let is_seen = self.watch.newest().is_some_and(|newest| newest.until(minute) < VALUES_HOLD);
        match expected.filter(|_| is_seen) {
            Some(expected) if count.is_some() => self.assessment = self.watch.assess(expected),
            Some(_) => {}
            None => self.assessment = Assessment::default(),
        }
        let now = local + MINUTE;
        self.page(minute, now);
        if self.is_counted {
            self.draw(now);
        }
    }

    fn page(&mut self, minute: Minute, now: DateTime) {
        let drop = Verdict::of(&self.assessment).drop();
        let was_firing = self.alert.is_firing();
        self.alert.evaluate(minute, drop.is_some());
        if self.alert.is_inactive() {
            self.deepest = None;
        }
        let is_deepest = |known: &TrafficDrop| drop.is_none_or(|new| new.depth <= known.depth);
        self.deepest = self.deepest.filter(is_deepest).or(drop);
        let is_withdrawn = !self.assessment.windows.is_empty() && !self.assessment.is_fit;
        // Pages that began during the calibration days are not reported.
        let ongoing = self.outcome.pages.last_mut().filter(|page| page.until.is_none());
        match (was_firing, self.alert.is_firing(), self.deepest) {
            (false, true, Some(deepest)) if self.is_counted => {
                self.outcome.pages.push(Page { at: now, until: None, is_withdrawn: false, deepest });
            }
            (true, true, Some(deepest)) => ongoing.into_iter().for_each(|page| page.deepest = deepest),
            (true, false, _) => ongoing.into_iter().for_each(|page| {
                (page.until, page.is_withdrawn) = (Some(now), is_withdrawn);
            }),
            _ => {}
        }
    }

    fn draw(&mut self, now: DateTime) {
        self.outcome.assessed_minutes += u32::from(!self.assessment.windows.is_empty());
        let half_hour = self.assessment.windows.iter().find(|count| *count.window == HALF_HOUR);
        if let Some(count) = half_hour.filter(|_| now.minute() % 30 == 0) {
            let (pageviews, expected, low) = (count.pageviews, count.expected, count.low);
            self.outcome.points.push(Point { at: now, pageviews, expected, low });
        }
    }
}

/// The days needed to calibrate realtime counts: one day plus the longest window.
const TEACHING_DAYS: i64 = 2;

/// The hour of the day at which the exporter starts to request the history of the previous days.
const NEW_BASELINE_AT: i8 = 6;

/// How long realtime values are valid, in minutes: three times the interval of realtime reports.
const VALUES_HOLD: i64 = 3;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    /// A Sunday.
    const END: Date = date(2026, 1, 4);

    /// Five weeks of a shop until the end of a Sunday; `part` is the fraction of the usual traffic in an hour.
    fn history(part: impl Fn(DateTime) -> f64) -> History {
        let end = LocalHour::midnight(END.tomorrow().unwrap());
        let usual = |hour: LocalHour| if (8..22).contains(&hour.hour_of_day()) { 900.0 } else { 90.0 };
        let hours = (1..=5 * 168).map(|ago| end.later(-ago));
        hours.map(|hour| (hour, (usual(hour) * part(hour.start())).round())).collect()
    }

    fn replay(history: &History, quiet_days: &QuietDays, dates: RangeInclusive<Date>) -> Outcome {
        let traffic = Traffic::spread(history);
        Replay { history, traffic: &traffic, quiet_days }.run(dates, |_, _| ())
    }

    #[test]
    fn an_outage_pages_once_and_is_over_with_it() {
        let outage = date(2026, 1, 2).at(12, 0, 0, 0)..date(2026, 1, 2).at(15, 0, 0, 0);
        let history = history(|hour| if outage.contains(&hour) { 0.0 } else { 1.0 });
        let outcome = replay(&history, &QuietDays::default(), date(2026, 1, 2)..=date(2026, 1, 2));
        let [page] = outcome.pages[..] else { panic!("{:?}", outcome.pages) };
        let late = |time: DateTime, since: DateTime| time.duration_since(since).as_mins();
        assert!((-20..=20).contains(&late(page.at, outage.start)), "{page:?}");
        assert!((0..=60).contains(&late(page.until.unwrap(), outage.end)), "{page:?}");
        assert!(page.deepest.depth > 0.95 && !page.is_withdrawn, "{page:?}");
        assert_eq!((outcome.assessed_minutes, outcome.points.len()), (1440, 48));
        assert_eq!(outcome.points[0].at, date(2026, 1, 2).at(0, 30, 0, 0));
    }

    #[test]
    fn past_outages_are_remembered() {
        let outage = date(2025, 12, 29).at(12, 0, 0, 0)..date(2025, 12, 29).at(15, 0, 0, 0);
        let history = history(|hour| if outage.contains(&hour) { 0.0 } else { 1.0 });
        let replay = |day: Date| replay(&history, &QuietDays::default(), day..=day).past_outages;
        assert_eq!(replay(date(2025, 12, 29)).len(), 0, "it had not settled");
        assert_eq!(replay(END).into_iter().collect::<Vec<_>>(), [(LocalHour::of(outage.start), 3)]);
    }

    #[test]
    fn what_comes_later_changes_nothing() {
        let day = date(2026, 1, 1)..=date(2026, 1, 1);
        let usual = history(|_| 1.0);
        let closed_later = history(|hour| if hour.date() > date(2026, 1, 1) { 0.0 } else { 1.0 });
        let mut outcomes = [usual, closed_later].map(|history| replay(&history, &QuietDays::default(), day.clone()));
        // The last hour is interpolated towards the hour after it, so it is excluded.
        outcomes.iter_mut().for_each(|outcome| outcome.points.truncate(46));
        assert_eq!(outcomes[0], outcomes[1]);
        assert_eq!(outcomes[0].pages, []);
    }

    #[test]
    fn a_quiet_day_does_not_page_if_it_was_told() {
        let holiday = date(2026, 1, 1);
        let weekend = |day: DateTime| day.weekday().to_monday_one_offset() > 5;
        let history = history(|hour| if weekend(hour) || hour.date() == holiday { 0.2 } else { 1.0 });
        let configured = QuietDays::new(vec!["2026-01-01".parse().unwrap()]);
        assert_eq!(replay(&history, &configured, holiday..=holiday).pages, []);
        assert_ne!(replay(&history, &QuietDays::default(), holiday..=holiday).pages, []);
    }

    #[test]
    fn two_weeks_that_have_settled_are_needed() {
        let mut history = history(|_| 1.0);
        let traffic = Traffic::spread(&history);
        let dates =
            |history: &History| Replay { history, traffic: &traffic, quiet_days: &QuietDays::default() }.dates();
        let first = history.first().unwrap().date();
        assert_eq!(dates(&history), Some(first.saturating_add(15.days())..=END));
        history.retain(|hour| hour.date() > date(2025, 12, 22));
        assert_eq!(dates(&history), None);
    }

    #[test]
    fn minutes_that_nobody_saw_are_no_drop() {
        let history = history(|_| 1.0);
        let gap = date(2026, 1, 2).at(12, 0, 0, 0)..date(2026, 1, 2).at(15, 0, 0, 0);
        let mut seen = history.clone();
        seen.retain(|hour| !gap.contains(&hour.start()));
        let traffic = Traffic::spread(&seen);
        let day = date(2026, 1, 2)..=date(2026, 1, 2);
        let outcome =
            Replay { history: &history, traffic: &traffic, quiet_days: &QuietDays::default() }.run(day, |_, _| ());
        assert_eq!(outcome.pages, []);
        assert!((1240..1260).contains(&outcome.assessed_minutes), "{}", outcome.assessed_minutes);
    }
}
