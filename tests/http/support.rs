//! A made-up exporter, a server in front of it, and a client that shows every byte.

use std::{
    future,
    io::{self, Read},
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use flate2::read::GzDecoder;
use ga4_exporter_core::names::{Handler, PropertyId, RefusedReason};
use google_analytics_exporter::{
    clock::Clock,
    http::{
        self, Backend, Base, Format, Limits, Metrics, Readiness, Rendering, Scope, Settings, TelemetryPath, WebObserver,
    },
    status::Selection,
};
use jiff::Timestamp;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream},
    net::{TcpSocket, TcpStream},
    sync::oneshot,
    task::JoinSet,
    time,
};

/// What the server serves. Each rendering says which it is, and for what.
#[derive(Default)]
pub(crate) struct Fake {
    /// The version.
    pub(crate) version: AtomicU64,
    /// How many renderings were begun.
    pub(crate) renderings: AtomicUsize,
    /// What the next renderings expire at.
    pub(crate) valid_until: Mutex<Option<Timestamp>>,
    /// What follows the first line of each rendering.
    pub(crate) padding: Mutex<Vec<u8>>,
    /// What the next rendering waits for.
    pub(crate) gate: Mutex<Option<Gate>>,
    /// What is missing to be ready.
    pub(crate) missing: Mutex<Option<String>>,
    /// What is wrong with the configuration.
    pub(crate) complaint: Mutex<Option<String>>,
    /// How often the configuration was read again.
    pub(crate) reloads: AtomicUsize,
    /// How often the list of targets was made.
    pub(crate) lists: AtomicUsize,
    /// Targets beyond the first.
    pub(crate) further: AtomicUsize,
    /// What the server has reported about its clients.
    pub(crate) seen: Arc<Seen>,
}

/// A rendering's side of a gate: says that it has come, and waits until it may go on.
pub(crate) struct Gate {
    entered: oneshot::Sender<()>,
    open: mpsc::Receiver<()>,
}

/// The test's side of it.
pub(crate) struct GateKeeper {
    /// Done when the rendering is at the gate.
    pub(crate) entered: oneshot::Receiver<()>,
    /// Opens it when dropped.
    pub(crate) open: mpsc::Sender<()>,
}

impl Fake {
    /// Makes the next rendering wait.
    pub(crate) fn close_gate(&self) -> GateKeeper {
        let (entered, has_entered) = oneshot::channel();
        let (keep, open) = mpsc::channel();
        *self.gate.lock().unwrap() = Some(Gate { entered, open });
        GateKeeper { entered: has_entered, open: keep }
    }

    /// How many renderings were begun.
    pub(crate) fn rendered(&self) -> usize {
        self.renderings.load(Ordering::SeqCst)
    }

    /// Something has changed.
    pub(crate) fn change(&self) {
        self.version.fetch_add(1, Ordering::SeqCst);
    }
}

impl Metrics for Fake {
    fn version(&self) -> u64 {
        self.version.load(Ordering::SeqCst)
    }

    fn render(&self, format: Format, scope: Scope, _now: Timestamp) -> Rendering {
        let number = self.renderings.fetch_add(1, Ordering::SeqCst) + 1;
        let version = self.version();
        if let Some(gate) = self.gate.lock().unwrap().take() {
            let _ = gate.entered.send(()); // the test may not care when
            let _ = gate.open.recv();
        }
        let mut text = format!("# {format:?} {scope:?} rendering {number} version {version}\n").into_bytes();
        text.extend_from_slice(&self.padding.lock().unwrap());
        Rendering { text, valid_until: *self.valid_until.lock().unwrap() }
    }
}

impl Backend for Fake {
    fn render_property(&self, property: PropertyId, format: Format, _now: Timestamp) -> Option<Rendering> {
        (property.as_u64() == 123_456_789)
            .then(|| Rendering { text: format!("# {format:?} {property}\n").into_bytes(), valid_until: None })
    }

    fn status_page(&self, selection: &Selection, telemetry_path: &TelemetryPath, _now: Timestamp) -> String {
        format!("{selection:?} {telemetry_path}")
    }

    fn targets(&self, scheme: Option<&str>, prefix: &str, _now: Timestamp) -> Option<String> {
        self.lists.fetch_add(1, Ordering::SeqCst);
        let line =
            format!("{{\"below\":\"{}{prefix}\"}}\n", scheme.map_or_else(String::new, |scheme| format!("{scheme}:")));
        self.missing.lock().unwrap().is_none().then(|| line.repeat(1 + self.further.load(Ordering::SeqCst)))
    }

    fn readiness(&self, _now: Timestamp) -> Readiness {
        match self.missing.lock().unwrap().clone() {
            Some(reason) => Readiness::NotReady { reason },
            None => Readiness::Ready,
        }
    }

    fn reload(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        self.reloads.fetch_add(1, Ordering::SeqCst);
        Box::pin(future::ready(self.complaint.lock().unwrap().clone().map_or(Ok(()), Err)))
    }

    fn config_yaml(&self) -> String {
        "properties: []\n".to_owned()
    }

    fn observer(&self) -> Arc<dyn WebObserver> {
        Arc::clone(&self.seen) as _
    }
}

