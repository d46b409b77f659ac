//! Formats the result of a replay as text.

use std::{fmt::Write as _, ops::RangeInclusive};

use jiff::{ToSpan, civil::Date};

use super::{Outcome, Page, proposal::proposed};
use crate::{Baseline, Forecast, Window};

/// The input of the summary.
#[derive(Clone, Debug)]
pub struct Summary<'a> {
    /// The result of the replay.
    pub outcome: &'a Outcome,
    /// The replayed dates.
    pub dates: RangeInclusive<Date>,
    /// Whether the minutes are interpolated from hours.
    pub is_spread: bool,
}

impl Summary<'_> {
    /// Returns the pages, their frequency, and the smallest detectable drop at each hour of the day.
    pub fn text(&self) -> String {
        let days = self.days();
        let (first, last) = (self.dates.start(), self.dates.end());
        let mut text = format!(
            "Replayed {days:.1} days, {} to {}, each with the hours that had settled by then.\n",
            first.strftime("%a %Y-%m-%d"),
            last.strftime("%a %Y-%m-%d")
        );
        if self.is_spread {
            text.push_str(SPREAD);
        }
        text.push('\n');
        text.push_str(&self.pages(days));
        text.push_str(&quiet_days(self.outcome));
        text.push_str(&past_outages(self.outcome));
        if let Some(baseline) = &self.outcome.baseline {
            text.push('\n');
            text.push_str(&smallest_drops(baseline, *last));
        }
        text
    }

    /// Returns the number of days in which the alert had data.
    fn days(&self) -> f64 {
        f64::from(self.outcome.assessed_minutes) / MINUTES_A_DAY
    }

    fn pages(&self, days: f64) -> String {
        let pages = &self.outcome.pages;
        if pages.is_empty() {
            return "It would not have paged.\n".to_owned();
        }
        let count = f64::from(u32::try_from(pages.len()).unwrap_or(u32::MAX));
        let (times, s) =
            if pages.len() == 1 { ("once".to_owned(), "it was") } else { (format!("{count} times"), "all were") };
        let rate = count / days * 30.0;
        let mut text =
            format!("It would have paged {times}: if {s} false, {rate:.2} false alarms in 30 days.\n\n{HEADER}\n");
        text.extend(pages.iter().map(row));
        if pages.iter().any(|page| page.is_withdrawn) {
            text.push_str(WITHDRAWN);
        }
        text
    }
}

/// Proposes quiet days, in a form to paste; empty if there are none.
fn quiet_days(outcome: &Outcome) -> String {
    let days: Vec<String> = proposed(outcome).iter().map(ToString::to_string).collect();
    if days.is_empty() { String::new() } else { format!("{QUIET}  quiet_days: [{}]\n", days.join(", ")) }
}

/// Lists the past outages; empty if there are none.
fn past_outages(outcome: &Outcome) -> String {
    let outages = &outcome.past_outages;
    if outages.is_empty() {
        return String::new();
    }
    let mut text = OUTAGES.to_owned();
    for (first, hours) in outages.iter().take(MOST_OUTAGES) {
        let _ = writeln!(text, "{}  {hours:>2} hours", first.start().strftime("%a %Y-%m-%d %H:%M"));
    }
    if outages.len() > MOST_OUTAGES {
        let _ = writeln!(text, "and {} more", outages.len() - MOST_OUTAGES);
    }
    text
}

fn row(page: &Page) -> String {
    let lasted = page.until.map_or_else(
        || "not over".to_owned(),
        |until| {
            let minutes = until.duration_since(page.at).as_mins();
            let mark = if page.is_withdrawn { "*" } else { "" };
            format!("{mark}{}h {:02}m", minutes / 60, minutes % 60)
        },
    );
    let depth = part(page.deepest.depth);
    let figures = page.deepest.window.map_or_else(
        || format!("{:>6}  {:>9}  {:>8}", "-", "-", "-"),
        |count| format!("{:>6}  {:>9.0}  {:>8.0}", count.window.name, count.pageviews, count.expected),
    );
    format!("{}  {lasted:>9}  {depth:>7}  {figures}\n", page.at.strftime("%a %Y-%m-%d %H:%M"))
}

/// Lists the smallest detectable drops by the last day's baseline, typical for the days of the following week.
fn smallest_drops(baseline: &Baseline, last: Date) -> String {
    let mut text = format!("{DROPS}\n");
    for hour in 0..24 {
        let _ = write!(text, "{hour:02}:00");
        for is_weekend in [false, true] {
            for window in [&"30m", &"6h"] {
                let drop = typical_drop(baseline, window, last, hour, is_weekend);
                let _ = write!(text, "  {:>6}", drop.map_or_else(|| "-".to_owned(), part));
            }
            text.push_str(if is_weekend { "\n" } else { "  " });
        }
    }
    text
}

/// Returns the median over the days, or `None` if no drop is detectable on most of them. The window ends in the
/// middle of the hour.
fn typical_drop(baseline: &Baseline, window: &str, last: Date, hour: i8, is_weekend: bool) -> Option<f64> {
    let window = Window::named(window)?;
    let days = last.series(1.day()).skip(1).take(7);
    let days = days.filter(|day| (day.weekday().to_monday_one_offset() > 5) == is_weekend);
    let mut drops: Vec<f64> = days
        .filter_map(|day| Forecast::new(baseline, window, day.at(hour, 30, 0, 0)))
        .map(|forecast| forecast.smallest_drop().unwrap_or(f64::INFINITY))
        .collect();
    drops.sort_by(f64::total_cmp);
    drops.get(drops.len() / 2).copied().filter(|drop| drop.is_finite())
}

fn part(part: f64) -> String {
    format!("{:.0} %", part * 100.0)
}

const MINUTES_A_DAY: f64 = 1440.0;

const SPREAD: &str = "\
The minutes are estimates: only hours were given, and each was spread evenly over its minutes. So outages of less than\n\
an hour are seen late or not at all, and real minutes give more false alarms than are listed here.\n";

const HEADER: &str = "paged                  lasted     missing  window  pageviews     usual";

const WITHDRAWN: &str = "\
* ended after a day of far less than usual: from then on counts are not compared (GoogleAnalyticsBaselineUnfit).\n";

const QUIET: &str = "\n\
Some days that paged had less traffic than usual all day. If they were holidays, try them with --quiet-day, and paste them\n\
into the configuration, together with those that come:\n\n\
baseline:\n";

const OUTAGES: &str = "\n\
In the history, these hours had less than half of what was usual. They count as outages, and not as the error of what is expected:\n";

const MOST_OUTAGES: usize = 20;

const DROPS: &str = "\
Smallest drop that windows of 30 minutes and of 6 hours see, by the hour of the day; - where there is too little traffic.\n\
\x20      Mon to Fri        Sat and Sun\n\
hour      30m      6h       30m      6h";
