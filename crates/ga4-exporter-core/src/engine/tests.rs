//! The engine, driven by hand: whatever comes in whatever order, what it promises holds.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::{
    names::Bucket,
    plan::SeriesLimits,
    quota::Share,
    report::{BaselineSettings, Report, ReportSettings, Rhythm, Series},
    schedule::Limits,
    store::Store,
};

/// What happens next.
#[derive(Clone, Debug)]
enum Action {
    /// Time passes, in seconds.
    Pass(u32),
    /// One of the polls on their way ends, with this.
    Answer(usize, Ending),
    /// The plan is another: these properties, these no longer listed, this interval of the realtime report.
    Plan { active: BTreeSet<u64>, unlisted: BTreeSet<u64>, seconds: u64 },
    /// The clock is set back, in seconds.
    SetBack(u32),
    /// There is a token again.
    SignedIn,
}

/// How a poll ends.
#[derive(Clone, Copy, Debug)]
enum Ending {
    /// Well, and the property is in this zone.
    Well(&'static str),
    /// Well, but the minutes are missing.
    WithoutMinutes,
    Exhausted(Bucket),
    Failed(u16),
    Timeout,
    NoAccess,
    NoToken,
    Garbage,
}

/// An engine, what it was given, and what it has sent.
struct World {
    engine: Engine,
    store: Store,
    plan: Arc<Plan>,
    now: Timestamp,
    on_their_way: Vec<(Poll, Timestamp)>,
    /// The mark of the last answer that was accepted, by report.
    accepted: HashMap<Job, f64>,
    marks: f64,
    sent: usize,
    /// What the answers have brought into the log.
    logged: Vec<Event>,
}

impl World {
    fn new() -> Self {
        let now = "2026-11-23T22:30:00Z".parse().unwrap();
        let plan = plan(&BTreeSet::from([1, 2]), &BTreeSet::new(), 60);
        let engine = Engine::new(&plan, true, now);
        let (store, on_their_way) = (Store::default(), Vec::new());
        let mut world = Self {
            engine,
            store,
            plan: Arc::clone(&plan),
            now,
            on_their_way,
            accepted: HashMap::new(),
            marks: 0.0,
            sent: 0,
            logged: Vec::new(),
        };
        world.follow(plan);
        world
    }

    fn follow(&mut self, plan: Arc<Plan>) {
        self.plan = Arc::clone(&plan);
        let effects = self.engine.on_plan(self.now, plan, BTreeMap::new());
        self.store.apply(effects.store);
        let present: BTreeSet<PropertyId> = self.store.properties().iter().map(|state| state.id).collect();
        let wanted = &self.plan.properties;
        assert_eq!(present, wanted.active.keys().chain(wanted.unlisted.keys()).copied().collect());
        self.accepted.retain(|job, _| present.contains(&job.property));
    }

    fn act(&mut self, action: &Action) {
        match action {
            Action::Pass(seconds) => self.now += SignedDuration::from_secs(i64::from(*seconds)),
            Action::Answer(index, ending) if !self.on_their_way.is_empty() => {
                let index = index % self.on_their_way.len();
                self.answer(index, *ending);
            }
            Action::Answer(..) => {}
            Action::Plan { active, unlisted, seconds } => {
                let unlisted = unlisted.difference(active).copied().collect();
                self.follow(plan(active, &unlisted, *seconds));
            }
            Action::SetBack(seconds) => {
                self.now -= SignedDuration::from_secs(i64::from(*seconds));
                let effects = self.engine.on_clock(self.now, &ClockOffset::default());
                self.store.apply(effects.store);
            }
            Action::SignedIn => {
                let effects = self.engine.on_signed_in(self.now);
                self.store.apply(effects.store);
            }
        }
        let effects = self.engine.on_clock(self.now, &ClockOffset::default());
        self.store.apply(effects.store);
        self.send();
        self.check();
    }

