//! A simulated day: the timetable and the store in virtual time, with a change of daylight saving, buckets that others empty, and
//! half an hour in which Google cannot be reached. The same seed gives the same day. `cargo bench --bench day` has 10,000
//! properties.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use jiff::SignedDuration;

use crate::simulation::{day, day_of};

mod figures;
mod google;
mod simulation;

#[test]
fn every_report_keeps_its_interval_and_no_bucket_loses_more_than_the_share() {
    let figures = day(200, 1);
    for report in ["realtime", "traffic", "realtime, held back"] {
        let beyond = figures.latest[report];
        assert!(beyond < SignedDuration::from_secs(5), "{report} came {beyond:?} after its interval");
        let recovery = figures.recovery[report];
        assert!(
            recovery < SignedDuration::from_secs(5),
            "{report} came {recovery:?} after its interval after the outage"
        );
    }
    let (of_day, of_hour) = (figures.largest_part_of_day, figures.largest_part_of_hour);
    assert!(of_day <= 0.25 && of_hour <= 0.25, "{of_day} and {of_hour}");
    assert!(of_hour > 0.15 && figures.replanned > 0, "there are reports that cost too much: {of_hour}");
    // Two properties: both categories are refused once, by the one report that was asked for first.
    assert_eq!((figures.refusals, figures.most_refusals()), (4, 1));
    assert!(figures.polls["baseline"] >= 200, "{:?}", figures.polls);
    // A few are held back, and there is an outage of half an hour.
    let usual = 200 * 24 * 60;
    assert!((usual * 95 / 100..=usual).contains(&figures.polls["realtime"]), "{:?}", figures.polls);
    // Peaks are looked at where there are many: see the bench.
    assert!(figures.slowest["realtime"] <= std::time::Duration::from_secs(600), "{:?}", figures.slowest);
}

#[test]
fn the_same_seed_gives_the_same_day() {
    let (one, other) = (day(20, 7), day(20, 7));
    assert_eq!((&one.polls, &one.latest, one.rates()), (&other.polls, &other.latest, other.rates()));
    assert_eq!(one.replanned, other.replanned);
}

/// Five presets, a hundred rows each.
const PRESETS: &str = "
reports:
  pages: {preset: pages, limit: 100}
  landing_pages: {preset: landing_pages, limit: 100}
  sources: {preset: sources, limit: 100}
  countries: {preset: countries, limit: 100}
  events: {preset: events, limit: 100}
";

#[test]
fn presets_keep_their_interval_beside_the_others() {
    let figures = day_of(PRESETS, 100, 1);
    for report in ["pages", "landing_pages", "sources", "countries", "events", "traffic", "realtime"] {
        let beyond = figures.latest[report];
        assert!(beyond < SignedDuration::from_secs(5), "{report} came {beyond:?} after its interval");
        // Every hour, at each midnight, and not in the outage.
        assert!(figures.polls[report] >= 100 * 23, "{report}: {}", figures.polls[report]);
    }
    assert!(figures.largest_part_of_day <= 0.25, "{}", figures.largest_part_of_day);
    // Rows by metrics: 200 + 200 + 300 + 200 + 200, and those of the built-in reports.
    assert_eq!(figures.series, 100 * (1_100 + 6 + 32));
}
