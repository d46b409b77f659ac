//! Date and minute ranges of requests.
//!
//! Texts that users quote are Google's; the others are modelled on them (marked so where they stand).

use jiff::civil::Date;

use super::{
    dates,
    errors::ApiError,
    request::{DateRange, MinuteRange},
};

/// A named stretch of time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Range {
    pub(super) name: String,
    pub(super) span: Span,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Span {
    /// Whole days in the property's zone, both included.
    Days(Date, Date),
    /// Minutes before now, the older one first, both included.
    MinutesAgo(i32, i32),
}

/// The date ranges of a core report.
pub(super) fn date_ranges(requested: &[DateRange], today: Date) -> Result<Vec<Range>, ApiError> {
    let mut ranges: Vec<Range> = Vec::new();
    for (index, range) in requested.iter().enumerate() {
        let start = date("startDate", &range.start_date, today)?;
        let end = date("endDate", &range.end_date, today)?;
        if start > end {
            // Modelled.
            return Err(ApiError::invalid(format!(
                "Invalid dateRange: startDate {} is after endDate {}.",
                range.start_date, range.end_date
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
            "Invalid {field}: {text}. Dates must be in the format YYYY-MM-DD, NdaysAgo, yesterday or today."
        ))
    })
}

/// The minute ranges of a realtime report; without any, the last thirty minutes.
pub(super) fn minute_ranges(requested: &[MinuteRange], oldest: i32) -> Result<Vec<Range>, ApiError> {
    if requested.is_empty() {
        return minute_ranges(&[MinuteRange::default()], oldest);
    }
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
