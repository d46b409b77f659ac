//! The dimensions and metrics that the simulator knows, by Google's names (the API schema pages of the Data API).

use Reports::{Both, Core, Realtime};

use super::{random::real, tally::Tally};

/// A dimension of the core reports, of the realtime reports or of both.
#[derive(Debug)]
pub(super) struct Dimension {
    pub(super) name: &'static str,
    pub(super) ui_name: &'static str,
    pub(super) category: &'static str,
    pub(super) reports: Reports,
    pub(super) kind: DimensionKind,
}

/// A metric of the core reports, of the realtime reports or of both.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) ui_name: &'static str,
    pub(super) category: &'static str,
    pub(super) reports: Reports,
    core_type: &'static str,
    pub(super) kind: MetricKind,
}

/// Where a field may be asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reports {
    Core,
    Realtime,
    Both,
}

/// Which of the two kinds of reports a request is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Category {
    Core,
    Realtime,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum DimensionKind {
    Date,
    DateHour,
    DateHourMinute,
    Hour,
    Minute,
    DayOfWeek,
    MinutesAgo,
    PagePath,
    PageTitle,
    HostName,
    Country,
    City,
    DeviceCategory,
    Browser,
    OperatingSystem,
    Channel,
    Source,
    Medium,
    EventName,
    NewVsReturning,
    Platform,
    StreamId,
    StreamName,
    AppVersion,
    ItemName,
    Gender,
    AgeBracket,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum MetricKind {
    PageViews,
    TotalUsers,
    ActiveUsers,
    NewUsers,
    Sessions,
    EngagedSessions,
    Events,
    KeyEvents,
    Revenue,
    BounceRate,
    EngagementRate,
    SessionDuration,
    EngagementDuration,
    ItemsPurchased,
}

impl Category {
    pub(super) fn offers(self, reports: Reports) -> bool {
        match reports {
            Both => true,
            Core => self == Self::Core,
            Realtime => self == Self::Realtime,
        }
    }
}

impl Dimension {
    pub(super) fn find(name: &str, category: Category) -> Option<&'static Self> {
        DIMENSIONS.iter().find(|field| field.name == name && category.offers(field.reports))
    }

    /// Reports with it may withhold rows, and count against the quota of potentially thresholded requests.
    pub(super) fn is_thresholded(&self) -> bool {
        matches!(self.kind, DimensionKind::Gender | DimensionKind::AgeBracket)
    }

    /// Whether the two may be asked for together.
    pub(super) fn is_compatible(&self, metric: &Metric) -> bool {
        self.kind != DimensionKind::ItemName || metric.kind == MetricKind::ItemsPurchased
    }
}

impl Metric {
    pub(super) fn find(name: &str, category: Category) -> Option<&'static Self> {
        METRICS.iter().find(|field| field.name == name && category.offers(field.reports))
    }

    /// The type in the metric headers. `keyEvents` is fractional in core reports, since attribution may split an event.
    pub(super) fn value_type(&self, category: Category) -> &'static str {
        match category {
            Category::Core => self.core_type,
            Category::Realtime => "TYPE_INTEGER",
        }
    }

    /// The value as Google writes it.
    pub(super) fn value(&self, tally: &Tally) -> Value {
        let counts = &tally.counts;
        let sessions = counts.sessions;
        match self.kind {
            MetricKind::PageViews => Value::whole(counts.pageviews),
            MetricKind::TotalUsers => Value::whole(tally.total_users()),
            MetricKind::ActiveUsers => Value::whole(tally.active_users()),
            MetricKind::NewUsers => Value::whole(counts.new_users),
            MetricKind::Sessions => Value::whole(sessions),
            MetricKind::EngagedSessions => Value::whole(counts.engaged_sessions),
            MetricKind::Events => Value::whole(tally.events),
            MetricKind::KeyEvents => Value::whole(counts.key_events),
            MetricKind::Revenue => Value::ratio(counts.revenue_cents, 100),
            MetricKind::BounceRate => Value::ratio(sessions - counts.engaged_sessions, sessions),
            MetricKind::EngagementRate => Value::ratio(counts.engaged_sessions, sessions),
            MetricKind::SessionDuration => Value::ratio(counts.seconds, sessions),
            MetricKind::EngagementDuration => Value::whole(counts.seconds),
            MetricKind::ItemsPurchased => Value::whole(2 * counts.key_events),
        }
    }
}

/// A metric's value: exact text for the wire, a number to sort and filter by.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) number: f64,
}

impl Value {
    fn whole(count: u64) -> Self {
        Self { text: count.to_string(), number: real(count) }
    }

    fn ratio(part: u64, of: u64) -> Self {
        if part == 0 || of == 0 {
            return Self::whole(0);
        }
        let number = real(part) / real(of);
        Self { text: number.to_string(), number }
    }
}

const fn dimension(
    name: &'static str,
    ui_name: &'static str,
    category: &'static str,
    reports: Reports,
    kind: DimensionKind,
) -> Dimension {
    Dimension { name, ui_name, category, reports, kind }
}

