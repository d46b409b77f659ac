//! The custom fields of a property: registered dimensions and metrics, calculated metrics, key events and channel groups.
//!
//! Knows how Google names and lists them. Their values are a function of the simulated visitors and purchases, so they
//! add up as all others do.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    columns::Column,
    fields::{Dimension, Metric, Reports},
    formulas::{self, Formula},
    tally::Event,
    world::Property,
};

/// The custom fields of a property.
#[derive(Clone, Debug, Default)]
pub(super) struct CustomFields {
    pub(super) dimensions: Vec<Arc<Dimension>>,
    pub(super) metrics: Vec<Arc<Metric>>,
}

/// A custom dimension, or the dimensions of a channel group. Each kind of visitor has one of its values.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CustomDimension {
    scope: Scope,
    name: String,
    ui_name: String,
    values: Vec<String>,
}

/// A custom metric that every purchase carries, or a calculated metric.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CustomMetric {
    name: String,
    ui_name: String,
    unit: MetricUnit,
    per_purchase: u64,
    is_calculated: bool,
    restriction: Option<Restriction>,
}

/// The unit of a custom metric (`MetricType`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MetricUnit {
    /// TYPE_STANDARD
    Standard,
    /// TYPE_CURRENCY
    Currency,
    /// TYPE_SECONDS
    Seconds,
    /// TYPE_MILLISECONDS
    Milliseconds,
    /// TYPE_MINUTES
    Minutes,
    /// TYPE_HOURS
    Hours,
    /// TYPE_METERS
    Meters,
    /// TYPE_KILOMETERS
    Kilometers,
    /// TYPE_FEET
    Feet,
    /// TYPE_MILES
    Miles,
}

/// Data that the account's role does not show: the metric is 0, and the answer names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Restriction {
    /// Costs.
    Cost,
    /// Revenue.
    Revenue,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Scope {
    Event,
    User,
    Item,
    ChannelGroup,
}

impl CustomDimension {
    /// Creates an event-scoped dimension, `customEvent:NAME`.
    #[must_use]
    pub fn event(parameter: impl Into<String>) -> Self {
        Self::new(Scope::Event, parameter)
    }

    /// Creates a user-scoped dimension, `customUser:NAME`; the only custom field of realtime reports.
    #[must_use]
    pub fn user(property: impl Into<String>) -> Self {
        Self::new(Scope::User, property)
    }

    /// Creates an item-scoped dimension, `customItem:NAME`.
    #[must_use]
    pub fn item(parameter: impl Into<String>) -> Self {
        Self::new(Scope::Item, parameter)
    }

    /// Creates the dimensions of a channel group: `sessionCustomChannelGroup:ID`, `firstUserCustomChannelGroup:ID` and
    /// `customChannelGroup:ID`.
    #[must_use]
    pub fn channel_group(id: impl Into<String>) -> Self {
        Self::new(Scope::ChannelGroup, id)
    }

    /// Sets the display name; without it, it is the name.
    #[must_use]
    pub fn named(mut self, ui_name: impl Into<String>) -> Self {
        self.ui_name = ui_name.into();
        self
    }

    /// Sets the values; without any, all rows are `(not set)`.
    #[must_use]
    pub fn values<T: Into<String>>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        self.values = values.into_iter().map(Into::into).collect();
        self
    }

    fn new(scope: Scope, name: impl Into<String>) -> Self {
        let name = name.into();
        Self { scope, ui_name: name.clone(), name, values: Vec::new() }
    }

    /// Returns the fields, each with its prefix and compatibility class.
    fn fields(self) -> impl Iterator<Item = Dimension> {
        let fields: &[_] = match self.scope {
            Scope::Event => &[("customEvent", "D-EVENT")],
            Scope::User => &[("customUser", "D-EVENT")],
            Scope::Item => &[("customItem", "D-ITEM")],
            Scope::ChannelGroup => &[
                ("sessionCustomChannelGroup", "D-SESSION2"),
                ("firstUserCustomChannelGroup", "D-SESSION2"),
                ("customChannelGroup", "D-ATTR2"),
            ],
        };
        fields.iter().map(move |(prefix, class)| Dimension {
            name: format!("{prefix}:{}", self.name),
            ui_name: self.ui_name.clone(),
            category: "Custom",
            reports: if self.scope == Scope::User { Reports::Both } else { Reports::Core },
            deprecated: None,
            is_thresholded: false,
            column: Column::Own,
            class,
            is_custom: true,
            own_values: self.values.clone(),
        })
    }
}

