//! What to poll: the configured reports and the current properties.
//!
//! Built from the configuration and the listing, followed by the engine, and read by `/metrics` for its families.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use ga4_drop_baseline::calendar::QuietDays;

use crate::{
    names::{Category, PropertyId, ReportName},
    properties::PropertySet,
    quota::{Demand, Outlook, Share},
    report::{Brings, Report, Scope},
    schedule::{Limits, Pace},
};

/// What to poll.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The enabled reports, in the order of their metrics.
    pub reports: Vec<Arc<Report>>,
    /// The limits of requests in flight.
    pub limits: Limits,
    /// The share of every token bucket that may be spent.
    pub share: Share,
    /// How many series reports of one's own may have.
    pub series: SeriesLimits,
    /// The properties.
    pub properties: PropertySet,
    /// Whether the properties are complete: with discovery, not before the first complete listing.
    pub is_complete: bool,
}

/// How many series reports of one's own may have: built-in ones have a handful.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SeriesLimits {
    /// All properties together.
    pub all: usize,
    /// One property.
    pub per_property: usize,
}

impl Default for SeriesLimits {
    fn default() -> Self {
        Self { all: 200_000, per_property: 5_000 }
    }
}

impl Plan {
    /// The same plan for other properties.
    #[must_use]
    pub fn with_properties(&self, properties: PropertySet, is_complete: bool) -> Self {
        Self {
            reports: self.reports.clone(),
            limits: self.limits,
            share: self.share,
            series: self.series,
            properties,
            is_complete,
        }
    }

    /// The same plan, sharing each unchanged report with an older plan, so that its values keep their definition.
    #[must_use]
    pub fn sharing_reports_with(mut self, older: &Self) -> Self {
        for report in &mut self.reports {
            if let Some(same) = older.reports.iter().find(|older| *older == report) {
                report.clone_from(same);
            }
        }
        self
    }

    /// Returns the reports of a property, in the order of their metrics.
    pub fn reports_for(&self, property: PropertyId) -> impl Iterator<Item = &Arc<Report>> {
        self.reports.iter().filter(move |report| report.scope.covers(property))
    }

    /// Returns the reports whose request differs from the older plan's report of the same name, so that old values do not
    /// apply.
    pub fn redefined<'a>(&'a self, older: &'a Self) -> impl Iterator<Item = &'a ReportName> {
        let redefines = |report: &&Arc<Report>| {
            let before = older.reports.iter().find(|before| before.name == report.name);
            before.is_some_and(|before| report.redefines(before))
        };
        self.reports.iter().filter(redefines).map(|report| &report.name)
    }

    /// Whether another plan has the same reports, limits, share and series limits.
    pub fn has_same_reports(&self, other: &Self) -> bool {
        self.reports == other.reports
            && self.limits == other.limits
            && self.share == other.share
            && self.series == other.series
    }

    /// Returns the history report of the baseline, if there is one.
    pub fn baseline(&self) -> Option<&Arc<Report>> {
        self.reports.iter().find(|report| report.is_history())
    }

    /// Whether drops are looked for: that needs minutes, and a history to compare them with.
    pub fn has_drop_alert(&self) -> bool {
        self.baseline().is_some() && self.reports.iter().any(|report| report.brings == Brings::Minutes)
    }

    /// Returns the quiet days, if there is a baseline.
    pub fn quiet_days(&self) -> Option<&QuietDays> {
        match &self.baseline()?.brings {
            Brings::History { quiet_days, .. } => Some(quiet_days),
            Brings::ValuesOnly | Brings::Minutes => None,
        }
    }

    /// Returns the demands of the reports of one category for a property.
    pub fn demands(&self, property: PropertyId, category: Category) -> Vec<Demand> {
        let of_it = self.reports_for(property).filter(|report| report.category == category);
        of_it.map(|report| report.demand()).collect()
    }

    /// Estimates what the reports will spend of a property: of the one with the most reports, if they differ.
    pub fn outlook(&self) -> Outlook {
        let for_all: Vec<&Arc<Report>> = self.reports.iter().filter(|report| report.scope == Scope::All).collect();
        let named = self.reports.iter().filter_map(|report| match &report.scope {
            Scope::Only(properties) => Some(properties.iter().copied()),
            Scope::All => None,
        });
        let named: BTreeSet<PropertyId> = named.flatten().collect();
        let each = named.into_iter().map(|property| self.reports_for(property).collect());
        let busiest =
            each.max_by(|one: &Vec<_>, other| requests_per_second(one).total_cmp(&requests_per_second(other)));
        let reports = busiest.unwrap_or(for_all);
        let of = |category| reports.iter().filter(move |report| report.category == category);
        let demands = |category| of(category).map(|report| report.demand()).collect();
        let demands: Vec<_> = Category::ALL.iter().map(|category| (*category, demands(*category))).collect();
        Outlook::new(&demands, self.share)
    }

