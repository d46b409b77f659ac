//! Whether a property has too little traffic at a minute, by the rule of GoogleAnalyticsTrafficDrop.

use super::{Assessment, Window, WindowCount, windows::HALF_HOUR};

/// A window that is below its bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shortfall {
    /// Which window.
    pub window: &'static Window,
    /// What was counted in it.
    pub pageviews: f64,
    /// What is usual in it.
    pub expected: f64,
}

impl Shortfall {
    /// The deepest of the windows that are too low. The windows that are longer than half an hour remember an outage for
    /// hours, so they count only while the last half hour lacks at least two thirds of what they lack: else a half hour that
    /// is a little low after an outage would page again. Where the evidence of the minutes is enough and the last half hour is
    /// low, it is the deepest of all windows.
    pub fn deepest(assessment: &Assessment) -> Option<Self> {
        if !assessment.is_fit {
            return None;
        }
        let expected = assessment.windows.iter().filter(|count| count.expected > 0.0);
        let all = || expected.clone().map(|count| (count, Self::of(count)));
        let half_hour = all().find(|(count, _)| *count.window == HALF_HOUR).map(|(_, half_hour)| half_hour.depth());
        let now = half_hour.unwrap_or_default();
        let deepest = |counts: &dyn Fn(&WindowCount, &Self) -> bool| {
            let low = all().filter(|(count, shortfall)| counts(count, shortfall)).map(|(_, shortfall)| shortfall);
            low.max_by(|a, b| a.depth().total_cmp(&b.depth()))
        };
        if assessment.evidence >= Some(ENOUGH) && half_hour.is_none_or(|depth| depth > 0.0) {
            return deepest(&|_, _| true);
        }
        deepest(&|count, shortfall| {
            let is_short = count.window.minutes <= HALF_HOUR.minutes;
            count.pageviews < count.low && (is_short || (now > 0.0 && shortfall.depth() <= MOST_BY_NOW * now))
        })
    }

    /// The part that is missing: 1 when there is nothing at all.
    pub fn depth(&self) -> f64 {
        1.0 - self.pageviews / self.expected
    }

    fn of(count: &WindowCount) -> Self {
        Self { window: count.window, pageviews: count.pageviews, expected: count.expected }
    }
}

/// By how much more a long window may lack than the last half hour.
pub const MOST_BY_NOW: f64 = 1.5;

/// The evidence that is enough for a page.
const ENOUGH: f64 = 1.0;

#[cfg(test)]
mod tests {
    use super::*;

    /// The deepest of windows with these counts, by thousandths of what is usual; bounds are at a half.
    fn deepest(counts: &[(&str, f64)]) -> Option<(&'static str, f64)> {
        let count = |(name, pageviews): &(&str, f64)| WindowCount {
            window: Window::named(name).unwrap(),
            pageviews: *pageviews,
            expected: 1000.0,
            low: 500.0,
        };
        let windows = counts.iter().map(count).collect();
        let shortfall = Shortfall::deepest(&Assessment { windows, is_fit: true, ..Assessment::default() });
        shortfall.map(|shortfall| (shortfall.window.name, shortfall.depth()))
    }

    #[test]
    fn the_deepest_of_the_low_windows_is_told() {
        assert_eq!(deepest(&[("10m", 1000.0), ("30m", 500.0)]), None);
        assert_eq!(deepest(&[("10m", 250.0), ("30m", 499.0), ("2h", 600.0)]), Some(("10m", 0.75)));
        assert_eq!(deepest(&[("10m", 700.0), ("30m", 300.0), ("2h", 0.0)]), Some(("2h", 1.0)));
    }

    #[test]
    fn evidence_is_enough_while_the_last_half_hour_is_low() {
        let assessment = |half_hour: f64, evidence: f64| {
            let count = |name: &str, pageviews: f64| WindowCount {
                window: Window::named(name).unwrap(),
                pageviews,
                expected: 1000.0,
                low: 500.0,
            };
            let windows = vec![count("10m", 990.0), count("30m", half_hour), count("2h", 700.0)];
            Assessment { windows, is_fit: true, evidence: Some(evidence), ..Assessment::default() }
        };
        let deepest =
            |half_hour, evidence| Shortfall::deepest(&assessment(half_hour, evidence)).map(|low| low.window.name);
        assert_eq!(deepest(650.0, 1.0), Some("30m"));
        assert_eq!(deepest(650.0, 0.99), None);
        assert_eq!(deepest(1000.0, 5.0), None, "traffic is back");
    }

    #[test]
    fn long_windows_do_not_outlast_the_outage() {
        assert_eq!(deepest(&[("10m", 1000.0), ("30m", 1000.0), ("2h", 100.0), ("6h", 0.0)]), None);
        assert_eq!(deepest(&[("30m", 500.0), ("2h", 400.0), ("6h", 250.0)]), Some(("6h", 0.75)));
        assert_eq!(deepest(&[("30m", 501.0), ("2h", 400.0), ("6h", 250.0)]), Some(("2h", 0.6)), "the outage is over");
        assert_eq!(deepest(&[("30m", 960.0), ("2h", 400.0), ("6h", 250.0)]), None);
        assert_eq!(deepest(&[("2h", 0.0), ("6h", 0.0)]), None, "a half hour that was not seen is not low");
    }

    #[test]
    fn figures_that_cannot_be_compared_say_nothing() {
        let window = Window::named("30m").unwrap();
        let count = WindowCount { window, pageviews: 0.0, expected: 100.0, low: 40.0 };
        let assessment = Assessment { windows: vec![count], is_fit: false, ..Assessment::default() };
        assert_eq!(Shortfall::deepest(&assessment), None);
    }
}
