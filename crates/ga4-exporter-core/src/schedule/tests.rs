use std::sync::Arc;

use super::*;
use crate::names::{Bucket, Reason};

const SUCCESS: Outcome = Outcome::Success { day_ends: None };

mod refusals;

fn start() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn after(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

fn name(text: &str) -> ReportName {
    text.parse().unwrap()
}

fn paces() -> BTreeMap<ReportName, Pace> {
    let pace = |seconds, category, rhythm| Pace {
        interval: Duration::from_secs(seconds),
        category,
        rhythm,
        requests: 1,
        essential: true,
        scope: Scope::All,
        stretched: false,
    };
    [
        (name("realtime"), pace(60, Category::Realtime, Rhythm::Steady)),
        (name("traffic"), pace(900, Category::Core, Rhythm::Dated)),
    ]
    .into()
}

fn schedule(properties: u64, limits: Limits) -> Schedule {
    let mut schedule = Schedule::new(paces(), limits, start());
    schedule.set_properties(&ids(properties), start());
    schedule
}

fn ids(count: u64) -> BTreeSet<PropertyId> {
    (1..=count).map(|id| id.to_string().parse().unwrap()).collect()
}

fn limits(in_flight: Option<usize>, per_property: usize) -> Limits {
    Limits { in_flight, per_property }
}

/// Everything that is to be sent now.
fn sent(schedule: &mut Schedule, ledger: &mut Ledger, now: Timestamp) -> Vec<Job> {
    let mut jobs = Vec::new();
    loop {
        match schedule.next(ledger, now) {
            ScheduleStep::Send(job) => jobs.push(job),
            ScheduleStep::Postponed(..) => {}
            ScheduleStep::Wait(_) => return jobs,
        }
    }
}

fn due(schedule: &mut Schedule, now: Timestamp) -> i64 {
    match schedule.next(&mut Ledger::default(), now) {
        ScheduleStep::Wait(Some(due)) => due.duration_since(now).as_secs(),
        step @ (ScheduleStep::Wait(None) | ScheduleStep::Send(_) | ScheduleStep::Postponed(..)) => panic!("{step:?}"),
    }
}

/// A schedule of one property that polls only `traffic`, which is on its way.
fn one_on_its_way() -> (Schedule, Job) {
    let traffic = paces().into_iter().filter(|(name, _)| name.as_str() == "traffic").collect();
    let mut schedule = Schedule::new(traffic, limits(None, 4), start());
    schedule.set_properties(&ids(1), start());
    let jobs = sent(&mut schedule, &mut Ledger::default(), start());
    (schedule, jobs.into_iter().next().unwrap())
}

#[test]
fn first_polls_are_due_at_once_within_the_limit() {
    let mut schedule = schedule(100, limits(Some(32), 4));
    let mut ledger = Ledger::default();
    let first = sent(&mut schedule, &mut ledger, start());
    assert_eq!(first.len(), 32);
    schedule.on_result(&first[0], &SUCCESS, after(1));
    assert_eq!(sent(&mut schedule, &mut ledger, after(1)).len(), 1, "one has ended, one more may go");
}

#[test]
fn later_polls_are_spread_over_the_interval_and_come_within_it() {
    let mut schedule = schedule(2000, limits(Some(10_000), 4));
    let mut ledger = Ledger::default();
    for job in sent(&mut schedule, &mut ledger, start()) {
        schedule.on_result(&job, &SUCCESS, start());
    }
    let mut per_quarter = [0; 4];
    for second in 0..60 {
        for job in sent(&mut schedule, &mut ledger, after(second)) {
            if job.report.as_str() == "realtime" {
                per_quarter[usize::try_from(second / 15).unwrap()] += 1;
            }
            schedule.on_result(&job, &SUCCESS, after(second));
        }
    }
    let last = sent(&mut schedule, &mut ledger, after(60));
    per_quarter[3] += last.iter().filter(|job| job.report.as_str() == "realtime").count();
    assert_eq!(per_quarter.iter().sum::<usize>(), 2000, "each once");
    assert!(per_quarter.iter().all(|count| (400..=600).contains(count)), "{per_quarter:?}");
}

#[test]
fn the_rhythm_of_a_report_is_stable() {
    let (mut schedule, job) = one_on_its_way();
    schedule.on_result(&job, &SUCCESS, start());
    let first = due(&mut schedule, start());
    let mut ledger = Ledger::default();
    let jobs = sent(&mut schedule, &mut ledger, after(first + 1));
    schedule.on_result(&jobs[0], &SUCCESS, after(first + 2));
    assert_eq!(due(&mut schedule, after(first)), 900);
}

#[test]
fn late_polls_do_not_pile_up() {
    let (mut schedule, job) = one_on_its_way();
    schedule.on_result(&job, &SUCCESS, start());
    let mut ledger = Ledger::default();
    let woken = after(86_400);
    let jobs = sent(&mut schedule, &mut ledger, woken);
    assert_eq!(jobs.len(), 1, "after a day of sleep it runs once");
    schedule.on_result(&jobs[0], &SUCCESS, woken);
    assert!(due(&mut schedule, woken) > 0);
}

#[test]
fn a_property_has_no_more_than_its_share_on_its_way() {
    let mut schedule = schedule(2, limits(Some(100), 1));
    let mut ledger = Ledger::default();
    let first = sent(&mut schedule, &mut ledger, start());
    assert_eq!(first.iter().map(|job| job.property.as_u64()).collect::<Vec<_>>(), [1, 2]);
    schedule.on_result(&first[0], &SUCCESS, start());
    let second = sent(&mut schedule, &mut ledger, start());
    assert_eq!(second.len(), 1, "the other report of the first property");
    assert_ne!(second[0].report, first[0].report);
}

#[test]
fn a_hanging_property_holds_up_no_other() {
    let mut schedule = schedule(50, limits(Some(32), 4));
    let mut ledger = Ledger::default();
    let mut done = BTreeSet::new();
    for _ in 0..10 {
        for job in sent(&mut schedule, &mut ledger, start()) {
            if job.property.as_u64() != 1 {
                schedule.on_result(&job, &SUCCESS, start());
                done.insert(job);
            }
        }
    }
    assert_eq!(done.len(), 98);
}

#[test]
fn failures_wait_as_long_as_their_reason_asks_for() {
    for (reason, range) in [
        (Reason::InvalidRequest, 3240..=3600),
        (Reason::NoAccess, 540..=600),
        (Reason::ApiDisabled, 540..=600),
        (Reason::InsufficientScope, 540..=600),
        (Reason::CloudProject, 540..=600),
        (Reason::Perimeter, 540..=600),
        (Reason::Clock, 540..=600),
        (Reason::Timeout, 3..=5),
        (Reason::Connection, 3..=5),
        (Reason::Protocol, 3..=5),
        (Reason::Unauthenticated, 3..=5),
        (Reason::ServerError, 22..=30),
        (Reason::QuotaConcurrent, 0..=60),
        (Reason::QuotaHour, 0..=900),
        (Reason::QuotaClientErrors, 0..=900),
    ] {
        let (mut schedule, job) = one_on_its_way();
        schedule.on_result(&job, &Outcome::Failed(reason), start());
        let due = due(&mut schedule, start());
        assert!(range.contains(&due), "{reason}: {due}");
    }
}

#[test]
fn back_off_grows_to_five_minutes_and_ends_with_success() {
    let (mut schedule, job) = one_on_its_way();
    let mut ledger = Ledger::default();
    let mut now = start();
    let mut pauses = Vec::new();
    for _ in 0..10 {
        schedule.on_result(&job, &Outcome::Failed(Reason::Connection), now);
        let pause = due(&mut schedule, now) + 1;
        pauses.push(pause);
        now += SignedDuration::from_secs(pause);
        assert_eq!(sent(&mut schedule, &mut ledger, now).len(), 1);
    }
    assert!(pauses.windows(2).take(6).all(|pair| pair[0] < pair[1]), "{pauses:?}");
    assert!(pauses.iter().all(|pause| *pause <= 301), "{pauses:?}");
    schedule.on_result(&job, &SUCCESS, now);
    assert!(due(&mut schedule, now) > 0);
}

#[test]
fn an_answer_of_the_wrong_day_is_asked_for_again_but_not_for_ever() {
    let (mut schedule, job) = one_on_its_way();
    let mut ledger = Ledger::default();
    for attempt in 0..3 {
        schedule.on_result(&job, &Outcome::Discarded { midnight: None }, after(attempt));
        assert_eq!(sent(&mut schedule, &mut ledger, after(attempt + 1)).len(), 1);
    }
    schedule.on_result(&job, &Outcome::Discarded { midnight: None }, after(3));
    assert!(due(&mut schedule, after(3)) > 1);
}

#[test]
fn after_midnight_dated_reports_are_due_soon_but_not_at_once() {
    for id in 1..=50 {
        let traffic = paces().into_iter().filter(|(name, _)| name.as_str() == "traffic").collect();
        let mut schedule = Schedule::new(traffic, limits(None, 4), start());
        schedule.set_properties(&[id.to_string().parse().unwrap()].into(), start());
        let jobs = sent(&mut schedule, &mut Ledger::default(), start());
        let midnight = after(60);
        schedule.on_result(&jobs[0], &Outcome::Success { day_ends: Some(midnight) }, start());
        let due = due(&mut schedule, start());
        assert!((0..60).contains(&due) || (65..=365).contains(&due), "{id}: {due}");
    }
}

#[test]
fn a_closed_bucket_postpones_without_sending() {
    let mut schedule = schedule(2, limits(Some(100), 4));
    let mut ledger = Ledger::default();
    ledger.on_exhausted("1".parse().unwrap(), Category::Core, Bucket::Hour, start());
    let mut postponed = Vec::new();
    let mut jobs = Vec::new();
    loop {
        match schedule.next(&mut ledger, start()) {
            ScheduleStep::Send(job) => jobs.push(job),
            ScheduleStep::Postponed(job, _) => postponed.push(job),
            ScheduleStep::Wait(_) => break,
        }
    }
    assert_eq!(jobs.len(), 3);
    assert_eq!(postponed, [Job { property: "1".parse().unwrap(), report: name("traffic") }]);
    assert!(sent(&mut schedule, &mut ledger, after(1799)).is_empty());
    assert_eq!(sent(&mut schedule, &mut ledger, after(1811)).len(), 1, "the trial");
}

#[test]
fn removed_properties_are_forgotten_even_while_on_their_way() {
    let mut schedule = schedule(1, limits(Some(1), 4));
    let mut ledger = Ledger::default();
    let jobs = sent(&mut schedule, &mut ledger, start());
    schedule.set_properties(&BTreeSet::new(), start());
    schedule.on_result(&jobs[0], &SUCCESS, start());
    assert!(sent(&mut schedule, &mut ledger, after(10_000)).is_empty());
    schedule.set_properties(&ids(1), after(10_000));
    assert_eq!(sent(&mut schedule, &mut ledger, after(10_000)).len(), 1, "the place on the way is free again");
}

#[test]
fn what_goes_and_comes_back_is_not_on_its_way_twice() {
    let (mut schedule, job) = one_on_its_way();
    let mut ledger = Ledger::default();
    schedule.set_properties(&BTreeSet::new(), start());
    schedule.set_properties(&ids(1), start());
    assert!(sent(&mut schedule, &mut ledger, after(1)).is_empty());
    schedule.on_result(&job, &SUCCESS, after(2));
    assert_eq!(sent(&mut schedule, &mut ledger, after(902)).len(), 1);
}

#[test]
fn a_clock_set_back_puts_nothing_off() {
    let (mut schedule, job) = one_on_its_way();
    schedule.on_result(&job, &SUCCESS, start());
    let left = due(&mut schedule, start());
    let past = after(-86_400);
    schedule.on_clock_set_back(SignedDuration::from_secs(86_400), past);
    assert_eq!(due(&mut schedule, past), left);
}

#[test]
fn another_plan_leaves_a_failing_report_waiting() {
    let (mut schedule, job) = one_on_its_way();
    schedule.on_result(&job, &Outcome::Failed(Reason::InvalidRequest), start());
    let left = due(&mut schedule, start());
    let mut faster = schedule.paces.clone();
    schedule.configure(faster.clone(), limits(None, 4), start());
    assert_eq!(due(&mut schedule, start()), left);
    faster.get_mut(&job.report).unwrap().interval = Duration::from_secs(60);
    schedule.configure(faster, limits(None, 4), start());
    assert_eq!(due(&mut schedule, start()), left);
}

#[test]
fn a_shorter_interval_brings_a_working_report_forward() {
    let (mut schedule, job) = one_on_its_way();
    schedule.on_result(&job, &SUCCESS, start());
    let mut faster = schedule.paces.clone();
    faster.get_mut(&job.report).unwrap().interval = Duration::from_secs(2);
    schedule.configure(faster, limits(None, 4), start());
    assert!(due(&mut schedule, start()) <= 2);
}

#[test]
fn what_came_over_midnight_is_asked_for_again_a_little_after_it() {
    let (mut schedule, job) = one_on_its_way();
    schedule.on_result(&job, &Outcome::Discarded { midnight: Some(start()) }, after(1));
    assert!((4..=304).contains(&due(&mut schedule, after(1))));
}

#[test]
fn due_times_are_told_when_they_change_and_once() {
    let (mut schedule, job) = one_on_its_way();
    assert_eq!(schedule.take_moved(), [(job.clone(), None)], "on its way");
    assert!(schedule.take_moved().is_empty());
    schedule.on_result(&job, &SUCCESS, start());
    let told = schedule.take_moved();
    assert_eq!(told.len(), 1);
    let left = due(&mut schedule, start());
    assert_eq!(told[0].1.map(Timestamp::as_second), Some(after(left).as_second()));
    schedule.set_properties(&BTreeSet::new(), start());
    assert!(schedule.take_moved().is_empty(), "who is gone has no due time");
}

#[test]
fn a_planned_interval_that_another_configuration_does_not_exceed_is_forgotten() {
    let (mut schedule, job) = one_on_its_way();
    let configured = |schedule: &mut Schedule, seconds| {
        let mut paces = schedule.paces.clone();
        paces.get_mut(&job.report).unwrap().interval = Duration::from_secs(seconds);
        schedule.configure(paces, limits(None, 4), start());
        schedule.pace_of(&job).unwrap()
    };
    assert!(schedule.set_interval(&job, Duration::from_secs(2_000), start()));
    let pace = configured(&mut schedule, 1_000);
    assert!(pace.stretched && pace.interval == Duration::from_secs(2_000), "{pace:?}");
    for seconds in [2_000, 3_000] {
        let pace = configured(&mut schedule, seconds);
        assert!(!pace.stretched && pace.interval == Duration::from_secs(seconds), "{pace:?}");
    }
}

#[test]
fn one_answer_after_an_outage_brings_back_all_that_waited() {
    let mut schedule = schedule(40, limits(Some(1000), 10));
    let mut ledger = Ledger::default();
    let failed = Outcome::Failed(Reason::Connection);
    let jobs = sent(&mut schedule, &mut ledger, start());
    for job in &jobs {
        for _ in 0..8 {
            schedule.on_result(job, &failed, start());
        }
    }
    let first = jobs[0].clone();
    schedule.on_result(&first, &SUCCESS, start());
    let mut asked = BTreeSet::new();
    for second in 1..=60 {
        asked.extend(sent(&mut schedule, &mut ledger, after(second)));
    }
    let realtime = |jobs: &mut dyn Iterator<Item = &Job>| jobs.filter(|job| job.report.as_str() == "realtime").count();
    assert_eq!(realtime(&mut asked.iter()), realtime(&mut jobs.iter()), "all within their interval");
}

#[test]
fn who_alone_is_not_answered_goes_on_waiting() {
    let mut schedule = schedule(40, limits(Some(1000), 10));
    let mut ledger = Ledger::default();
    let jobs = sent(&mut schedule, &mut ledger, start());
    let (alone, others) = jobs.split_first().unwrap();
    for job in others {
        schedule.on_result(alone, &Outcome::Failed(Reason::Timeout), start());
        schedule.on_result(job, &SUCCESS, start());
    }
    schedule.take_moved();
    schedule.on_result(&others[0], &SUCCESS, after(1));
    assert!(schedule.take_moved().iter().all(|(job, _)| job != alone));
}

#[test]
fn slow_answers_let_more_be_on_their_way_but_no_more_than_there_are_connections() {
    let mut schedule = schedule(1_000, limits(None, 10));
    let mut ledger = Ledger::default();
    schedule.set_connections(50);
    assert_eq!(sent(&mut schedule, &mut ledger, start()).len(), 36, "1,000/60 + 1,000/900 a second, each of 2 s");
    for _ in 0..300 {
        schedule.on_latency(Duration::from_mins(1));
    }
    assert_eq!(sent(&mut schedule, &mut ledger, after(1)).len(), 50 - 36);
    schedule.set_connections(usize::MAX);
    assert_eq!(sent(&mut schedule, &mut ledger, after(2)).len(), 1_597 - 50, "each of 90 s");
}

#[test]
fn the_default_limit_follows_the_planned_rate() {
    let planned = |properties| {
        let schedule = schedule(properties, limits(None, 4));
        schedule.concurrency.planned(schedule.planned_rate())
    };
    assert_eq!(planned(10), 32);
    // 10,000 properties: 10,000/60 + 10,000/900 = 177.8 requests a second, each of 2 s.
    assert_eq!(planned(10_000), 356);
}

#[test]
fn a_report_is_sent_for_the_properties_of_its_scope() {
    let only = |property: u64| Scope::Only(Arc::new([property.to_string().parse().unwrap()].into()));
    let with = |scope| {
        let mut paces = paces();
        paces.get_mut(&name("traffic")).unwrap().scope = scope;
        paces
    };
    let mut schedule = Schedule::new(with(only(2)), limits(None, 4), start());
    schedule.set_properties(&ids(3), start());
    assert!((schedule.planned_rate() - (3.0 / 60.0 + 1.0 / 900.0)).abs() < 1e-12);
    let jobs = sent(&mut schedule, &mut Ledger::default(), start());
    let traffic: Vec<u64> =
        jobs.iter().filter(|job| job.report == name("traffic")).map(|job| job.property.as_u64()).collect();
    assert_eq!((jobs.len(), traffic), (4, vec![2]));

    schedule.configure(with(only(1)), limits(None, 4), after(1));
    let has =
        |property: u64| schedule.has(&Job { property: property.to_string().parse().unwrap(), report: name("traffic") });
    assert_eq!([1, 2, 3].map(has), [true, false, false]);
}
