//! Somebody who is on call: a server that takes Alertmanager's notifications and remembers them.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinSet};

/// The server; it ends when dropped.
pub(crate) struct Webhook {
    /// `http://127.0.0.1:PORT`
    pub(crate) url: String,
    notes: Notes,
    _tasks: JoinSet<()>,
}

/// What came, in order: the path and the notification.
type Notes = Arc<Mutex<Vec<(String, Value)>>>;

/// One alert of a notification.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    /// The receiver's path.
    pub(crate) path: String,
    /// A group of alerts that Alertmanager sends together.
    pub(crate) group: String,
    pub(crate) alert: String,
    pub(crate) property: String,
    pub(crate) status: String,
    pub(crate) description: String,
}

impl Webhook {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let notes = Notes::default();
        let taken = Arc::clone(&notes);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let notes = Arc::clone(&taken);
                let service = service_fn(move |request| take(request, Arc::clone(&notes)));
                connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { url, notes, _tasks: tasks }
    }

    /// Every alert of every notification so far.
    pub(crate) fn told(&self) -> Vec<Told> {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        notes.iter().flat_map(|(path, note)| alerts(path, note)).collect()
    }

    /// All of it, for people.
    pub(crate) fn log(&self) -> String {
        let line = |told: &Told| {
            format!("{} {} {} {}: {}\n", told.path, told.status, told.alert, told.property, told.description)
        };
        self.told().iter().map(line).collect()
    }
}

async fn take(request: Request<Incoming>, notes: Notes) -> Result<Response<Empty<Bytes>>, hyper::Error> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await?.to_bytes();
    let note = serde_json::from_slice(&body).unwrap_or(Value::Null);
    notes.lock().unwrap_or_else(PoisonError::into_inner).push((path, note));
    Ok(Response::new(Empty::new()))
}

fn alerts(path: &str, note: &Value) -> Vec<Told> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let alerts = note["alerts"].as_array().into_iter().flatten().map(|alert| Told {
        path: path.to_owned(),
        group: text(&note["groupKey"]),
        alert: text(&alert["labels"]["alertname"]),
        property: text(&alert["labels"]["property_id"]),
        status: text(&alert["status"]),
        description: text(&alert["annotations"]["description"]),
    });
    alerts.collect()
}