impl CustomMetric {
    /// Creates the metrics `customEvent:NAME`, `averageCustomEvent:NAME` and `countCustomEvent:NAME` of an event
    /// parameter, which is 1 in every purchase.
    #[must_use]
    pub fn new(parameter: impl Into<String>) -> Self {
        let name = parameter.into();
        Self {
            ui_name: name.clone(),
            name,
            unit: MetricUnit::Standard,
            per_purchase: 1,
            is_calculated: false,
            restriction: None,
        }
    }

    /// Creates a calculated metric, `calcMetric:ID`; its formula is pageviews divided by sessions.
    #[must_use]
    pub fn calculated(id: impl Into<String>) -> Self {
        Self { is_calculated: true, ..Self::new(id) }
    }

    /// Sets the display name; without it, it is the name.
    #[must_use]
    pub fn named(mut self, ui_name: impl Into<String>) -> Self {
        self.ui_name = ui_name.into();
        self
    }

    /// Sets the unit of its registration.
    #[must_use]
    pub fn unit(mut self, unit: MetricUnit) -> Self {
        self.unit = unit;
        self
    }

    /// Sets the amount that every purchase carries, in its unit; it has no effect on a calculated metric.
    #[must_use]
    pub fn per_purchase(mut self, amount: u32) -> Self {
        self.per_purchase = amount.into();
        self
    }

    /// Hides the values from the account.
    #[must_use]
    pub fn restricted(mut self, restriction: Restriction) -> Self {
        self.restriction = Some(restriction);
        self
    }

    fn fields(&self) -> Vec<Metric> {
        let unit = self.unit.api_name();
        let field = |prefix: &str, ui_name: String, value_type, formula| Metric {
            restriction: self.restriction,
            ..metric(format!("{prefix}:{}", self.name), ui_name, "Custom", "M-EVENT", (value_type, formula))
        };
        let name = &self.ui_name;
        if self.is_calculated {
            return vec![field("calcMetric", name.clone(), unit, formulas::pageviews_per_session())];
        }
        let amount = self.per_purchase;
        vec![
            field("customEvent", name.clone(), unit, formulas::per_purchase(amount)),
            field("averageCustomEvent", format!("Average {name}"), unit, formulas::average_per_purchase(amount)),
            field("countCustomEvent", format!("Count {name}"), "TYPE_INTEGER", formulas::per_purchase(1)),
        ]
    }
}

impl MetricUnit {
    fn api_name(self) -> &'static str {
        match self {
            Self::Standard => "TYPE_STANDARD",
            Self::Currency => "TYPE_CURRENCY",
            Self::Seconds => "TYPE_SECONDS",
            Self::Milliseconds => "TYPE_MILLISECONDS",
            Self::Minutes => "TYPE_MINUTES",
            Self::Hours => "TYPE_HOURS",
            Self::Meters => "TYPE_METERS",
            Self::Kilometers => "TYPE_KILOMETERS",
            Self::Feet => "TYPE_FEET",
            Self::Miles => "TYPE_MILES",
        }
    }
}

impl Restriction {
    /// `BlockedReason` of `getMetadata`.
    pub(super) fn blocked_reason(self) -> &'static str {
        match self {
            Self::Cost => "NO_COST_METRICS",
            Self::Revenue => "NO_REVENUE_METRICS",
        }
    }

    /// `RestrictedMetricType` of a report.
    fn metric_type(self) -> &'static str {
        match self {
            Self::Cost => "COST_DATA",
            Self::Revenue => "REVENUE_DATA",
        }
    }
}

