//! The properties to export: configured ones, and those that Google lists.
//!
//! Knows when a property appears and disappears. Refuses to know the network. Invariants: a configured property never
//! disappears; an incomplete listing removes nothing: one with missing pages is not used at all, and one with unreadable
//! entries only adds.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    names::{LabelName, PropertyId, PropertyType},
    shard::Shard,
    time::later,
    wire::{ListedProperty, Listing, PropertyDetails},
};

pub use selection::{ConfiguredProperty, Discovery, IdlePatterns};

mod selection;

/// The properties at one time.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PropertySet {
    /// The properties to poll.
    pub active: BTreeMap<PropertyId, PropertyInfo>,
    /// Properties that Google no longer lists; they are shown as failing until they are removed.
    pub unlisted: BTreeMap<PropertyId, PropertyInfo>,
    /// The number of properties of other shards.
    pub elsewhere: usize,
}

/// Names and attributes of a property. Unknown texts are empty.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PropertyInfo {
    /// The name that its users gave it.
    pub name: String,
    /// Its type, if the Admin API has returned it.
    pub property_type: Option<PropertyType>,
    /// The number of the account that it belongs to.
    pub account_id: String,
    /// The name that the account's users gave it.
    pub account_name: String,
    /// IANA name of the reporting time zone, if the Admin API has returned it.
    pub time_zone: String,
    /// ISO 4217 code of the currency, if the Admin API has returned it.
    pub currency: String,
    /// Its labels from the configuration.
    pub labels: BTreeMap<LabelName, String>,
}

impl PropertyInfo {
    /// Returns its name, if Google has reported it.
    pub fn known_name(&self) -> Option<&str> {
        Some(self.name.as_str()).filter(|name| !name.is_empty())
    }

    /// Returns its labels besides the id. An unknown name is the id; an unknown name of an account is its number.
    pub fn labels_of(&self, id: PropertyId) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        let name = self.known_name().map_or_else(|| Cow::Owned(id.to_string()), Cow::Borrowed);
        let account_name = if self.account_name.is_empty() { &self.account_id } else { &self.account_name };
        let known = [
            ("property_name", name),
            ("property_type", Cow::Borrowed(self.property_type.map_or("", PropertyType::as_str))),
            ("account_id", Cow::Borrowed(self.account_id.as_str())),
            ("account_name", Cow::Borrowed(account_name.as_str())),
            ("time_zone", Cow::Borrowed(self.time_zone.as_str())),
            ("currency", Cow::Borrowed(self.currency.as_str())),
        ];
        let own = self.labels.iter().map(|(label, value)| (label.as_str(), Cow::Borrowed(value.as_str())));
        known.into_iter().chain(own)
    }
}

/// The configured and listed properties, and since when some are missing.
#[derive(Debug, Default)]
pub struct Properties {
    /// This process' shard.
    shard: Shard,
    configured: BTreeMap<PropertyId, BTreeMap<LabelName, String>>,
    discovery: Option<Discovery>,
    /// Each property as it was last listed, selected or not.
    listed: BTreeMap<PropertyId, ListedProperty>,
    details: BTreeMap<PropertyId, PropertyDetails>,
    /// Selected properties that the last complete listing did not have.
    missing: BTreeMap<PropertyId, Missing>,
}

#[derive(Debug)]
struct Missing {
    /// The property as it was last listed.
    last: ListedProperty,
    /// Since the second complete listing without it.
    unlisted_since: Option<Timestamp>,
}

impl Properties {
    /// Creates the set from the configuration, before the first listing.
    pub fn new(configured: &[ConfiguredProperty], discovery: Option<&Discovery>, shard: Shard) -> Self {
        let mut properties = Self { shard, ..Self::default() };
        properties.configure(configured, discovery);
        properties
    }

    /// Adopts another configuration. Properties that it no longer selects are removed at once.
    pub fn configure(&mut self, configured: &[ConfiguredProperty], discovery: Option<&Discovery>) {
        let labels = |property: &ConfiguredProperty| (property.id, property.labels.clone());
        self.configured = configured.iter().map(labels).collect();
        self.discovery = discovery.cloned();
        let discovery = self.discovery.clone();
        let selects = |name: &str| discovery.as_ref().is_some_and(|discovery| discovery.selects(name));
        self.missing.retain(|_, missing| selects(&missing.last.name));
        let configured = &self.configured;
        self.details.retain(|id, _| configured.contains_key(id));
    }

