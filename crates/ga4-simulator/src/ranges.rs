//! Date and minute ranges of requests.
//!
//! Error texts are Google's if public recordings contain them; the others are modelled on them and marked as such.

use jiff::civil::{Date, date as day};

use super::{
    dates,
    errors::ApiError,
    request::{DateRange, MinuteRange},
};

/// A named span of time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Range {
    pub(super) name: String,
    pub(super) span: Span,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Span {
    /// Whole days in the property's zone, both ends included.
    Days(Date, Date),
    /// Minutes before now, the older one first, both ends included.
    MinutesAgo(i32, i32),
}

/// Returns the date ranges of a core report.
pub(super) fn date_ranges(requested: &[DateRange], today: Date) -> Result<Vec<Range>, ApiError> {
    if requested.is_empty() {
        return Err(ApiError::invalid("A dateRange is required."));
    }
    check_count(requested.len(), MAX_DATE_RANGES, "dateRanges")?;
    let mut ranges: Vec<Range> = Vec::new();
    for (index, range) in requested.iter().enumerate() {
        let start = date("startDate", &range.start_date, today)?;
        let end = date("endDate", &range.end_date, today)?;
        for (field, date) in [("start_date", start), ("end_date", end)] {
            if date <= BEFORE_FIRST || date >= AFTER_LAST {
                let text = format!("{field} = {date} must be greater than {BEFORE_FIRST} and less than {AFTER_LAST}.");
                return Err(ApiError::invalid(text));
            }
        }
        if start > end {
            return Err(ApiError::invalid(format!(
                "start_date must be less than or equal to end_date. start_date = {start} and end_date = {end}"
            )));
        }
        let name = range_name(&range.name, index, &ranges)?;
        ranges.push(Range { name, span: Span::Days(start, end) });
    }
    Ok(ranges)
}

fn date(field: &str, text: &str, today: Date) -> Result<Date, ApiError> {
    dates::parse(text, today).ok_or_else(|| {
        ApiError::invalid(format!(
            "Invalid {field} : {text}. {field} must be YYYY-MM-DD, NdaysAgo, yesterday, or today."
        ))
    })
}

fn check_count(count: usize, limit: usize, what: &str) -> Result<(), ApiError> {
    if count > limit {
        let text = format!("Requests are limited to {limit} {what}.\n  This request contains {count} {what}.");
        return Err(ApiError::invalid(text));
    }
    Ok(())
}

/// Returns the minute ranges of a realtime report; the default is the last thirty minutes.
pub(super) fn minute_ranges(requested: &[MinuteRange], oldest: i32) -> Result<Vec<Range>, ApiError> {
    if requested.is_empty() {
        return minute_ranges(&[MinuteRange::default()], oldest);
    }
    check_count(requested.len(), MAX_MINUTE_RANGES, "minuteRanges")?;
    let mut ranges: Vec<Range> = Vec::new();
    for (index, range) in requested.iter().enumerate() {
        let start = range.start_minutes_ago.unwrap_or(29);
        let end = range.end_minutes_ago.unwrap_or(0);
        if start > oldest || end > oldest {
            // Modelled.
            return Err(ApiError::invalid(format!(
                "Invalid minuteRange: this property has realtime data of the last {} minutes only; startMinutesAgo and \
                 endMinutesAgo must be at most {oldest}.",
                oldest + 1
            )));
        }
        if end < 0 || start < end {
            // Modelled.
            return Err(ApiError::invalid(format!(
                "Invalid minuteRange: startMinutesAgo {start} must be at least endMinutesAgo {end}, and both at least 0."
            )));
        }
        let name = range_name(&range.name, index, &ranges)?;
        ranges.push(Range { name, span: Span::MinutesAgo(start, end) });
    }
    Ok(ranges)
}

fn range_name(name: &str, index: usize, before: &[Range]) -> Result<String, ApiError> {
    if name.is_empty() {
        return Ok(format!("date_range_{index}"));
    }
    if name.starts_with("date_range_") || name.starts_with("RESERVED_") {
        // Modelled.
        return Err(ApiError::invalid(format!(
            "Invalid range name: {name}. Names must not begin with date_range_ or RESERVED_."
        )));
    }
    if before.iter().any(|range| range.name == name) {
        // Modelled.
        return Err(ApiError::invalid(format!("Found duplicate range name {name} in the request.")));
    }
    Ok(String::from(name))
}

/// Google's limits (Data API v1beta, RunReportRequest and RunRealtimeReportRequest).
const MAX_DATE_RANGES: usize = 4;
const MAX_MINUTE_RANGES: usize = 2;

/// Dates between these two are accepted.
const BEFORE_FIRST: Date = day(2015, 8, 13);
const AFTER_LAST: Date = day(3000, 1, 1);
