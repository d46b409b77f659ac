//! From a request to its answer: which method it is for, whether it is let in, what befalls it, what it gets.

use std::{
    fmt,
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use hyper::{body::Bytes, header::AUTHORIZATION, http::request::Parts};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    Effect, Method, admin, data,
    directory::Directory,
    errors::{Api, ApiError},
    faults::{Fate, Faults},
    form::Form,
    ledger::Quota,
    log::{Log, Request},
    metadata_server,
    outcome::Outcome,
    quota::Bucket,
    routes::{Route, check_query, route},
    tamper,
    token::{TokenAnswer, Tokens},
    world::World,
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
    pub(super) directory: Directory,
    arrivals: AtomicU64,
}

/// A request with its body.
pub(super) struct Call {
    pub(super) head: Parts,
    pub(super) body: Bytes,
}

impl State {
    pub(super) fn new(
        base_url: String,
        world: World,
        tokens: Tokens,
        clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    ) -> Self {
        Self {
            base_url,
            clock,
            tokens,
            quota: Arc::default(),
            faults: Faults::default(),
            log: Log::new(world.log_length),
            token_cost: RwLock::new(world.token_cost),
            directory: Directory::new(world.seed, world.accounts),
            arrivals: AtomicU64::new(0),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
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
        let fate = self.faults.befall(route.method, route.property.as_deref(), page);
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
            Some(Effect::RefuseToken(status, error, description)) => TokenAnswer::error(*status, error, description),
            _ => {
                let form = Form::parse(&String::from_utf8_lossy(&call.body));
                self.tokens.exchange(&form, &self.token_uri(), now)
            }
        };
        tamper::apply(Outcome::json(answer.http, &answer.body), fate.effect.as_ref())
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
        let header = call.head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let arrival = self.now();
        let checked =
            check_query(route.method, query).and_then(|()| self.tokens.authorize(header, api, &self.base_url, arrival));
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
                if query.get("$alt").or_else(|| query.get("alt")).is_some_and(|alt| alt.contains("enum-encoding=int")) {
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
            self.quota.take(property, route.category(), Bucket::ServerErrors, 1, now);
        }
    }

    pub(super) fn token_uri(&self) -> String {
        format!("{}/token", self.base_url)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("base_url", &self.base_url).finish_non_exhaustive()
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
