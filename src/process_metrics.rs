//! The metrics that every exporter has about its own process: `process_*`.
//!
//! Reads /proc/self (proc(5)) when metrics are collected. Supports only Linux; elsewhere the collector is not
//! registered. A value that cannot be read keeps its last value.

use std::fs;

use jiff::Timestamp;
use prometheus::{
    Counter, Gauge, Opts,
    core::{Collector, Desc},
    proto::MetricFamily,
};
use rlimit::Resource;

use crate::clock::unix_seconds;

/// Collector of `process_*`.
#[derive(Debug)]
pub struct ProcessMetrics {
    cpu_seconds: Counter,
    open_files: Gauge,
    most_files: Gauge,
    virtual_memory: Gauge,
    resident_memory: Gauge,
    threads: Gauge,
    start_time: Gauge,
}

/// The fields of /proc/self/status that are used, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Status {
    virtual_memory: f64,
    resident_memory: f64,
    threads: f64,
}

impl ProcessMetrics {
    /// Creates the collector of this process, which started at `started_at`.
    ///
    /// # Errors
    /// Does not fail: the names are fixed and tested.
    pub fn new(started_at: Timestamp) -> Result<Self, prometheus::Error> {
        let gauge = |name, help| Gauge::with_opts(Opts::new(name, help));
        let metrics = Self {
            cpu_seconds: Counter::with_opts(Opts::new(
                "process_cpu_seconds_total",
                "Total user and system CPU time spent in seconds.",
            ))?,
            open_files: gauge("process_open_fds", "Number of open file descriptors.")?,
            most_files: gauge("process_max_fds", "Maximum number of open file descriptors.")?,
            virtual_memory: gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.")?,
            resident_memory: gauge("process_resident_memory_bytes", "Resident memory size in bytes.")?,
            threads: gauge("process_threads", "Number of OS threads in the process.")?,
            start_time: gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.")?,
        };
        metrics.start_time.set(unix_seconds(started_at));
        Ok(metrics)
    }

    fn read(&self) {
        if let Some(seconds) = fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(cpu_seconds) {
            self.cpu_seconds.inc_by((seconds - self.cpu_seconds.get()).max(0.0));
        }
        if let Ok(text) = fs::read_to_string("/proc/self/status") {
            let status = Status::parse(&text);
            self.virtual_memory.set(status.virtual_memory);
            self.resident_memory.set(status.resident_memory);
            self.threads.set(status.threads);
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            // Reading the directory itself opens one file, which is not counted.
            self.open_files.set(number(files.count().saturating_sub(1)));
        }
        if let Ok(limit) = Resource::NOFILE.get_soft() {
            self.most_files.set(number(usize::try_from(limit).unwrap_or(usize::MAX)));
        }
    }

    fn all(&self) -> [&dyn Collector; 7] {
        [
            &self.cpu_seconds,
            &self.most_files,
            &self.open_files,
            &self.resident_memory,
            &self.start_time,
            &self.threads,
            &self.virtual_memory,
        ]
    }
}

impl Collector for ProcessMetrics {
    fn desc(&self) -> Vec<&Desc> {
        self.all().into_iter().flat_map(Collector::desc).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.read();
        self.all().into_iter().flat_map(Collector::collect).collect()
    }
}

impl Status {
    fn parse(text: &str) -> Self {
        let first_number = |key: &str| -> f64 {
            let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
            line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
        };
        Self {
            virtual_memory: 1024.0 * first_number("VmSize"),
            resident_memory: 1024.0 * first_number("VmRSS"),
            threads: first_number("Threads"),
        }
    }
}

/// Parses the CPU time in /proc/self/stat: `utime` and `stime`, fields 14 and 15. Field 2 is the name of the program
/// in parentheses, which may itself contain spaces and parentheses.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut fields = after_name.split(' ').skip(11);
    let mut ticks = || -> Option<f64> { fields.next()?.parse().ok() };
    Some((ticks()? + ticks()?) / TICKS_PER_SECOND)
}

fn number(count: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "there are far fewer than 2^53 files")]
    let number = count as f64;
    number
}

/// Unit of the CPU time that Linux reports to programs (USER_HZ), the same on all supported architectures.
const TICKS_PER_SECOND: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_found_behind_any_name() {
        let stat = "7 (a) b (c) R 1 7 7 0 -1 4194304 9 0 0 0 250 50 3 4 20 0 5 0 123 456 789";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds("7 (a) R 1"), None);
        assert_eq!(cpu_seconds(""), None);
    }

    #[test]
    fn memory_is_in_bytes() {
        let status = Status::parse("Name:\tx\nVmSize:\t   2048 kB\nVmRSS:\t    1000 kB\nThreads:\t4\n");
        assert_eq!(status, Status { virtual_memory: 2_097_152.0, resident_memory: 1_024_000.0, threads: 4.0 });
        assert_eq!(Status::parse("nothing"), Status::default());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_all_of_them() {
        let metrics = ProcessMetrics::new(Timestamp::UNIX_EPOCH).unwrap();
        let families = metrics.collect();
        assert_eq!(families.len(), 7);
        assert!(metrics.resident_memory.get() > 1e6 && metrics.threads.get() >= 1.0 && metrics.open_files.get() >= 3.0);
        assert!(metrics.most_files.get() >= metrics.open_files.get());
    }
}
