//! What becomes of the exporter in trouble, measured: every row of the failure policy, by one driver.
//!
//! Reading order: `row` (what a row is) → `rows` (the table) → `trial` (the driver) → `trouble` (what can go wrong) → `rig`, `time`,
//! `front`, `child` (where it goes wrong) → `record`, `scrape` (what is measured) → `outcome` (what came out, and whether that is
//! right) → `table` (Markdown, and what the documentation has of it).
//!
//! `make faults` prints the table; `make renew-faults` puts it into docs/FAULTS.md.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod child;
mod front;
mod outcome;
mod record;
mod rig;
mod row;
mod rows;
mod scrape;
mod table;
mod time;
mod trial;
mod trouble;

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::{outcome::Outcome, row::Row};

#[test]
fn every_fault_ends_as_it_should_and_as_the_documentation_says() {
    let rows = rows::all();
    let outcomes = measure_all(&rows);
    let table = table::markdown(&rows, &outcomes);
    println!("{table}");
    let wrong: Vec<String> = rows.iter().zip(&outcomes).flat_map(|(row, outcome)| row.misses(outcome)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    table::check_documentation(&table);
}

/// The outcomes in the order of the rows. Each row has a process or a runtime of its own, so that they can run side by side.
fn measure_all(rows: &[Row]) -> Vec<Outcome> {
    let outcomes: Vec<Mutex<Option<Outcome>>> = rows.iter().map(|_| Mutex::default()).collect();
    let next = AtomicUsize::new(0);
    // They wait more than they work.
    let workers = 4 * thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((row, outcome)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    rows.get(index).zip(outcomes.get(index))
                } {
                    *outcome.lock().unwrap() = Some(child::measure(row));
                }
            });
        }
    });
    outcomes.into_iter().map(|outcome| outcome.into_inner().unwrap().unwrap()).collect()
}
