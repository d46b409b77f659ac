//! One question, asked once: which requests it takes, and what becomes of their answers.
//!
//! A question is a [`Report`] without an interval. Knows how a long answer is asked for page by page, and which totals are true.
//! Refuses to know how an answer is printed. Invariant: rows are in an order that does not leave anything to chance, so that
//! pages neither overlap nor leave rows out as long as the data stays the same.

use jiff::civil::Date;

pub use answer::{QueryAnswer, QueryQuality, Totals, serialize_numbers_compactly};
pub use asked::{AskError, Asked};
pub use day::QueryDayError;
pub use pages::{Page, Pages};
pub use rows::{QueryRow, QueryRows};

use crate::{
    names::Category,
    report::{Day, Range, Report, Request, Window},
    wire::response::LONGEST,
};

mod answer;
mod asked;
pub mod condition;
pub mod day;
mod field;
mod pages;
mod rows;

/// A question.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    report: Report,
    limit: Option<u64>,
}

impl Query {
    /// The question that a report asks, about other days or with another limit where there are any.
    pub fn new(mut report: Report, range: Option<Range>, limit: Option<u64>) -> Self {
        // A report with several ranges, such as a built-in one, has no default range.
        let range = range.or_else(|| (report.windows.len() > 1).then(|| usual_range(report.category)));
        if let Some(range) = range {
            report.windows.truncate(1);
            for window in &mut report.windows {
                *window = Window { range, ..window.clone() };
            }
        }
        let limit = limit.or_else(|| report.limit.map(u64::from));
        Self { report, limit }
    }

    /// The report.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The pages of its answer.
    pub fn pages(&self) -> Pages {
        self.pages_of(u32::try_from(PAGE_ROWS).unwrap_or(u32::MAX))
    }

    /// The same in pages of another size, which is not above [`PAGE_ROWS`].
    pub fn pages_of(&self, size: u32) -> Pages {
        let most = if self.report.category == Category::Realtime { PAGE_ROWS as u64 } else { MOST_ROWS };
        Pages::new(size, self.limit.unwrap_or(most).min(most))
    }

    /// The request for a page. `today` is the date in the property's zone, where that is known.
    pub fn request(&self, today: Option<Date>, page: Page) -> Request {
        match self.report.request(today) {
            Request::Core(mut request) => {
                request.selection.limit = Some(page.limit);
                request.offset = page.offset;
                Request::Core(request)
            }
            Request::Realtime(mut request) => {
                request.selection.limit = Some(page.limit);
                Request::Realtime(request)
            }
        }
    }

    /// A question with the same fields about the last of its days: its answer costs about a token, and says what is left of the
    /// quota. `None` where it is about minutes.
    pub fn probe(&self) -> Option<Self> {
        let Range::Days(_, last) = self.report.windows.first()?.range else { return None };
        Some(Self::new(self.report.clone(), Some(Range::Days(last, last)), Some(1)))
    }

    /// About how many tokens the first page costs where this is the day, from requests that were measured: 1 token for two
    /// columns of 30 days, 2 for eleven, 4 for nineteen, 7 for two columns of a year. Large properties pay more.
    pub fn expected_tokens(&self, today: Date) -> f64 {
        let Ok(Some((first, last))) = self.dates(today) else { return 1.0 };
        let days = f64::from(last.since(first).map_or(0, |span| span.get_days()) + 1);
        let columns = f64::from(u32::try_from(self.report.dimensions.len() + self.report.metrics.len()).unwrap_or(2));
        (days / DAYS_OF_A_TOKEN).max(1.0) * (1.0 + (columns - 2.0).max(0.0) / COLUMNS_OF_A_TOKEN)
    }

    /// The first and the last date that it is about, where it is this day; `None` where it is about minutes.
    ///
    /// # Errors
    /// The days are none that Google has.
    pub fn dates(&self, today: Date) -> Result<Option<(Date, Date)>, QueryDayError> {
        match self.report.windows.first().map(|window| window.range) {
            Some(Range::Days(from, to)) => day::dates(from, to, today).map(Some),
            Some(Range::Minutes(..)) | None => Ok(None),
        }
    }
}

fn usual_range(category: Category) -> Range {
    match category {
        Category::Core => Range::Days(Day::Ago(1), Day::Ago(1)),
        Category::Realtime => Range::Minutes(29, 0),
    }
}

