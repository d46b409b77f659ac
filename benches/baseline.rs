//! What the drop alert costs at 10,000 properties: the daily fit, the minutely assessment, and memory.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a bench may fail loudly")]

use std::{fs, hint::black_box, time::Duration};

use ga4_drop_baseline::{
    Baseline, Expected, History, LocalHour, MinutesAgo, Watch,
    calendar::{QuietDays, Zone},
};
use google_analytics_exporter::clock::monotonic;
use jiff::{SignedDuration, Timestamp, civil::date};

use table::Table;

#[path = "common/table.rs"]
mod table;

const PROPERTIES: u32 = 10_000;

fn main() {
    let settled = LocalHour::midnight(date(2026, 3, 23));
    let history: History = (1..=56 * 24).map(|ago| (settled.later(-ago), count(settled.later(-ago)))).collect();
    let mut table = Table::of("7-drop-alert");

    let fits = 200;
    let started = monotonic();
    for _ in 0..fits {
        black_box(Baseline::fit(black_box(&history), settled, 8).unwrap());
    }
    let fit = started.elapsed() / fits;
    row(&mut table, "daily fit of 8 weeks", fit, Duration::from_hours(24));

    let before = resident();
    let baseline = Baseline::fit(&history, settled, 8).unwrap();
    let mut properties: Vec<(Watch, Baseline)> =
        (0..PROPERTIES).map(|_| (Watch::default(), baseline.clone())).collect();
    let zone = Zone::named("Europe/Berlin").unwrap();
    let quiet_days = QuietDays::default();
    let start: Timestamp = "2026-03-24T00:00:20Z".parse().unwrap();
    // Every 25 minutes for 31 hours: rings and calibrations are full after that.
    for poll in 0..75 {
        minute(&mut properties, &zone, &quiet_days, start + SignedDuration::from_mins(25 * poll));
    }
    let started = monotonic();
    let polls = 5_u32;
    for poll in 1..=polls {
        let at = start + SignedDuration::from_mins(25 * 74 + i64::from(poll));
        minute(&mut properties, &zone, &quiet_days, at);
    }
    let assessment = started.elapsed() / polls / PROPERTIES;
    row(&mut table, "assessment after a poll", assessment, Duration::from_mins(1));
    let bytes = resident().saturating_sub(before);
    let each = f64::from(u32::try_from(bytes / u64::from(PROPERTIES)).unwrap());
    table.row("drop alert: memory of minutes, calibration and baseline, per property", each, "bytes", ..);
    let saved = serde_json::to_vec(&properties.first().unwrap().0).unwrap().len();
    let saved = f64::from(u32::try_from(saved).unwrap());
    table.row("drop alert: saved by --storage.path, per property", saved, "bytes", ..);
}

fn row(table: &mut Table, what: &str, each: Duration, every: Duration) {
    let share = 100.0 * (each * PROPERTIES).as_secs_f64() / every.as_secs_f64();
    table.row(&format!("drop alert: {what}, per property"), each.as_secs_f64() * 1e6, "µs", ..);
    let every = humantime::format_duration(every);
    let what = format!("drop alert: {what}, 10,000 properties every {every}: share of a core");
    table.row(&what, share, "%", ..);
}

/// One poll of every property.
fn minute(properties: &mut [(Watch, Baseline)], zone: &Zone, quiet_days: &QuietDays, at: Timestamp) {
    let answer: MinutesAgo = std::array::from_fn(|ago| 10 + u64::try_from(ago % 4).unwrap());
    for (watch, baseline) in properties {
        watch.take(&answer, at, at);
        black_box(watch.assess(Expected { baseline, zone, quiet_days }));
    }
}

/// A day's rhythm, and a little that no rhythm explains.
fn count(hour: LocalHour) -> f64 {
    let place = f64::from(u32::try_from(hour.hour_of_day()).unwrap());
    let noise = f64::from(u32::try_from((hour.slot() * 7919) % 101).unwrap());
    600.0 * (1.0 + 0.5 * (place / 3.8).sin()) + noise
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() * 1024
}
