//! Checks whether the reports of a property can keep their intervals, given their cost and the tokens left in the buckets.

use ga4_exporter_core::{
    names::{Category, PropertyId},
    quota::{self, Ledger},
    time::later,
};
use std::time::Duration;

use super::{property::Subject, report::Spent, result::CheckResult};

/// Compares the plan with the buckets; returns nothing if no report was answered.
pub(super) fn check(subject: &Subject, property: PropertyId, spent: &Spent) -> Option<CheckResult> {
    let now = subject.clock.now();
    let mut ledger = Ledger::new(subject.plan.share);
    for (report, category, cost, quota) in &spent.costs {
        #[expect(clippy::cast_possible_truncation, reason = "a request costs far less than 2^32 tokens")]
        let tokens = *cost as u32;
        ledger.on_success(property, *category, Some(quota), now, later(now, Duration::from_hours(1)));
        let spent = quota::Spent { tokens, whole: true, unread: false };
        ledger.settle(property, *category, report, spent, now);
    }
    let mut slow = Vec::new();
    for category in Category::ALL {
        let demands = subject.plan.demands(property, *category);
        let demands: Vec<_> = demands.iter().collect();
        for (pacing, demand) in ledger.pace(property, *category, &demands, now).iter().zip(&demands) {
            if pacing.interval > demand.interval {
                slow.push(format!(
                    "{} every {} and not every {}",
                    pacing.report,
                    humantime::format_duration(pacing.interval),
                    humantime::format_duration(demand.interval)
                ));
            }
        }
    }
    let tokens = |(report, _, cost, _): &(ga4_exporter_core::names::ReportName, Category, f64, _)| {
        let report = subject.plan.reports_for(property).find(|one| one.name == *report)?;
        Some(cost * f64::from(report.requests()) * DAY_SECONDS / report.interval.as_secs_f64())
    };
    let a_day: f64 = spent.costs.iter().filter_map(tokens).sum();
    (!spent.costs.is_empty()).then(|| {
        let result = if slow.is_empty() {
            CheckResult::ok("plan", format!("every report keeps its interval, for about {a_day:.0} tokens a day"))
        } else {
            CheckResult::warning("plan", format!("too little is left of the buckets: {}", slow.join(", ")))
                .remedy("poll less often, raise quota.share, or find out which other tools use this property's quota")
        };
        result.property(property)
    })
}

const DAY_SECONDS: f64 = 86_400.0;
