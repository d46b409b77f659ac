//! From a request to its answer: which method it is for, whether it is let in, what befalls it, what it gets.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use hyper::{body::Bytes, header::AUTHORIZATION, http::request::Parts};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    Effect, Method, admin,
    body::Then,
    data,
    errors::{Api, ApiError},
    faults::{Fate, Faults},
    form::Form,
    ledger::Quota,
    log::{Log, Request},
    metadata_server,
    quota::Bucket,
    routes::{Route, check_query, route},
    site::Site,
    tamper,
    token::{TokenAnswer, Tokens},
    world::{Account, Property, World},
};

/// What all connections share.
pub(super) struct State {
    pub(super) base_url: String,
    pub(super) clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    pub(super) tokens: Tokens,
    pub(super) quota: Arc<Quota>,
    pub(super) faults: Faults,
    pub(super) log: Log,
    /// Changed by tests, read by requests.
    pub(super) token_cost: RwLock<Option<u32>>,
    directory: RwLock<Directory>,
    seed: u64,
    arrivals: AtomicU64,
}

/// The accounts and their properties, in the order of the listing.
#[derive(Debug, Default)]
struct Directory {
    accounts: Vec<(String, String, Vec<String>)>,
    sites: HashMap<String, Arc<Site>>,
}

/// A request with its body.
pub(super) struct Call {
    pub(super) head: Parts,
    pub(super) body: Bytes,
}

/// An answer, ready to be sent.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    /// With the header of the metadata server.
    pub(super) flavor: bool,
    pub(super) body: Bytes,
    pub(super) then: Then,
}

