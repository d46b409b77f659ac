//! A day of polling in virtual time: the engine and the store as they are, without requests.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap},
    path::Path,
    sync::Arc,
    time::Duration,
};

use ga4_drop_baseline::{History, calendar::Zone};
use ga4_exporter_core::engine::{self, Engine, EngineStep, MinutesAnswer, Poll, Polled, PolledMinutes};
use ga4_exporter_core::{
    names::{Bucket, PropertyId, ReportName},
    properties::{PropertyInfo, PropertySet},
    report::{Report, Rhythm, Series},
    schedule::Job,
    store::Store,
    translate,
    wire::{self, response::PropertyQuota},
};
use google_analytics_exporter::{clock::later, config::Config};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    figures::Figures,
    google::{Answer, DEAR, Google, LOW, Outage},
};

/// The day on which North America puts its clocks back, from 04:00 UTC on; the outage begins at 15:00, and at 18:00 others empty
/// the day's bucket of every hundredth property.
pub(crate) fn day(properties: u64, seed: u64) -> Figures {
    day_of("{}", properties, seed)
}

/// The same with this configuration.
pub(crate) fn day_of(yaml: &str, properties: u64, seed: u64) -> Figures {
    let start: Timestamp = "2026-11-01T04:00:00Z".parse().expect("a time");
    let from = later(start, Duration::from_hours(11));
    let until = later(from, Duration::from_mins(30));
    let google = Google::new(seed, Outage { from, until }, later(start, Duration::from_hours(14)));
    Day::new(yaml, properties, start, Duration::from_hours(24), google).pass()
}

/// Everything that a simulated day is made of.
struct Day {
    now: Timestamp,
    end: Timestamp,
    engine: Engine,
    store: Store,
    google: Google,
    /// Where each property is.
    zones: HashMap<PropertyId, Zone>,
    /// From one poll of a report to the next, as planned now.
    intervals: HashMap<Job, Duration>,
    /// The answers to come, the next first.
    coming: BinaryHeap<Reverse<(Timestamp, u64)>>,
    /// What was asked, by the number of its answer, and when.
    asked: HashMap<u64, (Poll, Timestamp)>,
    number: u64,
    /// What each report with dimensions is answered with.
    rows: HashMap<ReportName, Series>,
    figures: Figures,
}

impl Day {
    /// A day with this many properties, in zones all over the world.
    fn new(yaml: &str, properties: u64, start: Timestamp, length: Duration, google: Google) -> Self {
        let config = Config::from_yaml(yaml, Path::new("day.yml")).expect("a good file").config;
        let ids: Vec<PropertyId> =
            (1..=properties).map(|id| (300_000_000 + id).to_string().parse().expect("a number")).collect();
        let active = ids.iter().map(|id| (*id, PropertyInfo::default())).collect();
        let plan = Arc::new(config.plan(PropertySet { active, ..PropertySet::default() }, true));
        let zones: Vec<Zone> = ZONES.iter().map(|name| Zone::named(name).expect("a known zone")).collect();
        let figures = Figures::new(start, &zones).outage(google.outage.from, google.outage.until);
        let mut day = Self {
            now: start,
            end: later(start, length),
            engine: Engine::new(&plan, true, start),
            store: Store::default(),
            google,
            zones: ids.iter().copied().zip(zones.iter().cycle().cloned()).collect(),
            intervals: HashMap::new(),
            coming: BinaryHeap::new(),
            asked: HashMap::new(),
            number: 0,
            rows: HashMap::new(),
            figures,
        };
        let effects = day.engine.on_plan(start, plan, BTreeMap::new());
        day.store.apply(effects.store);
        day
    }

    /// Lets it pass.
    fn pass(mut self) -> Figures {
        while self.now < self.end {
            let wake = self.send_what_is_due();
            let arrival = self.coming.peek().map(|Reverse((at, _))| *at);
            let next = [wake, arrival].into_iter().flatten().min().unwrap_or(self.end);
            self.now = self.now.max(next).min(self.end);
            while let Some(Reverse((_, number))) =
                self.coming.peek().copied().filter(|Reverse((at, _))| *at <= self.now)
            {
                self.coming.pop();
                let (poll, sent_at) = self.asked.remove(&number).expect("what comes was asked");
                self.answer(poll, sent_at);
            }
        }
        let snapshots = self.store.properties().into_iter().flat_map(|state| state.reports.clone());
        self.figures.series = snapshots.filter_map(|report| report.snapshot).map(|shown| shown.values.len()).sum();
        (self.figures.largest_part_of_day, self.figures.largest_part_of_hour) = self.google.largest_parts();
        self.figures
    }

