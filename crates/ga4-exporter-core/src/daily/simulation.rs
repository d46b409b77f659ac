//! Any sequence of revisions, failures, kills and runs ends in the truth.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date};
use proptest::prelude::*;

use super::{
    Agenda, DailyAnswer, DailyRows, Key, Mark, RowChange, Span, Table, Values, WantedDays, table::tests::checkout,
};

use ga4_drop_baseline::calendar::Zone;

use crate::report::Day;
use crate::wire::response::{Header, Metadata, ReportResponse, ResponseRow, Sampling, Value};

/// What happens at one request.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// Google answers, and it is stored.
    Answered,
    /// Google answers with an estimate, as long as it is asked for several days.
    Sampled,
    /// The request fails: the run ends with what it has.
    Fails,
    /// The process dies before it has stored the answer.
    Killed,
}

/// Google: each day has rows that grow, change and vanish for 72 hours after its end.
struct World {
    zone: Zone,
    seed: u64,
}

/// The database.
#[derive(Clone, Debug, Default, PartialEq)]
struct Stored {
    rows: DailyRows,
    marks: BTreeMap<Date, Mark>,
}

impl World {
    fn hash(&self, date: Date, path: u64, version: i64) -> u64 {
        let parts = [
            u64::from(date.day().unsigned_abs()),
            u64::from(date.month().unsigned_abs()),
            path,
            version.unsigned_abs(),
        ];
        parts.iter().fold(self.seed ^ 0x9e37_79b9_7f4a_7c15, |hash, part| {
            (hash ^ part).wrapping_mul(0x0100_0000_01b3).rotate_left(23)
        })
    }

    /// What Google has of a day at a time; the last version comes 72 hours after the day's end.
    fn rows(&self, date: Date, at: Timestamp) -> BTreeMap<String, f64> {
        let (_, end) = self.zone.bounds(date).unwrap();
        let age = at.duration_since(end).as_hours().clamp(0, 72);
        let version = age / 12;
        // Some days have nothing at all.
        if self.hash(date, 99, 0).is_multiple_of(5) {
            return BTreeMap::new();
        }
        let row = |path: u64| {
            let hash = self.hash(date, path, version);
            (!hash.is_multiple_of(4)).then(|| (format!("/{path}"), f64::from(u8::try_from(hash % 7).unwrap())))
        };
        (0..4).filter_map(row).collect()
    }

    fn answer(&self, table: &Table, span: Span, at: Timestamp, is_sampled: bool) -> ReportResponse {
        let cell = |value: String| Value { value, is_broken: false };
        let mut rows = Vec::new();
        for date in span.dates() {
            let of_day = self.rows(date, at);
            let date = cell(date.strftime("%Y%m%d").to_string());
            if table.dimensions().is_empty() {
                let sum: f64 = of_day.values().sum();
                if !of_day.is_empty() {
                    let metric_values = vec![cell(sum.to_string()); table.metrics().len()];
                    rows.push(ResponseRow { dimension_values: vec![date], metric_values });
                }
                continue;
            }
            for (path, value) in of_day {
                let dimension_values = vec![date.clone(), cell("mobile".to_owned()), cell(path)];
                rows.push(ResponseRow {
                    dimension_values,
                    metric_values: vec![cell(value.to_string()), cell("-1.5".to_owned())],
                });
            }
        }
        let names = |names: Vec<&str>| {
            names.into_iter().map(|name| Header { name: name.to_owned(), ..Header::default() }).collect()
        };
        let dimensions = table.dimensions().iter().map(|column| column.api_name.as_str());
        ReportResponse {
            dimension_headers: names(["date"].into_iter().chain(dimensions).collect()),
            metric_headers: names(table.metrics().iter().map(|column| column.metric.api_name.as_str()).collect()),
            row_count: i64::try_from(rows.len()).unwrap(),
            rows,
            metadata: Metadata {
                time_zone: self.zone.name().to_owned(),
                sampling_metadatas: if is_sampled {
                    vec![Sampling { samples_read_count: 1, sampling_space_size: 2 }]
                } else {
                    Vec::new()
                },
                ..Metadata::default()
            },
            ..ReportResponse::default()
        }
    }

    /// What the database should have of a day.
    fn truth(&self, table: &Table, date: Date, at: Timestamp) -> DailyRows {
        let span = Span { first: date, last: date };
        DailyAnswer::read(table, span, &self.answer(table, span, at, false)).unwrap().rows
    }
}

