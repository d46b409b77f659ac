//! The verdict: whether the traffic of a property drops. This is the only place where that is decided.
//!
//! `/metrics`, the status page, the log and the backtest use this verdict, and the alert and the dashboards use it through
//! `/metrics`. Knows an assessment. Refuses to know the time: the owner of an assessment drops it when it is too old.
//!
//! Invariants: [`TrafficDrop::depth`] is in (0, 1], and the verdict is `NotDropping` only if everything was seen.

use crate::{
    Assessment, WindowCount,
    detect::windows::{HALF_HOUR, WINDOWS},
};

/// The conclusion from an assessment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// There is less traffic than chance explains.
    Dropping(TrafficDrop),
    /// Every window was seen, the calibration is known, and nothing is low.
    NotDropping,
    /// Nothing is low, but not everything was seen, or the counts cannot be compared. A known verdict, such as that of
    /// another exporter, takes precedence.
    Unknown,
}

/// An ongoing traffic drop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrafficDrop {
    /// The missing fraction of the usual traffic, in (0, 1]; 1 if there is no traffic at all.
    pub depth: f64,
    /// The window that the depth refers to; `None` if only the minutes of the last hours are evidence of a drop.
    pub window: Option<WindowCount>,
}

impl Verdict {
    /// Returns the verdict on an assessment.
    pub fn of(assessment: &Assessment) -> Self {
        if !assessment.is_fit {
            return Self::Unknown;
        }
        match TrafficDrop::of(assessment) {
            Some(drop) => Self::Dropping(drop),
            None if is_complete(assessment) => Self::NotDropping,
            None => Self::Unknown,
        }
    }

    /// Returns the drop, if there is one.
    pub fn drop(self) -> Option<TrafficDrop> {
        match self {
            Self::Dropping(drop) => Some(drop),
            Self::NotDropping | Self::Unknown => None,
        }
    }

    /// Returns whether there is a drop; `None` if that is not known.
    pub fn is_dropping(self) -> Option<bool> {
        match self {
            Self::Dropping(_) => Some(true),
            Self::NotDropping => Some(false),
            Self::Unknown => None,
        }
    }
}

impl TrafficDrop {
    /// Returns the drop with its depth. If the evidence is enough and the last half hour is below the usual traffic,
    /// or was not seen, the depth is that of the deepest of all windows, and at least [`LEAST_DEPTH`]. Otherwise it
    /// is that of the deepest window below its bound. Windows longer than half an hour stay low for hours after an
    /// outage, so they count only while the last half hour misses at least two thirds of the fraction that they miss.
    /// Without this rule, a slightly low half hour after an outage would page again.
    fn of(assessment: &Assessment) -> Option<Self> {
        let windows = || assessment.windows.iter().filter(|count| count.expected > 0.0);
        let half_hour = windows().find(|count| *count.window == HALF_HOUR).map(missing);
        if assessment.evidence >= Some(ENOUGH) && half_hour.is_none_or(|missing| missing > 0.0) {
            return Some(deepest(windows()).unwrap_or(Self { depth: LEAST_DEPTH, window: None }));
        }
        let now = half_hour.unwrap_or_default();
        deepest(windows().filter(|count| {
            let is_short = count.window.minutes <= HALF_HOUR.minutes;
            count.pageviews < count.low && (is_short || (now > 0.0 && missing(count) <= MOST_BY_NOW * now))
        }))
    }
}

/// Returns the deepest of the windows with missing traffic.
fn deepest<'a>(windows: impl Iterator<Item = &'a WindowCount>) -> Option<TrafficDrop> {
    let low = windows.filter(|count| missing(count) > 0.0);
    let count = low.max_by(|one, other| missing(one).total_cmp(&missing(other)))?;
    Some(TrafficDrop { depth: missing(count).clamp(LEAST_DEPTH, 1.0), window: Some(*count) })
}

/// Returns the missing fraction of a window's usual traffic: 1 if there is no traffic at all, negative if there is
/// more than usual.
fn missing(count: &WindowCount) -> f64 {
    1.0 - count.pageviews / count.expected
}

/// Returns whether enough of every window was seen, and the calibration is known well enough for the bounds to be used.
fn is_complete(assessment: &Assessment) -> bool {
    assessment.learning_until.is_none() && assessment.windows.len() == WINDOWS.len()
}

