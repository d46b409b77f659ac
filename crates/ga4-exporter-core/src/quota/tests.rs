use super::*;
use crate::wire::response::QuotaStatus;

const CORE: Category = Category::Core;

fn property() -> PropertyId {
    "123".parse().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn noon(plus_seconds: i64) -> Timestamp {
    at("2026-11-23T12:00:00Z") + SignedDuration::from_secs(plus_seconds)
}

fn closed_for(ledger: &mut Ledger, now: Timestamp) -> Option<i64> {
    match ledger.admit(property(), CORE, now) {
        Admission::Closed { until, .. } => Some(until.duration_since(now).as_secs()),
        Admission::Open | Admission::Trial => None,
    }
}

fn exhaust(ledger: &mut Ledger, bucket: Bucket, now: Timestamp) {
    ledger.on_exhausted(property(), CORE, bucket, now);
}

#[test]
fn an_unknown_property_is_open() {
    assert_eq!(Ledger::default().admit(property(), CORE, noon(0)), Admission::Open);
}

#[test]
fn each_bucket_is_closed_for_its_own_time() {
    for (bucket, seconds) in [
        (Bucket::Concurrent, 30),
        (Bucket::Hour, 1800),
        (Bucket::ProjectHour, 1800),
        (Bucket::Thresholded, 1800),
        (Bucket::Unknown, 1800),
        (Bucket::ClientErrors, 900),
        (Bucket::ServerErrors, 3600),
        // Noon in UTC is 04:00 in California.
        (Bucket::Day, 20 * 3600),
    ] {
        let mut ledger = Ledger::default();
        exhaust(&mut ledger, bucket, noon(0));
        assert_eq!(closed_for(&mut ledger, noon(0)), Some(seconds), "{bucket}");
        assert_eq!(closed_for(&mut ledger, noon(seconds - 1)), Some(1), "{bucket}");
        assert_eq!(closed_for(&mut ledger, noon(seconds)), None, "{bucket}");
    }
}

#[test]
fn the_other_category_and_other_properties_stay_open() {
    let mut ledger = Ledger::default();
    exhaust(&mut ledger, Bucket::Day, noon(0));
    assert_eq!(ledger.admit(property(), Category::Realtime, noon(1)), Admission::Open);
    assert_eq!(ledger.admit("124".parse().unwrap(), CORE, noon(1)), Admission::Open);
}

#[test]
fn one_trial_goes_first_and_opens_the_bucket_when_it_passes() {
    let mut ledger = Ledger::default();
    exhaust(&mut ledger, Bucket::ProjectHour, noon(0));
    assert_eq!(ledger.admit(property(), CORE, noon(1800)), Admission::Trial);
    assert!(closed_for(&mut ledger, noon(1800)).is_some(), "the others wait for the trial");
    ledger.on_success(property(), CORE, None, noon(1800), noon(9000));
    assert_eq!(ledger.admit(property(), CORE, noon(1801)), Admission::Open);
}

#[test]
fn a_failed_trial_is_repeated_every_ten_minutes() {
    let mut ledger = Ledger::default();
    exhaust(&mut ledger, Bucket::Hour, noon(0));
    assert_eq!(ledger.admit(property(), CORE, noon(1800)), Admission::Trial);
    exhaust(&mut ledger, Bucket::Hour, noon(1801));
    assert_eq!(closed_for(&mut ledger, noon(1801)), Some(600));
    assert_eq!(ledger.admit(property(), CORE, noon(2401)), Admission::Trial);
    ledger.on_other_failure(property(), CORE, noon(2402));
    assert_eq!(closed_for(&mut ledger, noon(2402)), Some(600), "a time-out tells nothing of the bucket");
}

#[test]
fn a_lost_trial_is_followed_by_another() {
    let mut ledger = Ledger::default();
    exhaust(&mut ledger, Bucket::Hour, noon(0));
    assert_eq!(ledger.admit(property(), CORE, noon(1800)), Admission::Trial);
    assert!(closed_for(&mut ledger, noon(1800 + 179)).is_some());
    assert_eq!(ledger.admit(property(), CORE, noon(1800 + 180)), Admission::Trial);
    ledger.on_not_sent(property(), CORE);
    assert_eq!(ledger.admit(property(), CORE, noon(1800 + 181)), Admission::Trial);
}

#[test]
fn a_report_that_was_asked_for_before_opens_nothing() {
    let mut ledger = Ledger::default();
    exhaust(&mut ledger, Bucket::Hour, noon(10));
    ledger.on_success(property(), CORE, None, noon(9), noon(900));
    assert!(closed_for(&mut ledger, noon(11)).is_some());
}

#[test]
fn a_day_bucket_that_refills_late_costs_minutes() {
    let mut ledger = Ledger::default();
    let midnight = at("2026-11-24T08:00:00Z");
    exhaust(&mut ledger, Bucket::Day, noon(0));
    assert_eq!(ledger.admit(property(), CORE, midnight), Admission::Trial);
    exhaust(&mut ledger, Bucket::Day, midnight);
    assert_eq!(closed_for(&mut ledger, midnight), Some(600));
}

#[test]
fn a_clock_set_back_closes_nothing_for_longer() {
    let mut ledger = Ledger::default();
    exhaust(&mut ledger, Bucket::Concurrent, noon(86_400));
    ledger.on_clock_set_back(SignedDuration::from_secs(86_400), noon(0));
    assert_eq!(closed_for(&mut ledger, noon(0)), Some(30));
}

#[test]
fn a_clock_set_back_moves_no_refill_of_a_day() {
    let mut ledger = Ledger::default();
    exhaust(&mut ledger, Bucket::Day, noon(61));
    ledger.on_clock_set_back(SignedDuration::from_secs(61), noon(0));
    let until_midnight = 20 * 3_600;
    assert_eq!(closed_for(&mut ledger, noon(0)), Some(until_midnight));
}

#[test]
fn server_errors_slow_down_and_then_stop() {
    let mut ledger = Ledger::default();
    for (error, pause) in
        [(1, None), (2, None), (3, Some(300)), (4, Some(300)), (5, Some(300)), (6, Some(300)), (7, Some(300))]
    {
        ledger.on_server_error(property(), CORE, noon(error * 300));
        assert_eq!(closed_for(&mut ledger, noon(error * 300)), pause, "error {error}");
    }
    ledger.on_server_error(property(), CORE, noon(8 * 300));
    assert_eq!(closed_for(&mut ledger, noon(8 * 300)), Some(3600 - 7 * 300), "until the first leaves the hour");
}

#[test]
fn few_server_errors_left_stop_at_once() {
    let mut ledger = Ledger::default();
    let left = Some(QuotaStatus { consumed: 0, remaining: 3 });
    let quota = PropertyQuota { server_errors_per_project_per_hour: left, ..PropertyQuota::default() };
    ledger.on_success(property(), CORE, Some(&quota), noon(1800), noon(900));
    ledger.on_server_error(property(), CORE, noon(1));
    assert_eq!(closed_for(&mut ledger, noon(1)), Some(3600));
}

#[test]
fn a_closed_bucket_reads_zero_and_the_others_what_google_told() {
    let mut ledger = Ledger::default();
    let status = |remaining| Some(QuotaStatus { consumed: 1, remaining });
    let quota = PropertyQuota {
        tokens_per_day: status(199_000),
        tokens_per_hour: status(-1),
        tokens_per_project_per_hour: status(13_000),
        concurrent_requests: status(10),
        ..PropertyQuota::default()
    };
    ledger.on_success(property(), CORE, Some(&quota), noon(1800), noon(900));
    exhaust(&mut ledger, Bucket::ProjectHour, noon(10));
    let view = ledger.view(property(), CORE).unwrap();
    let tokens: Vec<_> =
        view.tokens.iter().map(|bucket| (bucket.remaining.bucket, bucket.remaining.value, bucket.limit)).collect();
    assert_eq!(
        tokens,
        [(Bucket::Day, 199_000.0, 200_000.0), (Bucket::Hour, 0.0, 40_000.0), (Bucket::ProjectHour, 0.0, 14_000.0)]
    );
    assert_eq!(view.closed, [(Bucket::ProjectHour, noon(1810))].into());
    assert_eq!(view.others.iter().map(|left| left.bucket).collect::<Vec<_>>(), [Bucket::Concurrent]);
}

#[test]
fn a_360_property_is_known_by_what_it_has_left() {
    let mut ledger = Ledger::default();
    let quota = |remaining| PropertyQuota {
        tokens_per_day: Some(QuotaStatus { consumed: 1, remaining }),
        ..PropertyQuota::default()
    };
    ledger.on_success(property(), CORE, Some(&quota(1_900_000)), noon(1800), noon(900));
    ledger.on_success(property(), CORE, Some(&quota(100_000)), noon(1800), noon(900));
    let view = ledger.view(property(), CORE).unwrap();
    assert_eq!(view.tokens.first().map(|bucket| bucket.limit), Some(2_000_000.0));
}
