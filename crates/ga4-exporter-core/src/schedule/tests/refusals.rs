//! What waits after a refusal, and for how long.

use super::*;

#[test]
fn rate_limits_of_two_properties_pause_everything_for_a_minute() {
    let mut schedule = schedule(3, limits(Some(100), 4));
    let mut ledger = Ledger::default();
    let jobs = sent(&mut schedule, &mut ledger, start());
    for job in jobs.iter().filter(|job| job.property.as_u64() < 3) {
        schedule.on_result(job, &Outcome::Failed(Reason::RateLimit), start());
    }
    for job in jobs.iter().filter(|job| job.property.as_u64() == 3) {
        schedule.on_result(job, &SUCCESS, start());
    }
    assert!(sent(&mut schedule, &mut ledger, after(59)).is_empty());
    assert_eq!(sent(&mut schedule, &mut ledger, after(60)).len(), 1, "then at half pace, one by one");
}

#[test]
fn a_limit_of_the_address_pauses_everything_at_once() {
    let mut schedule = schedule(2, limits(Some(100), 4));
    let mut ledger = Ledger::default();
    let jobs = sent(&mut schedule, &mut ledger, start());
    schedule.on_result(&jobs[0], &Outcome::AddressLimited, start());
    for job in &jobs[1..] {
        schedule.on_result(job, &SUCCESS, start());
    }
    assert!(sent(&mut schedule, &mut ledger, after(59)).is_empty());
    assert_eq!(sent(&mut schedule, &mut ledger, after(60)).len(), 1);
}

#[test]
fn a_property_that_is_always_refused_holds_up_no_other() {
    let mut schedule = schedule(20, limits(Some(100), 4));
    let mut ledger = Ledger::default();
    let (mut polls, mut attempts) = (BTreeMap::new(), Vec::new());
    for second in 0..3600 {
        for job in sent(&mut schedule, &mut ledger, after(second)) {
            let is_refused = job.property.as_u64() == 1;
            let outcome = if is_refused { Outcome::Failed(Reason::RateLimit) } else { SUCCESS };
            schedule.on_result(&job, &outcome, after(second));
            if is_refused {
                attempts.push(second);
            } else {
                *polls.entry(job).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(polls.len(), 38);
    for (job, count) in polls {
        let planned = if job.report.as_str() == "realtime" { 60..=61 } else { 4..=5 };
        assert!(planned.contains(&count), "{job:?}: {count}");
    }
    attempts.dedup();
    assert_eq!(attempts, [0, 60, 180, 420, 900, 1500, 2100, 2700, 3300], "both reports at a time");
}

#[test]
fn what_wanted_a_token_is_due_when_there_is_one() {
    let (mut schedule, job) = one_on_its_way();
    let mut ledger = Ledger::default();
    for _ in 0..6 {
        schedule.on_result(&job, &Outcome::Failed(Reason::NoCredentials), start());
    }
    assert!(sent(&mut schedule, &mut ledger, after(1)).is_empty());
    schedule.on_signed_in(after(2));
    assert_eq!(sent(&mut schedule, &mut ledger, after(2)).len(), 1);
}

#[test]
fn what_has_dates_is_due_when_the_clock_is_right_again() {
    let mut schedule = schedule(2, limits(Some(100), 4));
    let mut ledger = Ledger::default();
    for job in sent(&mut schedule, &mut ledger, start()) {
        let is_found = job.property.as_u64() == 1 && job.report.as_str() == "traffic";
        schedule.on_result(&job, &if is_found { Outcome::Failed(Reason::Clock) } else { SUCCESS }, start());
    }
    let at_once: Vec<Job> = sent(&mut schedule, &mut ledger, start());
    assert!(at_once.is_empty(), "{at_once:?}");
    schedule.on_clock_right(start());
    let due = sent(&mut schedule, &mut ledger, start());
    assert_eq!(
        due.iter().map(|job| job.report.as_str()).collect::<Vec<_>>(),
        ["traffic", "traffic"],
        "those that wait too"
    );
}
