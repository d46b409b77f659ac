//! The rows of a bench in the table that `make bench` prints: figure, measured, target, met or not.
//!
//! Each bench writes its rows to a file of its own as soon as it has them; `benches/table.sh` joins the files.

use std::{
    fs,
    ops::{Bound, RangeBounds},
    path::PathBuf,
};

/// The rows of one bench.
pub(crate) struct Table {
    path: PathBuf,
    rows: String,
}

impl Table {
    /// The rows of this bench, in place of those that it wrote the last time. The number before the name is its place.
    pub(crate) fn of(bench: &str) -> Self {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
        fs::create_dir_all(&directory).expect("the build directory can be written to");
        Self { path: directory.join(format!("{bench}.md")), rows: String::new() }
    }

    /// Adds a row; `..` is no target: the figure is only good to know.
    pub(crate) fn row(&mut self, figure: &str, measured: f64, unit: &str, target: impl RangeBounds<f64>) {
        let limit = match (target.start_bound(), target.end_bound()) {
            (_, Bound::Included(most)) => format!("≤ {}", with_unit(*most, unit)),
            (Bound::Included(least), _) => format!("≥ {}", with_unit(*least, unit)),
            _ => String::new(),
        };
        let met = match (limit.is_empty(), target.contains(&measured)) {
            (true, _) => "",
            (false, true) => "yes",
            (false, false) => "**no**",
        };
        let row = format!("| {figure} | {} | {limit} | {met} |\n", with_unit(measured, unit));
        print!("{row}");
        self.rows += &row;
        fs::write(&self.path, &self.rows).expect("the build directory can be written to");
    }
}

fn with_unit(number: f64, unit: &str) -> String {
    let decimals = match number.abs() {
        0.0..1.0 => 3,
        1.0..10.0 => 2,
        10.0..100.0 => 1,
        _ => 0,
    };
    let text = format!("{number:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if unit.is_empty() { text.to_owned() } else { format!("{text} {unit}") }
}
