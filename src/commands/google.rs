//! Access to Google for commands that query once and exit.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use jiff::Timestamp;
use tokio::task::JoinSet;

use super::CommandError;
use ga4_exporter_core::{chain::Chain, names::PropertyId, properties::Properties, shard::Shard};

use crate::{
    auth::{
        Tokens,
        credentials::{Credentials, Environment},
        refresher::Refresher,
    },
    cli::AccessFlags,
    clock::Clock,
    config::Config,
    files::Aside,
    ga::{self, Client, Endpoints},
    observer::{Nobody, Observer},
    serve,
    transport::{Deadlines, Roots},
    witness::Witness,
};

/// What a command uses of the machine that it runs on.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The environment in which credentials are looked up.
    pub environment: Environment,
    /// The certificate authorities that TLS trusts.
    pub roots: Roots,
    /// The source of the time.
    pub clock: Clock,
}

/// A property that a command works on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Target {
    pub(super) id: PropertyId,
    /// Empty if it is not known yet.
    pub(super) name: String,
}

/// A connection to Google that stays signed in until it is dropped.
pub(super) struct Google {
    pub(super) client: Client,
    pub(super) tokens: Tokens,
    /// Compares the clock with Google's.
    pub(super) witness: Witness,
    /// The kind of credentials, and where they were found.
    pub(super) credentials: String,
    /// The e-mail address of the service account, if one signs in.
    pub(super) service_account: Option<String>,
    _refresher: JoinSet<()>,
}

impl Surroundings {
    /// Returns the surroundings of this process.
    pub fn of_process() -> Self {
        Self { environment: Environment::of_process(), roots: Roots::System, clock: Clock::system() }
    }

    /// Returns the current time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl Google {
    /// Finds credentials and starts to sign in.
    ///
    /// # Errors
    /// No credentials are found, or no certificates that TLS can trust.
    pub(super) async fn reach(
        flags: &AccessFlags,
        named: Option<&Path>,
        surroundings: &Surroundings,
    ) -> Result<Self, CommandError> {
        let witness = Witness::new(surroundings.clock.clone());
        let aside = Aside::start("files");
        let transport = serve::transport(surroundings.roots, Deadlines::default(), &aside).await?;
        let transport = transport.witnessed_by(witness.clone());
        let credentials = Credentials::find(named, &surroundings.environment, &transport, &aside).await;
        let credentials = credentials.map_err(serve::ServeError::from)?;
        let observer: Arc<dyn Observer> = Arc::new(Nobody);
        let clock = surroundings.clock.clone();
        let (described, service_account) = (credentials.to_string(), credentials.service_account().map(str::to_owned));
        // Commands never replace credentials, so the handle for that is dropped.
        let (refresher, tokens, _) = Refresher::new(credentials, transport.clone(), Arc::clone(&observer), clock);
        let endpoints = Endpoints { data: flags.data_api_url.clone(), admin: flags.admin_api_url.clone() };
        let mut tasks = JoinSet::new();
        tasks.spawn(refresher.run());
        Ok(Self {
            client: Client::new(transport, tokens.clone(), observer, endpoints),
            tokens,
            witness,
            credentials: described,
            service_account,
            _refresher: tasks,
        })
    }

    /// Returns the properties that a command works on: the given ones, or else the configured or visible ones.
    ///
    /// # Errors
    /// The properties cannot be listed.
    pub(super) async fn properties(
        &self,
        config: &Config,
        given: &[PropertyId],
        now: Timestamp,
    ) -> Result<Vec<Target>, CommandError> {
        let mut listing = None;
        if config.discovery.is_some() && given.is_empty() {
            let listed = self.client.listed_properties(config.most_properties).await;
            listing = Some(listed.map_err(|error| self.listing_failure(&error))?);
        }
        Ok(self.targets(config, given, listing, now).unwrap_or_default())
    }

    /// Returns the same properties from a listing, if there is one; returns `None` if a listing is required.
    pub(super) fn targets(
        &self,
        config: &Config,
        given: &[PropertyId],
        listing: Option<ga::Listing>,
        now: Timestamp,
    ) -> Option<Vec<Target>> {
        if !given.is_empty() {
            let mut seen = BTreeSet::new();
            let once = given.iter().filter(|id| seen.insert(**id));
            return Some(once.map(|id| Target { id: *id, name: String::new() }).collect());
        }
        let mut properties = Properties::new(&config.properties, config.discovery.as_ref(), Shard::default());
        match listing {
            Some(listing) => properties.on_listing(now, listing),
            None if config.discovery.is_some() && config.properties.is_empty() => return None,
            None => {}
        }
        Some(properties.set().active.into_iter().map(|(id, info)| Target { id, name: info.name }).collect())
    }

    /// Returns the error for a failed listing, with its remedy.
    pub(super) fn listing_failure(&self, error: &ga::ApiError) -> CommandError {
        let account = self.client.account();
        let remedy = error.advice(None, account.as_deref());
        CommandError::Google(format!("the properties cannot be listed: {}; {remedy}", Chain(error)))
    }

    /// Returns the error for a failed property, with its remedy.
    pub(super) fn failure(&self, error: &ga::ApiError, property: PropertyId) -> CommandError {
        let account = self.client.account();
        let remedy = error.remedy(Some(property), account.as_deref());
        CommandError::Google(format!("property {property}: {}; {remedy}", Chain(error)))
    }
}