impl Stored {
    fn of_span(&self, span: Span) -> DailyRows {
        self.rows
            .iter()
            .filter(|(key, _)| span.contains(key.date))
            .map(|(key, values)| (key.clone(), values.clone()))
            .collect()
    }

    /// As a database does it in one transaction; how many rows were touched.
    fn replace(&mut self, span: Span, answer: &DailyAnswer, zone: &Zone, at: Timestamp) -> usize {
        let stored = self.of_span(span);
        let change = RowChange::between(&stored, &answer.rows);
        for key in &change.deletes {
            self.rows.remove(key);
        }
        for (key, values) in change.inserts.iter().chain(&change.updates) {
            let (key, values): (Key, Values) = ((*key).clone(), (*values).clone());
            self.rows.insert(key, values);
        }
        self.marks.extend(answer.marks(span, zone, at));
        change.size().touched()
    }
}

/// One run; how many rows it touched, and whether it came to its end.
fn run(
    world: &World,
    table: &Table,
    stored: &mut Stored,
    wanted: WantedDays,
    at: Timestamp,
    events: &[Event],
) -> (usize, bool) {
    let period = wanted.period(world.zone.date(at), None).unwrap();
    let settled = stored.marks.iter().map(|(date, mark)| (*date, mark.settled)).collect();
    let mut agenda = Agenda::new(period, &settled, 10);
    let (mut events, mut touched) = (events.iter().copied(), 0);
    while let Some(span) = agenda.next_span() {
        assert!(span.last < world.zone.date(at), "today is never asked for");
        let is_sampled = match events.next().unwrap_or(Event::Answered) {
            Event::Fails | Event::Killed => return (touched, false),
            Event::Sampled => span.days() > 1,
            Event::Answered => false,
        };
        let answer = DailyAnswer::read(table, span, &world.answer(table, span, at, is_sampled)).unwrap();
        if answer.is_too_coarse() && agenda.halve() {
            continue;
        }
        touched += stored.replace(span, &answer, &world.zone, at);
        agenda.on_stored();
    }
    assert!(agenda.has_lookback());
    (touched, true)
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => Just(Event::Answered),
        2 => Just(Event::Sampled),
        1 => Just(Event::Fails),
        1 => Just(Event::Killed),
    ]
}

/// Hours to the next run, and what happens in it.
fn runs() -> impl Strategy<Value = Vec<(i64, Vec<Event>)>> {
    prop::collection::vec((1_i64..200, prop::collection::vec(event(), 0..12)), 0..25)
}

proptest! {
    #[test]
    fn whatever_happens_it_ends_in_the_truth(
        runs in runs(),
        seed in any::<u64>(),
        lookback in 3_u16..10,
        is_labelled in any::<bool>(),
        zone in prop_oneof![Just("Europe/Berlin"), Just("Pacific/Kiritimati"), Just("America/St_Johns")],
    ) {
        let world = World { zone: Zone::named(zone).unwrap(), seed };
        let table = if is_labelled { checkout() } else { Table::daily() };
        let start: Timestamp = "2026-03-20T03:00:00Z".parse().unwrap();
        let wanted = WantedDays { from: Day::On(Date::constant(2026, 2, 20)), to: None, lookback };
        let (mut stored, mut at) = (Stored::default(), start);
        for (hours, events) in &runs {
            run(&world, &table, &mut stored, wanted, at, events);
            for (date, mark) in &stored.marks {
                if mark.settled {
                    let span = Span { first: *date, last: *date };
                    prop_assert_eq!(stored.of_span(span), world.truth(&table, *date, at), "{} has settled", date);
                }
            }
            at = at.saturating_add(SignedDuration::from_hours(*hours)).unwrap();
        }
        let (_, is_complete) = run(&world, &table, &mut stored, wanted, at, &[]);
        prop_assert!(is_complete);
        let days = wanted.period(world.zone.date(at), None).unwrap().days;
        for date in days.dates() {
            let span = Span { first: date, last: date };
            prop_assert_eq!(stored.of_span(span), world.truth(&table, date, at), "{}", date);
            let rows = world.rows(date, at);
            prop_assert_eq!(stored.marks[&date].row_count == 0, rows.is_empty(), "zero is no gap on {}", date);
        }
        prop_assert_eq!(stored.marks.len(), days.days());
        let before = stored.clone();
        prop_assert_eq!(run(&world, &table, &mut stored, wanted, at, &[]), (0, true));
        prop_assert_eq!(stored, before, "the second run changes nothing");
    }
}
