use std::{sync::Arc, time::Duration};

use super::*;
use crate::{
    names::Bucket,
    plan::SeriesLimits,
    properties::{PropertyInfo, PropertySet},
    quota::Share,
    report::{BaselineSettings, Report, ReportSettings},
    schedule::Limits,
    wire::response::{PropertyQuota, QuotaStatus},
};

const SUCCESS: Outcome = Outcome::Success { day_ends: None };

fn start() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn after(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

fn id() -> PropertyId {
    "7".parse().unwrap()
}

fn job(report: &str) -> Job {
    Job { property: id(), report: report.parse().unwrap() }
}

/// A timetable for one property, with these seconds from poll to poll.
fn timetable(realtime: u64, traffic: u64) -> Timetable {
    timetable_with(realtime, traffic, Share::default())
}

fn timetable_with(realtime: u64, traffic: u64, share: Share) -> Timetable {
    let every = |seconds, settings| ReportSettings { interval: Duration::from_secs(seconds), ..settings };
    let reports = [
        Report::realtime(&every(realtime, ReportSettings::realtime()), true),
        Report::traffic(&every(traffic, ReportSettings::traffic())),
        Report::baseline(&BaselineSettings::default()),
    ];
    let mut properties = PropertySet::default();
    properties.active.insert(id(), PropertyInfo::default());
    let limits = Limits { in_flight: None, per_property: 4 };
    let plan = Plan {
        reports: reports.map(Arc::new).into(),
        limits,
        share,
        series: SeriesLimits::default(),
        properties,
        is_complete: true,
    };
    let mut timetable = Timetable::new(&plan, start());
    timetable.follow(&plan, start());
    timetable
}

/// Everything that may be sent now.
fn sent(timetable: &mut Timetable, now: Timestamp) -> Vec<String> {
    let mut sent = Vec::new();
    loop {
        match timetable.next(now) {
            ScheduleStep::Send(job) => sent.push(job.report.to_string()),
            ScheduleStep::Postponed(..) => {}
            ScheduleStep::Wait(_) => return sent,
        }
    }
}

fn ended(
    timetable: &mut Timetable,
    report: &str,
    category: Category,
    spent: Spent,
    outcome: &Outcome,
    now: Timestamp,
) -> Vec<Replanned> {
    let replanned = timetable.settle(&job(report), category, spent, now);
    timetable.ended(&job(report), outcome, now);
    replanned
}

fn cost(tokens: u32) -> Spent {
    Spent { tokens, whole: true, unread: false }
}

fn seconds(timetable: &Timetable, report: &str) -> u64 {
    timetable.schedule.interval(&job(report)).unwrap().as_secs()
}

/// Google's quota figures: what is left of the day and of the hours.
fn left(day: i64, hours: i64) -> PropertyQuota {
    let status = |remaining| Some(QuotaStatus { consumed: 1, remaining });
    PropertyQuota {
        tokens_per_day: status(day),
        tokens_per_hour: status(hours),
        tokens_per_project_per_hour: status(hours),
        ..PropertyQuota::default()
    }
}

#[test]
fn a_pace_that_would_cost_too_much_is_planned_before_anything_is_sent() {
    let mut timetable = timetable(1, 900);
    let replanned = timetable.replan_all(id(), start());
    assert_eq!(replanned.len(), 1, "{replanned:?}");
    let Replanned { job, configured, limit, .. } = &replanned[0];
    assert_eq!((job.report.as_str(), configured.as_secs(), limit.is_some()), ("realtime", 1, true));
    assert!(timetable.replan_all(id(), start()).is_empty(), "it is planned");
}

#[test]
fn the_pace_follows_what_polls_have_cost() {
    let mut timetable = timetable(10, 900);
    timetable.replan_all(id(), start());
    let assumed = seconds(&timetable, "realtime");
    assert!(assumed > 10);
    sent(&mut timetable, start());
    let replanned = ended(&mut timetable, "realtime", Category::Realtime, cost(2), &SUCCESS, after(1));
    assert_eq!((seconds(&timetable, "realtime"), replanned.len()), (10, 1), "two tokens every ten seconds are cheap");
    assert_eq!(replanned[0].limit, None);
    for _ in 0..30 {
        ended(&mut timetable, "realtime", Category::Realtime, cost(100), &SUCCESS, after(1));
    }
    let dear = seconds(&timetable, "realtime");
    assert!(dear > 10 * 10, "{dear}");
    assert_eq!(seconds(&timetable, "traffic"), 900, "the other category is another budget");
}

#[test]
fn a_poll_that_failed_teaches_nothing() {
    let mut timetable = timetable(10, 900);
    timetable.replan_all(id(), start());
    let assumed = seconds(&timetable, "realtime");
    sent(&mut timetable, start());
    let half = Spent { tokens: 1, whole: false, unread: false };
    let failed = Outcome::Failed(crate::names::Reason::Timeout);
    ended(&mut timetable, "realtime", Category::Realtime, half, &failed, after(1));
    assert!(seconds(&timetable, "realtime") >= assumed - 1);
}

#[test]
fn no_poll_is_sent_that_may_overdraw_the_share() {
    let mut timetable = timetable(60, 900);
    // 3,500 of the project's 14,000 an hour are ours.
    sent(&mut timetable, start());
    ended(&mut timetable, "realtime", Category::Realtime, cost(3_400), &SUCCESS, after(1));
    timetable.schedule.reschedule_redefined(&"realtime".parse().unwrap(), None, after(120));
    assert!(!sent(&mut timetable, after(120)).contains(&"realtime".to_owned()), "the next might cost as much");
    let eased = sent(&mut timetable, after(3_600 + 600));
    assert!(eased.contains(&"realtime".to_owned()), "an hour later it may: {eased:?}");
}

#[test]
fn what_is_on_its_way_is_reckoned_with() {
    let mut timetable = timetable_with(60, 60, "1%".parse().unwrap());
    // 140 of the project's 14,000: traffic and baseline at 10 each, if nothing else is spent.
    timetable.ledger.settle(id(), Category::Core, &"other".parse().unwrap(), cost(125), start());
    let sent = sent(&mut timetable, after(600));
    let core = sent.iter().filter(|report| *report != "realtime").count();
    assert_eq!(core, 1, "{sent:?}");
}

#[test]
fn when_others_leave_little_only_the_essential_goes_on_and_slowly() {
    let mut timetable = timetable(60, 900);
    sent(&mut timetable, start());
    let holds = after(4_000);
    for (report, category) in [("realtime", Category::Realtime), ("traffic", Category::Core)] {
        timetable.ledger.on_success(id(), category, Some(&left(150_000, 1_000)), start(), holds);
        ended(&mut timetable, report, category, cost(1), &SUCCESS, after(1));
    }
    assert_eq!(seconds(&timetable, "realtime"), 120, "its values hold for 180 s, and an answer may take 60");
    assert_eq!(seconds(&timetable, "traffic"), 44 * 60);
    let later = sent(&mut timetable, after(3_000));
    assert!(later.contains(&"traffic".to_owned()) && !later.contains(&"baseline".to_owned()), "{later:?}");

    timetable.ledger.on_success(id(), Category::Core, Some(&left(150_000, 9_000)), after(3_001), after(9_000));
    ended(&mut timetable, "traffic", Category::Core, cost(1), &SUCCESS, after(3_001));
    assert_eq!(seconds(&timetable, "traffic"), 900, "there is enough again");
    assert!(sent(&mut timetable, after(3_600)).contains(&"baseline".to_owned()));
}

#[test]
fn the_day_is_divided_by_what_others_leave_of_it() {
    let mut timetable = timetable(60, 900);
    sent(&mut timetable, start());
    // 20 hours to Pacific midnight, and 1,000 tokens above the reserve of 20,000.
    let told = left(21_000, 14_000);
    timetable.ledger.on_success(id(), Category::Realtime, Some(&told), start(), after(600));
    ended(&mut timetable, "realtime", Category::Realtime, cost(10), &SUCCESS, after(1));
    let planned = seconds(&timetable, "realtime");
    assert_eq!(planned, 120, "50 tokens an hour would be too few for values that last");
}

#[test]
fn what_was_spent_is_remembered_over_a_restart() {
    let mut first = timetable(60, 900);
    first.ledger.settle(id(), Category::Core, &"traffic".parse().unwrap(), cost(49_800), start());
    let saved = serde_json::to_string(&first.ledger.remembered(id())).unwrap();
    let mut second = timetable(60, 900);
    second.ledger.restore(id(), serde_json::from_str(&saved).unwrap(), after(7_200));
    second.replan_all(id(), after(7_200));
    assert!(seconds(&second, "traffic") > 900, "there is little left of the day's share");
}

#[test]
fn of_a_day_that_others_have_emptied_the_essential_still_has_its_values() {
    let mut timetable = timetable(60, 900);
    sent(&mut timetable, start());
    timetable.ledger.on_success(id(), Category::Realtime, Some(&left(5_000, 14_000)), start(), after(600));
    ended(&mut timetable, "realtime", Category::Realtime, cost(10), &SUCCESS, after(1));
    assert_eq!(seconds(&timetable, "realtime"), 120);
}

#[test]
fn one_dear_answer_does_not_close_a_report_for_ever() {
    let mut timetable = timetable(60, 900);
    sent(&mut timetable, start());
    // A quarter of the project's 14,000 are 3,500.
    ended(&mut timetable, "realtime", Category::Realtime, cost(5_000), &SUCCESS, after(1));
    let mut later = Vec::new();
    for minute in 1..=240 {
        later.extend(sent(&mut timetable, after(60 * minute)));
    }
    assert!(later.contains(&"realtime".to_owned()), "{later:?}");
}

#[test]
fn what_was_planned_for_one_day_ends_with_it() {
    let mut timetable = timetable(60, 900);
    sent(&mut timetable, start());
    let spent = Spent { tokens: 50_000, whole: false, unread: false };
    ended(&mut timetable, "realtime", Category::Realtime, spent, &SUCCESS, after(1));
    assert_eq!(seconds(&timetable, "realtime"), 86_400, "nothing is left of the day's share");
    // Pacific midnight is at 08:00 UTC.
    let after_refill = sent(&mut timetable, after(20 * 3_600 + 310));
    assert!(after_refill.contains(&"realtime".to_owned()), "{after_refill:?}");
}

#[test]
fn larger_buckets_are_remembered_over_a_restart() {
    let mut first = timetable(60, 900);
    first.ledger.on_success(id(), Category::Core, Some(&left(1_900_000, 100_000)), start(), after(600));
    first.ledger.settle(id(), Category::Core, &"traffic".parse().unwrap(), cost(60_000), start());
    let mut second = timetable(60, 900);
    second.ledger.restore(id(), first.ledger.remembered(id()), after(7_200));
    assert!(sent(&mut second, after(7_200)).contains(&"traffic".to_owned()));
}

#[test]
fn a_closed_bucket_stays_closed_over_a_restart() {
    let mut first = timetable(60, 900);
    first.ledger.on_exhausted(id(), Category::Core, Bucket::Hour, start());
    let saved = serde_json::to_string(&first.ledger.remembered(id())).unwrap();
    let restored = |now| {
        let mut second = timetable(60, 900);
        second.ledger.restore(id(), serde_json::from_str(&saved).unwrap(), now);
        second
    };
    let mut second = restored(after(60));
    assert!(!sent(&mut second, after(60)).contains(&"traffic".to_owned()));
    assert!(sent(&mut second, after(1_900)).contains(&"traffic".to_owned()), "half an hour later");
    let mut before = restored(start() - SignedDuration::from_hours(1));
    assert!(sent(&mut before, start()).contains(&"traffic".to_owned()), "a clock that was ahead has dated it");
}