    /// Returns the reports as the schedule needs them.
    pub fn paces(&self) -> BTreeMap<ReportName, Pace> {
        let pace = |report: &Arc<Report>| {
            let pace = Pace {
                interval: report.interval,
                category: report.category,
                rhythm: report.rhythm(),
                requests: report.requests(),
                essential: report.is_essential(),
                scope: report.scope.clone(),
                stretched: false,
            };
            (report.name.clone(), pace)
        };
        self.reports.iter().map(pace).collect()
    }
}

fn requests_per_second(reports: &[&Arc<Report>]) -> f64 {
    reports.iter().map(|report| f64::from(report.requests()) / report.interval.as_secs_f64()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        properties::PropertyInfo,
        report::{BaselineSettings, Definition, Filter, ReportSettings, definition_for_tests},
    };

    fn id(number: u64) -> PropertyId {
        number.to_string().parse().unwrap()
    }

    /// The built-in report on days for all, and one of one's own for some.
    fn plan(properties: &[u64]) -> Plan {
        let scope = Scope::Only(Arc::new(properties.iter().copied().map(id).collect()));
        let own = Report::new(Definition { scope, ..definition_for_tests() }).unwrap();
        let mut set = PropertySet::default();
        set.active.extend([1, 2, 3].map(|number| (id(number), PropertyInfo::default())));
        Plan {
            reports: [Report::traffic(&ReportSettings::traffic()), own].map(Arc::new).into(),
            limits: Limits { in_flight: None, per_property: 4 },
            share: Share::default(),
            series: SeriesLimits::default(),
            properties: set,
            is_complete: true,
        }
    }

    fn names<'a>(reports: impl Iterator<Item = &'a Arc<Report>>) -> Vec<&'a str> {
        reports.map(|report| report.name.as_str()).collect()
    }

    #[test]
    fn a_property_has_the_reports_of_its_scope() {
        let plan = plan(&[2]);
        assert_eq!(names(plan.reports_for(id(1))), ["traffic"]);
        assert_eq!(names(plan.reports_for(id(2))), ["traffic", "checkout"]);
        assert_eq!(plan.demands(id(1), Category::Core).len(), 1);
        assert_eq!(plan.demands(id(2), Category::Core).len(), 2);
        assert_eq!(plan.demands(id(2), Category::Realtime).len(), 0);
    }

    #[test]
    fn the_outlook_is_that_of_the_busiest_property() {
        assert_eq!(plan(&[2]).outlook().reports.len(), 2);
        assert_eq!(plan(&[]).outlook().reports.len(), 1, "nobody is asked for it");
    }

    #[test]
    fn only_what_asks_otherwise_is_redefined() {
        let before = plan(&[2]);
        let redefined = |change: fn(&mut Report)| {
            let mut after = plan(&[2]);
            after.reports.iter_mut().map(Arc::make_mut).for_each(change);
            after.redefined(&before).map(ReportName::to_string).collect::<Vec<_>>()
        };
        assert!(redefined(|report| report.interval *= 2).is_empty());
        assert!(redefined(|report| report.scope = Scope::All).is_empty());
        assert_eq!(redefined(|report| report.limit = Some(7)), ["traffic", "checkout"]);
        assert_eq!(redefined(|report| report.dimensions.truncate(1)), ["checkout"]);
        assert_eq!(redefined(|report| report.filter = Filter::default()), ["checkout"]);
        let history = |weeks| {
            let report = Report::baseline(&BaselineSettings { weeks, ..BaselineSettings::default() });
            Plan { reports: vec![Arc::new(report)], ..plan(&[]) }
        };
        assert_eq!(history(9).redefined(&history(8)).count(), 1);
        assert_eq!(history(8).redefined(&history(8)).count(), 0);
        assert_eq!(before.redefined(&history(8)).count(), 0, "they are new, and due as such");
    }

    #[test]
    fn what_stays_the_same_is_shared_report_by_report() {
        let (before, mut after) = (plan(&[2]), plan(&[2, 3]));
        after = after.sharing_reports_with(&before);
        assert!(Arc::ptr_eq(&before.reports[0], &after.reports[0]));
        assert!(!Arc::ptr_eq(&before.reports[1], &after.reports[1]));
        assert!(!after.has_same_reports(&before));
    }
}
