//! The plan of a configuration.

use std::sync::Arc;

use super::Config;
use ga4_exporter_core::{
    plan::Plan,
    properties::PropertySet,
    report::{Preset, Report},
    schedule::Limits,
};

impl Config {
    /// Returns the plan for these properties; it is complete if they are all properties of the configuration.
    pub fn plan(&self, properties: PropertySet, is_complete: bool) -> Plan {
        let limits = Limits {
            in_flight: self.google.max_requests_in_flight,
            per_property: self.google.max_requests_in_flight_per_property,
        };
        Plan { reports: self.reports(), limits, share: self.share, series: self.series, properties, is_complete }
    }

    /// Returns the enabled reports, in the order of their metrics.
    pub fn reports(&self) -> Vec<Arc<Report>> {
        let all = [
            (self.realtime.enabled, Report::realtime(&self.realtime, self.baseline.enabled)),
            (self.traffic.enabled, Report::traffic(&self.traffic)),
            (self.baseline.enabled, Report::baseline(&self.baseline)),
        ];
        let built_in = all.into_iter().filter(|(enabled, _)| *enabled).map(|(_, report)| Arc::new(report));
        let own = self.own_reports.iter().filter(|own| own.enabled).map(|own| Arc::clone(&own.report));
        built_in.chain(own).collect()
    }

    /// Returns the report of this name: one of the file, even if it is not polled, else a built-in one, else a preset.
    pub fn report_named(&self, name: &str) -> Option<Arc<Report>> {
        let own = self.own_reports.iter().map(|own| Arc::clone(&own.report));
        let configured = own.chain(self.reports()).find(|report| report.name.as_str() == name);
        configured.or_else(|| {
            let draft = Preset::named(name)?.draft(name.parse().ok()?);
            Report::new(draft.definition()).ok().map(Arc::new)
        })
    }
}
