//! The real binary for a quarter of an hour against a Google that fails at random: 1,000 properties, one fault after the other.
//! Prints what became of memory, and every interval that was missed without a reason in the metrics. SOAK_MINUTES changes how
//! long.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a bench may fail loudly")]

use std::{collections::HashMap, env, time::Duration};

use ga4_simulator::{Bucket, Effect, Fault, FaultId, Refusal, Simulator};
use google_analytics_exporter::{
    clock::{Clock, monotonic},
    transport::{Deadlines, Roots, Transport},
};

use crate::child::Exporter;

#[path = "figures/child.rs"]
#[expect(dead_code, reason = "some of it is for the figures alone")]
mod child;
#[path = "common/scraper.rs"]
mod scraper;
#[path = "figures/simulated.rs"]
#[expect(dead_code, reason = "some of it is for the figures alone")]
mod simulated;

const PROPERTIES: usize = 1_000;

/// What an interval may be exceeded by without a reason: a poll has two requests of a minute at most.
const UNDER_WAY: f64 = 130.0;

fn main() {
    // It sets up the process' one TLS provider, which this file's own client needs too.
    Transport::new(Roots::Nobody, Deadlines::default()).expect("without trust there is nothing to load");
    let minutes = env::var("SOAK_MINUTES").ok().and_then(|minutes| minutes.parse().ok()).unwrap_or(15);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(soak(Duration::from_mins(minutes)));
}

async fn soak(length: Duration) {
    let simulator = simulated::simulator(PROPERTIES).await;
    let exporter = Exporter::start(&simulator, simulator.base_url(), "{}");
    let mut troubles = Troubles { random: Random(1), running: Vec::new(), caused: 0 };
    let mut watch = Watch::default();
    let begun = monotonic();
    println!(
        "| minute | resident memory | open files | reports up | failing | missed without a reason |\n|---|---|---|---|---|---|"
    );
    let mut next_line = 0;
    while begun.elapsed() < length {
        tokio::time::sleep(Duration::from_secs(2)).await;
        // At the end it is to recover.
        let is_over = begun.elapsed() + Duration::from_mins(3) > length;
        troubles.go_on(&simulator, begun.elapsed(), is_over);
        let text = tokio::task::block_in_place(|| exporter.metrics());
        watch.look(&text, Clock::system().now().as_second());
        let minute = begun.elapsed().as_secs() / 60;
        if minute >= next_line {
            next_line = minute + 1;
            println!("| {minute} | {}", watch.line(&text));
        }
    }
    println!("\n| soak, {PROPERTIES} properties, {} minutes | value |\n|---|---|", length.as_secs() / 60);
    println!("| faults | {} |", troubles.caused);
    let last = simulator.requests().last().map_or(0, |request| request.number + 1);
    println!("| requests to Google | {last} |");
    println!("| scrapes | {} |", watch.scrapes);
    println!("| intervals missed without a reason in the metrics | {} |", watch.missed);
    println!("| failing at the end | {} |", watch.failing);
}

/// Faults that come and go.
struct Troubles {
    random: Random,
    running: Vec<(Duration, FaultId)>,
    caused: u64,
}

impl Troubles {
    /// Ends what has lasted long enough, and causes something new.
    fn go_on(&mut self, simulator: &Simulator, now: Duration, is_over: bool) {
        let over = |until: &Duration| is_over || *until <= now;
        for (_, fault) in self.running.iter().filter(|(until, _)| over(until)) {
            simulator.clear(*fault);
        }
        self.running.retain(|(until, _)| !over(until));
        if is_over {
            return;
        }
        for _ in 0..3 {
            // Now and then all properties have it for some seconds, but not one that is left alone for half an hour.
            let (fault, lasts) = if self.random.below(60) == 0 {
                (Fault::new(self.passing()), Duration::from_secs(2 + self.random.below(8)))
            } else {
                let property = (500_000_000 + self.random.below(PROPERTIES as u64)).to_string();
                (Fault::new(self.effect()).property(property), Duration::from_secs(2 + self.random.below(60)))
            };
            self.caused += 1;
            self.running.push((now + lasts, simulator.inject(fault)));
        }
    }

    /// What is over soon after it ends.
    fn passing(&mut self) -> Effect {
        match self.random.below(5) {
            0 => Effect::Hang,
            1 => Effect::Refuse(Refusal::Unavailable),
            2 => Effect::Html,
            3 => Effect::Reset,
            _ => Effect::Latency(Duration::from_millis(100 + self.random.below(20_000))),
        }
    }

    fn effect(&mut self) -> Effect {
        match self.random.below(12) {
            0 => Effect::Hang,
            1 => Effect::HangMidBody,
            2 => Effect::Latency(Duration::from_millis(100 + self.random.below(20_000))),
            3 => Effect::Refuse(Refusal::Internal),
            4 => Effect::Refuse(Refusal::Unavailable),
            5 => Effect::Refuse(Refusal::Exhausted(Bucket::Concurrent)),
            6 => Effect::Refuse(Refusal::Exhausted(Bucket::Hour)),
            7 => Effect::Refuse(Refusal::NoAccess),
            8 => Effect::Html,
            9 => Effect::Reset,
            10 => Effect::ResetMidBody,
            _ => Effect::Truncated,
        }
    }
}

/// What the metrics say over time.
#[derive(Default)]
struct Watch {
    scrapes: u64,
    missed: u64,
    failing: usize,
}

impl Watch {
    fn look(&mut self, text: &str, now: i64) {
        self.scrapes += 1;
        let samples: HashMap<&str, f64> = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.rsplit_once(' '))
            .filter_map(|(series, value)| Some((series, value.parse().ok()?)))
            .collect();
        let failing: Vec<&str> = samples.keys().filter(|series| series.starts_with(FAILURE)).copied().collect();
        self.failing = failing.len();
        for (series, success) in samples.iter().filter(|(series, _)| series.starts_with(SUCCESS)) {
            let labels = series.trim_start_matches(SUCCESS).trim_end_matches('}');
            let interval = samples.get(format!("{INTERVAL}{labels}}}").as_str()).copied().unwrap_or_default();
            #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
            let age = now as f64 - success;
            let fails = || failing.iter().any(|series| series.trim_start_matches(FAILURE).starts_with(labels));
            if age > interval + UNDER_WAY && !fails() {
                self.missed += 1;
                println!("missed: {labels} is {age:.0} s old, every {interval} s");
            }
        }
    }

    fn line(&self, text: &str) -> String {
        let own = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).expect("it is there");
            line.rsplit_once(' ').and_then(|(_, value)| value.parse::<f64>().ok()).expect("a number")
        };
        let up =
            text.lines().filter(|line| line.starts_with("google_analytics_report_up{") && line.ends_with(" 1")).count();
        format!(
            "{:.1} MB | {} | {up} | {} | {} |",
            own("process_resident_memory_bytes") / 1e6,
            own("process_open_fds"),
            self.failing,
            self.missed
        )
    }
}

const SUCCESS: &str = "google_analytics_report_last_success_timestamp_seconds{";

const INTERVAL: &str = "google_analytics_report_interval_seconds{";

const FAILURE: &str = "google_analytics_report_failure{";

/// Numbers that look random and are always the same (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}
