//! Processes a request: finds its method, checks its authorization, applies faults, and answers.

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
    Effect, Method, admin, control, data,
    directory::Directory,
    errors::{Api, ApiError},
    faults::{Fate, Faults},
    form::Form,
    headers,
    ledger::Quota,
    log::{Log, Request},
    metadata_server,
    outcome::Outcome,
    quota::Bucket,
    routes::{Route, check_query, route},
    shapes::Shape,
    tamper,
    token::{TokenAnswer, Tokens},
    world::World,
};

/// The state that all connections share.
pub(super) struct State {
    pub(super) base_url: String,
    pub(super) clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    pub(super) tokens: Tokens,
    pub(super) quota: Arc<Quota>,
    pub(super) faults: Faults,
    pub(super) log: Log,
    /// Set by tests, read by requests.
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

    /// Answers a request and logs both. Requests that control the simulator itself are not logged.
    pub(super) async fn answer(self: &Arc<Self>, call: Call) -> Outcome {
        let path = call.head.uri.path().to_owned();
        if path == control::PATH {
            return control::answer(self, &call);
        }
        let number = self.arrivals.fetch_add(1, Ordering::Relaxed);
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
        let fate = || self.faults.apply(route.method, route.property.as_deref(), page);
        match route.api() {
            Some(api) => {
                let arrival = self.now();
                match self.admit(route, api, &query, call) {
                    Ok(()) => self.answer_api(route, api, &query, call, &fate()).await,
                    Err(error) => (Outcome::error(&error), arrival),
                }
            }
            None => {
                let fate = fate();
                wait(&fate).await;
                let now = self.now();
                let played = fate.recording().and_then(|recording| recording.outcome(route));
                (played.unwrap_or_else(|| self.answer_sign_in(route, &query, call, &fate, now)), now)
            }
        }
    }

    fn answer_sign_in(&self, route: &Route, query: &Form, call: &Call, fate: &Fate, now: Timestamp) -> Outcome {
        if route.method != Method::Token {
            let answer = metadata_server::answer(self, call, query, fate.shape(), now);
            return tamper::apply(answer, fate.effect.as_ref());
        }
        let mut answer = match &fate.effect {
            Some(Effect::RefuseToken(status, error, description)) => TokenAnswer::error(*status, error, description),
            _ => {
                let form = Form::parse(&String::from_utf8_lossy(&call.body));
                self.tokens.exchange(&form, &self.token_uri(), now)
            }
        };
        if let Some(Shape::Token(shape)) = fate.shape() {
            shape.change(&mut answer.body);
        }
        tamper::apply(Outcome::json_with(headers::TOKEN, answer.http, &answer.body), fate.effect.as_ref())
    }

    /// Checks the sign-in first, so that unauthorized clients learn nothing about other mistakes.
    fn admit(&self, route: &Route, api: Api, query: &Form, call: &Call) -> Result<(), ApiError> {
        let header = call.head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        self.tokens.authorize(header, api, route.method, &self.base_url, self.now())?;
        check_query(route.method, query)
    }

    /// Answers an authorized request of an API: checks access and quota, then the request itself.
    async fn answer_api(
        self: &Arc<Self>,
        route: &Route,
        api: Api,
        query: &Form,
        call: &Call,
        fate: &Fate,
    ) -> (Outcome, Timestamp) {
        if let Some(outcome) = fate.recording().and_then(|recording| recording.outcome(route)) {
            wait(fate).await;
            let now = self.now();
            self.note_server_error(route, outcome.status, now);
            return (outcome, now);
        }
        let result = if api == Api::Data {
            data::answer(self, route, call, fate).await
        } else {
            wait(fate).await;
            let now = self.now();
            let body = refused(fate, api, route.method).and_then(|()| admin::answer(self, route, query, fate.shape()));
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

    /// Charges a server error to its quota bucket.
    pub(super) fn note_server_error(&self, route: &Route, status: u16, now: Timestamp) {
        if let Some(property) = &route.property
            && matches!(status, 500 | 503)
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

/// Waits for the delay of a fault, or forever, until the connection or the simulator ends.
pub(super) async fn wait(fate: &Fate) {
    if !fate.latency.is_zero() {
        tokio::time::sleep(fate.latency).await;
    }
    if fate.effect == Some(Effect::Hang) {
        std::future::pending::<()>().await;
    }
}

/// Returns the error that a fault asks for.
pub(super) fn refused(fate: &Fate, api: Api, method: Method) -> Result<(), ApiError> {
    match fate.effect {
        Some(Effect::Refuse(refusal)) => Err(ApiError::refusal(refusal, api, method)),
        _ => Ok(()),
    }
}
