//! Compares the arithmetic with an independent implementation (tests/fixtures/baseline/README.md).

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::calendar::{QuietDays, Zone};

#[derive(Deserialize)]
struct Reference {
    fits: Vec<Case>,
    /// Expected, dispersion, error, alpha, rho, and the bound.
    bounds: Vec<[f64; 6]>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    /// The first hour, from Monday 1970-01-05 00:00.
    first: i64,
    counts: Vec<Option<f64>>,
    fit: Option<Fit>,
}

#[derive(Deserialize)]
struct Fit {
    rates: Vec<f64>,
    errors: Vec<f64>,
    dispersion: f64,
    level: f64,
    weeks: u32,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("../tests/fixtures/baseline/reference.json")).unwrap()
}

fn epoch() -> LocalHour {
    LocalHour::midnight(jiff::civil::date(1970, 1, 5))
}

fn history(first: i64, counts: &[Option<f64>]) -> History {
    let hours = (0_i64..).zip(counts).filter_map(|(hour, count)| Some((epoch().later(first + hour), (*count)?)));
    hours.collect()
}

#[track_caller]
fn agree(name: &str, what: &str, ours: f64, theirs: f64) {
    let difference = (ours - theirs).abs() / theirs.abs().max(1e-9);
    assert!(difference < 1e-6, "{name}, {what}: {ours} and not {theirs}");
}

#[test]
fn every_fit_agrees_with_the_reference() {
    for case in reference().fits {
        let settled = epoch().later(case.first + i64::try_from(case.counts.len()).unwrap());
        let ours = Baseline::fit(&history(case.first, &case.counts), settled, 8);
        let (Some(theirs), Ok(ours)) = (&case.fit, &ours) else {
            assert!(case.fit.is_none() && ours.is_err(), "{}: {ours:?}", case.name);
            continue;
        };
        let check = |what: &str, ours: f64, theirs: f64| agree(&case.name, what, ours, theirs);
        check("level", ours.level, theirs.level);
        check("dispersion", ours.dispersion, theirs.dispersion);
        check("history", ours.history_seconds, f64::from(theirs.weeks) * 7.0 * 86_400.0);
        assert_eq!((ours.rates.len(), ours.errors.len()), (theirs.rates.len(), theirs.errors.len()));
        ours.rates.iter().zip(&theirs.rates).for_each(|(ours, theirs)| check("rates", *ours, *theirs));
        ours.errors.iter().zip(&theirs.errors).for_each(|(ours, theirs)| check("errors", *ours, *theirs));
    }
}

#[test]
fn every_bound_agrees_with_the_reference() {
    for [expected, dispersion, error, alpha, rho, low] in reference().bounds {
        let ours = lower_bound(expected, dispersion, error, Test { alpha, rho });
        agree(&format!("{expected} {dispersion} {error} {alpha} {rho}"), "bound", ours, low);
    }
}

#[derive(Deserialize)]
struct Watched {
    first: i64,
    history: Vec<f64>,
    first_minute: i64,
    minutes: Vec<u64>,
    /// Index of the last minute, length of the window, count, expected, and the bound.
    windows: Vec<(usize, usize, f64, f64, f64)>,
}

/// Local time is UTC here. Day 0 of local hours is the Monday four days after the Unix epoch.
fn minute(first: i64, place: usize) -> Minute {
    let monday = Minute::of("1970-01-05T00:00:00Z".parse().unwrap());
    monday.later(first + i64::try_from(place).unwrap())
}

#[test]
fn every_window_agrees_with_the_reference() {
    let reference: Watched = serde_json::from_str(include_str!("../tests/fixtures/baseline/windows.json")).unwrap();
    let hours: Vec<Option<f64>> = reference.history.iter().copied().map(Some).collect();
    let settled = epoch().later(reference.first + i64::try_from(hours.len()).unwrap());
    let baseline = Baseline::fit(&history(reference.first, &hours), settled, 8).unwrap();
    let (zone, quiet_days) = (Zone::utc(), QuietDays::default());
    let expected = Expected { baseline: &baseline, zone: &zone, quiet_days: &quiet_days };
    let mut watch = Watch::default();
    let mut compared = 0;
    for current in 29..=reference.minutes.len() {
        let answer: MinutesAgo = std::array::from_fn(|ago| if ago == 0 { 0 } else { reference.minutes[current - ago] });
        let at = minute(reference.first_minute, current).start() + jiff::SignedDuration::from_secs(20);
        watch.take(&answer, at, at);
        let assessment = watch.assess(expected);
        for (_, length, count, usual, low) in reference.windows.iter().filter(|window| window.0 + 1 == current) {
            let ours = assessment.windows.iter().find(|ours| ours.window.minutes == *length).unwrap();
            let name = format!("{} at {current}", ours.window.name);
            assert_eq!(ours.pageviews.to_bits(), count.to_bits(), "{name}");
            // Ratios are stored with six digits.
            agree(&name, "expected", ours.expected, *usual);
            agree(&name, "bound", ours.low, *low);
            compared += 1;
        }
    }
    assert_eq!(compared, reference.windows.len());
}

