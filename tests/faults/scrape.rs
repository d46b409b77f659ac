//! What `/metrics` says.

use std::collections::BTreeMap;

/// The samples of a scrape, by name and labels as written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    pub(crate) fn parse(text: &str) -> Self {
        let sample = |line: &str| {
            let (series, value) = line.rsplit_once(' ').expect("a sample has a value");
            (series.to_owned(), value.parse().expect("a value is a number"))
        };
        Self(text.lines().filter(|line| !line.starts_with('#')).map(sample).collect())
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

    /// The exporter's own counters of one family by their reason.
    pub(crate) fn by_reason<'a>(&'a self, family: &str) -> impl Iterator<Item = (&'a str, f64)> + 'a {
        let beginning = format!("google_analytics_exporter_{family}{{");
        self.0.iter().filter(move |(series, _)| series.starts_with(&beginning)).filter_map(|(series, value)| {
            Some((series.split("reason=\"").nth(1)?.strip_suffix("\"}")?, *value))
        })
    }
}