const fn metric(
    name: &'static str,
    ui_name: &'static str,
    category: &'static str,
    reports: Reports,
    core_type: &'static str,
    kind: MetricKind,
) -> Metric {
    Metric { name, ui_name, category, reports, core_type, kind }
}

/// Every dimension.
#[rustfmt::skip] // a table
pub(super) const DIMENSIONS: &[Dimension] = &[
    dimension("appVersion", "App version", "Platform / Device", Realtime, DimensionKind::AppVersion),
    dimension("browser", "Browser", "Platform / Device", Core, DimensionKind::Browser),
    dimension("city", "City", "Geography", Both, DimensionKind::City),
    dimension("country", "Country", "Geography", Both, DimensionKind::Country),
    dimension("date", "Date", "Time", Core, DimensionKind::Date),
    dimension("dateHour", "Date + hour (YYYYMMDDHH)", "Time", Core, DimensionKind::DateHour),
    dimension("dateHourMinute", "Date hour and minute", "Time", Core, DimensionKind::DateHourMinute),
    dimension("dayOfWeek", "Day of week", "Time", Core, DimensionKind::DayOfWeek),
    dimension("deviceCategory", "Device category", "Platform / Device", Both, DimensionKind::DeviceCategory),
    dimension("eventName", "Event name", "Event", Both, DimensionKind::EventName),
    dimension("hostName", "Hostname", "Page / Screen", Core, DimensionKind::HostName),
    dimension("hour", "Hour", "Time", Core, DimensionKind::Hour),
    dimension("itemName", "Item name", "Ecommerce", Core, DimensionKind::ItemName),
    dimension("minute", "Minute", "Time", Core, DimensionKind::Minute),
    dimension("minutesAgo", "Realtime minutes ago", "Time", Realtime, DimensionKind::MinutesAgo),
    dimension("newVsReturning", "New / returning", "User", Core, DimensionKind::NewVsReturning),
    dimension("operatingSystem", "Operating system", "Platform / Device", Core, DimensionKind::OperatingSystem),
    dimension("pagePath", "Page path", "Page / Screen", Core, DimensionKind::PagePath),
    dimension("pageTitle", "Page title", "Page / Screen", Core, DimensionKind::PageTitle),
    dimension("platform", "Platform", "Platform / Device", Both, DimensionKind::Platform),
    dimension("sessionDefaultChannelGroup", "Session default channel group", "Traffic source", Core, DimensionKind::Channel),
    dimension("sessionMedium", "Session medium", "Traffic source", Core, DimensionKind::Medium),
    dimension("sessionSource", "Session source", "Traffic source", Core, DimensionKind::Source),
    dimension("streamId", "Stream ID", "Platform / Device", Both, DimensionKind::StreamId),
    dimension("streamName", "Stream name", "Platform / Device", Both, DimensionKind::StreamName),
    dimension("unifiedScreenName", "Page title and screen name", "Page / Screen", Both, DimensionKind::PageTitle),
    dimension("userAgeBracket", "Age", "Demographics", Core, DimensionKind::AgeBracket),
    dimension("userGender", "Gender", "Demographics", Core, DimensionKind::Gender),
];

/// Every metric.
#[rustfmt::skip] // a table
pub(super) const METRICS: &[Metric] = &[
    metric("activeUsers", "Active users", "User", Both, "TYPE_INTEGER", MetricKind::ActiveUsers),
    metric("averageSessionDuration", "Average session duration", "Session", Core, "TYPE_SECONDS", MetricKind::SessionDuration),
    metric("bounceRate", "Bounce rate", "Session", Core, "TYPE_FLOAT", MetricKind::BounceRate),
    metric("engagedSessions", "Engaged sessions", "Session", Core, "TYPE_INTEGER", MetricKind::EngagedSessions),
    metric("engagementRate", "Engagement rate", "Session", Core, "TYPE_FLOAT", MetricKind::EngagementRate),
    metric("eventCount", "Event count", "Event", Both, "TYPE_INTEGER", MetricKind::Events),
    metric("itemsPurchased", "Items purchased", "Ecommerce", Core, "TYPE_INTEGER", MetricKind::ItemsPurchased),
    metric("keyEvents", "Key events", "Event", Both, "TYPE_FLOAT", MetricKind::KeyEvents),
    metric("newUsers", "New users", "User", Core, "TYPE_INTEGER", MetricKind::NewUsers),
    metric("screenPageViews", "Views", "Page / Screen", Both, "TYPE_INTEGER", MetricKind::PageViews),
    metric("sessions", "Sessions", "Session", Core, "TYPE_INTEGER", MetricKind::Sessions),
    metric("totalRevenue", "Total revenue", "Revenue", Core, "TYPE_CURRENCY", MetricKind::Revenue),
    metric("totalUsers", "Total users", "User", Core, "TYPE_INTEGER", MetricKind::TotalUsers),
    metric("userEngagementDuration", "User engagement", "User", Core, "TYPE_SECONDS", MetricKind::EngagementDuration),
];