    /// Adopts a listing with all pages. Unknown details keep their old values; if an entry is unreadable, no property counts as
    /// missing.
    pub fn on_listing(&mut self, now: Timestamp, listing: Listing) {
        let is_complete = listing.is_complete();
        let known = |property: ListedProperty| match self.last_listed(property.id) {
            Some(known) => (property.id, property.or_known(known)),
            None => (property.id, property),
        };
        let mut listed: BTreeMap<_, _> = listing.properties.into_iter().map(known).collect();
        let before = std::mem::take(&mut self.listed);
        if is_complete {
            for (id, missing) in &mut self.missing {
                if !listed.contains_key(id) {
                    missing.unlisted_since.get_or_insert(now);
                }
            }
            for (id, last) in before {
                if !listed.contains_key(&id) && self.selects(&last.name) {
                    self.missing.entry(id).or_insert(Missing { last, unlisted_since: None });
                }
            }
        } else {
            for (id, last) in before {
                listed.entry(id).or_insert(last);
            }
        }
        self.missing.retain(|id, _| !listed.contains_key(id));
        self.listed = listed;
        self.forget(now);
    }

    /// Adopts the Admin API's details of a property.
    pub fn on_details(&mut self, id: PropertyId, details: PropertyDetails) {
        self.details.insert(id, details);
    }

    /// Removes properties that have been missing for too long. Returns whether there were any.
    pub fn forget(&mut self, now: Timestamp) -> bool {
        let before = self.missing.len();
        let kept = |since: Timestamp| later(since, UNLISTED_SHOWN) > now;
        self.missing.retain(|_, missing| missing.unlisted_since.is_none_or(kept));
        self.missing.len() < before
    }

    /// Returns the current set.
    pub fn set(&self) -> PropertySet {
        let mut set = PropertySet::default();
        let selected = self.listed.values().filter(|property| self.selects(&property.name)).map(|property| property.id);
        let missed_once =
            self.missing.iter().filter(|(_, missing)| missing.unlisted_since.is_none()).map(|(id, _)| *id);
        let active: BTreeSet<PropertyId> = self.configured.keys().copied().chain(selected).chain(missed_once).collect();
        for id in active.iter().filter(|id| self.shard.owns(**id)) {
            set.active.insert(*id, self.info(*id));
        }
        set.elsewhere = active.len() - set.active.len();
        for id in self.missing.keys().filter(|id| !active.contains(id) && self.shard.owns(**id)) {
            set.unlisted.insert(*id, self.info(*id));
        }
        set
    }

    /// The configured properties of this shard.
    pub fn configured(&self) -> impl Iterator<Item = PropertyId> {
        self.configured.keys().copied().filter(|id| self.shard.owns(*id))
    }

    /// Whether this property is exported, by this shard or another, as far as is known.
    pub fn exports(&self, id: PropertyId) -> bool {
        let is_listed = self.listed.get(&id).is_some_and(|property| self.selects(&property.name));
        is_listed || self.configured.contains_key(&id) || self.missing.contains_key(&id)
    }

    /// The patterns of discovery that match none of the properties that were listed.
    pub fn idle_patterns(&self) -> IdlePatterns {
        let names = || self.listed.values().map(|property| property.name.as_str());
        self.discovery.as_ref().map(|discovery| discovery.idle_patterns(names)).unwrap_or_default()
    }

    fn selects(&self, name: &str) -> bool {
        self.discovery.as_ref().is_some_and(|discovery| discovery.selects(name))
    }

    /// Returns the property as it was last listed.
    fn last_listed(&self, id: PropertyId) -> Option<&ListedProperty> {
        self.listed.get(&id).or_else(|| self.missing.get(&id).map(|missing| &missing.last))
    }

    fn info(&self, id: PropertyId) -> PropertyInfo {
        let listed = self.last_listed(id);
        let details = self.details.get(&id);
        let known = |of_listed: fn(&ListedProperty) -> &String, of_details: fn(&PropertyDetails) -> &String| {
            let texts = listed.map(of_listed).into_iter().chain(details.map(of_details));
            texts.into_iter().find(|text| !text.is_empty()).cloned().unwrap_or_default()
        };
        PropertyInfo {
            name: known(|listed| &listed.name, |details| &details.name),
            property_type: listed
                .and_then(|listed| listed.property_type)
                .or_else(|| details.and_then(|details| details.property_type)),
            account_id: known(|listed| &listed.account_id, |details| &details.account_id),
            account_name: listed.map(|listed| listed.account_name.clone()).unwrap_or_default(),
            time_zone: details.map(|details| details.time_zone.clone()).unwrap_or_default(),
            currency: details.map(|details| details.currency.clone()).unwrap_or_default(),
            labels: self.configured.get(&id).cloned().unwrap_or_default(),
        }
    }
}

