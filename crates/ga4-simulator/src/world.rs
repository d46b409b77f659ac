//! The content of the simulated Google Analytics: accounts, their properties, and their traffic.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use super::{custom::CustomFields, quota::QuotaSizes};

/// Everything that the simulator serves; created once and passed to [`super::Simulator::start`].
#[derive(Clone, Debug)]
pub struct World {
    pub(super) seed: u64,
    pub(super) accounts: Vec<Account>,
    pub(super) token_lifetime: Duration,
    pub(super) token_cost: Option<u32>,
    pub(super) log_length: usize,
}

impl World {
    /// Creates an empty world. The same `seed` and properties always have the same traffic at the same time.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            accounts: Vec::new(),
            token_lifetime: Duration::from_secs(3599),
            token_cost: None,
            log_length: 1_000,
        }
    }

    /// Adds an account with its properties.
    #[must_use]
    pub fn account(mut self, account: Account) -> Self {
        self.accounts.push(account);
        self
    }

    /// Sets the lifetime of access tokens; the default is Google's 3599 s.
    #[must_use]
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// Sets the quota tokens that every report costs, instead of the formula of [`super::Simulator`].
    #[must_use]
    pub fn token_cost(mut self, tokens: u32) -> Self {
        self.token_cost = Some(tokens);
        self
    }

    /// Sets the number of requests that the log keeps; the default is 1,000.
    #[must_use]
    pub fn log_length(mut self, requests: usize) -> Self {
        self.log_length = requests;
        self
    }

    /// Returns the ids of all properties in the order of the listing.
    pub fn property_ids(&self) -> impl Iterator<Item = &str> {
        self.accounts.iter().flat_map(|account| &account.properties).map(Property::id)
    }
}

/// A Google Analytics account.
#[derive(Clone, Debug)]
pub struct Account {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) properties: Vec<Property>,
}

impl Account {
    /// Creates an account without properties; `id` is numeric.
    #[must_use]
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self { id: id.into(), name: name.into(), properties: Vec::new() }
    }

    /// Adds a property.
    #[must_use]
    pub fn property(mut self, property: Property) -> Self {
        self.properties.push(property);
        self
    }
}

/// A GA4 property: its identity and its traffic.
#[derive(Clone, Debug)]
pub struct Property {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) zone_name: String,
    pub(super) zone: TimeZone,
    /// The zone of the visitors' daily rhythm; a change of the reporting zone does not affect it.
    pub(super) rhythm_zone: TimeZone,
    pub(super) currency: String,
    pub(super) pageviews_per_hour: f64,
    pub(super) realtime_ratio: f64,
    pub(super) core_delay: Duration,
    pub(super) revised: bool,
    pub(super) sampled_beyond: Option<u32>,
    pub(super) steady: bool,
    pub(super) data_access: bool,
    pub(super) listed: bool,
    pub(super) quota: QuotaSizes,
    pub(super) premium: bool,
    pub(super) created: Timestamp,
    pub(super) lineage: Lineage,
    pub(super) modifiers: Vec<Modifier>,
    pub(super) custom: CustomFields,
}

