//! What is to be polled: the reports of the configuration and the properties of the moment.
//!
//! Made of the configuration and the listing, followed by the poller, and read by whoever shows which families there are.

use std::{collections::BTreeMap, sync::Arc};

use ga4_drop_baseline::calendar::QuietDays;

use crate::{
    names::{Category, ReportName},
    properties::PropertySet,
    quota::{Demand, Outlook, Share},
    report::{Brings, Report},
    schedule::{Limits, Pace},
};

/// What is to be polled.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The reports that are switched on, in the order in which they are shown.
    pub reports: Vec<Arc<Report>>,
    /// How many requests may be on their way.
    pub limits: Limits,
    /// Which part of every bucket of tokens may be spent.
    pub share: Share,
    /// The properties.
    pub properties: PropertySet,
    /// Whether the properties are all that the configuration asks for: not before the first complete listing, where
    /// they are discovered.
    pub is_complete: bool,
}

impl Plan {
    /// The same plan for other properties.
    #[must_use]
    pub fn with_properties(&self, properties: PropertySet, is_complete: bool) -> Self {
        Self { reports: self.reports.clone(), limits: self.limits, share: self.share, properties, is_complete }
    }

    /// The same plan, but sharing its reports with an older one that defines the same: what was taken by those is then
    /// not of an older definition.
    #[must_use]
    pub fn sharing_reports_with(mut self, older: &Self) -> Self {
        if self.reports == older.reports {
            self.reports.clone_from(&older.reports);
        }
        self
    }

    /// Whether another plan defines the same reports, limits and share.
    pub fn has_same_reports(&self, other: &Self) -> bool {
        self.reports == other.reports && self.limits == other.limits && self.share == other.share
    }

    /// The report that the baseline is made of, if there is one.
    pub fn baseline(&self) -> Option<&Arc<Report>> {
        self.reports.iter().find(|report| report.is_history())
    }

    /// The days on which less is expected, where there is a baseline.
    pub fn quiet_days(&self) -> Option<&QuietDays> {
        match &self.baseline()?.brings {
            Brings::History { quiet_days, .. } => Some(quiet_days),
            Brings::ValuesOnly | Brings::Minutes => None,
        }
    }

    /// What the reports of one category would spend.
    pub fn demands(&self, category: Category) -> Vec<Demand> {
        self.reports.iter().filter(|report| report.category == category).map(|report| report.demand()).collect()
    }

    /// What the reports will spend of a property.
    pub fn outlook(&self) -> Outlook {
        let demands: Vec<_> = Category::ALL.iter().map(|category| (*category, self.demands(*category))).collect();
        Outlook::new(&demands, self.share)
    }

    /// What the schedule has to know of the reports.
    pub fn paces(&self) -> BTreeMap<ReportName, Pace> {
        let pace = |report: &Arc<Report>| {
            let pace = Pace {
                interval: report.interval,
                category: report.category,
                rhythm: report.rhythm(),
                requests: report.requests(),
                essential: report.is_essential(),
                stretched: false,
            };
            (report.name.clone(), pace)
        };
        self.reports.iter().map(pace).collect()
    }
}