/// Highest ratio of the fraction that a long window misses to the one that the last half hour misses.
const MOST_BY_NOW: f64 = 1.5;

/// The evidence that is enough for a page.
const ENOUGH: f64 = 1.0;

/// The depth of a drop that only the evidence shows.
pub const LEAST_DEPTH: f64 = 0.01;

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::Window;

    fn count(name: &str, pageviews: f64) -> WindowCount {
        WindowCount { window: Window::named(name).unwrap(), pageviews, expected: 1000.0, low: 500.0 }
    }

    fn assessment(counts: &[(&str, f64)], evidence: f64) -> Assessment {
        let windows = counts.iter().map(|(name, pageviews)| count(name, *pageviews)).collect();
        Assessment { windows, is_fit: true, evidence: Some(evidence), ..Assessment::default() }
    }

    /// Returns the window and the depth of a drop. Counts are in thousandths of the usual traffic; bounds are at one half.
    fn dropping(counts: &[(&str, f64)], evidence: f64) -> Option<(&'static str, f64)> {
        let drop = Verdict::of(&assessment(counts, evidence)).drop()?;
        Some((drop.window.map_or("none", |count| count.window.name), drop.depth))
    }

    #[test]
    fn the_deepest_of_the_low_windows_counts() {
        assert_eq!(dropping(&[("10m", 1000.0), ("30m", 500.0)], 0.0), None);
        assert_eq!(dropping(&[("10m", 250.0), ("30m", 499.0), ("2h", 600.0)], 0.0), Some(("10m", 0.75)));
        assert_eq!(dropping(&[("10m", 700.0), ("30m", 300.0), ("2h", 0.0)], 0.0), Some(("2h", 1.0)));
    }

    #[test]
    fn enough_evidence_counts_while_the_last_half_hour_is_below_what_is_usual() {
        let with =
            |half_hour: f64, evidence: f64| dropping(&[("10m", 990.0), ("30m", half_hour), ("2h", 500.0)], evidence);
        assert_eq!(with(650.0, 1.0), Some(("2h", 0.5)), "the deepest of all, though none is below its bound");
        assert_eq!(with(650.0, 0.99), None);
        assert_eq!(with(1000.0, 5.0), None, "traffic is back");
    }

    #[test]
    fn evidence_outweighs_the_windows_below_their_bound() {
        let counts = [("10m", 400.0), ("30m", 450.0), ("2h", 750.0), ("6h", 250.0)];
        assert_eq!(dropping(&counts, 0.9), Some(("6h", 0.75)));
        let recovering = [("10m", 400.0), ("30m", 800.0), ("2h", 750.0), ("6h", 250.0)];
        assert_eq!(dropping(&recovering, 0.9), Some(("10m", 0.6)));
        assert_eq!(dropping(&recovering, 1.0), Some(("6h", 0.75)));
    }

    #[test]
    fn a_drop_without_a_window_that_shows_it_has_the_least_depth() {
        assert_eq!(dropping(&[], 1.0), Some(("none", LEAST_DEPTH)), "the half hour was not seen");
        assert_eq!(dropping(&[("10m", 1001.0)], 1.0), Some(("none", LEAST_DEPTH)));
        assert_eq!(dropping(&[("30m", 999.0)], 1.0), Some(("30m", LEAST_DEPTH)));
    }

    #[test]
    fn long_windows_do_not_outlast_the_outage() {
        let low = |counts| dropping(counts, 0.0);
        assert_eq!(low(&[("10m", 1000.0), ("30m", 1000.0), ("2h", 100.0), ("6h", 0.0)]), None);
        assert_eq!(low(&[("30m", 500.0), ("2h", 400.0), ("6h", 250.0)]), Some(("6h", 0.75)));
        assert_eq!(low(&[("30m", 501.0), ("2h", 400.0), ("6h", 250.0)]), Some(("2h", 0.6)), "the outage is over");
        assert_eq!(low(&[("30m", 960.0), ("2h", 400.0), ("6h", 250.0)]), None);
        assert_eq!(low(&[("2h", 0.0), ("6h", 0.0)]), None, "a half hour that was not seen is not low");
    }

    #[test]
    fn what_does_not_know_everything_does_not_say_that_all_is_well() {
        let usual = [("10m", 990.0), ("30m", 990.0), ("2h", 990.0), ("6h", 990.0)];
        let whole = assessment(&usual, 0.1);
        assert_eq!(Verdict::of(&whole), Verdict::NotDropping);
        assert_eq!(Verdict::of(&assessment(&usual[..3], 0.1)), Verdict::Unknown, "a window is missing");
        let learning = Assessment { learning_until: Some(Timestamp::UNIX_EPOCH), ..whole.clone() };
        assert_eq!(Verdict::of(&learning), Verdict::Unknown);
        let unfit = Assessment { is_fit: false, ..assessment(&[("30m", 0.0)], 9.0) };
        assert_eq!(Verdict::of(&unfit), Verdict::Unknown);
        assert_eq!(Verdict::of(&Assessment::default()), Verdict::Unknown);
        // A low window is still a drop.
        let outage = Assessment { windows: vec![count("10m", 0.0)], ..learning };
        assert_eq!(Verdict::of(&outage).drop().map(|drop| drop.depth), Some(1.0));
    }

    /// Any subset of the windows, with any counts.
    fn any_assessment() -> impl Strategy<Value = Assessment> {
        let figure = || prop_oneof![Just(0.0), 0.0..3.0_f64, 0.0..1e6_f64];
        let window = (any::<bool>(), figure(), figure(), 0.0..0.7_f64);
        let evidence = prop::option::of(prop_oneof![Just(0.0), Just(1.0), 0.0..3.0_f64]);
        (prop::collection::vec(window, WINDOWS.len()), evidence, any::<bool>(), 0..5_u8).prop_map(
            |(windows, evidence, is_learning, fit)| Assessment {
                windows: std::iter::zip(WINDOWS, windows)
                    .filter(|(_, (is_seen, ..))| *is_seen)
                    .map(|(window, (_, pageviews, expected, rho))| WindowCount {
                        window,
                        pageviews,
                        expected,
                        low: rho * expected,
                    })
                    .collect(),
                evidence,
                learning_until: is_learning.then_some(Timestamp::UNIX_EPOCH),
                is_fit: fit > 0,
                ..Assessment::default()
            },
        )
    }

    proptest! {
        #[test]
        fn a_verdict_says_no_more_than_it_knows(assessment in any_assessment()) {
            let half_hour = assessment.windows.iter().find(|count| count.window.name == "30m");
            let half_hour_is_low = half_hour.is_none_or(|count| count.pageviews < count.expected || count.expected == 0.0);
            let short_is_low = assessment.windows.iter().take_while(|count| count.window.minutes <= 30)
                .any(|count| count.pageviews < count.low);
            let some_is_low = assessment.windows.iter().any(|count| count.pageviews < count.low);
            let is_evident = assessment.evidence >= Some(1.0) && half_hour_is_low;
            match Verdict::of(&assessment) {
                Verdict::Dropping(drop) => {
                    prop_assert!(assessment.is_fit && (some_is_low || is_evident), "{drop:?}");
                    prop_assert!(drop.depth >= LEAST_DEPTH && drop.depth <= 1.0, "{drop:?}");
                    match drop.window {
                        Some(count) => prop_assert!((drop.depth - missing(&count).max(LEAST_DEPTH)).abs() < 1e-12),
                        None => prop_assert!(is_evident && drop.depth.to_bits() == LEAST_DEPTH.to_bits()),
                    }
                }
                verdict @ (Verdict::NotDropping | Verdict::Unknown) => {
                    prop_assert!(!assessment.is_fit || !(short_is_low || is_evident), "{verdict:?}");
                    let all_is_known = assessment.windows.len() == 4 && assessment.learning_until.is_none();
                    prop_assert_eq!(verdict == Verdict::NotDropping, assessment.is_fit && all_is_known);
                }
            }
        }

        #[test]
        fn more_traffic_makes_no_drop(assessment in any_assessment(), more in 1.0..5.0_f64) {
            let mut busier = assessment.clone();
            for count in busier.windows.iter_mut().filter(|count| count.window.minutes <= 30) {
                count.pageviews = count.pageviews.max(more * count.expected);
            }
            busier.evidence = assessment.evidence.map(|evidence| evidence.min(0.5));
            prop_assert_eq!(Verdict::of(&busier).drop(), None);
        }
    }
}
