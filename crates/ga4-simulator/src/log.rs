//! What was asked of the simulator, for tests to look at and to wait for.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

use super::Method;

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// Counts all requests since the start, from 0.
    pub number: u64,
    /// The method of the API; `None` when there is no such one.
    pub method: Option<Method>,
    /// The HTTP method.
    pub http_method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, as it came.
    pub query: String,
    /// The property of the path, without `properties/`.
    pub property: Option<String>,
    /// The body if it was JSON; null otherwise.
    pub body: Value,
    /// When it arrived, by the simulator's clock.
    pub at: Timestamp,
    /// The instant that the answer's numbers are of; `None` while none was computed.
    pub answered_at: Option<Timestamp>,
    /// The status of the answer; `None` while it is not answered, or when the connection was cut instead.
    pub status: Option<u16>,
}

/// The last requests.
#[derive(Debug)]
pub(super) struct Log {
    length: usize,
    entries: Mutex<VecDeque<Request>>,
    /// The number of changes so far: what waiting tests watch.
    changes: watch::Sender<u64>,
}

impl Log {
    pub(super) fn new(length: usize) -> Self {
        Self { length, entries: Mutex::default(), changes: watch::Sender::new(0) }
    }

    /// Notes an arrival. `number` is given by the caller, who counts.
    pub(super) fn arrived(&self, request: Request) {
        let mut entries = self.entries();
        entries.push_back(request);
        while entries.len() > self.length {
            entries.pop_front();
        }
        drop(entries);
        self.changed();
    }

    /// Notes an answer.
    pub(super) fn answered(&self, number: u64, status: u16, at: Timestamp) {
        let mut entries = self.entries();
        if let Some(entry) = entries.iter_mut().rev().find(|entry| entry.number == number) {
            entry.status = Some(status);
            entry.answered_at = Some(at);
        }
        drop(entries);
        self.changed();
    }

    /// The requests that it still has, oldest first.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.entries().iter().cloned().collect()
    }

    /// Waits until `count` requests are such ones, past ones included.
    pub(super) async fn wait_for(&self, count: usize, wanted: impl Fn(&Request) -> bool) -> Vec<Request> {
        let mut changes = self.changes.subscribe();
        loop {
            changes.mark_unchanged();
            let found: Vec<Request> = self.entries().iter().filter(|entry| wanted(entry)).cloned().collect();
            if found.len() >= count {
                return found;
            }
            // The sender lives as long as `self`, so this ends with a change only.
            let _ = changes.changed().await;
        }
    }

    fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    fn entries(&self) -> MutexGuard<'_, VecDeque<Request>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
