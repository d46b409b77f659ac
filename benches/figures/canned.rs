//! A Data API that costs next to nothing: it asks the simulator once, and gives the same answer to the same request of
//! every property. It notes what is asked of it.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use google_analytics_exporter::clock::monotonic;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::Incoming,
    header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, task::JoinSet, time};

/// A running server; dropping it closes it.
pub(crate) struct Canned {
    pub(crate) url: String,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

/// A request of the exporter's: only that has a name, the bare loop has none.
pub(crate) struct Asked {
    pub(crate) at: Instant,
    pub(crate) path: String,
    pub(crate) body: Bytes,
}

struct Shared {
    simulator_url: String,
    latency: Duration,
    client: reqwest::Client,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By method and body; whatever the order of its fields.
    answers: HashMap<(String, String), Bytes>,
    /// Nothing is noted before somebody wants it.
    asked: Option<Vec<Asked>>,
}

impl Canned {
    /// Serves on a free port; each answer comes after this delay.
    pub(crate) async fn start(simulator_url: &str, latency: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let client = crate::client();
        let shared =
            Arc::new(Shared { simulator_url: simulator_url.to_owned(), latency, client, state: Mutex::default() });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&shared)));
        Self { url, shared, _tasks: tasks }
    }

    /// Notes requests from now on.
    pub(crate) fn note(&self) {
        self.shared.state().asked = Some(Vec::new());
    }

    /// The requests since then.
    pub(crate) fn noted(&self) -> Vec<Asked> {
        self.shared.state().asked.take().unwrap_or_default()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.expect("the exporter sends whole requests").to_bytes();
        let path = head.uri.path().to_owned();
        let method = path.rsplit_once(':').map_or("", |(_, method)| method).to_owned();
        let value: serde_json::Value = serde_json::from_slice(&body).expect("the exporter sends JSON");
        let key = (method, value.to_string());
        let known = {
            let mut state = self.state();
            if let Some(asked) = state.asked.as_mut().filter(|_| head.headers.contains_key(USER_AGENT)) {
                asked.push(Asked { at: monotonic(), path: path.clone(), body: body.clone() });
            }
            state.answers.get(&key).cloned()
        };
        let answer = match known {
            Some(answer) => answer,
            None => {
                let authorization = head.headers.get(AUTHORIZATION).cloned().expect("the exporter signs in");
                let url = format!("{}{path}", self.simulator_url);
                let request = self.client.post(url).header(AUTHORIZATION, authorization).body(body);
                let response = request.header(CONTENT_TYPE, "application/json").send().await;
                let response = response.and_then(reqwest::Response::error_for_status);
                let answer = response.expect("the simulator answers").bytes().await.expect("the answer is whole");
                self.state().answers.insert(key, answer.clone());
                answer
            }
        };
        if !self.latency.is_zero() {
            time::sleep(self.latency).await;
        }
        Response::builder()
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(answer))
            .expect("the header is well-formed")
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| {
            let shared = Arc::clone(&shared);
            async move { Ok::<_, Infallible>(shared.answer(request).await) }
        });
        let _ = stream.set_nodelay(true);
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}