impl Property {
    /// Registers a custom dimension or a channel group.
    #[must_use]
    pub fn custom_dimension(mut self, dimension: CustomDimension) -> Self {
        self.custom.dimensions.extend(dimension.fields().map(Arc::new));
        self
    }

    /// Registers a custom metric, or defines a calculated one.
    #[must_use]
    pub fn custom_metric(mut self, metric: CustomMetric) -> Self {
        self.custom.metrics.extend(metric.fields().into_iter().map(Arc::new));
        self
    }

    /// Adds the metrics of a key event: `keyEvents:NAME`, `sessionKeyEventRate:NAME` and `userKeyEventRate:NAME`. The
    /// sites send `purchase`, `scroll` and a few others; of any other event there are none.
    #[must_use]
    pub fn key_event(mut self, event: &str) -> Self {
        let known = Event::ALL.into_iter().find(|known| known.name() == event);
        let [count, of_sessions, of_users] = formulas::of_key_event(known);
        let fields = [
            ("keyEvents", "Key events", "M-REV", ("TYPE_INTEGER", count)),
            ("sessionKeyEventRate", "Session key event rate", "M-USER", ("TYPE_FLOAT", of_sessions)),
            ("userKeyEventRate", "User key event rate", "M-USER", ("TYPE_FLOAT", of_users)),
        ];
        let field = |(prefix, what, class, value)| {
            Arc::new(metric(format!("{prefix}:{event}"), format!("{what} for {event}"), "Conversions", class, value))
        };
        self.custom.metrics.extend(fields.map(field));
        self
    }

    /// Adds a few fields as a shop might have them: the dimensions `customEvent:plan`, `customUser:membership`,
    /// `customItem:material` and a channel group, the metrics `customEvent:score` and `customEvent:delivery_time`,
    /// `calcMetric:pages_per_visit` and the key event `purchase`.
    #[must_use]
    pub fn example_custom_fields(self) -> Self {
        self.custom_dimension(CustomDimension::event("plan").named("Plan").values(["free", "basic", "pro"]))
            .custom_dimension(CustomDimension::user("membership").named("Membership").values(["member", "(not set)"]))
            .custom_dimension(CustomDimension::item("material").named("Material").values(["wood", "steel"]))
            .custom_dimension(
                CustomDimension::channel_group("7351018888").named("Our channels").values(["Own", "Paid", "Partners"]),
            )
            .custom_metric(CustomMetric::new("score").named("Score").per_purchase(3))
            .custom_metric(
                CustomMetric::new("delivery_time").named("Delivery time").unit(MetricUnit::Minutes).per_purchase(90),
            )
            .custom_metric(CustomMetric::calculated("pages_per_visit").named("Pages per visit"))
            .key_event("purchase")
    }
}

impl CustomFields {
    #[cfg(test)]
    pub(super) const NONE: Self = Self { dimensions: Vec::new(), metrics: Vec::new() };
}

fn metric(
    name: String,
    ui_name: String,
    category: &'static str,
    class: &'static str,
    (core_type, formula): (&'static str, Formula),
) -> Metric {
    Metric {
        name,
        ui_name,
        category,
        reports: Reports::Core,
        deprecated: None,
        class,
        is_custom: true,
        restriction: None,
        core_type,
        formula,
    }
}

/// Returns `SchemaRestrictionResponse`, which names the requested metrics that are hidden; `None` if none is.
pub(super) fn restrictions(metrics: &[Arc<Metric>]) -> Option<Value> {
    let restricted = metrics.iter().filter_map(|metric| {
        let types = [metric.restriction?.metric_type()];
        Some(json!({"metricName": metric.name, "restrictedMetricTypes": types}))
    });
    let restricted: Vec<Value> = restricted.collect();
    (!restricted.is_empty()).then(|| json!({ "activeMetricRestrictions": restricted }))
}