    fn send_what_is_due(&mut self) -> Option<Timestamp> {
        loop {
            let (step, effects) = self.engine.next(self.now);
            self.store.apply(effects.store);
            let poll = match step {
                EngineStep::Send(poll) => poll,
                EngineStep::Wait(until) => return until,
            };
            self.figures.sent(&poll.job, poll.report.requests(), self.now);
            let mut latency = self.google.latency() * poll.report.requests();
            if self.now >= self.google.outage.from && self.now < self.google.outage.until {
                latency = CONNECTING;
            }
            self.number += 1;
            self.coming.push(Reverse((later(self.now, latency), self.number)));
            self.asked.insert(self.number, (poll, self.now));
        }
    }

    fn answer(&mut self, poll: Poll, sent_at: Timestamp) {
        let (property, category) = (poll.job.property, poll.report.category);
        let (result, minutes) = match self.google.answer(property, category, self.now) {
            Answer::Report { quota } => {
                self.came(&poll);
                (Ok(self.report(&poll, quota)), self.minutes(&poll, sent_at))
            }
            Answer::DayExhausted => {
                self.figures.refused(&poll.job);
                (Err(wire::ApiError::QuotaExhausted { bucket: Bucket::Day, message: String::new() }), None)
            }
            Answer::Nothing => (Err(wire::ApiError::Connection("no route".into())), None),
        };
        let (received_at, took) = (self.now, Duration::from_millis(100));
        let polled = Polled { poll, account: None, sent_at, received_at, took, result, minutes };
        let effects = self.engine.on_answer(self.now, polled);
        self.store.apply(effects.store);
        self.note_intervals(property);
    }

    /// Notes which intervals are planned otherwise now.
    fn note_intervals(&mut self, property: PropertyId) {
        let Some(state) = self.store.property(property) else { return };
        for report in &state.reports {
            let job = Job { property, report: report.name.clone() };
            let before = self.intervals.insert(job.clone(), report.interval);
            if before.is_some_and(|before| before != report.interval) {
                self.figures.replanned(&job, report.interval);
            }
        }
    }

    fn came(&mut self, poll: &Poll) {
        let id = poll.job.property.as_u64();
        let is_held_back = id.is_multiple_of(DEAR) || id.is_multiple_of(LOW);
        let planned = self.intervals.get(&poll.job).copied().unwrap_or(poll.report.interval);
        let interval = if is_held_back { planned } else { poll.report.interval };
        let kind = if is_held_back { HELD_BACK } else { "" };
        self.figures.came(&poll.job, kind, interval, poll.report.rhythm() == Rhythm::Daily, self.now);
    }

    fn report(&mut self, poll: &Poll, quota: PropertyQuota) -> engine::PollAnswer {
        let zone = self.zones.get(&poll.job.property).filter(|_| poll.report.has_dates());
        let values = if poll.report.is_labelled() {
            self.rows.entry(poll.job.report.clone()).or_insert_with(|| rows(&poll.report)).clone()
        } else {
            Series::unlabelled(vec![0.0; poll.report.families.len()])
        };
        engine::PollAnswer {
            values,
            quality: None,
            history: poll.report.is_history().then(History::default),
            time_zone: zone.map(Zone::name).unwrap_or_default().to_owned(),
            currency: String::new(),
            quota: Some(quota),
        }
    }

    fn minutes(&mut self, poll: &Poll, sent_at: Timestamp) -> Option<PolledMinutes> {
        poll.report.minutes_request()?;
        let Answer::Report { quota } = self.google.answer(poll.job.property, poll.report.category, self.now) else {
            return None;
        };
        let answer = MinutesAnswer { minutes: [0; 30], quota: Some(quota) };
        Some(PolledMinutes { sent_at, received_at: self.now, result: Ok(answer) })
    }
}

/// As many rows as a report asks for.
fn rows(report: &Report) -> Series {
    let cells = |count: usize, text: &str| vec![json!({"value": text}); count];
    let row = |number: u32| {
        json!({
            "dimensionValues": cells(report.dimensions.len(), &format!("value {number}")),
            "metricValues": cells(report.metrics.len(), "1"),
        })
    };
    let names = |names: Vec<String>| names.into_iter().map(|name| json!({"name": name})).collect::<Vec<_>>();
    let limit = report.limit.expect("reports with dimensions have a limit");
    let answer = json!({
        "kind": "analyticsData#runReport",
        "dimensionHeaders": names(report.dimensions.iter().map(|dimension| dimension.api_name.to_string()).collect()),
        "metricHeaders": names(report.metrics.iter().map(|metric| metric.api_name.to_string()).collect()),
        "rows": (0..limit).map(row).collect::<Vec<_>>(),
        "rowCount": limit,
    });
    translate::values(report, &serde_json::from_value(answer).expect("an answer")).expect("the one asked for")
}

/// The kind of those that cannot have their interval.
pub(crate) const HELD_BACK: &str = ", held back";

/// How long a connection that cannot be had is waited for.
const CONNECTING: Duration = Duration::from_secs(5);

/// Where the properties are.
const ZONES: &[&str] = &[
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "Europe/London",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Sydney",
];
