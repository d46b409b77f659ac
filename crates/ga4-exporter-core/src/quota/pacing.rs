//! Polling intervals with which the reports of a property together stay within their budget.
//!
//! Pure arithmetic on rates; the budget comes from `budget`.

use std::time::Duration;

use super::budget::{Budget, Limit};
use crate::names::ReportName;

/// The demand of one report of a property.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// Which report.
    pub report: ReportName,
    /// The configured interval.
    pub interval: Duration,
    /// The longest interval with which its values do not expire.
    pub slowest: Duration,
    /// How many requests a poll takes.
    pub requests: u32,
    /// Whether it continues when ordinary reports must pause.
    pub essential: bool,
    /// Whether it is polled once a day, so that its interval is fixed.
    pub daily: bool,
}

/// The planned interval of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct Pacing {
    /// Which report.
    pub report: ReportName,
    /// The planned interval.
    pub interval: Duration,
    /// What makes it longer than configured, if anything.
    pub limit: Option<Limit>,
}

/// Plans the interval of each report with these average costs. Ordinary reports slow down first, to a tenth of the budget.
pub(super) fn pace(demands: &[(&Demand, f64)], budget: &Budget) -> Vec<Pacing> {
    let spare = |demand: &Demand| demand.interval.max(demand.slowest);
    let slowest = |demand: &Demand| {
        if budget.reserve.is_some() && !demand.daily { spare(demand) } else { demand.interval }
    };
    let rate = |demand: &Demand, cost: f64| cost * HOUR / slowest(demand).as_secs_f64();
    let sum = |wanted: &dyn Fn(&Demand) -> bool| -> f64 {
        demands.iter().filter(|(demand, _)| wanted(demand)).map(|(demand, cost)| rate(demand, *cost)).sum()
    };
    let daily = sum(&|demand| demand.daily);
    let essential = sum(&|demand| demand.essential && !demand.daily);
    let others = sum(&|demand| !demand.essential && !demand.daily);
    let stretch = Stretch::new((budget.tokens_per_hour - daily).max(0.0), essential, others);
    let paced = |demand: &Demand| {
        let times = match (demand.daily, demand.essential) {
            (true, _) => 1.0,
            (false, true) => stretch.essential,
            (false, false) => stretch.others,
        };
        let interval = stretched(slowest(demand), times);
        // When others leave little, essential reports slow down only as far as their values last.
        let interval = match budget.limit {
            Limit::Reserve(_) if demand.essential => interval.min(spare(demand)),
            Limit::Reserve(_) | Limit::Share(_) => interval,
        };
        let reserve = budget.reserve.filter(|_| interval > demand.interval);
        let share = (interval > slowest(demand)).then_some(budget.limit);
        Pacing { report: demand.report.clone(), interval, limit: share.or(reserve) }
    };
    demands.iter().map(|(demand, _)| paced(demand)).collect()
}

/// The factor by which intervals have to grow.
struct Stretch {
    essential: f64,
    others: f64,
}

impl Stretch {
    fn new(available: f64, essential: f64, others: f64) -> Self {
        if essential + others <= available {
            return Self { essential: 1.0, others: 1.0 };
        }
        let for_others = (available - essential).max(if others > 0.0 { LEAST_FOR_OTHERS * available } else { 0.0 });
        let for_essential = available - for_others;
        let times =
            |wanted: f64, allowed: f64| if wanted > allowed { wanted / allowed.max(f64::MIN_POSITIVE) } else { 1.0 };
        Self { essential: times(essential, for_essential), others: times(others, for_others) }
    }
}

/// Rounds up to whole seconds, so that small changes of cost do not change the interval.
fn stretched(interval: Duration, times: f64) -> Duration {
    if times <= 1.0 {
        return interval;
    }
    let seconds = (interval.as_secs_f64() * times).min(LONGEST.as_secs_f64());
    Duration::try_from_secs_f64(seconds.ceil()).unwrap_or(LONGEST)
}

/// The longest interval.
const LONGEST: Duration = Duration::from_hours(24);

const LEAST_FOR_OTHERS: f64 = 0.1;