impl State {
    pub(super) fn new(
        base_url: String,
        world: World,
        tokens: Tokens,
        clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    ) -> Self {
        let state = Self {
            base_url,
            clock,
            tokens,
            quota: Arc::default(),
            faults: Faults::default(),
            log: Log::new(world.log_length),
            token_cost: RwLock::new(world.token_cost),
            directory: RwLock::default(),
            seed: world.seed,
            arrivals: AtomicU64::new(0),
        };
        for account in world.accounts {
            state.add_account(account);
        }
        state
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// A property, whether the caller may see it or not.
    pub(super) fn site(&self, id: &str) -> Option<Arc<Site>> {
        self.read().sites.get(id).cloned()
    }

    /// The accounts as (id, name, properties).
    pub(super) fn accounts(&self) -> Vec<(String, String, Vec<Arc<Site>>)> {
        let directory = self.read();
        let sites = |ids: &[String]| {
            ids.iter()
                .filter_map(|id| directory.sites.get(id).cloned())
                .collect()
        };
        directory
            .accounts
            .iter()
            .map(|(id, name, properties)| (id.clone(), name.clone(), sites(properties)))
            .collect()
    }

    /// Adds an account, or properties to one that is there.
    pub(super) fn add_account(&self, account: Account) {
        let mut directory = self
            .directory
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let ids: Vec<String> = account
            .properties
            .iter()
            .map(|property| property.id.clone())
            .collect();
        for property in account.properties {
            let site = Site::new(self.seed, &account.id, property);
            directory
                .sites
                .insert(site.property.id.clone(), Arc::new(site));
        }
        match directory
            .accounts
            .iter_mut()
            .find(|(id, ..)| *id == account.id)
        {
            Some((.., properties)) => properties.extend(ids),
            None => directory.accounts.push((account.id, account.name, ids)),
        }
    }

    /// Replaces a property; a site without memory, since the past may have changed.
    pub(super) fn edit(&self, id: &str, change: impl FnOnce(Property) -> Property) -> bool {
        let mut directory = self
            .directory
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(site) = directory.sites.get_mut(id) else {
            return false;
        };
        let property = change(site.property.clone());
        *site = Arc::new(Site::new(self.seed, &site.account_id, property));
        true
    }

    pub(super) fn remove(&self, id: &str) -> bool {
        let mut directory = self
            .directory
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for (.., properties) in &mut directory.accounts {
            properties.retain(|other| other != id);
        }
        directory.sites.remove(id).is_some()
    }

    /// Answers a request, and writes both into the log.
    pub(super) async fn answer(self: &Arc<Self>, call: Call) -> Outcome {
        let number = self.arrivals.fetch_add(1, Ordering::Relaxed);
        let path = call.head.uri.path().to_owned();
        let query = call.head.uri.query().unwrap_or_default().to_owned();
        let route = route(call.head.method.as_str(), &path);
        self.log.arrived(Request {
            number,
            method: route.as_ref().map(|route| route.method),
            http_method: call.head.method.to_string(),
            path,
            property: route.as_ref().and_then(|route| route.property.clone()),
            body: serde_json::from_slice(&call.body).unwrap_or(Value::Null),
            at: self.now(),
            answered_at: None,
            status: None,
            query,
        });
        let (outcome, at) = match &route {
            Some(route) => self.answer_route(route, &call).await,
            None => (Outcome::not_found(call.head.uri.path()), self.now()),
        };
        if !outcome.is_silent() {
            self.log.answered(number, outcome.status, at);
        }
        outcome
    }

    async fn answer_route(self: &Arc<Self>, route: &Route, call: &Call) -> (Outcome, Timestamp) {
        let query = Form::parse(call.head.uri.query().unwrap_or_default());
        let page = admin::page_number(&query);
        let fate = self
            .faults
            .befall(route.method, route.property.as_deref(), page);
        match route.api() {
            Some(api) => self.answer_api(route, api, &query, call, &fate).await,
            None => {
                wait(&fate).await;
                let now = self.now();
                let outcome = if route.method == Method::Token {
                    self.token_answer(call, &fate, now)
                } else {
                    let answer = metadata_server::answer(self, call, &query, now);
                    tamper::apply(answer, fate.effect.as_ref())
                };
                (outcome, now)
            }
        }
    }

    fn token_answer(&self, call: &Call, fate: &Fate, now: Timestamp) -> Outcome {
        let answer = match &fate.effect {
            Some(Effect::RefuseToken(status, error, description)) => {
                TokenAnswer::error(*status, error, description)
            }
            _ => {
                let form = Form::parse(&String::from_utf8_lossy(&call.body));
                self.tokens.exchange(&form, &self.token_uri(), now)
            }
        };
        tamper::apply(
            Outcome::json(answer.http, &answer.body),
            fate.effect.as_ref(),
        )
    }

    /// The order of Google's front end and of the API behind it: sign-in, access, quota, the request itself.
    async fn answer_api(
        self: &Arc<Self>,
        route: &Route,
        api: Api,
        query: &Form,
        call: &Call,
        fate: &Fate,
    ) -> (Outcome, Timestamp) {
        let header = call
            .head
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let arrival = self.now();
        let checked = check_query(route.method, query)
            .and_then(|()| self.tokens.authorize(header, api, &self.base_url, arrival));
        if let Err(error) = checked {
            return (Outcome::error(&error), arrival);
        }
        let result = if api == Api::Data {
            data::answer(self, route, call, fate).await
        } else {
            wait(fate).await;
            let now = self.now();
            let body = refused(fate, api).and_then(|()| admin::answer(self, route, query));
            (body, now)
        };
        let (body, now) = result;
        let outcome = match body {
            Ok(mut body) => {
                tamper::change(&mut body, fate.effect.as_ref());
                if query
                    .get("$alt")
                    .or_else(|| query.get("alt"))
                    .is_some_and(|alt| alt.contains("enum-encoding=int"))
                {
                    tamper::number_enums(&mut body);
                }
                Outcome::json(200, &body)
            }
            Err(error) => Outcome::error(&error),
        };
        (tamper::apply(outcome, fate.effect.as_ref()), now)
    }

    /// Takes a server error from the bucket that pays for it.
    pub(super) fn note_server_error(&self, route: &Route, error: &ApiError, now: Timestamp) {
        if let Some(property) = &route.property
            && error.is_server_error()
        {
            self.quota
                .take(property, route.category(), Bucket::ServerErrors, 1, now);
        }
    }

    pub(super) fn token_uri(&self) -> String {
        format!("{}/token", self.base_url)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Directory> {
        self.directory
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

/// Waits as long as a fault says: some time, or for ever (until the connection or the simulator ends).
pub(super) async fn wait(fate: &Fate) {
    if !fate.latency.is_zero() {
        tokio::time::sleep(fate.latency).await;
    }
    if fate.effect == Some(Effect::Hang) {
        std::future::pending::<()>().await;
    }
}

/// The refusal that a fault asks for.
pub(super) fn refused(fate: &Fate, api: Api) -> Result<(), ApiError> {
    match fate.effect {
        Some(Effect::Refuse(refusal)) => Err(ApiError::refusal(refusal, api)),
        _ => Ok(()),
    }
}

impl Outcome {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            content_type: "application/json; charset=UTF-8",
            flavor: false,
            body: Bytes::from(format!("{body:#}\n")),
            then: Then::End,
        }
    }

    pub(super) fn error(error: &ApiError) -> Self {
        Self::json(error.http, &error.body())
    }

    pub(super) fn text(status: u16, content_type: &'static str, text: impl Into<String>) -> Self {
        Self {
            status,
            content_type,
            flavor: false,
            body: Bytes::from(text.into()),
            then: Then::End,
        }
    }

    /// Nothing at all is sent.
    pub(super) fn is_silent(&self) -> bool {
        self.then == Then::Cut && self.body.is_empty()
    }

    /// What Google's front end says of a path that no API has: a page, not JSON.
    fn not_found(path: &str) -> Self {
        let page = format!(
            "<!DOCTYPE html>\n<html lang=en>\n<title>Error 404 (Not Found)!!1</title>\n<p><b>404.</b> <ins>That’s an \
             error.</ins>\n<p>The requested URL <code>{}</code> was not found on this server.  <ins>That’s all we \
             know.</ins>\n",
            path.replace('&', "&amp;").replace('<', "&lt;")
        );
        Self::text(404, "text/html; charset=UTF-8", page)
    }
}
