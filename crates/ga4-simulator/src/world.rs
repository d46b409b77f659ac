//! What exists in the simulated Google Analytics: accounts, their properties, how much traffic those have.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use super::quota::QuotaSizes;

/// Everything that the simulator serves; made once, then given to [`super::Simulator::start`].
#[derive(Clone, Debug)]
pub struct World {
    pub(super) seed: u64,
    pub(super) accounts: Vec<Account>,
    pub(super) token_lifetime: Duration,
    pub(super) token_cost: Option<u32>,
    pub(super) log_length: usize,
}

impl World {
    /// An empty world. The same `seed` and properties have the same traffic at the same instant, always.
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

    /// How long access tokens live; Google's 3599 s unless told otherwise.
    #[must_use]
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime;
        self
    }

    /// Every report costs this many quota tokens, instead of the small formula of [`super::Simulator`].
    #[must_use]
    pub fn token_cost(mut self, tokens: u32) -> Self {
        self.token_cost = Some(tokens);
        self
    }

    /// How many requests the log keeps; 1,000 unless told otherwise.
    #[must_use]
    pub fn log_length(mut self, requests: usize) -> Self {
        self.log_length = requests;
        self
    }

    /// The ids of all properties, in the order of the listing.
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
    /// An account without properties; `id` is numeric.
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

/// A GA4 property: who it is and what traffic it has.
#[derive(Clone, Debug)]
pub struct Property {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) zone_name: String,
    pub(super) zone: TimeZone,
    /// The zone whose days and nights the visitors live by; stays when the reporting zone changes.
    pub(super) rhythm_zone: TimeZone,
    pub(super) currency: String,
    pub(super) pageviews_per_hour: f64,
    pub(super) realtime_ratio: f64,
    pub(super) core_delay: Duration,
    pub(super) steady: bool,
    pub(super) data_access: bool,
    pub(super) listed: bool,
    pub(super) quota: QuotaSizes,
    pub(super) premium: bool,
    pub(super) created: Timestamp,
    pub(super) lineage: Lineage,
    pub(super) modifiers: Vec<Modifier>,
}

impl Property {
    /// A property in UTC with 600 pageviews an hour on average; `id` is numeric.
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
            steady: false,
            data_access: true,
            listed: true,
            quota: QuotaSizes::STANDARD,
            premium: false,
            created: CREATED,
            lineage: Lineage::Ordinary,
            modifiers: Vec::new(),
        }
    }

    /// The numeric id, without `properties/`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The display name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the reporting time zone.
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

    /// The reporting time zone, and the one whose day and night the visitors live by. An unknown name means UTC.
    #[must_use]
    pub fn time_zone(self, name: &str) -> Self {
        let property = self.reporting_zone(name);
        Self { rhythm_zone: property.zone.clone(), ..property }
    }

    /// Changes the reporting time zone only: the same visits at the same instants, in other days.
    #[must_use]
    pub fn reporting_zone(mut self, name: &str) -> Self {
        self.zone = TimeZone::get(name).unwrap_or(TimeZone::UTC);
        self.zone_name = String::from(name);
        self
    }

    /// The currency (ISO 4217) of the revenue.
    #[must_use]
    pub fn currency(mut self, code: &str) -> Self {
        self.currency = String::from(code);
        self
    }

    /// Pageviews an hour, averaged over the week; at most 100 million.
    #[must_use]
    pub fn pageviews_per_hour(mut self, pageviews: f64) -> Self {
        self.pageviews_per_hour = pageviews.clamp(0.0, 1e8);
        self
    }

    /// No traffic, ever.
    #[must_use]
    pub fn without_traffic(self) -> Self {
        self.pageviews_per_hour(0.0)
    }

    /// No rhythm of day and week, only noise.
    #[must_use]
    pub fn steady(mut self) -> Self {
        self.steady = true;
        self
    }

    /// The traffic between two instants is multiplied: 0 an outage, 0.5 a partial one, 3 a campaign.
    #[must_use]
    pub fn scaled(mut self, from: Timestamp, until: Timestamp, factor: f64) -> Self {
        self.modifiers.push(Modifier { from: from.as_second(), until: until.as_second(), factor });
        self
    }

    /// No traffic between two instants.
    #[must_use]
    pub fn outage(self, from: Timestamp, until: Timestamp) -> Self {
        self.scaled(from, until, 0.0)
    }

    /// Realtime reports see this part of what the core reports will say; GA4's differ by up to a tenth.
    #[must_use]
    pub fn realtime_ratio(mut self, ratio: f64) -> Self {
        self.realtime_ratio = ratio.max(0.0);
        self
    }

    /// Core reports miss what happened within this time before now, as GA4's do for hours.
    #[must_use]
    pub fn core_delay(mut self, delay: Duration) -> Self {
        self.core_delay = delay;
        self
    }

    /// The listing shows it, but the Data API answers 403.
    #[must_use]
    pub fn without_data_access(mut self) -> Self {
        self.data_access = false;
        self
    }

    /// Gives access again.
    #[must_use]
    pub fn with_data_access(mut self) -> Self {
        self.data_access = true;
        self
    }

    /// The Data API answers, but the listing does not show it.
    #[must_use]
    pub fn unlisted(mut self) -> Self {
        self.listed = false;
        self
    }

    /// A property of Google Analytics 360: ten times the quota, and 60 minutes of realtime.
    #[must_use]
    pub fn premium(mut self) -> Self {
        self.premium = true;
        self.quota = QuotaSizes::PREMIUM;
        self
    }

    /// Since when it has been there: it counted nothing before.
    #[must_use]
    pub fn created(mut self, at: Timestamp) -> Self {
        self.created = at;
        self
    }

    /// A sub-property: its visits are some of those of another property.
    #[must_use]
    pub fn subproperty_of(mut self, parent: impl Into<String>) -> Self {
        self.lineage = Lineage::Subproperty(parent.into());
        self
    }

    /// A roll-up property: its visits are those of other properties.
    #[must_use]
    pub fn roll_up(mut self) -> Self {
        self.lineage = Lineage::RollUp;
        self
    }

    /// The sizes of the quota buckets of both categories.
    #[must_use]
    pub fn quota(mut self, sizes: QuotaSizes) -> Self {
        self.quota = sizes;
        self
    }
}

/// What a property is to others.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Lineage {
    Ordinary,
    /// Of the property with this id.
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

/// A stretch of time whose traffic is multiplied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Modifier {
    /// Unix seconds, included.
    pub(super) from: i64,
    /// Unix seconds, excluded.
    pub(super) until: i64,
    pub(super) factor: f64,
}

/// 2023-03-14T15:09:26.535Z
const CREATED: Timestamp = Timestamp::constant(1_678_806_566, 535_000_000);
