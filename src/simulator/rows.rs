//! The rows of a planned report: which stretches of time, segments and events belong to which values of its dimensions.

use std::collections::BTreeMap;

use jiff::civil::DateTime;

use super::{
    audience::Segment,
    counts::Counts,
    dates::{self, Granularity, Slice},
    fields::{Dimension, DimensionKind},
    ranges::{Range, Span},
    site::Site,
    tally::{Event, Tally},
    validate::Plan,
};

/// One row before sorting and cutting.
#[derive(Debug)]
pub(super) struct Row {
    /// Which range of the plan it belongs to.
    pub(super) range: usize,
    pub(super) values: Vec<String>,
    pub(super) tally: Tally,
}

/// All rows of a plan at an instant (Unix seconds), empty ones left out.
pub(super) fn rows(plan: &Plan, site: &Site, now: i64) -> Vec<Row> {
    let mut rows = Vec::new();
    for (index, range) in plan.ranges.iter().enumerate() {
        let groups = groups(plan, site, range, now);
        rows.extend(groups.into_iter().map(|(values, tally)| Row {
            range: index,
            values,
            tally: shown(range, site, tally),
        }));
    }
    rows
}

/// What a report says of a tally: realtime reports see a little more or less than the core reports.
pub(super) fn shown(range: &Range, site: &Site, tally: Tally) -> Tally {
    match range.span {
        Span::Days(..) => tally,
        Span::MinutesAgo(..) => tally.scaled(site.property.realtime_ratio),
    }
}

fn groups(plan: &Plan, site: &Site, range: &Range, now: i64) -> BTreeMap<Vec<String>, Tally> {
    let parts = Parts::of(plan);
    let mut groups = BTreeMap::new();
    for (slice, minutes_ago) in slices(plan, site, range, now) {
        let mut visit = |segment: Option<Segment<'_>>, counts: &Counts| {
            if counts.pageviews == 0 {
                return;
            }
            for event in parts.events() {
                let tally = match event {
                    Some(event) => Tally::of_event(*counts, event, site.regulars()),
                    None => Tally::new(*counts, site.regulars()),
                };
                let place = Place { site, local: slice.local, minutes_ago, segment, event };
                place.add_to(&mut groups, plan, &tally);
            }
        };
        if parts.segments {
            let counts = site.segments(slice.from, slice.until);
            for (segment, counts) in site.audience.segments().zip(counts.iter()) {
                visit(Some(segment), counts);
            }
        } else {
            visit(None, &site.counts(slice.from, slice.until));
        }
    }
    groups
}

/// Which divisions the fields of a plan need.
struct Parts {
    granularity: Granularity,
    segments: bool,
    events: bool,
}

impl Parts {
    fn of(plan: &Plan) -> Self {
        let kinds = || plan.fields.iter().map(|field| field.kind);
        Self {
            granularity: kinds().filter_map(granularity).max().unwrap_or(Granularity::Day),
            segments: kinds().any(needs_segments),
            events: kinds().any(|kind| kind == DimensionKind::EventName),
        }
    }

    fn events(&self) -> Vec<Option<Event>> {
        if self.events { Event::ALL.into_iter().map(Some).collect() } else { vec![None] }
    }
}

fn granularity(kind: DimensionKind) -> Option<Granularity> {
    use DimensionKind::{Date, DateHour, DateHourMinute, DayOfWeek, Hour, Minute, MinutesAgo};
    let divisions: [(Granularity, &[DimensionKind]); 3] = [
        (Granularity::Day, &[Date, DayOfWeek]),
        (Granularity::Hour, &[DateHour, Hour]),
        (Granularity::Minute, &[DateHourMinute, Minute, MinutesAgo]),
    ];
    let division = divisions.iter().find(|(_, kinds)| kinds.contains(&kind));
    division.map(|(granularity, _)| *granularity)
}

fn needs_segments(kind: DimensionKind) -> bool {
    granularity(kind).is_none()
        && !matches!(
            kind,
            DimensionKind::EventName
                | DimensionKind::HostName
                | DimensionKind::Platform
                | DimensionKind::StreamId
                | DimensionKind::StreamName
                | DimensionKind::AppVersion
        )
}

