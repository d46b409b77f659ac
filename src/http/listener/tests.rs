use std::{
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use jiff::Timestamp;

use super::{
    super::{
        Backend, Base, Format, Limits, Metrics, Readiness, Rendering, Scope, Settings, TelemetryPath, Unobserved,
        WebObserver,
    },
    *,
};
use ga4_exporter_core::names::PropertyId;

use crate::{clock::Clock, status::Selection};

#[test]
fn failures_of_one_connection_are_told_from_those_of_the_system() {
    // Numbers of Linux: accept(2) passes on the network's failures of the connection that it takes.
    for (name, number, expected) in [
        ("ECONNABORTED", 103, true),
        ("ECONNRESET", 104, true),
        ("EINTR", 4, true),
        ("EPERM", 1, true),
        ("ENETDOWN", 100, true),
        ("ENETUNREACH", 101, true),
        ("EHOSTUNREACH", 113, true),
        ("ETIMEDOUT", 110, true),
        ("EMFILE", 24, false),
        ("ENFILE", 23, false),
        ("ENOMEM", 12, false),
        ("ENOBUFS", 105, false),
        ("EBADF", 9, false),
        ("EINVAL", 22, false),
    ] {
        assert_eq!(is_of_one_connection(&io::Error::from_raw_os_error(number)), expected, "{name}");
    }
}

#[test]
fn only_what_the_system_lacks_counts_as_such() {
    let wanting = [24, 23, 12, 105];
    for number in 1..=133 {
        let error = io::Error::from_raw_os_error(number);
        assert_eq!(lacks_resources(&error), wanting.contains(&number), "{error}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_system_buffers_more_for_a_few_connections() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    bound_buffers(&socket);
    let address = socket.local_addr().unwrap();
    let (mut listener, _stop) = listener();
    let (mut clients, mut unsent) = (Vec::new(), Vec::new());
    for _ in 0..18 {
        clients.push(TcpStream::connect(address).await.unwrap());
        let (stream, client) = Accept::accept(&socket).await.unwrap();
        let same = SockRef::from(&stream).try_clone().unwrap();
        listener.admit(stream, client);
        unsent.push(same.tcp_notsent_lowat().unwrap());
    }
    assert_eq!(unsent, [[1 << 20; 16].as_slice(), &[128 << 10; 2]].concat());
}

#[tokio::test(start_paused = true)]
async fn addresses_with_too_many_connections_are_one_line_a_minute() {
    let mut last = None;
    let line = |last: &mut Option<Crowded>| Crowded::line(last, Instant::now());
    assert_eq!([line(&mut last), line(&mut last), line(&mut last)], [Some(0), None, None]);
    time::advance(Duration::from_secs(59)).await;
    assert_eq!(line(&mut last), None);
    time::advance(Duration::from_secs(1)).await;
    assert_eq!([line(&mut last), line(&mut last)], [Some(3), None]);
}

fn listener() -> (Listener, watch::Sender<bool>) {
    let (stop, stopped) = watch::channel(false);
    let limits = Limits::default();
    let settings =
        Settings { base: Base::default(), telemetry_path: TelemetryPath::default(), lifecycle: false, limits };
    let site = Arc::new(Site::new(Arc::new(Nothing), settings, Clock::system()));
    let places = Places::new(&limits, Arc::new(Unobserved));
    (Listener::new(String::new(), site, places, stopped), stop)
}

/// A system that fails with one number after the other.
struct Failing<'a> {
    numbers: &'a [i32],
    tried: AtomicUsize,
}

impl Accept for Failing<'_> {
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let tried = self.tried.fetch_add(1, Ordering::Relaxed);
        assert!(tried < 10_000, "it keeps the processor busy");
        Err(io::Error::from_raw_os_error(self.numbers[tried % self.numbers.len()]))
    }
}

/// How often a minute of such failures is tried.
async fn attempts(numbers: &[i32]) -> usize {
    let (mut listener, _stop) = listener();
    let failing = Failing { numbers, tried: AtomicUsize::new(0) };
    assert!(time::timeout(Duration::from_mins(1), listener.run(&failing)).await.is_err(), "nothing ends it");
    failing.tried.into_inner()
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_lasts_keeps_nothing_busy() {
    // One pause is a tenth of a second. EAGAIN is the runtime's own business.
    for number in (1..=133).filter(|number| *number != 11) {
        let tried = attempts(&[number]).await;
        assert!((500..1_000).contains(&tried), "{number}: {tried}");
    }
    assert!(attempts(&[13, 103, 4]).await < 1_000, "different ones");
}

/// Of ten attempts nine fail for their client's sake.
struct Rush {
    socket: TcpListener,
    tried: AtomicUsize,
    stop: watch::Sender<bool>,
}

impl Accept for Rush {
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let tried = self.tried.fetch_add(1, Ordering::Relaxed) + 1;
        if !tried.is_multiple_of(10) {
            return Err(io::Error::from_raw_os_error(103));
        }
        if tried == 200 {
            self.stop.send_replace(true);
        }
        let _client = TcpStream::connect(self.socket.local_addr()?).await?;
        self.socket.accept().await
    }
}

#[tokio::test]
async fn failures_of_single_connections_hold_up_nobody() {
    let (mut listener, stop) = listener();
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.run(&Rush { socket, tried: AtomicUsize::new(0), stop }).await;
    assert!(!listener.trouble, "it paused");
}

/// An exporter that is never asked.
struct Nothing;

impl Metrics for Nothing {
    fn version(&self) -> u64 {
        0
    }

    fn render(&self, _: Format, _: Scope, _: Timestamp) -> Rendering {
        unreachable!()
    }
}

impl Backend for Nothing {
    fn render_property(&self, _: PropertyId, _: Format, _: Timestamp) -> Option<Rendering> {
        unreachable!()
    }

    fn status_page(&self, _: &Selection, _: &TelemetryPath, _: Timestamp) -> String {
        unreachable!()
    }

    fn targets(&self, _: Option<&str>, _: &str, _: Timestamp) -> Option<String> {
        unreachable!()
    }

    fn readiness(&self, _: Timestamp) -> Readiness {
        unreachable!()
    }

    fn reload(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        unreachable!()
    }

    fn config_yaml(&self) -> String {
        unreachable!()
    }

    fn observer(&self) -> Arc<dyn WebObserver> {
        Arc::new(Unobserved)
    }
}
