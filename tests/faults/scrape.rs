//! What `/metrics` says.

use std::collections::BTreeMap;

use crate::row::REPORTS;

/// The samples of a scrape that the tests look at, by name and labels as written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    pub(crate) fn parse(text: &str) -> Self {
        let sample = |line: &str| {
            let (series, value) = line.rsplit_once(' ').expect("a sample has a value");
            (series.to_owned(), value.parse().expect("a value is a number"))
        };
        let is_wanted = |line: &&str| {
            let name = line.strip_prefix("google_analytics_").unwrap_or_default();
            WANTED.iter().any(|wanted| name.starts_with(wanted))
        };
        Self(text.lines().filter(is_wanted).map(sample).collect())
    }

    /// Whether the values of a report of this property are there.
    pub(crate) fn has_values(&self, property: &str, report: &str) -> bool {
        let family = if report == "realtime" { "realtime_pageviews" } else { "today_pageviews" };
        self.0.contains_key(&format!("google_analytics_{family}{{property_id=\"{property}\"}}"))
    }

    pub(crate) fn is_up(&self, property: &str, report: &str) -> bool {
        let series = format!("google_analytics_report_up{{property_id=\"{property}\",report=\"{report}\"}}");
        self.0.get(&series) == Some(&1.0)
    }

    /// Whether a report of this property is known at all.
    pub(crate) fn knows(&self, property: &str) -> bool {
        REPORTS.iter().all(|report| {
            let series = format!("google_analytics_report_up{{property_id=\"{property}\",report=\"{report}\"}}");
            self.0.contains_key(&series)
        })
    }

    /// Why a report fails at present.
    pub(crate) fn reason(&self, property: &str, report: &str) -> Option<&str> {
        let beginning =
            format!("google_analytics_report_failure{{property_id=\"{property}\",report=\"{report}\",reason=\"");
        let series = self.0.range(beginning.clone()..).next()?.0;
        series.strip_prefix(&beginning)?.strip_suffix("\"}")
    }

    /// The closed buckets of a property, as `category/bucket`, and until when.
    pub(crate) fn closed<'a>(&'a self, property: &str) -> impl Iterator<Item = (String, f64)> + 'a {
        let beginning = format!("google_analytics_quota_closed_until_timestamp_seconds{{property_id=\"{property}\"");
        self.0.iter().filter(move |(series, _)| series.starts_with(&beginning)).map(|(series, until)| {
            let label = |name: &str| series.split(&format!("{name}=\"")).nth(1).and_then(|rest| rest.split('"').next());
            (format!("{}/{}", label("category").unwrap(), label("bucket").unwrap()), *until)
        })
    }

    /// A sample of the exporter's own, by the name without the prefix.
    pub(crate) fn own(&self, end: &str) -> Option<f64> {
        self.0.get(&format!("google_analytics_exporter_{end}")).copied()
    }

    /// Requests to the Data API for all properties, as the exporter counts them.
    pub(crate) fn attempts(&self) -> f64 {
        let data = self.0.range("google_analytics_exporter_api_requests_total{api=\"data\"".to_owned()..);
        data.take_while(|(series, _)| series.contains("api=\"data\"")).map(|(_, count)| count).sum()
    }

    /// The exporter's own counters of one family by their reason.
    pub(crate) fn by_reason<'a>(&'a self, family: &str) -> impl Iterator<Item = (&'a str, f64)> + 'a {
        let beginning = format!("google_analytics_exporter_{family}{{");
        self.0
            .iter()
            .filter(move |(series, _)| series.starts_with(&beginning))
            .filter_map(|(series, value)| Some((series.split("reason=\"").nth(1)?.strip_suffix("\"}")?, *value)))
    }
}

/// How the names begin that are looked at.
const WANTED: [&str; 9] = [
    "exporter_api_requests_total",
    "exporter_config_last_reload_successful",
    "exporter_discovery_up",
    "exporter_token_refresh_failures_total",
    "quota_closed_until",
    "realtime_pageviews",
    "report_failure",
    "report_up",
    "today_pageviews",
];
