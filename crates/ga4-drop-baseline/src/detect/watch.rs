//! The state of the drop alert for one property: its last minutes, their comparison with the processed data, and the result.
//!
//! This state survives a restart. Invariant: the figures of a window include only whole minutes that were seen.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    calendar::QuietDays,
    detect::{
        calibration::{self, Calibration, Sample},
        course::{Slice, course},
        minutes::{Minute, Minutes, MinutesAgo},
        windows::{HALF_HOUR, LONGEST, Recent, Usual, WINDOWS, WindowCount},
    },
    fit::expected::Expected,
};

/// The state of a property that is carried from poll to poll.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Watch {
    minutes: Minutes,
    calibration: Calibration,
}

/// The last minutes, compared with their expectation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assessment {
    /// The windows of which enough was seen, shortest first.
    pub windows: Vec<WindowCount>,
    /// Evidence of a drop; 1 is enough for a page. `None` if nothing was seen.
    pub evidence: Option<f64>,
    /// Median of counts divided by their expectation over the last day; `None` until there are three hours of samples.
    pub calibration_ratio: Option<f64>,
    /// The last six hours, for the chart.
    pub course: Box<[Slice]>,
    /// The end of the learning period of three hours from the first count on. During it the calibration is not known,
    /// and only counts far below the usual traffic are low. `None` afterwards.
    pub learning_until: Option<Timestamp>,
    /// Whether realtime counts can be compared with the expectation at all. If not, the bounds must not be used.
    pub is_fit: bool,
}

impl Watch {
    /// Merges an answer to a request that was sent and answered at these times.
    pub fn take(&mut self, answer: &MinutesAgo, sent_at: Timestamp, received_at: Timestamp) {
        self.minutes.take(answer, sent_at, received_at);
    }

    /// Sets the count of one whole minute.
    pub fn count(&mut self, minute: Minute, pageviews: u64) {
        self.minutes.put(minute, pageviews);
    }

    /// Returns the last counted minute.
    pub fn newest(&self) -> Option<Minute> {
        self.minutes.newest()
    }

    /// Compares the minutes up to the newest with their expectation, and updates the calibration from them.
    pub fn assess(&mut self, expected: Expected<'_>) -> Assessment {
        let Some(newest) = self.minutes.newest() else { return Assessment::default() };
        self.calibration.begin(newest);
        self.calibrate(expected, newest);
        let usual = Usual { expected, calibration: &self.calibration };
        let recent = Recent::new(&self.minutes, usual, LONGEST, newest);
        Assessment {
            windows: WINDOWS.iter().filter_map(|window| window.count(&recent)).collect(),
            evidence: Some(recent.evidence()),
            calibration_ratio: self.calibration.ratio(newest),
            course: course(&recent),
            learning_until: self.calibration.learning_until(newest).map(Minute::start),
            is_fit: !self.calibration.is_unfit(newest),
        }
    }

    /// Adds the samples that have become available since the last one.
    fn calibrate(&mut self, expected: Expected<'_>, newest: Minute) {
        let settled = newest.later(1 - SETTLING);
        let oldest = newest.later(-LONGEST_GAP);
        let mut at = self.calibration.last_sample().map_or(oldest, |last| last.later(1).max(oldest));
        at = at.later((EVERY - at.of_ten()) % EVERY);
        while at <= settled {
            if let Some(sample) = self.sample(expected, at) {
                if is_quiet(expected, at) {
                    self.calibration.add_of_quiet_day(sample);
                } else {
                    self.calibration.add(sample);
                }
            }
            at = at.later(EVERY);
        }
    }

    /// Returns the half hour before a minute as a sample, if enough of it was seen and expected.
    fn sample(&self, expected: Expected<'_>, at: Minute) -> Option<Sample> {
        let usual = Usual { expected, calibration: &self.calibration };
        let count = HALF_HOUR.count(&Recent::new(&self.minutes, usual, HALF_HOUR.minutes, at.later(-1)))?;
        let uncalibrated = count.expected / usual.factor(HALF_HOUR.minutes, at.later(-1));
        if uncalibrated < calibration::LEAST_EXPECTED {
            return None;
        }
        let teaches = self.calibration.is_learning(at) || count.pageviews >= count.low;
        let ratio = count.pageviews / uncalibrated * of_ordinary_day(expected, at);
        Some(Sample { at, ratio: calibration::as_stored(ratio), teaches })
    }
}