/// The most rows that one request asks for.
pub const PAGE_ROWS: usize = LONGEST;

const DAYS_OF_A_TOKEN: f64 = 52.0;

const COLUMNS_OF_A_TOKEN: f64 = 6.0;

/// The most rows of one property that can be asked for: what a machine has memory for.
pub const MOST_ROWS: u64 = 5_000_000;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::report::ReportSettings;

    fn body(query: &Query, today: Option<Date>, page: Page) -> Value {
        match query.request(today, page) {
            Request::Core(request) => serde_json::to_value(request).unwrap(),
            Request::Realtime(request) => serde_json::to_value(request).unwrap(),
        }
    }

    #[test]
    fn a_page_is_a_request_in_a_stable_order() {
        let words = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let asked = Asked {
            metrics: words(&["pageviews", "visitors"]),
            dimensions: words(&["date", "pagePath"]),
            from: Some("7daysAgo".to_owned()),
            order: words(&["-visitors"]),
            ..Asked::default()
        };
        let query = asked.query().unwrap();
        let today = Some(jiff::civil::date(2026, 3, 1));
        let expected = json!({
            "dimensions": [{"name": "date"}, {"name": "pagePath"}],
            "metrics": [{"name": "screenPageViews"}, {"name": "totalUsers"}],
            "dateRanges": [{"startDate": "2026-02-22", "endDate": "2026-02-28", "name": "query"}],
            "orderBys": [{"metric": {"metricName": "totalUsers"}, "desc": true}, {"dimension": {"dimensionName": "date"}},
                {"dimension": {"dimensionName": "pagePath"}}],
            "offset": 250_000, "limit": 10, "returnPropertyQuota": true,
        });
        assert_eq!(body(&query, today, Page { offset: 250_000, limit: 10 }), expected);
        let first = body(&query, None, query.pages().next_page().unwrap());
        assert_eq!((&first["offset"], &first["limit"]), (&Value::Null, &json!(250_000)));
        assert_eq!(first["dateRanges"][0]["startDate"], json!("7daysAgo"));
    }

    #[test]
    fn long_ranges_are_expected_to_cost_more() {
        let query = |dimensions: &[&str], from: &str| {
            let dimensions = dimensions.iter().map(|name| (*name).to_owned()).collect();
            Asked { dimensions, from: Some(from.to_owned()), ..Asked::default() }.query().unwrap()
        };
        let today = jiff::civil::date(2026, 3, 1);
        for (dimensions, from, expected) in [
            (&[][..], "yesterday", 1.0),
            (&[], "30daysAgo", 1.0),
            (&[], "364daysAgo", 7.0),
            (&["date", "country", "city", "pagePath", "browser", "hour"], "30daysAgo", 2.0),
            (&["date", "country", "city", "pagePath", "browser", "hour"], "2023-03-01", 42.0),
        ] {
            assert_eq!(query(dimensions, from).expected_tokens(today).round(), expected, "{dimensions:?} {from}");
        }
        let probe = query(&["date"], "2023-03-01").probe().unwrap();
        let page = probe.pages().next_page().unwrap();
        let body = body(&probe, Some(today), page);
        assert_eq!(body["dateRanges"][0]["startDate"], json!("2026-02-28"));
        assert_eq!((&body["limit"], &body["dimensions"]), (&json!(1), &json!([{"name": "date"}])));
        assert_eq!(Asked { realtime: true, ..Asked::default() }.query().unwrap().probe(), None);
    }

    #[test]
    fn a_built_in_report_is_asked_about_one_range() {
        let traffic = Report::traffic(&ReportSettings::traffic());
        let query = Asked::default().of_report(&traffic).unwrap();
        let page = query.pages().next_page().unwrap();
        assert_eq!(body(&query, None, page)["dateRanges"].as_array().unwrap().len(), 1);
        assert_eq!(query.dates(jiff::civil::date(2026, 3, 1)).unwrap().unwrap().0.to_string(), "2026-02-28");
        let realtime = Report::realtime(&ReportSettings::realtime(), true);
        let query = Asked::default().of_report(&realtime).unwrap();
        assert_eq!(body(&query, None, page)["minuteRanges"][0]["startMinutesAgo"], json!(29));
        let dated = Asked { from: Some("today".to_owned()), ..Asked::default() };
        assert!(matches!(dated.of_report(&realtime), Err(AskError::Day(QueryDayError::Realtime))));
    }
}
