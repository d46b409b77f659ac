//! The polling task: sends what the engine asks for.
//!
//! Knows how to make a poll and how to carry out its effects. Refuses to know when to send which request and what an
//! answer means: the [`Engine`] decides that. Invariant: every poll that the engine starts is returned to it exactly
//! once, whatever its outcome.

use std::{collections::BTreeMap, panic, sync::Arc, time::Duration};

use ga4_exporter_core::engine::{Effects, Engine, EngineStep, Observation};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{JoinError, JoinSet},
};

use ga4_exporter_core::{
    names::{PropertyId, Reason},
    plan::Plan,
    properties::PropertyInfo,
    store::Store,
};

use crate::{auth::Tokens, clock::Clock, ga, observer::Observer, storage::Saver, witness::Witness};

pub use ga4_exporter_core::engine::{Kept, Polled};
pub use pulse::Pulse;

mod log;
mod pulse;
mod request;

/// Owns the engine; [`Poller::run`] is the task.
pub struct Poller {
    client: ga::Client,
    tokens: Tokens,
    plan: watch::Receiver<Arc<Plan>>,
    engine: Engine,
    store: Arc<Store>,
    clock: Clock,
    observer: Arc<dyn Observer>,
    /// Compares the clock with the Date headers of Google's answers.
    witness: Witness,
    /// Saves the state that survives a restart.
    saver: Option<Saver<Kept>>,
    running: JoinSet<Polled>,
    pulse: Pulse,
    /// Health checks that ask whether the loop still runs.
    questions: mpsc::Receiver<oneshot::Sender<()>>,
}

impl Poller {
    /// Creates a poller for this plan. On return the store contains the plan's current properties.
    pub fn new(
        client: ga::Client,
        tokens: Tokens,
        mut plan: watch::Receiver<Arc<Plan>>,
        store: Arc<Store>,
        saver: Option<Saver<Kept>>,
        observer: Arc<dyn Observer>,
        witness: Witness,
    ) -> Self {
        let present = Arc::clone(&plan.borrow_and_update());
        let clock = witness.clock();
        let (pulse, questions) = Pulse::new();
        let engine = Engine::new(&present, saver.is_some(), clock.now());
        let running = JoinSet::new();
        let mut poller =
            Self { client, tokens, plan, engine, store, clock, observer, witness, saver, running, pulse, questions };
        poller.follow(present);
        poller
    }

    /// Limits the requests in flight, whatever the plan is.
    pub fn set_connections(&mut self, most: usize) {
        self.engine.set_connections(most);
    }

    /// Returns the handle that checks whether the loop still runs.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Polls until the future is dropped.
    pub async fn run(mut self) {
        loop {
            self.look_at_clock();
            let pause = self.send_what_is_due();
            tokio::select! {
                Some(result) = self.running.join_next() => self.hand_over(result),
                Ok(()) = self.plan.changed() => {
                    let plan = Arc::clone(&self.plan.borrow_and_update());
                    self.follow(plan);
                }
                signed_in = self.tokens.next_attempt() => {
                    if signed_in {
                        self.on_signed_in();
                    }
                }
                // The receiver may be gone.
                Some(answer) = self.questions.recv() => drop(answer.send(())),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn follow(&mut self, plan: Arc<Plan>) {
        let saved = self.saved(&plan);
        let effects = self.engine.on_plan(self.clock.now(), plan, saved);
        self.carry_out(effects);
    }

    /// Loads the saved state of the plan's new properties. Without a clean shutdown the token counters are outdated and are
    /// cleared: a counter that restarts at 0 is recognized as a reset, one that decreases a little is not.
    fn saved(&self, plan: &Plan) -> BTreeMap<PropertyId, Kept> {
        let Some(storage) = self.saver.as_ref().map(Saver::storage) else { return BTreeMap::new() };
        let load = |id: PropertyId| {
            let loaded = storage.load::<Kept>(id).unwrap_or_else(|error| {
                let name = plan.properties.active.get(&id).and_then(PropertyInfo::known_name);
                log::not_loaded(id, name, &error);
                None
            });
            let mut kept = loaded?;
            if !storage.was_closed(id) {
                kept.tokens_spent.clear();
            }
            Some((id, kept))
        };
        self.engine.new_properties(plan).into_iter().filter_map(load).collect()
    }

    /// Sends all due requests and returns how long to wait before the next call.
    fn send_what_is_due(&mut self) -> Duration {
        loop {
            let now = self.clock.now();
            let (step, effects) = self.engine.next(now);
            self.carry_out(effects);
            match step {
                EngineStep::Send(poll) => {
                    self.running.spawn(request::make(self.client.clone(), self.clock.clone(), poll));
                }
                EngineStep::Wait(until) => {
                    let left = until.map_or(LONGEST_SLEEP, |until| {
                        Duration::try_from(until.duration_since(now)).unwrap_or_default()
                    });
                    return left.min(LONGEST_SLEEP);
                }
            }
        }
    }

    fn hand_over(&mut self, result: Result<Polled, JoinError>) {
        let polled = match result {
            Ok(polled) => polled,
            // In a release build a panic has already ended the process.
            Err(error) if error.is_panic() => panic::resume_unwind(error.into_panic()),
            Err(_) => return,
        };
        // The answer may have changed the clock offset.
        self.look_at_clock();
        let wanted_token = polled.result.as_ref().is_err_and(|error| error.reason() == Reason::NoCredentials);
        let effects = self.engine.on_answer(self.clock.now(), polled);
        self.carry_out(effects);
        // The token may have arrived between the request and its end.
        if wanted_token && self.tokens.are_available() {
            self.on_signed_in();
        }
    }

    fn look_at_clock(&mut self) {
        let effects = self.engine.on_clock(self.clock.now(), &self.witness.offset());
        self.carry_out(effects);
    }

    fn on_signed_in(&mut self) {
        let effects = self.engine.on_signed_in(self.clock.now());
        self.carry_out(effects);
    }

    fn carry_out(&self, effects: Effects) {
        self.store.apply(effects.store);
        effects.log.iter().for_each(|event| log::event(event, &self.store));
        for Observation::SeriesDropped { reason, count } in effects.observe {
            self.observer.series_dropped(reason, count);
        }
        if let Some(saver) = &self.saver {
            for property in effects.forget {
                saver.forget(property);
            }
            for (property, kept) in effects.save {
                saver.put(property, kept, self.clock.now());
            }
        }
    }
}

/// Longest time between two reads of the wall clock, since it may be set or the machine suspended.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