fn slices(plan: &Plan, site: &Site, range: &Range, now: i64) -> Vec<(Slice, i64)> {
    match range.span {
        Span::Days(first, last) => {
            let delay = i64::try_from(site.property.core_delay.as_secs()).unwrap_or(i64::MAX);
            let step = Parts::of(plan).granularity;
            dates::slices(&site.property.zone, (first, last), step, now.saturating_sub(delay))
                .into_iter()
                .map(|slice| (slice, 0))
                .collect()
        }
        Span::MinutesAgo(oldest, newest) => {
            let (oldest, newest) = (i64::from(oldest), i64::from(newest));
            if Parts::of(plan).granularity == Granularity::Minute {
                (newest..=oldest).map(|ago| (minutes(ago, ago, now), ago)).collect()
            } else {
                vec![(minutes(oldest, newest, now), 0)]
            }
        }
    }
}

/// The minutes of the clock from one to another, the current one up to now. Their local time does not matter: realtime
/// reports have no such dimension.
pub(super) fn minutes(oldest: i64, newest: i64, now: i64) -> Slice {
    let minute = now.div_euclid(60);
    Slice { from: (minute - oldest) * 60, until: now.min((minute - newest + 1) * 60), local: DateTime::ZERO }
}

/// Where a tally belongs.
struct Place<'a> {
    site: &'a Site,
    local: DateTime,
    minutes_ago: i64,
    segment: Option<Segment<'a>>,
    event: Option<Event>,
}

impl Place<'_> {
    fn add_to(&self, groups: &mut BTreeMap<Vec<String>, Tally>, plan: &Plan, tally: &Tally) {
        if tally.events == 0 {
            return;
        }
        let mut values: Vec<String> = plan.fields.iter().map(|field| self.value(field)).collect();
        let text = |index: usize| values.get(index).map_or("", String::as_str);
        if plan.dimension_filter.as_ref().is_some_and(|filter| !filter.passes(&text)) {
            return;
        }
        values.truncate(plan.dimensions.len());
        groups.entry(values).or_default().add(tally);
    }

    fn value(&self, field: &Dimension) -> String {
        let local = self.local;
        let kind = self.segment.map(|segment| segment.kind);
        let text = match field.kind {
            DimensionKind::Date => return local.strftime("%Y%m%d").to_string(),
            DimensionKind::DateHour => return local.strftime("%Y%m%d%H").to_string(),
            DimensionKind::DateHourMinute => return local.strftime("%Y%m%d%H%M").to_string(),
            DimensionKind::Hour => return format!("{:02}", local.hour()),
            DimensionKind::Minute => return format!("{:02}", local.minute()),
            // Sunday is 0.
            DimensionKind::DayOfWeek => return local.strftime("%w").to_string(),
            DimensionKind::MinutesAgo => return format!("{:02}", self.minutes_ago),
            DimensionKind::HostName => return self.site.audience.host.clone(),
            DimensionKind::StreamId => return format!("9{}", self.site.property.id),
            DimensionKind::StreamName => return format!("{} (web)", self.site.property.name),
            DimensionKind::Platform => Some("web"),
            DimensionKind::AppVersion => None,
            DimensionKind::EventName => self.event.map(Event::name),
            DimensionKind::PagePath => kind.map(|kind| kind.page.path),
            DimensionKind::PageTitle => kind.map(|kind| kind.page.title),
            DimensionKind::Country => kind.map(|kind| kind.place.country),
            DimensionKind::City => kind.map(|kind| kind.place.city),
            DimensionKind::DeviceCategory => kind.map(|kind| kind.device.category),
            DimensionKind::Browser => kind.map(|kind| kind.device.browser),
            DimensionKind::OperatingSystem => kind.map(|kind| kind.device.system),
            DimensionKind::Channel => kind.map(|kind| kind.source.channel),
            DimensionKind::Source => kind.map(|kind| kind.source.source),
            DimensionKind::Medium => kind.map(|kind| kind.source.medium),
            DimensionKind::Gender => kind.map(|kind| kind.gender),
            DimensionKind::AgeBracket => kind.map(|kind| kind.age),
            DimensionKind::ItemName => kind.map(|kind| kind.page.title),
            DimensionKind::NewVsReturning => {
                self.segment.map(|segment| if segment.returning { "returning" } else { "new" })
            }
        };
        String::from(text.unwrap_or("(not set)"))
    }
}

/// The tally of a whole range of a plan, as its totals say it.
pub(super) fn total(rows: &[Row], range: usize) -> Tally {
    let mut total = Tally::default();
    for row in rows.iter().filter(|row| row.range == range) {
        total.add(&row.tally);
    }
    total
}