/// Seconds.
const HOUR: f64 = 3600.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Bucket;

    fn demand(report: &str, seconds: u64) -> Demand {
        let interval = Duration::from_secs(seconds);
        let essential = ["realtime", "traffic"].contains(&report);
        let slowest = interval * 2;
        Demand {
            report: report.parse().unwrap(),
            interval,
            slowest,
            requests: 1,
            essential,
            daily: report == "baseline",
        }
    }

    fn budget(tokens_per_hour: f64) -> Budget {
        Budget { tokens_per_hour, limit: Limit::Share(Bucket::Day), reserve: None }
    }

    /// The intervals in seconds for this cost per poll.
    fn intervals(demands: &[(Demand, f64)], budget: &Budget) -> Vec<u64> {
        let demands: Vec<(&Demand, f64)> = demands.iter().map(|(demand, cost)| (demand, *cost)).collect();
        pace(&demands, budget).iter().map(|pacing| pacing.interval.as_secs()).collect()
    }

    #[test]
    fn what_fits_is_left_as_it_is() {
        let demands = [(demand("traffic", 900), 10.0), (demand("baseline", 86_400), 50.0)];
        let exactly = 40.0 + 50.0 / 24.0;
        assert_eq!(intervals(&demands, &budget(exactly + 0.001)), [900, 86_400]);
        assert_eq!(intervals(&demands, &budget(exactly - 0.1)), [903, 86_400], "what is asked for once a day stays");
    }

    #[test]
    fn a_report_slows_down_to_what_it_may_spend() {
        assert_eq!(intervals(&[(demand("realtime", 1), 2.0)], &budget(2_000.0)), [4]);
        assert_eq!(intervals(&[(demand("realtime", 1), 2.0)], &budget(0.0)), [86_400]);
        let demands = [(demand("realtime", 1), 2.0)];
        let demands: Vec<_> = demands.iter().map(|(demand, cost)| (demand, *cost)).collect();
        assert_eq!(pace(&demands, &budget(2_000.0))[0].limit, Some(Limit::Share(Bucket::Day)));
        assert_eq!(pace(&demands, &budget(9_000.0))[0].limit, None);
    }

    #[test]
    fn others_give_way_first_but_not_altogether() {
        let demands = [(demand("traffic", 60), 10.0), (demand("pages", 60), 10.0)];
        assert_eq!(intervals(&demands, &budget(900.0)), [60, 120], "600 and 300 an hour");
        assert_eq!(intervals(&demands, &budget(500.0)), [80, 720], "450 and 50 an hour");
    }

    #[test]
    fn near_the_end_of_a_bucket_it_is_as_slow_as_values_last() {
        let reserve = Budget { reserve: Some(Limit::Reserve(Bucket::Hour)), ..budget(1_000.0) };
        let demands = [(demand("realtime", 60), 1.0)];
        assert_eq!(intervals(&demands, &reserve), [120]);
        let demands: Vec<_> = demands.iter().map(|(demand, cost)| (demand, *cost)).collect();
        assert_eq!(pace(&demands, &reserve)[0].limit, Some(Limit::Reserve(Bucket::Hour)));
    }

    proptest::proptest! {
        #[test]
        fn no_plan_spends_more_than_its_budget(
            costs in proptest::collection::vec((1_u64..3600, 0.0_f64..500.0, proptest::bool::ANY), 1..6),
            tokens in 60.0_f64..10_000.0,
        ) {
            let named = |index: usize, essential| if essential { "traffic".to_owned() } else { format!("r{index}") };
            let demands: Vec<(Demand, f64)> = costs.iter().enumerate()
                .map(|(index, (seconds, cost, essential))| (demand(&named(index, *essential), *seconds), *cost)).collect();
            let references: Vec<_> = demands.iter().map(|(demand, cost)| (demand, *cost)).collect();
            let spent: f64 = pace(&references, &budget(tokens)).iter().zip(&demands)
                .map(|(pacing, (_, cost))| cost * 3600.0 / pacing.interval.as_secs_f64()).sum();
            let at_longest: f64 = demands.iter().map(|(_, cost)| cost / 24.0).sum();
            proptest::prop_assert!(spent <= tokens + at_longest + 1e-6, "{spent} of {tokens}");
        }
    }
}
