//! Prints the minutes of an outage as CSV: what the alert counts, expects and concludes. `pictures/draw.sh` draws it.
//!
//! The site is made up: about 60 pageviews an hour at the time, in sessions that come at random, with the same random
//! numbers each time.

use std::ops::Range;

use ga4_drop_baseline::{
    Assessment, Baseline, DEFAULT_WEEKS, Expected, History, LocalHour, Minute, NoBaseline, Verdict, Watch, Window,
    backtest::Alert,
    calendar::{QuietDays, Zone},
};
use jiff::{
    SignedDuration,
    civil::{DateTime, date},
};

fn main() -> Result<(), NoBaseline> {
    let counts = pageviews();
    let baseline = Baseline::fit(&history(&counts), LocalHour::settled(OUTAGE.start.date()), DEFAULT_WEEKS)?;
    let (zone, quiet_days) = (Zone::utc(), QuietDays::default());
    let expected = Expected { baseline: &baseline, zone: &zone, quiet_days: &quiet_days };
    let (mut watch, mut alert) = (Watch::default(), Alert::default());
    print("time,is_down,pageviews,expected,low,evidence,is_paged");
    for (local, count) in (0..).map(time).zip(counts).filter(|(local, _)| *local >= WATCHED_SINCE) {
        let Some(start) = zone.instant(local) else { continue };
        let is_down = OUTAGE.contains(&local);
        watch.count(Minute::of(start), if is_down { 0 } else { count });
        let assessment = watch.assess(expected);
        alert.evaluate(Minute::of(start), Verdict::of(&assessment).drop().is_some());
        if PRINTED.contains(&local) {
            print(&format!("{local},{},{},{}", u8::from(is_down), figures(&assessment), u8::from(alert.is_firing())));
        }
    }
    Ok(())
}

/// Returns the pageviews of every minute since [`FIRST`].
fn pageviews() -> Vec<u64> {
    let minutes = PRINTED.end.duration_since(FIRST).as_mins();
    let mut counts = vec![0; usize::try_from(minutes).unwrap_or_default()];
    let mut random = Random(SEED);
    for place in 0..counts.len() {
        for _ in 0..random.poisson(rate(time(place)) / PAGES_PER_SESSION) {
            let mut at = place;
            while let Some(count) = counts.get_mut(at) {
                *count += 1;
                if random.uniform() < 1.0 / PAGES_PER_SESSION {
                    break;
                }
                at += usize::from(random.uniform() < 0.5);
            }
        }
    }
    counts
}

/// Returns the pageviews expected in a minute: few at night, fewer at weekends.
fn rate(local: DateTime) -> f64 {
    let hour = f64::from(local.hour()) + f64::from(local.minute()) / 60.0;
    let of_day = 1.0 + 0.7 * ((hour - 15.0) * std::f64::consts::TAU / 24.0).cos();
    let is_weekend = local.weekday().to_monday_one_offset() > 5;
    of_day * if is_weekend { 0.5 } else { 0.75 }
}

fn history(counts: &[u64]) -> History {
    let hours = counts.chunks(60).map(|hour| hour.iter().sum::<u64>());
    let first = LocalHour::of(FIRST);
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
    let history = (0..).zip(hours).map(|(hour, sum)| (first.later(hour), sum as f64)).collect();
    history
}

/// Returns pageviews, expectation and bound of the last half hour, and the evidence.
fn figures(assessment: &Assessment) -> String {
    let half_hour = assessment.windows.iter().find(|count| Some(count.window) == Window::named("30m"));
    let [pageviews, expected, low] = half_hour.map_or([0.0; 3], |count| [count.pageviews, count.expected, count.low]);
    let evidence = assessment.evidence.unwrap_or_default();
    format!("{pageviews},{expected:.2},{low:.2},{evidence:.4}")
}

fn time(place: usize) -> DateTime {
    FIRST + SignedDuration::from_mins(i64::try_from(place).unwrap_or(i64::MAX))
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn print(line: &str) {
    println!("{line}");
}

/// SplitMix64.
struct Random(u64);

impl Random {
    /// Returns a number from 0 to 1.
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        f64::from(u32::try_from((bits ^ (bits >> 31)) >> 32).unwrap_or_default()) / f64::from(u32::MAX)
    }

    /// Returns a count with this mean, which is small.
    fn poisson(&mut self, mean: f64) -> u32 {
        let (least, mut product) = ((-mean).exp(), self.uniform());
        let mut count = 0;
        while product > least {
            product *= self.uniform();
            count += 1;
        }
        count
    }
}

/// A Monday, more than eight weeks before the outage.
const FIRST: DateTime = date(2026, 9, 21).at(0, 0, 0, 0);

/// The day before is enough to calibrate.
const WATCHED_SINCE: DateTime = date(2026, 11, 24).at(0, 0, 0, 0);

const OUTAGE: Range<DateTime> = date(2026, 11, 25).at(13, 10, 0, 0)..date(2026, 11, 25).at(14, 5, 0, 0);

const PRINTED: Range<DateTime> = date(2026, 11, 25).at(11, 30, 0, 0)..date(2026, 11, 25).at(16, 30, 0, 0);

const SEED: u64 = 2;

const PAGES_PER_SESSION: f64 = 1.8;
