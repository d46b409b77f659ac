//! A simulated day with 10,000 properties, as `tests/day` has it with a few; prints its figures.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench may fail loudly"
)]

use google_analytics_exporter::clock::monotonic;

#[path = "../tests/day/figures.rs"]
mod figures;
#[path = "../tests/day/google.rs"]
mod google;
#[path = "../tests/day/simulation.rs"]
mod simulation;

const PROPERTIES: u64 = 10_000;

const SEED: u64 = 1;

fn main() {
    let started = monotonic();
    let figures = simulation::day(PROPERTIES, SEED);
    let took = started.elapsed();
    let (mean, most) = figures.rates();
    assert!(
        figures.largest_part_of_day <= 0.25 && figures.largest_part_of_hour <= 0.25,
        "more than the share was spent"
    );
    assert!(most <= 2.0 * mean, "{most} requests in a second, {mean} on average");
    println!("| simulated day, {PROPERTIES} properties | value |\n|---|---|");
    for report in ["realtime", "traffic", "baseline"] {
        println!("| polls of {report} | {} |", figures.polls[report]);
    }
    println!("| requests a second, mean | {mean:.1} |");
    println!(
        "| requests a second, at most, but for the start, the outage and local midnights | {most} ({:.2} of the mean) |",
        most / mean
    );
    for report in ["realtime", "traffic", "realtime, held back"] {
        println!("| latest answer beyond the interval, {report} | {:.1} s |", figures.latest[report].as_secs_f64());
        println!(
            "| latest answer beyond the interval after the outage, {report} | {:.1} s |",
            figures.recovery[report].as_secs_f64()
        );
    }
    println!("| largest part of a day's bucket | {:.1} % |", 100.0 * figures.largest_part_of_day);
    println!("| largest part of a project's bucket in any hour | {:.1} % |", 100.0 * figures.largest_part_of_hour);
    println!(
        "| refusals of {} properties whose day's bucket others emptied | {}, at most {} of one report |",
        PROPERTIES / 100,
        figures.refusals,
        figures.most_refusals()
    );
    println!("| series at the end | {} |", figures.series);
    println!("| changes of planned intervals | {} |", figures.replanned);
    let polls = u32::try_from(figures.polls.values().sum::<u64>()).expect("some millions");
    println!("| time of timetable and store, by polls | {:?} |", took / polls);
}
