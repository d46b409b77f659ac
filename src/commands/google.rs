//! Asking Google once: what commands need that end after their answer.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::task::JoinSet;

use super::Error;
use ga4_exporter_core::{chain::Chain, names::PropertyId};

use crate::{
    auth::{
        credentials::{Credentials, Environment},
        refresher::Refresher,
    },
    cli::AccessFlags,
    clock::Clock,
    files::Aside,
    ga::{self, Client, Endpoints},
    observer::{Nobody, Observer},
    serve,
    transport::{Deadlines, Roots, Transport},
};

/// What a command takes from the machine that it runs on.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Where credentials are looked for.
    pub environment: Environment,
    /// Whom TLS trusts.
    pub roots: Roots,
    /// The time.
    pub clock: Clock,
}

/// Signed in as long as it lives.
pub(super) struct Google {
    pub(super) client: Client,
    _refresher: JoinSet<()>,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_process() -> Self {
        Self { environment: Environment::of_process(), roots: Roots::System, clock: Clock::system() }
    }

    /// The present time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl Google {
    /// Finds credentials and begins to sign in.
    ///
    /// # Errors
    /// There are none, or no certificates to trust.
    pub(super) async fn reach(flags: &AccessFlags, surroundings: &Surroundings) -> Result<Self, Error> {
        let transport = Transport::new(surroundings.roots, Deadlines::default()).map_err(serve::Error::from)?;
        let named = flags.credentials_file.as_deref();
        let credentials = Credentials::find(named, &surroundings.environment, &transport, &Aside::start("files")).await;
        let credentials = credentials.map_err(serve::Error::from)?;
        let observer: Arc<dyn Observer> = Arc::new(Nobody);
        let clock = surroundings.clock.clone();
        // Without anybody who hands in other credentials.
        let (refresher, tokens, _) = Refresher::new(credentials, transport.clone(), Arc::clone(&observer), clock);
        let endpoints = Endpoints { data: flags.data_api_url.clone(), admin: flags.admin_api_url.clone() };
        let mut tasks = JoinSet::new();
        tasks.spawn(refresher.run());
        Ok(Self { client: Client::new(transport, tokens, observer, endpoints), _refresher: tasks })
    }

    /// What went wrong with a property, and what to do about it.
    pub(super) fn failure(&self, error: &ga::Error, property: PropertyId) -> Error {
        let account = self.client.account();
        let remedy = error.remedy(Some(property), account.as_deref());
        Error::Google(format!("property {property}: {}; {remedy}", Chain(error)))
    }
}