#[test]
fn hours_that_never_had_a_count_are_expected_to_have_none() {
    let case = reference().fits.remove(1);
    let mut history = history(case.first, &case.counts);
    history.retain(|hour| ![3, 4].contains(&hour.hour_of_day()));
    let settled = epoch().later(case.first + i64::try_from(case.counts.len()).unwrap());
    let baseline = Baseline::fit(&history, settled, 8).unwrap();
    assert!(baseline.rates.iter().all(|rate| rate.is_finite() && *rate >= 0.0), "{:?}", baseline.rates);
    let night = baseline.rates.chunks(24).flat_map(|day| &day[3..5]);
    assert!(night.clone().all(|rate| *rate == 0.0), "{night:?}");
    assert!(baseline.rates.chunks(24).all(|day| day[12] > 1.0));
}

#[test]
fn after_a_holiday_that_is_left_out_the_level_is_that_of_the_days_before() {
    let settled = epoch().later(24 * 20_000);
    let count = |ago: i64| if ago <= 24 * 14 { 200.0 } else { 100.0 };
    let mut history: History = (1..=24 * 56).map(|ago| (settled.later(-ago), count(ago))).collect();
    let before = Baseline::fit(&history, settled, 8).unwrap().level;
    history.retain(|hour| hour.until(settled) > 24 * 5);
    let after = Baseline::fit(&history, settled, 8).unwrap().level;
    assert!((before - 2.0).abs() < 0.01 && (after - before).abs() < 0.01, "{before} {after}");
}

#[test]
fn past_outages_are_found_and_leave_the_error_as_it_was() {
    let case = reference().fits.remove(0);
    let settled = epoch().later(case.first + i64::try_from(case.counts.len()).unwrap());
    let without = Baseline::fit(&history(case.first, &case.counts), settled, 8).unwrap();
    assert_eq!(*without.past_outages, []);
    let mut counts = case.counts;
    // Eight hours of nearly nothing in each of the last seven weeks, on another day each time.
    let outages: Vec<usize> = (1..8).map(|week| 168 * week + 31 * (week % 5)).collect();
    outages.iter().for_each(|first| counts[*first..first + 8].iter_mut().for_each(|count| *count = count.map(|_| 9.0)));
    let with = Baseline::fit(&history(case.first, &counts), settled, 8).unwrap();
    let found: Vec<(i64, usize)> =
        with.past_outages.iter().map(|outage| (epoch().later(case.first).until(outage.first), outage.hours)).collect();
    assert_eq!(found, outages.iter().map(|first| (i64::try_from(*first).unwrap(), 8)).collect::<Vec<_>>());
    for (with, without) in with.errors.iter().zip(without.errors) {
        assert!((with / without - 1.0).abs() < 0.2, "{with} and {without}");
    }
}

#[test]
fn a_young_or_silent_property_has_no_baseline_and_says_how_young_it_is() {
    let settled = epoch().later(24 * 20_000);
    let fit = |history: &History| Baseline::fit(history, settled, 8).map_err(|none| none.history_seconds);
    assert_eq!(fit(&History::default()), Err(0.0));
    let nine_days: History = (1..=216).map(|ago| (settled.later(-ago), 10.0)).collect();
    assert_eq!(fit(&nine_days), Err(9.0 * 86_400.0));
    let silent: History = (1..=1000).map(|ago| (settled.later(-ago), 0.0)).collect();
    assert_eq!(fit(&silent), Err(0.0), "a history of nothing is none");
    // Two weeks whose first days are excluded still count as two weeks.
    let two_weeks: History = (1..=336).map(|ago| (settled.later(-ago), 10.0)).collect();
    let usual = |hour: LocalHour| hour.until(settled) <= 312;
    assert!(Baseline::fit_usual(&two_weeks, settled, 8, usual).is_ok());
}

#[test]
fn what_lies_after_the_settled_midnight_is_not_looked_at() {
    let case = reference().fits.remove(0);
    let settled = epoch().later(case.first + i64::try_from(case.counts.len()).unwrap());
    let mut history = history(case.first, &case.counts);
    let before = Baseline::fit(&history, settled, 8).unwrap();
    history.insert(settled, 1e9);
    assert_eq!(Baseline::fit(&history, settled, 8).unwrap(), before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_history_makes_it_panic_or_yield_what_is_no_number(
        counts in prop::collection::vec(prop::option::of(prop_oneof![Just(0.0), 0.0..1e9_f64, 0.0..3.0_f64]), 300..900),
        first in -50_i64..50,
        weeks in 0_usize..30,
    ) {
        let settled = epoch().later(first.div_euclid(24) * 24 + 24 * (i64::try_from(counts.len()).unwrap() / 24));
        if let Ok(baseline) = Baseline::fit(&history(first, &counts), settled, weeks) {
            let numbers = baseline.rates.iter().chain(&baseline.errors);
            for number in numbers.chain([&baseline.level, &baseline.dispersion, &baseline.daily_error]) {
                prop_assert!(number.is_finite() && *number >= 0.0, "{baseline:?}");
            }
        }
    }

    #[test]
    fn no_bound_is_above_its_expectation_or_no_number(
        expected in prop::num::f64::ANY, dispersion in 0.0..10.0_f64, error in 0.0..3.0_f64, alpha in 1e-9..0.1_f64,
    ) {
        let low = lower_bound(expected, dispersion, error, Test { alpha, rho: 0.6 });
        prop_assert!(low >= 0.0 && low <= expected.max(0.0) * 0.6, "{low}");
    }
}
