//! What the configured reports will spend per property, estimated before the first request.
//!
//! For a standard property with full buckets, at the assumed cost of a request; the actual cost differs by property.

use std::{fmt, time::Duration};

use humantime::format_duration;

use super::{
    Share,
    budget::{Budget, Limit},
    cost::Cost,
    pacing::{Demand, pace},
    view,
};
use crate::names::{Bucket, Category, ReportName};

/// The plan for one property.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    /// By report.
    pub reports: Vec<ReportOutlook>,
    /// By bucket of tokens.
    pub buckets: Vec<BucketOutlook>,
}

/// What one report will spend.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportOutlook {
    /// Which report.
    pub report: ReportName,
    /// The configured interval.
    pub configured: Duration,
    /// The planned interval.
    pub planned: Duration,
    /// What makes it longer than configured, if anything.
    pub limit: Option<Limit>,
    /// Tokens per hour.
    pub per_hour: f64,
}

/// What all reports of a category together will spend of a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BucketOutlook {
    /// The category of the reports.
    pub category: Category,
    /// Which bucket.
    pub bucket: Bucket,
    /// The fraction of the whole bucket.
    pub part: f64,
}

impl Outlook {
    /// Estimates what these reports will spend, by category, within this share.
    pub fn new(demands: &[(Category, Vec<Demand>)], share: Share) -> Self {
        let mut outlook = Self { reports: Vec::new(), buckets: Vec::new() };
        for (category, demands) in demands.iter().filter(|(_, demands)| !demands.is_empty()) {
            outlook.add(*category, demands, share);
        }
        outlook
    }

    fn add(&mut self, category: Category, demands: &[Demand], share: Share) {
        let cost = |demand: &Demand| Cost::default().average(demand.requests);
        let costs: Vec<(&Demand, f64)> = demands.iter().map(|demand| (demand, cost(demand))).collect();
        let mut all = 0.0;
        for (pacing, demand) in pace(&costs, &Budget::of_a_day(share)).into_iter().zip(demands) {
            let per_hour = cost(demand) * 3600.0 / pacing.interval.as_secs_f64();
            all += per_hour;
            self.reports.push(ReportOutlook {
                report: pacing.report,
                configured: demand.interval,
                planned: pacing.interval,
                limit: pacing.limit,
                per_hour,
            });
        }
        for (bucket, _) in view::TOKEN_BUCKETS {
            let spent = if *bucket == Bucket::Day { HOURS_A_DAY * all } else { all };
            self.buckets.push(BucketOutlook { category, bucket: *bucket, part: spent / view::size_of(*bucket, false) });
        }
    }
}

impl Outlook {
    /// The bucket of which the greatest part will be spent.
    pub fn fullest(&self) -> Option<&BucketOutlook> {
        self.buckets.iter().max_by(|one, other| one.part.total_cmp(&other.part))
    }

    /// The reports that cannot be polled as often as configured.
    pub fn slowed(&self) -> impl Iterator<Item = &ReportOutlook> {
        self.reports.iter().filter(|report| report.limit.is_some())
    }
}

/// Whether the plan fits, in a sentence: `fits: 14 % of the daily realtime quota`.
impl fmt::Display for Outlook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slowed: Vec<String> = self.slowed().map(ToString::to_string).collect();
        match self.fullest() {
            _ if !slowed.is_empty() => write!(f, "does not fit: {}", slowed.join(", ")),
            Some(fullest) => write!(f, "fits: {fullest}"),
            None => f.write_str("fits: no report is polled"),
        }
    }
}

/// `realtime every 39s instead of 1s`
impl fmt::Display for ReportOutlook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (planned, configured) = (format_duration(self.planned), format_duration(self.configured));
        write!(f, "{} every {planned} instead of {configured}", self.report)
    }
}

/// `14 % of the daily realtime quota`
impl fmt::Display for BucketOutlook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = 100.0 * self.part;
        let digits = usize::from(percent < 9.95);
        let per = match self.bucket {
            Bucket::Day => "daily",
            Bucket::Hour => "hourly",
            Bucket::ProjectHour => "project's hourly",
            Bucket::Concurrent
            | Bucket::ClientErrors
            | Bucket::ServerErrors
            | Bucket::Thresholded
            | Bucket::Unknown => "other",
        };
        write!(f, "{percent:.digits$} % of the {per} {} quota", self.category)
    }
}

impl ReportOutlook {
    /// Tokens per day.
    pub fn per_day(&self) -> f64 {
        HOURS_A_DAY * self.per_hour
    }
}

const HOURS_A_DAY: f64 = 24.0;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        plan::{Plan, SeriesLimits},
        properties::PropertySet,
        report::{BaselineSettings, Report, ReportSettings},
        schedule::Limits,
    };

    /// With a realtime report every this many seconds.
    fn outlook(seconds: u64) -> Outlook {
        let realtime = ReportSettings { interval: Duration::from_secs(seconds), ..ReportSettings::realtime() };
        let reports = [
            Report::realtime(&realtime, true),
            Report::traffic(&ReportSettings::traffic()),
            Report::baseline(&BaselineSettings::default()),
        ];
        let limits = Limits { in_flight: None, per_property: 4 };
        let properties = PropertySet::default();
        let reports = reports.map(Arc::new).into();
        Plan {
            reports,
            limits,
            share: Share::default(),
            series: SeriesLimits::default(),
            properties,
            is_complete: true,
        }
        .outlook()
    }

    fn realtime(outlook: &Outlook) -> &ReportOutlook {
        outlook.reports.iter().find(|report| report.report.as_str() == "realtime").unwrap()
    }

    fn part(outlook: &Outlook, category: Category, bucket: Bucket) -> f64 {
        outlook.buckets.iter().find(|one| (one.category, one.bucket) == (category, bucket)).unwrap().part
    }

    #[test]
    fn the_default_reports_keep_to_the_targets() {
        let outlook = outlook(60);
        assert!(outlook.reports.iter().all(|report| report.planned == report.configured && report.limit.is_none()));
        assert!((realtime(&outlook).per_hour - 1200.0).abs() < 1e-6, "two requests a minute");
        // At 10 tokens a request; a tenth of that at one.
        assert!((part(&outlook, Category::Realtime, Bucket::Day) - 0.144).abs() < 1e-9);
        assert!(outlook.buckets.iter().all(|bucket| bucket.part <= 0.15), "{outlook:?}");
        assert_eq!(outlook.to_string(), "fits: 14 % of the daily realtime quota");
    }

    #[test]
    fn what_cannot_be_kept_is_planned_otherwise_and_says_why() {
        let outlook = outlook(1);
        let realtime = realtime(&outlook);
        assert_eq!(realtime.planned, Duration::from_secs(39), "72,000 an hour, and 1,875 may be spent");
        assert_eq!(realtime.limit, Some(Limit::Share(Bucket::Day)));
        assert!(part(&outlook, Category::Realtime, Bucket::Day) <= 0.25 * 0.9);
        assert_eq!(outlook.to_string(), "does not fit: realtime every 39s instead of 1s");
    }

    #[test]
    fn small_parts_have_a_digit_more_and_no_reports_fit() {
        let one = |part| BucketOutlook { category: Category::Core, bucket: Bucket::ProjectHour, part }.to_string();
        assert_eq!(one(0.0042), "0.4 % of the project's hourly core quota");
        assert_eq!(one(0.0996), "10 % of the project's hourly core quota");
        let nothing = Outlook::new(&[], Share::default());
        assert_eq!(nothing.to_string(), "fits: no report is polled");
    }
}