impl Property {
    /// Creates a property in UTC with an average of 600 pageviews per hour; `id` is numeric.
    #[must_use]
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            zone_name: String::from("Etc/UTC"),
            zone: TimeZone::UTC,
            rhythm_zone: TimeZone::UTC,
            currency: String::from("EUR"),
            pageviews_per_hour: 600.0,
            realtime_ratio: 1.0,
            core_delay: Duration::ZERO,
            revised: false,
            sampled_beyond: None,
            steady: false,
            data_access: true,
            listed: true,
            quota: QuotaSizes::STANDARD,
            premium: false,
            created: CREATED,
            lineage: Lineage::Ordinary,
            modifiers: Vec::new(),
            custom: CustomFields::default(),
        }
    }

    /// Returns the numeric id, without `properties/`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the display name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the name of the reporting time zone.
    #[must_use]
    pub fn zone_name(&self) -> &str {
        &self.zone_name
    }

    /// Changes the display name.
    #[must_use]
    pub fn renamed(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the reporting time zone and the zone of the visitors' daily rhythm. An unknown name means UTC.
    #[must_use]
    pub fn time_zone(self, name: &str) -> Self {
        let property = self.reporting_zone(name);
        Self { rhythm_zone: property.zone.clone(), ..property }
    }

    /// Changes only the reporting time zone: the visits keep their times and move to other days.
    #[must_use]
    pub fn reporting_zone(mut self, name: &str) -> Self {
        self.zone = TimeZone::get(name).unwrap_or(TimeZone::UTC);
        self.zone_name = String::from(name);
        self
    }

    /// Sets the currency (ISO 4217) of the revenue.
    #[must_use]
    pub fn currency(mut self, code: &str) -> Self {
        self.currency = String::from(code);
        self
    }

    /// Sets the pageviews per hour, averaged over the week; at most 100 million.
    #[must_use]
    pub fn pageviews_per_hour(mut self, pageviews: f64) -> Self {
        self.pageviews_per_hour = pageviews.clamp(0.0, 1e8);
        self
    }

    /// Removes all traffic.
    #[must_use]
    pub fn without_traffic(self) -> Self {
        self.pageviews_per_hour(0.0)
    }

    /// Removes the daily and weekly rhythm; only noise remains.
    #[must_use]
    pub fn steady(mut self) -> Self {
        self.steady = true;
        self
    }

    /// Multiplies the traffic between two times: 0 is an outage, 0.5 a partial one, 3 a campaign.
    #[must_use]
    pub fn scaled(mut self, from: Timestamp, until: Timestamp, factor: f64) -> Self {
        self.modifiers.push(Modifier { from: from.as_second(), until: until.as_second(), factor });
        self
    }

    /// Removes the traffic between two times.
    #[must_use]
    pub fn outage(self, from: Timestamp, until: Timestamp) -> Self {
        self.scaled(from, until, 0.0)
    }

    /// Sets realtime counts divided by later core counts; GA4's differ by up to a tenth.
    #[must_use]
    pub fn realtime_ratio(mut self, ratio: f64) -> Self {
        self.realtime_ratio = ratio.max(0.0);
        self
    }

    /// Hides events of this time before now from core reports, as GA4 does for hours.
    #[must_use]
    pub fn core_delay(mut self, delay: Duration) -> Self {
        self.core_delay = delay;
        self
    }

    /// Revises a day in core reports for 72 hours after its end, as GA4 does: some visits are seen hours late, others are
    /// counted twice until they are recognised, and then rows vanish. Older days are final.
    #[must_use]
    pub fn revised(mut self) -> Self {
        self.revised = true;
        self
    }

    /// Samples core reports of more days than this: they are marked as estimates, and are slightly wrong.
    #[must_use]
    pub fn sampled_beyond(mut self, days: u32) -> Self {
        self.sampled_beyond = Some(days);
        self
    }

    /// Keeps the property in the listing, but lets the Data API answer 403.
    #[must_use]
    pub fn without_data_access(mut self) -> Self {
        self.data_access = false;
        self
    }

    /// Restores access.
    #[must_use]
    pub fn with_data_access(mut self) -> Self {
        self.data_access = true;
        self
    }

    /// Hides the property from the listing; the Data API still answers.
    #[must_use]
    pub fn unlisted(mut self) -> Self {
        self.listed = false;
        self
    }

    /// Makes it a property of Google Analytics 360: ten times the quota, and 60 minutes of realtime.
    #[must_use]
    pub fn premium(mut self) -> Self {
        self.premium = true;
        self.quota = QuotaSizes::PREMIUM;
        self
    }

    /// Sets the time of creation; nothing is counted before it.
    #[must_use]
    pub fn created(mut self, at: Timestamp) -> Self {
        self.created = at;
        self
    }

    /// Makes it a sub-property, whose visits are a part of another property's.
    #[must_use]
    pub fn subproperty_of(mut self, parent: impl Into<String>) -> Self {
        self.lineage = Lineage::Subproperty(parent.into());
        self
    }

    /// Makes it a roll-up property, whose visits are those of other properties.
    #[must_use]
    pub fn roll_up(mut self) -> Self {
        self.lineage = Lineage::RollUp;
        self
    }

    /// Sets the sizes of the quota buckets of both categories.
    #[must_use]
    pub fn quota(mut self, sizes: QuotaSizes) -> Self {
        self.quota = sizes;
        self
    }
}

/// The relation of a property to others.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Lineage {
    Ordinary,
    /// A sub-property of the property with this id.
    Subproperty(String),
    RollUp,
}

impl Lineage {
    /// `propertyType` of the Admin API.
    pub(super) fn property_type(&self) -> &'static str {
        match self {
            Self::Ordinary => "PROPERTY_TYPE_ORDINARY",
            Self::Subproperty(_) => "PROPERTY_TYPE_SUBPROPERTY",
            Self::RollUp => "PROPERTY_TYPE_ROLLUP",
        }
    }

    /// `parent` of the Admin API.
    pub(super) fn parent(&self, account: &str) -> String {
        match self {
            Self::Subproperty(parent) => format!("properties/{parent}"),
            Self::Ordinary | Self::RollUp => format!("accounts/{account}"),
        }
    }
}

/// A span of time with multiplied traffic.
#[derive(Clone, Copy, Debug)]
pub(super) struct Modifier {
    /// Unix seconds, inclusive.
    pub(super) from: i64,
    /// Unix seconds, exclusive.
    pub(super) until: i64,
    pub(super) factor: f64,
}

/// 2023-03-14T15:09:26.535Z
const CREATED: Timestamp = Timestamp::constant(1_678_806_566, 535_000_000);