/// What the server has reported about its clients.
#[derive(Default)]
pub(crate) struct Seen {
    /// Each answer.
    pub(crate) answers: Mutex<Vec<(Handler, u16)>>,
    /// Each refusal.
    pub(crate) refusals: Mutex<Vec<RefusedReason>>,
    /// Connections at present.
    pub(crate) connections: AtomicUsize,
    /// Bytes at present, and at most.
    pub(crate) bytes: AtomicU64,
    pub(crate) most_bytes: AtomicU64,
}

impl WebObserver for Seen {
    fn answered(&self, handler: Handler, code: u16) {
        self.answers.lock().unwrap().push((handler, code));
    }

    fn refused(&self, reason: RefusedReason) {
        self.refusals.lock().unwrap().push(reason);
    }

    fn connections(&self, count: usize) {
        self.connections.store(count, Ordering::SeqCst);
    }

    fn bytes_in_flight(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::SeqCst);
        self.most_bytes.fetch_max(bytes, Ordering::SeqCst);
    }
}

/// A server on a port of its own.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) exporter: Arc<Fake>,
    pub(crate) clock: Clock,
    stop: Option<oneshot::Sender<()>>,
    task: JoinSet<io::Result<()>>,
}

impl Server {
    /// One without deadlines that could pass during a test.
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(adjust: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings {
            base: Base::default(),
            telemetry_path: "/metrics".parse().unwrap(),
            lifecycle: true,
            limits: patient(),
        };
        adjust(&mut settings);
        let listeners = http::bind(&["127.0.0.1:0".parse().unwrap()]).unwrap();
        let address = listeners[0].local_addr().unwrap();
        let exporter = Arc::new(Fake::default());
        let clock = Clock::system();
        let (stop, stopped) = oneshot::channel();
        let mut task = JoinSet::new();
        let shutdown = async move {
            let _ = stopped.await;
        };
        task.spawn(http::serve(
            listeners,
            Arc::clone(&exporter) as Arc<dyn Backend>,
            settings,
            clock.clone(),
            shutdown,
        ));
        Self { address, exporter, clock, stop: Some(stop), task }
    }

    pub(crate) async fn connect(&self) -> Client {
        let stream = within(TcpStream::connect(self.address)).await.unwrap();
        Client { stream: BufStream::new(stream) }
    }

    /// A client whose system takes 4 kB at a time.
    pub(crate) async fn connect_slowly(&self) -> Client {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let stream = within(socket.connect(self.address)).await.unwrap();
        Client { stream: BufStream::with_capacity(512, 512, stream) }
    }

    /// One request on a connection of its own.
    pub(crate) async fn ask(&self, request: &str) -> Answer {
        let mut client = self.connect().await;
        client.send(request).await;
        client.answer().await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")).await
    }

    /// The metrics, with further header lines.
    pub(crate) async fn scrape(&self, headers: &str) -> Answer {
        self.ask(&scrape(headers)).await
    }

    /// Asks it to stop.
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits until it has stopped; a panic of it goes on here.
    pub(crate) async fn ended(&mut self) {
        let ended = within(self.task.join_next()).await.unwrap();
        ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())).unwrap();
    }
}

/// Limits that do not matter within a test.
pub(crate) fn patient() -> Limits {
    let hour = Duration::from_secs(3600);
    Limits {
        header: hour,
        idle: hour,
        response: hour,
        drain: hour,
        pace: hour,
        refusal: hour,
        reuse: hour,
        reuse_changed: hour / 2,
        renewal: hour / 4,
        ..Limits::default()
    }
}

/// A request for the metrics, with further header lines.
pub(crate) fn scrape(headers: &str) -> String {
    format!("GET /metrics HTTP/1.1\r\nHost: x\r\n{headers}\r\n")
}

pub(crate) struct Client {
    pub(crate) stream: BufStream<TcpStream>,
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: &str) {
        self.stream.write_all(bytes.as_bytes()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// The next answer, as long as its header says.
    pub(crate) async fn answer(&mut self) -> Answer {
        let mut answer = self.head().await;
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        answer.body = vec![0; length];
        within(self.stream.read_exact(&mut answer.body)).await.unwrap();
        answer
    }

    /// The next answer without its body, as for HEAD.
    pub(crate) async fn head(&mut self) -> Answer {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            within(self.stream.read_line(&mut line)).await.unwrap();
            assert!(line.ends_with("\r\n"), "the connection was closed after {lines:?} and {line:?}");
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines[1..].iter().map(|line| line.split_once(": ").unwrap());
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Answer { status, headers, body: Vec::new() }
    }

    /// All that comes until the server closes.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        if let Err(error) = within(self.stream.read_to_end(&mut rest)).await {
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}");
        }
        rest
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} is there twice: {self:?}");
        value
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The unpacked body; it must be one gzip member.
    pub(crate) fn unpacked(&self) -> Vec<u8> {
        assert_eq!(self.header("content-encoding"), Some("gzip"));
        let mut decoder = GzDecoder::new(self.body.as_slice());
        let mut text = Vec::new();
        decoder.read_to_end(&mut text).unwrap();
        assert!(decoder.into_inner().is_empty(), "there is more after the first member");
        text
    }
}

/// Waits for an event that must come; no test depends on when.
pub(crate) async fn within<T>(event: impl Future<Output = T>) -> T {
    time::timeout(Duration::from_secs(60), event).await.expect("the event must come")
}
