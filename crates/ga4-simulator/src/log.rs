//! The log of requests, which tests can read and wait for.

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
    /// The number of the request since the start, from 0.
    pub number: u64,
    /// The method of the API; `None` for other paths.
    pub method: Option<Method>,
    /// The HTTP method.
    pub http_method: String,
    /// The path, without the query.
    pub path: String,
    /// The query as it was received.
    pub query: String,
    /// The property in the path, without `properties/`.
    pub property: Option<String>,
    /// The body if it is JSON; null otherwise.
    pub body: Value,
    /// The time of arrival, by the simulator's clock.
    pub at: Timestamp,
    /// The time for which the answer's numbers were computed; `None` if none were computed yet.
    pub answered_at: Option<Timestamp>,
    /// The status of the answer; `None` if there is no answer yet, or if the connection was reset instead.
    pub status: Option<u16>,
}

/// The last requests.
#[derive(Debug)]
pub(super) struct Log {
    length: usize,
    entries: Mutex<VecDeque<Request>>,
    /// The number of changes so far, which waiting tests watch.
    changes: watch::Sender<u64>,
}

impl Log {
    pub(super) fn new(length: usize) -> Self {
        Self { length, entries: Mutex::default(), changes: watch::Sender::new(0) }
    }

    /// Logs an arrival. The caller numbers the requests.
    pub(super) fn arrived(&self, request: Request) {
        let mut entries = self.entries();
        entries.push_back(request);
        while entries.len() > self.length {
            entries.pop_front();
        }
        drop(entries);
        self.changed();
    }

    /// Logs an answer.
    pub(super) fn answered(&self, number: u64, status: u16, at: Timestamp) {
        let mut entries = self.entries();
        if let Some(entry) = entries.iter_mut().rev().find(|entry| entry.number == number) {
            entry.status = Some(status);
            entry.answered_at = Some(at);
        }
        drop(entries);
        self.changed();
    }

    /// Returns the requests that are still in the log, oldest first.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.entries().iter().cloned().collect()
    }

    /// Waits until the log has `count` matching requests, including past ones.
    pub(super) async fn wait_for(&self, count: usize, wanted: impl Fn(&Request) -> bool) -> Vec<Request> {
        let mut changes = self.changes.subscribe();
        loop {
            changes.mark_unchanged();
            let found: Vec<Request> = self.entries().iter().filter(|entry| wanted(entry)).cloned().collect();
            if found.len() >= count {
                return found;
            }
            // The sender lives as long as `self`, so this ends only with a change.
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
