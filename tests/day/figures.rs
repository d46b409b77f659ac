//! What came of a simulated day.

use std::{collections::HashMap, time::Duration};

use ga4_drop_baseline::calendar::Zone;
use ga4_exporter_core::schedule::Job;
use google_analytics_exporter::clock::later;
use jiff::{SignedDuration, Timestamp};

pub(crate) struct Figures {
    start: Timestamp,
    /// The instants around which many reports are asked for at once.
    midnights: Vec<Timestamp>,
    /// Requests in each second.
    by_second: Vec<u32>,
    last_success: HashMap<Job, Timestamp>,
    /// When each was answered first after the outage, by job.
    first_since: HashMap<Job, Timestamp>,
    outage_ends: Option<Timestamp>,
    /// Polls by report.
    pub(crate) polls: HashMap<String, u64>,
    /// The longest time between two answers beyond the interval, apart from outage and exhaustion, by report.
    pub(crate) latest: HashMap<String, SignedDuration>,
    /// The same for the first answer after the outage.
    pub(crate) recovery: HashMap<String, SignedDuration>,
    pub(crate) refusals: u64,
    /// How many refusals came for one property, category and day at most.
    refused: HashMap<Job, u64>,
    pub(crate) replanned: u64,
    /// The longest interval that was planned, by report.
    pub(crate) slowest: HashMap<String, Duration>,
    pub(crate) largest_part_of_day: f64,
    pub(crate) largest_part_of_hour: f64,
    /// How many series there are at the end.
    pub(crate) series: usize,
    exempt: Vec<(Timestamp, Timestamp)>,
}

impl Figures {
    pub(crate) fn new(start: Timestamp, zones: &[Zone]) -> Self {
        let mut midnights = vec![start];
        for zone in zones {
            let first = zone.next_midnight(start);
            midnights.extend([first, zone.next_midnight(first)]);
        }
        Self {
            start,
            midnights,
            by_second: Vec::new(),
            last_success: HashMap::new(),
            first_since: HashMap::new(),
            outage_ends: None,
            polls: HashMap::new(),
            latest: HashMap::new(),
            recovery: HashMap::new(),
            refusals: 0,
            refused: HashMap::new(),
            replanned: 0,
            slowest: HashMap::new(),
            largest_part_of_day: 0.0,
            largest_part_of_hour: 0.0,
            series: 0,
            exempt: Vec::new(),
        }
    }

    /// Nothing can come in this time, and it ends with an outage.
    pub(crate) fn outage(mut self, from: Timestamp, until: Timestamp) -> Self {
        self.exempt.push((from, until));
        self.outage_ends = Some(until);
        self
    }

    pub(crate) fn sent(&mut self, job: &Job, requests: u32, now: Timestamp) {
        *self.polls.entry(job.report.to_string()).or_default() += 1;
        let second = usize::try_from(now.duration_since(self.start).as_secs()).unwrap_or_default();
        if self.by_second.len() <= second {
            self.by_second.resize(second + 1, 0);
        }
        self.by_second[second] += requests;
    }

    /// `kind` is what distinguishes latenesses, beside the report.
    pub(crate) fn came(&mut self, job: &Job, kind: &str, interval: Duration, daily: bool, now: Timestamp) {
        let interval = SignedDuration::try_from(interval).unwrap();
        let report = format!("{}{kind}", job.report);
        if let Some(ended) = self.outage_ends.filter(|ended| now >= *ended && !daily)
            && self.last_success.contains_key(job)
            && !self.first_since.contains_key(job)
        {
            self.first_since.insert(job.clone(), now);
            let beyond = now.duration_since(ended) - interval;
            let latest = self.recovery.entry(report.clone()).or_insert(beyond);
            *latest = beyond.max(*latest);
        }
        if let Some(before) = self.last_success.insert(job.clone(), now)
            && !daily
            && !self.refused.contains_key(job)
            && !self.exempt.iter().any(|(from, until)| before < *until && now > *from)
        {
            let beyond = now.duration_since(before) - interval;
            let latest = self.latest.entry(report).or_insert(beyond);
            *latest = beyond.max(*latest);
        }
    }

    pub(crate) fn refused(&mut self, job: &Job) {
        self.refusals += 1;
        *self.refused.entry(job.clone()).or_default() += 1;
    }

    pub(crate) fn replanned(&mut self, job: &Job, interval: Duration) {
        self.replanned += 1;
        let slowest = self.slowest.entry(job.report.to_string()).or_default();
        *slowest = interval.max(*slowest);
    }

    /// How often one report was refused at most.
    pub(crate) fn most_refusals(&self) -> u64 {
        self.refused.values().copied().max().unwrap_or_default()
    }

    /// Requests a second: on average and at most, apart from the start, the outage and the midnights.
    pub(crate) fn rates(&self) -> (f64, f64) {
        let counted: Vec<u32> =
            (0..).zip(&self.by_second).filter(|(second, _)| self.is_usual(*second)).map(|(_, n)| *n).collect();
        let sum: u64 = counted.iter().map(|count| u64::from(*count)).sum();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let mean = sum as f64 / counted.len().max(1) as f64;
        (mean, counted.iter().copied().max().unwrap_or_default().into())
    }

    fn is_usual(&self, second: i64) -> bool {
        let at = self.start + SignedDuration::from_secs(second);
        let crowded = |midnight: &Timestamp| at >= *midnight && at < later(*midnight, CROWDED);
        let out = |(from, until): &(Timestamp, Timestamp)| at >= *from && at < later(*until, CROWDED);
        !self.midnights.iter().any(crowded) && !self.exempt.iter().any(out)
    }
}

/// After a midnight all of the zone is asked for within five minutes.
const CROWDED: Duration = Duration::from_secs(310);