    /// Sends what is due: only what is planned, is not on its way, and no closed bucket refuses.
    fn send(&mut self) {
        loop {
            let (step, effects) = self.engine.next(self.now);
            self.store.apply(effects.store);
            let EngineStep::Send(poll) = step else { return };
            self.sent += 1;
            assert!(self.plan.properties.active.contains_key(&poll.job.property), "{:?} is not planned", poll.job);
            assert!(self.on_their_way.iter().all(|(other, _)| other.job != poll.job), "{:?} is on its way", poll.job);
            let state = self.store.property(poll.job.property).unwrap();
            let closed = state.quota.get(&poll.report.category).map(|view| &view.closed);
            let mut shut = closed.into_iter().flatten().filter(|(_, until)| **until > self.now);
            assert!(shut.next().is_none(), "{:?} was sent though {closed:?} at {}", poll.job, self.now);
            self.on_their_way.push((poll, self.now));
        }
    }

    fn answer(&mut self, index: usize, ending: Ending) {
        let (poll, sent_at) = self.on_their_way.swap_remove(index);
        self.marks += 1.0;
        let mark = self.marks;
        let (result, minutes) = self.ending(&poll, ending, sent_at, mark);
        let (received_at, took) = (self.now.max(sent_at), Duration::from_millis(100));
        let job = poll.job.clone();
        let is_valued = !poll.report.families.is_empty();
        let is_answered = result.is_ok();
        let polled = Polled { poll, account: None, sent_at, received_at, took, result, minutes };
        let effects = self.engine.on_answer(self.now, polled);
        let discarded = effects.log.iter().any(|event| matches!(event, Event::Discarded { .. }));
        assert!(effects.save.len() <= 1, "one answer is one state");
        self.logged.extend(effects.log);
        self.store.apply(effects.store);
        if discarded {
            self.accepted.remove(&job);
        } else if is_answered && is_valued && self.shown(&job) == Some(mark) {
            self.accepted.insert(job, mark);
        }
    }

    fn ending(
        &self,
        poll: &Poll,
        ending: Ending,
        sent_at: Timestamp,
        mark: f64,
    ) -> (Result<PollAnswer, wire::ApiError>, Option<PolledMinutes>) {
        let text = String::new;
        let failed = |error| (Err(error), None);
        let minutes = |result| {
            let received_at = self.now.max(sent_at);
            poll.report.minutes_request().map(|_| PolledMinutes { sent_at, received_at, result })
        };
        let good = Ok(MinutesAnswer { minutes: [1; 30], quota: None });
        match ending {
            Ending::Well(zone) => (Ok(answer(poll, zone, mark)), minutes(good)),
            Ending::WithoutMinutes => {
                (Ok(answer(poll, "Europe/Berlin", mark)), minutes(Err(wire::ApiError::Protocol(text()))))
            }
            Ending::Exhausted(bucket) => failed(wire::ApiError::QuotaExhausted { bucket, message: text() }),
            Ending::Failed(status) => failed(wire::ApiError::ServerError { status, message: text() }),
            Ending::Timeout => failed(wire::ApiError::Timeout("late".into())),
            Ending::NoAccess => failed(wire::ApiError::NoAccess(text())),
            Ending::NoToken => failed(wire::ApiError::NoCredentials { remedy: None, cause: "none".into() }),
            Ending::Garbage => failed(wire::ApiError::Protocol(text())),
        }
    }

    /// The mark of the values that are shown of a report now.
    fn shown(&self, job: &Job) -> Option<f64> {
        let state = self.store.property(job.property)?;
        let report = state.reports.iter().find(|report| report.name == job.report)?;
        report.values(self.now)?.values.value(0)
    }

