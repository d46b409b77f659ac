//! Computes the rows of a planned report: assigns spans of time, segments and events to the values of its dimensions.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};

use super::{
    audience::Segment,
    columns::{Column, NOT_SET, Trait},
    counts::Counts,
    dates::{self, Granularity, Slice},
    fields::{Category, Dimension},
    ranges::{Range, Span},
    site::Site,
    tally::{Event, Tally},
    validate::Plan,
};

/// A row before sorting and cutting.
#[derive(Debug)]
pub(super) struct Row {
    /// The index of its range in the plan.
    pub(super) range: usize,
    pub(super) values: Vec<String>,
    pub(super) tally: Tally,
}

/// Returns all non-empty rows of a plan at a time (Unix seconds).
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

/// Returns the tally that a report shows: realtime reports count slightly more or less than core reports.
pub(super) fn shown(range: &Range, site: &Site, tally: Tally) -> Tally {
    match range.span {
        Span::Days(..) if is_sampled(range, site) => tally.scaled(ESTIMATE),
        Span::Days(..) => tally,
        Span::MinutesAgo(..) => tally.scaled(site.property.realtime_ratio),
    }
}

/// Whether a range is too long to be read whole.
pub(super) fn is_sampled(range: &Range, site: &Site) -> bool {
    let Span::Days(first, last) = range.span else { return false };
    let days = first.until(last).map_or(0, |span| span.get_days()) + 1;
    site.property.sampled_beyond.is_some_and(|most| i64::from(days) > i64::from(most))
}

/// What an estimate says of the truth.
const ESTIMATE: f64 = 0.97;

fn groups(plan: &Plan, site: &Site, range: &Range, now: i64) -> BTreeMap<Vec<String>, Tally> {
    let parts = Parts::of(plan);
    // Realtime reports have nothing to revise.
    let (first, as_of) = match range.span {
        Span::Days(first, _) => (first, now),
        Span::MinutesAgo(..) => (Date::ZERO, i64::MAX),
    };
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
                let place = Place { site, local: slice.local, first, minutes_ago, segment, event };
                place.add_to(&mut groups, plan, &tally);
            }
        };
        if parts.segments {
            let counts = site.segments_at(slice.from, slice.until, as_of);
            for (segment, counts) in site.audience.segments().zip(counts.iter()) {
                visit(Some(segment), counts);
            }
        } else {
            visit(None, &site.counts_at(slice.from, slice.until, as_of));
        }
    }
    groups
}

/// The divisions that the fields of a plan need.
struct Parts {
    granularity: Granularity,
    segments: bool,
    events: bool,
}

impl Parts {
    fn of(plan: &Plan) -> Self {
        let columns = || plan.fields.iter().map(|field| field.column);
        let granularity = |column| {
            let Column::Time(part) = column else {
                return None;
            };
            Some(part.granularity())
        };
        Self {
            granularity: columns().filter_map(granularity).max().unwrap_or(Granularity::Day),
            segments: columns().any(|column| matches!(column, Column::Visitor(_) | Column::Own)),
            events: columns().any(|column| matches!(column, Column::EventName | Column::IsKeyEvent)),
        }
    }

    fn events(&self) -> Vec<Option<Event>> {
        if self.events { Event::ALL.into_iter().map(Some).collect() } else { vec![None] }
    }
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

/// Returns a span of clock minutes; the current minute ends now. Its local time does not matter, since realtime
/// reports have no such dimension.
pub(super) fn minutes(oldest: i64, newest: i64, now: i64) -> Slice {
    let minute = now.div_euclid(60);
    Slice { from: (minute - oldest) * 60, until: now.min((minute - newest + 1) * 60), local: DateTime::ZERO }
}

/// The position of a tally.
struct Place<'a> {
    site: &'a Site,
    local: DateTime,
    /// The first day of the range.
    first: Date,
    minutes_ago: i64,
    segment: Option<Segment<'a>>,
    event: Option<Event>,
}

impl Place<'_> {
    fn add_to(&self, groups: &mut BTreeMap<Vec<String>, Tally>, plan: &Plan, tally: &Tally) {
        if tally.events == 0 {
            return;
        }
        let mut values: Vec<String> = plan.fields.iter().map(|field| self.value(field, plan.category)).collect();
        let text = |index: usize| values.get(index).map_or("", String::as_str);
        if plan.dimension_filter.as_ref().is_some_and(|filter| !filter.passes(&text)) {
            return;
        }
        values.truncate(plan.dimensions.len());
        groups.entry(values).or_default().add(tally);
    }

    fn value(&self, field: &Dimension, category: Category) -> String {
        let text = match field.column {
            Column::Time(part) => return part.text(self.local, self.first, self.minutes_ago),
            Column::HostName => return self.site.audience.host.clone(),
            Column::StreamId => return format!("9{}", self.site.property.id),
            Column::StreamName => return format!("{} (web)", self.site.property.name),
            Column::Visitor(of) => {
                return self.segment.map_or_else(|| String::from(NOT_SET), |segment| self.of_visitor(&segment, of));
            }
            Column::Own => {
                let own = self.segment.and_then(|segment| segment.own_value(&field.name, &field.own_values));
                own.unwrap_or(NOT_SET)
            }
            Column::EventName => self.event.map_or(NOT_SET, Event::name),
            Column::IsKeyEvent => {
                if self.event.is_some_and(Event::is_key) {
                    "true"
                } else {
                    "false"
                }
            }
            // Realtime reports use an empty text for web streams, core reports do not.
            Column::AppVersion if category == Category::Realtime => "",
            Column::AppVersion => NOT_SET,
            Column::Fixed(text) => text,
        };
        String::from(text)
    }

    fn of_visitor(&self, segment: &Segment<'_>, of: Trait) -> String {
        let kind = segment.kind;
        let host = &self.site.audience.host;
        let text = match of {
            Trait::FullPageUrl => return format!("{host}{}", kind.page.path),
            Trait::PageLocation => return format!("https://{host}{}", kind.page.path),
            Trait::PlatformDeviceCategory => return format!("web / {}", kind.device.category),
            Trait::SourceMedium => return format!("{} / {}", kind.source.source, kind.source.medium),
            Trait::PagePath => kind.page.path,
            Trait::PageTitle | Trait::ItemName => kind.page.title,
            Trait::Country => kind.place.country,
            Trait::CountryId => kind.place.country_id,
            Trait::Continent => kind.place.continent,
            Trait::ContinentId => kind.place.continent_id,
            Trait::Region => kind.place.region,
            Trait::City => kind.place.city,
            Trait::DeviceCategory => kind.device.category,
            Trait::Browser => kind.device.browser,
            Trait::OperatingSystem => kind.device.system,
            Trait::Channel => kind.source.channel,
            Trait::Source => kind.source.source,
            Trait::Medium => kind.source.medium,
            Trait::CampaignName => kind.source.campaign,
            Trait::Gender => kind.gender,
            Trait::AgeBracket => kind.age,
            Trait::NewVsReturning if segment.returning => "returning",
            Trait::NewVsReturning => "new",
        };
        String::from(text)
    }
}

/// Returns the tally of a whole range of a plan, as in its totals.
pub(super) fn total(rows: &[Row], range: usize) -> Tally {
    let mut total = Tally::default();
    for row in rows.iter().filter(|row| row.range == range) {
        total.add(&row.tally);
    }
    total
}
