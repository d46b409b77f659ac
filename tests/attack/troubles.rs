//! The attacks on memory, each by itself: slow readers, packed answers, a listing without end, texts without end.

use std::{collections::VecDeque, net::SocketAddr, time::Duration};

use ga4_simulator::{Effect, Fault, Method, Simulator};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time,
};

/// JSON of about this number of bytes, which are a few KiB of gzip.
pub(crate) fn long(head: &str, item: &str, tail: &str, bytes: usize) -> String {
    format!("{head}{}{item}{tail}", format!("{item},").repeat(bytes / (item.len() + 1)))
}

/// A report of empty rows, of about this number of bytes.
pub(crate) fn rows(report: &str, bytes: usize) -> String {
    long(&format!("{{\"kind\":\"analyticsData#{report}\",\"rows\":["), "{}", "]}", bytes)
}

/// A client that asks and reads nothing, with the smallest window that there is.
pub(crate) async fn slow_reader(address: &str, path: &str) -> Option<TcpStream> {
    let address: SocketAddr = address.parse().unwrap();
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(address).await.ok()?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.ok()?;
    Some(stream)
}

/// 160 of them until it is dropped: a new one ten times a second, in place of the oldest.
pub(crate) fn slow_readers(address: &str) -> JoinSet<()> {
    let address = address.to_owned();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut readers = VecDeque::new();
        loop {
            readers.extend(slow_reader(&address, "/metrics").await);
            if readers.len() > 160 {
                readers.pop_front();
            }
            time::sleep(Duration::from_millis(100)).await;
        }
    });
    tasks
}

/// Every report on the last minutes is as long as answers may be, and has nothing in it; those of two properties are 60 MB.
pub(crate) fn packed_answers(google: &Simulator) {
    for property in ["1001", "1002"] {
        let effect = Effect::Raw(200, rows("runRealtimeReport", 60 << 20));
        google.inject(Fault::new(effect).on(Method::RunRealtimeReport).property(property));
    }
    let effect = Effect::Raw(200, rows("runRealtimeReport", LONGEST_ANSWER));
    google.inject(Fault::new(effect).on(Method::RunRealtimeReport));
}

/// The listing goes on and on: its first pages are as long as pages may be, and each names the next.
pub(crate) fn endless_listing(google: &Simulator) {
    for page in 0..1_040 {
        let bytes = if page < 40 { LONGEST_ANSWER } else { 64 };
        let head = format!("{{\"nextPageToken\":\"token {page}\",\"accountSummaries\":[{{\"_\":[");
        let effect = Effect::Raw(200, long(&head, "1", "]}]}", bytes));
        google.inject(Fault::new(effect).on(Method::AccountSummaries).once());
    }
}

/// Everything that reports on days bring is text.
pub(crate) fn endless_texts(google: &Simulator) {
    let text = "x".repeat(LONGEST_ANSWER / 8);
    let report = serde_json::json!({
        "kind": "analyticsData#runReport", "metadata": {"timeZone": text, "currencyCode": text, "emptyReason": text},
        "metricHeaders": [{"name": text, "type": text}], "rows": [{"metricValues": [{"value": text}]}],
    });
    let url = "https://console.developers.google.com/".to_owned() + &"x".repeat(12_000);
    let refusal = serde_json::json!({"error": {"code": 403, "message": url, "status": "PERMISSION_DENIED", "details": [{
        "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED",
        "metadata": {"activationUrl": url, "consumer": url, "service": url},
    }]}});
    google.inject(Fault::new(Effect::Raw(200, report.to_string())).on(Method::RunReport).times(2_000));
    google.inject(Fault::new(Effect::Raw(403, refusal.to_string())).on(Method::RunReport));
}

/// In bytes, a little below the limit of a report and of a page.
const LONGEST_ANSWER: usize = (4 << 20) - 1_000;