/// How long a property that Google no longer lists is shown as failing.
pub const UNLISTED_SHOWN: Duration = Duration::from_secs(7 * 86_400);

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    const SHOP: u64 = 1;
    const NEWS: u64 = 2;

    fn id(number: u64) -> PropertyId {
        number.to_string().parse().unwrap()
    }

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + 3600 * hours).unwrap()
    }

    /// Those with these numbers, and all others that are listed.
    fn properties(configured: &[u64]) -> Properties {
        Properties::new(&named(configured), Some(&Discovery::default()), Shard::default())
    }

    fn named(numbers: &[u64]) -> Vec<ConfiguredProperty> {
        numbers.iter().map(|number| ConfiguredProperty { id: id(*number), labels: BTreeMap::new() }).collect()
    }

    #[test]
    fn what_is_listed_and_selected_or_configured_is_exported() {
        let mut properties = Properties::new(&named(&[NEWS]), Some(&only(&["^Shop"], &[])), Shard::default());
        let exported = |properties: &Properties| [1, 2, 3].map(|number| properties.exports(id(number)));
        assert_eq!(exported(&properties), [false, true, false]);
        properties.on_listing(at(0), listing(&[(SHOP, "Shop"), (3, "Blog")]));
        assert_eq!(exported(&properties), [true, true, false]);
        properties.on_listing(at(1), listing(&[(3, "Blog")]));
        assert_eq!(exported(&properties), [true, true, false], "it is shown as failing");
    }

    fn only(include: &[&str], exclude: &[&str]) -> Discovery {
        let compiled = |patterns: &[&str]| patterns.iter().map(|pattern| Regex::new(pattern).unwrap()).collect();
        Discovery { include: compiled(include), exclude: compiled(exclude), ..Discovery::default() }
    }

    fn listing(names: &[(u64, &str)]) -> Listing {
        let listed = |(number, name): &(u64, &str)| ListedProperty {
            id: id(*number),
            name: (*name).to_owned(),
            property_type: None,
            account_id: "9".to_owned(),
            account_name: "Account".to_owned(),
        };
        Listing { properties: names.iter().map(listed).collect(), ..Listing::default() }
    }

    /// A listing with an entry that cannot be read.
    fn torn_listing(names: &[(u64, &str)]) -> Listing {
        Listing { hidden: 1, ..listing(names) }
    }

    fn details(property_type: Option<PropertyType>) -> PropertyDetails {
        PropertyDetails {
            name: "By details".to_owned(),
            property_type,
            account_id: "8".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            currency: "EUR".to_owned(),
            is_premium: None,
            created: None,
        }
    }

    fn active(properties: &Properties) -> Vec<u64> {
        properties.set().active.keys().map(|id| id.as_u64()).collect()
    }

    fn unlisted(properties: &Properties) -> Vec<u64> {
        properties.set().unlisted.keys().map(|id| id.as_u64()).collect()
    }

    #[test]
    fn a_property_goes_with_the_second_complete_listing_without_it() {
        let mut properties = properties(&[]);
        properties.on_listing(at(0), listing(&[(SHOP, "Shop"), (NEWS, "News")]));
        properties.on_listing(at(1), listing(&[(NEWS, "News")]));
        assert_eq!((active(&properties), unlisted(&properties)), (vec![1, 2], vec![]));
        properties.on_listing(at(2), listing(&[(NEWS, "News")]));
        assert_eq!((active(&properties), unlisted(&properties)), (vec![2], vec![1]));
        assert_eq!(properties.set().unlisted[&id(SHOP)].name, "Shop", "it keeps its name");
        assert!(!properties.forget(at(2 + 7 * 24 - 1)));
        assert!(properties.forget(at(2 + 7 * 24)));
        assert!(unlisted(&properties).is_empty());
    }

    #[test]
    fn a_property_that_is_listed_again_is_as_before() {
        let mut properties = properties(&[]);
        properties.on_listing(at(0), listing(&[(SHOP, "Shop")]));
        for hour in 1..=3 {
            properties.on_listing(at(hour), listing(&[]));
        }
        properties.on_listing(at(4), listing(&[(SHOP, "Shop")]));
        assert_eq!((active(&properties), unlisted(&properties)), (vec![1], vec![]));
        properties.on_listing(at(5), listing(&[]));
        assert_eq!(active(&properties), [1], "it counts from the beginning");
    }

    #[test]
    fn shards_share_what_is_configured_and_what_is_listed() {
        let (configured, discovery) = (named(&[1, 2, 3, 4]), Discovery::default());
        let mut all = Vec::new();
        for shard in ["0/3", "1/3", "2/3"] {
            let mut properties = Properties::new(&configured, Some(&discovery), shard.parse().unwrap());
            properties.on_listing(at(0), listing(&[(4, "Shop"), (5, "News"), (6, "Blog"), (7, "Wiki")]));
            let set = properties.set();
            assert_eq!(set.active.len() + set.elsewhere, 7);
            assert!(properties.configured().all(|id| set.active.contains_key(&id)));
            properties.on_listing(at(1), listing(&[]));
            properties.on_listing(at(2), listing(&[]));
            let gone = unlisted(&properties);
            assert!(gone.iter().all(|number| *number > 4 && set.active.contains_key(&id(*number))));
            all.extend(set.active.keys().map(|id| id.as_u64()));
        }
        all.sort_unstable();
        assert_eq!(all, [1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn a_configured_property_never_goes() {
        let mut properties = properties(&[1]);
        properties.on_listing(at(0), listing(&[(SHOP, "Shop"), (NEWS, "News")]));
        for hour in 1..=3 {
            properties.on_listing(at(hour), listing(&[]));
        }
        assert_eq!((active(&properties), unlisted(&properties)), (vec![1], vec![2]));
    }

    #[test]
    fn nothing_goes_while_an_entry_cannot_be_read() {
        let mut properties = properties(&[]);
        properties.on_listing(at(0), listing(&[(SHOP, "Shop")]));
        for hour in 1..=3 {
            properties.on_listing(at(hour), torn_listing(&[(NEWS, "News")]));
            assert_eq!((active(&properties), unlisted(&properties)), (vec![1, 2], vec![]), "what is new comes");
        }
        properties.on_listing(at(4), listing(&[(NEWS, "News")]));
        properties.on_listing(at(5), torn_listing(&[(NEWS, "News")]));
        assert_eq!((active(&properties), unlisted(&properties)), (vec![1, 2], vec![]), "missing once");
        properties.on_listing(at(6), listing(&[(NEWS, "News")]));
        properties.on_listing(at(7), listing(&[(NEWS, "News")]));
        assert_eq!((active(&properties), unlisted(&properties)), (vec![2], vec![1]));
        properties.on_listing(at(8), torn_listing(&[(SHOP, "Shop")]));
        assert_eq!((active(&properties), unlisted(&properties)), (vec![1, 2], vec![]), "it is back");
    }

    #[test]
    fn a_name_that_cannot_be_read_is_the_one_before() {
        let mut properties = Properties::new(&[], Some(&only(&["^Shop"], &[])), Shard::default());
        properties.on_listing(at(0), listing(&[(SHOP, "Shop"), (NEWS, "")]));
        assert_eq!(active(&properties), [1]);
        properties.on_listing(at(1), listing(&[(SHOP, ""), (NEWS, "Shop, too")]));
        assert_eq!(active(&properties), [1, 2]);
        assert_eq!(properties.set().active[&id(SHOP)].name, "Shop");
    }

    #[test]
    fn a_type_comes_from_the_listing_or_the_details() {
        let mut properties = properties(&[1]);
        let of_shop = |properties: &Properties| {
            let set = properties.set();
            set.active[&id(SHOP)].labels_of(id(SHOP)).map(|(_, value)| value.into_owned()).nth(1).unwrap()
        };
        assert_eq!(of_shop(&properties), "");
        properties.on_details(id(SHOP), details(Some(PropertyType::Rollup)));
        assert_eq!(of_shop(&properties), "rollup");
        let mut of_part = listing(&[(SHOP, "Shop")]);
        properties.on_listing(at(0), of_part.clone());
        assert_eq!(of_shop(&properties), "rollup", "a listing may leave it out");
        of_part.properties[0].property_type = Some(PropertyType::Subproperty);
        properties.on_listing(at(1), of_part);
        assert_eq!(of_shop(&properties), "subproperty");
    }

    #[test]
    fn another_configuration_lets_go_at_once_what_it_does_not_select() {
        let mut properties = properties(&[]);
        properties.on_listing(at(0), listing(&[(SHOP, "Shop"), (NEWS, "News")]));
        properties.configure(&[], Some(&only(&[], &["Shop"])));
        assert_eq!((active(&properties), unlisted(&properties)), (vec![2], vec![]));
    }

    #[test]
    fn names_come_from_the_listing_and_then_from_the_details() {
        let mut properties = properties(&[1]);
        properties.on_details(id(SHOP), details(None));
        let info = properties.set().active.remove(&id(SHOP)).unwrap();
        assert_eq!((info.name.as_str(), info.account_name.as_str()), ("By details", ""));
        properties.on_listing(at(0), listing(&[(SHOP, "By listing")]));
        let info = properties.set().active.remove(&id(SHOP)).unwrap();
        assert_eq!((info.name.as_str(), info.account_name.as_str()), ("By listing", "Account"));
        assert_eq!((info.time_zone.as_str(), info.currency.as_str()), ("Europe/Berlin", "EUR"));
    }
}