    /// What is shown is the last that was accepted, and holds no longer than it was meant to.
    fn check(&self) {
        let polled: BTreeSet<&Job> = self.on_their_way.iter().map(|(poll, _)| &poll.job).collect();
        assert_eq!(polled.len(), self.on_their_way.len());
        for state in self.store.properties() {
            for report in &state.reports {
                let job = Job { property: state.id, report: report.name.clone() };
                if let Some(shown) = self.shown(&job) {
                    assert_eq!(self.accepted.get(&job), Some(&shown), "{job:?} shows what is not its last answer");
                }
                let Some(snapshot) = &report.snapshot else { continue };
                let longest = snapshot.report.stale_after.for_interval(Duration::from_hours(24));
                let left = snapshot.expires_at.duration_since(self.now);
                assert!(left <= SignedDuration::try_from(longest).unwrap(), "{job:?} holds for {left:?}");
            }
        }
    }

    /// From now on all goes well: after two days every report that is planned has come, and nothing is on its way for ever.
    fn recover(&mut self) {
        for _ in 0..(48 * 12) {
            while !self.on_their_way.is_empty() {
                self.answer(0, Ending::Well("Europe/Berlin"));
            }
            self.act(&Action::Pass(300));
        }
        while !self.on_their_way.is_empty() {
            self.answer(0, Ending::Well("Europe/Berlin"));
            self.send();
        }
        for id in self.plan.properties.active.keys() {
            let state = self.store.property(*id).unwrap();
            for report in &state.reports {
                assert!(report.is_up(), "{id} {}: {:?}", report.name, report.failure);
                assert!(report.next_attempt.is_some_and(|due| due > self.now), "{id} {} is lost", report.name);
            }
        }
    }
}

fn answer(poll: &Poll, zone: &str, mark: f64) -> PollAnswer {
    PollAnswer {
        values: Series::unlabelled(vec![mark; poll.report.families.len()]),
        quality: None,
        history: poll.report.is_history().then(Default::default),
        time_zone: if poll.report.category == Category::Core { zone.to_owned() } else { String::new() },
        currency: String::new(),
        quota: None,
    }
}

fn plan(active: &BTreeSet<u64>, unlisted: &BTreeSet<u64>, seconds: u64) -> Arc<Plan> {
    let infos = |numbers: &BTreeSet<u64>| {
        numbers.iter().map(|number| (number.to_string().parse().unwrap(), PropertyInfo::default())).collect()
    };
    let realtime = ReportSettings { interval: Duration::from_secs(seconds), ..ReportSettings::realtime() };
    let reports = [
        Report::realtime(&realtime, true),
        Report::traffic(&ReportSettings::traffic()),
        Report::baseline(&BaselineSettings::default()),
    ];
    Arc::new(Plan {
        reports: reports.map(Arc::new).into(),
        limits: Limits { in_flight: Some(5), per_property: 2 },
        share: Share::default(),
        series: SeriesLimits::default(),
        properties: PropertySet { active: infos(active), unlisted: infos(unlisted), elsewhere: 0 },
        is_complete: true,
    })
}

fn any_ending() -> impl Strategy<Value = Ending> {
    let zones = ["Europe/Berlin", "Europe/Berlin", "Asia/Tokyo", "America/Los_Angeles", "Mars/Olympus", ""];
    prop_oneof![
        6 => prop::sample::select(zones.to_vec()).prop_map(Ending::Well),
        1 => Just(Ending::WithoutMinutes),
        2 => prop::sample::select(Bucket::ALL.to_vec()).prop_map(Ending::Exhausted),
        1 => prop::sample::select(vec![500, 502, 503]).prop_map(Ending::Failed),
        1 => Just(Ending::Timeout),
        1 => Just(Ending::NoAccess),
        1 => Just(Ending::NoToken),
        1 => Just(Ending::Garbage),
    ]
}

fn any_action() -> impl Strategy<Value = Action> {
    let numbers = || prop::collection::btree_set(1_u64..5, 0..4);
    prop_oneof![
        5 => prop_oneof![0_u32..90, 90_u32..4_000, 4_000_u32..90_000].prop_map(Action::Pass),
        9 => (any::<usize>(), any_ending()).prop_map(|(index, ending)| Action::Answer(index, ending)),
        1 => (numbers(), numbers(), prop::sample::select(vec![1, 60, 300]))
            .prop_map(|(active, unlisted, seconds)| Action::Plan { active, unlisted, seconds }),
        1 => (11_u32..100_000).prop_map(Action::SetBack),
        1 => Just(Action::SignedIn),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, max_shrink_iters: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_in_whatever_order_nothing_is_lost(actions in prop::collection::vec(any_action(), 1..60)) {
        let mut world = World::new();
        world.send();
        for action in &actions {
            world.act(action);
        }
        world.recover();
    }
}

#[test]
fn one_answer_is_one_change_of_the_store() {
    let mut world = World::new();
    world.send();
    let sent = world.on_their_way.len();
    assert!(sent >= 2, "two properties at least");
    let before = world.store.version();
    world.answer(0, Ending::WithoutMinutes);
    assert_eq!(world.store.version(), before + 1);
}

#[test]
fn what_comes_after_its_property_went_changes_nothing() {
    let mut world = World::new();
    world.send();
    let gone: PropertyId = "1".parse().unwrap();
    world.act(&Action::Plan { active: BTreeSet::from([2]), unlisted: BTreeSet::new(), seconds: 60 });
    let index = world.on_their_way.iter().position(|(poll, _)| poll.job.property == gone).unwrap();
    world.answer(index, Ending::Well("Europe/Berlin"));
    assert!(world.store.property(gone).is_none());
}

#[test]
fn what_was_asked_by_a_clock_that_was_ahead_is_asked_again() {
    let mut world = World::new();
    world.send();
    let dated = |world: &World| world.on_their_way.iter().position(|(poll, _)| poll.report.rhythm() == Rhythm::Dated);
    while let Some(index) = dated(&world) {
        world.answer(index, Ending::Well("Europe/Berlin"));
    }
    while dated(&world).is_none() {
        world.act(&Action::Answer(0, Ending::Well("Europe/Berlin")));
        world.act(&Action::Pass(60));
    }
    let index = dated(&world).unwrap();
    let job = world.on_their_way[index].0.job.clone();
    world.act(&Action::SetBack(7_200));
    world.answer(index, Ending::Well("Europe/Berlin"));
    assert_eq!(world.shown(&job), None, "it is of another day");
    world.recover();
}

/// What the log says loudly since the last time, by property.
fn loud(world: &mut World) -> Vec<String> {
    let lines = std::mem::take(&mut world.logged).into_iter().filter_map(|event| {
        if let Event::Failure { job, failure, suppressed: Some(_), .. } = event {
            Some(format!("{} {}", job.property, failure.reason))
        } else if let Event::Recovery { job, reason, suppressed: Some(_) } = event {
            Some(format!("{} {reason} is over", job.property))
        } else {
            None
        }
    });
    lines.collect()
}

/// Answers every poll on its way, of all properties or of one.
fn answer_all(world: &mut World, of: Option<&str>, ending: Ending) {
    let is_meant = |poll: &Poll| of.is_none_or(|id| poll.job.property.to_string() == id);
    while let Some(index) = world.on_their_way.iter().position(|(poll, _)| is_meant(poll)) {
        world.answer(index, ending);
    }
}

#[test]
fn a_property_that_cannot_be_read_is_one_line_and_so_is_its_return() {
    let mut world = World::new();
    world.send();
    let of_second = world.on_their_way.iter().filter(|(poll, _)| poll.job.property.to_string() == "2").count();
    assert_eq!(of_second, 2, "two at a time");
    answer_all(&mut world, Some("2"), Ending::NoAccess);
    world.send();
    answer_all(&mut world, Some("2"), Ending::NoAccess);
    assert_eq!(loud(&mut world), ["2 no_access"], "not one for each of three reports");
    answer_all(&mut world, None, Ending::Well("Europe/Berlin"));
    assert!(loud(&mut world).is_empty());
    for _ in 0..30 {
        world.act(&Action::Pass(60));
        answer_all(&mut world, None, Ending::Well("Europe/Berlin"));
    }
    assert_eq!(loud(&mut world), ["2 no_access is over"], "the last of its reports");
}

#[test]
fn reports_that_fail_alike_are_one_line_and_others_are_not() {
    let mut world = World::new();
    world.send();
    answer_all(&mut world, Some("1"), Ending::Garbage);
    world.send();
    answer_all(&mut world, Some("1"), Ending::Garbage);
    answer_all(&mut world, Some("2"), Ending::Garbage);
    assert_eq!(loud(&mut world), ["1 protocol", "2 protocol"]);
}

#[test]
fn the_drop_alert_says_once_for_whom_it_is_ready() {
    let mut world = World::new();
    let ready = |world: &mut World| {
        let events = std::mem::take(&mut world.logged).into_iter();
        let ready = events.filter_map(|event| {
            let Event::DropAlert { ready, not_ready, .. } = event else { return None };
            Some((ready, not_ready.len()))
        });
        ready.collect::<Vec<_>>()
    };
    world.act(&Action::Pass(1));
    answer_all(&mut world, Some("1"), Ending::Well("Europe/Berlin"));
    world.act(&Action::Pass(1));
    answer_all(&mut world, Some("1"), Ending::Well("Europe/Berlin"));
    assert_eq!(ready(&mut world), [], "nothing is known of the other");
    for _ in 0..3 {
        answer_all(&mut world, None, Ending::Garbage);
        world.act(&Action::Pass(1));
    }
    // The histories of these answers are empty.
    assert_eq!(ready(&mut world), [(0, 2)]);
}

#[test]
fn a_property_whose_answers_name_no_zone_is_said_to_have_none_once() {
    let mut world = World::new();
    let zoneless = |world: &mut World| {
        let events = std::mem::take(&mut world.logged).into_iter();
        let unknown = events.filter_map(|event| {
            let Event::UnknownZone { property, problem } = event else { return None };
            Some(format!("{property}: {problem}"))
        });
        unknown.collect::<Vec<_>>()
    };
    world.send();
    answer_all(&mut world, Some("1"), Ending::Well(""));
    answer_all(&mut world, Some("2"), Ending::Well("Europe/Berlin"));
    world.act(&Action::Pass(1));
    answer_all(&mut world, None, Ending::Well(""));
    assert_eq!(zoneless(&mut world), ["1: Google names no time zone for it"], "that of the other is known");
}

#[test]
fn a_failure_of_the_minutes_began_when_they_first_failed() {
    let mut world = World::new();
    world.send();
    let realtime = world.on_their_way.iter().find(|(poll, _)| poll.report.minutes_request().is_some()).unwrap();
    let job = realtime.0.job.clone();
    let since = |world: &World| {
        let state = world.store.property(job.property).unwrap();
        state.reports.iter().find(|report| report.name == job.report).unwrap().failure.as_ref().unwrap().since
    };
    answer_all(&mut world, None, Ending::WithoutMinutes);
    let first = since(&world);
    for _ in 0..30 {
        world.act(&Action::Pass(60));
        answer_all(&mut world, None, Ending::WithoutMinutes);
    }
    assert_eq!(since(&world), first);
}

#[test]
fn a_report_that_waits_for_a_bucket_from_the_start_says_which() {
    let mut world = World::new();
    world.send();
    answer_all(&mut world, Some("1"), Ending::Exhausted(Bucket::Hour));
    world.act(&Action::Pass(1));
    assert!(world.on_their_way.iter().all(|(poll, _)| poll.job.property.to_string() != "1"), "nothing more is sent");
    let state = world.store.property("1".parse().unwrap()).unwrap();
    let reasons: Vec<_> = state.reports.iter().map(|report| report.reason()).collect();
    assert_eq!(reasons, [Some(Reason::QuotaHour); 3], "the third was never sent");
}
