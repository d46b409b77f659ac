//! The accounts and properties that are served; tests can change them at any time.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use super::{
    site::Site,
    world::{Account, Property},
};

/// All accounts in the order of the listing.
#[derive(Debug)]
pub(super) struct Directory {
    seed: u64,
    /// Written by tests, read by requests.
    content: RwLock<Content>,
}

/// An account with its properties, in the order of the listing.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) sites: Vec<Arc<Site>>,
}

#[derive(Debug, Default)]
struct Content {
    accounts: Vec<Entry>,
    sites: HashMap<String, Arc<Site>>,
}

#[derive(Debug)]
struct Entry {
    id: String,
    name: String,
    properties: Vec<String>,
}

impl Directory {
    pub(super) fn new(seed: u64, accounts: Vec<Account>) -> Self {
        let directory = Self { seed, content: RwLock::default() };
        for account in accounts {
            directory.add(account);
        }
        directory
    }

    /// Returns a property, even if the caller may not see it.
    pub(super) fn site(&self, id: &str) -> Option<Arc<Site>> {
        self.read().sites.get(id).cloned()
    }

    /// Returns a page of the accounts.
    pub(super) fn page(&self, offset: usize, size: usize) -> Vec<Listing> {
        let content = self.read();
        let sites = |entry: &Entry| {
            let ids = entry.properties.iter();
            ids.filter_map(|id| content.sites.get(id).cloned()).collect()
        };
        let page = content.accounts.iter().skip(offset).take(size);
        page.map(|entry| Listing { id: entry.id.clone(), name: entry.name.clone(), sites: sites(entry) }).collect()
    }

    /// Returns the number of accounts.
    pub(super) fn len(&self) -> usize {
        self.read().accounts.len()
    }

    /// Adds an account, or adds properties to an existing one.
    pub(super) fn add(&self, account: Account) {
        let mut content = self.write();
        let ids = account.properties.iter().map(|property| property.id.clone());
        let ids: Vec<String> = ids.collect();
        for property in account.properties {
            let site = Site::new(self.seed, &account.id, property);
            content.sites.insert(site.property.id.clone(), Arc::new(site));
        }
        match content.accounts.iter_mut().find(|entry| entry.id == account.id) {
            Some(entry) => entry.properties.extend(ids),
            None => content.accounts.push(Entry { id: account.id, name: account.name, properties: ids }),
        }
    }

    /// Replaces a property by a changed one, without its cache, because its past may have changed. Returns false if
    /// it does not exist.
    pub(super) fn edit(&self, id: &str, change: impl FnOnce(Property) -> Property) -> bool {
        let mut content = self.write();
        let Some(site) = content.sites.get_mut(id) else {
            return false;
        };
        let property = change(site.property.clone());
        *site = Arc::new(Site::new(self.seed, &site.account_id, property));
        true
    }

    /// Removes a property. Returns false if it does not exist.
    pub(super) fn remove(&self, id: &str) -> bool {
        let mut content = self.write();
        for entry in &mut content.accounts {
            entry.properties.retain(|other| other != id);
        }
        content.sites.remove(id).is_some()
    }

    fn read(&self) -> RwLockReadGuard<'_, Content> {
        self.content.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Content> {
        self.content.write().unwrap_or_else(PoisonError::into_inner)
    }
}