/// Returns whether the half hour before a minute lies in a quiet day, or partly.
fn is_quiet(expected: Expected<'_>, at: Minute) -> bool {
    expected.is_quiet(at.later(-1).start()) || expected.is_quiet(at.later(-HALF_HOUR_MINUTES).start())
}

/// Returns the expectation of the half hour before a minute divided by that of an ordinary day: 1 except on quiet days.
fn of_ordinary_day(expected: Expected<'_>, at: Minute) -> f64 {
    if !is_quiet(expected, at) {
        return 1.0;
    }
    let sum = |expected: Expected<'_>| expected.minutes(HALF_HOUR.minutes, at.later(-1)).iter().sum::<f64>();
    sum(expected) / sum(Expected { quiet_days: &QuietDays::default(), ..expected })
}

/// The number of minutes after which the count of a minute is nearly complete.
const SETTLING: i64 = 2;

/// Samples further back are not added later.
const LONGEST_GAP: i64 = 180;

const EVERY: i64 = 10;

const HALF_HOUR_MINUTES: i64 = 30;

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::{Baseline, History, LocalHour, Verdict, calendar::Zone};

    /// 600 pageviews in every hour.
    fn baseline() -> Baseline {
        let settled = LocalHour::midnight(jiff::civil::date(2026, 3, 23));
        let history: History = (1..=504).map(|ago| (settled.later(-ago), 600.0)).collect();
        Baseline::fit(&history, settled, 8).unwrap()
    }

    fn noon() -> Minute {
        Minute::of("2026-03-24T12:00:00Z".parse().unwrap())
    }

    /// Polls every minute from `from` to `to` minutes after noon, with `count(m)` in minute `m`; returns the last assessment.
    fn poll(watch: &mut Watch, from: i64, to: i64, count: impl Fn(i64) -> u64) -> Assessment {
        let (baseline, zone, quiet_days) = (baseline(), Zone::utc(), QuietDays::default());
        let mut last = Assessment::default();
        for current in from..=to {
            let answer: MinutesAgo = std::array::from_fn(|ago| count(current - i64::try_from(ago).unwrap()));
            let at = noon().later(current).start() + SignedDuration::from_secs(20);
            watch.take(&answer, at, at);
            last = watch.assess(Expected { baseline: &baseline, zone: &zone, quiet_days: &quiet_days });
        }
        last
    }

    fn window(assessment: &Assessment, name: &str) -> WindowCount {
        *assessment.windows.iter().find(|count| count.window.name == name).unwrap()
    }

    fn names(assessment: &Assessment) -> Vec<&str> {
        assessment.windows.iter().map(|count| count.window.name).collect()
    }

    #[test]
    fn the_first_poll_covers_the_two_short_windows() {
        let first = poll(&mut Watch::default(), 0, 0, |_| 10);
        assert_eq!(names(&first), ["10m", "30m"]);
        assert_eq!(window(&first, "10m").pageviews.to_bits(), 100.0_f64.to_bits());
        let half_hour = window(&first, "30m");
        assert_eq!(half_hour.pageviews.to_bits(), 290.0_f64.to_bits(), "29 whole minutes");
        assert!((half_hour.expected - 290.0).abs() < 1.0, "a minute that was not seen is not expected: {half_hour:?}");
        let mut watch = Watch::default();
        poll(&mut watch, 0, 0, |_| 10);
        assert_eq!(names(&poll(&mut watch, 1, 67, |_| 10)), ["10m", "30m", "2h"]);
        assert_eq!(names(&poll(&mut watch, 68, 330, |_| 10)), ["10m", "30m", "2h", "6h"]);
    }

    #[test]
    fn a_window_with_too_many_unseen_minutes_is_not_published() {
        let mut watch = Watch::default();
        poll(&mut watch, 0, 100, |_| 10);
        // 35 minutes without an answer. The next answer contains the whole last half hour, and most of the last two
        // hours is known.
        let after = poll(&mut watch, 136, 136, |_| 10);
        assert_eq!(names(&after), ["10m", "30m", "2h"]);
        let two_hours = window(&after, "2h");
        assert!((two_hours.pageviews - 1130.0).abs() < 1e-9, "{two_hours:?}");
        assert!((two_hours.expected - 1130.0).abs() < 2.0, "{two_hours:?}");
        let long_after = poll(&mut watch, 200, 200, |_| 10);
        assert_eq!(names(&long_after), ["10m", "30m"]);
    }

    #[test]
    fn in_the_first_three_hours_only_what_is_far_below_is_too_low() {
        let mut watch = Watch::default();
        let young = window(&poll(&mut watch, 0, 0, |_| 10), "30m");
        let old = window(&poll(&mut watch, 1, 200, |_| 10), "30m");
        assert!(young.low > 0.0 && young.low < 0.2 * young.expected, "{young:?}");
        assert!(old.low > 0.5 * old.expected, "{old:?}");
        let learning_until = |to| poll(&mut Watch::default(), 0, to, |_| 10).learning_until;
        // The first answer has 29 whole minutes, and the newest one precedes the current minute.
        assert_eq!(learning_until(0), Some(noon().later(179).start()));
        assert_eq!(learning_until(179), Some(noon().later(179).start()));
        assert_eq!(learning_until(180), None);
        let outage = poll(&mut Watch::default(), 0, 0, |minute| if minute < -10 { 10 } else { 0 });
        assert!(window(&outage, "10m").pageviews < window(&outage, "10m").low, "a total outage is seen at once");
    }

    #[test]
    fn a_drop_does_not_teach_and_a_lasting_difference_does() {
        let mut watch = Watch::default();
        poll(&mut watch, 0, 400, |_| 10);
        let dropped = poll(&mut watch, 401, 1400, |_| 3);
        assert!((window(&dropped, "10m").expected - 100.0).abs() < 1.0, "{dropped:?}");
        let mut watch = Watch::default();
        let other = poll(&mut watch, 0, 800, |_| 9);
        assert!((window(&other, "10m").expected - 90.0).abs() < 1.0, "{other:?}");
        assert!((other.calibration_ratio.unwrap() - 0.9).abs() < 0.01);
    }

    #[test]
    fn evidence_is_there_within_minutes_and_while_learning_for_outages_only() {
        let mut watch = Watch::default();
        let of = |assessment: Assessment| assessment.evidence.unwrap();
        let half = |from: i64| move |minute: i64| if minute < from { 10 } else { 4 };
        assert!(of(poll(&mut watch, 0, 60, half(10))) < 1.0, "nothing is known yet");
        let mut watch = Watch::default();
        assert!(of(poll(&mut watch, 0, 30, |minute| if minute < 10 { 10 } else { 0 })) > 1.0, "but an outage is seen");
        let mut watch = Watch::default();
        assert!(of(poll(&mut watch, 0, 300, |_| 10)) < 0.1);
        assert!(of(poll(&mut watch, 301, 360, half(301))) > 1.0);
    }

    /// Returns what is expected of the last 10 minutes, this many hours after the start of a quiet day. Before it there are 9
    /// pageviews per minute, on it `pageviews`, and 10 afterwards. Sundays have 5 if they are quiet.
    fn expected_of_ten_minutes(hours: i64, pageviews: u64, sundays_are_quiet: bool) -> f64 {
        let settled = LocalHour::midnight(jiff::civil::date(2026, 3, 23));
        let count = |hour: LocalHour| if sundays_are_quiet && hour.slot() / 24 == 6 { 300.0 } else { 600.0 };
        let history: History = (1..=504).map(|ago| (settled.later(-ago), count(settled.later(-ago)))).collect();
        let baseline = Baseline::fit(&history, settled, 8).unwrap();
        let quiet_days = QuietDays::new(vec!["2026-03-25".parse().unwrap()]);
        let expected = Expected { baseline: &baseline, zone: &Zone::utc(), quiet_days: &quiet_days };
        let mut watch = Watch::default();
        let mut last = Assessment::default();
        for hour in 0..12 + hours {
            let now = match hour {
                ..12 => 9,
                12..36 => pageviews,
                _ => 10,
            };
            (60 * hour..60 * hour + 60).for_each(|current| watch.count(noon().later(current), now));
            last = watch.assess(expected);
        }
        window(&last, "10m").expected
    }

    #[test]
    fn a_quiet_day_teaches_downwards_only() {
        for (pageviews, expected) in [(8, 80.0), (9, 90.0), (13, 90.0)] {
            let found = expected_of_ten_minutes(25, pageviews, false);
            assert!((found - expected).abs() < 1.0, "{pageviews}: {found}");
        }
    }

    #[test]
    fn after_a_quiet_day_less_is_expected_for_half_a_day() {
        for (hours, expected) in [(12, 45.0), (20, 45.0), (26, 75.0), (34, 75.0), (38, 100.0)] {
            let found = expected_of_ten_minutes(hours, 5, true);
            assert!((found - expected).abs() < 1.0, "after {hours} hours: {found}");
        }
    }

    #[test]
    fn figures_that_cannot_be_compared_withdraw_the_bounds_after_a_day() {
        let mut watch = Watch::default();
        assert!(poll(&mut watch, 0, 1500, |_| 3).is_fit);
        let unfit = poll(&mut watch, 1501, 1700, |_| 3);
        assert!(!unfit.is_fit && !unfit.windows.is_empty(), "{unfit:?}");
    }

    #[test]
    fn a_site_that_doubled_keeps_its_alert() {
        let mut watch = Watch::default();
        let doubled = poll(&mut watch, 0, 2000, |_| 25);
        assert!(doubled.is_fit && Verdict::of(&doubled) == Verdict::NotDropping, "{doubled:?}");
        let outage = poll(&mut watch, 2001, 2020, |minute| if minute < 2001 { 25 } else { 0 });
        assert!(Verdict::of(&outage).drop().is_some(), "{outage:?}");
    }

    /// Returns whether there is a drop after a restart at minute 460. The traffic dropped to this many pageviews per
    /// minute at minute 400.
    fn after_a_restart(left: u64, keeps_state: bool) -> Option<bool> {
        let count = |minute| if minute < 400 { 10 } else { left };
        let mut watch = Watch::default();
        let before = poll(&mut watch, 0, 458, count);
        assert_eq!(Verdict::of(&before).is_dropping(), Some(left < 10), "{before:?}");
        let mut restarted = if keeps_state { watch } else { Watch::default() };
        Verdict::of(&poll(&mut restarted, 460, 461, count)).is_dropping()
    }

    #[test]
    fn after_a_restart_only_what_is_sure_is_said() {
        for left in [0, 4, 10] {
            assert_eq!(after_a_restart(left, true), Some(left < 10), "with what was saved it goes on");
        }
        assert_eq!(after_a_restart(0, false), Some(true), "an outage is seen at once");
        assert_eq!(
            after_a_restart(4, false),
            None,
            "a partial drop is not, and does not outvote an exporter that sees it"
        );
        assert_eq!(after_a_restart(10, false), None);
    }

    #[test]
    fn what_was_saved_goes_on_as_if_nothing_had_been() {
        let mut watch = Watch::default();
        poll(&mut watch, 0, 400, |_| 10);
        let mut saved: Watch = serde_json::from_str(&serde_json::to_string(&watch).unwrap()).unwrap();
        assert_eq!(saved, watch);
        let bytes = serde_json::to_vec(&watch).unwrap().len();
        assert!(bytes < 4 << 10, "a few KB: {bytes}");
        assert_eq!(poll(&mut saved, 420, 420, |_| 10), poll(&mut watch, 420, 420, |_| 10));
    }
}
